//! Starting an engine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::thread::JoinHandle;

use actix::prelude::*;
use tokio::sync::{Semaphore, broadcast, oneshot, watch};

use crate::engine::Engine;
use crate::engine::clock::{Clock, SystemClock};
use crate::engine::dispatcher::{Arrivals, Dispatcher};
use crate::engine::door::Door;
use crate::engine::drill::Drill;
use crate::engine::error::StartError;
use crate::engine::health::HealthNotes;
use crate::engine::limits::Limits;
use crate::engine::lookup::Lookup;
use crate::engine::satisfaction::Satisfaction;
use crate::engine::secret::{SecretSource, SystemSecrets};
use crate::engine::seen::Seen;
use crate::engine::shared::Shared;
use crate::engine::world::World;
use crate::engine::writer::{Writer, Written};
use crate::journal::{Bearings, Position};
use crate::personal::InstallationKey;
use crate::roster::Roster;
use crate::rules::Rules;
use crate::store::{Lifetime, MemoryStore, Store, StoreError};
use crate::ticket::Policy;

/// Puts an engine together; see [`Engine::builder`].
#[must_use]
pub struct EngineBuilder {
    rules: Option<Rules>,
    roster: Option<Roster>,
    store: Option<Box<dyn Store>>,
    policy: Policy,
    limits: Limits,
    clock: Arc<dyn Clock>,
    secrets: Arc<dyn SecretSource>,
    key: Option<InstallationKey>,
    drill: Option<Arc<dyn Drill>>,
}

impl EngineBuilder {
    pub(crate) fn new() -> Self {
        Self {
            rules: None,
            roster: None,
            store: None,
            policy: Policy::default(),
            limits: Limits::default(),
            clock: Arc::new(SystemClock),
            secrets: Arc::new(SystemSecrets),
            key: None,
            drill: None,
        }
    }

    /// The rules table. It has to be given.
    pub fn rules(mut self, rules: Rules) -> Self {
        self.rules = Some(rules);
        self
    }

    /// The roster. It has to be given.
    pub fn roster(mut self, roster: Roster) -> Self {
        self.roster = Some(roster);
        self
    }

    /// Where the journal is kept. Default: a [`MemoryStore`] of its own.
    pub fn store(mut self, store: impl Store) -> Self {
        self.store = Some(Box::new(store));
        self
    }

    /// The rules of the house. Default: [`Policy::default`].
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// The bounds. Default: [`Limits::default`].
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The time. Default: the system's clock.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where salts come from. Default: the operating system's randomness.
    pub fn secrets(mut self, secrets: impl SecretSource) -> Self {
        self.secrets = Arc::new(secrets);
        self
    }

    /// The installation's key, the same each time the journal is opened. A store that outlives the process demands one;
    /// for others the default is one from the secrets.
    pub fn installation_key(mut self, key: InstallationKey) -> Self {
        self.key = Some(key);
        self
    }

    /// Makes things go wrong on purpose; see [`Drill`].
    pub fn drill(mut self, drill: impl Drill) -> Self {
        self.drill = Some(Arc::new(drill));
        self
    }

    /// Reads the journal, starts the actors on threads of their own and answers when they are ready. It blocks while
    /// the journal is read; any thread may call it, inside a runtime or not.
    ///
    /// # Errors
    /// [`StartError`] when something is missing, rules and roster do not fit together, or the journal cannot be read.
    pub fn start(self) -> Result<Engine, StartError> {
        let rules = self.rules.ok_or(StartError::Missing { what: "a rules table" })?;
        let roster = self.roster.ok_or(StartError::Missing { what: "a roster" })?;
        self.limits.check()?;
        let world = World::new(Arc::new(rules), Arc::new(roster), &self.limits)?;
        let mut store = self.store.unwrap_or_else(|| Box::new(MemoryStore::new()));
        let key = match (self.key, store.lifetime()) {
            (Some(key), _) => key,
            (None, Lifetime::Process) => self.secrets.key(),
            (None, Lifetime::Durable) => return Err(StartError::Missing { what: "the installation's key" }),
        };
        let asked = catch_unwind(AssertUnwindSafe(|| {
            if store.first_key(key.check())? != key.check() {
                return Err(StartError::AnotherKey);
            }
            Ok(store.standing()?)
        }));
        let standing = asked.unwrap_or_else(|_| Err(StoreError { reason: "it panicked".to_owned() }.into()))?;
        let (end, bearings) = (standing.end, standing.bearings.clone());
        let lookup = Lookup::new(standing);

        let shared = Arc::new(Shared {
            lookup,
            seen: Seen::new(self.limits.remembered_sources),
            clock: self.clock,
            key,
            policy: Arc::new(self.policy),
            limits: self.limits,
            health: HealthNotes::default(),
            drill: self.drill,
            position: AtomicU64::new(end.0),
            stopping: AtomicBool::new(false),
        });
        let (publish, watched) = watch::channel(world.clone());
        let (subscribers, _) = broadcast::channel(self.limits.subscriber_backlog);

        let feed = subscribers.downgrade();
        let start = Start { store, end, bearings, world, publish, subscribers };
        let (dispatcher, writer, thread) = start.actors(Arc::clone(&shared))?;
        let door = Arc::new(Door {
            room: Arc::new(Semaphore::new(shared.limits.under_way)),
            shared,
            dispatcher,
            world: watched,
            secrets: self.secrets,
        });
        Ok(Engine::new(door, writer, feed, thread))
    }
}

/// What the actors are started with.
struct Start {
    store: Box<dyn Store>,
    end: Position,
    bearings: Bearings,
    world: World,
    publish: watch::Sender<World>,
    subscribers: broadcast::Sender<Written>,
}

type Started = (Addr<Dispatcher>, Addr<Writer>, JoinHandle<()>);

impl Start {
    /// Starts the actors: all but the writer on one thread, the writer with the store on another.
    fn actors(self, shared: Arc<Shared>) -> Result<Started, StartError> {
        let (ready, started) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("nivaran-actors".to_owned()).spawn(move || {
            let system = System::new();
            system.block_on(async move {
                // Runtime and arbiters live as long as the system; the journal's arbiter is a thread of its own.
                let journal = Arbiter::new();
                let Self { store, end, bearings, world, publish, subscribers } = self;
                let (end_of_dispatcher, ended) = oneshot::channel();
                let mut writer = None;
                let dispatcher = Dispatcher::create(|ctx| {
                    let (for_writer, address) = (Arc::clone(&shared), ctx.address());
                    let started = Writer::start_in_arbiter(&journal.handle(), move |_| {
                        Writer::new(store, end, for_writer, address, subscribers)
                    });
                    let writer = writer.insert(started).clone();
                    let satisfaction = Satisfaction::new(Arc::clone(&shared), ctx.address()).start();
                    Dispatcher::new(shared, world, publish, writer, satisfaction, bearings, end_of_dispatcher)
                });
                // An answer to a message means that the actor has started and noted what is in force.
                let started = dispatcher.send(Arrivals(Vec::new())).await;
                if let (Ok(()), Some(writer)) = (started, writer) {
                    // The one who waits is there until it has heard.
                    drop(ready.send((dispatcher.clone(), writer)));
                }
                // It hears of the end when the dispatcher is gone, in whatever way.
                drop(dispatcher);
                drop(ended.await);
                journal.stop();
                drop(journal.join());
            });
        });
        let thread = thread.map_err(|error| StartError::Thread { reason: error.to_string() })?;
        match started.recv() {
            Ok((dispatcher, writer)) => Ok((dispatcher, writer, thread)),
            Err(_) => Err(StartError::Thread { reason: "the actors' thread ended before it began".to_owned() }),
        }
    }
}
