//! RGB to grey, three ways: the car's, training's for one camera, training's for two. Pixel by pixel, in integers.

/// Which weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weights {
    /// OpenCV's `BGR2GRAY` on 8 bits, Q15, rounded: `(9798 R + 19235 G + 3735 B + 16384) >> 15` (crates.md §3).
    Stock,
    /// Training's for one camera, truncated: `(2989 R + 5870 G + 1140 B) / 10000` (car.md §3.4). White is 254.
    /// Training computes in floats, which is one level lower for 292 of the 2^24 colours.
    Trained,
    /// Pillow's `L`, Q16, rounded, which training uses for two cameras:
    /// `(19595 R + 38470 G + 7471 B + 32768) >> 16`.
    TrainedStereo,
}

/// Grey of `rgb` (three bytes a pixel) into `gray` (one); stops at the shorter of the two.
pub(super) fn convert(weights: Weights, rgb: &[u8], gray: &mut [u8]) {
    match weights {
        Weights::Stock => {
            for ([r, g, b], gray) in rgb.as_chunks::<3>().0.iter().zip(gray) {
                *gray = stock((*r).into(), (*g).into(), (*b).into());
            }
        }
        Weights::Trained => each(rgb, gray, |r, g, b| (2989 * r + 5870 * g + 1140 * b) / 10000),
        Weights::TrainedStereo => each(rgb, gray, |r, g, b| (19595 * r + 38470 * g + 7471 * b + 32768) >> 16),
    }
}

/// The car's grey of one pixel; each of the three is 0 to 255.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the weights sum to one")]
pub(super) fn stock(r: i16, g: i16, b: i16) -> u8 {
    ((9798 * i32::from(r) + 19235 * i32::from(g) + 3735 * i32::from(b) + 16384) >> 15) as u8
}

fn each(rgb: &[u8], gray: &mut [u8], weigh: impl Fn(u32, u32, u32) -> u32) {
    for ([r, g, b], gray) in rgb.as_chunks::<3>().0.iter().zip(gray) {
        *gray = level(weigh(u32::from(*r), u32::from(*g), u32::from(*b)));
    }
}

/// The weights of each kind sum to one at most, so the value fits.
fn level(value: u32) -> u8 {
    value.min(255) as u8
}

#[cfg(test)]
mod tests {
    use super::{Weights, convert};

    fn of(weights: Weights, rgb: [u8; 3]) -> u8 {
        let mut gray = [0];
        convert(weights, &rgb, &mut gray);
        gray[0]
    }

    #[test]
    fn ends_and_neighbours() {
        // Values that OpenCV, the float formula and Pillow give; computed apart.
        for (rgb, stock, trained, stereo) in [
            ([0, 0, 0], 0, 0, 0),
            ([255, 255, 255], 255, 254, 255),
            ([255, 0, 0], 76, 76, 76),
            ([0, 255, 0], 150, 149, 150),
            ([0, 0, 255], 29, 29, 29),
            ([1, 2, 3], 2, 1, 2),
            ([200, 100, 50], 124, 124, 124),
        ] {
            assert_eq!(of(Weights::Stock, rgb), stock, "{rgb:?}");
            assert_eq!(of(Weights::Trained, rgb), trained, "{rgb:?}");
            assert_eq!(of(Weights::TrainedStereo, rgb), stereo, "{rgb:?}");
        }
    }

    #[test]
    fn gray_pictures_stay_as_they_are_on_the_car() {
        for level in 0..=255 {
            assert_eq!(of(Weights::Stock, [level; 3]), level);
            assert_eq!(of(Weights::TrainedStereo, [level; 3]), level);
            assert_eq!(of(Weights::Trained, [level; 3]), level.saturating_sub(1));
        }
    }
}
