//! Decoded pictures. One invariant: the bytes fill width x height exactly; checked here and nowhere else.

use super::frame::Size;

/// An 8-bit grey picture, rows top to bottom, no padding.
#[derive(Clone, Debug, Default)]
pub struct Gray {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

/// An 8-bit RGB picture, three bytes a pixel in the order R, G, B, rows top to bottom, no padding.
#[derive(Clone, Debug, Default)]
pub struct Rgb {
    width: usize,
    height: usize,
    pixels: Vec<u8>,
}

macro_rules! picture {
    ($name:ident, $channels:literal) => {
        impl $name {
            /// Bytes per pixel.
            pub const CHANNELS: usize = $channels;

            /// Wraps pixels; `None` where their number is not width x height x channels.
            #[must_use]
            pub fn new(size: Size, pixels: Vec<u8>) -> Option<Self> {
                let (width, height) = (size.width as usize, size.height as usize);
                (pixels.len() == width * height * $channels).then_some(Self { width, height, pixels })
            }

            /// Makes this a picture of `width` x `height`, keeping its memory; the content is unspecified.
            /// Allocates only when it grows.
            pub fn reshape(&mut self, width: usize, height: usize) {
                self.width = width;
                self.height = height;
                self.pixels.resize(width * height * $channels, 0);
            }

            /// Pixels in a row.
            #[must_use]
            pub const fn width(&self) -> usize {
                self.width
            }

            /// Rows.
            #[must_use]
            pub const fn height(&self) -> usize {
                self.height
            }

            /// All bytes, row by row.
            #[must_use]
            pub fn pixels(&self) -> &[u8] {
                &self.pixels
            }

            /// All bytes, to be overwritten.
            pub fn pixels_mut(&mut self) -> &mut [u8] {
                &mut self.pixels
            }
        }
    };
}

picture!(Gray, 1);
picture!(Rgb, 3);
