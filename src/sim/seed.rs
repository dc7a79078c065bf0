//! Where everything random in a simulated world comes from: a counter that is mixed (`SplitMix64`; Steele, Lea and
//! Flood 2014). Integers, `+ - * /`, exact roots and one logarithm from `libm`: the same numbers on every machine.
//! Refuses nothing; asks no clock and no system.

/// The counter's step: 2^64 divided by the golden ratio, made odd.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of numbers. Copies of one stream say the same; [`Seed::fork`] makes an independent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(u64);

impl Seed {
    /// The stream of a number; neighbouring numbers give unrelated streams.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(mixed(seed ^ STEP))
    }

    /// The next 64 bits, all equally likely.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mixed(self.0)
    }

    /// The next number of `[0, 1)`: a multiple of 2^-53.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact in f64")]
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// The next number of a normal distribution with mean 0 and deviation 1 (Marsaglia's polar method, one of its two
    /// numbers, so that a stream has no memory but its counter). Never further out than 9.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.unit() - 1.0, 2.0 * self.unit() - 1.0);
            let square = u * u + v * v;
            if square > 0.0 && square < 1.0 {
                return u * (-2.0 * libm::log(square) / square).sqrt();
            }
        }
    }

    /// The stream number `which` beside this one; this one stays where it is.
    #[must_use]
    pub const fn fork(&self, which: u64) -> Self {
        Self(mixed(mixed(self.0) ^ which.wrapping_mul(STEP).wrapping_add(0xd1b5_4a32_d192_ed03)))
    }
}

const fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::{STEP, Seed};

    /// The published first numbers of `SplitMix64` from state 0 and from 1234567: here the state is set past `new`.
    #[test]
    fn it_is_splitmix64() {
        let mut zero = Seed(0);
        assert_eq!([zero.next_u64(), zero.next_u64()], [0xe220_a839_7b1d_cdaf, 0x6e78_9e6a_a1b9_65f4]);
        let mut other = Seed(1_234_567);
        assert_eq!(
            [other.next_u64(), other.next_u64()],
            [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]
        );
    }

    #[test]
    fn the_numbers_of_a_seed_stay_what_they_are() {
        let mut seed = Seed::new(7);
        let fork = seed.fork(3);
        assert_eq!(fork, Seed::new(7).fork(3), "a fork depends on the stream's place alone");
        // Computed with another language's integers and logarithm.
        assert_eq!(seed.next_u64(), 9_048_807_721_209_015_062);
        assert_eq!(seed.normal().to_bits(), 0xbfbf_ff4c_3146_797a, "-0.12498928263673817");
        assert_ne!(seed.fork(3), fork);
        assert_ne!(Seed::new(0), Seed::new(STEP));
    }

    #[test]
    fn moments_are_those_of_the_distributions() {
        const COUNT: u32 = 200_000;
        let (mut seed, n) = (Seed::new(1), f64::from(COUNT));
        let (mut sum, mut low, mut high) = (0.0, 1.0_f64, 0.0_f64);
        let mut powers = [0.0; 4];
        for _ in 0..COUNT {
            let unit = seed.unit();
            assert!((0.0..1.0).contains(&unit));
            (sum, low, high) = (sum + unit, low.min(unit), high.max(unit));
            let normal = seed.normal();
            let mut power = 1.0;
            for slot in &mut powers {
                power *= normal;
                *slot += power;
            }
        }
        // Five standard errors: sqrt(1/12/n), sqrt(1/n), sqrt(2/n), sqrt(15/n), sqrt(96/n).
        assert!((sum / n - 0.5).abs() < 5.0 * (1.0 / 12.0 / n).sqrt(), "{}", sum / n);
        assert!(low < 1e-4 && high > 1.0 - 1e-4);
        for (power, (wanted, variance)) in
            powers.into_iter().zip([(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0)])
        {
            let error: f64 = power / n - wanted;
            assert!(error.abs() < 5.0 * (variance / n).sqrt(), "{error}");
        }
    }

    #[test]
    fn forks_do_not_walk_beside_each_other() {
        let base = Seed::new(9);
        let streams: Vec<Vec<u64>> = (0..50)
            .map(|which| {
                let mut fork = base.fork(which);
                (0..50).map(|_| fork.next_u64()).collect()
            })
            .collect();
        let mut all: Vec<u64> = streams.concat();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 2500);
    }
}
