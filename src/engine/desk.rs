//! A desk: the actor that owns a department's, a district's or the control desk's open tickets.
//!
//! The three differ only in who sits there, which the roster says. A desk turns jobs into outcomes by its
//! [`Book`], hands the outcomes to the journal and goes on; it runs ahead of the disk, and nobody outside does.

use std::any::Any;
use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::code::DeskId;
use crate::engine::book::{Acted, Book, Marking};
use crate::engine::dispatcher::{Collect, DatesPassed, DeskDied, Dispatcher};
use crate::engine::errand::{Arrival, Attempt, Job, Order, Outcome, Permit, Reply, Said, Stamp, Work};
use crate::engine::error::{ActError, Failure};
use crate::engine::health::ActorName;
use crate::engine::satisfaction::{Answered, Satisfaction};
use crate::engine::shared::Shared;
use crate::engine::writer::{BeginAnew, Flush, Outcomes, Writer};
use crate::personal::SaltedRecord;
use crate::roster::Roster;
use crate::rules::Rules;
use crate::ticket::{Action, ActionKind, By, RequestId, State, Ticket, TicketEvent, TicketId};

/// How long a desk waits at most before it looks at the clock again, which may have been set.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);

/// A desk.
pub(crate) struct Desk {
    name: ActorName,
    id: DeskId,
    book: Book,
    shared: Arc<Shared>,
    colleagues: Colleagues,
    waiting: VecDeque<Call>,
    /// The last sequence number that was handed to the journal, or left with a ticket, and its generation.
    handed: u64,
    generation: u32,
    /// Tickets answered and not yet told to the satisfaction actor, with the time of silence.
    answered: Vec<(TicketId, Timestamp)>,
    /// Tickets that this desk marked to another after a fault and that are not collected yet: until then it keeps them.
    fostered: BTreeSet<TicketId>,
    alarm: Option<(Timestamp, SpawnHandle)>,
    /// Dates were handed over and not all of them are carried out yet.
    dates_handed: bool,
    /// It was told to stop.
    dismissed: bool,
}

/// The other actors that a desk knows.
pub(crate) struct Colleagues {
    pub(crate) dispatcher: Addr<Dispatcher>,
    pub(crate) satisfaction: Addr<Satisfaction>,
    pub(crate) writer: Addr<Writer>,
}

/// Something a desk was called for.
enum Call {
    /// A job that ends here.
    Job(Job),
    /// A job after which the ticket may have to leave; the dispatcher waits for it.
    Depart(Job, oneshot::Sender<Departure>),
}

impl Call {
    fn job(&mut self) -> &mut Job {
        match self {
            Self::Job(job) | Self::Depart(job, _) => job,
        }
    }
}

/// What came of a call.
#[expect(clippy::large_enum_variant, reason = "short-lived, and most are the large one")]
enum Handled {
    Settled(Outcome, Option<oneshot::Sender<Departure>>),
    Left(Box<Left>, oneshot::Sender<Departure>),
    Dies,
}

/// What the dispatcher hears of a job after which the ticket may leave.
pub(crate) enum Departure {
    /// The outcome is on its way to the journal.
    Settled,
    /// The ticket leaves: the dispatcher has it now.
    Left(Box<Left>),
}

/// A ticket that left its desk, with the act that made it.
pub(crate) struct Left {
    pub(crate) stamp: Stamp,
    pub(crate) reply: Reply,
    pub(crate) permit: Option<Permit>,
    pub(crate) ticket: Box<Ticket>,
    pub(crate) events: Vec<TicketEvent>,
    pub(crate) by: By,
    pub(crate) action: Option<ActionKind>,
    pub(crate) request: Option<RequestId>,
    pub(crate) personal: Option<Box<SaltedRecord>>,
}

impl Desk {
    pub(crate) fn new(
        id: DeskId,
        shared: Arc<Shared>,
        rules: Arc<Rules>,
        roster: Arc<Roster>,
        tickets: Vec<Ticket>,
        colleagues: Colleagues,
    ) -> Self {
        let mut book = Book::new(id.clone(), rules, roster, Arc::clone(&shared.policy));
        book.rebuild(tickets, &shared.lookup.bearings().marks);
        Self {
            name: ActorName::Desk(id.clone()),
            id,
            book,
            shared,
            colleagues,
            waiting: VecDeque::new(),
            handed: 0,
            generation: 0,
            answered: Vec::new(),
            fostered: BTreeSet::new(),
            alarm: None,
            dates_handed: false,
            dismissed: false,
        }
    }

    /// Carries out what waits, in order; a panic stops it until the memory is rebuilt.
    fn work(&mut self, ctx: &mut Context<Self>) {
        let mut outcomes = Vec::with_capacity(self.waiting.len());
        while let Some(mut call) = self.waiting.pop_front() {
            match catch_unwind(AssertUnwindSafe(|| self.prepare(&mut call))) {
                Ok(prepared) => match self.carry_out(call, prepared) {
                    Handled::Settled(outcome, back) => {
                        outcomes.push(outcome);
                        if let Some(back) = back {
                            // The dispatcher goes on only after the journal has been handed the outcome.
                            self.hand_over(&mut outcomes);
                            drop(back.send(Departure::Settled));
                        }
                    }
                    Handled::Left(left, back) => {
                        self.note_handed(left.stamp);
                        drop(back.send(Departure::Left(left)));
                    }
                    Handled::Dies => {
                        self.hand_over(&mut outcomes);
                        ctx.terminate();
                        return;
                    }
                },
                Err(payload) => {
                    self.hand_over(&mut outcomes);
                    self.panicked(call, payload.as_ref(), ctx);
                    return;
                }
            }
        }
        self.hand_over(&mut outcomes);
        self.set_alarm(ctx);
    }

    /// The part of a call that decides. It consumes nothing of the call, so that it can be tried again.
    fn prepare(&mut self, call: &mut Call) -> Prepared {
        let job = call.job();
        let ticket = match &job.work {
            Work::Take(arrival) => arrival.ticket.id(),
            Work::Act(order) => order.ticket,
        };
        if self.shared.mishap(&self.name, Some(ticket)) {
            return Prepared::Death;
        }
        match &mut job.work {
            Work::Take(arrival) => Prepared::Marking(self.book.marking(arrival, job.stamp.now)),
            Work::Act(order) => Prepared::Acted(self.book.act(order, job.stamp)),
        }
    }

    /// The part that moves values to where they go; nothing in it can fail.
    fn carry_out(&mut self, call: Call, prepared: Prepared) -> Handled {
        let (job, back) = match call {
            Call::Job(job) => (job, None),
            Call::Depart(job, back) => (job, Some(back)),
        };
        let Job { stamp, reply, permit, work, .. } = job;
        let (record, answer) = match (prepared, work) {
            (Prepared::Marking(marking), Work::Take(arrival)) => {
                let (record, receipt) = self.book.take(*arrival, marking, stamp);
                (Some(record), Ok(receipt))
            }
            (Prepared::Acted(acted), Work::Act(order)) => match acted {
                Ok(Acted::Stays(record, receipt)) => {
                    if let Some(ticket) = self.book.ticket(receipt.ticket)
                        && let State::Resolved { silence_at, .. } | State::Rejected { silence_at, .. } = ticket.state()
                    {
                        self.answered.push((receipt.ticket, *silence_at));
                    }
                    (Some(*record), Ok(receipt))
                }
                Ok(Acted::Already(receipt)) => (None, Ok(receipt)),
                Ok(Acted::Leaves(ticket, events)) => match back {
                    Some(back) => {
                        let (by, action) = (order.who.by(), Some(order.action.kind()));
                        let Order { request, personal, .. } = *order;
                        let left = Left { stamp, reply, permit, ticket, events, by, action, request, personal };
                        return Handled::Left(Box::new(left), back);
                    }
                    // Only a job the dispatcher waits for makes a ticket leave; it tells them apart by the action.
                    None => (None, Err(ActError::Failed(Failure::Internal))),
                },
                Err(error) => (None, Err(error)),
            },
            (Prepared::Death, _) => return Handled::Dies,
            _ => (None, Err(ActError::Failed(Failure::Internal))),
        };
        Handled::Settled(Outcome { stamp, record, answer: Said::Answer(answer), reply, permit }, back)
    }

    fn note_handed(&mut self, stamp: Stamp) {
        self.handed = self.handed.max(stamp.seq);
        self.generation = stamp.generation;
    }

    fn hand_over(&mut self, outcomes: &mut Vec<Outcome>) {
        if let Some(last) = outcomes.last() {
            self.note_handed(last.stamp);
            self.colleagues.writer.do_send(Outcomes(std::mem::take(outcomes)));
        }
        if !self.answered.is_empty() {
            self.colleagues.satisfaction.do_send(Answered(std::mem::take(&mut self.answered)));
        }
    }

    /// The memory is suspect: it is rebuilt from the journal once all that was handed over, or left with a ticket, is
    /// written. The culprit is tried once more.
    fn panicked(&mut self, mut call: Call, payload: &(dyn Any + Send), ctx: &mut Context<Self>) {
        let ticket = match &call.job().work {
            Work::Take(arrival) => arrival.ticket.id(),
            Work::Act(order) => order.ticket,
        };
        self.shared.health.panicked(&self.name, Some(ticket), payload);
        match call.job().attempt {
            Attempt::First => {
                call.job().attempt = Attempt::Second;
                self.waiting.push_front(call);
            }
            Attempt::Second => self.give_up(call),
        }
        // What waits here is not written before this desk goes on.
        let first_waiting = self.waiting.front_mut().map(|call| call.job().stamp.seq);
        let upto = first_waiting.map_or(self.handed, |first| self.handed.min(first.saturating_sub(1)));
        let written = self.colleagues.writer.send(Flush { upto, generation: self.generation });
        ctx.wait(written.into_actor(self).map(|_, desk, ctx| {
            desk.rebuild();
            desk.work(ctx);
        }));
    }

    /// What made this desk panic twice: a ticket goes to the control desk with the reason, an act gets an error.
    fn give_up(&mut self, call: Call) {
        let (job, back) = match call {
            Call::Job(job) => (job, None),
            Call::Depart(job, back) => (job, Some(back)),
        };
        let Job { stamp, reply, permit, work, .. } = job;
        let outcome = match work {
            Work::Take(arrival) => self.mark_elsewhere(arrival, stamp, reply, permit),
            Work::Act(order) => {
                if order.action == Action::DatePasses {
                    self.book.date_failed(order.ticket);
                }
                Outcome::refused(stamp, Failure::Internal, reply, permit)
            }
        };
        self.hand_over(&mut vec![outcome]);
        if let Some(back) = back {
            drop(back.send(Departure::Settled));
        }
    }

    /// Marks an arrival to the control desk in its stead. The ticket stays in this book until the dispatcher collects
    /// it, so that whoever asks for it meanwhile finds it.
    fn mark_elsewhere(
        &mut self,
        mut arrival: Box<Arrival>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Outcome {
        let id = arrival.ticket.id();
        let Self { shared, book, name, .. } = self;
        let marking = shared.guarded(name, || {
            book.redirect(&mut arrival);
            book.marking(&arrival, stamp.now)
        });
        let Some(marking) = marking else { return Outcome::refused(stamp, Failure::Internal, reply, permit) };
        let (record, receipt) = self.book.take(*arrival, marking, stamp);
        self.fostered.insert(id);
        self.colleagues.dispatcher.do_send(Collect { ticket: id });
        Outcome { stamp, record: Some(record), answer: Said::Answer(Ok(receipt)), reply, permit }
    }

    /// Begins again from what is durable.
    fn rebuild(&mut self) {
        let Self { id, fostered, .. } = self;
        let is_here = |ticket: &Ticket| ticket.desk() == Some(id) || fostered.contains(&ticket.id());
        let tickets = self.shared.lookup.open(is_here);
        self.rebuild_with(tickets);
    }

    fn rebuild_with(&mut self, tickets: Vec<Ticket>) {
        self.book.rebuild(tickets, &self.shared.lookup.bearings().marks);
        self.shared.health.rebuilt(&self.name);
        self.dates_handed = false;
    }

    /// One timer for all its dates.
    fn set_alarm(&mut self, ctx: &mut Context<Self>) {
        if self.dates_handed {
            return;
        }
        let Some(next) = self.book.next_date() else { return };
        if self.alarm.is_some_and(|(set_for, _)| set_for <= next) {
            return;
        }
        let Some(wait) = self.shared.wait(next) else { return };
        if let Some((_, earlier)) = self.alarm.take() {
            ctx.cancel_future(earlier);
        }
        let handle = ctx.run_later(wait.min(LONGEST_SLEEP), |desk, ctx| {
            desk.alarm = None;
            desk.dates_pass();
            desk.set_alarm(ctx);
        });
        self.alarm = Some((next, handle));
    }

    fn dates_pass(&mut self) {
        let Some(now) = self.shared.now() else { return };
        let Self { shared, book, name, .. } = self;
        let due = shared.guarded(name, || book.due(now, shared.limits.dates_at_a_time));
        if let Some(tickets) = due.filter(|due| !due.is_empty()) {
            self.dates_handed = true;
            self.colleagues.dispatcher.do_send(DatesPassed { desk: Some(self.id.clone()), tickets });
        }
    }
}

/// What a call was found to come to.
enum Prepared {
    Marking(Marking),
    Acted(Result<Acted, ActError>),
    Death,
}

impl Actor for Desk {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.set_alarm(ctx);
    }

    /// A desk that dies takes with it what it had in hand: it is replaced, and everything begins anew.
    fn stopped(&mut self, _: &mut Self::Context) {
        if !self.dismissed {
            self.colleagues.dispatcher.do_send(DeskDied { desk: self.id.clone() });
            let reason = "a desk died with what it had in hand".to_owned();
            self.colleagues.writer.do_send(BeginAnew { reason });
        }
    }
}

/// Jobs that end at the desk.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Jobs(pub(crate) Vec<Job>);

impl Handler<Jobs> for Desk {
    type Result = ();
    fn handle(&mut self, Jobs(jobs): Jobs, ctx: &mut Self::Context) {
        self.waiting.extend(jobs.into_iter().map(Call::Job));
        self.work(ctx);
    }
}

/// A job after which the ticket may leave.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Depart {
    pub(crate) job: Job,
    pub(crate) back: oneshot::Sender<Departure>,
}

impl Handler<Depart> for Desk {
    type Result = ();
    fn handle(&mut self, Depart { job, back }: Depart, ctx: &mut Self::Context) {
        self.waiting.push_back(Call::Depart(job, back));
        self.work(ctx);
    }
}

/// Which dates have come, for a clock that does not run by itself.
#[derive(Message)]
#[rtype(result = "Vec<TicketId>")]
pub(crate) struct Due(pub(crate) Timestamp);

impl Handler<Due> for Desk {
    type Result = Vec<TicketId>;
    fn handle(&mut self, Due(now): Due, _: &mut Self::Context) -> Vec<TicketId> {
        self.book.due(now, self.shared.limits.dates_at_a_time)
    }
}

/// The dates handed over are carried out.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DatesDone;

impl Handler<DatesDone> for Desk {
    type Result = ();
    fn handle(&mut self, _: DatesDone, ctx: &mut Self::Context) {
        self.dates_handed = false;
        self.set_alarm(ctx);
    }
}

/// Let go of these, if they are still closed: their closing is written.
#[derive(Message)]
#[rtype(result = "Vec<TicketId>")]
pub(crate) struct Release(pub(crate) Vec<TicketId>);

impl Handler<Release> for Desk {
    type Result = Vec<TicketId>;
    fn handle(&mut self, Release(closed): Release, _: &mut Self::Context) -> Vec<TicketId> {
        self.book.release(&closed)
    }
}

/// Show a ticket as it is at the desk, ahead of the disk.
#[derive(Message)]
#[rtype(result = "Option<Ticket>")]
pub(crate) struct Show(pub(crate) TicketId);

impl Handler<Show> for Desk {
    type Result = Option<Ticket>;
    fn handle(&mut self, Show(id): Show, _: &mut Self::Context) -> Option<Ticket> {
        self.book.ticket(id).cloned()
    }
}

/// Go on with other rules and another roster; answers the tickets that have no holder here any more.
#[derive(Message)]
#[rtype(result = "Vec<Ticket>")]
pub(crate) struct Change {
    pub(crate) rules: Arc<Rules>,
    pub(crate) roster: Arc<Roster>,
}

impl Handler<Change> for Desk {
    type Result = Vec<Ticket>;
    fn handle(&mut self, Change { rules, roster }: Change, _: &mut Self::Context) -> Vec<Ticket> {
        self.book.change(rules, roster, &self.shared.lookup.bearings().marks)
    }
}

/// Give away a ticket that was marked to another desk.
#[derive(Message)]
#[rtype(result = "Option<Box<Ticket>>")]
pub(crate) struct Give(pub(crate) TicketId);

impl Handler<Give> for Desk {
    type Result = Option<Box<Ticket>>;
    fn handle(&mut self, Give(id): Give, _: &mut Self::Context) -> Option<Box<Ticket>> {
        self.fostered.remove(&id);
        let is_elsewhere = self.book.ticket(id).is_some_and(|ticket| ticket.desk() != Some(&self.id));
        if is_elsewhere { self.book.let_go(id) } else { None }
    }
}

/// Take a ticket in that another desk had marked to someone here.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Adopt(pub(crate) Box<Ticket>);

impl Handler<Adopt> for Desk {
    type Result = ();
    fn handle(&mut self, Adopt(ticket): Adopt, ctx: &mut Self::Context) {
        self.book.adopt(ticket);
        self.set_alarm(ctx);
    }
}

/// Begin again with these tickets, which are the desk's as far as it is durable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Rebuild(pub(crate) Vec<Ticket>);

impl Handler<Rebuild> for Desk {
    type Result = ();
    fn handle(&mut self, Rebuild(tickets): Rebuild, ctx: &mut Self::Context) {
        self.fostered.clear();
        self.rebuild_with(tickets);
        self.set_alarm(ctx);
    }
}

/// Stop; nothing is waiting any more.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StopDesk;

impl Handler<StopDesk> for Desk {
    type Result = ();
    fn handle(&mut self, _: StopDesk, ctx: &mut Self::Context) {
        self.dismissed = true;
        ctx.stop();
    }
}
