//! Rows 14, 17, 19 to 24: what becomes of the pins when a process dies, hangs, is stopped, or starves.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::car::{Car, PATIENCE};
use crate::log::{Pin, evidence};
use crate::{now, pauses, signal, within};

/// A driving car, some frames after it began to move.
fn driving(settings: &[&str]) -> Car {
    pauses::watch();
    let mut car = Car::new();
    car.settings.extend(settings.iter().map(|text| (*text).to_owned()));
    car.drive(&[]);
    sleep(Duration::from_millis(120));
    car
}

/// The last evidence before the first neutral write after `since`, and that write.
fn last_evidence(car: &Car, since: u64) -> (u64, u64) {
    let neutral = car.neutral_after(since).at;
    let last = evidence(&car.log()).into_iter().rfind(|at| *at < neutral).expect("evidence");
    (last, neutral)
}

#[test]
fn a_killed_driver_leaves_neutral_and_a_new_one_starts_disarmed() {
    let mut car = driving(&[]);
    let driver = car.driver().expect("a driver");
    let killed = now();
    signal(driver, Signal::KILL);
    let (last, neutral) = last_evidence(&car, killed);
    within("kill -9 to neutral", killed, neutral, 110.0);
    within("last evidence to neutral", last, neutral, 110.0);
    let deadline = std::time::Instant::now() + PATIENCE;
    while car.driver().is_none_or(|new| new == driver) {
        assert!(std::time::Instant::now() < deadline, "no new driver: {}", car.words());
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(1500));
    let moved = car.writes().into_iter().find(|write| write.at > neutral && write.moves());
    assert!(moved.is_none(), "it moved without being armed: {moved:?}");
    car.arm();
}

#[test]
fn a_stopped_driver_runs_out_of_its_lease_and_is_replaced() {
    let mut car = driving(&[]);
    let driver = car.driver().expect("a driver");
    let stopped = now();
    signal(driver, Signal::STOP);
    let (last, neutral) = last_evidence(&car, stopped);
    within("last evidence to neutral under SIGSTOP", last, neutral, 110.0);
    let deadline = std::time::Instant::now() + PATIENCE;
    while car.driver().is_none_or(|new| new == driver) {
        assert!(std::time::Instant::now() < deadline, "the stopped driver is still there: {}", car.words());
        sleep(Duration::from_millis(10));
    }
    car.arm();
}

#[test]
fn a_hanging_loop_runs_out_of_its_lease_though_the_process_lives() {
    let car = driving(&[]);
    let hung = now();
    car.shim.set("loop_fault", 2);
    let (last, neutral) = last_evidence(&car, hung);
    within("last evidence to neutral with a hanging loop", last, neutral, 110.0);
}

#[test]
fn a_panic_in_the_loop_is_neutral_at_once() {
    let car = driving(&[]);
    car.shim.set("loop_fault", 1);
    let neutral = car.neutral_after(now() - 1).at;
    let panicked = car.shim.events("fault").first().expect("it fired").at;
    within("panic to neutral", panicked, neutral, 20.0);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !car.words().contains("panicked") {
        assert!(std::time::Instant::now() < deadline, "nothing was said: {}", car.words());
        sleep(Duration::from_millis(10));
    }
}

#[test]
fn slow_ticks_are_never_acted_upon_for_long() {
    let car = driving(&[]);
    let slow = now();
    car.shim.set("loop_amount", 150);
    car.shim.set("loop_fault", 3);
    let (last, neutral) = last_evidence(&car, slow);
    within("last evidence to neutral with ticks of 150 ms", last, neutral, 110.0);
    car.shim.set("loop_fault", 0);
}

#[test]
fn memory_that_runs_out_ends_neutral() {
    let car = driving(&[]);
    let driver = car.driver().expect("a driver");
    // A limit on the address space stands for the kernel's: allocations fail, and the process aborts.
    let limited = std::process::Command::new("prlimit")
        .args(["--pid", &driver.to_string(), "--as=1"])
        .status()
        .expect("prlimit");
    assert!(limited.success());
    let begun = now();
    car.shim.set("loop_amount", 64);
    car.shim.set("loop_fault", 4);
    let (last, neutral) = last_evidence(&car, begun);
    within("last evidence to neutral when memory runs out", last, neutral, 110.0);
}

#[test]
fn a_killed_guardian_is_replaced_by_its_driver() {
    let mut car = driving(&[]);
    let guardian = car.guardian();
    let killed = now();
    signal(guardian, Signal::KILL);
    let neutral = car.neutral_after(killed);
    within("kill -9 of the guardian to neutral", killed, neutral.at, 110.0);
    assert_ne!(neutral.pid, guardian);
    let shut = car.wait_for(killed, "gate", |write| write.pin == Pin::Gate && write.value == 1);
    assert!(shut.at > neutral.at, "the gate goes after neutral");
    car.ended();
    assert!(car.is_neutral());
}

#[test]
fn a_stopped_guardian_is_replaced_by_its_driver() {
    let car = driving(&[]);
    let guardian = car.guardian();
    let stopped = now();
    signal(guardian, Signal::STOP);
    let neutral = car.wait_for(stopped, "neutral of the driver", |write| {
        write.pin == Pin::Throttle && !write.moves() && write.pid != guardian
    });
    within("SIGSTOP of the guardian to neutral", stopped, neutral.at, 110.0);
    // Awake again, it finds its driver gone, and opens nothing.
    let woken = now();
    signal(guardian, Signal::CONT);
    sleep(Duration::from_millis(600));
    let wrong = car
        .writes()
        .into_iter()
        .find(|write| write.at > woken && (write.moves() || (write.pin == Pin::Gate && write.value == 0)));
    assert!(wrong.is_none(), "{wrong:?}");
}

#[test]
fn when_both_are_killed_one_command_restores_neutral() {
    let mut car = driving(&[]);
    let (guardian, driver) = (car.guardian(), car.driver().expect("a driver"));
    // Stopped first, so that neither can act for the other.
    signal(driver, Signal::STOP);
    signal(guardian, Signal::KILL);
    signal(driver, Signal::KILL);
    car.ended();
    let begun = now();
    let run = car.command(&["neutral"]).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let neutral = car.neutral_after(begun).at;
    within("start of `hairpin neutral` to neutral", begun, neutral, 300.0);
    assert!(car.is_neutral());
    assert!(!car.stands().2, "the gate is open");
}

#[test]
fn an_operator_who_says_stop_or_leaves_is_obeyed() {
    let mut car = driving(&[]);
    let said = now();
    car.say("");
    within("Enter to neutral", said, car.neutral_after(said).at, 20.0);
    sleep(Duration::from_millis(300));
    assert!(!car.stands().2, "the gate is open after a stop");
    car.arm();
    sleep(Duration::from_millis(120));
    let left = now();
    car.hang_up();
    within("end of the operator's input to neutral", left, car.neutral_after(left).at, 20.0);
}

#[test]
fn ending_is_neutral_then_two_periods_then_the_gate() {
    let mut car = driving(&[]);
    let asked = now();
    signal(car.guardian(), Signal::TERM);
    let neutral = car.neutral_after(asked).at;
    within("SIGTERM to neutral", asked, neutral, 20.0);
    assert!(car.ended().success(), "{}", car.words());
    let shut = car.wait_for(asked, "gate", |write| write.pin == Pin::Gate && write.value == 1);
    assert!(shut.at - neutral >= 40_000_000, "{} ns from neutral to the gate", shut.at - neutral);
    assert!(car.is_neutral());
    assert!(
        fs::read_to_string(car.folder().join("results")).unwrap().contains("driving"),
        "{}",
        car.results()
    );
}

#[test]
fn a_terminal_that_takes_no_words_does_not_hold_the_guardian_up() {
    pauses::watch();
    let mut car = Car::new();
    // A pipe that is full and that nobody reads, in the place of standard error.
    let (reader, writer) = std::io::pipe().unwrap();
    car.start_with(&[], std::process::Stdio::from(full(writer)));
    car.arm();
    for round in 0..3 {
        sleep(Duration::from_millis(200));
        let stopped = now();
        car.say("");
        within(&format!("stop {round} with a deaf terminal"), stopped, car.neutral_after(stopped).at, 20.0);
        car.arm();
    }
    let killed = now();
    signal(car.driver().expect("a driver"), Signal::KILL);
    within("kill -9 with a deaf terminal", killed, car.neutral_after(killed).at, 110.0);
    drop(reader);
}

/// Fills a pipe to the brim.
fn full(writer: std::io::PipeWriter) -> std::io::PipeWriter {
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'.'; 4096]).is_ok() {}
    while rustix::io::write(&writer, b".").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    writer
}

#[test]
fn a_guardian_that_is_killed_while_it_ends_leaves_no_open_gate() {
    for wait in [2, 10, 25] {
        let mut car = driving(&[]);
        let asked = now();
        signal(car.guardian(), Signal::TERM);
        sleep(Duration::from_millis(wait));
        signal(car.guardian(), Signal::KILL);
        car.wait_for(asked, "gate", |write| write.pin == Pin::Gate && write.value == 1);
        car.ended();
        assert!(car.is_neutral() && !car.stands().2, "after {wait} ms: {:?}", car.stands());
    }
}

/// It once hung there, where it was stopped outside its wait: this meets that moment now and then, not every time.
#[test]
fn a_guardian_that_was_stopped_and_asked_to_end_ends() {
    let mut car = driving(&[]);
    let guardian = car.guardian();
    signal(guardian, Signal::STOP);
    sleep(Duration::from_millis(400));
    signal(guardian, Signal::TERM);
    signal(guardian, Signal::CONT);
    car.ended();
    let (_, throttle, open) = car.stands();
    assert!(throttle == 1_446_000 && !open, "{throttle} ns, gate {open}");
}
