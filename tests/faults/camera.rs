//! Rows 1 to 12 and 55: what becomes of the pins when the camera fails, lies, or goes blind.

use std::thread::sleep;
use std::time::Duration;

use crate::car::Car;
use crate::log::evidence;
use crate::{now, pauses, within};

fn driving() -> Car {
    pauses::watch();
    let mut car = Car::new();
    car.drive(&[]);
    sleep(Duration::from_millis(200));
    car
}

/// Sets a word and holds the time from the last evidence to neutral against the bound.
fn renews_nothing(word: &str, value: u32) -> Car {
    let car = driving();
    let set = now();
    car.shim.set(word, value);
    let neutral = car.neutral_after(set).at;
    let last = evidence(&car.log()).into_iter().rfind(|at| *at < neutral).expect("evidence");
    within(&format!("{word}: last evidence to neutral"), last, neutral, 110.0);
    car
}

/// The car drives on by itself when the fault is gone soon enough.
fn heals(car: &Car, word: &str) {
    car.shim.set(word, 0);
    let cleared = now();
    let moves = car.wait_for(cleared, "drive", crate::log::Write::moves);
    println!("{word}: drives on {:.0} ms after it is gone", crate::ms(moves.at - cleared));
}

#[test]
fn a_stall_runs_out_of_its_lease_and_heals() {
    let car = renews_nothing("stall", 1);
    heals(&car, "stall");
}

#[test]
fn a_stall_that_lasts_is_latched() {
    let mut car = renews_nothing("stall", 1);
    sleep(Duration::from_millis(1800));
    car.shim.set("stall", 0);
    let cleared = now();
    sleep(Duration::from_secs(1));
    assert!(!car.writes().iter().any(|write| write.at > cleared && write.moves()), "it drove on by itself");
    car.arm();
}

#[test]
fn error_flags_empty_and_overlong_buffers_are_no_evidence() {
    for word in ["error_flag", "zero_length", "over_long"] {
        let car = renews_nothing(word, 1);
        heals(&car, word);
    }
}

#[test]
fn torn_pictures_and_garbage_are_no_evidence() {
    for word in ["torn", "garbage"] {
        let car = renews_nothing(word, 1);
        heals(&car, word);
    }
}

#[test]
fn old_stamps_and_stamps_that_go_back_are_no_evidence() {
    let car = renews_nothing("old_stamp", 1);
    heals(&car, "old_stamp");
    let car = renews_nothing("back_ms", 400);
    heals(&car, "back_ms");
}

#[test]
fn a_frozen_picture_is_neutral_at_the_third() {
    let car = driving();
    let set = now();
    car.shim.set("frozen", 1);
    let neutral = car.neutral_after(set).at;
    // The picture that is repeated, and its repeats: the third repeat is the detection.
    let shown: Vec<u64> =
        car.shim.events("dqbuf").into_iter().map(|event| event.at).filter(|at| *at > set).collect();
    let seen = shown.iter().filter(|at| **at < neutral).count();
    println!("frozen: neutral after {seen} frames");
    let detected = *shown.iter().rfind(|at| **at < neutral).expect("frames");
    within("frozen picture: detection to neutral", detected, neutral, 20.0);
    assert!(seen <= 4, "{seen} frames");
}

#[test]
fn a_covered_lens_is_neutral_within_five_frames() {
    let car = driving();
    let set = now();
    car.shim.set("black", 1);
    within("covered lens to neutral", set, car.neutral_after(set).at, 210.0);
    heals(&car, "black");
}

#[test]
fn an_unplugged_camera_is_neutral_and_found_again_under_another_number() {
    let mut car = driving();
    let pulled = now();
    car.pull(0);
    let neutral = car.neutral_after(pulled).at;
    let log = car.log();
    let last = evidence(&log).into_iter().rfind(|at| *at < neutral).expect("evidence");
    within("unplugged: last evidence to neutral", last, neutral, 110.0);
    car.plug(3);
    let plugged = now();
    let deadline = std::time::Instant::now() + crate::car::PATIENCE;
    let opened = loop {
        let found = car.log().into_iter().find(|event| {
            event.at > plugged
                && event.what == "dqbuf"
                && event.rest.first().is_some_and(|node| node == "video3")
        });
        if let Some(event) = found {
            break event.at;
        }
        assert!(std::time::Instant::now() < deadline, "never found: {}", car.words());
        sleep(Duration::from_millis(10));
    };
    within("replugged as video3: first frame", plugged, opened, 2000.0);
    sleep(Duration::from_millis(300));
    car.arm();
}

#[test]
fn a_loose_plug_is_not_driven_by() {
    let mut car = driving();
    for _ in 0..6 {
        car.pull(0);
        sleep(Duration::from_millis(150));
        car.shim.set("unplug", 0);
        car.plug(0);
        let plugged = now();
        let deadline = std::time::Instant::now() + crate::car::PATIENCE;
        while !car.shim.events("dqbuf").iter().any(|event| event.at > plugged) {
            assert!(std::time::Instant::now() < deadline, "never found: {}", car.words());
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(400));
    }
    let steady = now();
    for _ in 0..4 {
        car.say("arm");
        sleep(Duration::from_millis(700));
    }
    let moved = car.writes().into_iter().find(|write| write.at > steady && write.moves());
    assert!(moved.is_none(), "it drove by a camera that was lost six times: {moved:?}");
}

#[test]
fn a_camera_that_fails_is_neutral_twenty_milliseconds_after_the_error() {
    let car = driving();
    let set = now();
    car.shim.set("dqbuf_errno", 5);
    let neutral = car.neutral_after(set).at;
    // The stream is closed upon the error: that is when it was known.
    let closed = car.log().into_iter().find(|event| event.at > set && event.what == "streamoff");
    let known = closed.expect("the stream ends").at;
    within("camera error to neutral", known, neutral, 20.0);
    car.shim.set("dqbuf_errno", 0);
}

#[test]
fn a_camera_below_ten_frames_a_second_does_not_keep_the_lease() {
    let car = driving();
    car.shim.set("rate_mhz", 6000);
    sleep(Duration::from_millis(400));
    let slow = now();
    let neutral = car.neutral_after(slow).at;
    let last = evidence(&car.log()).into_iter().rfind(|at| *at < neutral).expect("evidence");
    within("6 frames a second: last evidence to neutral", last, neutral, 110.0);
}
