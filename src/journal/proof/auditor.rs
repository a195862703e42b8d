//! Reading a whole journal, entry by entry, and naming the first that is not as it was written.
//!
//! # What each entry is held against
//! 1. It stands at the next position: none is missing, none stands twice.
//! 2. Its text gives the hash that was stored beside it, and reads as an entry.
//! 3. It is its ticket's next: versions 1, 2, 3, …, the first with the grievance.
//! 4. It holds the hash of its ticket's entry before it. The first of a ticket holds none, nor does one about no ticket.
//! 5. It was not decided before the entry in front of it: time never falls.
//! 6. At the size of each checkpoint that is given, both trees have the roots that were signed.
//!
//! # What that tells
//! Who alters a text and not its hash is found at that entry. Who alters the hash too is found at the ticket's next
//! entry, which names the hash that it had; the finding names the entry before, and the one that says so. Who alters
//! those as well, up to the ticket's last, has rewritten that ticket, and only a checkpoint tells: so for the last entry
//! of each ticket, for entries about no ticket, and for a ticket that was taken out whole. The finding then says between
//! which two sizes it lies, and what follows the last checkpoint can be rewritten unnoticed.

use std::cmp::{Ordering, Reverse};

use jiff::Timestamp;

use super::checkpoint::Checkpoint;
use super::heads::{Head, Heads};
use super::key::JournalName;
use super::tree::{Edge, TreeHash, TreeHead, leaf_hash};
use crate::journal::{Entry, EntryHash, Link, Position, TicketEntry, Unreadable, unseal};
use crate::ticket::{MOST_UNUSED, TicketEvent, TicketId, Version};

/// An entry as it stands in a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrittenEntry<'a> {
    /// Where it stands.
    pub position: Position,
    /// The hash that was stored beside it.
    pub hash: EntryHash,
    /// Its text.
    pub text: &'a str,
}

/// Reads a journal in its order. It keeps about 120 bytes for each ticket, and nothing for entries.
#[derive(Debug)]
pub struct Auditor {
    entries: Edge,
    heads: Heads,
    /// The checkpoints that are still ahead, the nearest last.
    ahead: Vec<Checkpoint>,
    /// The size up to which the entries are those of a checkpoint.
    vouched: u64,
    found: Option<Finding>,
    /// When the last entry was decided.
    at: Option<Timestamp>,
    /// The first entry whose time falls. It is told last: an entry that is not as it was written says more.
    fell: Option<Finding>,
}

impl Auditor {
    /// Begins with the first entry. The journal will be held against its checkpoints, in whatever order they come; the
    /// caller has seen to it that they are signed ([`Checkpoint::open`]).
    ///
    /// The tree of the tickets is brought up at each of them, which takes some µs for each ticket that something happened
    /// to since the one before.
    #[must_use]
    pub fn new(checkpoints: impl IntoIterator<Item = Checkpoint>) -> Self {
        let mut ahead: Vec<Checkpoint> = checkpoints.into_iter().collect();
        ahead.sort_by_key(|checkpoint| Reverse(checkpoint.entries().size));
        Self { entries: Edge::default(), heads: Heads::new(), ahead, vouched: 0, found: None, at: None, fell: None }
    }

    /// Takes the next entry as the store has it.
    ///
    /// # Errors
    /// The [`Finding`]: this entry, or one before it, is not as it was written. From then on it is always the same one;
    /// what comes behind is not looked at.
    pub fn take(&mut self, row: WrittenEntry<'_>) -> Result<(), Finding> {
        self.compare()?;
        match self.read(row) {
            Ok(None) => {}
            Ok(Some(head)) => self.heads.take(head, row.position),
            Err(finding) => return Err(self.keep(finding)),
        }
        self.entries.push(leaf_hash(row.hash.as_bytes()));
        Ok(())
    }

    /// What the entries so far come to, when they are the whole journal. More can be taken afterwards.
    ///
    /// # Errors
    /// The [`Finding`] of [`take`](Self::take), or that a checkpoint has more entries than the journal.
    pub fn audit(&mut self) -> Result<Audit, Finding> {
        self.compare()?;
        if let Some(missed) = self.ahead.last() {
            // Not kept: the rest may yet be taken.
            let what = Fault::CutOff { checkpoint: missed.entries().size };
            return Err(Finding { position: Position(self.entries.size()), ticket: None, version: None, what });
        }
        if let Some(fell) = &self.fell {
            return Err(fell.clone());
        }
        Ok(Audit { entries: self.entries.head(), tickets: self.heads.head() })
    }

    /// The position of the entry that [`take`](Self::take) expects.
    #[must_use]
    pub fn next(&self) -> Position {
        Position(self.entries.size())
    }

    /// The head of a ticket, as far as entries were taken; `None` when there was none of it.
    #[must_use]
    pub fn head(&self, ticket: TicketId) -> Option<Head> {
        self.heads.last(ticket).map(|(head, _)| head)
    }

    /// What shows that a number's leaf is in the tree of the tickets as it is now.
    pub(super) fn path(&mut self, ticket: TicketId) -> Option<Vec<TreeHash>> {
        self.heads.path(ticket)
    }

    fn keep(&mut self, finding: Finding) -> Finding {
        self.found = Some(finding.clone());
        finding
    }

    /// Holds the trees against the checkpoints whose size is reached.
    fn compare(&mut self) -> Result<(), Finding> {
        if let Some(found) = &self.found {
            return Err(found.clone());
        }
        let size = self.entries.size();
        while self.ahead.last().is_some_and(|next| next.entries().size <= size) {
            let Some(checkpoint) = self.ahead.pop() else { break };
            let others = self.ahead.iter().rev().take_while(|other| other.entries().size == size);
            let what = if others.into_iter().any(|other| other.entries() != checkpoint.entries()) {
                Fault::Contradicted { checkpoint: size }
            } else if self.entries.head() != checkpoint.entries() {
                Fault::Rewritten { since: self.vouched, checkpoint: size }
            } else if self.heads.head() != checkpoint.tickets() {
                Fault::OtherHeads { checkpoint: size }
            } else {
                self.vouched = size;
                continue;
            };
            return Err(self.keep(Finding { position: Position(self.vouched), ticket: None, version: None, what }));
        }
        Ok(())
    }

    /// The head that the entry makes of its ticket's; `None` for one about no ticket.
    fn read(&mut self, row: WrittenEntry<'_>) -> Result<Option<Head>, Finding> {
        let next = self.next();
        let at = |position, what| Finding { position, ticket: None, version: None, what };
        match row.position.cmp(&next) {
            Ordering::Equal => {}
            Ordering::Greater => return Err(at(next, Fault::Removed { next: row.position })),
            Ordering::Less => return Err(at(row.position, Fault::OutOfOrder { expected: next })),
        }
        let link = Link::of(row.text);
        let here = |what| {
            let named = link.as_ref().ok();
            let (ticket, version) = (named.and_then(|link| link.ticket), named.and_then(|link| link.version));
            Finding { position: row.position, ticket, version, what }
        };
        if EntryHash::of(row.text) != row.hash {
            return Err(here(Fault::Altered));
        }
        let entry = unseal(row.text).map_err(|error| here(Fault::Unreadable(error)))?;
        if Some(entry.at()) < self.at && self.fell.is_none() {
            self.fell = Some(here(Fault::Earlier));
        }
        self.at = self.at.max(Some(entry.at()));
        let before = link.as_ref().map_err(|error| here(Fault::Unreadable(error.clone())))?.before;
        let Entry::Ticket(entry) = entry else {
            return if before.is_none() { Ok(None) } else { Err(here(Fault::StrayLink)) };
        };
        self.follow(&entry, before, row.position).map_err(|what| match what {
            // The entry that was altered is the one before, which this one remembers.
            Fault::AlteredWithHash { before, .. } => {
                let version = self.head(entry.ticket).map(|head| head.entries);
                Finding { position: before, ticket: Some(entry.ticket), version, what }
            }
            Fault::RemovedOfTicket { .. } => {
                let missing = self.head(entry.ticket).map(|head| head.entries).unwrap_or_default().next();
                Finding { position: row.position, ticket: Some(entry.ticket), version: Some(missing), what }
            }
            what => here(what),
        })?;
        Ok(Some(Head { ticket: entry.ticket, entries: entry.version, last: row.hash }))
    }

    /// Whether an entry is its ticket's next.
    fn follow(&self, entry: &TicketEntry, link: Option<EntryHash>, position: Position) -> Result<(), Fault> {
        let last = self.heads.last(entry.ticket);
        let expected = last.map(|(head, _)| head.entries).unwrap_or_default().next();
        match entry.version.cmp(&expected) {
            Ordering::Equal => {}
            Ordering::Greater => return Err(Fault::RemovedOfTicket { found: entry.version }),
            Ordering::Less => return Err(Fault::Twice),
        }
        let Some((head, before)) = last else {
            if link.is_some() {
                return Err(Fault::StrayLink);
            }
            let begins =
                matches!(entry.events.first(), Some(TicketEvent::Received { ticket, .. }) if *ticket == entry.ticket);
            if !begins {
                return Err(Fault::NoBeginning);
            }
            if entry.ticket.number() > self.heads.size().saturating_add(MOST_UNUSED) {
                return Err(Fault::NumberTooHigh { highest: self.heads.size() });
            }
            return Ok(());
        };
        match link {
            Some(link) if link == head.last => Ok(()),
            Some(_) => Err(Fault::AlteredWithHash { before, next: position }),
            None => Err(Fault::NoLink),
        }
    }
}

/// What a journal comes to that was read from its beginning and is sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// The tree of all entries: leaf `i` is the hash of the entry at position `i`.
    pub entries: TreeHead,
    /// The tree of the tickets' [`Head`]s: leaf `n - 1` is that of running number `n`.
    pub tickets: TreeHead,
}

impl Audit {
    /// What is to be signed: that at this time the journal of this name was so.
    #[must_use]
    pub fn checkpoint(&self, journal: JournalName, at: Timestamp) -> Checkpoint {
        Checkpoint::new(journal, self.entries, self.tickets, at)
    }
}

/// The first entry that is not as it was written, as far as that can be told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("position {position}{}: {what}; restore the journal from a backup and compare", of(.ticket.as_ref(), .version.as_ref()))]
pub struct Finding {
    /// Where it stands or stood. For [`Fault::RemovedOfTicket`] where the next one stands.
    pub position: Position,
    /// Its ticket, if that can be told.
    pub ticket: Option<TicketId>,
    /// Its version, if that can be told.
    pub version: Option<Version>,
    /// What is wrong with it.
    pub what: Fault,
}

fn of(ticket: Option<&TicketId>, version: Option<&Version>) -> String {
    match (ticket, version) {
        (Some(ticket), Some(version)) => format!(" (entry {version} of {ticket})"),
        (Some(ticket), None) => format!(" (an entry of {ticket})"),
        (None, _) => String::new(),
    }
}

/// What is wrong with an entry of the journal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// Nothing stands there.
    #[error("nothing stands here, the next entry is at {next}; it was removed")]
    Removed {
        /// Where the next entry stands.
        next: Position,
    },
    /// An entry is handed over that should have come before, or that came already.
    #[error("it comes when {expected} should; the rows are out of order, or it stands twice")]
    OutOfOrder {
        /// The position that should have come.
        expected: Position,
    },
    /// The text does not give the hash that is stored beside it.
    #[error("the text does not give its hash; text or hash was altered")]
    Altered,
    /// The text gives its hash, but is no entry.
    #[error(transparent)]
    Unreadable(Unreadable),
    /// The ticket's next entry holds another hash of it than it has: it was altered and its hash made anew, or the next
    /// one was. Entries of the ticket before it may have been altered with it.
    #[error("it is not the one that its ticket's next entry, at {next}, was written after; one of the two was altered")]
    AlteredWithHash {
        /// Where it stands.
        before: Position,
        /// Where the ticket's next entry stands, which holds the hash.
        next: Position,
    },
    /// The ticket's entry of this version is missing.
    #[error("entry {found} of the ticket stands here where this one belongs before it; it was removed or moved")]
    RemovedOfTicket {
        /// The version that stands in its place.
        found: Version,
    },
    /// The ticket had an entry of this version already.
    #[error("the ticket had an entry of this version before; one of the two was slipped in")]
    Twice,
    /// A ticket's first entry is not that a grievance was received.
    #[error("the history of the ticket does not begin with its grievance; the beginning was altered")]
    NoBeginning,
    /// It was decided before the entry in front of it. Whatever the clock does, an engine's time never falls.
    #[error("it was decided before the entry in front of it; one of the two was altered, or they changed places")]
    Earlier,
    /// It should hold the hash of the ticket's entry before it.
    #[error("it does not say which entry it was written after; it was altered or slipped in")]
    NoLink,
    /// It holds the hash of an entry before it, where there is none.
    #[error("it says that it was written after another, and there is none; it was altered, or that one removed")]
    StrayLink,
    /// The number is so far above all others that it was not given in turn.
    #[error(
        "the number of the ticket is more than {MOST_UNUSED} above {highest}, the highest so far; it was slipped in"
    )]
    NumberTooHigh {
        /// The highest running number before it.
        highest: u64,
    },
    /// The entries are not those of a checkpoint: one of them was altered, removed or slipped in, and everything behind
    /// it made to fit.
    #[error("the first {checkpoint} entries are not those of the checkpoint; one from position {since} on was changed")]
    Rewritten {
        /// Up to this size they are those of the checkpoint before; 0 when there is none.
        since: u64,
        /// The checkpoint's size.
        checkpoint: u64,
    },
    /// Two checkpoints of the same size are not of the same entries. Whoever signed both has signed a false one.
    #[error("two checkpoints of {checkpoint} entries have different roots; one of them is false")]
    Contradicted {
        /// The checkpoint's size.
        checkpoint: u64,
    },
    /// The entries are those of the checkpoint, but the tickets' heads that it was signed with are not what these
    /// entries come to. So the journal is sound and the checkpoint is not.
    #[error("the checkpoint of {checkpoint} entries has heads of tickets that its own entries do not come to")]
    OtherHeads {
        /// The checkpoint's size.
        checkpoint: u64,
    },
    /// The journal is shorter than it was.
    #[error("the journal ends here, and there is a checkpoint of {checkpoint} entries; the end was removed")]
    CutOff {
        /// The checkpoint's size.
        checkpoint: u64,
    },
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::super::sample::{Row, audit, checkpoint, entries, id, rows, second};
    use super::*;

    /// Tickets 1 to 4, of which 3 was never used; position 3 is about none.
    fn sample() -> Vec<Row> {
        rows(&entries(&[1, 2, 1, 0, 4, 1, 2, 1, 4, 0]))
    }

    fn found(rows: &[Row]) -> Finding {
        audit(rows, &[]).unwrap_err()
    }

    fn finding(position: u64, of: Option<(u64, u32)>, what: Fault) -> Finding {
        let (ticket, version) = of.map(|(ticket, version)| (id(ticket), Version(version))).unzip();
        Finding { position: Position(position), ticket, version, what }
    }

    /// Gives the rows the positions that they stand at.
    fn renumber(rows: &mut [Row]) {
        (0..).zip(rows).for_each(|(position, row)| row.position = Position(position));
    }

    fn alter(row: &mut Row) {
        row.text = row.text.replacen("0123456789abcdef", "1123456789abcdef", 1);
    }

    fn alter_with_hash(row: &mut Row) {
        alter(row);
        row.hash = EntryHash::of(&row.text);
    }

    #[test]
    fn an_altered_text_is_named() {
        let mut rows = sample();
        alter(&mut rows[5]);
        alter(&mut rows[7]);
        assert_eq!(found(&rows), finding(5, Some((1, 3)), Fault::Altered));
    }

    #[test]
    fn an_altered_text_with_its_hash_is_named_by_the_tickets_next_entry() {
        let mut rows = sample();
        alter_with_hash(&mut rows[2]);
        let what = Fault::AlteredWithHash { before: Position(2), next: Position(5) };
        assert_eq!(found(&rows), finding(2, Some((1, 2)), what));
    }

    #[test]
    fn only_a_checkpoint_tells_of_an_altered_last_entry_or_one_of_no_ticket() {
        for at in [3, 6, 7, 8, 9] {
            let (mut rows, whole) = (sample(), sample());
            alter_with_hash(&mut rows[at]);
            assert!(audit(&rows, &[]).is_ok());
            let checkpoints = [checkpoint(&whole, 10), checkpoint(&whole, 2), checkpoint(&whole, 8)];
            let (since, checkpoint) = if at < 8 { (2, 8) } else { (8, 10) };
            let what = Fault::Rewritten { since, checkpoint };
            assert_eq!(audit(&rows, &checkpoints), Err(finding(since, None, what)), "{at}");
        }
    }

    #[test]
    fn a_time_that_falls_is_told_when_nothing_else_is() {
        // The last about no ticket: nothing links to it.
        let mut rows = sample();
        rows[9].text = rows[9].text.replacen("2022-04-15", "2022-04-14", 1);
        rows[9].hash = EntryHash::of(&rows[9].text);
        assert_eq!(found(&rows), finding(9, None, Fault::Earlier));
        let mut rows = sample();
        alter_with_hash(&mut rows[2]);
        let what = Fault::AlteredWithHash { before: Position(2), next: Position(5) };
        assert_eq!(found(&rows), finding(2, Some((1, 2)), what));
    }

    #[test]
    fn a_removed_row_is_named() {
        let mut rows = sample();
        rows.remove(4);
        assert_eq!(found(&rows), finding(4, None, Fault::Removed { next: Position(5) }));
        renumber(&mut rows);
        let what = Fault::RemovedOfTicket { found: Version(2) };
        assert_eq!(found(&rows), finding(7, Some((4, 1)), what));
    }

    #[test]
    fn a_row_that_stands_twice_or_elsewhere_is_named() {
        let mut rows = sample();
        rows.insert(6, rows[2].clone());
        assert_eq!(found(&rows), finding(2, None, Fault::OutOfOrder { expected: Position(6) }));
        renumber(&mut rows);
        assert_eq!(found(&rows), finding(6, Some((1, 2)), Fault::Twice));
        let mut rows = sample();
        rows.swap(2, 5);
        renumber(&mut rows);
        let what = Fault::RemovedOfTicket { found: Version(3) };
        assert_eq!(found(&rows), finding(2, Some((1, 2)), what));
    }

    #[test]
    fn an_entry_that_is_slipped_in_is_named() {
        let mut all = entries(&[1, 2, 1, 0, 4, 1, 2, 1, 4, 0]);
        let Entry::Ticket(forged) = &mut all[5] else { panic!() };
        forged.at = second(77);
        let forged = rows(&all[..6]).pop().unwrap();
        let mut rows = sample();
        rows.insert(3, forged);
        renumber(&mut rows);
        // The genuine one has the same version.
        assert_eq!(found(&rows), finding(6, Some((1, 3)), Fault::Twice));
    }

    #[test]
    fn a_broken_beginning_or_link_is_named() {
        let link = format!(r#","before":"{}"}}"#, EntryHash::of("x"));
        let linked = |row: &mut Row| {
            row.text = format!("{}{link}", row.text.strip_suffix('}').unwrap());
            row.hash = EntryHash::of(&row.text);
        };
        for (at, of) in [(0, Some((1, 1))), (3, None)] {
            let mut rows = sample();
            linked(&mut rows[at]);
            assert_eq!(found(&rows), finding(at as u64, of, Fault::StrayLink));
        }
        let mut rows = sample();
        rows[2].text = format!("{}}}", rows[2].text.split(r#","before""#).next().unwrap());
        rows[2].hash = EntryHash::of(&rows[2].text);
        assert_eq!(found(&rows), finding(2, Some((1, 2)), Fault::NoLink));
        let mut rows = sample();
        let other = rows[0].text.replacen(&id(1).to_string(), &id(9).to_string(), 1);
        rows[0] = Row { hash: EntryHash::of(&other), text: other, ..rows[0] };
        assert_eq!(found(&rows), finding(0, Some((9, 1)), Fault::NoBeginning));
    }

    #[test]
    fn a_text_that_is_no_entry_is_told_without_repeating_it() {
        let mut rows = sample();
        rows[4] = Row { text: "Asha".to_owned(), hash: EntryHash::of("Asha"), ..rows[4] };
        let finding = found(&rows);
        assert!(matches!(finding.what, Fault::Unreadable(_)) && finding.position == Position(4), "{finding}");
        assert!(!format!("{finding} {finding:?}").contains("Asha"), "{finding}");
    }

    #[test]
    fn a_number_far_above_all_others_is_found_before_it_takes_room() {
        let rows = |number| rows(&entries(&[1, number, 2]));
        let finding = finding(1, Some((99_999_999_999_999, 1)), Fault::NumberTooHigh { highest: 1 });
        assert_eq!(found(&rows(99_999_999_999_999)), finding);
        assert!(audit(&rows(2 + MOST_UNUSED), &[]).is_err());
        assert_eq!(audit(&rows(1 + MOST_UNUSED), &[]).unwrap().tickets.size, 1 + MOST_UNUSED);
    }

    #[test]
    fn a_journal_that_ends_before_a_checkpoint_was_cut_off() {
        let rows = sample();
        let checkpoints = [checkpoint(&rows, 10), checkpoint(&rows, 0)];
        let mut auditor = Auditor::new(checkpoints);
        rows[..7].iter().for_each(|row| auditor.take(row.written()).unwrap());
        assert_eq!(auditor.audit(), Err(finding(7, None, Fault::CutOff { checkpoint: 10 })));
        // It may be that the rest was not given to it yet.
        rows[7..].iter().for_each(|row| auditor.take(row.written()).unwrap());
        assert_eq!(auditor.audit(), audit(&rows, &[]));
    }

    #[test]
    fn a_false_checkpoint_is_told_from_a_changed_journal() {
        let rows = sample();
        let right = audit(&rows, &[]).unwrap();
        let wrong = |audit: Audit| audit.checkpoint(super::super::sample::journal(), second(0));
        let heads = wrong(Audit { tickets: TreeHead { root: leaf_hash(b"x"), ..right.tickets }, ..right });
        assert_eq!(audit(&rows, &[heads]), Err(finding(0, None, Fault::OtherHeads { checkpoint: 10 })));
        let entries = wrong(Audit { entries: TreeHead { root: leaf_hash(b"x"), ..right.entries }, ..right });
        for both in [[wrong(right), entries.clone()], [entries, wrong(right)]] {
            assert_eq!(audit(&rows, &both), Err(finding(0, None, Fault::Contradicted { checkpoint: 10 })));
        }
    }

    #[test]
    fn what_was_found_stays_found() {
        let mut rows = sample();
        alter(&mut rows[1]);
        let mut auditor = Auditor::new([]);
        auditor.take(rows[0].written()).unwrap();
        let finding = auditor.take(rows[1].written()).unwrap_err();
        assert_eq!(auditor.take(sample()[1].written()), Err(finding.clone()));
        assert_eq!(auditor.audit(), Err(finding));
    }

    #[test]
    fn a_finding_says_where_what_and_what_to_do() {
        let mut rows = sample();
        alter_with_hash(&mut rows[2]);
        assert_eq!(
            found(&rows).to_string(),
            format!(
                "position 2 (entry 2 of {}): it is not the one that its ticket's next entry, at 5, was written after; \
                 one of the two was altered; restore the journal from a backup and compare",
                id(1)
            )
        );
    }

    fn numbers() -> impl Strategy<Value = Vec<u64>> {
        prop::collection::vec(prop_oneof![0..4_u64, 0..600_u64], 1..40)
    }

    /// Something that is done to one row or two, and no more.
    #[derive(Debug, Clone)]
    enum Change {
        Character(Index, Index, char),
        CharacterWithHash(Index, Index, char),
        Drop(Index),
        DropAndRenumber(Index),
        Twice(Index, Index),
        TwiceAndRenumber(Index, Index),
        Swap(Index, Index),
        SwapAndRenumber(Index, Index),
        Position(Index, u64),
        Hash(Index, Index, u8),
    }

    fn change() -> impl Strategy<Value = Change> {
        let (i, j) = (any::<Index>, any::<Index>);
        prop_oneof![
            (i(), j(), any::<char>()).prop_map(|(i, j, c)| Change::Character(i, j, c)),
            (i(), j(), any::<char>()).prop_map(|(i, j, c)| Change::CharacterWithHash(i, j, c)),
            i().prop_map(Change::Drop),
            i().prop_map(Change::DropAndRenumber),
            (i(), j()).prop_map(|(i, j)| Change::Twice(i, j)),
            (i(), j()).prop_map(|(i, j)| Change::TwiceAndRenumber(i, j)),
            (i(), j()).prop_map(|(i, j)| Change::Swap(i, j)),
            (i(), j()).prop_map(|(i, j)| Change::SwapAndRenumber(i, j)),
            (i(), any::<u64>()).prop_map(|(i, position)| Change::Position(i, position)),
            (i(), j(), 1..=255_u8).prop_map(|(i, j, flip)| Change::Hash(i, j, flip)),
        ]
    }

    fn replace(row: &mut Row, at: &Index, with: char) {
        let mut text: Vec<char> = row.text.chars().collect();
        *at.get_mut(&mut text) = with;
        row.text = text.into_iter().collect();
    }

    fn apply(change: &Change, rows: &mut Vec<Row>) {
        match change {
            Change::Character(row, at, with) => replace(row.get_mut(rows), at, *with),
            Change::CharacterWithHash(row, at, with) => {
                let row = row.get_mut(rows);
                replace(row, at, *with);
                row.hash = EntryHash::of(&row.text);
            }
            Change::Drop(row) | Change::DropAndRenumber(row) => drop(rows.remove(row.index(rows.len()))),
            Change::Twice(row, to) | Change::TwiceAndRenumber(row, to) => {
                let row = row.get(rows).clone();
                rows.insert(to.index(rows.len() + 1), row);
            }
            Change::Swap(one, other) | Change::SwapAndRenumber(one, other) => {
                let (one, other) = (one.index(rows.len()), other.index(rows.len()));
                rows.swap(one, other);
            }
            Change::Position(row, position) => row.get_mut(rows).position = Position(*position),
            Change::Hash(row, at, flip) => {
                let row = row.get_mut(rows);
                let mut hash = row.hash.as_bytes().to_vec();
                *at.get_mut(&mut hash) ^= flip;
                row.hash = EntryHash::from_bytes(&hash).unwrap();
            }
        }
        let renumbered =
            matches!(change, Change::DropAndRenumber(_) | Change::TwiceAndRenumber(..) | Change::SwapAndRenumber(..));
        if renumbered {
            renumber(rows);
        }
    }

    proptest! {
        #[test]
        fn any_journal_is_sound_also_against_its_own_checkpoints(numbers in numbers(), sizes in any::<[Index; 3]>()) {
            let rows = rows(&entries(&numbers));
            let checkpoints = sizes.map(|size| checkpoint(&rows, size.index(rows.len() + 1)));
            let audited = audit(&rows, &checkpoints);
            prop_assert_eq!(audited.clone(), audit(&rows, &[]));
            prop_assert_eq!(audited.unwrap().tickets.size, numbers.into_iter().max().unwrap_or(0));
        }

        #[test]
        fn any_single_change_is_found(numbers in numbers(), change in change()) {
            let whole = rows(&entries(&numbers));
            let mut rows = whole.clone();
            apply(&change, &mut rows);
            prop_assume!(rows != whole);
            let first = whole.iter().zip(&rows).take_while(|(whole, row)| whole == row).count() as u64;
            match audit(&rows, &[checkpoint(&whole, whole.len())]) {
                // A checkpoint has no more to say than that its own entries are there: these are, and one comes behind.
                Ok(_) => prop_assert!(rows.starts_with(&whole), "{:?}", change),
                // What it names is what was changed, or stands where the change shows.
                Err(finding) => match finding.what {
                    Fault::Altered | Fault::Removed { .. } => prop_assert_eq!(finding.position.0, first),
                    Fault::AlteredWithHash { .. } => {
                        let Change::CharacterWithHash(row, ..) = change else { panic!("{finding}") };
                        let row = row.index(whole.len()) as u64;
                        let Fault::AlteredWithHash { next, .. } = finding.what else { unreachable!() };
                        prop_assert!(finding.position.0 == row || next.0 == row);
                    }
                    Fault::Rewritten { since, checkpoint } => prop_assert!((since..checkpoint).contains(&first)),
                    _ => {}
                },
            }
        }

        #[test]
        fn what_is_rewritten_to_fit_is_found_between_two_checkpoints(
            numbers in numbers(), at in any::<Index>(), sizes in any::<[Index; 3]>(), kind in 0..3,
        ) {
            let all = entries(&numbers);
            let whole = rows(&all);
            let at = at.index(all.len());
            let mut forged = match kind {
                0 => all,
                // An entry that never was, or one less: all that follow get other versions and links.
                1 => entries(&[&numbers[..at], &[1], &numbers[at..]].concat()),
                _ => entries(&[&numbers[..at], &numbers[at + 1..]].concat()),
            };
            if kind < 2 {
                let other = "f123456789abcdef".to_owned().try_into().unwrap();
                match &mut forged[at] {
                    Entry::Ticket(entry) => entry.table = other,
                    Entry::Rules(entry) => entry.table = other,
                    _ => {}
                }
            }
            let forged = rows(&forged);
            prop_assert!(audit(&forged, &[]).is_ok());
            let mut sizes = sizes.map(|size| size.index(whole.len() + 1));
            sizes[0] = whole.len();
            let mut checkpoints = sizes.map(|size| checkpoint(&whole, size));
            checkpoints.reverse();
            let finding = audit(&forged, &checkpoints).unwrap_err();
            let first = whole.iter().zip(&forged).take_while(|(whole, row)| whole == row).count() as u64;
            match finding.what {
                Fault::Rewritten { since, checkpoint } => prop_assert!((since..checkpoint).contains(&first)),
                Fault::CutOff { checkpoint } => prop_assert_eq!(checkpoint, whole.len() as u64),
                _ => prop_assert!(false, "{}", finding),
            }
        }

        #[test]
        fn no_row_panics(text in ".{0,80}", position in any::<u64>(), hash in any::<[u8; 32]>(), fits in any::<bool>()) {
            let hash = if fits { EntryHash::of(&text) } else { EntryHash(hash) };
            let row = WrittenEntry { position: Position(position), hash, text: &text };
            prop_assert!(Auditor::new([]).take(row).is_err());
            let first = WrittenEntry { position: Position(0), ..row };
            prop_assert!(Auditor::new([]).take(first).is_err());
        }
    }
}
