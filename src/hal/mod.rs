//! The car's edge (L4, feature `car`, Linux): PWM, battery gauge, cameras. Every root path is an argument, so that a
//! tree of files stands for the board in tests. Nothing here runs a loop, and no command opens it yet: the pins stay
//! shut until the guardian stands between them and the drive loop.

#[cfg(feature = "car")]
pub mod battery;
#[cfg(feature = "car")]
pub mod camera;
#[cfg(feature = "car")]
pub mod pwm;
pub mod settings;

#[cfg(feature = "car")]
mod error;

#[cfg(feature = "car")]
pub use error::HalError;
pub use settings::{BoardChoice, CameraSettings, Pca9685Place, Settings};
