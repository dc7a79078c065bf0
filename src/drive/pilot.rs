//! One tick, pure: the same inputs and frame give the same decision, bit for bit. Allocates nothing itself
//! after the first frame.

use super::ports::Stopwatch;
use crate::domain::{
    Action, ActionSpace, Command, Decision, Frame, FrameDigest, FrameStamp, Inputs, Measured, Note, Notes,
    Observation, Pulses, Quality, Recipe, Scores, Stage,
};
use crate::governor::{Governor, Limits, Wish};
use crate::policy::Policy;
use crate::policy::choose::{Bound, choose};
use crate::policy::law::Law;
use crate::units::Instant;
use crate::vehicle::Calibration;
use crate::vision::{self, JudgeLimits, Workspace};

/// Everything that a pilot is told once.
#[derive(Clone, Debug)]
pub struct Setup {
    /// Inputs and arithmetic.
    pub recipe: Recipe,
    /// What the scores mean.
    pub action_space: ActionSpace,
    /// How continuous scores are bounded.
    pub bound: Bound,
    /// What the governor enforces.
    pub limits: Limits,
    /// When a picture is dark or washed out.
    pub judge: JudgeLimits,
    /// Command to pulses.
    pub calibration: Calibration,
}

/// The chain from frame to pulses.
pub struct Pilot<P: Policy> {
    policy: P,
    setup: Setup,
    law: Law,
    governor: Governor,
    workspace: Workspace,
    observation: Observation,
    last_frame: Option<FrameDigest>,
}

/// What became of the picture.
struct Seen {
    quality: Quality,
    observation: u64,
    scores: Scores,
    action: Option<Action>,
    wish: Wish,
    notes: Notes,
}

/// Stage times, taken as the stages end.
struct Laps<'a, S: Stopwatch> {
    watch: &'a S,
    last: Instant,
    measured: Measured,
}

impl<S: Stopwatch> Laps<'_, S> {
    fn end(&mut self, stage: Stage) {
        let now = self.watch.now();
        self.measured.set(stage, now.since(self.last));
        self.last = now;
    }
}

impl<P: Policy> Pilot<P> {
    /// A pilot that starts disarmed.
    pub fn new(policy: P, setup: Setup) -> Self {
        Self {
            policy,
            law: Law::new(&setup.action_space),
            governor: Governor::new(setup.limits),
            workspace: Workspace::default(),
            observation: Observation::default(),
            last_frame: None,
            setup,
        }
    }

    /// The pulses at which the car stands.
    pub fn neutral(&self) -> Pulses {
        self.setup.calibration.neutral()
    }

    /// Number and time of the last frame that spoke for driving; the last command rests on it.
    pub fn evidence(&self) -> Option<FrameStamp> {
        self.governor.evidence()
    }

    /// One tick. `watch` is only read between stages.
    pub fn step(
        &mut self,
        inputs: &Inputs,
        frame: Option<Frame<'_>>,
        watch: &impl Stopwatch,
    ) -> (Decision, Measured) {
        let mut laps = Laps { watch, last: watch.now(), measured: Measured::default() };
        let digest = frame.as_ref().map(FrameDigest::of);
        let seen = match frame {
            Some(frame) => self.see(&frame, digest, inputs, &mut laps),
            None => Seen::nothing(Quality::Missing),
        };
        self.conclude(inputs, digest, &seen, laps)
    }

    /// One tick upon a frame whose pictures are gone: digests, quality and scores are those of `recorded`, and everything
    /// that follows from them is made anew.
    pub fn recall(
        &mut self,
        inputs: &Inputs,
        recorded: &Decision,
        watch: &impl Stopwatch,
    ) -> (Decision, Measured) {
        let laps = Laps { watch, last: watch.now(), measured: Measured::default() };
        let mut seen = Seen { observation: recorded.observation, ..Seen::nothing(recorded.quality) };
        if recorded.notes.has(Note::PolicyFailed) {
            seen.fail(Note::PolicyFailed);
        } else if !matches!(recorded.quality, Quality::Torn | Quality::Missing) {
            self.decide(&recorded.scores, inputs.operator.speed_percent, &mut seen);
        }
        self.conclude(inputs, Some(recorded.frame), &seen, laps)
    }

    fn conclude<S: Stopwatch>(
        &mut self,
        inputs: &Inputs,
        digest: Option<FrameDigest>,
        seen: &Seen,
        mut laps: Laps<'_, S>,
    ) -> (Decision, Measured) {
        self.last_frame = digest.or(self.last_frame);
        let verdict = self.governor.admit(seen.wish, seen.quality, inputs);
        // What is decided is what the wire to the pins can carry, so that the tape and the pins agree to the nanosecond.
        let command = verdict.command.in_permille();
        let decision = Decision {
            frame: digest.unwrap_or_default(),
            observation: seen.observation,
            quality: seen.quality,
            scores: seen.scores,
            action: seen.action,
            wish: seen.wished(),
            command,
            state: verdict.state,
            notes: verdict.notes.with(seen.notes),
            pulses: self.setup.calibration.pulses(command),
        };
        laps.end(Stage::Decide);
        (decision, laps.measured)
    }

    fn see<S: Stopwatch>(
        &mut self,
        frame: &Frame<'_>,
        digest: Option<FrameDigest>,
        inputs: &Inputs,
        laps: &mut Laps<'_, S>,
    ) -> Seen {
        let recipe = &self.setup.recipe;
        let decoded = vision::decode(frame, recipe, &mut self.workspace);
        laps.end(Stage::Decode);
        let look =
            decoded.and_then(|()| vision::observe(frame, recipe, &mut self.workspace, &mut self.observation));
        laps.end(Stage::Prepare);
        let Ok(look) = look else { return Seen::nothing(Quality::Torn) };
        let quality =
            if digest == self.last_frame { Quality::Frozen } else { vision::judge(&look, &self.setup.judge) };
        let answer = self.policy.infer(&self.observation);
        let mut seen = Seen { observation: vision::digest(&self.observation), ..Seen::nothing(quality) };
        laps.end(Stage::Infer);
        match answer {
            Ok(scores) => self.decide(&scores, inputs.operator.speed_percent, &mut seen),
            Err(_) => seen.fail(Note::PolicyFailed),
        }
        seen
    }

    fn decide(&self, scores: &Scores, speed_percent: u8, seen: &mut Seen) {
        seen.scores = *scores;
        let Some(action) = choose(scores, &self.setup.action_space, self.setup.bound) else {
            return seen.fail(Note::ScoresNotFinite);
        };
        let wished = self.law.wish(action, speed_percent);
        seen.action = Some(action);
        seen.wish = Wish::Drive(wished.command);
        if wished.clamped {
            seen.notes.add(Note::WishClamped);
        }
    }
}

impl Seen {
    const fn nothing(quality: Quality) -> Self {
        Self {
            quality,
            observation: 0,
            scores: Scores::NONE,
            action: None,
            wish: Wish::Nothing,
            notes: Notes::NONE,
        }
    }

    fn fail(&mut self, note: Note) {
        self.wish = Wish::Failed;
        self.notes.add(note);
    }

    const fn wished(&self) -> Option<Command> {
        match self.wish {
            Wish::Drive(command) => Some(command),
            Wish::Nothing | Wish::Failed => None,
        }
    }
}
