//! The kernels for AVX2, from intrinsics: the same sums of the same packed weights, sixteen products at a time. What is left
//! over (channels beyond a multiple of sixteen, shifts below 32) goes to [`super::sse41`], which such CPUs have too.

#![expect(unsafe_code, reason = "vector instructions through pointers that the callers have checked")]

use std::arch::x86_64::{
    __m128i, __m256i, _mm_cvtsi32_si128, _mm_loadu_si128, _mm_setzero_si128, _mm_storeu_si128,
    _mm256_add_epi32, _mm256_add_epi64, _mm256_blend_epi32, _mm256_broadcastsi128_si256,
    _mm256_castsi256_si128, _mm256_cvtepi8_epi16, _mm256_extracti128_si256, _mm256_loadu_si256,
    _mm256_madd_epi16, _mm256_max_epi16, _mm256_min_epi16, _mm256_mul_epi32, _mm256_packs_epi32,
    _mm256_permute4x64_epi64, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setzero_si256,
    _mm256_sra_epi32, _mm256_srli_epi64, _mm256_storeu_si256,
};

use super::conv::{Block, Checked as Conv};
use super::dense::{CHUNK, Checked as Dense, ROWS};
use super::rescale::Rescale;
use super::sse41;
use super::windows::Windows;

/// Pixels that are worked on together.
const PIXELS: usize = 4;

/// Convolution.
#[target_feature(enable = "avx2")]
pub(super) fn conv(job: Conv<'_>) {
    let mut job = job;
    let weights = job.weights;
    for block in weights.blocks() {
        match block.width {
            16 if job.rescale.shift >= 32 => sixteen(&mut job, &block),
            16 => sse41::blocks::<4>(&mut job, &block),
            _ => sse41::blocks::<1>(&mut job, &block),
        }
    }
}

/// All pixels of sixteen channels, four at a time; what the last four lack is computed and not written.
#[target_feature(enable = "avx2")]
fn sixteen(job: &mut Conv<'_>, block: &Block<'_>) {
    let scale = Scale::new(job.rescale, block.first);
    let mut walk = job.walk();
    let mut pixels = job.output.chunks_exact_mut(job.weights.channels());
    while let Some(first) = walk.next() {
        let mut starts = [first; PIXELS];
        starts.iter_mut().skip(1).zip(&mut walk).for_each(|(start, at)| *start = at);
        let places = starts.map(|start| job.input.as_ptr().wrapping_add(start));
        // SAFETY: `Checked` holds that the windows lie in the input, and `blocks` that the lanes are those of one window.
        let sums = unsafe { windows_sums(places, block.lanes.as_ptr().cast(), job.windows, scale.bias) };
        for (sums, pixel) in sums.into_iter().zip(&mut pixels) {
            let Some(place) = pixel.get_mut(block.first..).and_then(<[i16]>::first_chunk_mut::<16>) else {
                return;
            };
            // SAFETY: sixteen elements are 32 bytes.
            unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), scale.activations(sums)) };
        }
    }
}

/// The sums of four windows and sixteen channels, on top of their biases.
///
/// # Safety
/// `taps` runs of `run` elements can be read from each of `places`, and `taps * run` times 32 bytes from `w`.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn windows_sums(
    mut places: [*const i16; PIXELS],
    mut w: *const __m256i,
    windows: &Windows,
    bias: [__m256i; 2],
) -> [[__m256i; 2]; PIXELS] {
    let mut sums = [bias; PIXELS];
    for _ in 0..windows.taps {
        for k in (0..windows.run).step_by(2) {
            // SAFETY: the two vectors of this pair of elements.
            let weights = unsafe { [_mm256_loadu_si256(w), _mm256_loadu_si256(w.add(1))] };
            for (sums, place) in sums.iter_mut().zip(places) {
                // SAFETY: k + 2 <= run.
                let pair = unsafe { place.add(k).cast::<i32>().read_unaligned() };
                let x = _mm256_set1_epi32(pair);
                for (sum, weights) in sums.iter_mut().zip(weights) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(weights, x));
                }
            }
            w = w.wrapping_add(2);
        }
        places = places.map(|place| place.wrapping_add(windows.pitch));
    }
    sums
}

/// The rescale of sixteen channels, eight to a vector; its shift is 32 or more.
struct Scale {
    bias: [__m256i; 2],
    multiplier: [__m256i; 2],
    round: __m256i,
    shift: __m128i,
    low: __m256i,
    high: __m256i,
}

impl Scale {
    #[target_feature(enable = "avx2")]
    fn new(rescale: &Rescale, first: usize) -> Self {
        Self {
            bias: sixteen_of(&rescale.bias, first),
            multiplier: sixteen_of(&rescale.multiplier, first),
            round: _mm256_set1_epi64x(1 << (rescale.shift - 1)),
            shift: _mm_cvtsi32_si128(i32::from(rescale.shift) - 32),
            low: _mm256_set1_epi16(rescale.low),
            high: _mm256_set1_epi16(rescale.high),
        }
    }

    /// Rescales the sums of one pixel: the upper halves of the products hold the result.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn activations(&self, sums: [__m256i; 2]) -> __m256i {
        let [a, b] =
            [(sums[0], self.multiplier[0]), (sums[1], self.multiplier[1])].map(|(acc, multiplier)| {
                let even = _mm256_add_epi64(_mm256_mul_epi32(acc, multiplier), self.round);
                let (acc, multiplier) = (_mm256_srli_epi64::<32>(acc), _mm256_srli_epi64::<32>(multiplier));
                let odd = _mm256_add_epi64(_mm256_mul_epi32(acc, multiplier), self.round);
                _mm256_sra_epi32(_mm256_blend_epi32::<0xaa>(_mm256_srli_epi64::<32>(even), odd), self.shift)
            });
        // Packing works on each half by itself: the middle quarters change places.
        let packed = _mm256_permute4x64_epi64::<0xd8>(_mm256_packs_epi32(a, b));
        _mm256_min_epi16(_mm256_max_epi16(packed, self.low), self.high)
    }
}

/// Sixteen values from `first` on.
#[target_feature(enable = "avx2")]
fn sixteen_of(all: &[i32], first: usize) -> [__m256i; 2] {
    let mut lanes = [[0_i32; 8]; 2];
    lanes.as_flattened_mut().iter_mut().zip(all.iter().skip(first)).for_each(|(lane, value)| *lane = *value);
    // SAFETY: eight i32 are 32 bytes.
    lanes.map(|lanes| unsafe { _mm256_loadu_si256(lanes.as_ptr().cast()) })
}

/// Dense layer: two outputs share a vector.
#[target_feature(enable = "avx2")]
pub(super) fn dense(job: Dense<'_>) {
    let Dense { input, bytes, sums } = job;
    for (block, totals) in bytes.chunks_exact(ROWS * input.len()).zip(sums) {
        let mut pairs = [_mm_setzero_si128(); 4];
        for (weights, x) in block.chunks(ROWS * CHUNK).zip(input.chunks(CHUNK)) {
            // SAFETY: x is a multiple of 32 long and the weights eight times that, as `Checked` holds.
            let two_each = unsafe { chunk(x.as_ptr(), weights.as_ptr(), x.len()) };
            let mut partial = [_mm_setzero_si128(); ROWS];
            for (place, both) in partial.as_chunks_mut::<2>().0.iter_mut().zip(two_each) {
                *place = [_mm256_castsi256_si128(both), _mm256_extracti128_si256::<1>(both)];
            }
            sse41::add_wide(&mut pairs, partial);
        }
        for (place, pair) in totals.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            // SAFETY: two i64 are 16 bytes.
            unsafe { _mm_storeu_si128(place.as_mut_ptr().cast(), pair) };
        }
    }
}

/// Products of up to 2,048 inputs with eight outputs: four partial sums of each.
///
/// # Safety
/// `length` is a multiple of 8; that many elements can be read from `x` and eight times as many bytes from `w`.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn chunk(x: *const i16, w: *const u8, length: usize) -> [__m256i; 4] {
    let mut sums = [_mm256_setzero_si256(); 4];
    for i in (0..length).step_by(8) {
        // SAFETY: i + 8 inputs are at most `length`.
        let inputs = unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(x.add(i).cast())) };
        for (two, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as above, for eight weights each of two outputs.
            let weights = unsafe { _mm_loadu_si128(w.add(8 * i + 16 * two).cast()) };
            *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(_mm256_cvtepi8_epi16(weights), inputs));
        }
    }
    sums
}
