//! What every actor of one engine shares: tables, clock, policy, bounds, notes.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::clock::Clock;
use crate::engine::drill::{Drill, Mishap, Step};
use crate::engine::error::{ActError, Failure};
use crate::engine::health::{ActorName, HealthNotes};
use crate::engine::limits::Limits;
use crate::engine::lookup::Lookup;
use crate::engine::seen::Seen;
use crate::personal::InstallationKey;
use crate::ticket::{Policy, TicketId};

/// Shared by the handle and all actors.
pub(crate) struct Shared {
    pub(crate) lookup: Lookup,
    pub(crate) seen: Seen,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) key: InstallationKey,
    pub(crate) policy: Arc<Policy>,
    pub(crate) limits: Limits,
    pub(crate) health: HealthNotes,
    pub(crate) drill: Option<Arc<dyn Drill>>,
    /// Where the next entry will stand.
    pub(crate) position: AtomicU64,
    pub(crate) stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// What a caller is told: who was overtaken by the shutdown hears of that, and not of a fault.
    pub(crate) fn told(&self, error: ActError) -> ActError {
        match error {
            ActError::Failed(Failure::Internal) if self.is_stopping() => ActError::Failed(Failure::Stopped),
            error => error,
        }
    }

    pub(crate) fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
    }

    /// The time in whole milliseconds, since it is written down often; `None` from a clock that panicked.
    pub(crate) fn now(&self) -> Option<Timestamp> {
        let now = self.guarded(&ActorName::Dispatcher, || self.clock.now())?;
        Some(Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now))
    }

    /// How long to wait until `date` by the clock.
    pub(crate) fn wait(&self, date: Timestamp) -> Option<Duration> {
        self.guarded(&ActorName::Dispatcher, || self.clock.wait(date)).flatten()
    }

    /// Does something that may panic; `None` and a note if it did.
    pub(crate) fn guarded<T>(&self, actor: &ActorName, work: impl FnOnce() -> T) -> Option<T> {
        match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => Some(done),
            Err(payload) => {
                self.health.panicked(actor, None, payload.as_ref());
                None
            }
        }
    }

    /// Asks the drill, if there is one; whether the actor is to die.
    ///
    /// # Panics
    /// When the drill says so.
    #[expect(clippy::panic, reason = "the point of a drill")]
    pub(crate) fn mishap(&self, actor: &ActorName, ticket: Option<TicketId>) -> bool {
        match self.drill.as_ref().and_then(|drill| drill.mishap(&Step { actor, ticket })) {
            None => false,
            Some(Mishap::Panic) => panic!("a drill"),
            Some(Mishap::Death) => true,
        }
    }
}
