//! `hairpin replay`: a tape through a model, down to the pulses, as fast as it goes; held against what was recorded.

use std::cell::Cell;
use std::path::Path;

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::clock::Clock;
use super::outputs::{self, Outputs, Wanted};
use super::setup::{self, setup};
use super::watch::{Ends, Watcher};
use super::{Context, build_id, kernels, model, picture, say, scripted, was_set};
use crate::cli::Replay;
use crate::config::{Config, Precision, stock};
use crate::domain::{ActionSpace, FixedPoint, Recipe, Sensor};
use crate::drive::{Pilot, Setup, cycle};
use crate::exit::Outcome;
use crate::report::latency::Latency;
use crate::report::replay::{Compared, ReplayReport};
use crate::tape::header::{Header, key};
use crate::tape::rig::{Fill, TapeWorld};
use crate::tape::{Ending, Record, ScoreRule, Tape};
use model::{FIXED_KERNELS, Loaded};

/// Replays.
pub(crate) fn run(args: &Replay, context: &Context) -> anyhow::Result<Outcome> {
    kernels::ensure(context)?;
    let tape = open(&args.tape)?;
    let mut remarks = Vec::new();
    let loaded = as_taped(args, &tape, context, &mut remarks)?;
    let setup = on_that_car(setup(&loaded.card, &context.config)?, &tape, context, &mut remarks)?;
    let fill = fill(args, &tape, &setup.recipe)?;
    if let Ending::Cut { at, why } = tape.ending() {
        remarks.push(format!("the tape is cut at byte {at} ({why}); what stands before it was replayed"));
    }
    let golden = match &args.expect {
        Some(Some(file)) => Some(open(file)?),
        Some(None) | None => None,
    };
    let (held, why) =
        reference(args, &tape, golden.as_ref(), &loaded, (&setup, &context.config), &mut remarks)?;
    let rule = match (args.tolerance, &setup.action_space) {
        (None, _) => ScoreRule::Exact,
        (Some(x), ActionSpace::Discrete(_)) => ScoreRule::Within(x),
        (Some(x), ActionSpace::Continuous(_)) => ScoreRule::WithinContinuous(x),
    };
    if tape.ticks() > 0 && was_set(context, "drive.speed_percent") {
        remarks.push(
            "drive.speed_percent does nothing here: the tape holds what the operator had set".to_owned(),
        );
    }
    let outputs = outputs(args, &context.config, &loaded, &setup)?;
    let written = outputs.names();
    let done = Cell::new(false);
    let bar = bar(tape.len());
    let latency = Latency::new().context("out of memory")?;
    let mut sink =
        Watcher::new(&tape, held, rule, Ends { most: args.ticks, bar: &bar, done: &done }, outputs, latency);
    let (name, kernels) = (loaded.label(), loaded.arithmetic.text());
    let mut pilot = Pilot::new(loaded.policy, setup);
    let mut world = TapeWorld::new(&tape, context.config.speed_percent, fill);
    let left_out = tape.records().filter(Record::left_out).count();
    if left_out > 0 && held.is_some() && golden.is_none() {
        remarks.push(format!(
            "{left_out} pictures found no room on the tape; those ticks were replayed from their recorded scores on"
        ));
        world = world.recalling();
    }
    let clock = Clock::start();
    cycle(&mut world, &mut pilot, &clock, &mut sink, || done.get())?;
    let seconds = clock.elapsed().as_millis_f64() / 1e3;
    bar.finish_and_clear();
    let seen = sink.finish()?;
    let compared = match (seen.difference, held) {
        (Some(difference), _) => Compared::Diverged(difference),
        (None, Some(_)) => Compared::Equal { decisions: seen.compared, rule: words(rule) },
        (None, None) => Compared::Nothing(why),
    };
    let outcome = if matches!(compared, Compared::Diverged(_)) { Outcome::Diverged } else { Outcome::Done };
    let report = ReplayReport {
        tape: args.tape.display().to_string(),
        model: name,
        kernels,
        ticks: seen.ticks,
        seconds,
        compared,
        states: seen.states,
        notes: seen.notes,
        latency: seen.latency.rows(),
        remarks,
        written,
    };
    seen.outputs.finish(&report.foot())?;
    context.print(&report)?;
    Ok(outcome)
}

/// The model, in the plan that decided on the tape where nobody asked for one and this very model did.
fn as_taped(
    args: &Replay,
    tape: &Tape,
    context: &Context,
    remarks: &mut Vec<String>,
) -> anyhow::Result<Loaded> {
    let loaded = model::load(&args.model, &context.config)?;
    let golden = args.expect.as_ref().is_some_and(Option::is_some);
    let of_this = tape.ticks() > 0 && tape.header().model_digest() == Some(loaded.digest());
    let Some(kernels) = tape.header().get(key::KERNELS).filter(|_| of_this && !golden) else {
        return Ok(loaded);
    };
    let precision = if kernels.starts_with(FIXED_KERNELS) { Precision::Fixed } else { Precision::F32 };
    let asked = was_set(context, "policy.precision") || kernels == scripted::KERNELS;
    if asked || precision == context.config.precision || matches!(loaded.card.fixed, FixedPoint::Absent) {
        return Ok(loaded);
    }
    remarks
        .push(format!("the tape was decided in {0}, and so is its replay (--precision)", precision.word()));
    let mut config = context.config.clone();
    config.precision = precision;
    model::load(&args.model, &config)
}

/// Header entry of a tape whose frames were filled up.
const FILLED: &str = "filled_sensors";

fn outputs(args: &Replay, config: &Config, loaded: &Loaded, setup: &Setup) -> anyhow::Result<Outputs> {
    let tape = picture::file_name(&args.tape);
    let header = outputs::header(build_id(), loaded, setup, config);
    // The frames on the new tape hold what was fed in, so the tape has to say that nobody recorded it.
    let filled: Option<&str> = args.fill_sensors.then_some("what the source lacked: see --fill-sensors");
    let header = filled.map_or_else(|| header.clone(), |what| header.clone().with(FILLED, what));
    let header: Header =
        header.with(key::RIG, "tape").with(key::CREATED_BY, format!("hairpin replay of {tape}"));
    let head = outputs::head(format!("{tape} through {}", loaded.label()), build_id(), loaded, setup);
    let golden = args.expect.as_ref().and_then(Option::as_deref);
    let wanted = Wanted {
        record: args.record.as_deref(),
        report: args.report.as_deref(),
        lines: args.decisions.as_deref(),
        force: args.force,
        read: &[args.tape.as_path(), golden.unwrap_or(&args.tape)],
        model: &args.model,
    };
    Outputs::open(&wanted, &header, &head)
}

/// The pulses of the car that the tape is of, unless the user says which.
fn on_that_car(
    setup: Setup,
    tape: &Tape,
    context: &Context,
    remarks: &mut Vec<String>,
) -> anyhow::Result<Setup> {
    let Some(text) = tape.header().get(key::CALIBRATION).filter(|_| !was_set(context, "vehicle.calibration"))
    else {
        return Ok(setup);
    };
    let calibration = stock::read("the tape's calibration", text.as_bytes())?;
    if calibration != setup.calibration {
        remarks.push(
            "pulses are those of the tape's own calibration; --set vehicle.calibration chooses another"
                .to_owned(),
        );
    }
    Ok(Setup { calibration, ..setup })
}

fn open(path: &Path) -> anyhow::Result<Tape> {
    Tape::open(path).with_context(|| format!("cannot replay {}", path.display()))
}

fn words(rule: ScoreRule) -> String {
    match rule {
        ScoreRule::Exact => "bits".to_owned(),
        ScoreRule::Within(x) => format!("scores within {x:e}, everything else exact"),
        ScoreRule::WithinContinuous(x) => {
            format!("scores within {x:e}, and what follows from them in proportion")
        }
    }
}

/// Refuses a tape that lacks what the policy eats, unless the user wants it filled. Advice cannot be made up.
fn fill(args: &Replay, tape: &Tape, recipe: &Recipe) -> anyhow::Result<Fill> {
    let is_advised = recipe.sensors.contains(&Sensor::ScriptedDriver);
    if args.fill_sensors && !is_advised {
        return Ok(Fill::for_recipe(recipe));
    }
    let Some(frame) = tape.records().find_map(|record| record.frame) else {
        bail!("{} holds no frames; there is nothing to replay", args.tape.display());
    };
    let mut lacks = Vec::new();
    if recipe.channels() == 2 && frame.right.is_none() {
        lacks.push("a right camera".to_owned());
    }
    if is_advised && frame.ranges.len() != recipe.ranges() {
        bail!(
            "{} lacks the scripted driver's advice, which is only on tapes that it drove itself with `hairpin run --rig sim`",
            args.tape.display()
        );
    }
    if recipe.ranges() > 0 && frame.ranges.is_empty() {
        lacks.push(format!("{} LiDAR values", recipe.ranges()));
    }
    if !lacks.is_empty() {
        let names: Vec<&str> = recipe.sensors.iter().map(|sensor| sensor.name()).collect();
        bail!(
            "the model wants {}, but {} lacks {}; replay a recording of that car, or feed the one picture to both eyes and \
             an empty LiDAR with --fill-sensors",
            names.join(" and "),
            args.tape.display(),
            lacks.join(" and ")
        );
    }
    Ok(Fill::nothing())
}

/// The decisions to compare with, or why there are none. A tape is held against itself where it holds decisions of
/// this model, these settings and these kernels; `--expect` demands it.
fn reference<'a>(
    args: &Replay,
    tape: &'a Tape,
    golden: Option<&'a Tape>,
    loaded: &Loaded,
    (setup, config): (&Setup, &Config),
    remarks: &mut Vec<String>,
) -> anyhow::Result<(Option<&'a Tape>, String)> {
    let from = golden.unwrap_or(tape);
    let named = args.expect.as_ref().and_then(Option::as_deref).unwrap_or(&args.tape);
    if from.ticks() == 0 {
        if args.expect.is_some() {
            bail!(
                "{} holds no decisions to expect; make some with `hairpin replay TAPE --model DIR --record FILE`",
                named.display()
            );
        }
        return Ok((None, "the tape holds no decisions; --record writes them".to_owned()));
    }
    let header = from.header();
    let mut others = Vec::new();
    if header.model_digest() != Some(loaded.digest()) {
        others.push(format!("another model ({})", header.get(key::MODEL).unwrap_or("not named")));
    }
    if header.config_digest() != Some(setup::digest(setup, config)) {
        others.push("other settings".to_owned());
    }
    let kernels = header.get(key::KERNELS).unwrap_or("unknown");
    let here = loaded.arithmetic.kernels.as_str();
    let is_fixed = |kernels: &str| kernels.starts_with(FIXED_KERNELS);
    // No tolerance makes a fixed-point plan and another one the same.
    if kernels != here && (args.tolerance.is_none() || is_fixed(kernels) || is_fixed(here)) {
        let hint = match (is_fixed(kernels), is_fixed(here)) {
            (false, false) => "--tolerance 1e-5 allows for them",
            (true, false) => "--precision fixed decides as the tape did, where the model has that plan",
            (false, true) => "--precision f32 decides as the tape did",
            (true, true) => "the model was imported again since, with another plan",
        };
        others.push(format!("other kernels ({kernels}, here {here}); {hint}"));
    }
    if others.is_empty() {
        return Ok((Some(from), String::new()));
    }
    let why = format!("the decisions in {} are of {}", named.display(), others.join(" and of "));
    if args.expect.is_some() {
        remarks.push(why);
        return Ok((Some(from), String::new()));
    }
    Ok((None, why))
}

fn bar(records: usize) -> ProgressBar {
    let bar = ProgressBar::new(records as u64);
    match ProgressStyle::with_template("  {bar:40} {pos}/{len} ticks  {per_sec}  {eta}") {
        Ok(style) => bar.set_style(style),
        Err(error) => say(&format!("hairpin: {error}")),
    }
    bar
}
