//! Proof that the journal is as it was written, for those who keep it and for those who have no access to it.

mod key;
mod note;

pub use key::{JournalName, KeyError, KeyId, MAX_NAME, SigningKey, VerifierKey};
pub use note::{MAX_NOTE, MAX_SIGNATURES, Note, NoteError, NoteSignature, Unsigned};
