//! What the kernels refuse.

use super::path::Path;

/// Why a kernel did not run, or weights were not made. Nothing was written then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KernelError {
    /// The CPU lacks the instructions of the path.
    #[error("this CPU has no {}; `portable` runs everywhere", .0.name())]
    NotHere(Path),
    /// A slice or vector of another length than the shapes say.
    #[error("{what} has {saw} elements, wanted {wanted}")]
    Length {
        /// Which of the arguments.
        what: &'static str,
        /// Elements that it has.
        saw: usize,
        /// Elements that the shapes ask for.
        wanted: usize,
    },
    /// A size that is zero where it must not be, or so large that addresses overflow.
    #[error("{what} is {saw}, wanted {wanted}")]
    Size {
        /// Which of the sizes.
        what: &'static str,
        /// Its value.
        saw: usize,
        /// What it may be.
        wanted: &'static str,
    },
    /// A size so large that a product of sizes leaves the address space.
    #[error("{0} leaves the address space")]
    TooLarge(&'static str),
    /// A range that ends before it begins or beyond what there is.
    #[error("{what} {start}..{end} do not lie in 0..{limit}")]
    Range {
        /// A range of what.
        what: &'static str,
        /// Its beginning.
        start: usize,
        /// Its end, exclusive.
        end: usize,
        /// How many there are.
        limit: usize,
    },
    /// The last window reads past the end of the input.
    #[error("windows reach to {reach}, the input has {length} elements")]
    Reach {
        /// One past the last element read.
        reach: usize,
        /// Elements of the input.
        length: usize,
    },
    /// A multiplier outside 0..2^30.
    #[error("multiplier {saw} of channel {channel}, wanted 0 to 2^30 - 1")]
    Multiplier {
        /// The output channel.
        channel: usize,
        /// Its multiplier.
        saw: i32,
    },
    /// A shift outside 1..=62.
    #[error("shift {0}, wanted 1 to 62")]
    Shift(u8),
    /// A clamp with nothing in it.
    #[error("low {low} is above high {high}")]
    Clamp {
        /// The lower bound.
        low: i16,
        /// The upper bound.
        high: i16,
    },
}
