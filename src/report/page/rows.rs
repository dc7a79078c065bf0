//! One tick as one JSON array: positions instead of names, because a tape has thousands. The other end is
//! `rows.js`; a change here is a change there.

use std::fmt::{self, Display, Formatter};

use super::PageFrame;
use super::escape::{Maybe, Num, Text};
use crate::domain::command::Command;
use crate::domain::inputs::{Applied, Ask, Inputs};
use crate::domain::verdict::DriveState;

/// The array, with nothing in it that ends a line or an element:
/// tick, seconds, frame's number, its age in ms, both digests, quality, scores, action (degrees, m/s), wish,
/// command, pulses (ns), state, its detail, bits of the notes, stage times (ns), human, operator, previous.
pub(super) struct Row<'a>(pub(super) &'a PageFrame<'a>);

impl Display for Row<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (inputs, decision) = (&self.0.tick.inputs, &self.0.tick.decision);
        write!(f, "[{},{},", inputs.seq, Num(self.0.seconds))?;
        let age = inputs.frame.map(|stamp| Num(inputs.now.since(stamp.captured_at).as_millis_f64()));
        // A source may number its frames by nanoseconds, beyond what a script's number holds: hence the quotes.
        match inputs.frame {
            Some(stamp) => write!(f, "\"{}\",", stamp.seq.0)?,
            None => f.write_str("null,")?,
        }
        write!(f, "{},", Maybe(age))?;
        write!(f, "\"{}\",\"{:016x}\",", decision.frame, decision.observation)?;
        write!(f, "{},", Text(decision.quality.word()))?;
        commas(f, decision.scores.values().iter().map(|score| Num(*score)))?;
        let action = decision.action.map(|action| Pair(action.steering.get(), action.speed.get()));
        write!(f, ",{},{},{},", Maybe(action), Maybe(decision.wish.map(shares)), shares(decision.command))?;
        let pulses = decision.pulses;
        write!(f, "[{},{}],", pulses.steering.ns(), pulses.throttle.ns())?;
        write!(f, "{},", Text(decision.state.word()))?;
        detail(f, decision.state, inputs)?;
        write!(f, ",{},", decision.notes.bits())?;
        commas(f, self.0.tick.measured.stages.iter().map(|span| span.0))?;
        write!(f, ",{},", Maybe(self.0.human.map(|(steering, throttle)| Pair(steering, throttle))))?;
        context(f, inputs)
    }
}

/// Two numbers as an array.
struct Pair<T>(T, T);

impl<T: Copy> Display for Pair<T>
where
    Num<T>: Display,
{
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "[{},{}]", Num(self.0), Num(self.1))
    }
}

fn shares(command: Command) -> Pair<f32> {
    Pair(command.steering.get(), command.throttle.get())
}

fn commas<T: Display>(f: &mut Formatter<'_>, items: impl Iterator<Item = T>) -> fmt::Result {
    f.write_str("[")?;
    for (at, item) in items.enumerate() {
        f.write_str(if at == 0 { "" } else { "," })?;
        item.fmt(f)?;
    }
    f.write_str("]")
}

/// How long the state has lasted, in ms, or why it was entered.
fn detail(f: &mut Formatter<'_>, state: DriveState, inputs: &Inputs) -> fmt::Result {
    match state {
        DriveState::Arming { since } | DriveState::Coasting { since } => {
            write!(f, "{}", Num(inputs.now.since(since).as_millis_f64()))
        }
        DriveState::Stopped { why } => write!(f, "\"{why:?}\""),
        DriveState::Disarmed | DriveState::Driving => f.write_str("null"),
    }
}

/// The operator (ask, throttle scale, battery) and the tick before (ns, what became of it, drops).
fn context(f: &mut Formatter<'_>, inputs: &Inputs) -> fmt::Result {
    let ask = match inputs.operator.ask {
        Ask::Nothing => "nothing",
        Ask::Arm => "arm",
        Ask::Disarm => "disarm",
        Ask::Stop => "stop",
    };
    let applied = match inputs.previous.applied {
        Applied::Nothing => "nothing",
        Applied::Written => "written",
        Applied::Failed => "failed",
        Applied::Withheld => "withheld",
    };
    let (elapsed, dropped) = (inputs.previous.elapsed.0, inputs.previous.dropped);
    write!(f, "[\"{ask}\",{},{}],", inputs.operator.speed_percent, Maybe(inputs.health.battery))?;
    write!(f, "[{elapsed},\"{applied}\",{dropped}]]")
}
