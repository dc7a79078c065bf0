//! What a stick or a servo horn means: a share of the way to one side.

use std::fmt;

/// A number from -1 to 1. Steering: +1 is full left. Throttle: +1 is full forward. Never NaN.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Signed(f32);

impl Signed {
    /// Neither side.
    pub const ZERO: Self = Self(0.0);
    /// All the way to the positive side.
    pub const ONE: Self = Self(1.0);

    /// Limits `value` to -1..=1; `None` for NaN. The stock car drops what is outside instead and holds
    /// the last pulse (car.md §1.3, §10 row 9); a clamp steers as far as it can.
    #[must_use]
    pub fn clamped(value: f32) -> Option<Self> {
        if value.is_nan() { None } else { Some(Self(value.clamp(-1.0, 1.0))) }
    }

    /// The number itself, in -1..=1.
    #[must_use]
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl fmt::Display for Signed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+.4}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Signed;

    #[test]
    fn not_a_number_is_refused_and_the_rest_is_clamped() {
        assert!(Signed::clamped(f32::NAN).is_none());
        assert_eq!(Signed::clamped(f32::INFINITY), Some(Signed::ONE));
        assert_eq!(Signed::clamped(-3.0).map(Signed::get), Some(-1.0));
        assert_eq!(Signed::clamped(0.25).map(Signed::get), Some(0.25));
    }
}
