//! Words to stderr from where nothing may be waited for: a thread of their own says them, since a terminal that was stopped
//! and a pipe that nobody reads block whoever writes. What does not fit in the queue is left unsaid.

use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::thread;
use std::time::Duration;

use anyhow::Context as _;

use super::say;

/// Lines that may wait.
const ROOM: usize = 64;

/// How long the last words may take.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Says things.
pub(crate) struct Voice {
    lines: Option<SyncSender<String>>,
    /// Closed when everything was said.
    done: Receiver<()>,
}

impl Voice {
    /// Starts the thread; best before a priority is raised, which it would inherit.
    pub(crate) fn start() -> anyhow::Result<Self> {
        let (lines, queue) = sync_channel::<String>(ROOM);
        let (alive, done) = channel::<()>();
        let speak = move || {
            for line in queue {
                say(&line);
            }
            drop(alive);
        };
        thread::Builder::new()
            .name("voice".to_owned())
            .spawn(speak)
            .context("cannot start a thread for words")?;
        Ok(Self { lines: Some(lines), done })
    }

    /// One line, said soon or never.
    pub(crate) fn say(&self, line: String) {
        if let Some(lines) = &self.lines {
            // A full queue means that nobody listens.
            drop(lines.try_send(line));
        }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.lines = None;
        // Ends by the other end's closing, or is not waited for any longer.
        self.done.recv_timeout(LAST_WORDS).unwrap_or_default();
    }
}
