//! Yesterday's world: a tape to drive in. Recorded inputs are fed as they were; frames that no loop has seen yet get
//! an operator who arms at the start and a clock that shows their capture times. Its pins move nothing.

use std::convert::Infallible;

use super::reader::Tape;
use crate::domain::{
    Applied, Ask, Frame, FrameStamp, Health, Inputs, OperatorInput, Order, Previous, Pulses, Recipe, Sensor,
};
use crate::drive::{Actuators, Sensed, Senses, World};
use crate::units::Span;

/// For this many ticks the operator of an undriven tape asks to arm: a dark first frame refuses, and a second of
/// frames is enough to find a good one.
const ARMING_TICKS: u64 = 30;

/// A distance that means nothing is near: what the stock car's LiDAR window is clipped to (car.md §2.4).
const NOTHING_NEAR_M: f32 = 0.5;

/// What to do about sensors that the policy wants and the tape lacks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fill {
    /// Feed the left picture to the right eye as well.
    mirror: bool,
    /// LiDAR values for frames without any.
    ranges: Vec<f32>,
}

impl Fill {
    /// Feeds nothing that was not recorded.
    #[must_use]
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Feeds what `recipe` wants: the one picture to both eyes, and a LiDAR that sees nothing.
    #[must_use]
    pub fn for_recipe(recipe: &Recipe) -> Self {
        let value = if recipe.sensors.contains(&Sensor::SectorLidar) { 0.0 } else { NOTHING_NEAR_M };
        Self { mirror: recipe.channels() == 2, ranges: vec![value; recipe.ranges()] }
    }
}

/// The sensing half: record after record.
#[derive(Debug)]
pub struct Reel<'a> {
    tape: &'a Tape,
    next: usize,
    seq: u64,
    /// Whether anybody drove by this tape.
    driven: bool,
    speed_percent: u8,
    fill: Fill,
    /// Whether frames without their pictures are answered from the tape.
    recalls: bool,
}

/// Pins that keep what they were told last.
#[derive(Clone, Copy, Debug, Default)]
pub struct StillPins {
    last: Option<Pulses>,
}

impl StillPins {
    /// The last pulses, if there were any.
    #[must_use]
    pub const fn last(&self) -> Option<Pulses> {
        self.last
    }
}

impl Actuators for StillPins {
    fn apply(&mut self, order: Order) -> Applied {
        self.last = Some(order.pulses);
        Applied::Written
    }
}

/// A tape as a world.
#[derive(Debug)]
pub struct TapeWorld<'a> {
    reel: Reel<'a>,
    pins: StillPins,
}

impl<'a> TapeWorld<'a> {
    /// A world that begins with the tape's first record. `speed_percent` is the throttle scale for frames without
    /// recorded inputs.
    #[must_use]
    pub fn new(tape: &'a Tape, speed_percent: u8, fill: Fill) -> Self {
        let driven = tape.ticks() > 0;
        Self {
            reel: Reel { tape, next: 0, seq: 0, driven, speed_percent, fill, recalls: false },
            pins: StillPins { last: None },
        }
    }

    /// Where the recorder left pictures out, lets the tape say what was seen in them. Only for the policy that drove: the
    /// scores are its own.
    #[must_use]
    pub const fn recalling(mut self) -> Self {
        self.reel.recalls = true;
        self
    }

    /// The pins.
    #[must_use]
    pub const fn pins(&self) -> &StillPins {
        &self.pins
    }
}

impl<'a> World for TapeWorld<'a> {
    type Senses = Reel<'a>;
    type Actuators = StillPins;

    fn parts(&mut self) -> (&mut Self::Senses, &mut Self::Actuators) {
        (&mut self.reel, &mut self.pins)
    }
}

impl Reel<'_> {
    /// What an operator and a clock would have said about a frame that nobody drove by.
    fn imagined(&self, frame: &Frame<'_>) -> Inputs {
        let ask = if self.seq < ARMING_TICKS { Ask::Arm } else { Ask::Nothing };
        let applied = if self.seq == 0 { Applied::Nothing } else { Applied::Written };
        Inputs {
            seq: self.seq,
            now: frame.captured_at,
            frame: Some(FrameStamp { seq: frame.seq, captured_at: frame.captured_at }),
            operator: OperatorInput { seq: 0, ask, speed_percent: self.speed_percent },
            health: Health::default(),
            previous: Previous { elapsed: Span(0), applied, dropped: 0 },
        }
    }

    fn filled<'b>(&'b self, frame: Frame<'b>) -> Frame<'b> {
        let right = frame.right.or(self.fill.mirror.then_some(frame.left));
        let ranges = if frame.ranges.is_empty() { &self.fill.ranges } else { frame.ranges };
        Frame { right, ranges, ..frame }
    }
}

impl Senses for Reel<'_> {
    type Error = Infallible;

    fn next(&mut self, _previous: Previous) -> Result<Option<Sensed<'_>>, Infallible> {
        // A frame whose tick was cut off has no inputs to be replayed with.
        let driven = self.driven;
        let whole = |at: &usize| self.tape.record(*at).is_none_or(|record| !driven || record.tick.is_some());
        let at = (self.next..=self.tape.len()).find(whole).unwrap_or(self.tape.len());
        let Some(record) = self.tape.record(at) else { return Ok(None) };
        self.next = at + 1;
        let inputs = match (record.tick, &record.frame) {
            (Some(tick), _) => tick.inputs,
            (None, Some(frame)) => self.imagined(frame),
            (None, None) => return Ok(None),
        };
        self.seq += 1;
        let recalled = record.tick.filter(|_| self.recalls && record.left_out()).map(|tick| tick.decision);
        Ok(Some(Sensed { inputs, frame: record.frame.map(|frame| self.filled(frame)), recalled }))
    }
}
