//! What follows from an action: the decisions of the state machine.

use jiff::Timestamp;

use super::state::State;
use super::{Action, ActionKind, ClosedBy, Command, MarkReason, Outcome, Policy, Refusal, Remark, Review};
use super::{Roles, StateKind, Ticket, TicketEvent, may};
use crate::calendar::Hours;
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
                if *outcome == Outcome::Duplicate(self.id) {
                    return Err(Refusal::DuplicateOfItself);
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
                if self.desk() == Some(&DeskId::Control) {
                    return Err(Refusal::HadItAlready { desk: DeskId::Control });
                }
                vec![E::Returned]
            }
            Action::ChangeCategory(to) => {
                let from = self.filing.category.clone();
                if from.as_ref() == Some(to) {
                    return Err(Refusal::NothingChanges);
                }
                vec![E::CategoryChanged { from, to: to.clone() }]
            }
            Action::ChangePlace(to) => {
                let from = self.filing.place.clone();
                if from.as_ref() == Some(to) {
                    return Err(Refusal::NothingChanges);
                }
                vec![E::PlaceChanged { from, to: to.clone() }]
            }
            Action::AskCitizen { until } => {
                let until = check_rest(*until, policy.longest_rest, now)?;
                self.acknowledged_and(E::CitizenAsked { until, since: now })
            }
            Action::Park { until, why } => {
                let until = check_rest(*until, policy.longest_rest, now)?;
                self.acknowledged_and(E::Parked { until, why: *why, since: now })
            }
            Action::InterimReply { next } => {
                let next = check_rest(*next, policy.longest_rest, now)?;
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
    #[must_use]
    pub fn marked(&self, holder: Holder, rung: Rung, why: MarkReason, policy: &Policy, now: Timestamp) -> TicketEvent {
        TicketEvent::Marked { holder, rung, why, at: now, due: self.deadline(policy, now) }
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
        self.routing.as_ref().map_or(policy.remind_every, |routing| routing.route.deadline).after(now)
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
            _ if self.rung == Rung::Control => TicketEvent::Reminded { due: policy.remind_every.after(now) },
            _ => TicketEvent::Escalated { from: self.rung },
        }])
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
        let remark = if next <= policy.remarks.to_same_officer {
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

fn check_rest(date: Timestamp, longest: Hours, now: Timestamp) -> Result<Timestamp, Refusal> {
    let latest = longest.after(now);
    if date <= now {
        Err(Refusal::DatePast { date, now })
    } else if date > latest {
        Err(Refusal::DateTooFar { date, latest })
    } else {
        Ok(date)
    }
}
