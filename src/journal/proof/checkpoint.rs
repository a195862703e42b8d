//! A checkpoint: what a journal came to at one time, in a form that can be signed and published.
//!
//! ```text
//! grievances.haryana.gov.in/journal                            the journal's name
//! 20852163                                                     how many entries
//! CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=                 the root over them
//! tickets 4711 q5Iz3N4X1cGJ2DRDOOmXkUOAOVRyhuS8J0z2YtvpcZ0=    the highest ticket number, the root over the heads
//! time 2026-01-31T18:30:00Z                                    when
//! ```
//!
//! The last two are what the form calls extension lines. Its authors advise against them, since those who watch many
//! logs do not know what they mean: such a watcher can check that the journal only grew, and no more.
//!
//! Source: <https://c2sp.org/tlog-checkpoint>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::key::{JournalName, SigningKey, VerifierKey};
use super::note::{Note, NoteError, Unsigned};
use super::tree::{MOST_LEAVES, TreeHash, TreeHead};

/// What a journal came to at one time. It is worth as much as the signature that it came with ([`open`](Self::open)).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    journal: JournalName,
    entries: TreeHead,
    tickets: TreeHead,
    at: Timestamp,
}

impl Checkpoint {
    pub(super) fn new(journal: JournalName, entries: TreeHead, tickets: TreeHead, at: Timestamp) -> Self {
        Self { journal, entries, tickets, at }
    }

    /// The journal's name.
    #[must_use]
    pub fn journal(&self) -> &JournalName {
        &self.journal
    }

    /// The tree of all entries.
    #[must_use]
    pub fn entries(&self) -> TreeHead {
        self.entries
    }

    /// The tree of the tickets' heads; its size is the highest running number.
    #[must_use]
    pub fn tickets(&self) -> TreeHead {
        self.tickets
    }

    /// When it was made, by the word of who signed it.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Signs it: with one key, or while a key is being changed with the old and the new one.
    ///
    /// Who signs two checkpoints that do not follow from one another has proved against themselves that they changed
    /// the journal. So audit the journal against all earlier ones before.
    ///
    /// # Errors
    /// [`SignError`] when there is no key, or one of another journal.
    pub fn sign<'k>(&self, keys: impl IntoIterator<Item = &'k SigningKey>) -> Result<Note, SignError> {
        let text = self.to_string();
        let mut signatures = Vec::new();
        for key in keys {
            if *key.verifier().journal() != self.journal {
                return Err(SignError::OtherJournal {
                    key: key.verifier().journal().clone(),
                    journal: self.journal.clone(),
                });
            }
            signatures.push(key.sign(&text));
        }
        Ok(Note::new(text, signatures)?)
    }

    /// Reads a published checkpoint that one of these keys has signed.
    ///
    /// # Errors
    /// [`OpenError`] when it is no signed note, is not signed by one of these keys under the journal's name, or says
    /// something else than a checkpoint does.
    pub fn open<'k>(note: &str, keys: impl IntoIterator<Item = &'k VerifierKey>) -> Result<Self, OpenError> {
        let note: Note = note.parse()?;
        let keys: Vec<&VerifierKey> = keys.into_iter().collect();
        let checkpoint: Self = note.open(keys.iter().copied())?.parse()?;
        let own = keys.iter().copied().filter(|key| *key.journal() == checkpoint.journal);
        match note.open(own) {
            Ok(_) => Ok(checkpoint),
            Err(_) => Err(OpenError::OtherJournal { journal: checkpoint.journal }),
        }
    }
}

/// The text that is signed, to the end of its last line.
impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = |head: &TreeHead| STANDARD.encode(head.root.as_bytes());
        writeln!(f, "{}\n{}\n{}", self.journal, self.entries.size, root(&self.entries))?;
        writeln!(f, "tickets {} {}\ntime {}", self.tickets.size, root(&self.tickets), self.at)
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    /// Reads the text without its signatures, which says nothing of whether it was ever signed.
    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.split_inclusive('\n').map(|line| line.strip_suffix('\n'));
        let mut next = |line, what| lines.next().flatten().ok_or(CheckpointError { line, what });
        let wrong = |line, what| CheckpointError { line, what };
        let journal = JournalName::new(next(1, NAME)?).map_err(|_| wrong(1, NAME))?;
        let size = size(next(2, SIZE)?).ok_or(wrong(2, SIZE))?;
        let entries = TreeHead { size, root: root(next(3, ROOT)?).ok_or(wrong(3, ROOT))? };
        let tickets = tickets(next(4, TICKETS)?).ok_or(wrong(4, TICKETS))?;
        let at = time(next(5, TIME)?).ok_or(wrong(5, TIME))?;
        if lines.next().is_some() {
            return Err(wrong(6, END));
        }
        Ok(Self { journal, entries, tickets, at })
    }
}

const NAME: &str = "the journal's name";
const SIZE: &str = "the number of entries, in digits and without a leading zero";
const ROOT: &str = "the root over the entries, 32 bytes in base64";
const TICKETS: &str = "'tickets', the highest number and the root over the heads, with one blank between";
const TIME: &str = "'time' and an RFC 3339 time in UTC, as short as it can be written";
const END: &str = "the end; a later version of this crate may know what stands here";

/// A text that is no checkpoint of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the checkpoint should be {what}")]
pub struct CheckpointError {
    line: usize,
    what: &'static str,
}

/// Why a published checkpoint is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// It has not the form of a signed note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// It is not signed by a known key, or wrongly.
    #[error(transparent)]
    Unsigned(#[from] Unsigned),
    /// What is signed is no checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// It is signed, but by a key of another journal.
    #[error(
        "the checkpoint is of {journal}, and a key of another journal has signed it; give the keys of that journal"
    )]
    OtherJournal {
        /// Of which journal it is.
        journal: JournalName,
    },
}

/// Why a checkpoint was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key is of another journal.
    #[error("the key is one of {key}, and the checkpoint is of {journal}; sign it with that journal's key")]
    OtherJournal {
        /// The key's name.
        key: JournalName,
        /// The checkpoint's.
        journal: JournalName,
    },
    /// No keys, or too many.
    #[error(transparent)]
    Note(#[from] NoteError),
}

fn size(text: &str) -> Option<u64> {
    let size: u64 = text.parse().ok()?;
    (size <= MOST_LEAVES && size.to_string() == text).then_some(size)
}

fn root(text: &str) -> Option<TreeHash> {
    TreeHash::from_bytes(&STANDARD.decode(text).ok()?)
}

fn tickets(line: &str) -> Option<TreeHead> {
    let (count, over) = line.strip_prefix("tickets ")?.split_once(' ')?;
    Some(TreeHead { size: size(count)?, root: root(over)? })
}

fn time(line: &str) -> Option<Timestamp> {
    let text = line.strip_prefix("time ")?;
    let at: Timestamp = text.parse().ok()?;
    (at.to_string() == text).then_some(at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journal() -> JournalName {
        JournalName::new("example.com/behind-the-sofa").unwrap()
    }

    fn checkpoint() -> Checkpoint {
        let tickets = TreeHead { size: 4711, root: TreeHash([7; 32]) };
        Checkpoint {
            journal: journal(),
            // Size and root are those of the example of the source.
            entries: TreeHead { size: 20_852_163, root: root("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=").unwrap() },
            tickets,
            at: "2026-01-31T18:30:00Z".parse().unwrap(),
        }
    }

    #[test]
    fn the_text_is_that_of_the_source_with_two_lines_more() {
        let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\
            tickets 4711 BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=\ntime 2026-01-31T18:30:00Z\n";
        assert_eq!(checkpoint().to_string(), text);
        assert_eq!(text.parse(), Ok(checkpoint()));
    }

    #[test]
    fn a_key_is_changed_by_signing_with_both_for_a_while() {
        let (old, new) = (SigningKey::from_seed(journal(), &[1; 32]), SigningKey::from_seed(journal(), &[2; 32]));
        let before = checkpoint().sign([&old]).unwrap().to_string();
        let meanwhile = checkpoint().sign([&old, &new]).unwrap().to_string();
        let after = checkpoint().sign([&new]).unwrap().to_string();
        let open = |note: &str, keys: &[&SigningKey]| Checkpoint::open(note, keys.iter().map(|key| key.verifier()));
        assert_eq!(open(&before, &[&old]), Ok(checkpoint()));
        assert_eq!((open(&meanwhile, &[&old]), open(&meanwhile, &[&new])), (Ok(checkpoint()), Ok(checkpoint())));
        assert_eq!(open(&after, &[&old]), Err(OpenError::Unsigned(Unsigned::ByNobodyKnown)));
        for note in [&before, &meanwhile, &after] {
            assert_eq!(open(note, &[&old, &new]), Ok(checkpoint()));
        }
    }

    #[test]
    fn a_key_of_another_journal_does_not_vouch_for_this_one() {
        let other = SigningKey::from_seed(JournalName::new("example.com/other").unwrap(), &[1; 32]);
        assert!(matches!(checkpoint().sign([&other]), Err(SignError::OtherJournal { .. })));
        assert_eq!(checkpoint().sign([]), Err(SignError::Note(NoteError::NoSignatures)));
        let text = checkpoint().to_string();
        let note = Note::new(text.clone(), vec![other.sign(&text)]).unwrap().to_string();
        let refused = Err(OpenError::OtherJournal { journal: journal() });
        assert_eq!(Checkpoint::open(&note, [other.verifier()]), refused);
    }

    #[test]
    fn a_line_that_is_written_in_another_way_is_none() {
        let whole = checkpoint().to_string();
        for (line, from, to) in [
            (1, "example.com", "example com"),
            (2, "20852163", "020852163"),
            (2, "20852163", "+20852163"),
            (2, "20852163", "281474976710657"),
            (3, "q2I=", "q2J="),
            (3, "q2I=", "q2I"),
            (4, "tickets 4711", "tickets  4711"),
            (4, "tickets", "Tickets"),
            (5, "2026-01-31T18:30:00Z", "2026-02-01T00:00:00+05:30"),
            (5, "30:00Z", "30:00.000Z"),
            (5, "Z\n", "Z"),
            (6, "Z\n", "Z\nmore\n"),
        ] {
            let altered = whole.replacen(from, to, 1);
            assert_eq!(altered.parse::<Checkpoint>().map_err(|error| error.line), Err(line), "{altered}");
        }
    }

    proptest! {
        #[test]
        fn no_flipped_bit_is_signed(at in any::<prop::sample::Index>(), bit in 0..8) {
            let key = SigningKey::from_seed(journal(), &[1; 32]);
            let mut bytes = checkpoint().sign([&key]).unwrap().to_string().into_bytes();
            *at.get_mut(&mut bytes) ^= 1_u8 << bit;
            let open = |text: String| Checkpoint::open(&text, [key.verifier()]).is_ok();
            prop_assert!(!String::from_utf8(bytes).is_ok_and(open));
        }

        #[test]
        fn what_reads_is_written_the_same(lines in prop::collection::vec(prop_oneof![
            Just("example.com/log".to_owned()), Just("0".to_owned()), Just("12".to_owned()),
            any::<[u8; 32]>().prop_map(|root| STANDARD.encode(root)),
            any::<[u8; 32]>().prop_map(|root| format!("tickets 3 {}", STANDARD.encode(root))),
            Just("time 2026-01-31T18:30:00.5Z".to_owned()), ".{0,12}",
        ], 0..7)) {
            let text: String = lines.into_iter().flat_map(|line| [line, "\n".to_owned()]).collect();
            if let Ok(checkpoint) = text.parse::<Checkpoint>() {
                prop_assert_eq!(checkpoint.to_string(), text);
            }
        }
    }
}
