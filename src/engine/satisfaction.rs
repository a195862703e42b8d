//! The satisfaction actor: keeps the times of asking, judges the citizen's answer, and says what follows.
//!
//! It owns no ticket: the desk that does carries out what it says.

use std::collections::{BTreeSet, HashMap};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use foldhash::fast::FixedState;
use jiff::Timestamp;

use crate::engine::book::repeated;
use crate::engine::dispatcher::{DatesPassed, Dispatcher};
use crate::engine::error::{ActError, Failure};
use crate::engine::health::ActorName;
use crate::engine::request::{Receipt, Verdict};
use crate::engine::shared::Shared;
use crate::personal::AuthorKey;
use crate::ticket::{Asked, By, Refusal, RequestId, State, StateKind, Ticket, TicketId};

/// How long it waits at most before it looks at the clock again, which may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// Asks, waits, judges.
pub(crate) struct Satisfaction {
    shared: Arc<Shared>,
    dispatcher: Addr<Dispatcher>,
    /// When silence closes which ticket; passed over when the ticket has moved on.
    silences: BTreeSet<(Timestamp, TicketId)>,
    /// The latest date of each: an answer that is given again takes the place of the one before, as it does after a start.
    by_ticket: HashMap<TicketId, Timestamp, FixedState>,
    alarm: Option<(Timestamp, SpawnHandle)>,
    dates_handed: bool,
}

/// What follows from feedback.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Judgement {
    /// The desk carries it out.
    CarryOut,
    /// The window for reopening is over: it becomes a ticket of its own.
    FollowUp,
    /// It counted already.
    Already(Receipt),
    /// It does not count, and why.
    Refuse(Box<ActError>),
}

/// What the citizen's feedback on `ticket` comes to at `now`.
pub(crate) fn judge(
    ticket: &Ticket,
    author: AuthorKey,
    verdict: Verdict,
    request: Option<RequestId>,
    now: Timestamp,
) -> Judgement {
    if ticket.filing().author != Some(author) {
        return Judgement::Refuse(Box::new(ActError::NotTheComplainant));
    }
    let action = verdict.action().kind();
    match repeated(ticket, request.map(|request| Asked { request, by: By::Citizen, action })) {
        Ok(None) => {}
        Ok(Some(receipt)) => return Judgement::Already(receipt),
        Err(error) => return Judgement::Refuse(Box::new(error)),
    }
    match (ticket.state(), verdict) {
        (State::Closed { reopen_until: None, .. }, Verdict::NotSatisfied) => {
            Judgement::Refuse(Box::new(Refusal::ClosedForGood.into()))
        }
        (State::Closed { reopen_until: Some(until), .. }, Verdict::NotSatisfied) if now > *until => Judgement::FollowUp,
        // Whatever else the state says to it, the desk's decision says.
        _ => Judgement::CarryOut,
    }
}

impl Satisfaction {
    pub(crate) fn new(shared: Arc<Shared>, dispatcher: Addr<Dispatcher>) -> Self {
        let (silences, by_ticket) = (BTreeSet::new(), HashMap::default());
        let mut new = Self { shared, dispatcher, silences, by_ticket, alarm: None, dates_handed: false };
        new.rebuild();
        new
    }

    /// Adds what is durable. What was answered and is not written yet stays: a time too many does no harm.
    fn rebuild(&mut self) {
        let answered = |ticket: &Ticket| matches!(ticket.state().kind(), StateKind::Resolved | StateKind::Rejected);
        let tickets = self.shared.lookup.open(answered);
        for ticket in &tickets {
            let Some(date) = ticket.state().next_date() else { continue };
            self.silences.insert((date, ticket.id()));
            self.by_ticket.entry(ticket.id()).or_insert(date);
        }
        self.dates_handed = false;
    }

    fn due(&mut self, now: Timestamp) -> Vec<TicketId> {
        let mut due = Vec::new();
        while due.len() < self.shared.limits.dates_at_a_time
            && let Some(&(date, id)) = self.silences.first()
            && date <= now
            && date < Timestamp::MAX
        {
            self.silences.pop_first();
            if self.by_ticket.get(&id) == Some(&date) {
                self.by_ticket.remove(&id);
            }
            due.push(id);
        }
        due
    }

    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        if self.dates_handed {
            return;
        }
        let Some(&(next, _)) = self.silences.first() else { return };
        if self.alarm.is_some_and(|(set_for, _)| set_for <= next) {
            return;
        }
        let Some(wait) = self.shared.wait(next) else { return };
        if let Some((_, earlier)) = self.alarm.take() {
            ctx.cancel_future(earlier);
        }
        let handle = ctx.run_later(wait.min(LONGEST_SLEEP), |actor, ctx| {
            actor.alarm = None;
            let tickets = actor.shared.now().map(|now| actor.due(now)).unwrap_or_default();
            if !tickets.is_empty() {
                actor.dates_handed = true;
                actor.dispatcher.do_send(DatesPassed { desk: None, tickets });
            }
            actor.set_alarm(ctx);
        });
        self.alarm = Some((next, handle));
    }
}

impl Actor for Satisfaction {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.set_alarm(ctx);
    }
}

/// These tickets were answered; silence until then closes them.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Answered(pub(crate) Vec<(TicketId, Timestamp)>);

impl Handler<Answered> for Satisfaction {
    type Result = ();
    fn handle(&mut self, Answered(tickets): Answered, ctx: &mut Self::Context) {
        for (id, silence_at) in tickets {
            if let Some(earlier) = self.by_ticket.insert(id, silence_at) {
                self.silences.remove(&(earlier, id));
            }
            self.silences.insert((silence_at, id));
        }
        self.set_alarm(ctx);
    }
}

/// Judge a citizen's feedback on a ticket.
#[derive(Message)]
#[rtype(result = "Judgement")]
pub(crate) struct Judge {
    pub(crate) ticket: Ticket,
    pub(crate) author: AuthorKey,
    pub(crate) verdict: Verdict,
    pub(crate) request: Option<RequestId>,
    pub(crate) now: Timestamp,
}

impl Handler<Judge> for Satisfaction {
    type Result = MessageResult<Judge>;
    fn handle(&mut self, ask: Judge, _: &mut Self::Context) -> Self::Result {
        let Judge { ticket, author, verdict, request, now } = ask;
        for _attempt in 0..2 {
            let shared = Arc::clone(&self.shared);
            let judged = catch_unwind(AssertUnwindSafe(|| {
                shared.mishap(&ActorName::Satisfaction, Some(ticket.id()));
                judge(&ticket, author, verdict, request, now)
            }));
            match judged {
                Ok(judgement) => return MessageResult(judgement),
                Err(payload) => {
                    self.shared.health.panicked(&ActorName::Satisfaction, Some(ticket.id()), payload.as_ref());
                    self.rebuild();
                    self.shared.health.rebuilt(&ActorName::Satisfaction);
                }
            }
        }
        MessageResult(Judgement::Refuse(Box::new(Failure::Internal.into())))
    }
}

/// Which silences have come, for a clock that does not run by itself.
#[derive(Message)]
#[rtype(result = "Vec<TicketId>")]
pub(crate) struct Silences(pub(crate) Timestamp);

impl Handler<Silences> for Satisfaction {
    type Result = Vec<TicketId>;
    fn handle(&mut self, Silences(now): Silences, _: &mut Self::Context) -> Vec<TicketId> {
        self.due(now)
    }
}

/// The silences handed over are carried out.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct SilencesDone;

impl Handler<SilencesDone> for Satisfaction {
    type Result = ();
    fn handle(&mut self, _: SilencesDone, ctx: &mut Self::Context) {
        self.dates_handed = false;
        self.set_alarm(ctx);
    }
}

/// Begin again from what is durable, or stop.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) enum Turn {
    Rebuild,
    Stop,
}

impl Handler<Turn> for Satisfaction {
    type Result = ();
    fn handle(&mut self, turn: Turn, ctx: &mut Self::Context) {
        match turn {
            Turn::Rebuild => {
                self.rebuild();
                self.set_alarm(ctx);
            }
            Turn::Stop => ctx.stop(),
        }
    }
}
