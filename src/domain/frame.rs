//! A frame: what the sensors said at one capture. Borrowed from its source; nothing here decodes it.

use crate::units::Instant;

/// The number of a frame in its source; gaps are frames that the source lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct FrameSeq(pub u64);

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels in a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

/// How a picture's bytes are to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// One JPEG image, with or without its Huffman tables; the size is inside.
    Mjpeg,
    /// Packed 4:2:2, bytes Y0 U Y1 V, two bytes a pixel, no padding; video-range BT.601, as OpenCV reads
    /// it (black is 16, white 235).
    Yuyv(Size),
}

/// One camera's bytes.
#[derive(Clone, Copy, Debug)]
pub struct Picture<'a> {
    /// How to read them.
    pub format: PixelFormat,
    /// As the camera delivered them.
    pub bytes: &'a [u8],
}

/// Everything that the sensors delivered for one tick.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'a> {
    /// Its number in the source.
    pub seq: FrameSeq,
    /// When the picture was taken, on the monotonic axis.
    pub captured_at: Instant,
    /// The left camera, or the only one.
    pub left: Picture<'a>,
    /// The right camera of a stereo car.
    pub right: Option<Picture<'a>>,
    /// LiDAR values as the network eats them (64 distances in metres or 8 sectors); empty without LiDAR.
    pub ranges: &'a [f32],
}
