//! `hairpin bench`: each stage of a tick on this machine. The same loop as a replay, over a tape or over drawn
//! pictures; nothing is written.

mod infer;

use std::path::Path;

use anyhow::{Context as _, bail};

use super::clock::Clock;
use super::{Context, build_id, kernels, model, setup, synthetic};
use crate::cli::Bench;
use crate::domain::{Frame, FrameSeq, Picture, PixelFormat, Tick};
use crate::drive::{Pilot, Sink, Stopwatch, cycle};
use crate::exit::Outcome;
use crate::report::bench::BenchReport;
use crate::report::latency::Latency;
use crate::tape::header::{Header, key};
use crate::tape::rig::{Fill, TapeWorld};
use crate::tape::{Tape, TapeWriter};
use crate::units::{Instant, Span};

/// Ticks that are run before the first one counts.
const WARM_UP: u64 = 20;

/// Measures.
pub(crate) fn run(args: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    kernels::ensure(context)?;
    if args.only.is_some() {
        return infer::run(args, context);
    }
    let loaded = model::load_folder(&args.model, &context.config)?;
    let setup = setup::setup(&loaded.card, &context.config)?;
    let tape = match &args.tape {
        Some(path) => Tape::open(path).with_context(|| format!("cannot use {}", path.display()))?,
        None => drawn()?,
    };
    if tape.frames() == 0 {
        bail!("the tape holds no frames, wanted at least one");
    }
    let fill = Fill::for_recipe(&setup.recipe);
    let mut pilot = Pilot::new(loaded.plan, setup);
    let mut meter = Meter {
        latency: Latency::new().context("out of memory")?,
        ticks: 0,
        wanted: u64::from(args.ticks),
        begun: None,
        ended: None,
        clock: Clock::start(),
    };
    while meter.ended.is_none() {
        let mut world = TapeWorld::new(&tape, context.config.speed_percent, fill.clone());
        let clock = meter.clock;
        let done = std::cell::Cell::new(false);
        let mut sink = Counting { meter: &mut meter, done: &done };
        cycle(&mut world, &mut pilot, &clock, &mut sink, || done.get())?;
    }
    let span = meter.ended.unwrap_or_default().since(meter.begun.unwrap_or_default());
    context.print(&BenchReport {
        model: loaded.card.name,
        frames: args.tape.as_deref().map_or_else(|| "a drawn 640x480 picture".to_owned(), name),
        kernels: loaded.arithmetic.text(),
        ticks: meter.wanted,
        seconds: span.as_millis_f64() / 1e3,
        latency: meter.latency.rows(),
        macs: loaded.card.facts.macs,
    })?;
    Ok(Outcome::Done)
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

/// Counts after the warm-up.
struct Meter {
    latency: Latency,
    ticks: u64,
    wanted: u64,
    begun: Option<Instant>,
    ended: Option<Instant>,
    clock: Clock,
}

struct Counting<'a> {
    meter: &'a mut Meter,
    done: &'a std::cell::Cell<bool>,
}

impl Sink for Counting<'_> {
    fn emit(&mut self, tick: &Tick, _frame: Option<&Frame<'_>>) -> bool {
        let meter = &mut *self.meter;
        meter.ticks += 1;
        if meter.ticks == WARM_UP {
            meter.begun = Some(meter.clock.now());
        } else if meter.ticks > WARM_UP {
            meter.latency.count(&tick.measured);
        }
        if meter.ticks == WARM_UP + meter.wanted {
            meter.ended = Some(meter.clock.now());
            self.done.set(true);
        }
        true
    }
}

/// Sixteen different drawn pictures as a tape in memory.
fn drawn() -> anyhow::Result<Tape> {
    let header = Header::default().with(key::BUILD, build_id()).with(key::RIG, "drawn");
    let mut writer = TapeWriter::new(Vec::new(), &header)?;
    for n in 0..16 {
        let bytes = synthetic::jpeg(n);
        let captured_at = Instant(0) + Span::from_millis(u64::from(n) * 33);
        writer.frame(&Frame {
            seq: FrameSeq(u64::from(n)),
            captured_at,
            left: Picture { format: PixelFormat::Mjpeg, bytes: &bytes },
            right: None,
            ranges: &[],
        })?;
    }
    Ok(Tape::from_bytes(writer.finish()?)?)
}
