//! Frames a second, for recordings without times.

use std::fmt;

use super::error::ImportError;
use crate::units::Instant;

/// A frame rate, above 0 and at most 1000 Hz.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate(f64);

impl Rate {
    /// The DeepRacer's camera: 30 Hz (car.md §2.1).
    pub const CAMERA: Self = Self(30.0);
    /// donkeycar's loop: 20 Hz unless its configuration says otherwise.
    pub const DONKEYCAR: Self = Self(20.0);

    /// A rate in Hz.
    ///
    /// # Errors
    /// [`ImportError::Rate`] where it is not above 0 and at most 1000.
    pub fn new(hertz: f64) -> Result<Self, ImportError> {
        if hertz > 0.0 && hertz <= 1000.0 { Ok(Self(hertz)) } else { Err(ImportError::Rate { saw: hertz }) }
    }

    /// The time of the frame at that position, the first at 0; to the nearest nanosecond.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions are far below 2^53 and the result is positive; `as` saturates"
    )]
    pub fn time(self, position: usize) -> Instant {
        Instant((position as f64 * 1e9 / self.0).round() as u64)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} Hz", self.0)
    }
}
