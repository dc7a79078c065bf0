//! What the machine itself does to time. A thread above everything else wakes every millisecond and notes where it was late:
//! for so long no process of anybody's could run, and no bound can be held against the program.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::Duration;

use hairpin::hal::clock::Clock;
use hairpin::hal::priority;

/// Between two looks.
const SLEEP_NS: u64 = 1_000_000;

/// A wake-up that is later than this counts as a pause.
const PAUSE_NS: u64 = 2 * SLEEP_NS;

static SEEN: OnceLock<Mutex<Vec<(u64, u64)>>> = OnceLock::new();

/// Starts to look, once a process.
pub(crate) fn watch() {
    SEEN.get_or_init(|| {
        thread::spawn(|| {
            // Without the priority it would see its own lateness, and excuse what must not be.
            if let Err(why) = priority::fifo(99) {
                println!("the machine's own pauses are not known, and count against the program: {why}");
                return;
            }
            let clock = Clock::new();
            loop {
                let before = clock.now().0;
                thread::sleep(Duration::from_nanos(SLEEP_NS));
                let after = clock.now().0;
                if after - before > PAUSE_NS {
                    let seen = SEEN.get().expect("set before the thread was started");
                    seen.lock().unwrap_or_else(PoisonError::into_inner).push((before + SLEEP_NS, after));
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
