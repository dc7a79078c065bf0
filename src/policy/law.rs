//! Action to wish: degrees and metres per second become shares of lock and throttle, with the stock
//! navigation's arithmetic in double precision and its rounding to single at the end (car.md §5).

use crate::domain::{Action, ActionSpace, Command};
use crate::units::Signed;

/// A wish, and whether it had to be clamped.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wished {
    /// Within -1..=1 on both channels.
    pub command: Command,
    /// Whether the steering lay outside, as in a lopsided continuous space (throttle is clamped before, by the stock
    /// law); the stock servo drops such a command and holds the last pulse.
    pub clamped: bool,
}

/// The scales of one action space, computed once.
#[derive(Clone, Copy, Debug)]
pub struct Law {
    steering_scale: f64,
    a: f64,
    b: f64,
}

impl Law {
    /// The law of an action space: throttle is `a v² + b v` through (0, 0), (vmax/2, 0.8), (vmax, 1.0).
    #[must_use]
    pub fn new(space: &ActionSpace) -> Self {
        let vmax = space.speed_scale();
        let (full, half) = (1.0_f64, 0.8_f64);
        // Without a positive speed nothing can be scaled; the wish is then throttle 0, not a division by zero.
        let (a, b) = if vmax > 0.0 {
            ((1.0 / (vmax * vmax)) * (2.0 * full - 4.0 * half), (1.0 / vmax) * (4.0 * half - full))
        } else {
            (0.0, 0.0)
        };
        Self { steering_scale: space.steering_scale(), a, b }
    }

    /// The wish for an action at a throttle scale of `speed_percent` (0 to 100, more counts as 100).
    #[must_use]
    pub fn wish(&self, action: Action, speed_percent: u8) -> Wished {
        let steering =
            if self.steering_scale > 0.0 { action.steering.get() / self.steering_scale } else { 0.0 };
        let v = action.speed.get();
        let mapped = (self.a * (v * v) + self.b * v).clamp(-1.0, 1.0);
        let throttle = throttle_scale(speed_percent) * mapped;
        let (steering, steering_clamped) = single(steering);
        let (throttle, throttle_clamped) = single(throttle);
        Wished { command: Command { steering, throttle }, clamped: steering_clamped || throttle_clamped }
    }
}

/// Percent to share. The stock web server divides by 100 and sends the result as a 32-bit float, which is
/// what the navigation multiplies by.
#[expect(clippy::cast_possible_truncation, reason = "the stock message field is a float32")]
fn throttle_scale(percent: u8) -> f64 {
    f64::from((f64::from(percent.min(100)) / 100.0) as f32)
}

#[expect(clippy::cast_possible_truncation, reason = "the stock message field is a float32")]
fn single(value: f64) -> (Signed, bool) {
    let narrow = value as f32;
    let signed = Signed::clamped(narrow).unwrap_or(Signed::ZERO);
    (signed, signed.get().to_bits() != narrow.to_bits())
}
