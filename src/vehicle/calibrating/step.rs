//! The order of a calibration: steering before the motor, the middle before the ends, and the sign last, since it
//! is proved with the points that were found.

use crate::vehicle::Channel;

/// One thing to find, or to look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The pulse at which the wheels point ahead, or the motor stands still.
    Middle(Channel),
    /// The pulse at command +1: full left, full forward.
    Plus(Channel),
    /// The pulse at command -1: full right, brake or reverse.
    Minus(Channel),
    /// Whether a positive command does what it says.
    Sign(Channel),
    /// All that was found; the last chance to undo.
    Review,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 9] = [
        Self::Middle(Channel::Servo),
        Self::Plus(Channel::Servo),
        Self::Minus(Channel::Servo),
        Self::Sign(Channel::Servo),
        Self::Middle(Channel::Motor),
        Self::Plus(Channel::Motor),
        Self::Minus(Channel::Motor),
        Self::Sign(Channel::Motor),
        Self::Review,
    ];

    /// The one after it; the review is followed by itself.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Middle(channel) => Self::Plus(channel),
            Self::Plus(channel) => Self::Minus(channel),
            Self::Minus(channel) => Self::Sign(channel),
            Self::Sign(Channel::Servo) => Self::Middle(Channel::Motor),
            Self::Sign(Channel::Motor) | Self::Review => Self::Review,
        }
    }

    /// The channel that it is about.
    #[must_use]
    pub const fn channel(self) -> Option<Channel> {
        match self {
            Self::Middle(channel) | Self::Plus(channel) | Self::Minus(channel) | Self::Sign(channel) => {
                Some(channel)
            }
            Self::Review => None,
        }
    }
}
