//! The posts that were ever seen, as a small filter: it says "never" for certain, or "perhaps".
//!
//! A start does not wait for it: until the journal's writer has filled it from the store, which it does beside its
//! work, every post may have been seen, and the store is asked.

use std::sync::atomic::{AtomicBool, Ordering};

use fastbloom::AtomicBloomFilter;
use foldhash::fast::FixedState;

use crate::personal::SourceKey;

/// How many bits a post gets; with four probes the full filter is wrong once in 400 times.
const BITS_A_SOURCE: usize = 16;
const PROBES: u32 = 4;

/// The filter, and whether it knows all that the store does.
#[derive(Debug)]
pub(crate) struct Seen {
    filter: AtomicBloomFilter<FixedState>,
    complete: AtomicBool,
}

impl Seen {
    pub(crate) fn new(expected: usize) -> Self {
        // The posts are HMACs already: a quick hash of them does.
        let filter = AtomicBloomFilter::with_num_bits(BITS_A_SOURCE * expected).hasher(FixedState::default());
        Self { filter: filter.hashes(PROBES), complete: AtomicBool::new(false) }
    }

    /// Whether a post may have been seen.
    pub(crate) fn perhaps(&self, source: &SourceKey) -> bool {
        !self.complete.load(Ordering::Acquire) || self.filter.contains(source.as_bytes())
    }

    pub(crate) fn note(&self, source: &SourceKey) {
        self.filter.insert(source.as_bytes());
    }

    /// It knows all that the store does.
    pub(crate) fn complete(&self) {
        self.complete.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_it_is_complete_everything_may_have_been_seen() {
        let seen = Seen::new(1_000);
        let (one, other) = (SourceKey([1; 16]), SourceKey([2; 16]));
        seen.note(&one);
        assert!(seen.perhaps(&one) && seen.perhaps(&other));
        seen.complete();
        assert!(seen.perhaps(&one) && !seen.perhaps(&other));
    }
}
