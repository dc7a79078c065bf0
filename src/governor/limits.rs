//! The governor's settings, checked when they are made so that no tick has to.

use thiserror::Error;

use crate::units::{OutOfRange, Span, bounded::within};

/// What the governor enforces. Public fields; [`Limits::checked`] is the only way to a valid set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Neutral is held this long after arming, for the ESC (0 to 10 s).
    pub arming: Span,
    /// A frame older than this is no evidence (20 ms to 1 s).
    pub stale_frame: Span,
    /// Without evidence for longer than this the stop is latched (0.1 to 60 s).
    pub latch: Span,
    /// Equal frames in a row that are taken for a frozen camera (2 to 100).
    pub frozen_frames: u32,
    /// Dark or washed-out frames in a row before the car coasts (1 to 100).
    pub dark_frames: u32,
    /// Unusable policy outputs in a row before the stop is latched (1 to 100).
    pub bad_policy_ticks: u32,
    /// A tick that takes longer is late (1 ms to 1 s).
    pub late_cycle: Span,
    /// Late ticks in a row before the car coasts (1 to 100).
    pub late_cycles: u32,
    /// Largest |throttle| that is permitted (0 to 1).
    pub throttle_cap: f32,
    /// Largest rise of |throttle| per second; 0 is no limit (0 to 1000). Falling is never limited.
    pub throttle_slew_per_s: f32,
    /// Largest change of steering per second; 0 is no limit (0 to 1000).
    pub steering_slew_per_s: f32,
    /// At this battery level or below, throttle is capped at half (0 to 11).
    pub battery_low: u8,
    /// At this battery level or below the stop is latched (0 to 11).
    pub battery_empty: u8,
    /// Whether dark and washed-out pictures count against the evidence.
    pub check_picture: bool,
}

/// A limit out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Error)]
#[error("{0}")]
pub struct LimitsError(#[from] pub OutOfRange);

impl Default for Limits {
    fn default() -> Self {
        Self {
            arming: Span::from_millis(500),
            stale_frame: Span::from_millis(150),
            latch: Span::from_millis(1000),
            frozen_frames: 3,
            dark_frames: 5,
            bad_policy_ticks: 3,
            late_cycle: Span::from_millis(100),
            late_cycles: 3,
            throttle_cap: 1.0,
            throttle_slew_per_s: 0.0,
            steering_slew_per_s: 0.0,
            battery_low: 2,
            battery_empty: 1,
            check_picture: true,
        }
    }
}

impl Limits {
    /// The limits, if every one is in the range that its field states.
    ///
    /// # Errors
    /// [`LimitsError`] naming the first limit out of range.
    pub fn checked(self) -> Result<Self, LimitsError> {
        within("arming_ms", self.arming.as_millis_f64(), 0.0, 10_000.0)?;
        within("stale_frame_ms", self.stale_frame.as_millis_f64(), 20.0, 1000.0)?;
        within("latch_ms", self.latch.as_millis_f64(), 100.0, 60_000.0)?;
        within("frozen_frames", f64::from(self.frozen_frames), 2.0, 100.0)?;
        within("dark_frames", f64::from(self.dark_frames), 1.0, 100.0)?;
        within("bad_policy_ticks", f64::from(self.bad_policy_ticks), 1.0, 100.0)?;
        within("late_cycle_ms", self.late_cycle.as_millis_f64(), 1.0, 1000.0)?;
        within("late_cycles", f64::from(self.late_cycles), 1.0, 100.0)?;
        within("throttle_cap", f64::from(self.throttle_cap), 0.0, 1.0)?;
        within("throttle_slew_per_s", f64::from(self.throttle_slew_per_s), 0.0, 1000.0)?;
        within("steering_slew_per_s", f64::from(self.steering_slew_per_s), 0.0, 1000.0)?;
        within("battery_low", f64::from(self.battery_low), 0.0, 11.0)?;
        within("battery_empty", f64::from(self.battery_empty), 0.0, 11.0)?;
        Ok(self)
    }

    /// The cap on |throttle| at a battery level; an unreadable battery warns elsewhere and limits nothing.
    pub(super) fn throttle_cap_at(&self, battery: Option<u8>) -> f32 {
        match battery {
            Some(level) if level <= self.battery_low => self.throttle_cap.min(0.5),
            _ => self.throttle_cap,
        }
    }
}
