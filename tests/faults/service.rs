//! A car that runs as a service: operators come by a socket and stop it by leaving, and the service manager hears whether
//! it is up and alive. Row 50 in part: an operator who vanishes.

use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::aws::{SHALLOW, network};
use crate::car::{Car, PATIENCE};
use crate::log::Write;
use crate::{ms, now, pauses, signal, within};

/// A car whose guardian listens at a socket, and no terminal.
fn served() -> (Car, String) {
    pauses::watch();
    let mut car = Car::new();
    let socket = car.folder().join("operator").display().to_string();
    car.start(&["--operator", &socket]);
    wait(&car, "the first frame was decided");
    (car, socket)
}

fn wait(car: &Car, words: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !car.words().contains(words) {
        assert!(Instant::now() < deadline, "no {words:?}: {}", car.words());
        sleep(Duration::from_millis(5));
    }
}

fn passing(car: &Car, socket: &str, word: &str) -> String {
    let run = car.command(&["operate", word, "--at", socket]).stdin(Stdio::null()).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(0), "{words}");
    String::from_utf8_lossy(&run.stdout).trim_end().to_owned()
}

/// An operator who stays, and has armed.
fn armed(car: &Car, socket: &str) -> Child {
    let begun = now();
    let mut operate = car
        .command(&["operate", "--at", socket])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    writeln!(operate.stdin.as_mut().unwrap(), "arm").unwrap();
    car.wait_for(begun, "drive", Write::moves);
    operate
}

#[test]
fn an_operator_at_the_socket_arms_and_stops_by_vanishing() {
    let (car, socket) = served();
    assert!(passing(&car, &socket, "status").starts_with("disarmed"), "one who looks changes nothing");
    let mut operate = armed(&car, &socket);
    assert!(passing(&car, &socket, "status").starts_with("ARMED"));
    let killed = now();
    signal(operate.id(), Signal::KILL);
    within("operator killed to neutral", killed, car.neutral_after(killed).at, 110.0);
    operate.wait().unwrap();
    assert!(passing(&car, &socket, "status").starts_with("STOPPED by the operator"));
}

#[test]
fn anybody_may_stop_the_car_and_everybody_hears_of_it() {
    let (car, socket) = served();
    let mut operate = armed(&car, &socket);
    let mut other = UnixStream::connect(&socket).unwrap();
    let asked = now();
    writeln!(other, "stop").unwrap();
    within("another operator's stop to neutral", asked, car.neutral_after(asked).at, 110.0);
    let stands = passing(&car, &socket, "stop");
    assert!(stands.starts_with("STOPPED"), "{stands}");
    let mut lines = BufReader::new(operate.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("ARMED")) && lines.any(|line| line.starts_with("STOPPED")));
    // One who hangs up hears the guardian out and ends well.
    drop(operate.stdin.take());
    assert_eq!(operate.wait().unwrap().code(), Some(0));
}

#[test]
fn nobody_at_the_socket_is_one_clear_error() {
    let car = Car::new();
    let run = car.command(&["operate", "status", "--at", "nowhere"]).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert_eq!(run.status.code(), Some(1));
    assert!(words.contains("nowhere") && words.contains("systemctl start hairpin"), "{words}");
}

#[test]
fn the_service_manager_hears_that_it_is_up_alive_and_ending() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let ear = UnixDatagram::bind(&socket).unwrap();
    ear.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut car = Car::new();
    car.manager = Some(socket);
    car.start(&[]);
    let mut bytes = [0; 256];
    let mut next = || {
        let count = ear.recv(&mut bytes).expect("a word");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    };
    let before: Vec<String> = std::iter::from_fn(|| Some(next()).filter(|word| word != "READY=1")).collect();
    assert!(before.iter().any(|word| word.starts_with("STATUS=disarmed")), "{before:?}");
    // The unit's WatchdogSec is 2 s; four words in a row are closer than that.
    let alive: Vec<Instant> = (0..40)
        .map(|_| next())
        .filter(|word| word.ends_with("WATCHDOG=1"))
        .map(|_| Instant::now())
        .take(4)
        .collect();
    assert!(alive.len() == 4 && alive.windows(2).all(|pair| pair[1] - pair[0] < Duration::from_secs(2)));
    // One that is stopped is silent.
    signal(car.guardian(), Signal::STOP);
    ear.set_read_timeout(Some(Duration::from_millis(1200))).unwrap();
    let mut silent = false;
    for _ in 0..20 {
        if ear.recv(&mut [0; 256]).is_err() {
            silent = true;
            break;
        }
    }
    assert!(silent, "a stopped guardian still says that it is alive");
    signal(car.guardian(), Signal::CONT);
    ear.set_read_timeout(Some(PATIENCE)).unwrap();
    signal(car.guardian(), Signal::TERM);
    let mut last = String::new();
    while !last.starts_with("STOPPING=1") {
        let count = ear.recv(&mut bytes).unwrap_or_else(|error| panic!("{error}: {}", car.words()));
        last = String::from_utf8_lossy(&bytes[..count]).into_owned();
    }
}

/// The figure behind "a second from the start to the first decided frame", for AWS's usual network in full size.
#[test]
fn from_the_start_to_the_first_decided_frame() {
    let mut car = Car::new();
    let trained = car.folder().join("trained");
    fs::create_dir(&trained).unwrap();
    fs::write(trained.join("model.pb"), network(&SHALLOW)).unwrap();
    let actions: Vec<String> = (0..SHALLOW.outputs)
        .map(|index| format!(r#"{{"steering_angle": {}, "speed": 1.0, "index": {index}}}"#, index * 10))
        .collect();
    let metadata = format!(
        r#"{{"action_space": [{}], "sensor": ["FRONT_FACING_CAMERA"], "training_algorithm": "clipped_ppo",
            "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "version": "4"}}"#,
        actions.join(",")
    );
    fs::write(trained.join("model_metadata.json"), metadata).unwrap();
    let import = ["import", "trained", "--name", "shallow"];
    let import = car.command(&import).output().unwrap();
    assert!(import.status.success(), "{}", String::from_utf8_lossy(&import.stderr));
    car.model = car.folder().join("models/shallow");
    for _ in 0..5 {
        let begun = now();
        let socket = car.folder().join("operator").display().to_string();
        let words = car.words().len();
        car.start(&["--operator", &socket]);
        let deadline = Instant::now() + PATIENCE;
        let line = loop {
            let said = car.words()[words..].to_owned();
            if let Some(line) = said.lines().find(|line| line.contains("the first frame was decided")) {
                break line.to_owned();
            }
            assert!(Instant::now() < deadline, "{said}");
            sleep(Duration::from_millis(1));
        };
        println!("SHALLOW: {:.0} ms from outside; it says: {line}", ms(now() - begun));
        let status = passing(&car, &socket, "status");
        assert!(status.starts_with("disarmed"), "{status}");
        let (guardian, driver) = (peak_mb(car.guardian()), peak_mb(car.driver().expect("a driver")));
        println!("the most memory so far: guardian {guardian:.0} MB, driver {driver:.0} MB");
        assert!(driver <= 120.0 && guardian <= 60.0, "{driver} and {guardian} MB");
        signal(car.guardian(), Signal::TERM);
        assert!(car.ended().success());
    }
}

/// The most memory that a process has held, in MB of 2^20 bytes.
fn peak_mb(pid: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}
