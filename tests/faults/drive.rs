//! The drive itself: frames in, pulses out, and the tape of it replayed to the same pulses.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use hairpin::domain::{Applied, Pulses};
use hairpin::tape::Tape;
use hairpin::vehicle::Calibration;
use rustix::process::Signal;

use crate::car::Car;
use crate::log::{Pin, counts};
use crate::{pauses, signal};

/// Pulses of the tape's decisions, as the chip tells them apart, without repeats.
fn told(ticks: impl Iterator<Item = Pulses>, which: impl Fn(Pulses) -> i64) -> Vec<i64> {
    let mut steps: Vec<i64> = ticks.map(|pulses| counts(which(pulses))).collect();
    steps.dedup();
    steps
}

#[test]
fn what_was_driven_is_what_a_replay_decides() {
    pauses::watch();
    let mut car = Car::new();
    let tape = car.folder().join("drive.mcap");
    car.drive(&["--record", &tape.display().to_string()]);
    sleep(Duration::from_secs(4));
    signal(car.guardian(), Signal::TERM);
    assert!(car.ended().success(), "{}", car.words());
    let writes = car.writes();

    let neutral = Calibration::factory().neutral();
    let recorded = Tape::open(&tape).unwrap();
    let ticks: Vec<_> = recorded.records().filter_map(|record| record.tick).collect();
    // What the guardian did not let through was neutral on the pins; the tick after it says so.
    let let_through = |pair: &[hairpin::domain::Tick]| pair[1].inputs.previous.applied == Applied::Written;
    let decided: Vec<Pulses> = ticks
        .windows(2)
        .map(|pair| if let_through(pair) { pair[0].decision.pulses } else { neutral })
        .collect();
    assert!(decided.len() > 100, "{} ticks: {}", decided.len(), car.words());
    for (pin, which) in [
        (Pin::Throttle, (|pulses: Pulses| i64::from(pulses.throttle.ns())) as fn(Pulses) -> i64),
        (Pin::Steering, |pulses: Pulses| i64::from(pulses.steering.ns())),
    ] {
        // Exact widths: each that was written while driving is one that was decided, in the same order.
        let mut widths: Vec<i64> =
            writes.iter().filter(|write| write.pin == pin).map(|write| counts(write.value)).collect();
        widths.dedup();
        // The guardian ends neutral, which nobody decides.
        let mut wanted = told(decided.iter().copied().chain([neutral]), which);
        wanted.dedup();
        assert_eq!(widths, wanted, "{pin:?}: written against decided");
        let exact = writes.iter().filter(|write| write.pin == pin);
        let known: Vec<i64> = decided.iter().chain([&neutral]).map(|pulses| which(*pulses)).collect();
        for write in exact {
            let twin = |ns: &i64| {
                *ns == write.value || ((ns - write.value).abs() == 1 && counts(*ns) == counts(write.value))
            };
            assert!(known.iter().any(twin), "{pin:?}: {} was never decided", write.value);
        }
    }
    println!("{} ticks, {} writes to the pins", decided.len(), writes.len());

    // The same tape through the same program, held against itself.
    let model = car.model.display().to_string();
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .args(["replay", &tape.display().to_string(), "--model", &model, "--expect"])
        .current_dir(car.folder())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&run.stdout).into_owned();
    assert!(run.status.success(), "{words}{}", String::from_utf8_lossy(&run.stderr));
    assert!(words.contains("0 differing bits"), "{words}");
    println!("{}", words.lines().next().unwrap_or_default());
}

#[test]
fn the_gate_opens_over_neutral_alone_and_nothing_moves_unarmed() {
    let mut car = Car::new();
    car.start(&[]);
    sleep(Duration::from_millis(1500));
    assert!(!car.writes().iter().any(crate::log::Write::moves), "it moved unarmed");
    assert!(
        !car.writes().iter().any(|write| write.pin == Pin::Gate && write.value == 0),
        "the gate opened unarmed"
    );
    car.arm();
    let writes = car.writes();
    let open =
        writes.iter().position(|write| write.pin == Pin::Gate && write.value == 0).expect("the gate opened");
    let before = writes[..open].iter().rfind(|write| write.pin == Pin::Throttle).expect("a write before it");
    assert!(!before.moves(), "{before:?} stood on the pin when the gate opened");
    let moved = writes.iter().find(|write| write.moves()).expect("it moves");
    let held = moved.at - writes[open].at;
    assert!(held >= 500_000_000, "neutral was held for {held} ns");
}

#[test]
fn the_real_gate_code_runs_on_a_tree_as_well() {
    // The shim sends /sys/class/gpio to the tree, so that linux-embedded-hal's own pin opens and shuts it.
    let mut car = Car::new();
    car.settings.push("car.gate=gpio:436".to_owned());
    car.drive(&[]);
    assert!(car.stands().2, "the gate is open while it drives");
    car.say("quit");
    car.ended();
    assert!(!car.stands().2);
    assert_eq!(fs::read_to_string(car.tree("sys/class/gpio/gpio436/value")).unwrap().trim(), "1");
}
