//! One channel of the PWM chip, through sysfs. A door to embedded-hal: `SetDutyCycle` in steps of 500 ns, and pulses
//! in whole nanoseconds beside it. Writes period and a duty before it tries to enable (car.md §1.7).

use std::fs;
use std::path::{Path, PathBuf};

use embedded_hal::pwm::{Error, ErrorKind, ErrorType, SetDutyCycle};

use super::HalError;
use crate::units::Pulse;

/// The period of every channel, in nanoseconds: 50 Hz (car.md §1.1).
pub const PERIOD_NS: u32 = 20_000_000;

/// Steps of `SetDutyCycle`: 500 ns each, of which all six factory constants are whole multiples.
pub const STEPS: u16 = 40_000;

/// The PCI function that the DeepRacer's chip hangs on (car.md §1.1).
pub const DEEPRACER_DEVICE: &str = "0000:00:17.0";

/// The chip's folder under `class` (`/sys/class/pwm` on a car): the one whose link leads through `device`.
///
/// # Errors
/// [`HalError::NoPwmChip`] listing what is there.
pub fn find_chip(class: &Path, device: &str) -> Result<PathBuf, HalError> {
    let mut seen = Vec::new();
    for entry in fs::read_dir(class).into_iter().flatten().flatten() {
        let leads_to = fs::canonicalize(entry.path()).unwrap_or_else(|_| entry.path());
        if leads_to.to_string_lossy().contains(device) {
            return Ok(entry.path());
        }
        seen.push(entry.file_name().to_string_lossy().into_owned());
    }
    let saw = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    Err(HalError::NoPwmChip { root: class.to_path_buf(), wanted: device.to_owned(), saw })
}

/// One exported channel.
#[derive(Debug)]
pub struct SysfsPwm {
    folder: PathBuf,
}

impl SysfsPwm {
    /// Exports `channel` of `chip`, sets the period and `neutral`, then tries to enable it: kernels before 5.13 drive
    /// the pin without, and may refuse.
    ///
    /// # Errors
    /// [`HalError::Write`] with the file.
    pub fn open(chip: &Path, channel: u32, neutral: Pulse) -> Result<Self, HalError> {
        let folder = chip.join(format!("pwm{channel}"));
        if !folder.is_dir() {
            write(&chip.join("export"), &channel.to_string())?;
        }
        write(&folder.join("period"), &PERIOD_NS.to_string())?;
        let mut pwm = Self { folder };
        pwm.set_pulse(neutral)?;
        if write(&pwm.folder.join("enable"), "1").is_err() {
            // Accepted: the duty that was written counts all the same.
            pwm.set_pulse(neutral)?;
        }
        Ok(pwm)
    }

    /// Writes a pulse width, also where it is the one that was written last: somebody else may have moved the pin.
    ///
    /// # Errors
    /// [`HalError::Write`] with the file.
    pub fn set_pulse(&mut self, pulse: Pulse) -> Result<(), HalError> {
        write(&self.folder.join("duty_cycle"), &pulse.ns().to_string())
    }
}

fn write(path: &Path, value: &str) -> Result<(), HalError> {
    fs::write(path, value).map_err(|source| HalError::Write {
        path: path.to_path_buf(),
        value: value.to_owned(),
        source,
    })
}

impl Error for HalError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for SysfsPwm {
    type Error = HalError;
}

impl SetDutyCycle for SysfsPwm {
    fn max_duty_cycle(&self) -> u16 {
        STEPS
    }

    fn set_duty_cycle(&mut self, duty: u16) -> Result<(), Self::Error> {
        let ns = i64::from(duty) * i64::from(PERIOD_NS) / i64::from(STEPS);
        self.set_pulse(Pulse::clamped(ns))
    }
}

/// A pulse as a duty of [`STEPS`], rounded down; exact for every whole multiple of 500 ns.
#[must_use]
pub fn duty(pulse: Pulse) -> u16 {
    u16::try_from(pulse.ns() / (PERIOD_NS / u32::from(STEPS))).unwrap_or(STEPS)
}
