//! The shim itself: that its faults happen where and when its words say, and that its log tells it. Every test runs itself
//! again under it.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/shim.rs"]
mod shim;

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixDatagram;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use hairpin::hal::clock::Clock;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

use crate::shim::Shim;

/// Runs `body` in a process of its own, as the driver or as the guardian; the outer process gets what became of it.
fn alone(name: &str, driver: bool, body: impl FnOnce(&Path, &Shim)) -> Option<Output> {
    if let Some(folder) = env::var_os("HAIRPIN_SHIM") {
        let folder = PathBuf::from(folder);
        body(folder.parent().unwrap(), &Shim::at(&folder));
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let shim = Shim::at(&folder.path().join("shim"));
    let mut again = Command::new(env::current_exe().unwrap());
    shim.preload(&mut again).args([name, "--exact", "--nocapture"]);
    again.env("HAIRPIN_SHIM_SYS", folder.path().join("board"));
    if driver {
        again.env("HAIRPIN_DRIVER", "1");
    }
    Some(again.output().unwrap())
}

fn fine(run: Option<Output>) {
    let Some(run) = run else { return };
    let (words, errors) = (String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    assert!(run.status.success() && words.contains("1 passed"), "{words}{errors}");
}

/// What a piece of work took.
fn took(work: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    work();
    begun.elapsed()
}

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

#[test]
fn the_words_have_their_places() {
    let words: Vec<&str> = Shim::words().collect();
    assert_eq!((words[0], words[1], *words.last().unwrap()), ("ready", "nodes", "allocations"));
    let mut once = words.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), words.len());
    fine(alone("the_words_have_their_places", false, |_, shim| {
        // The first word and a counter near the last are the shim's own: all in between lie right.
        assert_eq!(shim.get("ready"), 1);
        shim.set("counting", 1);
        drop(Box::new(env::args().count()));
        shim.set("counting", 0);
        assert!(shim.get("allocations") > 0);
    }));
}

#[test]
fn pins_are_logged_fail_and_hang() {
    fine(alone("pins_are_logged_fail_and_hang", false, |folder, shim| {
        let path = folder.join("duty_cycle");
        let (clock, gate) = (Clock::new(), folder.join("value"));
        let before = clock.now();
        let pin = File::create(&path).unwrap();
        pin.write_all_at(b"1446000\n", 0).unwrap();
        fs::write(&gate, "0").unwrap();
        let after = clock.now();
        let written = shim.events("write");
        assert_eq!(written[0].rest, [path.to_str().unwrap(), "1446000"]);
        assert_eq!(written[1].rest, [gate.to_str().unwrap(), "0"]);
        assert!(written.iter().all(|event| before.0 <= event.at && event.at <= after.0));
        assert!(written.iter().all(|event| event.pid == std::process::id()));
        // The second write alone, and only to duty_cycle.
        shim.set("guardian_match", 1);
        shim.set("guardian_errno", 5);
        shim.set("guardian_nth", 2);
        shim.set("driver_match", 3);
        shim.set("driver_errno", 5);
        let outcome = || pin.write_all_at(b"1", 0).map_err(|error| error.raw_os_error());
        assert_eq!([outcome(), outcome(), outcome()], [Ok(()), Err(Some(5)), Ok(())]);
        fs::write(&gate, "1").unwrap();
        assert_eq!(shim.events("writefail")[0].rest, [path.to_str().unwrap(), "1", "5"]);
        // A hang, and one that is let go.
        shim.set("guardian_nth", 0);
        shim.set("guardian_errno", 0);
        shim.set("guardian_hang_ms", 50);
        assert!((ms(50)..ms(500)).contains(&took(|| outcome().unwrap())));
        shim.set("guardian_hang_ms", 60_000);
        let waited = took(|| {
            thread::scope(|scope| {
                scope.spawn(|| outcome().unwrap());
                sleep(ms(50));
                shim.set("guardian_hang_ms", 0);
            });
        });
        assert!((ms(50)..ms(500)).contains(&waited));
        assert_eq!(shim.get("guardian_count"), 5);
    }));
}

#[test]
fn the_driver_has_words_of_its_own() {
    fine(alone("the_driver_has_words_of_its_own", true, |folder, shim| {
        shim.set("guardian_match", 31);
        shim.set("guardian_errno", 5);
        let enable = folder.join("enable");
        fs::write(&enable, "1").unwrap();
        shim.set("driver_match", 4);
        shim.set("driver_errno", 13);
        assert_eq!(fs::write(&enable, "1").unwrap_err().raw_os_error(), Some(13));
        fs::write(folder.join("period"), "1").unwrap();
        assert_eq!(shim.events("start")[0].rest, ["driver"]);
    }));
}

#[test]
fn the_disk_fills_up_and_is_slow() {
    fine(alone("the_disk_fills_up_and_is_slow", true, |folder, shim| {
        let mut tape = File::create(folder.join(".drive.1.partial")).unwrap();
        shim.set("disk_errno", 28);
        shim.set("disk_from", 3);
        let outcomes: Vec<Option<i32>> =
            (0..4).map(|_| tape.write(b"1234").map_or_else(|error| error.raw_os_error(), |_| None)).collect();
        assert_eq!(outcomes, [None, None, Some(28), Some(28)]);
        fs::write(folder.join("notes.txt"), "no tape").unwrap();
        shim.set("disk_errno", 0);
        tape.write_all(b"1234").unwrap();
        assert_eq!(fs::read(folder.join(".drive.1.partial")).unwrap(), b"123412341234");
        assert_eq!((shim.get("disk_count"), shim.events("fault").len()), (5, 2));
        shim.set("sync_ms", 40);
        for work in [File::sync_all, File::sync_data] {
            assert!((ms(40)..ms(500)).contains(&took(|| work(&tape).unwrap())));
        }
    }));
}

/// Asks for the time in a thread of that name, as the drive loop does; an error where it panicked.
fn ask(name: &str, times: u32) -> thread::Result<Duration> {
    let work = move || {
        let begun = Clock::new();
        let took = begun.now();
        for _ in 1..times {
            std::hint::black_box(begun.now());
        }
        Duration::from_nanos(begun.now().since(took).0)
    };
    thread::Builder::new().name(name.to_owned()).spawn(work).unwrap().join()
}

#[test]
fn the_loop_panics_hangs_dawdles_and_leaks() {
    fine(alone("the_loop_panics_hangs_dawdles_and_leaks", true, |_, shim| {
        shim.set("loop_fault", 1);
        shim.set("loop_skip", 3);
        ask("camera", 10).unwrap();
        assert_eq!(shim.get("loop_skip"), 3, "another thread's asking does not count");
        ask("drive", 10).unwrap_err();
        assert_eq!((shim.get("loop_fault"), shim.get("loop_skip")), (0, 0), "it fires once");
        ask("drive", 10).unwrap();
        shim.set("loop_amount", 30);
        shim.set("loop_fault", 3);
        let dawdled = took(|| assert!(ask("drive", 1000).is_ok()));
        assert!((ms(30)..ms(300)).contains(&dawdled), "once a burst: {dawdled:?}");
        shim.set("loop_fault", 2);
        let hung = thread::spawn(|| ask("drive", 1).unwrap());
        sleep(ms(50));
        assert!(!hung.is_finished());
        shim.set("loop_fault", 0);
        hung.join().unwrap();
        let resident = || -> u64 {
            let text = fs::read_to_string("/proc/self/statm").unwrap();
            text.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4096
        };
        let before = resident();
        shim.set("loop_amount", 4);
        shim.set("loop_fault", 4);
        ask("drive", 5).unwrap();
        shim.set("loop_fault", 0);
        assert!(resident() - before > 20 << 20, "five times 4 MiB and more");
        let told: Vec<String> = shim.events("fault").into_iter().map(|event| event.rest[0].clone()).collect();
        assert_eq!(told, ["panic", "slow", "hang", "over", "leak"]);
    }));
}

#[test]
fn the_guardians_clock_is_left_alone_and_the_driver_aborts() {
    let name = "the_guardians_clock_is_left_alone_and_the_driver_aborts";
    let body = |_: &Path, shim: &Shim| {
        shim.set("loop_fault", 5);
        ask("drive", 5).unwrap();
    };
    let Some(guardian) = alone(name, false, body) else { return };
    fine(Some(guardian));
    let driver = alone(name, true, body).unwrap();
    assert_eq!(driver.status.signal(), Some(6));
}

#[test]
fn records_on_the_socket_are_logged() {
    let name = "records_on_the_socket_are_logged";
    let body = |_: &Path, shim: &Shim| {
        let pair = |kind| socketpair(AddressFamily::UNIX, kind, SocketFlags::CLOEXEC, None).unwrap();
        let (ours, theirs) = pair(SocketType::SEQPACKET);
        let (ours, theirs) = (UnixDatagram::from(ours), UnixDatagram::from(theirs));
        ours.send(&[0x01, 0xAB, 0xFF]).unwrap();
        let mut bytes = [0; 64];
        assert_eq!(theirs.recv(&mut bytes).unwrap(), 3);
        // A file's read and write are the same to the kernel.
        let (mut ours, mut theirs) = (File::from(std::os::fd::OwnedFd::from(ours)), {
            File::from(std::os::fd::OwnedFd::from(theirs))
        });
        ours.write_all(&[7, 8]).unwrap();
        assert_eq!(theirs.read(&mut bytes).unwrap(), 2);
        drop(ours);
        assert_eq!(theirs.read(&mut bytes).unwrap(), 0);
        let (stream, other) = pair(SocketType::STREAM);
        File::from(stream).write_all(b"not a record").unwrap();
        drop(other);
        let words = |what: &str| -> Vec<String> {
            shim.events(what).into_iter().map(|event| event.rest.join(" ")).collect()
        };
        if env::var_os("HAIRPIN_DRIVER").is_some() {
            assert_eq!((words("send"), words("recv")), (vec!["3".to_owned(), "2".to_owned()], vec![]));
        } else {
            assert_eq!(
                (words("recv"), words("send").len()),
                (vec!["3 01abff".into(), "2 0708".into(), "0 -".into()], 0)
            );
        }
    };
    let Some(guardian) = alone(name, false, body) else { return };
    fine(Some(guardian));
    fine(alone(name, true, body));
}

#[test]
fn the_gpio_class_lies_in_another_tree() {
    fine(alone("the_gpio_class_lies_in_another_tree", false, |folder, shim| {
        let class = Path::new("/sys/class/gpio");
        let real = folder.join("board/sys/class/gpio");
        assert!(fs::metadata(class.join("gpio436")).is_err());
        fs::create_dir_all(real.join("gpio436")).unwrap();
        fs::write(real.join("gpio436/value"), "1").unwrap();
        assert!(fs::metadata(class.join("gpio436")).unwrap().is_dir());
        assert_eq!(
            fs::canonicalize(class.join("gpio436")).unwrap(),
            fs::canonicalize(real.join("gpio436")).unwrap()
        );
        assert_eq!(fs::read_to_string(class.join("gpio436/value")).unwrap(), "1");
        File::create(class.join("gpio436/direction")).unwrap().write_all(b"low").unwrap();
        OpenOptions::new().write(true).open(class.join("gpio436/value")).unwrap().write_all(b"0").unwrap();
        assert_eq!(fs::read_to_string(real.join("gpio436/value")).unwrap(), "0");
        let last = shim.events("write").pop().unwrap();
        assert!(last.rest[0].ends_with("board/sys/class/gpio/gpio436/value") && last.rest[1] == "0");
    }));
}
