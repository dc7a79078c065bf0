//! The fixed-point plan against the float network it was made from: AWS's networks and odd ones, observations beyond all
//! calibration, damaged files, and parity on what `../shared/data` holds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "../support/aws.rs"]
mod aws;
mod files;
mod garbage;
mod made;
mod odd;
mod onnx;
mod parity;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../support/tf.rs"]
mod tf;
mod topologies;
