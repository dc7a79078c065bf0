//! The referee over drives whose laps, times and faults are known beforehand, and the scripted driver's laps through
//! the whole chain: command, factory calibration, pulses, plant.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose; its numbers are small"
)]

use std::f64::consts::TAU;

use hairpin::domain::Command;
use hairpin::sim::pursuit::Limits;
use hairpin::sim::{Body, Plant, Pursuit, Referee, Score, Seed, Seen};
use hairpin::track::{BUILT_IN, Place, Point, Pose, Track};
use hairpin::units::{Instant, Signed, Span};
use hairpin::vehicle::Calibration;

/// A frame at 30 Hz.
const FRAME: Span = Span(33_333_333);

/// A round road of 2 m radius and 0.8 m width, counter-clockwise from (2, 0).
fn ring() -> Track {
    let centre = Pose::default();
    let circle = |radius: f64| -> Vec<Point> {
        let looking = |index| Pose { heading: TAU * f64::from(index) / 720.0, ..centre };
        (0..720).map(|index| looking(index).point(radius, 0.0)).collect()
    };
    Track::new("ring", circle(2.0), circle(1.6), circle(2.4)).unwrap()
}

/// A car whose nose is at an angle of the ring, that far outside the centre line, looking along it.
fn on_ring(angle: f64, outside: f64, now: u64, speed: f64) -> Seen {
    let nose = Point { x: (2.0 + outside) * angle.cos(), y: (2.0 + outside) * angle.sin() };
    let there = Pose { at: nose, heading: angle + 0.25 * TAU };
    let pose = Pose { at: there.point(-0.222, 0.0), heading: there.heading };
    let wheels = [(0.164, 0.081), (0.164, -0.081), (0.0, 0.081), (0.0, -0.081)]
        .map(|(ahead, left)| pose.point(ahead, left));
    Seen { pose, wheels, speed, steering: 0.0, now: Instant(now) }
}

/// Drives along angles in radians, one a frame of 0.1 s.
fn around(angles: impl Iterator<Item = f64>) -> Referee {
    let track = ring();
    let mut referee = Referee::new();
    for (index, angle) in angles.enumerate() {
        referee.step(&track, &on_ring(angle, 0.0, 100_000_000 * index as u64, 1.0));
    }
    referee
}

fn turns(from: f64, to: f64, steps: u32) -> impl Iterator<Item = f64> {
    (0..=steps).map(move |step| TAU * (from + (to - from) * f64::from(step) / f64::from(steps)))
}

#[test]
fn laps_are_counted_and_timed_between_the_frames() {
    // 3.5 turns in 40 s, steady, from an arbitrary place: the line lies within a step each time.
    let referee = around(turns(0.13, 3.63, 400));
    let turn = 40.0 / 3.5;
    let saw: Vec<f64> = referee.laps().iter().map(|lap| lap.as_millis_f64() / 1000.0).collect();
    assert_eq!(saw.len(), 3);
    for lap in &saw {
        // A frame is 0.1 s: the line's place between two is good to a hundredth of that.
        assert!((lap - turn).abs() < 1e-3, "{saw:?}, wanted {turn}");
    }
    let score = referee.score();
    assert!((score.progress - 50.0).abs() < 0.1, "{}", score.progress);
    assert!(score.is_clean() && score.wheel_offs == 0);
}

#[test]
fn the_first_clock_starts_when_the_car_does() {
    let waiting = std::iter::repeat_n(TAU * 0.4, 50);
    let referee = around(waiting.chain(turns(0.4, 1.5, 100)));
    assert_eq!(referee.laps().len(), 1);
    // One turn at 1.1 turns in 10 s, and not the 5 s before it.
    assert!((referee.laps()[0].as_millis_f64() - 10_000.0 / 1.1).abs() < 2.0, "{:?}", referee.laps());
}

#[test]
fn the_wrong_way_round_is_no_lap_and_neither_is_going_back_and_forth() {
    let backward = around(turns(0.5, -2.6, 200));
    assert_eq!((backward.laps().len(), backward.score().progress), (0, 0.0));
    assert_eq!(backward.score().reversals, 1);
    // Nearly round, all the way back over the line, and over the line again.
    let fickle = around(turns(0.0, 0.95, 60).chain(turns(0.95, -0.1, 60)).chain(turns(-0.1, 0.1, 20)));
    assert_eq!(fickle.laps().len(), 0);
    assert!((fickle.score().progress - 10.0).abs() < 0.1);
    // To and fro on the line after a lap.
    let dither =
        around(turns(0.0, 1.02, 60).chain((0..30).map(|n| TAU * if n % 2 == 0 { 0.99 } else { 1.01 })));
    assert_eq!(dither.laps().len(), 1);
}

#[test]
fn a_cut_is_no_lap() {
    // From 20 % across to 65 %, and over the line: a mark was never passed.
    let cut = around(turns(0.0, 0.2, 20).chain(turns(0.65, 1.1, 40)));
    assert_eq!(cut.laps().len(), 0);
    // The lap after it counts, from line to line.
    let after = around(turns(0.0, 0.2, 20).chain(turns(0.65, 2.1, 140)));
    assert_eq!(after.laps().len(), 1);
    // What was cut off does not count: progress stands still until it fits again.
    let half = around(turns(0.0, 0.2, 20).chain(turns(0.65, 0.9, 20)));
    assert!((half.score().progress - 20.0).abs() < 0.1, "{}", half.score().progress);
    // Nor do marks that are passed backward from behind a cut.
    let back = around(turns(0.0, 0.2, 20).chain(turns(0.65, 0.4, 20)));
    assert!((back.score().progress - 20.0).abs() < 0.1, "{}", back.score().progress);
    // A cut in the step after a lap leaves the new lap at nothing.
    let fresh = around(turns(0.0, 1.005, 60).chain(turns(0.55, 0.65, 5)));
    assert_eq!((fresh.laps().len(), fresh.score().progress), (1, 0.0));
}

#[test]
fn wheels_off_are_counted_once_each_time_and_timed_while_all_are() {
    let track = ring();
    let mut referee = Referee::new();
    // Outside by metres, each step 0.1 s longer than the one before: on, two wheels off, all off, back, off again.
    let offsets = [0.0, 0.0, 0.4, 0.6, 0.6, 0.6, 0.0, 0.0, 0.6, 0.0];
    let wheels: Vec<u32> = offsets
        .iter()
        .zip(0_u64..)
        .map(|(outside, index)| {
            let angle = 0.05 * index as f64;
            let now = 50_000_000 * index * (index + 1);
            referee.step(&track, &on_ring(angle, *outside, now, 1.0)).wheels_off
        })
        .collect();
    assert_eq!(wheels, [0, 0, 2, 4, 4, 4, 0, 0, 4, 0]);
    let score = referee.score();
    assert_eq!((score.off_tracks, score.wheel_offs), (2, 2));
    // The steps that began with all wheels off: 0.4, 0.5, 0.6 and 0.9 s.
    assert_eq!(score.off_time, Span::from_millis(2_400));
    assert!(!score.is_clean());
}

#[test]
fn standing_after_a_second_is_immobile_once_and_waiting_at_the_start_is_not() {
    let track = ring();
    let mut referee = Referee::new();
    let mut stuck = Vec::new();
    for index in 0..90_u64 {
        let speed = if (30..50).contains(&index) || index >= 80 { 1.0 } else { 0.0 };
        let seen = on_ring(0.01 * index as f64, 0.0, 100_000_000 * index, speed);
        stuck.push(referee.step(&track, &seen).is_immobile);
    }
    assert_eq!(referee.score().immobile, 1);
    assert_eq!(stuck.iter().position(|stuck| *stuck), Some(60), "a second after it stood at 50");
    assert!(!stuck[80]);
}

#[test]
fn sums_are_what_was_put_in() {
    let track = ring();
    let mut referee = Referee::new();
    let mut length = 0.0;
    let mut last: Option<Point> = None;
    for index in 0..101_u64 {
        let mut seen = on_ring(0.02 * index as f64, 0.0, 100_000_000 * index, 0.5);
        // Steering left and right by 0.2 rad a frame, speed up and down by 0.1 m/s.
        if index % 2 == 1 {
            (seen.steering, seen.speed) = (0.2, 0.6);
        }
        length += last.map_or(0.0, |last| last.distance(seen.pose.at));
        last = Some(seen.pose.at);
        referee.step(&track, &seen);
    }
    let score = referee.score();
    assert_eq!(score.time, Span::from_millis(10_000));
    assert!((score.distance - length).abs() < 1e-9 && (score.mean_speed - length / 10.0).abs() < 1e-9);
    assert_eq!(score.top_speed, 0.6);
    assert!((score.steering_rate - 2.0).abs() < 1e-9, "{}", score.steering_rate);
    // Acceleration flips between +1 and -1 m/s² 99 times in 10 s.
    assert!((score.jerk - 19.8).abs() < 1e-9, "{}", score.jerk);
}

#[test]
fn the_verdict_reads_well() {
    let score = Score {
        laps: 3,
        best: Some(Span(9_123_999_999)),
        worst: Some(Span::from_millis(10_005)),
        off_tracks: 1,
        distance: 40.25,
        mean_speed: 1.512,
        top_speed: 2.0,
        ..Score::default()
    };
    assert_eq!(
        score.to_string(),
        "3 laps, best 9.123 s, worst 10.005 s, 1 off-track, 0 reversals, 0 standstills; \
         40.2 m at 1.51 m/s, at most 2.00"
    );
    let none = Score { progress: 33.333, ..Score::default() };
    assert!(none.to_string().starts_with("no lap, 33.3 % of the first, 0 off-tracks"), "{none}");
}

/// The closed loop without a picture: what the driver sees now acts a frame later, as a camera's would.
fn drive(track: &Track, body: Body, start: Pose, limits: Limits, laps: usize) -> Referee {
    let calibration = Calibration::factory();
    let driver = Pursuit::new(track, &Body::default(), limits);
    let mut plant = Plant::new(body, start);
    let mut referee = Referee::new();
    let mut place = track.place(start.at);
    let mut pulses = calibration.neutral();
    let mut now = Instant(0);
    while referee.laps().len() < laps && now < Instant(120_000_000_000) {
        let seen = Seen::of(&plant, now);
        let (pose, speed) = (seen.pose, seen.speed);
        referee.step(track, &seen);
        place = track.place_near(pose.at, place.segment);
        let (steering, throttle) = driver.command(place, pose, speed);
        plant.step(pulses, FRAME);
        pulses = calibration.pulses(command(steering, throttle));
        now = now + FRAME;
    }
    referee
}

fn command(steering: f64, throttle: f64) -> Command {
    let signed = |value: f64| Signed::clamped(value as f32).unwrap();
    Command { steering: signed(steering), throttle: signed(throttle) }.in_permille()
}

#[test]
fn the_scripted_driver_laps_every_track_that_comes_with_the_program() {
    for name in BUILT_IN {
        for track in [Track::built_in(name).unwrap(), Track::built_in(name).unwrap().reversed()] {
            for number in 0..8_u64 {
                let mut seed = Seed::new(number);
                let (arc, left, turn) = (seed.unit(), 0.2 * seed.unit() - 0.1, 0.4 * seed.unit() - 0.2);
                let line = track.at(arc * track.length());
                let start = Pose { at: line.point(0.0, left), heading: line.heading + turn };
                let body = Body::default().varied(seed.fork(1), if number == 0 { 0.0 } else { 0.1 });
                let score = drive(&track, body, start, Limits::default(), 3).score();
                assert!(score.laps == 3 && score.is_clean(), "{name}, seed {number}: {score}");
                if number < 2 {
                    println!("{name}, seed {number}: {score}; {} wheels", score.wheel_offs);
                }
            }
        }
    }
}

#[test]
fn the_scripted_driver_is_slow_in_bends_and_slows_down_before_them() {
    let limits = Limits::default();
    for name in BUILT_IN {
        let track = Track::built_in(name).unwrap();
        let driver = Pursuit::new(&track, &Body::default(), limits);
        let count = (track.length() / 0.05).ceil() as u32;
        let step = track.length() / f64::from(count);
        let speeds: Vec<f64> = (0..count).map(|i| driver.speed_at((f64::from(i) + 0.5) * step)).collect();
        let mut slowest = limits.speed;
        for (index, speed) in speeds.iter().enumerate() {
            let curvature = track.place(track.at((index as f64 + 0.5) * step).at).curvature.abs();
            assert!(
                speed * speed * curvature <= limits.bend * 1.05,
                "{name}: {speed} m/s at {curvature} 1/m"
            );
            let next = speeds[(index + 1) % speeds.len()];
            assert!(speed * speed - next * next <= 2.0 * limits.slow_down * step + 1e-9, "{name} at {index}");
            slowest = slowest.min(*speed);
        }
        assert!(slowest < 0.9 * limits.speed, "{name}: {slowest}");
    }
}

#[test]
fn the_scripted_driver_laps_aws_s_tracks() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tracks");
    for name in ["reinvent_base", "Oval_track", "2022_april_open"] {
        let Ok(bytes) = std::fs::read(folder.join(format!("{name}.npy"))) else {
            println!("skipped: there is no {name}.npy in {}", folder.display());
            continue;
        };
        let track = Track::from_npy(name, &bytes).unwrap();
        let score = drive(&track, Body::default(), track.at(0.0), Limits::default(), 3).score();
        println!("{name}: {score}");
        assert!(score.laps == 3 && score.is_clean(), "{name}: {score}");
    }
}

#[test]
fn a_driver_whose_servo_turns_the_other_way_does_not_lap() {
    let track = Track::built_in("oval").unwrap();
    let mut body = Body::default();
    body.servo.travel = -body.servo.travel;
    let score = drive(&track, body, track.at(0.0), Limits::default(), 1).score();
    assert!(score.laps == 0 && score.off_tracks > 0, "{score}");
}

/// The same drive to the bit, in debug and release and on every machine: pinned.
#[test]
fn one_drive_is_one_drive() {
    let track = ring();
    let body = Body::default().varied(Seed::new(3), 0.1);
    let score = drive(&track, body, track.at(1.0), Limits::default(), 2).score();
    let again = drive(&track, body, track.at(1.0), Limits::default(), 2).score();
    assert_eq!(score, again);
    let wanted = (6_149_017_386, 4_627_787_543_652_740_017);
    assert_eq!((score.best.unwrap().0, score.distance.to_bits()), wanted, "{score}");
}

#[test]
fn a_place_that_is_known_is_the_place() {
    let track = ring();
    let standing = Referee::new().step(&track, &on_ring(1.0, 0.1, 0, 0.0));
    let Place { arc, offset, .. } = standing.place;
    assert!((arc - 2.0).abs() < 1e-3 && (offset + 0.1).abs() < 1e-4, "{arc} {offset}");
}

/// `cargo test --release --test sim_referee -- --ignored --nocapture how_fast`
#[test]
#[ignore = "a measurement"]
fn how_fast_the_loop_without_pictures_is() {
    for name in BUILT_IN {
        let track = Track::built_in(name).unwrap();
        let began = std::time::Instant::now();
        let time =
            (0..20).map(|_| drive(&track, Body::default(), track.at(0.0), Limits::default(), 3).score().time);
        let frames: u64 = time.map(|time| time.0 / FRAME.0).sum();
        let spent = began.elapsed().as_secs_f64();
        println!(
            "{name}: {:.2} µs a frame, {:.0} frames/s",
            spent * 1e6 / frames as f64,
            frames as f64 / spent
        );
    }
}
