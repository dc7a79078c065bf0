//! The governor's answer: what may be done, in which state, and why.

use std::fmt;

use super::command::Command;
use super::notes::Notes;
use crate::units::Instant;

/// Why the car stopped for good, until an operator arms again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The operator said so.
    Operator,
    /// No usable evidence for longer than the latch limit.
    FrameLost,
    /// The camera repeated one picture for longer than the latch limit.
    FrameFrozen,
    /// The policy gave no usable answer three times in a row.
    PolicyFailed,
    /// The pins did not take a write.
    ActuatorsFailed,
    /// The drive battery is empty.
    BatteryEmpty,
}

impl StopReason {
    /// All of them, in the order of their codes on tape.
    pub const ALL: [Self; 6] = [
        Self::Operator,
        Self::FrameLost,
        Self::FrameFrozen,
        Self::PolicyFailed,
        Self::ActuatorsFailed,
        Self::BatteryEmpty,
    ];
}

/// Where the governor stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DriveState {
    /// Neutral; waiting for an operator.
    Disarmed,
    /// Armed and neutral: holding the ESC's neutral until the arming time is over.
    Arming {
        /// When the operator armed.
        since: Instant,
    },
    /// The policy drives.
    Driving,
    /// Armed, but neutral for want of evidence; drives on by itself when it is good again.
    Coasting {
        /// When the evidence failed.
        since: Instant,
    },
    /// Neutral and latched.
    Stopped {
        /// The first reason.
        why: StopReason,
    },
}

impl DriveState {
    /// The word for reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Disarmed => "disarmed",
            Self::Arming { .. } => "arming",
            Self::Driving => "driving",
            Self::Coasting { .. } => "coasting",
            Self::Stopped { .. } => "stopped",
        }
    }
}

impl fmt::Display for DriveState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arming { since } | Self::Coasting { since } => {
                write!(f, "{} since {} ns", self.word(), since.0)
            }
            Self::Stopped { why } => write!(f, "{} ({why:?})", self.word()),
            Self::Disarmed | Self::Driving => f.write_str(self.word()),
        }
    }
}

/// One tick's permission.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Verdict {
    /// What the pins may do.
    pub command: Command,
    /// The state after this tick.
    pub state: DriveState,
    /// What there is to say about it.
    pub notes: Notes,
}
