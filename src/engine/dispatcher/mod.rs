//! The dispatcher: the one door behind which everything has its order.
//!
//! Submits, acts, feedback, dates that come, and changes of rules and roster pass here one after the other. The
//! dispatcher stamps each with a sequence number and a never-falling time, gives new tickets their number, asks the
//! rules where a ticket goes, and hands it to the desk. It knows the desk of each open ticket, ahead of the disk.
//!
//! An act after which a ticket may leave its desk (a forward, a complaint, a passed deadline, …) is waited for before
//! the next is looked at, so that what a desk meets, it meets in the order of the door, however the actors are
//! scheduled. Everything else streams.

mod act;
mod change;
mod dates;
mod erase;
mod feedback;
mod messages;
mod recovery;
mod submit;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::prelude::*;
use foldhash::fast::FixedState;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::code::{DeskId, OfficerId};
use crate::engine::desk::{DatesDone, Desk, Jobs, Release, StopDesk};
use crate::engine::errand::{Errand, Job, Outcome, Stamp, Task};
use crate::engine::error::{EraseError, Failure, ReloadError};
use crate::engine::health::ActorName;
use crate::engine::satisfaction::{Satisfaction, SilencesDone, Turn};
use crate::engine::shared::Shared;
use crate::engine::world::World;
use crate::engine::writer::{Ask, Flush, Outcomes, StopWriter, Writer};
use crate::journal::{Bearings, Erased};
use crate::roster::Roster;
use crate::rules::Rules;
use crate::ticket::{Ticket, TicketId};

pub(crate) use messages::{Arrivals, Closed, Collect, DatesPassed, Erase, ReloadRoster, ReloadRules, Stop, Tick};
pub(crate) use recovery::{DeskDied, Recover};

/// How many outcomes or jobs for one desk are gathered at most before they are handed over.
const GATHERED: usize = 512;

/// Gives everything its order, and tickets their desk.
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    world: World,
    publish: watch::Sender<World>,
    writer: Addr<Writer>,
    satisfaction: Addr<Satisfaction>,
    desks: Vec<Counter>,
    desk_by_id: HashMap<DeskId, usize, FixedState>,
    /// The desk of each open ticket, ahead of the disk.
    owner: HashMap<TicketId, u32, FixedState>,
    numbers: Range<u64>,
    seq: u64,
    generation: u32,
    /// The time of what is dealt with: the clock's, but never falling.
    now: Timestamp,
    waiting: VecDeque<Matter>,
    outcomes: Vec<Outcome>,
    hand_over_is_due: bool,
    /// What the journal says is in force.
    bearings: Bearings,
    /// Whether copies of what is erased may be left in the store's files.
    copies_are_left: bool,
    /// Dropped with the dispatcher: whoever holds the other end hears that it is gone.
    _end: oneshot::Sender<()>,
}

/// A desk and the jobs gathered for it.
struct Counter {
    id: DeskId,
    desk: Addr<Desk>,
    jobs: Vec<Job>,
}

/// Something to be dealt with in its turn.
enum Matter {
    Errand(Errand),
    /// Dates that came: of a desk's tickets or, without one, silences.
    Dates(Option<DeskId>, VecDeque<TicketId>),
    /// Let all dates pass that have come: from the desk with this number on.
    Tick(usize, oneshot::Sender<()>),
    /// All dates that had come have passed: say so when it is written.
    Passed(oneshot::Sender<()>),
    Rules(Arc<Rules>, Option<OfficerId>, Done),
    Roster(Arc<Roster>, Option<OfficerId>, Done),
    /// Tickets without a holder, since the roster changed.
    Orphans(VecDeque<Ticket>, Option<Done>),
    /// After a start or a recovery.
    Order,
    /// A ticket that its desk marked to another desk, after a fault.
    Collect(TicketId),
    Closed(Vec<TicketId>),
    /// Have personal records erased.
    Erase(Erased, Option<OfficerId>, Option<oneshot::Sender<Result<u64, EraseError>>>),
    /// See whether personal records are too old.
    Expire,
    Stop(oneshot::Sender<()>),
}

/// Who waits for a reload.
type Done = oneshot::Sender<Result<(), ReloadError>>;

/// What comes next after a matter.
enum Next {
    /// The matter after it.
    Go,
    /// Wait for others, then go on with what they answer.
    Wait(LocalBoxFuture<'static, Then>),
}

/// How to go on with an answer.
type Then = Box<dyn FnOnce(&mut Dispatcher, &mut Context<Dispatcher>) -> Next>;

fn then(go_on: impl FnOnce(&mut Dispatcher, &mut Context<Dispatcher>) -> Next + 'static) -> Then {
    Box::new(go_on)
}

impl Dispatcher {
    pub(crate) fn new(
        shared: Arc<Shared>,
        world: World,
        publish: watch::Sender<World>,
        writer: Addr<Writer>,
        satisfaction: Addr<Satisfaction>,
        bearings: Bearings,
        end: oneshot::Sender<()>,
    ) -> Self {
        // Time goes on from where the journal ends, even if the clock was set back meanwhile.
        let now = bearings.at.max(shared.now()).unwrap_or_default();
        Self {
            shared,
            world,
            publish,
            writer,
            satisfaction,
            desks: Vec::new(),
            desk_by_id: HashMap::default(),
            owner: HashMap::default(),
            numbers: 0..0,
            seq: 0,
            generation: 0,
            now,
            waiting: VecDeque::new(),
            outcomes: Vec::new(),
            hand_over_is_due: false,
            bearings,
            copies_are_left: false,
            _end: end,
        }
    }

    /// Deals with what waits, in order, until it has to wait itself.
    fn work(&mut self, ctx: &mut Context<Self>) {
        // One look at the clock for all that came together. Time never falls, whatever the clock does.
        self.now = self.shared.now().map_or(self.now, |now| self.now.max(now));
        while let Some(matter) = self.waiting.pop_front() {
            let mut held = Some(matter);
            match catch_unwind(AssertUnwindSafe(|| self.step(&mut held, ctx))) {
                Ok(Next::Go) => {}
                Ok(Next::Wait(answer)) => return self.wait(answer, ctx),
                Err(payload) => {
                    self.shared.health.panicked(&ActorName::Dispatcher, None, payload.as_ref());
                    return self.panicked(held, ctx);
                }
            }
        }
        if !self.hand_over_is_due {
            self.hand_over_is_due = true;
            // The mailbox is emptied before the futures of an actor are polled: so all that waits is gathered.
            ctx.spawn(async {}.into_actor(self).map(|(), dispatcher, _| dispatcher.hand_over()));
        }
    }

    fn wait(&mut self, answer: LocalBoxFuture<'static, Then>, ctx: &mut Context<Self>) {
        self.hand_over();
        ctx.wait(answer.into_actor(self).map(|go_on, dispatcher, ctx| {
            match catch_unwind(AssertUnwindSafe(|| go_on(dispatcher, ctx))) {
                Ok(Next::Go) => dispatcher.work(ctx),
                Ok(Next::Wait(answer)) => dispatcher.wait(answer, ctx),
                Err(payload) => {
                    // A ticket may have been on its way between two desks: everything begins anew from the journal.
                    dispatcher.shared.health.panicked(&ActorName::Dispatcher, None, payload.as_ref());
                    dispatcher.begin_anew("the dispatcher panicked with a ticket in hand");
                    dispatcher.work(ctx);
                }
            }
        }));
    }

    fn hand_over(&mut self) {
        self.hand_over_is_due = false;
        for counter in self.desks.iter_mut().filter(|counter| !counter.jobs.is_empty()) {
            counter.desk.do_send(Jobs(std::mem::take(&mut counter.jobs)));
        }
        if !self.outcomes.is_empty() {
            self.writer.do_send(Outcomes(std::mem::take(&mut self.outcomes)));
        }
    }

    fn step(&mut self, held: &mut Option<Matter>, ctx: &mut Context<Self>) -> Next {
        match held {
            Some(Matter::Errand(errand)) => {
                // Asked here, where the errand is still whole.
                self.shared.mishap(&ActorName::Dispatcher, None);
                if matches!(errand.task, Task::Submit(_)) && self.numbers.is_empty() {
                    self.put_back(held);
                    return self.reserve();
                }
                let stamp = match errand.stamp {
                    Some(stamp) => stamp,
                    None => *errand.stamp.insert(self.stamp()),
                };
                let Some(Matter::Errand(errand)) = held.take() else { return Next::Go };
                let Errand { task, reply, permit, .. } = errand;
                match task {
                    Task::Submit(submission) => self.submit(submission, stamp, reply, permit),
                    Task::Act(order) => self.act(order, stamp, reply, permit),
                    Task::Feedback(opinion) => self.feedback(*opinion, stamp, reply, permit),
                }
            }
            Some(Matter::Dates(desk, tickets)) => match tickets.pop_front() {
                Some(ticket) => {
                    self.put_back(held);
                    self.date_passes(ticket)
                }
                None => {
                    match desk.take().and_then(|desk| self.counter(&desk)) {
                        Some(counter) => self.desks[counter].desk.do_send(DatesDone),
                        None => self.satisfaction.do_send(SilencesDone),
                    }
                    Next::Go
                }
            },
            _ => match held.take() {
                Some(Matter::Tick(desk, done)) => self.tick(desk, done),
                Some(Matter::Passed(done)) => self.when_written(move || done.send(()).unwrap_or_default()),
                Some(Matter::Rules(rules, by, done)) => self.change_rules(rules, by, done),
                Some(Matter::Roster(roster, by, done)) => self.change_roster(roster, by, done),
                Some(Matter::Order) => self.set_in_order(ctx),
                Some(Matter::Collect(ticket)) => self.collect(ticket),
                Some(Matter::Orphans(tickets, done)) => self.adopt(tickets, done),
                Some(Matter::Closed(tickets)) => self.release(tickets),
                Some(Matter::Erase(of, by, done)) => self.erase(of, by, done),
                Some(Matter::Expire) => self.expire(),
                Some(Matter::Stop(done)) => self.stop(done),
                Some(Matter::Errand(_) | Matter::Dates(..)) | None => Next::Go,
            },
        }
    }

    fn put_back(&mut self, held: &mut Option<Matter>) {
        if let Some(matter) = held.take() {
            self.waiting.push_front(matter);
        }
    }

    fn stamp(&mut self) -> Stamp {
        self.seq += 1;
        let table = self.world.rules.version();
        Stamp { seq: self.seq, generation: self.generation, now: self.now, table }
    }

    fn number(&mut self) -> Option<TicketId> {
        self.numbers.next().and_then(TicketId::from_number)
    }

    /// Has a block of numbers set aside, then goes on.
    fn reserve(&self) -> Next {
        let count = self.shared.limits.numbers_at_a_time;
        let (ask, answered) = Ask::new(move |store| store.reserve(count));
        self.writer.do_send(ask);
        Next::Wait(Box::pin(async move {
            let block = answered.await;
            then(move |dispatcher, _| {
                match block {
                    Ok(Ok(block)) => dispatcher.numbers = block,
                    // The submit that needs a number is refused by the next step.
                    Ok(Err(error)) => {
                        tracing::error!(%error, "no numbers can be set aside");
                        dispatcher.refuse_next_submit(&error.reason);
                    }
                    Err(_) => dispatcher.refuse_next_submit("it is not there any more"),
                }
                Next::Go
            })
        }))
    }

    fn refuse_next_submit(&mut self, reason: &str) {
        if let Some(Matter::Errand(errand)) = self.waiting.pop_front() {
            let Errand { reply, permit, stamp, .. } = errand;
            let stamp = stamp.unwrap_or_else(|| self.stamp());
            let failure = Failure::NotStored { reason: reason.to_owned() };
            self.outcomes.push(Outcome::refused(stamp, failure, reply, permit));
        }
    }

    /// Waits until all that was handed over is written.
    fn when_written(&mut self, go_on: impl FnOnce() + 'static) -> Next {
        self.hand_over();
        let written = self.writer.send(Flush { upto: self.seq, generation: self.generation });
        Next::Wait(Box::pin(async move {
            let _ = written.await;
            then(move |_, _| {
                go_on();
                Next::Go
            })
        }))
    }

    fn give(&mut self, desk: usize, job: Job) {
        let counter = &mut self.desks[desk];
        counter.jobs.push(job);
        if counter.jobs.len() >= GATHERED {
            counter.desk.do_send(Jobs(std::mem::take(&mut counter.jobs)));
        }
    }

    fn counter(&self, desk: &DeskId) -> Option<usize> {
        self.desk_by_id.get(desk).copied()
    }

    fn owner(&self, ticket: TicketId) -> Option<usize> {
        self.owner.get(&ticket).map(|&desk| desk as usize)
    }

    /// Lets the desks let go of tickets whose closing is written, unless they were opened again meanwhile.
    fn release(&mut self, tickets: Vec<TicketId>) -> Next {
        self.hand_over();
        let mut by_desk: BTreeMap<usize, Vec<TicketId>> = BTreeMap::new();
        for ticket in tickets {
            if let Some(desk) = self.owner(ticket) {
                by_desk.entry(desk).or_default().push(ticket);
            }
        }
        let released: Vec<_> =
            by_desk.into_iter().map(|(desk, tickets)| self.desks[desk].desk.send(Release(tickets))).collect();
        Next::Wait(Box::pin(async move {
            let mut gone = Vec::new();
            for desk in released {
                gone.extend(desk.await.unwrap_or_default());
            }
            then(move |dispatcher, _| {
                for ticket in &gone {
                    dispatcher.owner.remove(ticket);
                }
                Next::Go
            })
        }))
    }

    fn stop(&mut self, done: oneshot::Sender<()>) -> Next {
        self.hand_over();
        let written = self.writer.send(Flush { upto: self.seq, generation: self.generation });
        Next::Wait(Box::pin(async move {
            let _ = written.await;
            then(move |dispatcher, ctx| {
                dispatcher.desks.iter().for_each(|counter| counter.desk.do_send(StopDesk));
                dispatcher.satisfaction.do_send(Turn::Stop);
                let stopped = dispatcher.writer.send(StopWriter);
                let done = async move {
                    let _ = stopped.await;
                    let _ = done.send(());
                };
                ctx.spawn(done.into_actor(dispatcher).map(|(), _, ctx| ctx.stop()));
                Next::Go
            })
        }))
    }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.open_desks(ctx);
        self.rebuild();
        self.waiting.push_back(Matter::Order);
        self.watch_ages(ctx);
        self.work(ctx);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if !self.shared.is_stopping() {
            let reason = "the dispatcher died".to_owned();
            self.shared.health.enter(crate::engine::health::Mode::Stopped { reason });
        }
    }
}
