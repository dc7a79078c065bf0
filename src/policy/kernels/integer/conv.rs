//! Convolution on channels-last activations: packed weights, the checks, and the choice of instructions. Refuses
//! everything that the kernels behind it would read or write out of bounds.

use std::fmt;
use std::ops::Range;

use super::error::KernelError;
use super::path::Path;
use super::portable;
use super::rescale::Rescale;
use super::windows::{Walk, Windows, depth};

/// Weights of four channels for two neighbouring elements of a window: `[c0 k0, c0 k1, c1 k0, c1 k1, ..]`, what one
/// `pmaddwd` takes. Aligned, so that it can be that instruction's memory operand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(16))]
pub(super) struct Lane(pub(super) [i16; 8]);

/// Weights of a convolution, packed for the kernels.
///
/// Channels are padded to a multiple of 4 with zeros and taken in blocks: of 16, and of 4 for what remains. Inside a block
/// the order is pair of window elements, channel, element of the pair: one sequential stream per block. The packed form is
/// the same for every path, and can be stored.
#[derive(Clone, PartialEq, Eq)]
pub struct ConvWeights {
    lanes: Vec<Lane>,
    channels: usize,
    taps: usize,
    run: usize,
}

impl ConvWeights {
    /// Packs weights that lie as `[channels][taps * run]`.
    ///
    /// # Errors
    /// [`KernelError`] where `channels` or `taps` is 0, `run` is no positive multiple of 8, or the length differs.
    pub fn pack(plain: &[i16], channels: usize, taps: usize, run: usize) -> Result<Self, KernelError> {
        let (padded, depth) = sizes(channels, taps, run)?;
        let wanted = channels.checked_mul(depth).ok_or(KernelError::TooLarge("channels by window"))?;
        if plain.len() != wanted {
            return Err(KernelError::Length { what: "weights", saw: plain.len(), wanted });
        }
        let at = |channel: usize, k: usize| plain.get(channel * depth + k).copied().unwrap_or(0);
        let mut lanes = Vec::with_capacity(padded * depth / 8);
        let mut first = 0;
        while first < padded {
            let width = width(padded - first);
            for k in (0..depth).step_by(2) {
                for channel in (first..first + width).step_by(4) {
                    lanes.push(Lane(std::array::from_fn(|i| at(channel + i / 2, k + i % 2))));
                }
            }
            first += width;
        }
        Ok(Self { lanes, channels: padded, taps, run })
    }

    /// Takes what [`Self::packed`] gave back, without packing again. `channels` may be padded or not.
    ///
    /// # Errors
    /// As [`Self::pack`].
    pub fn from_packed(
        packed: &[i16],
        channels: usize,
        taps: usize,
        run: usize,
    ) -> Result<Self, KernelError> {
        let (padded, depth) = sizes(channels, taps, run)?;
        let wanted = padded.checked_mul(depth).ok_or(KernelError::TooLarge("channels by window"))?;
        if packed.len() != wanted {
            return Err(KernelError::Length { what: "packed weights", saw: packed.len(), wanted });
        }
        let lanes = packed.as_chunks::<8>().0.iter().copied().map(Lane).collect();
        Ok(Self { lanes, channels: padded, taps, run })
    }

    /// The packed weights, in the order in which they are to be stored: `channels() * taps * run` of them.
    #[must_use]
    pub fn packed(&self) -> impl ExactSizeIterator<Item = &[i16; 8]> {
        self.lanes.iter().map(|lane| &lane.0)
    }

    /// Channels of an output pixel: a multiple of 4.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.channels
    }

    /// Weights of one channel, padding and all: `taps * run`.
    #[must_use]
    pub fn depth(&self) -> usize {
        self.taps * self.run
    }

    /// The sum of magnitudes of each channel's weights: times the greatest activation, what a sum can reach.
    #[must_use]
    pub fn magnitudes(&self) -> Vec<u64> {
        let mut sums = vec![0; self.channels];
        for block in self.blocks() {
            for (at, lane) in block.lanes.iter().enumerate() {
                let quad = block.first + at % (block.width / 4) * 4;
                for (channel, pair) in lane.0.as_chunks::<2>().0.iter().enumerate() {
                    if let Some(sum) = sums.get_mut(quad + channel) {
                        *sum += pair.iter().map(|weight| u64::from(weight.unsigned_abs())).sum::<u64>();
                    }
                }
            }
        }
        sums
    }

    /// Blocks of channels: the first channel and the lanes, 4 to a pair of window elements or 1.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block<'_>> {
        let depth = self.taps * self.run;
        let mut first = 0;
        let mut rest = self.lanes.as_slice();
        std::iter::from_fn(move || {
            let width = width(self.channels - first);
            let (lanes, after) =
                rest.split_at_checked(depth * width / 8).filter(|(lanes, _)| !lanes.is_empty())?;
            let block = Block { first, width, lanes };
            (first, rest) = (first + width, after);
            Some(block)
        })
    }
}

impl fmt::Debug for ConvWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConvWeights({} channels, {} x {})", self.channels, self.taps, self.run)
    }
}

/// Channels that are worked on together.
#[derive(Clone, Copy)]
pub(super) struct Block<'a> {
    /// The first of the channels.
    pub(super) first: usize,
    /// How many: 16 or 4.
    pub(super) width: usize,
    /// `depth / 2 * width / 4` lanes.
    pub(super) lanes: &'a [Lane],
}

/// Channels padded, and elements of a window.
fn sizes(channels: usize, taps: usize, run: usize) -> Result<(usize, usize), KernelError> {
    if channels == 0 {
        return Err(KernelError::Size { what: "channels", saw: 0, wanted: "at least 1" });
    }
    let padded = channels.checked_next_multiple_of(4).ok_or(KernelError::TooLarge("channels"))?;
    Ok((padded, depth(taps, run)?))
}

/// The width of the next block, with `left` channels to go.
fn width(left: usize) -> usize {
    if left >= 16 { 16 } else { 4.min(left) }
}

/// A convolution whose arguments fit each other. Made by [`conv`] alone; the vector kernels rest their pointers on it:
/// every window of `rows` lies in `input`, `weights` are of `windows`' depth, `rescale` has one entry for each of
/// `weights.channels()`, and `output` has one element for each pixel of `rows` and channel.
pub(super) struct Checked<'a> {
    pub(super) input: &'a [i16],
    pub(super) weights: &'a ConvWeights,
    pub(super) rescale: &'a Rescale,
    pub(super) windows: &'a Windows,
    pub(super) rows: Range<usize>,
    pub(super) output: &'a mut [i16],
}

impl Checked<'_> {
    /// The beginnings of all windows.
    pub(super) fn walk(&self) -> Walk {
        self.windows.walk(&self.rows)
    }
}

/// Convolves the output rows `rows` and writes them, channels last: pixel (r, c) at
/// `((r - rows.start) * cols + c) * channels`, so that two threads can share a layer.
///
/// Sums are i32 and wrap: any input gives the same bits on every path, and the true value wherever
/// `|bias| + sum(|weight| * |x|) < 2^31`, which is the caller's to prove.
///
/// # Errors
/// [`KernelError`] where the CPU lacks the path's instructions, a length differs from what the shapes ask for, a window
/// leaves the input, or the rescale is out of range. Nothing is written then.
pub fn conv(
    path: Path,
    input: &[i16],
    weights: &ConvWeights,
    rescale: &Rescale,
    windows: &Windows,
    rows: Range<usize>,
    output: &mut [i16],
) -> Result<(), KernelError> {
    if !path.is_here() {
        return Err(KernelError::NotHere(path));
    }
    let pixels = windows.check(&rows, input.len())?;
    for (what, saw, wanted) in
        [("taps", windows.taps, weights.taps), ("run of the windows", windows.run, weights.run)]
    {
        if saw != wanted {
            return Err(KernelError::Length { what, saw, wanted });
        }
    }
    rescale.check(weights.channels)?;
    let wanted = pixels.checked_mul(weights.channels).ok_or(KernelError::TooLarge("the output"))?;
    if output.len() != wanted {
        return Err(KernelError::Length { what: "output", saw: output.len(), wanted });
    }
    let job = Checked { input, weights, rescale, windows, rows, output };
    run(path, job);
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn run(_path: Path, job: Checked<'_>) {
    portable::conv(job);
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "code for instructions that not every CPU has")]
fn run(path: Path, job: Checked<'_>) {
    match path {
        Path::Portable => portable::conv(job),
        // SAFETY: `conv` has made sure that this CPU has SSE4.1.
        Path::Sse41 => unsafe { super::sse41::conv(job) },
        // SAFETY: `conv` has made sure that this CPU has AVX2.
        Path::Avx2 => unsafe { super::avx2::conv(job) },
    }
}
