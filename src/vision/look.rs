//! Brightness and spread of a picture, in integers: the same bits on every machine.

/// What the first grey channel looks like as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Pixels looked at; 0 where the recipe has no camera.
    pub pixels: u32,
    /// The mean grey, in thousandths of a level (0 to 255 000), rounded down.
    pub mean_milli: u32,
    /// The variance of the grey, in thousandths of a squared level (0 to 16 256 250), rounded down.
    pub variance_milli: u32,
}

impl Look {
    /// There is no picture.
    pub const NOTHING: Self = Self { pixels: 0, mean_milli: 0, variance_milli: 0 };

    /// Looks at grey pixels; at most 2^24 of them, so that nothing overflows.
    #[must_use]
    pub fn at(gray: &[u8]) -> Self {
        let (mut sum, mut squares) = (0_u64, 0_u64);
        // So many that 32 bits hold the sum of their squares.
        for some in gray.chunks(1 << 16) {
            let (mut of_some, mut squares_of_some) = (0_u32, 0_u32);
            for &level in some {
                let level = u32::from(level);
                of_some += level;
                squares_of_some += level * level;
            }
            sum += u64::from(of_some);
            squares += u64::from(squares_of_some);
        }
        let count = gray.len() as u64;
        if count == 0 {
            return Self::NOTHING;
        }
        // n * sum(x^2) - sum(x)^2 is the variance times n^2, and is never negative.
        let scatter = u128::from(count) * u128::from(squares) - u128::from(sum) * u128::from(sum);
        let variance = scatter * 1000 / (u128::from(count) * u128::from(count));
        Self {
            pixels: u32::try_from(count).unwrap_or(u32::MAX),
            mean_milli: u32::try_from(sum * 1000 / count).unwrap_or(u32::MAX),
            variance_milli: u32::try_from(variance).unwrap_or(u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Look;

    #[test]
    fn a_look_is_the_textbook_mean_and_variance() {
        assert_eq!(Look::at(&[]), Look::NOTHING);
        assert_eq!(Look::at(&vec![7; 19_200]), Look { pixels: 19_200, mean_milli: 7_000, variance_milli: 0 });
        // 0 and 255 in equal parts: mean 127.5, variance 127.5 squared.
        let stripes: Vec<u8> = (0..19_200_u32).map(|i| if i % 2 == 0 { 0 } else { 255 }).collect();
        assert_eq!(
            Look::at(&stripes),
            Look { pixels: 19_200, mean_milli: 127_500, variance_milli: 16_256_250 }
        );
        // 1, 2, 4: mean 7/3, variance 14/9.
        assert_eq!(Look::at(&[1, 2, 4]), Look { pixels: 3, mean_milli: 2_333, variance_milli: 1_555 });
    }
}
