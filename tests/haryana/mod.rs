//! Two worlds for the tests: Haryana as the example has it, and a small one of two districts and three departments.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on fails")]

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use nivaran::engine::SeededSecrets;
use nivaran::journal::{Entry, TicketEntry};
use nivaran::personal::Personal;
use nivaran::ticket::{Holder, State, StateKind, StatementNeed, TicketEvent};
use nivaran::{
    Act, ActError, Action, Author, CategoryTree, Channel, Complainant, DeskId, Engine, EngineBuilder, Feedback,
};
use nivaran::{Grievance, ManualClock, MemoryStore, OfficerId, PlaceTree, Policy, Position, Receipt, Roster, Rules};
use nivaran::{Source, Statement, Store, Ticket, TicketId, Verdict};

/// The account that complains unless a test says otherwise.
pub const ASHA: &str = "@asha_hisar";

/// Control desk, three departments, two districts. In Hisar two officers of the water department are equals.
pub const ROSTER: &str = r#"time_zone = "Asia/Kolkata"
control = { name = "Secretariat", nodal = "cms", oversight = "vigilance" }
department = [
    { code = "phe", name = "Public Health Engineering", nodal = "phe-state" },
    { code = "power", name = "Power", nodal = "power-state" },
    { code = "vigilance", name = "Vigilance", nodal = "vigilance-state" },
]
district = [
    { code = "hisar", name = "Hisar", nodal = "hisar-ctm" },
    { code = "rohtak", name = "Rohtak", nodal = "rohtak-ctm" },
]
officer = [
    { id = "cms", name = "State Nodal Officer", desk = "control" },
    { id = "cms-triage", name = "Superintendent (Triage)", desk = "control" },
    { id = "phe-state", name = "Engineer-in-Chief", desk = "phe" },
    { id = "phe-se", name = "Superintending Engineer", desk = "phe" },
    { id = "power-state", name = "Chief Engineer", desk = "power" },
    { id = "vigilance-state", name = "Director, Vigilance", desk = "vigilance" },
    { id = "hisar-ctm", name = "City Magistrate, Hisar", desk = "hisar" },
    { id = "phe-hisar", name = "Executive Engineer, Hisar", desk = "hisar", department = "phe" },
    { id = "phe-hisar-sdo", name = "Sub-Divisional Engineer, Hisar", desk = "hisar", department = "phe" },
    { id = "power-hisar", name = "Executive Engineer (Operation), Hisar", desk = "hisar", department = "power" },
    { id = "rohtak-ctm", name = "City Magistrate, Rohtak", desk = "rohtak" },
    { id = "phe-rohtak", name = "Executive Engineer, Rohtak", desk = "rohtak", department = "phe" },
    { id = "power-rohtak", name = "Executive Engineer (Operation), Rohtak", desk = "rohtak", department = "power" },
]
"#;

/// `cattle` has no row; nobody of vigilance sits in a district.
pub const RULES: &str = "id,category,location,department,level,priority,deadline_hours,note
W-1,water,,phe,district,high,72,
W-2,water/sewer,,phe,state,normal,48,
P-1,power,,power,district,urgent,24,
V-1,bribe,,vigilance,district,normal,48,
ELSE,,,control,,normal,24,everything else
";

/// The taxonomy of the small world.
pub const CATEGORIES: &str = "category,name
water,Water
water/logging,Water logging
water/sewer,Sewers
power,Electricity
power/outage,Power cut
bribe,Bribe
cattle,Stray cattle
";

/// Its gazetteer. Hansi is on the map before it is a district with a desk.
pub const PLACES: &str = "place,name
hisar,Hisar
hisar/barwala,Barwala
hansi,Hansi
rohtak,Rohtak
rohtak/meham,Meham
";

/// The roster with days of leave for an officer.
pub fn with_leave(roster: &str, officer: &str, from: &str, to: &str) -> String {
    edited(roster, officer, &format!("leave = [{{ from = {from}, to = {to} }}]"))
}

/// The roster with a deputy for an officer.
pub fn with_deputy(roster: &str, officer: &str, deputy: &str) -> String {
    edited(roster, officer, &format!("deputy = \"{deputy}\""))
}

fn edited(roster: &str, officer: &str, more: &str) -> String {
    let id = format!("{{ id = \"{officer}\",");
    assert!(roster.contains(&id), "{officer} is on the roster");
    roster.replace(&id, &format!("{id} {more},"))
}

/// The roster without the lines that have `word`.
pub fn without(roster: &str, word: &str) -> String {
    assert!(roster.contains(word), "{word} is on the roster");
    roster.lines().filter(|line| !line.contains(word)).collect::<Vec<_>>().join("\n")
}

/// The roster with Hansi as a district of its own, with one officer for water.
pub fn with_hansi(roster: &str) -> String {
    let officers = r#"officer = [
    { id = "hansi-ctm", name = "City Magistrate, Hansi", desk = "hansi" },
    { id = "phe-hansi", name = "Executive Engineer, Hansi", desk = "hansi", department = "phe" },"#;
    let district = r#"district = [
    { code = "hansi", name = "Hansi", nodal = "hansi-ctm" },"#;
    roster.replace("district = [", district).replace("officer = [", officers)
}

/// The rules of the small world from other rows.
pub fn rules(csv: &str) -> Rules {
    let categories = CategoryTree::read(CATEGORIES.as_bytes()).unwrap();
    let places = PlaceTree::read(PLACES.as_bytes()).unwrap();
    Rules::read(categories, places, csv.as_bytes()).unwrap()
}

/// A roster from its text.
pub fn roster(text: &str) -> Roster {
    Roster::read(text).unwrap()
}

/// Haryana's example, read once.
static HARYANA: LazyLock<(Rules, Roster)> = LazyLock::new(|| {
    let categories = CategoryTree::read(include_bytes!("../../examples/haryana/categories.csv")).unwrap();
    let places = PlaceTree::read(include_bytes!("../../examples/haryana/places.csv")).unwrap();
    let rules = Rules::read(categories, places, include_bytes!("../../examples/haryana/rules.csv")).unwrap();
    (rules, Roster::read(include_str!("../../examples/haryana/roster.toml")).unwrap())
});

/// The day on which every world begins, a Thursday morning in July.
pub fn start() -> Timestamp {
    "2022-07-14T09:00:00+05:30".parse().unwrap()
}

/// An engine with a clock that stands until it is set, and a journal that can be looked into.
pub struct World {
    pub engine: Engine,
    pub clock: ManualClock,
    pub store: MemoryStore,
    posts: AtomicU64,
}

impl World {
    /// Haryana as the example has it.
    pub fn haryana() -> Self {
        Self::haryana_from(start())
    }

    /// The same from another day on.
    pub fn haryana_from(begins: Timestamp) -> Self {
        let (rules, roster) = HARYANA.clone();
        Self::from(begins, rules, roster, |builder| builder)
    }

    /// The small world.
    pub fn small() -> Self {
        Self::with_policy(Policy::default())
    }

    /// The small world with another policy.
    pub fn with_policy(policy: Policy) -> Self {
        Self::of(rules(RULES), roster(ROSTER), |builder| builder.policy(policy))
    }

    /// The small world with another roster.
    pub fn with_roster(text: &str) -> Self {
        Self::of(rules(RULES), roster(text), |builder| builder)
    }

    /// Any world.
    pub fn of(rules: Rules, roster: Roster, more: impl FnOnce(EngineBuilder) -> EngineBuilder) -> Self {
        Self::from(start(), rules, roster, more)
    }

    fn from(
        begins: Timestamp,
        rules: Rules,
        roster: Roster,
        more: impl FnOnce(EngineBuilder) -> EngineBuilder,
    ) -> Self {
        let (clock, store) = (ManualClock::new(begins), MemoryStore::new());
        let builder = Engine::builder().rules(rules).roster(roster).store(store.clone()).clock(clock.clone());
        let engine = more(builder.secrets(SeededSecrets(7))).start().unwrap();
        // So that what it begins with stands in the journal already, whatever a test does to the clock.
        let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        std::thread::scope(|scope| scope.spawn(|| runtime().block_on(engine.tick())).join().unwrap());
        Self { engine, clock, store, posts: AtomicU64::new(0) }
    }

    /// Another post's source.
    pub fn source(&self) -> Source {
        let number = self.posts.fetch_add(1, Ordering::Relaxed);
        Source::new(Channel::X, format!("{}", 1_547_830_000 + number)).unwrap()
    }

    /// A grievance of Asha's about `category` in `place`; `""` leaves one out.
    pub fn grievance(&self, category: &str, place: &str) -> nivaran::grievance::GrievanceBuilder {
        let complainant = Complainant { handle: Some(ASHA.to_owned()), ..Complainant::default() };
        let mut builder = Grievance::builder(self.source(), "Nobody has come since Monday").complainant(complainant);
        if !category.is_empty() {
            builder = builder.category(category.parse().unwrap());
        }
        if !place.is_empty() {
            builder = builder.place(place.parse().unwrap());
        }
        builder
    }

    /// Submits it; the ticket's number.
    pub async fn submit(&self, category: &str, place: &str) -> TicketId {
        self.file(self.grievance(category, place)).await
    }

    /// Submits what a test put together.
    pub async fn file(&self, grievance: nivaran::grievance::GrievanceBuilder) -> TicketId {
        self.engine.submit(grievance.build().unwrap()).await.unwrap().ticket
    }

    /// An officer's act, with a statement where one has to be.
    pub async fn try_act(&self, ticket: TicketId, officer: &str, action: Action) -> Result<Receipt, ActError> {
        self.engine.act(by(ticket, officer, action)).await
    }

    /// The same where it is expected to succeed.
    pub async fn act(&self, ticket: TicketId, officer: &str, action: Action) -> Receipt {
        let what = format!("{officer} {action:?}");
        self.try_act(ticket, officer, action).await.unwrap_or_else(|error| panic!("{what}: {error}"))
    }

    /// The act of whoever holds the ticket.
    pub async fn holder_acts(&self, ticket: TicketId, action: Action) -> Receipt {
        let officer = self.holder(ticket).await.officer;
        self.act(ticket, officer.as_str(), action).await
    }

    /// Asha's feedback.
    pub async fn feedback(&self, ticket: TicketId, verdict: Verdict) -> Result<Receipt, ActError> {
        self.engine.feedback(Feedback::new(ticket, asha(), verdict)).await
    }

    /// The ticket as it is on record.
    pub async fn ticket(&self, ticket: TicketId) -> Ticket {
        self.engine.ticket(ticket).await.unwrap().expect("there is such a ticket")
    }

    /// Who has it.
    pub async fn holder(&self, ticket: TicketId) -> Holder {
        self.ticket(ticket).await.holder().cloned().expect("a ticket has a holder")
    }

    /// Who has it, as `officer at desk`.
    pub async fn with(&self, ticket: TicketId) -> String {
        let holder = self.holder(ticket).await;
        format!("{} at {}", holder.officer, holder.desk)
    }

    /// Its state.
    pub async fn state(&self, ticket: TicketId) -> StateKind {
        self.ticket(ticket).await.state().kind()
    }

    /// Its next date.
    pub async fn due(&self, ticket: TicketId) -> Option<Timestamp> {
        self.ticket(ticket).await.state().next_date()
    }

    /// Its history.
    pub async fn history(&self, ticket: TicketId) -> Vec<TicketEntry> {
        self.engine.history(ticket).await.unwrap()
    }

    /// All its events.
    pub async fn events(&self, ticket: TicketId) -> Vec<TicketEvent> {
        self.history(ticket).await.into_iter().flat_map(|entry| entry.events).collect()
    }

    /// The events of its latest entry.
    pub async fn latest(&self, ticket: TicketId) -> Vec<TicketEvent> {
        self.history(ticket).await.pop().map(|entry| entry.events).unwrap_or_default()
    }

    /// Everyone to whom it was ever given, in order.
    pub async fn holders(&self, ticket: TicketId) -> Vec<Holder> {
        let given = |event| match event {
            TicketEvent::Marked { holder, .. } | TicketEvent::HandedOver { holder, .. } => Some(holder),
            _ => None,
        };
        self.events(ticket).await.into_iter().filter_map(given).collect()
    }

    /// The statements and grievances that an officer reads in the case file.
    pub async fn reads(&self, ticket: TicketId, officer: &str) -> Vec<String> {
        let file = self.engine.case_file(ticket, &self::officer(officer)).await.unwrap();
        let text = |(_, record)| match record {
            Personal::Grievance(grievance) => grievance.text,
            Personal::Statement(statement) => statement.text().to_owned(),
        };
        file.records.into_iter().map(text).collect()
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        use nivaran::engine::Clock;
        self.clock.now()
    }

    /// So many hours pass, and with them the dates that come.
    pub async fn hours_pass(&self, hours: i64) {
        self.clock.set(self.now() + SignedDuration::from_hours(hours));
        self.engine.tick().await;
    }

    /// It gets to be `time`.
    pub async fn it_gets(&self, time: Timestamp) {
        self.clock.set(time);
        self.engine.tick().await;
    }

    /// The ticket's next date comes, and the clock stands on it.
    pub async fn date_comes(&self, ticket: TicketId) {
        let due = self.due(ticket).await.expect("an open ticket has a date");
        self.it_gets(due).await;
    }

    /// The whole journal.
    pub fn journal(&self) -> Vec<Entry> {
        let mut store = self.store.clone();
        let end = store.end().unwrap();
        store.read(Position::default(), usize::try_from(end.0).unwrap()).unwrap()
    }

    /// Where the journal ends.
    pub fn end(&self) -> Position {
        self.store.clone().end().unwrap()
    }
}

/// An officer's act, with a statement where one has to be.
pub fn by(ticket: TicketId, officer: &str, action: Action) -> Act {
    let needs = action.statement_need() == StatementNeed::Required;
    let act = Act::by_officer(ticket, self::officer(officer), action);
    if needs { act.statement(said("As the file shows")) } else { act }
}

/// A statement.
pub fn said(text: &str) -> Statement {
    Statement::new(text).unwrap()
}

/// The person who complains.
pub fn asha() -> Author {
    Author::new(Channel::X, ASHA)
}

/// An officer's id.
pub fn officer(id: &str) -> OfficerId {
    id.parse().unwrap()
}

/// A desk's id.
pub fn desk(id: &str) -> DeskId {
    id.parse().unwrap()
}

/// So many hours after the start.
pub fn at(hours: i64) -> Timestamp {
    start() + SignedDuration::from_hours(hours)
}

/// Whether a state is closed for good.
pub fn is_closed_for_good(ticket: &Ticket) -> bool {
    matches!(ticket.state(), State::Closed { reopen_until: None, .. })
}
