//! Lines of the system's GPIO class as files, below any root: a tree of files has the same ones. Finds the DeepRacer's
//! lines by their community, since their numbers differ from kernel to kernel (car.md §1.6).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin, OutputPin};

use super::pause::Patience;
use super::{HalError, Settings, sysfs};

/// Lines of the North community, the only one of the four with so many: 512 - 434 on kernel 4.15 (car.md §1.6).
const NORTH_LINES: u32 = 78;

/// The first number of the North community: on kernels with numbers from the top, and since 6.2, where they begin at
/// 512 (car.md §1.6, §7.2).
const NORTH_BASES: [u32; 2] = [434, 512];

/// The number of a line of the North community: by the chips that are there, and where none is listed by the kernel's
/// release. Another board's chips are listed, too, and then no number is guessed.
pub(super) fn north(settings: &Settings, line: u32) -> Option<u32> {
    let listed = fs::read_dir(settings.at("/sys/class/gpio")).into_iter().flatten().flatten();
    let chips: Vec<PathBuf> = listed
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("gpiochip"))
        .map(|entry| entry.path())
        .collect();
    if chips.is_empty() {
        return by_release(settings).map(|base| base + line);
    }
    let mut bases: Vec<u32> = chips
        .iter()
        .filter(|chip| sysfs::number(&chip.join("ngpio")) == Some(NORTH_LINES))
        .filter_map(|chip| sysfs::number(&chip.join("base")))
        .collect();
    bases.sort_by_key(|base| (!NORTH_BASES.contains(base), *base));
    bases.first().map(|base| base + line)
}

fn by_release(settings: &Settings) -> Option<u32> {
    let release = sysfs::text(&settings.at("/proc/sys/kernel/osrelease"))?;
    let mut numbers = release.split(['.', '-']).map(str::parse::<u32>);
    let (Some(Ok(major)), Some(Ok(minor))) = (numbers.next(), numbers.next()) else { return None };
    let [old, new] = NORTH_BASES;
    Some(if (major, minor) < (6, 2) { old } else { new })
}

/// One line as files: `direction` and `value`.
#[derive(Debug)]
pub(super) struct FilePin {
    folder: PathBuf,
}

impl FilePin {
    /// Exports a line if it is not, and makes it an output that begins with `high`, without a moment of the other.
    pub(super) fn output(
        class: &Path,
        number: u32,
        high: bool,
        patience: &mut Patience,
    ) -> Result<Self, HalError> {
        let mut pin = Self { folder: class.join(format!("gpio{number}")) };
        if !pin.folder.is_dir() {
            match sysfs::write(&class.join("export"), &number.to_string()) {
                Err(error) if !pin.folder.is_dir() => return Err(error),
                _ => {}
            }
        }
        let direction = pin.folder.join("direction");
        patience.until(|| sysfs::write(&direction, if high { "high" } else { "low" }))?;
        patience.until(|| pin.set(high))?;
        Ok(pin)
    }

    pub(super) fn set(&mut self, high: bool) -> Result<(), HalError> {
        sysfs::write(&self.folder.join("value"), if high { "1" } else { "0" })
    }
}

impl Error for HalError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

impl ErrorType for FilePin {
    type Error = HalError;
}

impl OutputPin for FilePin {
    fn set_low(&mut self) -> Result<(), HalError> {
        self.set(false)
    }

    fn set_high(&mut self) -> Result<(), HalError> {
        self.set(true)
    }
}

impl InputPin for FilePin {
    fn is_high(&mut self) -> Result<bool, HalError> {
        let path = self.folder.join("value");
        match fs::read_to_string(&path).map(|text| text.trim().to_owned()) {
            Ok(text) if text == "1" => Ok(true),
            Ok(text) if text == "0" => Ok(false),
            Ok(text) => {
                let source =
                    io::Error::new(io::ErrorKind::InvalidData, format!("saw {text:?}, wanted 0 or 1"));
                Err(HalError::Open { path, source })
            }
            Err(source) => Err(HalError::Open { path, source }),
        }
    }

    fn is_low(&mut self) -> Result<bool, HalError> {
        self.is_high().map(|high| !high)
    }
}
