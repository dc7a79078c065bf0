//! What is permitted, and what the pins do about it.

use super::inputs::FrameStamp;
use super::verdict::DriveState;
use crate::units::{Permille, Pulse, Signed};

/// A permitted command: shares of full lock and full throttle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Command {
    /// +1 is full left.
    pub steering: Signed,
    /// +1 is full forward.
    pub throttle: Signed,
}

impl Command {
    /// Straight ahead, motor off: the answer to every doubt.
    pub const NEUTRAL: Self = Self { steering: Signed::ZERO, throttle: Signed::ZERO };

    /// The command in whole thousandths: steering to the nearest, throttle to one that is no more than was permitted.
    #[must_use]
    pub fn in_permille(self) -> Self {
        Self {
            steering: Permille::nearest(self.steering).signed(),
            throttle: Permille::within(self.throttle).signed(),
        }
    }
}

/// What a tick asks of the pins, and upon what evidence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Order {
    /// In whole thousandths, as it goes over the wire.
    pub command: Command,
    /// What the command becomes.
    pub pulses: Pulses,
    /// Number and capture time of the last good frame; the command rests on it, or is neutral.
    pub evidence: Option<FrameStamp>,
    /// The governor's state behind it.
    pub state: DriveState,
}

/// The two pulse widths that a command becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    /// The servo's.
    pub steering: Pulse,
    /// The ESC's.
    pub throttle: Pulse,
}
