//! `hairpin update`: the power cut at every step, writes that were lost, programs that do not come up, files that are
//! refused, and the command itself with a service manager that is a script.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[path = "update/bench.rs"]
mod bench;
#[path = "update/cuts.rs"]
mod cuts;
#[path = "update/lost.rs"]
mod lost;
#[path = "update/offers.rs"]
mod offers;
#[cfg(feature = "cli")]
#[path = "update/program.rs"]
mod program;
#[path = "update/refusals.rs"]
mod refusals;
#[path = "update/trials.rs"]
mod trials;
