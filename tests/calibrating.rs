//! Calibration by hand: the session with keys and times as arguments; below `calibrating/`, the terminal.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[cfg(all(feature = "car", feature = "cli"))]
#[path = "calibrating/terminal.rs"]
mod terminal;

use std::cell::Cell;

use hairpin::domain::Pulses;
use hairpin::units::{Instant, Pulse, Span};
use hairpin::vehicle::calibrating::{End, Found, Key, Micros, Phase, Remark, Session, Step, View};
use hairpin::vehicle::{Calibration, CalibrationError, Channel, Points};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof};
use proptest::test_runner::{TestCaseError, TestRunner};

const SERVO: Channel = Channel::Servo;
const MOTOR: Channel = Channel::Motor;

fn at(ms: u64) -> Instant {
    Instant(7_000_000_000) + Span::from_millis(ms)
}

/// A session and its clock, in milliseconds.
struct Bench {
    session: Session,
    ms: u64,
}

impl Bench {
    fn over(old: Calibration) -> Self {
        Self { session: Session::new(old, at(0)).unwrap(), ms: 0 }
    }

    /// The wheels are up, and the ESC has had its time.
    fn ready(old: Calibration) -> Self {
        let mut bench = Self::over(old);
        bench.text("wheels up\n");
        bench.ms += 500;
        bench
    }

    /// One key, 10 ms after the one before.
    fn key(&mut self, key: Key) -> &mut Self {
        self.ms += 10;
        self.session.press(key, at(self.ms));
        self
    }

    /// `<>,.` move, a line's end accepts, the rest are letters.
    fn text(&mut self, text: &str) -> &mut Self {
        for letter in text.chars() {
            self.key(if letter == '\n' { Key::Enter } else { Key::Char(letter) });
        }
        self
    }

    fn pass(&mut self, ms: u64) -> &mut Self {
        self.ms += ms;
        self.session.pass(at(self.ms));
        self
    }

    fn view(&self) -> View {
        self.session.view()
    }

    fn ns(&self) -> (u32, u32) {
        let Pulses { steering, throttle } = self.session.pulses();
        (steering.ns(), throttle.ns())
    }

    fn remark(&self) -> Option<Remark> {
        self.view().remark
    }
}

#[test]
fn a_whole_calibration_comes_to_the_points_that_were_put_out() {
    let mut bench = Bench::ready(Calibration::factory());
    // The factory's car turns left with longer pulses, so the bar's left is longer: 50 steps of 4882.8125 ns.
    bench.text("\n<<<<<");
    assert_eq!(bench.ns(), (1_694_141, 1_446_000));
    bench.text("\n>>>>>");
    assert_eq!(bench.ns(), (1_205_859, 1_446_000));
    bench.text("\n  ");
    assert_eq!((bench.view().step, bench.ns()), (Step::Sign(SERVO), (1_572_070, 1_446_000)));
    // Forward with shorter pulses: 20 steps forward, 23 to the brake.
    bench.text("y\n>>");
    assert_eq!(bench.ns(), (1_450_000, 1_348_344));
    bench.text("\n<<,,,");
    assert_eq!(bench.ns(), (1_450_000, 1_558_305));
    bench.text("\n ");
    assert_eq!((bench.view().step, bench.ns()), (Step::Sign(MOTOR), (1_450_000, 1_421_586)));
    bench.text("y");
    assert_eq!((bench.view().step, bench.ns()), (Step::Review, (1_450_000, 1_446_000)));
    bench.text("\n");
    let found = Calibration {
        servo: Points { min: 1_205_859, mid: 1_450_000, max: 1_694_141, polarity: 1 },
        motor: Points { min: 1_348_344, mid: 1_446_000, max: 1_558_305, polarity: -1 },
    };
    assert_eq!(bench.view().end(), Some(End::Finished(found)));
    assert_eq!((bench.ns(), bench.session.powered()), ((1_450_000, 1_446_000), false));
}

#[test]
fn a_servo_built_in_the_other_way_round_asks_twice_and_turns_the_sign() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text(",,\n>>\n");
    assert_eq!(bench.remark(), Some(Remark::OtherSide { channel: SERVO }));
    assert_eq!(bench.view().step, Step::Plus(SERVO));
    bench.text("\n<<\n").text(" ys").text("\n");
    // 2 steps of 4882.8125 longer than the old middle, then 20 to either side; left is the shorter end.
    let found = Points { min: 1_362_110, mid: 1_459_766, max: 1_557_422, polarity: -1 };
    assert_eq!(
        bench.view().end(),
        Some(End::Finished(Calibration { servo: found, ..Calibration::factory() }))
    );
}

#[test]
fn no_to_the_sign_exchanges_the_ends() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("\n<<\n>\n y").text("s").text("uu");
    assert_eq!(bench.view().step, Step::Sign(SERVO));
    bench.text("n");
    assert_eq!((bench.remark(), bench.view().quarters), (Some(Remark::Turned), 0));
    bench.text("    ");
    // Left is now where right was: 10 steps shorter.
    assert_eq!(bench.ns().0, 1_401_172);
    bench.text("ys\n");
    let found = Points { min: 1_401_172, mid: 1_450_000, max: 1_547_656, polarity: -1 };
    assert_eq!(
        bench.view().end(),
        Some(End::Finished(Calibration { servo: found, ..Calibration::factory() }))
    );
}

#[test]
fn falling_points_are_moved_by_the_same_keys_and_leave_rising() {
    let old = Calibration {
        servo: Points { min: 1_750_000, mid: 1_530_000, max: 1_230_000, polarity: 1 },
        motor: Points { min: 1_700_000, mid: 1_450_000, max: 1_200_000, polarity: 1 },
    };
    let mut bench = Bench::ready(old);
    // Here left is the shorter pulse.
    bench.text("\n<\n>\n y");
    assert_eq!(bench.view().channel(SERVO).1.plus, Some(1_481_172));
    bench.text("\n>\n<\n y\n");
    let found = Calibration {
        servo: Points { min: 1_481_172, mid: 1_530_000, max: 1_578_828, polarity: -1 },
        motor: Points { min: 1_401_172, mid: 1_450_000, max: 1_498_828, polarity: -1 },
    };
    assert_eq!(bench.view().end(), Some(End::Finished(found)));
}

#[test]
fn both_channels_skipped_is_the_old_calibration() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("..\n<<ss\n");
    assert_eq!(bench.view().end(), Some(End::Finished(Calibration::factory())));
}

#[test]
fn nothing_is_powered_before_the_words() {
    let mut bench = Bench::over(Calibration::factory());
    bench.text("wheels down\n");
    assert_eq!((bench.remark(), bench.session.powered()), (Some(Remark::NotTheWords), false));
    bench.text("\n<<>>\nwheels upp\n");
    assert_eq!((bench.view().phase, bench.session.powered()), (Phase::Unconfirmed, false));
    bench.text("Wheels UPP").key(Key::Rubout);
    assert_eq!((bench.ns(), bench.session.powered()), ((1_450_000, 1_446_000), false));
    bench.text("\n");
    assert_eq!((bench.view().phase, bench.session.powered()), (Phase::Working, true));
    // What is typed stays on its line: twice the words, and no control characters.
    let mut bench = Bench::over(Calibration::factory());
    bench.text("\x07").text(&"x".repeat(40));
    assert_eq!(bench.view().typed, "x".repeat(18));
    let mut bench = Bench::over(Calibration::factory());
    bench.text("wheels q");
    assert_eq!(bench.view().end(), Some(End::Quit));
}

#[test]
fn what_could_not_end_well_is_refused_at_its_own_step() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("\n\n");
    assert_eq!(bench.remark(), Some(Remark::StillTheMiddle { middle: 1_450_000 }));
    bench.text("<<\n<\n");
    let same = Remark::SameSide { channel: SERVO, saw: 1_498_828, middle: 1_450_000, first: 1_547_656 };
    assert_eq!((bench.remark(), bench.view().step), (Some(same), Step::Minus(SERVO)));
    bench.text(">\n");
    assert_eq!(bench.remark(), Some(Remark::StillTheMiddle { middle: 1_450_000 }));
    bench.text(">\ny");
    assert_eq!(bench.remark(), Some(Remark::NotMovedYet));
    bench.text("\n");
    assert_eq!((bench.remark(), bench.view().step), (Some(Remark::YesOrNo), Step::Sign(SERVO)));
    bench.text(" y\n\n");
    assert_eq!(bench.remark(), Some(Remark::StillTheMiddle { middle: 1_446_000 }));
    assert_eq!(same.to_string(), "1498.8 us is on the left side: right needs one shorter than 1450.0 us");
}

#[test]
fn a_middle_at_the_limit_leaves_no_room() {
    let near = Points { min: 1_000_000, mid: 1_030_000, max: 1_060_000, polarity: 1 };
    let mut bench = Bench::ready(Calibration { servo: near, ..Calibration::factory() });
    bench.text("\n");
    assert_eq!(bench.remark(), Some(Remark::NoRoom { saw: 1_030_000 }));
    // Bar left is longer: 4 steps make 1.0495, 5 make 1.0544 ms.
    bench.text("<,,,,,\n");
    assert_eq!((bench.remark(), bench.view().step), (None, Step::Plus(SERVO)));
    for (mid, refused) in [(1_049_999, true), (1_050_000, false), (1_950_000, false), (1_950_001, true)] {
        let servo = Points { min: mid - 10_000, mid, max: mid + 10_000, polarity: 1 };
        let mut bench = Bench::ready(Calibration { servo, ..Calibration::factory() });
        bench.text("\n");
        assert_eq!(bench.remark() == Some(Remark::NoRoom { saw: mid }), refused, "{mid}");
    }
}

#[test]
fn the_band_holds_until_it_is_widened_twice_over() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("s\n>>>>>>");
    // 200 us are 40.96 steps: 40 shorter than 1446 us, and 45 from 1450 would be asked.
    assert_eq!(bench.ns().1, 1_250_688);
    bench.text(">");
    assert_eq!(bench.remark(), Some(Remark::BandEnds { band: (1_246_000, 1_646_000), wide: false }));
    bench.text("w>>");
    assert_eq!(bench.ns().1, 1_250_688);
    bench.text("ww>");
    assert_eq!(bench.ns().1, 1_201_859);
    bench.text(">>>>>>>");
    // 91 steps are left down to 1.0 ms.
    assert_eq!(bench.ns().1, 1_001_664);
    // Five moves, of which the last is one step, one move before them, and the widening itself.
    bench.text("uuuuuu");
    assert!(bench.view().channel(MOTOR).1.wide);
    bench.text("u");
    assert_eq!((bench.view().channel(MOTOR).1.wide, bench.view().aim), (false, Some(1_250_688)));
}

#[test]
fn the_motor_rests_after_two_seconds_and_a_key_only_brings_it_back() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("s\n>>");
    assert_eq!((bench.ns().1, bench.pass(1_999).ns().1), (1_348_344, 1_348_344));
    assert_eq!(bench.session.wake(), Some(at(bench.ms + 1)));
    assert_eq!(bench.pass(1).ns(), (1_450_000, 1_446_000));
    assert!(bench.view().resting);
    bench.text(">");
    assert_eq!((bench.ns().1, bench.view().resting), (1_348_344, false));
    bench.text(".");
    assert_eq!(bench.ns().1, 1_343_461);
    // Space, a letter or a refused key is a sign of life; undo brings no motor up.
    bench.pass(1_500).text(" ").pass(1_500);
    assert_eq!(bench.ns().1, 1_343_461);
    bench.text("u");
    assert_eq!((bench.ns().1, bench.view().aim, bench.view().resting), (1_446_000, Some(1_348_344), true));
    bench.text(" ");
    assert_eq!(bench.ns().1, 1_348_344);
    // In a sign step space brings back what was there first, then goes on to full and no further.
    bench.text("\n<\n  ");
    assert_eq!((bench.view().quarters, bench.pass(2_000).ns().1), (2, 1_446_000));
    let away = bench.view().undoable;
    bench.text(" ");
    assert_eq!((bench.view().quarters, bench.ns().1), (2, 1_397_172));
    bench.text("    ");
    assert_eq!((bench.view().quarters, bench.view().undoable, bench.ns().1), (4, away + 2, 1_348_344));
    // Steering stays where it is: a servo holds, and nothing runs away.
    let mut bench = Bench::ready(Calibration::factory());
    assert_eq!(bench.text("<").pass(9_000).ns().0, 1_498_828);
}

#[test]
fn ten_seconds_pause_and_ten_minutes_end() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("<").pass(9_999);
    assert_eq!((bench.view().phase, bench.ns().0), (Phase::Working, 1_498_828));
    bench.pass(1);
    assert_eq!((bench.view().phase, bench.ns()), (Phase::Paused, (1_450_000, 1_446_000)));
    bench.text("<");
    assert_eq!((bench.view().phase, bench.ns().0), (Phase::Working, 1_498_828));
    bench.pass(10_000).text("q");
    assert_eq!(bench.view().end(), Some(End::Quit));

    let mut bench = Bench::ready(Calibration::factory());
    bench.text("<\n").pass(599_999);
    assert_eq!(bench.view().phase, Phase::Paused);
    assert_eq!((bench.ns(), bench.session.wake()), ((1_498_828, 1_446_000), Some(at(bench.ms + 1))));
    bench.pass(1);
    assert_eq!((bench.view().end(), bench.ns()), (Some(End::Idle), (1_450_000, 1_446_000)));
    assert_eq!((bench.session.wake(), bench.text("\n").view().end()), (None, Some(End::Idle)));
    let mut bench = Bench::over(Calibration::factory());
    assert_eq!(bench.pass(600_000).view().end(), Some(End::Idle));
}

#[test]
fn an_esc_gets_half_a_second_of_neutral_first() {
    let mut bench = Bench::over(Calibration::factory());
    bench.text("wheels up\ns\n>");
    assert_eq!((bench.remark(), bench.ns().1), (Some(Remark::TooSoon), 1_446_000));
    // The words were complete 30 ms ago.
    bench.ms += 459;
    assert_eq!(bench.text(">").remark(), Some(Remark::TooSoon));
    bench.ms -= 9;
    assert_eq!(bench.text(">").ns().1, 1_397_172);
}

#[test]
fn a_clock_that_goes_back_extends_nothing() {
    let mut bench = Bench::ready(Calibration::factory());
    bench.text("s\n>>").pass(1_500);
    bench.session.press(Key::Char('z'), at(0));
    bench.session.pass(at(1));
    let last = bench.ms;
    assert_eq!(bench.session.wake(), Some(at(last + 2_000)));
    assert_eq!(bench.pass(2_000).ns().1, 1_446_000);
}

#[test]
fn a_calibration_that_may_move_no_car_is_no_beginning() {
    let bad = Points { min: 1, ..Calibration::factory().servo };
    let refused = Session::new(Calibration { servo: bad, ..Calibration::factory() }, at(0)).unwrap_err();
    assert_eq!(refused, CalibrationError::OutOfRange { channel: SERVO, key: "min", saw: 1 });
}

fn points() -> impl Strategy<Value = Points> {
    let widths = prop::collection::btree_set(1_000_000_u32..=2_000_000, 3);
    (widths, any::<bool>(), any::<bool>()).prop_map(|(widths, falls, turned)| {
        let mut sorted: Vec<u32> = widths.into_iter().collect();
        if falls {
            sorted.reverse();
        }
        let polarity = if turned { -1 } else { 1 };
        Points { min: sorted[0], mid: sorted[1], max: sorted[2], polarity }
    })
}

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        40 => prop::sample::select(vec![Key::Left, Key::Right, Key::Up, Key::Down]),
        25 => Just(Key::Enter),
        30 => prop::sample::select(vec![' ', ' ', 'y', 'Y', 'n', 'w', '>', '<', 'x']).prop_map(Key::Char),
        5 => Just(Key::Char('u')),
        1 => Just(Key::Char('s')),
    ]
}

/// Milliseconds before a key: mostly short, sometimes into a rest, a pause, the end.
fn pauses() -> impl Strategy<Value = u64> {
    prop_oneof![60 => 0_u64..400, 6 => 1_900_u64..2_100, 3 => 9_900_u64..10_100, 1 => 599_900_u64..600_100]
}

/// Neutral, worked out here: the middle that was found, else the old one.
fn middle(view: &View) -> (u32, u32) {
    (view.servo.middle.unwrap_or(view.old.servo.mid), view.motor.middle.unwrap_or(view.old.motor.mid))
}

fn holds(session: &Session) -> Result<(), TestCaseError> {
    let view = session.view();
    let Pulses { steering, throttle } = session.pulses();
    let pulses = (steering.ns(), throttle.ns());
    let far = |ns: u32, mid: u32| ns.abs_diff(mid);
    for pulse in [steering, throttle] {
        prop_assert!((Pulse::MIN..=Pulse::MAX).contains(&pulse));
    }
    prop_assert!(view.servo.wide || far(pulses.0, view.old.servo.mid) <= 350_000, "{view:?}");
    prop_assert!(view.motor.wide || far(pulses.1, view.old.motor.mid) <= 200_000, "{view:?}");
    match view.phase {
        Phase::Unconfirmed | Phase::Ended(End::Quit | End::Idle) => {
            prop_assert_eq!(pulses, (view.old.servo.mid, view.old.motor.mid));
        }
        Phase::Paused => prop_assert_eq!(pulses, middle(&view)),
        Phase::Ended(End::Finished(found)) => {
            prop_assert_eq!(found.checked(), Ok(found));
            prop_assert_eq!(pulses, (found.servo.mid, found.motor.mid));
        }
        Phase::Working if view.step.channel() != Some(MOTOR) => prop_assert_eq!(pulses.1, middle(&view).1),
        Phase::Working => prop_assert_eq!(pulses.0, middle(&view).0),
    }
    prop_assert_eq!(session.powered(), matches!(view.phase, Phase::Working | Phase::Paused));
    Ok(())
}

/// What undo has to bring back.
fn undoable(view: &View) -> View {
    let mut view = view.clone();
    view.remark = None;
    view.resting = false;
    if view.step.channel() == Some(MOTOR) {
        view.pulses = Pulses { throttle: Pulse::MIN, ..view.pulses };
    }
    view
}

/// Whatever is pressed and however long it takes. Counts how far the scripts came, so that they prove something.
#[test]
fn any_keys_keep_the_laws() {
    let keys = prop::collection::vec((pauses(), key()), 0..200);
    let all = (points(), points(), prop::bool::weighted(0.95), keys);
    let reached = Cell::new([0_u32; 5]);
    let count = |at: usize| {
        let mut counts = reached.get();
        counts[at] += 1;
        reached.set(counts);
    };
    let config = ProptestConfig { cases: 5_000, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&all, |(servo, motor, confirmed, keys)| {
            let mut bench = Bench::over(Calibration { servo, motor });
            if confirmed {
                bench.text("wheels up\n");
            }
            for (ms, key) in keys {
                let over = bench.view().end().is_some();
                let paused = one_key(&mut bench, ms, key)?;
                match bench.view() {
                    _ if over => {}
                    _ if paused => count(0),
                    View { phase: Phase::Ended(End::Idle), .. } => count(1),
                    View { phase: Phase::Ended(End::Finished(new)), old, .. }
                        if new.servo != old.servo && new.motor != old.motor =>
                    {
                        count(2);
                    }
                    View { step: Step::Sign(MOTOR), quarters: 4, .. } => count(3),
                    view if bench.ns().1 != middle(&view).1 => count(4),
                    _ => {}
                }
                prop_assert!(confirmed || !bench.session.powered());
            }
            unwound(&mut bench)
        })
        .unwrap();
    let [paused, idle, finished, signs, away] = reached.get();
    println!("paused {paused}, idle {idle}, all found {finished}, motor at full {signs}, motor away {away}");
    assert!(reached.get().iter().all(|count| *count >= 20), "{:?}", reached.get());
}

/// Time, then a key. Whether the time paused the session.
fn one_key(bench: &mut Bench, ms: u64, key: Key) -> Result<bool, TestCaseError> {
    let before = bench.ns().1;
    bench.pass(ms);
    holds(&bench.session)?;
    // Time alone moves the motor nowhere but to its rest.
    let (passed, view) = (bench.ns().1, bench.view());
    prop_assert!(passed == before || passed == middle(&view).1 || passed == view.old.motor.mid);
    bench.key(key);
    holds(&bench.session)?;
    if bench.view().undoable > view.undoable {
        let mut back = bench.session.clone();
        back.press(Key::Char('u'), at(bench.ms));
        prop_assert_eq!(undoable(&back.view()), undoable(&view));
        // And with the motor at rest.
        prop_assert_eq!(back.view().pulses.throttle.ns(), middle(&back.view()).1);
    }
    Ok(view.phase == Phase::Paused)
}

/// Undone to the end, a session is where it began.
fn unwound(bench: &mut Bench) -> Result<(), TestCaseError> {
    if bench.view().phase == Phase::Paused {
        bench.text("x");
    }
    if bench.view().phase == Phase::Working {
        let all = bench.view().undoable;
        bench.text(&"u".repeat(all));
        let view = bench.view();
        let wanted = (Step::Middle(SERVO), Some(view.old.servo.mid), 0, Found::default(), Found::default());
        prop_assert_eq!((view.step, view.aim, view.undoable, view.servo, view.motor), wanted);
    }
    Ok(())
}

#[test]
fn every_remark_fits_on_a_line() {
    let (channel, ns) = (MOTOR, 1_999_999);
    let same = |first| Remark::SameSide { channel, saw: ns, middle: ns, first };
    for remark in [
        Remark::NotTheWords,
        Remark::StillTheMiddle { middle: ns },
        same(0),
        same(2_000_000),
        Remark::OtherSide { channel: SERVO },
        Remark::OtherSide { channel },
        Remark::NoRoom { saw: ns },
        Remark::BandEnds { band: (ns, ns), wide: false },
        Remark::BandEnds { band: (ns, ns), wide: true },
        Remark::Widen { channel: SERVO },
        Remark::NothingToUndo,
        Remark::NotMovedYet,
        Remark::YesOrNo,
        Remark::Turned,
        Remark::TooSoon,
    ] {
        let text = remark.to_string();
        assert!(text.len() <= 76 && text.is_ascii() && !text.ends_with('.'), "{text}");
    }
    assert_eq!(Micros(1_499_950).to_string(), "1500.0 us");
    assert_eq!(
        Remark::Refused(CalibrationError::Polarity { channel, saw: 0 }).to_string(),
        "Motor: polarity is 0, wanted 1 or -1"
    );
}
