//! The guardian's half of `run`: what is checked before the pins are touched, what is asked of the system, and words for
//! what happens. The loop itself is `guardian::serve`.

use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context as _, bail};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};

use super::super::calibrated::calibrated;
use super::super::voice::Voice;
use super::super::{Context, kernels, model, scripted};
use crate::cli::Run;
use crate::exit::Outcome;
use crate::guardian::Told;
use crate::guardian::driver::Start;
use crate::guardian::held::{Held, Taken};
use crate::guardian::operators::{Counter, Operators};
use crate::guardian::parts::Parts;
use crate::guardian::serve::Guardian;
use crate::hal::board::Board;
use crate::hal::clock::Clock;
use crate::hal::notify::{Notifier, SOCKET};
use crate::hal::{memory, priority};
use crate::lease::Terms;
use crate::units::{Permille, Signed};

/// Above everything else of ours; the thread that watches the writes stands above it.
const GUARDIAN_PRIORITY: u8 = 50;
const EYE_PRIORITY: u8 = 51;

/// Guards until it is asked to end.
pub(super) fn run(args: &Run, context: &Context) -> anyhow::Result<Outcome> {
    let config = &context.config;
    known_before(args)?;
    let calibration = calibrated(context)?;
    let terms = Terms {
        lease: config.lease,
        arming: config.governor.arming.max(Terms::default().arming),
        latch: config.governor.latch,
        oldest_evidence: config.governor.stale_frame,
        throttle_cap: Signed::clamped(config.guardian_cap).map_or(Permille::ZERO, Permille::within),
    }
    .checked()?;
    let settings = config.car();
    let clock = Clock::new();
    let begun = clock.now();
    let signals = signals()?;
    // Before the priority: words are never urgent.
    let voice = Voice::start()?;
    let board = Board::open(&settings, calibration.neutral())?;
    board.describe().iter().for_each(|part| voice.say(format!("hairpin: {part}")));
    let Board { lock, pins, gate, lamps, .. } = board;
    let counter = match &args.car.operator {
        Some(path) => Some(Counter::open(path).with_context(|| {
            format!("cannot listen for operators at {}; its folder must be there", path.display())
        })?),
        None => None,
    };
    let mut refused = Vec::new();
    let realtime = config.realtime;
    let eye = move || {
        if realtime {
            // The guardian says so of itself; once is enough.
            drop(priority::fifo(EYE_PRIORITY));
        }
    };
    let taken = Taken { settings, calibration, pins, gate, lamps, lock };
    let held = Held::new(taken, clock, eye).context("cannot start the thread that watches the pins")?;
    if realtime {
        refused.extend(memory::lock_all().err().map(|why| why.to_string()));
        refused.extend(priority::fifo(GUARDIAN_PRIORITY).err().map(|why| why.to_string()));
        refused.extend(priority::oom_score_adj(-1000).err().map(|why| why.to_string()));
    }
    let mut told = |told: Told| voice.say(format!("hairpin: {told}"));
    for why in refused {
        told(Told::Refused(why));
    }
    let stdin = std::io::stdin();
    let input = stdin.as_fd().try_clone_to_owned().ok();
    if stdin.is_terminal() {
        voice.say("hairpin: starting the driver".to_owned());
    }
    let parts = Parts {
        terms,
        begun,
        clock,
        held,
        operators: Operators::new(input, counter),
        manager: Notifier::to(context.environment.get(OsStr::new(SOCKET)).map(OsString::as_os_str)),
        signals,
        start: start(context)?,
        deaths: config.restarts,
        arm: args.car.arm,
        told: &mut told,
    };
    let last = Guardian::new(parts).serve()?;
    // A driver that had to be killed has not closed its tape.
    let lost = last == Some(i32::from(Outcome::LostData.code())) || (last.is_none() && args.record.is_some());
    Ok(if lost { Outcome::LostData } else { Outcome::Done })
}

/// Refuses what would be refused by the driver a second later, over pins that were touched by then.
fn known_before(args: &Run) -> anyhow::Result<()> {
    let folder_of_model = args.model();
    if scripted::is_meant(folder_of_model) {
        bail!(
            "the scripted driver knows the track and cannot see; it drives simulated cars alone: `hairpin run --rig sim`. \
             On a car name a model folder"
        );
    }
    let card = folder_of_model.join(model::CARD);
    if !card.is_file() {
        bail!(
            "{} is no model folder: it has no {}; `hairpin import PATH` makes one from an archive, a .pb or an .onnx",
            folder_of_model.display(),
            model::CARD
        );
    }
    match args.record.as_deref() {
        Some(file) if file.exists() && !args.force => {
            bail!("{} exists; name another file, or replace it with --force", file.display())
        }
        Some(file) if !folder(file).is_dir() => {
            bail!("cannot record to {}: {} is no folder", file.display(), folder(file).display())
        }
        _ => Ok(()),
    }
}

fn folder(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A socket that becomes readable when the system asks to end. Ctrl-Z ends too: a guardian that is stopped guards nothing.
fn signals() -> anyhow::Result<UnixStream> {
    let (reader, writer) = UnixStream::pair().context("cannot make the pair that signals arrive by")?;
    reader.set_nonblocking(true).context("cannot set up the pair that signals arrive by")?;
    for signal in [SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGTSTP] {
        let writer = writer.try_clone().context("cannot listen for signals")?;
        signal_hook::low_level::pipe::register(signal, writer).context("cannot listen for signals")?;
    }
    Ok(reader)
}

/// This very program with these very arguments, and the car's kernels from the start.
fn start(context: &Context) -> anyhow::Result<Start> {
    Ok(Start {
        program: std::env::current_exe().context("cannot find this program, to start it as the driver")?,
        arguments: std::env::args_os().skip(1).collect(),
        environment: kernels::environment(context),
    })
}
