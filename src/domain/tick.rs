//! One pass of the loop: what it knew, what it concluded, what it took. Only the first two are compared.

use super::decision::Decision;
use super::inputs::Inputs;
use crate::units::Span;

/// A stage of the tick that is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Compressed bytes to pixels.
    Decode,
    /// Pixels to observation, and the judgement on them.
    Prepare,
    /// Observation to scores.
    Infer,
    /// Scores to pulses: choose, permit, calibrate.
    Decide,
    /// Everything, from frozen inputs to applied pulses.
    Whole,
}

impl Stage {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::Decode, Self::Prepare, Self::Infer, Self::Decide, Self::Whole];

    /// The word for reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Decode => "decode",
            Self::Prepare => "prepare",
            Self::Infer => "infer",
            Self::Decide => "decide",
            Self::Whole => "whole",
        }
    }
}

/// Stage times of one tick. Not comparable, on purpose.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// In the order of [`Stage::ALL`].
    pub stages: [Span; 5],
}

impl Measured {
    /// The time that one stage took.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Span {
        self.stages.get(stage as usize).copied().unwrap_or_default()
    }

    /// Notes the time that one stage took.
    pub fn set(&mut self, stage: Stage, span: Span) {
        if let Some(slot) = self.stages.get_mut(stage as usize) {
            *slot = span;
        }
    }
}

/// One pass of the loop.
#[derive(Clone, Copy, Debug)]
pub struct Tick {
    /// What it knew.
    pub inputs: Inputs,
    /// What it concluded.
    pub decision: Decision,
    /// What it took.
    pub measured: Measured,
}
