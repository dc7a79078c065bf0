//! The only place of the hardware edge that waits by time alone: between two tries of a write, and until the system
//! has given a fresh file to its group. Every wait is bounded; nothing here asks for the time.

use std::io::ErrorKind;
use std::thread;
use std::time::Duration;

use super::HalError;
use crate::units::Span;

/// Sleeps.
pub(super) fn pause(span: Span) {
    thread::sleep(Duration::from_nanos(span.0));
}

/// Two PWM periods: what a neutral pulse needs to have left the chip (`safety.md` §3 rule 7).
pub const TWO_PERIODS: Span = Span::from_millis(40);

/// Tries that are left until somebody gives up, 20 ms apart.
#[derive(Debug)]
pub(super) struct Patience(u8);

impl Patience {
    const STEP: Span = Span::from_millis(20);

    /// Half a second: udev rules run after `export` has returned.
    pub(super) const fn for_udev() -> Self {
        Self(25)
    }

    /// No second try.
    pub(super) const fn none() -> Self {
        Self(0)
    }

    /// The first success, or the last failure. Only what the system's own rules may still mend is tried again: a file
    /// that is not there yet, or not given to its group yet.
    pub(super) fn until<T>(
        &mut self,
        mut attempt: impl FnMut() -> Result<T, HalError>,
    ) -> Result<T, HalError> {
        loop {
            match attempt() {
                Err(HalError::Open { source, .. } | HalError::Write { source, .. })
                    if self.0 > 0
                        && matches!(source.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) =>
                {
                    self.0 -= 1;
                    pause(Self::STEP);
                }
                settled => return settled,
            }
        }
    }
}
