//! Making proofs: an audit that also keeps what proofs consist of.

use super::auditor::{Audit, Auditor, Finding, WrittenEntry};
use super::checkpoint::Checkpoint;
use super::growth::{Form as GrowthForm, GrowthProof};
use super::history::{Form as TicketForm, ProofError, ProvedEntry, TicketProof};
use super::tree::{Tree, leaf_hash};
use crate::ticket::TicketId;

/// Reads a journal in its order, as the [`Auditor`] does, and makes proofs. It keeps about 64 bytes for each entry
/// besides what the auditor keeps.
///
/// Proofs of tickets are for the entries so far: give it those of a published checkpoint and no more, and they can be
/// checked against that one. Proofs of growth are between any two sizes so far.
#[derive(Debug)]
pub struct Prover {
    auditor: Auditor,
    tree: Tree,
}

impl Prover {
    /// Begins with the first entry. As for [`Auditor::new`], the journal will be held against the checkpoints.
    #[must_use]
    pub fn new(checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        // Each leaf is set as soon as there is room for it.
        Self { auditor: Auditor::new(checkpoints), tree: Tree::new(leaf_hash(&[])) }
    }

    /// Takes the next entry as the store has it.
    ///
    /// # Errors
    /// The [`Finding`], as [`Auditor::take`] answers it.
    pub fn take(&mut self, row: WrittenEntry<'_>) -> Result<(), Finding> {
        self.auditor.take(row)?;
        let size = self.tree.size();
        self.tree.set(size + 1, &[(size, leaf_hash(row.hash.as_bytes()))]);
        Ok(())
    }

    /// What the entries so far come to: that of the checkpoint for which tickets are proved now.
    ///
    /// # Errors
    /// The [`Finding`], as [`Auditor::audit`] answers it.
    pub fn audit(&mut self) -> Result<Audit, Finding> {
        self.auditor.audit()
    }

    /// The proof of a ticket's history, for the entries so far; with no entries, that no ticket has this number.
    ///
    /// The entries are the ticket's, in their order, from its first; those that stand behind the ones so far are passed
    /// over.
    ///
    /// # Errors
    /// [`ProveError`] when the journal is not sound, or these are not the ticket's entries.
    pub fn ticket<'a>(
        &mut self,
        ticket: TicketId,
        entries: impl IntoIterator<Item = WrittenEntry<'a>>,
    ) -> Result<TicketProof, ProveError> {
        let audit = self.audit()?;
        let size = self.tree.size();
        let mut history = Vec::new();
        for entry in entries {
            if let Some(path) = self.tree.inclusion(entry.position.0, size) {
                history.push(ProvedEntry { position: entry.position, text: entry.text.to_owned(), path });
            }
        }
        let head = self.auditor.path(ticket).unwrap_or_default();
        let (entries, tickets) = (audit.entries.size, audit.tickets.size);
        let proof = TicketProof { proof: TicketForm::One, ticket, entries, tickets, history, head };
        // Nobody is given a proof that does not hold.
        proof.check_against(&audit.entries, &audit.tickets)?;
        Ok(proof)
    }

    /// The proof that the first `to` entries are the first `from` and more.
    ///
    /// # Errors
    /// [`ProveError`] when the journal is not sound, or these are not two sizes that it had, the smaller first.
    pub fn growth(&mut self, from: u64, to: u64) -> Result<GrowthProof, ProveError> {
        let size = self.audit()?.entries.size;
        let path = self.tree.growth(from, to).ok_or(ProveError::NoSuchSize { from, to, size })?;
        Ok(GrowthProof { proof: GrowthForm::One, from, to, path })
    }
}

/// Why there is no proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProveError {
    /// The journal is not sound.
    #[error(transparent)]
    Finding(#[from] Finding),
    /// These are not the ticket's entries.
    #[error("the entries that were given are not the ticket's history: {0}")]
    NotItsHistory(#[from] ProofError),
    /// The journal did not grow from the one size to the other.
    #[error(
        "there are {size} entries, so it did not grow from {from} to {to}; give two sizes it had, the smaller first"
    )]
    NoSuchSize {
        /// The size that was asked for as the older.
        from: u64,
        /// The size that was asked for as the newer.
        to: u64,
        /// How many entries there are.
        size: u64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::history::{EntryFault, Proved};
    use super::super::sample::{Row, checkpoint, entries, id, journal, rows, second};
    use super::super::{GrowthError, JournalName};
    use super::*;
    use crate::journal::{Link, Position, unseal};
    use crate::ticket::Version;

    fn prover(rows: &[Row]) -> Prover {
        let mut prover = Prover::new([]);
        rows.iter().for_each(|row| prover.take(row.written()).unwrap());
        prover
    }

    fn of(rows: &[Row], number: u64) -> impl Iterator<Item = WrittenEntry<'_>> {
        let is_its = move |row: &&Row| Link::of(&row.text).unwrap().ticket == Some(id(number));
        rows.iter().filter(is_its).map(Row::written)
    }

    fn prove(rows: &[Row], number: u64) -> TicketProof {
        prover(rows).ticket(id(number), of(rows, number)).unwrap()
    }

    /// Tickets 1 to 4, of which 3 was never used; position 3 is about none.
    fn sample() -> Vec<Row> {
        rows(&entries(&[1, 2, 1, 0, 4, 1, 2, 1, 4, 0]))
    }

    #[test]
    fn with_a_checkpoint_and_a_proof_the_history_is_known() {
        let rows = sample();
        let read: TicketProof = prove(&rows, 1).to_string().parse().unwrap();
        let Ok(Proved::History(history)) = read.check(&checkpoint(&rows, 10)) else { panic!() };
        assert_eq!(history.len(), 4);
        assert_eq!((read.ticket(), history[3].version), (id(1), Version(4)));
    }

    #[test]
    fn a_proof_is_made_for_a_checkpoint_of_the_past_too() {
        let rows = sample();
        let mut prover = prover(&rows[..6]);
        // The whole history is given, and what is younger than the checkpoint is left out.
        let proof = prover.ticket(id(1), of(&rows, 1)).unwrap();
        assert!(matches!(proof.check(&checkpoint(&rows, 6)), Ok(Proved::History(history)) if history.len() == 3));
        let refused = ProofError::OtherCheckpoint { proof: (6, 4), checkpoint: (10, 4) };
        assert_eq!(proof.check(&checkpoint(&rows, 10)), Err(refused));
    }

    #[test]
    fn that_there_is_no_ticket_is_proved_too() {
        let rows = sample();
        for number in [3, 5, 4_000] {
            assert_eq!(prove(&rows, number).check(&checkpoint(&rows, 10)), Ok(Proved::NoTicket));
        }
        let none = Prover::new([]).ticket(id(1), []).unwrap();
        assert_eq!(none.check(&checkpoint(&rows, 0)), Ok(Proved::NoTicket));
        // Nobody can say so of a ticket that there is.
        let mut denied = prove(&rows, 2);
        denied.history.clear();
        assert_eq!(denied.check(&checkpoint(&rows, 10)), Err(ProofError::NotUnused { ticket: id(2) }));
        denied.head.clear();
        assert_eq!(denied.check(&checkpoint(&rows, 10)), Err(ProofError::NotUnused { ticket: id(2) }));
    }

    #[test]
    fn each_step_that_can_fail_is_told() {
        let rows = sample();
        let at = checkpoint(&rows, 10);
        let whole = prove(&rows, 1);
        let fault = |version, what| Err(ProofError::Entry { version: Version(version), what });
        let broken = |change: &dyn Fn(&mut TicketProof)| {
            let mut proof = whole.clone();
            change(&mut proof);
            proof.check(&at)
        };
        let left_out = Err(ProofError::NotWhole { ticket: id(1), entries: Version(3) });
        assert_eq!(broken(&|proof| drop(proof.history.pop())), left_out);
        let out_of_turn = |found| EntryFault::OutOfTurn { found: Version(found) };
        assert_eq!(broken(&|proof| drop(proof.history.remove(1))), fault(2, out_of_turn(3)));
        assert_eq!(broken(&|proof| proof.history.swap(0, 1)), fault(1, out_of_turn(2)));
        let not_there = |position| EntryFault::NotInJournal { position: Position(position) };
        assert_eq!(broken(&|proof| proof.history[0].position = Position(1)), fault(1, not_there(1)));
        assert_eq!(broken(&|proof| proof.history[1].path.truncate(1)), fault(2, not_there(2)));
        assert_eq!(broken(&|proof| proof.history[2].position = Position(2)), fault(3, EntryFault::Backwards));
        assert_eq!(broken(&|proof| proof.history[3].text = rows[6].text.clone()), fault(4, EntryFault::OfAnother));
        assert_eq!(broken(&|proof| proof.history[0].text = rows[3].text.clone()), fault(1, EntryFault::OfAnother));
        let altered = rows[2].text.replacen("2022-04-15", "2022-04-16", 1);
        assert_eq!(broken(&|proof| proof.history[1].text = altered.clone()), fault(2, not_there(2)));
        let altered = rows[2].text.replacen("before\":\"", "before\":\"0", 1).replacen("\"}", "", 1);
        assert!(matches!(
            broken(&|proof| proof.history[1].text = altered.clone()),
            Err(ProofError::Entry { what: EntryFault::Unreadable(_), .. })
        ));
        let unlinked = rows[2].text.split(",\"before\"").next().unwrap().to_owned() + "}";
        assert_eq!(broken(&|proof| proof.history[1].text = unlinked.clone()), fault(2, EntryFault::Unlinked));
        let other = Err(ProofError::NotWhole { ticket: id(1), entries: Version(4) });
        assert_eq!(broken(&|proof| proof.head.truncate(1)), other);
    }

    #[test]
    fn nobody_is_given_a_proof_that_does_not_hold() {
        let rows = sample();
        let mut prover = prover(&rows);
        let refused = prover.ticket(id(1), of(&rows, 1).take(3)).unwrap_err();
        let not_whole = ProofError::NotWhole { ticket: id(1), entries: Version(3) };
        assert_eq!(refused, ProveError::NotItsHistory(not_whole));
        assert!(prover.ticket(id(1), of(&rows, 2)).is_err());
        assert_eq!(prover.growth(4, 3), Err(ProveError::NoSuchSize { from: 4, to: 3, size: 10 }));
        assert_eq!(prover.growth(4, 11), Err(ProveError::NoSuchSize { from: 4, to: 11, size: 10 }));
        let mut altered = rows.clone();
        altered[1].text.push(' ');
        let mut prover = Prover::new([]);
        prover.take(altered[0].written()).unwrap();
        let finding = prover.take(altered[1].written()).unwrap_err();
        assert_eq!(prover.ticket(id(1), []), Err(ProveError::Finding(finding)));
    }

    #[test]
    fn a_journal_that_only_grew_is_shown_to_have_between_any_two_sizes() {
        let rows = sample();
        let mut prover = prover(&rows);
        let checkpoints: Vec<_> = (0..=10).map(|size| checkpoint(&rows, size)).collect();
        for (from, older) in checkpoints.iter().enumerate() {
            for (to, newer) in checkpoints.iter().enumerate().skip(from) {
                let proof: GrowthProof = prover.growth(from as u64, to as u64).unwrap().to_string().parse().unwrap();
                assert_eq!(proof.check(older, newer), Ok(()));
                if from != to {
                    assert!(matches!(proof.check(newer, older), Err(GrowthError::OtherCheckpoints { .. })));
                }
            }
        }
    }

    #[test]
    fn a_journal_that_was_rewritten_is_not_shown_to_have_grown() {
        let (rows, forged) = (sample(), rows(&entries(&[1, 2, 2, 0, 4, 1, 2, 1, 4, 0])));
        for (from, to) in [(4, 4), (4, 10), (3, 8)] {
            let (older, newer) = (checkpoint(&rows, from), checkpoint(&forged, to));
            let refused = Err(GrowthError::Rewritten { from: from as u64, to: to as u64 });
            for rows in [&rows, &forged] {
                let checked = prover(rows).growth(from as u64, to as u64).unwrap().check(&older, &newer);
                // Of the same size, already the heads are others.
                let same = Err(GrowthError::OtherHeads { entries: 4 });
                assert_eq!(checked, if from == to { same } else { refused.clone() });
            }
        }
        let audit = prover(&rows).audit().unwrap();
        let other = audit.checkpoint(JournalName::new("example.org/other").unwrap(), second(0));
        let own = audit.checkpoint(journal(), second(0));
        let fewer = Audit { tickets: prover(&rows[..3]).audit().unwrap().tickets, ..audit };
        let shrunk =
            prover(&rows).growth(8, 10).unwrap().check(&checkpoint(&rows, 8), &fewer.checkpoint(journal(), second(0)));
        assert_eq!(shrunk, Err(GrowthError::Shrunk));
        let proof = prover(&rows).growth(10, 10).unwrap();
        assert!(matches!(proof.check(&own, &other), Err(GrowthError::OtherJournal { .. })));
    }

    proptest! {
        #[test]
        fn each_ticket_of_any_journal_is_proved_at_any_size(
            numbers in prop::collection::vec(0..9_u64, 1..30), size in any::<Index>(), number in 1..11_u64,
        ) {
            let rows = rows(&entries(&numbers));
            let size = size.index(rows.len() + 1);
            let proof = prover(&rows[..size]).ticket(id(number), of(&rows, number)).unwrap();
            let read: TicketProof = proof.to_string().parse().unwrap();
            let expected: Vec<_> =
                of(&rows[..size], number).map(|row| unseal(row.text).unwrap().ticket().unwrap().clone()).collect();
            let proved = if expected.is_empty() { Proved::NoTicket } else { Proved::History(expected) };
            prop_assert_eq!(read.check(&checkpoint(&rows, size)), Ok(proved));
        }

        #[test]
        fn no_flipped_bit_proves_anything_else(number in 1..6_u64, at in any::<Index>(), bit in 0..8) {
            let rows = sample();
            let proof = prove(&rows, number);
            let mut bytes = proof.to_string().into_bytes();
            *at.get_mut(&mut bytes) ^= 1_u8 << bit;
            if let Some(read) = String::from_utf8(bytes).ok().and_then(|text| text.parse::<TicketProof>().ok()) {
                // A hexadecimal digit may be written in capitals, and a blank between two words as another.
                prop_assert!(read == proof || read.check(&checkpoint(&rows, 10)).is_err());
            }
        }

        #[test]
        fn no_flipped_bit_proves_other_growth(from in 0..10_u64, at in any::<Index>(), bit in 0..8) {
            let rows = sample();
            let proof = prover(&rows).growth(from, 10).unwrap();
            let mut bytes = proof.to_string().into_bytes();
            *at.get_mut(&mut bytes) ^= 1_u8 << bit;
            if let Some(read) = String::from_utf8(bytes).ok().and_then(|text| text.parse::<GrowthProof>().ok()) {
                let (older, newer) = (checkpoint(&rows, from as usize), checkpoint(&rows, 10));
                prop_assert!(read == proof || read.check(&older, &newer).is_err());
            }
        }

        #[test]
        fn no_text_is_a_proof_or_panics(text in ".{0,80}", cut in any::<Index>()) {
            let whole = prove(&sample(), 1).to_string();
            let cut = format!("{}{text}", whole.get(..cut.index(whole.len())).unwrap_or_default());
            for text in [text, cut] {
                prop_assert!(text.parse::<TicketProof>().is_err() && text.parse::<GrowthProof>().is_err());
            }
        }
    }
}
