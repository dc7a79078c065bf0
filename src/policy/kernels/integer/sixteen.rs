//! The SSE4.1 convolution of sixteen channels, in assembly: an inner step of 101 instructions for 256 products, 2.53 each
//! of the 2.67 that SSE allows. From intrinsics the compiler makes 116, since it copies operands that could be used up,
//! and multiplies 64 bits by 64 in the rescale.
//!
//! `pmaddwd` overwrites one of its operands, so that a product of eight elements costs three instructions: make the
//! operand, multiply, add. Here the operand is a weight, its copy for the second pixel, or, for the last group of four
//! channels, the spread pair itself, which is used up with it. That makes 22 loads for 32 `pmaddwd`: a CPU that does one of
//! each a cycle waits for neither.

#![expect(unsafe_code, reason = "assembly through pointers that the callers have checked")]

use std::arch::asm;
use std::mem::offset_of;

use super::conv::{Block, Checked, Lane};
use super::rescale::Rescale;
use super::windows::Windows;

/// What the assembly reads beside input and weights; the numbers in it are offsets into this.
#[repr(C, align(16))]
struct Frame {
    /// 0: added to the sums of channels 0 to 15.
    bias: [i32; 16],
    /// 64: multipliers; of each pair of channels the first is used here..
    even: [i32; 16],
    /// 128: ..and the second here, where it stands first.
    odd: [i32; 16],
    /// 192: half of what the shift divides by.
    round: [i64; 2],
    /// 208: the shift less 32, as `psrad` takes it.
    shift: [u64; 2],
    /// 224 and 240: the clamp.
    low: [i16; 8],
    high: [i16; 8],
    /// 256: passes over the inner loop.
    passes: usize,
    /// 264: bytes from one pass to the next.
    pitch: usize,
    /// 272: minus the bytes that a pass moves over, in all its steps.
    span: usize,
    /// 280: bytes from one step to the next.
    step: usize,
}

const _: () = assert!(
    offset_of!(Frame, odd) == 128
        && offset_of!(Frame, round) == 192
        && offset_of!(Frame, high) == 240
        && offset_of!(Frame, passes) == 256
        && offset_of!(Frame, step) == 280
);

impl Frame {
    fn new(rescale: &Rescale, first: usize, windows: &Windows) -> Self {
        let channels = |all: &[i32], from: usize| {
            let mut lanes = [0; 16];
            let from = all.get(from..).unwrap_or_default();
            lanes.iter_mut().zip(from).for_each(|(lane, value)| *lane = *value);
            lanes
        };
        let bytes = |elements: usize| elements.wrapping_mul(2);
        let (taps, run, pitch) = (windows.taps, windows.run, windows.pitch);
        // Runs of eight elements make one pass, with steps a pitch apart.
        let (passes, span, step) = match (taps, run) {
            (2.., 8) if pitch > 0 => (1, bytes(pitch).wrapping_mul(taps), bytes(pitch)),
            _ => (taps, bytes(run), bytes(8)),
        };
        Self {
            bias: channels(&rescale.bias, first),
            even: channels(&rescale.multiplier, first),
            odd: channels(&rescale.multiplier, first + 1),
            round: [1 << (rescale.shift - 1); 2],
            shift: [u64::from(rescale.shift - 32), 0],
            low: [rescale.low; 8],
            high: [rescale.high; 8],
            passes,
            pitch: bytes(pitch),
            span: span.wrapping_neg(),
            step,
        }
    }
}

/// Sixteen channels of all pixels, two pixels at a time; the last of an odd number is computed and written twice.
///
/// The rescale's shift is 32 or more: the upper halves of the products hold the result.
#[target_feature(enable = "sse4.1")]
pub(super) fn conv(job: &mut Checked<'_>, block: &Block<'_>) {
    let frame = Frame::new(job.rescale, block.first, job.windows);
    let channels = job.weights.channels();
    let ends = job.input.as_ptr().wrapping_byte_sub(frame.span);
    let middle = block.lanes.as_ptr().wrapping_add(8);
    let mut place = job.output.as_mut_ptr().wrapping_add(block.first);
    let mut walk = job.walk();
    while let Some(one) = walk.next() {
        let (two, second) = match walk.next() {
            Some(two) => (two, place.wrapping_add(channels)),
            None => (one, place),
        };
        // SAFETY: `Checked` holds that `taps` runs can be read from each window of the walk, that `output` has `channels`
        // elements for each of them, and `blocks` that the sixteen channels lie among those and the lanes are theirs.
        unsafe { two_pixels(&frame, ends.wrapping_add(one), ends.wrapping_add(two), middle, place, second) };
        place = second.wrapping_add(channels);
    }
}

/// One pair of elements of both pixels: which of the four (as `pshufd` writes it), and where its weights lie relative to
/// the middle of the step's 256 bytes, which keeps every displacement in one byte.
#[rustfmt::skip]
macro_rules! pair {
    ($pick:literal, $w0:literal, $w1:literal, $w2:literal, $w3:literal) => {
        concat!(
            "pshufd xmm2, xmm0, ", $pick,
            "\npshufd xmm3, xmm1, ", $pick,
            weights!("xmm4", "xmm5", "xmm8", "xmm12", $w0),
            weights!("xmm6", "xmm7", "xmm9", "xmm13", $w1),
            weights!("xmm4", "xmm5", "xmm10", "xmm14", $w2),
            "\npmaddwd xmm2, [rdx + ", $w3, "]",
            "\npaddd xmm11, xmm2",
            "\npmaddwd xmm3, [rdx + ", $w3, "]",
            "\npaddd xmm15, xmm3",
        )
    };
}

/// Weights of four channels by the pair, for both pixels.
#[rustfmt::skip]
macro_rules! weights {
    ($one:literal, $two:literal, $p:literal, $q:literal, $at:literal) => {
        concat!(
            "\nmovdqa ", $one, ", [rdx + ", $at, "]",
            "\nmovdqa ", $two, ", ", $one,
            "\npmaddwd ", $one, ", xmm2",
            "\npaddd ", $p, ", ", $one,
            "\npmaddwd ", $two, ", xmm3",
            "\npaddd ", $q, ", ", $two,
        )
    };
}

/// Four channels times their multipliers, rounded and shifted: even channels in place, odd ones in xmm0, and the upper
/// halves of both put together. xmm4 holds the rounding, xmm5 the shift.
#[rustfmt::skip]
macro_rules! scale {
    ($sum:literal, $even:literal, $odd:literal) => {
        concat!(
            "pshufd xmm0, ", $sum, ", 0xf5",
            "\npmuldq ", $sum, ", [{frame} + ", $even, "]",
            "\npmuldq xmm0, [{frame} + ", $odd, "]",
            "\npaddq ", $sum, ", xmm4",
            "\npaddq xmm0, xmm4",
            "\npsrlq ", $sum, ", 32",
            "\npblendw ", $sum, ", xmm0, 0xcc",
            "\npsrad ", $sum, ", xmm5",
        )
    };
}

/// Eight channels to 16 bits, clamped (xmm6, xmm7) and written.
#[rustfmt::skip]
macro_rules! store {
    ($one:literal, $two:literal, $place:literal) => {
        concat!(
            "packssdw ", $one, ", ", $two,
            "\npmaxsw ", $one, ", xmm6",
            "\npminsw ", $one, ", xmm7",
            "\nmovdqu [", $place, "], ", $one,
        )
    };
}

/// Sums of two windows and sixteen channels in xmm8-11 and xmm12-15, from their biases to their activations.
///
/// # Safety
/// `frame` is of windows and weights that fit each other; the runs of two such windows can be read, and `a` and `b` lie a
/// span behind where these begin; `middle` is the eighth of the block's lanes; sixteen elements can be written to `p` and
/// to `q`.
#[target_feature(enable = "sse4.1")]
#[inline]
unsafe fn two_pixels(
    frame: &Frame,
    a: *const i16,
    b: *const i16,
    middle: *const Lane,
    p: *mut i16,
    q: *mut i16,
) {
    // SAFETY: in each pass rax goes from minus the span to 0, and rsi and rdi lie a span behind what the pass begins with:
    // each load is of the next eight elements of a run. rdx moves 256 bytes a step: 16 lanes, 8 on either side of it. All
    // other reads are from the frame, which like the lanes is aligned to 16; the writes are those that the caller allows.
    // The stack is not used.
    unsafe {
        asm!(
            "movdqa xmm8, [{frame}]",
            "movdqa xmm9, [{frame} + 16]",
            "movdqa xmm10, [{frame} + 32]",
            "movdqa xmm11, [{frame} + 48]",
            "movdqa xmm12, xmm8",
            "movdqa xmm13, xmm9",
            "movdqa xmm14, xmm10",
            "movdqa xmm15, xmm11",
            "mov rcx, [{frame} + 256]",
            "2:",
            "mov rax, [{frame} + 272]",
            "3:",
            "movdqu xmm0, [rsi + rax]",
            "movdqu xmm1, [rdi + rax]",
            pair!("0x00", "-128", "-112", "-96", "-80"),
            pair!("0x55", "-64", "-48", "-32", "-16"),
            pair!("0xaa", "0", "16", "32", "48"),
            pair!("0xff", "64", "80", "96", "112"),
            "add rdx, 256",
            "add rax, [{frame} + 280]",
            "jnz 3b",
            "add rsi, [{frame} + 264]",
            "add rdi, [{frame} + 264]",
            "dec rcx",
            "jnz 2b",
            "movdqa xmm4, [{frame} + 192]",
            "movdqa xmm5, [{frame} + 208]",
            "movdqa xmm6, [{frame} + 224]",
            "movdqa xmm7, [{frame} + 240]",
            scale!("xmm8", "64", "128"),
            scale!("xmm9", "80", "144"),
            scale!("xmm10", "96", "160"),
            scale!("xmm11", "112", "176"),
            scale!("xmm12", "64", "128"),
            scale!("xmm13", "80", "144"),
            scale!("xmm14", "96", "160"),
            scale!("xmm15", "112", "176"),
            store!("xmm8", "xmm9", "{p}"),
            store!("xmm10", "xmm11", "{p} + 16"),
            store!("xmm12", "xmm13", "{q}"),
            store!("xmm14", "xmm15", "{q} + 16"),
            frame = in(reg) frame,
            p = in(reg) p,
            q = in(reg) q,
            inout("rsi") a => _,
            inout("rdi") b => _,
            inout("rdx") middle => _,
            out("rcx") _, out("rax") _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack),
        );
    }
}
