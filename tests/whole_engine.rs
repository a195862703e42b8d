//! The whole engine under random commands by random parties: whatever they ask, in whatever order.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use nivaran::engine::Mode;
use nivaran::ticket::{Grounds, Origin, ParkReason, Reference, RequestId, StatementNeed, Version};
use nivaran::{
    Act, ActError, Action, Author, Engine, Limits, ManualClock, MemoryStore, Outcome, PendingTicket, Policy, Receipt,
    Refusal, Standing, Ticket, TicketId, Verdict,
};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use support::*;

const OFFICERS: [&str; 13] = [
    "cms",
    "cms-triage",
    "phe-state",
    "phe-se",
    "power-state",
    "power-se",
    "audit-head",
    "cm-hisar",
    "phe-hisar",
    "phe-je-hisar",
    "cm-rohtak",
    "phe-rohtak",
    "nobody",
];

#[derive(Debug, Clone)]
enum Command {
    Submit(u64),
    SubmitMany(u64, u64),
    Import(u64),
    Act { ticket: u64, party: Party, action: usize, choice: usize, expecting: Option<u32>, request: Option<u64> },
    Feedback { ticket: u64, stranger: bool, satisfied: bool, request: Option<u64> },
    Time(i64),
    Rules(bool),
    Roster(usize),
    Restart,
}

#[derive(Debug, Clone, Copy)]
enum Party {
    /// Whoever holds the ticket.
    Holder,
    Author,
    Officer(usize),
    Stranger,
}

fn party() -> impl Strategy<Value = Party> {
    prop_oneof![
        4 => Just(Party::Holder),
        2 => Just(Party::Author),
        2 => Just(Party::Officer(0)),
        1 => (0..OFFICERS.len()).prop_map(Party::Officer),
        1 => Just(Party::Stranger),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    let request = || proptest::option::weighted(0.6, 0..3_u64);
    let expecting = proptest::option::weighted(0.1, 0..5_u32);
    let act = (0..10_u64, party(), 0..16_usize, 0..6_usize, expecting, request());
    prop_oneof![
        4 => (0..8_u64).prop_map(Command::Submit),
        1 => (0..8_u64, 1..5_u64).prop_map(|(from, count)| Command::SubmitMany(from, count)),
        1 => (0..4_u64).prop_map(Command::Import),
        20 => act.prop_map(|(ticket, party, action, choice, expecting, request)| {
            Command::Act { ticket, party, action, choice, expecting, request }
        }),
        6 => (0..10_u64, prop::bool::weighted(0.1), any::<bool>(), request()).prop_map(
            |(ticket, stranger, satisfied, request)| Command::Feedback { ticket, stranger, satisfied, request }
        ),
        4 => (-10..150_i64).prop_map(Command::Time),
        1 => any::<bool>().prop_map(Command::Rules),
        1 => (0..4_usize).prop_map(Command::Roster),
        1 => Just(Command::Restart),
    ]
}

fn action(which: usize, choice: usize, now: i64) -> Action {
    let until = at(now + 10 + 40 * choice as i64);
    match which {
        0 | 1 => Action::Resolve([Outcome::Fixed, Outcome::PartlyFixed][choice % 2].clone()),
        2 => Action::Acknowledge,
        3 => Action::Reject(Grounds::SubJudice),
        4 | 5 => Action::Forward(Some(desk(DESKS[choice]))),
        6 => Action::Forward(None),
        7 => Action::Return,
        8 => Action::ChangeCategory(["water", "power", "cattle"][choice % 3].parse().unwrap()),
        9 => Action::ChangePlace(["hisar", "rohtak", "hisar/hansi"][choice % 3].parse().unwrap()),
        10 => Action::AskCitizen { until },
        11 => Action::Park { until, why: ParkReason::WorkPlanned },
        12 => Action::CitizenAnswers,
        13 => Action::Withdraw,
        14 => Action::Assist(desk(DESKS[choice])),
        _ => Action::PartDone(1 + choice as u16 % 2),
    }
}

struct World {
    store: MemoryStore,
    clock: ManualClock,
    now: i64,
    other_rules: bool,
    roster: usize,
    engine: Engine,
    numbers: BTreeMap<u64, TicketId>,
    /// Requests that were carried out, and at which version.
    done: BTreeMap<(TicketId, RequestId), Version>,
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    (limits.closed_in_memory, limits.numbers_at_a_time, limits.dates_at_a_time, limits.batch) = (2, 3, 2, 3);
    limits
}

fn smaller(which: usize) -> nivaran::Roster {
    match which {
        0 => roster(),
        1 => roster_without("phe-je-hisar"),
        2 => roster_without("rohtak"),
        _ => roster_without("power-se"),
    }
}

impl World {
    fn new() -> Self {
        let (store, clock) = (MemoryStore::new(), clock());
        let engine = builder(store.clone(), &clock).limits(limits()).start().unwrap();
        let (numbers, done) = (BTreeMap::new(), BTreeMap::new());
        Self { store, clock, now: 0, other_rules: false, roster: 0, engine, numbers, done }
    }

    fn number_is_for_good(&mut self, post: u64, receipt: Receipt) {
        let known = self.numbers.insert(post, receipt.ticket);
        assert_eq!(known.is_some(), receipt.standing == Standing::AlreadyDone, "post {post}");
        assert!(known.is_none_or(|known| known == receipt.ticket), "post {post} has another number now");
    }

    async fn one(&self, number: u64) -> Option<Ticket> {
        // Numbers are set aside by threes, so some are never given out.
        self.engine.ticket(id(number + 1)).await.unwrap()
    }

    /// Whoever wrote the post that a ticket came of.
    fn author(&self, ticket: &Ticket) -> Author {
        let first = match *ticket.origin() {
            Origin::FollowUp(first) => first,
            _ => ticket.id(),
        };
        let post = self.numbers.iter().find(|(_, number)| **number == first).map_or(0, |(post, _)| *post);
        author(post)
    }

    /// An answer is right: something happened once, or nothing.
    async fn check(&mut self, before: &Ticket, request: Option<RequestId>, answer: Result<Receipt, ActError>) {
        let after = ticket(&self.engine, before.id()).await;
        match answer {
            Ok(receipt) if receipt.ticket != before.id() => {
                let follow_up = ticket(&self.engine, receipt.ticket).await;
                assert_eq!(follow_up.origin(), &Origin::FollowUp(before.id()));
                assert_eq!(&after, before);
            }
            Ok(Receipt { standing: Standing::Done, version, .. }) => {
                assert_eq!((version, after.version()), (before.version().next(), before.version().next()));
                if let Some(request) = request {
                    assert_eq!(self.done.insert((before.id(), request), version), None, "it was carried out twice");
                }
            }
            Ok(Receipt { standing: Standing::AlreadyDone, version, .. }) => {
                assert_eq!(&after, before);
                assert_eq!(request.and_then(|request| self.done.get(&(before.id(), request))), Some(&version));
            }
            Err(error) => {
                assert_eq!(&after, before, "{error}");
                let known = request.and_then(|request| self.done.get(&(before.id(), request)));
                // The same id for another act, or by another, is neither done nor taken for done.
                let used = matches!(error, ActError::Refused(Refusal::RequestUsed { .. }));
                assert_eq!(known.is_some(), used, "what was carried out before is told so, not refused: {error}");
                assert!(!matches!(error, ActError::Failed(_) | ActError::Stopped), "{error}");
            }
        }
    }

    async fn carry_out(&mut self, command: Command) {
        match command {
            Command::Submit(post) => {
                let receipt = self.engine.submit(any_grievance(post)).await.unwrap();
                self.number_is_for_good(post, receipt);
            }
            Command::SubmitMany(from, count) => {
                let posts = from..from + count;
                let many = self.engine.submit_all(stream::iter(posts.clone()).map(any_grievance));
                for (post, receipt) in posts.zip(many.collect::<Vec<_>>().await) {
                    self.number_is_for_good(post, receipt.unwrap());
                }
            }
            Command::Import(number) => {
                let old_number = Reference::new(&format!("SMGT-{number}")).unwrap();
                let (received_at, grievance) = (at(-300), any_grievance(500 + number));
                let pending = PendingTicket { old_number, received_at, grievance };
                let receipt = self.engine.import(vec![pending]).await.remove(0).unwrap();
                self.number_is_for_good(500 + number, receipt);
            }
            Command::Act { ticket, party, action: which, choice, expecting, request: number } => {
                let Some(before) = self.one(ticket).await else { return };
                let action = action(which, choice, self.now);
                let need = action.statement_need();
                let by_officer = |who| Act::by_officer(before.id(), who, action.clone());
                let mut act = match party {
                    Party::Holder => by_officer(before.holder().unwrap().officer.clone()),
                    Party::Officer(n) => by_officer(officer(OFFICERS[n])),
                    Party::Author => Act::by_citizen(before.id(), self.author(&before), action),
                    Party::Stranger => Act::by_citizen(before.id(), author(99), action),
                };
                if need != StatementNeed::None {
                    act = act.statement(words("As was said."));
                }
                if let Some(version) = expecting {
                    act = act.expecting(Version(version));
                }
                let request = number.map(request);
                if let Some(request) = request {
                    act = act.request(request);
                }
                let answer = self.engine.act(act).await;
                self.check(&before, request, answer).await;
            }
            Command::Feedback { ticket, stranger, satisfied, request: number } => {
                let Some(before) = self.one(ticket).await else { return };
                let who = if stranger { author(99) } else { self.author(&before) };
                let verdict = if satisfied { Verdict::Satisfied } else { Verdict::NotSatisfied };
                let mut feedback = nivaran::Feedback::new(before.id(), who, verdict);
                let request = number.map(request);
                if let Some(request) = request {
                    feedback = feedback.request(request);
                }
                let answer = self.engine.feedback(feedback).await;
                self.check(&before, request, answer).await;
            }
            Command::Time(hours) => {
                self.now += hours;
                self.clock.set(at(self.now));
                self.engine.tick().await;
                let late = |ticket: &&Ticket| ticket.state().next_date().is_some_and(|date| date <= at(self.now));
                assert_eq!(folded(&self.store).values().find(late), None, "its date has come and nothing happened");
            }
            Command::Rules(other) => {
                self.other_rules = other;
                let rules = if other { other_rules() } else { rules() };
                self.engine.reload_rules(rules, None).await.unwrap();
            }
            Command::Roster(which) => {
                self.roster = which;
                self.engine.reload_roster(smaller(which), Some(officer("cms"))).await.unwrap();
                for ticket in folded(&self.store).values().filter(|ticket| ticket.state().kind().is_open()) {
                    let holder = ticket.holder().unwrap();
                    let there = self.engine.roster().officer(&holder.officer).map(|officer| officer.desk().clone());
                    assert_eq!(there.as_ref(), Some(&holder.desk), "{} is held by nobody", ticket.id());
                }
            }
            Command::Restart => {
                let before = folded(&self.store);
                self.engine.shutdown().await;
                let rules = if self.other_rules { other_rules() } else { rules() };
                let builder = builder(self.store.clone(), &self.clock).rules(rules).roster(smaller(self.roster));
                self.engine = builder.limits(limits()).start().unwrap();
                for (id, ticket) in before {
                    assert_eq!(self.engine.ticket(id).await.unwrap(), Some(ticket));
                }
                audit(&self.engine, &self.store).await;
            }
        }
    }

    async fn run(mut self, commands: Vec<Command>) {
        for command in commands {
            self.carry_out(command).await;
        }
        assert_eq!(self.engine.health().mode, Mode::Serving);
        audit(&self.engine, &self.store).await;
        for (post, number) in self.numbers.clone().into_iter().filter(|(post, _)| *post < 500) {
            assert_eq!(self.engine.ticket_of(&source(post)).await.unwrap().map(|ticket| ticket.id()), Some(number));
        }
        self.carry_out(Command::Restart).await;
        // No open ticket is ever without a date.
        for ticket in folded(&self.store).values() {
            assert_eq!(ticket.state().next_date().is_some(), ticket.state().kind().is_open());
            assert!(ticket.transfers() <= Policy::default().most_transfers);
        }
    }
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, rng_seed: RngSeed::Fixed(2022), ..Config::default() })]

    #[test]
    fn every_grievance_is_at_one_desk_or_closed_and_the_journal_tells_it_all(
        commands in proptest::collection::vec(command(), 1..70)
    ) {
        guarded(move || block_on(World::new().run(commands)));
    }
}
