//! The inner loop of the SSE4.1 dense layer, in assembly: 105 instructions for 256 products, two of them requests to memory.
//! From intrinsics the compiler makes 107 without the requests, since it runs out of registers, and gives `pmovsxbw`
//! registers above 7, whose longer prefix some Atoms decode slowly.
//!
//! The Atom's own prefetcher follows the one stream of weights, but stops at every 4 KiB. One request for every second
//! cache line, 1 KiB ahead, carries it over for 1.9 % more instructions.

#![expect(unsafe_code, reason = "assembly through pointers that the caller has checked")]

use std::arch::asm;
use std::arch::x86_64::{__m128i, _mm_setzero_si128};

use super::dense::ROWS;

/// Eight inputs by their weights of eight outputs: where the inputs lie from rsi + rax, and each output's weights from rdx.
macro_rules! eight {
    ($x:literal, $($register:literal, $sum:literal, $w:literal),*) => {
        concat!(
            "movdqu xmm0, [rsi + rax + ", $x, "]",
            $(
                "\npmovsxbw ", $register, ", [rdx + ", $w, "]",
                "\npmaddwd ", $register, ", xmm0",
                "\npaddd ", $sum, ", ", $register,
            )*
        )
    };
}

/// Products of up to 2,048 inputs with eight outputs: four partial sums of each.
///
/// # Safety
/// `length` is a positive multiple of 32; that many elements can be read from `x` and eight times as many bytes from `w`.
#[target_feature(enable = "sse4.1")]
#[inline]
pub(super) unsafe fn chunk(x: *const i16, w: *const u8, length: usize) -> [__m128i; ROWS] {
    let [mut s0, mut s1, mut s2, mut s3, mut s4, mut s5, mut s6, mut s7] = [_mm_setzero_si128(); ROWS];
    // SAFETY: rax runs from minus the bytes of the inputs to 0 in steps of 64, relative to their end; rdx moves 256 bytes
    // with it and stands in the middle of the 256 that are read. Requests to memory read nothing. Nothing is written.
    unsafe {
        asm!(
            "2:",
            "prefetcht0 [rdx + 1024]",
            "prefetcht0 [rdx + 1152]",
            eight!("0", "xmm1", "xmm8", "-128", "xmm2", "xmm9", "-120", "xmm3", "xmm10", "-112", "xmm4", "xmm11", "-104",
                "xmm5", "xmm12", "-96", "xmm6", "xmm13", "-88", "xmm7", "xmm14", "-80", "xmm1", "xmm15", "-72"),
            eight!("16", "xmm2", "xmm8", "-64", "xmm3", "xmm9", "-56", "xmm4", "xmm10", "-48", "xmm5", "xmm11", "-40",
                "xmm6", "xmm12", "-32", "xmm7", "xmm13", "-24", "xmm1", "xmm14", "-16", "xmm2", "xmm15", "-8"),
            eight!("32", "xmm3", "xmm8", "0", "xmm4", "xmm9", "8", "xmm5", "xmm10", "16", "xmm6", "xmm11", "24",
                "xmm7", "xmm12", "32", "xmm1", "xmm13", "40", "xmm2", "xmm14", "48", "xmm3", "xmm15", "56"),
            eight!("48", "xmm4", "xmm8", "64", "xmm5", "xmm9", "72", "xmm6", "xmm10", "80", "xmm7", "xmm11", "88",
                "xmm1", "xmm12", "96", "xmm2", "xmm13", "104", "xmm3", "xmm14", "112", "xmm4", "xmm15", "120"),
            "add rdx, 256",
            "add rax, 64",
            "jnz 2b",
            in("rsi") x.wrapping_add(length),
            inout("rax") length.wrapping_mul(2).wrapping_neg() => _,
            inout("rdx") w.wrapping_add(128) => _,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            inout("xmm8") s0, inout("xmm9") s1, inout("xmm10") s2, inout("xmm11") s3,
            inout("xmm12") s4, inout("xmm13") s5, inout("xmm14") s6, inout("xmm15") s7,
            options(pure, readonly, nostack),
        );
    }
    [s0, s1, s2, s3, s4, s5, s6, s7]
}
