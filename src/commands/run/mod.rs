//! `hairpin run --rig car`: the guardian first, which holds the pins; it starts this program again as the driver, with
//! camera, policy and tape. Refuses before any pin is touched what can be known by then.

mod driver;
mod guardian;
mod sink;

use super::Context;
use crate::cli::Run;
use crate::exit::Outcome;
use crate::guardian::driver::SESSION;

/// Runs whichever of the two this process is.
pub(crate) fn run(args: &Run, context: &Context) -> anyhow::Result<Outcome> {
    match context.environment.get(std::ffi::OsStr::new(SESSION)) {
        Some(session) => driver::run(args, context, &session.to_string_lossy()),
        None => guardian::run(args, context),
    }
}
