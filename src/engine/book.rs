//! A desk's book: the tickets it owns, who holds how many, and the dates ahead. Plain data, tested with no runtime.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};
use std::sync::Arc;

use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::code::{DeskId, OfficerId};
use crate::engine::errand::{Arrival, Manner, Order, Stamp, Who};
use crate::engine::error::ActError;
use crate::engine::request::{Receipt, Standing};
use crate::grievance::Against;
use crate::journal::{Entry, Format, Position, Record, TicketEntry};
use crate::personal::SaltedRecord;
use crate::placing::{Placement, place_after_fault};
use crate::roster::{Officer, Roster, Seat};
use crate::rules::Rules;
use crate::ticket::{
    Action, ActionKind, Asked, By, Command, Holder, Policy, RequestId, Roles, StateKind, Ticket, TicketEvent, TicketId,
    Version,
};

/// How often the date of a ticket may fail, each time tried twice, before it is passed over.
const DATE_TRIES: u8 = 2;

/// What a desk owns and knows.
#[derive(Debug)]
pub(crate) struct Book {
    desk: DeskId,
    rules: Arc<Rules>,
    roster: Arc<Roster>,
    policy: Arc<Policy>,
    /// Boxed, so that the table grows without moving them, and a ticket moves to another desk as a pointer.
    tickets: HashMap<TicketId, Box<Ticket>, FixedState>,
    /// By seat in the roster.
    loads: Vec<Load>,
    /// Counts marks, so that of two officers with equal loads the one whose last mark is longer ago is next.
    marks: u64,
    /// Tickets on whose date the desk failed, at the version they had, and how often: after [`DATE_TRIES`] the date is
    /// passed over until something else happens to them.
    failed_dates: HashMap<TicketId, (Version, u8), FixedState>,
    /// The date of each open ticket that is not with the satisfaction actor; passed over when out of date.
    dates: BinaryHeap<Reverse<(Timestamp, TicketId)>>,
}

/// To whom an arrival is given.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Marking {
    event: TicketEvent,
    seat: Seat,
}

/// How much an officer has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Load {
    open: u32,
    last_mark: u64,
}

/// What came of an action.
#[derive(Debug)]
pub(crate) enum Acted {
    /// It had been done before.
    Already(Receipt),
    /// The ticket stays at the desk; this is to be written.
    Stays(Box<Record>, Receipt),
    /// The ticket leaves the desk, with these events.
    Leaves(Box<Ticket>, Vec<TicketEvent>),
}

impl Book {
    pub(crate) fn new(desk: DeskId, rules: Arc<Rules>, roster: Arc<Roster>, policy: Arc<Policy>) -> Self {
        let loads = vec![Load::default(); roster.officers().len()];
        let (tickets, failed_dates) = (HashMap::default(), HashMap::default());
        Self { desk, rules, roster, policy, tickets, loads, marks: 0, failed_dates, dates: BinaryHeap::new() }
    }

    /// Forgets everything and begins again with these tickets. When each officer was last given one is told by the
    /// journal: the ticket may be closed.
    pub(crate) fn rebuild(&mut self, tickets: Vec<Ticket>, marks: &BTreeMap<OfficerId, Position>) {
        self.tickets.clear();
        self.dates.clear();
        // 0 is for who never had one.
        let last_mark = |officer: &Officer| marks.get(officer.id()).map_or(0, |mark| mark.0.saturating_add(1));
        let load = |officer: &Officer| Load { open: 0, last_mark: last_mark(officer) };
        self.loads = self.roster.officers().iter().map(load).collect();
        self.marks = self.loads.iter().map(|load| load.last_mark).max().unwrap_or_default();
        tickets.into_iter().for_each(|ticket| self.keep(Box::new(ticket)));
    }

    pub(crate) fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.get(&id).map(Box::as_ref)
    }

    /// To whom an arrival is given, as an event. It changes nothing, so that it can be tried again.
    pub(crate) fn marking(&self, arrival: &Arrival, now: Timestamp) -> Marking {
        let Arrival { ticket, placement, manner, .. } = arrival;
        let seat = self.choose(placement, ticket.filing().against.as_ref(), now);
        let officer = self.roster.at(seat).id().clone();
        let holder = Holder { desk: placement.desk.clone(), officer };
        let event = match manner {
            Manner::Mark => ticket.marked(holder, placement.rung, placement.why, &self.policy, now),
            Manner::HandOver => TicketEvent::HandedOver { holder, rung: placement.rung, at: now },
        };
        Marking { event, seat }
    }

    /// Turns an arrival on which this desk failed towards the control desk (or whoever stands in for it).
    pub(crate) fn redirect(&self, arrival: &mut Arrival) {
        let placement = place_after_fault(arrival.ticket.filing(), &self.rules, &self.roster);
        if let (Some(routed), Manner::Mark) = (&placement.routed, arrival.manner) {
            arrival.ticket.apply(routed);
            arrival.events.push(routed.clone());
        }
        arrival.placement = placement;
    }

    /// Takes a ticket in that another desk had marked to someone here.
    pub(crate) fn adopt(&mut self, ticket: Box<Ticket>) {
        if self.tickets.get(&ticket.id()).is_none_or(|known| known.version() < ticket.version()) {
            self.let_go(ticket.id());
            self.mark_and_keep(ticket);
        }
    }

    /// Notes that the desk failed on the date of a ticket.
    pub(crate) fn date_failed(&mut self, id: TicketId) {
        let Some(version) = self.tickets.get(&id).map(|ticket| ticket.version()) else { return };
        let before = self.failed_dates.get(&id).filter(|(at, _)| *at == version).map_or(0, |(_, tries)| *tries);
        self.failed_dates.insert(id, (version, before + 1));
    }

    /// Takes a ticket in with its marking and makes the entry of it.
    pub(crate) fn take(&mut self, arrival: Arrival, marking: Marking, stamp: Stamp) -> (Record, Receipt) {
        let Arrival { mut ticket, mut events, by, action, request, personal, .. } = arrival;
        let asked = request.zip(action).map(|(request, action)| Asked { request, by: by.clone(), action });
        ticket.advance([&marking.event], asked);
        events.push(marking.event);
        let written = write(&ticket, stamp, (by, action, request), events, personal);
        self.note_mark(marking.seat);
        self.keep_at(ticket, Some(marking.seat));
        written
    }

    /// Carries an action out on a ticket of its own.
    pub(crate) fn act(&mut self, order: &mut Order, stamp: Stamp) -> Result<Acted, ActError> {
        let unknown = ActError::UnknownTicket { ticket: order.ticket };
        let ticket = self.tickets.get(&order.ticket).ok_or(unknown)?;
        if let Some(receipt) = repeated(ticket, order.asked())? {
            return Ok(Acted::Already(receipt));
        }
        let events = carry_out(ticket, order, &self.rules, &self.roster, &self.policy, stamp.now)?;
        // From here on nothing fails.
        let Some(mut ticket) = self.let_go(order.ticket) else {
            return Err(ActError::UnknownTicket { ticket: order.ticket });
        };
        if events.iter().any(leaves) {
            events.iter().for_each(|event| ticket.apply(event));
            return Ok(Acted::Leaves(ticket, events));
        }
        ticket.advance(&events, order.asked());
        let asked = (order.who.by(), Some(order.action.kind()), order.request);
        let (record, receipt) = write(&ticket, stamp, asked, events, order.personal.take());
        self.keep(ticket);
        Ok(Acted::Stays(Box::new(record), receipt))
    }

    /// At most `limit` tickets whose date has come, the longest due first.
    pub(crate) fn due(&mut self, now: Timestamp, limit: usize) -> Vec<TicketId> {
        let mut due = Vec::new();
        while due.len() < limit
            && let Some(&Reverse((date, id))) = self.dates.peek()
            && date <= now
        {
            self.dates.pop();
            if self.date_of(id) == Some(date) {
                due.push(id);
            }
        }
        due
    }

    /// The next date ahead.
    pub(crate) fn next_date(&mut self) -> Option<Timestamp> {
        while let Some(&Reverse((date, id))) = self.dates.peek() {
            if self.date_of(id) == Some(date) {
                return Some(date);
            }
            self.dates.pop();
        }
        None
    }

    /// Lets go of those that are closed; which of them are not here (any more).
    pub(crate) fn release(&mut self, closed: &[TicketId]) -> Vec<TicketId> {
        let is_closed = |id: &TicketId| self.tickets.get(id).is_none_or(|t| t.state().kind() == StateKind::Closed);
        let released: Vec<TicketId> = closed.iter().copied().filter(is_closed).collect();
        for id in &released {
            self.tickets.remove(id);
        }
        released
    }

    /// Goes on with other rules and another roster; answers the tickets that nobody here can hold any more, by number.
    pub(crate) fn change(
        &mut self,
        rules: Arc<Rules>,
        roster: Arc<Roster>,
        marks: &BTreeMap<OfficerId, Position>,
    ) -> Vec<Ticket> {
        self.rules = rules;
        self.roster = roster;
        let stays = self.roster.desk(&self.desk).is_some();
        let here = |ticket: &Ticket| stays && holds_here(ticket, &self.desk, &self.roster);
        let everything = std::mem::take(&mut self.tickets);
        let (kept, mut gone): (Vec<_>, Vec<_>) = everything
            .into_values()
            .map(|ticket| *ticket)
            .partition(|ticket| here(ticket) || ticket.state().kind() == StateKind::Closed);
        // The book itself has no order.
        gone.sort_unstable_by_key(Ticket::id);
        self.rebuild(kept, marks);
        gone
    }

    /// Whose turn it is: on duty, least loaded, and of those the one whose last mark is longest ago.
    fn choose(&self, placement: &Placement, against: Option<&Against>, now: Timestamp) -> Seat {
        let wanted = placement.officer.as_ref().and_then(|officer| self.roster.stand_in(officer, against, now));
        if let Some(wanted) = wanted.filter(|&seat| *self.roster.at(seat).desk() == placement.desk) {
            return wanted;
        }
        // A desk that is not on the roster gets no tickets, since the dispatcher goes by the same roster.
        let Some(desk) = self.roster.desk(&placement.desk) else { return 0 };
        let load = |seat: &Seat| self.loads.get(*seat as usize).copied().unwrap_or_default();
        let department = placement.department.as_ref();
        let candidates = self.roster.candidates(desk, placement.rung, department, against, now);
        candidates.min_by_key(load).unwrap_or(self.roster.nodal_seat(desk))
    }

    fn mark_and_keep(&mut self, ticket: Box<Ticket>) {
        if let Some(seat) = self.seat_of(&ticket) {
            self.note_mark(seat);
        }
        self.keep(ticket);
    }

    fn keep(&mut self, ticket: Box<Ticket>) {
        let seat = self.seat_of(&ticket);
        self.keep_at(ticket, seat);
    }

    fn keep_at(&mut self, ticket: Box<Ticket>, seat: Option<Seat>) {
        if let Some(date) = self.own_date(&ticket) {
            self.dates.push(Reverse((date, ticket.id())));
        }
        if let Some(seat) = seat.filter(|_| is_work(&ticket)) {
            self.loads[seat as usize].open += 1;
        }
        self.tickets.insert(ticket.id(), ticket);
    }

    /// Notes whose turn it was. What an officer does with a ticket afterwards is no mark.
    fn note_mark(&mut self, seat: Seat) {
        self.marks += 1;
        self.loads[seat as usize].last_mark = self.marks;
    }

    pub(crate) fn let_go(&mut self, id: TicketId) -> Option<Box<Ticket>> {
        let ticket = self.tickets.remove(&id)?;
        if let Some(seat) = self.seat_of(&ticket).filter(|_| is_work(&ticket)) {
            let load = &mut self.loads[seat as usize];
            load.open = load.open.saturating_sub(1);
        }
        Some(ticket)
    }

    /// Where the holder sits; `None` for one who is not on the roster.
    fn seat_of(&self, ticket: &Ticket) -> Option<Seat> {
        self.roster.seat(&ticket.holder()?.officer)
    }

    fn date_of(&self, id: TicketId) -> Option<Timestamp> {
        let ticket = self.tickets.get(&id)?;
        let given_up = |&(at, tries): &(Version, u8)| at == ticket.version() && tries >= DATE_TRIES;
        self.own_date(ticket).filter(|_| !self.failed_dates.get(&id).is_some_and(given_up))
    }

    /// The date on which the desk does something: the satisfaction actor has those of answered tickets.
    fn own_date(&self, ticket: &Ticket) -> Option<Timestamp> {
        match ticket.state().kind() {
            StateKind::Resolved | StateKind::Rejected => None,
            // The end of time never comes.
            _ => ticket.state().next_date().filter(|date| *date < Timestamp::MAX),
        }
    }
}

/// Whether a ticket is work for its holder: not once it is answered.
fn is_work(ticket: &Ticket) -> bool {
    !matches!(ticket.state().kind(), StateKind::Resolved | StateKind::Rejected | StateKind::Closed)
}

/// Whether a ticket's holder sits at `desk` by this roster, and may hold it.
pub(crate) fn holds_here(ticket: &Ticket, desk: &DeskId, roster: &Roster) -> bool {
    let seat = ticket.holder().and_then(|holder| roster.seat(&holder.officer));
    seat.is_some_and(|seat| roster.at(seat).desk() == desk && !roster.is_barred(seat, ticket.filing().against.as_ref()))
}

/// The answer to an act that had been carried out before; an error when its request id was another's.
pub(crate) fn repeated(ticket: &Ticket, asked: Option<Asked>) -> Result<Option<Receipt>, ActError> {
    let Some(asked) = asked else { return Ok(None) };
    let version = ticket.done(&asked)?;
    Ok(version.map(|version| Receipt { ticket: ticket.id(), version, standing: Standing::AlreadyDone }))
}

/// What follows from an order for a ticket, or why not.
pub(crate) fn carry_out(
    ticket: &Ticket,
    order: &Order,
    rules: &Rules,
    roster: &Roster,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<TicketEvent>, ActError> {
    check_names(&order.action, rules, roster)?;
    let roles = match &order.who {
        Who::System => Roles::SYSTEM,
        Who::Citizen(author) if ticket.filing().author == Some(*author) => Roles::CITIZEN,
        Who::Citizen(_) => return Err(ActError::NotTheComplainant),
        Who::Officer(officer) => {
            let Some(seat) = roster.seat(officer) else {
                return Err(ActError::UnknownOfficer { officer: officer.clone() });
            };
            // Whom the ticket complains about has no role, and hears no more than any other who does not hold it.
            let roles = roster.roles(officer, ticket, now);
            // A part is reported done by the desk that was asked for it, not by another that was asked for another.
            let own_part = |number: u16| {
                let part = ticket.open_parts().iter().find(|part| part.number == number);
                part.is_none_or(|part| part.desk == *roster.at(seat).desk())
            };
            match order.action {
                Action::PartDone(number) if !own_part(number) => roles.without(Roles::ASSISTING),
                _ => roles,
            }
        }
    };
    let command = Command { action: order.action.clone(), roles, expected: order.expected };
    Ok(ticket.decide(&command, policy, now)?)
}

/// Whether what an action names exists.
fn check_names(action: &Action, rules: &Rules, roster: &Roster) -> Result<(), ActError> {
    match action {
        Action::Forward(Some(desk)) | Action::Assist(desk) if roster.desk(desk).is_none() => {
            Err(ActError::UnknownDesk { desk: desk.clone() })
        }
        Action::ChangeCategory(category) if !rules.categories().contains(category.as_str()) => {
            Err(ActError::UnknownCategory { category: category.clone() })
        }
        Action::ChangePlace(place) if !rules.places().contains(place.as_str()) => {
            Err(ActError::UnknownPlace { place: place.clone() })
        }
        _ => Ok(()),
    }
}

/// Whether the ticket is between desks after this event.
fn leaves(event: &TicketEvent) -> bool {
    matches!(
        event,
        TicketEvent::Forwarded { .. }
            | TicketEvent::Returned
            | TicketEvent::CategoryChanged { .. }
            | TicketEvent::PlaceChanged { .. }
            | TicketEvent::Escalated { .. }
            | TicketEvent::NotSatisfied { .. }
    )
}

/// The entry of a decision, made after the ticket was advanced by it.
fn write(
    ticket: &Ticket,
    stamp: Stamp,
    (by, action, request): (By, Option<ActionKind>, Option<RequestId>),
    events: Vec<TicketEvent>,
    personal: Option<Box<SaltedRecord>>,
) -> (Record, Receipt) {
    let receipt = Receipt { ticket: ticket.id(), version: ticket.version(), standing: Standing::Done };
    let entry = Entry::Ticket(TicketEntry {
        format: Format,
        ticket: ticket.id(),
        version: ticket.version(),
        at: stamp.now,
        by,
        action,
        request,
        table: stamp.table,
        events,
        personal: personal.as_ref().map(|record| record.commitment()),
    });
    (Record { entry, personal }, receipt)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grievance::{Channel, Confidentiality, Filing, Source};
    use crate::personal::InstallationKey;
    use crate::placing::place;
    use crate::rules::Rules;
    use crate::ticket::{Action, Origin, Outcome};
    use crate::tree::Tree;

    const ROSTER: &str = r#"
        time_zone = "Asia/Kolkata"
        control = { name = "Control", nodal = "control", oversight = "water" }
        department = [{ code = "water", name = "Water", nodal = "water-state" }]
        district = [{ code = "hisar", name = "Hisar", nodal = "ctm" }]
        officer = [
            { id = "control", name = "Control", desk = "control" },
            { id = "water-state", name = "Water", desk = "water" },
            { id = "ctm", name = "City Magistrate", desk = "hisar" },
            { id = "a", name = "A", desk = "hisar", department = "water" },
            { id = "b", name = "B", desk = "hisar", department = "water" },
        ]
    "#;

    fn rules() -> Rules {
        let csv = "id,category,location,department,level,priority,deadline_hours\n\
                   W,water,,water,district,normal,48\nELSE,,,control,,normal,24\n";
        let categories = Tree::from_paths(["water".parse().unwrap()]);
        let places = Tree::from_paths(["hisar".parse().unwrap()]);
        Rules::read(categories, places, csv.as_bytes()).unwrap()
    }

    fn now() -> Timestamp {
        "2022-07-14T06:30:00Z".parse().unwrap()
    }

    fn stamp(now: Timestamp) -> Stamp {
        Stamp { seq: 1, generation: 0, now, table: rules().version() }
    }

    fn book() -> Book {
        let roster = Arc::new(Roster::read(ROSTER).unwrap());
        Book::new("district:hisar".parse().unwrap(), Arc::new(rules()), roster, Arc::new(Policy::default()))
    }

    fn arrival(book: &Book, number: u64) -> Arrival {
        let filing = Filing {
            channel: Channel::X,
            source: InstallationKey::new(&[0; 32]).source(&Source::new(Channel::X, number.to_string()).unwrap()),
            post: None,
            author: None,
            category: Some("water".parse().unwrap()),
            place: Some("hisar".parse().unwrap()),
            posted_at: now(),
            language: None,
            against: None,
            confidentiality: Confidentiality::Open,
        };
        let ticket = TicketId::from_number(number).unwrap();
        let received = TicketEvent::Received { ticket, filing: Arc::new(filing), origin: Origin::Submitted };
        let mut ticket = Ticket::open(&received).unwrap();
        let mut placement = place(&ticket, None, &rules(), &book.roster, &book.policy, now());
        let routed = placement.routed.take().unwrap();
        ticket.apply(&routed);
        let events = vec![received, routed];
        let (manner, by) = (Manner::Mark, By::Citizen);
        Arrival { ticket: Box::new(ticket), placement, manner, events, by, action: None, request: None, personal: None }
    }

    fn take(book: &mut Book, number: u64) -> OfficerId {
        let arrival = arrival(book, number);
        let marking = book.marking(&arrival, now());
        let (_, receipt) = book.take(arrival, marking, stamp(now()));
        book.ticket(receipt.ticket).unwrap().holder().unwrap().officer.clone()
    }

    fn order(number: u64, officer: &str, action: Action) -> Order {
        let (ticket, who) = (TicketId::from_number(number).unwrap(), Who::Officer(officer.parse().unwrap()));
        Order { ticket, who, action, request: None, expected: None, personal: None }
    }

    #[test]
    fn the_least_loaded_is_next_and_equals_take_turns() {
        let mut book = book();
        let first: Vec<String> = (1..=4).map(|n| take(&mut book, n).to_string()).collect();
        assert_eq!(first, ["a", "b", "a", "b"]);
        // Who has answered one has less to do.
        let mut resolve = order(2, "b", Action::Resolve(Outcome::Fixed));
        assert!(matches!(book.act(&mut resolve, stamp(now())), Ok(Acted::Stays(..))));
        assert_eq!(take(&mut book, 5).as_str(), "b");
    }

    #[test]
    fn deciding_changes_nothing_and_can_be_tried_again() {
        let book = book();
        let arrival = arrival(&book, 1);
        assert_eq!(book.marking(&arrival, now()), book.marking(&arrival, now()));
        assert!(book.ticket(arrival.ticket.id()).is_none());
    }

    #[test]
    fn a_ticket_that_leaves_is_not_in_the_book_any_more() {
        let mut book = book();
        take(&mut book, 1);
        let mut forward = order(1, "a", Action::Forward(Some("department:water".parse().unwrap())));
        let acted = book.act(&mut forward, stamp(now()));
        assert!(
            matches!(acted, Ok(Acted::Leaves(ticket, events)) if ticket.id() == forward.ticket && events.len() == 1)
        );
        assert!(book.ticket(forward.ticket).is_none());
        assert_eq!(book.next_date(), None);
        let unknown = book.act(&mut forward, stamp(now())).unwrap_err();
        assert_eq!(unknown, ActError::UnknownTicket { ticket: forward.ticket });
    }

    #[test]
    fn a_refused_act_changes_nothing() {
        let mut book = book();
        take(&mut book, 1);
        let before = book.ticket(TicketId::from_number(1).unwrap()).cloned();
        let refused = book.act(&mut order(1, "b", Action::Acknowledge), stamp(now()));
        assert!(matches!(refused, Err(ActError::Refused(_))));
        assert_eq!(book.ticket(TicketId::from_number(1).unwrap()).cloned(), before);
    }

    #[test]
    fn dates_come_once_each_in_bounded_steps() {
        let mut book = book();
        (1..=5).for_each(|n| drop(take(&mut book, n)));
        let due = book.next_date().unwrap();
        assert!(book.due(due - jiff::SignedDuration::from_secs(1), 10).is_empty());
        let first = book.due(due, 3);
        let second = book.due(due, 3);
        assert_eq!((first.len(), second.len()), (3, 2));
        assert!(book.due(due, 3).is_empty());
    }

    #[test]
    fn rebuilt_from_its_tickets_it_goes_on_as_before() {
        let mut book = book();
        (1..=3).for_each(|n| drop(take(&mut book, n)));
        let tickets: Vec<Ticket> = (1..=3).filter_map(|n| book.ticket(TicketId::from_number(n)?).cloned()).collect();
        let next_date = book.next_date();
        let marks = [("a", 2), ("b", 1)].map(|(officer, mark)| (officer.parse().unwrap(), Position(mark)));
        book.rebuild(tickets, &BTreeMap::from(marks));
        assert_eq!(book.next_date(), next_date);
        assert_eq!(take(&mut book, 4).as_str(), "b");
    }

    #[test]
    fn whose_mark_is_longest_ago_is_known_when_the_ticket_is_closed_long_since() {
        let mut book = book();
        let marks = [("a", 7), ("b", 3)].map(|(officer, mark)| (officer.parse().unwrap(), Position(mark)));
        book.rebuild(Vec::new(), &BTreeMap::from(marks));
        assert_eq!([take(&mut book, 1).as_str(), take(&mut book, 2).as_str()], ["b", "a"]);
    }

    #[test]
    fn officers_who_leave_the_roster_leave_their_tickets() {
        let mut book = book();
        (1..=4).for_each(|n| drop(take(&mut book, n)));
        let without_b: String = ROSTER.lines().filter(|line| !line.contains("\"b\"")).collect::<Vec<_>>().join("\n");
        let gone = book.change(Arc::new(rules()), Arc::new(Roster::read(&without_b).unwrap()), &BTreeMap::new());
        let gone: Vec<u64> = gone.iter().map(|ticket| ticket.id().number()).collect();
        assert_eq!(gone, [2, 4]);
        assert_eq!(take(&mut book, 5).as_str(), "a");
    }

    #[test]
    fn only_the_closed_are_let_go() {
        let mut book = book();
        (1..=2).for_each(|n| drop(take(&mut book, n)));
        let ids: Vec<TicketId> = (1..=2).filter_map(TicketId::from_number).collect();
        assert!(book.release(&ids).is_empty());
    }
}
