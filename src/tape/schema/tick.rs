//! A tick's messages. What they hold is held to its own bounds again when it is read: a tape is a file, and
//! files are edited.

use super::table::{
    ACTION, APPLIED, ASK, CAMERA, COMMAND, DECISION, HEALTH, INPUTS, MEASURED, OPERATOR, PHASE, PREVIOUS,
    PULSES, QUALITY, STAMP, STATE, WHY,
};
use super::wire::{Fault, Fields, Pen};
use crate::domain::{
    Action, Applied, Ask, CameraHealth, Command, Decision, DriveState, FrameDigest, FrameSeq, FrameStamp,
    Health, Inputs, Measured, Notes, OperatorInput, Previous, Pulses, Quality, Scores, Stage, StopReason,
};
use crate::tape::schema::layout::Field;
use crate::units::{Degrees, Instant, MetresPerSecond, Pulse, Signed, Span};

/// In the order of their codes.
const ASKS: [Ask; 4] = [Ask::Nothing, Ask::Arm, Ask::Disarm, Ask::Stop];
/// In the order of their codes.
const APPLIEDS: [Applied; 4] = [Applied::Nothing, Applied::Written, Applied::Failed, Applied::Withheld];
/// In the order of their codes.
const CAMERAS: [CameraHealth; 2] = [CameraHealth::Streaming, CameraHealth::Lost];
/// The codes of `DriveState`'s variants.
const PHASES: [Phase; 5] = [Phase::Disarmed, Phase::Arming, Phase::Driving, Phase::Coasting, Phase::Stopped];

#[derive(Clone, Copy)]
enum Phase {
    Disarmed,
    Arming,
    Driving,
    Coasting,
    Stopped,
}

/// Writes what a tick knew.
pub(crate) fn write_inputs(out: &mut Vec<u8>, inputs: &Inputs) {
    let mut pen = Pen::new(out);
    pen.u64(const { INPUTS.at("seq") }, inputs.seq);
    pen.u64(const { INPUTS.at("now_ns") }, inputs.now.0);
    if let Some(stamp) = inputs.frame {
        pen.part(const { INPUTS.at("frame") }, |pen| {
            pen.u64(const { STAMP.at("seq") }, stamp.seq.0);
            pen.u64(const { STAMP.at("captured_at_ns") }, stamp.captured_at.0);
        });
    }
    pen.part(const { INPUTS.at("operator") }, |pen| {
        pen.u64(const { OPERATOR.at("seq") }, inputs.operator.seq);
        pen.number(const { OPERATOR.at("ask") }, inputs.operator.ask as u64);
        pen.u32(const { OPERATOR.at("speed_percent") }, u32::from(inputs.operator.speed_percent));
    });
    pen.part(const { INPUTS.at("health") }, |pen| {
        if let Some(level) = inputs.health.battery {
            pen.u32(const { HEALTH.at("battery") }, u32::from(level));
        }
        // Absent while it streams, as on the tapes that were made before there was a word for it.
        if inputs.health.camera != CameraHealth::Streaming {
            pen.number(const { HEALTH.at("camera") }, inputs.health.camera as u64);
        }
    });
    pen.part(const { INPUTS.at("previous") }, |pen| {
        pen.u64(const { PREVIOUS.at("elapsed_ns") }, inputs.previous.elapsed.0);
        pen.number(const { PREVIOUS.at("applied") }, inputs.previous.applied as u64);
        pen.u32(const { PREVIOUS.at("dropped") }, inputs.previous.dropped);
    });
}

/// Reads what a tick knew.
pub(crate) fn read_inputs(bytes: &[u8]) -> Result<Inputs, Fault> {
    let fields = Fields::read(&INPUTS, bytes)?;
    let frame = fields.maybe_part(const { INPUTS.at("frame") })?;
    let operator = fields.part(const { INPUTS.at("operator") })?;
    let health = fields.part(const { INPUTS.at("health") })?;
    let previous = fields.part(const { INPUTS.at("previous") })?;
    let (battery, camera) = (const { HEALTH.at("battery") }, const { HEALTH.at("camera") });
    Ok(Inputs {
        seq: fields.u64(const { INPUTS.at("seq") })?,
        now: Instant(fields.u64(const { INPUTS.at("now_ns") })?),
        frame: frame.map(|stamp| read_stamp(&stamp)).transpose()?,
        operator: OperatorInput {
            seq: operator.u64(const { OPERATOR.at("seq") })?,
            ask: operator.choice(const { OPERATOR.at("ask") }, &ASK, &ASKS)?,
            speed_percent: byte(&operator, const { OPERATOR.at("speed_percent") })?,
        },
        health: Health {
            battery: health.maybe_u64(battery).map(|_| byte(&health, battery)).transpose()?,
            camera: match health.maybe_u64(camera) {
                Some(_) => health.choice(camera, &CAMERA, &CAMERAS)?,
                None => CameraHealth::Streaming,
            },
        },
        previous: Previous {
            elapsed: Span(previous.u64(const { PREVIOUS.at("elapsed_ns") })?),
            applied: previous.choice(const { PREVIOUS.at("applied") }, &APPLIED, &APPLIEDS)?,
            dropped: previous.u32(const { PREVIOUS.at("dropped") })?,
        },
    })
}

fn read_stamp(fields: &Fields<'_>) -> Result<FrameStamp, Fault> {
    Ok(FrameStamp {
        seq: FrameSeq(fields.u64(const { STAMP.at("seq") })?),
        captured_at: Instant(fields.u64(const { STAMP.at("captured_at_ns") })?),
    })
}

fn byte(fields: &Fields<'_>, field: Field) -> Result<u8, Fault> {
    let value = fields.u64(field)?;
    u8::try_from(value).map_err(|_| fields.value(field, value, "0 to 255"))
}

/// Writes what a tick concluded.
pub(crate) fn write_decision(out: &mut Vec<u8>, decision: &Decision) {
    let mut pen = Pen::new(out);
    pen.u64(const { DECISION.at("frame_digest") }, decision.frame.0);
    pen.u64(const { DECISION.at("observation_digest") }, decision.observation);
    pen.number(const { DECISION.at("quality") }, u64::from(decision.quality.code()));
    pen.floats(const { DECISION.at("scores") }, decision.scores.values());
    if let Some(action) = decision.action {
        pen.part(const { DECISION.at("action") }, |pen| {
            pen.f64(const { ACTION.at("steering_deg") }, action.steering.get());
            pen.f64(const { ACTION.at("speed_mps") }, action.speed.get());
        });
    }
    if let Some(wish) = decision.wish {
        pen.part(const { DECISION.at("wish") }, |pen| write_command(pen, wish));
    }
    pen.part(const { DECISION.at("command") }, |pen| write_command(pen, decision.command));
    pen.part(const { DECISION.at("state") }, |pen| write_state(pen, decision.state));
    pen.u32(const { DECISION.at("notes") }, decision.notes.bits());
    pen.part(const { DECISION.at("pulses") }, |pen| {
        pen.u32(const { PULSES.at("steering_ns") }, decision.pulses.steering.ns());
        pen.u32(const { PULSES.at("throttle_ns") }, decision.pulses.throttle.ns());
    });
}

fn write_command(pen: &mut Pen<'_>, command: Command) {
    pen.f32(const { COMMAND.at("steering") }, command.steering.get());
    pen.f32(const { COMMAND.at("throttle") }, command.throttle.get());
}

fn write_state(pen: &mut Pen<'_>, state: DriveState) {
    let (phase, since, why) = match state {
        DriveState::Disarmed => (Phase::Disarmed, None, None),
        DriveState::Arming { since } => (Phase::Arming, Some(since), None),
        DriveState::Driving => (Phase::Driving, None, None),
        DriveState::Coasting { since } => (Phase::Coasting, Some(since), None),
        DriveState::Stopped { why } => (Phase::Stopped, None, Some(why)),
    };
    pen.number(const { STATE.at("phase") }, phase as u64);
    if let Some(since) = since {
        pen.u64(const { STATE.at("since_ns") }, since.0);
    }
    if let Some(why) = why {
        pen.number(const { STATE.at("why") }, why as u64);
    }
}

/// Reads what a tick concluded.
pub(crate) fn read_decision(bytes: &[u8]) -> Result<Decision, Fault> {
    let fields = Fields::read(&DECISION, bytes)?;
    let action = fields.maybe_part(const { DECISION.at("action") })?;
    let wish = fields.maybe_part(const { DECISION.at("wish") })?;
    let pulses = fields.part(const { DECISION.at("pulses") })?;
    Ok(Decision {
        frame: FrameDigest(fields.u64(const { DECISION.at("frame_digest") })?),
        observation: fields.u64(const { DECISION.at("observation_digest") })?,
        quality: fields.choice(const { DECISION.at("quality") }, &QUALITY, &Quality::ALL)?,
        scores: read_scores(&fields)?,
        action: action.map(|action| read_action(&action)).transpose()?,
        wish: wish.map(|wish| read_command(&wish)).transpose()?,
        command: read_command(&fields.part(const { DECISION.at("command") })?)?,
        state: read_state(&fields.part(const { DECISION.at("state") })?)?,
        notes: Notes::from_bits(fields.u32(const { DECISION.at("notes") })?),
        pulses: Pulses {
            steering: pulse(&pulses, const { PULSES.at("steering_ns") })?,
            throttle: pulse(&pulses, const { PULSES.at("throttle_ns") })?,
        },
    })
}

fn read_scores(fields: &Fields<'_>) -> Result<Scores, Fault> {
    let field = const { DECISION.at("scores") };
    let mut values = [0.0; crate::domain::scores::CAPACITY];
    let (mut places, mut count) = (values.iter_mut(), 0);
    fields.floats(field, |value| {
        count += 1;
        if let Some(place) = places.next() {
            *place = value;
        }
    })?;
    values
        .get(..count)
        .and_then(Scores::new)
        .ok_or_else(|| fields.value(field, format!("{count} values"), format!("at most {}", values.len())))
}

fn read_action(fields: &Fields<'_>) -> Result<Action, Fault> {
    let (steering, speed) = (const { ACTION.at("steering_deg") }, const { ACTION.at("speed_mps") });
    let (degrees, metres) = (fields.f64(steering)?, fields.f64(speed)?);
    Ok(Action {
        steering: Degrees::new(degrees).ok_or_else(|| fields.value(steering, degrees, "a finite number"))?,
        speed: MetresPerSecond::new(metres).ok_or_else(|| fields.value(speed, metres, "a finite number"))?,
    })
}

fn read_command(fields: &Fields<'_>) -> Result<Command, Fault> {
    Ok(Command {
        steering: signed(fields, const { COMMAND.at("steering") })?,
        throttle: signed(fields, const { COMMAND.at("throttle") })?,
    })
}

fn signed(fields: &Fields<'_>, field: Field) -> Result<Signed, Fault> {
    let value = fields.f32(field)?;
    let signed = Signed::clamped(value).filter(|signed| signed.get().to_bits() == value.to_bits());
    signed.ok_or_else(|| fields.value(field, value, "-1 to 1"))
}

fn read_state(fields: &Fields<'_>) -> Result<DriveState, Fault> {
    let since = || fields.u64(const { STATE.at("since_ns") }).map(Instant);
    Ok(match fields.choice(const { STATE.at("phase") }, &PHASE, &PHASES)? {
        Phase::Disarmed => DriveState::Disarmed,
        Phase::Arming => DriveState::Arming { since: since()? },
        Phase::Driving => DriveState::Driving,
        Phase::Coasting => DriveState::Coasting { since: since()? },
        Phase::Stopped => {
            DriveState::Stopped { why: fields.choice(const { STATE.at("why") }, &WHY, &StopReason::ALL)? }
        }
    })
}

fn pulse(fields: &Fields<'_>, field: Field) -> Result<Pulse, Fault> {
    let ns = fields.u32(field)?;
    let pulse = Pulse::clamped(i64::from(ns));
    if pulse.ns() == ns { Ok(pulse) } else { Err(fields.value(field, ns, "1000000 to 2000000")) }
}

/// Writes what a tick took.
pub(crate) fn write_measured(out: &mut Vec<u8>, measured: &Measured) {
    let mut pen = Pen::new(out);
    for (stage, field) in Stage::ALL.into_iter().zip(MEASURED.fields) {
        pen.u64(*field, measured.of(stage).0);
    }
}

/// Reads what a tick took.
pub(crate) fn read_measured(bytes: &[u8]) -> Result<Measured, Fault> {
    let fields = Fields::read(&MEASURED, bytes)?;
    let mut measured = Measured::default();
    for (stage, field) in Stage::ALL.into_iter().zip(MEASURED.fields) {
        measured.set(stage, Span(fields.u64(*field)?));
    }
    Ok(measured)
}
