//! The power gate of servo and ESC (car.md §1.6): the second, separate way to stop. Active low: 0 is power, 1 is none.
//! A handle is never opened with power on, and no call here waits for the I2C bus, so that one thread can shut the gate
//! while another hangs in a write of a pulse. Refuses silence: a car without a gate says so in every answer.

use std::fmt;
use std::path::Path;

use embedded_hal::digital::{InputPin, OutputPin};
use linux_embedded_hal::gpio_cdev::{Chip, LineRequestFlags};
use linux_embedded_hal::sysfs_gpio::Direction;
use linux_embedded_hal::{CdevPin, SysfsPin};

use super::gpio::{FilePin, north};
use super::pause::Patience;
use super::{Carrier, HalError, Settings};

/// The gate's line on the North community (car.md §1.6).
const NORTH_LINE: u32 = 2;

/// What became of the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switched {
    /// It is as asked.
    Done,
    /// There is none: nothing was switched.
    NoGate,
}

/// Where a gate is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    None,
    Number(u32),
    Line { chip: String, line: u32 },
}

enum Pin {
    /// Through the system's GPIO class.
    Sysfs(SysfsPin),
    /// Through a chip's own node.
    Line(CdevPin),
    /// In a tree of files.
    Files(FilePin),
}

/// The gate, or its absence.
pub struct Gate {
    pin: Option<Pin>,
    place: String,
}

impl Gate {
    /// Finds the gate that the settings name, exports it where needed, and shuts it without a moment of power.
    /// `auto` is the DeepRacer's line, and no gate on other boards.
    ///
    /// # Errors
    /// [`HalError::GateName`] for a text that names none; [`HalError::Gate`] with place and step.
    pub fn open_handle(settings: &Settings, carrier: &Carrier) -> Result<Self, HalError> {
        let place = find(settings, carrier)?;
        let (pin, place) = match place {
            Place::None => return Ok(Self::absent()),
            Place::Number(number) => {
                let place = format!("GPIO {number}");
                let class = settings.at("/sys/class/gpio");
                let pin = if settings.is_this_machine() {
                    by_number(number, &place)
                } else {
                    by_files(&class, number, &place)
                };
                (pin?, place)
            }
            Place::Line { chip, line } => {
                let place = format!("{chip} line {line}");
                (by_line(&settings.at(&chip), line, &place)?, place)
            }
        };
        let mut gate = Self { pin: Some(pin), place };
        gate.shut()?;
        match gate.is_open() {
            Some(false) => Ok(gate),
            other => {
                let saw = if other.is_some() { "0 after 1 was written" } else { "no value" };
                Err(gate.failed("reading it back", &saw))
            }
        }
    }

    /// No gate.
    #[must_use]
    pub fn absent() -> Self {
        Self { pin: None, place: "none".to_owned() }
    }

    /// Gives power to servo and ESC.
    ///
    /// # Errors
    /// [`HalError::Gate`].
    pub fn open(&mut self) -> Result<Switched, HalError> {
        self.put("opening it", false)
    }

    /// Takes the power away.
    ///
    /// # Errors
    /// [`HalError::Gate`].
    pub fn shut(&mut self) -> Result<Switched, HalError> {
        self.put("shutting it", true)
    }

    /// Whether there is power; `None` without a gate, or where it cannot be read.
    pub fn is_open(&mut self) -> Option<bool> {
        match self.pin.as_mut()? {
            Pin::Sysfs(pin) => pin.is_low().ok(),
            Pin::Line(pin) => pin.is_low().ok(),
            Pin::Files(pin) => pin.is_low().ok(),
        }
    }

    /// Whether there is a gate at all.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.pin.is_some()
    }

    /// Where it is, for people to read.
    #[must_use]
    pub fn describe(&self) -> String {
        let words = if self.exists() { "1 is shut" } else { "the power of servo and ESC cannot be switched" };
        format!("{} ({words})", self.place)
    }

    fn put(&mut self, doing: &'static str, high: bool) -> Result<Switched, HalError> {
        let saw = match &mut self.pin {
            None => return Ok(Switched::NoGate),
            Some(Pin::Sysfs(pin)) => drive(pin, high).map_err(|error| error.to_string()),
            Some(Pin::Line(pin)) => drive(pin, high).map_err(|error| error.to_string()),
            Some(Pin::Files(pin)) => drive(pin, high).map_err(|error| words(&error)),
        };
        saw.map(|()| Switched::Done).map_err(|saw| self.failed(doing, &saw))
    }

    fn failed(&self, doing: &'static str, saw: &impl ToString) -> HalError {
        HalError::Gate { place: self.place.clone(), doing, saw: saw.to_string() }
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate").field("place", &self.place).finish_non_exhaustive()
    }
}

fn drive<P: OutputPin>(pin: &mut P, high: bool) -> Result<(), P::Error> {
    if high { pin.set_high() } else { pin.set_low() }
}

fn find(settings: &Settings, carrier: &Carrier) -> Result<Place, HalError> {
    let name = settings.gate.trim();
    let unknown = || HalError::GateName { saw: settings.gate.clone() };
    match (name, carrier) {
        ("none", _) | ("auto", Carrier::Pca9685 { .. }) => Ok(Place::None),
        ("auto", Carrier::DeepRacer { .. }) => match north(settings, NORTH_LINE) {
            Some(number) => Ok(Place::Number(number)),
            None => Err(HalError::Gate {
                place: settings.at("/sys/class/gpio").display().to_string(),
                doing: "finding it",
                saw: "no chip of 78 lines, and no kernel release to go by".to_owned(),
            }),
        },
        _ => match (name.strip_prefix("gpio:"), name.rsplit_once(':')) {
            (Some(number), _) => number.parse().map(Place::Number).map_err(|_| unknown()),
            (None, Some((chip, line))) if chip.starts_with("/dev/") => {
                let line = line.parse().map_err(|_| unknown())?;
                Ok(Place::Line { chip: chip.to_owned(), line })
            }
            _ => Err(unknown()),
        },
    }
}

fn by_files(class: &Path, number: u32, place: &str) -> Result<Pin, HalError> {
    let pin = FilePin::output(class, number, true, &mut Patience::for_udev());
    pin.map(Pin::Files).map_err(|error| HalError::Gate {
        place: place.to_owned(),
        doing: "making it an output",
        saw: words(&error),
    })
}

fn by_number(number: u32, place: &str) -> Result<Pin, HalError> {
    let failed = |doing| {
        move |error: linux_embedded_hal::sysfs_gpio::Error| HalError::Gate {
            place: place.to_owned(),
            doing,
            saw: error.to_string(),
        }
    };
    let pin = SysfsPin::new(number.into());
    match pin.export() {
        Err(error) if !pin.is_exported() => return Err(failed("exporting it")(error)),
        _ => {}
    }
    // `high` is an output that begins with 1: the other order would be a moment of power.
    let outward = Patience::for_udev().until(|| {
        pin.set_direction(Direction::High).map_err(|error| HalError::Write {
            path: format!("/sys/class/gpio/gpio{number}/direction").into(),
            value: "high".to_owned(),
            source: error.into(),
        })
    });
    outward.map_err(|error| HalError::Gate {
        place: place.to_owned(),
        doing: "making it an output",
        saw: words(&error),
    })?;
    Ok(Pin::Sysfs(pin))
}

/// The line is given back when the process ends; most chips then leave it as it is, none promises to.
fn by_line(chip: &Path, line: u32, place: &str) -> Result<Pin, HalError> {
    let taken = Chip::new(chip)
        .and_then(|mut chip| chip.get_line(line))
        .and_then(|line| line.request(LineRequestFlags::OUTPUT, 1, "hairpin"))
        .and_then(CdevPin::new);
    taken.map(Pin::Line).map_err(|error| HalError::Gate {
        place: place.to_owned(),
        doing: "taking the line",
        saw: error.to_string(),
    })
}

/// What a refused file has to say; the remedy is the gate's own.
fn words(error: &HalError) -> String {
    match error {
        HalError::Write { path, source, .. } | HalError::Open { path, source } => {
            format!("{}: {source}", path.display())
        }
        other => other.to_string(),
    }
}
