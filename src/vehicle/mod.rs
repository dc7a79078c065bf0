//! Permission to pulse (L2): a command becomes two pulse widths, with the stock car's own arithmetic.
//! Pure; refuses calibrations that are not monotone, and clamps where the stock car drops.

pub mod calibrating;
pub mod calibration;

pub use calibration::{Calibration, CalibrationError, Channel, Points};

use crate::domain::{Command, Pulses};

impl Calibration {
    /// The pulses of a command; steering through the servo's points, throttle through the motor's.
    #[must_use]
    pub fn pulses(&self, command: Command) -> Pulses {
        Pulses { steering: self.servo.pulse(command.steering), throttle: self.motor.pulse(command.throttle) }
    }

    /// The pulses that stop the car and straighten it.
    #[must_use]
    pub fn neutral(&self) -> Pulses {
        self.pulses(Command::NEUTRAL)
    }
}
