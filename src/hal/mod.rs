//! The car's edge (L4, feature `car`, Linux): PWM, power gate, lamps, battery gauge, cameras, and the privileges that
//! hold them. Every root path is an argument, so that a tree of files stands for the board in tests. Nothing here runs
//! a loop; nothing but `board` knows an order, and nothing here ever opens the gate by itself.

#[cfg(feature = "car")]
pub mod battery;
#[cfg(feature = "car")]
pub mod board;
#[cfg(feature = "car")]
pub mod calibration_file;
#[cfg(feature = "car")]
pub mod camera;
#[cfg(feature = "car")]
pub mod capture;
#[cfg(feature = "car")]
pub mod carrier;
#[cfg(feature = "car")]
pub mod channel;
#[cfg(feature = "car")]
pub mod clock;
#[cfg(feature = "car")]
mod eyes;
#[cfg(feature = "car")]
pub mod gate;
#[cfg(feature = "car")]
mod gpio;
#[cfg(feature = "car")]
pub mod lamp;
#[cfg(feature = "car")]
pub mod lock;
#[cfg(feature = "car")]
pub mod memory;
#[cfg(feature = "car")]
pub mod notify;
#[cfg(feature = "car")]
pub mod pause;
#[cfg(feature = "car")]
pub mod pca9685;
#[cfg(feature = "car")]
pub mod pins;
#[cfg(feature = "car")]
pub mod priority;
#[cfg(feature = "car")]
pub mod probe;
#[cfg(feature = "car")]
pub mod pwm;
pub mod settings;
#[cfg(feature = "car")]
mod sysfs;
#[cfg(feature = "car")]
mod wake;

#[cfg(feature = "car")]
mod error;

#[cfg(feature = "car")]
pub use battery::Gauge;
#[cfg(feature = "car")]
pub use board::{Board, Neutralised};
#[cfg(feature = "car")]
pub use calibration_file::CalibrationFile;
#[cfg(feature = "car")]
pub use carrier::Carrier;
#[cfg(feature = "car")]
pub use channel::PulseOut;
#[cfg(feature = "car")]
pub use error::HalError;
#[cfg(feature = "car")]
pub use gate::{Gate, Switched};
#[cfg(feature = "car")]
pub use lamp::{Colour, Lamps};
#[cfg(feature = "car")]
pub use lock::InstanceLock;
#[cfg(feature = "car")]
pub use pins::{CarPins, Wrote};
pub use settings::{BoardChoice, CameraSettings, Pca9685Place, Settings};
