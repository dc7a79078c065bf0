//! Transcendental functions, through one pure-Rust library: the C library's differ in the last bit from
//! system to system, and a replay must not.

/// Hyperbolic tangent, the same bits on every host. Used to squash a SAC mean as training does (car.md §3.3).
#[must_use]
pub fn tanh(x: f32) -> f32 {
    libm::tanhf(x)
}
