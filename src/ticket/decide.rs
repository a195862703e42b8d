//! What follows from an action: the decisions of the state machine.

use jiff::Timestamp;

use super::state::State;
use super::{Action, ActionKind, ClosedBy, Command, MarkReason, Outcome, Policy, Refusal, Remark, Review};
use super::{Roles, StateKind, Ticket, TicketEvent, may};
use crate::code::DeskId;
use crate::grievance::Against;
use crate::roster::Rung;
use crate::ticket::Holder;

impl Ticket {
    /// What follows from `command` at `now`: the events, to be applied in their order, or why not.
    ///
    /// It changes nothing. After a forward, a return, a correction, an escalation or a complaint the ticket is
    /// [`Unplaced`](State::Unplaced) and has to be marked to somebody ([`Ticket::marked`]) within the same entry.
    ///
    /// # Errors
    /// [`Refusal`] says what stands against it and what would be possible.
    pub fn decide(&self, command: &Command, policy: &Policy, now: Timestamp) -> Result<Vec<TicketEvent>, Refusal> {
        use TicketEvent as E;
        self.check(command)?;
        Ok(match &command.action {
            Action::Acknowledge => vec![E::Acknowledged],
            Action::Resolve(outcome) => {
                match outcome {
                    Outcome::Duplicate(other) if *other == self.id => return Err(Refusal::DuplicateOfItself),
                    Outcome::Rejected(_) | Outcome::Withdrawn => {
                        return Err(Refusal::NotForReports { outcome: outcome.clone() });
                    }
                    _ => {}
                }
                if !self.open_parts.is_empty() {
                    return Err(Refusal::PartsOpen { open: self.open_parts.len() });
                }
                let mut events = self.acknowledged();
                // A nodal officer's own report has no one above it at the desk to review it.
                let reviewed = policy.review == Review::NodalOfficer && !command.roles.meets(Roles::NODAL);
                let review_due = reviewed.then(|| policy.review_within.after(now));
                events.push(E::ReportFiled { outcome: outcome.clone(), review_due });
                if !reviewed {
                    events.push(self.answered(outcome.clone(), policy, now));
                }
                events
            }
            Action::Approve | Action::SendBack
                if command.roles.meets(Roles::HOLDER) && !command.roles.meets(Roles::NODAL) =>
            {
                return Err(Refusal::OwnReport);
            }
            Action::Approve => {
                let State::UnderReview { outcome, .. } = &self.state else { return Err(self.not_now(command)) };
                vec![E::ReportApproved, self.answered(outcome.clone(), policy, now)]
            }
            Action::SendBack => vec![E::ReportSentBack { due: self.deadline(policy, now) }],
            Action::Reject(grounds) => vec![self.answered(Outcome::Rejected(*grounds), policy, now)],
            Action::Forward(to) => {
                if let Some(desk) = to {
                    self.check_forward(desk, command.roles)?;
                }
                vec![E::Forwarded { to: to.clone() }]
            }
            Action::Return => {
                let until = policy.return_within.after(self.marked_at);
                if now > until {
                    return Err(Refusal::TooLateToReturn { within: policy.return_within, until });
                }
                if self.rung == Rung::Control {
                    return Err(Refusal::HadItAlready { desk: self.desk().cloned().unwrap_or(DeskId::Control) });
                }
                vec![E::Returned]
            }
            Action::ChangeCategory(to) => {
                let from = self.filing.category.clone();
                if from.as_ref() == Some(to) {
                    return Err(Refusal::NothingChanges);
                }
                self.check_corrections(command.roles, policy)?;
                vec![E::CategoryChanged { from, to: to.clone() }]
            }
            Action::ChangePlace(to) => {
                let from = self.filing.place.clone();
                if from.as_ref() == Some(to) {
                    return Err(Refusal::NothingChanges);
                }
                self.check_corrections(command.roles, policy)?;
                vec![E::PlaceChanged { from, to: to.clone() }]
            }
            Action::AskCitizen { until } => {
                let until = self.check_rest(*until, policy, now)?;
                self.acknowledged_and(E::CitizenAsked { until, since: now })
            }
            Action::Park { until, why } => {
                let until = self.check_rest(*until, policy, now)?;
                self.acknowledged_and(E::Parked { until, why: *why, since: now })
            }
            Action::InterimReply { next } => {
                let since = match self.state {
                    State::Asked { rest, .. } | State::Parked { rest, .. } => rest.since,
                    _ => now,
                };
                let next = check_date(*next, policy.longest_rest.after(since), now)?;
                if self.interim_replies >= policy.most_interim_replies {
                    return Err(Refusal::InterimRepliesUsedUp { limit: policy.most_interim_replies });
                }
                self.acknowledged_and(E::InterimReplied { next })
            }
            Action::CitizenAnswers => vec![self.resumed(now)],
            Action::Assist(desk) => {
                let at_it = self.desk() == Some(desk) || self.open_parts.iter().any(|part| part.desk == *desk);
                if at_it {
                    return Err(Refusal::AlreadyAsked { desk: desk.clone() });
                }
                if self.is_against(desk) {
                    return Err(Refusal::AgainstThatDesk { desk: desk.clone() });
                }
                if self.open_parts.len() >= usize::from(policy.most_open_parts) || self.last_part == u16::MAX {
                    return Err(Refusal::TooManyParts { limit: policy.most_open_parts });
                }
                self.acknowledged_and(E::PartAsked { part: self.last_part + 1, desk: desk.clone() })
            }
            Action::PartDone(part) => {
                if !self.open_parts.iter().any(|open| open.number == *part) {
                    return Err(Refusal::NoSuchPart { part: *part });
                }
                vec![E::PartDone { part: *part }]
            }
            Action::DatePasses => self.date_passes(policy, now)?,
            Action::Satisfied => vec![E::Satisfied, self.closed(ClosedBy::Satisfied, policy, now)],
            Action::NotSatisfied => self.not_satisfied(policy, now)?,
            Action::Withdraw => vec![self.closed(ClosedBy::Withdrawn, policy, now)],
        })
    }

    /// The event that gives the ticket to `holder` at `now`, with its deadline.
    ///
    /// The deadline is the desk's own, counted afresh, but a correction after which the ticket stays at its desk wins
    /// no time.
    #[must_use]
    pub fn marked(&self, holder: Holder, rung: Rung, why: MarkReason, policy: &Policy, now: Timestamp) -> TicketEvent {
        let fresh = self.deadline(policy, now);
        let corrected = matches!(why, MarkReason::CategoryChanged | MarkReason::PlaceChanged);
        let due = match self.left_due {
            Some(due) if corrected && self.desk() == Some(&holder.desk) => due.min(fresh),
            _ => fresh,
        };
        TicketEvent::Marked { holder, rung, why, at: now, due }
    }

    /// Whether the ticket complains about `desk`.
    #[must_use]
    pub fn is_against(&self, desk: &DeskId) -> bool {
        matches!(&self.filing.against, Some(Against::Desk(against)) if against == desk)
    }

    /// Whether the policy's transfers are used up, so that the next goes to the control desk.
    #[must_use]
    pub fn transfers_used_up(&self, policy: &Policy) -> bool {
        self.transfers >= policy.most_transfers
    }

    fn check(&self, command: &Command) -> Result<(), Refusal> {
        if let Some(expected) = command.expected
            && expected != self.version
        {
            return Err(Refusal::Stale { expected, actual: self.version });
        }
        let (action, state) = (command.action.kind(), self.state.kind());
        let needed = may(action, state);
        if needed.is_empty() {
            return Err(self.not_now(command));
        }
        if !command.roles.meets(needed) {
            return Err(Refusal::NotYours { action, state, needed });
        }
        Ok(())
    }

    fn not_now(&self, command: &Command) -> Refusal {
        let state = self.state.kind();
        let by_people = |action: &ActionKind| *action != ActionKind::DatePasses && !may(*action, state).is_empty();
        let possible = ActionKind::ALL.iter().copied().filter(by_people).collect();
        Refusal::NotNow { action: command.action.kind(), state, possible }
    }

    fn check_forward(&self, desk: &DeskId, roles: Roles) -> Result<(), Refusal> {
        if self.is_against(desk) {
            return Err(Refusal::AgainstThatDesk { desk: desk.clone() });
        }
        // The control desk may send a ticket back to where it was; among the desks it never goes in a circle.
        let earlier = self.left_desks.contains(desk) && !roles.meets(Roles::CONTROL);
        if self.desk() == Some(desk) || (earlier && *desk != DeskId::Control) {
            return Err(Refusal::HadItAlready { desk: desk.clone() });
        }
        Ok(())
    }

    fn check_corrections(&self, roles: Roles, policy: &Policy) -> Result<(), Refusal> {
        if self.corrections >= policy.most_corrections && !roles.meets(Roles::CONTROL) {
            return Err(Refusal::CorrectionsUsedUp { limit: policy.most_corrections });
        }
        Ok(())
    }

    /// A date until which the ticket may rest. Asked or parked again while it rests, the time counts from the first.
    fn check_rest(&self, date: Timestamp, policy: &Policy, now: Timestamp) -> Result<Timestamp, Refusal> {
        let since = match self.state {
            State::Asked { rest, .. } | State::Parked { rest, .. } => rest.since,
            _ if self.rests >= policy.most_rests => {
                return Err(Refusal::RestsUsedUp { limit: policy.most_rests });
            }
            _ => now,
        };
        check_date(date, policy.longest_rest.after(since), now)
    }

    /// Who acts on a ticket has seen it.
    fn acknowledged(&self) -> Vec<TicketEvent> {
        match self.state {
            State::Marked { .. } => vec![TicketEvent::Acknowledged],
            _ => Vec::new(),
        }
    }

    fn acknowledged_and(&self, event: TicketEvent) -> Vec<TicketEvent> {
        let mut events = self.acknowledged();
        events.push(event);
        events
    }

    /// The desk's own deadline, counted afresh from `now`.
    fn deadline(&self, policy: &Policy, now: Timestamp) -> Timestamp {
        let own = self.routing.as_ref().map(|routing| routing.route.deadline);
        own.or(self.remind_every).unwrap_or(policy.remind_every).after(now)
    }

    fn resumed(&self, now: Timestamp) -> TicketEvent {
        let due = match self.state {
            State::Asked { rest, .. } | State::Parked { rest, .. } => rest.resumed(now),
            _ => now,
        };
        TicketEvent::Resumed { due }
    }

    /// The citizen gets an answer; at the top of the ladder, with the re-marks used up, it is the last one.
    fn answered(&self, outcome: Outcome, policy: &Policy, now: Timestamp) -> TicketEvent {
        if self.concluding && self.rung == Rung::Control {
            return TicketEvent::Closed { by: ClosedBy::ControlDesk, outcome, at: now, reopen_until: None };
        }
        TicketEvent::Resolved { outcome, at: now, silence_at: policy.silence_closes_after.after(now) }
    }

    fn closed(&self, by: ClosedBy, policy: &Policy, now: Timestamp) -> TicketEvent {
        let outcome = match (&self.state, by) {
            (_, ClosedBy::Withdrawn) => Outcome::Withdrawn,
            (State::Resolved { outcome, .. } | State::Rejected { outcome, .. }, _) => outcome.clone(),
            _ => Outcome::NoAnswerFromCitizen,
        };
        TicketEvent::Closed { by, outcome, at: now, reopen_until: Some(policy.reopen_within.after(now)) }
    }

    fn date_passes(&self, policy: &Policy, now: Timestamp) -> Result<Vec<TicketEvent>, Refusal> {
        if let Some(due) = self.state.next_date()
            && now < due
        {
            return Err(Refusal::NotDue { due, now });
        }
        Ok(vec![match self.state.kind() {
            StateKind::Asked | StateKind::Parked => self.resumed(now),
            StateKind::Resolved | StateKind::Rejected => self.closed(ClosedBy::Silence, policy, now),
            _ if self.rung == Rung::Control => {
                TicketEvent::Reminded { due: self.remind_every.unwrap_or(policy.remind_every).after(now) }
            }
            // The nodal officer has not reviewed the report in time: it goes above them.
            StateKind::UnderReview => TicketEvent::Escalated { from: self.reviewing_rung() },
            _ => TicketEvent::Escalated { from: self.rung },
        }])
    }

    fn reviewing_rung(&self) -> Rung {
        match self.desk() {
            Some(DeskId::District(_)) => self.rung.max(Rung::DistrictNodal),
            _ => self.rung.max(Rung::Department),
        }
    }

    fn not_satisfied(&self, policy: &Policy, now: Timestamp) -> Result<Vec<TicketEvent>, Refusal> {
        let mut events = Vec::with_capacity(3);
        if let State::Closed { reopen_until, .. } = self.state {
            match reopen_until {
                None => return Err(Refusal::ClosedForGood),
                Some(until) if now > until => return Err(Refusal::WindowOver { until }),
                Some(_) => events.push(TicketEvent::Reopened),
            }
        }
        let next = self.remarks.saturating_add(1);
        let remark = if next <= u16::from(policy.remarks.to_same_officer) {
            Remark::Back(next)
        } else if next <= policy.remarks.most() {
            Remark::StepUp(next)
        } else {
            Remark::UsedUp
        };
        events.push(TicketEvent::NotSatisfied { remark });
        Ok(events)
    }
}

fn check_date(date: Timestamp, latest: Timestamp, now: Timestamp) -> Result<Timestamp, Refusal> {
    if date <= now {
        Err(Refusal::DatePast { date, now })
    } else if date > latest {
        Err(Refusal::DateTooFar { date, latest })
    } else {
        Ok(date)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::SignedDuration;

    use super::*;
    use crate::calendar::Hours;
    use crate::grievance::{Channel, Filing};
    use crate::personal::SourceKey;
    use crate::rules::Routing;
    use crate::rules::{Level, Priority, Route};
    use crate::ticket::{Asked, Bound, By, Grounds, Origin, ParkReason, RemarkPolicy, TicketId, TriageReason, Version};

    const SINGLE_ROLES: [Roles; 6] =
        [Roles::CITIZEN, Roles::HOLDER, Roles::NODAL, Roles::CONTROL, Roles::ASSISTING, Roles::SYSTEM];
    /// What the route gives the desk.
    const DEADLINE: i64 = 72;

    /// So many hours after the post.
    fn at(hours: i64) -> Timestamp {
        "2022-07-14T06:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
    }

    fn reviewing() -> Policy {
        Policy { review: Review::NodalOfficer, ..Policy::default() }
    }

    fn desk(text: &str) -> DeskId {
        text.parse().unwrap()
    }

    fn holder(desk: &str, officer: &str) -> Holder {
        Holder { desk: desk.parse().unwrap(), officer: officer.parse().unwrap() }
    }

    fn number(n: u64) -> TicketId {
        TicketId::from_number(n).unwrap()
    }

    fn received(against: Option<Against>) -> Ticket {
        let filing = Filing {
            channel: Channel::X,
            source: SourceKey([7; 16]),
            post: None,
            author: None,
            category: Some("water/logging".parse().unwrap()),
            place: Some("hisar/hansi".parse().unwrap()),
            posted_at: at(0),
            language: None,
            against,
            confidentiality: Default::default(),
        };
        let (ticket, origin) = (number(1), Origin::Submitted);
        Ticket::open(&TicketEvent::Received { ticket, filing: Arc::new(filing), origin }).unwrap()
    }

    fn routed() -> TicketEvent {
        let route = Route {
            department: "phe".parse().unwrap(),
            level: Level::District,
            priority: Priority::High,
            deadline: crate::calendar::Hours::new(DEADLINE as u32).unwrap(),
        };
        let table = "00000000000000ab".to_owned().try_into().unwrap();
        TicketEvent::Routed(Arc::new(Routing {
            table,
            row: crate::code::RowId::new("W-01").unwrap(),
            held: crate::rules::Held::default(),
            route,
        }))
    }

    /// Marks a ticket as the engine does, at the post's own time plus `hours`.
    fn mark(ticket: &mut Ticket, to: Holder, rung: Rung, hours: i64) {
        let why = match ticket.state() {
            State::Unplaced { why, .. } => *why,
            _ => MarkReason::Routed,
        };
        let marked = ticket.marked(to, rung, why, &Policy::default(), at(hours));
        ticket.advance([&marked], None);
    }

    /// Routed, and marked to the junior engineer in Hisar when it was posted.
    fn marked() -> Ticket {
        let mut ticket = received(None);
        ticket.apply(&routed());
        mark(&mut ticket, holder("district:hisar", "phe-je-hisar"), Rung::Officer, 0);
        ticket
    }

    /// Marked to the control desk at the top of the ladder.
    fn at_the_top() -> Ticket {
        let mut ticket = marked();
        ticket.apply(&TicketEvent::Escalated { from: Rung::Department });
        mark(&mut ticket, holder("control", "cms"), Rung::Control, 0);
        ticket
    }

    fn try_act(
        ticket: &Ticket,
        roles: Roles,
        action: Action,
        policy: &Policy,
        hours: i64,
    ) -> Result<Vec<TicketEvent>, Refusal> {
        ticket.decide(&Command { action, roles, expected: None }, policy, at(hours))
    }

    /// Decides and makes it so.
    fn act(ticket: &mut Ticket, roles: Roles, action: Action, policy: &Policy, hours: i64) -> Vec<TicketEvent> {
        let events = try_act(ticket, roles, action, policy, hours).unwrap();
        ticket.advance(&events, None);
        events
    }

    fn refused(ticket: &Ticket, roles: Roles, action: Action, hours: i64) -> Refusal {
        try_act(ticket, roles, action, &Policy::default(), hours).unwrap_err()
    }

    /// A ticket in each state, an hour after its post at the latest.
    fn in_state(state: StateKind) -> Ticket {
        let mut ticket = marked();
        let policy = Policy::default();
        match state {
            StateKind::Unplaced => return received(None),
            StateKind::Triage => {
                ticket = received(None);
                let table = "00000000000000ab".to_owned().try_into().unwrap();
                ticket.apply(&TicketEvent::SentToTriage {
                    why: TriageReason::NoRule,
                    table,
                    row: None,
                    remind_every: None,
                });
                mark(&mut ticket, holder("control", "cms"), Rung::Control, 0);
            }
            StateKind::Marked => {}
            StateKind::InProgress => drop(act(&mut ticket, Roles::HOLDER, Action::Acknowledge, &policy, 1)),
            StateKind::Asked => {
                act(&mut ticket, Roles::HOLDER, Action::AskCitizen { until: at(40) }, &policy, 1);
            }
            StateKind::Parked => {
                let park = Action::Park { until: at(40), why: ParkReason::WorkPlanned };
                act(&mut ticket, Roles::HOLDER, park, &policy, 1);
            }
            StateKind::UnderReview => {
                act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &reviewing(), 1);
            }
            StateKind::Resolved => drop(act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 1)),
            StateKind::Rejected => {
                act(&mut ticket, Roles::HOLDER, Action::Reject(Grounds::SubJudice), &policy, 1);
            }
            StateKind::Closed => {
                ticket = in_state(StateKind::Resolved);
                act(&mut ticket, Roles::CITIZEN, Action::Satisfied, &policy, 1);
            }
        }
        assert_eq!(ticket.state().kind(), state);
        ticket
    }

    /// An action of each kind that nothing but state and role stands against, two hours after the post.
    fn sample(kind: ActionKind) -> Action {
        let later = at(30);
        match kind {
            ActionKind::Acknowledge => Action::Acknowledge,
            ActionKind::Resolve => Action::Resolve(Outcome::Fixed),
            ActionKind::Approve => Action::Approve,
            ActionKind::SendBack => Action::SendBack,
            ActionKind::Reject => Action::Reject(Grounds::Abuse),
            ActionKind::Forward => Action::Forward(Some(desk("department:power"))),
            ActionKind::Return => Action::Return,
            ActionKind::ChangeCategory => Action::ChangeCategory("power/outage".parse().unwrap()),
            ActionKind::ChangePlace => Action::ChangePlace("rohtak".parse().unwrap()),
            ActionKind::AskCitizen => Action::AskCitizen { until: later },
            ActionKind::Park => Action::Park { until: later, why: ParkReason::SubJudice },
            ActionKind::InterimReply => Action::InterimReply { next: later },
            ActionKind::CitizenAnswers => Action::CitizenAnswers,
            ActionKind::Assist => Action::Assist(desk("department:power")),
            ActionKind::PartDone => Action::PartDone(1),
            ActionKind::DatePasses => Action::DatePasses,
            ActionKind::Satisfied => Action::Satisfied,
            ActionKind::NotSatisfied => Action::NotSatisfied,
            ActionKind::Withdraw => Action::Withdraw,
        }
    }

    /// The design's table: the state that follows from each act in each state. `____` is a refusal; `GOES` is a ticket
    /// that has to be marked to somebody, after which it is marked (or in triage).
    fn table(review: Review) -> [(ActionKind, [Option<StateKind>; 9]); 19] {
        use ActionKind as A;
        const ____: Option<StateKind> = None;
        const GOES: Option<StateKind> = Some(StateKind::Unplaced);
        const TRIA: Option<StateKind> = Some(StateKind::Triage);
        const MARK: Option<StateKind> = Some(StateKind::Marked);
        const PROG: Option<StateKind> = Some(StateKind::InProgress);
        const ASKD: Option<StateKind> = Some(StateKind::Asked);
        const PARK: Option<StateKind> = Some(StateKind::Parked);
        const RESO: Option<StateKind> = Some(StateKind::Resolved);
        const REJE: Option<StateKind> = Some(StateKind::Rejected);
        const CLOS: Option<StateKind> = Some(StateKind::Closed);
        let repo = if review == Review::None { RESO } else { Some(StateKind::UnderReview) };
        #[rustfmt::skip]
        let table = [
            //                    triage marked progr. asked parked review resol. rejec. closed
            (A::Acknowledge,    [ ____,  PROG,  ____,  ____, ____,  ____,  ____,  ____,  ____ ]),
            (A::Resolve,        [ ____,  repo,  repo,  ____, ____,  ____,  ____,  ____,  ____ ]),
            (A::Approve,        [ ____,  ____,  ____,  ____, ____,  RESO,  ____,  ____,  ____ ]),
            (A::SendBack,       [ ____,  ____,  ____,  ____, ____,  PROG,  ____,  ____,  ____ ]),
            (A::Reject,         [ REJE,  REJE,  REJE,  ____, ____,  ____,  ____,  ____,  ____ ]),
            (A::Forward,        [ GOES,  GOES,  GOES,  GOES, GOES,  ____,  ____,  ____,  ____ ]),
            (A::Return,         [ ____,  GOES,  GOES,  GOES, GOES,  ____,  ____,  ____,  ____ ]),
            (A::ChangeCategory, [ GOES,  GOES,  GOES,  GOES, GOES,  ____,  ____,  ____,  ____ ]),
            (A::ChangePlace,    [ GOES,  GOES,  GOES,  GOES, GOES,  ____,  ____,  ____,  ____ ]),
            (A::AskCitizen,     [ ____,  ASKD,  ASKD,  ASKD, ASKD,  ____,  ____,  ____,  ____ ]),
            (A::Park,           [ ____,  PARK,  PARK,  PARK, PARK,  ____,  ____,  ____,  ____ ]),
            (A::InterimReply,   [ ____,  PROG,  PROG,  ASKD, PARK,  ____,  ____,  ____,  ____ ]),
            (A::CitizenAnswers, [ ____,  ____,  ____,  PROG, ____,  ____,  ____,  ____,  ____ ]),
            (A::Assist,         [ ____,  PROG,  PROG,  ____, ____,  ____,  ____,  ____,  ____ ]),
            (A::PartDone,       [ ____,  MARK,  PROG,  ASKD, PARK,  ____,  ____,  ____,  ____ ]),
            (A::DatePasses,     [ TRIA,  GOES,  GOES,  PROG, PROG,  GOES,  CLOS,  CLOS,  ____ ]),
            (A::Satisfied,      [ ____,  ____,  ____,  ____, ____,  ____,  CLOS,  CLOS,  ____ ]),
            (A::NotSatisfied,   [ ____,  ____,  ____,  ____, ____,  ____,  GOES,  GOES,  GOES ]),
            (A::Withdraw,       [ CLOS,  CLOS,  CLOS,  CLOS, CLOS,  CLOS,  CLOS,  CLOS,  ____ ]),
        ];
        table
    }

    /// The states in the order of the table's columns.
    fn columns() -> impl Iterator<Item = (usize, StateKind)> {
        StateKind::ALL.iter().copied().filter(|state| *state != StateKind::Unplaced).enumerate()
    }

    /// Who may do it in a state in which it can be done, written down a second time.
    fn whose(action: ActionKind, state: StateKind) -> &'static [Roles] {
        use ActionKind as A;
        match action {
            A::Acknowledge | A::Resolve => &[Roles::HOLDER],
            A::Approve | A::SendBack => &[Roles::NODAL, Roles::CONTROL],
            A::Reject | A::Forward | A::ChangeCategory | A::ChangePlace if state == StateKind::Triage => {
                &[Roles::CONTROL]
            }
            A::Reject | A::Return | A::AskCitizen | A::Park | A::InterimReply | A::Assist => {
                &[Roles::HOLDER, Roles::NODAL]
            }
            A::Forward | A::ChangeCategory | A::ChangePlace => &[Roles::HOLDER, Roles::NODAL, Roles::CONTROL],
            A::PartDone => &[Roles::NODAL, Roles::CONTROL, Roles::ASSISTING],
            A::DatePasses => &[Roles::SYSTEM],
            A::CitizenAnswers | A::Satisfied | A::NotSatisfied | A::Withdraw => &[Roles::CITIZEN],
        }
    }

    #[test]
    fn each_cell_of_the_table_follows_or_is_refused_for_each_role() {
        for policy in [Policy::default(), reviewing()] {
            let table = table(policy.review);
            assert_eq!(table.map(|(action, _)| action), ActionKind::ALL, "a row for each action, in their order");
            for (column, state) in columns() {
                let possible: Vec<_> = table
                    .iter()
                    .filter(|(action, cells)| cells[column].is_some() && *action != ActionKind::DatePasses)
                    .map(|(action, _)| *action)
                    .collect();
                for (action, cells) in &table {
                    let mut ticket = in_state(state);
                    if *action == ActionKind::PartDone {
                        ticket.apply(&TicketEvent::PartAsked { part: 1, desk: desk("department:power") });
                    }
                    let now = ticket.state().next_date().filter(|_| *action == ActionKind::DatePasses).unwrap_or(at(2));
                    for roles in SINGLE_ROLES {
                        // A nodal officer who files a report skips the review; no cell lets one file without holding.
                        let command = Command { action: sample(*action), roles, expected: None };
                        let decided = ticket.decide(&command, &policy, now);
                        let allowed = whose(*action, state);
                        let cell = format!("{action} by {roles} while {state}");
                        match cells[column] {
                            None => {
                                let refusal = Refusal::NotNow { action: *action, state, possible: possible.clone() };
                                assert_eq!(decided, Err(refusal), "{cell}");
                            }
                            Some(_) if !allowed.contains(&roles) => {
                                let needed = allowed.iter().fold(Roles::NONE, |all, role| all.and(*role));
                                let refusal = Refusal::NotYours { action: *action, state, needed };
                                assert_eq!(decided, Err(refusal), "{cell}");
                            }
                            Some(follows) => {
                                let events = decided.unwrap_or_else(|refusal| panic!("{cell}: {refusal}"));
                                let mut after = ticket.clone();
                                after.advance(&events, None);
                                assert_eq!(after.state().kind(), follows, "{cell}");
                                assert_eq!(after.id(), ticket.id(), "{cell}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn between_desks_nobody_can_do_anything() {
        let ticket = in_state(StateKind::Unplaced);
        for &action in ActionKind::ALL {
            for roles in SINGLE_ROLES {
                let refusal = refused(&ticket, roles, sample(action), 2);
                assert_eq!(refusal, Refusal::NotNow { action, state: StateKind::Unplaced, possible: vec![] });
            }
        }
    }

    #[test]
    fn who_has_no_role_can_do_nothing() {
        for (_, state) in columns() {
            for &action in ActionKind::ALL {
                let refusal = refused(&in_state(state), Roles::NONE, sample(action), 2);
                assert!(matches!(refusal, Refusal::NotNow { .. } | Refusal::NotYours { .. }), "{action} in {state}");
            }
        }
    }

    #[test]
    fn who_acts_on_a_marked_ticket_acknowledges_it_too() {
        let acts = [ActionKind::Resolve, ActionKind::AskCitizen, ActionKind::Park, ActionKind::InterimReply];
        for action in acts.into_iter().chain([ActionKind::Assist]) {
            let events = try_act(&marked(), Roles::HOLDER, sample(action), &Policy::default(), 2).unwrap();
            assert_eq!(events.first(), Some(&TicketEvent::Acknowledged), "{action}");
            let progressing = in_state(StateKind::InProgress);
            let events = try_act(&progressing, Roles::HOLDER, sample(action), &Policy::default(), 2).unwrap();
            assert!(!events.contains(&TicketEvent::Acknowledged), "{action}");
        }
    }

    #[test]
    fn a_refusal_says_what_would_be_possible() {
        let refusal = refused(&in_state(StateKind::Resolved), Roles::HOLDER, Action::Acknowledge, 2);
        assert_eq!(
            refusal.to_string(),
            "one cannot acknowledge while the ticket is resolved; possible are: say that one is satisfied, \
             say that one is not satisfied, withdraw"
        );
        let refusal = refused(&marked(), Roles::CITIZEN, Action::Acknowledge, 2);
        assert_eq!(refusal.to_string(), "only the officer who holds it may acknowledge while the ticket is marked");
    }

    #[test]
    fn without_review_a_report_resolves_and_the_citizen_is_asked() {
        let mut ticket = in_state(StateKind::InProgress);
        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::PartlyFixed), &Policy::default(), 5);
        let (outcome, silence_at) = (Outcome::PartlyFixed, at(5 + 7 * 24));
        assert_eq!(*ticket.state(), State::Resolved { outcome, at: at(5), silence_at });
    }

    #[test]
    fn with_review_the_nodal_officer_approves_a_report_or_sends_it_back() {
        let reviewed = in_state(StateKind::UnderReview);
        assert_eq!(*reviewed.state(), State::UnderReview { outcome: Outcome::Fixed, due: at(1 + 48) });

        let mut approved = reviewed.clone();
        act(&mut approved, Roles::NODAL, Action::Approve, &reviewing(), 9);
        assert!(matches!(approved.state(), State::Resolved { outcome: Outcome::Fixed, .. }));

        let mut sent_back = reviewed;
        act(&mut sent_back, Roles::CONTROL, Action::SendBack, &reviewing(), 9);
        assert_eq!(*sent_back.state(), State::InProgress { due: at(9 + DEADLINE) });
    }

    #[test]
    fn a_nodal_officers_own_report_needs_no_review() {
        let mut ticket = in_state(StateKind::InProgress);
        let own = Roles::HOLDER.and(Roles::NODAL);
        let events = act(&mut ticket, own, Action::Resolve(Outcome::Fixed), &reviewing(), 2);
        assert_eq!(events[0], TicketEvent::ReportFiled { outcome: Outcome::Fixed, review_due: None });
        assert_eq!(ticket.state().kind(), StateKind::Resolved);
    }

    #[test]
    fn a_ticket_is_returned_in_time_or_not_at_all() {
        let last = 5 * 24;
        let mut ticket = marked();
        let late = try_act(&ticket, Roles::HOLDER, Action::Return, &Policy::default(), last + 1);
        let within = Policy::default().return_within;
        assert_eq!(late, Err(Refusal::TooLateToReturn { within, until: at(last) }));
        act(&mut ticket, Roles::HOLDER, Action::Return, &Policy::default(), last);
        assert_eq!(*ticket.state(), State::Unplaced { bound: Bound::Control, why: MarkReason::Returned });
    }

    #[test]
    fn the_time_to_return_counts_from_the_last_mark() {
        let mut ticket = marked();
        act(&mut ticket, Roles::HOLDER, Action::Forward(Some(desk("department:power"))), &Policy::default(), 100);
        mark(&mut ticket, holder("department:power", "power-xen"), Rung::Officer, 100);
        act(&mut ticket, Roles::HOLDER, Action::Return, &Policy::default(), 100 + 5 * 24);
    }

    #[test]
    fn the_control_desk_has_nobody_to_return_a_ticket_to() {
        let refusal = refused(&at_the_top(), Roles::HOLDER, Action::Return, 2);
        assert_eq!(refusal, Refusal::HadItAlready { desk: DeskId::Control });
    }

    #[test]
    fn a_ticket_is_not_forwarded_to_a_desk_that_had_it_unless_by_the_control_desk() {
        let mut ticket = marked();
        let policy = Policy::default();
        act(&mut ticket, Roles::HOLDER, Action::Forward(Some(desk("department:power"))), &policy, 2);
        mark(&mut ticket, holder("department:power", "power-xen"), Rung::Officer, 2);
        for had_it in ["district:hisar", "department:power"].map(desk) {
            let refusal = refused(&ticket, Roles::HOLDER, Action::Forward(Some(had_it.clone())), 3);
            assert_eq!(refusal, Refusal::HadItAlready { desk: had_it });
        }
        let hisar = desk("district:hisar");
        try_act(&ticket, Roles::CONTROL, Action::Forward(Some(hisar.clone())), &policy, 3).unwrap();

        // The control desk itself may have it any number of times.
        act(&mut ticket, Roles::HOLDER, Action::Forward(Some(DeskId::Control)), &policy, 3);
        mark(&mut ticket, holder("control", "cms"), Rung::Control, 3);
        act(&mut ticket, Roles::CONTROL, Action::Forward(Some(hisar)), &policy, 4);
        mark(&mut ticket, holder("district:hisar", "phe-je-hisar"), Rung::Officer, 4);
        act(&mut ticket, Roles::HOLDER, Action::Forward(Some(DeskId::Control)), &policy, 5);
    }

    #[test]
    fn what_complains_about_a_desk_is_neither_forwarded_there_nor_a_part_of_it_asked_there() {
        let power = desk("department:power");
        let mut ticket = received(Some(Against::Desk(power.clone())));
        ticket.apply(&routed());
        mark(&mut ticket, holder("district:hisar", "phe-je-hisar"), Rung::Officer, 0);
        for action in [Action::Forward(Some(power.clone())), Action::Assist(power.clone())] {
            let roles = Roles::HOLDER.and(Roles::CONTROL);
            assert_eq!(refused(&ticket, roles, action, 2), Refusal::AgainstThatDesk { desk: power.clone() });
        }
    }

    #[test]
    fn only_moves_between_desks_other_than_the_control_desk_are_transfers() {
        let mut ticket = marked();
        let policy = Policy { most_transfers: 1, ..Policy::default() };
        let forward = |to: &str| Action::Forward(Some(desk(to)));
        act(&mut ticket, Roles::HOLDER, forward("control"), &policy, 2);
        mark(&mut ticket, holder("control", "cms"), Rung::Control, 2);
        act(&mut ticket, Roles::CONTROL, forward("department:power"), &policy, 3);
        mark(&mut ticket, holder("department:power", "power-xen"), Rung::Officer, 3);
        assert_eq!((ticket.transfers(), ticket.transfers_used_up(&policy)), (0, false));

        act(&mut ticket, Roles::HOLDER, forward("district:rohtak"), &policy, 4);
        mark(&mut ticket, holder("district:rohtak", "cm-rohtak"), Rung::DistrictNodal, 4);
        assert_eq!((ticket.transfers(), ticket.transfers_used_up(&policy)), (1, true));
        assert_eq!(ticket.earlier_desks(), ["district:hisar", "control", "department:power"].map(desk));
    }

    #[test]
    fn a_correction_has_to_change_something() {
        let ticket = marked();
        for same in [
            Action::ChangeCategory("water/logging".parse().unwrap()),
            Action::ChangePlace("hisar/hansi".parse().unwrap()),
        ] {
            assert_eq!(refused(&ticket, Roles::HOLDER, same, 2), Refusal::NothingChanges);
        }
        let mut ticket = ticket;
        act(&mut ticket, Roles::HOLDER, sample(ActionKind::ChangePlace), &Policy::default(), 2);
        assert_eq!(ticket.filing().place, Some("rohtak".parse().unwrap()));
        assert_eq!(*ticket.state(), State::Unplaced { bound: Bound::ByRules, why: MarkReason::PlaceChanged });
    }

    #[test]
    fn interim_replies_move_the_date_as_often_as_the_policy_says() {
        let mut ticket = marked();
        let policy = Policy { most_interim_replies: 2, ..Policy::default() };
        for next in [80, 90] {
            act(&mut ticket, Roles::HOLDER, Action::InterimReply { next: at(next) }, &policy, 2);
            assert_eq!(*ticket.state(), State::InProgress { due: at(next) });
        }
        let third = try_act(&ticket, Roles::HOLDER, Action::InterimReply { next: at(95) }, &policy, 3);
        assert_eq!(third, Err(Refusal::InterimRepliesUsedUp { limit: 2 }));
    }

    #[test]
    fn what_was_left_of_the_deadline_is_left_after_a_rest() {
        let policy = Policy::default();
        let mut ticket = marked();
        act(&mut ticket, Roles::HOLDER, Action::AskCitizen { until: at(100) }, &policy, 12);
        assert_eq!(ticket.state().next_date(), Some(at(100)));
        act(&mut ticket, Roles::CITIZEN, Action::CitizenAnswers, &policy, 50);
        assert_eq!(*ticket.state(), State::InProgress { due: at(50 + DEADLINE - 12) });

        act(&mut ticket, Roles::HOLDER, Action::Park { until: at(300), why: ParkReason::WorkPlanned }, &policy, 60);
        act(&mut ticket, Roles::SYSTEM, Action::DatePasses, &policy, 300);
        assert_eq!(*ticket.state(), State::InProgress { due: at(300 + DEADLINE - 12 - 10) });
    }

    #[test]
    fn asking_again_or_parking_what_rests_spends_nothing_of_the_deadline() {
        let policy = Policy::default();
        let mut ticket = marked();
        act(&mut ticket, Roles::HOLDER, Action::AskCitizen { until: at(30) }, &policy, 12);
        act(&mut ticket, Roles::HOLDER, Action::AskCitizen { until: at(60) }, &policy, 29);
        act(&mut ticket, Roles::HOLDER, Action::Park { until: at(90), why: ParkReason::AwaitingFunds }, &policy, 59);
        act(&mut ticket, Roles::HOLDER, Action::InterimReply { next: at(95) }, &policy, 80);
        assert_eq!(ticket.state().next_date(), Some(at(95)));
        act(&mut ticket, Roles::SYSTEM, Action::DatePasses, &policy, 95);
        assert_eq!(*ticket.state(), State::InProgress { due: at(95 + DEADLINE - 12) });
    }

    #[test]
    fn a_ticket_that_went_to_rest_overdue_has_an_hour_left() {
        let mut ticket = marked();
        act(&mut ticket, Roles::HOLDER, Action::AskCitizen { until: at(110) }, &Policy::default(), DEADLINE + 5);
        act(&mut ticket, Roles::CITIZEN, Action::CitizenAnswers, &Policy::default(), 100);
        assert_eq!(*ticket.state(), State::InProgress { due: at(101) });
    }

    #[test]
    fn a_date_lies_ahead_and_not_too_far() {
        let ticket = marked();
        let longest = 180 * 24;
        for date in [at(1), at(2)] {
            let park = Action::Park { until: date, why: ParkReason::SubJudice };
            for action in [Action::AskCitizen { until: date }, park, Action::InterimReply { next: date }] {
                assert_eq!(refused(&ticket, Roles::HOLDER, action, 2), Refusal::DatePast { date, now: at(2) });
            }
        }
        let (date, latest) = (at(2 + longest + 1), at(2 + longest));
        let park = Action::Park { until: date, why: ParkReason::SubJudice };
        for action in [Action::AskCitizen { until: date }, park, Action::InterimReply { next: date }] {
            assert_eq!(refused(&ticket, Roles::HOLDER, action, 2), Refusal::DateTooFar { date, latest });
        }
        try_act(&ticket, Roles::HOLDER, Action::AskCitizen { until: latest }, &Policy::default(), 2).unwrap();
    }

    #[test]
    fn resolving_waits_for_the_parts_that_other_desks_were_asked_for() {
        let policy = Policy::default();
        let mut ticket = in_state(StateKind::InProgress);
        for to in ["department:power", "department:roads"] {
            let events = act(&mut ticket, Roles::HOLDER, Action::Assist(desk(to)), &policy, 2);
            let (recipient, _) = events[0].notice(ticket.id()).unwrap();
            assert_eq!(recipient, crate::ticket::Recipient::Desk(desk(to)), "the desk asked is told");
        }
        let resolve = Action::Resolve(Outcome::Fixed);
        assert_eq!(refused(&ticket, Roles::HOLDER, resolve.clone(), 3), Refusal::PartsOpen { open: 2 });
        act(&mut ticket, Roles::ASSISTING, Action::PartDone(1), &policy, 3);
        assert_eq!(refused(&ticket, Roles::HOLDER, resolve.clone(), 4), Refusal::PartsOpen { open: 1 });
        assert_eq!(refused(&ticket, Roles::ASSISTING, Action::PartDone(1), 4), Refusal::NoSuchPart { part: 1 });
        act(&mut ticket, Roles::ASSISTING, Action::PartDone(2), &policy, 4);
        act(&mut ticket, Roles::HOLDER, resolve, &policy, 5);
    }

    #[test]
    fn a_desk_is_asked_for_one_part_at_a_time_and_never_itself() {
        let policy = Policy::default();
        let mut ticket = in_state(StateKind::InProgress);
        let power = desk("department:power");
        act(&mut ticket, Roles::HOLDER, Action::Assist(power.clone()), &policy, 2);
        for at_it in [power.clone(), desk("district:hisar")] {
            let refusal = refused(&ticket, Roles::HOLDER, Action::Assist(at_it.clone()), 3);
            assert_eq!(refusal, Refusal::AlreadyAsked { desk: at_it });
        }
        act(&mut ticket, Roles::ASSISTING, Action::PartDone(1), &policy, 3);
        let events = act(&mut ticket, Roles::HOLDER, Action::Assist(power.clone()), &policy, 4);
        assert_eq!(events, [TicketEvent::PartAsked { part: 2, desk: power }], "numbers are not used twice");
    }

    #[test]
    fn only_so_many_parts_are_open_at_once() {
        let policy = Policy { most_open_parts: 2, ..Policy::default() };
        let mut ticket = in_state(StateKind::InProgress);
        for to in ["department:power", "department:roads"] {
            act(&mut ticket, Roles::HOLDER, Action::Assist(desk(to)), &policy, 2);
        }
        let third = Action::Assist(desk("department:health"));
        let refusal = try_act(&ticket, Roles::HOLDER, third.clone(), &policy, 3);
        assert_eq!(refusal, Err(Refusal::TooManyParts { limit: 2 }));
        act(&mut ticket, Roles::NODAL, Action::PartDone(1), &policy, 3);
        act(&mut ticket, Roles::HOLDER, third, &policy, 3);
    }

    #[test]
    fn a_closed_ticket_waits_for_no_part() {
        let mut ticket = in_state(StateKind::InProgress);
        act(&mut ticket, Roles::HOLDER, sample(ActionKind::Assist), &Policy::default(), 2);
        act(&mut ticket, Roles::CITIZEN, Action::Withdraw, &Policy::default(), 3);
        assert_eq!(ticket.open_parts(), []);
    }

    #[test]
    fn a_ticket_is_the_duplicate_of_another_only() {
        let mut ticket = marked();
        let itself = Action::Resolve(Outcome::Duplicate(ticket.id()));
        assert_eq!(refused(&ticket, Roles::HOLDER, itself, 2), Refusal::DuplicateOfItself);
        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Duplicate(number(2))), &Policy::default(), 2);
    }

    #[test]
    fn who_acts_on_what_they_saw_is_told_when_it_has_changed() {
        let mut ticket = marked();
        let seen = ticket.version();
        act(&mut ticket, Roles::HOLDER, Action::Acknowledge, &Policy::default(), 1);
        let stale = Command { action: Action::Withdraw, roles: Roles::CITIZEN, expected: Some(seen) };
        let refusal = ticket.decide(&stale, &Policy::default(), at(2));
        assert_eq!(refusal, Err(Refusal::Stale { expected: seen, actual: Version(seen.0 + 1) }));
        let fresh = Command { expected: Some(ticket.version()), ..stale };
        ticket.decide(&fresh, &Policy::default(), at(2)).unwrap();
    }

    #[test]
    fn not_satisfied_goes_back_to_the_officer_then_steps_up_and_then_the_control_desk_concludes() {
        let policy = Policy { remarks: RemarkPolicy { to_same_officer: 1, steps_up: 1 }, ..Policy::default() };
        let mut ticket = in_state(StateKind::Resolved);
        let officer = ticket.holder().unwrap().clone();

        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &policy, 2);
        let back = State::Unplaced { bound: Bound::Back(officer.clone()), why: MarkReason::NotSatisfied };
        assert_eq!((ticket.state(), ticket.remarks()), (&back, 1));
        mark(&mut ticket, officer, Rung::Officer, 2);

        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 3);
        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &policy, 4);
        let up = State::Unplaced { bound: Bound::Above(Rung::Officer), why: MarkReason::NotSatisfied };
        assert_eq!((ticket.state(), ticket.remarks()), (&up, 2));
        mark(&mut ticket, holder("district:hisar", "cm-hisar"), Rung::DistrictNodal, 4);

        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 5);
        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &policy, 6);
        let last = State::Unplaced { bound: Bound::Control, why: MarkReason::UsedUp };
        assert_eq!((ticket.state(), ticket.remarks(), ticket.is_concluding()), (&last, 2, true));
        mark(&mut ticket, holder("control", "cms"), Rung::Control, 6);

        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::CannotBeDone), &policy, 7);
        let closed =
            State::Closed { by: ClosedBy::ControlDesk, outcome: Outcome::CannotBeDone, at: at(7), reopen_until: None };
        assert_eq!(*ticket.state(), closed);
        assert_eq!(refused(&ticket, Roles::CITIZEN, Action::NotSatisfied, 8), Refusal::ClosedForGood);
    }

    #[test]
    fn a_ticket_that_no_rule_routed_can_be_concluded_with_a_report_too() {
        let policy = Policy { remarks: RemarkPolicy { to_same_officer: 0, steps_up: 0 }, ..Policy::default() };
        let mut ticket = in_state(StateKind::Triage);
        act(&mut ticket, Roles::CONTROL, Action::Forward(Some(desk("district:hisar"))), &policy, 2);
        mark(&mut ticket, holder("district:hisar", "cm-hisar"), Rung::DistrictNodal, 2);
        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 3);
        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &policy, 4);
        mark(&mut ticket, holder("control", "cms"), Rung::Control, 4);
        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 5);
        assert!(matches!(ticket.state(), State::Closed { by: ClosedBy::ControlDesk, reopen_until: None, .. }));
    }

    #[test]
    fn what_the_control_desk_concludes_is_closed_by_a_rejection_and_an_approved_report_too() {
        let concluding = || {
            let mut ticket = marked();
            ticket.apply(&TicketEvent::NotSatisfied { remark: Remark::UsedUp });
            mark(&mut ticket, holder("control", "cms-triage"), Rung::Control, 2);
            ticket
        };
        let mut rejected = concluding();
        act(&mut rejected, Roles::HOLDER, Action::Reject(Grounds::SubJudice), &Policy::default(), 3);
        assert!(matches!(rejected.state(), State::Closed { by: ClosedBy::ControlDesk, reopen_until: None, .. }));

        let mut approved = concluding();
        act(&mut approved, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &reviewing(), 3);
        assert_eq!(approved.state().kind(), StateKind::UnderReview);
        act(&mut approved, Roles::CONTROL, Action::Approve, &reviewing(), 4);
        assert!(matches!(approved.state(), State::Closed { by: ClosedBy::ControlDesk, reopen_until: None, .. }));
    }

    #[test]
    fn a_rejection_can_be_appealed() {
        let mut ticket = in_state(StateKind::Rejected);
        let outcome = Outcome::Rejected(Grounds::SubJudice);
        assert_eq!(*ticket.state(), State::Rejected { outcome, at: at(1), silence_at: at(1 + 7 * 24) });
        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &Policy::default(), 2);
        let bound = Bound::Back(ticket.holder().unwrap().clone());
        assert_eq!(*ticket.state(), State::Unplaced { bound, why: MarkReason::NotSatisfied });
    }

    #[test]
    fn a_closed_ticket_is_reopened_within_its_window_by_the_same_officer() {
        let mut ticket = in_state(StateKind::Closed);
        let until = at(1 + 5 * 24);
        let late = refused(&ticket, Roles::CITIZEN, Action::NotSatisfied, 1 + 5 * 24 + 1);
        assert_eq!(late, Refusal::WindowOver { until });
        let events = act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &Policy::default(), 1 + 5 * 24);
        assert_eq!(events, [TicketEvent::Reopened, TicketEvent::NotSatisfied { remark: Remark::Back(1) }]);
        let bound = Bound::Back(ticket.holder().unwrap().clone());
        assert_eq!(*ticket.state(), State::Unplaced { bound, why: MarkReason::NotSatisfied });
    }

    #[test]
    fn closing_says_who_declared_it_and_what_came_of_it() {
        let policy = Policy::default();
        let mut satisfied = in_state(StateKind::Resolved);
        act(&mut satisfied, Roles::CITIZEN, Action::Satisfied, &policy, 2);
        let reopen_until = Some(at(2 + 5 * 24));
        let by = ClosedBy::Satisfied;
        assert_eq!(*satisfied.state(), State::Closed { by, outcome: Outcome::Fixed, at: at(2), reopen_until });

        let mut silent = in_state(StateKind::Rejected);
        act(&mut silent, Roles::SYSTEM, Action::DatePasses, &policy, 1 + 7 * 24);
        let outcome = Outcome::Rejected(Grounds::SubJudice);
        assert!(matches!(silent.state(), State::Closed { by: ClosedBy::Silence, outcome: o, .. } if *o == outcome));

        for (_, state) in columns().filter(|(_, state)| *state != StateKind::Closed) {
            let mut withdrawn = in_state(state);
            act(&mut withdrawn, Roles::CITIZEN, Action::Withdraw, &policy, 2);
            let (by, outcome) = (ClosedBy::Withdrawn, Outcome::Withdrawn);
            assert_eq!(*withdrawn.state(), State::Closed { by, outcome, at: at(2), reopen_until }, "{state}");
        }
    }

    #[test]
    fn every_open_state_has_a_next_date_before_which_nothing_is_due() {
        for (_, state) in columns() {
            let ticket = in_state(state);
            let Some(due) = ticket.state().next_date() else {
                assert_eq!(state, StateKind::Closed);
                continue;
            };
            let command = Command { action: Action::DatePasses, roles: Roles::SYSTEM, expected: None };
            let now = due - SignedDuration::from_secs(1);
            let early = ticket.decide(&command, &Policy::default(), now);
            assert_eq!(early, Err(Refusal::NotDue { due, now }), "{state}");
            ticket.decide(&command, &Policy::default(), due).unwrap();
        }
    }

    #[test]
    fn a_passed_deadline_is_a_step_up_whether_acknowledged_under_review_or_not() {
        // A report that is not reviewed in time goes above the nodal officer who should have reviewed it.
        let (below, nodal) = (Rung::Officer, Rung::DistrictNodal);
        for (state, from) in
            [(StateKind::Marked, below), (StateKind::InProgress, below), (StateKind::UnderReview, nodal)]
        {
            let mut ticket = in_state(state);
            let events = act(&mut ticket, Roles::SYSTEM, Action::DatePasses, &Policy::default(), DEADLINE);
            assert_eq!(events, [TicketEvent::Escalated { from }]);
            let bound = Bound::Above(from);
            assert_eq!(*ticket.state(), State::Unplaced { bound, why: MarkReason::Escalated });
            assert_eq!(ticket.escalations(), 1);
        }
    }

    #[test]
    fn a_report_declares_neither_a_rejection_nor_a_withdrawal() {
        let ticket = in_state(StateKind::InProgress);
        for outcome in [Outcome::Withdrawn, Outcome::Rejected(Grounds::Abuse)] {
            let refusal = refused(&ticket, Roles::HOLDER, Action::Resolve(outcome.clone()), 2);
            assert_eq!(refusal, Refusal::NotForReports { outcome });
        }
    }

    #[test]
    fn a_correction_after_which_the_ticket_stays_wins_no_time_and_is_counted() {
        let policy = Policy { most_corrections: 1, ..Policy::default() };
        let change = |path: &str| Action::ChangeCategory(path.parse().unwrap());
        let mut ticket = in_state(StateKind::InProgress);
        let (due, holder) = (ticket.state().next_date(), ticket.holder().unwrap().clone());
        act(&mut ticket, Roles::HOLDER, change("roads/pothole"), &policy, 30);
        let marked = ticket.marked(holder, Rung::Officer, MarkReason::CategoryChanged, &policy, at(30));
        ticket.apply(&marked);
        assert_eq!(ticket.state().next_date(), due);

        let again = try_act(&ticket, Roles::HOLDER, change("roads/street"), &policy, 31);
        assert_eq!(again, Err(Refusal::CorrectionsUsedUp { limit: 1 }));
        assert!(try_act(&ticket, Roles::CONTROL, change("roads/street"), &policy, 31).is_ok());
    }

    #[test]
    fn a_ticket_rests_only_so_often_and_only_so_long() {
        let policy = Policy { most_rests: 1, longest_rest: Hours::from_days(10), ..Policy::default() };
        let ask = |days: i64| Action::AskCitizen { until: at(days * 24) };
        let mut ticket = in_state(StateKind::InProgress);
        act(&mut ticket, Roles::HOLDER, ask(3), &policy, 24);
        // Asked again, the ten days count from the first time.
        let too_far = try_act(&ticket, Roles::HOLDER, ask(12), &policy, 48);
        assert_eq!(too_far, Err(Refusal::DateTooFar { date: at(288), latest: at(264) }));
        act(&mut ticket, Roles::CITIZEN, Action::CitizenAnswers, &policy, 49);
        let again = try_act(&ticket, Roles::HOLDER, ask(4), &policy, 50);
        assert_eq!(again, Err(Refusal::RestsUsedUp { limit: 1 }));
    }

    #[test]
    fn at_the_top_a_passed_deadline_reminds_again_and_again() {
        let policy = reviewing();
        let marked = at_the_top();
        let mut progressing = marked.clone();
        act(&mut progressing, Roles::HOLDER, Action::Acknowledge, &policy, 1);
        let mut reviewed = marked.clone();
        act(&mut reviewed, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 1);
        for mut ticket in [marked, progressing, reviewed, in_state(StateKind::Triage)] {
            let state = ticket.state().kind();
            for hours in [100, 124, 148] {
                let events = act(&mut ticket, Roles::SYSTEM, Action::DatePasses, &policy, hours);
                assert_eq!(events, [TicketEvent::Reminded { due: at(hours + 24) }], "{state}");
                assert_eq!((ticket.state().kind(), ticket.state().next_date()), (state, Some(at(hours + 24))));
            }
            assert_eq!(ticket.escalations(), u16::from(state != StateKind::Triage));
        }
    }

    #[test]
    fn the_desks_deadline_restarts_with_a_transfer_and_the_whole_age_never() {
        let policy = Policy::default();
        let mut ticket = marked();
        assert_eq!(*ticket.state(), State::Marked { due: at(DEADLINE) });
        act(&mut ticket, Roles::HOLDER, Action::Acknowledge, &policy, 5);
        assert_eq!(*ticket.state(), State::InProgress { due: at(DEADLINE) }, "seeing it moves no deadline");
        act(&mut ticket, Roles::HOLDER, Action::Forward(Some(desk("department:power"))), &policy, 50);
        mark(&mut ticket, holder("department:power", "power-xen"), Rung::Officer, 50);
        assert_eq!(*ticket.state(), State::Marked { due: at(50 + DEADLINE) });
        act(&mut ticket, Roles::HOLDER, Action::Resolve(Outcome::Fixed), &policy, 60);
        act(&mut ticket, Roles::SYSTEM, Action::DatePasses, &policy, 60 + 7 * 24);
        act(&mut ticket, Roles::CITIZEN, Action::NotSatisfied, &policy, 300);
        mark(&mut ticket, holder("department:power", "power-xen"), Rung::Officer, 300);
        assert_eq!(*ticket.state(), State::Marked { due: at(300 + DEADLINE) });
        assert_eq!(ticket.age(at(310)), SignedDuration::from_hours(310));
    }

    #[test]
    fn a_request_that_was_carried_out_is_known_with_its_version() {
        let mut ticket = marked();
        let request = crate::ticket::RequestId::named("acknowledge, once");
        let by = |officer: &str| By::Officer(officer.parse().unwrap());
        let asked = |officer, action| Asked { request, by: by(officer), action };
        let acknowledge = asked("phe-hisar", ActionKind::Acknowledge);
        assert_eq!(ticket.done(&acknowledge), Ok(None));
        ticket.advance([&TicketEvent::Acknowledged], Some(acknowledge.clone()));
        assert_eq!(ticket.done(&acknowledge), Ok(Some(ticket.version())));
        for another in [asked("phe-hisar", ActionKind::Resolve), asked("ghost", ActionKind::Acknowledge)] {
            assert_eq!(ticket.done(&another), Err(Refusal::RequestUsed { request }));
        }
    }
}
