//! What an output for pulses is, whichever chip it belongs to, and the chip's 12-bit steps.

use std::fmt::Debug;
use std::io;

use rustix::io::Errno;

use super::HalError;
use super::pause::pause;
use crate::units::{Pulse, Span};

/// The period of every channel, in nanoseconds: 50 Hz (car.md §1.1).
pub const PERIOD_NS: u32 = 20_000_000;

/// Steps of a PCA9685 in one period (car.md §1.7).
const RANGE: u64 = 4096;

/// The step that a pulse is rounded to at 50 Hz: `ns * 4096 / 20000000`, rounded up, as the kernel's driver does it
/// from 3.18 to 6.12 (`drivers/pwm/pwm-pca9685.c`). Later drivers round down in steps of 4880 ns, which is at most one
/// step away. 205 to 410 for the pulses that are ever written.
#[must_use]
pub fn counts(pulse: Pulse) -> u16 {
    counts_in(pulse, u64::from(PERIOD_NS))
}

/// [`counts`] for another period.
pub(super) fn counts_in(pulse: Pulse, period_ns: u64) -> u16 {
    let steps = (u64::from(pulse.ns()) * RANGE).div_ceil(period_ns);
    u16::try_from(steps.min(RANGE - 1)).unwrap_or(u16::MAX)
}

/// The neighbour of `pulse`, 1 ns away, that makes the same pulse on the pin.
///
/// The kernel drops a write of the value that it remembers (`drivers/pwm/core.c`), and the driver up to 6.x ignores
/// what the bus answers. A lost write can therefore only be repaired through another number.
#[must_use]
pub fn twin(pulse: Pulse) -> Pulse {
    let up = Pulse::clamped(i64::from(pulse.ns()) + 1);
    if up != pulse && counts(up) == counts(pulse) { up } else { Pulse::clamped(i64::from(pulse.ns()) - 1) }
}

/// One output of a chip that moves the car.
pub trait PulseOut: Send + Debug {
    /// Writes a pulse width, at most three times within 5 ms.
    ///
    /// # Errors
    /// [`HalError`] with the place of the write that failed last.
    fn set_pulse(&mut self, pulse: Pulse) -> Result<(), HalError>;

    /// Writes a pulse width so that it reaches the chip even where everybody on the way believes it to be there.
    ///
    /// # Errors
    /// As [`Self::set_pulse`].
    fn reassert(&mut self, pulse: Pulse) -> Result<(), HalError>;

    /// The pulse width that the output says it has, in nanoseconds; `None` where it says nothing of use.
    ///
    /// # Errors
    /// [`HalError`] with the place that cannot be read.
    fn read_back(&mut self) -> Result<Option<u32>, HalError>;

    /// The step that a pulse is rounded to; a write that does not change it is a write in vain.
    fn counts(&self, pulse: Pulse) -> u16 {
        counts(pulse)
    }

    /// Where it is, for people to read.
    fn describe(&self) -> String;
}

/// Tries a write three times within 5 ms (`safety.md` §2 row 30), unless `hopeless` says that another try is in vain.
pub(super) fn three_times<E>(
    mut write: impl FnMut() -> Result<(), E>,
    hopeless: impl Fn(&E) -> bool,
) -> Result<(), E> {
    for _ in 0..2 {
        match write() {
            Err(error) if !hopeless(&error) => pause(Span::from_millis(1)),
            settled => return settled,
        }
    }
    write()
}

/// A bus that has timed out has taken a second already; the power gate is what helps then.
pub(super) fn timed_out(error: &io::Error) -> bool {
    Errno::from_io_error(error) == Some(Errno::TIMEDOUT)
}
