//! hairpin drives an AWS DeepRacer from one binary. Modules are listed in layer order; a module imports
//! only from those of lower layers (`tests/house.rs` checks). No semver promise yet.

// Allowed in `policy/kernels` alone, which says so where it is needed (`tests/house.rs` checks).
#![deny(unsafe_code)]

pub mod units;

pub mod domain;

pub mod governor;
pub mod lease;
pub mod policy;
pub mod track;
pub mod vehicle;
pub mod vision;

pub mod drive;

pub mod hal;
pub mod sim;
pub mod tape;
#[cfg(feature = "car")]
pub mod update;

pub mod config;

pub mod report;

#[cfg(feature = "car")]
pub mod guardian;

#[cfg(feature = "cli")]
pub mod commands;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod exit;
