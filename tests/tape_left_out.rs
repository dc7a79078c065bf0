//! A drive whose recorder had to leave pictures out replays without a differing bit, and only by recalling.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::convert::Infallible;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex};

use hairpin::domain::{
    Action, ActionSpace, Applied, Ask, Frame, FrameSeq, FrameStamp, Health, Inputs, Note, OperatorInput,
    Order, Picture, PixelFormat, Previous, Recipe, Scores, Sensor, Size, Tick,
};
use hairpin::drive::{Actuators, Pilot, Sensed, Senses, Setup, Sink, Stopwatch, World, cycle};
use hairpin::governor::Limits;
use hairpin::policy::choose::Bound;
use hairpin::policy::scripted::Scripted;
use hairpin::tape::recorder::{Bounds, Recorder};
use hairpin::tape::rig::{Fill, TapeWorld};
use hairpin::tape::writer::Disk;
use hairpin::tape::{Header, ScoreRule, Tape, TapeWriter, compare};
use hairpin::units::{Degrees, Instant, MetresPerSecond, Span};
use hairpin::vehicle::Calibration;
use hairpin::vision::JudgeLimits;

const TICK: u64 = 33_333_333;
const SIZE: Size = Size { width: 160, height: 120 };
const TICKS: u64 = 400;

/// A disk that hangs when it is told to.
#[derive(Clone, Default)]
struct Plate(Arc<(Mutex<Held>, Condvar)>);

/// What was written, and whether writing is held up.
type Held = (Vec<u8>, bool);

impl Plate {
    fn stall(&self, stalled: bool) {
        self.0.0.lock().unwrap().1 = stalled;
        self.0.1.notify_all();
    }
}

impl Write for Plate {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.0.lock().unwrap().0.extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Disk for Plate {
    fn sync(&mut self) -> std::io::Result<()> {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |inside| inside.1).unwrap());
        Ok(())
    }
}

struct Still;

impl Stopwatch for Still {
    fn now(&self) -> Instant {
        Instant(0)
    }
}

/// A bad day: frozen, dark and missing pictures, late ticks, a policy that says NaN, stops and arming.
struct Script {
    next: u64,
    pixels: Vec<u8>,
    plate: Plate,
}

impl Senses for Script {
    type Error = Infallible;

    fn next(&mut self, previous: Previous) -> Result<Option<Sensed<'_>>, Infallible> {
        let n = self.next;
        self.next += 1;
        if n == TICKS {
            self.plate.stall(false);
            return Ok(None);
        }
        if n % 100 == 10 || n % 100 == 60 {
            self.plate.stall(n % 100 == 10);
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        let frozen = (80..84).contains(&(n % 90));
        if !frozen {
            let light = if (70..73).contains(&(n % 80)) { 16 } else { 60 + (n * 13 % 150) as u8 };
            for (at, pixel) in self.pixels.iter_mut().enumerate() {
                *pixel = if at % 2 == 1 { 128 } else { light ^ (at % 7) as u8 };
            }
            self.pixels[0] = (n % 251) as u8;
        }
        let at = Instant(n * TICK);
        let there = !n.is_multiple_of(37);
        let ask = match n % 150 {
            1..=3 => Ask::Arm,
            140 => Ask::Stop,
            _ => Ask::Nothing,
        };
        let inputs = Inputs {
            seq: n,
            now: at,
            frame: there.then_some(FrameStamp { seq: FrameSeq(n), captured_at: at }),
            operator: OperatorInput { seq: n, ask, speed_percent: 50 + (n % 40) as u8 },
            health: Health::default(),
            previous: Previous { elapsed: Span(if n % 29 < 5 { 200_000_000 } else { 9 }), ..previous },
        };
        let left = Picture { format: PixelFormat::Yuyv(SIZE), bytes: &self.pixels };
        let frame = Frame { seq: FrameSeq(n), captured_at: at, left, right: None, ranges: &[] };
        Ok(Some(Sensed { inputs, frame: there.then_some(frame), recalled: None }))
    }
}

struct Pins;

impl Actuators for Pins {
    fn apply(&mut self, _: Order) -> Applied {
        Applied::Written
    }
}

struct Theatre(Script, Pins);

impl World for Theatre {
    type Senses = Script;
    type Actuators = Pins;

    fn parts(&mut self) -> (&mut Script, &mut Pins) {
        (&mut self.0, &mut self.1)
    }
}

fn pilot() -> Pilot<Scripted<impl FnMut(f32) -> Scores>> {
    let action = |steering: f64, speed: f64| Action {
        steering: Degrees::new(steering).unwrap(),
        speed: MetresPerSecond::new(speed).unwrap(),
    };
    let setup = Setup {
        recipe: Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() },
        action_space: ActionSpace::Discrete(vec![action(30.0, 1.0), action(-30.0, 0.7), action(3.0, 2.0)]),
        bound: Bound::Clamp,
        limits: Limits { arming: Span(5 * TICK), ..Limits::default() },
        judge: JudgeLimits::default(),
        calibration: Calibration::factory(),
    };
    let answer = |mean: f32| {
        let odd = if mean % 17.0 >= 3.0 && mean % 17.0 < 4.0 { f32::NAN } else { (mean * 7.3) % 2.0 };
        Scores::new(&[odd, (mean * 3.1) % 2.0, (mean * 1.7) % 2.0]).unwrap()
    };
    Pilot::new(Scripted::new(answer), setup)
}

/// Compares every tick with the tape.
struct Compared<'a> {
    tape: &'a Tape,
    first: Option<String>,
    equal: u64,
}

impl Sink for Compared<'_> {
    fn emit(&mut self, tick: &Tick, _: Option<&Frame<'_>>) -> bool {
        let at = self.tape.position_of_tick(tick.inputs.seq).unwrap();
        let recorded = self.tape.record(at).unwrap().tick.unwrap();
        match compare::ticks(&recorded, tick, ScoreRule::Exact) {
            None => self.equal += 1,
            Some(at) => drop(self.first.get_or_insert(at.to_string())),
        }
        true
    }
}

#[test]
fn a_drive_with_pictures_left_out_replays_without_a_differing_bit() {
    let plate = Plate::default();
    let writer = TapeWriter::new(plate.clone(), &Header::default()).unwrap().on(plate.clone());
    let bounds = Bounds { pictures: 4, period: Span(0), ..Bounds::default() };
    let mut recorder = Recorder::start(writer, bounds).unwrap();
    let script = Script { next: 0, pixels: vec![0; 160 * 120 * 2], plate: plate.clone() };
    cycle(&mut Theatre(script, Pins), &mut pilot(), &Still, &mut recorder, || false).unwrap();
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.failed), (TICKS, None));

    let bytes = plate.0.0.lock().unwrap().0.clone();
    let tape = Tape::from_bytes(bytes).unwrap();
    let left_out: Vec<u64> = tape
        .records()
        .filter(hairpin::tape::Record::left_out)
        .map(|record| record.tick.unwrap().inputs.seq)
        .collect();
    assert_eq!(left_out.len() as u64, summary.dropped);
    assert!(left_out.len() > 150, "{}", left_out.len());
    let last = tape.record(tape.len() - 1).unwrap().tick.unwrap();
    assert!(u64::from(last.inputs.previous.dropped) <= summary.dropped && last.inputs.previous.dropped > 150);
    // The day was as bad as it was meant to be, also where the pictures are gone.
    let noted = |note: Note| {
        tape.records()
            .filter(|record| record.left_out() && record.tick.unwrap().decision.notes.has(note))
            .count()
    };
    for note in
        [Note::FrameFrozen, Note::ScoresNotFinite, Note::CycleLate, Note::PictureDark, Note::ThrottleSlewed]
    {
        println!("{note:?}: {} times in ticks without pictures", noted(note));
    }
    assert!(noted(Note::FrameFrozen) > 0 && noted(Note::ScoresNotFinite) > 0);

    let mut with = Compared { tape: &tape, first: None, equal: 0 };
    let mut world = TapeWorld::new(&tape, 50, Fill::nothing()).recalling();
    cycle(&mut world, &mut pilot(), &Still, &mut with, || false).unwrap();
    assert_eq!((with.equal, with.first), (TICKS, None));

    let mut without = Compared { tape: &tape, first: None, equal: 0 };
    cycle(&mut TapeWorld::new(&tape, 50, Fill::nothing()), &mut pilot(), &Still, &mut without, || false)
        .unwrap();
    let first = without.first.unwrap();
    println!(
        "{} of {TICKS} without pictures; not recalled: {} equal, {first}",
        left_out.len(),
        without.equal
    );
    assert!(first.starts_with(&format!("tick {}", left_out[0])), "{first}");
}
