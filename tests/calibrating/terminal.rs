//! The guided calibration as a program: what the screen says, what the pins are told and in which order, and that a
//! terminal and the pins come back on every way out. Real terminals are pseudo ones.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant as Clock};

use hairpin::commands::calibrate::{Bench, Ended, Heard, Shown, Terminal, Tty, Undone, guided, undo};
use hairpin::domain::Pulses;
use hairpin::report::Report;
use hairpin::units::{Instant, Span};
use hairpin::vehicle::{Calibration, Points};
use rustix::fs::{Mode, OFlags, open};
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Termios, Winsize, tcgetattr, tcsetwinsize};

const NEUTRAL: &str = "write 1450000 1446000";
const WAY_OUT: [&str; 3] = [NEUTRAL, "wait 40", "gate shut"];

/// A terminal that somebody types on by a script, with its own time.
struct Typist {
    now: Rc<Cell<u64>>,
    keys: VecDeque<(u64, &'static str)>,
    shown: Vec<String>,
    /// Takes no drawing at these calls.
    busy: std::ops::Range<usize>,
    draws: usize,
    then: Heard,
}

impl Typist {
    /// Each text comes so many milliseconds after the one before; then nobody is there.
    fn new(script: &[(u64, &'static str)]) -> Self {
        let keys = script.iter().scan(0, |ms, (after, text)| {
            *ms += after;
            Some((*ms, *text))
        });
        let (keys, now) = (keys.collect(), Rc::new(Cell::new(0)));
        Self { now, keys, shown: Vec::new(), busy: 0..0, draws: 0, then: Heard::Nothing }
    }

    fn last(&self) -> String {
        plain(self.shown.last().unwrap())
    }
}

impl Tty for Typist {
    fn read(&mut self, buffer: &mut [u8], at_most: Span) -> io::Result<Heard> {
        assert!(at_most <= Span::from_millis(50), "signals would wait for {at_most}");
        let until = self.now.get() + at_most.0;
        match self.keys.front() {
            Some((ms, text)) if *ms * 1_000_000 <= until => {
                self.now.set(self.now.get().max(*ms * 1_000_000));
                buffer[..text.len()].copy_from_slice(text.as_bytes());
                let count = text.len();
                self.keys.pop_front();
                Ok(Heard::Bytes(count))
            }
            None if self.then != Heard::Nothing => Ok(self.then),
            _ => {
                self.now.set(until.max(self.now.get() + 1));
                Ok(Heard::Nothing)
            }
        }
    }

    fn show(&mut self, text: &str) -> io::Result<bool> {
        self.draws += 1;
        if self.busy.contains(&self.draws) {
            return Ok(false);
        }
        self.shown.push(text.to_owned());
        Ok(true)
    }

    fn now(&self) -> Instant {
        Instant(self.now.get())
    }
}

/// The text of a drawing without its orders to the terminal.
fn plain(drawn: &str) -> String {
    drawn
        .replace("\x1b[2J", "")
        .replace("\x1b[H", "")
        .replace("\x1b[K", "")
        .replace("\x1b[J", "")
        .replace('\r', "")
}

/// Pins that write down what they are told.
#[derive(Clone, Default)]
struct Diary {
    said: Arc<Mutex<Vec<String>>>,
    /// The call that fails or panics, counted from 1.
    fails: Option<usize>,
    panics: Option<usize>,
}

impl Diary {
    fn note(&self, word: String) -> anyhow::Result<()> {
        let calls = {
            let mut said = self.said.lock().unwrap();
            said.push(word);
            said.len()
        };
        assert_ne!(self.panics, Some(calls), "the bench panics as it was told");
        anyhow::ensure!(self.fails != Some(calls), "the chip does not answer");
        Ok(())
    }

    fn said(&self) -> Vec<String> {
        self.said.lock().unwrap().clone()
    }

    fn waited(&self) -> impl Fn(Span) + use<> {
        let said = Arc::clone(&self.said);
        move |span| said.lock().unwrap().push(format!("wait {}", span.0 / 1_000_000))
    }
}

impl Bench for Diary {
    fn write(&mut self, pulses: Pulses) -> anyhow::Result<()> {
        self.note(format!("write {} {}", pulses.steering.ns(), pulses.throttle.ns()))
    }

    fn power(&mut self, on: bool) -> anyhow::Result<()> {
        self.note(format!("gate {}", if on { "open" } else { "shut" }))
    }
}

fn guide(typist: &mut Typist, diary: &Diary) -> anyhow::Result<Ended> {
    let waited = diary.waited();
    guided(typist, &mut diary.clone(), &waited, Calibration::factory(), |_| {
        diary.said.lock().unwrap().push("save".to_owned());
        Ok(Some(PathBuf::from("calibration.json.before")))
    })
}

fn golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/calibrate").join(name);
    if std::env::var_os("HAIRPIN_BLESS").is_some() {
        std::fs::write(&file, text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, committed, "{name}: not as committed; HAIRPIN_BLESS=1 writes it anew");
}

/// All of a calibration, typed: a servo moved by two steps, the motor's ends, each proved.
const WHOLE: [(u64, &str); 14] = [
    (100, "wheels up"),
    (100, "\r"),
    (600, "\x1b[C\x1b[C"),
    (100, "\r"),
    (100, "<<<<<\r"),
    (100, ">>>>>\r"),
    (100, "  y"),
    (100, "\r"),
    (100, "\x1b[A\x1b[A"),
    (100, "\r"),
    (100, "\x1b[B\x1bOD\r"),
    (100, " y"),
    (100, "\r"),
    (100, "y"),
];

#[test]
fn the_screen_of_the_first_steps() {
    let mut text = String::new();
    for keys in [0, 1, 2, 3, 5, 7, 9, 10, 12, 13] {
        let mut typist = Typist::new(&WHOLE[..keys]);
        typist.then = Heard::Closed;
        guide(&mut typist, &Diary::default()).unwrap_err();
        let screen = typist.last();
        for line in screen.lines() {
            assert!(line.len() < 80 && line.is_ascii(), "{line}");
        }
        assert!(screen.lines().count() <= 24, "{screen}");
        writeln!(text, "---- after {keys} of the keys\n{screen}").unwrap();
    }
    golden("steps.txt", &text);
    // Rest and pause, and a refusal.
    let mut text = String::new();
    for (name, script) in [
        ("the motor rests", vec![(100, "wheels up\r"), (600, "s"), (10, "\r>>"), (2_100, "")]),
        ("paused", vec![(100, "wheels up\r"), (600, "<"), (10_100, "")]),
        ("refused", vec![(100, "wheels up\r"), (600, "\r<\r<\r")]),
    ] {
        let mut typist = Typist::new(&script);
        typist.then = Heard::Closed;
        guide(&mut typist, &Diary::default()).unwrap_err();
        writeln!(text, "---- {name}\n{}", typist.last()).unwrap();
    }
    golden("standing.txt", &text);
}

#[test]
fn neutral_before_the_gate_and_each_key_by_itself() {
    let (mut typist, diary) = (Typist::new(&WHOLE), Diary::default());
    let ended = guide(&mut typist, &diary).unwrap();
    let new = Calibration {
        servo: Points { min: 1_196_093, mid: 1_440_234, max: 1_684_375, polarity: 1 },
        motor: Points { min: 1_348_344, mid: 1_446_000, max: 1_499_711, polarity: -1 },
    };
    let kept = Some(PathBuf::from("calibration.json.before"));
    assert_eq!(ended, Ended::Written { new, kept });
    let said = diary.said();
    assert_eq!(said[..4], [NEUTRAL, NEUTRAL, "gate open", "write 1445117 1446000"]);
    assert_eq!(said.iter().filter(|word| word.starts_with("gate")).count(), 2);
    // The rest is the new middle: it was proved. Saving comes after the gate.
    assert_eq!(said[said.len() - 4..], ["write 1440234 1446000", "wait 40", "gate shut", "save"]);
    // The motor was never moved by more than a coarse key at once, down from where it was.
    let throttles: Vec<i64> = said
        .iter()
        .filter_map(|word| word.strip_prefix("write ")?.split(' ').next_back()?.parse().ok())
        .collect();
    let jumps =
        throttles.windows(2).filter(|pair| pair[1] != 1_446_000).map(|pair| (pair[1] - pair[0]).abs());
    assert_eq!(jumps.max(), Some(48_828));
    assert!(typist.shown.iter().any(|text| text.contains("write? [y/N] ")));
}

#[test]
fn quitting_leaves_neutral_and_a_shut_gate_and_writes_nothing() {
    for (script, wanted, opened) in [
        (vec![(10, "q")], Ended::Quit, false),
        (vec![(10, "\x1b")], Ended::Quit, false),
        (vec![(10, "wheels up\r"), (600, "<<q")], Ended::Quit, true),
        (vec![(10, "wheels up\r"), (600, "<\rs>>\x03")], Ended::Quit, true),
        (vec![(10, "wheels up\r"), (600, "s>>")], Ended::Idle, true),
        (vec![(10, "wheels up\r"), (10, "ss\r")], Ended::Unchanged, true),
    ] {
        let diary = Diary::default();
        assert_eq!(guide(&mut Typist::new(&script), &diary).unwrap(), wanted, "{script:?}");
        let said = diary.said();
        assert_eq!(said[0], NEUTRAL);
        assert_eq!(said[said.len() - 3..], WAY_OUT, "{script:?}");
        assert_eq!(said.contains(&"gate open".to_owned()), opened, "{script:?}");
    }
}

#[test]
fn only_a_y_after_the_question_is_a_yes() {
    for (last, then, written) in [
        ("y", Heard::Nothing, true),
        ("Y", Heard::Nothing, true),
        ("n", Heard::Nothing, false),
        ("\r", Heard::Nothing, false),
        ("\x1b", Heard::Nothing, false),
        // Nobody answers for ten minutes.
        ("", Heard::Nothing, false),
    ] {
        let mut script = WHOLE.to_vec();
        script[13] = (100, last);
        let (mut typist, diary) = (Typist::new(&script), Diary::default());
        typist.then = then;
        let ended = guide(&mut typist, &diary).unwrap();
        assert_eq!(matches!(ended, Ended::Written { .. }), written, "{last:?}");
        assert_eq!(diary.said().contains(&"save".to_owned()), written, "{last:?}");
        assert_eq!(matches!(ended, Ended::Declined), !written);
    }
    // Typed ahead, into the review's own line and into a terminal that has not shown the question yet.
    let mut script = WHOLE.to_vec();
    script[12] = (100, "\ry");
    script[13] = (100, "n");
    assert_eq!(guide(&mut Typist::new(&script), &Diary::default()).unwrap(), Ended::Declined);
    let mut typist = Typist::new(&WHOLE);
    guide(&mut typist, &Diary::default()).unwrap();
    let question = typist.draws - 1;
    let (mut typist, diary) = (Typist::new(&WHOLE), Diary::default());
    typist.busy = question..question + 5;
    typist.then = Heard::Closed;
    guide(&mut typist, &diary).unwrap_err();
    assert!(!diary.said().contains(&"save".to_owned()));
}

#[test]
fn a_call_that_fails_or_panics_still_ends_neutral_and_shut() {
    let script = [(10, "wheels up\r"), (600, "<\r<<\r>>\rs"), (10, ">"), (10, "q")];
    let diary = Diary::default();
    guide(&mut Typist::new(&script), &diary).unwrap();
    let calls = diary.said().len();
    assert!(calls > 10, "{:?}", diary.said());
    for call in 1..=calls - 3 {
        let diary = Diary { fails: Some(call), ..Diary::default() };
        let error = guide(&mut Typist::new(&script), &diary).unwrap_err();
        assert!(format!("{error:#}").contains("the chip does not answer"), "{error:#}");
        assert!(diary.said().ends_with(&WAY_OUT.map(str::to_owned)), "call {call}: {:?}", diary.said());
        let diary = Diary { panics: Some(call), ..Diary::default() };
        let panic = catch_unwind(AssertUnwindSafe(|| guide(&mut Typist::new(&script), &diary)));
        assert!(panic.is_err());
        assert!(diary.said().ends_with(&WAY_OUT.map(str::to_owned)), "call {call}: {:?}", diary.said());
    }
    // Where neutral itself fails, the gate is shut all the same.
    let diary = Diary { fails: Some(calls - 2), ..Diary::default() };
    guide(&mut Typist::new(&script), &diary).unwrap_err();
    assert_eq!(diary.said().last().map(String::as_str), Some("gate shut"));
}

#[test]
fn a_terminal_that_goes_or_a_signal_ends_it() {
    for (then, words) in
        [(Heard::Closed, "the terminal is gone"), (Heard::Signal("SIGTERM"), "stopped by SIGTERM")]
    {
        let (mut typist, diary) = (Typist::new(&WHOLE[..9]), Diary::default());
        typist.then = then;
        let error = guide(&mut typist, &diary).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert!(diary.said().ends_with(&WAY_OUT.map(str::to_owned)), "{:?}", diary.said());
    }
}

#[test]
fn calibrations_in_words() {
    let old = Calibration::factory();
    let new = Calibration { servo: Points { mid: 1_460_000, ..old.servo }, ..old };
    let shown = Shown { from: "calibration.json".to_owned(), calibration: old };
    let undone = undo(new, || Ok((old, Some(PathBuf::from("calibration.json.before.1"))))).unwrap();
    let Undone { before, now, .. } = &undone;
    assert_eq!((*before, *now), (new, old));
    golden("words.txt", &format!("{}\n\n{}\n", shown.text(), undone.text()));
    assert_eq!(shown.json()["calibration"]["motor"]["polarity"], -1);
    assert_eq!(undone.json()["before"]["servo"]["mid"], 1_460_000);
    let written = Ended::Written { new, kept: None };
    assert_eq!(written.json()["calibration"]["servo"]["mid"], 1_460_000);
    assert_eq!(written.text(), "the new calibration is written; no file held the old one");
}

/// A pseudo terminal: the end that types and sees, and the end that a program takes.
fn pseudo(columns: u16, rows: u16) -> (File, File) {
    let typing = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&typing).unwrap();
    unlockpt(&typing).unwrap();
    let name = ptsname(&typing, Vec::new()).unwrap();
    let taken = open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcsetwinsize(&taken, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (File::from(typing), File::from(taken))
}

/// What a mode consists of, to compare.
fn mode(terminal: &File) -> String {
    format!("{:?}", tcgetattr(terminal).unwrap() as Termios)
}

fn raw(terminal: &File) -> bool {
    !tcgetattr(terminal)
        .unwrap()
        .local_modes
        .intersects(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
}

/// Reads along; the thread ends with the terminal.
fn watch(mut seen: File) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&text);
    thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = seen.read(&mut buffer) {
            written.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    text
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Clock::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "waited 20 s for: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn sleeping(span: Span) {
    thread::sleep(Duration::from_nanos(span.0));
}

#[test]
fn on_a_terminal_q_brings_everything_back() {
    let (mut typing, taken) = pseudo(80, 24);
    let before = mode(&taken);
    let seen = watch(typing.try_clone().unwrap());
    let diary = Diary::default();
    thread::scope(|scope| {
        let guided = scope.spawn(|| {
            let mut terminal = Terminal::new(&taken, &taken).unwrap();
            guided(&mut terminal, &mut diary.clone(), &sleeping, Calibration::factory(), |_| Ok(None))
        });
        until("the first screen", || seen.lock().unwrap().contains("to quit: _"));
        assert!(raw(&taken));
        typing.write_all(b"wheels up\r").unwrap();
        until("an open gate", || diary.said().contains(&"gate open".to_owned()));
        // An arrow, and one in two halves.
        typing.write_all(b"\x1b[D\x1b").unwrap();
        thread::sleep(Duration::from_millis(10));
        typing.write_all(b"[D").unwrap();
        until("two steps", || diary.said().contains(&"write 1459766 1446000".to_owned()));
        until("its screen", || {
            seen.lock().unwrap().contains("^ 1459.8 us") || seen.lock().unwrap().contains("1459.8 us ^")
        });
        typing.write_all(b"q").unwrap();
        assert_eq!(guided.join().unwrap().unwrap(), Ended::Quit);
    });
    assert_eq!(mode(&taken), before);
    let said = diary.said();
    assert_eq!(said[said.len() - 2..], [NEUTRAL, "gate shut"]);
    // The first screen as the golden has it.
    let seen = seen.lock().unwrap();
    let first = plain(seen.split("\x1b[H").find(|drawing| drawing.contains("to quit: _")).unwrap());
    let steps = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/calibrate/steps.txt");
    let steps = std::fs::read_to_string(steps).unwrap();
    assert!(steps.contains(&first), "{first}");
}

#[test]
fn a_panic_brings_the_terminal_back() {
    let (mut typing, taken) = pseudo(0, 0);
    let before = mode(&taken);
    watch(typing.try_clone().unwrap());
    let diary = Diary { panics: Some(4), ..Diary::default() };
    typing.write_all(b"wheels up\r<").unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let mut terminal = Terminal::new(&taken, &taken).unwrap();
        guided(&mut terminal, &mut diary.clone(), &sleeping, Calibration::factory(), |_| Ok(None))
    }));
    assert!(panicked.is_err());
    assert_eq!(mode(&taken), before);
    assert_eq!(diary.said()[4..], [NEUTRAL, "gate shut"]);
}

/// Nobody reads what the program draws, as over a link that stalls: the motor rests all the same.
#[test]
fn a_terminal_that_takes_no_drawing_holds_up_no_pin() {
    let (mut typing, taken) = pseudo(80, 24);
    let diary = Diary::default();
    thread::scope(|scope| {
        let guided = scope.spawn(|| {
            let mut terminal = Terminal::new(&taken, &taken).unwrap();
            guided(&mut terminal, &mut diary.clone(), &sleeping, Calibration::factory(), |_| Ok(None))
        });
        until("a raw terminal", || raw(&taken));
        typing.write_all(b"wheels up\r").unwrap();
        // Two hundred drawings are more than any terminal holds.
        for key in ["<", ">"].iter().cycle().take(200) {
            typing.write_all(key.as_bytes()).unwrap();
            thread::sleep(Duration::from_millis(4));
        }
        typing.write_all(b"s>>").unwrap();
        let moved = "write 1450000 1348344".to_owned();
        until("a motor that moves", || diary.said().contains(&moved));
        let began = Clock::now();
        until("a motor that rests", || diary.said().last().map(String::as_str) == Some(NEUTRAL));
        let rested = began.elapsed();
        println!("nobody reads the screen: the motor rests {rested:?} after the last key");
        assert!((1_000..4_000).contains(&rested.as_millis()), "{rested:?}");
        typing.write_all(b"q").unwrap();
        assert_eq!(guided.join().unwrap().unwrap(), Ended::Quit);
    });
}

#[test]
fn what_is_no_terminal_or_too_small_is_refused() {
    let null = File::open("/dev/null").unwrap();
    let (_typing, taken) = pseudo(80, 24);
    let refused =
        |input: &File, output: &File| Terminal::new(input, output).map(|_| ()).unwrap_err().to_string();
    assert!(
        refused(&null, &taken).starts_with("standard input is no terminal; run `hairpin calibrate` in one")
    );
    assert!(refused(&taken, &null).starts_with("standard output is no terminal"));
    let (_typing, small) = pseudo(60, 20);
    assert_eq!(refused(&small, &small), "the terminal is 60x20, wanted at least 80x24: enlarge the window");
}

/// Pins that outlive the program: one line each in a file.
struct Kept(File);

impl Bench for Kept {
    fn write(&mut self, pulses: Pulses) -> anyhow::Result<()> {
        Ok(writeln!(self.0, "write {} {}", pulses.steering.ns(), pulses.throttle.ns())?)
    }

    fn power(&mut self, on: bool) -> anyhow::Result<()> {
        Ok(writeln!(self.0, "gate {}", if on { "open" } else { "shut" })?)
    }
}

const PINS: &str = "HAIRPIN_TEST_PINS";

/// Not a test: the program of the next one, on a terminal of its own.
#[test]
#[ignore = "run by the test of signals"]
fn program() {
    let Some(file) = std::env::var_os(PINS) else { return };
    let mut bench = Kept(OpenOptions::new().append(true).create(true).open(file).unwrap());
    let mut terminal = Terminal::standard().unwrap();
    let ended = guided(&mut terminal, &mut bench, &sleeping, Calibration::factory(), |_| Ok(None));
    drop(terminal);
    writeln!(bench.0, "{}", ended.unwrap_err()).unwrap();
}

#[test]
fn every_signal_that_ends_or_stops_leaves_neutral_and_the_terminal() {
    let folder = tempfile::tempdir().unwrap();
    for (signal, name) in [
        (Signal::TERM, "SIGTERM"),
        (Signal::INT, "SIGINT"),
        (Signal::HUP, "SIGHUP"),
        (Signal::QUIT, "SIGQUIT"),
        (Signal::TSTP, "SIGTSTP"),
    ] {
        let (mut typing, taken) = pseudo(80, 24);
        let before = mode(&taken);
        watch(typing.try_clone().unwrap());
        let pins = folder.path().join(name);
        let end = || Stdio::from(OwnedFd::from(taken.try_clone().unwrap()));
        let mut program = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "terminal::program", "--ignored", "--nocapture", "--test-threads=1"])
            .env(PINS, &pins)
            .stdin(end())
            .stdout(end())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let said = || std::fs::read_to_string(&pins).unwrap_or_default();
        until("a raw terminal", || raw(&taken));
        typing.write_all(b"wheels up\r<<").unwrap();
        until("a moved servo", || said().contains("write 1547656 1446000"));
        let began = Clock::now();
        kill_process(Pid::from_child(&program), signal).unwrap();
        until("a shut gate", || said().contains("gate shut"));
        println!("{name}: neutral and shut after {:?}", began.elapsed());
        assert!(program.wait().unwrap().success());
        let wanted = format!("{NEUTRAL}\ngate shut\nstopped by {name}: nothing was written\n");
        assert!(said().ends_with(&wanted), "{}", said());
        assert_eq!(mode(&taken), before, "{name}");
    }
}
