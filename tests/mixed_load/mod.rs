//! A mixed load on an engine: whatever a service does, at random, and each answer told as one line.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use nivaran::engine::{Clock, Failure};
use nivaran::journal::Position;
use nivaran::ticket::{Grounds, ParkReason, Reference, StateKind};
use nivaran::{
    Act, ActError, Action, Engine, ManualClock, Outcome, Page, PendingTicket, Receipt, RequestId, Standing,
    SubmitError, Ticket, TicketFilter, TicketId, Verdict, Version,
};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use serde::{Deserialize, Serialize};

pub mod child;

use crate::support::*;

/// The posts behind imported tickets: their numbers begin here.
pub const IMPORTED: u64 = 1_000_000_000;
/// What a line that tells something begins with; a test's output has other lines too.
const MARK: &str = "@told ";

/// What the engine answered, or what the load says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Told {
    /// The journal is being opened.
    Opening,
    /// The journal could not be opened, or the engine not started.
    NotStarted(String),
    /// The engine runs.
    Started,
    /// The engine is being shut down.
    Stopping,
    /// The load came to its end; the engine's mode in words.
    Ended(String),
    /// A post is this ticket.
    Submitted { post: u64, ticket: TicketId, version: Version },
    /// A grievance was not taken; nothing of it is written.
    NotSubmitted { post: u64 },
    /// Nobody knows whether it was taken.
    PerhapsSubmitted { post: u64 },
    /// An act was carried out.
    Acted { request: RequestId, post: u64, ticket: TicketId, version: Version },
    /// Feedback counted; where it became a follow-up, `ticket` is that.
    Judged { request: RequestId, post: u64, asked: TicketId, ticket: TicketId, version: Version },
    /// An act or feedback was not carried out; nothing of it is written.
    NotDone { request: RequestId },
    /// Other rules are in force.
    Rules(String),
    /// Another roster is in force.
    Roster(String),
    /// What the author of this post said was erased.
    Erased { post: u64 },
    /// There is a copy of this name, made when the journal had so many entries.
    Copied { name: String, entries: u64 },
    /// An answer that may never be.
    Fault(String),
}

impl Told {
    pub fn line(&self) -> String {
        format!("{MARK}{}\n", serde_json::to_string(self).unwrap())
    }

    /// What a line tells; `None` for a line of others, or one that breaks off.
    pub fn of(line: &str) -> Option<Self> {
        let (_, told) = line.split_once(MARK)?;
        serde_json::from_str(told).ok()
    }
}

/// Who hears what the engine answered.
pub trait Ear: Fn(Told) + Send + Sync {}
impl<F: Fn(Told) + Send + Sync> Ear for F {}

/// A load on one engine.
pub struct Load<E> {
    engine: Engine,
    clock: ManualClock,
    hear: E,
    /// Where copies are put, and what their names begin with.
    folder: PathBuf,
    name: String,
    next_post: AtomicU64,
    copies: AtomicU64,
    /// Posts that are tickets.
    known: Mutex<Vec<u64>>,
    /// Acts that were carried out, and their answers.
    done: Mutex<Vec<(u64, Act, Receipt)>>,
}

impl<E: Ear> Load<E> {
    /// A load whose new posts are numbered from `first_post` on; `known` are posts that are tickets already.
    pub fn new(
        engine: &Engine,
        clock: &ManualClock,
        folder: PathBuf,
        first_post: u64,
        known: Vec<u64>,
        hear: E,
    ) -> Self {
        Self {
            engine: engine.clone(),
            clock: clock.clone(),
            hear,
            folder,
            name: format!("copy-{first_post}"),
            next_post: AtomicU64::new(first_post),
            copies: AtomicU64::new(0),
            known: Mutex::new(known),
            done: Mutex::new(Vec::new()),
        }
    }

    fn hear(&self, told: Told) {
        (self.hear)(told);
    }

    fn fault(&self, what: impl Into<String>) {
        self.hear(Told::Fault(what.into()));
    }

    fn a_known_post(&self, dice: &mut StdRng) -> Option<u64> {
        let known = self.known.lock().unwrap();
        // The youngest are the most interesting, now and then an old one.
        let from = if dice.random_bool(0.8) { known.len().saturating_sub(24) } else { 0 };
        known[from..].choose(dice).copied()
    }

    /// The ticket of a post that is one, if it can be read.
    async fn known_ticket(&self, dice: &mut StdRng) -> Option<(u64, Ticket)> {
        let post = self.a_known_post(dice)?;
        let found = match post.checked_sub(IMPORTED) {
            Some(number) => {
                let filter = TicketFilter::open().old_number(old_number(number));
                match self.engine.tickets(&filter, Page::first(1)).await {
                    Ok(tickets) => tickets.into_iter().next(),
                    Err(_) => return None,
                }
            }
            None => match self.engine.ticket_of(&source(post)).await {
                Ok(Some(ticket)) => Some(ticket),
                Ok(None) => {
                    self.fault(format!("post {post} is a ticket, and the engine does not know it"));
                    None
                }
                Err(_) => return None,
            },
        };
        found.map(|ticket| (post, ticket))
    }

    /// Something, as the dice fall.
    pub async fn step(&self, dice: &mut StdRng) {
        match dice.random_range(0..100) {
            0..36 => self.submit(self.next_post.fetch_add(1, Ordering::Relaxed)).await,
            36..42 => {
                if let Some(post) = self.a_known_post(dice) {
                    self.submit(post).await;
                }
            }
            42..72 => self.act(dice).await,
            72..82 => self.judge(dice).await,
            82..85 => self.import(dice.random_range(0..500)).await,
            85..87 => self.change_rules(dice).await,
            87..89 => self.change_roster(dice).await,
            89 => self.pass_time(if dice.random_bool(0.1) { 24 * 8 } else { dice.random_range(1..10) }).await,
            90..95 => self.act_again(dice).await,
            95..98 => self.read(dice).await,
            98 => self.erase(dice).await,
            _ => self.copy().await,
        }
    }

    /// A post is submitted, and submitted again as long as the engine recovers.
    pub async fn submit(&self, post: u64) {
        match post.checked_sub(IMPORTED) {
            Some(number) => self.import(number).await,
            None => self.submitted(post, self.engine.submit(any_grievance(post)).await),
        }
    }

    fn submitted(&self, post: u64, answer: Result<Receipt, SubmitError>) {
        match answer {
            Ok(receipt) => {
                {
                    let mut known = self.known.lock().unwrap();
                    if !known.contains(&post) {
                        known.push(post);
                    }
                }
                self.hear(Told::Submitted { post, ticket: receipt.ticket, version: receipt.version });
            }
            Err(SubmitError::Failed(Failure::Unknown { .. })) => self.hear(Told::PerhapsSubmitted { post }),
            Err(SubmitError::Failed(_) | SubmitError::Stopped(_)) => self.hear(Told::NotSubmitted { post }),
            Err(other) => self.fault(format!("post {post}: {other}")),
        }
    }

    pub async fn import(&self, number: u64) {
        let pending = PendingTicket {
            old_number: old_number(number),
            received_at: at(-500),
            grievance: any_grievance(IMPORTED + number),
        };
        self.submitted(IMPORTED + number, self.engine.import(vec![pending]).await.remove(0));
    }

    /// Somebody acts on a ticket, mostly as they may.
    async fn act(&self, dice: &mut StdRng) {
        let Some((post, ticket)) = self.known_ticket(dice).await else { return };
        let until = self.clock.now() + SignedDuration::from_hours(dice.random_range(1..100));
        let action = match (ticket.state().kind(), dice.random_range(0..16)) {
            (StateKind::Asked, 0..8) => Action::CitizenAnswers,
            (_, 0..3) => Action::Acknowledge,
            (_, 3..7) => Action::Resolve(Outcome::Fixed),
            (_, 7) => Action::Reject(Grounds::SubJudice),
            (_, 8) => Action::Forward(Some(desk(DESKS[dice.random_range(0..DESKS.len())]))),
            (_, 9) => Action::Return,
            (_, 10) => Action::ChangeCategory(["water", "power", "cattle"].choose(dice).unwrap().parse().unwrap()),
            (_, 11) => Action::ChangePlace(["hisar", "rohtak"].choose(dice).unwrap().parse().unwrap()),
            (_, 12) => Action::AskCitizen { until },
            (_, 13) => Action::Park { until, why: ParkReason::WorkPlanned },
            (_, 14) => Action::InterimReply { next: until },
            _ => Action::Withdraw,
        };
        let by_citizen = matches!(action, Action::CitizenAnswers | Action::Withdraw);
        let request = RequestId(dice.random());
        let act = if by_citizen {
            Act::by_citizen(ticket.id(), author(post), action.clone())
        } else {
            let Some(holder) = ticket.holder() else { return };
            let officer = if dice.random_bool(0.2) { officer("cms") } else { holder.officer.clone() };
            Act::by_officer(ticket.id(), officer, action.clone())
        };
        let act = act.request(request);
        let speaks = action.statement_need() == nivaran::ticket::StatementNeed::Required;
        let act = if speaks { act.statement(words("As was said.")) } else { act };
        match self.engine.act(act.clone()).await {
            Ok(receipt) => {
                self.done.lock().unwrap().push((post, act, receipt));
                let Receipt { ticket, version, .. } = receipt;
                self.hear(Told::Acted { request, post, ticket, version });
            }
            Err(error) => self.not_done(request, &error),
        }
    }

    fn not_done(&self, request: RequestId, error: &ActError) {
        match error {
            ActError::Failed(Failure::Unknown { .. }) => {}
            ActError::UnknownTicket { ticket } => {
                self.fault(format!("{ticket} is a ticket, and the engine knows none"))
            }
            _ => self.hear(Told::NotDone { request }),
        }
    }

    /// An act that was carried out is sent again.
    async fn act_again(&self, dice: &mut StdRng) {
        let Some((_, act, receipt)) = self.done.lock().unwrap().choose(dice).cloned() else { return };
        match self.engine.act(act).await {
            Ok(again) if again == (Receipt { standing: Standing::AlreadyDone, ..receipt }) => {}
            Ok(again) => self.fault(format!("answered {receipt:?}, and then {again:?}")),
            Err(ActError::Failed(_) | ActError::Stopped) => {}
            Err(error) => self.fault(format!("answered {receipt:?}, and then: {error}")),
        }
    }

    /// The citizen speaks.
    async fn judge(&self, dice: &mut StdRng) {
        let Some((post, mut ticket)) = self.known_ticket(dice).await else { return };
        if !matches!(ticket.state().kind(), StateKind::Resolved | StateKind::Rejected | StateKind::Closed) {
            let Ok(resolved) =
                self.engine.tickets(&TicketFilter::open().state(StateKind::Resolved), Page::first(50)).await
            else {
                return;
            };
            let of_known = resolved.into_iter().find(|other| other.filing().author == ticket.filing().author);
            let Some(other) = of_known else {
                // So that there is something to speak about.
                let Some(holder) = ticket.holder() else { return };
                let request = RequestId(dice.random());
                let act = Act::by_officer(ticket.id(), holder.officer.clone(), Action::Resolve(Outcome::Fixed));
                match self.engine.act(act.statement(words("Pumped dry.")).request(request)).await {
                    Ok(Receipt { ticket, version, .. }) => self.hear(Told::Acted { request, post, ticket, version }),
                    Err(error) => self.not_done(request, &error),
                }
                return;
            };
            ticket = other;
        }
        let request = RequestId(dice.random());
        let verdict = if dice.random_bool(0.5) { Verdict::Satisfied } else { Verdict::NotSatisfied };
        let said = feedback(ticket.id(), post, verdict).reason(words("It is as it was.")).request(request);
        match self.engine.feedback(said).await {
            Ok(receipt) => self.hear(Told::Judged {
                request,
                post,
                asked: ticket.id(),
                ticket: receipt.ticket,
                version: receipt.version,
            }),
            Err(error) => self.not_done(request, &error),
        }
    }

    async fn change_rules(&self, dice: &mut StdRng) {
        let rules = if dice.random_bool(0.5) { rules() } else { other_rules() };
        let table = rules.version().to_string();
        if self.engine.reload_rules(rules, None).await.is_ok() {
            self.hear(Told::Rules(table));
        }
    }

    async fn change_roster(&self, dice: &mut StdRng) {
        let roster = match dice.random_range(0..4) {
            0 => roster_without("phe-je-hisar"),
            1 => roster_without("rohtak"),
            _ => roster(),
        };
        let version = roster.version().to_string();
        if self.engine.reload_roster(roster, Some(officer("cms"))).await.is_ok() {
            self.hear(Told::Roster(version));
        }
    }

    async fn pass_time(&self, hours: i64) {
        self.clock.set(self.clock.now() + SignedDuration::from_hours(hours));
        self.engine.tick().await;
    }

    async fn erase(&self, dice: &mut StdRng) {
        let Some(post) = self.a_known_post(dice) else { return };
        match self.engine.erase(&author(post), Some(officer("cms"))).await {
            Ok(_) => self.hear(Told::Erased { post }),
            Err(nivaran::engine::EraseError::NotScrubbed { .. }) => self.hear(Told::Erased { post }),
            Err(_) => {}
        }
    }

    pub async fn copy(&self) {
        let name = format!("{}-{}", self.name, self.copies.fetch_add(1, Ordering::Relaxed));
        let entries = self.engine.position().0;
        // A store in memory, or one that fails, makes none.
        if self.engine.backup(self.folder.join(&name)).await.is_ok() {
            self.hear(Told::Copied { name, entries });
        }
    }

    /// Whatever can be read is read; what it says is for others to check.
    pub async fn read(&self, dice: &mut StdRng) {
        let Some((_, ticket)) = self.known_ticket(dice).await else { return };
        if let Ok(history) = self.engine.history(ticket.id()).await
            && history.len() < ticket.version().0 as usize
        {
            self.fault(format!("{} is at version {}, and its history is shorter", ticket.id(), ticket.version()));
        }
        drop(self.engine.case_file(ticket.id(), &officer("cms")).await);
        drop(self.engine.tickets(&TicketFilter::open().state(StateKind::Closed), Page::first(5)).await);
        let from = Position(self.engine.position().0.saturating_sub(3));
        let mut feed = pin!(self.engine.subscribe(from));
        if from != self.engine.position() {
            drop(feed.next().await);
        }
    }
}

/// The number of an imported ticket in the system used before.
pub fn old_number(number: u64) -> Reference {
    Reference::new(&format!("SMGT-{number}")).unwrap()
}

/// A clock that goes on where a journal ends.
pub fn clock_from(last: Option<Timestamp>) -> ManualClock {
    ManualClock::new(last.unwrap_or_default().max(at(0)))
}
