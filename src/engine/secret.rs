//! Where salts come from: the system's randomness, or a seed in simulations.

use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::personal::{InstallationKey, Salt};

/// Makes the salts of commitments and, where none is given, the installation's key.
pub trait SecretSource: Send + Sync + 'static {
    /// A salt for the record of `occasion` (a post's or act's own key). A source that is not seeded ignores it.
    fn salt(&self, occasion: &[u8]) -> Salt;

    /// A key for an installation that was given none.
    fn key(&self) -> InstallationKey;
}

/// The operating system's randomness, by way of a generator of each thread's own.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemSecrets;

impl SecretSource for SystemSecrets {
    fn salt(&self, _: &[u8]) -> Salt {
        Salt(rand::rng().random())
    }

    fn key(&self) -> InstallationKey {
        InstallationKey::new(&rand::rng().random())
    }
}

/// Secrets that follow from a seed, so that the same inputs give the same journal. **For simulations and tests only.**
#[derive(Debug, Clone, Copy)]
pub struct SeededSecrets(pub u64);

impl SeededSecrets {
    fn derive(self, domain: &[u8], occasion: &[u8]) -> [u8; 32] {
        let mut digest = Sha256::new();
        digest.update(domain);
        digest.update(self.0.to_be_bytes());
        digest.update(occasion);
        digest.finalize().into()
    }
}

impl SecretSource for SeededSecrets {
    fn salt(&self, occasion: &[u8]) -> Salt {
        Salt(self.derive(b"salt", occasion))
    }

    fn key(&self) -> InstallationKey {
        InstallationKey::new(&self.derive(b"key", &[]))
    }
}
