//! The inner loops, in SSE3 assembly; of two trials, the one with intrinsics took an eighth more instructions for a
//! whole network. Both loops keep all accumulators in registers and read panels of any alignment. Where SSE3 is
//! missing, and under Miri, the plain loop of `fused` runs instead, to the same bits. Refused: nothing; the panels'
//! lengths are the caller's word.

#![expect(unsafe_code, reason = "assembly through pointers that tract vouches for")]

use std::arch::asm;

use super::fused::{self, Tile};

/// Whether the loops below can run here.
fn sse3() -> bool {
    !cfg!(miri) && std::arch::is_x86_feature_detected!("sse3")
}

/// One step of `k` in 8x4: 32 multiply-accumulates in 25 instructions, of which 2 shuffle. Two columns are taken
/// at once, as (b0 b1 b0 b1) and as (b1 b0 b1 b0); that takes one shuffle per two columns instead of one for each.
/// The accumulators of such a pair have their odd rows exchanged (see `exchange`).
macro_rules! matrix_step {
    ($a:literal, $b:literal) => {
        concat!(
            "movups xmm8, [{a} + 2 * {at} + ",
            $a,
            "]\n",
            "movups xmm9, [{a} + 2 * {at} + ",
            $a,
            " + 16]\n",
            "movddup xmm10, qword ptr [{b} + {at} + ",
            $b,
            "]\n",
            "movddup xmm11, qword ptr [{b} + {at} + ",
            $b,
            " + 8]\n",
            "pshufd xmm12, xmm10, 0xb1\n",
            "pshufd xmm13, xmm11, 0xb1\n",
            "movaps xmm14, xmm10\nmulps xmm14, xmm8\naddps xmm0, xmm14\n",
            "mulps xmm10, xmm9\naddps xmm1, xmm10\n",
            "movaps xmm15, xmm12\nmulps xmm15, xmm8\naddps xmm2, xmm15\n",
            "mulps xmm12, xmm9\naddps xmm3, xmm12\n",
            "movaps xmm14, xmm11\nmulps xmm14, xmm8\naddps xmm4, xmm14\n",
            "mulps xmm11, xmm9\naddps xmm5, xmm11\n",
            "mulps xmm8, xmm13\naddps xmm6, xmm8\n",
            "mulps xmm9, xmm13\naddps xmm7, xmm9\n",
        )
    };
}

/// Exchanges the odd rows of the first column with those of the second, and of the third with those of the fourth.
/// Once before the loop, once after it.
macro_rules! exchange {
    () => {
        concat!(
            // Ones in lanes 1 and 3.
            "pcmpeqd xmm8, xmm8\npsllq xmm8, 32\n",
            exchange!("xmm9", "xmm0", "xmm2"),
            exchange!("xmm10", "xmm1", "xmm3"),
            exchange!("xmm9", "xmm4", "xmm6"),
            exchange!("xmm10", "xmm5", "xmm7"),
        )
    };
    ($spare:literal, $x:literal, $y:literal) => {
        concat!(
            "movaps ", $spare, ", ", $x, "\nxorps ", $spare, ", ", $y, "\nandps ", $spare, ", xmm8\n",
            "xorps ", $x, ", ", $spare, "\nxorps ", $y, ", ", $spare, "\n",
        )
    };
}

/// One step of `k` in 32x1, with the vector's element in all lanes of xmm13: 32 multiply-accumulates
/// in 24 instructions.
macro_rules! vector_step {
    ($a:literal) => {
        concat!(
            vector_step!("xmm0", "xmm14", $a, 0),
            vector_step!("xmm1", "xmm15", $a, 16),
            vector_step!("xmm2", "xmm14", $a, 32),
            vector_step!("xmm3", "xmm15", $a, 48),
            vector_step!("xmm4", "xmm14", $a, 64),
            vector_step!("xmm5", "xmm15", $a, 80),
            vector_step!("xmm6", "xmm14", $a, 96),
            vector_step!("xmm7", "xmm15", $a, 112),
        )
    };
    ($into:literal, $product:literal, $a:literal, $row:literal) => {
        concat!(
            "movups ",
            $product,
            ", [{a} + {at} + ",
            $a,
            " + ",
            $row,
            "]\n",
            "mulps ",
            $product,
            ", xmm13\n",
            "addps ",
            $into,
            ", ",
            $product,
            "\n",
        )
    };
}

/// Moves the eight accumulators between xmm0 to xmm7 and memory.
macro_rules! accumulators {
    (load) => {
        "movups xmm0, [{tile}]\nmovups xmm1, [{tile} + 16]\nmovups xmm2, [{tile} + 32]\nmovups xmm3, [{tile} + 48]\n\
         movups xmm4, [{tile} + 64]\nmovups xmm5, [{tile} + 80]\nmovups xmm6, [{tile} + 96]\nmovups xmm7, [{tile} + 112]"
    };
    (store) => {
        "movups [{tile}], xmm0\nmovups [{tile} + 16], xmm1\nmovups [{tile} + 32], xmm2\nmovups [{tile} + 48], xmm3\n\
         movups [{tile} + 64], xmm4\nmovups [{tile} + 80], xmm5\nmovups [{tile} + 96], xmm6\nmovups [{tile} + 112], xmm7"
    };
}

/// [`fused::Multiply`] for 8x4.
///
/// # Safety
/// Both panels are whole.
pub(super) unsafe fn matrix(k: usize, a: *const u8, b: *const u8, tile: &mut Tile<8, 4>) {
    if !sse3() {
        // SAFETY: the same condition.
        return unsafe { fused::multiply(k, a, b, tile) };
    }
    // Bytes of `b` that are taken four records at a time.
    let whole = k / 4 * 64;
    // SAFETY: `at` runs from -whole to 0 and on through the rest: every read is of one of the `k` records of 32 bytes
    // at `a` and of 16 bytes at `b`, which the caller promises. Written: the 128 bytes of `tile`. SSE3
    // was found above. Nothing is pushed.
    unsafe {
        asm!(
            accumulators!(load),
            exchange!(),
            "test {at}, {at}",
            "jz 3f",
            "2:",
            matrix_step!(0, 0),
            matrix_step!(32, 16),
            matrix_step!(64, 32),
            matrix_step!(96, 48),
            "add {at}, 64",
            "jnz 2b",
            "3:",
            "test {rest}, {rest}",
            "jz 5f",
            "4:",
            matrix_step!(0, 0),
            "add {at}, 16",
            "dec {rest}",
            "jnz 4b",
            "5:",
            exchange!(),
            accumulators!(store),
            a = in(reg) a.add(2 * whole),
            b = in(reg) b.add(whole),
            at = inout(reg) whole.wrapping_neg() => _,
            rest = inout(reg) k % 4 => _,
            tile = in(reg) tile.as_mut_ptr(),
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack),
        );
    }
}

/// [`fused::Multiply`] for 32x1.
///
/// # Safety
/// Both panels are whole.
pub(super) unsafe fn vector(k: usize, a: *const u8, b: *const u8, tile: &mut Tile<32, 1>) {
    if !sse3() {
        // SAFETY: the same condition.
        return unsafe { fused::multiply(k, a, b, tile) };
    }
    // Bytes of `a` that are taken four records at a time.
    let whole = k / 4 * 512;
    // SAFETY: as in `matrix`, with records of 128 bytes at `a`, and `b` moved on by 4 bytes with each of them; `tile`
    // is 128 bytes itself.
    unsafe {
        asm!(
            accumulators!(load),
            "test {at}, {at}",
            "jz 3f",
            "2:",
            "movups xmm12, [{b}]",
            "pshufd xmm13, xmm12, 0x00",
            vector_step!(0),
            "pshufd xmm13, xmm12, 0x55",
            vector_step!(128),
            "pshufd xmm13, xmm12, 0xaa",
            vector_step!(256),
            "pshufd xmm13, xmm12, 0xff",
            vector_step!(384),
            "add {b}, 16",
            "add {at}, 512",
            "jnz 2b",
            "3:",
            "test {rest}, {rest}",
            "jz 5f",
            "4:",
            "movss xmm13, dword ptr [{b}]",
            "shufps xmm13, xmm13, 0",
            vector_step!(0),
            "add {b}, 4",
            "add {at}, 128",
            "dec {rest}",
            "jnz 4b",
            "5:",
            accumulators!(store),
            a = in(reg) a.add(whole),
            b = inout(reg) b => _,
            at = inout(reg) whole.wrapping_neg() => _,
            rest = inout(reg) k % 4 => _,
            tile = in(reg) tile.as_mut_ptr(),
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(nostack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{Tile, fused, matrix, vector};

    /// Floats of all kinds from a linear congruential generator, among them NaN, infinities, both zeros and subnormals.
    fn draw(seed: &mut u64, specials: bool) -> f32 {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let bits = (*seed >> 32) as u32;
        match bits % 61 {
            0 if specials => f32::NAN,
            1 if specials => f32::INFINITY,
            2 => -0.0,
            3 => f32::from_bits(bits >> 10),
            _ => f32::from_bits((bits & 0x807f_ffff) | ((120 + bits % 13) << 23)),
        }
    }

    /// The bits, where one NaN is as good as another.
    fn bits(tile: &[f32]) -> Vec<u32> {
        tile.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
    }

    fn agrees<const R: usize, const C: usize>(loop_under_test: fused::Multiply<R, C>) {
        let mut seed = 7;
        for k in (0..70).chain([511, 512, 1023]) {
            // One float further in: no panel is aligned.
            let [a, b] = [R, C].map(|w| (0..=k * w).map(|_| draw(&mut seed, k % 7 == 1)).collect::<Vec<_>>());
            let start: Tile<R, C> = [(); C].map(|()| [(); R].map(|()| draw(&mut seed, false)));
            let (mut got, mut portable, mut naive) = (start, start, start);
            // SAFETY: after the first float, `a` holds `k` records of R floats and `b` of C.
            unsafe {
                loop_under_test(k, a[1..].as_ptr().cast(), b[1..].as_ptr().cast(), &mut got);
                fused::multiply(k, a[1..].as_ptr().cast(), b[1..].as_ptr().cast(), &mut portable);
            }
            for column in 0..C {
                for row in 0..R {
                    for step in 0..k {
                        let product = a[1 + step * R + row] * b[1 + step * C + column];
                        naive[column][row] += product;
                    }
                }
            }
            assert_eq!(bits(got.as_flattened()), bits(naive.as_flattened()), "k = {k}");
            assert_eq!(bits(portable.as_flattened()), bits(naive.as_flattened()), "k = {k}, portable");
        }
    }

    #[test]
    fn eight_by_four_has_the_bits_of_the_naive_loop() {
        agrees::<8, 4>(matrix);
    }

    #[test]
    fn thirty_two_by_one_has_the_bits_of_the_naive_loop() {
        agrees::<32, 1>(vector);
    }
}
