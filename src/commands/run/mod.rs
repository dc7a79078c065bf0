//! `hairpin run`. `--rig car`: the guardian first, which holds the pins; it starts this program again as the driver, with
//! camera, policy and tape. `--rig sim`: one process, a simulated car. Refuses before any pin is touched what can be known
//! by then.

#[cfg(feature = "car")]
mod driver;
#[cfg(feature = "car")]
mod guardian;
mod paced;
mod sim;
mod sim_sink;
#[cfg(feature = "car")]
mod sink;
mod trace;

use super::Context;
use crate::cli::{Rig, Run};
use crate::exit::Outcome;
#[cfg(feature = "car")]
use crate::guardian::driver::SESSION;

/// Runs whichever of them this process is.
pub(crate) fn run(args: &Run, context: &Context) -> anyhow::Result<Outcome> {
    match args.rig {
        #[cfg(feature = "car")]
        Rig::Car => match context.environment.get(std::ffi::OsStr::new(SESSION)) {
            Some(session) => driver::run(args, context, &session.to_string_lossy()),
            None => guardian::run(args, context),
        },
        Rig::Sim => sim::run(args, context),
    }
}
