//! A tape (L4): one MCAP file with every frame as its camera sent it and every tick as the loop knew and
//! concluded it, in Foxglove's picture type and messages with their schema; a replay recomputes it.
//!
//! Promises: a tape is never overwritten unasked; a file cut at any byte still gives every record before the
//! cut; every number comes back with the bits that it went in with. Refuses, by name, what is not a tape.
//!
//! The version law: [`header::VERSION`] is `major.minor`. A reader takes every tape of its own major; a larger
//! minor only adds topics and optional fields, which it passes over. A larger major is refused, not guessed at.

pub mod compare;
pub mod error;
pub mod header;
pub mod import;
pub mod reader;
pub mod recorder;
pub mod repair;
pub mod rig;
pub mod writer;

mod assemble;
mod scan;
mod schema;
mod walk;

pub use compare::{Divergence, ScoreRule};
pub use error::TapeError;
pub use header::Header;
pub use reader::{Ending, Record, Tape};
pub use scan::Damage;
pub use schema::{Fault, Human};
pub use writer::TapeWriter;
