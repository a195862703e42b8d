//! An entry as it is written: one text, linked to the text before it by a hash.
//!
//! A durable store writes an entry as the JSON text that [`seal`] makes of it. Its hash is the SHA-256 of that text,
//! byte for byte as it stands in the store, so that anyone can compute it with any tool. An entry about a ticket has
//! the hash of the ticket's entry before it as its last field, `before`: whoever alters, takes away or slips in one
//! breaks the link of the next.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Entry, TicketEntry};
use crate::personal::digest;

digest! {
    /// The SHA-256 of an entry's text.
    EntryHash, 32;
}

impl EntryHash {
    /// The hash of an entry's text, as it stands in the store.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    pub(crate) fn of_bytes(text: &[u8]) -> Self {
        Self(Sha256::digest(text).into())
    }
}

/// An entry's text and its hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// The JSON text.
    pub text: String,
    /// Its hash.
    pub hash: EntryHash,
}

/// Writes an entry as text, linked to its ticket's entry before it. The first entry of a ticket and an entry about
/// none have no such link.
///
/// # Errors
/// [`Unwritable`] when it cannot be written as JSON, which no entry that this crate makes is.
pub fn seal(entry: &Entry, before: Option<EntryHash>) -> Result<Sealed, Unwritable> {
    let mut text = Vec::new();
    write_text(entry, &mut text)?;
    let text = String::from_utf8(text).map_err(|error| Unwritable { reason: error.to_string() })?;
    Ok(match before {
        Some(before) => link(&text, before),
        None => Sealed { hash: EntryHash::of(&text), text },
    })
}

/// Writes an entry's text, not linked yet, behind what stands there.
pub(crate) fn write_text(entry: &Entry, into: &mut Vec<u8>) -> Result<(), Unwritable> {
    serde_json::to_writer(into, entry).map_err(|error| Unwritable { reason: error.to_string() })
}

/// Links an entry's text to the one before it.
pub(crate) fn link(text: &str, before: EntryHash) -> Sealed {
    // An entry is an object with at least the field that says what it is.
    let open = text.strip_suffix('}').unwrap_or(text);
    let text = [open, r#","before":""#, &before.to_string(), r#""}"#].concat();
    Sealed { hash: EntryHash::of(&text), text }
}

/// Reads an entry back from its text.
///
/// # Errors
/// [`Unreadable`] when the text is no entry, or one in a form that this version does not know.
pub fn unseal(text: &str) -> Result<Entry, Unreadable> {
    let unreadable = |error: serde_json::Error| Unreadable { reason: reason(&error) };
    // Without looking for the kind first it goes twice as fast, and nearly all entries are about a ticket.
    if text.starts_with(r#"{"entry":"ticket","#) {
        return serde_json::from_str::<TicketEntry>(text).map(Entry::Ticket).map_err(unreadable);
    }
    serde_json::from_str(text).map_err(unreadable)
}

/// What links an entry's text to others, read without reading its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub struct Link {
    /// The ticket; `None` for an entry about none.
    #[serde(default)]
    pub ticket: Option<crate::ticket::TicketId>,
    /// Its place among the ticket's entries.
    #[serde(default)]
    pub version: Option<crate::ticket::Version>,
    /// The hash of the ticket's entry before it.
    #[serde(default)]
    pub before: Option<EntryHash>,
}

impl Link {
    /// Reads the link of an entry's text.
    ///
    /// # Errors
    /// [`Unreadable`] when the text is none of an entry.
    pub fn of(text: &str) -> Result<Self, Unreadable> {
        serde_json::from_str(text).map_err(|error| Unreadable { reason: reason(&error) })
    }
}

/// What is wrong and where, without repeating what stands there.
fn reason(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "it cannot be read",
        serde_json::error::Category::Syntax => "it is no JSON",
        serde_json::error::Category::Data => "it is no entry in a form that this version knows",
        serde_json::error::Category::Eof => "it breaks off",
    };
    format!("{kind} (column {})", error.column())
}

/// An entry that cannot be written as text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an entry cannot be written: {reason}")]
pub struct Unwritable {
    /// Why.
    pub reason: String,
}

/// A text that is no entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a text of the journal is no entry: {reason}; restore the journal from a backup")]
pub struct Unreadable {
    /// What is wrong and where; nothing of the text.
    pub reason: String,
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::code::OfficerId;
    use crate::journal::{Erased, Erasure, Format};
    use crate::personal::{AuthorKey, Commitment};
    use crate::ticket::{ActionKind, By, RequestId, TicketEvent, TicketId, Version};

    fn entry(version: u32) -> Entry {
        Entry::Ticket(TicketEntry {
            format: Format,
            ticket: TicketId::from_number(7).unwrap(),
            version: Version(version),
            at: "2022-07-14T06:30:00Z".parse().unwrap(),
            by: By::Officer(OfficerId::new("phe-je").unwrap()),
            action: Some(ActionKind::Acknowledge),
            request: Some(RequestId(1)),
            table: "0123456789abcdef".to_owned().try_into().unwrap(),
            events: vec![TicketEvent::Acknowledged],
            personal: Some(Commitment([3; 32])),
        })
    }

    #[test]
    fn an_entry_reads_back_from_its_text_with_and_without_a_link() {
        let first = seal(&entry(1), None).unwrap();
        let second = seal(&entry(2), Some(first.hash)).unwrap();
        assert_eq!((unseal(&first.text), unseal(&second.text)), (Ok(entry(1)), Ok(entry(2))));
        let link = Link::of(&second.text).unwrap();
        assert_eq!((link.version, link.before), (Some(Version(2)), Some(first.hash)));
        assert_eq!(Link::of(&first.text).unwrap().before, None);
    }

    #[test]
    fn the_text_is_what_a_person_would_read() {
        let first = seal(&entry(1), None).unwrap();
        let second = seal(&entry(2), Some(first.hash)).unwrap();
        assert!(second.text.starts_with(r#"{"entry":"ticket","v":1,"ticket":""#), "{}", second.text);
        assert!(second.text.ends_with(&format!(r#","before":"{}"}}"#, first.hash)), "{}", second.text);
    }

    #[test]
    fn an_entry_about_no_ticket_reads_back_and_has_no_link() {
        for of in [Erased::Author(AuthorKey([9; 16])), Erased::ClosedBefore(Timestamp::UNIX_EPOCH)] {
            let erased = Entry::Erased(Erasure { format: Format, of, at: Timestamp::UNIX_EPOCH, by: None });
            let sealed = seal(&erased, None).unwrap();
            assert_eq!(unseal(&sealed.text), Ok(erased));
            assert_eq!(Link::of(&sealed.text), Ok(Link { ticket: None, version: None, before: None }));
        }
    }

    #[test]
    fn what_is_no_entry_is_told_without_repeating_it() {
        let whole = seal(&entry(1), None).unwrap().text;
        let newer = whole.replace(r#""v":1"#, r#""v":2"#);
        for bad in ["", "Asha", "{}", r#"{"entry":"ticket","v":1,"ticket":"Asha"}"#, &whole[..100], &newer] {
            let error = unseal(bad).unwrap_err().to_string();
            assert!(error.contains("column") && !error.contains("Asha"), "{error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,80}", cut in 0..300_usize) {
            let whole = seal(&entry(1), None).unwrap().text;
            let cut = cut.min(whole.len());
            let _ = (unseal(&text), Link::of(&text), unseal(&format!("{}{text}", &whole[..cut])));
        }
    }
}
