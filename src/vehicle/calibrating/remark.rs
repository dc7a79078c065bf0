//! What the session has to say about the last key: why it was refused, or what it wants to be sure of.

use std::fmt;

use crate::vehicle::{CalibrationError, Channel};

/// An answer to a key. The screen shows it until the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remark {
    /// Something else than `wheels up` was typed.
    NotTheWords,
    /// An end was accepted at the middle.
    StillTheMiddle {
        /// The middle, ns.
        middle: u32,
    },
    /// The second end lies where the first one does.
    SameSide {
        /// Which channel.
        channel: Channel,
        /// As put out, ns.
        saw: u32,
        /// The middle, ns.
        middle: u32,
        /// The first end, ns.
        first: u32,
    },
    /// The first end lies where the other one used to be: the same key again says that this is meant.
    OtherSide {
        /// Which channel.
        channel: Channel,
    },
    /// A middle without room for an end beside it.
    NoRoom {
        /// As put out, ns.
        saw: u32,
    },
    /// The band ends here.
    BandEnds {
        /// Its limits, ns.
        band: (u32, u32),
        /// Whether it can still be widened.
        wide: bool,
    },
    /// The band shall be widened: the same key again does it.
    Widen {
        /// Which channel.
        channel: Channel,
    },
    /// Nothing was done yet that could be undone.
    NothingToUndo,
    /// The sign was judged before anything moved.
    NotMovedYet,
    /// The sign wants `y` or `n`.
    YesOrNo,
    /// The two ends were exchanged.
    Turned,
    /// The ESC has not seen neutral for long enough.
    TooSoon,
    /// The result is none that may move a car.
    Refused(CalibrationError),
}

/// The ends' names, +1 first.
#[must_use]
pub const fn ends(channel: Channel) -> (&'static str, &'static str) {
    match channel {
        Channel::Servo => ("left", "right"),
        Channel::Motor => ("forward", "brake"),
    }
}

/// A width in microseconds with one decimal, for people to read; given in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Micros(pub u32);

impl fmt::Display for Micros {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = self.0.saturating_add(50) / 100;
        f.pad(&format!("{}.{} us", tenths / 10, tenths % 10))
    }
}

impl fmt::Display for Remark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotTheWords => f.write_str("wanted the words `wheels up`; nothing is powered yet"),
            Self::StillTheMiddle { middle } => {
                write!(f, "still at the middle, {}: move away from it first", Micros(middle))
            }
            Self::SameSide { channel, saw, middle, first } => {
                let (plus, minus) = ends(channel);
                let side = if first > middle { "shorter" } else { "longer" };
                let (saw, middle) = (Micros(saw), Micros(middle));
                write!(f, "{saw} is on the {plus} side: {minus} needs one {side} than {middle}")
            }
            Self::OtherSide { channel } => {
                let (plus, minus) = ends(channel);
                write!(f, "this is where {minus} was. Is it {plus} now? Enter again: yes, turn round")
            }
            Self::NoRoom { saw } => {
                write!(f, "{} leaves no room for an end: wanted 1050 to 1950 us", Micros(saw))
            }
            Self::BandEnds { band: (least, most), wide } => {
                write!(f, "the band ends here: {} to {}", Micros(least), Micros(most))?;
                f.write_str(if wide { "; nothing goes beyond" } else { "; `w` widens it" })
            }
            Self::Widen { channel } => {
                write!(f, "`w` again lets the {} go from 1000 to 2000 us", channel.name().to_lowercase())
            }
            Self::NothingToUndo => f.write_str("nothing to undo"),
            Self::NotMovedYet => f.write_str("nothing moved yet: press space first, and look"),
            Self::YesOrNo => f.write_str("wanted `y` or `n`"),
            Self::Turned => f.write_str("turned round: press space, and look again"),
            Self::TooSoon => f.write_str("the ESC wants half a second of neutral first: press again"),
            Self::Refused(error) => error.fmt(f),
        }
    }
}
