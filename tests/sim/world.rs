//! What the world does with the car: pulses count and not wishes, a lap is told in every form, and time is simulated.

use hairpin::sim::faults::{Fault, Kind};
use hairpin::track::Track;
use hairpin::vehicle::{Calibration, Points};

use super::command::{run, temporary};
use super::drive::{Driver, drive, small};

#[test]
fn a_wrong_calibration_is_a_car_that_does_not_turn() {
    let track = Track::built_in("oval").unwrap();
    let mut staging = small();
    let good = drive(Driver::Scripted, &track, &staging, false);
    assert!(good.score.is_clean(), "{}", good.score);
    // A servo whose ends were found a hair from its middle.
    let servo = Points { min: 1_449_000, mid: 1_450_000, max: 1_451_000, polarity: 1 };
    staging.calibration = Calibration { servo, ..Calibration::factory() };
    let stiff = drive(Driver::Scripted, &track, &staging, false);
    assert!(
        stiff.score.off_tracks > 3 && stiff.score.steering_rate < 0.05 * good.score.steering_rate,
        "{}",
        stiff.score
    );
    // And one that was put in the other way round.
    let servo = Points { polarity: -Calibration::factory().servo.polarity, ..Calibration::factory().servo };
    staging.calibration = Calibration { servo, ..Calibration::factory() };
    assert!(drive(Driver::Scripted, &track, &staging, false).score.off_tracks > 3);
}

#[test]
fn the_lease_holds_what_the_camera_does_not() {
    let track = Track::built_in("oval").unwrap();
    let mut staging = small();
    staging.faults = vec![Fault::new(Kind::Spikes, 3)];
    let late = drive(Driver::Scripted, &track, &staging, false);
    // A frame that comes 1.2 s late is none: neutral, latched where it lasts, armed again.
    assert!(late.stops.neutral >= 1, "{:?}", late.stops);
    assert!(late.stops.latched >= 1 && late.stops.armed >= late.stops.latched, "{:?}", late.stops);
    assert!(late.score.immobile >= 1, "a car without evidence stands: {}", late.score);
}

#[test]
fn a_drive_is_told_as_text_as_json_as_a_page_and_as_aws_logs_it() {
    let (_folder, path) = temporary();
    let (page, trace, tape) = (path("page.html"), path("trace.log"), path("drive.mcap"));
    let common =
        ["run", "--rig", "sim", "--laps", "2", "--set", "camera.width=96", "--set", "camera.height=72"];
    let files = ["--report", &page, "--trace", &trace, "--record", &tape];
    let done = run(&[common.as_slice(), files.as_slice()].concat());
    assert_eq!(done.code, 0, "{}", done.errors);
    assert!(done.text.starts_with("2 laps, best 7."), "{}", done.text);
    assert!(
        done.text.contains("scripted driver (no network; ground truth) on oval (12.3 m), look drawn, seed 1"),
        "{}",
        done.text
    );
    let json = run(&[common.as_slice(), &["--json"]].concat());
    let value: serde_json::Value = serde_json::from_str(&json.text).unwrap();
    assert_eq!(value["lap_times_s"].as_array().unwrap().len(), 2);
    assert_eq!((value["off_tracks"].as_u64(), value["ok"].as_bool()), (Some(0), Some(true)));
    let html = std::fs::read_to_string(&page).unwrap();
    for part in
        ["<figure class=\"card\" id=\"map\"><svg", "driven line from dark", "2 laps, best 7.", "ground truth"]
    {
        assert!(html.contains(part), "{part}");
    }
    let log = std::fs::read_to_string(&trace).unwrap();
    let ends: Vec<&str> = log.lines().filter(|line| line.contains("lap_complete")).collect();
    assert!(log.lines().count() > 400 && log.lines().all(|line| line.starts_with("SIM_TRACE_LOG:")));
    assert_eq!(ends.len(), 2, "{ends:?}");
    for (episode, end) in ends.iter().enumerate() {
        assert!(end.starts_with(&format!("SIM_TRACE_LOG:{episode},")) && end.contains(",True,"), "{end}");
    }
    assert_eq!(log.lines().last(), ends.last().copied());
    let inspected = run(&["inspect", &tape]);
    assert!(inspected.code == 0 && inspected.text.contains("sim"), "{}", inspected.text);
}

#[test]
fn tracks_are_listed_drawn_and_written_down() {
    let (_folder, path) = temporary();
    let done = run(&["tracks"]);
    for part in ["oval", "12.28", "hairpin", "chicane", "bean", "⣀", "1 m, counter-clockwise"] {
        assert!(done.text.contains(part), "{part}");
    }
    let (svg, text) = (path("a.svg"), path("a.txt"));
    let done = run(&["tracks", "bean", "--svg", &svg, "--text", &text]);
    assert_eq!(done.code, 0, "{}", done.errors);
    assert!(std::fs::read_to_string(&svg).unwrap().starts_with("<svg "));
    let read = Track::from_text("bean", &std::fs::read_to_string(&text).unwrap()).unwrap();
    assert_eq!(Some(read), Track::built_in("bean"));
    let again = run(&["tracks", "bean", "--svg", &svg]);
    assert!(again.code == 1 && again.errors.contains("--force"), "{}", again.errors);
    let value: serde_json::Value = serde_json::from_str(&run(&["tracks", &text, "--json"]).text).unwrap();
    assert_eq!(value["centre"].as_array().unwrap().len(), 108);
}
