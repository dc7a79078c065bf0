//! How a frame becomes a pulse (L3), in seven sentences. The world delivers frozen inputs and, in time, a frame.
//! The picture is decoded and prepared into an observation. The policy scores it. The scores choose an action,
//! and the action becomes a wish in shares of lock and throttle. The governor permits what it can answer for.
//! The calibration turns the permitted command into two pulses, and the world's pins take them. Everything that
//! was known and concluded goes to the sink, and the next tick learns how this one went.
//!
//! This is the only room where vision, policy, governor and vehicle meet; it asks no clock and owns no device.

pub mod cycle;
pub mod neutral;
pub mod pilot;
pub mod ports;

pub use cycle::{Ended, cycle};
pub use neutral::Neutral;
pub use pilot::{Pilot, Setup};
pub use ports::{Actuators, Sensed, Senses, Sink, Stopwatch, World};
