//! The real bench: this machine's board, and a second process beside it that goes neutral when this one is killed, stopped
//! or hangs. The file is the stock car's, wherever the settings say that it is.

use std::io::{self, PipeWriter, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context as _, bail};

use super::{Bench, Ended, Heard, Shown, Terminal, Tty, guided, undo};
use crate::cli::Calibrate;
use crate::commands::calibrated::STOCK_FILE;
use crate::commands::files::bounded;
use crate::commands::{Context, was_set};
use crate::config::{CalibrationSource, stock};
use crate::domain::Pulses;
use crate::exit::Outcome;
use crate::hal::{Board, CalibrationFile, CarPins, Gate, InstanceLock};
use crate::units::{Instant, Span};
use crate::vehicle::Calibration;

/// Calibrates, shows, or puts back.
pub(crate) fn run(args: &Calibrate, context: &Context) -> anyhow::Result<Outcome> {
    let path = file(context)?;
    let store = CalibrationFile::new(&path);
    if args.show {
        let from = if path.exists() { path.display().to_string() } else { format!("no {}", path.display()) };
        context.print(&Shown { from, calibration: in_use(&path)? })?;
        return Ok(Outcome::Done);
    }
    if args.undo {
        let before = in_use(&path)?;
        let restored = undo(before, || {
            let put_back = store.undo()?;
            Ok((in_use(&path)?, Some(put_back)))
        })?;
        context.print(&restored)?;
        return Ok(Outcome::Done);
    }
    let ended = by_hand(context, &path, &store)?;
    context.print(&ended)?;
    Ok(Outcome::Done)
}

/// The terminal first, which refuses before a pin is touched; then the board, and who stands by.
fn by_hand(context: &Context, path: &Path, store: &CalibrationFile) -> anyhow::Result<Ended> {
    let old = in_use(path)?;
    let terminal = Terminal::standard()?;
    let board = Board::open(&context.config.car(), old.neutral())?;
    let standby = Standby::start()?;
    let Board { pins, gate, lock, .. } = board;
    let mut bench = OnBoard { pins, gate, rest: old.neutral(), _lock: lock };
    let mut tty = Beating { terminal, standby };
    let wait = |span: Span| thread::sleep(Duration::from_nanos(span.0));
    let ended = guided(&mut tty, &mut bench, &wait, old, |new| {
        let bytes = stock::rewrite(&path.display().to_string(), store.read()?.as_deref(), new)?;
        Ok(store.save(&bytes)?)
    });
    // After an error nobody knows what stands on the pins: whoever stands by writes neutral then.
    tty.standby.dismiss(ended.is_ok());
    ended
}

/// The file that the car's calibration is in, or will be.
fn file(context: &Context) -> anyhow::Result<PathBuf> {
    if !was_set(context, "vehicle.calibration") {
        return Ok(context.config.car().at(STOCK_FILE));
    }
    match context.config.calibration() {
        CalibrationSource::File(path) => Ok(PathBuf::from(path)),
        CalibrationSource::Ready(_) => bail!(
            "vehicle.calibration names no file to write to; delete it for {STOCK_FILE}, or set it to the path of a \
             calibration.json"
        ),
    }
}

fn in_use(path: &Path) -> anyhow::Result<Calibration> {
    if !path.exists() {
        return Ok(Calibration::factory());
    }
    Ok(stock::read(&path.display().to_string(), &bounded(path, 1 << 20)?)?)
}

struct OnBoard {
    pins: CarPins,
    gate: Gate,
    rest: Pulses,
    _lock: InstanceLock,
}

impl Bench for OnBoard {
    fn write(&mut self, pulses: Pulses) -> anyhow::Result<()> {
        let resting = pulses.throttle == self.rest.throttle;
        self.pins.write(pulses, resting).map(drop).context("the pins do not follow")
    }

    fn power(&mut self, on: bool) -> anyhow::Result<()> {
        let switched = if on { self.gate.open() } else { self.gate.shut() };
        switched.map(drop).context("the power gate does not follow")
    }
}

/// A second process, `hairpin neutral --stand-by`, that this one has to speak to.
struct Standby {
    voice: PipeWriter,
    child: Child,
}

impl Standby {
    fn start() -> anyhow::Result<Self> {
        let (ears, voice) = io::pipe().context("cannot make a pipe")?;
        let program = std::env::current_exe().context("cannot find this program, to have it stand by")?;
        // The same settings, and a verb of its own: what was typed before the verb stays.
        let typed: Vec<_> = std::env::args_os().skip(1).filter(|word| word != "calibrate").collect();
        let child = Command::new(program)
            .args(typed)
            .args(["neutral", "--stand-by"])
            .stdin(Stdio::from(ears))
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .context("cannot start the process that stands by")?;
        Ok(Self { voice, child })
    }

    fn beat(&mut self) -> io::Result<()> {
        self.voice.write_all(b".").map_err(|error| io::Error::new(error.kind(), "nobody stands by any more"))
    }
}

impl Standby {
    /// Ends it. One that is told that all is well writes nothing; one that is not goes neutral, as it does when this
    /// process dies.
    fn dismiss(mut self, well: bool) {
        if well {
            drop(self.voice.write_all(b"q"));
        }
        drop(self.voice);
        drop(self.child.wait());
    }
}

/// A terminal that tells who stands by, at every look, that this process is there.
struct Beating {
    terminal: Terminal,
    standby: Standby,
}

impl Tty for Beating {
    fn read(&mut self, buffer: &mut [u8], at_most: Span) -> io::Result<Heard> {
        self.standby.beat()?;
        self.terminal.read(buffer, at_most)
    }

    fn show(&mut self, text: &str) -> io::Result<bool> {
        self.terminal.show(text)
    }

    fn now(&self) -> Instant {
        self.terminal.now()
    }
}
