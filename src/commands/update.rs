//! `hairpin update`: a new program in place of the old one, on a trial that ends when it has come up; back to the old one;
//! and what is installed. The rules and the disk are the room `update`'s; the programs that are started and the words are
//! this folder's.

mod machine;
mod show;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context as _;
use signal_hook::consts::{SIGHUP, SIGINT};

use self::machine::Systemd;
use self::show::{Confirmed, Done, Same, Shown};
use super::{Context, files, say};
use crate::cli::Update;
use crate::exit::Outcome;
use crate::update::{
    Fresh, LARGEST, Machine, Offer, Place, Plan, RealDisk, Step, Sum, Unit, Wish, back, carry, facts,
    forward, keep, standing,
};

/// Bytes of a file of digests.
const LONGEST_SUMS: u64 = 1 << 20;

/// There where systemd runs (`sd_booted`, man page 3).
const BOOTED: &str = "/run/systemd/system";

/// Updates, goes back, confirms or shows.
pub(crate) fn run(args: &Update, context: &Context) -> anyhow::Result<Outcome> {
    let place = Place::under(&args.prefix);
    if args.status {
        let standing = standing(&place, &RealDisk::default(), &mut Systemd::new(systemctl(args)))?;
        context.print(&Shown(standing))?;
    } else if args.confirm {
        let (slot, was_open) = keep(&place, &mut RealDisk::default())?;
        context.print(&Confirmed { slot, was_open })?;
    } else {
        change(args, &place, context)?;
    }
    Ok(Outcome::Done)
}

/// To a new program, or back to the other one.
fn change(args: &Update, place: &Place, context: &Context) -> anyhow::Result<()> {
    let (mut disk, mut service) = (RealDisk::default(), Systemd::new(systemctl(args)));
    let wish = Wish { restart: !args.no_restart, yes: args.yes };
    let facts = facts(place, &mut disk, &mut service)?;
    let (plan, bytes) = if args.roll_back {
        (back(&facts, wish)?, Vec::new())
    } else {
        let fresh = judged(args.file.as_deref().context("wanted a FILE")?, args.sha256.as_deref())?;
        let Some(plan) = forward(place, &facts, &fresh, wish)? else {
            return context.print(&Same { slot: facts.current, digest: fresh.digest });
        };
        (plan, fresh.bytes)
    };
    announce(&plan);
    bear_with_the_terminal()?;
    let ended = carry(&plan, place, &bytes, &mut disk, &mut service)?;
    let still = still(args, facts.unit.as_ref());
    context.print(&Done { from: plan.from, ended, digest: plan.digest, still })
}

/// The program to speak to the service manager with. Another tree's service is not this machine's.
fn systemctl(args: &Update) -> Option<PathBuf> {
    let is_own = args.prefix == Path::new("/") && Path::new(BOOTED).is_dir();
    args.systemctl.clone().or_else(|| is_own.then(|| PathBuf::from("systemctl")))
}

/// Reads and judges the file that is to run.
fn judged(file: &Path, sha256: Option<&str>) -> anyhow::Result<Fresh> {
    let bytes = files::bounded(file, LARGEST)?;
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = file.with_file_name(format!("{name}.sha256"));
    let beside_name = beside.display().to_string();
    let text = if sha256.is_none() && beside.exists() {
        Some(String::from_utf8_lossy(&files::bounded(&beside, LONGEST_SUMS)?).into_owned())
    } else {
        None
    };
    let sum = match (sha256, &text) {
        (Some(digits), _) => Sum::Given(digits),
        (None, Some(text)) => Sum::Beside { name: &beside_name, text },
        (None, None) => Sum::Missing,
    };
    let machine = std::env::consts::ARCH;
    let machine =
        Machine::named(machine).with_context(|| format!("hairpin is not released for {machine}"))?;
    Ok(Offer { name: &name, bytes: &bytes, sum }.judge(machine)?)
}

/// What is about to happen, since it takes a while.
fn announce(plan: &Plan) {
    let Plan { from, to, .. } = plan;
    let what = if plan.steps.contains(&Step::Write) {
        format!("putting the new program into slot {to}; slot {from} is kept")
    } else {
        format!("from slot {from} back to slot {to}")
    };
    let restart = if plan.steps.contains(&Step::Restart) {
        "; then the service restarts, disarmed, and has 30 s to come up"
    } else {
        ""
    };
    say(&format!("hairpin: {what}{restart}"));
}

/// The connection may go that the command came by, or somebody's patience: what is begun is brought to its end.
fn bear_with_the_terminal() -> anyhow::Result<()> {
    for signal in [SIGHUP, SIGINT] {
        signal_hook::flag::register(signal, Arc::new(AtomicBool::new(false)))
            .context("cannot listen for signals")?;
    }
    Ok(())
}

/// Why the service is not restarted, where it is not.
fn still(args: &Update, unit: Option<&Unit>) -> &'static str {
    match unit {
        _ if args.no_restart => "as asked",
        None => "systemd does not run here, or does not know hairpin.service",
        Some(_) => "the service was stopped already",
    }
}
