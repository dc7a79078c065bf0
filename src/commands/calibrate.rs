//! `hairpin calibrate`: centre, ends and sign of both channels by hand, wheels up, in a terminal. Refuses to open the
//! gate before neutral was written and the wheels are said to be up; leaves neutral and a shut gate on every way out;
//! writes nothing without a yes.

pub(super) mod board;
mod keyboard;
mod pins;
mod screen;
mod show;
mod terminal;

pub use pins::Bench;
pub use show::{Ended, Shown, Undone};
pub use terminal::{Heard, Terminal, Tty};

use std::path::PathBuf;

use anyhow::{Context as _, bail};

use self::keyboard::Keyboard;
use self::pins::Pins;
use crate::units::Span;
use crate::vehicle::Calibration;
use crate::vehicle::calibrating::{End, GIVE_UP, Key, Session, View};

/// The loop looks up this often at least, for signals.
const ROUND: Span = Span::from_millis(50);

/// Guides through a calibration. `bench` is at hand with its gate shut; `wait` sleeps; `save` puts the new calibration
/// in use and says where the old file is kept, if there was one.
///
/// # Errors
/// An `old` calibration that may move no car, pins that do not follow, a terminal that is gone, a signal, a file that
/// cannot be written. The pins are neutral and the gate is shut in each case, as far as they follow.
pub fn guided(
    tty: &mut impl Tty,
    bench: &mut dyn Bench,
    wait: &dyn Fn(Span),
    old: Calibration,
    save: impl FnOnce(&Calibration) -> anyhow::Result<Option<PathBuf>>,
) -> anyhow::Result<Ended> {
    let end = {
        let mut session = Session::new(old, tty.now()).context("cannot start from the calibration in use")?;
        let mut pins = Pins::new(bench, wait, session.pulses())?;
        let end = follow(tty, &mut pins, &mut session)?;
        pins.leave(session.pulses())?;
        end
    };
    match end {
        End::Quit => Ok(Ended::Quit),
        End::Idle => Ok(Ended::Idle),
        End::Finished(new) if new == old => Ok(Ended::Unchanged),
        End::Finished(new) if !agreed(tty, &old, &new)? => Ok(Ended::Declined),
        End::Finished(new) => Ok(Ended::Written { new, kept: save(&new)? }),
    }
}

/// Puts a kept calibration back. `restore` does it, and says what is in use now and where the one before is kept.
///
/// # Errors
/// Those of `restore`.
pub fn undo(
    before: Calibration,
    restore: impl FnOnce() -> anyhow::Result<(Calibration, Option<PathBuf>)>,
) -> anyhow::Result<Undone> {
    let (now, kept) = restore()?;
    Ok(Undone { before, now, kept })
}

/// Keys to the session and its pulses to the pins, one by one, until it ends.
fn follow(tty: &mut impl Tty, pins: &mut Pins<'_>, session: &mut Session) -> anyhow::Result<End> {
    let mut ears = Ears::default();
    let mut drawn: Option<View> = None;
    loop {
        let now = tty.now();
        session.pass(now);
        let view = session.view();
        pins.follow(view.pulses, session.powered())?;
        if let Some(end) = view.end() {
            return Ok(end);
        }
        if drawn.as_ref() != Some(&view) && tty.show(&screen::over(&screen::lines(&view)))? {
            drawn = Some(view);
        }
        let due = session.wake().map_or(ROUND, |at| at.since(now));
        for &key in ears.listen(tty, due.min(ROUND))? {
            session.press(key, tty.now());
            pins.follow(session.pulses(), session.powered())?;
        }
    }
}

/// Old beside new, and the question. Only `y` is a yes.
fn agreed(tty: &mut impl Tty, old: &Calibration, new: &Calibration) -> anyhow::Result<bool> {
    let mut lines = vec!["hairpin calibrate: the gate is shut; points in ns".to_owned(), String::new()];
    lines.extend(show::beside(old, new).lines().map(str::to_owned));
    lines.push(String::new());
    let question = format!("{}write? [y/N] ", screen::over(&lines));
    let (mut ears, mut asked) = (Ears::default(), false);
    let began = tty.now();
    while tty.now().since(began) < GIVE_UP {
        asked = asked || tty.show(&question)?;
        // A key from before the question answers nothing.
        if let Some(key) = ears.listen(tty, ROUND)?.first().filter(|_| asked) {
            let yes = matches!(key, Key::Char('y' | 'Y'));
            tty.show(if yes { "y\r\n" } else { "n\r\n" })?;
            return Ok(yes);
        }
    }
    Ok(false)
}

/// Bytes of the terminal to keys, with what they are read into.
struct Ears {
    keyboard: Keyboard,
    buffer: [u8; 64],
    keys: Vec<Key>,
}

impl Default for Ears {
    fn default() -> Self {
        Self { keyboard: Keyboard::default(), buffer: [0; 64], keys: Vec::new() }
    }
}

impl Ears {
    /// The keys that come within `at_most`.
    fn listen(&mut self, tty: &mut impl Tty, at_most: Span) -> anyhow::Result<&[Key]> {
        self.keys.clear();
        let heard = tty.read(&mut self.buffer, at_most).context("cannot read the terminal")?;
        let now = tty.now();
        match heard {
            Heard::Nothing => self.keys.extend(self.keyboard.lapse(now)),
            Heard::Bytes(count) => {
                let Self { keyboard, buffer, keys } = self;
                keys.extend(buffer.iter().take(count).filter_map(|byte| keyboard.take(*byte, now)));
            }
            Heard::Closed => bail!("the terminal is gone: nothing was written"),
            Heard::Signal(name) => bail!("stopped by {name}: nothing was written"),
        }
        Ok(&self.keys)
    }
}
