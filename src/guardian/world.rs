//! Today's world, from the driver's side: frames from the camera, words from the guardian, and pins behind the link.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use super::link::{Ears, Link};
use crate::domain::{Applied, Ask, Frame, FrameStamp, Health, Inputs, OperatorInput, Previous};
use crate::drive::{Sensed, Senses, World};
use crate::hal::capture::{Capture, Vitals};
use crate::hal::clock::Clock;
use crate::units::Span;

/// A tick comes at least this often, frame or none: the guardian ends a driver that says nothing.
const PATIENCE: Span = Span::from_millis(50);

/// A wish to arm waits for a good frame for so many ticks, about a second.
const MOST_KEPT: u32 = 20;

/// The battery's last level. The gauge is asked by a thread of its own: a bus that is stuck takes a second to say so.
#[derive(Clone, Debug)]
pub struct Level(Arc<AtomicU8>);

/// Stands for a level that is not known.
const UNKNOWN: u8 = u8::MAX;

impl Default for Level {
    fn default() -> Self {
        Self(Arc::new(AtomicU8::new(UNKNOWN)))
    }
}

impl Level {
    /// The level, 0 to 11, where it is known.
    #[must_use]
    pub fn get(&self) -> Option<u8> {
        Some(self.0.load(Ordering::Relaxed)).filter(|level| *level != UNKNOWN)
    }

    /// Notes what the gauge said.
    pub fn set(&self, level: Option<u8>) {
        self.0.store(level.unwrap_or(UNKNOWN), Ordering::Relaxed);
    }
}

/// The sensing half.
pub struct CarSenses {
    capture: Capture,
    vitals: Vitals,
    ears: Ears,
    battery: Level,
    clock: Clock,
    speed_percent: u8,
    seq: u64,
    /// Ticks for which a wish to arm may have been kept.
    kept: u32,
    over: bool,
}

/// The car.
pub struct CarWorld {
    senses: CarSenses,
    link: Link,
}

impl CarWorld {
    /// A world of a running camera and a listening link. `speed_percent` is the throttle scale, 0 to 100.
    #[must_use]
    pub fn new(capture: Capture, link: Link, battery: Level, clock: Clock, speed_percent: u8) -> Self {
        let ears = link.ears();
        let vitals = capture.vitals();
        let senses =
            CarSenses { capture, vitals, ears, battery, clock, speed_percent, seq: 0, kept: 0, over: false };
        Self { senses, link }
    }

    /// The camera, for its counters.
    #[must_use]
    pub const fn capture(&self) -> &Capture {
        &self.senses.capture
    }
}

impl World for CarWorld {
    type Senses = CarSenses;
    type Actuators = Link;

    fn parts(&mut self) -> (&mut CarSenses, &mut Link) {
        (&mut self.senses, &mut self.link)
    }
}

impl Senses for CarSenses {
    type Error = Infallible;

    fn next(&mut self, previous: Previous) -> Result<Option<Sensed<'_>>, Infallible> {
        if self.over {
            return Ok(None);
        }
        let shot = self.capture.next(PATIENCE);
        self.over = self.ears.ending();
        // The governor arms on a good frame only, and not over pins that failed; a wish that comes a moment before waits.
        let camera = self.vitals.health();
        let wait = (shot.is_none() || previous.applied == Applied::Failed) && self.kept < MOST_KEPT;
        let (seq, ask) = self.ears.ask(wait);
        self.kept = if wait { self.kept + 1 } else { 0 };
        // One that waited for too long is not meant any more.
        let ask = if ask == Ask::Arm && shot.is_none() { Ask::Nothing } else { ask };
        let inputs = Inputs {
            seq: self.seq,
            now: self.clock.now(),
            frame: shot.as_ref().map(|shot| FrameStamp { seq: shot.seq, captured_at: shot.captured_at }),
            operator: OperatorInput { seq, ask, speed_percent: self.speed_percent },
            health: Health { battery: self.battery.get(), camera },
            previous,
        };
        self.seq += 1;
        let frame = shot.map(|shot| Frame {
            seq: shot.seq,
            captured_at: shot.captured_at,
            left: shot.left,
            right: shot.right,
            ranges: &[],
        });
        Ok(Some(Sensed { inputs, frame, recalled: None }))
    }
}
