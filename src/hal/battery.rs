//! The drive battery's gauge (car.md §7.1). Generic over embedded-hal's I2C; on a car, linux-embedded-hal's. A gauge
//! that fails says nothing; it never stops a car. A dead bus may hold a reader for a second, so this is not read by
//! whoever holds the pins.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use embedded_hal::i2c::I2c;
use linux_embedded_hal::I2cdev;

use super::{HalError, Settings};
use crate::units::{Instant, Span};

/// The gauge's address and register.
const ADDRESS: u8 = 0x3f;
const REGISTER: u8 = 0x03;

/// The PCI function that the gauge's bus hangs on, and the bus where none does (car.md §7.1).
const DEVICE: &str = "0000:00:17.3";
const USUAL_BUS: &str = "/dev/i2c-7";

/// The bus is asked no more often (`safety.md` §2 row 51).
pub const POLL: Span = Span::from_millis(2000);

/// The smallest reading of each level, highest first.
const LEVELS: [(u8, u8); 12] = [
    (0xec, 11),
    (0xe0, 10),
    (0xd9, 9),
    (0xd3, 8),
    (0xcf, 7),
    (0xcb, 6),
    (0xc8, 5),
    (0xc5, 4),
    (0xc3, 3),
    (0xc0, 2),
    (0xb4, 1),
    (0x8c, 0),
];

/// The level of a raw reading, 0 to 11; `None` below the lowest threshold, where no battery is connected.
#[must_use]
pub fn level(reading: u8) -> Option<u8> {
    LEVELS.iter().find(|(least, _)| reading >= *least).map(|(_, level)| *level)
}

/// Reads the gauge; `None` where it does not answer.
pub fn read(bus: &mut impl I2c) -> Option<u8> {
    let mut reading = [0];
    bus.write_read(ADDRESS, &[REGISTER], &mut reading).ok()?;
    let [reading] = reading;
    level(reading)
}

/// The bus of a node such as `/dev/i2c-7`.
///
/// # Errors
/// [`HalError::Bus`] with the node.
pub fn open(path: &Path) -> Result<I2cdev, HalError> {
    I2cdev::new(path).map_err(|error| HalError::Bus { path: path.to_path_buf(), saw: error.to_string() })
}

/// The node of the gauge's bus: by PCI function, by the settings, or `None` where they say `none`.
#[must_use]
pub fn find(settings: &Settings) -> Option<PathBuf> {
    match settings.battery.as_str() {
        "none" => None,
        "auto" => {
            let class = settings.at("/sys/class/i2c-dev");
            let found = fs::read_dir(class).into_iter().flatten().flatten().find(|entry| {
                fs::canonicalize(entry.path()).is_ok_and(|place| place.to_string_lossy().contains(DEVICE))
            });
            let node = found.map(|entry| format!("/dev/{}", entry.file_name().to_string_lossy()));
            Some(settings.at(node.as_deref().unwrap_or(USUAL_BUS)))
        }
        node => Some(settings.at(node)),
    }
}

/// The gauge and its last answer.
pub struct Gauge<B> {
    bus: Option<B>,
    level: Option<u8>,
    asked_at: Option<Instant>,
}

impl Gauge<I2cdev> {
    /// The gauge that the settings name. A bus that cannot be opened is a gauge that says nothing.
    #[must_use]
    pub fn find(settings: &Settings) -> Self {
        let bus = find(settings).and_then(|node| open(&node).ok());
        Self { bus, level: None, asked_at: None }
    }
}

impl<B: I2c> Gauge<B> {
    /// A gauge on any bus.
    #[must_use]
    pub const fn on(bus: B) -> Self {
        Self { bus: Some(bus), level: None, asked_at: None }
    }

    /// The level, 0 to 11, asking the bus at most every two seconds; `None` without a battery or an answer.
    pub fn poll(&mut self, now: Instant) -> Option<u8> {
        if self.asked_at.is_none_or(|at| now.since(at) >= POLL) {
            self.asked_at = Some(now);
            self.level = self.bus.as_mut().and_then(read);
        }
        self.level
    }

    /// How old the last answer is; `None` where nothing was asked yet.
    #[must_use]
    pub fn age(&self, now: Instant) -> Option<Span> {
        self.asked_at.map(|at| now.since(at))
    }

    /// Whether there is a bus to ask.
    #[must_use]
    pub const fn exists(&self) -> bool {
        self.bus.is_some()
    }
}

impl<B> fmt::Debug for Gauge<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gauge")
            .field("bus", &self.bus.is_some())
            .field("level", &self.level)
            .finish_non_exhaustive()
    }
}
