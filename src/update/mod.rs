//! A new program in the place of the old one (L4): two slots, a link that names the one that runs, and a trial that ends
//! when the new one has come up. Whatever step the power fails in, the link leads to a whole program. Disk and service
//! manager are arguments ([`Disk`], [`Service`]); refuses to touch either before everything about the new one is known.

mod carry;
mod disk;
mod elf;
mod error;
mod look;
mod offer;
mod package;
mod place;
mod plan;
mod sums;
mod trial;
mod world;

pub use carry::{Ended, carry, keep};
pub use disk::RealDisk;
pub use elf::Machine;
pub use error::UpdateError;
pub use look::{Facts, SlotFacts, Standing, facts, standing};
pub use offer::{Fresh, Offer, Sum};
pub use place::{Place, Slot};
pub use plan::{Plan, Step, Wish, back, forward};
pub use trial::Trial;
pub use world::{Disk, Service, Unit};

/// Bytes of the smallest program that is believed to be one.
pub const SMALLEST: u64 = 64 << 10;

/// Bytes of the largest file or program that is taken into memory.
pub const LARGEST: u64 = 256 << 20;
