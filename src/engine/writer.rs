//! The journal's writer: the actor that owns the store, on a thread of its own.
//!
//! It takes the outcomes in the order of their sequence numbers, writes all that waits as one batch, and only then
//! folds the entries into the lookup tables, tells the subscribers and answers the callers.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use actix::prelude::*;
use jiff::Timestamp;
use tokio::sync::{broadcast, oneshot};

use crate::engine::dispatcher::{Closed, Dispatcher, Recover};
use crate::engine::errand::{Answer, Outcome, Permit, Reply, Said};
use crate::engine::error::{ActError, Failure, ReadError};
use crate::engine::health::{ActorName, Mode};
use crate::engine::limits::Limits;
use crate::engine::lookup::Folded;
use crate::engine::request::{Receipt, Standing};
use crate::engine::shared::Shared;
use crate::journal::{Entry, Position, Record, fold};
use crate::personal::SourceKey;
use crate::store::{AppendError, Changed, Lifetime, Store, StoreError};
use crate::ticket::{Ticket, TicketEvent, TicketId, Version};

/// How often an unknown outcome is tried to be settled before the engine stops.
const REOPEN_ATTEMPTS: u32 = 20;
/// How long to wait between two attempts, in real time.
const REOPEN_PAUSE: Duration = Duration::from_millis(250);
/// How many posts are read at a time to fill the filter, how long the work goes first between two pages, and how long
/// after a failure it is tried again.
const SOURCES: usize = 8_192;
const BREATH: Duration = Duration::from_millis(1);
const LATER: Duration = Duration::from_secs(1);

/// A batch that was written, for subscribers.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) first: Position,
    pub(crate) records: Arc<Vec<Record>>,
}

/// Writes the journal.
pub(crate) struct Writer {
    store: Box<dyn Store>,
    shared: Arc<Shared>,
    dispatcher: Addr<Dispatcher>,
    subscribers: broadcast::Sender<Written>,
    /// Where the next entry will stand.
    end: Position,
    /// Outcomes by sequence number, the first of them `next`; a gap waits for the desk that has it.
    slots: VecDeque<Option<Outcome>>,
    next: u64,
    generation: u32,
    flushes: Vec<(u64, oneshot::Sender<()>)>,
    /// How often the store refused in a row.
    refusals: u32,
    /// Closed tickets in the lookup tables, the longest closed first.
    closed: VecDeque<TicketId>,
    /// What is to be kept ready for the next start; `None` with a store that ends with the process.
    unkept: Option<Unkept>,
    flush_is_due: bool,
    stopped: bool,
}

impl Writer {
    pub(crate) fn new(
        store: Box<dyn Store>,
        end: Position,
        shared: Arc<Shared>,
        dispatcher: Addr<Dispatcher>,
        subscribers: broadcast::Sender<Written>,
    ) -> Self {
        let unkept = (store.lifetime() == Lifetime::Durable).then(Unkept::default);
        Self {
            store,
            shared,
            dispatcher,
            subscribers,
            end,
            slots: VecDeque::new(),
            next: 1,
            generation: 0,
            flushes: Vec::new(),
            refusals: 0,
            closed: VecDeque::new(),
            unkept,
            flush_is_due: false,
            stopped: false,
        }
    }

    fn receive(&mut self, outcome: Outcome) {
        if self.stopped {
            return outcome.fail(Failure::Stopped);
        }
        if outcome.stamp.generation != self.generation {
            return outcome.fail(Failure::Recovering);
        }
        let at = usize::try_from(outcome.stamp.seq.saturating_sub(self.next)).unwrap_or(usize::MAX);
        // What is under way is bounded at the door, and so is this.
        if at >= self.slots.len() {
            self.slots.resize_with(at + 1, || None);
        }
        self.slots[at] = Some(outcome);
    }

    /// Writes all that is ready, in batches, each as large as it may be.
    fn flush(&mut self) {
        self.flush_is_due = false;
        while matches!(self.slots.front(), Some(Some(_))) {
            let ready = self.slots.iter().take(self.shared.limits.batch).take_while(|slot| slot.is_some()).count();
            let mut records = Vec::with_capacity(ready);
            let mut answers = Vec::with_capacity(ready);
            while records.len() < self.shared.limits.batch
                && let Some(Some(next)) = self.slots.front()
                // An erasure is a batch of its own, so that what it is about is settled before.
                && !(is_erasure(records.last()) || is_erasure(next.record.as_ref()) && !records.is_empty())
                && let Some(Some(outcome)) = self.slots.pop_front()
            {
                self.next += 1;
                let Outcome { record, answer, reply, permit, .. } = outcome;
                records.extend(record);
                answers.push((answer, reply, permit));
            }
            if !self.write(records, answers) {
                return;
            }
        }
        let next = self.next;
        let (due, waiting): (Vec<_>, Vec<_>) = std::mem::take(&mut self.flushes).into_iter().partition(|f| f.0 < next);
        self.flushes = waiting;
        due.into_iter().for_each(|(_, waiter)| waiter.send(()).unwrap_or_default());
    }

    /// Writes a batch and answers for it; whether it was written.
    fn write(&mut self, records: Vec<Record>, answers: Vec<(Said, Reply, Option<Permit>)>) -> bool {
        if records.is_empty() {
            answers.into_iter().for_each(|(said, reply, _permit)| reply.answer(self.answer(said)));
            return true;
        }
        if is_erasure(records.last()) {
            self.keep();
        }
        let records = Arc::new(records);
        let appended = match self.fetch(&records).and_then(|()| self.append(&records)) {
            Err(AppendError::Unknown { reason }) => self.settle(&records, reason),
            settled => settled,
        };
        match appended {
            Ok(first) => {
                self.end = first.plus(records.len() as u64);
                self.refusals = 0;
                self.publish(first, &records);
                self.shared.position.store(self.end.0, Ordering::Release);
                answers.into_iter().for_each(|(said, reply, _permit)| reply.answer(self.answer(said)));
                if self.unkept.as_ref().is_some_and(|unkept| unkept.entries >= unkept.due(&self.shared.limits)) {
                    self.keep();
                }
                true
            }
            Err(AppendError::Refused { reason }) => {
                let failure = Failure::NotStored { reason: format!("the store refused: {reason}") };
                // Whoever hears of it and looks sees that the engine is recovering.
                self.recover(reason);
                answers.into_iter().for_each(|(_, reply, _)| reply.answer(Err(failure.clone().into())));
                self.pause();
                false
            }
            Err(AppendError::Unknown { reason }) => {
                let failure = Failure::Unknown { reason: reason.clone() };
                self.stop(reason);
                answers.into_iter().for_each(|(_, reply, _)| reply.answer(Err(failure.clone().into())));
                false
            }
        }
    }

    /// Gives a store that refuses again and again some time, the longer the more often it refused in a row: the engine
    /// itself may have something to write, and would otherwise try it as fast as it can.
    fn pause(&mut self) {
        let times = self.refusals.min(8);
        self.refusals = self.refusals.saturating_add(1);
        if times > 0 {
            std::thread::sleep(REOPEN_PAUSE.min(Duration::from_millis(2 << times)));
        }
    }

    fn append(&mut self, records: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        catch_unwind(AssertUnwindSafe(|| self.store.append(records))).unwrap_or_else(|payload| {
            self.shared.health.panicked(&ActorName::Journal, None, payload.as_ref());
            Err(AppendError::Unknown { reason: "the store panicked".to_owned() })
        })
    }

    /// Asks the store something; one that panics cannot be used, and that is noted.
    fn ask<T>(&mut self, question: impl FnOnce(&mut dyn Store) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let Self { store, shared, .. } = self;
        let answer = shared.guarded(&ActorName::Journal, || question(store.as_mut()));
        answer.unwrap_or_else(|| Err(StoreError { reason: "the store panicked".to_owned() }))
    }

    /// Finds out whether a batch of unknown outcome is there: nobody else writes, so the end of the journal tells.
    fn settle(&mut self, records: &Arc<Vec<Record>>, reason: String) -> Result<Position, AppendError> {
        tracing::error!(reason, "the store cannot tell whether a batch was written");
        self.shared.health.enter(Mode::Recovering { reason: reason.clone() });
        let mut why = String::new();
        for attempt in 0..REOPEN_ATTEMPTS {
            if attempt > 0 {
                std::thread::sleep(REOPEN_PAUSE);
            }
            match self.ask(|store| store.reopen().and_then(|()| store.end())) {
                Ok(end) if end == self.end.plus(records.len() as u64) => {
                    self.shared.health.enter(Mode::Serving);
                    return Ok(self.end);
                }
                Ok(end) if end == self.end => return Err(AppendError::Refused { reason }),
                Ok(end) => {
                    let reason = format!("{reason}; and it ends at {end}, where nobody wrote");
                    return Err(AppendError::Unknown { reason });
                }
                Err(error) => {
                    tracing::error!(%error, attempt, "the store cannot be opened again");
                    why = format!("{reason}; the store cannot be opened again: {error}");
                    self.shared.health.enter(Mode::Recovering { reason: why.clone() });
                }
            }
        }
        Err(AppendError::Unknown { reason: why })
    }

    /// Has the store keep ready how the tickets stand. That it cannot now does no harm but to the next start.
    fn keep(&mut self) {
        // After a stop that was not asked for the tables may lack what is written.
        if self.stopped {
            return;
        }
        let Some(unkept) = &self.unkept else { return };
        let lookup = &self.shared.lookup;
        let changed = unkept.tickets.iter().filter_map(|(&id, closed)| match closed {
            Some(at) => Some(Changed::Closed(id, *at)),
            None => lookup.ticket(id).map(|ticket| Changed::Open(Box::new(ticket))),
        });
        let (changed, end, bearings): (Vec<Changed>, _, _) = (changed.collect(), self.end, lookup.bearings().clone());
        let kept = self.ask(|store| store.keep(end, &bearings, changed));
        let Some(unkept) = &mut self.unkept else { return };
        match kept {
            Ok(()) => *unkept = Unkept::default(),
            Err(error) => {
                tracing::warn!(%error, "how the tickets stand cannot be kept ready for the next start");
                unkept.failures = unkept.failures.saturating_add(1);
            }
        }
    }

    /// Fills the filter of posts from the store, a page at a time, beside the work.
    fn fill_seen(&mut self, after: Option<SourceKey>, ctx: &mut Context<Self>) {
        match self.ask(|store| store.sources_after(after, SOURCES)) {
            Ok(page) => {
                page.iter().for_each(|source| self.shared.seen.note(source));
                match page.last().copied().filter(|_| page.len() == SOURCES) {
                    Some(last) => {
                        ctx.run_later(BREATH, move |writer, ctx| writer.fill_seen(Some(last), ctx));
                    }
                    None => self.shared.seen.complete(),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the posts that were seen cannot be read; the store is asked for each");
                ctx.run_later(LATER, move |writer, ctx| writer.fill_seen(after, ctx));
            }
        }
    }

    fn publish(&mut self, first: Position, records: &Arc<Vec<Record>>) {
        let mut closed = Vec::new();
        {
            let mut bearings = self.shared.lookup.bearings();
            for (record, position) in records.iter().zip(first.0..) {
                bearings.take(&record.entry, Position(position));
            }
        }
        for entry in records.iter().filter_map(|record| record.entry.ticket()) {
            match self.shared.lookup.fold(entry) {
                Ok(Folded::Open) => {}
                Ok(Folded::Closed) => closed.push(entry.ticket),
                Err(error) => self.stop(error.to_string()),
            }
        }
        if let Some(unkept) = &mut self.unkept {
            unkept.take(records);
        }
        // Without subscribers there is nobody to tell, which is no error.
        drop(self.subscribers.send(Written { first, records: Arc::clone(records) }));
        if !closed.is_empty() {
            self.closed.extend(&closed);
            while self.closed.len() > self.shared.limits.closed_in_memory {
                if let Some(longest) = self.closed.pop_front() {
                    self.shared.lookup.let_go(longest);
                }
            }
            self.dispatcher.do_send(Closed(closed));
        }
    }

    fn answer(&mut self, said: Said) -> Answer {
        match said {
            Said::Answer(answer) => answer,
            Said::AlreadyThere(id) => {
                let known = self.shared.lookup.by_id.get(&id).map(|ticket| ticket.version());
                let version = match known {
                    Some(version) => Some(version),
                    None => self.stored(id).ok().flatten().map(|ticket| ticket.version()),
                };
                match version {
                    Some(version) => Ok(Receipt { ticket: id, version, standing: Standing::AlreadyDone }),
                    // What it would have been the repetition of was not written.
                    None => Err(ActError::Failed(Failure::Recovering)),
                }
            }
        }
    }

    /// A ticket as it is in the store.
    fn stored(&mut self, id: TicketId) -> Result<Option<Ticket>, ReadError> {
        let entries = self.ask(|store| store.history(id))?;
        Ok(fold(entries.iter().filter_map(|entry| entry.ticket()))?)
    }

    /// Has those tickets in the lookup tables that a batch goes on with and that have left memory: what is appended can
    /// then be folded for certain.
    fn fetch(&mut self, records: &[Record]) -> Result<(), AppendError> {
        for entry in records.iter().filter_map(|record| record.entry.ticket()) {
            if entry.version == Version(1) || self.shared.lookup.by_id.contains_key(&entry.ticket) {
                continue;
            }
            let stored = self.stored(entry.ticket);
            // One that begins in this very batch is not there yet.
            if let Some(ticket) = stored.map_err(|error| AppendError::Refused { reason: error.to_string() })? {
                // Open tickets are in memory. What is open all the same lacks its last entries in the store's index.
                if ticket.state().kind().is_open() {
                    let reason = format!("the store has not all entries of {}; check it (verify)", ticket.id());
                    return Err(AppendError::Refused { reason });
                }
                self.closed.push_back(ticket.id());
                self.shared.lookup.insert(ticket);
            }
        }
        Ok(())
    }

    /// Refuses what stands behind a batch that was not written, and has the memory of all actors rebuilt.
    fn recover(&mut self, reason: String) {
        tracing::error!(reason, "a batch was not written; what stands behind it is refused");
        self.shared.health.enter(Mode::Recovering { reason });
        self.generation = self.generation.wrapping_add(1);
        for outcome in std::mem::take(&mut self.slots).into_iter().flatten() {
            outcome.fail(Failure::Recovering);
        }
        // Those who wait for what they handed over are rebuilt anyway.
        self.flushes.clear();
        self.dispatcher.do_send(Recover { generation: self.generation });
    }

    fn stop(&mut self, reason: String) {
        tracing::error!(reason, "the journal cannot go on");
        self.end(reason);
    }

    /// Takes nothing more.
    fn end(&mut self, reason: String) {
        self.stopped = true;
        self.shared.health.enter(Mode::Stopped { reason });
        for outcome in std::mem::take(&mut self.slots).into_iter().flatten() {
            outcome.fail(Failure::Stopped);
        }
        self.flushes.clear();
    }
}

/// Whether a record is that personal records were erased.
fn is_erasure(record: Option<&Record>) -> bool {
    matches!(record, Some(Record { entry: Entry::Erased(_), .. }))
}

/// What changed since it was last kept ready how the tickets stand.
#[derive(Debug, Default)]
struct Unkept {
    /// The tickets, and for those that are closed, since when.
    tickets: BTreeMap<TicketId, Option<Timestamp>>,
    entries: usize,
    failures: usize,
}

impl Unkept {
    fn take(&mut self, records: &[Record]) {
        self.entries += records.len();
        for entry in records.iter().filter_map(|record| record.entry.ticket()) {
            let closed = match entry.events.last() {
                Some(TicketEvent::Closed { at, .. }) => Some(*at),
                _ => None,
            };
            self.tickets.insert(entry.ticket, closed);
        }
    }

    /// At how many entries it is due: after a failure later.
    fn due(&self, limits: &Limits) -> usize {
        limits.keep_every.saturating_mul(self.failures.saturating_add(1))
    }
}

impl Actor for Writer {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.fill_seen(None, ctx);
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        if !self.stopped {
            self.stop("the journal's writer died".to_owned());
        }
    }
}

/// Outcomes to be written and answered for.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Outcomes(pub(crate) Vec<Outcome>);

impl Handler<Outcomes> for Writer {
    type Result = ();
    fn handle(&mut self, Outcomes(outcomes): Outcomes, ctx: &mut Self::Context) {
        outcomes.into_iter().for_each(|outcome| self.receive(outcome));
        if !self.flush_is_due {
            self.flush_is_due = true;
            // The mailbox is emptied before the futures of an actor are polled: so all that waits becomes one batch.
            ctx.spawn(async {}.into_actor(self).map(|(), writer, _| writer.flush()));
        }
    }
}

/// Answer when everything up to this sequence number of this generation is written (or refused).
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Flush {
    pub(crate) upto: u64,
    pub(crate) generation: u32,
}

impl Handler<Flush> for Writer {
    type Result = ResponseFuture<()>;
    fn handle(&mut self, Flush { upto, generation }: Flush, _: &mut Self::Context) -> Self::Result {
        let (waiter, written) = oneshot::channel();
        // What belongs to an earlier generation is written or refused by now.
        if upto < self.next || generation != self.generation || self.stopped {
            drop(waiter);
        } else {
            self.flushes.push((upto, waiter));
        }
        Box::pin(async move {
            // A waiter that is dropped has nothing more to wait for.
            drop(written.await);
        })
    }
}

/// All memory is rebuilt: go on with this sequence number.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Resume {
    pub(crate) generation: u32,
    pub(crate) next: u64,
}

impl Handler<Resume> for Writer {
    type Result = ();
    fn handle(&mut self, Resume { generation, next }: Resume, _: &mut Self::Context) {
        if generation == self.generation && !self.stopped {
            self.next = next;
            self.shared.health.enter(Mode::Serving);
        }
    }
}

/// An actor died with what it had: refuse what stands behind, and have everything rebuilt.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct BeginAnew {
    pub(crate) reason: String,
}

impl Handler<BeginAnew> for Writer {
    type Result = ();
    fn handle(&mut self, BeginAnew { reason }: BeginAnew, _: &mut Self::Context) {
        self.flush();
        if !self.stopped {
            self.recover(reason);
        }
    }
}

/// Something to be asked of the store.
type Question<T> = Box<dyn FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send>;

/// A question for the store, asked between two batches.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct Ask(Asked);

/// A question that sends its own answer.
type Asked = Box<dyn FnOnce(&mut dyn Store) + Send>;

impl Ask {
    /// The question, and where its answer comes.
    pub(crate) fn new<T: Send + 'static>(
        question: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (answer, answered) = oneshot::channel();
        let question: Question<T> = Box::new(question);
        let ask = Self(Box::new(move |store| drop(answer.send(question(store)))));
        (ask, answered)
    }
}

impl Handler<Ask> for Writer {
    type Result = ();
    fn handle(&mut self, Ask(question): Ask, _: &mut Self::Context) {
        // What was handed over before the question is written before it is answered.
        self.flush();
        // A store that panics drops the question, and whoever asked hears that.
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| question(self.store.as_mut()))) {
            self.shared.health.panicked(&ActorName::Journal, None, payload.as_ref());
        }
    }
}

/// Stop; everything is written.
#[derive(Message)]
#[rtype(result = "()")]
pub(crate) struct StopWriter;

impl Handler<StopWriter> for Writer {
    type Result = ();
    fn handle(&mut self, _: StopWriter, ctx: &mut Self::Context) {
        self.flush();
        self.keep();
        if !self.stopped {
            self.end("the engine has been shut down".to_owned());
        }
        ctx.stop();
    }
}
