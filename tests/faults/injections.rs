//! Many faults at random moments, and how long the pins took: the distribution behind the bound.
//!
//!     HAIRPIN_INJECTIONS=10000 cargo test --release --test faults injections -- --nocapture
//!
//! Half of the injections meet an idle machine and half one with eight busy loops a core; a tenth as many more run without
//! real-time priority, for comparison, and are held against no bound. A few are injected where the variable is not set.
//! `HAIRPIN_LANES` drives so many cars beside each other: faster, and no longer idle.

use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use hairpin::hal::priority;
use rustix::process::Signal;

use crate::car::{Car, PATIENCE};
use crate::log::{Event, Pin, Tail, Write, evidence};
use crate::{ms, now, pauses, signal};

/// Without a command the pins must be neutral by then (SAFETY.md).
const BOUND_MS: f64 = 110.0;

/// Cars that are driven beside each other: on an idle machine as many as there are cores, so that they do not meet.
const IDLE_LANES: usize = 2;
const LOADED_LANES: usize = 6;

const KINDS: [&str; 6] = ["kill -9", "SIGSTOP", "panic", "hang", "out of memory", "starvation"];

/// Busy loops a core.
const LOOPS: usize = 8;

/// One injection's figures, in ms.
#[derive(Clone, Copy, Debug)]
struct Figure {
    kind: usize,
    /// From the last evidence to neutral; from the injection, where the driver went on.
    since_evidence: f64,
    /// From the injection to neutral.
    since_fault: f64,
    paused: f64,
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }
}

/// Busy loops, ended when this is dropped.
struct Load(Vec<Child>);

impl Load {
    fn start() -> Self {
        let cores = thread::available_parallelism().map_or(2, usize::from);
        let one = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .stdin(Stdio::null())
                .spawn()
                .expect("a shell")
        };
        Self((0..cores * LOOPS).map(|_| one()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// One car that is broken again and again.
struct Lane {
    /// Whether its guardian runs before everything else. One that does not may be starved by the load for so long that it
    /// never gets to arm: it is not there to be measured then.
    realtime: bool,
    car: Car,
    tail: Tail,
    seen: Vec<Event>,
    dice: Dice,
}

impl Lane {
    fn new(seed: u64, realtime: bool) -> Self {
        let mut car = Car::beside_others();
        car.settings.push("guardian.restarts=1000000".to_owned());
        car.settings.push(format!("guardian.realtime={realtime}"));
        car.start(&[]);
        let log = car.folder().join("shim/log");
        let deadline = Instant::now() + PATIENCE;
        while !log.exists() {
            assert!(Instant::now() < deadline, "no log: {}", car.words());
            sleep(Duration::from_millis(5));
        }
        let tail = Tail::of(&log);
        Self { realtime, car, tail, seen: Vec::new(), dice: Dice(seed) }
    }

    /// Waits for a write that `wanted` takes, after `since`; arms meanwhile where it is asked to. None where a guardian
    /// without real-time priority could not be armed.
    fn wait(&mut self, since: u64, arm: bool, wanted: impl Fn(&Write) -> bool) -> Option<Write> {
        let deadline = Instant::now() + if self.realtime { 3 * PATIENCE } else { PATIENCE };
        let mut next = Instant::now();
        loop {
            self.seen.extend(self.tail.more());
            let found = self.seen.iter().filter_map(Write::read);
            if let Some(write) = found.into_iter().find(|write| write.at >= since && wanted(write)) {
                return Some(write);
            }
            if Instant::now() >= deadline {
                assert!(arm && !self.realtime, "nothing came: {}", self.car.words());
                return None;
            }
            if arm && Instant::now() >= next {
                self.car.say("arm");
                next = Instant::now() + Duration::from_millis(700);
            }
            sleep(Duration::from_millis(3));
        }
    }

    /// One fault at a moment of chance; none where the car could not be armed for it.
    fn inject(&mut self, kind: usize) -> Option<Figure> {
        self.seen.clear();
        let begun = now();
        self.wait(begun, true, Write::moves)?;
        sleep(Duration::from_micros(40_000 + self.dice.roll(66_000)));
        let Some(driver) = self.car.driver() else { return self.inject(kind) };
        let fault = now();
        let mut load = None;
        match KINDS[kind] {
            "kill -9" => signal(driver, Signal::KILL),
            "SIGSTOP" => signal(driver, Signal::STOP),
            "panic" => self.car.shim.set("loop_fault", 1),
            "hang" => self.car.shim.set("loop_fault", 2),
            "out of memory" => {
                let limit = ["--pid", &driver.to_string(), "--as=1"].map(str::to_owned);
                let limited = Command::new("prlimit").args(limit).output().expect("prlimit");
                if !limited.status.success() {
                    // One that went before it was hit is another fault's; the next one is hit instead.
                    let gone = !std::path::Path::new(&format!("/proc/{driver}")).exists();
                    assert!(gone, "{}", String::from_utf8_lossy(&limited.stderr));
                    return self.inject(kind);
                }
                self.car.shim.set("loop_amount", 64);
                self.car.shim.set("loop_fault", 4);
            }
            _ => load = Some(Load::start()),
        }
        if load.is_some() {
            return Some(self.starve(kind, fault));
        }
        let neutral = self.wait(fault, false, |write| write.pin == Pin::Throttle && !write.moves())?;
        signal(driver, Signal::CONT);
        self.car.shim.set("loop_fault", 0);
        Some(self.figure(kind, fault, neutral.at))
    }

    fn figure(&self, kind: usize, fault: u64, neutral: u64) -> Figure {
        let last = evidence(&self.seen).into_iter().rfind(|at| *at < neutral).unwrap_or(fault);
        Figure {
            kind,
            since_evidence: ms(neutral - last),
            since_fault: ms(neutral.saturating_sub(fault)),
            paused: ms(pauses::between(last, neutral)),
        }
    }

    /// Under load the driver may go on: then the longest time between two pieces of evidence is what counts, up to the
    /// neutral that ended it.
    fn starve(&mut self, kind: usize, fault: u64) -> Figure {
        sleep(Duration::from_millis(300 + self.dice.roll(200)));
        self.seen.extend(self.tail.more());
        // The time after the last evidence counts up to the end of the look.
        let times: Vec<u64> = evidence(&self.seen).into_iter().chain([now()]).collect();
        let neutral = |from: u64| {
            let writes = self.seen.iter().filter_map(Write::read);
            writes.into_iter().find(|write| write.at > from && write.pin == Pin::Throttle && !write.moves())
        };
        let gaps = times.windows(2).filter(|pair| pair[1] > fault).map(|pair| {
            let end = neutral(pair[0]).map_or(pair[1], |write| write.at.min(pair[1]));
            (pair[0], end)
        });
        let (from, to) = gaps.max_by_key(|(from, to)| to - from).unwrap_or((fault, fault));
        Figure {
            kind,
            since_evidence: ms(to - from),
            since_fault: ms(to - from),
            paused: ms(pauses::between(from, to)),
        }
    }
}

/// A number from the environment.
fn number(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|text| text.parse().expect("a number"))
}

/// Injects `count` faults over all lanes.
fn campaign(count: usize, loaded: bool, realtime: bool) -> Vec<Figure> {
    let _load = loaded.then(Load::start);
    let usual = if loaded { LOADED_LANES } else { IDLE_LANES };
    let lanes = number("HAIRPIN_LANES").unwrap_or(usual);
    let realtime = realtime && has_realtime();
    let (next, unarmed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let figures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for lane in 0..lanes.min(count) {
            let (next, unarmed, figures) = (&next, &unarmed, &figures);
            scope.spawn(move || {
                let seed = 1000 * lane as u64 + u64::from(loaded) + 2 * u64::from(realtime);
                let mut lane = Lane::new(seed, realtime);
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    // A car that cannot be armed once will not be the next time.
                    let Some(figure) = lane.inject(number % KINDS.len()) else {
                        unarmed.fetch_add(1, Ordering::Relaxed);
                        break;
                    };
                    figures.lock().unwrap().push(figure);
                    if number % 100 == 99 {
                        println!("  {} of {count}", number + 1);
                    }
                }
            });
        }
    });
    let unarmed = unarmed.into_inner();
    if unarmed > 0 {
        println!(
            "  {unarmed} of {lanes} cars without SCHED_FIFO were starved so much that they could not be armed"
        );
    }
    figures.into_inner().unwrap()
}

/// Whether this machine gives real-time priority to those who ask.
fn has_realtime() -> bool {
    thread::spawn(|| priority::fifo(1).is_ok()).join().unwrap()
}

/// Percentiles of a figure.
fn row(name: &str, mut values: Vec<f64>) -> String {
    values.sort_by(f64::total_cmp);
    let at = |share: usize| {
        values.get((values.len() * share / 1000).min(values.len() - 1)).copied().unwrap_or(0.0)
    };
    format!(
        "{name:<16} {:>6} {:>9.2} {:>9.2} {:>9.2} {:>9.2}",
        values.len(),
        at(500),
        at(990),
        at(999),
        values.last().copied().unwrap_or(0.0)
    )
}

fn table(title: &str, figures: &[Figure]) {
    println!(
        "\n{title}; ms from the last evidence to neutral\n{:<16} {:>6} {:>9} {:>9} {:>9} {:>9}",
        "", "n", "p50", "p99", "p99.9", "max"
    );
    for (kind, name) in KINDS.iter().enumerate() {
        let of: Vec<f64> = figures.iter().filter(|it| it.kind == kind).map(|it| it.since_evidence).collect();
        if !of.is_empty() {
            println!("{}", row(name, of));
        }
    }
    let kills: Vec<f64> = figures.iter().filter(|it| it.kind == 0).map(|it| it.since_fault).collect();
    if !kills.is_empty() {
        println!("{}", row("kill to neutral", kills));
    }
}

/// Those beyond the bound, the machine's own pauses taken off.
fn late(figures: &[Figure]) -> Vec<Figure> {
    figures.iter().copied().filter(|it| it.since_evidence - it.paused > BOUND_MS).collect()
}

#[test]
fn injections_at_random_moments_are_neutral_within_the_bound() {
    pauses::watch();
    let _alone = crate::car::alone();
    let count = number("HAIRPIN_INJECTIONS").unwrap_or(24);
    let begun = Instant::now();
    let idle = campaign(count.div_ceil(2), false, true);
    let loaded = campaign(count / 2, true, true);
    table("idle, SCHED_FIFO", &idle);
    table("8 busy loops a core, SCHED_FIFO", &loaded);
    let mut plain = Vec::new();
    if count >= 100 {
        plain = campaign(count / 20, false, false);
        table("idle, without SCHED_FIFO", &plain);
        let busy = campaign(count / 20, true, false);
        table("8 busy loops a core, without SCHED_FIFO (no bound is claimed)", &busy);
    }
    let mut all = idle.clone();
    if has_realtime() {
        all.extend(&loaded);
    } else {
        println!(
            "skipped: the bound under load, since this machine allows no real-time priority (LimitRTPRIO, or root)"
        );
    }
    let paused = all.iter().filter(|it| it.since_evidence > BOUND_MS).count();
    println!(
        "\n{} injections in {:.0} s: {} beyond {BOUND_MS} ms, {paused} of all with the machine's own pauses counted",
        all.len() + plain.len(),
        begun.elapsed().as_secs_f64(),
        late(&all).len()
    );
    assert!(late(&all).is_empty(), "{:?}", late(&all));
    let mut kills: Vec<f64> = idle.iter().filter(|it| it.kind == 0).map(|it| it.since_fault).collect();
    kills.sort_by(f64::total_cmp);
    let median = kills[kills.len() / 2];
    // A few would say more about the moment than about the program.
    assert!(kills.len() < 30 || median <= 1.0, "the median of kill -9 to neutral is {median:.2} ms");
}
