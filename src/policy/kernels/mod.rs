//! The one room with `unsafe` in it: inner loops for the CPU's vector instructions, behind safe functions that check every
//! length first. Refuses to know what a network is. `integer` runs fixed-point
//! plans and imports nothing from the rest of the crate; `float` hands tract better `f32` loops for CPUs without AVX.

pub mod float;
pub mod integer;

pub use integer::{ConvWeights, DenseWeights, KernelError, Path, Rescale, Windows, conv, dense};
