//! Proof that the journal is as it was written, for those who keep it and for those who have no access to it.
//!
//! # What is proved, and to whom
//! | who | has | knows then |
//! |---|---|---|
//! | who keeps the journal | the file | that no entry was altered, removed or slipped in, or which is the first; but for what only a checkpoint tells ([`Auditor`]) |
//! | the same | the file, and checkpoints kept elsewhere | the same without exception, up to the last checkpoint |
//! | anyone | a checkpoint, and the proof of a ticket | what happened to the ticket, in full, and that nothing was left out; or that no ticket has that number ([`TicketProof`]) |
//! | anyone | two checkpoints, and the proof of growth | that all entries of the older are in the newer, unchanged and in the same places ([`GrowthProof`]) |
//!
//! # How
//! ```text
//!                                      checkpoint, signed, one a day
//!                          ┌───────────────────────┴───────────────────────┐
//!                 root over the entries                          root over the heads
//!                  ┌───────┴───────┐                              ┌────────┴────────┐
//!              ┌───┴───┐       ┌───┴───┐                      ┌───┴───┐             │
//!  leaf        0       1       2       3    …                 0       1             2    …
//!  is       SHA-256 of the entry at this position        "0000-0013 3 <hash>"    "unused"
//!  of       (entry of 1, of 2, of 1, of 1)                ticket 1: 3 entries,   number 3 was
//!                                                         hash of the last       never used
//! ```
//! An entry is a text, and its hash the SHA-256 of that. It holds the hash of its ticket's entry before it. All hashes,
//! in the journal's order, are the leaves of one tree. The leaves of the other are the tickets' heads ([`Head`]), that of
//! ticket number `n` at place `n - 1`, so that no ticket has two; numbers that were never used have a leaf that says so
//! ([`UNUSED`]). Both are trees as in Certificate Transparency, so that what is here can be checked by other programs.
//!
//! The proof of a ticket leads from each of its entries to the first root, and from its head to the second. The head says
//! how many entries there are and which is the last, that one holds the hash of the one before it, and so on to the first.
//!
//! ```
//! use nivaran::journal::proof::{Auditor, Checkpoint, JournalName, Proved, Prover, SigningKey, TicketProof};
//! use nivaran::journal::{Position, proof::WrittenEntry, seal};
//! # use nivaran::journal::{Entry, Format, TicketEntry};
//! # use nivaran::grievance::{Confidentiality, Filing};
//! # use nivaran::ticket::{By, Origin};
//! # use nivaran::{Channel, InstallationKey, Source, TicketEvent, TicketId, Version};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let ticket = TicketId::from_number(1).ok_or("no number")?;
//! # let filing = Filing {
//! #     channel: Channel::X,
//! #     source: InstallationKey::new(&[1; 32]).source(&Source::new(Channel::X, "1547830221")?),
//! #     post: None,
//! #     author: None,
//! #     category: None,
//! #     place: None,
//! #     posted_at: "2026-01-30T06:00:00Z".parse()?,
//! #     language: None,
//! #     against: None,
//! #     confidentiality: Confidentiality::default(),
//! # };
//! # let entry = |version, event| -> Result<Entry, Box<dyn std::error::Error>> {
//! #     let (at, table) = ("2026-01-30T06:30:00Z".parse()?, "0123456789abcdef".to_owned().try_into()?);
//! #     let (by, events, version) = (By::System, vec![event], Version(version));
//! #     let entry = TicketEntry {
//! #         format: Format, ticket, version, at, by, action: None, request: None, table, events, personal: None,
//! #     };
//! #     Ok(Entry::Ticket(entry))
//! # };
//! # let received = TicketEvent::Received { ticket, filing: filing.into(), origin: Origin::Submitted };
//! # let (received, acknowledged) = (entry(1, received)?, entry(2, TicketEvent::Acknowledged)?);
//! // What a store holds: the text of each entry, and its hash.
//! let first = seal(&received, None)?;
//! let second = seal(&acknowledged, Some(first.hash))?;
//! let rows: Vec<WrittenEntry> = (0..)
//!     .zip([&first, &second])
//!     .map(|(position, row)| WrittenEntry { position: Position(position), hash: row.hash, text: &row.text })
//!     .collect();
//!
//! // The government, once a day: reads all of it, signs what it comes to, and publishes that.
//! let name = JournalName::new("grievances.example.gov.in/journal")?;
//! let key = SigningKey::from_seed(name.clone(), &[7; 32]); // in earnest: 32 random bytes
//! let mut auditor = Auditor::new([]); // in earnest: with all checkpoints that were published so far
//! rows.iter().try_for_each(|row| auditor.take(*row))?;
//! let checkpoint = auditor.audit()?.checkpoint(name, "2026-01-30T18:30:00Z".parse()?);
//! let published: String = checkpoint.sign([&key])?.to_string();
//!
//! // For whoever asks what became of a ticket:
//! let mut prover = Prover::new([checkpoint]);
//! rows.iter().try_for_each(|row| prover.take(*row))?;
//! let handed_out: String = prover.ticket(ticket, rows)?.to_string();
//!
//! // They have that, the checkpoint from where it was published, and the verifier key; and nothing else.
//! let checkpoint = Checkpoint::open(&published, [key.verifier()])?;
//! let Proved::History(history) = handed_out.parse::<TicketProof>()?.check(&checkpoint)? else { return Ok(()) };
//! assert_eq!(history.len(), 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Who can write to the file
//! …and has not the signing key, **can**
//! - alter anything behind the last checkpoint and make hashes and links fit. Nobody will know. So make one a day at least,
//!   and publish it at once;
//! - take the whole file away, or put back an older copy of it. It is then shorter than the last checkpoint, and the
//!   audit says so; what was lost is lost, so keep backups where they cannot reach them;
//! - take away personal records, which stand beside the journal and may be erased. That they were, an entry tells if it was
//!   done in order. They cannot alter one: its entry holds a commitment to it.
//!
//! They **cannot**, without being found by whoever holds the file against a checkpoint,
//! - alter, remove, slip in or move an entry that stands before it, nor its date, nor who decided;
//! - give a ticket another history than others are shown, or two, or none.
//!
//! Who has the **signing key as well** can sign a journal that never was. Against that helps only that others have earlier
//! checkpoints: from them no proof of growth leads to the false one. Two signed checkpoints that do not follow from one
//! another are themselves the proof that something was changed.
//!
//! # The signing key
//! **Where it lives.** Not on the machine with the file, if that can be: the audit answers what is to be signed, some
//! lines of text ([`Checkpoint`]'s [`Display`](std::fmt::Display)), and a machine or a person elsewhere signs them. A
//! hardware module that does Ed25519 does, too: give it the text, and its signature to [`VerifierKey::signature`] and
//! [`Note::new`]. If the key has to be a file, let it belong to a user that the engine does not run as, readable for
//! that one alone (mode 0400), and not in the backup of the journal: whoever restores one would have both. This crate
//! never reads or writes a key by itself, and makes none: 32 bytes from the system's random source are the seed
//! ([`SigningKey::from_seed`]), [`SigningKey::secret_text`] is what to keep.
//!
//! **How others know the verifier key.** From elsewhere than the checkpoints: a gazette, the tender, a page of another
//! office. A key that comes along with what it signs shows nothing.
//!
//! **How it is changed.** 1. Make the new key, under the same name. 2. Publish its verifier key, in the same places, and
//! in a text that the old key signs. 3. Sign with both for a while ([`Checkpoint::sign`] takes several), at least until
//! those who check have the new one; each passes over the signature that they do not know. 4. Sign with the new one
//! alone, and destroy the old. Its verifier key stays published, for the checkpoints of its time. **If it was stolen**,
//! skip 3: publish from which checkpoint on it does not count, best as the new key's signature under the last good one.
//!
//! # One checkpoint a day
//! In the quiet of the night: audit the journal against *all* earlier checkpoints, sign, publish. Publish where it cannot
//! be taken back: with a newspaper or gazette, at a court or an auditor general, by e-mail to whoever wants it, in a
//! public repository that others copy, at a witness of transparency logs. Keep all of them. Who watches asks each
//! time for the proof of growth from the last one that they have. The time in it is the signer's word; that it was
//! published says that it is not younger.
//!
//! The extension lines (tickets and time) are signed, but those who watch many logs do not know them. The form advises
//! against such lines for that reason, and a witness that signs by ML-DSA-44 leaves them out of what it signs.
//!
//! # What it does not prove
//! - That what was written was true, or that everything that happened was written.
//! - That the heads of a checkpoint are what its entries come to. Who has only a checkpoint and a proof relies for that on
//!   the signer; who has the file has checked it ([`Fault::OtherHeads`]). But a signer cannot show different people
//!   different histories for one checkpoint.
//! - That everybody has the same checkpoint. Compare with others, or have it from where all have it.
//! - What a citizen wrote. Its record is beside the journal; whoever is shown record and salt can check it against the
//!   entry's commitment ([`SaltedRecord::is_genuine`](crate::personal::SaltedRecord::is_genuine)) until it is erased.
//!
//! # What it costs
//! Measured for 1,000,000 entries of 550 bytes on one core of a small server: 3.2 s for the audit, of which 0.4 s is
//! hashing the texts and 2.7 s reading them; 0.3 s more with 365 checkpoints; 3.7 s for the prover, then 0.2 ms for the
//! proof of a ticket of 6 entries (15 KB) and 0.05 ms to check it. Memory: about 120 bytes for each ticket, and for the
//! prover 64 more for each entry.

mod auditor;
mod checkpoint;
mod growth;
mod heads;
mod history;
mod key;
mod note;
mod prover;
#[cfg(test)]
mod sample;
mod tree;

pub use auditor::{Audit, Auditor, Fault, Finding, WrittenEntry};
pub use checkpoint::{Checkpoint, CheckpointError, OpenError, SignError};
pub use growth::{GrowthError, GrowthProof};
pub use heads::{Head, UNUSED};
pub use history::{EntryFault, ProofError, Proved, TicketProof};
pub use key::{JournalName, KeyError, KeyId, MAX_NAME, SigningKey, VerifierKey};
pub use note::{MAX_NOTE, MAX_SIGNATURES, Note, NoteError, NoteSignature, Unsigned};
pub use prover::{ProveError, Prover};
pub use tree::{MOST_LEAVES, TreeHash, TreeHead};
