//! What a frame costs, in instructions: `cargo bench --bench frame`. Each case runs in a process of its own under
//! `valgrind --tool=callgrind`, N times and 2N times; the difference over N is the cost of one call, and what loads, warms
//! and prints cancels out. The same on every machine with the same build, busy or idle. Beside it the native time (median),
//! which is neither. Nothing is judged here.
//!
//! After `--`: `WORD` only cases with it in their name; `--json`; `--estimate` also what the car's CPU may need;
//! `--model DIR` an imported model's folder instead of a network of AWS's shape; `--deep` also the deep networks
//! (minutes each); `--times` no counts.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a measurement may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with tests")]
#[path = "../tests/support/aws.rs"]
mod aws;
mod instructions;
#[allow(dead_code, reason = "shared with tests")]
#[path = "../tests/support/scene.rs"]
mod scene;
#[allow(dead_code, reason = "shared with tests")]
#[path = "../tests/support/tf.rs"]
mod tf;

use instructions::{Options, cases, child, report};

fn main() {
    let options = Options::read(std::env::args().skip(1));
    if let Some(job) = &options.job {
        child::run(job, &options);
        return;
    }
    let measured = child::measure(&cases::all(&options), &options);
    if options.json {
        println!("{}", report::json(&measured, &options));
    } else {
        println!("{}", report::text(&measured, &options));
    }
}
