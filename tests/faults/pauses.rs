//! What the machine itself does to time. A thread above everything else wakes every millisecond and notes where it was late:
//! for so long no process of anybody's could run, and no bound can be held against the program.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use hairpin::hal::clock::Clock;
use hairpin::hal::priority;

/// A wake-up that is later than this counts as a pause.
const PAUSE_NS: u64 = 2_000_000;

static SEEN: OnceLock<Mutex<Vec<(u64, u64)>>> = OnceLock::new();

/// Starts to look, once a process.
pub(crate) fn watch() {
    SEEN.get_or_init(|| {
        thread::spawn(|| {
            // Without the priority it sees more pauses than there are; said where figures are printed.
            drop(priority::fifo(99));
            let clock = Clock::new();
            loop {
                let before = clock.now().0;
                thread::sleep(Duration::from_millis(1));
                let after = clock.now().0;
                if after - before > PAUSE_NS {
                    let seen = SEEN.get().expect("set before the thread was started");
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push((before, after));
                }
            }
        });
        Mutex::new(Vec::new())
    });
}

/// How long the machine stood still between two times, in ns.
pub(crate) fn between(from: u64, to: u64) -> u64 {
    let Some(seen) = SEEN.get() else { return 0 };
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
    seen.iter().map(|(begun, ended)| (*ended).min(to).saturating_sub((*begun).max(from))).sum()
}
