//! The dispatcher: the one door behind which everything has its order.
//!
//! Submits, acts, feedback, dates that come, and changes of rules and roster pass here one after the other. The
//! dispatcher stamps each with a sequence number and a never-falling time, gives new tickets their number, asks the
//! rules where a ticket goes, and hands it to the desk. It knows the desk of each open ticket, ahead of the disk.
//!
//! An act after which a ticket may leave its desk (a forward, a complaint, a passed deadline, …) is waited for before
//! the next is looked at, so that what a desk meets, it meets in the order of the door, however the actors are
//! scheduled. Everything else streams.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix::prelude::*;
use fastbloom::BloomFilter;
use foldhash::fast::FixedState;
use futures_util::future::LocalBoxFuture;
use jiff::Timestamp;
use tokio::sync::{oneshot, watch};

use crate::code::{DeskId, OfficerId};
use crate::engine::book::{carry_out, holds_here};
use crate::engine::builder::Known;
use crate::engine::desk::StopDesk;
use crate::engine::desk::{ChangeRoster, DatesDone, Depart, Departure, Desk, Due, Jobs, Left, Rebuild, Release, Show};
use crate::engine::errand::{Arrival, Attempt, Errand, Job, Manner, Opinion, Order, Outcome, Permit, Reply, Said};
use crate::engine::errand::{Sealed, Stamp, Submission, Task, Who, Work};
use crate::engine::error::{ActError, Failure, ReloadError};
use crate::engine::health::ActorName;
use crate::engine::satisfaction::{Judge, Judgement, Satisfaction, Silences, SilencesDone, Turn};
use crate::engine::shared::Shared;
use crate::engine::world::World;
use crate::engine::writer::{Ask, BeginAnew, Flush, Outcomes, Resume, StopWriter, Writer};
use crate::grievance::Filing;
use crate::journal::{Entry, Format, Record, RosterChanged, RulesChanged, fold};
use crate::personal::SourceKey;
use crate::placing::{self, Placement};
use crate::roster::{Roster, RosterVersion};
use crate::rules::{Rules, TableVersion};
use crate::ticket::{Action, By, Origin, Ticket, TicketEvent, TicketId};

/// How many outcomes or jobs for one desk are gathered at most before they are handed over.
const GATHERED: usize = 512;

/// Gives everything its order, and tickets their desk.
pub(crate) struct Dispatcher {
    shared: Arc<Shared>,
    world: World,
    publish: watch::Sender<World>,
    writer: Addr<Writer>,
    satisfaction: Option<Addr<Satisfaction>>,
    desks: Vec<Counter>,
    desk_by_id: HashMap<DeskId, usize, FixedState>,
    /// The desk of each open ticket, ahead of the disk.
    owner: HashMap<TicketId, u32, FixedState>,
    /// Says "never seen" for certain, or "perhaps".
    seen: BloomFilter,
    numbers: Range<u64>,
    seq: u64,
    generation: u32,
    last_now: Timestamp,
    waiting: VecDeque<Matter>,
    outcomes: Vec<Outcome>,
    hand_over_is_due: bool,
    /// Table and roster in force at the journal's end, when the engine was started.
    in_force: (Option<TableVersion>, Option<RosterVersion>),
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
    Rules(Arc<Rules>, Option<OfficerId>, oneshot::Sender<Result<(), ReloadError>>),
    Roster(Arc<Roster>, Option<OfficerId>, oneshot::Sender<Result<(), ReloadError>>),
    /// Tickets without a holder, since the roster changed.
    Orphans(VecDeque<Ticket>, Option<oneshot::Sender<Result<(), ReloadError>>>),
    Closed(Vec<TicketId>),
    Stop(oneshot::Sender<()>),
}

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
        known: Known,
        end: oneshot::Sender<()>,
    ) -> Self {
        let expected = shared.limits.remembered_sources;
        let mut seen = BloomFilter::with_false_pos(0.001).seed(&0x006e_6976_6172_616e).expected_items(expected);
        for source in &known.sources {
            seen.insert(source.as_bytes());
        }
        Self {
            shared,
            world,
            publish,
            writer,
            satisfaction: None,
            desks: Vec::new(),
            desk_by_id: HashMap::default(),
            owner: HashMap::default(),
            seen,
            numbers: 0..0,
            seq: 0,
            generation: 0,
            last_now: Timestamp::MIN,
            waiting: VecDeque::new(),
            outcomes: Vec::new(),
            hand_over_is_due: false,
            in_force: (known.table, known.roster),
            _end: end,
        }
    }

    // ---- in turn -----------------------------------------------------------------------------------------------

    /// Deals with what waits, in order, until it has to wait itself.
    fn work(&mut self, ctx: &mut Context<Self>) {
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

    fn begin_anew(&mut self, reason: &str) {
        self.hand_over();
        self.writer.do_send(BeginAnew { reason: reason.to_owned() });
    }

    /// The memory is suspect: it is rebuilt when all that was handed over is written, and the matter tried once more.
    fn panicked(&mut self, held: Option<Matter>, ctx: &mut Context<Self>) {
        match held {
            Some(Matter::Errand(mut errand)) if errand.attempt == Attempt::First => {
                errand.attempt = Attempt::Second;
                self.waiting.push_front(Matter::Errand(errand));
            }
            Some(Matter::Errand(errand)) => self.give_up(errand),
            // What was not an errand is asked again by whoever asked, or by the next date.
            _ => {}
        }
        self.hand_over();
        // An errand that is tried again has its number already, and nothing of it is written before it.
        let retried = matches!(self.waiting.front(), Some(Matter::Errand(errand)) if errand.stamp.is_some());
        let written = self.writer.send(Flush { upto: self.seq - u64::from(retried) });
        ctx.wait(written.into_actor(self).map(|_, dispatcher, ctx| {
            dispatcher.rebuild();
            dispatcher.shared.health.rebuilt(&ActorName::Dispatcher);
            dispatcher.work(ctx);
        }));
    }

    /// What made the dispatcher panic twice: a grievance goes to the control desk with the reason, the rest gets an
    /// error.
    fn give_up(&mut self, errand: Errand) {
        let Errand { task, reply, permit, stamp, .. } = errand;
        let stamp = stamp.unwrap_or_else(|| self.stamp());
        if let Task::Submit(submission) = task
            && let Some(id) = self.number()
        {
            let placement = placing::place_after_fault(&submission.filing, &self.world.rules, &self.world.roster);
            self.open(id, submission, Some(placement), stamp, reply, permit);
        } else {
            self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
        }
    }

    /// Begins again from what is durable.
    fn rebuild(&mut self) {
        let lookup = &self.shared.lookup;
        lookup.by_source.retain(|_, id| lookup.by_id.contains_key(id));
        self.owner.clear();
        for ticket in lookup.by_id.iter() {
            let desk = ticket.desk().and_then(|desk| self.desk_by_id.get(desk));
            if let Some(&desk) = desk.filter(|_| ticket.state().kind().is_open()) {
                self.owner.insert(ticket.id(), desk as u32);
            }
        }
        // A fresh block of numbers is asked for: the one in memory is suspect too.
        self.numbers = 0..0;
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

    // ---- order, time, numbers ----------------------------------------------------------------------------------

    fn stamp(&mut self) -> Stamp {
        self.seq += 1;
        self.last_now = self.last_now.max(self.shared.clock.now());
        let table = self.world.rules.version();
        Stamp { seq: self.seq, generation: self.generation, now: self.last_now, table }
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

    // ---- one matter --------------------------------------------------------------------------------------------

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
                        None => self.satisfaction.iter().for_each(|actor| actor.do_send(SilencesDone)),
                    }
                    Next::Go
                }
            },
            _ => match held.take() {
                Some(Matter::Tick(desk, done)) => self.tick(desk, done),
                Some(Matter::Rules(rules, by, done)) => self.change_rules(rules, by, done),
                Some(Matter::Roster(roster, by, done)) => self.change_roster(roster, by, done, ctx),
                Some(Matter::Orphans(tickets, done)) => self.adopt(tickets, done),
                Some(Matter::Closed(tickets)) => self.release(tickets),
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

    // ---- a grievance comes in ----------------------------------------------------------------------------------

    fn submit(&mut self, submission: Submission, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        let source = submission.filing.source;
        if let Some(id) = self.shared.lookup.by_source.get(&source).map(|id| *id) {
            self.outcomes.push(Outcome { stamp, record: None, answer: Said::AlreadyThere(id), reply, permit });
            return Next::Go;
        }
        if !self.seen.contains(source.as_bytes()) {
            self.welcome(submission, stamp, reply, permit);
            return Next::Go;
        }
        // Perhaps it was here long ago: the store knows.
        let (ask, answered) = Ask::new(move |store| store.sources(&[source]));
        self.writer.do_send(ask);
        Next::Wait(Box::pin(async move {
            let known = answered.await;
            then(move |dispatcher, _| {
                match known.map(|known| known.map(|ids| ids.first().copied().flatten())) {
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
    fn welcome(&mut self, submission: Submission, stamp: Stamp, reply: Reply, permit: Option<Permit>) {
        match self.number() {
            Some(id) => self.open(id, submission, None, stamp, reply, permit),
            None => self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit)),
        }
    }

    fn open(
        &mut self,
        id: TicketId,
        submission: Submission,
        placement: Option<Placement>,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) {
        let Submission { filing, origin, personal } = submission;
        let source = filing.source;
        let mut events = Vec::with_capacity(3);
        events.push(TicketEvent::Received { ticket: id, filing, origin });
        let Some(ticket) = Ticket::open(&events[0]) else { return };
        self.seen.insert(source.as_bytes());
        self.shared.lookup.by_source.insert(source, id);
        let by = if matches!(ticket.origin(), Origin::Imported(_)) { By::System } else { By::Citizen };
        let left = Left { stamp, reply, permit, ticket, events, by, request: None, personal };
        self.send_on(left, placement, Manner::Mark);
    }

    /// Sends a ticket that is between desks to the next.
    fn send_on(&mut self, left: Left, placement: Option<Placement>, manner: Manner) {
        let Left { stamp, reply, permit, mut ticket, mut events, by, request, personal } = left;
        let World { rules, roster, .. } = &self.world;
        let mut placement =
            placement.unwrap_or_else(|| placing::place(&ticket, rules, roster, &self.shared.policy, stamp.now));
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
        let arrival = Box::new(Arrival { ticket, placement, manner, events, by, request, personal });
        let job = Job { stamp, reply, permit, attempt: Attempt::First, work: Work::Take(arrival) };
        self.give(desk, job);
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

    // ---- somebody acts -----------------------------------------------------------------------------------------

    fn act(&mut self, order: Box<Order>, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        if let Err(error) = self.check_names(&order.action) {
            self.outcomes.push(Outcome::refused(stamp, error, reply, permit));
            return Next::Go;
        }
        match self.owner(order.ticket) {
            None => self.act_on_closed(order, stamp, reply, permit),
            Some(desk) if order.action.may_move() => self.depart(desk, order, stamp, reply, permit),
            Some(desk) => {
                let work = Work::Act(order);
                self.give(desk, Job { stamp, reply, permit, attempt: Attempt::First, work });
                Next::Go
            }
        }
    }

    /// Whether what an action names exists.
    fn check_names(&self, action: &Action) -> Result<(), ActError> {
        match action {
            Action::Forward(Some(desk)) | Action::Assist(desk) if self.world.roster.desk(desk).is_none() => {
                Err(ActError::UnknownDesk { desk: desk.clone() })
            }
            Action::ChangeCategory(category) if !self.world.rules.categories().contains(category.as_str()) => {
                Err(ActError::UnknownCategory { category: category.clone() })
            }
            Action::ChangePlace(place) if !self.world.rules.places().contains(place.as_str()) => {
                Err(ActError::UnknownPlace { place: place.clone() })
            }
            _ => Ok(()),
        }
    }

    /// Has a desk carry out what may make the ticket leave, and if it does, sends it on.
    fn depart(&mut self, desk: usize, order: Box<Order>, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        self.hand_over();
        let (back, departed) = oneshot::channel();
        let job = Job { stamp, reply, permit, attempt: Attempt::First, work: Work::Act(order) };
        self.desks[desk].desk.do_send(Depart { job, back });
        Next::Wait(Box::pin(async move {
            let departure = departed.await;
            then(move |dispatcher, _| {
                match departure {
                    Ok(Departure::Left(left)) => dispatcher.send_on(*left, None, Manner::Mark),
                    Ok(Departure::Settled) => {}
                    // The desk died with it; that is noticed by itself, and everything begins anew.
                    Err(_) => {}
                }
                Next::Go
            })
        }))
    }

    /// An act on a ticket that no desk has: it is closed, or there is none.
    fn act_on_closed(&mut self, order: Box<Order>, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        let ticket = self.closed_ticket(order.ticket);
        Next::Wait(Box::pin(async move {
            let ticket = ticket.await;
            then(move |dispatcher, _| {
                dispatcher.carry_out_on_closed(ticket, *order, stamp, reply, permit);
                Next::Go
            })
        }))
    }

    /// A closed ticket, from the tables or the store.
    fn closed_ticket(&self, id: TicketId) -> LocalBoxFuture<'static, Result<Ticket, ActError>> {
        if let Some(ticket) = self.shared.lookup.ticket(id) {
            return Box::pin(async move { Ok(ticket) });
        }
        let (ask, answered) = Ask::new(move |store| store.history(id));
        self.writer.do_send(ask);
        Box::pin(async move {
            let entries = answered.await.map_err(|_| Failure::Internal)?;
            let entries = entries.map_err(|error| Failure::NotStored { reason: error.reason })?;
            let ticket = fold(entries.iter().filter_map(|entry| entry.ticket()))
                .map_err(|error| Failure::NotStored { reason: error.to_string() })?;
            ticket.ok_or(ActError::UnknownTicket { ticket: id })
        })
    }

    fn carry_out_on_closed(
        &mut self,
        ticket: Result<Ticket, ActError>,
        order: Order,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) {
        let World { roster, .. } = &self.world;
        let decided = ticket.and_then(|ticket| {
            let events = carry_out(&ticket, &order, roster, &self.shared.policy, stamp.now)?;
            Ok((ticket, events))
        });
        match decided {
            Ok((mut ticket, events)) => {
                events.iter().for_each(|event| ticket.apply(event));
                let (by, request, personal) = (order.who.by(), order.request, order.personal);
                let left = Left { stamp, reply, permit, ticket, events, by, request, personal };
                self.send_on(left, None, Manner::Mark);
            }
            Err(error) => self.outcomes.push(Outcome::refused(stamp, error, reply, permit)),
        }
    }

    // ---- the citizen speaks ------------------------------------------------------------------------------------

    /// The satisfaction actor judges by the ticket as its desk has it; then it is carried out like any act.
    fn feedback(&mut self, opinion: Opinion, stamp: Stamp, reply: Reply, permit: Option<Permit>) -> Next {
        let Some(satisfaction) = self.satisfaction.clone() else {
            self.outcomes.push(Outcome::refused(stamp, Failure::Internal, reply, permit));
            return Next::Go;
        };
        let id = opinion.ticket;
        let owner = self.owner(id);
        let shown = owner.map(|desk| self.desks[desk].desk.clone());
        let closed = if shown.is_none() { Some(self.closed_ticket(id)) } else { None };
        Next::Wait(Box::pin(async move {
            let ticket = match (shown, closed) {
                (Some(desk), _) => match desk.send(Show(id)).await {
                    Ok(Some(ticket)) => Ok(ticket),
                    _ => Err(ActError::Failed(Failure::Internal)),
                },
                (None, Some(closed)) => closed.await,
                (None, None) => Err(ActError::UnknownTicket { ticket: id }),
            };
            let judged = match ticket {
                Err(error) => Err(error),
                Ok(ticket) => {
                    let Opinion { author, verdict, request, .. } = opinion;
                    let now = stamp.now;
                    let judge = Judge { ticket: ticket.clone(), author, verdict, request, now };
                    let judgement = satisfaction.send(judge).await;
                    judgement.map(|judgement| (ticket, judgement)).map_err(|_| ActError::Failed(Failure::Internal))
                }
            };
            then(move |dispatcher, _| match judged {
                Ok((ticket, judgement)) => dispatcher.judged(ticket, judgement, owner, opinion, stamp, reply, permit),
                Err(error) => {
                    dispatcher.outcomes.push(Outcome::refused(stamp, error, reply, permit));
                    Next::Go
                }
            })
        }))
    }

    #[allow(clippy::too_many_arguments, reason = "an opinion on its way, taken apart")]
    fn judged(
        &mut self,
        ticket: Ticket,
        judgement: Judgement,
        owner: Option<usize>,
        opinion: Opinion,
        stamp: Stamp,
        reply: Reply,
        permit: Option<Permit>,
    ) -> Next {
        let Opinion { ticket: id, author, verdict, request, personal, follow_up } = opinion;
        match judgement {
            Judgement::Refuse(error) => {
                self.outcomes.push(Outcome::refused(stamp, *error, reply, permit));
                Next::Go
            }
            Judgement::Already(receipt) => {
                let answer = Said::Answer(Ok(receipt));
                self.outcomes.push(Outcome { stamp, record: None, answer, reply, permit });
                Next::Go
            }
            Judgement::FollowUp => {
                let submission = follow_up_of(&ticket, follow_up, personal, stamp.now);
                if self.numbers.is_empty() {
                    let mut errand = Errand::new(Task::Submit(submission), reply, permit);
                    errand.stamp = Some(stamp);
                    self.waiting.push_front(Matter::Errand(errand));
                    return Next::Go;
                }
                self.submit(submission, stamp, reply, permit)
            }
            Judgement::CarryOut => {
                let (who, action) = (Who::Citizen(author), verdict.action());
                let order = Box::new(Order { ticket: id, who, action, request, expected: None, personal });
                match owner {
                    Some(desk) => self.depart(desk, order, stamp, reply, permit),
                    None => {
                        self.carry_out_on_closed(Ok(ticket), *order, stamp, reply, permit);
                        Next::Go
                    }
                }
            }
        }
    }

    // ---- dates come --------------------------------------------------------------------------------------------

    fn date_passes(&mut self, ticket: TicketId) -> Next {
        let Some(desk) = self.owner(ticket) else { return Next::Go };
        let stamp = self.stamp();
        let (who, action) = (Who::System, Action::DatePasses);
        let order = Order { ticket, who, action, request: None, expected: None, personal: None };
        // A ticket that has moved on meanwhile refuses, and nobody hears of it.
        self.depart(desk, Box::new(order), stamp, Reply::Nobody, None)
    }

    /// Asks each desk, then the satisfaction actor, for dates that have come, until none has any.
    fn tick(&mut self, at: usize, done: oneshot::Sender<()>) -> Next {
        self.hand_over();
        let now = self.last_now.max(self.shared.clock.now());
        let desk = self.desks.get(at).map(|counter| (counter.id.clone(), counter.desk.clone()));
        let satisfaction = self.satisfaction.clone();
        let last = self.desks.len();
        Next::Wait(Box::pin(async move {
            let (from, due) = match (desk, satisfaction) {
                (Some((id, desk)), _) => (Some(id), desk.send(Due(now)).await.unwrap_or_default()),
                (None, Some(actor)) if at == last => (None, actor.send(Silences(now)).await.unwrap_or_default()),
                _ => (None, Vec::new()),
            };
            then(move |dispatcher, _| {
                if !due.is_empty() {
                    dispatcher.waiting.push_front(Matter::Tick(at, done));
                    dispatcher.waiting.push_front(Matter::Dates(from, due.into()));
                    return Next::Go;
                }
                if at < last {
                    dispatcher.waiting.push_front(Matter::Tick(at + 1, done));
                    return Next::Go;
                }
                dispatcher.when_written(move || done.send(()).unwrap_or_default())
            })
        }))
    }

    /// Waits until all that was handed over is written.
    fn when_written(&mut self, go_on: impl FnOnce() + 'static) -> Next {
        self.hand_over();
        let written = self.writer.send(Flush { upto: self.seq });
        Next::Wait(Box::pin(async move {
            let _ = written.await;
            then(move |_, _| {
                go_on();
                Next::Go
            })
        }))
    }

    // ---- rules and roster change -------------------------------------------------------------------------------

    fn change_rules(
        &mut self,
        rules: Arc<Rules>,
        by: Option<OfficerId>,
        done: oneshot::Sender<Result<(), ReloadError>>,
    ) -> Next {
        let roster = Arc::clone(&self.world.roster);
        match self.world.changed(Arc::clone(&rules), Arc::clone(&roster), &self.shared.limits) {
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
            Ok(world) => self.world = world,
        }
        let stamp = self.stamp();
        let (table, rows, at) = (rules.version(), rules.rows().len(), stamp.now);
        let entry = Entry::Rules(RulesChanged { format: Format, table, rows, at, by });
        self.note(entry, stamp, done);
        self.publish.send_replace(self.world.clone());
        self.hand_over();
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            for change in changes {
                drop(change.await);
            }
            then(|_, _| Next::Go)
        }))
    }

    fn change(&self, counter: &Counter) -> Request<Desk, ChangeRoster> {
        let World { rules, roster, .. } = &self.world;
        counter.desk.send(ChangeRoster { rules: Arc::clone(rules), roster: Arc::clone(roster) })
    }

    fn change_roster(
        &mut self,
        roster: Arc<Roster>,
        by: Option<OfficerId>,
        done: oneshot::Sender<Result<(), ReloadError>>,
        ctx: &mut Context<Self>,
    ) -> Next {
        let rules = Arc::clone(&self.world.rules);
        match self.world.changed(rules, Arc::clone(&roster), &self.shared.limits) {
            Err(error) => {
                drop(done.send(Err(error.into())));
                return Next::Go;
            }
            Ok(world) => self.world = world,
        }
        self.hand_over();
        let is_gone = |counter: &Counter| roster.desk(&counter.id).is_none();
        let left: Vec<DeskId> = self.desks.iter().filter(|c| is_gone(c)).map(|c| c.id.clone()).collect();
        let opened = self.open_desks(ctx);
        let stamp = self.stamp();
        let (version, at) = (roster.version(), stamp.now);
        let entry = RosterChanged { format: Format, roster: version, at, by, opened, left: left.clone() };
        let (written, settled) = oneshot::channel();
        self.note(Entry::Roster(entry), stamp, written);
        let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
        Next::Wait(Box::pin(async move {
            let mut orphans = VecDeque::new();
            for change in changes {
                orphans.extend(change.await.unwrap_or_default());
            }
            then(move |dispatcher, _| {
                dispatcher.close_desks(&left);
                dispatcher.publish.send_replace(dispatcher.world.clone());
                drop(settled);
                dispatcher.waiting.push_front(Matter::Orphans(orphans, Some(done)));
                Next::Go
            })
        }))
    }

    /// Tickets that have no holder any more go to another; then it is answered, when all is written.
    fn adopt(&mut self, mut tickets: VecDeque<Ticket>, done: Option<oneshot::Sender<Result<(), ReloadError>>>) -> Next {
        while let Some(ticket) = tickets.pop_front() {
            let stamp = self.stamp();
            let (reply, by) = (Reply::Nobody, By::System);
            let (permit, request, personal) = (None, None, None);
            let left = Left { stamp, reply, permit, ticket, events: Vec::new(), by, request, personal };
            self.send_on(left, None, Manner::HandOver);
        }
        match done {
            Some(done) => self.when_written(move || drop(done.send(Ok(())))),
            None => Next::Go,
        }
    }

    /// Has an entry of the engine's own written; `done` hears of it.
    fn note(&mut self, entry: Entry, stamp: Stamp, done: oneshot::Sender<Result<(), ReloadError>>) {
        let (answer, answered) = oneshot::channel();
        // An entry about no ticket has no receipt; whoever waits hears only whether it was written.
        let said = Said::Answer(Err(ActError::NotForCallers));
        let record = Some(Record { entry, personal: None });
        self.outcomes.push(Outcome { stamp, record, answer: said, reply: Reply::One(answer), permit: None });
        actix::spawn(async move {
            let result = match answered.await {
                Ok(Err(ActError::Failed(failure))) => Err(failure.into()),
                Ok(_) => Ok(()),
                Err(_) => Err(ReloadError::Failed(Failure::Internal)),
            };
            drop(done.send(result));
        });
    }

    /// Has it written which rules and roster the engine was started with, where the journal does not say so already.
    fn note_what_is_in_force(&mut self) {
        let World { rules, roster, .. } = self.world.clone();
        let (table, version) = (rules.version(), roster.version());
        if self.in_force.0 != Some(table) {
            let stamp = self.stamp();
            let (rows, at) = (rules.rows().len(), stamp.now);
            let entry = RulesChanged { format: Format, table, rows, at, by: None };
            self.note(Entry::Rules(entry), stamp, oneshot::channel().0);
        }
        if self.in_force.1 != Some(version) {
            let stamp = self.stamp();
            let (at, opened, left) = (stamp.now, Vec::new(), Vec::new());
            let entry = RosterChanged { format: Format, roster: version, at, by: None, opened, left };
            self.note(Entry::Roster(entry), stamp, oneshot::channel().0);
        }
        self.hand_over();
    }

    /// Starts an actor for each desk of the roster that has none; which they are.
    fn open_desks(&mut self, ctx: &mut Context<Self>) -> Vec<DeskId> {
        let roster = Arc::clone(&self.world.roster);
        let missing = |desk: &&crate::roster::Desk| !self.desk_by_id.contains_key(desk.id());
        let new: Vec<DeskId> = roster.desks().iter().filter(missing).map(|desk| desk.id().clone()).collect();
        for id in &new {
            let desk = self.start_desk(id, ctx);
            self.desk_by_id.insert(id.clone(), self.desks.len());
            self.desks.push(Counter { id: id.clone(), desk, jobs: Vec::new() });
        }
        new
    }

    fn start_desk(&self, id: &DeskId, ctx: &mut Context<Self>) -> Addr<Desk> {
        let World { rules, roster, .. } = &self.world;
        let control = self.counter(&DeskId::Control).map(|at| self.desks[at].desk.clone());
        let control = control.filter(|_| *id != DeskId::Control);
        let satisfaction = match &self.satisfaction {
            Some(satisfaction) => satisfaction.clone(),
            None => Satisfaction::new(Arc::clone(&self.shared), ctx.address()).start(),
        };
        Desk::new(
            id.clone(),
            Arc::clone(&self.shared),
            Arc::clone(rules),
            Arc::clone(roster),
            ctx.address(),
            satisfaction,
            self.writer.clone(),
            control,
        )
        .start()
    }

    /// Stops the actors of these desks, which have no tickets any more.
    fn close_desks(&mut self, left: &[DeskId]) {
        let desks: BTreeMap<usize, DeskId> =
            self.desks.iter().enumerate().map(|(at, counter)| (at, counter.id.clone())).collect();
        if left.is_empty() {
            return;
        }
        for counter in self.desks.extract_if(.., |counter| left.contains(&counter.id)) {
            counter.desk.do_send(StopDesk);
        }
        self.desk_by_id = self.desks.iter().enumerate().map(|(at, counter)| (counter.id.clone(), at)).collect();
        let moved = |at: u32| desks.get(&(at as usize)).and_then(|desk| self.desk_by_id.get(desk));
        self.owner = std::mem::take(&mut self.owner)
            .into_iter()
            .filter_map(|(ticket, at)| Some((ticket, *moved(at)? as u32)))
            .collect();
    }

    // ---- tickets that are closed, faults, the end --------------------------------------------------------------

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
        let written = self.writer.send(Flush { upto: self.seq });
        Next::Wait(Box::pin(async move {
            let _ = written.await;
            then(move |dispatcher, ctx| {
                dispatcher.desks.iter().for_each(|counter| counter.desk.do_send(StopDesk));
                dispatcher.satisfaction.iter().for_each(|actor| actor.do_send(Turn::Stop));
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

/// The grievance that a complaint becomes when its ticket cannot be opened again any more.
fn follow_up_of(ticket: &Ticket, source: SourceKey, personal: Option<Sealed>, now: Timestamp) -> Submission {
    let filing = Filing { source, posted_at: now, ..Filing::clone(ticket.filing()) };
    Submission { filing: Arc::new(filing), origin: Origin::FollowUp(ticket.id()), personal }
}

impl Actor for Dispatcher {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.satisfaction = Some(Satisfaction::new(Arc::clone(&self.shared), ctx.address()).start());
        self.open_desks(ctx);
        self.rebuild();
        self.note_what_is_in_force();
        // Tickets whose desk or officer is not on this roster, which may be another than the last time.
        let roster = Arc::clone(&self.world.roster);
        let homeless =
            self.shared.lookup.open(|ticket| ticket.desk().is_none_or(|desk| !holds_here(ticket, desk, &roster)));
        if !homeless.is_empty() {
            let changes: Vec<_> = self.desks.iter().map(|counter| self.change(counter)).collect();
            self.waiting.push_front(Matter::Orphans(homeless.into(), None));
            ctx.wait(
                async move {
                    for change in changes {
                        drop(change.await);
                    }
                }
                .into_actor(self)
                .map(|(), dispatcher, ctx| dispatcher.work(ctx)),
            );
        }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if !self.shared.is_stopping() {
            let reason = "the dispatcher died".to_owned();
            self.shared.health.enter(crate::engine::health::Mode::Stopped { reason });
        }
    }
}

/// Errands from the door.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Arrivals(pub(crate) Vec<Errand>);

impl Handler<Arrivals> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Arrivals(errands): Arrivals, ctx: &mut Self::Context) {
        self.waiting.extend(errands.into_iter().map(Matter::Errand));
        self.work(ctx);
    }
}

macro_rules! matters {
    ($($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* } => $matter:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Message)]
        #[rtype(result = "()")]
        pub(crate) struct $name { $(pub(crate) $field: $type),* }

        impl Handler<$name> for Dispatcher {
            type Result = ();
            fn handle(&mut self, $name { $($field),* }: $name, ctx: &mut Self::Context) {
                self.waiting.push_back($matter);
                self.work(ctx);
            }
        }
    )*};
}

matters! {
    /// Dates of a desk's tickets came or, without a desk, silences.
    DatesPassed { desk: Option<DeskId>, tickets: Vec<TicketId> } => Matter::Dates(desk, tickets.into());
    /// Let all dates pass that have come.
    Tick { done: oneshot::Sender<()> } => Matter::Tick(0, done);
    /// Another rules table.
    ReloadRules { rules: Arc<Rules>, by: Option<OfficerId>, done: oneshot::Sender<Result<(), ReloadError>> }
        => Matter::Rules(rules, by, done);
    /// Another roster.
    ReloadRoster { roster: Arc<Roster>, by: Option<OfficerId>, done: oneshot::Sender<Result<(), ReloadError>> }
        => Matter::Roster(roster, by, done);
    /// Carry out what was accepted, then stop.
    Stop { done: oneshot::Sender<()> } => Matter::Stop(done);
}

/// The closing of these tickets is written.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Closed(pub(crate) Vec<TicketId>);

impl Handler<Closed> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Closed(tickets): Closed, ctx: &mut Self::Context) {
        self.waiting.push_back(Matter::Closed(tickets));
        self.work(ctx);
    }
}

/// A desk sent a ticket on to the control desk, after a fault.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct MovedOn {
    pub(crate) ticket: TicketId,
}

impl Handler<MovedOn> for Dispatcher {
    type Result = ();
    fn handle(&mut self, MovedOn { ticket }: MovedOn, _: &mut Self::Context) {
        if let Some(control) = self.counter(&DeskId::Control) {
            self.owner.insert(ticket, control as u32);
        }
    }
}

/// A desk died: it is replaced, and everything begins anew from the journal.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct DeskDied {
    pub(crate) desk: DeskId,
}

impl Handler<DeskDied> for Dispatcher {
    type Result = ();
    fn handle(&mut self, DeskDied { desk }: DeskDied, ctx: &mut Self::Context) {
        let Some(at) = self.counter(&desk).filter(|&at| !self.desks[at].desk.connected()) else { return };
        self.desks[at].desk = self.start_desk(&desk, ctx);
        let name = ActorName::Desk(desk);
        self.shared.health.rebuilt(&name);
        self.begin_anew("a desk died with what it had in hand");
    }
}

/// The journal refused a batch, and what stands behind it: begin again from what is durable.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Recover {
    pub(crate) generation: u32,
}

impl Handler<Recover> for Dispatcher {
    type Result = ();
    fn handle(&mut self, Recover { generation }: Recover, ctx: &mut Self::Context) {
        // What is gathered belongs to the old generation: the desks send it to the journal, which refuses it.
        self.hand_over();
        self.generation = generation;
        let rebuilt: Vec<_> = self.desks.iter().map(|counter| counter.desk.send(Rebuild)).collect();
        self.satisfaction.iter().for_each(|actor| actor.do_send(Turn::Rebuild));
        ctx.wait(
            async move {
                for desk in rebuilt {
                    let _ = desk.await;
                }
            }
            .into_actor(self)
            .map(|(), dispatcher, ctx| {
                dispatcher.rebuild();
                let (generation, next) = (dispatcher.generation, dispatcher.seq + 1);
                dispatcher.writer.do_send(Resume { generation, next });
                dispatcher.work(ctx);
            }),
        );
    }
}
