//! The live clock: nanoseconds of `CLOCK_MONOTONIC`, the axis that the kernel stamps frames on. The only place that
//! asks for the time while the car drives; wall-clock time is no business of it.

use std::time;

use rustix::time::{ClockId, clock_gettime};

use crate::drive::Stopwatch;
use crate::units::{Instant, Span};

/// Two readings this close to each other count as one.
const CLOSE_NS: i64 = 50_000;

/// A machine that is never quiet for so long has to live with a clock that is a little late.
const MOST_TRIES: u32 = 100;

/// Reads the time. Copies agree with each other, in this process and in every other.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    started: time::Instant,
    /// What `CLOCK_MONOTONIC` said when `started` was taken.
    at_start: Instant,
}

impl Clock {
    /// A clock that is set by one reading of the system's.
    #[must_use]
    pub fn new() -> Self {
        // The standard library's instant is the same clock, but does not tell its number. The reading comes first, so
        // that what this clock says is never ahead of the kernel's stamps.
        let mut reading = clock_gettime(ClockId::Monotonic);
        let mut started = time::Instant::now();
        // Whoever is interrupted between the two would be late for ever.
        for _ in 0..MOST_TRIES {
            let after = clock_gettime(ClockId::Monotonic);
            let took = (after.tv_sec - reading.tv_sec) * 1_000_000_000 + after.tv_nsec - reading.tv_nsec;
            if took < CLOSE_NS {
                break;
            }
            reading = clock_gettime(ClockId::Monotonic);
            started = time::Instant::now();
        }
        let whole = u64::try_from(reading.tv_sec).unwrap_or(0).saturating_mul(1_000_000_000);
        let rest = u64::try_from(reading.tv_nsec).unwrap_or(0);
        Self { started, at_start: Instant(whole.saturating_add(rest)) }
    }

    /// The time, in nanoseconds since the machine's start or thereabouts.
    #[must_use]
    pub fn now(&self) -> Instant {
        let run = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.at_start + Span(run)
    }
}

impl Stopwatch for Clock {
    fn now(&self) -> Instant {
        Self::now(self)
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use rustix::time::{ClockId, clock_gettime};

    use super::Clock;
    use crate::units::Instant;

    fn kernel() -> Instant {
        let reading = clock_gettime(ClockId::Monotonic);
        Instant(
            (reading.tv_sec * 1_000_000_000 + reading.tv_nsec).try_into().expect("a time after the start"),
        )
    }

    #[test]
    fn it_is_the_kernels_monotonic_clock() {
        let clock = Clock::new();
        let closest = (0..100)
            .map(|_| {
                let (before, ours, after) = (kernel(), clock.now(), kernel());
                assert!(ours <= after, "{ours:?} is ahead of {after:?}");
                before.since(ours).0
            })
            .min();
        // At most behind by the time between the two readings at its start.
        assert!(closest.is_some_and(|behind| behind < 1_000_000), "{closest:?} ns behind");
    }
}
