//! What was found on one channel, and the band that it may be looked for in. Points leave here in rising order, the
//! only one that the stock car's own service takes (car.md §1.5); the direction goes into the sign.

use crate::units::{Pulse, Signed};
use crate::vehicle::{Channel, Points};

/// The points found so far, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// At 0.
    pub middle: Option<u32>,
    /// At +1: left, forward.
    pub plus: Option<u32>,
    /// At -1: right, brake or reverse.
    pub minus: Option<u32>,
    /// Whether the session's band was widened for this channel.
    pub wide: bool,
}

impl Found {
    /// The channel's points: those found where all three are, else the `old` ones.
    #[must_use]
    pub const fn points(&self, old: Points) -> Points {
        match (self.middle, self.plus, self.minus) {
            (Some(mid), Some(plus), Some(minus)) if plus < minus => {
                Points { min: plus, mid, max: minus, polarity: -1 }
            }
            (Some(mid), Some(plus), Some(minus)) => Points { min: minus, mid, max: plus, polarity: 1 },
            _ => old,
        }
    }

    /// The pulse of command 0: the one found, else the old one.
    #[must_use]
    pub fn rest(&self, old: Points) -> Pulse {
        Pulse::clamped(i64::from(self.middle.unwrap_or(old.mid)))
    }
}

/// The widths, in nanoseconds, that a session may put out on `channel`: 350 us (servo) or 200 us (motor) to either
/// side of the old middle; widened, all that is ever written. The factory's ends lie 250 and 158 us out (car.md §1.2).
#[must_use]
pub fn band(channel: Channel, old: Points, wide: bool) -> (u32, u32) {
    let (least, most) = (Pulse::MIN.ns(), Pulse::MAX.ns());
    if wide {
        return (least, most);
    }
    let reach = match channel {
        Channel::Servo => 350_000,
        Channel::Motor => 200_000,
    };
    (old.mid.saturating_sub(reach).max(least), old.mid.saturating_add(reach).min(most))
}

/// Whether a longer pulse is more of command +1: left, forward.
#[must_use]
pub fn longer_is_plus(points: Points) -> bool {
    points.pulse(Signed::ONE).ns() > points.mid
}

/// Whether a bar that has left on its left, and forward on its right, has the longer pulses on the right.
#[must_use]
pub fn longer_on_the_right(channel: Channel, points: Points) -> bool {
    longer_is_plus(points) == (channel == Channel::Motor)
}

/// The width `steps` of the chip away from `origin`: 20 ms in 4096 steps, 4882.8125 ns each (car.md §1.7), rounded
/// to the nanosecond.
pub(super) fn width(origin: u32, steps: i32) -> Pulse {
    Pulse::clamped(i64::from(origin) + (i64::from(steps) * 78_125 + 8).div_euclid(16))
}

/// How many steps below and above `origin` stay within `least..=most`.
pub(super) fn reach(origin: u32, (least, most): (u32, u32)) -> (i32, i32) {
    let whole = |distance: u32| i32::try_from(u64::from(distance) * 16 / 78_125).unwrap_or(0);
    (-whole(origin.saturating_sub(least)), whole(most.saturating_sub(origin)))
}
