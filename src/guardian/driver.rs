//! The child: started with its end of the link as standard input, watched, ended. Refuses to start one that keeps dying.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};

use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use rustix::process::{Pid, PidfdFlags, pidfd_open};

use super::GuardianError;
use crate::hal::notify::SOCKET;
use crate::units::{Instant, Span};

/// Tells a process that a guardian started it: the session's number, and how many there were, as `77/1`.
pub const SESSION: &str = "HAIRPIN_DRIVER";

/// The name of the thread that listens in the driver.
pub(super) const LISTENER: &str = "link";

/// The time within which deaths are counted.
const WITHIN: Span = Span::from_millis(30_000);

/// How a driver is started.
#[derive(Clone, Debug)]
pub struct Start {
    /// This very program.
    pub program: PathBuf,
    /// The arguments that the guardian was started with.
    pub arguments: Vec<OsString>,
    /// Set for the child on top of what it inherits.
    pub environment: Vec<(OsString, OsString)>,
}

/// A running driver.
#[derive(Debug)]
pub struct Driver {
    child: Child,
    /// The guardian's end; never blocks.
    pub(super) link: UnixDatagram,
    /// The session's number; a record of another is refused.
    pub(super) session: u32,
    /// When it was started.
    pub(super) since: Instant,
    /// When its last whole record came.
    pub(super) heard: Option<Instant>,
    /// Readable when its listening thread is gone, where the kernel can say so.
    life: Option<OwnedFd>,
}

impl Driver {
    /// Starts one.
    ///
    /// # Errors
    /// [`GuardianError::System`].
    pub fn start(start: &Start, session: u32, count: u32, now: Instant) -> Result<Self, GuardianError> {
        // Packets with an end: a record is read whole or not at all, and a dead peer reads as nothing.
        let kind = (AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC);
        let (ours, theirs) = socketpair(kind.0, kind.1, kind.2, None)
            .map_err(GuardianError::system("make a pair of sockets for the driver"))?;
        let link = UnixDatagram::from(ours);
        let failed = |doing| move |source| GuardianError::System { doing, source };
        link.set_nonblocking(true).map_err(failed("set up the link to the driver"))?;
        let child = Command::new(&start.program)
            .args(&start.arguments)
            .envs(start.environment.iter().map(|(name, value)| (name, value)))
            .env(SESSION, format!("{session}/{count}"))
            // The service manager hears the guardian alone.
            .env_remove(SOCKET)
            .stdin(Stdio::from(theirs))
            // Ctrl-C at the terminal is for the guardian, which ends things in their order.
            .process_group(0)
            .spawn()
            .map_err(failed("start the driver"))?;
        Ok(Self { child, link, session, since: now, heard: None, life: None })
    }

    /// The driver's process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Notes that a record came. At the first, the driver's threads are known, and one is watched: a process that is killed
    /// closes its link only after its memory is gone (a millisecond for 25 MB), its threads go at once.
    pub(super) fn hears(&mut self, now: Instant) {
        if self.heard.is_none() {
            self.life = life_of(self.id());
        }
        self.heard = Some(now);
    }

    /// What to poll for its death.
    pub(super) fn life(&self) -> Option<BorrowedFd<'_>> {
        self.life.as_ref().map(AsFd::as_fd)
    }

    /// Whether it ended with a code of its own, and not by a signal.
    pub(super) fn left_by_itself(&mut self) -> bool {
        self.ended().is_some_and(|status| status.code().is_some())
    }

    /// Ends it at once. It may be stopped or hang, so it is not asked.
    pub(super) fn kill(&mut self) {
        // An error means that it has ended already.
        drop(self.child.kill());
    }

    /// Waits a moment for the end of one that was killed, so that nothing of it is left behind.
    pub(super) fn reap(&mut self) {
        for _ in 0..50 {
            if self.ended().is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// What to poll.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}

/// A thread's own descriptor (`PIDFD_THREAD`, since Linux 6.9): readable when that thread is gone.
const PIDFD_THREAD: PidfdFlags = PidfdFlags::from_bits_retain(0o200);

/// The life of a process's listening thread; none on kernels that watch processes alone, where the link has to do.
fn life_of(process: u32) -> Option<OwnedFd> {
    let threads = std::fs::read_dir(format!("/proc/{process}/task")).ok()?;
    let thread = threads.flatten().find(|thread| {
        std::fs::read_to_string(thread.path().join("comm")).is_ok_and(|name| name.trim() == LISTENER)
    })?;
    let id = thread.file_name().to_string_lossy().parse().ok().and_then(Pid::from_raw)?;
    pidfd_open(id, PIDFD_THREAD).ok()
}

/// How a process ended, in words.
pub(super) fn words(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => status.to_string(),
    }
}

/// The deaths that count.
#[derive(Debug)]
pub(super) struct Deaths {
    at: VecDeque<Instant>,
    most: usize,
}

impl Deaths {
    /// A driver that dies `most` times within half a minute is not started again.
    pub(super) const fn new(most: usize) -> Self {
        Self { at: VecDeque::new(), most }
    }

    /// Notes one; an error where there were too many.
    pub(super) fn note(&mut self, now: Instant, status: &str) -> Result<(), GuardianError> {
        self.at.push_back(now);
        while self.at.front().is_some_and(|first| now.since(*first) > WITHIN) {
            self.at.pop_front();
        }
        if self.at.len() < self.most {
            return Ok(());
        }
        Err(GuardianError::DriverKeepsDying {
            deaths: self.at.len(),
            seconds: WITHIN.0 / 1_000_000_000,
            status: status.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Deaths;
    use crate::units::Instant;

    #[test]
    fn the_fifth_death_within_half_a_minute_is_the_last() {
        let mut deaths = Deaths::new(5);
        let at = |seconds: u64| Instant(seconds * 1_000_000_000);
        for second in [0, 10, 20, 29] {
            assert!(deaths.note(at(second), "signal 9").is_ok());
        }
        assert!(deaths.note(at(31), "signal 9").is_ok(), "the first one is forgotten by now");
        let text = deaths.note(at(32), "signal 9").expect_err("five").to_string();
        assert!(text.contains("5 times within 30 s") && text.contains("signal 9"), "{text}");
    }
}
