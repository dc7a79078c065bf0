//! The memory that vision keeps from frame to frame, so that a frame allocates nothing of ours after the first.

use super::decode::Jpeg;
use super::error::Camera;
use super::shrink::Shrinker;
use crate::domain::{Gray, Preparation, Rgb};

/// One picture's pixels: in colour, or its brightness alone.
#[derive(Debug, Default)]
pub(super) struct Decoded {
    pub(super) rgb: Rgb,
    pub(super) gray: Gray,
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
    pub(super) small: Gray,
}

impl Workspace {
    /// An empty one; the first frame fills it.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The colours of a camera's picture as `decode` left them, at the camera's size, unless the recipe was
    /// [`Preparation::Luma`]. Unspecified after an error.
    #[must_use]
    pub fn colours(&self, camera: Camera) -> &Rgb {
        &self.decoded(camera).rgb
    }

    /// The brightness of a camera's picture as `decode` left it, at the camera's size, where the recipe was
    /// [`Preparation::Luma`]. Unspecified after an error.
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

    /// Makes `small` of a decoded picture and returns its 160x120 pixels.
    pub(super) fn shrink(&mut self, camera: Camera, preparation: Preparation, stereo: bool) -> &[u8] {
        let from = match camera {
            Camera::Left => &self.left,
            Camera::Right => &self.right,
        };
        match preparation {
            Preparation::Luma => self.shrinker.gray(&from.gray, &mut self.small),
            Preparation::Stock | Preparation::AsTrained => {
                self.shrinker.rgb(&from.rgb, preparation, stereo, &mut self.small);
            }
        }
        self.small.pixels()
    }
}
