//! A share of the way to one side in whole thousandths: what goes over the wire to the pins. It cannot express NaN.

use std::fmt;

use super::signed::Signed;

/// -1000 to 1000. One step is at most 0.25 µs of a servo pulse; the car's PWM chip resolves 4.88 µs (car.md §1.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Permille(i16);

impl Permille {
    /// Neither side.
    pub const ZERO: Self = Self(0);
    /// All the way to the positive side.
    pub const FULL: Self = Self(1000);

    /// The number, if it is one of -1000..=1000.
    #[must_use]
    pub const fn new(value: i16) -> Option<Self> {
        if value < -1000 || value > 1000 { None } else { Some(Self(value)) }
    }

    /// The nearest thousandth.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a Signed times 1000 is within -1000..=1000")]
    pub fn nearest(share: Signed) -> Self {
        Self((share.get() * 1000.0).round() as i16)
    }

    /// The nearest thousandth that is not further from zero than `share`: a cap stays a cap.
    #[must_use]
    pub fn within(share: Signed) -> Self {
        let near = Self::nearest(share);
        if near.signed().get().abs() > share.get().abs() { Self(near.0 - near.0.signum()) } else { near }
    }

    /// The share, `n / 1000` in single precision.
    #[must_use]
    pub fn signed(self) -> Signed {
        Signed::clamped(f32::from(self.0) / 1000.0).unwrap_or(Signed::ZERO)
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i16 {
        self.0
    }

    /// The same side, at most `cap` away from zero; a negative cap counts as zero.
    #[must_use]
    pub const fn capped(self, cap: Self) -> Self {
        let most = if cap.0 < 0 { 0 } else { cap.0 };
        if self.0 > most {
            Self(most)
        } else if self.0 < -most {
            Self(-most)
        } else {
            self
        }
    }
}

impl fmt::Display for Permille {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:+}‰", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Permille;
    use crate::units::Signed;

    fn share(value: f32) -> Signed {
        Signed::clamped(value).expect("a number")
    }

    #[test]
    fn every_thousandth_comes_back_as_itself() {
        for value in -1000..=1000 {
            let step = Permille::new(value).expect("in range");
            assert_eq!((Permille::nearest(step.signed()), Permille::within(step.signed())), (step, step));
        }
        assert_eq!((Permille::new(1001), Permille::new(-1001), Permille::new(i16::MIN)), (None, None, None));
    }

    #[test]
    fn within_never_lies_further_out() {
        for step in 0..10_000_i16 {
            let value = share(f32::from(step) / 9_999.0);
            let near = Permille::within(value);
            assert!(near.signed().get() <= value.get(), "{value} became {near}");
            assert!(value.get() - near.signed().get() < 0.001_001, "{value} became {near}");
        }
    }

    #[test]
    fn a_cap_holds_both_sides() {
        let all = [(700, 300, 300), (-700, 300, -300), (200, 300, 200), (-200, -5, 0)];
        for (value, cap, wanted) in all {
            let (value, cap) = (Permille::new(value).expect("fits"), Permille::new(cap).expect("fits"));
            assert_eq!(value.capped(cap).get(), wanted);
        }
    }
}
