//! A world that answers back (L4): pulses move a simulated car on a track, and the picture follows. Everything is
//! seeded and takes its time as an argument, so that one seed is one drive, byte for byte, on every machine.
//!
//! Modelled: servo, ESC, drive battery, the car's motion on a plane and the grip that bounds it. Not modelled: a skid's
//! own motion, weight transfer, an uneven floor, the 4.88 µs steps of the car's PWM chip. Numbers that nobody has
//! measured on a car are marked as assumptions in `body`.

pub mod body;
pub mod faults;
pub mod guide;
pub mod lens;
pub mod lidar;
pub mod look;
pub mod obstacle;
pub mod params;
pub mod plant;
pub mod pursuit;
pub mod referee;
pub mod render;
pub mod rig;
pub mod scene;
pub mod seed;
pub mod simtrace;
pub mod staging;

mod surface;

pub use body::Body;
pub use params::Params;
pub use plant::Plant;
pub use pursuit::Pursuit;
pub use referee::{Referee, Score, Seen, Standing};
pub use seed::Seed;
pub use staging::Staging;
