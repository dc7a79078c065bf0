//! What a screen has to show: everything, so that it decides nothing itself.

use super::found::Found;
use super::remark::Remark;
use super::step::Step;
use super::{End, Phase};
use crate::domain::Pulses;
use crate::vehicle::{Calibration, Channel, Points};

/// The whole state of a session, for people to see.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// Where the session is.
    pub phase: Phase,
    /// What was typed of `wheels up`.
    pub typed: String,
    /// What is being found.
    pub step: Step,
    /// What is put out.
    pub pulses: Pulses,
    /// The width that the step has come to, ns; the throttle has it only while it is not resting.
    pub aim: Option<u32>,
    /// Whether the motor rests beside its aim; a key brings it back.
    pub resting: bool,
    /// Quarters of the way to +1 in a sign step, 0 to 4.
    pub quarters: u8,
    /// The calibration in use.
    pub old: Calibration,
    /// Steering's new points so far.
    pub servo: Found,
    /// The motor's new points so far.
    pub motor: Found,
    /// The answer to the last key.
    pub remark: Option<Remark>,
    /// How many keys can be undone.
    pub undoable: usize,
}

impl View {
    /// A channel's old and new points.
    #[must_use]
    pub const fn channel(&self, channel: Channel) -> (Points, Found) {
        match channel {
            Channel::Servo => (self.old.servo, self.servo),
            Channel::Motor => (self.old.motor, self.motor),
        }
    }

    /// How it ended, if it did.
    #[must_use]
    pub const fn end(&self) -> Option<End> {
        match self.phase {
            Phase::Ended(end) => Some(end),
            _ => None,
        }
    }
}
