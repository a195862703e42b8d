//! Where a ticket goes next: the rules asked, the ladder climbed, circles and used-up transfers kept in mind.
//!
//! This is what the dispatcher decides. Which officer at the desk gets the ticket is the desk's decision.

use jiff::Timestamp;

use crate::code::{DepartmentId, DeskId, OfficerId};
use crate::grievance::Filing;
use crate::roster::{Roster, Rung, Track};
use crate::rules::{Level, Rules};
use crate::ticket::{Bound, Holder, MarkReason, Policy, Routing, State, Ticket, TicketEvent, TriageReason};

/// Where a ticket goes: to which desk, how high on the ladder, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Placement {
    /// What the rules said, where they were asked: [`TicketEvent::Routed`] or [`TicketEvent::SentToTriage`].
    pub routed: Option<TicketEvent>,
    /// The desk.
    pub desk: DeskId,
    /// How high on the ladder.
    pub rung: Rung,
    /// The department whose matter it is.
    pub department: Option<DepartmentId>,
    /// The officer, where it has to be this one if they are there.
    pub officer: Option<OfficerId>,
    /// Why it is marked there.
    pub why: MarkReason,
}

/// Where `ticket`, which is between desks, goes.
#[must_use]
pub fn place(ticket: &Ticket, rules: &Rules, roster: &Roster, policy: &Policy, now: Timestamp) -> Placement {
    let (bound, why) = match ticket.state() {
        State::Unplaced { bound, why } => (bound.clone(), *why),
        // Only a ticket whose officer or desk left the roster is placed from another state.
        _ => (hand_over(ticket, roster), MarkReason::RosterChanged),
    };
    let going = Going { ticket, rules, roster, now };
    let placement = match bound {
        Bound::ByRules => going.by_rules(why),
        Bound::ByRulesElsewhere => {
            let placement = going.by_rules(why);
            let had_it = ticket.desk() == Some(&placement.desk) || ticket.earlier_desks().contains(&placement.desk);
            if had_it { going.top(why) } else { placement }
        }
        Bound::Desk(desk) => going.to_desk(&desk, Rung::Officer, why),
        Bound::Above(rung) => going.climb(rung.above(), why),
        Bound::Back(holder) => going.back(&holder, why),
        Bound::Control => going.top(why),
    };
    if is_transfer(ticket, &placement) && ticket.transfers_used_up(policy) {
        return going.top(MarkReason::UsedUp);
    }
    placement
}

/// Where a grievance goes on which the engine met a fault of its own: to the control desk, with that reason.
#[must_use]
pub fn place_after_fault(filing: &Filing, rules: &Rules, roster: &Roster) -> Placement {
    let (desk, rung) = roster.top(filing.against.as_ref());
    let routed = TicketEvent::SentToTriage { why: TriageReason::Fault, table: rules.version(), row: None };
    Placement { routed: Some(routed), desk, rung, department: None, officer: None, why: MarkReason::Routed }
}

fn is_transfer(ticket: &Ticket, placement: &Placement) -> bool {
    let chosen =
        matches!(placement.why, MarkReason::Forwarded | MarkReason::CategoryChanged | MarkReason::PlaceChanged);
    let between_desks = ticket.desk().is_some_and(|from| *from != placement.desk && *from != DeskId::Control);
    chosen && between_desks && placement.desk != DeskId::Control
}

fn hand_over(ticket: &Ticket, roster: &Roster) -> Bound {
    match ticket.desk() {
        Some(desk) if roster.desk(desk).is_some() => Bound::Desk(desk.clone()),
        _ => Bound::ByRules,
    }
}

struct Going<'a> {
    ticket: &'a Ticket,
    rules: &'a Rules,
    roster: &'a Roster,
    now: Timestamp,
}

impl Going<'_> {
    fn by_rules(&self, why: MarkReason) -> Placement {
        let filing = self.ticket.filing();
        let decision = self.rules.decide(filing.category.as_ref(), filing.place.as_ref());
        let triage = |reason| {
            let row = Some(decision.row.id.clone());
            let routed = TicketEvent::SentToTriage { why: reason, table: decision.table, row };
            Placement { routed: Some(routed), department: None, ..self.top(why) }
        };
        let Some(route) = decision.row.route() else { return triage(TriageReason::NoRule) };
        if !self.roster.has_department(&route.department) {
            return triage(TriageReason::NoDesk);
        }
        // A district's matter whose district is not known, or has no desk, is the department's own.
        let district = filing.place.as_ref().map(|place| place.district());
        let district = district.filter(|d| route.level == Level::District && self.roster.has_district(d));
        let track = Track { district, department: Some(route.department.clone()) };
        let routing = Routing { table: decision.table, row: decision.row.id.clone(), route };
        let routed = Some(TicketEvent::Routed(Box::new(routing)));
        Placement { routed, ..self.on_ladder(track, Rung::Officer, why) }
    }

    fn to_desk(&self, desk: &DeskId, rung: Rung, why: MarkReason) -> Placement {
        match desk {
            DeskId::Control => self.top(why),
            _ => self.on_ladder(Track::at(desk, self.department()), rung, why),
        }
    }

    fn climb(&self, rung: Rung, why: MarkReason) -> Placement {
        let here = self.ticket.desk().unwrap_or(&DeskId::Control);
        self.on_ladder(Track::at(here, self.department()), rung, why)
    }

    /// To the officer who had it; if they are away for good, to whoever sits where they sat.
    fn back(&self, holder: &Holder, why: MarkReason) -> Placement {
        let placement = self.to_desk(&holder.desk, self.ticket.rung(), why);
        let same_desk = placement.desk == holder.desk;
        Placement { officer: same_desk.then(|| holder.officer.clone()), ..placement }
    }

    fn top(&self, why: MarkReason) -> Placement {
        let (desk, rung) = self.roster.top(self.ticket.filing().against.as_ref());
        Placement { routed: None, desk, rung, department: self.department(), officer: None, why }
    }

    fn on_ladder(&self, track: Track, from: Rung, why: MarkReason) -> Placement {
        let against = self.ticket.filing().against.as_ref();
        let (desk, rung) = self.roster.lowest(&track, from, against, self.now);
        Placement { routed: None, desk, rung, department: track.department, officer: None, why }
    }

    fn department(&self) -> Option<DepartmentId> {
        self.ticket.routing().map(|routing| routing.route.department.clone())
    }
}
