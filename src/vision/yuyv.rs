//! Packed YUYV to RGB or to brightness alone, as OpenCV converts it for the stock path: BT.601 with video range
//! (black is 16, white 235), fixed point with 20 bits, rounded and clipped. One chroma pair serves two pixels.

use super::damage::Damage;
use crate::domain::{Gray, Rgb, Size};

/// 1.164, 1.596, -0.813, -0.391 and 2.018 in 20 bits, as OpenCV rounds them.
const LUMA: i32 = 1_220_542;
const RED_V: i32 = 1_673_527;
const GREEN_V: i32 = -852_492;
const GREEN_U: i32 = -409_993;
const BLUE_U: i32 = 2_116_026;
const HALF: i32 = 1 << 19;

/// Refuses what is not two bytes for each of `size`'s pixels, an even number of them in a row.
pub(super) fn check(bytes: &[u8], size: Size) -> Result<(), Damage> {
    let Size { width, height } = size;
    if width % 2 != 0 {
        return Err(Damage::OddWidth { width });
    }
    let wanted = width as usize * height as usize * 2;
    if bytes.len() != wanted {
        return Err(Damage::Length { saw: bytes.len(), wanted, width, height });
    }
    Ok(())
}

/// Converts checked bytes; `rgb` has the same size.
pub(super) fn to_rgb(bytes: &[u8], rgb: &mut Rgb) {
    let pixels = rgb.pixels_mut().as_chunks_mut::<6>().0;
    for ([y0, u, y1, v], [r0, g0, b0, r1, g1, b1]) in bytes.as_chunks::<4>().0.iter().zip(pixels) {
        let (u, v) = (i32::from(*u) - 128, i32::from(*v) - 128);
        let (red, green, blue) = (RED_V * v, GREEN_V * v + GREEN_U * u, BLUE_U * u);
        let (first, second) = (scaled(*y0), scaled(*y1));
        (*r0, *g0, *b0) = (clip(first + red), clip(first + green), clip(first + blue));
        (*r1, *g1, *b1) = (clip(second + red), clip(second + green), clip(second + blue));
    }
}

/// The brightness alone, in the same range as RGB: black 16 becomes 0 and white 235 becomes 255.
pub(super) fn to_luma(bytes: &[u8], gray: &mut Gray) {
    for ([y, _], level) in bytes.as_chunks::<2>().0.iter().zip(gray.pixels_mut()) {
        *level = clip(scaled(*y));
    }
}

fn scaled(y: u8) -> i32 {
    (i32::from(y) - 16).max(0) * LUMA
}

#[expect(clippy::cast_sign_loss, reason = "clipped to 0..=255 first")]
fn clip(value: i32) -> u8 {
    ((value + HALF) >> 20).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::{check, to_luma};
    use crate::domain::{Gray, Size};
    use crate::vision::Damage;

    #[test]
    fn lengths_and_widths_are_checked() {
        let size = Size { width: 4, height: 2 };
        assert_eq!(check(&[0; 16], size), Ok(()));
        for saw in [0, 15, 17] {
            assert_eq!(
                check(&vec![0; saw], size),
                Err(Damage::Length { saw, wanted: 16, width: 4, height: 2 })
            );
        }
        assert_eq!(check(&[0; 6], Size { width: 3, height: 1 }), Err(Damage::OddWidth { width: 3 }));
    }

    #[test]
    fn luma_spans_the_whole_range() {
        let mut gray = Gray::default();
        gray.reshape(4, 1);
        to_luma(&[0, 9, 16, 9, 235, 9, 255, 9], &mut gray);
        assert_eq!(gray.pixels(), [0, 0, 255, 255]);
    }
}
