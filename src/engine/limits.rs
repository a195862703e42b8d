//! The bounds within which the engine works: nothing grows without one.

use crate::engine::error::StartError;

/// The engine's bounds, each with its unit and default. Each may be 1 to 16,777,216.
///
/// ```
/// let mut limits = nivaran::Limits::default();
/// limits.share_of_a_desk = 1_024;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// How many submits, acts and feedbacks may be under way at once, from the door to the journal. Default: 32,768.
    pub under_way: usize,
    /// How many of them may be for one desk, so that a flooded desk does not hold the others up. Default: 8,192.
    pub share_of_a_desk: usize,
    /// How many entries are written in one batch at most. A batch never waits to grow: it is what came while the one
    /// before was written, so that there is no wait to be set. Default: 4,096.
    pub batch: usize,
    /// How many closed tickets stay in the lookup tables. Default: 65,536.
    pub closed_in_memory: usize,
    /// How many batches a subscriber may be behind before it is told that it lags. Default: 1,024.
    pub subscriber_backlog: usize,
    /// How many passed dates a desk hands over at a time, so that submits go on meanwhile. Default: 256.
    pub dates_at_a_time: usize,
    /// How many running numbers are set aside at a time; after a restart the rest of a block is not used.
    /// Default: 10,000.
    pub numbers_at_a_time: u32,
    /// For how many posts the filter that knows "never seen" is made; beyond it the store is asked more often.
    /// Default: 4,000,000 (about 8 MB).
    pub remembered_sources: usize,
    /// After how many entries it is kept ready for the next start how the tickets stand; so many a start has to read at
    /// most after a crash. Default: 2,048.
    pub keep_every: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            under_way: 32_768,
            share_of_a_desk: 8_192,
            batch: 4_096,
            closed_in_memory: 65_536,
            subscriber_backlog: 1_024,
            dates_at_a_time: 256,
            numbers_at_a_time: 10_000,
            remembered_sources: 4_000_000,
            keep_every: 2_048,
        }
    }
}

impl Limits {
    pub(crate) fn check(&self) -> Result<(), StartError> {
        const MOST: usize = 1 << 24;
        let limits = [
            ("under_way", self.under_way),
            ("share_of_a_desk", self.share_of_a_desk),
            ("batch", self.batch),
            ("closed_in_memory", self.closed_in_memory),
            ("subscriber_backlog", self.subscriber_backlog),
            ("dates_at_a_time", self.dates_at_a_time),
            ("numbers_at_a_time", self.numbers_at_a_time as usize),
            ("remembered_sources", self.remembered_sources),
            ("keep_every", self.keep_every),
        ];
        match limits.into_iter().find(|(_, given)| !(1..=MOST).contains(given)) {
            Some((limit, given)) => Err(StartError::Limit { limit, given, possible: "1 to 16,777,216" }),
            None => Ok(()),
        }
    }
}
