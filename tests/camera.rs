//! The camera's thread and the real v4l against a kernel that misbehaves: every test runs itself again under the shim of
//! tests/faults/shim.c.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/shim.rs"]
mod shim;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/video.rs"]
mod video;

use std::collections::BTreeMap;
use std::thread::sleep;
use std::time::Duration;

use hairpin::domain::{CameraHealth, PixelFormat, Size};
use hairpin::hal::capture::{Capture, Eyes, Shot};
use hairpin::hal::clock::Clock;
use hairpin::units::{Instant, Span};

use crate::video::{Car, PICTURES, STOCK, descriptors, picture};

const MS: u64 = 1_000_000;
const SOON: Span = Span::from_millis(300);

fn start(car: &Car, device: &str) -> Capture {
    Capture::start(&car.settings(device), Clock::new(), Eyes::AsFound).unwrap()
}

fn refusal(car: &Car, device: &str, eyes: Eyes) -> String {
    let error = Capture::start(&car.settings(device), Clock::new(), eyes).err().expect("a refusal");
    let cause = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    format!("{error}: {cause}")
}

/// The next picture's number, time and bytes.
fn shot(capture: &mut Capture) -> Option<(u64, Instant, Vec<u8>)> {
    capture.next(SOON).map(|shot| (shot.seq.0, shot.captured_at, shot.left.bytes.to_vec()))
}

/// When the shim says that frames were taken, by node and number. A stream that starts anew counts from 0.
fn stamps(car: &Car, node: &str) -> BTreeMap<u64, u64> {
    let taken = car.shim.events("dqbuf").into_iter().filter(|event| event.rest[0] == node);
    taken.map(|event| (event.rest[1].parse().unwrap(), event.rest[2].parse().unwrap())).collect()
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) -> Duration {
    let begun = std::time::Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(5), "waited 5 s until {what}");
        sleep(Duration::from_millis(2));
    }
    begun.elapsed()
}

fn spread(what: &str, mut ages: Vec<u64>) -> (u64, u64) {
    ages.sort_unstable();
    let (middle, last) = (ages[ages.len() / 2], ages[ages.len() - 1]);
    println!(
        "{what}: {} of them, p50 {:.2} ms, max {:.2} ms",
        ages.len(),
        middle as f64 / 1e6,
        last as f64 / 1e6
    );
    (middle, last)
}

#[test]
fn frames_arrive_as_they_are_and_when_they_were_taken() {
    Car::run("frames_arrive_as_they_are_and_when_they_were_taken", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("rate_mhz", 100_000);
        let clock = Clock::new();
        let mut capture = Capture::start(&car.settings("auto"), clock, Eyes::AsFound).unwrap();
        let agreed = capture.agreed().to_vec();
        assert_eq!(agreed.len(), 1);
        assert_eq!(
            (agreed[0].node.as_str(), agreed[0].format, agreed[0].rate_hz),
            ("video0", PixelFormat::Mjpeg, 30)
        );
        assert_eq!(agreed[0].size, Size { width: 640, height: 480 });
        let (mut seen, mut ages) = (Vec::new(), Vec::new());
        for _ in 0..200 {
            let Shot { seq, captured_at, left, right } = capture.next(SOON).expect("a frame");
            ages.push(clock.now().since(captured_at).0);
            assert!(right.is_none());
            assert_eq!(left.format, PixelFormat::Mjpeg);
            assert!(left.bytes == picture(seq.0 % PICTURES), "frame {} is another", seq.0);
            seen.push((seq.0, captured_at.0));
        }
        assert!(seen.windows(2).all(|pair| pair[0].0 < pair[1].0), "numbers rise");
        let taken = stamps(car, "video0");
        assert!(seen.iter().all(|(seq, at)| taken[seq] == *at), "times are the driver's");
        let counters = capture.counters();
        let missed = counters.dropped + counters.kernel_gaps;
        let last = seen.last().unwrap().0;
        assert!(last + 1 >= 200 && last < 200 + missed, "{last} with {counters:?}");
        assert_eq!((counters.errors, counters.reopened, counters.flaps, counters.withheld), (0, 0, 0, 0));
        assert_eq!(capture.health(), CameraHealth::Streaming);
        // The shim stamps 8 ms before a frame is ready.
        let (middle, _) = spread("age of a frame at 100 Hz", ages);
        assert!((8 * MS..12 * MS).contains(&middle));
    });
}

#[test]
fn a_stall_ends_and_a_long_one_opens_the_camera_again() {
    Car::run("a_stall_ends_and_a_long_one_opens_the_camera_again", |car| {
        car.plug(0, "1-2", STOCK);
        let mut capture = start(car, "auto");
        let (before, ..) = shot(&mut capture).unwrap();
        car.shim.set("stall", 1);
        capture.next(Span::from_millis(50));
        assert!(capture.next(Span::from_millis(200)).is_none());
        assert_eq!(capture.health(), CameraHealth::Streaming, "nothing is known against it");
        car.shim.set("stall", 0);
        let (after, _, bytes) = shot(&mut capture).expect("it goes on by itself");
        assert!(after > before && bytes == picture(after % PICTURES));
        assert_eq!(capture.counters().reopened, 0);
        car.shim.set("stall", 1);
        wait_until("the silent camera is opened again", || capture.counters().reopened == 1);
        assert_eq!(capture.health(), CameraHealth::Lost);
        assert!(capture.trouble().unwrap().contains("sent nothing for 2000.0 ms"));
        capture.next(Span(0));
        car.shim.set("stall", 0);
        let (again, ..) = shot(&mut capture).unwrap();
        assert!(again >= after + 5, "five whole pictures are seen first: {after}, {again}");
        let counters = capture.counters();
        assert_eq!((counters.withheld, counters.flaps), (5, 1));
        assert_eq!(capture.health(), CameraHealth::Streaming);
    });
}

#[test]
fn a_slow_consumer_gets_the_newest() {
    Car::run("a_slow_consumer_gets_the_newest", |car| {
        car.plug(0, "1-2", STOCK);
        let clock = Clock::new();
        let mut capture = Capture::start(&car.settings("auto"), clock, Eyes::AsFound).unwrap();
        let (mut ages, mut last) = (Vec::new(), 0);
        for _ in 0..20 {
            let shot = capture.next(SOON).expect("a frame");
            ages.push(clock.now().since(shot.captured_at).0);
            last = shot.seq.0;
            sleep(Duration::from_millis(107));
        }
        let counters = capture.counters();
        let (middle, oldest) = spread("age of a frame for a consumer of 107 ms at 30 Hz", ages);
        println!("{counters:?}");
        // 8 ms to be ready, a period of waiting, and what the machine takes. A queue would hand over what came before the
        // pause.
        assert!(middle < 60 * MS && oldest < 107 * MS, "{middle} and {oldest} ns old");
        assert!((35..75).contains(&counters.dropped), "about 2 of 3 are dropped: {counters:?}");
        let waiting = counters.frames - counters.dropped - 20;
        assert!(waiting <= 1, "all are accounted for: {counters:?}");
        assert!(last + 1 >= counters.frames.saturating_sub(4), "the newest");
    });
}

#[test]
fn a_camera_is_found_again_under_another_number() {
    Car::run("a_camera_is_found_again_under_another_number", |car| {
        car.plug(0, "1-2", STOCK);
        let mut capture = start(car, "auto");
        let (mut last, ..) = shot(&mut capture).unwrap();
        let before = descriptors();
        // Unplugged while the descriptor is open, and gone from /dev; then another number, then another socket.
        let moves = [(0, 2, "1-2"), (2, 4, "1-2"), (4, 0, "1-4")];
        let mut delays = Vec::new();
        for (round, (old, new, socket)) in moves.into_iter().enumerate() {
            car.pull(old);
            wait_until("the loss is noticed", || capture.health() == CameraHealth::Lost);
            assert!(capture.next(Span::from_millis(1)).is_none(), "what it said before is not shown");
            sleep(Duration::from_millis(if round == 2 { 1600 } else { 450 }));
            assert_eq!(capture.trouble().as_deref(), Some("it is not plugged in"));
            car.plug(new, socket, STOCK);
            let plugged = Clock::new().now();
            let mut seen = None;
            wait_until("a frame comes again", || {
                seen = shot(&mut capture);
                seen.is_some()
            });
            let (seq, at, bytes) = seen.unwrap();
            assert!(seq > last && at > plugged, "numbers and times go on");
            // Its own numbers start anew: five were withheld.
            assert!(bytes == picture(5) || bytes == picture(6));
            last = seq;
            let opened = car.shim.events("open").pop().unwrap();
            assert_eq!(opened.rest, [format!("video{new}")]);
            delays.push(opened.at - plugged.0);
            let counters = capture.counters();
            let rounds = round as u64 + 1;
            assert_eq!((counters.reopened, counters.withheld), (rounds, 5 * rounds));
            assert_eq!(u64::from(counters.flaps), rounds);
            assert_eq!(capture.health(), CameraHealth::Streaming);
        }
        let (_, longest) = spread("from plugging in to open", delays);
        // 2 s are allowed; it looks twice a second at least.
        assert!(longest < 1000 * MS);
        assert_eq!(descriptors(), before, "nothing stays open");
    });
}

#[test]
fn a_foreign_or_changed_camera_stays_out() {
    Car::run("a_foreign_or_changed_camera_stays_out", |car| {
        car.plug(0, "1-2", STOCK);
        let mut capture = start(car, "auto");
        shot(&mut capture).unwrap();
        car.pull(0);
        wait_until("the loss is noticed", || capture.health() == CameraHealth::Lost);
        car.plug(0, "1-2", ("046d", "0825"));
        sleep(Duration::from_millis(800));
        assert_eq!(capture.trouble().as_deref(), Some("it is not plugged in"));
        car.pull(0);
        car.shim.set("format", 2);
        car.plug(0, "1-2", STOCK);
        wait_until("it was looked at", || capture.trouble().unwrap().contains("came back"));
        assert_eq!(
            capture.trouble().unwrap(),
            "video0 came back with Mjpeg of 320x240, wanted Mjpeg of 640x480 as before"
        );
        assert!(shot(&mut capture).is_none());
        car.pull(0);
        car.shim.set("format", 0);
        // Whatever number a new stream begins with: nothing was lost before it.
        car.shim.set("seq_gap", 500);
        let before = capture.counters().kernel_gaps;
        car.plug(0, "1-2", STOCK);
        wait_until("it is itself again", || shot(&mut capture).is_some());
        assert!(capture.counters().kernel_gaps - before < 50);
    });
}

#[test]
fn damaged_buffers_are_counted_and_odd_pictures_are_shown() {
    Car::run("damaged_buffers_are_counted_and_odd_pictures_are_shown", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("rate_mhz", 100_000);
        let mut capture = start(car, "auto");
        shot(&mut capture).unwrap();
        for fault in ["error_flag", "zero_length", "over_long"] {
            let before = capture.counters().errors;
            car.shim.set(fault, 1);
            sleep(Duration::from_millis(30));
            capture.next(Span(0));
            assert!(capture.next(Span::from_millis(100)).is_none(), "{fault} is not shown");
            let counted = capture.counters().errors - before;
            assert!((8..40).contains(&counted), "{fault}: {counted} counted");
            car.shim.set(fault, 0);
            let (seq, _, bytes) = shot(&mut capture).expect("the next good one");
            assert!(bytes == picture(seq % PICTURES), "numbers count the damaged ones");
        }
        let counters = capture.counters();
        assert_eq!((counters.reopened, counters.kernel_gaps), (0, 0), "no reason to open it again");
        // What the pilot has to judge is handed over as it is.
        let mut under = |fault: &str| {
            car.shim.set(fault, 1);
            sleep(Duration::from_millis(40));
            capture.next(Span(0));
            let found = [shot(&mut capture).unwrap(), shot(&mut capture).unwrap()];
            car.shim.set(fault, 0);
            found
        };
        let [(seq, _, torn), _] = under("torn");
        let whole = picture(seq % PICTURES);
        assert!(torn == whole[..whole.len() / 2]);
        let [(first, _, frozen), (second, _, again)] = under("frozen");
        assert!(first < second && frozen == again);
        let [(_, _, black), _] = under("black");
        assert!(black == picture(1000));
        let [(seq, _, garbage), _] = under("garbage");
        assert!(garbage.len() == picture(seq % PICTURES).len() && !garbage.starts_with(&[0xFF, 0xD8]));
    });
}

#[test]
fn times_are_the_drivers_but_never_the_futures() {
    Car::run("times_are_the_drivers_but_never_the_futures", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("rate_mhz", 100_000);
        let clock = Clock::new();
        let mut capture = Capture::start(&car.settings("auto"), clock, Eyes::AsFound).unwrap();
        let mut under = |fault: &str, value: u32| {
            car.shim.set(fault, value);
            sleep(Duration::from_millis(40));
            capture.next(Span(0));
            let (_, first, _) = shot(&mut capture).unwrap();
            let (_, second, _) = shot(&mut capture).unwrap();
            let now = clock.now();
            car.shim.set(fault, 0);
            (first, second, now)
        };
        let (first, second, now) = under("old_stamp", 1);
        assert!(first == second && now.since(first).0 > 40 * MS, "an old stamp is passed on");
        let (first, second, now) = under("back_ms", 500);
        assert!(
            second > first && (508 * MS..600 * MS).contains(&now.since(second).0),
            "and so is one that went back"
        );
        let (first, second, now) = under("ahead_ms", 500);
        assert!(
            first < second && second <= now && now.since(second).0 < 10 * MS,
            "the future is when it arrived"
        );
        let (first, second, now) = under("no_clock", 1);
        assert!(
            first < second && second <= now && now.since(second).0 < 10 * MS,
            "and so is a foreign clock"
        );
        let before = capture.counters().kernel_gaps;
        let (seq, ..) = shot(&mut capture).unwrap();
        car.shim.set("seq_gap", 7);
        wait_until("the gap", || capture.counters().kernel_gaps != before);
        let mut later = shot(&mut capture).unwrap().0;
        while later < seq + 8 {
            later = shot(&mut capture).unwrap().0;
        }
        let gaps = capture.counters().kernel_gaps - before;
        assert!((7..30).contains(&gaps), "{gaps}: seven, and what a busy machine loses");
    });
}

#[test]
fn interruptions_and_empty_hands_are_borne() {
    Car::run("interruptions_and_empty_hands_are_borne", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("rate_mhz", 100_000);
        let mut capture = start(car, "auto");
        shot(&mut capture).unwrap();
        // Three polls of four are interrupted: those of the thread, and those within v4l, where a frame is lost.
        car.shim.set("eintr", 3);
        let (mut seen, mut last) = (0_u32, None);
        wait_until("40 frames in the storm", || {
            if let Some((seq, _, bytes)) = shot(&mut capture) {
                assert!(last.is_none_or(|last| last < seq) && bytes == picture(seq % PICTURES));
                last = Some(seq);
                seen += 1;
            }
            seen == 40
        });
        car.shim.set("eintr", 0);
        println!("in the storm: {:?}", capture.counters());
        let gaps = capture.counters().kernel_gaps;
        car.shim.set("eagain", 3);
        wait_until("it was lied to", || car.shim.get("eagain") == 0);
        shot(&mut capture).unwrap();
        let (seq, _, bytes) = shot(&mut capture).unwrap();
        assert!(bytes == picture(seq % PICTURES));
        let counters = capture.counters();
        assert_eq!((counters.reopened, counters.errors), (0, 0));
        assert!((1..=3).contains(&(counters.kernel_gaps - gaps)), "{counters:?}");
    });
}

#[test]
fn a_stream_that_cannot_be_stopped_ends_no_process() {
    Car::run("a_stream_that_cannot_be_stopped_ends_no_process", |car| {
        car.plug(0, "1-2", STOCK);
        let mut capture = start(car, "auto");
        shot(&mut capture).unwrap();
        // v4l panics on this, twice at once.
        car.shim.set("streamoff_errno", 5);
        car.shim.set("dqbuf_errno", 5);
        wait_until("the loss is noticed", || capture.health() == CameraHealth::Lost);
        car.shim.set("dqbuf_errno", 0);
        wait_until("its stream is still its own", || {
            capture
                .trouble()
                .unwrap()
                .contains("another program streams from it: stop that one: Device or resource busy")
        });
        // A replug ends that.
        car.shim.set("streamoff_errno", 0);
        car.pull(0);
        sleep(Duration::from_millis(20));
        car.plug(2, "1-2", STOCK);
        wait_until("it comes again", || shot(&mut capture).is_some());
        drop(capture);
        // Stopping at the end of the program is no place to fail either.
        let mut capture = start(car, "auto");
        shot(&mut capture).unwrap();
        car.shim.set("streamoff_errno", 5);
    });
}

#[test]
fn what_the_driver_offers_is_taken_and_recorded() {
    Car::run("what_the_driver_offers_is_taken_and_recorded", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("format", 1);
        let mut capture = start(car, "auto");
        let size = Size { width: 640, height: 480 };
        assert_eq!((capture.agreed()[0].format, capture.agreed()[0].size), (PixelFormat::Yuyv(size), size));
        let (seq, _, bytes) = shot(&mut capture).unwrap();
        let wanted = |at: u64| u8::try_from((at * 7 + seq * 31) % 256).unwrap();
        assert!(bytes.len() == 614_400 && (0_u64..).zip(&bytes).all(|(at, byte)| *byte == wanted(at)));
        drop(capture);
        car.shim.set("format", 2);
        let capture = start(car, "auto");
        let size = Size { width: 320, height: 240 };
        assert_eq!((capture.agreed()[0].format, capture.agreed()[0].size), (PixelFormat::Mjpeg, size));
        drop(capture);
        let path = car.root().join("dev/video0");
        car.shim.set("format", 3);
        assert_eq!(
            refusal(car, "auto", Eyes::AsFound),
            format!(
                "camera {}: setting its format failed; camera.device, camera.width and camera.height choose another: it \
                 sends H264 and H264, wanted MJPG or YUYV",
                path.display()
            )
        );
        car.shim.set("format", 4);
        assert!(
            refusal(car, "auto", Eyes::AsFound)
                .ends_with("its rows of 640 pixels are 1344 bytes, wanted no padding; ask for another size")
        );
        car.shim.set("format", 0);
        car.shim.set("busy", 1);
        assert!(refusal(car, "auto", Eyes::AsFound).ends_with(
            "another program streams from it: stop that one: Device or resource busy (os error 16)"
        ));
        car.shim.set("busy", 0);
        let mut settings = car.settings("auto");
        settings.camera.rate_hz = 60;
        let capture = Capture::start(&settings, Clock::new(), Eyes::AsFound).unwrap();
        assert_eq!(capture.agreed()[0].rate_hz, 60);
    });
}

#[test]
fn what_is_not_there_is_refused_by_name() {
    Car::run("what_is_not_there_is_refused_by_name", |car| {
        let class = car.root().join("sys/class/video4linux");
        let none = |wanted: &str, saw: &str, device: &str| {
            format!(
                "no camera {wanted} in {}, saw {saw}; plug it in, or set camera.device (\"{device}\") to one that is \
                 there: ",
                class.display()
            )
        };
        let auto = "29fe:4d53 or any that streams";
        assert_eq!(refusal(car, "auto", Eyes::AsFound), none(auto, "none", "auto"));
        car.plug(0, "1-2", ("046D", "0825"));
        let seen = "video0 (046d:0825)";
        assert_eq!(refusal(car, "29fe:4d53", Eyes::AsFound), none("29fe:4d53", seen, "29fe:4d53"));
        assert_eq!(refusal(car, "/dev/video7", Eyes::AsFound), none("/dev/video7", seen, "/dev/video7"));
        // The node of the metadata is no camera, and neither is a word.
        assert_eq!(refusal(car, "/dev/video1", Eyes::One), none("/dev/video1", seen, "/dev/video1"));
        assert_eq!(refusal(car, "webcam", Eyes::AsFound), none("webcam", seen, "webcam"));
        let two = refusal(car, "auto", Eyes::Two);
        assert_eq!(two, none(&format!("two cameras ({auto})"), seen, "auto"));
        for device in ["auto", "046d:0825", "046D:0825", "/dev/video0"] {
            assert_eq!(start(car, device).agreed()[0].node, "video0", "{device}");
        }
        // The stock camera comes before any other.
        car.plug(4, "1-9", STOCK);
        assert_eq!(start(car, "auto").agreed()[0].node, "video4");
    });
}

/// What the two eyes sent, as the numbers of their pictures; each must be one that its camera has.
fn pair(shot: &Shot<'_>, left: u64, right: u64) -> (u64, u64) {
    let number = |bytes: &[u8], seed: u64| (0..PICTURES).find(|number| bytes == picture(seed + number));
    let right = number(shot.right.expect("two eyes").bytes, right);
    (number(shot.left.bytes, left).expect("the left camera's"), right.expect("the right camera's"))
}

/// Takes shots for 0.7 s of 60 Hz; those of video0 and video2 must have been taken at about the same time. How many.
fn paired(car: &Car, capture: &mut Capture) -> usize {
    let begun = Clock::new();
    let until = begun.now() + Span::from_millis(700);
    let mut shots: Vec<(u64, u64, u64)> = Vec::new();
    while begun.now() < until {
        let Some(shot) = capture.next(Span::from_millis(50)) else { continue };
        shots.push((shot.seq.0, shot.captured_at.0, pair(&shot, 100, 200).1));
    }
    let (left, right) = (stamps(car, "video0"), stamps(car, "video2"));
    for (seq, at, number) in &shots {
        let of_number = right.iter().filter(|(seq, _)| *seq % PICTURES == *number).map(|(_, at)| *at);
        let right = of_number.min_by_key(|right| right.abs_diff(left[seq])).expect("a frame of that picture");
        assert!(right.abs_diff(left[seq]) * 2 < 17 * MS, "{} and {right} are no pair", left[seq]);
        assert_eq!(*at, right.min(left[seq]), "the earlier time counts");
    }
    assert!(shots.windows(2).all(|two| two[0].0 < two[1].0), "numbers rise");
    shots.len()
}

#[test]
fn two_cameras_make_pairs_with_the_further_socket_on_the_left() {
    Car::run("two_cameras_make_pairs_with_the_further_socket_on_the_left", |car| {
        // Numbered against their sockets.
        car.plug(0, "1-3", STOCK);
        car.plug(2, "1-2", STOCK);
        car.own_pictures(0, 100);
        car.own_pictures(2, 200);
        car.shim.set("rate_mhz", 60_000);
        let mut settings = car.settings("auto");
        settings.camera.rate_hz = 60;
        let begin = |eyes| Capture::start(&settings, Clock::new(), eyes).unwrap();
        let mut capture = begin(Eyes::Two);
        let names: Vec<&str> = capture.agreed().iter().map(|agreed| agreed.node.as_str()).collect();
        assert_eq!(names, ["video0", "video2"]);
        // The right one's clock runs behind: still a pair, and none any more.
        car.shim.set("only", 1 << 2);
        for (behind, fewest) in [(0, 30), (4, 30), (12, 0)] {
            car.shim.set("back_ms", behind);
            sleep(Duration::from_millis(100));
            capture.next(Span(0));
            let seen = paired(car, &mut capture);
            println!("{seen} pairs in 0.7 s of 60 Hz with the right camera {behind} ms behind");
            assert!(seen >= fewest);
        }
        car.shim.set("back_ms", 0);
        // One eye gone: no shots, and it comes back in its own socket alone.
        car.pull(2);
        wait_until("the loss is noticed", || capture.health() == CameraHealth::Lost);
        capture.next(Span(0));
        assert!(capture.next(SOON).is_none(), "one eye is no pair");
        car.plug(4, "1-4", STOCK);
        sleep(Duration::from_millis(700));
        assert_eq!(capture.trouble().as_deref(), Some("it is not plugged in"));
        car.pull(4);
        car.plug(4, "1-2", STOCK);
        car.own_pictures(4, 200);
        wait_until("pairs come again", || {
            capture.next(SOON).is_some_and(|shot| pair(&shot, 100, 200).0 < PICTURES)
        });
        drop(capture);
        let one = begin(Eyes::One);
        assert_eq!((one.agreed().len(), one.agreed()[0].node.as_str()), (1, "video0"));
        drop(one);
        settings.camera.swap_eyes = true;
        let mut turned = Capture::start(&settings, Clock::new(), Eyes::Two).unwrap();
        assert_eq!(turned.agreed()[0].node, "video4");
        pair(&turned.next(SOON).expect("a pair"), 200, 100);
    });
}

#[test]
fn ten_thousand_frames_allocate_nothing_and_open_nothing() {
    Car::run("ten_thousand_frames_allocate_nothing_and_open_nothing", |car| {
        car.plug(0, "1-2", STOCK);
        car.shim.set("rate_mhz", 1_000_000);
        let clock = Clock::new();
        let mut capture = Capture::start(&car.settings("auto"), clock, Eyes::AsFound).unwrap();
        for _ in 0..100 {
            capture.next(SOON).expect("a frame");
        }
        let (open, begun) = (descriptors(), clock.now());
        let before = capture.counters().frames;
        car.shim.set("counting", 1);
        let (mut seen, mut oldest) = (0_u64, 0);
        while capture.counters().frames - before < 10_000 {
            let shot = capture.next(SOON).expect("a frame");
            oldest = oldest.max(clock.now().since(shot.captured_at).0);
            seen += 1;
        }
        car.shim.set("counting", 0);
        let counters = capture.counters();
        println!(
            "10000 frames in {}: {seen} seen, oldest {:.2} ms, {} allocations, {counters:?}",
            clock.now().since(begun),
            oldest as f64 / 1e6,
            car.shim.get("allocations"),
        );
        assert_eq!(car.shim.get("allocations"), 0);
        assert_eq!(descriptors(), open);
        assert_eq!((counters.errors, counters.reopened), (0, 0));
        // The count can fail: one picture more is one allocation more.
        car.shim.set("counting", 1);
        drop(shot(&mut capture));
        assert!(car.shim.get("allocations") > 0);
    });
}
