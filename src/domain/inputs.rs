//! Everything that a tick may know. It is frozen before the decision and written to tape as it is: the
//! recorded struct is the input struct.

use super::frame::FrameSeq;
use crate::units::{Instant, Span};

/// What the operator asks for in this tick.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ask {
    /// Nothing new.
    #[default]
    Nothing,
    /// To be allowed to drive.
    Arm,
    /// To stand still, without a fault.
    Disarm,
    /// To stop at once and stay stopped.
    Stop,
}

/// The operator's part of the inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperatorInput {
    /// Counts the operator's messages.
    pub seq: u64,
    /// What is asked.
    pub ask: Ask,
    /// The throttle scale, 0 to 100 %; the car's console starts at 50 (car.md §5).
    pub speed_percent: u8,
}

/// Number and time of the frame that this tick works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameStamp {
    /// The frame's number in its source.
    pub seq: FrameSeq,
    /// When it was captured.
    pub captured_at: Instant,
}

/// The board's readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// The drive battery's level, 0 to 11, or `None` where it cannot be read (car.md §7.1).
    pub battery: Option<u8>,
    /// Whether there is a camera at all.
    pub camera: CameraHealth,
}

/// Whether the camera can be waited for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CameraHealth {
    /// It streams, or nothing is known against it.
    #[default]
    Streaming,
    /// It failed or was unplugged, and is being looked for.
    Lost,
}

/// What became of the pulses of the tick before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Applied {
    /// There was no tick before.
    #[default]
    Nothing,
    /// They were written.
    Written,
    /// Writing failed.
    Failed,
    /// Neutral was written instead: whoever holds the pins did not let them through.
    Withheld,
}

/// How the tick before went: elapsed time is an input of the next tick, never of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Previous {
    /// From the moment its frame was there until its pulses were applied.
    pub elapsed: Span,
    /// Whether its pulses reached the pins.
    pub applied: Applied,
    /// Ticks that the tape could not take since the loop began.
    pub dropped: u32,
}

/// All that a tick may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs {
    /// The tick's number, from 0.
    pub seq: u64,
    /// The time of the tick.
    pub now: Instant,
    /// The frame, or `None` where none came in time.
    pub frame: Option<FrameStamp>,
    /// The operator.
    pub operator: OperatorInput,
    /// The board.
    pub health: Health,
    /// The tick before.
    pub previous: Previous,
}
