//! The loop over a scripted world: however it is left, the last thing that the pins are told is neutral; and what one
//! tick took, wrote and lost is what the next one knows.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::cell::Cell;

use hairpin::domain::{
    Action, ActionSpace, Applied, Ask, DriveState, Frame, FrameSeq, FrameStamp, Health, Inputs,
    OperatorInput, Order, Picture, PixelFormat, Previous, Pulses, Recipe, Scores, Sensor, Size, StopReason,
    Tick,
};
use hairpin::drive::{Actuators, Ended, Pilot, Sensed, Senses, Setup, Sink, Stopwatch, World, cycle};
use hairpin::governor::Limits;
use hairpin::policy::choose::Bound;
use hairpin::policy::scripted::Scripted;
use hairpin::tape::Tape;
use hairpin::tape::rig::{Fill, TapeWorld};
use hairpin::units::{Degrees, Instant, MetresPerSecond, Span};
use hairpin::vehicle::Calibration;
use hairpin::vision::JudgeLimits;

const TICK: u64 = 33_000_000;
const SIZE: Size = Size { width: 160, height: 120 };

#[derive(Debug, thiserror::Error)]
#[error("the world broke")]
struct Broken;

/// Frames until `end`, then the end of the world or an error.
struct Script {
    next: u64,
    end: u64,
    breaks: bool,
    pixels: Vec<u8>,
}

impl Senses for Script {
    type Error = Broken;

    fn next(&mut self, previous: Previous) -> Result<Option<Sensed<'_>>, Broken> {
        if self.next == self.end {
            return if self.breaks { Err(Broken) } else { Ok(None) };
        }
        let n = self.next;
        self.next += 1;
        // Two bytes that change: no frame is like the one before.
        self.pixels[0] = u8::try_from(n % 200).unwrap();
        let at = Instant(n * TICK);
        let inputs = Inputs {
            seq: n,
            now: at,
            frame: Some(FrameStamp { seq: FrameSeq(n), captured_at: at }),
            operator: OperatorInput {
                seq: 0,
                ask: if n < 3 { Ask::Arm } else { Ask::Nothing },
                speed_percent: 50,
            },
            health: Health::default(),
            previous,
        };
        let left = Picture { format: PixelFormat::Yuyv(SIZE), bytes: &self.pixels };
        let frame = Frame { seq: FrameSeq(n), captured_at: at, left, right: None, ranges: &[] };
        Ok(Some(Sensed { inputs, frame: Some(frame), recalled: None }))
    }
}

#[derive(Default)]
struct Pins {
    written: Vec<Pulses>,
    fail_at: Option<usize>,
}

impl Actuators for Pins {
    fn apply(&mut self, Order { pulses, .. }: Order) -> Applied {
        self.written.push(pulses);
        if self.fail_at == Some(self.written.len()) { Applied::Failed } else { Applied::Written }
    }
}

struct Theatre {
    script: Script,
    pins: Pins,
}

impl World for Theatre {
    type Senses = Script;
    type Actuators = Pins;

    fn parts(&mut self) -> (&mut Script, &mut Pins) {
        (&mut self.script, &mut self.pins)
    }
}

fn world(end: u64, breaks: bool) -> Theatre {
    let pixels = (0..160 * 120 * 2).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
    Theatre { script: Script { next: 0, end, breaks, pixels }, pins: Pins::default() }
}

/// Every look at it takes two milliseconds.
#[derive(Default)]
struct Ticking(Cell<u64>);

impl Stopwatch for Ticking {
    fn now(&self) -> Instant {
        self.0.set(self.0.get() + 2_000_000);
        Instant(self.0.get())
    }
}

/// Keeps every tick, and refuses some.
#[derive(Default)]
struct Kept {
    ticks: Vec<Tick>,
    refuse: Vec<u64>,
}

impl Sink for Kept {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        assert_eq!(frame.map(|frame| frame.seq), tick.inputs.frame.map(|frame| frame.seq));
        self.ticks.push(*tick);
        !self.refuse.contains(&tick.inputs.seq)
    }
}

fn setup() -> Setup {
    let action = |steering: f64| Action {
        steering: Degrees::new(steering).unwrap(),
        speed: MetresPerSecond::new(1.0).unwrap(),
    };
    Setup {
        recipe: Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() },
        action_space: ActionSpace::Discrete(vec![action(30.0), action(-30.0)]),
        bound: Bound::Clamp,
        limits: Limits { arming: Span(0), ..Limits::default() },
        judge: JudgeLimits::default(),
        calibration: Calibration::factory(),
    }
}

/// Drives; `panic_at` is the observation at which the policy panics.
fn drive(world: &mut Theatre, kept: &mut Kept, panic_at: u64, stop_at: u64) -> Result<Ended, Broken> {
    let (seen, asked) = (Cell::new(0), Cell::new(0));
    let policy = Scripted::new(|_| {
        seen.set(seen.get() + 1);
        assert!(seen.get() != panic_at, "a policy that panics");
        Scores::new(&[0.9, 0.1]).unwrap()
    });
    let mut pilot = Pilot::new(policy, setup());
    cycle(world, &mut pilot, &Ticking::default(), kept, || {
        asked.set(asked.get() + 1);
        asked.get() > stop_at
    })
}

fn neutral() -> Pulses {
    Calibration::factory().neutral()
}

fn drove_and_ended_neutral(pins: &Pins) {
    let moving = pins.written.iter().filter(|pulses| pulses.throttle != neutral().throttle).count();
    assert!(moving > 3, "the loop did not drive: {} writes, {moving} moving", pins.written.len());
    assert_eq!(pins.written.last(), Some(&neutral()));
    assert_ne!(
        pins.written[pins.written.len() - 2],
        neutral(),
        "neutral came from the loop's last tick, not from its guard"
    );
}

#[test]
fn the_end_of_the_world_is_neutral() {
    let mut world = world(10, false);
    assert_eq!(drive(&mut world, &mut Kept::default(), 0, 100).unwrap(), Ended::World);
    assert_eq!(world.pins.written.len(), 11);
    drove_and_ended_neutral(&world.pins);
}

#[test]
fn a_stop_is_neutral() {
    let mut world = world(100, false);
    assert_eq!(drive(&mut world, &mut Kept::default(), 0, 8).unwrap(), Ended::Asked);
    assert_eq!(world.script.next, 8);
    drove_and_ended_neutral(&world.pins);
}

#[test]
fn a_broken_world_is_neutral() {
    let mut world = world(10, true);
    assert!(drive(&mut world, &mut Kept::default(), 0, 100).is_err());
    drove_and_ended_neutral(&world.pins);
}

#[test]
fn a_panicking_policy_is_neutral() {
    let mut world = world(100, false);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        drive(&mut world, &mut Kept::default(), 9, 100)
    }));
    assert!(ended.is_err());
    drove_and_ended_neutral(&world.pins);
}

#[test]
fn a_failed_write_stops_the_car_in_the_next_tick() {
    let mut world = world(12, false);
    world.pins.fail_at = Some(6);
    let mut kept = Kept::default();
    drive(&mut world, &mut kept, 0, 100).unwrap();
    assert_eq!(kept.ticks[6].inputs.previous.applied, Applied::Failed);
    assert_eq!(kept.ticks[6].decision.state, DriveState::Stopped { why: StopReason::ActuatorsFailed });
    assert!(world.pins.written[6..].iter().all(|pulses| *pulses == neutral()));
}

#[test]
fn what_a_tick_took_and_lost_is_known_to_the_next() {
    let mut world = world(10, false);
    let mut kept = Kept { refuse: vec![2, 5], ..Kept::default() };
    drive(&mut world, &mut kept, 0, 100).unwrap();
    let dropped: Vec<u32> = kept.ticks.iter().map(|tick| tick.inputs.previous.dropped).collect();
    assert_eq!(dropped, [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]);
    assert_eq!(kept.ticks[0].inputs.previous, Previous::default());
    for pair in kept.ticks.windows(2) {
        // What the loop measured as a whole is what the next tick was told, to the nanosecond.
        assert_eq!(pair[1].inputs.previous.elapsed, pair[0].measured.of(hairpin::domain::Stage::Whole));
        assert_eq!(pair[1].inputs.previous.applied, Applied::Written);
        assert!(pair[0].measured.of(hairpin::domain::Stage::Decide) >= Span(2_000_000));
    }
}

#[test]
fn a_tape_is_a_world_and_its_inputs_are_fed_as_they_were() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tapes/drawn-lane/drive.mcap");
    let tape = Tape::open(&path).unwrap();
    let mut world = TapeWorld::new(&tape, 0, Fill::nothing());
    let mut pilot = Pilot::new(Scripted::new(|_| Scores::new(&[0.9, 0.1]).unwrap()), setup());
    let mut kept = Kept::default();
    let ended = cycle(&mut world, &mut pilot, &Ticking::default(), &mut kept, || false).unwrap();
    assert_eq!(ended, Ended::World);
    assert_eq!(world.pins().last(), Some(neutral()));
    let recorded: Vec<Inputs> = tape.records().filter_map(|record| Some(record.tick?.inputs)).collect();
    let fed: Vec<Inputs> = kept.ticks.iter().map(|tick| tick.inputs).collect();
    assert_eq!(fed, recorded);
    assert!(kept.ticks.iter().any(|tick| tick.decision.pulses.throttle != neutral().throttle));
}
