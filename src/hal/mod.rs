//! The car's edge (L4, feature `car`, Linux): PWM, battery gauge, cameras. Every root path is an argument, so that a
//! tree of files stands for the board in tests. Nothing here runs a loop, and no command opens it yet: the pins stay
//! shut until the guardian stands between them and the drive loop.

pub mod battery;
pub mod camera;
pub mod pwm;

mod error;

pub use error::HalError;
