//! Chance that follows from a seed, so that the same seed gives the same year.

/// A small generator (SplitMix64). Each case and each day has its own, so that what happens to one depends on no other.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// The dice of one thing, of those that `seed` is for.
    pub fn new(seed: u64, of: u64) -> Self {
        Self(seed ^ of.wrapping_mul(0xd6e8_feb8_6659_fd93))
    }

    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// True in so many of a thousand cases.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.roll() % 1_000 < per_mille
    }

    /// A number from `low` up to and with `high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + (self.roll() % (high - low).max(0).unsigned_abs().saturating_add(1)) as i64
    }

    /// A factor whose median is 1, seldom below a fifth or above four: how long work takes.
    pub fn spread(&mut self) -> f64 {
        let share = (self.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        (share + 0.15) / (1.15 - share)
    }

    /// The place of one of `weights`, each as likely as it weighs.
    pub fn pick(&mut self, mut weights: impl Iterator<Item = u64> + Clone) -> usize {
        let mut rest = self.roll() % weights.clone().sum::<u64>().max(1);
        let is_here = |weight: u64| {
            let found = rest < weight;
            rest = rest.saturating_sub(weight);
            found
        };
        weights.position(is_here).unwrap_or(0)
    }
}
