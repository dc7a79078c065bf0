//! The two outputs that move the car. Throttle is written before steering, always (car.md §1.3). A write that would not
//! change the chip's step is skipped unless it is forced; neutral is always forced.

use super::channel::PulseOut;
use super::pwm::{self, SysfsPwm};
use super::{Carrier, HalError, Settings, pca9685, wake};
use crate::domain::Pulses;
use crate::units::Pulse;

/// Channels of the DeepRacer's chip (car.md §1.1).
pub(super) const THROTTLE: u32 = 0;
pub(super) const STEERING: u32 = 1;

/// One output and what was last written to it.
#[derive(Debug)]
struct Pin {
    out: Box<dyn PulseOut>,
    /// `None` before the first write, and after one that failed.
    written: Option<Pulse>,
}

/// Steering and throttle.
#[derive(Debug)]
pub struct CarPins {
    steering: Pin,
    throttle: Pin,
}

/// Which outputs a write reached; the others had that step already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrote {
    /// The servo's.
    pub steering: bool,
    /// The ESC's.
    pub throttle: bool,
}

impl Pin {
    fn write(&mut self, pulse: Pulse, force: bool) -> Result<bool, HalError> {
        let there = self.written.is_some_and(|last| self.out.counts(last) == self.out.counts(pulse));
        if there && !force {
            return Ok(false);
        }
        self.written = None;
        if force { self.out.reassert(pulse) } else { self.out.set_pulse(pulse) }?;
        self.written = Some(pulse);
        Ok(true)
    }

    fn moved(&mut self) -> Result<bool, HalError> {
        let Some(written) = self.written else { return Ok(false) };
        Ok(self.out.read_back()?.is_some_and(|ns| ns != written.ns()))
    }
}

impl CarPins {
    /// Takes two outputs; writes nothing.
    #[must_use]
    pub fn new(steering: Box<dyn PulseOut>, throttle: Box<dyn PulseOut>) -> Self {
        let pin = |out| Pin { out, written: None };
        Self { steering: pin(steering), throttle: pin(throttle) }
    }

    /// Finds the board and brings its two outputs to `neutral`, throttle first. Takes no lock and touches no gate:
    /// [`super::Board::open`] does.
    ///
    /// # Errors
    /// [`HalError`] naming what is missing, or the file or bus that refused.
    pub fn open(settings: &Settings, neutral: Pulses) -> Result<Self, HalError> {
        Self::open_on(&Carrier::find(settings)?, settings, neutral)
    }

    pub(super) fn open_on(carrier: &Carrier, settings: &Settings, neutral: Pulses) -> Result<Self, HalError> {
        let mut pins = match carrier {
            Carrier::DeepRacer { chip } => {
                let throttle = SysfsPwm::open(chip, THROTTLE, neutral.throttle)?;
                Self::new(Box::new(SysfsPwm::open(chip, STEERING, neutral.steering)?), Box::new(throttle))
            }
            Carrier::Pca9685 { bus } => {
                let (steering, throttle) = pca9685::open(bus, &settings.pca9685, neutral)?;
                Self::new(Box::new(steering), Box::new(throttle))
            }
        };
        pins.neutral(neutral)?;
        Ok(pins)
    }

    /// Writes both pulses. Both are tried, also where the first fails. Without `force` an output whose step does not
    /// change is left alone.
    ///
    /// # Errors
    /// The first failure, throttle before steering; [`HalError::Write`] with the file, [`HalError::Chip`] with the bus.
    pub fn write(&mut self, pulses: Pulses, force: bool) -> Result<Wrote, HalError> {
        let throttle = self.throttle.write(pulses.throttle, force);
        let steering = self.steering.write(pulses.steering, force);
        Ok(Wrote { throttle: throttle?, steering: steering? })
    }

    /// Writes neutral to both, whatever was written before.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub fn neutral(&mut self, neutral: Pulses) -> Result<(), HalError> {
        self.write(neutral, true).map(drop)
    }

    /// Whether an output says something else than what was written last: somebody else writes, too.
    ///
    /// # Errors
    /// [`HalError`] with the place that cannot be read.
    pub fn moved(&mut self) -> Result<bool, HalError> {
        Ok(self.throttle.moved()? || self.steering.moved()?)
    }

    /// What both outputs have; `None` before the first write, and where one failed.
    #[must_use]
    pub fn written(&self) -> Option<Pulses> {
        Some(Pulses { steering: self.steering.written?, throttle: self.throttle.written? })
    }

    /// Finds the board anew and brings a chip that lost its power back to neutral (car.md §9.6). The power gate has to
    /// be shut: the chip may stop in the middle of a pulse.
    ///
    /// # Errors
    /// As [`Self::open`]; the outputs are then as they were.
    pub fn reopen(&mut self, settings: &Settings, neutral: Pulses) -> Result<(), HalError> {
        *self = Self::revive(&Carrier::find(settings)?, settings, neutral)?;
        Ok(())
    }

    /// [`Self::reopen`] from nothing.
    pub(super) fn revive(carrier: &Carrier, settings: &Settings, neutral: Pulses) -> Result<Self, HalError> {
        if let Carrier::DeepRacer { chip } = carrier {
            wake::wake(chip, [(THROTTLE, neutral.throttle), (STEERING, neutral.steering)])?;
        }
        Self::open_on(carrier, settings, neutral)
    }

    /// Where the outputs are, for people to read.
    #[must_use]
    pub fn describe(&self) -> String {
        let period_ms = pwm::PERIOD_NS / 1_000_000;
        let (throttle, steering) = (self.throttle.out.describe(), self.steering.out.describe());
        format!("throttle {throttle}, steering {steering}, period {period_ms} ms")
    }
}
