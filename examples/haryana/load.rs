//! The load: citizens and officers about a running engine, in compressed time.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::ops::Range;
use std::pin::pin;

use futures_util::stream::{self, BoxStream, StreamExt};
use indicatif::ProgressBar;
use jiff::Timestamp;
use nivaran::engine::{Published, SeededSecrets, SubscriptionError};
use nivaran::journal::{Entry, TicketEntry};
use nivaran::ticket::{Origin, State, TicketEvent};
use nivaran::{
    Act, ActError, Action, Engine, ManualClock, Position, Receipt, Roster, Rules, Standing, Ticket, TicketId,
};

use crate::calendar::{self, MINUTES_A_DAY, instant};
use crate::case::Case;
use crate::citizens::{self, Word};
use crate::officers::Officers;
use crate::posts::{Post, Posts};
use crate::tally::Tally;

/// How much time passes at once, in minutes.
const STEP: i64 = 30;
/// How many acts are under way at once.
const AT_ONCE: usize = 256;

/// Runs an engine through some days of the year.
pub async fn run(
    (rules, roster): (Rules, Roster),
    seed: u64,
    days: Range<i64>,
    bar: &ProgressBar,
) -> Result<Tally, Box<dyn Error>> {
    let posts = Posts::new(seed, rules.places())?;
    let mut load = Load::start(rules, roster, seed, instant(days.start, 0))?;
    for day in days {
        load.day(day, posts.of(day)?).await?;
        bar.inc(posts.count(day..day + 1) as u64);
    }
    load.end().await
}

struct Load {
    engine: Engine,
    clock: ManualClock,
    /// The journal, as anyone may follow it who subscribes.
    journal: BoxStream<'static, Result<Published, SubscriptionError>>,
    /// How far it has been followed.
    followed: Position,
    officers: Officers,
    cases: BTreeMap<TicketId, Case>,
    plans: Plans,
    tally: Tally,
}

impl Load {
    fn start(rules: Rules, roster: Roster, seed: u64, begins: Timestamp) -> Result<Self, Box<dyn Error>> {
        let clock = ManualClock::new(begins);
        let engine =
            Engine::builder().rules(rules).roster(roster).clock(clock.clone()).secrets(SeededSecrets(seed)).start()?;
        let journal = engine.subscribe(Position::default()).boxed();
        let officers = Officers::new(engine.rules(), engine.roster(), seed)?;
        Ok(Self {
            engine,
            clock,
            journal,
            followed: Position::default(),
            officers,
            cases: BTreeMap::new(),
            plans: Plans::default(),
            tally: Tally::default(),
        })
    }

    async fn day(&mut self, day: i64, posts: Vec<Post>) -> Result<(), Box<dyn Error>> {
        let mut posts = posts.into_iter().peekable();
        for minute in (STEP..=MINUTES_A_DAY).step_by(STEP as usize) {
            let now = instant(day, minute);
            let arrived = std::iter::from_fn(|| posts.next_if(|post| post.at < now)).collect();
            self.step(now, arrived).await?;
        }
        if calendar::ends_month(day) {
            self.tally.note_month(calendar::month(day));
        }
        Ok(())
    }

    /// Lets time pass until `now`: dates come, grievances arrive, officers and citizens have their turns.
    async fn step(&mut self, now: Timestamp, arrived: Vec<Post>) -> Result<(), Box<dyn Error>> {
        self.clock.set(now);
        self.engine.tick().await;
        let submitted = self.submit(arrived).await?;
        // Left to itself the runtime interrupts a task that has much to do, and wakes its acts in another order.
        let done = tokio::task::unconstrained(self.take_turns(now)).await?;
        if let Some(last) = done.or(submitted) {
            self.follow(now, last).await?;
        }
        Ok(())
    }

    /// The last receipt tells how far the journal has to be followed to know what came of the step.
    async fn submit(&mut self, posts: Vec<Post>) -> Result<Option<Receipt>, Box<dyn Error>> {
        let (grievances, cases): (Vec<_>, Vec<_>) = posts.into_iter().map(|post| (post.grievance, post.case)).unzip();
        let mut receipts = pin!(self.engine.submit_all(stream::iter(grievances)));
        let mut last = None;
        for case in cases {
            let receipt = receipts.next().await.ok_or("a grievance without a receipt")??;
            self.cases.insert(receipt.ticket, case);
            last = Some(receipt);
        }
        Ok(last)
    }

    async fn take_turns(&mut self, now: Timestamp) -> Result<Option<Receipt>, Box<dyn Error>> {
        let mut words = Vec::new();
        for id in self.plans.due(now) {
            if let Some(ticket) = self.engine.ticket(id).await?
                && let Some(case) = self.cases.get_mut(&id)
            {
                words.extend(turn(&self.officers, &ticket, case, now)?);
            }
        }
        // They are sent from this one task in their order, so the engine meets them in it.
        let mut answers = pin!(stream::iter(words).map(|word| say(&self.engine, word)).buffered(AT_ONCE));
        let mut last = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok(receipt) if receipt.standing == Standing::Done => last = Some(receipt),
                Ok(_) => {}
                // The ticket has gone up the ladder or was closed in the meantime.
                Err(ActError::Refused(_)) => self.tally.too_late += 1,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(last)
    }

    /// Follows the journal up to what a receipt stands for, and plans what comes next for the tickets that changed.
    async fn follow(&mut self, now: Timestamp, last: Receipt) -> Result<(), Box<dyn Error>> {
        let mut changed = BTreeSet::new();
        loop {
            let Some(entry) = self.next_entry().await? else { continue };
            self.inherit(&entry);
            if !is_reminder(&entry) {
                changed.insert(entry.ticket);
            }
            if (entry.ticket, entry.version) == (last.ticket, last.version) {
                break;
            }
        }
        for id in changed {
            self.plan(id, now).await?;
        }
        Ok(())
    }

    /// The journal's next entry, counted, if it is about a ticket.
    async fn next_entry(&mut self) -> Result<Option<TicketEntry>, Box<dyn Error>> {
        match self.journal.next().await.ok_or("the journal ended")? {
            Ok(Published { position, entry }) => {
                self.followed = position.plus(1);
                let Entry::Ticket(entry) = entry else { return Ok(None) };
                self.tally.take(&entry);
                Ok(Some(entry))
            }
            Err(SubscriptionError::Lagged { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A complaint that came too late to reopen its ticket is a new one about the same matter.
    fn inherit(&mut self, entry: &TicketEntry) {
        if let Some(TicketEvent::Received { origin: Origin::FollowUp(first), .. }) = entry.events.first()
            && let Some(case) = self.cases.get(first).map(Case::follow_up)
        {
            self.cases.insert(entry.ticket, case);
        }
    }

    async fn plan(&mut self, id: TicketId, now: Timestamp) -> Result<(), Box<dyn Error>> {
        if let Some(ticket) = self.engine.ticket(id).await?
            && let Some(case) = self.cases.get_mut(&id)
        {
            let next = if is_with_officers(&ticket) {
                self.officers.next_turn(&ticket, case, now)
            } else {
                citizens::next_word(&ticket, case, now)
            };
            self.plans.set(id, next);
        }
        Ok(())
    }

    /// Reads the journal to its end and stops the engine.
    async fn end(mut self) -> Result<Tally, Box<dyn Error>> {
        let end = self.engine.health().position;
        while self.followed < end {
            self.next_entry().await?;
        }
        self.engine.shutdown().await;
        Ok(self.tally)
    }
}

/// What the one whose turn it is says or does.
fn turn(officers: &Officers, ticket: &Ticket, case: &mut Case, now: Timestamp) -> Result<Option<Word>, Box<dyn Error>> {
    if !is_with_officers(ticket) {
        return citizens::speak(ticket, case);
    }
    if std::mem::take(&mut case.withdraws) {
        let act = Act::by_citizen(ticket.id(), case.author.clone(), Action::Withdraw);
        return Ok(Some(Word::Act(act)));
    }
    Ok(officers.act(ticket, case, now)?.map(Word::Act))
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
