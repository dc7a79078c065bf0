//! Numbers from a seed, the same on every host: splitmix64 (Steele, Lea and Flood, 2014).

use hairpin::units::Span;

/// A stream of numbers.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) const fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `0..n`.
    pub(crate) const fn below(&mut self, n: u64) -> u64 {
        ((self.roll() as u128 * n as u128) >> 64) as u64
    }

    pub(crate) const fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `least..=most` microseconds.
    pub(crate) const fn micros(&mut self, least: u64, most: u64) -> Span {
        Span((least + self.below(most - least + 1)) * 1000)
    }

    /// One of `least..=most` milliseconds, in microseconds.
    pub(crate) const fn millis(&mut self, least: u64, most: u64) -> Span {
        self.micros(least * 1000, most * 1000)
    }

    /// 0 to 1.
    pub(crate) fn share(&mut self) -> f32 {
        self.below(1 << 24) as f32 / (1 << 24) as f32
    }
}
