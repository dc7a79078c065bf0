//! What a tick wants to be remembered for: a set of typed events in one word. No strings in the loop.

use std::fmt;

/// One event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Note {
    /// No frame came in time.
    FrameMissing,
    /// The frame was older than the limit.
    FrameStale,
    /// The frame's capture time did not advance.
    FrameReversed,
    /// The same bytes as the frame before.
    FrameFrozen,
    /// The picture is dark.
    PictureDark,
    /// The picture is washed out.
    PictureBright,
    /// The picture does not decode.
    PictureTorn,
    /// The policy refused to answer.
    PolicyFailed,
    /// The policy's output is not finite.
    ScoresNotFinite,
    /// The wish lay outside -1..=1 and was clamped.
    WishClamped,
    /// Throttle held down by the cap.
    ThrottleCapped,
    /// Throttle change held down by the slew limit.
    ThrottleSlewed,
    /// Steering change held down by the slew limit.
    SteeringSlewed,
    /// The tick before took longer than its limit.
    CycleLate,
    /// The pulses of the tick before did not reach the pins.
    ActuatorsFailed,
    /// The drive battery is low.
    BatteryLow,
    /// The operator armed.
    Armed,
    /// The operator disarmed.
    Disarmed,
    /// The state became `Stopped` in this tick.
    Latched,
    /// Arming was refused: there is no good frame yet.
    ArmRefused,
    /// There is no camera.
    CameraLost,
    /// Neutral was written instead of the pulses of the tick before.
    Withheld,
}

impl Note {
    /// All of them, in the order of their bits on tape. New ones go to the end.
    pub const ALL: [Self; 22] = [
        Self::FrameMissing,
        Self::FrameStale,
        Self::FrameReversed,
        Self::FrameFrozen,
        Self::PictureDark,
        Self::PictureBright,
        Self::PictureTorn,
        Self::PolicyFailed,
        Self::ScoresNotFinite,
        Self::WishClamped,
        Self::ThrottleCapped,
        Self::ThrottleSlewed,
        Self::SteeringSlewed,
        Self::CycleLate,
        Self::ActuatorsFailed,
        Self::BatteryLow,
        Self::Armed,
        Self::Disarmed,
        Self::Latched,
        Self::ArmRefused,
        Self::CameraLost,
        Self::Withheld,
    ];

    const fn bit(self) -> u32 {
        1 << self as u32
    }
}

/// A set of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes(u32);

impl Notes {
    /// Nothing to remember.
    pub const NONE: Self = Self(0);

    /// Reads the word from tape; bits that this build does not know are kept.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Self {
        Self(bits)
    }

    /// The word for the tape.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0
    }

    /// Adds one.
    pub fn add(&mut self, note: Note) {
        self.0 |= note.bit();
    }

    /// Both sets together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn has(self, note: Note) -> bool {
        self.0 & note.bit() != 0
    }

    /// Those in the set.
    pub fn iter(self) -> impl Iterator<Item = Note> {
        Note::ALL.into_iter().filter(move |note| self.has(*note))
    }
}

impl fmt::Display for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for note in self.iter() {
            write!(f, "{between}{note:?}")?;
            between = " ";
        }
        Ok(())
    }
}
