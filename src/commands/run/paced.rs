//! How a simulated drive is shown while it lasts: a bar, or the car on a drawing of its track; and how it is held to the
//! time of this machine.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::super::clock::Clock;
use super::super::say;
use crate::domain::Tick;
use crate::drive::Stopwatch;
use crate::sim::scene::Scene;
use crate::track::Track;
use crate::track::draw::{self, Ink};
use crate::units::Instant;

/// Ticks from one drawing to the next: ten a second.
const SHOWN: u64 = 3;

/// Columns of the drawing.
const COLUMNS: u16 = 76;

/// Holds a drive to this machine's time.
pub(super) struct Pace(Clock);

impl Pace {
    pub(super) fn start() -> Self {
        Self(Clock::start())
    }

    /// Waits until the simulated moment has come.
    pub(super) fn wait_for(&self, now: Instant) {
        std::thread::sleep(Duration::from_nanos(now.since(self.0.now()).0));
    }
}

/// What is shown meanwhile.
pub(super) enum Progress {
    /// A bar of a thousand parts a lap.
    Bar(ProgressBar),
    /// Drawings, and how many lines the last one has.
    View(usize),
}

impl Progress {
    pub(super) fn start(is_watched: bool, laps: usize, track: &Track) -> Self {
        if is_watched && std::io::stderr().is_terminal() {
            return Self::View(0);
        }
        let bar = ProgressBar::new(laps as u64 * 1000);
        match ProgressStyle::with_template("  {msg} {bar:40} {eta}") {
            Ok(style) => bar.set_style(style),
            Err(error) => say(&format!("hairpin: {error}")),
        }
        bar.set_message(track.name().to_owned());
        Self::Bar(bar)
    }

    pub(super) fn show(&mut self, scene: &Scene, tick: &Tick) {
        match self {
            Self::Bar(bar) => bar.set_position(thousandths(scene)),
            Self::View(lines) if tick.inputs.seq.is_multiple_of(SHOWN) => {
                let text = view(scene, tick);
                let up = if *lines > 0 { format!("\x1b[{lines}A\x1b[J") } else { String::new() };
                *lines = text.lines().count();
                // Where the terminal is gone there is nobody to show it to.
                write!(std::io::stderr(), "{up}{text}").unwrap_or_default();
            }
            Self::View(_) => {}
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of 0 to 100 percent")]
fn thousandths(scene: &Scene) -> u64 {
    let running = (scene.standing().progress * 10.0) as u64;
    scene.referee().laps().len() as u64 * 1000 + running.min(999)
}

fn view(scene: &Scene, tick: &Tick) -> String {
    let text = draw::with_car(scene.track(), COLUMNS, Ink::Dots, scene.plant().pose());
    let standing = scene.standing();
    format!(
        "{text}{:6.1} s  lap {}, {:5.1} %  {:4.2} m/s  {:+5.1} degrees  {}   \n",
        tick.inputs.now.since(Instant(0)).as_millis_f64() / 1e3,
        scene.referee().laps().len() + 1,
        standing.progress,
        scene.plant().speed(),
        scene.plant().steering().to_degrees(),
        tick.decision.state.word(),
    )
}
