//! `hairpin calibrate` on a pseudo terminal: what becomes of a motor that it turned when the program dies or is stopped.

use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::car::{Car, PATIENCE};
use crate::log::Pin;
use crate::{now, pauses, signal, within};

/// A calibration with a motor that turns.
struct Turning {
    car: Car,
    child: Child,
    keys: File,
}

fn turning() -> Turning {
    pauses::watch();
    let car = Car::new();
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
    let end = || File::options().read(true).write(true).open(&name).unwrap();
    let words = File::options().create(true).append(true).open(car.folder().join("words")).unwrap();
    let child = car
        .command(&["calibrate"])
        .stdin(Stdio::from(end()))
        .stdout(Stdio::from(end()))
        .stderr(words)
        .spawn()
        .unwrap();
    let mut keys = File::from(master);
    // Somebody has to read the screen, or the terminal fills up.
    let mut screen = keys.try_clone().unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while screen.read(&mut bytes).is_ok_and(|count| count > 0) {}
    });
    let begun = now();
    car.wait_for(begun - 1, "neutral at the start", |write| write.pin == Pin::Throttle);
    keys.write_all(b"wheels up\r").unwrap();
    car.wait_for(begun, "power", |write| write.pin == Pin::Gate && write.value == 0);
    sleep(Duration::from_millis(700));
    // Past the servo, to the motor's stop point.
    keys.write_all(b"s").unwrap();
    sleep(Duration::from_millis(200));
    let deadline = Instant::now() + PATIENCE;
    while !car.writes().iter().any(crate::log::Write::moves) {
        assert!(Instant::now() < deadline, "the motor never turned: {}", car.words());
        keys.write_all(b">").unwrap();
        sleep(Duration::from_millis(100));
    }
    Turning { car, child, keys }
}

#[test]
fn a_killed_calibration_is_made_neutral_by_who_stands_by() {
    let Turning { car, mut child, keys } = turning();
    let killed = now();
    signal(child.id(), Signal::KILL);
    within("kill -9 of calibrate to neutral", killed, car.neutral_after(killed).at, 110.0);
    let shut = car.wait_for(killed, "gate", |write| write.pin == Pin::Gate && write.value == 1);
    println!("and the gate after {:.0} ms", crate::ms(shut.at - killed));
    child.wait().unwrap();
    drop(keys);
    assert!(car.is_neutral());
}

#[test]
fn a_stopped_calibration_is_made_neutral_by_who_stands_by() {
    let Turning { car, mut child, keys } = turning();
    let stopped = now();
    signal(child.id(), Signal::STOP);
    let theirs = car.wait_for(stopped, "neutral", |write| write.pin == Pin::Throttle && !write.moves());
    within("SIGSTOP of calibrate to neutral", stopped, theirs.at, 700.0);
    car.wait_for(stopped, "gate", |write| write.pin == Pin::Gate && write.value == 1);
    signal(child.id(), Signal::KILL);
    child.wait().unwrap();
    drop(keys);
}
