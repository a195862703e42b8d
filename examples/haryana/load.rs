//! The load: citizens and officers about a running engine, in compressed time.
//!
//! Nothing is kept here that the journal does not have. Started again on a journal, the load goes through the time that
//! is recorded without asking the engine for anything, only reading what came of it; from there on it goes on, and what
//! was cut off in the middle is said again under the same request ids.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ops::Range;
use std::path::Path;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, BoxStream, StreamExt};
use indicatif::ProgressBar;
use jiff::Timestamp;
use nivaran::engine::{Published, SeededSecrets, SubscriptionError};
use nivaran::journal::{Entry, TicketEntry, advance};
use nivaran::personal::SourceKey;
use nivaran::store::sqlite::{Settings, SqliteStore};
use nivaran::ticket::{Origin, State, TicketEvent};
use nivaran::{
    Act, ActError, Action, Engine, Grievance, InstallationKey, ManualClock, Position, Receipt, RequestId, Roster,
    Rules, StartError, Ticket, TicketId,
};

use crate::calendar::{self, MINUTES_A_DAY, instant};
use crate::case::Case;
use crate::citizens::{self, Word};
use crate::dice::Dice;
use crate::officers::Officers;
use crate::posts::{Post, Posts};
use crate::tally::Tally;

/// How much time passes at once, in minutes.
const STEP: i64 = 30;
/// How many acts are under way at once.
const AT_ONCE: usize = 256;

/// How a run ended.
pub enum Ended {
    /// With all its days.
    Whole(Tally),
    /// By the user's wish, at this time of the year; the journal has everything until then.
    Stopped(Timestamp),
}

/// Runs an engine on a journal through some days of the year, or goes on where the journal ends.
pub async fn run(
    (rules, roster): (Rules, Roster),
    seed: u64,
    days: Range<i64>,
    journal: &Path,
    stop: &AtomicBool,
    bar: &ProgressBar,
) -> Result<Ended, Box<dyn Error>> {
    let posts = Posts::new(seed, rules.places())?;
    let mut load = Load::start(rules, roster, seed, instant(days.start, 0), journal).await?;
    for day in days {
        if let Some(stopped) = load.day(day, posts.of(day)?, stop).await? {
            load.engine.shutdown().await;
            return Ok(Ended::Stopped(stopped));
        }
        bar.inc(posts.count(day..day + 1) as u64);
    }
    load.engine.shutdown().await;
    Ok(Ended::Whole(load.tally))
}

struct Load {
    engine: Engine,
    clock: ManualClock,
    key: InstallationKey,
    /// The journal, as anyone may follow it who subscribes.
    journal: BoxStream<'static, Result<Published, SubscriptionError>>,
    /// How far it has been read, and the entry that was read and belongs to later.
    read: Position,
    held: Option<TicketEntry>,
    /// The time of the last entry that was there at the start: what is before it is not done again.
    recorded: Option<Timestamp>,
    /// The tickets, folded from what was followed.
    tickets: BTreeMap<TicketId, Option<Ticket>>,
    changed: BTreeSet<TicketId>,
    officers: Officers,
    cases: BTreeMap<TicketId, Case>,
    /// What is behind posts whose tickets are not known yet.
    posted: BTreeMap<SourceKey, Case>,
    plans: Plans,
    tally: Tally,
}

/// The halves of a step: what dates and posts make, then what people say, each under a request id.
#[derive(Clone, Copy, PartialEq)]
enum Half {
    Posts,
    Words,
}

impl Load {
    async fn start(
        rules: Rules,
        roster: Roster,
        seed: u64,
        begins: Timestamp,
        journal: &Path,
    ) -> Result<Self, Box<dyn Error>> {
        let (clock, key) = (ManualClock::new(begins), key(seed));
        let builder = Engine::builder().rules(rules).roster(roster).clock(clock.clone()).secrets(SeededSecrets(seed));
        let store = SqliteStore::open(journal, Settings::default())?;
        let engine = builder.store(store).installation_key(key.clone()).start().map_err(|error| match error {
            StartError::AnotherKey => "the journal was begun with another seed; give that one".into(),
            error => Box::<dyn Error>::from(error),
        })?;
        let officers = Officers::new(engine.rules(), engine.roster(), seed)?;
        let recorded = last_time(&engine).await?;
        Ok(Self {
            journal: engine.subscribe(Position::default()).boxed(),
            engine,
            clock,
            key,
            read: Position::default(),
            held: None,
            recorded,
            tickets: BTreeMap::new(),
            changed: BTreeSet::new(),
            officers,
            cases: BTreeMap::new(),
            posted: BTreeMap::new(),
            plans: Plans::default(),
            tally: Tally::default(),
        })
    }

    /// Lets a day pass; the time at which it was stopped, if it was.
    async fn day(
        &mut self,
        day: i64,
        posts: Vec<Post>,
        stop: &AtomicBool,
    ) -> Result<Option<Timestamp>, Box<dyn Error>> {
        let mut posts = posts.into_iter().peekable();
        for minute in (STEP..=MINUTES_A_DAY).step_by(STEP as usize) {
            let now = instant(day, minute);
            let arrived = std::iter::from_fn(|| posts.next_if(|post| post.at < now)).collect();
            self.step(now, arrived).await?;
            if stop.load(Ordering::Relaxed) {
                return Ok(Some(now));
            }
        }
        if calendar::ends_month(day) {
            self.tally.note_month(calendar::month(day));
        }
        Ok(None)
    }

    /// Lets time pass until `now`: dates come, grievances arrive, officers and citizens have their turns.
    async fn step(&mut self, now: Timestamp, arrived: Vec<Post>) -> Result<(), Box<dyn Error>> {
        let is_recorded = self.recorded.is_some_and(|recorded| now < recorded);
        let grievances = self.expect(arrived);
        if !is_recorded {
            self.clock.set(now);
            self.engine.tick().await;
            self.submit(grievances).await?;
        }
        self.follow(now, Half::Posts).await?;
        let words = self.words(now)?;
        let said = words.len();
        if !is_recorded {
            // Left to itself the runtime interrupts a task that has much to do, and wakes its acts in another order.
            tokio::task::unconstrained(self.say(words)).await?;
        }
        let heard = self.follow(now, Half::Words).await?;
        // The others came when the ticket had gone up the ladder or was closed.
        self.tally.too_late += said.saturating_sub(heard);
        self.plan(now);
        Ok(())
    }

    /// Notes what is behind the posts, by the reference that the journal will have of them.
    fn expect(&mut self, posts: Vec<Post>) -> Vec<Grievance> {
        let Self { posted, key, .. } = self;
        let note = |Post { grievance, case, .. }: Post| {
            posted.insert(key.source(grievance.source()), case);
            grievance
        };
        posts.into_iter().map(note).collect()
    }

    async fn submit(&self, grievances: Vec<Grievance>) -> Result<(), Box<dyn Error>> {
        let mut receipts = pin!(self.engine.submit_all(stream::iter(grievances)));
        while let Some(receipt) = receipts.next().await {
            receipt?;
        }
        Ok(())
    }

    /// What those say whose turn has come.
    fn words(&mut self, now: Timestamp) -> Result<Vec<Word>, Box<dyn Error>> {
        let mut words = Vec::new();
        for id in self.plans.due(now) {
            if let Some(Some(ticket)) = self.tickets.get(&id)
                && let Some(case) = self.cases.get_mut(&id)
            {
                words.extend(turn(&self.officers, ticket, case, now)?);
            }
        }
        Ok(words)
    }

    async fn say(&self, words: Vec<Word>) -> Result<(), Box<dyn Error>> {
        // They are sent from this one task in their order, so the engine meets them in it.
        let mut answers = pin!(stream::iter(words).map(|word| say(&self.engine, word)).buffered(AT_ONCE));
        while let Some(answer) = answers.next().await {
            match answer {
                // The ticket has gone up the ladder or was closed in the meantime.
                Ok(_) | Err(ActError::Refused(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Follows the journal through half a step; answers how many entries that was.
    async fn follow(&mut self, now: Timestamp, half: Half) -> Result<usize, Box<dyn Error>> {
        let mut followed = 0;
        while let Some(entry) = self.next_entry().await? {
            if entry.at > now || half == Half::Posts && entry.request.is_some() {
                self.held = Some(entry);
                break;
            }
            self.take(&entry)?;
            followed += 1;
        }
        Ok(followed)
    }

    /// The journal's next entry that is about a ticket; `None` where it ends as yet.
    async fn next_entry(&mut self) -> Result<Option<TicketEntry>, Box<dyn Error>> {
        if let Some(held) = self.held.take() {
            return Ok(Some(held));
        }
        while self.read < self.engine.position() {
            match self.journal.next().await.ok_or("the journal ended")? {
                Ok(Published { position, entry }) => {
                    self.read = position.plus(1);
                    if let Entry::Ticket(entry) = entry {
                        return Ok(Some(entry));
                    }
                }
                Err(SubscriptionError::Lagged { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(None)
    }

    fn take(&mut self, entry: &TicketEntry) -> Result<(), Box<dyn Error>> {
        self.tally.take(entry);
        advance(self.tickets.entry(entry.ticket).or_default(), entry)?;
        if let Some(TicketEvent::Received { filing, origin, .. }) = entry.events.first() {
            let case = match origin {
                // A complaint that came too late to reopen its ticket is a new one about the same matter.
                Origin::FollowUp(first) => self.cases.get(first).map(Case::follow_up),
                _ => self.posted.remove(&filing.source),
            };
            self.cases.insert(entry.ticket, case.ok_or("the journal has a grievance that nobody of this year sent")?);
        }
        if !is_reminder(entry) {
            self.changed.insert(entry.ticket);
        }
        Ok(())
    }

    /// Plans what comes next for the tickets that changed.
    fn plan(&mut self, now: Timestamp) {
        for id in std::mem::take(&mut self.changed) {
            if let Some(Some(ticket)) = self.tickets.get(&id)
                && let Some(case) = self.cases.get_mut(&id)
            {
                let next = if is_with_officers(ticket) {
                    self.officers.next_turn(ticket, case, now)
                } else {
                    citizens::next_word(ticket, case, now)
                };
                self.plans.set(id, next);
            }
        }
    }
}

/// The installation's key of a simulated year. **A real one is secret.**
fn key(seed: u64) -> InstallationKey {
    let mut dice = Dice::new(seed, u64::MAX);
    let mut secret = [0; 32];
    secret.chunks_exact_mut(8).for_each(|part| part.copy_from_slice(&dice.roll().to_be_bytes()));
    InstallationKey::new(&secret)
}

/// When the journal's last entry was written, if it has any.
async fn last_time(engine: &Engine) -> Result<Option<Timestamp>, Box<dyn Error>> {
    let Some(last) = engine.position().0.checked_sub(1) else { return Ok(None) };
    let published = pin!(engine.subscribe(Position(last))).next().await.ok_or("the journal ended")??;
    Ok(Some(published.entry.at()))
}

/// What the one whose turn it is says or does.
fn turn(officers: &Officers, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Result<Option<Word>, Box<dyn Error>> {
    let word = if !is_with_officers(ticket) {
        citizens::speak(ticket, case)?
    } else if std::mem::take(&mut case.withdraws) {
        Some(Word::Act(Act::by_citizen(ticket.id(), case.author.clone(), Action::Withdraw)))
    } else {
        officers.act(ticket, case, now)?.map(Word::Act)
    };
    let request = request(ticket);
    Ok(word.map(|word| match word {
        Word::Act(act) => Word::Act(act.request(request)),
        Word::Feedback(feedback) => Word::Feedback(feedback.request(request)),
    }))
}

/// The id of what is said to a ticket as it stands: the same if it has to be said again.
fn request(ticket: &Ticket) -> RequestId {
    RequestId(u128::from(ticket.id().number()) << 32 | u128::from(ticket.version().0))
}

async fn say(engine: &Engine, word: Word) -> Result<Receipt, ActError> {
    match word {
        Word::Act(act) => engine.act(act).await,
        Word::Feedback(feedback) => engine.feedback(feedback).await,
    }
}

fn is_with_officers(ticket: &Ticket) -> bool {
    matches!(ticket.state(), State::Triage { .. } | State::Marked { .. } | State::InProgress { .. })
}

/// A reminder changes no plan.
fn is_reminder(entry: &TicketEntry) -> bool {
    matches!(entry.events[..], [TicketEvent::Reminded { .. }])
}

/// When something is next done about each ticket.
#[derive(Default)]
struct Plans {
    by_time: BTreeSet<(Timestamp, TicketId)>,
    by_ticket: BTreeMap<TicketId, Timestamp>,
}

impl Plans {
    /// Plans a ticket's next turn, in place of what was planned for it.
    fn set(&mut self, ticket: TicketId, next: Option<Timestamp>) {
        if let Some(earlier) = self.by_ticket.remove(&ticket) {
            self.by_time.remove(&(earlier, ticket));
        }
        if let Some(next) = next {
            self.by_ticket.insert(ticket, next);
            self.by_time.insert((next, ticket));
        }
    }

    /// The tickets whose turn has come, the earliest first.
    fn due(&mut self, now: Timestamp) -> Vec<TicketId> {
        let mut due = Vec::new();
        while let Some(&(time, ticket)) = self.by_time.first()
            && time <= now
        {
            self.set(ticket, None);
            due.push(ticket);
        }
        due
    }
}
