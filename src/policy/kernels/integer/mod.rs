//! Integer kernels: convolution (16-bit activations, 16-bit weights) and dense layer (16-bit activations, 8-bit
//! weights), each in portable Rust, for SSE4.1 and for AVX2, with the same bits from all three. Nothing in here imports
//! from the rest of the crate. Refused before any pointer is made: lengths that do not fit, windows that leave the input,
//! rescales out of range, instructions that the CPU has not.

mod conv;
mod dense;
mod error;
mod path;
mod portable;
mod rescale;
mod windows;

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(all(target_arch = "x86_64", not(miri)))]
mod eight;
#[cfg(target_arch = "x86_64")]
mod sixteen;
#[cfg(target_arch = "x86_64")]
mod sse41;

pub use conv::{ConvWeights, conv};
pub use dense::{DenseWeights, dense};
pub use error::KernelError;
pub use path::Path;
pub use rescale::Rescale;
pub use windows::Windows;
