//! The engine: a handle to actors on threads of their own.
//!
//! [`Engine::builder`] takes a rules table and a roster and, where the defaults do not fit, a store, a policy, limits, a
//! clock, a source of secrets and the installation's key. [`EngineBuilder::start`] reads the journal and hands out an
//! [`Engine`]. What goes in by it ([`submit`](Engine::submit), [`act`](Engine::act), [`feedback`](Engine::feedback)) is
//! answered when it is durable; what is read by it is durable.
//!
//! Time is that of a [`Clock`]. With the system's, deadlines pass by themselves; with a [`ManualClock`] they pass on
//! [`Engine::tick`], so that months can be run in seconds. [`Health`] tells how the engine is, a [`Drill`] makes things
//! go wrong on purpose. Bounds are in [`Limits`]; what can be relied on is in [`promises`](crate::promises).

mod book;
mod builder;
mod clock;
mod desk;
mod dispatcher;
mod door;
mod drill;
mod errand;
mod error;
mod health;
mod limits;
mod listing;
mod lookup;
mod request;
mod satisfaction;
mod secret;
mod seen;
mod shared;
mod submit_all;
mod subscription;
mod world;
mod writer;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use actix::Addr;
use futures_core::Stream;
use tokio::sync::{broadcast, oneshot};

pub use builder::EngineBuilder;
pub use clock::{Clock, ManualClock, SystemClock};
pub use drill::{Drill, Mishap, Step};
pub use error::{ActError, EraseError, Failure, ReadError, ReloadError, StartError, SubmitError};
pub use health::{ActorName, Fault, Health, Mode};
pub use limits::Limits;
pub use listing::{Page, TicketFilter};
pub use request::{Act, CaseFile, Feedback, Party, PendingTicket, Receipt, Standing, StatementMisfit, Verdict};
pub use secret::{SecretSource, SeededSecrets, SystemSecrets};
pub use subscription::{Published, SubscriptionError};

use crate::code::{DeskId, OfficerId};
use crate::engine::dispatcher::{Erase, ReloadRoster, ReloadRules, Stop, Tick};
use crate::engine::door::{Door, NoRoom};
use crate::engine::errand::{Answer, Reply, Task};
use crate::engine::writer::{Ask, Writer, Written};
use crate::grievance::{Author, Channel, Confidentiality, Grievance, Source};
use crate::journal::{Entry, Erased, Position, RulesChanged, fold};
use crate::personal::Personal;
use crate::roster::Roster;
use crate::rules::{Rules, TableVersion};
use crate::store::{Store, StoreError};
use crate::ticket::{Origin, Ticket, TicketId};

/// The engine. A handle is cheap to clone, may be sent anywhere and works from any executor; the actors run on threads
/// of their own.
///
/// Dropping the last handle shuts the engine down and waits for it, as [`shutdown`](Engine::shutdown) does.
#[derive(Clone)]
pub struct Engine(Arc<Inner>);

struct Inner {
    door: Arc<Door>,
    writer: Addr<Writer>,
    /// Weak, so that the feeds end with the journal's writer.
    feed: broadcast::WeakSender<Written>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("mode", &self.0.door.shared.health.mode()).finish_non_exhaustive()
    }
}

/// Whether who changes rules or roster is on one of these rosters.
fn check_by(rosters: &[&Roster], by: Option<&OfficerId>) -> Result<(), ReloadError> {
    match by {
        Some(officer) if rosters.iter().all(|roster| roster.officer(officer).is_none()) => {
            Err(ReloadError::UnknownOfficer { officer: officer.clone() })
        }
        _ => Ok(()),
    }
}

fn submit_error(error: ActError) -> SubmitError {
    match error {
        ActError::Failed(failure) => SubmitError::Failed(failure),
        // A submit is refused for no other reason.
        _ => SubmitError::Failed(Failure::Internal),
    }
}

impl Engine {
    /// Starts putting an engine together.
    pub fn builder() -> EngineBuilder {
        EngineBuilder::new()
    }

    fn new(
        door: Arc<Door>,
        writer: Addr<Writer>,
        feed: broadcast::WeakSender<Written>,
        thread: JoinHandle<()>,
    ) -> Self {
        Self(Arc::new(Inner { door, writer, feed, thread: Mutex::new(Some(thread)) }))
    }

    /// Submits a grievance and answers when its ticket is durable. Where there is no room it waits for some.
    ///
    /// The same source submitted again, also at the same time, gets the same ticket. Dropping the future does not undo
    /// a submit that was accepted; submitting it again gives the answer.
    ///
    /// A submit takes its place in the order when it is first polled and finds room. Whoever needs an order among many
    /// uses [`submit_all`](Engine::submit_all): futures polled together in one task may be interrupted by the executor
    /// and woken in another order.
    ///
    /// # Errors
    /// [`SubmitError`]: the post's time lies in the future, the engine is shut down, or it could not be written.
    pub async fn submit(&self, grievance: Grievance) -> Result<Receipt, SubmitError> {
        let door = &self.0.door;
        door.check(&grievance)?;
        match door.enter(door.share_for(&grievance)).await {
            Ok(permit) => self.submitted(grievance, permit).await,
            Err(_) => Err(SubmitError::Stopped(Box::new(grievance))),
        }
    }

    /// Submits a grievance if there is room at once, and answers when its ticket is durable.
    ///
    /// # Errors
    /// [`SubmitError`] as [`submit`](Engine::submit), and [`SubmitError::Overloaded`], which hands the grievance back.
    pub async fn try_submit(&self, grievance: Grievance) -> Result<Receipt, SubmitError> {
        let door = &self.0.door;
        door.check(&grievance)?;
        match door.try_enter(door.share_for(&grievance).as_ref()) {
            Ok(permit) => self.submitted(grievance, permit).await,
            Err(NoRoom::Full) => Err(SubmitError::Overloaded(Box::new(grievance))),
            Err(NoRoom::Closed) => Err(SubmitError::Stopped(Box::new(grievance))),
        }
    }

    async fn submitted(&self, grievance: Grievance, permit: errand::Permit) -> Result<Receipt, SubmitError> {
        let task = Task::Submit(self.0.door.submission(grievance));
        self.send(task, permit).await.map_err(submit_error)
    }

    /// Submits all grievances of a stream; the receipts come in the same order, each when its ticket is durable.
    ///
    /// It takes in as many as the input has ready and there is room for, in batches: this is the fast way for
    /// importers and replays. Dropping the stream of receipts stops reading the input; what was through the door is
    /// carried out, and the last up to 256 that were read and not sent yet are dropped. The stream has to be pinned.
    pub fn submit_all<S>(&self, grievances: S) -> impl Stream<Item = Result<Receipt, SubmitError>> + Send + use<S>
    where
        S: Stream<Item = Grievance> + Send,
    {
        submit_all::submit_all(Arc::clone(&self.0.door), grievances)
    }

    /// Carries out an act and answers when it is durable. Where there is no room it waits for some.
    ///
    /// # Errors
    /// [`ActError`]: what is named does not exist, the ticket does not allow it, it is not theirs to do, or it could
    /// not be written. Nothing has changed then, unless it is [`Failure::Unknown`].
    pub async fn act(&self, act: Act) -> Result<Receipt, ActError> {
        let door = &self.0.door;
        let ticket = act.ticket;
        let order = Box::new(door.order(act)?);
        let permit = door.enter(door.share_of(ticket)).await.map_err(|_| ActError::Stopped)?;
        self.send(Task::Act(order), permit).await
    }

    /// Takes the complainant's feedback and answers when what follows from it is durable.
    ///
    /// Satisfied closes the ticket. Not satisfied marks it again, as the [`RemarkPolicy`](crate::RemarkPolicy) says;
    /// on a closed ticket it reopens it within the policy's window, and after it becomes a new ticket that is linked
    /// to it, whose number the receipt has.
    /// A complaint on a ticket whose follow-up is being worked on is refused with that one's number, so that no words are
    /// lost; once the follow-up is answered, it is about that.
    ///
    /// # Errors
    /// [`ActError`]: the ticket is neither resolved, rejected nor closed, someone else spoke, or it could not be
    /// written. Nothing has changed then, unless it is [`Failure::Unknown`].
    pub async fn feedback(&self, feedback: Feedback) -> Result<Receipt, ActError> {
        let door = &self.0.door;
        let ticket = feedback.ticket;
        let opinion = Box::new(door.opinion(feedback));
        let permit = door.enter(door.share_of(ticket)).await.map_err(|_| ActError::Stopped)?;
        self.send(Task::Feedback(opinion), permit).await
    }

    async fn send(&self, task: Task, permit: errand::Permit) -> Answer {
        let (caller, answered) = oneshot::channel();
        self.0.door.send(vec![Door::errand(task, Reply::one(caller), permit)]);
        self.told(answered.await)
    }

    /// What came of it; who heard nothing was overtaken by a fault or by the shutdown.
    fn told(&self, answer: Result<Answer, oneshot::error::RecvError>) -> Answer {
        let answer = answer.unwrap_or(Err(ActError::Failed(Failure::Internal)));
        answer.map_err(|error| self.0.door.shared.told(error))
    }

    fn reloaded(&self, answer: Result<Result<(), ReloadError>, oneshot::error::RecvError>) -> Result<(), ReloadError> {
        match answer {
            Ok(Err(ReloadError::Failed(_))) if self.0.door.shared.is_stopping() => Err(ReloadError::Stopped),
            Ok(answer) => answer,
            Err(_) => Err(ReloadError::Stopped),
        }
    }

    /// A ticket as it is on record: what is durable, and no more. Who may see it is for the caller to check.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot be read, which is asked for tickets closed long ago.
    pub async fn ticket(&self, id: TicketId) -> Result<Option<Ticket>, ReadError> {
        if let Some(ticket) = self.0.door.shared.lookup.ticket(id) {
            return Ok(Some(ticket));
        }
        let entries = self.ask(move |store| store.history(id)).await?;
        Ok(fold(entries.iter().filter_map(|entry| entry.ticket()))?)
    }

    /// The ticket that came of a post.
    ///
    /// # Errors
    /// [`ReadError`] as for [`ticket`](Engine::ticket).
    pub async fn ticket_of(&self, source: &Source) -> Result<Option<Ticket>, ReadError> {
        let key = self.0.door.shared.key.source(source);
        let known = self.0.door.shared.lookup.by_source.get(&key).map(|id| *id);
        let id = match known {
            Some(id) => Some(id),
            None => self.ask(move |store| store.sources(&[key])).await?.first().copied().flatten(),
        };
        match id {
            Some(id) => self.ticket(id).await,
            None => Ok(None),
        }
    }

    /// Everything that was decided about a ticket, oldest first; each event says in words what happened by its
    /// `Display`. Empty when there is no such ticket.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot be read.
    pub async fn history(&self, id: TicketId) -> Result<Vec<crate::journal::TicketEntry>, ReadError> {
        let at_least = self.0.door.shared.lookup.ticket(id).map_or(0, |ticket| ticket.version().0 as usize);
        let entries = self.ask(move |store| store.history(id)).await?;
        if entries.len() < at_least {
            let reason = format!("the store has not all entries of {id}; check it (Archive::verify)");
            return Err(StoreError { reason }.into());
        }
        let about = |entry| match entry {
            Entry::Ticket(entry) => Some(entry),
            _ => None,
        };
        Ok(entries.into_iter().filter_map(about).collect())
    }

    /// The rules table of a version: all that it decides by, who put it in force last, and when. `None` where it never was
    /// in force.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot be read.
    pub async fn rules_of(&self, version: TableVersion) -> Result<Option<RulesChanged>, ReadError> {
        let position = self.0.door.shared.lookup.bearings().tables.get(&version).copied();
        let Some(position) = position else { return Ok(None) };
        let entries = self.ask(move |store| store.read(position, 1)).await?;
        Ok(entries.into_iter().find_map(|entry| match entry {
            Entry::Rules(changed) if changed.table == version => Some(changed),
            _ => None,
        }))
    }

    /// What was written in a ticket's case, for an officer who may read it: who holds it, the desk's nodal officer,
    /// the control desk, and officers of desks that were asked for a part. In a confidential case only the holder sees
    /// who complained; nobody sees a complaint about themselves.
    ///
    /// # Errors
    /// [`ReadError::UnknownTicket`], [`ReadError::NotAllowed`], or that the store cannot be read.
    pub async fn case_file(&self, id: TicketId, reader: &OfficerId) -> Result<CaseFile, ReadError> {
        let ticket = self.ticket(id).await?.ok_or(ReadError::UnknownTicket { ticket: id })?;
        let roles =
            self.0.door.world.borrow().roster.roles(reader, &ticket, self.0.door.shared.now().unwrap_or_default());
        if roles.is_empty() {
            return Err(ReadError::NotAllowed { officer: reader.clone() });
        }
        let hides_author = ticket.filing().confidentiality == Confidentiality::Confidential
            && ticket.holder().is_none_or(|holder| holder.officer != *reader);
        let mut rows = Vec::new();
        if matches!(ticket.origin(), Origin::FollowUp(_)) {
            let first = self.first_of(&ticket).await?;
            // The matter itself was written in the first ticket's case.
            rows.extend(self.ask(move |store| store.personal(first)).await?.into_iter().take(1));
        }
        rows.extend(self.ask(move |store| store.personal(id)).await?);
        let records = rows.into_iter().map(|(version, row)| {
            let record = match row.into_record() {
                Personal::Grievance(mut grievance) if hides_author => {
                    grievance.complainant = crate::Complainant::default();
                    grievance.source_id.clear();
                    grievance.conversation = None;
                    // A picture's address, a door or a point tells who lives there.
                    grievance.media.clear();
                    grievance.coordinates = None;
                    grievance.place = ticket.filing().place.clone();
                    Personal::Grievance(grievance)
                }
                record => record,
            };
            (version, record)
        });
        Ok(CaseFile { records: records.collect() })
    }

    /// The ticket that a chain of follow-ups began with.
    async fn first_of(&self, ticket: &Ticket) -> Result<TicketId, ReadError> {
        let mut first = ticket.id();
        let mut origin = ticket.origin().clone();
        while let Origin::FollowUp(before) = origin {
            first = before;
            let earlier = self.ticket(before).await?;
            origin = earlier.map_or(Origin::Submitted, |ticket| ticket.origin().clone());
        }
        Ok(first)
    }

    /// A page of the tickets that a filter matches, by number. Open ones come from memory; closed ones, when their
    /// state is asked for, from the store.
    ///
    /// # Errors
    /// [`ReadError`] when the store cannot be read.
    pub async fn tickets(&self, filter: &TicketFilter, page: Page) -> Result<Vec<Ticket>, ReadError> {
        let now = self.0.door.shared.now().unwrap_or_default();
        let limit = page.limit.min(Page::MOST);
        if let Some(number) = &filter.old_number {
            // One ticket at most, open or closed: it is found by its number.
            let ticket = self.ticket_of(&Source::reserved(Channel::Import, number)).await?;
            let wanted = |t: &Ticket| limit > 0 && Some(t.id()) > page.after && filter.matches(t, now);
            return Ok(ticket.into_iter().filter(wanted).collect());
        }
        if !filter.wants_closed() {
            let wanted = |ticket: &Ticket| Some(ticket.id()) > page.after && filter.matches(ticket, now);
            return Ok(self.0.door.shared.lookup.page(wanted, limit));
        }
        let mut found = Vec::new();
        let mut after = page.after;
        while found.len() < limit {
            let ids = self.ask(move |store| store.tickets(after, Page::MOST)).await?;
            let Some(last) = ids.last().copied() else { break };
            for id in ids {
                match self.ticket(id).await? {
                    Some(ticket) if filter.matches(&ticket, now) => found.push(ticket),
                    _ => {}
                }
                if found.len() == limit {
                    break;
                }
            }
            after = Some(last);
        }
        Ok(found)
    }

    /// The entries of the journal from a position on, each after it is durable, in order, until the engine is shut
    /// down. A reader that is too slow for the live feed is told [`SubscriptionError::Lagged`] and then reads on from
    /// the store without a gap.
    pub fn subscribe(&self, from: Position) -> impl Stream<Item = Result<Published, SubscriptionError>> + Send + use<> {
        subscription::subscribe(self.0.writer.clone(), self.0.feed.upgrade().map(|feed| feed.subscribe()), from)
    }

    /// Takes over pending tickets of the system used before: each is routed and marked like a new one, keeps its old
    /// number as a reference and its old age. Importing the same old number again gives the same ticket.
    ///
    /// The answers come in the order of the tickets. Deadlines count from the import; the age counts from
    /// [`received_at`](PendingTicket::received_at).
    ///
    /// # Errors
    /// Each answer is a [`SubmitError`] of its own, as for [`submit`](Engine::submit); the others are not touched by
    /// it.
    pub async fn import(&self, pending: Vec<PendingTicket>) -> Vec<Result<Receipt, SubmitError>> {
        // They go through the door one after the other, so that their numbers follow their order; what is under way is
        // bounded there.
        let mut answers = Vec::with_capacity(pending.len());
        for ticket in pending {
            answers.push(self.bring_over(ticket).await);
        }
        let mut receipts = Vec::with_capacity(answers.len());
        for answer in answers {
            receipts.push(match answer {
                Ok(answered) => self.told(answered.await).map_err(submit_error),
                Err(error) => Err(error),
            });
        }
        receipts
    }

    async fn bring_over(&self, ticket: PendingTicket) -> Result<oneshot::Receiver<Answer>, SubmitError> {
        let door = &self.0.door;
        let Ok(permit) = door.enter(door.share_for(&ticket.grievance)).await else {
            return Err(SubmitError::Stopped(Box::new(ticket.grievance)));
        };
        let task = Task::Submit(door.imported(ticket)?);
        let (caller, answered) = oneshot::channel();
        door.send(vec![Door::errand(task, Reply::one(caller), permit)]);
        Ok(answered)
    }

    /// Puts another rules table in force. Grievances before it in the door's order go by the old one, those after it by
    /// the new one. Answers when that is durable.
    ///
    /// # Errors
    /// [`ReloadError`]: the table names a department or district that the roster does not have; the one in force stays.
    pub async fn reload_rules(&self, rules: Rules, by: Option<OfficerId>) -> Result<(), ReloadError> {
        check_by(&[&self.roster()], by.as_ref())?;
        let (done, answered) = oneshot::channel();
        let rules = Arc::new(rules);
        self.0.door.dispatcher.do_send(ReloadRules { rules, by, done });
        self.reloaded(answered.await)
    }

    /// Puts another roster in force. Desks that are new are opened; tickets whose officer or desk is gone are handed
    /// over. Answers when that is durable.
    ///
    /// # Errors
    /// [`ReloadError`]: the rules in force name a department or district that this roster does not have; the one in
    /// force stays.
    pub async fn reload_roster(&self, roster: Roster, by: Option<OfficerId>) -> Result<(), ReloadError> {
        check_by(&[&self.roster(), &roster], by.as_ref())?;
        let (done, answered) = oneshot::channel();
        let roster = Arc::new(roster);
        self.0.door.dispatcher.do_send(ReloadRoster { roster, by, done });
        self.reloaded(answered.await)
    }

    /// Erases everything personal in the tickets of an author, for good: handle, name, contact, and every text that the
    /// author or an officer wrote in them; answers how many records that was. What was decided stays, and so does every
    /// proof. The author's posts are still known as such: one that comes again is no new ticket.
    ///
    /// Open tickets lose their text too; whoever works on them has to know it, or it is asked for later. Copies outside
    /// the store (backups, what subscribers kept) are not reached.
    ///
    /// An author is who the grievance's [`Author`] was: by the handle, where it had one, else by the contact. So `Ok(0)`
    /// says that there was nothing under this name, not that nothing else is left of them; one who gave a name only is
    /// nobody's, and goes by age ([`Policy::keep_personal_after_closing`](crate::Policy::keep_personal_after_closing)).
    ///
    /// Source: Digital Personal Data Protection Act, 2023 (India), section 12 (right to erasure).
    ///
    /// # Errors
    /// [`EraseError`]. After [`EraseError::NotScrubbed`] they are erased, but copies may be left in the files.
    pub async fn erase(&self, author: &Author, by: Option<OfficerId>) -> Result<u64, EraseError> {
        let roster = self.roster();
        if let Some(officer) = by.as_ref().filter(|officer| roster.officer(officer).is_none()) {
            return Err(EraseError::UnknownOfficer { officer: officer.clone() });
        }
        let (done, answered) = oneshot::channel();
        let of = Erased::Author(self.0.door.shared.key.author(author));
        self.0.door.dispatcher.do_send(Erase { of, by, done });
        answered.await.unwrap_or(Err(EraseError::Stopped))
    }

    /// Copies the journal, as it is at some moment after this call, into a new file, while everything goes on. The copy
    /// is durable when this answers; what breaks off leaves no file of that name.
    ///
    /// # Errors
    /// [`ReadError`]: there is such a file already, the disk is full, or the store cannot be copied.
    pub async fn backup(&self, to: impl Into<PathBuf>) -> Result<(), ReadError> {
        let to = to.into();
        let job = self.ask(move |store| store.backup(to)).await?;
        let (done, copied) = oneshot::channel();
        let thread = std::thread::Builder::new().name("nivaran-backup".to_owned());
        let started = thread.spawn(move || {
            let copied = catch_unwind(AssertUnwindSafe(job));
            let panicked = || StoreError { reason: "the store panicked".to_owned() };
            drop(done.send(copied.unwrap_or_else(|_| Err(panicked()))));
        });
        started.map_err(|error| StoreError { reason: format!("no thread for the copy: {error}") })?;
        match copied.await {
            Ok(copied) => Ok(copied?),
            Err(_) => Err(StoreError { reason: "the copy broke off".to_owned() }.into()),
        }
    }

    /// Lets all dates pass that have come by the engine's clock, and answers when what follows is durable. With the
    /// system's clock they pass by themselves; with a [`ManualClock`] this is how.
    pub async fn tick(&self) {
        let (done, passed) = oneshot::channel();
        self.0.door.dispatcher.do_send(Tick { done });
        // An engine that was shut down has no dates.
        drop(passed.await);
    }

    /// How the engine is. It goes through the open tickets to count them: meant for every few seconds, not for every
    /// request.
    #[must_use]
    pub fn health(&self) -> Health {
        let Door { shared, room, .. } = self.0.door.as_ref();
        let mut open: BTreeMap<DeskId, u64> = BTreeMap::new();
        for ticket in shared.lookup.by_id.iter().filter(|ticket| ticket.state().kind().is_open()) {
            if let Some(desk) = ticket.desk() {
                *open.entry(desk.clone()).or_default() += 1;
            }
        }
        let under_way = shared.limits.under_way - room.available_permits();
        shared.health.report(open, under_way, self.position())
    }

    /// Where the next entry of the journal will stand: everything before it is durable, and told to subscribers.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.0.door.shared.position.load(Ordering::Acquire))
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        Arc::clone(&self.0.door.world.borrow().rules)
    }

    /// The roster in force.
    #[must_use]
    pub fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.0.door.world.borrow().roster)
    }

    /// Shuts the engine down: the door closes, what was accepted is carried out and written, the actors stop, the
    /// threads end. Whoever comes afterwards is told `Stopped`. It may be called several times.
    pub async fn shutdown(&self) {
        if let Some(stopped) = self.0.close() {
            drop(stopped.await);
        }
        // The threads have nothing to do any more, so this is brief.
        self.0.join();
    }

    async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&mut dyn Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let (ask, answered) = Ask::new(question);
        self.0.writer.do_send(ask);
        match answered.await {
            Ok(answer) => Ok(answer?),
            Err(_) if self.0.door.shared.is_stopping() => Err(ReadError::Stopped),
            // A store that panics drops the question.
            Err(_) => Err(StoreError { reason: "it failed on the question".to_owned() }.into()),
        }
    }
}

impl Inner {
    /// Closes the door and has everything behind it carried out; `None` when that was done before.
    fn close(&self) -> Option<oneshot::Receiver<()>> {
        if self.door.room.is_closed() {
            return None;
        }
        self.door.room.close();
        self.door.shared.stop();
        let (done, stopped) = oneshot::channel();
        self.door.dispatcher.do_send(Stop { done });
        Some(stopped)
    }

    fn join(&self) {
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(thread) = thread else { return };
        // A thread cannot wait for itself: an engine dropped on its own actors' thread ends without being waited for.
        if thread.thread().id() == std::thread::current().id() {
            tracing::warn!("the last handle was dropped inside the engine; it stops without being waited for");
        } else if thread.join().is_err() {
            tracing::error!("the actors' thread panicked");
        }
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.close();
        self.join();
    }
}
