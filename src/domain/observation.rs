//! What the policy eats: the exact values of its tensors, made once per frame in memory that is kept.

/// Columns of a camera observation.
pub const WIDTH: usize = 160;
/// Rows of a camera observation.
pub const HEIGHT: usize = 120;

/// One frame as numbers. Cameras: grey 0..=255 as `f32`, NHWC `[1, 120, 160, channels]`, not divided by
/// 255 (the graph does that, car.md §3.1). LiDAR: as the frame delivered it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Observation {
    /// `120 * 160 * channels` values.
    pub camera: Vec<f32>,
    /// 1, or 2 for stereo (channel 0 is left).
    pub channels: usize,
    /// 64 or 8 values, or none.
    pub ranges: Vec<f32>,
}
