//! A decision as one line of JSON with exact bits: for other programs, and for `cmp`. No timings.

use serde_json::{Value, json};

use crate::domain::{Command, DriveState, Tick};

/// The line of a tick. Floats are given as their bits in hexadecimal, since decimal text is where bits get lost.
#[must_use]
pub fn line(tick: &Tick) -> String {
    let decision = &tick.decision;
    let scores: Vec<String> = decision.scores.values().iter().map(|score| single(*score)).collect();
    json!({
        "tick": tick.inputs.seq,
        "frame": tick.inputs.frame.map(|frame| frame.seq.0),
        "frame_digest": decision.frame.to_string(),
        "observation": format!("{:016x}", decision.observation),
        "quality": decision.quality.word(),
        "scores": scores,
        "action": decision.action.map(|action| [double(action.steering.get()), double(action.speed.get())]),
        "wish": decision.wish.map(command),
        "command": command(decision.command),
        "state": state(decision.state),
        "notes": decision.notes.to_string(),
        "steering_ns": decision.pulses.steering.ns(),
        "throttle_ns": decision.pulses.throttle.ns(),
    })
    .to_string()
}

fn single(value: f32) -> String {
    format!("{:08x}", value.to_bits())
}

fn double(value: f64) -> String {
    format!("{:016x}", value.to_bits())
}

fn command(command: Command) -> [String; 2] {
    [single(command.steering.get()), single(command.throttle.get())]
}

fn state(state: DriveState) -> Value {
    match state {
        DriveState::Arming { since } | DriveState::Coasting { since } => {
            json!({"is": state.word(), "since_ns": since.0})
        }
        DriveState::Stopped { why } => json!({"is": state.word(), "why": format!("{why:?}")}),
        DriveState::Disarmed | DriveState::Driving => json!({"is": state.word()}),
    }
}
