//! From the sums of a layer to the activations of the next: bias, multiplier, rounding shift, clamp. Refuses
//! multipliers and shifts with which 64 bits could overflow.

use super::error::KernelError;

/// How the sums of one layer become 16-bit activations, channel by channel:
///
/// `y = clamp(((sum + bias) * multiplier + 2^(shift - 1)) >> shift, low, high)`
///
/// with an arithmetic shift: rounding to nearest, halves up. The layer has one shift and each channel its own multiplier,
/// since a shift per lane costs SSE four instructions where one does: normalise the layer's largest multiplier to 29..30
/// bits and a channel with a thousandth of its scale still has 20. At a shift of 32 or more (a scale below 1/4, as every
/// layer of 16-bit products has) the vector paths rescale in vectors; below it they do so one by one, with the same bits.
///
/// No overflow: |acc| <= 2^31 and multiplier < 2^30 give a product of at most 2^61, and 2^61 is the most that rounding adds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rescale {
    /// One per output channel, added to the sum first; zero for channels that pad.
    pub bias: Vec<i32>,
    /// One per output channel, 0..2^30; zero for channels that pad.
    pub multiplier: Vec<i32>,
    /// 1..=62, for all channels.
    pub shift: u8,
    /// The least activation.
    pub low: i16,
    /// The greatest activation, not below `low`.
    pub high: i16,
}

/// One more than the greatest multiplier.
const MULTIPLIER_END: i32 = 1 << 30;

impl Rescale {
    /// Bias, rescale and clamp of a dense layer's sums (see [`super::dense`]), exact for any sums.
    ///
    /// `sums`, `output`, `bias` and `multiplier` are of one length.
    ///
    /// # Errors
    /// [`KernelError`] where lengths differ or the rescale is out of range.
    pub fn sums(&self, sums: &[i64], output: &mut [i16]) -> Result<(), KernelError> {
        self.check(sums.len())?;
        if output.len() != sums.len() {
            return Err(KernelError::Length { what: "output", saw: output.len(), wanted: sums.len() });
        }
        let channels = self.bias.iter().zip(&self.multiplier);
        for ((y, sum), (bias, multiplier)) in output.iter_mut().zip(sums).zip(channels) {
            let acc = i128::from(*sum) + i128::from(*bias);
            let scaled = (acc * i128::from(*multiplier) + (1 << (self.shift - 1))) >> self.shift;
            *y = narrow(scaled.max(self.low.into()).min(self.high.into()));
        }
        Ok(())
    }

    /// Activations of a convolution's channels from `first` on, from their sums.
    pub(super) fn four(&self, sums: &[i32; 4], pixel: &mut [i16], first: usize) {
        let range = first..first + 4;
        let (Some(y), Some(bias), Some(multiplier)) =
            (pixel.get_mut(range.clone()), self.bias.get(range.clone()), self.multiplier.get(range))
        else {
            return;
        };
        for ((y, sum), (bias, multiplier)) in y.iter_mut().zip(sums).zip(bias.iter().zip(multiplier)) {
            let acc = i64::from(sum.wrapping_add(*bias));
            let scaled = (acc * i64::from(*multiplier) + (1 << (self.shift - 1))) >> self.shift;
            *y = narrow(scaled.max(self.low.into()).min(self.high.into()));
        }
    }

    /// Whether there is one bias and one multiplier for each of `channels`, all in range.
    pub(super) fn check(&self, channels: usize) -> Result<(), KernelError> {
        for (what, saw) in [("bias", self.bias.len()), ("multiplier", self.multiplier.len())] {
            if saw != channels {
                return Err(KernelError::Length { what, saw, wanted: channels });
            }
        }
        if !(1..=62).contains(&self.shift) {
            return Err(KernelError::Shift(self.shift));
        }
        if self.low > self.high {
            return Err(KernelError::Clamp { low: self.low, high: self.high });
        }
        let outside = |multiplier: &i32| !(0..MULTIPLIER_END).contains(multiplier);
        match self.multiplier.iter().position(outside).and_then(|at| Some((at, *self.multiplier.get(at)?))) {
            Some((channel, saw)) => Err(KernelError::Multiplier { channel, saw }),
            None => Ok(()),
        }
    }
}

/// A clamped value as 16 bits. The clamp has bounded it, so that the second arm is never taken.
fn narrow<T: TryInto<i16>>(clamped: T) -> i16 {
    clamped.try_into().unwrap_or(0)
}
