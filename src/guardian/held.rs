//! Pins and gate in the guardian's hands: outputs of the lease become pulses, every write is watched, and what was
//! written is read back. Opens the gate only over pulses that are neutral.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::eye::Eye;
use super::serve::Seen;
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
        let gate_only = self.broken;
        // The way to neutral is always written, every other way where the chip would see a difference.
        let neutral = pulses == self.calibration.neutral();
        if !gate_only && pulses != self.written {
            self.write(pulses, neutral)?;
        }
        match (output.gate, self.open) {
            (GateState::Shut, true) => self.shut(),
            (GateState::Open, false) if neutral && !gate_only => {
                // The eye may have shut it since; opening is what the lease says now.
                self.lock().open().map_err(|error| error.to_string())?;
                self.open = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn write(&mut self, pulses: Pulses, force: bool) -> Result<(), String> {
        let pins = &mut self.pins;
        let (result, slow) = self.eye.watch(&self.clock, || pins.write(pulses, force));
        let failed = match (result, slow) {
            (Ok(_), false) => {
                self.written = pulses;
                self.next_look = self.clock.now() + REASSERT;
                return Ok(());
            }
            (Err(error), _) => error.to_string(),
            (Ok(_), true) => "a write to the pins took longer than 20 ms".to_owned(),
        };
        self.broken = true;
        drop(self.shut());
        Err(failed)
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
        if self.open && self.lock().is_open() == Some(false) {
            self.open = false;
            return Seen::Moved("somebody else shut the gate".to_owned());
        }
        let moved = self.pins.moved().unwrap_or(false);
        self.moved = if moved { self.moved + 1 } else { 0 };
        match self.write(self.written, true) {
            Err(what) => Seen::Failed(what),
            Ok(()) if self.moved == 2 => {
                Seen::Moved("somebody else writes to the pins, and was overruled twice".to_owned())
            }
            Ok(()) => Seen::Good,
        }
    }

    fn reopen(&mut self, now: Instant) -> Seen {
        self.next_look = now + REOPEN;
        let (settings, neutral) = (&self.settings, self.calibration.neutral());
        let pins = &mut self.pins;
        let (opened, slow) = self.eye.watch(&self.clock, || pins.reopen(settings, neutral));
        if opened.is_err() || slow {
            return Seen::Good;
        }
        self.broken = false;
        self.written = neutral;
        Seen::Back
    }

    /// The tail light's colour for a phase; a lamp that fails is left dark.
    pub(super) fn show(&mut self, phase: Phase) {
        let colour = match phase {
            Phase::Boot => Colour::Off,
            Phase::Disarmed => Colour::Blue,
            Phase::Arming { .. } => Colour::Amber,
            Phase::Armed => Colour::Green,
            Phase::Fault { .. } => Colour::Red,
        };
        // The light hangs on the chip of the pins: where that does not answer, the light is no reason to ask it again.
        if !self.broken {
            let lamps = &mut self.lamps;
            drop(self.eye.watch(&self.clock, || lamps.show(colour)));
        }
    }

    /// Neutral and shut, whatever was before; errors have been said.
    pub(super) fn close(mut self) {
        if !self.broken {
            drop(self.write(self.calibration.neutral(), true));
        }
        drop(self.shut());
        drop(self.lamps.show(Colour::Off));
    }
}
