//! The driver's half of `run`: camera, policy, tape, and the loop. Its pins are the guardian's; where that is gone it
//! brings them to neutral itself.

use std::panic;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::super::calibrated::calibrated;
use super::super::eyes::{counted, described};
use super::super::model::{self, Folder};
use super::super::setup::{self, setup};
use super::super::voice::Voice;
use super::super::{Context, build_id, kernels};
use super::sink::DriveSink;
use crate::cli::Run;
use crate::domain::{Pulses, Recipe};
use crate::drive::{Pilot, Setup, cycle};
use crate::exit::{FAILED, Outcome};
use crate::guardian::link::{Emergency, Link};
use crate::guardian::world::{CarWorld, Level};
use crate::hal::battery::Gauge;
use crate::hal::board::Board;
use crate::hal::capture::{Capture, Eyes};
use crate::hal::clock::Clock;
use crate::hal::{HalError, Settings, priority};
use crate::policy::Plan;
use crate::report::drive::{DriveReport, Taped};
use crate::report::latency::Latency;
use crate::tape::TapeWriter;
use crate::tape::header::{Header, key};
use crate::tape::recorder::{Bounds, Recorder};
use crate::units::Span;

/// The loop stands below the guardian and above all else; the ear for the guardian just above it.
const LOOP_PRIORITY: u8 = 40;
const EYE_PRIORITY: u8 = 41;
const LINK_PRIORITY: u8 = 45;

/// How long the tape may take to close: the guardian waits two seconds in all.
const CLOSING: Span = Span::from_millis(1500);

/// How long a real-time thread of the driver may run without waiting for anything, in µs.
const LONGEST_RUN_US: u64 = 600_000;

/// Numbers that are tried for the tape of a driver that was started again.
const MOST_TAPES: u32 = 10_000;

/// The loop's thread.
const LOOP: &str = "drive";

/// Between neutral and the gate.
const TWO_PERIODS: Duration = Duration::from_millis(40);

/// The gauge is asked this often.
const GAUGE_PERIOD: Duration = Duration::from_secs(2);

/// Header entry: what the camera agreed to.
const CAMERA: &str = "camera";

/// Drives until the guardian ends.
pub(super) fn run(args: &Run, context: &Context, session: &str) -> anyhow::Result<Outcome> {
    // The guardian's priority was inherited with everything else.
    drop(priority::normal());
    drop(priority::oom_score_adj(500));
    kernels::ensure(context)?;
    let config = &context.config;
    let session: Session =
        session.parse().map_err(|()| anyhow::anyhow!("no session of a guardian: {session:?}"))?;
    let calibration = calibrated(context)?;
    let settings = config.car();
    let loaded = model::load_folder(args.model(), config)?;
    let setup = Setup { calibration, ..setup(&loaded.card, config)? };
    let clock = Clock::new();
    let realtime = config.realtime;
    let capture = cameras(&settings, &setup.recipe, clock, realtime)?;
    let camera = described(capture.agreed());
    let latency = Latency::new().context("out of memory")?;
    // Named once: the next free number is another one when the file is there.
    let taped = args.record.as_deref().map(|file| session.tape(file));
    let recorder = match &taped {
        Some(file) => Some(record(file, args, &loaded, &setup, (context, &camera))?),
        None => None,
    };
    let battery = battery(&settings, clock)?;
    let (neutral, faults) = (calibration.neutral(), Vec::new());
    let stand_in = StandIn { settings, neutral, faults, voice: Voice::start()? };
    let ear = move || {
        if realtime {
            drop(priority::fifo(LINK_PRIORITY));
        }
    };
    let link = Link::adopt(session.number, config.lease, clock, stand_in, ear)?;
    brake_on_panic(&link);
    let ears = link.ears();
    let world = CarWorld::new(capture, link, battery, clock, config.speed_percent);
    let (name, kernels) = (loaded.card.name.clone(), loaded.arithmetic.text());
    let sink = DriveSink::new(recorder, latency, Voice::start()?);
    let begun = clock.now();
    let (frames, sink) = looped(world, Pilot::new(loaded.plan, setup), sink, clock, realtime)?;
    let seconds = clock.now().since(begun).as_millis_f64() / 1e3;
    let DriveSink { recorder, latency, states, notes, ticks, .. } = sink;
    let tape = recorder.map(Recorder::finish).map(|summary| Taped {
        file: taped.map(|file| file.display().to_string()).unwrap_or_default(),
        ticks: summary.ticks,
        dropped: summary.dropped,
        failed: summary.failed,
    });
    let report = DriveReport {
        model: name,
        kernels,
        camera,
        ticks,
        seconds,
        states,
        notes: notes.into_iter().map(|(note, times)| (format!("{note:?}"), times)).collect(),
        frames,
        latency: latency.rows(),
        tape,
    };
    let printed = context.print(&report);
    ears.wait_for_the_gate();
    printed?;
    Ok(if report.lost_data() { Outcome::LostData } else { Outcome::Done })
}

/// Drives in a thread of its own until the guardian ends.
fn looped(
    mut world: CarWorld,
    mut pilot: Pilot<Plan>,
    mut sink: DriveSink,
    clock: Clock,
    realtime: bool,
) -> anyhow::Result<(Vec<(&'static str, u64)>, DriveSink)> {
    let looped = thread::Builder::new().name(LOOP.to_owned()).spawn(move || {
        // A loop that never waits is ended by the system, before it takes a core's real-time budget from the guardian.
        let brake = Rlimit { current: Some(LONGEST_RUN_US), maximum: Some(LONGEST_RUN_US) };
        setrlimit(Resource::Rttime, brake).unwrap_or_default();
        if realtime && priority::fifo(LOOP_PRIORITY).is_err() {
            sink.voice.say("hairpin: the drive loop runs without real-time priority".to_owned());
        }
        let ended = cycle(&mut world, &mut pilot, &clock, &mut sink, || false);
        (ended, counted(&world.capture().counters()), sink)
    });
    // A panic in there has left the pins neutral and has said itself what it was.
    let joined = looped.context("cannot start the drive loop's thread")?.join();
    let Ok((ended, frames, sink)) = joined else {
        bail!("the drive loop panicked; the pins were brought to neutral")
    };
    ended?;
    Ok((frames, sink))
}

/// The cameras that the policy wants, in threads that keep the priority that they are born with: the loop waits for them.
fn cameras(settings: &Settings, recipe: &Recipe, clock: Clock, realtime: bool) -> anyhow::Result<Capture> {
    let wanted = eyes(recipe)?;
    if realtime {
        drop(priority::fifo(EYE_PRIORITY));
    }
    let capture = Capture::start(settings, clock, wanted);
    drop(priority::normal());
    Ok(capture?)
}

/// The cameras that the policy wants. Refuses a model that wants what this rig cannot deliver.
fn eyes(recipe: &Recipe) -> anyhow::Result<Eyes> {
    if recipe.ranges() > 0 {
        let names: Vec<&str> = recipe.sensors.iter().map(|sensor| sensor.name()).collect();
        bail!(
            "the model wants {}, and this rig reads no LiDAR yet; drive a camera model",
            names.join(" and ")
        );
    }
    Ok(if recipe.channels() == 2 { Eyes::Two } else { Eyes::One })
}

/// A panic in the loop is neutral before it is a message: to write one takes its time, with a backtrace above all.
fn brake_on_panic(link: &Link) {
    let Some(brake) = link.brake() else { return };
    let told = panic::take_hook();
    panic::set_hook(Box::new(move |what| {
        if thread::current().name() == Some(LOOP) {
            brake.pull();
        }
        told(what);
    }));
}

/// Asks the gauge in a thread of its own, for as long as there is somebody who reads the level.
fn battery(settings: &Settings, clock: Clock) -> anyhow::Result<Level> {
    let level = Level::default();
    let mut gauge = Gauge::find(settings);
    let told = level.clone();
    let ask = move || {
        loop {
            told.set(gauge.poll(clock.now()));
            thread::sleep(GAUGE_PERIOD);
        }
    };
    thread::Builder::new().name("gauge".to_owned()).spawn(ask).context("cannot start the gauge's thread")?;
    Ok(level)
}

fn record(
    file: &Path,
    args: &Run,
    loaded: &Folder,
    setup: &Setup,
    (context, camera): (&Context, &str),
) -> anyhow::Result<Recorder> {
    let header = Header::default()
        .with(key::BUILD, build_id())
        .with(key::MODEL, &loaded.card.name)
        .with(key::MODEL_DIGEST, model::digest(&loaded.card).to_string())
        .with(key::CONFIG_DIGEST, setup::digest(setup, &context.config).to_string())
        .with(key::CALIBRATION, setup::calibration_text(&setup.calibration))
        .with(key::RIG, "car")
        .with(CAMERA, camera)
        .with(key::CREATED_BY, "hairpin run");
    let header = loaded.arithmetic.on_tape(header);
    let tape = TapeWriter::create(file, &header, args.force)?;
    Ok(Recorder::start(tape, Bounds { patience: CLOSING, ..Bounds::default() })?)
}

/// Number and count of a session, as the guardian gives them.
struct Session {
    number: u32,
    /// 1 for the first driver of a guardian.
    count: u32,
}

impl std::str::FromStr for Session {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (number, count) = text.split_once('/').ok_or(())?;
        let whole = |text: &str| text.parse().map_err(|_| ());
        Ok(Self { number: whole(number)?, count: whole(count)? })
    }
}

impl Session {
    /// A driver that was started again does not write over the tape of the one that died: the next free number.
    fn tape(&self, file: &Path) -> PathBuf {
        if self.count == 1 {
            return file.to_owned();
        }
        let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let dot = file.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
        let named = |number: u32| file.with_file_name(format!("{stem}-{number}{dot}"));
        let tried = self.count..self.count.saturating_add(MOST_TAPES);
        tried.map(named).find(|file| !file.exists()).unwrap_or_else(|| named(self.count))
    }
}

/// What the driver does in a dead guardian's place.
struct StandIn {
    settings: Settings,
    neutral: Pulses,
    faults: Vec<HalError>,
    voice: Voice,
}

impl Emergency for StandIn {
    fn take_over(&mut self) {
        self.faults = Board::neutral_only(&self.settings, self.neutral, || thread::sleep(TWO_PERIODS)).errors;
    }

    fn tell(&mut self, why: &str) {
        self.voice.say(format!("hairpin: {why}; the driver wrote neutral and shut the gate in its place"));
        self.faults.iter().for_each(|fault| self.voice.say(format!("hairpin: {fault}")));
    }

    // The loop may hang; nothing of this process may outlive its guardian.
    fn end(&mut self) {
        std::process::exit(i32::from(FAILED));
    }
}

#[cfg(test)]
mod tests {
    use super::Session;
    use std::path::Path;

    #[test]
    fn a_second_driver_writes_a_second_tape() {
        let tape = |text: &str| text.parse::<Session>().map(|it| it.tape(Path::new("a/drive.mcap")));
        assert_eq!(tape("77/1").as_deref(), Ok(Path::new("a/drive.mcap")));
        assert_eq!(tape("77/3").as_deref(), Ok(Path::new("a/drive-3.mcap")));
        assert!(tape("77").is_err() && tape("x/1").is_err());
    }
}
