//! The one clock of the commands: monotonic, since its own start.

use crate::drive::Stopwatch;
use crate::units::{Instant, Span};

/// Measures stages of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(std::time::Instant);

impl Clock {
    /// Starts now.
    pub(crate) fn start() -> Self {
        Self(std::time::Instant::now())
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Span {
        self.now().since(Instant(0))
    }
}

impl Stopwatch for Clock {
    fn now(&self) -> Instant {
        Instant(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}
