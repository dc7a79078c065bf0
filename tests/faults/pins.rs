//! Rows 30 to 32: pins that fail, hang, or are moved by somebody else.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use crate::car::Car;
use crate::log::{Pin, Write};
use crate::{now, pauses, within};

/// The bit of `duty_cycle` in the shim's match words.
const DUTY: u32 = 1;

fn driving() -> Car {
    pauses::watch();
    let mut car = Car::new();
    car.drive(&[]);
    sleep(Duration::from_millis(200));
    car
}

fn shuts(write: &Write) -> bool {
    write.pin == Pin::Gate && write.value == 1
}

#[test]
fn a_write_that_fails_shuts_the_gate_and_pins_that_answer_again_want_arming() {
    let mut car = driving();
    let begun = now();
    car.shim.set("guardian_errno", 5);
    car.shim.set("guardian_match", DUTY);
    let shut = car.wait_for(begun, "gate", shuts).at;
    let failed = car
        .log()
        .into_iter()
        .find(|event| event.at >= begun && event.what == "writefail")
        .expect("a failure")
        .at;
    within("failed write to gate", failed, shut, 50.0);
    sleep(Duration::from_millis(1200));
    car.shim.set("guardian_match", 0);
    let healed = now();
    sleep(Duration::from_millis(1200));
    assert!(!car.writes().iter().any(|write| write.at > healed && write.moves()), "it drove on by itself");
    assert!(car.is_neutral(), "{:?}", car.stands());
    assert!(car.words().contains("the pins answer again"), "{}", car.words());
    car.arm();
}

#[test]
fn one_failed_write_is_repeated_and_nothing_else_happens() {
    let car = driving();
    let begun = now();
    car.shim.set("guardian_count", 0);
    car.shim.set("guardian_nth", 1);
    car.shim.set("guardian_errno", 121);
    car.shim.set("guardian_match", DUTY);
    sleep(Duration::from_millis(400));
    assert!(car.log().iter().any(|event| event.at > begun && event.what == "writefail"));
    assert!(!car.writes().iter().any(|write| write.at > begun && shuts(write)), "{}", car.words());
}

#[test]
fn a_write_that_hangs_has_the_gate_shut_by_the_second_pair_of_eyes() {
    let car = driving();
    let begun = now();
    car.shim.set("guardian_hang_ms", 1000);
    car.shim.set("guardian_match", DUTY);
    let shut = car.wait_for(begun, "gate", shuts).at;
    let hung = car.shim.events("fault").first().expect("it hung").at;
    within("hanging write to gate", hung, shut, 50.0);
    car.shim.set("guardian_match", 0);
    car.shim.set("guardian_hang_ms", 0);
    sleep(Duration::from_millis(1500));
    assert!(car.is_neutral(), "{:?}: {}", car.stands(), car.words());
}

#[test]
fn pins_that_somebody_else_moves_are_set_right_and_then_given_up() {
    let car = driving();
    let duty = car.tree("sys/class/pwm/pwmchip0/pwm0/duty_cycle");
    // Somebody who writes all the time, as a second stack would.
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let theirs = stop.clone();
    let meddler = std::thread::spawn(move || {
        while !theirs.load(std::sync::atomic::Ordering::Relaxed) {
            fs::write(&duty, "1350000\n").unwrap();
            sleep(Duration::from_millis(3));
        }
    });
    let begun = now();
    let shut = car.wait_for(begun, "gate", shuts).at;
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    meddler.join().unwrap();
    within("meddling to gate", begun, shut, 400.0);
    assert!(car.words().contains("somebody else"), "{}", car.words());
    sleep(Duration::from_millis(300));
    assert!(car.is_neutral(), "{:?}", car.stands());
}

#[test]
fn a_gate_that_somebody_else_shuts_stays_shut() {
    let mut car = driving();
    let begun = now();
    let run = car.command(&["neutral"]).output().unwrap();
    assert!(run.status.success());
    car.wait_for(begun, "neutral", |write| write.pin == Pin::Throttle && !write.moves());
    sleep(Duration::from_millis(400));
    let opened =
        car.writes().into_iter().find(|write| write.at > begun && write.pin == Pin::Gate && write.value == 0);
    assert!(opened.is_none(), "the gate was opened again: {opened:?}");
    assert!(!car.stands().2);
    assert!(car.is_neutral(), "{:?}", car.stands());
    car.arm();
}

#[test]
fn a_foreign_pulse_does_not_stand_while_steering_keeps_changing() {
    pauses::watch();
    let mut car = Car::new();
    car.alternate();
    car.drive(&[]);
    sleep(Duration::from_millis(300));
    for _ in 0..5 {
        let duty = car.tree("sys/class/pwm/pwmchip0/pwm0/duty_cycle");
        let before = fs::read_to_string(&duty).unwrap();
        fs::write(&duty, "1311000\n").unwrap();
        let begun = now();
        let deadline = std::time::Instant::now() + crate::car::PATIENCE;
        while fs::read_to_string(&duty).unwrap() == "1311000\n" {
            assert!(std::time::Instant::now() < deadline, "it stands: {}", car.words());
            sleep(Duration::from_millis(1));
        }
        within("a foreign pulse, set right", begun, now(), 115.0);
        assert_ne!(before, "1311000\n");
        sleep(Duration::from_millis(350));
    }
}

#[test]
fn a_gate_that_failed_for_a_while_can_be_armed_again() {
    let mut car = driving();
    let begun = now();
    car.shim.set("guardian_errno", 5);
    car.shim.set("guardian_match", 2);
    car.say("");
    car.neutral_after(begun);
    sleep(Duration::from_millis(800));
    car.shim.set("guardian_match", 0);
    car.wait_for(begun, "gate", shuts);
    sleep(Duration::from_millis(700));
    car.arm();
}
