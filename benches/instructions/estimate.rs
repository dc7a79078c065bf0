//! What a call may take on the car: Intel Atom E3930, two Goldmont cores, 1.3 GHz and up to 1.8 GHz. A reckoning from counts,
//! not a measurement; it says two bounds for each clock, and the truth is most likely between them.
//!
//! Instructions per cycle. Goldmont decodes, allocates and retires at most three instructions a cycle and makes one load
//! and one store (Intel's Optimization Reference Manual, chapter on Goldmont); it does two 16-byte additions or logical
//! operations a cycle, but one multiplication. So 3.0 is out of reach, and:
//!
//! - `Serial` code (entropy decoding, hashes) waits for each result, and for 12 to 14 stages after a wrong guess: 0.7 to 1.3.
//! - `Vectors` (transforms, colours, resize, in the 24 KB of first cache, much of it moves): 1.0 to 1.8.
//! - `Kernels`: an integer step of 64 products is some 26 instructions with 10 loads and 8 multiplications, so at least 10
//!   cycles, 2.6 a cycle; loads that miss the first cache and addresses make that 1.2 to 2.2.
//!
//! Memory. Weights of dense layers fit no cache (2 MB of second cache for both cores) and come from LPDDR4 at each call: 4 to
//! 8 GB/s for one core. The lower bound lets that overlap with arithmetic whole, the upper not at all.
//!
//! What is known from the car itself is one figure: `OpenVINO` took 6.3 ms for a network of 4.4 million parameters (car.md §9.5).
//! By this reckoning some 25 million instructions and 17 MB take 6.3 to 16.0 ms on one core at 1.8 GHz, and `OpenVINO`
//! has both cores: the lower bounds are the likelier ones. A guess that holds for the sum is worth +-40 % for a row.

use super::cases::Kind;
use super::child::Measured;

/// Clocks of the car, in GHz.
pub(crate) const CLOCKS: [f64; 2] = [1.8, 1.3];

/// Bytes in a nanosecond.
const MEMORY: (f64, f64) = (4.0, 8.0);

/// Instructions per cycle, the fewest and the most that are likely.
const fn per_cycle(kind: Kind) -> (f64, f64) {
    match kind {
        Kind::Serial => (0.7, 1.3),
        Kind::Vectors => (1.0, 1.8),
        Kind::Kernels => (1.2, 2.2),
    }
}

/// Milliseconds at `clock`: the least and the most. None without a count.
pub(crate) fn milliseconds(measured: &Measured, clock: f64) -> Option<(f64, f64)> {
    let instructions = measured.instructions? as f64;
    let (fewest, most) = per_cycle(measured.case.kind);
    let bytes = measured.case.streamed as f64;
    let least = (instructions / (most * clock)).max(bytes / MEMORY.1);
    let longest = instructions / (fewest * clock) + bytes / MEMORY.0;
    Some((least / 1e6, longest / 1e6))
}

/// The rows that make up a frame with this arithmetic, together; none without the network's row.
pub(crate) fn whole_frame(all: &[Measured], arithmetic: &str, clock: f64) -> Option<(f64, f64)> {
    let parts = all.iter().filter(|measured| measured.case.of_frames.contains(&arithmetic));
    if !parts.clone().any(|measured| measured.case.kind == Kind::Kernels) {
        return None;
    }
    let each: Option<Vec<_>> = parts.map(|measured| milliseconds(measured, clock)).collect();
    Some(each?.into_iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1)))
}
