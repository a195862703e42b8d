//! The keys that a checkpoint is signed with and checked with, in the form of C2SP signed notes.
//!
//! Source: <https://c2sp.org/signed-note>; for the form of the keys golang.org/x/mod/sumdb/note.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest, Sha256};

use super::note::NoteSignature;

/// The longest name of a journal, in bytes.
pub const MAX_NAME: usize = 256;
/// The kind of a signature: Ed25519 over the note's text.
const ED25519: u8 = 1;
const PRIVATE: &str = "PRIVATE+KEY+";

/// The name of a journal, e.g. `grievances.haryana.gov.in/journal`: it stands in the first line of its checkpoints and
/// is the name of its keys.
///
/// A web address without `https://` is recommended, so that no two have the same; nothing needs to be there. No blanks,
/// no `+`, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct JournalName(String);

impl JournalName {
    /// Takes a name.
    ///
    /// # Errors
    /// [`KeyError::Name`] when it is empty, too long or has a character that no name has.
    pub fn new(name: impl Into<String>) -> Result<Self, KeyError> {
        let name = name.into();
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if name.is_empty() || name.len() > MAX_NAME || name.contains(bad) {
            return Err(KeyError::Name);
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for JournalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What tells two keys of the same name apart: the first 4 bytes of a hash of name, kind and key. It is public and no
/// proof of anything.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId(pub(super) [u8; 4]);

impl KeyId {
    fn of(journal: &JournalName, public: &[u8; 32]) -> Self {
        let hash =
            Sha256::new().chain_update(&journal.0).chain_update([b'\n', ED25519]).chain_update(public).finalize();
        let mut id = [0; 4];
        id.copy_from_slice(&hash[..4]);
        Self(id)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", u32::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// A key that checks signatures; anyone may have it. As text: `<name>+<id>+<base64 of 1 and the key>`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    journal: JournalName,
    id: KeyId,
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    /// Takes an Ed25519 public key, e.g. that of a hardware module.
    ///
    /// # Errors
    /// [`KeyError::Weak`] when the 32 bytes are no key, or one under which anything is signed.
    pub fn from_bytes(journal: JournalName, public: &[u8; 32]) -> Result<Self, KeyError> {
        match ed25519_dalek::VerifyingKey::from_bytes(public) {
            Ok(key) if !key.is_weak() => Ok(Self { id: KeyId::of(&journal, public), journal, key }),
            _ => Err(KeyError::Weak),
        }
    }

    /// The journal whose key it is.
    #[must_use]
    pub fn journal(&self) -> &JournalName {
        &self.journal
    }

    /// What tells it from other keys of that journal.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Takes a signature that was made elsewhere, e.g. by a hardware module: 64 bytes, Ed25519, over the text of a
    /// note to its last line's end.
    ///
    /// # Errors
    /// [`KeyError::WrongSignature`] when it is none of this key over this text.
    pub fn signature(&self, text: &str, bytes: &[u8; 64]) -> Result<NoteSignature, KeyError> {
        if !self.has_signed(text, bytes) {
            return Err(KeyError::WrongSignature);
        }
        Ok(NoteSignature::new(self.journal.clone(), self.id, bytes.to_vec()))
    }

    pub(super) fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(text.as_bytes(), &signature).is_ok())
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.journal, self.id, encoded(self.key.as_bytes()))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifierKey({self})")
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (journal, id, public) = parts(text, "verifier key")?;
        let key = Self::from_bytes(journal, &public)?;
        if key.id.to_string() == id { Ok(key) } else { Err(KeyError::Id) }
    }
}

/// A key that signs checkpoints. Whoever has it can sign a journal that never was.
///
/// As text: `PRIVATE+KEY+<name>+<id>+<base64 of 1 and the seed>`. It is wiped from memory when it is dropped.
#[derive(Clone)]
pub struct SigningKey {
    verifier: VerifierKey,
    key: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// Makes the key of 32 random bytes that nobody else has.
    #[must_use]
    pub fn from_seed(journal: JournalName, seed: &[u8; 32]) -> Self {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = key.verifying_key();
        Self { verifier: VerifierKey { id: KeyId::of(&journal, public.as_bytes()), journal, key: public }, key }
    }

    /// The key that checks what this one signs; to be published.
    #[must_use]
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key as text, to be written where nobody else reads it. The copy is not wiped.
    #[must_use]
    pub fn secret_text(&self) -> String {
        format!("{PRIVATE}{}+{}+{}", self.verifier.journal, self.verifier.id, encoded(self.key.as_bytes()))
    }

    /// Signs the text of a note, which ends with a line's end.
    #[must_use]
    pub fn sign(&self, text: &str) -> NoteSignature {
        let signature = self.key.sign(text.as_bytes());
        NoteSignature::new(self.verifier.journal.clone(), self.verifier.id, signature.to_bytes().to_vec())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}+{}, withheld)", self.verifier.journal, self.verifier.id)
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let text = text.strip_prefix(PRIVATE).ok_or(KeyError::Form { what: "signing key" })?;
        let (journal, id, seed) = parts(text, "signing key")?;
        let key = Self::from_seed(journal, &seed);
        if key.verifier.id.to_string() == id { Ok(key) } else { Err(KeyError::Id) }
    }
}

/// Why a text is no key, or a signature none of a key. It never repeats the text, which may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The name is none.
    #[error("a journal's name has 1 to {MAX_NAME} bytes, no blank, no '+' and no control character")]
    Name,
    /// Something is missing or cut off.
    #[error("it is no {what}; copy the whole line, and nothing else")]
    Form {
        /// What was expected.
        what: &'static str,
    },
    /// It is the key of another kind of signature.
    #[error("the key is for another kind of signature than Ed25519 over the note's text; use one of kind 1")]
    Kind,
    /// The id is not that of name and key.
    #[error("the key's id does not fit its name and its bytes; one of them was altered, so copy it again")]
    Id,
    /// The bytes are no key that can be relied on.
    #[error("these bytes are no Ed25519 key that can be relied on; make another")]
    Weak,
    /// The signature is not that of this key over this text.
    #[error("the signature is none of this key over this text; sign exactly the text, to the end of its last line")]
    WrongSignature,
}

fn encoded(key: &[u8; 32]) -> String {
    let mut bytes = vec![ED25519];
    bytes.extend_from_slice(key);
    STANDARD.encode(bytes)
}

/// Name, id and key of `<name>+<id>+<base64>`. There may be a `+` in the last.
fn parts<'a>(text: &'a str, what: &'static str) -> Result<(JournalName, &'a str, [u8; 32]), KeyError> {
    let form = KeyError::Form { what };
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(form) };
    let journal = JournalName::new(name)?;
    let key = STANDARD.decode(key).map_err(|_| form)?;
    match key.split_first() {
        Some((&ED25519, key)) => Ok((journal, id, key.try_into().map_err(|_| form)?)),
        Some(_) => Err(KeyError::Kind),
        None => Err(form),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The example of golang.org/x/mod/sumdb/note, after which the form was made.
    pub(crate) const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const PUBLIC: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";

    #[test]
    fn the_published_keys_read_back_and_belong_together() {
        let (secret, public): (SigningKey, VerifierKey) = (SECRET.parse().unwrap(), PUBLIC.parse().unwrap());
        assert_eq!(secret.verifier(), &public);
        assert_eq!((secret.secret_text(), public.to_string()), (SECRET.to_owned(), PUBLIC.to_owned()));
        assert_eq!(public.id().to_string(), "c74f20a3");
    }

    #[test]
    fn a_key_with_anything_altered_or_cut_off_is_none() {
        for from in 0..PUBLIC.len() {
            for to in from + 1..=PUBLIC.len() {
                let part = &PUBLIC[from..to];
                assert!(part == PUBLIC || part.parse::<VerifierKey>().is_err(), "{part}");
            }
        }
        for text in [PUBLIC, SECRET] {
            for at in 0..text.len() {
                for bit in 0..7 {
                    let mut bytes = text.as_bytes().to_vec();
                    bytes[at] ^= 1 << bit;
                    let wrong = String::from_utf8(bytes).unwrap();
                    assert!(wrong.parse::<VerifierKey>().is_err() && wrong.parse::<SigningKey>().is_err(), "{wrong}");
                }
            }
        }
    }

    #[test]
    fn each_thing_that_can_be_wrong_is_told() {
        let journal = JournalName::new("example.org/log").unwrap();
        let other_kind = "PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
        let too_long = "PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY==";
        assert_eq!(other_kind.parse::<VerifierKey>(), Err(KeyError::Kind));
        assert_eq!(too_long.parse::<VerifierKey>(), Err(KeyError::Form { what: "verifier key" }));
        assert_eq!("a b+c74f20a3+AR".parse::<VerifierKey>(), Err(KeyError::Name));
        // The neutral element, under which everything is signed.
        let neutral: [u8; 32] = std::array::from_fn(|i| u8::from(i == 0));
        assert_eq!(VerifierKey::from_bytes(journal, &neutral), Err(KeyError::Weak));
        for name in ["", "two words", "a+b", "line\nend", "a\u{a0}b", &"x".repeat(257)] {
            assert_eq!(JournalName::new(name), Err(KeyError::Name), "{name}");
        }
    }

    #[test]
    fn a_secret_key_shows_nothing_of_itself() {
        let key: SigningKey = SECRET.parse().unwrap();
        let seed = SECRET.rsplit_once("c74f20a3+").unwrap().1;
        assert!(!format!("{key:?}").contains(&seed[..8]), "{key:?}");
        let error = SECRET[..SECRET.len() - 1].parse::<SigningKey>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains(&seed[..8]), "{error}");
    }

    #[test]
    fn a_signature_made_elsewhere_is_checked_before_it_is_taken() {
        let key = SigningKey::from_seed(JournalName::new("example.org/log").unwrap(), &[5; 32]);
        let mut made = [0; 64];
        made.copy_from_slice(key.sign("text\n").bytes());
        assert_eq!(key.verifier().signature("text\n", &made), Ok(key.sign("text\n")));
        assert_eq!(key.verifier().signature("text", &made), Err(KeyError::WrongSignature));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(PRIVATE\\+KEY\\+)?[a-z/. +]{0,9}(\\+[0-9a-f]{0,9}){0,2}\\+?[A-Za-z0-9+/=]{0,60}|.{0,60}") {
            let _ = (text.parse::<VerifierKey>(), text.parse::<SigningKey>(), JournalName::new(text));
        }

        #[test]
        fn a_key_reads_back_what_it_wrote(seed in any::<[u8; 32]>(), name in "[a-z./-]{1,20}") {
            let key = SigningKey::from_seed(JournalName::new(name).unwrap(), &seed);
            let secret: SigningKey = key.secret_text().parse().unwrap();
            let public = key.verifier().to_string().parse();
            prop_assert_eq!(secret.verifier(), key.verifier());
            prop_assert_eq!(public.as_ref(), Ok(key.verifier()));
        }
    }
}
