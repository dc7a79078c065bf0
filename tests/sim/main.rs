//! Whole drives on simulated tracks: what becomes of them under every fault, that one seed is one drive, and what bad
//! input is told. `HAIRPIN_ACCEPT=1` takes today's figures for right; look at the difference before you commit it.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

mod bad;
mod command;
mod drive;
mod matrix;
mod same;
mod speed;
mod world;
