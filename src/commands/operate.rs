//! `hairpin operate`: a terminal for a guardian that runs as a service. Words go in as they are typed, whatever becomes of
//! those that come out; whoever leaves, or is put aside with Ctrl-Z, has stopped the car. Refuses to arm in passing.

use std::io::{self, BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};
use signal_hook::consts::SIGTSTP;

use super::{Context, print_line, printable};
use crate::cli::{OneWord, Operate};
use crate::exit::Outcome;
use crate::report::operate::StandsReport;

/// A guardian answers within a turn of its loop.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bytes that may come before the answer to one word.
const MOST: u64 = 4096;

/// Talks to the guardian.
pub(crate) fn run(args: &Operate, context: &Context) -> anyhow::Result<Outcome> {
    let at = args.at.display();
    let stream = UnixStream::connect(&args.at).map_err(|error| {
        let remedy = match error.kind() {
            ErrorKind::PermissionDenied => {
                format!(
                    "{at} is for root and the group hairpin: use sudo, or join the group and log in again"
                )
            }
            _ => format!("no hairpin listens at {at}; start the service with `systemctl start hairpin`"),
        };
        anyhow::Error::new(error).context(remedy)
    })?;
    match args.word {
        Some(word) => in_passing(word, stream, &args.at, context),
        None => converse(stream, &args.at),
    }
    .map(|()| Outcome::Done)
}

/// One word, and the line that says what became of it.
fn in_passing(word: OneWord, mut stream: UnixStream, at: &Path, context: &Context) -> anyhow::Result<()> {
    let at = at.display();
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set up the connection")?;
    let mut lines = BufReader::new(stream.try_clone().context("cannot set up the connection")?.take(MOST));
    let mut next = || {
        let mut line = Vec::new();
        let count = lines.read_until(b'\n', &mut line);
        if !count.is_ok_and(|count| count > 0 && line.ends_with(b"\n")) {
            bail!("the guardian at {at} does not answer, or ended");
        }
        Ok(StandsReport { line: String::from_utf8_lossy(&line).trim_end().to_owned() })
    };
    let mut stands = next()?;
    if word == OneWord::Stop {
        stream.write_all(b"stop\n").with_context(|| format!("the guardian at {at} is gone"))?;
        while !matches!(stands.phase().as_str(), "stopped" | "ending") {
            stands = next()?;
        }
    }
    context.print(&stands)
}

/// Both ways, until either end leaves. What comes out is printed by a thread of its own: a terminal that is held with Ctrl-S
/// must not hold back the word that stops the car.
fn converse(mut stream: UnixStream, at: &Path) -> anyhow::Result<()> {
    let (put_aside, signal) = UnixStream::pair().context("cannot listen for signals")?;
    signal_hook::low_level::pipe::register(SIGTSTP, signal).context("cannot listen for signals")?;
    let (closed, done) = printed(&stream)?;
    let stdin = io::stdin();
    let mut bytes = [0; 4096];
    loop {
        let [keys, ended, aside] = ready([stdin.as_fd(), closed.as_fd(), put_aside.as_fd()])?;
        if ended {
            bail!("the guardian at {} ended", at.display());
        }
        let count = if keys { rustix::io::read(stdin.as_fd(), &mut bytes).unwrap_or(0) } else { 0 };
        if aside || (keys && count == 0) {
            stream.shutdown(Shutdown::Write).context("the guardian is gone")?;
            // Its last words, where there is somebody to read them.
            done.recv_timeout(PATIENCE).unwrap_or_default();
            return Ok(());
        }
        stream.write_all(bytes.get(..count).unwrap_or_default()).context("the guardian is gone")?;
    }
}

/// Waits for any of them.
fn ready<const N: usize>(fds: [BorrowedFd<'_>; N]) -> anyhow::Result<[bool; N]> {
    let mut fds = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    match poll(&mut fds, None) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(errno) => return Err(errno).context("cannot wait for words"),
    }
    Ok(fds.map(|fd| !fd.revents().is_empty()))
}

/// Prints what the guardian says. Both ends that come back close when it has ended: one to be polled, one to be waited for.
fn printed(stream: &UnixStream) -> anyhow::Result<(UnixStream, Receiver<()>)> {
    let (closed, open) = UnixStream::pair().context("cannot make a pair of sockets")?;
    let (alive, done) = channel::<()>();
    let mut from = stream.try_clone().context("cannot set up the connection")?;
    let print = move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = from.read(&mut bytes) {
            let text = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
            if print_line(printable(&text).trim_end_matches('\n')).is_err() {
                break;
            }
        }
        drop((open, alive));
    };
    thread::Builder::new()
        .name("words".to_owned())
        .spawn(print)
        .context("cannot start a thread for words")?;
    Ok((closed, done))
}
