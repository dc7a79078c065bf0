//! Three points per channel and a sign: what the factory measured, or what the owner found by hand.

use thiserror::Error;

use crate::units::{Pulse, Signed};

/// A channel of the PWM chip that moves the car.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Channel {
    /// Steering.
    Servo,
    /// The ESC.
    Motor,
}

impl Channel {
    /// The name in the stock calibration file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Servo => "Servo",
            Self::Motor => "Motor",
        }
    }
}

/// Pulse widths in nanoseconds at -1, 0 and +1 of the signed command, and the sign (car.md §1.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Points {
    /// At -1 after the sign.
    pub min: u32,
    /// At 0.
    pub mid: u32,
    /// At +1 after the sign.
    pub max: u32,
    /// +1, or -1 where the command is turned round first.
    pub polarity: i8,
}

/// Both channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calibration {
    /// Steering.
    pub servo: Points,
    /// The ESC.
    pub motor: Points,
}

/// A calibration that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CalibrationError {
    /// The three points do not rise or fall together.
    #[error(
        "{}: min {min}, mid {mid}, max {max} ns are not in order, wanted min < mid < max (or all falling)",
        channel.name()
    )]
    NotMonotone {
        /// Which channel.
        channel: Channel,
        /// As given.
        min: u32,
        /// As given.
        mid: u32,
        /// As given.
        max: u32,
    },
    /// A point that no hobby servo survives.
    #[error("{}: {key} is {saw} ns, wanted 1000000 to 2000000", channel.name())]
    OutOfRange {
        /// Which channel.
        channel: Channel,
        /// `min`, `mid` or `max`.
        key: &'static str,
        /// As given.
        saw: u32,
    },
    /// A sign that is none.
    #[error("{}: polarity is {saw}, wanted 1 or -1", channel.name())]
    Polarity {
        /// Which channel.
        channel: Channel,
        /// As given.
        saw: i8,
    },
}

impl Points {
    /// The pulse of a command, as `servo_mgr.cpp` computes it (car.md §1.3): the command times polarity,
    /// then `mid + a * (mid - min)` or `mid + a * (max - mid)`, in single precision, truncated to whole
    /// nanoseconds; then held within 1.0 to 2.0 ms.
    #[must_use]
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "the stock arithmetic: below 2^24 every integer is exact in f32, and int truncates"
    )]
    pub fn pulse(&self, command: Signed) -> Pulse {
        let a = command.get() * f32::from(self.polarity);
        let (min, mid, max) = (i64::from(self.min), i64::from(self.mid), i64::from(self.max));
        let width = if a < 0.0 {
            mid as f32 + a * (mid - min) as f32
        } else if a > 0.0 {
            mid as f32 + a * (max - mid) as f32
        } else {
            mid as f32
        };
        Pulse::clamped(width as i64)
    }

    fn checked(self, channel: Channel) -> Result<Self, CalibrationError> {
        let Self { min, mid, max, polarity } = self;
        for (key, saw) in [("min", min), ("mid", mid), ("max", max)] {
            if !(Pulse::MIN.ns()..=Pulse::MAX.ns()).contains(&saw) {
                return Err(CalibrationError::OutOfRange { channel, key, saw });
            }
        }
        if !((min < mid && mid < max) || (min > mid && mid > max)) {
            return Err(CalibrationError::NotMonotone { channel, min, mid, max });
        }
        if polarity != 1 && polarity != -1 {
            return Err(CalibrationError::Polarity { channel, saw: polarity });
        }
        Ok(self)
    }
}

impl Calibration {
    /// The factory's six numbers and two signs (car.md §1.2).
    #[must_use]
    pub const fn factory() -> Self {
        Self {
            servo: Points { min: 1_200_000, mid: 1_450_000, max: 1_700_000, polarity: 1 },
            motor: Points { min: 1_311_000, mid: 1_446_000, max: 1_603_500, polarity: -1 },
        }
    }

    /// The calibration, if it is one that may move a car.
    ///
    /// # Errors
    /// [`CalibrationError`]: points out of 1.0 to 2.0 ms or out of order, or a sign that is not 1 or -1.
    pub fn checked(self) -> Result<Self, CalibrationError> {
        Ok(Self { servo: self.servo.checked(Channel::Servo)?, motor: self.motor.checked(Channel::Motor)? })
    }
}
