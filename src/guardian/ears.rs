//! What the guardian waits for: its driver, its operator, the system, and the time, whichever comes first.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::GuardianError;
use super::operators::EARS;
use crate::units::Span;

/// Who has something to say.
pub(super) struct Ready {
    pub(super) signal: bool,
    pub(super) link: bool,
    /// The driver is dead.
    pub(super) gone: bool,
    /// The operators, in the order in which they were given.
    pub(super) operators: [bool; EARS],
}

/// Waits, at most `at_most`. An interrupted wait is over.
pub(super) fn wait(
    signals: BorrowedFd<'_>,
    driver: Option<(BorrowedFd<'_>, Option<BorrowedFd<'_>>)>,
    operators: [Option<BorrowedFd<'_>>; EARS],
    at_most: Span,
) -> Result<Ready, GuardianError> {
    let (link, life) = (driver.map(|(link, _)| link), driver.and_then(|(_, life)| life));
    let mut wanted = [None; 3 + EARS];
    for (slot, fd) in wanted.iter_mut().zip([Some(signals), link, life].into_iter().chain(operators)) {
        *slot = fd;
    }
    // Whoever is not there is a second ear for the signals.
    let mut fds = wanted.map(|fd| PollFd::from_borrowed_fd(fd.unwrap_or(signals), PollFlags::IN));
    match poll(&mut fds, Some(&timespec(at_most))) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(GuardianError::system("wait for the driver")(errno)),
    }
    let mut ready = [false; 3 + EARS];
    for (slot, (fd, wanted)) in ready.iter_mut().zip(fds.iter().zip(wanted)) {
        *slot = wanted.is_some() && !fd.revents().is_empty();
    }
    let [signal, link, gone, operators @ ..] = ready;
    Ok(Ready { signal, link, gone, operators })
}

fn timespec(span: Span) -> Timespec {
    let (seconds, nanoseconds) = (span.0 / 1_000_000_000, span.0 % 1_000_000_000);
    Timespec {
        tv_sec: i64::try_from(seconds).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    }
}
