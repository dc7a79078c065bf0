//! Pins and gate in the guardian's hands: outputs of the lease become pulses, every write is watched, and what was
//! written is read back. Opens the gate only over pulses that are neutral.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::eye::Eye;
use crate::domain::{Command, Pulses};
use crate::hal::Settings;
use crate::hal::clock::Clock;
use crate::hal::gate::Gate;
use crate::hal::lamp::{Colour, Lamps};
use crate::hal::lock::InstanceLock;
use crate::hal::pins::CarPins;
use crate::lease::{GateState, Output, Phase};
use crate::units::{Instant, Span};
use crate::vehicle::Calibration;

/// What stands on the pins is written again, and read back before, this often.
const REASSERT: Span = Span::from_millis(100);

/// Pins that are lost are looked for this often: the chip vanishes with the drive battery (car.md §9.6).
const REOPEN: Span = Span::from_millis(500);

/// What a look at the pins found.
pub(super) enum Seen {
    /// As written.
    Good,
    /// Somebody else wrote, twice; in words.
    Moved(String),
    /// Writing failed; in words.
    Failed(String),
    /// They were lost and are neutral again.
    Back,
}

/// Pins and gate.
pub struct Held {
    settings: Settings,
    calibration: Calibration,
    clock: Clock,
    pins: CarPins,
    gate: Arc<Mutex<Gate>>,
    eye: Eye,
    lamps: Lamps,
    _lock: InstanceLock,
    open: bool,
    broken: bool,
    moved: u32,
    written: Pulses,
    next_look: Instant,
}

/// What a guardian takes over from a board that was just opened.
pub struct Taken {
    /// Where the board hangs, to find it again.
    pub settings: Settings,
    /// Command to pulses.
    pub calibration: Calibration,
    /// Neutral already.
    pub pins: CarPins,
    /// Shut already.
    pub gate: Gate,
    /// The tail light.
    pub lamps: Lamps,
    /// Kept as long as the pins are.
    pub lock: InstanceLock,
}

impl Held {
    /// Takes them over. `ready` runs first in the thread that watches the writes.
    ///
    /// # Errors
    /// Where that thread cannot be had.
    pub fn new(taken: Taken, clock: Clock, ready: impl FnOnce() + Send + 'static) -> std::io::Result<Self> {
        let Taken { settings, calibration, pins, gate, lamps, lock } = taken;
        let gate = Arc::new(Mutex::new(gate));
        let eye = Eye::open(Arc::clone(&gate), clock, ready)?;
        let (written, next_look) = (calibration.neutral(), clock.now() + REASSERT);
        Ok(Self {
            settings,
            calibration,
            clock,
            pins,
            gate,
            eye,
            lamps,
            _lock: lock,
            open: false,
            broken: false,
            moved: 0,
            written,
            next_look,
        })
    }

    /// What stands on the pins.
    #[must_use]
    pub const fn written(&self) -> Pulses {
        self.written
    }

    /// Whether servo and ESC have power, as far as this process knows.
    #[must_use]
    pub const fn gate_is_open(&self) -> bool {
        self.open
    }

    pub(super) const fn gate(&self) -> GateState {
        if self.open { GateState::Open } else { GateState::Shut }
    }

    /// Brings the lease's output to the pins; in words where that failed.
    pub(super) fn put(&mut self, output: &Output) -> Result<(), String> {
        let command = Command { steering: output.steering.signed(), throttle: output.throttle.signed() };
        let pulses = self.calibration.pulses(command);
        let neutral = pulses == self.calibration.neutral();
        if !self.broken && pulses != self.written {
            // The way to neutral is always written, every other way where the chip would see a difference.
            self.write(pulses, neutral)?;
        }
        match (output.gate, self.open) {
            // What does not shut has been said, and is tried again with the pins.
            (GateState::Shut, true) if self.broken => drop(self.shut()),
            (GateState::Shut, true) => self.shut().map_err(|error| self.fail(error))?,
            (GateState::Open, false) if neutral && !self.broken => self.open()?,
            _ => {}
        }
        Ok(())
    }

    /// Power, over pins that are written neutral once more: somebody may have moved them since.
    fn open(&mut self) -> Result<(), String> {
        self.write(self.calibration.neutral(), true)?;
        let opened = self.lock().open().map(drop).map_err(|error| error.to_string());
        opened.map_err(|error| self.fail(error))?;
        self.open = true;
        Ok(())
    }

    fn write(&mut self, pulses: Pulses, force: bool) -> Result<(), String> {
        let pins = &mut self.pins;
        let (result, slow) = self.eye.watch(&self.clock, || pins.write(pulses, force));
        let failed = match (result, slow) {
            (Ok(_), false) => {
                self.written = pulses;
                return Ok(());
            }
            (Err(error), _) => error.to_string(),
            (Ok(_), true) => "a write to the pins took longer than 20 ms".to_owned(),
        };
        Err(self.fail(failed))
    }

    /// Takes the power away where pins or gate failed, and passes the words on.
    fn fail(&mut self, what: String) -> String {
        self.broken = true;
        drop(self.shut());
        what
    }

    fn shut(&mut self) -> Result<(), String> {
        let result = self.lock().shut().map(drop).map_err(|error| error.to_string());
        self.open = result.is_err();
        result
    }

    fn lock(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes again what should stand there, after a look at what does.
    pub(super) fn look_after(&mut self, now: Instant) -> Seen {
        if now < self.next_look {
            return Seen::Good;
        }
        if self.broken {
            return self.reopen(now);
        }
        self.next_look = now + REASSERT;
        let seen = {
            let mut gate = self.lock();
            (gate.exists(), gate.is_open())
        };
        if seen == (true, None) {
            return Seen::Failed(self.fail("the power gate cannot be read".to_owned()));
        }
        if self.open && seen.1 == Some(false) {
            // `open` stays: what is shut already shall not be opened for the two periods that a fault leaves it open.
            return Seen::Moved("somebody else shut the gate".to_owned());
        }
        let pins = &mut self.pins;
        let (moved, slow) = self.eye.watch(&self.clock, || pins.moved());
        match moved {
            Ok(moved) if !slow => self.moved = if moved { self.moved + 1 } else { 0 },
            Ok(_) => {
                return Seen::Failed(self.fail("reading the pins back took longer than 20 ms".to_owned()));
            }
            Err(error) => return Seen::Failed(self.fail(error.to_string())),
        }
        if let Err(what) = self.write(self.written, true) {
            return Seen::Failed(what);
        }
        if self.moved < 2 {
            return Seen::Good;
        }
        self.moved = 0;
        Seen::Moved("somebody else writes to the pins, and was overruled twice".to_owned())
    }

    /// Looks for lost pins, with the gate shut: a chip that is woken may cut a pulse short.
    fn reopen(&mut self, now: Instant) -> Seen {
        self.next_look = now + REOPEN;
        if self.open && self.shut().is_err() {
            return Seen::Good;
        }
        let neutral = self.calibration.neutral();
        if self.pins.reopen(&self.settings, neutral).is_err() {
            return Seen::Good;
        }
        self.broken = false;
        self.written = neutral;
        self.next_look = now + REASSERT;
        Seen::Back
    }

    /// The tail light's colour for a phase, while nothing moves: it hangs on the chip of the pins.
    pub(super) fn show(&mut self, phase: Phase) -> Result<(), String> {
        let colour = match phase {
            Phase::Boot => Colour::Off,
            Phase::Disarmed => Colour::Blue,
            Phase::Arming { .. } => Colour::Amber,
            Phase::Armed => Colour::Green,
            Phase::Fault { .. } => Colour::Red,
        };
        if self.broken || self.written != self.calibration.neutral() {
            return Ok(());
        }
        let lamps = &mut self.lamps;
        // A lamp that fails is left dark; one that hangs says that the bus does.
        let (_, slow) = self.eye.watch(&self.clock, || lamps.show(colour));
        if slow {
            Err(self.fail("a write to the tail light took longer than 20 ms".to_owned()))
        } else {
            Ok(())
        }
    }
}

/// However the guardian is left, by a panic too: neutral, and no power.
impl Drop for Held {
    fn drop(&mut self) {
        if !self.broken {
            drop(self.write(self.calibration.neutral(), true));
        }
        drop(self.shut());
        drop(self.lamps.show(Colour::Off));
    }
}
