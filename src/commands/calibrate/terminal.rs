//! The terminal: keys as they come, and a screen. Refuses what is no terminal, or too small. Put back as it was on
//! every way out; one that takes no output (a link that stalls) holds up a drawing, never the pins.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel};
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::termios::{
    InputModes, LocalModes, OptionalActions, OutputModes, QueueSelector, Termios, isatty, tcflush, tcgetattr,
    tcgetwinsize, tcsetattr,
};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
use signal_hook::flag;

use crate::commands::clock::Clock;
use crate::drive::Stopwatch as _;
use crate::units::{Instant, Span};

/// What was heard within a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Nothing.
    Nothing,
    /// So many bytes, at the start of the buffer.
    Bytes(usize),
    /// The terminal is gone.
    Closed,
    /// A signal that ends the program.
    Signal(&'static str),
}

/// Keys in, a screen out, and the time between.
pub trait Tty {
    /// Waits for keys, no longer than `at_most`.
    ///
    /// # Errors
    /// Where the terminal cannot be read.
    fn read(&mut self, buffer: &mut [u8], at_most: Span) -> io::Result<Heard>;
    /// Shows a text. False where the terminal is still busy with the one before; nothing is shown then.
    ///
    /// # Errors
    /// Where the terminal is gone.
    fn show(&mut self, text: &str) -> io::Result<bool>;
    /// The time.
    fn now(&self) -> Instant;
}

/// What shall leave neutral behind: SIGTSTP too, since a stopped program would leave its pulse standing.
const SIGNALS: [(i32, &str); 5] = [
    (SIGHUP, "SIGHUP"),
    (SIGINT, "SIGINT"),
    (SIGQUIT, "SIGQUIT"),
    (SIGTERM, "SIGTERM"),
    (SIGTSTP, "SIGTSTP"),
];

/// The smallest screen that holds everything.
const SMALLEST: (u16, u16) = (80, 24);

/// A real one, in raw mode until it is dropped.
pub struct Terminal {
    input: OwnedFd,
    before: Termios,
    pen: Option<Pen>,
    caught: Vec<(Arc<AtomicBool>, &'static str)>,
    over: Arc<AtomicBool>,
    clock: Clock,
}

impl Terminal {
    /// Takes standard input and output.
    ///
    /// # Errors
    /// Where one of them is no terminal, or it is smaller than 80x24.
    pub fn standard() -> anyhow::Result<Self> {
        Self::new(&io::stdin(), &io::stdout())
    }

    /// Takes a terminal's two ends; clears its screen.
    ///
    /// # Errors
    /// As [`Terminal::standard`].
    pub fn new(input: &impl AsFd, output: &impl AsFd) -> anyhow::Result<Self> {
        for (end, name) in [(input.as_fd(), "input"), (output.as_fd(), "output")] {
            if !isatty(end) {
                bail!(
                    "standard {name} is no terminal; run `hairpin calibrate` in one, over `ssh -t` from afar"
                );
            }
        }
        let size = tcgetwinsize(output).context("cannot ask the terminal for its size")?;
        let (columns, rows) = (size.ws_col, size.ws_row);
        // A serial console does not know, and says 0.
        if columns != 0 && rows != 0 && (columns < SMALLEST.0 || rows < SMALLEST.1) {
            bail!("the terminal is {columns}x{rows}, wanted at least 80x24: enlarge the window");
        }
        let input = input.as_fd().try_clone_to_owned().context("cannot keep the terminal's input")?;
        let output = output.as_fd().try_clone_to_owned().context("cannot keep the terminal's output")?;
        let before = tcgetattr(&input).context("cannot ask the terminal for its mode")?;
        let over = Arc::new(AtomicBool::new(false));
        let caught = listen(&over)?;
        let pen = Some(Pen::new(File::from(output))?);
        let terminal = Self { input, before, pen, caught, over, clock: Clock::start() };
        tcsetattr(&terminal.input, OptionalActions::Now, &raw(&terminal.before))
            .context("cannot set the terminal's mode")?;
        terminal.pen()?.put("\x1b[2J\x1b[H").context("cannot draw on the terminal")?;
        Ok(terminal)
    }

    fn pen(&self) -> io::Result<&Pen> {
        self.pen.as_ref().ok_or_else(|| io::ErrorKind::BrokenPipe.into())
    }

    fn signalled(&self) -> Option<&'static str> {
        self.caught.iter().find(|(flag, _)| flag.load(Ordering::Relaxed)).map(|(_, name)| *name)
    }
}

impl Tty for Terminal {
    fn read(&mut self, buffer: &mut [u8], at_most: Span) -> io::Result<Heard> {
        if let Some(name) = self.signalled() {
            return Ok(Heard::Signal(name));
        }
        let mut asked = [PollFd::new(&self.input, PollFlags::IN)];
        let wait = Timespec::try_from(Duration::from_nanos(at_most.0)).ok();
        match poll(&mut asked, wait.as_ref()) {
            Ok(0) | Err(Errno::INTR) => return Ok(Heard::Nothing),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        match rustix::io::read(&self.input, buffer) {
            Ok(0) | Err(Errno::IO) => Ok(Heard::Closed),
            Ok(count) => Ok(Heard::Bytes(count)),
            Err(Errno::INTR) => Ok(Heard::Nothing),
            Err(error) => Err(error.into()),
        }
    }

    fn show(&mut self, text: &str) -> io::Result<bool> {
        self.pen()?.put(text)
    }

    fn now(&self) -> Instant {
        self.clock.now()
    }
}

impl Drop for Terminal {
    /// Mode and signals as before; keys typed ahead do not reach the shell.
    fn drop(&mut self) {
        if let Some(pen) = self.pen.take() {
            pen.finish();
        }
        tcflush(&self.input, QueueSelector::IFlush).unwrap_or_default();
        tcsetattr(&self.input, OptionalActions::Now, &self.before).unwrap_or_default();
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Flags that the signals set; once `over` is set, a signal does what it does to any program.
fn listen(over: &Arc<AtomicBool>) -> anyhow::Result<Vec<(Arc<AtomicBool>, &'static str)>> {
    let listen = |(signal, name)| {
        let caught = Arc::new(AtomicBool::new(false));
        flag::register_conditional_default(signal, Arc::clone(over))
            .and_then(|_| flag::register(signal, Arc::clone(&caught)))
            .with_context(|| format!("cannot listen for {name}"))?;
        Ok((caught, name))
    };
    SIGNALS.into_iter().map(listen).collect()
}

/// Keys at once, none echoed, none a signal. The output's line ends stay whole: a panic's words come out straight.
fn raw(before: &Termios) -> Termios {
    let mut raw = before.clone();
    raw.local_modes.remove(
        LocalModes::ICANON | LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ISIG | LocalModes::IEXTEN,
    );
    raw.input_modes.remove(InputModes::IXON | InputModes::ISTRIP | InputModes::INLCR | InputModes::IGNCR);
    raw.output_modes.insert(OutputModes::OPOST | OutputModes::ONLCR);
    raw
}

/// Draws on a thread of its own.
struct Pen {
    texts: SyncSender<String>,
    done: Receiver<()>,
}

/// How long a last drawing is waited for.
const LAST: Duration = Duration::from_millis(200);

impl Pen {
    fn new(mut paper: File) -> anyhow::Result<Self> {
        let (texts, drawn) = sync_channel::<String>(1);
        let (finished, done) = channel::<()>();
        std::thread::Builder::new()
            .name("calibrate-pen".to_owned())
            .spawn(move || {
                // Dropped at the end, which is what is waited for.
                let _finished = finished;
                for text in drawn {
                    if paper.write_all(text.as_bytes()).is_err() {
                        return;
                    }
                }
            })
            .context("cannot start the thread that draws")?;
        Ok(Self { texts, done })
    }

    fn put(&self, text: &str) -> io::Result<bool> {
        match self.texts.try_send(text.to_owned()) {
            Ok(()) => Ok(true),
            Err(TrySendError::Full(_)) => Ok(false),
            Err(TrySendError::Disconnected(_)) => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Waits a little for what was put last. A thread that the terminal blocks ends with the program.
    fn finish(self) {
        drop(self.texts);
        match self.done.recv_timeout(LAST) {
            Ok(()) | Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }
}
