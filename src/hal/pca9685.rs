//! A PCA9685 that is driven from here, over embedded-hal's I2C (car.md §1.7): Raspberry Pi cars. A door to
//! pwm-pca9685. A chip that runs is never put to sleep, since that cuts a pulse short and an ESC may jerk
//! (`safety.md` finding 2): its rate is taken as it is, or refused.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use embedded_hal::i2c::{self, I2c, Operation};
use embedded_hal::pwm::{ErrorType, SetDutyCycle};
use linux_embedded_hal::I2cdev;
use pwm_pca9685::{Channel, Pca9685};

use super::channel::{PERIOD_NS, PulseOut, counts_in, three_times};
use super::{HalError, Pca9685Place, battery};
use crate::domain::Pulses;
use crate::units::Pulse;

/// Registers that the library does not read (NXP PCA9685 data sheet, table 4).
const MODE1: u8 = 0x00;
const PRE_SCALE: u8 = 0xfe;
const FIRST_OUTPUT: u8 = 0x06;

/// MODE1's sleep bit; set after power-on.
const SLEEP: u8 = 0x10;

/// The prescaler of 50 Hz: `round(25 MHz / (4096 * 50)) - 1` (data sheet §7.3.5, car.md §1.7).
const PRESCALE: u8 = 121;

/// One tick of the 25 MHz oscillator, times the 4096 steps of a period, in nanoseconds.
const PRESCALED_NS: u64 = 40 * 4096;

/// A bus that is lent to the library and read beside it.
struct Shared<B>(Arc<Mutex<B>>);

/// The chip: its bus, its address, its rate.
struct Chip<B> {
    driver: Pca9685<Shared<B>>,
    bus: Shared<B>,
    node: PathBuf,
    address: u8,
    /// Nominal: exactly 20 ms at 50 Hz, as the kernel's driver counts.
    period_ns: u64,
}

/// One output.
pub struct Output<B> {
    chip: Arc<Mutex<Chip<B>>>,
    number: u8,
    channel: Channel,
    period_ns: u64,
    written: Option<Pulse>,
}

/// The steering and the throttle output of the chip on a bus's node.
///
/// # Errors
/// [`HalError::Bus`] where the node cannot be opened, else as [`outputs`].
pub fn open(
    node: &Path,
    place: &Pca9685Place,
    neutral: Pulses,
) -> Result<(Output<I2cdev>, Output<I2cdev>), HalError> {
    outputs(battery::open(node)?, node, place, neutral)
}

/// Steering and throttle on any bus; `node` is its name in messages. Both have `neutral` before the chip gives its first
/// pulse at 50 Hz.
///
/// # Errors
/// [`HalError::Chip`] with the step; [`HalError::Rate`] where the chip runs outside 40 to 100 Hz.
pub fn outputs<B: I2c + Send>(
    bus: B,
    node: &Path,
    place: &Pca9685Place,
    neutral: Pulses,
) -> Result<(Output<B>, Output<B>), HalError> {
    let bus = Arc::new(Mutex::new(bus));
    let address = place.address;
    let failed = |doing, saw| HalError::Chip { bus: node.to_path_buf(), address, doing, saw };
    if place.steering == place.throttle {
        let saw = format!("steering and throttle are both output {}", place.throttle);
        return Err(failed("taking its outputs", saw));
    }
    let driver = Pca9685::new(Shared(Arc::clone(&bus)), address)
        .map_err(|error| failed("taking its address", words(&error)))?;
    let node = node.to_path_buf();
    let mut chip = Chip { driver, bus: Shared(bus), node, address, period_ns: PERIOD_NS.into() };
    let asleep = chip.read(MODE1)? & SLEEP != 0;
    if !asleep {
        chip.take_as_it_runs()?;
    }
    let period_ns = chip.period_ns;
    let chip = Arc::new(Mutex::new(chip));
    let output = |number: u8| {
        let channel = Channel::try_from(number)
            .map_err(|()| failed("taking its output", format!("no output {number}, wanted 0 to 15")))?;
        Ok(Output { chip: Arc::clone(&chip), number, channel, period_ns, written: None })
    };
    let (mut steering, mut throttle) = (output(place.steering)?, output(place.throttle)?);
    throttle.set_pulse(neutral.throttle)?;
    steering.set_pulse(neutral.steering)?;
    if asleep {
        locked(&chip).wake()?;
    }
    Ok((steering, throttle))
}

impl<B: I2c> Chip<B> {
    fn failed(&self, doing: &'static str, saw: String) -> HalError {
        HalError::Chip { bus: self.node.clone(), address: self.address, doing, saw }
    }

    fn read(&mut self, register: u8) -> Result<u8, HalError> {
        let mut value = [0];
        let read = self.bus.write_read(self.address, &[register], &mut value);
        let [value] = value;
        read.map(|()| value).map_err(|error| self.failed("reading a register", said(&error)))
    }

    /// The chip is running: learns its rate, and tells the library that it is awake, which believes it to be asleep and
    /// would say so with its first write.
    fn take_as_it_runs(&mut self) -> Result<(), HalError> {
        let prescale = self.read(PRE_SCALE)?;
        if prescale != PRESCALE {
            self.period_ns = PRESCALED_NS * (u64::from(prescale) + 1);
        }
        let hz = 1_000_000_000 / self.period_ns;
        if !(40..=100).contains(&hz) {
            let saw_hz = u32::try_from(hz).unwrap_or(u32::MAX);
            return Err(HalError::Rate { bus: self.node.clone(), address: self.address, saw_hz });
        }
        self.driver.enable().map_err(|error| self.failed("keeping it awake", words(&error)))
    }

    /// The chip is asleep: sets its rate, which only now can be done, and starts it.
    fn wake(&mut self) -> Result<(), HalError> {
        let rate = self.driver.set_prescale(PRESCALE);
        rate.map_err(|error| self.failed("setting 50 Hz", words(&error)))?;
        self.driver.enable().map_err(|error| self.failed("starting it", words(&error)))
    }

    fn set(&mut self, channel: Channel, steps: u16) -> Result<(), HalError> {
        let Self { driver, .. } = self;
        let written = three_times(|| driver.set_channel_on_off(channel, 0, steps), |_| false);
        written.map_err(|error| self.failed("writing a pulse", words(&error)))
    }

    /// The step at which an output goes low, where it goes high at 0. Full-off is a step beyond all others.
    fn steps(&mut self, number: u8) -> Result<Option<u16>, HalError> {
        let mut registers = [0; 4];
        let first = FIRST_OUTPUT + 4 * number;
        let read = self.bus.write_read(self.address, &[first], &mut registers);
        read.map_err(|error| self.failed("reading a pulse", said(&error)))?;
        let [on_low, on_high, off_low, off_high] = registers;
        let pulse = on_low == 0 && on_high == 0;
        Ok(pulse.then(|| u16::from_le_bytes([off_low, off_high])))
    }
}

impl<B: I2c + Send> PulseOut for Output<B> {
    fn set_pulse(&mut self, pulse: Pulse) -> Result<(), HalError> {
        self.written = None;
        let steps = self.counts(pulse);
        locked(&self.chip).set(self.channel, steps)?;
        self.written = Some(pulse);
        Ok(())
    }

    fn reassert(&mut self, pulse: Pulse) -> Result<(), HalError> {
        // Every write goes to the chip.
        self.set_pulse(pulse)
    }

    fn read_back(&mut self) -> Result<Option<u32>, HalError> {
        let steps = locked(&self.chip).steps(self.number)?.unwrap_or_default();
        if let Some(written) = self.written.filter(|written| self.counts(*written) == steps) {
            return Ok(Some(written.ns()));
        }
        Ok(u32::try_from(u64::from(steps) * self.period_ns / 4096).ok())
    }

    fn counts(&self, pulse: Pulse) -> u16 {
        counts_in(pulse, self.period_ns)
    }

    fn describe(&self) -> String {
        let chip = locked(&self.chip);
        let (node, address, hz) = (chip.node.display(), chip.address, 1_000_000_000 / chip.period_ns);
        format!("{node} PCA9685 {address:#04x} output {} at {hz} Hz", self.number)
    }
}

impl<B> ErrorType for Output<B> {
    type Error = HalError;
}

impl<B: I2c + Send> SetDutyCycle for Output<B> {
    fn max_duty_cycle(&self) -> u16 {
        4096
    }

    /// In the chip's own steps; held within 1.0 to 2.0 ms.
    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), HalError> {
        let ns = u64::from(duty) * self.period_ns / 4096;
        self.set_pulse(Pulse::clamped(i64::try_from(ns).unwrap_or(i64::MAX)))
    }
}

impl<B> fmt::Debug for Output<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output")
            .field("number", &self.number)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl<B: I2c> i2c::ErrorType for Shared<B> {
    type Error = B::Error;
}

impl<B: I2c> I2c for Shared<B> {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), B::Error> {
        locked(&self.0).transaction(address, operations)
    }
}

/// What a thread that panicked has left is a chip like any other.
fn locked<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn words<E: i2c::Error>(error: &pwm_pca9685::Error<E>) -> String {
    match error {
        pwm_pca9685::Error::I2C(error) => said(error),
        pwm_pca9685::Error::InvalidInputData => "no such value".to_owned(),
    }
}

fn said(error: &impl i2c::Error) -> String {
    format!("{} ({error:?})", error.kind())
}
