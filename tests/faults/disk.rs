//! Rows 25, 26: a disk that is full or slow is nothing to the drive.

use std::thread::sleep;
use std::time::Duration;

use hairpin::tape::Tape;
use rustix::process::Signal;

use crate::car::Car;
use crate::{now, pauses, signal};

/// The longest time between two pieces of evidence, while nothing but the disk fails.
fn longest_gap_ms(car: &Car, since: u64) -> f64 {
    let times: Vec<u64> = crate::log::evidence(&car.log()).into_iter().filter(|at| *at > since).collect();
    let gap = times
        .windows(2)
        .map(|pair| pair[1] - pair[0] - pauses::between(pair[0], pair[1]).min(pair[1] - pair[0]))
        .max();
    crate::ms(gap.expect("evidence"))
}

fn recording() -> (Car, std::path::PathBuf) {
    pauses::watch();
    let mut car = Car::new();
    let tape = car.folder().join("drive.mcap");
    car.drive(&["--record", &tape.display().to_string()]);
    sleep(Duration::from_millis(700));
    (car, tape)
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_drive() {
    let (mut car, tape) = recording();
    let full = now();
    car.shim.set("disk_errno", 28);
    sleep(Duration::from_secs(2));
    let gap = longest_gap_ms(&car, full);
    println!("full disk: longest time between two pieces of evidence {gap:.1} ms");
    assert!(gap < 100.0, "{gap} ms");
    assert!(
        car.writes().iter().any(|write| write.at > full + 1_500_000_000 && write.moves()),
        "{}",
        car.words()
    );
    assert!(car.words().contains("the recording ends here"), "{}", car.words());
    car.shim.set("disk_errno", 0);
    signal(car.guardian(), Signal::TERM);
    car.ended();
    let kept = Tape::open(&tape).expect("readable to the last synced chunk");
    assert!(kept.ticks() > 10, "{} ticks", kept.ticks());
}

#[test]
fn a_disk_that_takes_seconds_is_not_waited_for() {
    let (car, _) = recording();
    let slow = now();
    car.shim.set("sync_ms", 5000);
    sleep(Duration::from_secs(3));
    let gap = longest_gap_ms(&car, slow);
    println!("fsync of 5 s: longest time between two pieces of evidence {gap:.1} ms");
    assert!(gap < 100.0, "{gap} ms");
    assert!(
        car.shim.events("fault").iter().any(|event| event.rest.first().is_some_and(|what| what == "sync"))
    );
    car.shim.set("sync_ms", 0);
}
