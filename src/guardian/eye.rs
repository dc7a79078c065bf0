//! A second pair of eyes on every write to the pins: a thread that shuts the gate where a write takes too long. The
//! thread that writes cannot, as it hangs in the kernel then (an I2C bus that is stuck takes a second to give up).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::hal::clock::Clock;
use crate::hal::gate::Gate;
use crate::units::Span;

/// A write that takes longer has failed (safety.md §2 row 31).
pub const LONGEST_WRITE: Span = Span::from_millis(20);

/// How often the thread looks: with [`LONGEST_WRITE`] well below the bound of 50 ms.
const LOOK: Duration = Duration::from_millis(4);

#[derive(Default)]
struct Watched {
    /// When the write began that is under way; 0 for none.
    began: AtomicU64,
    tripped: AtomicBool,
    ended: AtomicBool,
}

/// The thread and what it looks at.
pub struct Eye {
    watched: Arc<Watched>,
    thread: Option<JoinHandle<()>>,
}

impl Eye {
    /// Starts to look. `ready` runs first in the thread, as to raise its priority.
    ///
    /// # Errors
    /// Where no thread can be had.
    pub fn open(
        gate: Arc<Mutex<Gate>>,
        clock: Clock,
        ready: impl FnOnce() + Send + 'static,
    ) -> Result<Self, std::io::Error> {
        let watched = Arc::new(Watched::default());
        let seen = Arc::clone(&watched);
        let thread = thread::Builder::new().name("eye".to_owned()).spawn(move || {
            ready();
            look(&seen, &gate, &clock);
        })?;
        Ok(Self { watched, thread: Some(thread) })
    }

    /// Runs one write under the eye. `true` where it took too long: the gate is shut then.
    pub fn watch<T>(&self, clock: &Clock, write: impl FnOnce() -> T) -> (T, bool) {
        let began = clock.now();
        self.watched.began.store(began.0.max(1), Ordering::Release);
        let result = write();
        self.watched.began.store(0, Ordering::Release);
        let slow = clock.now().since(began) > LONGEST_WRITE;
        (result, slow | self.watched.tripped.swap(false, Ordering::AcqRel))
    }
}

fn look(watched: &Watched, gate: &Mutex<Gate>, clock: &Clock) {
    let mut shut_for = 0;
    while !watched.ended.load(Ordering::Acquire) {
        thread::sleep(LOOK);
        let began = watched.began.load(Ordering::Acquire);
        let hangs = began != 0 && clock.now().0.saturating_sub(began) > LONGEST_WRITE.0;
        if hangs && began != shut_for {
            watched.tripped.store(true, Ordering::Release);
            // A gate that does not answer either leaves nothing further to try; the next look does.
            if gate.lock().unwrap_or_else(PoisonError::into_inner).shut().is_ok() {
                shut_for = began;
            }
        }
    }
}

impl Drop for Eye {
    fn drop(&mut self) {
        self.watched.ended.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to say here.
            drop(thread.join());
        }
    }
}
