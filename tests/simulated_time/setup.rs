//! What a drive is driven with: terms, limits and a calibration, drawn from within what is accepted.

use hairpin::governor::Limits;
use hairpin::lease::Terms;
use hairpin::units::{Permille, Span};
use hairpin::vehicle::{Calibration, Points};

use super::dice::Dice;

/// One drive's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Setup {
    pub(crate) terms: Terms,
    pub(crate) limits: Limits,
    pub(crate) calibration: Calibration,
    pub(crate) speed_percent: u8,
}

impl Setup {
    /// The defaults in every second drive, except for the caps.
    pub(crate) fn draw(dice: &mut Dice) -> Self {
        let stock = dice.chance(50);
        let arming = if stock { Span::from_millis(500) } else { dice.millis(500, 900) };
        let cap = Permille::new(150 + dice.below(851) as i16).expect("at most 1000");
        let terms = Terms { arming, throttle_cap: cap, ..Terms::default() };
        // Below 60 ms the times between two records at 30 Hz are as long as the lease, and nobody could arm.
        let lease = if stock { terms.lease } else { dice.millis(60, 200) };
        let terms = Terms { lease, ..terms }.checked().expect("in range");
        let limits = Limits {
            throttle_cap: 0.15 + 0.85 * dice.share(),
            throttle_slew_per_s: if stock { 0.0 } else { 0.5 + 5.0 * dice.share() },
            steering_slew_per_s: if stock { 0.0 } else { 1.0 + 9.0 * dice.share() },
            check_picture: stock || dice.chance(70),
            ..Limits::default()
        };
        let factory = Calibration::factory();
        let drawn = Calibration { servo: points(dice), motor: points(dice) };
        Self {
            terms,
            limits: limits.checked().expect("in range"),
            calibration: if stock { factory } else { drawn }.checked().expect("in order"),
            speed_percent: 30 + dice.below(71) as u8,
        }
    }
}

fn points(dice: &mut Dice) -> Points {
    let mid = 1_350_000 + dice.below(300_000) as u32;
    let (below, above) =
        (mid - 50_000 - dice.below(300_000) as u32, mid + 50_000 + dice.below(300_000) as u32);
    let polarity = if dice.chance(50) { 1 } else { -1 };
    let (min, max) = if dice.chance(25) { (above, below) } else { (below, above) };
    Points { min, mid, max, polarity }
}
