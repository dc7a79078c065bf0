//! The high time of one servo or ESC pulse.

use std::fmt;

/// High time in nanoseconds, always 1.0 to 2.0 ms: what a hobby servo survives, whatever a
/// calibration file says (car.md §10 row 9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pulse(u32);

impl Pulse {
    /// The shortest pulse that is ever written.
    pub const MIN: Self = Self(1_000_000);
    /// The longest pulse that is ever written.
    pub const MAX: Self = Self(2_000_000);

    /// Limits a width in nanoseconds to 1.0..=2.0 ms.
    #[must_use]
    pub fn clamped(ns: i64) -> Self {
        let bounded = ns.clamp(i64::from(Self::MIN.0), i64::from(Self::MAX.0));
        u32::try_from(bounded).map_or(Self::MIN, Self)
    }

    /// Nanoseconds.
    #[must_use]
    pub const fn ns(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Pulse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ns", self.0)
    }
}
