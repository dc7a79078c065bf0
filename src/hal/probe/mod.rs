//! Facts for `hairpin doctor`, each with what is wanted and what to do. Looks only: nothing is written, exported or
//! opened for writing. Two exceptions, both harmless to whoever drives: the pins' lock is taken shared and given back
//! at once, and on a real car the battery gauge is asked for its level, as the stock car does.
//! Everything is read under [`Settings::root`], `/proc` included, so that a tree of files stands for a machine.

mod battery;
mod board;
mod camera;
mod finding;
mod gate;
mod given;
mod lamps;
mod look;
mod pins;
mod running;
mod system;
mod users;

use std::path::Path;

pub use finding::{Finding, Verdict};
pub use given::{CalibrationFact, ModelFact};
pub use system::room;

use self::gate::Gate;
use self::running::Running;
use super::carrier::Carrier;
use super::settings::Settings;

/// What a probe cannot or must not find out by itself.
#[derive(Clone, Debug)]
pub struct Given<'a> {
    /// Which calibration the settings lead to.
    pub calibration: CalibrationFact,
    /// The model that was named, if one was.
    pub model: Option<ModelFact>,
    /// The folder that tapes go to.
    pub tapes: &'a Path,
    /// Bytes that are free there, as [`room`] tells; `None` where it does not.
    pub room: Option<u64>,
    /// The wall clock: seconds since 1970.
    pub unix_seconds: u64,
}

/// Everything that there is to say, in a fixed order. A check that has nothing to look at says nothing: without a
/// board there are no pins to judge.
#[must_use]
pub fn examine(settings: &Settings, given: &Given<'_>) -> Vec<Finding> {
    let running = running::all(settings);
    let (board, found) = board::find(settings);
    let mut findings = vec![found, system::kernel(settings)];
    if let Some(board) = &board {
        carried(settings, given, board, &running, &mut findings);
    }
    findings.push(users::stock(settings, &running));
    findings.push(given::calibration(&given.calibration));
    findings.extend(camera::look(settings, &running));
    findings.extend(board.as_ref().map(|board| battery::look(settings, board)));
    findings.extend(board.as_ref().and_then(|board| lamps::look(settings, board)));
    findings.push(system::realtime(settings));
    findings.push(system::locked_memory(settings));
    findings.push(system::disk(given.tapes, given.room));
    findings.push(system::clock(given.unix_seconds));
    findings.extend(given.model.as_ref().map(given::model));
    findings
}

/// What hangs on the board.
fn carried(
    settings: &Settings,
    given: &Given<'_>,
    board: &Carrier,
    running: &[Running],
    findings: &mut Vec<Finding>,
) {
    let gate = Gate::of(settings, board);
    let state = gate.state(settings);
    findings.push(pins::reachable(settings, board));
    findings.extend(pins::pulses(board, given.calibration.neutral(), state));
    findings.push(gate.finding(settings, state));
    findings.push(users::pins(settings, board, &gate, running));
}
