//! The memory that vision keeps from frame to frame, so that a frame allocates nothing of ours after the first.

use super::decode::Jpeg;
use super::error::Camera;
use super::shrink::Shrinker;
use crate::domain::{Gray, Preparation, Rgb};

/// What of a picture was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Made {
    /// All its pixels, in colour or its brightness alone.
    #[default]
    Whole,
    /// The 160x120 grey that the recipe wants, and nothing else.
    Small,
}

/// One picture's pixels.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) made: Made,
    pub(super) rgb: Rgb,
    pub(super) gray: Gray,
    pub(super) small: Gray,
}

/// Buffers and plans, reused. Make one and keep it; it grows to the largest frame that it has seen.
#[derive(Debug, Default)]
pub struct Workspace {
    pub(super) left: Decoded,
    pub(super) right: Decoded,
    pub(super) jpeg: Jpeg,
    /// Channels and preparation of what was decoded and not observed yet.
    pub(super) ready: Option<(usize, Preparation)>,
    pub(super) shrinker: Shrinker,
}

impl Workspace {
    /// An empty one; the first frame fills it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The colours of a camera's picture as `decode` left them, at the camera's size. Unspecified after an error, where the
    /// recipe was [`Preparation::Luma`], and for a JPEG of 640x480 where it was [`Preparation::Stock`]: most of its
    /// pixels are never made then.
    #[must_use]
    pub fn colours(&self, camera: Camera) -> &Rgb {
        &self.decoded(camera).rgb
    }

    /// The brightness of a camera's picture as `decode` left it, at the camera's size, where the recipe was
    /// [`Preparation::Luma`]. Unspecified after an error, and for a JPEG of 640x480.
    #[must_use]
    pub fn brightness(&self, camera: Camera) -> &Gray {
        &self.decoded(camera).gray
    }

    fn decoded(&self, camera: Camera) -> &Decoded {
        match camera {
            Camera::Left => &self.left,
            Camera::Right => &self.right,
        }
    }

    /// Makes the 160x120 pixels of a decoded picture, unless decoding made them.
    pub(super) fn shrink(&mut self, camera: Camera, preparation: Preparation, stereo: bool) -> &[u8] {
        let Decoded { made, rgb, gray, small } = match camera {
            Camera::Left => &mut self.left,
            Camera::Right => &mut self.right,
        };
        match (*made, preparation) {
            (Made::Small, _) => {}
            (Made::Whole, Preparation::Luma) => self.shrinker.gray(gray, small),
            (Made::Whole, Preparation::Stock | Preparation::AsTrained) => {
                self.shrinker.rgb(rgb, preparation, stereo, small);
            }
        }
        small.pixels()
    }
}
