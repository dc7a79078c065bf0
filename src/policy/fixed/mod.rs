//! The fixed-point plan (L2): a network in integers, with the same bits on every CPU. Made at import from the float
//! network and frames to calibrate on; runs as one operator of tract's plan. Refuses what it cannot prove.
//!
//! The arithmetic, for all there is to reproduce:
//! - an activation is an `i16` of at most [`TOP`]; a camera's pixel is itself, 0..=255; what else comes in as `f32` is
//!   `round(x / step)`, clamped;
//! - a layer sums `i16` (convolutions and small dense layers) or `i8` weights (large dense layers) times activations, exactly:
//!   the weights of a channel are scaled so that bias and every partial sum stay within `i32` for any input, which is
//!   checked again at every load ([`proof`]);
//! - a sum becomes an activation by `clamp((sum * multiplier + 2^(shift-1)) >> shift)` in 64 bits;
//! - the last layer's sums times one `f64` per output are the network's raw outputs; a softmax over them is
//!   `exp(x - max) / sum`, in `f64`, from the first output to the last, with `libm`'s `exp`.

pub mod buffers;
pub mod build;
pub mod calibrate;
pub mod crew;
pub mod file;
pub mod graph;
pub mod head;
pub mod network;
pub mod operator;
pub mod outline;
pub mod parts;
pub mod proof;

mod contract;
mod strides;
mod value;

/// The largest activation: 13 bits. With `i8` weights, 2,048 products stay within `i32`.
pub const TOP: i16 = 8191;

/// The largest value of a camera's pixel.
pub const WHITE: i16 = 255;

/// Room above the largest activation seen in calibration; beyond it, activations saturate (tract.md).
pub const HEADROOM: f64 = 1.5;
