//! Whether a picture is fit to drive by, judged by brightness and spread alone. What decodes is never torn, and
//! whether a camera repeats itself is not for one picture to say.

use super::look::Look;
use crate::domain::Quality;

/// Where the judgement changes; grey levels of 0 to 255. The defaults are those of a covered lens and of a
/// washed-out sensor (safety.md §2 rows 9 and 10): the mean near an end **and** almost no spread, so that a dark
/// room with a lit line in it stays usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JudgeLimits {
    /// Dark where the mean is below this level.
    pub dark_below: u8,
    /// Bright where the mean is above this level.
    pub bright_above: u8,
    /// Dark or bright only where the variance is below this; 0 switches the judgement off.
    pub flat_below: u16,
}

impl Default for JudgeLimits {
    fn default() -> Self {
        Self { dark_below: 8, bright_above: 247, flat_below: 4 }
    }
}

/// Judges one look: `Usable`, `Dark` or `Bright`. Where there is no camera there is nothing to judge: `Usable`.
#[must_use]
pub fn judge(look: &Look, limits: &JudgeLimits) -> Quality {
    let flat = look.variance_milli < u32::from(limits.flat_below) * 1000;
    if look.pixels == 0 || !flat {
        Quality::Usable
    } else if look.mean_milli < u32::from(limits.dark_below) * 1000 {
        Quality::Dark
    } else if look.mean_milli > u32::from(limits.bright_above) * 1000 {
        Quality::Bright
    } else {
        Quality::Usable
    }
}

#[cfg(test)]
mod tests {
    use super::{JudgeLimits, judge};
    use crate::domain::Quality;
    use crate::vision::Look;

    fn judged(mean_milli: u32, variance_milli: u32) -> Quality {
        judge(&Look { pixels: 19_200, mean_milli, variance_milli }, &JudgeLimits::default())
    }

    #[test]
    fn each_side_of_each_threshold() {
        assert_eq!(judged(7_999, 3_999), Quality::Dark);
        assert_eq!(judged(8_000, 3_999), Quality::Usable);
        assert_eq!(judged(7_999, 4_000), Quality::Usable);
        assert_eq!(judged(247_001, 3_999), Quality::Bright);
        assert_eq!(judged(247_000, 3_999), Quality::Usable);
        assert_eq!(judged(247_001, 4_000), Quality::Usable);
        assert_eq!(judged(0, 0), Quality::Dark);
        assert_eq!(judged(255_000, 0), Quality::Bright);
    }

    #[test]
    fn no_picture_and_a_switched_off_judgement_are_usable() {
        assert_eq!(judge(&Look::NOTHING, &JudgeLimits::default()), Quality::Usable);
        let off = JudgeLimits { flat_below: 0, ..JudgeLimits::default() };
        let black = Look { pixels: 19_200, mean_milli: 0, variance_milli: 0 };
        assert_eq!(judge(&black, &off), Quality::Usable);
    }
}
