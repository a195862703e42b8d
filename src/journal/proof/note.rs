//! A text that is signed by one or more keys, in the form of a C2SP signed note.
//!
//! ```text
//! the text, one or more lines
//!
//! — <name of the key> <base64 of the key's id and the signature>
//! ```
//!
//! Source: <https://c2sp.org/signed-note>.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::key::{JournalName, KeyId, VerifierKey};

/// The longest note, in bytes.
pub const MAX_NOTE: usize = 1 << 20;
/// The most signatures of a note. The source asks that at least 16 are taken.
pub const MAX_SIGNATURES: usize = 100;

/// A text with its signatures. Until [`open`](Self::open) it is anyone's word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<NoteSignature>,
}

/// One signature of a note: by which key, and its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteSignature {
    journal: JournalName,
    id: KeyId,
    bytes: Vec<u8>,
}

impl NoteSignature {
    pub(super) fn new(journal: JournalName, id: KeyId, bytes: Vec<u8>) -> Self {
        Self { journal, id, bytes }
    }

    /// The name of the key.
    #[must_use]
    pub fn journal(&self) -> &JournalName {
        &self.journal
    }

    /// The id of the key.
    #[must_use]
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The signature itself; 64 bytes for a key of this crate, any number for another's.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn is_by(&self, key: &VerifierKey) -> bool {
        self.journal == *key.journal() && self.id == key.id()
    }
}

impl Note {
    /// Puts a text and its signatures together.
    ///
    /// # Errors
    /// [`NoteError`] when the text is none of a note, or there are no signatures or too many.
    pub fn new(text: impl Into<String>, signatures: Vec<NoteSignature>) -> Result<Self, NoteError> {
        let note = Self { text: text.into(), signatures };
        let written = note.to_string();
        let lines = written.lines().count();
        // What it would be read back as: the text may not end in such a way that it would be cut elsewhere.
        match written.parse() {
            Ok(read) if note == read => Ok(note),
            Ok(_) => Err(NoteError::NoText { line: lines }),
            Err(error) => Err(error),
        }
    }

    /// The text, whether or not it is signed by anyone who is known.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures.
    #[must_use]
    pub fn signatures(&self) -> &[NoteSignature] {
        &self.signatures
    }

    /// The text, when one of these keys has signed it. Signatures of other keys are passed over, so that a key can be
    /// changed and others can sign too.
    ///
    /// # Errors
    /// [`Unsigned`] when none of these keys has signed it, or the signature of one of them is wrong.
    pub fn open<'k>(&self, keys: impl IntoIterator<Item = &'k VerifierKey>) -> Result<&str, Unsigned> {
        let mut found = Err(Unsigned::ByNobodyKnown);
        let mut wrong = None;
        for key in keys {
            for signature in self.signatures.iter().filter(|signature| signature.is_by(key)) {
                if key.has_signed(&self.text, &signature.bytes) {
                    found = Ok(self.text());
                } else {
                    wrong = Some(Unsigned::Wrong { journal: key.journal().clone(), id: key.id() });
                }
            }
        }
        wrong.map_or(found, Err)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        for NoteSignature { journal, id, bytes } in &self.signatures {
            let bytes: Vec<u8> = id.0.iter().chain(bytes).copied().collect();
            writeln!(f, "— {journal} {}", STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > MAX_NOTE {
            return Err(NoteError::TooLong);
        }
        if let Some(line) = note.split('\n').position(|line| line.contains(|c| c < ' ')) {
            return Err(NoteError::Control { line: line + 1 });
        }
        let end = note.rfind("\n\n").ok_or(NoteError::NoSignatures)? + 1;
        let (text, lines) = (&note[..end], &note[end + 1..]);
        let first = text.matches('\n').count() + 2;
        if text == "\n" {
            return Err(NoteError::NoText { line: 1 });
        }
        let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
        let mut signatures = Vec::new();
        for (line, signature) in (first..).zip(lines.split('\n')) {
            if signatures.len() == MAX_SIGNATURES {
                return Err(NoteError::TooMany);
            }
            signatures.push(read(signature).ok_or(NoteError::Signature { line })?);
        }
        Ok(Self { text: text.to_owned(), signatures })
    }
}

/// Why a text is no signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoteError {
    /// It is longer than any note.
    #[error("a note has at most {MAX_NOTE} bytes; give the note alone")]
    TooLong,
    /// A control character.
    #[error("there is a control character in line {line} of the note; copy it as it was published")]
    Control {
        /// The line, counted from 1.
        line: usize,
    },
    /// The text is missing, or is not where it should be.
    #[error("line {line} of the note is not where its text can end; the text has at least one line, and a line's end")]
    NoText {
        /// The line, counted from 1.
        line: usize,
    },
    /// There are no lines of signatures after an empty line.
    #[error("the note does not end with an empty line and whole lines of signatures; copy it to its end")]
    NoSignatures,
    /// A line that is no signature.
    #[error(
        "line {line} of the note is no signature; it should be a long dash, a name and base64, with blanks between"
    )]
    Signature {
        /// The line, counted from 1.
        line: usize,
    },
    /// More signatures than anyone should check.
    #[error("a note has at most {MAX_SIGNATURES} signatures; leave out those of others")]
    TooMany,
}

/// Why a note's text is not to be relied on.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsigned {
    /// None of the keys that were given has signed it.
    #[error(
        "none of the known keys has signed the note; get the verifier key of its day, from elsewhere than the note"
    )]
    ByNobodyKnown,
    /// A signature that names one of the keys is not that key's.
    #[error("the signature of key {journal}+{id} is not over this text; the note was altered or forged")]
    Wrong {
        /// The name of the key.
        journal: JournalName,
        /// Its id.
        id: KeyId,
    },
}

/// One line `— <name> <base64>`.
fn read(line: &str) -> Option<NoteSignature> {
    let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, bytes) = bytes.split_first_chunk::<4>()?;
    let signature = NoteSignature { journal: JournalName::new(name).ok()?, id: KeyId(*id), bytes: bytes.to_vec() };
    (!signature.bytes.is_empty()).then_some(signature)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::key::SigningKey;
    use super::*;

    /// The example of golang.org/x/mod/sumdb/note.
    const SECRET: &str = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz";
    const TEXT: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n";
    const SIGNATURE: &str = "— PeterNeumann \
        x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn peter() -> SigningKey {
        SECRET.parse().unwrap()
    }

    fn enoch() -> SigningKey {
        SigningKey::from_seed(JournalName::new("EnochRoot").unwrap(), &[9; 32])
    }

    #[test]
    fn the_published_note_comes_out_and_opens() {
        let published = format!("{TEXT}\n{SIGNATURE}");
        let note = Note::new(TEXT, vec![peter().sign(TEXT)]).unwrap();
        assert_eq!(note.to_string(), published);
        assert_eq!(published.parse::<Note>().unwrap().open([peter().verifier()]), Ok(TEXT));
    }

    #[test]
    fn who_is_not_known_is_passed_over_and_who_is_has_to_be_right() {
        let (peter, enoch) = (peter(), enoch());
        let both = Note::new(TEXT, vec![enoch.sign(TEXT), peter.sign(TEXT)]).unwrap();
        for keys in [vec![&peter], vec![&enoch], vec![&peter, &enoch]] {
            assert_eq!(both.open(keys.into_iter().map(SigningKey::verifier)), Ok(TEXT));
        }
        assert_eq!(both.open([]), Err(Unsigned::ByNobodyKnown));
        // The same name with another key is another key.
        let again = SigningKey::from_seed(peter.verifier().journal().clone(), &[1; 32]);
        assert_eq!(both.open([again.verifier()]), Err(Unsigned::ByNobodyKnown));
        let wrong = Note::new(TEXT, vec![enoch.sign("another text\n"), peter.sign(TEXT)]).unwrap();
        assert_eq!(wrong.open([peter.verifier()]), Ok(TEXT));
        let refused = Unsigned::Wrong { journal: enoch.verifier().journal().clone(), id: enoch.verifier().id() };
        for keys in [[enoch.verifier(), peter.verifier()], [peter.verifier(), enoch.verifier()]] {
            assert_eq!(wrong.open(keys), Err(refused.clone()));
        }
    }

    #[test]
    fn a_text_with_empty_lines_is_cut_at_the_last_of_them() {
        let text = "one\n\ntwo\n\n";
        let note = Note::new(text, vec![peter().sign(text)]).unwrap();
        let read: Note = note.to_string().parse().unwrap();
        assert_eq!(read.open([peter().verifier()]), Ok(text));
    }

    #[test]
    fn what_is_no_note_is_told_with_its_line() {
        let whole = format!("{TEXT}\n{SIGNATURE}");
        let cases = [
            (String::new(), NoteError::NoSignatures),
            (TEXT.to_owned(), NoteError::NoSignatures),
            (format!("{TEXT}\n"), NoteError::NoSignatures),
            (format!("\n\n{SIGNATURE}"), NoteError::NoText { line: 1 }),
            (whole.trim_end().to_owned(), NoteError::NoSignatures),
            (whole.replace("your", "your\r"), NoteError::Control { line: 1 }),
            (whole.replace("is.", "is\t"), NoteError::Control { line: 2 }),
            (whole.replace("— ", "- "), NoteError::Signature { line: 4 }),
            (format!("{whole}more\n"), NoteError::Signature { line: 5 }),
            (format!("{TEXT}\n— PeterNeumann x08gow==\n"), NoteError::Signature { line: 4 }),
            (format!("{TEXT}\n{}", SIGNATURE.repeat(101)), NoteError::TooMany),
            ("x".repeat(MAX_NOTE + 1), NoteError::TooLong),
        ];
        for (text, error) in cases {
            assert_eq!(text.parse::<Note>(), Err(error), "{text:.80}");
        }
        assert!(format!("{TEXT}\n{}", SIGNATURE.repeat(100)).parse::<Note>().is_ok());
        for text in ["", "no end", "\n"] {
            assert!(Note::new(text, vec![peter().sign(text)]).is_err(), "{text:?}");
        }
        assert_eq!(Note::new(TEXT, vec![]), Err(NoteError::NoSignatures));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in "(.{0,20}\n){0,4}\n?(— [a-z +]{0,9} [A-Za-z0-9+/=]{0,20}\n){0,3}|.{0,60}") {
            if let Ok(note) = text.parse::<Note>() {
                prop_assert_eq!(note.to_string(), text);
                prop_assert!(note.open([peter().verifier()]).is_err());
            }
        }

        #[test]
        fn no_flipped_bit_is_signed(at in any::<prop::sample::Index>(), bit in 0..8) {
            let mut bytes = format!("{TEXT}\n{SIGNATURE}").into_bytes();
            *at.get_mut(&mut bytes) ^= 1_u8 << bit;
            let note = String::from_utf8(bytes).ok().and_then(|text| text.parse::<Note>().ok());
            prop_assert!(note.is_none_or(|note| note.open([peter().verifier()]).is_err()));
        }
    }
}
