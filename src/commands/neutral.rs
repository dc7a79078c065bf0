//! `hairpin neutral`: both pins to neutral, two periods, the gate shut. Takes no lock, asks nobody, goes on past whatever
//! fails, and says what failed. The last of the stop levels: a service manager runs it when everything else is gone, and
//! `hairpin calibrate` has it stand by.

use std::io;
use std::os::fd::AsFd;
use std::thread;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::calibrated::calibrated_or_factory;
use super::{Context, Said, complain};
use crate::cli::Neutral;
use crate::exit::Outcome;
use crate::hal::{Board, Carrier, InstanceLock, Switched};
use crate::report::neutral::NeutralReport;

/// Between neutral and the gate.
const TWO_PERIODS: Duration = Duration::from_millis(40);

/// Whoever is silent for longer is taken to be dead or hanging.
const SILENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 500_000_000 };

/// Goes neutral, at once or when it is needed.
pub(crate) fn run(args: &Neutral, context: &Context) -> anyhow::Result<Outcome> {
    let (settings, neutral) = (context.config.car(), calibrated_or_factory(context).neutral());
    if args.stand_by && all_went_well() {
        return Ok(Outcome::Done);
    }
    let reached = Board::neutral_only(&settings, neutral, || thread::sleep(TWO_PERIODS));
    // Whoever holds the lock may write again at once; the gate is what stops it then.
    let held_by = Carrier::find(&settings)
        .and_then(|carrier| InstanceLock::take(carrier.resource()))
        .err()
        .map(|error| error.to_string());
    let faults = reached.errors;
    let gate = match reached.gate {
        Some(Switched::Done) => "shut",
        Some(Switched::NoGate) => "none",
        None => "not shut",
    };
    let report = NeutralReport {
        root: settings.root.display().to_string(),
        faults: faults.len(),
        gate,
        held_by: held_by.filter(|_| faults.is_empty()),
    };
    for fault in faults {
        complain(&fault.into());
    }
    context.print(&report)?;
    if report.is_safe() { Ok(Outcome::Done) } else { Err(Said.into()) }
}

/// Listens to standard input: true where somebody took leave with a `q`, false where it closed or fell silent.
fn all_went_well() -> bool {
    let input = io::stdin();
    let mut bytes = [0; 64];
    loop {
        let mut fds = [PollFd::from_borrowed_fd(input.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&SILENCE)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(ready) if ready > 0 => {}
            _ => return false,
        }
        match rustix::io::read(&input, &mut bytes) {
            Ok(0) | Err(_) => return false,
            Ok(count) if bytes.iter().take(count).any(|byte| *byte == b'q') => return true,
            Ok(_) => {}
        }
    }
}
