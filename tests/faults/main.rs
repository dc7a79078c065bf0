//! Faults, injected into the real program: real processes and signals, the real `v4l` and sysfs code, a tree of files for
//! the pins whose every write is logged with its time, and a preloaded shim for what cannot be had from files. Every row
//! of SAFETY.md that needs a process is here; the bounds are those of the table.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

mod calibrate;
mod camera;
mod car;
mod commands;
mod disk;
mod drive;
mod injections;
mod log;
mod nan;
mod pauses;
mod pins;
mod processes;
mod service;
mod start;

#[path = "../support/aws.rs"]
#[allow(dead_code, reason = "shared; not every test needs it")]
mod aws;
#[path = "../support/onnx.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared; not every test needs it")]
mod onnx;
#[path = "../support/shim.rs"]
#[allow(dead_code, reason = "shared; not every test needs it")]
mod shim;
#[path = "../support/tf.rs"]
#[allow(dead_code, unreachable_pub, reason = "shared; not every test needs it")]
mod tf;

use rustix::process::{Pid, Signal, kill_process};

/// Sends a signal, at once; a process that has ended by itself is no matter.
pub(crate) fn signal(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap_or_default();
}

/// Now, on the log's clock.
pub(crate) fn now() -> u64 {
    hairpin::hal::clock::Clock::new().now().0
}

/// Prints how long something took, and holds it against its bound; the machine's own pauses do not count.
pub(crate) fn within(what: &str, from: u64, to: u64, bound_ms: f64) {
    let took = ms(to.saturating_sub(from));
    let paused = ms(pauses::between(from, to));
    println!("{what}: {took:.2} ms (the machine paused for {paused:.1} ms), bound {bound_ms} ms");
    assert!(
        took - paused <= bound_ms,
        "{what} took {took:.2} ms, of which the machine paused for {paused:.1}"
    );
}

#[expect(clippy::cast_precision_loss, reason = "shown")]
pub(crate) fn ms(ns: u64) -> f64 {
    ns as f64 / 1e6
}
