//! Pins and gate in the guardian's hands, as `guardian/held.rs` holds them, over hardware that fails and hangs by script.

use hairpin::domain::{Command, Pulses};
use hairpin::lease::{GateState, Output};
use hairpin::units::{Instant, Span};

use super::faults::Fault;
use super::scene::{By, Scene};

const REASSERT: Span = Span::from_millis(100);
const REOPEN: Span = Span::from_millis(500);
/// The eye shuts the gate over a write that takes longer.
pub(crate) const SLOW: Span = Span::from_millis(20);

/// A write that did not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// It failed at once.
    Failed,
    /// It hangs, and whoever wrote hangs with it.
    Hangs,
}

/// What a look at the pins found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Good,
    Moved,
    Back,
    Trouble(Trouble),
}

/// A write under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stuck {
    pub(crate) until: Instant,
    /// When the eye shuts the gate.
    pub(crate) eye: Instant,
    pulses: Pulses,
}

pub(crate) struct Held {
    open: bool,
    broken: bool,
    moved: u32,
    written: Pulses,
    next_look: Instant,
    pub(crate) stuck: Option<Stuck>,
}

impl Held {
    pub(crate) fn new(scene: &Scene) -> Self {
        let (written, next_look) = (scene.setup.calibration.neutral(), scene.now + REASSERT);
        Self { open: false, broken: false, moved: 0, written, next_look, stuck: None }
    }

    pub(crate) const fn gate_is_open(&self) -> bool {
        self.open
    }

    pub(crate) fn put(&mut self, output: &Output, scene: &mut Scene) -> Result<(), Trouble> {
        let calibration = scene.setup.calibration;
        let command = Command { steering: output.steering.signed(), throttle: output.throttle.signed() };
        let pulses = calibration.pulses(command);
        if !self.broken && pulses != self.written {
            self.write(pulses, scene)?;
        }
        match (output.gate, self.open) {
            (GateState::Shut, true) => self.shut(scene),
            (GateState::Open, false) if pulses == calibration.neutral() && !self.broken => {
                self.write(pulses, scene)?;
                self.open = true;
                scene.gate(true, By::Guardian);
            }
            _ => {}
        }
        Ok(())
    }

    fn write(&mut self, pulses: Pulses, scene: &mut Scene) -> Result<(), Trouble> {
        if scene.is(Fault::PinsHang) {
            let until = scene.script.until(Fault::PinsHang).max(scene.now + Span::from_millis(21));
            self.stuck = Some(Stuck { until, eye: scene.now + SLOW, pulses });
            return Err(Trouble::Hangs);
        }
        if scene.is(Fault::PinsFail) {
            self.broken = true;
            self.shut(scene);
            return Err(Trouble::Failed);
        }
        self.written = pulses;
        scene.write(pulses, By::Guardian);
        Ok(())
    }

    /// A write that hung lands after all, too late to be believed.
    pub(crate) fn lands(&mut self, stuck: Stuck, scene: &mut Scene) {
        (self.stuck, self.broken) = (None, true);
        scene.write(stuck.pulses, By::GuardianBlind);
        self.shut(scene);
    }

    fn shut(&mut self, scene: &mut Scene) {
        self.open = false;
        scene.gate(false, if self.broken { By::GuardianBlind } else { By::Guardian });
    }

    pub(crate) fn look_after(&mut self, now: Instant, scene: &mut Scene) -> Seen {
        if now < self.next_look {
            return Seen::Good;
        }
        if self.broken {
            self.next_look = now + REOPEN;
            if scene.is(Fault::PinsFail) || scene.is(Fault::PinsHang) {
                return Seen::Good;
            }
            self.next_look = now + REASSERT;
            (self.broken, self.written) = (false, scene.setup.calibration.neutral());
            scene.write(self.written, By::Guardian);
            return Seen::Back;
        }
        // Commands come more often than looks and must not put them off.
        self.next_look = now + REASSERT;
        if self.open && !scene.pins.open {
            // Still open as far as the lease goes: it is to be shut, and not to be opened again for two periods.
            return Seen::Moved;
        }
        self.moved = if scene.pins.pulses == self.written { 0 } else { self.moved + 1 };
        if let Err(trouble) = self.write(self.written, scene) {
            return Seen::Trouble(trouble);
        }
        if self.moved < 2 {
            return Seen::Good;
        }
        self.moved = 0;
        Seen::Moved
    }

    /// Neutral and shut, whatever was before.
    pub(crate) fn close(&mut self, scene: &mut Scene) {
        if !self.broken && !scene.is(Fault::PinsFail) && !scene.is(Fault::PinsHang) {
            scene.write(scene.setup.calibration.neutral(), By::Guardian);
        }
        self.broken = true;
        self.shut(scene);
    }
}
