//! Rows 33 to 36, 53, 54: what is refused before a pin is touched, with the path and the remedy.

use std::fs;
use std::process::Output;

use crate::car::{Car, MODEL, root};
use crate::now;

fn refused(car: &Car, more: &[&str]) -> String {
    let model = root(MODEL).display().to_string();
    let verb: Vec<&str> = ["run", "--model", &model].into_iter().chain(more.iter().copied()).collect();
    let Output { status, stderr, .. } =
        car.command(&verb).stdin(std::process::Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&stderr).into_owned();
    assert_eq!(status.code(), Some(1), "{words}");
    assert!(!car.writes().iter().any(crate::log::Write::moves), "{words}");
    println!("{}", words.replace(&car.folder().display().to_string(), "CAR"));
    words
}

#[test]
fn a_second_instance_is_refused_and_the_first_drives_on() {
    let mut car = Car::new();
    car.drive(&[]);
    let begun = now();
    let words = refused_beside(&car);
    assert!(words.contains(&car.guardian().to_string()), "it does not say who: {words}");
    let theirs = car.writes().into_iter().find(|write| write.at > begun && write.pid != car.guardian());
    assert!(theirs.is_none(), "the second one wrote to a pin: {theirs:?}");
    car.wait_for(now(), "drive", crate::log::Write::moves);
}

fn refused_beside(car: &Car) -> String {
    let model = root(MODEL).display().to_string();
    let begun = std::time::Instant::now();
    let run = car.command(&["run", "--model", &model]).stdin(std::process::Stdio::null()).output().unwrap();
    println!("a second instance ends after {:.0} ms", begun.elapsed().as_secs_f64() * 1e3);
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1), "{words}");
    println!("{}", words.replace(&car.folder().display().to_string(), "CAR"));
    words
}

#[test]
fn a_missing_chip_is_named_with_its_remedy() {
    let car = Car::new();
    fs::remove_dir_all(car.tree("sys/class/pwm")).unwrap();
    let mut car = car;
    car.settings.push("car.board=deepracer".to_owned());
    let words = refused(&car, &[]);
    assert!(words.contains("sys/class/pwm") && words.contains("drive battery"), "{words}");
}

#[test]
fn a_file_that_cannot_be_written_is_named_with_its_remedy() {
    let car = Car::new();
    // Permissions mean nothing to root; a folder in the file's place refuses everybody.
    let duty = car.tree("sys/class/pwm/pwmchip0/pwm0/duty_cycle");
    fs::remove_file(&duty).unwrap();
    fs::create_dir(&duty).unwrap();
    let words = refused(&car, &[]);
    assert!(words.contains("pwm0/duty_cycle"), "{words}");
}

#[test]
fn a_busy_export_is_no_obstacle() {
    let mut car = Car::new();
    // Export refuses, as it does where somebody has exported the channel; the channel is there.
    let export = car.tree("sys/class/pwm/pwmchip0/export");
    fs::remove_file(&export).unwrap();
    fs::create_dir(&export).unwrap();
    car.drive(&[]);
}

#[test]
fn a_car_that_nobody_calibrated_is_not_driven() {
    let car = Car::new();
    fs::remove_file(car.tree("opt/aws/deepracer/calibration.json")).unwrap();
    let words = refused(&car, &[]);
    assert!(words.contains("calibration.json") && words.contains("hairpin calibrate"), "{words}");
}

#[test]
fn inverted_and_out_of_range_calibrations_are_refused() {
    for (servo, wanted) in [
        (r#"{"min": 1700000, "mid": 1450000, "max": 1750000, "polarity": 1}"#, "not in order"),
        (r#"{"min": 200000, "mid": 1450000, "max": 1700000, "polarity": 1}"#, "1000000 to 2000000"),
        (r#"{"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 3}"#, "polarity"),
        (r#"{"min": 1200000, "mid": 1450000}"#, "no such key"),
    ] {
        let car = Car::new();
        let motor = r#"{"min": 1311000, "mid": 1446000, "max": 1603500, "polarity": -1}"#;
        let text = format!(r#"{{"Calibration": {{"Servo": {servo}, "Motor": {motor}, "version": 1}}}}"#);
        fs::write(car.tree("opt/aws/deepracer/calibration.json"), text).unwrap();
        let words = refused(&car, &[]);
        assert!(words.contains("calibration.json") && words.contains(wanted), "{wanted}: {words}");
    }
}

#[test]
fn a_setting_that_does_not_exist_is_refused_by_name() {
    let mut car = Car::new();
    car.settings.push("guardian.leese_ms=100".to_owned());
    let words = refused(&car, &[]);
    assert!(words.contains("guardian.leese_ms") && words.contains("lease_ms"), "{words}");
}

#[test]
fn a_car_without_a_camera_is_refused_and_left_neutral() {
    let car = Car::new();
    car.pull(0);
    let words = refused(&car, &[]);
    assert!(words.contains("camera"), "{words}");
    assert!(car.is_neutral() && !car.stands().2, "{:?}", car.stands());
}

#[test]
fn a_model_that_is_none_is_refused_before_any_pin_is_touched() {
    let car = Car::new();
    let run = car.command(&["run", "--model", "nowhere"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(words.contains("nowhere") && words.contains("hairpin import"), "{words}");
    assert!(car.writes().is_empty());
}

#[test]
fn a_stop_before_the_first_frame_is_not_driven_over() {
    let mut car = Car::new();
    car.start(&["--arm"]);
    car.say("");
    std::thread::sleep(std::time::Duration::from_secs(3));
    let moved = car.writes().into_iter().find(crate::log::Write::moves);
    assert!(moved.is_none(), "{moved:?}: {}", car.words());
    car.arm();
}

#[test]
fn a_wish_to_arm_does_not_wait_for_ever() {
    let mut car = Car::new();
    car.start(&[]);
    std::thread::sleep(std::time::Duration::from_millis(1200));
    car.say("arm");
    std::thread::sleep(std::time::Duration::from_millis(150));
    car.shim.set("stall", 1);
    std::thread::sleep(std::time::Duration::from_secs(6));
    assert!(!car.stands().2, "the gate is still open: {}", car.words());
    car.shim.set("stall", 0);
    std::thread::sleep(std::time::Duration::from_secs(3));
    let moved = car.writes().into_iter().find(crate::log::Write::moves);
    assert!(moved.is_none(), "it drove off by itself: {}", car.words());
    car.arm();
}

#[test]
fn neutral_needs_no_settings_that_are_right() {
    let mut car = Car::new();
    car.drive(&[]);
    let (guardian, driver) = (car.guardian(), car.driver().expect("a driver"));
    for (pid, signal) in [(driver, "STOP"), (guardian, "KILL"), (driver, "KILL")] {
        crate::signal(
            pid,
            match signal {
                "STOP" => rustix::process::Signal::STOP,
                _ => rustix::process::Signal::KILL,
            },
        );
    }
    car.ended();
    fs::write(car.folder().join("hairpin.toml"), "[guardian]\nleese_ms = 1\n").unwrap();
    let run = car.command(&["neutral"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{words}");
    assert!(words.contains("leese_ms"), "it does not say what is wrong: {words}");
    assert!(car.is_neutral() && !car.stands().2, "{:?}", car.stands());
}
