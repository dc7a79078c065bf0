//! Quantities (L0). No bare float crosses a module boundary where one of these fits.
//! Imports nothing of ours; refuses values outside its range by name.

pub mod angle;
pub mod bounded;
pub mod curve;
pub mod permille;
pub mod pulse;
pub mod signed;
pub mod speed;
pub mod time;

pub use angle::Degrees;
pub use bounded::OutOfRange;
pub use permille::Permille;
pub use pulse::Pulse;
pub use signed::Signed;
pub use speed::MetresPerSecond;
pub use time::{Instant, Span};
