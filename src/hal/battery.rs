//! The drive battery's gauge (car.md §7.1). Generic over embedded-hal's I2C; on a car, linux-embedded-hal's.

use std::path::Path;

use embedded_hal::i2c::I2c;
use linux_embedded_hal::I2cdev;

use super::HalError;

/// The gauge's address and register.
const ADDRESS: u8 = 0x3f;
const REGISTER: u8 = 0x03;

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
