//! What the governor promises, for any sequence of inputs: properties over random drives, and each arrow of the
//! drawing in `governor/state.rs` once by hand.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use hairpin::domain::{
    Applied, Ask, CameraHealth, Command, DriveState, FrameSeq, FrameStamp, Health, Inputs, Note,
    OperatorInput, Previous, Quality, StopReason, Verdict,
};
use hairpin::governor::{Governor, Limits, Wish};
use hairpin::units::{Instant, Signed, Span};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop_assert, prop_oneof, proptest};

const TICK: u64 = 33_000_000;

fn command(steering: f32, throttle: f32) -> Command {
    Command { steering: Signed::clamped(steering).unwrap(), throttle: Signed::clamped(throttle).unwrap() }
}

/// A car that can be driven tick by tick.
struct Drive {
    governor: Governor,
    inputs: Inputs,
}

impl Drive {
    fn new(limits: Limits) -> Self {
        let inputs = Inputs {
            seq: 0,
            now: Instant(1_000_000_000),
            frame: None,
            operator: OperatorInput { seq: 0, ask: Ask::Nothing, speed_percent: 50 },
            health: Health::default(),
            previous: Previous { elapsed: Span(0), applied: Applied::Written, dropped: 0 },
        };
        Self { governor: Governor::new(limits), inputs }
    }

    /// One tick with a frame captured `age` before it.
    fn tick(&mut self, ask: Ask, wish: Wish, quality: Quality, age: Option<u64>) -> Verdict {
        self.inputs.seq += 1;
        self.inputs.now = self.inputs.now + Span(TICK);
        self.inputs.operator.ask = ask;
        self.inputs.frame = age.map(|age| FrameStamp {
            seq: FrameSeq(self.inputs.seq),
            captured_at: self.inputs.now - Span(age),
        });
        self.governor.admit(wish, quality, &self.inputs)
    }

    fn good(&mut self, ask: Ask) -> Verdict {
        self.tick(ask, Wish::Drive(command(0.5, 0.4)), Quality::Usable, Some(1_000_000))
    }

    fn driving(limits: Limits) -> Self {
        let mut drive = Self::new(limits);
        drive.good(Ask::Arm);
        for _ in 0..20 {
            drive.good(Ask::Nothing);
        }
        assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
        drive
    }
}

#[test]
fn nothing_moves_before_an_operator_arms_and_the_esc_had_its_neutral() {
    let mut drive = Drive::new(Limits::default());
    for _ in 0..50 {
        let verdict = drive.good(Ask::Nothing);
        assert_eq!((verdict.state, verdict.command), (DriveState::Disarmed, Command::NEUTRAL));
    }
    let armed = drive.good(Ask::Arm);
    let since = drive.inputs.now;
    assert_eq!(armed.state, DriveState::Arming { since });
    assert!(armed.notes.has(Note::Armed));
    loop {
        let verdict = drive.good(Ask::Nothing);
        if verdict.state == DriveState::Driving {
            assert!(drive.inputs.now.since(since) >= Span::from_millis(500));
            assert_eq!(verdict.command, command(0.5, 0.4));
            break;
        }
        assert_eq!(verdict.command, Command::NEUTRAL);
    }
}

#[test]
fn arming_needs_a_good_frame() {
    let mut drive = Drive::new(Limits::default());
    let verdict = drive.tick(Ask::Arm, Wish::Nothing, Quality::Missing, None);
    assert_eq!(verdict.state, DriveState::Disarmed);
    assert!(verdict.notes.has(Note::ArmRefused));
}

#[test]
fn one_torn_picture_is_ridden_through_and_a_lost_camera_coasts_then_latches() {
    let mut drive = Drive::driving(Limits::default());
    let held = drive.tick(Ask::Nothing, Wish::Nothing, Quality::Torn, Some(0));
    assert_eq!((held.state, held.command), (DriveState::Driving, command(0.5, 0.4)));
    drive.good(Ask::Nothing);
    let last_good = drive.inputs.now;
    let mut coasting = None;
    let stopped = loop {
        let verdict = drive.tick(Ask::Nothing, Wish::Nothing, Quality::Missing, None);
        let lost = drive.inputs.now.since(last_good);
        match verdict.state {
            DriveState::Driving => assert!(lost <= Span::from_millis(150), "held for {lost}"),
            DriveState::Coasting { since } => {
                coasting.get_or_insert(since);
                assert_eq!(verdict.command, Command::NEUTRAL);
            }
            state => break state,
        }
    };
    assert!(coasting.is_some());
    assert_eq!(stopped, DriveState::Stopped { why: StopReason::FrameLost });
    assert_eq!(drive.good(Ask::Nothing).state, stopped, "a latched stop does not heal by itself");
    assert!(matches!(drive.good(Ask::Arm).state, DriveState::Arming { .. }));
}

#[test]
fn coasting_heals_by_itself() {
    let mut drive = Drive::driving(Limits::default());
    while drive.tick(Ask::Nothing, Wish::Nothing, Quality::Missing, None).state == DriveState::Driving {}
    let verdict = drive.good(Ask::Nothing);
    assert_eq!((verdict.state, verdict.command), (DriveState::Driving, command(0.5, 0.4)));
}

#[test]
fn a_frozen_camera_coasts_at_the_third_frame_and_latches_after_a_second() {
    let mut drive = Drive::driving(Limits::default());
    let repeat = |drive: &mut Drive| {
        drive.tick(Ask::Nothing, Wish::Drive(command(0.5, 0.4)), Quality::Frozen, Some(0))
    };
    assert_eq!(repeat(&mut drive).state, DriveState::Driving);
    assert_eq!(repeat(&mut drive).state, DriveState::Driving);
    assert!(matches!(repeat(&mut drive).state, DriveState::Coasting { .. }));
    let ended =
        (0..60).map(|_| repeat(&mut drive).state).find(|state| matches!(state, DriveState::Stopped { .. }));
    assert_eq!(ended, Some(DriveState::Stopped { why: StopReason::FrameFrozen }));
}

#[test]
fn darkness_coasts_and_can_be_switched_off() {
    let dark = |drive: &mut Drive| {
        drive.tick(Ask::Nothing, Wish::Drive(command(0.5, 0.4)), Quality::Dark, Some(0)).state
    };
    let mut drive = Drive::driving(Limits::default());
    let states: Vec<DriveState> = (0..6).map(|_| dark(&mut drive)).collect();
    assert_eq!(states.first(), Some(&DriveState::Driving));
    assert!(matches!(states.last(), Some(DriveState::Coasting { .. })));
    let mut drive = Drive::driving(Limits { check_picture: false, ..Limits::default() });
    assert!((0..60).all(|_| dark(&mut drive) == DriveState::Driving));
}

#[test]
fn a_failing_policy_is_neutral_at_once_and_latches_at_the_third() {
    let mut drive = Drive::driving(Limits::default());
    let fail = |drive: &mut Drive| drive.tick(Ask::Nothing, Wish::Failed, Quality::Usable, Some(0));
    let first = fail(&mut drive);
    assert!(matches!(first.state, DriveState::Coasting { .. }));
    assert_eq!(first.command, Command::NEUTRAL);
    fail(&mut drive);
    assert_eq!(fail(&mut drive).state, DriveState::Stopped { why: StopReason::PolicyFailed });
}

#[test]
fn pins_battery_and_operator_latch() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.previous.applied = Applied::Failed;
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Stopped { why: StopReason::ActuatorsFailed });

    let mut drive = Drive::driving(Limits::default());
    drive.inputs.health.battery = Some(2);
    let low = drive.tick(Ask::Nothing, Wish::Drive(command(0.0, 0.9)), Quality::Usable, Some(0));
    assert_eq!(low.command, command(0.0, 0.5));
    assert!(low.notes.has(Note::BatteryLow) && low.notes.has(Note::ThrottleCapped));
    drive.inputs.health.battery = Some(1);
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Stopped { why: StopReason::BatteryEmpty });

    let mut drive = Drive::driving(Limits::default());
    assert_eq!(drive.good(Ask::Stop).state, DriveState::Stopped { why: StopReason::Operator });
    assert_eq!(drive.good(Ask::Disarm).state, DriveState::Disarmed);
}

#[test]
fn a_camera_that_is_gone_is_not_waited_for() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.health.camera = CameraHealth::Lost;
    let lost = drive.tick(Ask::Nothing, Wish::Nothing, Quality::Missing, None);
    assert!(matches!(lost.state, DriveState::Coasting { .. }), "{lost:?}");
    assert!(lost.notes.has(Note::CameraLost));
    // Nor is a picture of one that does not count: a loose plug.
    assert!(matches!(drive.good(Ask::Nothing).state, DriveState::Coasting { .. }));
    drive.inputs.health.camera = CameraHealth::Streaming;
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
}

#[test]
fn what_a_command_rests_on_is_the_last_good_frame() {
    let mut drive = Drive::driving(Limits::default());
    let good = drive.inputs.frame;
    assert!(good.is_some());
    assert_eq!(drive.governor.evidence(), good);
    drive.tick(Ask::Nothing, Wish::Nothing, Quality::Torn, Some(0));
    assert_eq!(drive.governor.evidence(), good, "a torn picture is no evidence");
    drive.good(Ask::Nothing);
    assert_eq!(drive.governor.evidence(), drive.inputs.frame);
}

#[test]
fn pulses_that_were_withheld_are_noted_and_latch_nothing() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.previous.applied = Applied::Withheld;
    let verdict = drive.good(Ask::Nothing);
    assert_eq!(verdict.state, DriveState::Driving);
    assert!(verdict.notes.has(Note::Withheld));
}

#[test]
fn old_repeated_and_future_frames_are_no_evidence() {
    let wish = Wish::Drive(command(0.5, 0.4));
    let mut drive = Drive::driving(Limits::default());
    let stale = drive.tick(Ask::Nothing, wish, Quality::Usable, Some(151_000_000));
    assert!(stale.notes.has(Note::FrameReversed), "a frame from before the last one");
    let future = {
        drive.inputs.now = drive.inputs.now + Span(TICK);
        drive.inputs.frame = Some(FrameStamp { seq: FrameSeq(999), captured_at: drive.inputs.now + Span(1) });
        drive.governor.admit(wish, Quality::Usable, &drive.inputs)
    };
    assert!(future.notes.has(Note::FrameStale));
    // One broken stamp does not make every later frame an old one.
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.now = drive.inputs.now + Span(TICK);
    let captured_at = drive.inputs.now + Span::from_millis(10_000);
    drive.inputs.frame = Some(FrameStamp { seq: FrameSeq(999), captured_at });
    drive.governor.admit(wish, Quality::Usable, &drive.inputs);
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
}

#[test]
fn a_hole_without_ticks_counts_like_one_with_them() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.now = drive.inputs.now + Span::from_millis(5000);
    let verdict = drive.good(Ask::Nothing);
    assert_eq!(verdict.state, DriveState::Stopped { why: StopReason::FrameLost });
    assert_eq!(verdict.command, Command::NEUTRAL);
    // A short one heals.
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.now = drive.inputs.now + Span::from_millis(900);
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
}

#[test]
fn a_held_command_obeys_todays_caps() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.operator.speed_percent = 10;
    let held = drive.tick(Ask::Nothing, Wish::Nothing, Quality::Torn, Some(0));
    assert_eq!((held.state, held.command), (DriveState::Driving, command(0.5, 0.1)));
    drive.inputs.operator.speed_percent = 0;
    let held = drive.tick(Ask::Nothing, Wish::Nothing, Quality::Torn, Some(0));
    assert_eq!(held.command, command(0.5, 0.0));
}

#[test]
fn three_late_ticks_coast() {
    let mut drive = Drive::driving(Limits::default());
    drive.inputs.previous.elapsed = Span::from_millis(101);
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
    assert_eq!(drive.good(Ask::Nothing).state, DriveState::Driving);
    assert!(matches!(drive.good(Ask::Nothing).state, DriveState::Coasting { .. }));
}

#[derive(Clone, Debug)]
struct Event {
    ask: Ask,
    wish: Wish,
    quality: Quality,
    age: Option<u64>,
    applied: Applied,
    battery: Option<u8>,
    camera: CameraHealth,
    elapsed: u64,
    jump: u64,
}

fn event() -> impl Strategy<Value = Event> {
    let ask = prop_oneof![
        20 => Just(Ask::Nothing), 6 => Just(Ask::Arm), 1 => Just(Ask::Disarm), 1 => Just(Ask::Stop)
    ];
    let wish = prop_oneof![
        1 => Just(Wish::Nothing),
        1 => Just(Wish::Failed),
        30 => (-1.0_f32..=1.0, -1.0_f32..=1.0).prop_map(|(s, t)| Wish::Drive(command(s, t))),
    ];
    let quality = prop_oneof![
        20 => Just(Quality::Usable), 1 => Just(Quality::Dark), 1 => Just(Quality::Bright),
        1 => Just(Quality::Frozen), 1 => Just(Quality::Torn), 1 => Just(Quality::Missing)
    ];
    let age = prop_oneof![1 => Just(None), 20 => (0_u64..200_000_000).prop_map(Some)];
    let applied =
        prop_oneof![60 => Just(Applied::Written), 3 => Just(Applied::Withheld), 1 => Just(Applied::Failed)];
    let camera = prop_oneof![30 => Just(CameraHealth::Streaming), 1 => Just(CameraHealth::Lost)];
    let battery = prop_oneof![20 => Just(None), 20 => Just(Some(9)), 1 => any::<u8>().prop_map(Some)];
    (ask, wish, quality, age, applied, battery, camera, 0_u64..150_000_000, 1_u64..400_000_000).prop_map(
        |(ask, wish, quality, age, applied, battery, camera, elapsed, jump)| Event {
            ask,
            wish,
            quality,
            age,
            applied,
            battery,
            camera,
            elapsed,
            jump,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn for_any_drive(events in proptest::collection::vec(event(), 1..120), cap in 0.0_f32..=1.0, slew in 0.5_f32..20.0) {
        let limits = Limits { throttle_cap: cap, throttle_slew_per_s: slew, steering_slew_per_s: slew,
            arming: Span::from_millis(100), ..Limits::default() };
        let mut governor = Governor::new(limits.checked().unwrap());
        let mut now = Instant(0);
        let mut last = (Command::NEUTRAL, DriveState::Disarmed, now);
        let mut last_good = None;
        for (seq, event) in events.into_iter().enumerate() {
            now = now + Span(event.jump);
            let inputs = Inputs {
                seq: seq as u64,
                now,
                frame: event.age.map(|age| FrameStamp { seq: FrameSeq(seq as u64), captured_at: now - Span(age) }),
                operator: OperatorInput { seq: 0, ask: event.ask, speed_percent: 50 },
                health: Health { battery: event.battery, camera: event.camera },
                previous: Previous { elapsed: Span(event.elapsed), applied: event.applied, dropped: 0 },
            };
            let verdict = governor.admit(event.wish, event.quality, &inputs);
            let moved = verdict.command.throttle.get().abs();
            // The cap is never exceeded.
            prop_assert!(moved <= cap);
            // Only driving moves, or steers.
            prop_assert!(verdict.state == DriveState::Driving || verdict.command == Command::NEUTRAL);
            // Stop wins over everything.
            let stopped = matches!(verdict.state, DriveState::Stopped { .. });
            prop_assert!(event.ask != Ask::Stop || stopped);
            // A latched stop is left by the operator alone.
            if matches!(last.1, DriveState::Stopped { .. }) && !stopped {
                prop_assert!(matches!(event.ask, Ask::Arm | Ask::Disarm));
            }
            // A failed policy is neutral in the same tick.
            prop_assert!(event.wish != Wish::Failed || verdict.command == Command::NEUTRAL);
            // No command outlives its evidence: a moving car has seen a good frame within the stale limit.
            if let (Wish::Drive(_), Quality::Usable, Some(frame)) = (event.wish, event.quality, inputs.frame) {
                last_good = last_good.max(Some(frame.captured_at));
            }
            if moved > 0.0 {
                let age = now.since(last_good.unwrap());
                prop_assert!(age <= limits.stale_frame, "moving on evidence of {age}");
            }
            // Slew holds for any jitter.
            let step = slew * std::time::Duration::from_nanos(event.jump).as_secs_f32().min(1.0) + 1e-6;
            let from = last.0.throttle.get();
            if from * verdict.command.throttle.get() >= 0.0 {
                prop_assert!(moved <= from.abs() + step);
            } else {
                prop_assert!(moved <= step);
            }
            if verdict.state == DriveState::Driving && last.1 == DriveState::Driving {
                prop_assert!((verdict.command.steering.get() - last.0.steering.get()).abs() <= step);
            }
            last = (verdict.command, verdict.state, now);
        }
    }
}
