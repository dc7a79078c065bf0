//! The first difference between a recorded tick and a recomputed one, in the order in which a tick is made: the
//! first is the cause. Numbers are compared as bits: -0.0 is not 0.0, and a NaN equals itself.

use std::fmt::{self, Debug, Display};

use crate::domain::{Action, Command, Decision, FrameSeq, Inputs, Stage, Tick};
use crate::units::Pulse;

/// When scores count as the same.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum ScoreRule {
    /// The same bits: the same kernels made them.
    #[default]
    Exact,
    /// At most this far apart, for other kernels; everything else stays exact.
    Within(f32),
    /// The same for a continuous policy, whose action follows from the scores themselves: action, wish, command and
    /// pulses may differ in proportion.
    WithinContinuous(f32),
}

impl ScoreRule {
    /// What a score may differ by.
    const fn tolerance(self) -> f32 {
        match self {
            Self::Exact => 0.0,
            Self::Within(x) | Self::WithinContinuous(x) => x,
        }
    }

    /// What follows from a score that differs by the tolerance, at `gain` a unit of score; 0 is exact.
    fn reach(self, gain: f64) -> f64 {
        match self {
            Self::WithinContinuous(x) => f64::from(x) * gain,
            Self::Exact | Self::Within(_) => 0.0,
        }
    }
}

/// The most that an angle of up to 90 degrees or a speed of up to 30 m/s changes for a score's whole unit.
const ACTION_GAIN: f64 = 90.0;
/// The same for a share of lock or throttle: the parabola's slope of 2.2 over a range that may be lopsided.
const SHARE_GAIN: f64 = 10.0;
/// The same for a pulse, in nanoseconds: the share over half a millisecond.
const PULSE_GAIN: f64 = SHARE_GAIN * 500_000.0;

/// The first difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The tick.
    pub tick: u64,
    /// Its frame, if it had one.
    pub frame: Option<FrameSeq>,
    /// `inputs`, or the stage that made the field.
    pub stage: &'static str,
    /// The field, as `scores[3]`.
    pub field: String,
    /// On the tape.
    pub recorded: String,
    /// Now.
    pub computed: String,
}

impl Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tick {}", self.tick)?;
        if let Some(frame) = self.frame {
            write!(f, ", frame {}", frame.0)?;
        }
        let Self { stage, field, recorded, computed, .. } = self;
        write!(f, ": {stage}: {field} was recorded as {recorded}, is now {computed}")
    }
}

/// A difference before it is known where.
struct Difference {
    stage: &'static str,
    field: String,
    recorded: String,
    computed: String,
}

type Found = Option<Difference>;

/// The first difference between two ticks: inputs, then decision. Measured times are never compared.
#[must_use]
pub fn ticks(recorded: &Tick, computed: &Tick, rule: ScoreRule) -> Option<Divergence> {
    inputs(&recorded.inputs, &computed.inputs)
        .or_else(|| decisions(&recorded.inputs, &recorded.decision, &computed.decision, rule))
}

/// The first difference between two inputs.
#[must_use]
pub fn inputs(recorded: &Inputs, computed: &Inputs) -> Option<Divergence> {
    let field = |name, recorded: &dyn Debug, computed: &dyn Debug| {
        let (recorded, computed) = (format!("{recorded:?}"), format!("{computed:?}"));
        let field = String::from(name);
        (recorded != computed).then_some(Difference { stage: "inputs", field, recorded, computed })
    };
    if recorded == computed {
        return None;
    }
    field("seq", &recorded.seq, &computed.seq)
        .or_else(|| field("now", &recorded.now, &computed.now))
        .or_else(|| field("frame", &recorded.frame, &computed.frame))
        .or_else(|| field("operator", &recorded.operator, &computed.operator))
        .or_else(|| field("health", &recorded.health, &computed.health))
        .or_else(|| field("previous", &recorded.previous, &computed.previous))
        .map(|difference| place(recorded, difference))
}

/// The first difference between two decisions on the same inputs.
#[must_use]
pub fn decisions(
    inputs: &Inputs,
    recorded: &Decision,
    computed: &Decision,
    rule: ScoreRule,
) -> Option<Divergence> {
    let [decode, prepare, _, decide, _] = Stage::ALL.map(Stage::word);
    let (was, is) = (recorded, computed);
    let digest = |digest: u64| format!("{digest:016x}");
    same(decode, "frame digest", was.frame, is.frame, |frame| frame.to_string())
        .or_else(|| same(prepare, "quality", was.quality, is.quality, |quality| quality.word().to_owned()))
        .or_else(|| same(prepare, "observation digest", was.observation, is.observation, digest))
        .or_else(|| scores(was.scores.values(), is.scores.values(), rule))
        .or_else(|| actions(was.action, is.action, rule))
        .or_else(|| wishes(was.wish, is.wish, rule))
        .or_else(|| commands("command", was.command, is.command, rule))
        .or_else(|| same(decide, "state", was.state, is.state, |state| state.to_string()))
        .or_else(|| {
            same(decide, "notes", was.notes, is.notes, |notes| format!("[{notes}] ({:#x})", notes.bits()))
        })
        .or_else(|| {
            let (was, is) = (was.pulses.steering, is.pulses.steering);
            pulse("pulses.steering", was, is, rule)
        })
        .or_else(|| {
            let (was, is) = (was.pulses.throttle, is.pulses.throttle);
            pulse("pulses.throttle", was, is, rule)
        })
        .map(|difference| place(inputs, difference))
}

fn place(inputs: &Inputs, difference: Difference) -> Divergence {
    let Difference { stage, field, recorded, computed } = difference;
    let frame = inputs.frame.map(|stamp| stamp.seq);
    Divergence { tick: inputs.seq, frame, stage, field, recorded, computed }
}

fn same<T: PartialEq + Copy>(
    stage: &'static str,
    field: &str,
    recorded: T,
    computed: T,
    show: impl Fn(T) -> String,
) -> Found {
    (recorded != computed).then(|| Difference {
        stage,
        field: field.to_owned(),
        recorded: show(recorded),
        computed: show(computed),
    })
}

fn scores(recorded: &[f32], computed: &[f32], rule: ScoreRule) -> Found {
    let infer = Stage::Infer.word();
    same(infer, "scores", recorded.len(), computed.len(), |len| format!("{len} values")).or_else(|| {
        recorded.iter().zip(computed).enumerate().find_map(|(at, (was, is))| {
            let near = rule != ScoreRule::Exact && (was - is).abs() <= rule.tolerance();
            if near { None } else { single(infer, &format!("scores[{at}]"), *was, *is, 0.0) }
        })
    })
}

fn actions(recorded: Option<Action>, computed: Option<Action>, rule: ScoreRule) -> Found {
    let reach = rule.reach(ACTION_GAIN);
    let decide = Stage::Decide.word();
    match (recorded, computed) {
        (Some(was), Some(is)) => {
            double(decide, "action.steering", was.steering.get(), is.steering.get(), reach)
                .or_else(|| double(decide, "action.speed", was.speed.get(), is.speed.get(), reach))
        }
        (was, is) => same(decide, "action", was.is_some(), is.is_some(), some),
    }
}

fn wishes(recorded: Option<Command>, computed: Option<Command>, rule: ScoreRule) -> Found {
    match (recorded, computed) {
        (Some(was), Some(is)) => commands("wish", was, is, rule),
        (was, is) => same(Stage::Decide.word(), "wish", was.is_some(), is.is_some(), some),
    }
}

fn commands(name: &str, recorded: Command, computed: Command, rule: ScoreRule) -> Found {
    let reach = rule.reach(SHARE_GAIN);
    let decide = Stage::Decide.word();
    let (steering, throttle) = (format!("{name}.steering"), format!("{name}.throttle"));
    single(decide, &steering, recorded.steering.get(), computed.steering.get(), reach)
        .or_else(|| single(decide, &throttle, recorded.throttle.get(), computed.throttle.get(), reach))
}

fn single(stage: &'static str, field: &str, recorded: f32, computed: f32, reach: f64) -> Found {
    if near(recorded.into(), computed.into(), reach) {
        return None;
    }
    let show = |bits: u32| (format!("{:?}", f32::from_bits(bits)), format!("{bits:#010x}"));
    same(stage, field, recorded.to_bits(), computed.to_bits(), |_| String::new())
        .map(|difference| shown(difference, show(recorded.to_bits()), show(computed.to_bits())))
}

/// Whether a difference is within what a rule lets follow from the scores; never so for exact rules.
fn near(recorded: f64, computed: f64, reach: f64) -> bool {
    reach > 0.0 && (recorded - computed).abs() <= reach
}

fn double(stage: &'static str, field: &str, recorded: f64, computed: f64, reach: f64) -> Found {
    if near(recorded, computed, reach) {
        return None;
    }
    let show = |bits: u64| (format!("{:?}", f64::from_bits(bits)), format!("{bits:#018x}"));
    same(stage, field, recorded.to_bits(), computed.to_bits(), |_| String::new())
        .map(|difference| shown(difference, show(recorded.to_bits()), show(computed.to_bits())))
}

/// Values as decimal text; with their bits where the text is the same.
fn shown(mut difference: Difference, recorded: (String, String), computed: (String, String)) -> Difference {
    let alike = recorded.0 == computed.0;
    let text = |(text, bits): (String, String)| if alike { format!("{text} (bits {bits})") } else { text };
    (difference.recorded, difference.computed) = (text(recorded), text(computed));
    difference
}

fn pulse(field: &str, recorded: Pulse, computed: Pulse, rule: ScoreRule) -> Found {
    if near(recorded.ns().into(), computed.ns().into(), rule.reach(PULSE_GAIN).ceil()) {
        return None;
    }
    same(Stage::Decide.word(), field, recorded, computed, |pulse| pulse.to_string())
}

fn some(there: bool) -> String {
    if there { "there" } else { "none" }.to_owned()
}
