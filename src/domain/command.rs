//! What is permitted, and what the pins do about it.

use crate::units::{Pulse, Signed};

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
}

/// The two pulse widths that a command becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pulses {
    /// The servo's.
    pub steering: Pulse,
    /// The ESC's.
    pub throttle: Pulse,
}
