//! The other commands of the hardware edge, on the same car.

use std::fs;

use hairpin::tape::Tape;

use crate::car::Car;
use crate::log::{Pin, Write};

#[test]
fn what_is_recorded_is_what_the_camera_sent_and_nothing_moves() {
    let car = Car::new();
    let tape = car.folder().join("lap.mcap");
    let run =
        car.command(&["record", &tape.display().to_string(), "--seconds", "2", "--json"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{words}{}", String::from_utf8_lossy(&run.stderr));
    println!("{words}");
    assert!(!car.writes().iter().any(Write::moves));
    assert!(!car.writes().iter().any(|write| write.pin == Pin::Gate && write.value == 0), "the gate opened");
    let recorded = Tape::open(&tape).unwrap();
    let sent: Vec<Vec<u8>> = (0..)
        .map(|number| fs::read(car.folder().join(format!("frames/{number:04}.jpg"))))
        .map_while(Result::ok)
        .collect();
    let frames: Vec<(u64, &[u8])> = recorded
        .records()
        .filter_map(|record| record.frame)
        .map(|frame| (frame.seq.0, frame.left.bytes))
        .collect();
    assert!(frames.len() > 30, "{} frames in two seconds", frames.len());
    let first =
        sent.iter().position(|bytes| bytes.as_slice() == frames[0].1).expect("a picture of the camera's");
    // On a busy machine a newer frame overtakes; the numbers say which one it is.
    for (number, frame) in &frames {
        let at = first + usize::try_from(number - frames[0].0).unwrap();
        assert!(*frame == sent[at % sent.len()].as_slice(), "frame {number}");
    }
}

#[test]
fn the_doctor_is_content_with_a_good_car_and_names_who_drives_it() {
    let mut car = Car::new();
    let doctor = |car: &Car| {
        let run = car.command(&["doctor"]).output().unwrap();
        (run.status.code(), String::from_utf8_lossy(&run.stdout).into_owned())
    };
    let (code, words) = doctor(&car);
    assert_eq!(code, Some(0), "{words}");
    assert!(car.writes().is_empty(), "the doctor wrote to a pin");
    car.drive(&[]);
    let (code, words) = doctor(&car);
    assert_eq!(code, Some(5), "{words}");
    // Who it is stands in /proc, which this tree does not have.
    assert!(words.contains("pins in use    wrong"), "{words}");
    assert!(car.writes().iter().any(Write::moves));
}

#[test]
fn a_calibration_is_shown_as_it_is_in_use() {
    let car = Car::new();
    let run = car.command(&["calibrate", "--show", "--json"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{words}");
    assert!(words.contains("1446000") && words.contains("calibration.json"), "{words}");
    // Without a terminal there is nobody to guide.
    let run = car.command(&["calibrate"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{words}");
    assert!(words.contains("terminal"), "{words}");
    assert!(car.writes().is_empty());
}
