//! The bench under guard: neutral before the gate opens, and on every way out neutral, two PWM periods, gate shut.

use anyhow::Context as _;

use crate::commands::complain;
use crate::domain::Pulses;
use crate::units::Span;

/// The pins, as far as a calibration needs them.
pub trait Bench {
    /// Puts out both pulses.
    ///
    /// # Errors
    /// Where the chip does not take them.
    fn write(&mut self, pulses: Pulses) -> anyhow::Result<()>;
    /// Opens or shuts the power gate.
    ///
    /// # Errors
    /// Where the gate does not follow.
    fn power(&mut self, on: bool) -> anyhow::Result<()>;
}

/// Two periods of 20 ms: neutral has reached servo and ESC before the gate shuts.
const SETTLE: Span = Span::from_millis(40);

/// Holds the bench. Dropped, it leaves it at rest: after an error and a panic too.
pub(super) struct Pins<'a> {
    bench: &'a mut dyn Bench,
    wait: &'a dyn Fn(Span),
    rest: Pulses,
    last: Option<Pulses>,
    open: bool,
    left: bool,
}

impl<'a> Pins<'a> {
    /// Writes `rest`, the neutral of the calibration in use; the gate stays as it is, shut.
    pub(super) fn new(
        bench: &'a mut dyn Bench,
        wait: &'a dyn Fn(Span),
        rest: Pulses,
    ) -> anyhow::Result<Self> {
        let mut pins = Self { bench, wait, rest, last: None, open: false, left: false };
        pins.put(rest)?;
        Ok(pins)
    }

    /// Puts out `pulses`, opening the gate over neutral where it may be open for the first time.
    pub(super) fn follow(&mut self, pulses: Pulses, powered: bool) -> anyhow::Result<()> {
        if powered && !self.open {
            self.put(self.rest)?;
            self.open = true;
            self.bench.power(true).context("cannot open the power gate")?;
        }
        if self.last == Some(pulses) { Ok(()) } else { self.put(pulses) }
    }

    /// The way out: `rest`, which is neutral, two periods, gate shut. A failure does not keep the others from being
    /// done.
    pub(super) fn leave(&mut self, rest: Pulses) -> anyhow::Result<()> {
        self.left = true;
        let neutral = self.put(rest);
        (self.wait)(SETTLE);
        let shut = self.bench.power(false).context("cannot shut the power gate: switch the car off");
        neutral.and(shut)
    }

    fn put(&mut self, pulses: Pulses) -> anyhow::Result<()> {
        self.last = None;
        self.bench.write(pulses).context("cannot put out a pulse")?;
        self.last = Some(pulses);
        Ok(())
    }
}

impl Drop for Pins<'_> {
    fn drop(&mut self) {
        if self.left {
            return;
        }
        if let Err(error) = self.leave(self.rest) {
            complain(&error);
        }
    }
}
