//! The kernels for SSE4.1 around their inner loops in [`super::sixteen`] and [`super::eight`], and of the convolution what
//! the former leaves over: channels beyond a multiple of sixteen, and shifts below 32.
//!
//! Convolution: a pair of one pixel's elements, spread over a register by `pshufd`, meets that pair's weights of four
//! channels, so that the sums of four channels stand in one register and need no horizontal addition.

#![expect(unsafe_code, reason = "vector instructions through pointers that the callers have checked")]

use std::arch::x86_64::{
    __m128i, _mm_add_epi32, _mm_add_epi64, _mm_cvtepi32_epi64, _mm_hadd_epi32, _mm_loadu_si128,
    _mm_madd_epi16, _mm_setzero_si128, _mm_shuffle_epi32, _mm_srli_si128, _mm_storeu_si128,
};
#[cfg(miri)]
use std::arch::x86_64::{_mm_cvtepi8_epi16, _mm_loadl_epi64};

use super::conv::{Block, Checked as Conv};
use super::dense::{CHUNK, Checked as Dense, ROWS};
#[cfg(not(miri))]
use super::eight::chunk;
use super::rescale::Rescale;
use super::sixteen;
use super::windows::Windows;

/// Convolution.
#[target_feature(enable = "sse4.1")]
pub(super) fn conv(job: Conv<'_>) {
    let mut job = job;
    let weights = job.weights;
    for block in weights.blocks() {
        match block.width {
            // Miri knows no assembly.
            16 if job.rescale.shift >= 32 && cfg!(not(miri)) => sixteen::conv(&mut job, &block),
            16 => blocks::<4>(&mut job, &block),
            _ => blocks::<1>(&mut job, &block),
        }
    }
}

/// All pixels of one block of `4 * G` channels, two at a time; the last of an odd number is computed twice.
#[target_feature(enable = "sse4.1")]
pub(super) fn blocks<const G: usize>(job: &mut Conv<'_>, block: &Block<'_>) {
    let mut walk = job.walk();
    let mut pixels = job.output.chunks_exact_mut(job.weights.channels());
    while let (Some(one), Some(place)) = (walk.next(), pixels.next()) {
        let two = walk.next();
        // SAFETY: `Checked` holds that the windows lie in the input, and `blocks` that the lanes are those of one window.
        let [p, q] = unsafe {
            let first = job.input.as_ptr().add(one);
            let second = job.input.as_ptr().add(two.unwrap_or(one));
            two_windows::<G>(first, second, block.lanes.as_ptr().cast(), job.windows)
        };
        store(job.rescale, &p, place, block.first);
        if let (Some(_), Some(place)) = (two, pixels.next()) {
            store(job.rescale, &q, place, block.first);
        }
    }
}

/// The sums of two windows and `4 * G` channels.
///
/// # Safety
/// `taps` runs of `run` elements can be read from `a` and from `b`, and `taps * run / 2 * G` lanes from `w`.
#[target_feature(enable = "sse4.1")]
unsafe fn two_windows<const G: usize>(
    mut a: *const i16,
    mut b: *const i16,
    mut w: *const __m128i,
    windows: &Windows,
) -> [[__m128i; G]; 2] {
    let mut sums = [[_mm_setzero_si128(); G]; 2];
    for _ in 0..windows.taps {
        for k in (0..windows.run).step_by(8) {
            // SAFETY: k + 8 <= run, and the lanes of this step are the next 4 * G.
            unsafe {
                let x = [_mm_loadu_si128(a.add(k).cast()), _mm_loadu_si128(b.add(k).cast())];
                pair::<G, 0x00>(x, w, &mut sums);
                pair::<G, 0x55>(x, w.add(G), &mut sums);
                pair::<G, 0xaa>(x, w.add(2 * G), &mut sums);
                pair::<G, 0xff>(x, w.add(3 * G), &mut sums);
                w = w.add(4 * G);
            }
        }
        a = a.wrapping_add(windows.pitch);
        b = b.wrapping_add(windows.pitch);
    }
    sums
}

/// One pair of elements of two pixels, by its weights of `G` groups of four channels.
///
/// # Safety
/// `G` lanes can be read from `w`.
#[target_feature(enable = "sse4.1")]
#[inline]
unsafe fn pair<const G: usize, const PICK: i32>(
    x: [__m128i; 2],
    w: *const __m128i,
    sums: &mut [[__m128i; G]; 2],
) {
    for (sums, x) in sums.iter_mut().zip(x.map(|x| _mm_shuffle_epi32::<PICK>(x))) {
        for (g, sum) in sums.iter_mut().enumerate() {
            // SAFETY: the caller gives G lanes.
            let weights = unsafe { _mm_loadu_si128(w.add(g)) };
            *sum = _mm_add_epi32(*sum, _mm_madd_epi16(weights, x));
        }
    }
}

/// Bias, rescale and clamp of one pixel's channels from `first` on.
fn store(rescale: &Rescale, sums: &[__m128i], pixel: &mut [i16], first: usize) {
    for (g, four) in sums.iter().enumerate() {
        let mut lanes = [0_i32; 4];
        // SAFETY: an array of four i32 is 16 bytes.
        unsafe { _mm_storeu_si128(lanes.as_mut_ptr().cast(), *four) };
        rescale.four(&lanes, pixel, first + 4 * g);
    }
}

/// Dense layer: each of eight outputs keeps four partial sums in a register.
#[target_feature(enable = "sse4.1")]
pub(super) fn dense(job: Dense<'_>) {
    let Dense { input, bytes, sums } = job;
    for (block, totals) in bytes.chunks_exact(ROWS * input.len()).zip(sums) {
        let mut pairs = [_mm_setzero_si128(); 4];
        for (weights, x) in block.chunks(ROWS * CHUNK).zip(input.chunks(CHUNK)) {
            // SAFETY: x is a multiple of 32 long and the weights eight times that, as `Checked` holds.
            add_wide(&mut pairs, unsafe { chunk(x.as_ptr(), weights.as_ptr(), x.len()) });
        }
        for (place, pair) in totals.as_chunks_mut::<2>().0.iter_mut().zip(pairs) {
            // SAFETY: two i64 are 16 bytes.
            unsafe { _mm_storeu_si128(place.as_mut_ptr().cast(), pair) };
        }
    }
}

/// Adds the partial sums of eight outputs, four each, to their totals of 64 bits.
#[target_feature(enable = "sse4.1")]
#[inline]
pub(super) fn add_wide(totals: &mut [__m128i; 4], partial: [__m128i; ROWS]) {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = partial;
    let low = _mm_hadd_epi32(_mm_hadd_epi32(s0, s1), _mm_hadd_epi32(s2, s3));
    let high = _mm_hadd_epi32(_mm_hadd_epi32(s4, s5), _mm_hadd_epi32(s6, s7));
    let pairs = [low, _mm_srli_si128::<8>(low), high, _mm_srli_si128::<8>(high)];
    for (total, pair) in totals.iter_mut().zip(pairs) {
        *total = _mm_add_epi64(*total, _mm_cvtepi32_epi64(pair));
    }
}

/// [`eight::chunk`] for Miri, which knows no assembly.
///
/// # Safety
/// `length` is a multiple of 32; that many elements can be read from `x` and eight times as many bytes from `w`.
#[cfg(miri)]
#[target_feature(enable = "sse4.1")]
unsafe fn chunk(x: *const i16, w: *const u8, length: usize) -> [__m128i; ROWS] {
    let mut sums = [_mm_setzero_si128(); ROWS];
    for i in (0..length).step_by(8) {
        // SAFETY: i + 8 inputs are at most `length`.
        let inputs = unsafe { _mm_loadu_si128(x.add(i).cast()) };
        for (row, sum) in sums.iter_mut().enumerate() {
            // SAFETY: as above, for eight weights each of eight rows.
            let weights = unsafe { _mm_loadl_epi64(w.add(8 * (i + row)).cast()) };
            *sum = _mm_add_epi32(*sum, _mm_madd_epi16(_mm_cvtepi8_epi16(weights), inputs));
        }
    }
    sums
}
