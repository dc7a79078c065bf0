//! The camera as the loop sees it: a thread for each eye keeps the newest picture at hand, and finds a lost camera again.
//! Hands over whole buffers in memory that is kept; decodes nothing and judges no picture (the pilot does).

mod eye;
mod slot;

use std::io;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

pub use super::camera::Agreed;
pub use super::eyes::Eyes;
pub use slot::{Counters, FLAPS_WITHIN};

use self::eye::Eye;
use self::slot::{Exposure, Slot};
use super::camera::Source;
use super::clock::Clock;
use super::eyes::{self, is_pair};
use super::{HalError, Settings};
use crate::domain::{CameraHealth, FrameSeq, Picture};
use crate::units::{Instant, Span};

/// What the cameras delivered for one moment.
#[derive(Clone, Copy, Debug)]
pub struct Shot<'a> {
    /// Counts the (left) camera's frames from 0, also over a replug; gaps are frames that were lost or not looked at.
    pub seq: FrameSeq,
    /// When it was taken, on [`Clock`]'s axis; of a pair the earlier time. Never in the future. May go back, as the
    /// driver says it.
    pub captured_at: Instant,
    /// The left camera, or the only one.
    pub left: Picture<'a>,
    /// The right camera.
    pub right: Option<Picture<'a>>,
}

/// Running cameras. Dropping it ends the threads and closes the devices, within about 0.1 s.
pub struct Capture {
    desk: Arc<Desk>,
    clock: Clock,
    agreed: Vec<Agreed>,
    /// What the loop has in hand: one picture an eye.
    held: Vec<Exposure>,
    halts: Vec<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// Where the threads lay down what they have.
struct Desk {
    slots: Mutex<Vec<Slot>>,
    news: Condvar,
}

impl Desk {
    fn health(&self) -> CameraHealth {
        let live = self.slots().iter().all(|slot| slot.live);
        if live { CameraHealth::Streaming } else { CameraHealth::Lost }
    }

    /// Nothing is done under the lock that could leave a slot half changed.
    fn slots(&self) -> MutexGuard<'_, Vec<Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// More losses than this within [`FLAPS_WITHIN`] are a loose plug.
const MOST_FLAPS: u32 = 5;

/// Tells whether the cameras are there.
#[derive(Clone)]
pub struct Vitals(Arc<Desk>, Clock);

impl Vitals {
    /// As [`Capture::health`]; a camera that was lost more than five times within half a minute counts as lost until it
    /// has been quiet for so long (safety.md §2 row 55).
    #[must_use]
    pub fn health(&self) -> CameraHealth {
        let now = self.1.now();
        let loose = self.0.slots().iter().any(|slot| slot.counters(now).flaps > MOST_FLAPS);
        if loose { CameraHealth::Lost } else { self.0.health() }
    }
}

impl Capture {
    /// Opens the camera or cameras that `settings` mean and lets them run.
    ///
    /// # Errors
    /// [`HalError::NoCamera`] where none fits or two are wanted and one is there; [`HalError::Camera`] with the step
    /// that failed.
    pub fn start(settings: &Settings, clock: Clock, eyes: Eyes) -> Result<Self, HalError> {
        let seats = eyes::choose(settings, eyes)?;
        let mut sources = Vec::new();
        for seat in &seats {
            sources.push(Source::open(&eyes::path(settings, &seat.node.name), &settings.camera)?);
        }
        let agreed: Vec<Agreed> = sources.iter().map(|source| source.agreed.clone()).collect();
        let desk = Arc::new(Desk {
            slots: Mutex::new(agreed.iter().map(Slot::new).collect()),
            news: Condvar::new(),
        });
        let held = agreed.iter().map(Exposure::new).collect();
        let mut capture = Self { desk, clock, agreed, held, halts: Vec::new(), threads: Vec::new() };
        let alone = seats.len() == 1;
        for (index, (seat, source)) in seats.into_iter().zip(sources).enumerate() {
            let (halt, halted) = channel();
            let place = eyes::path(settings, &seat.node.name);
            let eye =
                Eye::new(index, seat, settings.clone(), clock, Arc::clone(&capture.desk), halted, &source);
            let name = match index {
                0 if alone => "camera",
                0 => "camera-left",
                _ => "camera-right",
            };
            let spawned = thread::Builder::new().name(name.to_owned()).spawn(move || eye.run(source));
            let failed =
                |source: io::Error| HalError::Camera { path: place, doing: "starting its thread", source };
            capture.threads.push(spawned.map_err(failed)?);
            capture.halts.push(halt);
        }
        Ok(capture)
    }

    /// The newest picture that was not handed over yet, or the newest pair taken within half a period of each other;
    /// waits for it, at most `timeout`, and not past the moment at which a camera is lost.
    pub fn next(&mut self, timeout: Span) -> Option<Shot<'_>> {
        let slots = self.desk.slots();
        let lives = |slots: &[Slot]| slots.iter().all(|slot| slot.live);
        let lived = lives(&slots);
        let waited = self.desk.news.wait_timeout_while(slots, Duration::from_nanos(timeout.0), |slots| {
            !is_ready(slots) && lives(slots) == lived
        });
        let (mut slots, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if !is_ready(&slots) {
            return None;
        }
        for (slot, held) in slots.iter_mut().zip(&mut self.held) {
            slot.hand_over(held);
        }
        drop(slots);
        let (left, right) = match self.held.as_slice() {
            [only] => (only, None),
            [left, right, ..] => (left, Some(right)),
            [] => return None,
        };
        let captured_at = right.map_or(left.at, |right| right.at.min(left.at));
        Some(Shot {
            seq: FrameSeq(left.seq),
            captured_at,
            left: left.picture(),
            right: right.map(Exposure::picture),
        })
    }

    /// Whether every camera is there. One that came back counts again once its pictures are handed over.
    #[must_use]
    pub fn health(&self) -> CameraHealth {
        self.desk.health()
    }

    /// The same for whoever has the pictures in hand.
    #[must_use]
    pub fn vitals(&self) -> Vitals {
        Vitals(Arc::clone(&self.desk), self.clock)
    }

    /// What the cameras agreed to send, left first. It holds for the whole run: one that comes back with something else
    /// stays lost.
    #[must_use]
    pub fn agreed(&self) -> &[Agreed] {
        &self.agreed
    }

    /// What went missing, of all eyes together.
    #[must_use]
    pub fn counters(&self) -> Counters {
        let now = self.clock.now();
        self.desk.slots().iter().map(|slot| slot.counters(now)).fold(Counters::default(), Counters::with)
    }

    /// In words, what was last wrong with a camera that is lost now.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.desk.slots().iter().filter(|slot| !slot.live).find_map(|slot| slot.trouble.clone())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.halts.clear();
        for thread in self.threads.drain(..) {
            // A thread that panicked has closed its camera too.
            drop(thread.join());
        }
    }
}

fn is_ready(slots: &[Slot]) -> bool {
    match slots {
        [only] => only.fresh,
        [left, right] => {
            left.fresh
                && right.fresh
                && is_pair(left.exposure.at, right.exposure.at, left.period.max(right.period))
        }
        _ => false,
    }
}
