//! Every state that a lease can come to, over a small alphabet and coarse steps of time: followed until nothing new
//! turns up, each step judged by the history that led to it. And every sequence of five, from every phase.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test may stop at the first surprise"
)]

mod lease_oracle;

use std::collections::HashMap;
use std::fmt::Write as _;

use hairpin::domain::Ask;
use hairpin::lease::{GateState, Mode, Phase, Record, Terms};
use hairpin::units::{Instant, Permille, Span};
use lease_oracle::{Watched, What};

/// One step of time; the gate's delay is two of them.
const STEP: u64 = 20_000_000;

/// In steps: the lease.
const LEASE: u64 = 2;
const ARMING: u64 = 3;
const LATCH: u64 = 3;
const OLDEST: u64 = 2;

/// Short, so that the states are few: the law is the same for every length, and the lengths have tests of their own.
fn terms() -> Terms {
    let steps = |count: u64| Span(count * STEP);
    Terms {
        lease: steps(LEASE),
        arming: steps(ARMING),
        latch: steps(LATCH),
        oldest_evidence: steps(OLDEST),
        throttle_cap: Permille::new(500).unwrap(),
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Seq {
    Next,
    Same,
    Zero,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Frame {
    New,
    Same,
    TooOld,
    Ahead,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Message {
    New,
    Same,
}

/// A record as seen from what the driver sent before.
#[derive(Clone, Copy, Debug)]
struct Letter {
    mode: Mode,
    ask: Ask,
    seq: Seq,
    frame: Frame,
    message: Message,
    /// Steps until it is of no use.
    valid: u64,
    throttle: i16,
    foreign: bool,
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Told(What),
    Sent(Letter),
    SameDriver,
    OtherDriver,
}

/// The rest of a letter: a fresh frame and a new record, nothing asked, for half of the throttle.
const FRESH: Letter = Letter {
    mode: Mode::Autonomous,
    ask: Ask::Nothing,
    seq: Seq::Next,
    frame: Frame::New,
    message: Message::Same,
    valid: 9,
    throttle: 300,
    foreign: false,
};

fn letters() -> Vec<Letter> {
    let repeat = Letter { frame: Frame::Same, ..FRESH };
    let manual = Letter { mode: Mode::Manual, frame: Frame::Same, message: Message::New, ..FRESH };
    let idle = Letter { mode: Mode::Idle, ..FRESH };
    vec![
        FRESH,
        Letter { throttle: -900, ..FRESH },
        Letter { throttle: 0, ..FRESH },
        Letter { valid: 1, ..FRESH },
        Letter { valid: 0, ..FRESH },
        Letter { valid: 0, throttle: 0, ..FRESH },
        Letter { frame: Frame::Ahead, ..FRESH },
        Letter { frame: Frame::TooOld, ..FRESH },
        Letter { seq: Seq::Same, ..FRESH },
        Letter { seq: Seq::Zero, throttle: 0, ..FRESH },
        Letter { foreign: true, ..FRESH },
        Letter { foreign: true, ask: Ask::Stop, mode: Mode::Idle, message: Message::New, ..FRESH },
        repeat,
        Letter { throttle: 900, ..repeat },
        Letter { throttle: 900, valid: 1, ..repeat },
        Letter { throttle: 0, ..repeat },
        Letter { message: Message::New, ..repeat },
        manual,
        Letter { throttle: 900, message: Message::Same, ..manual },
        Letter { frame: Frame::New, message: Message::Same, ..manual },
        Letter { valid: 1, throttle: 0, ..manual },
        idle,
        Letter { frame: Frame::Same, ..idle },
        Letter { seq: Seq::Zero, ..idle },
        Letter { ask: Ask::Arm, message: Message::New, ..idle },
        Letter { ask: Ask::Arm, ..FRESH },
        Letter { ask: Ask::Arm, message: Message::New, ..repeat },
        Letter { ask: Ask::Arm, ..manual },
        Letter { ask: Ask::Arm, valid: 0, ..manual },
        Letter { ask: Ask::Stop, valid: 0, ..manual },
        Letter { ask: Ask::Stop, message: Message::Same, ..manual },
        Letter { ask: Ask::Disarm, seq: Seq::Same, ..manual },
        Letter { ask: Ask::Disarm, message: Message::New, ..FRESH },
    ]
}

fn alphabet() -> Vec<Move> {
    let told = [
        What::Tick,
        What::Ready,
        What::Operator(Ask::Arm),
        What::Operator(Ask::Disarm),
        What::Operator(Ask::Stop),
        What::Gone,
        What::Failed,
        What::Moved,
        What::Back,
        What::Ending,
    ];
    let told = told.into_iter().map(Move::Told).chain([Move::SameDriver, Move::OtherDriver]);
    told.chain(letters().into_iter().map(Move::Sent)).collect()
}

/// A watched lease, and what the driver counts.
#[derive(Clone)]
struct Play {
    watched: Watched,
    session: u32,
    seq: u64,
    message: u64,
    frame: Instant,
}

impl Play {
    fn new() -> Self {
        let mut watched = Watched::new(terms());
        // Not at the beginning of time, so that there is a frame that is too old.
        watched.step(What::Tick, Instant(100 * STEP)).unwrap();
        Self { watched, session: 1, seq: 0, message: 0, frame: Instant(0) }
    }

    fn make(&mut self, made: Move, steps: u64) -> Result<(), &'static str> {
        let now = self.watched.now() + Span(steps * STEP);
        let what = match made {
            Move::Told(what) => what,
            Move::SameDriver => What::Started(self.session),
            Move::OtherDriver => {
                (self.session, self.seq, self.message) = (3 - self.session, 0, 0);
                What::Started(self.session)
            }
            Move::Sent(letter) => What::Command(self.write(letter, now)),
        };
        self.watched.step(what, now).map(drop)
    }

    fn write(&mut self, letter: Letter, now: Instant) -> Record {
        self.seq += u64::from(letter.seq == Seq::Next && !letter.foreign);
        self.message += u64::from(letter.message == Message::New && !letter.foreign);
        let captured_at = match letter.frame {
            Frame::New => now,
            Frame::Same => self.frame,
            Frame::TooOld => now - Span((OLDEST + 1) * STEP),
            Frame::Ahead => now + Span(STEP),
        };
        if letter.frame != Frame::Ahead && !letter.foreign {
            self.frame = self.frame.max(captured_at);
        }
        Record {
            session: if letter.foreign { self.session + 7 } else { self.session },
            seq: if letter.seq == Seq::Zero { 0 } else { self.seq },
            frame: 0,
            captured_at,
            valid_until: now + Span(letter.valid * STEP),
            mode: letter.mode,
            ask: letter.ask,
            operator_seq: self.message,
            steering: Permille::new(letter.throttle / 3).unwrap(),
            throttle: Permille::new(letter.throttle).unwrap(),
        }
    }

    /// What can matter from here on: every time as seen from now, as far away as it can matter, every number as seen
    /// from the newest. Read off the lease's own `Debug`, so that no field is forgotten: one that is unknown stays.
    fn key(&self) -> String {
        let now = self.watched.now().0;
        let past = |time: u64, most: u64| (now - time.min(now)).min(most * STEP) / STEP;
        let until = |time: u64| time.saturating_sub(now) / STEP;
        let text = format!("{:?}", self.watched.lease);
        let fields = text.split_once("throttle_cap: Permille(500) }, ").expect("the terms come first").1;
        let armed = self.watched.lease.phase() == Phase::Armed;
        let mut key = String::new();
        let mut live = false;
        for field in fields.split_inclusive(", ") {
            let number = || {
                let digits: String = field.chars().filter(char::is_ascii_digit).collect();
                digits.parse::<u64>().expect("a number")
            };
            let name = field.split(':').next().unwrap_or_default();
            match name {
                "phase" if field.contains("since") => {
                    write!(key, "arming {} ", past(number(), ARMING)).unwrap();
                }
                // A latched fault is as good as another, whatever its name; the end is not.
                "phase" if field.contains("cause") => key.push_str(latched(field)),
                "now" => {}
                "session" => write!(key, "same {} ", number() == u64::from(self.session)).unwrap(),
                "seq" => write!(key, "seq {} {} ", number() == self.seq, number().min(1)).unwrap(),
                "captured_at" => {
                    let newer = self.frame.0 > number();
                    let (seen, sent) = (past(number(), OLDEST + 2), past(self.frame.0, OLDEST + 2));
                    write!(key, "seen {seen} sent {sent} {newer} ").unwrap();
                }
                "message" | "stopped" => write!(key, "{name} {:?} ", self.message.cmp(&number())).unwrap(),
                "evident_until" => write!(key, "evident {} ", until(number())).unwrap(),
                "until" => {
                    live = number() > now;
                    let (left, ago) = (until(number()), past(number(), LATCH + 1));
                    write!(key, "left {} ago {} ", u64::from(armed) * left, u64::from(armed) * ago).unwrap();
                }
                "power_until" => write!(key, "power {} ", until(number())).unwrap(),
                _ => key.push_str(field),
            }
        }
        // A command that is not live is as good as none.
        if armed && live { key } else { without_command(&key) }
    }
}

fn latched(field: &str) -> &str {
    if field.contains("GuardianEnding") { "ended " } else { "latched " }
}

fn without_command(key: &str) -> String {
    let (head, tail) = key.split_once("command: ").expect("a command");
    let (_, tail) = tail.split_once("left ").expect("its lease");
    format!("{head}left {tail}")
}

/// What an observer sees of a step, in steps from now.
fn seen(play: &Play) -> (i16, i16, GateState, Option<u64>, String) {
    let line = play.watched.lines.last().unwrap();
    let output = line.output;
    let wake = output.wake.map(|wake| wake.0 - line.at.0);
    (output.steering.get(), output.throttle.get(), output.gate, wake, format!("{:?}", output.answer))
}

/// How a state was reached first.
struct Reached {
    from: usize,
    made: Option<(Move, u64)>,
    lapsed: bool,
    phase: Phase,
}

fn path(states: &[Reached], mut place: usize) -> Vec<(Move, u64)> {
    let mut path = Vec::new();
    while let Some(made) = states[place].made {
        path.push(made);
        place = states[place].from;
    }
    path.reverse();
    path
}

fn replay(path: &[(Move, u64)]) -> Play {
    let mut play = Play::new();
    for (made, steps) in path {
        play.make(*made, *steps).expect("it went well before");
    }
    play
}

/// Follows every move from every state. Returns the states and the number of transitions.
fn close(alphabet: &[Move], moves: &[(Move, u64)]) -> (Vec<Reached>, usize, usize) {
    let mut known = HashMap::from([(Play::new().key(), 0)]);
    let mut states = vec![Reached { from: 0, made: None, lapsed: false, phase: Phase::Boot }];
    let (mut transitions, mut compared, mut place) = (0, 0, 0);
    while place < states.len() {
        let path = path(&states, place);
        let play = replay(&path);
        for (made, steps) in moves {
            let mut next = play.clone();
            if let Err(law) = next.make(*made, *steps).and_then(|()| next.watched.judge_wake()) {
                panic!("{law}: {path:?}, then {made:?} after {steps} steps");
            }
            transitions += 1;
            let fresh = states.len();
            let same = *known.entry(next.key()).or_insert(fresh);
            if same == fresh {
                let phase = next.watched.lease.phase();
                let lapsed =
                    phase == Phase::Armed && next.watched.lines.last().unwrap().output.throttle.get() == 0;
                states.push(Reached { from: place, made: Some((*made, *steps)), lapsed, phase });
            } else if transitions % 97 == 0 {
                alike(&next, &replay(&self::path(&states, same)), alphabet);
                compared += 1;
            }
        }
        place += 1;
    }
    (states, transitions, compared)
}

/// Two ways to one state must not be told apart by whatever comes next, or the states were put together wrongly.
fn alike(one: &Play, other: &Play, alphabet: &[Move]) {
    for made in alphabet {
        let (mut one, mut other) = (one.clone(), other.clone());
        one.make(*made, 1).unwrap();
        other.make(*made, 1).unwrap();
        assert_eq!((one.key(), seen(&one)), (other.key(), seen(&other)), "after {made:?}");
    }
}

#[test]
fn every_state_is_reached_and_every_step_bears_the_history_out() {
    let begun = std::time::Instant::now();
    let alphabet = alphabet();
    // Now, a step later, and after longer than anything lasts: that one alone, for all else is a tick and then at once.
    let mut moves = vec![(Move::Told(What::Tick), 9)];
    for made in &alphabet {
        moves.extend([(*made, 0), (*made, 1)]);
    }
    let (states, transitions, compared) = close(&alphabet, &moves);
    let count = |wanted: fn(&Reached) -> bool| states.iter().filter(|state| wanted(state)).count();
    let counts = [
        ("Boot", count(|state| state.phase == Phase::Boot)),
        ("Disarmed", count(|state| state.phase == Phase::Disarmed)),
        ("Arming", count(|state| matches!(state.phase, Phase::Arming { .. }))),
        ("Armed, live", count(|state| state.phase == Phase::Armed && !state.lapsed)),
        ("Armed, neutral", count(|state| state.phase == Phase::Armed && state.lapsed)),
        ("Fault", count(|state| matches!(state.phase, Phase::Fault { .. }))),
    ];
    let longest = (0..states.len()).map(|place| path(&states, place).len()).max().unwrap_or(0);
    println!(
        "{} states, {transitions} transitions ({} events at 0, 20 or 180 ms), the farthest {longest} events away, \
         {compared} pairs compared: {counts:?}, {:.1} s",
        states.len(),
        alphabet.len(),
        begun.elapsed().as_secs_f64()
    );
    assert!(counts.iter().all(|(_, count)| *count > 5), "{counts:?}");
    assert!(longest > 6, "there is more to reach");
}

/// Every sequence of `depth` from here.
fn sequences(play: &Play, alphabet: &[(Move, u64)], depth: u32, tried: &mut u64) {
    if depth == 0 {
        *tried += 1;
        return;
    }
    for (made, steps) in alphabet {
        let mut next = play.clone();
        if let Err(law) = next.make(*made, *steps) {
            panic!("{law}: {:#?}", next.watched.lines);
        }
        sequences(&next, alphabet, depth - 1, tried);
    }
}

#[test]
fn every_sequence_of_five_from_every_phase() {
    let begun = std::time::Instant::now();
    let manual = Letter { mode: Mode::Manual, frame: Frame::Same, message: Message::New, ..FRESH };
    let alphabet = [
        (Move::Told(What::Tick), 1),
        (Move::Told(What::Ready), 0),
        (Move::Told(What::Operator(Ask::Arm)), 0),
        (Move::Told(What::Operator(Ask::Stop)), 1),
        (Move::Told(What::Failed), 1),
        (Move::Told(What::Back), 1),
        (Move::OtherDriver, 0),
        (Move::Sent(FRESH), 1),
        (Move::Sent(Letter { frame: Frame::Same, throttle: 900, ..FRESH }), 1),
        (Move::Sent(Letter { ask: Ask::Arm, ..manual }), 1),
        (Move::Sent(Letter { mode: Mode::Idle, frame: Frame::Same, ..FRESH }), 1),
    ];
    let good = [
        (Move::Told(What::Ready), 0),
        (Move::OtherDriver, 0),
        (Move::Sent(FRESH), 1),
        (Move::Told(What::Operator(Ask::Arm)), 0),
        (Move::Sent(FRESH), 1),
        (Move::Sent(FRESH), 1),
        (Move::Sent(FRESH), 1),
        (Move::Told(What::Tick), 2),
        (Move::Told(What::Moved), 0),
    ];
    let starts =
        [("Boot", 0), ("Disarmed", 3), ("Arming", 6), ("Armed", 7), ("Armed, neutral", 8), ("Fault", 9)];
    let mut tried = 0;
    for (name, length) in starts {
        let play = replay(&good[..length]);
        let phase = format!("{:?}", play.watched.lease.phase());
        assert!(phase.starts_with(name.split(',').next().unwrap()), "{phase}, wanted {name}");
        sequences(&play, &alphabet, 5, &mut tried);
    }
    println!("{tried} sequences of 5 from {} phases, {:.1} s", starts.len(), begun.elapsed().as_secs_f64());
    assert_eq!(tried, 6 * 11_u64.pow(5));
}
