//! What the loop needs from a world, each with its contract. Implementors: `tape::rig` (yesterday's world) and
//! `guardian::world` (today's). No port may block without a bound.

use crate::domain::{Applied, Decision, Frame, Inputs, Order, Previous, Tick};
use crate::units::Instant;

/// What a tick has to work on.
#[derive(Debug)]
pub struct Sensed<'a> {
    /// Everything that the tick may know.
    pub inputs: Inputs,
    /// The frame that `inputs.frame` stamps; both are `None` where none came in time.
    pub frame: Option<Frame<'a>>,
    /// What was concluded from this frame when its pictures were still there; only a tape can know.
    pub recalled: Option<Decision>,
}

/// The sensing half of a world.
pub trait Senses {
    /// Why sensing ended for good.
    type Error: std::error::Error;

    /// Waits for the next frame, at most as long as the world's patience, and freezes the inputs. `None` is the
    /// world's own end (a tape has one). A lost camera is an input without a frame, not an error.
    ///
    /// # Errors
    /// Where no further tick can be formed at all.
    fn next(&mut self, previous: Previous) -> Result<Option<Sensed<'_>>, Self::Error>;
}

/// The acting half of a world.
pub trait Actuators {
    /// Brings the order's pulses to the pins, or says what became of them; never blocks longer than one PWM period.
    fn apply(&mut self, order: Order) -> Applied;
}

/// A world to drive in.
pub trait World {
    /// Its senses.
    type Senses: Senses;
    /// Its pins.
    type Actuators: Actuators;

    /// Both halves at once, since a frame is borrowed while the pins are written.
    fn parts(&mut self) -> (&mut Self::Senses, &mut Self::Actuators);
}

/// Measures stages. What it says is recorded; a tick decides upon it only as an input of the next (how long it took).
pub trait Stopwatch {
    /// The time, on an axis of its own.
    fn now(&self) -> Instant;
}

/// Takes every tick.
pub trait Sink {
    /// Takes one tick with its frame. `false` where it had to be dropped; must not block.
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool;
}
