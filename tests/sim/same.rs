//! One seed is one drive: the same bytes twice, and on tape for good.

use hairpin::domain::Digest;
use hairpin::sim::Staging;
use hairpin::sim::faults::{Fault, Kind};
use hairpin::track::Track;

use super::command::{run, temporary};
use super::drive::{Driver, drive, small};
use super::matrix::held_against;

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let track = Track::built_in("bean").unwrap();
    let mut staging = small();
    staging.faults = vec![Fault::new(Kind::Drop, 2), Fault::new(Kind::Tear, 1), Fault::new(Kind::Noise, 1)];
    staging.obstacles = 3;
    let tape = |staging: &Staging| drive(Driver::Scripted, &track, staging, true).tape;
    let first = tape(&staging);
    assert!(first.len() > 100_000, "{}", first.len());
    assert!(first == tape(&staging), "the same seed came to other bytes");
    staging.seed = 2;
    assert!(first != tape(&staging), "another seed came to the same bytes");
}

/// The whole program's tape, pinned: debug and release builds, and every machine, are held against the same digests.
#[test]
fn tapes_are_the_same_in_every_build() {
    let (_folder, path) = temporary();
    let small = ["--set", "camera.width=160", "--set", "camera.height=120"];
    let mut lines = Vec::new();
    for (name, arguments) in [
        ("oval", vec![]),
        (
            "hairpin, hall, faults",
            vec![
                "--track",
                "hairpin",
                "--look",
                "hall",
                "--fault",
                "drop:1",
                "--fault",
                "noise:2",
                "--obstacles",
                "4",
                "--seed",
                "7",
            ],
        ),
        (
            "bean, training, 320x120",
            vec!["--track", "bean", "--look", "training", "--set", "camera.width=320"],
        ),
    ] {
        let tape = path(&format!("{}.mcap", lines.len()));
        let mut all = vec!["run", "--rig", "sim", "--record", &tape];
        all.extend(small);
        all.extend(&arguments);
        let done = run(&all);
        assert_eq!(done.code, 0, "{}", done.errors);
        lines.push(format!("{name}: {}", Digest::of(&std::fs::read(&tape).unwrap())));
    }
    held_against("sim_tapes.txt", &lines);
}

#[test]
fn a_drive_replays_with_no_differing_bit() {
    let (_folder, path) = temporary();
    for (model, speed) in [("scripted", "50"), ("models/line-follower", "20")] {
        let tape = path(&format!("{speed}.mcap"));
        let speed = format!("drive.speed_percent={speed}");
        let done = run(&[
            "run",
            "--rig",
            "sim",
            "--model",
            model,
            "--record",
            &tape,
            "--set",
            "camera.width=160",
            "--set",
            "camera.height=120",
            "--set",
            &speed,
            "--fault",
            "tear:1",
        ]);
        assert_eq!(done.code, 0, "{}", done.errors);
        let replayed = run(&["replay", &tape, "--model", model, "--expect"]);
        assert_eq!(replayed.code, 0, "{}{}", replayed.text, replayed.errors);
        assert!(
            replayed.text.starts_with("equal: ") && replayed.text.contains("0 differing bits"),
            "{}",
            replayed.text
        );
        assert_eq!(replayed.text.contains("scripted driver (no network; ground truth)"), model == "scripted");
    }
    // One driver's tape through the other: run, and not taken for the same.
    let other = run(&["replay", &path("20.mcap"), "--model", "scripted"]);
    assert_eq!(other.code, 1);
    assert!(other.errors.contains("lacks the scripted driver's advice"), "{}", other.errors);
}
