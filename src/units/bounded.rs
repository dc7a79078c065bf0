//! The one refusal that every bounded quantity shares: it names the thing, what was seen and what is wanted.

use std::fmt;

/// A value outside the range of its quantity, or not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutOfRange {
    /// The quantity, as a user would call it.
    pub what: &'static str,
    /// The value that was seen.
    pub saw: f64,
    /// The smallest value that is accepted.
    pub min: f64,
    /// The largest value that is accepted.
    pub max: f64,
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}, wanted {} to {}", self.what, self.saw, self.min, self.max)
    }
}

impl std::error::Error for OutOfRange {}

/// Checks `min <= saw <= max`; NaN fails.
///
/// # Errors
/// [`OutOfRange`] naming `what`.
pub fn within(what: &'static str, saw: f64, min: f64, max: f64) -> Result<f64, OutOfRange> {
    if saw >= min && saw <= max { Ok(saw) } else { Err(OutOfRange { what, saw, min, max }) }
}
