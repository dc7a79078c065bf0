//! The layers as their definitions say, in 64 and 128 bits: nothing here knows how the kernels work.

use hairpin::policy::kernels::{Rescale, Windows};

/// Numbers from a seed (xorshift), so that a failing case is one number.
pub struct Numbers(pub u64);

impl Numbers {
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() >> 11).unwrap() % end
    }

    /// 16 bits of one of four kinds: small, activations, anything, and the ends of the ranges.
    pub fn words(&mut self, count: usize) -> Vec<i16> {
        const ENDS: [i16; 8] = [i16::MIN, i16::MAX, -8191, 8191, -128, 127, 0, -1];
        let kind = self.below(4);
        (0..count)
            .map(|_| {
                let any = self.next().to_le_bytes();
                let any = i16::from_le_bytes([any[3], any[4]]);
                match kind {
                    0 => any % 256,
                    1 => any % 8192,
                    2 => any,
                    _ => ENDS[self.below(8)],
                }
            })
            .collect()
    }

    /// A rescale with every field anywhere in its range.
    pub fn rescale(&mut self, channels: usize) -> Rescale {
        let narrow = self.below(2) == 0;
        let (low, high) = if narrow { (0, 8191) } else { (i16::MIN, i16::MAX) };
        let wild = self.below(4) == 0;
        let shift = if wild { 1 + self.below(62) } else { 32 + self.below(16) };
        let mut bias = || i32::from_le_bytes(self.next().to_le_bytes()[2..6].try_into().unwrap());
        let bias = (0..channels).map(|_| if wild { bias() } else { bias() >> 8 }).collect();
        let multiplier = (0..channels).map(|_| i32::try_from(self.below(1 << 30)).unwrap()).collect();
        Rescale { bias, multiplier, shift: u8::try_from(shift).unwrap(), low, high }
    }
}

/// Round to nearest, halves up, by Euclidean division: no shift.
pub fn rescaled(acc: i128, channel: usize, rescale: &Rescale) -> i16 {
    let divisor = 1_i128 << rescale.shift;
    let doubled = acc * i128::from(rescale.multiplier[channel]) * 2 + divisor;
    let rounded = doubled.div_euclid(divisor * 2);
    i16::try_from(rounded.clamp(i128::from(rescale.low), i128::from(rescale.high))).unwrap()
}

/// `weights` as `[channels][taps * run]`; channels that pad have none.
pub fn conv(input: &[i16], weights: &[i16], rescale: &Rescale, windows: &Windows, wraps: bool) -> Vec<i16> {
    let depth = windows.taps * windows.run;
    let mut output = Vec::new();
    for row in 0..windows.rows {
        for col in 0..windows.cols {
            for channel in 0..rescale.bias.len() {
                let mut sum = i64::from(rescale.bias[channel]);
                for tap in 0..windows.taps {
                    for k in 0..windows.run {
                        let at = row * windows.row_step + col * windows.col_step + tap * windows.pitch + k;
                        let weight =
                            weights.get(channel * depth + tap * windows.run + k).copied().unwrap_or(0);
                        sum += i64::from(weight) * i64::from(input[at]);
                    }
                }
                let acc = if wraps { i64::from(low_half(sum)) } else { sum };
                output.push(rescaled(i128::from(acc), channel, rescale));
            }
        }
    }
    output
}

/// `weights` as `[outputs][inputs]`, without what pads.
pub fn dense(input: &[i16], weights: &[i8], inputs: usize, wraps: bool) -> Vec<i64> {
    weights
        .chunks(inputs)
        .map(|row| {
            let products: Vec<i64> =
                row.iter().zip(input).map(|(w, x)| i64::from(*w) * i64::from(*x)).collect();
            let partial = |chunk: &[i64]| {
                let sum = chunk.iter().sum();
                if wraps { i64::from(low_half(sum)) } else { sum }
            };
            products.chunks(2048).map(partial).sum()
        })
        .collect()
}

/// What 32 bits keep of a sum.
fn low_half(sum: i64) -> i32 {
    let bytes = sum.to_le_bytes();
    i32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}
