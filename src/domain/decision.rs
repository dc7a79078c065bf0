//! All that a tick concluded: what is recorded and what a replay compares, bit for bit.

use super::action::Action;
use super::command::{Command, Pulses};
use super::digest::FrameDigest;
use super::notes::Notes;
use super::quality::Quality;
use super::scores::Scores;
use super::verdict::DriveState;

/// The chain of one tick, each stage's result.
#[derive(Clone, Copy, Debug)]
pub struct Decision {
    /// Of the frame's bytes; 0 without a frame.
    pub frame: FrameDigest,
    /// Of the prepared observation's values; 0 where none was prepared.
    pub observation: u64,
    /// The judgement on the picture.
    pub quality: Quality,
    /// The network's output.
    pub scores: Scores,
    /// The policy's wish, or `None` where there is none.
    pub action: Option<Action>,
    /// The wish as shares of lock and throttle, or `None`.
    pub wish: Option<Command>,
    /// What the governor permits.
    pub command: Command,
    /// The governor's state after this tick.
    pub state: DriveState,
    /// Events.
    pub notes: Notes,
    /// What the pins are told.
    pub pulses: Pulses,
}
