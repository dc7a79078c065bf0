//! Angles. The policy's files and the car's law are in degrees throughout, so degrees are what is stored:
//! a detour through radians would change bits.

use std::fmt;

/// An angle in degrees; positive is to the left (car.md §1.4). Always finite.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Degrees(f64);

impl Degrees {
    /// Straight ahead.
    pub const ZERO: Self = Self(0.0);

    /// An angle, or `None` where `value` is not finite.
    #[must_use]
    pub fn new(value: f64) -> Option<Self> {
        value.is_finite().then_some(Self(value))
    }

    /// The number of degrees.
    #[must_use]
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Degrees {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.1}°", self.0)
    }
}
