//! What the behaviour tests share: a small government, a store and a drill that go wrong on demand, an executor of a
//! few lines, and the audit that every test ends with.
#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::future::Future;
use std::ops::Range;
use std::pin::Pin;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use nivaran::code::{DeskId, OfficerId};
use nivaran::engine::{ActorName, Drill, EngineBuilder, Health, Mishap, SeededSecrets, Step, SubmitError};
use nivaran::journal::{Entry, Position, Record, TicketEntry, fold};
use nivaran::personal::{KeyCheck, SaltedRecord, SourceKey};
use nivaran::store::{AppendError, Lifetime, StoreError};
use nivaran::ticket::{Refusal, StateKind, TicketEvent, Version};
use nivaran::{
    Act, ActError, Action, Author, CategoryTree, Channel, Complainant, Engine, Feedback, Grievance, InstallationKey,
    ManualClock, MemoryStore, Outcome, Page, PlaceTree, Receipt, RequestId, Roster, Rules, Source, Statement, Store,
    Ticket, TicketFilter, TicketId, Verdict,
};

/// How long anything in a test may take before it counts as never: a guard, not a measure.
pub const GUARD: Duration = Duration::from_secs(15);

// ---- a small government --------------------------------------------------------------------------------------------

pub const HISAR: &str = "district:hisar";
pub const ROHTAK: &str = "district:rohtak";
pub const PHE: &str = "department:phe";
pub const POWER: &str = "department:power";
pub const CONTROL: &str = "control";
pub const DESKS: [&str; 6] = [HISAR, ROHTAK, PHE, POWER, "department:audit", CONTROL];

const ROSTER: &str = r#"
time_zone = "UTC"
control = { name = "Secretariat", nodal = "cms", oversight = "audit" }
department = [
    { code = "phe", name = "Public Health Engineering", nodal = "phe-state" },
    { code = "power", name = "Power", nodal = "power-state" },
    { code = "audit", name = "Audit", nodal = "audit-head" },
]
district = [
    { code = "hisar", name = "Hisar", nodal = "cm-hisar" },
    { code = "rohtak", name = "Rohtak", nodal = "cm-rohtak" },
]
officer = [
    { id = "cms", name = "", desk = "control" },
    { id = "cms-triage", name = "", desk = "control" },
    { id = "phe-state", name = "", desk = "phe" },
    { id = "phe-se", name = "", desk = "phe" },
    { id = "power-state", name = "", desk = "power" },
    { id = "power-se", name = "", desk = "power" },
    { id = "audit-head", name = "", desk = "audit" },
    { id = "cm-hisar", name = "", desk = "hisar" },
    { id = "phe-hisar", name = "", desk = "hisar", department = "phe" },
    { id = "phe-je-hisar", name = "", desk = "hisar", department = "phe" },
    { id = "cm-rohtak", name = "", desk = "rohtak" },
    { id = "phe-rohtak", name = "", desk = "rohtak", department = "phe" },
]
"#;

const RULES: &str = "id,category,location,department,level,priority,deadline_hours
W-1,water,,phe,district,high,72
P-1,power,,power,state,urgent,24
ANY,,,control,,normal,24
";

pub fn roster() -> Roster {
    Roster::read(ROSTER).unwrap()
}

/// The same roster without the lines that contain `word`.
pub fn roster_without(word: &str) -> Roster {
    let lines: Vec<_> = ROSTER.lines().filter(|line| !line.contains(word)).collect();
    assert!(lines.len() < ROSTER.lines().count(), "no line of the roster has {word}");
    Roster::read(&lines.join("\n")).unwrap()
}

fn rules_of(csv: &str) -> Rules {
    let categories = ["water", "water/logging", "power", "cattle"].map(|path| path.parse().unwrap());
    let places = ["hisar", "hisar/hansi", "rohtak"].map(|path| path.parse().unwrap());
    Rules::read(CategoryTree::from_paths(categories), PlaceTree::from_paths(places), csv.as_bytes()).unwrap()
}

pub fn rules() -> Rules {
    rules_of(RULES)
}

/// Another table: power goes to the department of water.
pub fn other_rules() -> Rules {
    rules_of(&RULES.replace("P-1,power,,power", "P-2,power,,phe"))
}

pub fn desk(text: &str) -> DeskId {
    text.parse().unwrap()
}

pub fn officer(text: &str) -> OfficerId {
    text.parse().unwrap()
}

pub fn id(number: u64) -> TicketId {
    TicketId::from_number(number).unwrap()
}

/// 14 July 2022, 06:30 UTC, and so many hours.
pub fn at(hours: i64) -> Timestamp {
    "2022-07-14T06:30:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_hours(hours)
}

// ---- what citizens and officers say --------------------------------------------------------------------------------

pub fn source(post: u64) -> Source {
    Source::new(Channel::X, post.to_string()).unwrap()
}

/// Who wrote a post.
pub fn author(post: u64) -> Author {
    Author::new(Channel::X, &format!("citizen-{post}"))
}

fn post(post: u64, category: Option<&str>, place: Option<&str>) -> Grievance {
    let complainant = Complainant { handle: Some(format!("@citizen-{post}")), ..Complainant::default() };
    let mut builder = Grievance::builder(source(post), format!("This is post {post}")).complainant(complainant);
    if let Some(category) = category {
        builder = builder.category(category.parse().unwrap());
    }
    if let Some(place) = place {
        builder = builder.place(place.parse().unwrap());
    }
    builder.build().unwrap()
}

/// A grievance that goes to this desk.
pub fn grievance(number: u64, to: &str) -> Grievance {
    match to {
        HISAR => post(number, Some("water/logging"), Some("hisar/hansi")),
        ROHTAK => post(number, Some("water"), Some("rohtak")),
        PHE => post(number, Some("water"), None),
        POWER => post(number, Some("power"), Some("rohtak")),
        CONTROL => post(number, None, None),
        _ => panic!("no grievance goes to {to}"),
    }
}

/// The desks that [`grievance`] knows.
pub const BUSY: [&str; 5] = [HISAR, ROHTAK, PHE, POWER, CONTROL];

/// A grievance for one of the desks, turn about.
pub fn any_grievance(number: u64) -> Grievance {
    grievance(number, BUSY[(number % 5) as usize])
}

pub fn words(text: &str) -> Statement {
    Statement::new(text).unwrap()
}

pub fn request(number: u64) -> RequestId {
    RequestId(u128::from(number) + 1)
}

pub fn resolve(ticket: &Ticket) -> Act {
    let officer = ticket.holder().unwrap().officer.clone();
    Act::by_officer(ticket.id(), officer, Action::Resolve(Outcome::Fixed)).statement(words("Pumped dry."))
}

pub fn acknowledge(ticket: &Ticket) -> Act {
    Act::by_officer(ticket.id(), ticket.holder().unwrap().officer.clone(), Action::Acknowledge)
}

/// Forwards as the control desk, which may forward anything.
pub fn forward(ticket: TicketId, to: &str) -> Act {
    Act::by_officer(ticket, officer("cms"), Action::Forward(Some(desk(to)))).statement(words("Not theirs."))
}

pub fn withdraw(ticket: TicketId, post: u64) -> Act {
    Act::by_citizen(ticket, author(post), Action::Withdraw)
}

pub fn feedback(ticket: TicketId, post: u64, verdict: Verdict) -> Feedback {
    Feedback::new(ticket, author(post), verdict)
}

/// The ticket, which has to be there.
pub async fn ticket(engine: &Engine, id: TicketId) -> Ticket {
    engine.ticket(id).await.unwrap().unwrap_or_else(|| panic!("there is no ticket {id}"))
}

/// Submits a grievance for a desk and answers its ticket.
pub async fn submitted(engine: &Engine, post: u64, to: &str) -> Ticket {
    let receipt = engine.submit(grievance(post, to)).await.unwrap();
    ticket(engine, receipt.ticket).await
}

/// A resolved ticket on a desk.
pub async fn resolved(engine: &Engine, post: u64, to: &str) -> Ticket {
    let marked = submitted(engine, post, to).await;
    engine.act(resolve(&marked)).await.unwrap();
    ticket(engine, marked.id()).await
}

/// A ticket that its author withdrew.
pub async fn closed(engine: &Engine, post: u64, to: &str) -> Ticket {
    let marked = submitted(engine, post, to).await;
    engine.act(withdraw(marked.id(), post)).await.unwrap();
    ticket(engine, marked.id()).await
}

// ---- an engine -----------------------------------------------------------------------------------------------------

pub fn key() -> InstallationKey {
    InstallationKey::new(&[7; 32])
}

/// An engine of this government, with a clock that stands still, seeded secrets and the one installation key.
pub fn builder(store: impl Store, clock: &ManualClock) -> EngineBuilder {
    Engine::builder()
        .rules(rules())
        .roster(roster())
        .store(store)
        .clock(clock.clone())
        .secrets(SeededSecrets(1))
        .installation_key(key())
}

pub fn clock() -> ManualClock {
    ManualClock::new(at(0))
}

pub fn start(store: &MemoryStore) -> Engine {
    builder(store.clone(), &clock()).start().unwrap()
}

// ---- running tests -------------------------------------------------------------------------------------------------

/// Runs a test on a runtime with two threads and fails it if it does not come to an end.
pub fn within(test: impl Future<Output = ()> + Send + 'static) {
    guarded(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(test);
    });
}

/// Runs a test on a thread of its own and fails it if it does not come to an end.
pub fn guarded(test: impl FnOnce() + Send + 'static) {
    let (done, ended) = mpsc::channel::<()>();
    let thread = std::thread::spawn(move || {
        let _done = done;
        test();
    });
    if ended.recv_timeout(GUARD) == Err(RecvTimeoutError::Timeout) {
        panic!("the test did not come to an end within {GUARD:?}: something waits for good");
    }
    if let Err(payload) = thread.join() {
        std::panic::resume_unwind(payload);
    }
}

/// Waits until something holds that comes by itself; only for what no answer tells of.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < GUARD, "it never came about that {what}");
        std::thread::yield_now();
    }
}

struct Unpark(std::thread::Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// The smallest executor there is: no runtime of anybody's.
pub fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::park();
    }
}

/// Polls once, with nobody to wake. (Inside a task tokio would let only so many polls through.)
pub fn poll_once<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    let future = std::pin::pin!(tokio::task::unconstrained(future));
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// A call that was sent on its way, whose answer is waited for later.
pub type Begun<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Sends a call on its way.
pub fn begun<'a, T: Send + 'a>(call: impl Future<Output = T> + Send + 'a) -> Begun<'a, T> {
    let mut call: Begun<'a, T> = Box::pin(call);
    match poll_once(call.as_mut()) {
        Poll::Ready(answer) => Box::pin(std::future::ready(answer)),
        Poll::Pending => call,
    }
}

/// Whether a call is still without an answer.
pub fn waits<T>(call: &mut Begun<'_, T>) -> bool {
    poll_once(call.as_mut()).is_pending()
}

// ---- a store that goes wrong on demand -----------------------------------------------------------------------------

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Write,
    /// Refused: nothing is written.
    Refuse,
    /// The outcome is unknown, and nothing is written.
    UnknownAndGone,
    /// The outcome is unknown, and it is written.
    UnknownAndThere,
    PanicBefore,
    PanicAfter,
}

type Plan = Box<dyn FnMut(u64, &[Record]) -> Fate + Send>;

/// Directs a [`Staged`] store from outside.
#[derive(Clone)]
pub struct Director(Arc<Direction>);

struct Direction {
    scene: Mutex<Scene>,
    changed: Condvar,
}

struct Scene {
    shut: bool,
    passes: u64,
    waiting: Option<Arc<Vec<Record>>>,
    appends: u64,
    plan: Plan,
    failing_reopens: u32,
    failing_reserves: u32,
    panicking_reads: u32,
    strays: u64,
}

/// A [`MemoryStore`] whose batches wait when they are told to and go wrong as planned. It also holds the engine to the
/// trait: after an unknown outcome nothing may be asked of it before it was opened again.
pub struct Staged {
    inner: MemoryStore,
    director: Director,
    to_reopen: bool,
}

/// A store on `inner` that goes wrong as the director says.
pub fn staged(inner: &MemoryStore) -> (Staged, Director) {
    let scene = Scene {
        shut: false,
        passes: 0,
        waiting: None,
        appends: 0,
        plan: Box::new(|_, _| Fate::Write),
        failing_reopens: 0,
        failing_reserves: 0,
        panicking_reads: 0,
        strays: 0,
    };
    let director = Director(Arc::new(Direction { scene: Mutex::new(scene), changed: Condvar::new() }));
    (Staged { inner: inner.clone(), director: director.clone(), to_reopen: false }, director)
}

impl Director {
    fn scene(&self) -> MutexGuard<'_, Scene> {
        self.0.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Scene)) {
        change(&mut self.scene());
        self.0.changed.notify_all();
    }

    /// From now on batches wait.
    pub fn shut(&self) {
        self.change(|scene| scene.shut = true);
    }

    /// Lets everything through.
    pub fn open(&self) {
        self.change(|scene| {
            scene.shut = false;
            scene.waiting = None;
        });
    }

    /// Lets one batch through.
    pub fn let_one_through(&self) {
        self.change(|scene| {
            scene.passes += 1;
            scene.waiting = None;
        });
    }

    /// The batch that waits, as soon as one does.
    pub fn waiting_batch(&self) -> Arc<Vec<Record>> {
        let (scene, _) = self
            .0
            .changed
            .wait_timeout_while(self.scene(), GUARD, |scene| scene.waiting.is_none())
            .unwrap_or_else(PoisonError::into_inner);
        Arc::clone(scene.waiting.as_ref().expect("no batch came to the store"))
    }

    /// What becomes of the batches from now on; they are counted from 0 again.
    pub fn plan(&self, plan: impl FnMut(u64, &[Record]) -> Fate + Send + 'static) {
        self.change(|scene| {
            scene.appends = 0;
            scene.plan = Box::new(plan);
        });
    }

    /// The next batch meets this, those after it are written.
    pub fn next(&self, fate: Fate) {
        self.plan(move |n, _| if n == 0 { fate } else { Fate::Write });
    }

    pub fn fail_reopens(&self, times: u32) {
        self.change(|scene| scene.failing_reopens = times);
    }

    pub fn fail_reserves(&self, times: u32) {
        self.change(|scene| scene.failing_reserves = times);
    }

    pub fn panic_on_reads(&self, times: u32) {
        self.change(|scene| scene.panicking_reads = times);
    }

    /// Pretends that somebody else wrote so many entries.
    pub fn strays(&self, entries: u64) {
        self.change(|scene| scene.strays = entries);
    }
}

impl Staged {
    fn check(&self) -> Result<(), StoreError> {
        if self.to_reopen { Err(StoreError { reason: "it has to be opened again first".to_owned() }) } else { Ok(()) }
    }

    fn read_or_panic(&self) -> Result<(), StoreError> {
        let panics = {
            let mut scene = self.director.scene();
            let panics = scene.panicking_reads > 0;
            scene.panicking_reads = scene.panicking_reads.saturating_sub(1);
            panics
        };
        assert!(!panics, "the disk is on fire");
        self.check()
    }
}

impl Store for Staged {
    fn append(&mut self, batch: &Arc<Vec<Record>>) -> Result<Position, AppendError> {
        assert!(!batch.is_empty(), "an empty batch");
        if self.to_reopen {
            return Err(AppendError::Refused { reason: "appended before it was opened again".to_owned() });
        }
        let director = self.director.clone();
        let mut scene = director.scene();
        let mut waited = false;
        while scene.shut && scene.passes == 0 {
            if !waited {
                scene.waiting = Some(Arc::clone(batch));
                director.0.changed.notify_all();
                waited = true;
            }
            let (again, timeout) =
                director.0.changed.wait_timeout(scene, 2 * GUARD).unwrap_or_else(PoisonError::into_inner);
            scene = again;
            if timeout.timed_out() {
                return Err(AppendError::Refused { reason: "the test forgot to let it through".to_owned() });
            }
        }
        if scene.shut {
            scene.passes -= 1;
        }
        let n = scene.appends;
        scene.appends += 1;
        let fate = (scene.plan)(n, batch);
        drop(scene);
        let unknown = || AppendError::Unknown { reason: "input/output error".to_owned() };
        match fate {
            Fate::Write => self.inner.append(batch),
            Fate::Refuse => Err(AppendError::Refused { reason: "the disk is full".to_owned() }),
            Fate::UnknownAndGone => {
                self.to_reopen = true;
                Err(unknown())
            }
            Fate::UnknownAndThere => {
                self.inner.append(batch)?;
                self.to_reopen = true;
                Err(unknown())
            }
            Fate::PanicBefore => {
                self.to_reopen = true;
                panic!("a store that panics before it writes")
            }
            Fate::PanicAfter => {
                self.inner.append(batch)?;
                self.to_reopen = true;
                panic!("a store that panics after it wrote")
            }
        }
    }

    fn reopen(&mut self) -> Result<(), StoreError> {
        let mut scene = self.director.scene();
        if scene.failing_reopens > 0 {
            scene.failing_reopens -= 1;
            return Err(StoreError { reason: "no such device".to_owned() });
        }
        drop(scene);
        self.to_reopen = false;
        Ok(())
    }

    fn end(&mut self) -> Result<Position, StoreError> {
        self.check()?;
        let strays = self.director.scene().strays;
        Ok(self.inner.end()?.plus(strays))
    }

    fn read(&mut self, from: Position, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read_or_panic()?;
        self.inner.read(from, limit)
    }

    fn history(&mut self, ticket: TicketId) -> Result<Vec<Entry>, StoreError> {
        self.read_or_panic()?;
        self.inner.history(ticket)
    }

    fn personal(&mut self, ticket: TicketId) -> Result<Vec<(Version, SaltedRecord)>, StoreError> {
        self.check()?;
        self.inner.personal(ticket)
    }

    fn sources(&mut self, sources: &[SourceKey]) -> Result<Vec<Option<TicketId>>, StoreError> {
        self.check()?;
        self.inner.sources(sources)
    }

    fn requests(&mut self, requests: &[(TicketId, RequestId)]) -> Result<Vec<Option<Version>>, StoreError> {
        self.check()?;
        self.inner.requests(requests)
    }

    fn tickets(&mut self, after: Option<TicketId>, limit: usize) -> Result<Vec<TicketId>, StoreError> {
        self.check()?;
        self.inner.tickets(after, limit)
    }

    fn reserve(&mut self, count: u32) -> Result<Range<u64>, StoreError> {
        self.check()?;
        let mut scene = self.director.scene();
        if scene.failing_reserves > 0 {
            scene.failing_reserves -= 1;
            return Err(StoreError { reason: "the disk is full".to_owned() });
        }
        drop(scene);
        self.inner.reserve(count)
    }

    fn sources_after(&mut self, after: Option<SourceKey>, limit: usize) -> Result<Vec<SourceKey>, StoreError> {
        self.inner.sources_after(after, limit)
    }

    fn scrub(&mut self) -> Result<u64, StoreError> {
        self.inner.scrub()
    }

    fn first_key(&mut self, key: KeyCheck) -> Result<KeyCheck, StoreError> {
        self.inner.first_key(key)
    }

    fn lifetime(&self) -> Lifetime {
        self.inner.lifetime()
    }
}

// ---- a drill that is planned ---------------------------------------------------------------------------------------

/// A drill that follows a list of pranks; clones are the same list.
#[derive(Clone, Default)]
pub struct Pranks(Arc<Mutex<VecDeque<Prank>>>);

struct Prank {
    actor: ActorName,
    ticket: Option<TicketId>,
    skip: u64,
    left: u64,
    what: What,
}

enum What {
    Mishap(Mishap),
    Hold(Arc<Latch>),
}

/// Holds an actor's thread at a step until it is let go.
#[derive(Default)]
pub struct Latch {
    state: Mutex<(bool, bool)>,
    changed: Condvar,
}

impl Latch {
    fn hold(&self) {
        let mut state = self.state.lock().unwrap();
        state.0 = true;
        self.changed.notify_all();
        drop(self.changed.wait_timeout_while(state, 2 * GUARD, |(_, let_go)| !*let_go).unwrap());
    }

    /// Waits until the actor is held.
    pub fn held(&self) {
        let state = self.state.lock().unwrap();
        let (state, _) = self.changed.wait_timeout_while(state, GUARD, |(held, _)| !*held).unwrap();
        assert!(state.0, "the actor never came to that step");
    }

    pub fn let_go(&self) {
        self.state.lock().unwrap().1 = true;
        self.changed.notify_all();
    }
}

impl Pranks {
    fn add(&self, actor: ActorName, ticket: Option<TicketId>, skip: u64, times: u64, what: What) {
        self.0.lock().unwrap().push_back(Prank { actor, ticket, skip, left: times, what });
    }

    /// The actor panics at its next steps.
    pub fn panic(&self, actor: &ActorName, times: u64) {
        self.add(actor.clone(), None, 0, times, What::Mishap(Mishap::Panic));
    }

    /// The actor panics, after it took some steps in peace.
    pub fn panic_after(&self, actor: &ActorName, steps: u64, times: u64) {
        self.add(actor.clone(), None, steps, times, What::Mishap(Mishap::Panic));
    }

    /// The actor panics at its next steps on a ticket.
    pub fn panic_on(&self, actor: &ActorName, ticket: TicketId, times: u64) {
        self.add(actor.clone(), Some(ticket), 0, times, What::Mishap(Mishap::Panic));
    }

    /// The actor dies, after it took some steps in peace.
    pub fn death_after(&self, actor: &ActorName, steps: u64) {
        self.add(actor.clone(), None, steps, 1, What::Mishap(Mishap::Death));
    }

    /// The actor is held at its next step, before anything else that is planned for it, and all actors with it, since
    /// they share a thread; so whatever is asked meanwhile is there when it goes on.
    pub fn hold(&self, actor: &ActorName) -> Arc<Latch> {
        self.hold_after(actor, 0)
    }

    /// The same, after it took some steps in peace.
    pub fn hold_after(&self, actor: &ActorName, steps: u64) -> Arc<Latch> {
        let latch = Arc::new(Latch::default());
        let what = What::Hold(Arc::clone(&latch));
        let prank = Prank { actor: actor.clone(), ticket: None, skip: steps, left: 1, what };
        self.0.lock().unwrap().push_front(prank);
        latch
    }
}

impl Drill for Pranks {
    fn mishap(&self, step: &Step<'_>) -> Option<Mishap> {
        let latch = {
            let mut pranks = self.0.lock().unwrap();
            let meant = |prank: &&mut Prank| {
                prank.left > 0 && prank.actor == *step.actor && (prank.ticket.is_none() || prank.ticket == step.ticket)
            };
            let prank = pranks.iter_mut().find(meant)?;
            if prank.skip > 0 {
                prank.skip -= 1;
                return None;
            }
            prank.left -= 1;
            match &prank.what {
                What::Mishap(mishap) => return Some(*mishap),
                What::Hold(latch) => Arc::clone(latch),
            }
        };
        latch.hold();
        // What else is planned for this step follows.
        self.mishap(step)
    }
}

pub fn desk_actor(text: &str) -> ActorName {
    ActorName::Desk(desk(text))
}

pub fn panics(health: &Health, actor: &ActorName) -> u64 {
    health.panics.get(actor).copied().unwrap_or_default()
}

pub fn rebuilt(health: &Health, actor: &ActorName) -> u64 {
    health.rebuilt.get(actor).copied().unwrap_or_default()
}

// ---- the journal, and the audit ------------------------------------------------------------------------------------

/// All entries, in order.
pub fn journal(store: &MemoryStore) -> Vec<Entry> {
    store.clone().read(Position(0), usize::MAX).unwrap()
}

/// All entries as they are written.
pub fn written(store: &MemoryStore) -> Vec<String> {
    journal(store).iter().map(|entry| serde_json::to_string(entry).unwrap()).collect()
}

pub fn ticket_entries(store: &MemoryStore) -> Vec<TicketEntry> {
    let about = |entry| match entry {
        Entry::Ticket(entry) => Some(entry),
        _ => None,
    };
    journal(store).into_iter().filter_map(about).collect()
}

/// Every ticket as the journal has it.
pub fn folded(store: &MemoryStore) -> BTreeMap<TicketId, Ticket> {
    let mut histories: BTreeMap<TicketId, Vec<TicketEntry>> = BTreeMap::new();
    for entry in ticket_entries(store) {
        histories.entry(entry.ticket).or_default().push(entry);
    }
    histories.into_iter().map(|(id, entries)| (id, fold(&entries).unwrap().unwrap())).collect()
}

/// The ticket that came of a post, as the journal has it.
pub fn journaled(store: &MemoryStore, post: u64) -> Option<TicketId> {
    store.clone().sources(&[key().source(&source(post))]).unwrap()[0]
}

/// How often a post was received, as the journal has it.
pub fn times_received(store: &MemoryStore, post: u64) -> usize {
    let wanted = key().source(&source(post));
    let of_post = |entry: &&TicketEntry| matches!(entry.events.first(), Some(TicketEvent::Received { filing, .. }) if filing.source == wanted);
    ticket_entries(store).iter().filter(of_post).count()
}

/// Every open ticket of a listing, by pages.
pub async fn listed(engine: &Engine, filter: &TicketFilter) -> Vec<Ticket> {
    let mut all: Vec<Ticket> = Vec::new();
    loop {
        let page = Page { after: all.last().map(Ticket::id), limit: 100 };
        let tickets = engine.tickets(filter, page).await.unwrap();
        if tickets.is_empty() {
            return all;
        }
        all.extend(tickets);
    }
}

/// What holds whenever nothing is under way: the engine's memory is the journal's; no ticket, source or request is
/// there twice; every open ticket is at one desk, which knows it; time does not fall.
pub async fn audit(engine: &Engine, store: &MemoryStore) {
    // Answers come in the order of the door: what was asked before is written when this is answered.
    let nobody = id(99_999_999);
    assert_eq!(engine.act(forward(nobody, PHE)).await, Err(ActError::UnknownTicket { ticket: nobody }));
    let tickets = folded(store);
    let entries = ticket_entries(store);

    let mut sources = BTreeSet::new();
    let mut requests = BTreeSet::new();
    for entry in &entries {
        if let Some(TicketEvent::Received { filing, .. }) = entry.events.first() {
            assert!(sources.insert(filing.source), "the source of {} is there twice", entry.ticket);
        }
        if let Some(request) = entry.request {
            assert!(requests.insert((entry.ticket, request)), "a request of {} was carried out twice", entry.ticket);
        }
    }
    for pair in entries.windows(2) {
        assert!(pair[0].at <= pair[1].at, "time falls from {} to {}", pair[0].at, pair[1].at);
    }

    for (id, as_written) in &tickets {
        assert_eq!(&ticket(engine, *id).await, as_written, "the memory of {id} is not what the journal says");
    }

    let open: Vec<&Ticket> = tickets.values().filter(|ticket| ticket.state().kind().is_open()).collect();
    let mut by_desk: HashMap<DeskId, Vec<Ticket>> = HashMap::new();
    for ticket in &open {
        by_desk.entry(ticket.desk().unwrap().clone()).or_default().push(Ticket::clone(ticket));
    }
    let all: Vec<Ticket> = open.iter().copied().cloned().collect();
    assert_eq!(listed(engine, &TicketFilter::open()).await, all, "the open tickets");
    let health = engine.health();
    assert_eq!(health.open.values().sum::<u64>(), open.len() as u64, "the open tickets that health counts");
    for (desk, tickets) in &by_desk {
        assert_eq!(&listed(engine, &TicketFilter::open().desk(desk.clone())).await, tickets, "the tickets of {desk}");
        assert_eq!(health.open.get(desk), Some(&(tickets.len() as u64)), "the tickets of {desk} that health counts");
    }
    assert_eq!(health.position, Position(journal(store).len() as u64));

    for ticket in tickets.values() {
        at_its_desk(engine, ticket).await;
    }
}

/// The desk that a ticket is with knows it, at this version: it refuses an act for being late, which only it can.
pub async fn at_its_desk(engine: &Engine, ticket: &Ticket) {
    let never = Version(u32::MAX);
    let probe = Act::by_officer(ticket.id(), officer("cms"), Action::Acknowledge).expecting(never);
    let refusal = Refusal::Stale { expected: never, actual: ticket.version() };
    assert_eq!(
        engine.act(probe).await,
        Err(ActError::Refused(refusal)),
        "{} ({}, {:?})",
        ticket.id(),
        ticket.state().kind(),
        ticket.desk()
    );
}

/// Nothing is under way any more; the room comes back a moment after the answer.
pub fn all_room_is_back(engine: &Engine) {
    until("all room was given back", || engine.health().under_way == 0);
}

/// How many tickets are in a state.
pub fn in_state(store: &MemoryStore, state: StateKind) -> usize {
    folded(store).values().filter(|ticket| ticket.state().kind() == state).count()
}

/// The post that a refused submit gives back.
pub fn given_back(result: Result<Receipt, SubmitError>) -> Grievance {
    match result {
        Err(SubmitError::Overloaded(grievance) | SubmitError::Stopped(grievance)) => *grievance,
        other => panic!("it was not given back: {other:?}"),
    }
}
