//! What everybody on the stage can reach: the time, the script, the pins and who watches them.

use std::collections::BTreeMap;

use hairpin::domain::Pulses;
use hairpin::lease::Phase;
use hairpin::units::{Instant, Span};

use super::broken::Broken;
use super::dice::Dice;
use super::faults::{Fault, Script};
use super::observer::Observer;
use super::setup::Setup;

/// A clock that reads backwards does so by at most this.
const LONGEST_BACK_US: u64 = 20_000;

/// Who touched the pins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The guardian, through pins that answer.
    Guardian,
    /// The guardian, who knows that the pins do not answer.
    GuardianBlind,
    /// Anybody else.
    Other,
}

/// What stands on the pins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pins {
    pub(crate) pulses: Pulses,
    /// Whether somebody else wrote last.
    pub(crate) foreign: bool,
    pub(crate) open: bool,
}

pub(crate) struct Scene {
    pub(crate) now: Instant,
    pub(crate) dice: Dice,
    pub(crate) script: Script,
    pub(crate) setup: Setup,
    pub(crate) pins: Pins,
    pub(crate) observer: Observer,
    pub(crate) broken: Broken,
    /// How far behind its time the guardian is known to be: what the script does to it, no more.
    pub(crate) allowance: Span,
    /// Where the lease stood when it brought a moving car to neutral.
    pub(crate) stopped_by: Option<Phase>,
    /// How often governor and lease latched, and why.
    pub(crate) latches: BTreeMap<String, u64>,
}

impl Scene {
    pub(crate) fn new(seed: u64, broken: Broken) -> Self {
        let mut dice = Dice::new(seed);
        let setup = Setup::draw(&mut dice);
        let pins = Pins { pulses: setup.calibration.neutral(), foreign: false, open: false };
        Self {
            now: Instant(0),
            script: Script::new(dice.roll()),
            dice,
            pins,
            observer: Observer::new(&setup),
            setup,
            broken,
            allowance: Span(0),
            stopped_by: None,
            latches: BTreeMap::new(),
        }
    }

    /// A write lands.
    pub(crate) fn write(&mut self, pulses: Pulses, by: By) {
        (self.pins.pulses, self.pins.foreign) = (pulses, by == By::Other);
        self.observer.pins(self.now, &self.pins, by);
    }

    pub(crate) fn gate(&mut self, open: bool, by: By) {
        self.pins.open = open;
        self.observer.pins(self.now, &self.pins, by);
    }

    /// Governor or lease latched.
    pub(crate) fn latched(&mut self, state: &impl std::fmt::Debug) {
        *self.latches.entry(format!("{state:?}")).or_default() += 1;
    }

    pub(crate) fn is(&self, fault: Fault) -> bool {
        self.script.active(fault, self.now)
    }

    /// What a clock says that may read backwards.
    pub(crate) fn clock(&mut self, back: Fault) -> Instant {
        if self.is(back) && self.dice.chance(40) {
            self.now - self.dice.micros(1, LONGEST_BACK_US)
        } else {
            self.now
        }
    }

    /// By how much the guardian's clock is in doubt: for as long as an arming time after the last wrong reading.
    pub(crate) fn error(&self) -> Span {
        let lately = self.script.until(Fault::GuardianClockBack) + Span::from_millis(1500) > self.now;
        if lately { Span(LONGEST_BACK_US * 1000) } else { Span(0) }
    }
}
