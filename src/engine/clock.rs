//! The engine's time: the system's, or one that is set by hand.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Tells the engine the time. The engine never lets its own time fall, whatever the clock does.
pub trait Clock: Send + Sync + 'static {
    /// The time.
    fn now(&self) -> Timestamp;

    /// How long to wait, in real time, until it is `date`; `None` for a clock that does not run by itself, so that
    /// dates pass only on [`Engine::tick`](crate::Engine::tick).
    fn wait(&self, date: Timestamp) -> Option<Duration>;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn wait(&self, date: Timestamp) -> Option<Duration> {
        Some(Duration::try_from(date.duration_since(Timestamp::now())).unwrap_or_default())
    }
}

/// A clock that stands until it is set: for tests, and for running months in seconds. Clones are the same clock.
///
/// Set back, it makes the engine's time stand, since that never falls. After it is set, [`Engine::tick`](crate::Engine::tick) lets the dates pass that have come.
#[derive(Debug, Clone)]
pub struct ManualClock(Arc<Mutex<Timestamp>>);

impl ManualClock {
    /// A clock that stands at `start`.
    #[must_use]
    pub fn new(start: Timestamp) -> Self {
        Self(Arc::new(Mutex::new(start)))
    }

    /// Sets it.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, _: Timestamp) -> Option<Duration> {
        None
    }
}
