//! What the board refuses, with the path and the remedy.

use std::path::PathBuf;

use thiserror::Error;

/// A device that cannot be used.
#[derive(Debug, Error)]
pub enum HalError {
    /// No PWM chip on the expected bus.
    #[error("no PWM chip of {wanted} under {root}, saw {saw}; is the drive battery on?")]
    NoPwmChip {
        /// The folder that was searched.
        root: PathBuf,
        /// The device that it must belong to.
        wanted: String,
        /// What is there.
        saw: String,
    },
    /// A sysfs file that cannot be written.
    #[error("cannot write {value:?} to {path}; run as a user of the group that owns it")]
    Write {
        /// The file.
        path: PathBuf,
        /// The text.
        value: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// A camera node that cannot be opened or set.
    #[error("camera {path}: {doing} failed")]
    Camera {
        /// The node.
        path: PathBuf,
        /// The step.
        doing: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// A bus that cannot be opened.
    #[error("cannot open the I2C bus {path}: {saw}")]
    Bus {
        /// The node.
        path: PathBuf,
        /// The library's words.
        saw: String,
    },
}
