//! What is personal, kept apart: the record that can be erased, and the keyed references that stay.
//!
//! The journal holds no handle, name, contact or free text. An entry that came with such a thing holds a
//! [`Commitment`]: a SHA-256 digest over a random salt and the record. The salt stands beside the record and is
//! erased with it, after which the digest tells nothing; until then anyone who is shown the record can check that
//! it is the one the entry was made with. A post and an author are referred to by a [`SourceKey`] and an
//! [`AuthorKey`], HMACs under the installation's key, so that a post that comes again after its author was erased
//! is still the same ticket.
//!
//! Source: Digital Personal Data Protection Act, 2023 (India), section 12 (right to erasure).

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::code::{CategoryPath, PlacePath};
use crate::grievance::{
    Author, Complainant, Coordinates, Field, Grievance, GrievanceError, MAX_TEXT, Source, check_links, check_text,
};

macro_rules! digest {
    ($($(#[$doc:meta])* $name:ident, $length:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub(crate) [u8; $length]);

        impl $name {
            /// Reads it back from its bytes; `None` for another number of them.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                bytes.try_into().ok().map(Self)
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let mut digits = [0; 2 * $length];
                for (pair, byte) in digits.chunks_exact_mut(2).zip(self.0) {
                    pair[0] = b"0123456789abcdef"[usize::from(byte >> 4)];
                    pair[1] = b"0123456789abcdef"[usize::from(byte & 15)];
                }
                f.write_str(std::str::from_utf8(&digits).unwrap_or_default())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::personal::NotHex;
            fn try_from(text: String) -> Result<Self, $crate::personal::NotHex> {
                $crate::personal::from_hex(&text).map(Self)
            }
        }

        impl From<$name> for String {
            fn from(digest: $name) -> String {
                digest.to_string()
            }
        }
    )*};
}
pub(crate) use digest;

digest! {
    /// A digest of a personal record and its salt: what the journal holds instead of the record.
    Commitment, 32;
    /// A post's reference: an HMAC of channel and id under the installation's key.
    SourceKey, 16;
    /// An author's reference: an HMAC of channel and handle (or contact) under the installation's key.
    AuthorKey, 16;
    /// What tells one installation's key from another without telling the key: kept in the store.
    KeyCheck, 16;
}

/// A digest that is not written in hexadecimal digits of the right number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a digest of {expected} hexadecimal digits was expected")]
pub struct NotHex {
    expected: usize,
}

pub(crate) fn from_hex<const N: usize>(text: &str) -> Result<[u8; N], NotHex> {
    let mut bytes = [0; N];
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(NotHex { expected: 2 * N });
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |d: u8| (d as char).to_digit(16).unwrap_or_default() as u8;
        *byte = nibble(pair[0]) << 4 | nibble(pair[1]);
    }
    Ok(bytes)
}

/// 32 random bytes that stand beside a personal record and are erased with it.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(pub [u8; 32]);

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(withheld)")
    }
}

/// The installation's secret key, under which posts and authors are referred to.
///
/// The same key has to be given each time a journal is opened; with another one, a post that comes again would be
/// taken for a new one. Keep it where the service keeps its other secrets, and in the backup.
#[derive(Clone)]
pub struct InstallationKey(Hmac<Sha256>);

impl InstallationKey {
    /// Takes 32 secret bytes.
    #[must_use]
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    pub fn new(secret: &[u8; 32]) -> Self {
        Self(Hmac::new_from_slice(secret).expect("HMAC takes a key of any length"))
    }

    /// The post's reference.
    #[must_use]
    pub fn source(&self, source: &Source) -> SourceKey {
        SourceKey(self.keyed("source", source.channel().as_str(), source.id()))
    }

    /// The author's reference.
    #[must_use]
    pub fn author(&self, author: &Author) -> AuthorKey {
        AuthorKey(self.keyed("author", author.channel().as_str(), author.identity()))
    }

    /// What tells this key from another.
    #[must_use]
    pub fn check(&self) -> KeyCheck {
        KeyCheck(self.keyed("check", "", ""))
    }

    fn keyed(&self, domain: &str, channel: &str, id: &str) -> [u8; 16] {
        // Domain and channel are fixed words without a zero byte, so no two triples give the same input.
        let mut mac = self.0.clone();
        mac.update(domain.as_bytes());
        mac.update(&[0]);
        mac.update(channel.as_bytes());
        mac.update(&[0]);
        mac.update(id.as_bytes());
        let mut short = [0; 16];
        short.copy_from_slice(&mac.finalize().into_bytes()[..16]);
        short
    }
}

impl fmt::Debug for InstallationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InstallationKey(withheld)")
    }
}

/// What someone wrote along with an act: an officer's report, a reason, a question, a citizen's answer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    evidence: Vec<String>,
}

impl Statement {
    /// Takes a text.
    ///
    /// # Errors
    /// [`GrievanceError`] when it is empty, longer than [`MAX_TEXT`] or has a control character.
    pub fn new(text: impl Into<String>) -> Result<Self, GrievanceError> {
        let text = text.into();
        check_text(Field::Text, &text, MAX_TEXT)?;
        Ok(Self { text, evidence: Vec::new() })
    }

    /// Adds links to photographs or papers (`http://` or `https://`).
    ///
    /// # Errors
    /// [`GrievanceError`] when there are too many links or one of them is none.
    pub fn with_evidence(mut self, links: impl IntoIterator<Item = String>) -> Result<Self, GrievanceError> {
        self.evidence.extend(links);
        check_links(&self.evidence)?;
        Ok(self)
    }

    /// What was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The links.
    #[must_use]
    pub fn evidence(&self) -> &[String] {
        &self.evidence
    }
}

impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Statement(withheld)")
    }
}

/// The personal part of a grievance.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct PersonalGrievance {
    /// The channel's own id of the post.
    pub source_id: String,
    /// What the citizen wrote.
    pub text: String,
    /// Who they are.
    pub complainant: Complainant,
    /// The category as it was given, also where the taxonomy does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<CategoryPath>,
    /// The place as it was given, down to the door.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<PlacePath>,
    /// The point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// Links to pictures and films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<String>,
    /// The conversation on the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<String>,
}

impl From<Grievance> for PersonalGrievance {
    fn from(grievance: Grievance) -> Self {
        Self {
            source_id: grievance.source.into_id(),
            text: grievance.text,
            complainant: grievance.complainant,
            category: grievance.category,
            place: grievance.location.place,
            coordinates: grievance.location.coordinates,
            media: grievance.media,
            conversation: grievance.conversation,
        }
    }
}

impl fmt::Debug for PersonalGrievance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonalGrievance(withheld)")
    }
}

/// A personal record: what came with one entry and can be erased.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Personal {
    /// A citizen's grievance.
    Grievance(PersonalGrievance),
    /// What was written along with an act or feedback.
    Statement(Statement),
}

impl Personal {
    /// The digest that the journal holds for this record under `salt`.
    ///
    /// Every field goes into it with its length before it and an absent one as such, so that no two records give
    /// the same input.
    #[must_use]
    pub fn commitment(&self, salt: &Salt) -> Commitment {
        let mut digest = Fields(Sha256::new());
        digest.0.update(salt.0);
        match self {
            Self::Grievance(g) => {
                digest.0.update(b"nivaran grievance 1\0");
                digest.field(&g.source_id);
                digest.field(&g.text);
                digest.optional(g.complainant.handle.as_deref());
                digest.optional(g.complainant.name.as_deref());
                digest.optional(g.complainant.contact.as_deref());
                digest.optional(g.category.as_ref().map(CategoryPath::as_str));
                digest.optional(g.place.as_ref().map(PlacePath::as_str));
                match g.coordinates {
                    Some(point) => {
                        digest.0.update([1]);
                        digest.0.update(point.latitude().to_be_bytes());
                        digest.0.update(point.longitude().to_be_bytes());
                    }
                    None => digest.0.update([0]),
                }
                digest.list(&g.media);
                digest.optional(g.conversation.as_deref());
            }
            Self::Statement(statement) => {
                digest.0.update(b"nivaran statement 1\0");
                digest.field(&statement.text);
                digest.list(&statement.evidence);
            }
        }
        Commitment(digest.0.finalize().into())
    }
}

struct Fields(Sha256);

impl Fields {
    fn field(&mut self, text: &str) {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
    }

    fn optional(&mut self, text: Option<&str>) {
        match text {
            Some(text) => {
                self.0.update([1]);
                self.field(text);
            }
            None => self.0.update([0]),
        }
    }

    fn list(&mut self, texts: &[String]) {
        self.0.update((texts.len() as u64).to_be_bytes());
        texts.iter().for_each(|text| self.field(text));
    }
}

/// A personal record with its salt, and the commitment that an entry holds for it.
#[derive(Debug, Clone, PartialEq)]
pub struct SaltedRecord {
    salt: Salt,
    record: Personal,
    commitment: Commitment,
}

impl SaltedRecord {
    /// Reads back a record whose commitment stands in the journal: it is not computed again.
    #[must_use]
    pub fn kept(salt: Salt, record: Personal, commitment: Commitment) -> Self {
        Self { salt, record, commitment }
    }

    /// Whether salt and record are what the commitment was made of.
    #[must_use]
    pub fn is_genuine(&self) -> bool {
        self.record.commitment(&self.salt) == self.commitment
    }

    /// Puts a record and its salt together.
    #[must_use]
    pub fn new(salt: Salt, record: Personal) -> Self {
        let commitment = record.commitment(&salt);
        Self { salt, record, commitment }
    }

    /// The random bytes that are erased with the record.
    #[must_use]
    pub fn salt(&self) -> &Salt {
        &self.salt
    }

    /// The record.
    #[must_use]
    pub fn record(&self) -> &Personal {
        &self.record
    }

    /// The record alone.
    #[must_use]
    pub fn into_record(self) -> Personal {
        self.record
    }

    /// The digest that the journal holds for it.
    #[must_use]
    pub fn commitment(&self) -> Commitment {
        self.commitment
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grievance::Channel;

    fn statement(text: &str) -> Personal {
        Personal::Statement(Statement::new(text).unwrap())
    }

    #[test]
    fn a_commitment_depends_on_record_and_salt() {
        let (one, other) = (Salt([1; 32]), Salt([2; 32]));
        let commitment = statement("done").commitment(&one);
        assert_eq!(commitment, statement("done").commitment(&one));
        assert_ne!(commitment, statement("done.").commitment(&one));
        assert_ne!(commitment, statement("done").commitment(&other));
    }

    #[test]
    fn fields_cannot_be_shifted_into_one_another() {
        let grievance = |handle: Option<&str>, name: Option<&str>| {
            let source = Source::new(Channel::X, "1").unwrap();
            let complainant = Complainant { handle: handle.map(Into::into), name: name.map(Into::into), contact: None };
            let built = Grievance::builder(source, "text").complainant(complainant).build().unwrap();
            Personal::Grievance(built.into()).commitment(&Salt([0; 32]))
        };
        assert_ne!(grievance(Some("a"), None), grievance(None, Some("a")));
    }

    #[test]
    fn references_differ_by_key_channel_and_kind() {
        let (key, other) = (InstallationKey::new(&[1; 32]), InstallationKey::new(&[2; 32]));
        let x = Source::new(Channel::X, "7").unwrap();
        let facebook = Source::new(Channel::Facebook, "7").unwrap();
        assert_eq!(key.source(&x), key.source(&x));
        assert_ne!(key.source(&x), key.source(&facebook));
        assert_ne!(key.source(&x), other.source(&x));
        assert_ne!(key.source(&x).0, key.author(&Author::new(Channel::X, "7")).0);
    }

    #[test]
    fn a_digest_reads_back_from_hex_and_nothing_else_does() {
        let key = InstallationKey::new(&[1; 32]).source(&Source::new(Channel::X, "7").unwrap());
        assert_eq!(SourceKey::try_from(key.to_string()).unwrap(), key);
        for bad in ["", "00", "zz000000000000000000000000000000", "+1000000000000000000000000000000"] {
            assert!(SourceKey::try_from(bad.to_string()).is_err(), "{bad}");
        }
    }
}
