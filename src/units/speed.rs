//! Speed as the action space states it.

use std::fmt;

/// A speed in metres per second, as written in a model's action space; always finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct MetresPerSecond(f64);

impl MetresPerSecond {
    /// Standing still.
    pub const ZERO: Self = Self(0.0);

    /// A speed, or `None` where `value` is not finite.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// Metres per second.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for MetresPerSecond {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} m/s", self.0)
    }
}
