//! `hairpin operate`: a terminal for a guardian that runs as a service. Words go in as they are typed, what happens comes
//! out; whoever leaves has stopped the car. Refuses to arm in passing.

use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, poll};

use super::{Context, print_line, printable};
use crate::cli::{OneWord, Operate};
use crate::exit::Outcome;
use crate::report::operate::StandsReport;

/// A guardian answers within a turn of its loop.
const PATIENCE: Duration = Duration::from_secs(2);

/// Talks to the guardian.
pub(crate) fn run(args: &Operate, context: &Context) -> anyhow::Result<Outcome> {
    let stream = UnixStream::connect(&args.at).with_context(|| {
        format!(
            "no hairpin listens at {}; start the service with `systemctl start hairpin`",
            args.at.display()
        )
    })?;
    match args.word {
        Some(word) => in_passing(word, stream, &args.at, context),
        None => converse(stream, &args.at),
    }
    .map(|()| Outcome::Done)
}

/// One word, and the line that it is answered with.
fn in_passing(word: OneWord, mut stream: UnixStream, at: &Path, context: &Context) -> anyhow::Result<()> {
    stream.set_read_timeout(Some(PATIENCE)).context("cannot set up the connection")?;
    let mut lines = BufReader::new(stream.try_clone().context("cannot set up the connection")?);
    let mut line = String::new();
    let mut next = || {
        line.clear();
        let count = lines.read_line(&mut line);
        let count = count.with_context(|| format!("the guardian at {} does not answer", at.display()))?;
        if count == 0 {
            bail!("the guardian at {} ended", at.display());
        }
        Ok(line.trim_end().to_owned())
    };
    let mut stands = StandsReport { line: next()? };
    if word == OneWord::Stop {
        stream.write_all(b"stop\n").context("the guardian is gone")?;
        // One that stands already has nothing to say to it.
        if !matches!(stands.phase().as_str(), "stopped" | "ending") {
            stands.line = next()?;
        }
    }
    context.print(&stands)
}

/// Both ways, until either end leaves.
fn converse(mut stream: UnixStream, at: &Path) -> anyhow::Result<()> {
    let stdin = io::stdin();
    let mut typing = true;
    let mut bytes = [0; 4096];
    loop {
        let (keys, words) = {
            // Where nobody types any more, the guardian's last words are all that is waited for.
            let keys = if typing { stdin.as_fd() } else { stream.as_fd() };
            let mut fds = [stream.as_fd(), keys].map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
            match poll(&mut fds, None) {
                Err(rustix::io::Errno::INTR) => continue,
                other => other.context("cannot wait for words")?,
            };
            let [words, keys] = fds.map(|fd| !fd.revents().is_empty());
            (typing && keys, words)
        };
        if words {
            let count = stream.read(&mut bytes).context("the guardian is gone")?;
            if count == 0 && typing {
                bail!("the guardian at {} ended", at.display());
            }
            if count == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned();
            print_line(printable(&text).trim_end_matches('\n'))?;
        }
        if keys {
            let count = rustix::io::read(stdin.as_fd(), &mut bytes).unwrap_or(0);
            if count == 0 {
                typing = false;
                stream.shutdown(std::net::Shutdown::Write).context("the guardian is gone")?;
            } else {
                stream.write_all(bytes.get(..count).unwrap_or_default()).context("the guardian is gone")?;
            }
        }
    }
}
