//! The last word (L6, feature `car`): a process of its own that owns the pins and the power gate, and believes the driver
//! only as long as `lease` says. The driver, with camera and policy, is its child and asks over a socket; whatever becomes
//! of the driver, the pins go neutral. And whatever becomes of the guardian, the driver does the same in its place.
//!
//! ```text
//!   operator ─► guardian ── pins, gate                    stop levels
//!                 │   ▲                                   1  neutral pulses
//!     answers     ▼   │  records: evidence, command       2  the gate, where a write fails or hangs
//!               driver ── camera, policy, tape            3  `hairpin neutral`, where both are gone
//! ```

pub mod answer;
pub mod driver;
mod ears;
pub mod error;
pub mod eye;
pub mod held;
pub mod link;
pub mod operator;
pub mod operators;
pub mod parts;
pub mod record;
pub mod serve;
pub mod told;
pub mod wire;
pub mod world;

pub use error::GuardianError;
pub use held::Held;
pub use link::Link;
pub use serve::Guardian;
pub use told::Told;
pub use world::CarWorld;
