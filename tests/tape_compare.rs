//! The first difference between two ticks: which field, of which stage, with both values; and what is none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/ticks.rs"]
mod ticks;

use hairpin::domain::{
    Action, Command, Decision, DriveState, FrameDigest, Note, Notes, Pulses, Quality, Scores, StopReason,
    Tick,
};
use hairpin::tape::ScoreRule;
use hairpin::tape::compare;
use hairpin::units::{Degrees, Instant, MetresPerSecond, Pulse, Signed, Span};
use ticks::{stamp, tick};

/// A change of one field.
type Change = Box<dyn FnOnce(&mut Decision)>;
type Plain = fn(&mut Decision);

fn signed(value: f32) -> Signed {
    Signed::clamped(value).unwrap()
}

fn action(steering: f64, speed: f64) -> Action {
    Action { steering: Degrees::new(steering).unwrap(), speed: MetresPerSecond::new(speed).unwrap() }
}

fn command(steering: f32, throttle: f32) -> Command {
    Command { steering: signed(steering), throttle: signed(throttle) }
}

/// A plain tick 12 on frame 345.
fn plain() -> Tick {
    let mut tick = tick(12, Some(stamp(345)));
    tick.decision = Decision {
        frame: FrameDigest(0xAB),
        observation: 0xCD,
        quality: Quality::Usable,
        scores: Scores::new(&[0.25, 0.5, 0.25]).unwrap(),
        action: Some(action(10.0, 1.0)),
        wish: Some(command(0.5, 0.25)),
        command: command(0.5, 0.25),
        state: DriveState::Driving,
        notes: Notes::NONE,
        pulses: Pulses { steering: Pulse::clamped(1_450_000), throttle: Pulse::clamped(1_446_000) },
    };
    tick
}

/// What is said about a plain tick whose recomputed decision is changed.
fn said(rule: ScoreRule, change: impl FnOnce(&mut Decision)) -> Option<String> {
    let recorded = plain();
    let mut computed = plain();
    change(&mut computed.decision);
    compare::ticks(&recorded, &computed, rule).map(|divergence| divergence.to_string())
}

fn exact(change: impl FnOnce(&mut Decision)) -> String {
    said(ScoreRule::Exact, change).expect("a difference")
}

const AT: &str = "tick 12, frame 345: ";

#[test]
fn equal_ticks_have_none() {
    assert_eq!(said(ScoreRule::Exact, |_| {}), None);
    // Measured times differ from run to run.
    let (recorded, mut computed) = (plain(), plain());
    computed.measured.stages[0] = Span(1);
    assert_eq!(compare::ticks(&recorded, &computed, ScoreRule::Exact), None);
}

#[test]
fn every_field_is_named_with_its_stage() {
    let cases: [(Change, &str); 15] = [
        (
            Box::new(|d| d.frame = FrameDigest(1)),
            "decode: frame digest was recorded as 00000000000000ab, is now 0000000000000001",
        ),
        (Box::new(|d| d.quality = Quality::Dark), "prepare: quality was recorded as usable, is now dark"),
        (
            Box::new(|d| d.observation = 2),
            "prepare: observation digest was recorded as 00000000000000cd, is now 0000000000000002",
        ),
        (
            Box::new(|d| d.scores = Scores::new(&[0.25, 0.5]).unwrap()),
            "infer: scores was recorded as 3 values, is now 2 values",
        ),
        (
            Box::new(|d| d.scores = Scores::new(&[0.25, 0.500_000_06, 0.25]).unwrap()),
            "infer: scores[1] was recorded as 0.5, is now 0.50000006",
        ),
        (Box::new(|d| d.action = None), "decide: action was recorded as there, is now none"),
        (
            Box::new(|d| d.action = Some(action(10.000_000_000_000_002, 1.0))),
            "decide: action.steering was recorded as 10.0, is now 10.000000000000002",
        ),
        (
            Box::new(|d| d.action = Some(action(10.0, 2.0))),
            "decide: action.speed was recorded as 1.0, is now 2.0",
        ),
        (
            Box::new(|d| d.wish = Some(command(0.5, 0.0))),
            "decide: wish.throttle was recorded as 0.25, is now 0.0",
        ),
        (Box::new(|d| d.wish = None), "decide: wish was recorded as there, is now none"),
        (
            Box::new(|d| d.command = command(-0.5, 0.25)),
            "decide: command.steering was recorded as 0.5, is now -0.5",
        ),
        (
            Box::new(|d| d.state = DriveState::Stopped { why: StopReason::FrameLost }),
            "decide: state was recorded as driving, is now stopped (FrameLost)",
        ),
        (
            Box::new(|d| d.state = DriveState::Coasting { since: Instant(7) }),
            "decide: state was recorded as driving, is now coasting since 7 ns",
        ),
        (
            Box::new(|d| d.notes.add(Note::PictureDark)),
            "decide: notes was recorded as [] (0x0), is now [PictureDark] (0x10)",
        ),
        (
            Box::new(|d| d.pulses.throttle = Pulse::clamped(1_446_001)),
            "decide: pulses.throttle was recorded as 1446000 ns, is now 1446001 ns",
        ),
    ];
    for (change, wanted) in cases {
        assert_eq!(exact(change), format!("{AT}{wanted}"));
    }
    let steering = exact(|d| d.pulses.steering = Pulse::clamped(1_450_500));
    assert_eq!(
        steering,
        format!("{AT}decide: pulses.steering was recorded as 1450000 ns, is now 1450500 ns")
    );
}

/// Whatever else differs too, the first in the order of the stages is named.
#[test]
fn the_cause_is_named_and_not_its_effects() {
    let all: [(&str, Plain); 10] = [
        ("frame digest", |d| d.frame = FrameDigest(1)),
        ("quality", |d| d.quality = Quality::Dark),
        ("observation digest", |d| d.observation = 2),
        ("scores[0]", |d| d.scores = Scores::new(&[0.0, 0.5, 0.5]).unwrap()),
        ("action.steering", |d| d.action = Some(action(0.0, 9.0))),
        ("wish.steering", |d| d.wish = Some(command(0.0, 0.0))),
        ("command.steering", |d| d.command = command(0.0, 0.0)),
        ("state", |d| d.state = DriveState::Disarmed),
        ("notes", |d| d.notes.add(Note::Latched)),
        ("pulses.steering", |d| d.pulses.steering = Pulse::clamped(1_600_000)),
    ];
    for first in 0..all.len() {
        let recorded = plain();
        let mut computed = plain();
        all[first..].iter().for_each(|(_, change)| change(&mut computed.decision));
        let found = compare::ticks(&recorded, &computed, ScoreRule::Exact).unwrap();
        assert_eq!(found.field, all[first].0);
        assert_eq!((found.tick, found.frame), (12, Some(stamp(345).seq)));
    }
}

#[test]
fn signed_zeros_differ_and_nans_with_equal_bits_do_not() {
    let compared = |was: f32, is: f32, rule| {
        let (mut recorded, mut computed) = (plain(), plain());
        recorded.decision.scores = Scores::new(&[was]).unwrap();
        computed.decision.scores = Scores::new(&[is]).unwrap();
        compare::ticks(&recorded, &computed, rule).map(|found| (found.recorded, found.computed))
    };
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    let (quiet, payload) = (f32::from_bits(0x7FC0_0000), f32::from_bits(0x7FC0_0001));
    assert_eq!(compared(0.0, -0.0, ScoreRule::Exact), pair("0.0", "-0.0"));
    assert_eq!(compared(payload, payload, ScoreRule::Exact), None);
    // The text alone would not show the difference.
    assert_eq!(
        compared(quiet, payload, ScoreRule::Exact),
        pair("NaN (bits 0x7fc00000)", "NaN (bits 0x7fc00001)")
    );
    assert_eq!(compared(0.5, f32::NAN, ScoreRule::Within(1.0)), pair("0.5", "NaN"));
    assert_eq!(compared(payload, payload, ScoreRule::Within(0.0)), None);
    assert_eq!(compared(f32::INFINITY, f32::INFINITY, ScoreRule::Within(0.0)), None);
    assert_eq!(compared(0.0, -0.0, ScoreRule::Within(0.0)), None);
    let (mut negative, mut computed) = (plain(), plain());
    negative.decision.action = Some(action(-0.0, 1.0));
    computed.decision.action = Some(action(0.0, 1.0));
    let found = compare::ticks(&negative, &computed, ScoreRule::Exact).unwrap();
    assert_eq!((found.recorded.as_str(), found.computed.as_str()), ("-0.0", "0.0"));
}

#[test]
fn a_tolerance_is_for_scores_alone() {
    let within = ScoreRule::Within(1e-3);
    let near = Scores::new(&[0.2504, 0.4996, 0.25]).unwrap();
    assert_eq!(said(within, |d| d.scores = near), None);
    let far = said(within, |d| d.scores = Scores::new(&[0.25, 0.502, 0.25]).unwrap());
    assert_eq!(far.unwrap(), format!("{AT}infer: scores[1] was recorded as 0.5, is now 0.502"));
    let other = said(within, |d| {
        d.scores = near;
        d.pulses.steering = Pulse::clamped(1_450_001);
    });
    assert_eq!(
        other.unwrap(),
        format!("{AT}decide: pulses.steering was recorded as 1450000 ns, is now 1450001 ns")
    );
}

/// A continuous policy's action follows from the scores themselves: within 1e-3 of score, 0.09 degrees, 0.01 of lock
/// and 5000 ns are let pass, and no more.
#[test]
fn a_tolerance_of_a_continuous_policy_reaches_its_pulses() {
    let within = ScoreRule::WithinContinuous(1e-3);
    let near = |d: &mut Decision| {
        d.action = d
            .action
            .map(|action| Action { steering: Degrees::new(action.steering.get() + 0.08).unwrap(), ..action });
        d.pulses.steering = Pulse::clamped(i64::from(d.pulses.steering.ns()) + 4999);
    };
    assert_eq!(said(within, near), None);
    assert!(said(ScoreRule::Within(1e-3), near).unwrap().contains("action.steering"));
    let far = said(within, |d| d.pulses.steering = Pulse::clamped(i64::from(d.pulses.steering.ns()) + 5002));
    assert!(far.unwrap().contains("pulses.steering"));
}

#[test]
fn inputs_are_compared_first() {
    let (recorded, mut computed) = (plain(), plain());
    computed.inputs.operator.speed_percent = recorded.inputs.operator.speed_percent + 1;
    computed.decision.frame = FrameDigest(0);
    let found = compare::ticks(&recorded, &computed, ScoreRule::Exact).unwrap();
    assert_eq!((found.stage, found.field.as_str()), ("inputs", "operator"));
    assert!(found.recorded != found.computed);
    computed = plain();
    computed.inputs.frame = None;
    let found = compare::inputs(&recorded.inputs, &computed.inputs).unwrap();
    assert_eq!((found.field.as_str(), found.computed.as_str()), ("frame", "None"));
}
