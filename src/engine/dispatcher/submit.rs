//! A grievance comes in: known or new, its number, its desk.

use std::sync::Arc;

use super::{Dispatcher, Next, then};
use crate::engine::desk::Left;
use crate::engine::errand::{Arrival, Attempt, Job, Manner, Outcome, Permit, Reply, Said, Stamp, Submission, Work};
use crate::engine::error::Failure;
use crate::engine::world::World;
use crate::engine::writer::Ask;
use crate::personal::{Personal, SourceKey};
use crate::placing::{self, Placement};
use crate::ticket::{ActionKind, By, Origin, Ticket, TicketEvent, TicketId};

impl Dispatcher {
    pub(super) fn submit(
        &mut self,
        submission: Submission,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let by_source = |source| self.shared.lookup.by_source.get(&source).map(|id| *id);
        if let Some(id) = submission.filing.sources().find_map(by_source) {
            self.outcomes.push(Outcome { stamp, record: None, answer: Said::AlreadyThere(id), reply, permit });
            return Next::Go;
        }
        if !submission.filing.sources().any(|source| self.shared.seen.perhaps(&source)) {
            self.welcome(submission, stamp, reply, permit);
            return Next::Go;
        }
        // Perhaps it was here long ago: the store knows.
        let sources: Vec<SourceKey> = submission.filing.sources().collect();
        let (ask, answered) = Ask::new(move |store| store.sources(&sources));
        self.writer.do_send(ask);
        Next::Wait(Box::pin(async move {
            let known = answered.await;
            then(move |dispatcher, _| {
                match known.map(|known| known.map(|ids| ids.into_iter().flatten().next())) {
                    Ok(Ok(Some(id))) => {
                        let answer = Said::AlreadyThere(id);
                        dispatcher.outcomes.push(Outcome { stamp, record: None, answer, reply, permit });
                    }
                    Ok(Ok(None)) => dispatcher.welcome(submission, stamp, reply, permit),
                    Ok(Err(error)) => {
                        let failure = Failure::NotStored { reason: error.reason };
                        dispatcher.outcomes.push(Outcome::refused(stamp, failure, reply, permit));
                    }
                    Err(_) => dispatcher.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit)),
                }
                Next::Go
            })
        }))
    }

    /// A grievance that is new gets its number and its desk.
    pub(super) fn welcome(&mut self, submission: Submission, stamp: Stamp, reply: Reply, permit: Option<Permit>) {
        match self.number() {
            Some(id) => self.open(id, submission, None, stamp, reply, permit),
            None => self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit)),
        }
    }

    pub(super) fn open(
        &mut self,
        id: TicketId,
        submission: Submission,
        placement: Option<Placement>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) {
        let Submission { mut filing, origin, personal, table, request } = submission;
        if table != stamp.table
            && let Some(Personal::Grievance(given)) = personal.as_ref().map(|personal| personal.record())
        {
            // The rules changed after the door looked at category and place.
            let (categories, places) = (self.world.rules.categories(), self.world.rules.places());
            let filing = Arc::make_mut(&mut filing);
            filing.category = given.category.as_ref().and_then(|path| categories.nearest(path.as_str()).cloned());
            filing.place = given.place.as_ref().and_then(|path| places.nearest(path.as_str()).cloned());
        }
        let sources = filing.sources();
        let mut events = Vec::with_capacity(3);
        events.push(TicketEvent::Received { ticket: id, filing, origin });
        let Some(ticket) = Ticket::open(&events[0]) else {
            // A received event opens a ticket; but whatever comes, a number in the order gets its outcome.
            return self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
        };
        for source in sources {
            self.shared.seen.note(&source);
            self.shared.lookup.by_source.insert(source, id);
        }
        let by = if matches!(ticket.origin(), Origin::Imported(_)) { By::System } else { By::Citizen };
        let ticket = Box::new(ticket);
        let action = request.map(|_| ActionKind::NotSatisfied);
        let left = Left { stamp, reply, permit, ticket, events, by, action, request, personal };
        self.send_on(left, placement, Manner::Mark);
    }

    /// Sends a ticket that is between desks to the next.
    pub(super) fn send_on(&mut self, left: Left, placement: Option<Placement>, manner: Manner) {
        let Left { stamp, reply, permit, mut ticket, mut events, by, action, request, personal } = left;
        let World { rules, roster, .. } = &self.world;
        let text = match personal.as_ref().map(|personal| personal.record()) {
            Some(Personal::Grievance(given)) => Some(given.text.as_str()),
            _ => None,
        };
        let place = || placing::place(&ticket, text, rules, roster, &self.shared.policy, stamp.now);
        let mut placement = placement.unwrap_or_else(place);
        if manner == Manner::Mark
            && let Some(routed) = placement.routed.take()
        {
            ticket.apply(&routed);
            events.push(routed);
        }
        let Some(desk) = self.counter(&placement.desk) else {
            // The desk is one of the roster's, and each of those has an actor.
            self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
            return;
        };
        self.owner.insert(ticket.id(), desk as u32);
        let arrival = Box::new(Arrival { ticket, placement, manner, events, by, action, request, personal });
        let job = Job { stamp, reply, permit, attempt: Attempt::First, work: Work::Take(arrival) };
        self.give(desk, job);
    }
}
