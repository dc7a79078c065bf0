//! `hairpin run --rig sim`: the loop of the car with a simulated one in its place. One seed is one drive: no clock of this
//! machine and nothing of this program reaches the tape. Refuses a track that no car can lap.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use std::path::Path;

use anyhow::bail;

use super::super::clock::Clock;
use super::super::model::{self, Loaded};
use super::super::outputs::{self, Outputs, Wanted};
use super::super::setup::setup;
use super::super::{Context, kernels, roads, scripted};
use super::paced::{Pace, Progress};
use super::sim_sink::SimSink;
use crate::cli::{LookName, Run};
use crate::config::Config;
use crate::domain::Digest;
use crate::drive::{Pilot, Setup, cycle};
use crate::exit::Outcome;
use crate::lease::Terms;
use crate::report::page::PageFoot;
use crate::report::simulated::SimReport;
use crate::report::track_map;
use crate::sim::lens::Lens;
use crate::sim::look::Look;
use crate::sim::rig::CameraTerms;
use crate::sim::scene::Until;
use crate::sim::{Body, Staging};
use crate::tape::header::{Header, key};
use crate::track::Track;
use crate::units::{Instant, Permille, Signed, Span};
use crate::vehicle::Calibration;

/// The program as a tape of a simulated drive names it: without the digest of its file, which differs from build to build
/// where the drive does not.
const BUILD: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// A lap that takes longer is none, unless the user says so.
const SECONDS_A_LAP: u64 = 60;

/// What a drive is, all of it typed or by default.
struct Plan {
    track: Track,
    look: LookName,
    seed: u64,
    laps: usize,
    seconds: u64,
}

/// Drives until the laps are driven or the time is over.
pub(super) fn run(args: &Run, context: &Context) -> anyhow::Result<Outcome> {
    if !scripted::is_meant(args.model()) {
        kernels::ensure(context)?;
    }
    let plan = planned(args)?;
    let loaded = model::load(args.model(), &context.config)?;
    let setup = setup(&loaded.card, &context.config)?;
    let outputs = opened(args, &plan, &loaded, &setup, &context.config)?;
    let (driver, model, kernels) = (loaded.label(), loaded.card.name.clone(), loaded.arithmetic.text());
    let mut world =
        staging(args, &plan, setup.calibration, &context.config)?.world(&plan.track, &setup.recipe);
    let space = setup.action_space.clone();
    let mut pilot = Pilot::new(loaded.policy, setup);
    let asked = interrupted()?;
    let failed = Cell::new(false);
    let watch = world.clock();
    let progress = Progress::start(args.sim.watch, plan.laps, &plan.track);
    let pace = (args.sim.real_time || args.sim.watch).then(Pace::start);
    let mut sink = SimSink::new(world.clock(), outputs, (progress, pace), space, &failed);
    let clock = Clock::start();
    cycle(&mut world, &mut pilot, &watch, &mut sink, || failed.get() || asked.load(Ordering::Relaxed))?;
    let seconds = clock.elapsed().as_millis_f64() / 1e3;
    let seen = sink.finish()?;
    let scene = world.scene();
    let report = SimReport {
        driver,
        model,
        kernels,
        track: plan.track.name().to_owned(),
        length: plan.track.length(),
        look: word(plan.look),
        seed: plan.seed,
        faults: args.sim.fault.iter().map(ToString::to_string).collect(),
        score: scene.referee().score(),
        wanted: plan.laps,
        laps: scene.referee().laps().to_vec(),
        stops: scene.stops(),
        ticks: seen.ticks,
        simulated: scene.now().since(Instant(0)),
        seconds,
        is_interrupted: asked.load(Ordering::Relaxed),
        states: seen.states,
        notes: seen.notes.into_iter().map(|(note, times)| (format!("{note:?}"), times)).collect(),
        written: seen.outputs.names(),
    };
    let (map, map_words) = track_map::map(&plan.track, scene.line());
    let ok = report.failure().is_none();
    seen.outputs.finish(&PageFoot {
        verdict: report.verdict(),
        ok,
        map: Some(map),
        map_words,
        ..PageFoot::default()
    })?;
    context.print(&report)?;
    match report.failure() {
        Some(why) => bail!(why),
        None => Ok(Outcome::Done),
    }
}

fn planned(args: &Run) -> anyhow::Result<Plan> {
    let sim = &args.sim;
    let laps = sim.laps.unwrap_or(1);
    Ok(Plan {
        track: roads::load(sim.track.as_deref().unwrap_or("oval"))?,
        look: sim.look.unwrap_or_default(),
        seed: sim.seed.unwrap_or(1),
        laps: laps as usize,
        seconds: sim.seconds.unwrap_or(u64::from(laps) * SECONDS_A_LAP),
    })
}

/// Everything that the drive follows from besides the policy.
fn staging(args: &Run, plan: &Plan, calibration: Calibration, config: &Config) -> anyhow::Result<Staging> {
    let (look, lens) = look(plan.look);
    let camera = config.car().camera;
    Ok(Staging {
        seed: plan.seed,
        until: Until { laps: plan.laps, time: Span::from_millis(plan.seconds * 1000) },
        camera: CameraTerms {
            size: camera.size,
            period: Span(1_000_000_000 / u64::from(camera.rate_hz)),
            speed_percent: config.speed_percent,
        },
        lease: terms(config)?,
        calibration,
        body: Body::default(),
        faults: args.sim.fault.clone(),
        obstacles: args.sim.obstacles.unwrap_or(0),
        look,
        lens,
    })
}

/// The guardian's terms, as on the car.
fn terms(config: &Config) -> anyhow::Result<Terms> {
    Ok(Terms {
        lease: config.lease,
        arming: config.governor.arming.max(Terms::default().arming),
        latch: config.governor.latch,
        oldest_evidence: config.governor.stale_frame,
        throttle_cap: Signed::clamped(config.guardian_cap).map_or(Permille::ZERO, Permille::within),
    }
    .checked()?)
}

fn look(name: LookName) -> (Look, Lens) {
    match name {
        LookName::Drawn => (Look::drawn(), Lens::training()),
        LookName::Training => (Look::training(), Lens::training()),
        LookName::Hall => (Look::event(), Lens::wide()),
    }
}

const fn word(name: LookName) -> &'static str {
    match name {
        LookName::Drawn => "drawn",
        LookName::Training => "training",
        LookName::Hall => "hall",
    }
}

fn opened(
    args: &Run,
    plan: &Plan,
    loaded: &Loaded,
    setup: &Setup,
    config: &Config,
) -> anyhow::Result<Outputs> {
    let sim = &args.sim;
    let faults = sim.fault.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
    let facts = [
        ("track", plan.track.name().to_owned()),
        ("track_sha256", Digest::of(plan.track.to_text().as_bytes()).to_string()),
        ("look", word(plan.look).to_owned()),
        ("seed", plan.seed.to_string()),
        ("faults", faults),
        ("obstacles", sim.obstacles.unwrap_or(0).to_string()),
    ];
    let header: Header = outputs::header(BUILD.to_owned(), loaded, setup, config)
        .with(key::RIG, "sim")
        .with(key::CREATED_BY, "hairpin run --rig sim");
    let header = facts.iter().fold(header, |header, (name, value)| header.with(name, value));
    let title = format!("{} on {}", loaded.label(), plan.track.name());
    let mut head = outputs::head(title, BUILD.to_owned(), loaded, setup);
    head.facts.extend(facts.map(|(name, value)| (name.to_owned(), value)));
    let track = sim.track.as_deref().map(Path::new).filter(|path| path.is_file());
    let read: Vec<&Path> = track.into_iter().chain([Path::new("hairpin.toml")]).collect();
    let wanted = Wanted {
        record: args.record.as_deref(),
        report: sim.report.as_deref(),
        lines: sim.trace.as_deref(),
        force: args.force,
        read: &read,
        model: args.model(),
    };
    Outputs::open(&wanted, &header, &head)
}

/// A flag that an interruption sets; the drive ends with its files whole.
#[cfg(feature = "car")]
fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    use anyhow::Context as _;
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&asked)).context("cannot listen for signals")?;
    }
    Ok(asked)
}

/// Without the car's parts an interruption ends the process.
#[cfg(not(feature = "car"))]
#[expect(clippy::unnecessary_wraps, reason = "with the car's parts it can fail")]
fn interrupted() -> anyhow::Result<Arc<AtomicBool>> {
    Ok(Arc::new(AtomicBool::new(false)))
}
