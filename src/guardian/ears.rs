//! What the guardian waits for: its driver, its operator, the system, and the time, whichever comes first.

use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::GuardianError;
use crate::units::Span;

/// Who has something to say.
#[expect(clippy::struct_excessive_bools, reason = "four questions that do not depend on each other")]
pub(super) struct Ready {
    pub(super) signal: bool,
    pub(super) link: bool,
    /// The driver is dead.
    pub(super) gone: bool,
    pub(super) operator: bool,
}

/// Waits, at most `at_most`. An interrupted wait is over.
pub(super) fn wait(
    signals: BorrowedFd<'_>,
    driver: Option<(BorrowedFd<'_>, Option<BorrowedFd<'_>>)>,
    operator: Option<BorrowedFd<'_>>,
    at_most: Span,
) -> Result<Ready, GuardianError> {
    // Whoever is not there is a second ear for the signals.
    let (link, life) = (driver.map(|(link, _)| link), driver.and_then(|(_, life)| life));
    let mut fds = [signals, link.unwrap_or(signals), life.unwrap_or(signals), operator.unwrap_or(signals)]
        .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    match poll(&mut fds, Some(&timespec(at_most))) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(GuardianError::system("wait for the driver")(errno)),
    }
    let [signal, link_ready, dead, operator_ready] = fds.map(|fd| !fd.revents().is_empty());
    Ok(Ready {
        signal,
        link: link.is_some() && link_ready,
        gone: life.is_some() && dead,
        operator: operator.is_some() && operator_ready,
    })
}

fn timespec(span: Span) -> Timespec {
    let (seconds, nanoseconds) = (span.0 / 1_000_000_000, span.0 % 1_000_000_000);
    Timespec {
        tv_sec: i64::try_from(seconds).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    }
}
