//! What a drive hands to AWS's world: the parameters of a reward function and the simulator's log. A drive is written
//! as the files of a trained model, for `tests/peers/read_simtrace.py`, where the community's own tools read it.

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

use std::fmt::Write;
use std::path::Path;

use hairpin::domain::Command;
use hairpin::sim::params::{Circumstances, KEYS, Params};
use hairpin::sim::pursuit::Limits;
use hairpin::sim::simtrace::{Chosen, HEADER, Row, Status};
use hairpin::sim::{Body, Plant, Pursuit, Referee, Seen, Standing};
use hairpin::track::{Point, Pose, Track};
use hairpin::units::{Instant, Signed, Span};
use hairpin::vehicle::Calibration;
use serde_json::Value;

/// A square of 4 m with its corners cut, 1 m wide, counter-clockwise from (1, 0): lengths that a person can add up.
fn square() -> Track {
    let line = |out: f64| -> Vec<Point> {
        let (low, high, cut) = (-out, 4.0 + out, 1.0);
        [
            (cut, low),
            (2.0, low),
            (4.0 - cut, low),
            (high, cut),
            (high, 2.0),
            (high, 4.0 - cut),
            (4.0 - cut, high),
            (2.0, high),
            (cut, high),
            (low, 4.0 - cut),
            (low, 2.0),
            (low, cut),
        ]
        .into_iter()
        .map(|(x, y)| Point { x, y })
        .collect()
    };
    Track::new("square", line(0.0), line(-0.5), line(0.5)).unwrap()
}

fn length() -> f64 {
    4.0 * 2.0 + 4.0 * 2.0_f64.sqrt()
}

/// A car whose nose is there.
fn seen(x: f64, y: f64, heading: f64, now: Span) -> Seen {
    let nose = Pose { at: Point { x, y }, heading };
    let pose = Pose { at: nose.point(-0.222, 0.0), heading };
    let wheels = [(0.164, 0.081), (0.164, -0.081), (0.0, 0.081), (0.0, -0.081)]
        .map(|(ahead, left)| pose.point(ahead, left));
    Seen { pose, wheels, speed: 1.0, steering: 0.1, now: Instant(now.0) }
}

fn judged(seen: &Seen, around: &Circumstances<'_>) -> Value {
    let track = square();
    let standing = Referee::new().step(&track, seen);
    serde_json::from_str(&Params::new(&track, seen, &standing, around).to_json()).unwrap()
}

#[test]
fn all_of_aws_s_keys_are_there_in_its_order() {
    let text = {
        let (track, at) = (square(), seen(2.0, 0.0, 0.0, Span(0)));
        let standing = Referee::new().step(&track, &at);
        Params::new(&track, &at, &standing, &Circumstances::default()).to_json()
    };
    let value: Value = serde_json::from_str(&text).unwrap();
    let object = value.as_object().unwrap();
    // As the simulator's list of parameters names them (training.md §1.3).
    let wanted = "all_wheels_on_track, x, y, heading, distance_from_center, projection_distance, progress, steps, \
        speed, steering_angle, track_width, track_length, waypoints, closest_waypoints, is_left_of_center, is_reversed, \
        closest_objects, objects_location, objects_left_of_center, object_in_camera, objects_speed, objects_heading, \
        objects_distance_from_center, objects_distance, is_crashed, is_offtrack, sim_time";
    let wanted: Vec<&str> = wanted.split(", ").map(str::trim).collect();
    assert_eq!(KEYS.as_slice(), wanted);
    assert_eq!(object.len(), wanted.len());
    let places: Vec<usize> = wanted.iter().map(|key| text.find(&format!("\"{key}\":")).unwrap()).collect();
    assert!(places.is_sorted());
}

#[test]
fn values_are_what_a_person_computes() {
    let around = Circumstances { steering: -12.5, speed: 1.5, ..Circumstances::default() };
    // Going up the right side, 0.2 m inside: left of the centre line.
    let here = judged(&seen(3.8, 1.5, 90.0_f64.to_radians(), Span::from_millis(2_500)), &around);
    let near = |key: &str, wanted: f64| {
        let saw = here[key].as_f64().unwrap();
        assert!((saw - wanted).abs() < 1e-9, "{key}: {saw}, wanted {wanted}");
    };
    near("x", 3.8);
    near("y", 1.5);
    near("heading", 90.0);
    near("distance_from_center", 0.2);
    near("projection_distance", 2.0 + 2.0_f64.sqrt() + 0.5);
    near("track_width", 1.0);
    near("track_length", length());
    near("speed", 1.5);
    near("steering_angle", -12.5);
    near("sim_time", 2.5);
    near("progress", 0.0);
    assert_eq!(here["closest_waypoints"], serde_json::json!([3, 4]));
    assert_eq!(here["is_left_of_center"], true);
    assert_eq!(
        (&here["all_wheels_on_track"], &here["is_offtrack"]),
        (&Value::from(true), &Value::from(false))
    );
    let waypoints = here["waypoints"].as_array().unwrap();
    assert_eq!(waypoints.len(), 13, "the first is repeated at the end");
    assert_eq!(waypoints[0], serde_json::json!([1.0, 0.0]));
    assert_eq!(waypoints[0], waypoints[12]);
    assert_eq!(here["closest_objects"], serde_json::json!([0, 0]));
    assert_eq!(here["objects_location"], serde_json::json!([]));
}

#[test]
fn the_log_names_the_nearer_way_point() {
    let track = square();
    for (x, y, wanted) in [(3.8, 1.2, 3), (3.8, 1.8, 4), (0.2, 0.7, 11), (0.9, 0.3, 12)] {
        let here = seen(x, y, 0.0, Span(0));
        let standing = Referee::new().step(&track, &here);
        let params = Params::new(&track, &here, &standing, &Circumstances::default());
        let row = Row::new(0, &params, Chosen::Index(0), 0.0, Status::InProgress);
        assert_eq!(row.closest_waypoint, wanted, "{x} {y}");
    }
}

#[test]
fn the_way_point_ahead_of_the_last_is_the_repeated_first() {
    let here = judged(&seen(0.4, 0.6, -0.7, Span(0)), &Circumstances::default());
    assert_eq!(here["closest_waypoints"], serde_json::json!([11, 12]));
    assert!(here["heading"].as_f64().unwrap() < 0.0);
    let off = judged(&seen(2.0, -1.0, 0.0, Span(0)), &Circumstances::default());
    assert_eq!((&off["all_wheels_on_track"], &off["is_offtrack"]), (&Value::from(false), &Value::from(true)));
    assert_eq!(off["is_left_of_center"], false);
}

#[test]
fn objects_are_behind_and_ahead_along_the_track_and_before_the_camera() {
    // On the top side, on the bottom side just ahead, and far up the right side.
    let boxes = [Point { x: 2.0, y: 4.1 }, Point { x: 2.7, y: 0.1 }, Point { x: 4.2, y: 2.5 }];
    let around = Circumstances { objects: &boxes, is_crashed: true, ..Circumstances::default() };
    let here = judged(&seen(1.5, 0.0, 0.0, Span(0)), &around);
    assert_eq!(here["closest_objects"], serde_json::json!([0, 1]));
    assert_eq!(here["object_in_camera"], true);
    assert_eq!(here["is_crashed"], true);
    assert_eq!(here["objects_left_of_center"], serde_json::json!([false, true, false]));
    assert_eq!(here["objects_location"], serde_json::json!([[2.0, 4.1], [2.7, 0.1], [4.2, 2.5]]));
    assert_eq!(here["objects_speed"], serde_json::json!([0.0, 0.0, 0.0]));
    let along: Vec<f64> =
        here["objects_distance"].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    let root = 2.0_f64.sqrt();
    for (saw, wanted) in along.iter().zip([5.0 + 2.0 * root, 1.7, 3.5 + root]) {
        assert!((saw - wanted).abs() < 1e-9, "{along:?}");
    }
    // Past the last one, the next is around the end of the track; it is not in sight.
    let there = judged(&seen(1.0, 4.0, 180.0_f64.to_radians(), Span(0)), &around);
    assert_eq!(there["closest_objects"], serde_json::json!([0, 1]));
    assert_eq!(there["object_in_camera"], false);
}

#[test]
fn a_line_and_a_row_of_the_log() {
    let row = Row {
        episode: 3,
        steps: 17,
        x: 0.326_081_3,
        y: 2.75,
        yaw: -90.5,
        steer: 15.0,
        throttle: 0.6,
        action: Chosen::Index(7),
        reward: 1.0,
        all_wheels_on_track: true,
        progress: 12.345_678,
        closest_waypoint: 11,
        track_len: 17.709_159_3,
        tstamp: 11.25,
        status: Status::InProgress,
        wall_clock: 1_785_438_187.561,
    };
    let mut line = String::new();
    row.write_log(&mut line).unwrap();
    assert_eq!(
        line,
        "SIM_TRACE_LOG:3,17,0.3261,2.7500,-90.5000,15.00,0.60,7,1.0000,False,True,12.3457,11,17.71,11.25,\
         in_progress,0.00,0,1785438187.56"
    );
    let mut csv = String::new();
    Row { action: Chosen::Pair(0.25, -1.0), status: Status::OffTrack, ..row }.write_csv(&mut csv).unwrap();
    assert_eq!(
        csv,
        "3,17.0,0.3260813,2.75,-90.5,15.0,0.6,[0.25 -1.0],1.0,True,True,12.345678,11,17.7091593,11.25,off_track,\
         0.0,0,1785438187.561"
    );
    assert_eq!(HEADER.split(',').count(), 19);
    assert_eq!((line.split(',').count(), csv.split(',').count()), (19, 19));
}

#[test]
fn the_status_follows_from_what_the_referee_saw() {
    let driving = Standing { steps: 9, progress: 50.0, ..Standing::default() };
    let table = [
        (Standing { steps: 1, ..driving }, false, Status::Prepare, "prepare", false),
        (driving, false, Status::InProgress, "in_progress", false),
        (Standing { wheels_off: 3, ..driving }, false, Status::InProgress, "in_progress", false),
        (Standing { wheels_off: 4, ..driving }, false, Status::OffTrack, "off_track", true),
        (Standing { lap_complete: true, ..driving }, false, Status::LapComplete, "lap_complete", true),
        (Standing { is_immobile: true, ..driving }, false, Status::Immobilized, "immobilized", true),
        (Standing { is_reversed: true, ..driving }, false, Status::Reversed, "reversed", true),
        (driving, true, Status::Crashed, "crashed", true),
    ];
    for (standing, is_crashed, status, word, is_end) in table {
        let saw = Status::of(&standing, is_crashed);
        assert_eq!((saw, saw.word(), saw.is_end()), (status, word, is_end));
    }
}

/// One episode of a lap, and one that leaves the track, as a trained model's folder would hold them.
#[test]
fn a_drive_is_written_as_a_model_s_folder() {
    let track = Track::built_in("hairpin").unwrap();
    let (mut log, mut csv, mut params) = (String::new(), format!("{HEADER}\n"), String::new());
    let mut ends = Vec::new();
    for episode in 0..2 {
        let mut body = Body::default();
        if episode == 1 {
            body.servo.travel *= 40.0;
        }
        let mut drive = Drive::new(&track, body, episode);
        let status = loop {
            let status = drive.step(&mut log, &mut csv, &mut params);
            if status.is_end() {
                break status;
            }
        };
        ends.push(status);
    }
    assert_eq!(ends, [Status::LapComplete, Status::OffTrack]);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("simtrace");
    std::fs::create_dir_all(folder.join("training-simtrace")).unwrap();
    std::fs::write(folder.join("training-simtrace/0-iteration.csv"), &csv).unwrap();
    std::fs::write(folder.join("simulation.log"), &log).unwrap();
    std::fs::write(folder.join("params.jsonl"), &params).unwrap();
    let column = |points: &[Point]| points.iter().map(|p| vec![p.x, p.y]).collect::<Vec<_>>();
    let lines = serde_json::json!([column(track.centre()), column(track.inner()), column(track.outer())]);
    std::fs::write(folder.join("track.json"), lines.to_string()).unwrap();
    println!("written: {} ({} steps)", folder.display(), csv.lines().count() - 1);
    assert_eq!(csv.lines().count() - 1, log.lines().count());
    assert!(csv.lines().skip(1).all(|line| line.split(',').count() == 19));
}

struct Drive<'a> {
    track: &'a Track,
    driver: Pursuit,
    plant: Plant,
    referee: Referee,
    now: Instant,
    episode: u64,
}

impl<'a> Drive<'a> {
    fn new(track: &'a Track, body: Body, episode: u64) -> Self {
        let driver = Pursuit::new(track, &Body::default(), Limits::default());
        let plant = Plant::new(body, track.at(0.0));
        Self { track, driver, plant, referee: Referee::new(), now: Instant(0), episode }
    }

    fn step(&mut self, log: &mut String, csv: &mut String, params: &mut String) -> Status {
        let seen = Seen::of(&self.plant, self.now);
        let (pose, speed) = (seen.pose, seen.speed);
        let standing = self.referee.step(self.track, &seen);
        let (angle, throttle) = self.driver.command(self.track.place(pose.at), pose, speed);
        let around =
            Circumstances { steering: angle * 30.0, speed: throttle * 4.0, ..Circumstances::default() };
        let step = Params::new(self.track, &seen, &standing, &around);
        let status = Status::of(&standing, false);
        let row = Row::new(self.episode, &step, Chosen::Pair(angle, throttle), 1.0, status);
        row.write_log(log).unwrap();
        row.write_csv(csv).unwrap();
        step.write_json(params);
        for text in [log, csv, params] {
            writeln!(text).unwrap();
        }
        let signed = |value: f64| Signed::clamped(value as f32).unwrap();
        let command = Command { steering: signed(angle), throttle: signed(throttle) };
        self.plant.step(Calibration::factory().pulses(command), Span(66_666_667));
        self.now = self.now + Span(66_666_667);
        status
    }
}
