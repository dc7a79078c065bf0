//! What a simulated drive does with every tick: count it, write it down, show it, and wait where it shall take its time.
//! The first file that cannot be written ends the loop.

use std::cell::Cell;

use super::super::outputs::Outputs;
use super::paced::{Pace, Progress};
use super::trace::Trace;
use crate::domain::{ActionSpace, Frame, Note, Tick};
use crate::drive::Sink;
use crate::report::tape::count;
use crate::sim::rig::SimClock;

/// The sink.
pub(super) struct SimSink<'a> {
    clock: SimClock,
    seen: Seen,
    progress: Progress,
    pace: Option<Pace>,
    trace: Trace,
    error: Option<anyhow::Error>,
    failed: &'a Cell<bool>,
}

/// What a drive came to.
pub(super) struct Seen {
    pub(super) outputs: Outputs,
    pub(super) ticks: u64,
    pub(super) states: Vec<(&'static str, u64)>,
    pub(super) notes: Vec<(Note, u64)>,
}

impl<'a> SimSink<'a> {
    pub(super) fn new(
        clock: SimClock,
        outputs: Outputs,
        (progress, pace): (Progress, Option<Pace>),
        space: ActionSpace,
        failed: &'a Cell<bool>,
    ) -> Self {
        let seen = Seen { outputs, ticks: 0, states: Vec::new(), notes: Vec::new() };
        Self { clock, seen, progress, pace, trace: Trace::new(space), error: None, failed }
    }

    /// What was seen, or the first file that could not be written.
    pub(super) fn finish(mut self) -> anyhow::Result<Seen> {
        self.progress.end();
        if self.error.is_none()
            && let Some(line) = self.trace.end(&self.clock.scene())
        {
            self.error = self.seen.outputs.line(line).err();
        }
        match self.error {
            Some(error) => {
                self.seen.outputs.abandon()?;
                Err(error)
            }
            None => Ok(self.seen),
        }
    }

    fn write(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> anyhow::Result<()> {
        let outputs = &mut self.seen.outputs;
        outputs.take(tick, frame, None)?;
        if outputs.has_lines()
            && let Some(line) = self.trace.line(tick, &self.clock.scene())
        {
            outputs.line(line)?;
        }
        Ok(())
    }
}

impl Sink for SimSink<'_> {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        self.seen.ticks += 1;
        count(&mut self.seen.states, tick.decision.state.word());
        tick.decision.notes.iter().for_each(|note| count(&mut self.seen.notes, note));
        if let Err(error) = self.write(tick, frame) {
            self.error = Some(error);
            self.failed.set(true);
        }
        self.progress.show(&self.clock.scene(), tick);
        if let Some(pace) = &self.pace {
            pace.wait_for(tick.inputs.now);
        }
        true
    }
}
