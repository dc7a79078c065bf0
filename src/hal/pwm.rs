//! One channel of the kernel's PWM chip, through sysfs. A door to embedded-hal: `SetDutyCycle` in steps of 500 ns, and
//! pulses in whole nanoseconds beside it. Never writes a duty that is not a pulse of 1.0 to 2.0 ms, never un-exports,
//! never writes polarity. Period, then neutral, then a try to enable (car.md §1.7).

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use embedded_hal::pwm::{Error, ErrorKind, ErrorType, SetDutyCycle};
use rustix::io::Errno;

pub use super::channel::PERIOD_NS;
use super::channel::{PulseOut, three_times, timed_out, twin};
use super::pause::Patience;
use super::{HalError, sysfs};
use crate::units::Pulse;

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
    seen.sort();
    let saw = if seen.is_empty() { "nothing".to_owned() } else { seen.join(", ") };
    Err(HalError::NoPwmChip { root: class.to_path_buf(), wanted: device.to_owned(), saw })
}

/// One exported channel. Its duty file stays open: a write is one call to the system.
#[derive(Debug)]
pub struct SysfsPwm {
    folder: PathBuf,
    duty: File,
    /// What the file holds, where that is known.
    known: Option<u32>,
}

impl SysfsPwm {
    /// Exports `channel` of `chip` if it is not, and waits half a second at most until its files may be written; then
    /// period, `neutral`, and a try to enable, which kernels before 5.13 do not need and may refuse.
    ///
    /// # Errors
    /// [`HalError::Write`] or [`HalError::Open`] with the file, [`HalError::PeriodHeld`] where another channel keeps
    /// the chip at another period.
    pub fn open(chip: &Path, channel: u32, neutral: Pulse) -> Result<Self, HalError> {
        let mut patience = Patience::for_udev();
        let mut pwm = Self::open_exported(export(chip, channel)?, &mut patience)?;
        if pwm.known.is_some_and(|present| present > PERIOD_NS) {
            // A period below the duty would be refused.
            pwm.set_pulse(neutral)?;
        }
        patience.until(|| pwm.set_period(PERIOD_NS))?;
        pwm.reassert(neutral)?;
        match patience.until(|| pwm.enable()) {
            Err(error @ HalError::PeriodHeld { .. }) => return Err(error),
            // Accepted: the duty that was written counts all the same.
            Err(_) => pwm.reassert(neutral)?,
            Ok(()) => {}
        }
        Ok(pwm)
    }

    /// The channel as it stands; writes nothing.
    pub(super) fn open_exported(folder: PathBuf, patience: &mut Patience) -> Result<Self, HalError> {
        let path = folder.join("duty_cycle");
        let duty = patience.until(|| {
            let opened = OpenOptions::new().read(true).write(true).open(&path);
            opened.map_err(|source| HalError::Open { path: path.clone(), source })
        })?;
        let known = read_number(&duty).unwrap_or_default();
        if known.is_some_and(|ns| ns > 9_999_999) {
            // Seven digits are written over what is there, and eight are there. The kernel's files have no length.
            duty.set_len(0).unwrap_or_default();
        }
        Ok(Self { folder, duty, known })
    }

    /// Sets the period; EBUSY is told apart, since something can be done about it.
    pub(super) fn set_period(&mut self, ns: u32) -> Result<(), HalError> {
        let path = self.folder.join("period");
        sysfs::write(&path, &ns.to_string()).map_err(|error| held(path, error))
    }

    fn enable(&mut self) -> Result<(), HalError> {
        let path = self.folder.join("enable");
        sysfs::write(&path, "1").map_err(|error| held(path, error))
    }

    fn put(&mut self, pulse: Pulse) -> Result<(), HalError> {
        let mut text = [0; 10];
        let mut rest = text.as_mut_slice();
        // Ten digits hold every number of 32 bits.
        write!(rest, "{}", pulse.ns()).unwrap_or_default();
        let left = rest.len();
        let digits = text.get(..text.len() - left).unwrap_or_default();
        self.known = None;
        three_times(|| self.duty.write_all_at(digits, 0), timed_out).map_err(|source| HalError::Write {
            path: self.folder.join("duty_cycle"),
            value: pulse.ns().to_string(),
            source,
        })?;
        self.known = Some(pulse.ns());
        Ok(())
    }
}

impl PulseOut for SysfsPwm {
    fn set_pulse(&mut self, pulse: Pulse) -> Result<(), HalError> {
        self.put(pulse)
    }

    fn reassert(&mut self, pulse: Pulse) -> Result<(), HalError> {
        for pulse in strokes(self.known, pulse).into_iter().flatten() {
            self.put(pulse)?;
        }
        Ok(())
    }

    fn read_back(&mut self) -> Result<Option<u32>, HalError> {
        let failed = |source| HalError::Open { path: self.folder.join("duty_cycle"), source };
        self.known = read_number(&self.duty).map_err(failed)?;
        Ok(self.known)
    }

    fn describe(&self) -> String {
        let enabled = sysfs::text(&self.folder.join("enable")).unwrap_or_else(|| "unreadable".to_owned());
        format!("{} (enable {enabled})", self.folder.display())
    }
}

/// The writes that bring `pulse` to the chip, whatever the kernel remembers, where `known` is what the file holds.
fn strokes(known: Option<u32>, pulse: Pulse) -> [Option<Pulse>; 2] {
    let may_be_dropped = known.is_none_or(|ns| ns == pulse.ns());
    [may_be_dropped.then(|| twin(pulse)), Some(pulse)]
}

/// Exports a channel. A refusal does not matter where the channel is there all the same: somebody was faster.
pub(super) fn export(chip: &Path, channel: u32) -> Result<PathBuf, HalError> {
    let folder = chip.join(format!("pwm{channel}"));
    if folder.is_dir() {
        return Ok(folder);
    }
    match sysfs::write(&chip.join("export"), &channel.to_string()) {
        Err(error) if !folder.is_dir() => Err(error),
        _ => Ok(folder),
    }
}

fn held(path: PathBuf, error: HalError) -> HalError {
    match &error {
        HalError::Write { source, .. } if Errno::from_io_error(source) == Some(Errno::BUSY) => {
            HalError::PeriodHeld { path, wanted: PERIOD_NS }
        }
        _ => error,
    }
}

/// The number at the beginning of a file that is open; `None` where there is none.
fn read_number(file: &File) -> io::Result<Option<u32>> {
    let mut text = [0; 16];
    let length = file.read_at(&mut text, 0)?;
    let digits = text.get(..length).unwrap_or_default();
    Ok(str::from_utf8(digits).ok().and_then(|text| text.trim().parse().ok()))
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::{held, strokes};
    use crate::hal::HalError;
    use crate::units::Pulse;

    #[test]
    fn what_the_kernel_would_drop_goes_through_its_twin() {
        let pulse = Pulse::clamped(1_446_000);
        let written = |known| strokes(known, pulse).into_iter().flatten().map(Pulse::ns).collect::<Vec<_>>();
        assert_eq!(written(Some(1_446_000)), [1_446_001, 1_446_000]);
        assert_eq!(written(None), [1_446_001, 1_446_000]);
        assert_eq!(written(Some(1_446_001)), [1_446_000]);
        assert_eq!(written(Some(0)), [1_446_000]);
    }

    #[test]
    fn a_busy_period_is_told_apart() {
        let refused = |code| {
            let source = io::Error::from_raw_os_error(code);
            held("period".into(), HalError::Write { path: "period".into(), value: String::new(), source })
        };
        assert!(matches!(refused(16), HalError::PeriodHeld { wanted: 20_000_000, .. }));
        assert!(matches!(refused(22), HalError::Write { .. }));
    }
}
