//! `hairpin record`: camera to tape with the gate shut. Where there is a board, its pins are held neutral meanwhile;
//! where there is none, as on a laptop, the camera alone is recorded.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context as _, bail};
use indicatif::{ProgressBar, ProgressStyle};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use super::calibrated::calibrated_or_factory;
use super::eyes::{counted, described};
use super::{Context, build_id, say};
use crate::cli::Record;
use crate::domain::{CameraHealth, Frame};
use crate::exit::Outcome;
use crate::hal::board::Board;
use crate::hal::capture::{Capture, Eyes};
use crate::hal::clock::Clock;
use crate::hal::{HalError, Settings};
use crate::report::recording::RecordingReport;
use crate::tape::TapeWriter;
use crate::tape::header::{Header, key};
use crate::tape::recorder::{Bounds, Recorder};
use crate::units::{Instant, Span};

/// How long one frame is waited for before the camera's health is looked at.
const PATIENCE: Span = Span::from_millis(200);

/// Records until it is asked to end, or for as long as it was told.
pub(crate) fn run(args: &Record, context: &Context) -> anyhow::Result<Outcome> {
    let settings = context.config.car();
    let _held_neutral = board(&settings, context)?;
    let clock = Clock::new();
    let mut capture = Capture::start(&settings, clock, Eyes::AsFound)?;
    let (camera, vitals) = (described(capture.agreed()), capture.vitals());
    let header = Header::default()
        .with(key::BUILD, build_id())
        .with(key::RIG, "car")
        .with("camera", &camera)
        .with(key::CREATED_BY, "hairpin record");
    let mut recorder =
        Recorder::start(TapeWriter::create(&args.out, &header, args.force)?, Bounds::default())?;
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, Arc::clone(&asked)).context("cannot listen for signals")?;
    }
    say(&format!("hairpin: recording {camera}; Ctrl-C ends it"));
    let bar = bar();
    let begun = clock.now();
    let until = args.seconds.map(|seconds| begun + Span::from_millis(seconds.saturating_mul(1000)));
    let mut lost_since: Option<Instant> = None;
    while !asked.load(Ordering::Relaxed) && until.is_none_or(|until| clock.now() < until) {
        if let Some(why) = recorder.failed() {
            bar.finish_and_clear();
            bail!("{} ends early: {why}; what was recorded before is on it", args.out.display());
        }
        match capture.next(PATIENCE) {
            Some(shot) => {
                lost_since = None;
                recorder.frame(&Frame {
                    seq: shot.seq,
                    captured_at: shot.captured_at,
                    left: shot.left,
                    right: shot.right,
                    ranges: &[],
                });
                bar.inc(1);
            }
            None if vitals.health() == CameraHealth::Lost && lost_since.is_none() => {
                lost_since = Some(clock.now());
                say("hairpin: the camera is gone; looking for it");
            }
            None => {}
        }
    }
    let seconds = clock.now().since(begun).as_millis_f64() / 1e3;
    bar.finish_and_clear();
    let frames = counted(&capture.counters());
    drop(capture);
    let summary = recorder.finish();
    let report = RecordingReport {
        file: args.out.display().to_string(),
        camera,
        seconds,
        recorded: summary.frames,
        bytes: summary.bytes,
        dropped: summary.dropped,
        failed: summary.failed,
        frames,
    };
    context.print(&report)?;
    Ok(if report.lost_data() { Outcome::LostData } else { Outcome::Done })
}

/// The board, neutral and shut, for as long as it is kept; none where this machine has none.
fn board(settings: &Settings, context: &Context) -> anyhow::Result<Option<Board>> {
    match Board::open(settings, calibrated_or_factory(context).neutral()) {
        Ok(board) => Ok(Some(board)),
        Err(HalError::NoPwmChip { .. } | HalError::NoBoard { .. }) => {
            say("hairpin: there are no pins here; the camera alone is recorded");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    match ProgressStyle::with_template("  {spinner} {pos} frames  {per_sec}  {elapsed}") {
        Ok(style) => bar.set_style(style),
        Err(error) => say(&format!("hairpin: {error}")),
    }
    bar
}
