//! Brightness and colour differences to red, green and blue, and the triangle by which halved colour is doubled: the
//! arithmetic of `zune-jpeg`'s scalar path, bit for bit. Numbers only; which pixels is not for this file.

/// Red, green and blue (0 to 255) of one pixel in 0 to 255 (JFIF: BT.601, full range): `(16384 Y + 22970 Cr + 8191) >> 14`,
/// `(16384 Y - 11700 Cr - 5638 Cb + 8191) >> 14`, `(16384 Y + 29032 Cb + 8191) >> 14`, with Cb and Cr about 128.
///
/// 16384 Y has no bits below the shift. The rest is done on the two halves of four times each product, in 16 bits, of which
/// one instruction takes eight pixels.
#[inline(always)]
#[expect(clippy::inline_always, reason = "one pixel of a loop over many")]
pub(super) fn rgb(y: i16, cb: i16, cr: i16) -> [i16; 3] {
    let (cb, cr) = (4 * (cb - 128), 4 * (cr - 128));
    // All four are even, so the lower halves are whole multiples of 8; for red and blue none lies on the half (8000).
    let red = upper(cr, 22970) + above_half(lower(cr, 22970));
    let blue = upper(cb, 29032) + above_half(lower(cb, 29032));
    let carry = ((lower(cr, -11700) >> 2) + (lower(cb, -5638) >> 2) + 8191) >> 14;
    let green = upper(cr, -11700) + upper(cb, -5638) + carry.cast_signed();
    [y + red, y + green, y + blue].map(|level| level.clamp(0, 255))
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "one pixel of a loop over many")]
fn upper(colour: i16, factor: i16) -> i16 {
    ((i32::from(colour) * i32::from(factor)) >> 16) as i16
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "one pixel of a loop over many")]
const fn lower(colour: i16, factor: i16) -> u16 {
    colour.wrapping_mul(factor).cast_unsigned()
}

#[inline(always)]
#[expect(clippy::inline_always, reason = "one pixel of a loop over many")]
const fn above_half(lower: u16) -> i16 {
    (lower >> 15).cast_signed()
}

/// Between two samples of halved colour: three parts of the nearer, one of the other.
#[inline(always)]
#[expect(clippy::inline_always, reason = "one sample of a loop over many")]
pub(super) const fn between(near: i16, far: i16) -> i16 {
    (3 * near + far + 2) >> 2
}

#[cfg(test)]
mod tests {
    use super::rgb;

    #[test]
    fn every_colour_difference_gives_the_formula() {
        for y in [0, 1, 77, 128, 255] {
            for cb in 0..=255_i16 {
                for cr in 0..=255_i16 {
                    let [luma, u, v] = [i32::from(y) << 14, i32::from(cb) - 128, i32::from(cr) - 128];
                    let wanted = [
                        luma + 22970 * v + 8191,
                        luma - 11700 * v - 5638 * u + 8191,
                        luma + 29032 * u + 8191,
                    ]
                    .map(|sum| (sum >> 14).clamp(0, 255));
                    assert_eq!(rgb(y, cb, cr).map(i32::from), wanted, "{y} {cb} {cr}");
                }
            }
        }
    }
}
