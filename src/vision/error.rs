//! The room's refusals: which input of the frame is at fault, what was seen and what is wanted.

use std::fmt;

use thiserror::Error;

use super::damage::Damage;

/// Whose picture it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Camera {
    /// The left camera, or the only one.
    Left,
    /// The right camera of a stereo car.
    Right,
}

impl fmt::Display for Camera {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Left => "left camera",
            Self::Right => "right camera",
        })
    }
}

/// Why a frame does not become an observation.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum VisionError {
    /// One picture cannot be used.
    #[error("{camera}: {why}")]
    Picture {
        /// Whose.
        camera: Camera,
        /// What is wrong with it.
        why: Damage,
    },
    /// The recipe is stereo, the frame is not.
    #[error("right camera: the frame has no picture of it, wanted both cameras for STEREO_CAMERAS")]
    NoRightCamera,
    /// The LiDAR values are not as many as the policy takes.
    #[error("the frame has {saw} LiDAR values, the policy wants {wanted}")]
    Ranges {
        /// Values in the frame.
        saw: usize,
        /// Values that the recipe asks for.
        wanted: usize,
    },
    /// A LiDAR value is not a number or is infinite.
    #[error("LiDAR value {index} is {saw}, wanted a finite number")]
    RangeNotFinite {
        /// Its place, from 0.
        index: usize,
        /// The value.
        saw: f32,
    },
    /// The second stage was called without the first.
    #[error("no decoded picture for this recipe: decode must succeed before observe, once for each frame")]
    NotDecoded,
}
