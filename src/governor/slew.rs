//! Caps and rates. Rates are per second of the tape's clock, not per frame: a dropped frame buys no jump.

use super::limits::Limits;
use crate::domain::{Command, Note, Notes};
use crate::units::{Signed, Span};

/// Holds |throttle| to `cap`.
pub(super) fn cap(wish: Command, cap: f32, notes: &mut Notes) -> Command {
    let throttle = wish.throttle.get();
    if throttle.abs() <= cap {
        return wish;
    }
    notes.add(Note::ThrottleCapped);
    Command { throttle: signed(throttle.clamp(-cap, cap)), ..wish }
}

/// Holds the change since `last` to the slew limits; towards neutral throttle is free.
pub(super) fn slew(
    last: Command,
    wish: Command,
    limits: &Limits,
    elapsed: Span,
    notes: &mut Notes,
) -> Command {
    let seconds = seconds(elapsed);
    let (from, to) = (last.throttle.get(), wish.throttle.get());
    // A change of direction starts from neutral: the way back to it is not limited.
    let base = if from * to < 0.0 { 0.0 } else { from };
    let mut throttle = to;
    if limits.throttle_slew_per_s > 0.0 && to.abs() > base.abs() {
        let step = limits.throttle_slew_per_s * seconds;
        throttle = to.clamp(base - step, base + step);
    }
    let mut steering = wish.steering.get();
    if limits.steering_slew_per_s > 0.0 {
        let step = limits.steering_slew_per_s * seconds;
        steering = steering.clamp(last.steering.get() - step, last.steering.get() + step);
    }
    if throttle.to_bits() != to.to_bits() {
        notes.add(Note::ThrottleSlewed);
    }
    if steering.to_bits() != wish.steering.get().to_bits() {
        notes.add(Note::SteeringSlewed);
    }
    Command { steering: signed(steering), throttle: signed(throttle) }
}

/// Seconds in single precision; spans above a second count as one, so a pause buys no jump either.
#[expect(clippy::cast_precision_loss, reason = "at most 1e9, and the same on every host")]
fn seconds(span: Span) -> f32 {
    span.0.min(1_000_000_000) as f32 / 1e9
}

fn signed(value: f32) -> Signed {
    Signed::clamped(value).unwrap_or(Signed::ZERO)
}
