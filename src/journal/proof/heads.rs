//! The tree of the tickets: a leaf for each running number, which says how far that ticket's history goes.

use super::tree::{Paged, Tree, TreeHash, TreeHead, leaf_hash};
use crate::journal::{EntryHash, Position};
use crate::ticket::{TicketId, Version};

/// The head of a ticket's history: how many entries it has, and which is the last.
///
/// The leaf of a ticket stands at its running number less 1, so that no ticket has two. Since each entry holds the
/// hash of the one before it, the last one stands for all of them, and their number says that none was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The ticket.
    pub ticket: TicketId,
    /// The version of its last entry, which is how many it has.
    pub entries: Version,
    /// The hash of its last entry.
    pub last: EntryHash,
}

/// The leaf of a running number that no ticket has: numbers are set aside in blocks, and not every block is used up.
pub const UNUSED: &str = "unused\n";

impl Head {
    /// The data of its leaf: number, entries and the last one's hash, with a blank between, and a line's end.
    #[must_use]
    pub fn leaf(&self) -> String {
        format!("{} {} {}\n", self.ticket, self.entries, self.last)
    }

    /// The place of its leaf, counted from 0.
    pub(super) fn index(ticket: TicketId) -> u64 {
        // The first running number is 1.
        ticket.number().saturating_sub(1)
    }
}

/// The heads of all tickets, and their tree. About 120 bytes for each ticket; next to nothing for unused numbers.
#[derive(Debug)]
pub(super) struct Heads {
    slots: Paged<Option<Slot>>,
    tree: Tree,
    /// The highest running number that has entries.
    size: u64,
    /// The places whose leaves have to be made anew, each once.
    stale: Vec<u64>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    head: Head,
    position: Position,
    state: Leaf,
}

/// Whether the leaf says what the head does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leaf {
    Fresh,
    Stale,
}

impl Heads {
    pub(super) fn new() -> Self {
        let tree = Tree::new(leaf_hash(UNUSED.as_bytes()));
        Self { slots: Paged::new(None), tree, size: 0, stale: Vec::new() }
    }

    /// The highest running number that has entries.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The ticket's head, and where its last entry stands.
    pub(super) fn last(&self, ticket: TicketId) -> Option<(Head, Position)> {
        self.slots.get(Head::index(ticket)).map(|slot| (slot.head, slot.position))
    }

    /// Takes a ticket's next entry.
    pub(super) fn take(&mut self, head: Head, position: Position) {
        let index = Head::index(head.ticket);
        let known = self.slots.get(index).map(|slot| slot.state);
        if known != Some(Leaf::Stale) {
            self.stale.push(index);
        }
        self.slots.put(index, Some(Slot { head, position, state: Leaf::Stale }));
        self.size = self.size.max(head.ticket.number());
    }

    /// The tree as it is now.
    pub(super) fn head(&mut self) -> TreeHead {
        self.refresh();
        self.tree.head()
    }

    /// What shows that the leaf of this number is in the tree as it is now; `None` for a number beyond it.
    pub(super) fn path(&mut self, ticket: TicketId) -> Option<Vec<TreeHash>> {
        self.refresh();
        self.tree.inclusion(Head::index(ticket), self.size)
    }

    fn refresh(&mut self) {
        let mut leaves = Vec::with_capacity(self.stale.len());
        for index in self.stale.drain(..) {
            if let Some(slot) = self.slots.get(index) {
                leaves.push((index, leaf_hash(slot.head.leaf().as_bytes())));
                self.slots.put(index, Some(Slot { state: Leaf::Fresh, ..slot }));
            }
        }
        self.tree.set(self.size, &leaves);
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::id;
    use super::*;

    fn head(number: u64, entries: u32) -> Head {
        Head { ticket: id(number), entries: Version(entries), last: EntryHash([entries as u8; 32]) }
    }

    #[test]
    fn a_leaf_is_a_line_that_anyone_can_write() {
        let last = "03".repeat(32);
        assert_eq!(head(472, 3).leaf(), format!("0000-4727 3 {last}\n"));
        assert_eq!(Head::index(id(1)), 0);
    }

    #[test]
    fn the_tree_is_the_same_however_often_it_is_brought_up() {
        let (mut often, mut once) = (Heads::new(), Heads::new());
        for (position, (number, entries)) in (0..).zip([(3, 1), (1, 1), (3, 2), (700, 1), (1, 2), (3, 3), (701, 1)]) {
            often.take(head(number, entries), Position(position));
            once.take(head(number, entries), Position(position));
            often.head();
        }
        assert_eq!(often.head(), once.head());
        assert_eq!(often.head().size, 701);
        for (number, leaf) in [(1, head(1, 2).leaf()), (2, UNUSED.to_owned()), (701, head(701, 1).leaf())] {
            let path = often.path(id(number)).unwrap();
            assert!(once.head().has(leaf.as_bytes(), number - 1, &path), "{number}");
        }
        assert_eq!(often.path(id(702)), None);
    }

    #[test]
    fn without_tickets_the_tree_is_empty() {
        let mut heads = Heads::new();
        assert_eq!((heads.head(), heads.path(id(1))), (super::super::tree::Edge::default().head(), None));
    }
}
