//! Listing tickets: a filter and pages.

use jiff::{SignedDuration, Timestamp};

use crate::code::{DeskId, OfficerId};
use crate::ticket::{Origin, Reference, StateKind, Ticket, TicketId};

/// Which tickets to list. Everything left out matches everything; closed tickets are listed only when their state is
/// asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct TicketFilter {
    pub(crate) desk: Option<DeskId>,
    pub(crate) officer: Option<OfficerId>,
    pub(crate) state: Option<StateKind>,
    pub(crate) older_than: Option<SignedDuration>,
    pub(crate) old_number: Option<Reference>,
}

impl TicketFilter {
    /// Every open ticket.
    pub fn open() -> Self {
        Self::default()
    }

    /// Of one desk.
    pub fn desk(mut self, desk: DeskId) -> Self {
        self.desk = Some(desk);
        self
    }

    /// Held by one officer.
    pub fn officer(mut self, officer: OfficerId) -> Self {
        self.officer = Some(officer);
        self
    }

    /// In one state.
    pub fn state(mut self, state: StateKind) -> Self {
        self.state = Some(state);
        self
    }

    /// Older than an age, counted from the post.
    pub fn older_than(mut self, age: SignedDuration) -> Self {
        self.older_than = Some(age);
        self
    }

    /// With this number in the system used before: one ticket at most, open or closed.
    pub fn old_number(mut self, number: Reference) -> Self {
        self.old_number = Some(number);
        self
    }

    pub(crate) fn wants_closed(&self) -> bool {
        self.state == Some(StateKind::Closed)
    }

    pub(crate) fn matches(&self, ticket: &Ticket, now: Timestamp) -> bool {
        let state = ticket.state().kind();
        let in_state = match self.state {
            Some(wanted) => state == wanted,
            // Who asks for a number wants to hear of it in whatever state it is.
            None => state.is_open() || self.old_number.is_some(),
        };
        in_state
            && self.desk.as_ref().is_none_or(|desk| ticket.desk() == Some(desk))
            && self.officer.as_ref().is_none_or(|o| ticket.holder().is_some_and(|holder| holder.officer == *o))
            && self.older_than.is_none_or(|age| ticket.age(now) > age)
            && self
                .old_number
                .as_ref()
                .is_none_or(|number| matches!(ticket.origin(), Origin::Imported(old) if old == number))
    }
}

/// One page of a listing: at most `limit` tickets with numbers after `after`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// The last ticket of the page before; `None` for the first page.
    pub after: Option<TicketId>,
    /// At most how many, up to [`Page::MOST`].
    pub limit: usize,
}

impl Page {
    /// The most tickets of one page.
    pub const MOST: usize = 1_000;

    /// The first page.
    #[must_use]
    pub const fn first(limit: usize) -> Self {
        Self { after: None, limit }
    }
}
