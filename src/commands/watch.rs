//! What a replay does with every tick: hold it against the recording, count it, and hand it to the files. The first
//! difference, and the first file that cannot be written, end the loop.

use std::cell::Cell;

use indicatif::ProgressBar;

use super::outputs::Outputs;
use crate::domain::{Frame, Tick};
use crate::drive::Sink;
use crate::report::latency::Latency;
use crate::report::replay::Difference;
use crate::report::tape::count;
use crate::tape::{Human, ScoreRule, Tape, compare};

/// How far a replay goes, and who is told.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    /// Ticks at the most.
    pub(crate) most: Option<u64>,
    /// Shows how far it is.
    pub(crate) bar: &'a ProgressBar,
    /// Set when the loop shall end.
    pub(crate) done: &'a Cell<bool>,
}

/// The sink of a replay.
pub(crate) struct Watcher<'a> {
    source: &'a Tape,
    /// The first record of the source that was not looked at yet.
    next: usize,
    reference: Option<&'a Tape>,
    rule: ScoreRule,
    most: u64,
    seen: Seen,
    failed: Option<anyhow::Error>,
    bar: &'a ProgressBar,
    done: &'a Cell<bool>,
}

/// What a replay came to.
pub(crate) struct Seen {
    pub(crate) ticks: u64,
    pub(crate) compared: u64,
    pub(crate) difference: Option<Difference>,
    pub(crate) states: Vec<(&'static str, u64)>,
    pub(crate) notes: Vec<(String, u64)>,
    pub(crate) latency: Latency,
    pub(crate) outputs: Outputs,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(
        source: &'a Tape,
        reference: Option<&'a Tape>,
        rule: ScoreRule,
        ends: Ends<'a>,
        outputs: Outputs,
        latency: Latency,
    ) -> Self {
        let Ends { most, bar, done } = ends;
        let seen = Seen {
            ticks: 0,
            compared: 0,
            difference: None,
            states: Vec::new(),
            notes: Vec::new(),
            latency,
            outputs,
        };
        let most = most.unwrap_or(u64::MAX);
        Self { source, next: 0, reference, rule, most, seen, failed: None, bar, done }
    }

    /// What was seen, or the first file that could not be written. A recording with further ticks is a difference.
    pub(crate) fn finish(mut self) -> anyhow::Result<Seen> {
        if let Some(error) = self.failed {
            self.seen.outputs.abandon()?;
            return Err(error);
        }
        let recorded = self.reference.map_or(0, |tape| tape.ticks() as u64);
        let whole = self.most == u64::MAX && self.seen.difference.is_none();
        if whole && recorded > self.seen.compared {
            self.seen.difference = Some(Difference {
                tick: self.seen.compared,
                frame: None,
                stage: "inputs".to_owned(),
                field: "tick".to_owned(),
                recorded: format!("{} more decisions", recorded - self.seen.compared),
                computed: "nothing: the tape ends before them".to_owned(),
            });
        }
        Ok(self.seen)
    }

    /// What a human did at the frame of this tick, on the source tape.
    fn human(&mut self, tick: &Tick) -> Option<Human> {
        let seq = tick.inputs.frame?.seq;
        while let Some(record) = self.source.record(self.next) {
            self.next += 1;
            if record.frame.is_some_and(|frame| frame.seq == seq) {
                return record.human;
            }
        }
        None
    }

    fn held_against(&self, tick: &Tick) -> Option<Difference> {
        let tape = self.reference?;
        let seq = tick.inputs.seq;
        let beside = usize::try_from(seq)
            .ok()
            .and_then(|at| tape.record(at)?.tick)
            .filter(|tick| tick.inputs.seq == seq);
        let recorded = beside.or_else(|| tape.record(tape.position_of_tick(seq)?)?.tick);
        let Some(recorded) = recorded else {
            return Some(Difference {
                tick: tick.inputs.seq,
                frame: tick.inputs.frame.map(|frame| frame.seq.0),
                stage: "inputs".to_owned(),
                field: "tick".to_owned(),
                recorded: "nothing: the recording ends before it".to_owned(),
                computed: "a decision".to_owned(),
            });
        };
        compare::ticks(&recorded, tick, self.rule).map(|at| Difference {
            tick: at.tick,
            frame: at.frame.map(|frame| frame.0),
            stage: at.stage.to_owned(),
            field: at.field,
            recorded: at.recorded,
            computed: at.computed,
        })
    }
}

impl Sink for Watcher<'_> {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        self.seen.ticks += 1;
        self.seen.latency.count(&tick.measured);
        count(&mut self.seen.states, tick.decision.state.word());
        for note in tick.decision.notes.iter() {
            count(&mut self.seen.notes, format!("{note:?}"));
        }
        self.bar.inc(1);
        if let Some(difference) = self.held_against(tick) {
            self.seen.difference = Some(difference);
            self.done.set(true);
        } else if self.reference.is_some() {
            self.seen.compared += 1;
        }
        let human = self.human(tick);
        let outputs = &mut self.seen.outputs;
        if let Err(error) = outputs.take(tick, frame, human).and_then(|()| outputs.decision(tick)) {
            self.failed = Some(error);
            self.done.set(true);
        }
        if self.seen.ticks >= self.most {
            self.done.set(true);
        }
        true
    }
}
