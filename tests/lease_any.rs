//! Anything may come, in any order, also from before: the history decides what must have become of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test may stop at the first surprise"
)]

mod lease_oracle;

use hairpin::domain::Ask;
use hairpin::lease::{Event, GateState, Lease, Mode, Phase, Record, Terms};
use hairpin::units::{Instant, Permille, Span};
use lease_oracle::{Watched, What};
use proptest::prelude::{BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_oneof, proptest};

const CASES: u32 = 10_000;

fn terms() -> impl Strategy<Value = Terms> {
    (20..=200_u64, 500..=700_u64, 100..=600_u64, 20..=1000_u64, 0..=1000_i16).prop_map(
        |(lease, arming, latch, oldest, cap)| Terms {
            lease: Span::from_millis(lease),
            arming: Span::from_millis(arming),
            latch: Span::from_millis(latch),
            oldest_evidence: Span::from_millis(oldest),
            throttle_cap: Permille::new(cap).unwrap(),
        },
    )
}

fn share() -> impl Strategy<Value = Permille> {
    prop_oneof![1 => Just(0_i16), 3 => -1000..=1000_i16].prop_map(|share| Permille::new(share).unwrap())
}

fn ask() -> impl Strategy<Value = Ask> {
    prop_oneof![20 => Just(Ask::Nothing), 3 => Just(Ask::Arm), 1 => Just(Ask::Disarm), 1 => Just(Ask::Stop)]
}

fn mode() -> impl Strategy<Value = Mode> {
    prop_oneof![Just(Mode::Idle), Just(Mode::Autonomous), Just(Mode::Autonomous), Just(Mode::Manual)]
}

/// A moment as it is seen from now: mostly close by, in ms, and sometimes anywhere.
#[derive(Clone, Copy, Debug)]
enum Moment {
    Near(i64),
    Any(u64),
}

impl Moment {
    fn from(self, now: Instant) -> Instant {
        match self {
            Self::Near(ns) => Instant(now.0.saturating_add_signed(ns)),
            Self::Any(ns) => Instant(ns),
        }
    }
}

fn moment(ms: std::ops::RangeInclusive<i64>, odd: u32) -> impl Strategy<Value = Moment> {
    let near = (ms, prop_oneof![4 => Just(0_i64), 1 => -1..=1_i64]);
    prop_oneof![
        200 => near.prop_map(|(ms, ns)| Moment::Near(ms * 1_000_000 + ns)),
        odd => any::<u64>().prop_map(Moment::Any),
    ]
}

/// What comes, as it is seen from what came before.
#[derive(Clone, Debug)]
enum Coming {
    Told(What),
    Record {
        record: Record,
        captured: Moment,
        valid: Moment,
        odd_seq: Option<u64>,
        message: u64,
        foreign: bool,
    },
}

fn coming() -> BoxedStrategy<Coming> {
    let told = prop_oneof![
        4 => Just(What::Tick),
        4 => Just(What::Ready),
        16 => Just(What::Operator(Ask::Arm)),
        1 => Just(What::Operator(Ask::Nothing)),
        1 => Just(What::Operator(Ask::Disarm)),
        1 => Just(What::Operator(Ask::Stop)),
        4 => (0..3_u32).prop_map(What::Started),
        1 => Just(What::Gone),
        1 => Just(What::Failed),
        1 => Just(What::Moved),
        3 => Just(What::Back),
        1 => prop_oneof![4 => Just(What::Tick), 1 => Just(What::Ending)],
    ];
    let odd_seq = prop_oneof![20 => Just(None), 1 => (0..9_u64).prop_map(Some), 1 => Just(Some(u64::MAX))];
    let message = prop_oneof![6 => 0..=1_u64, 1 => Just(u64::MAX / 2)];
    let record = (
        (mode(), ask(), share(), share()),
        (moment(-60..=0, 1), moment(0..=300, 1)),
        (odd_seq, message, prop_oneof![30 => Just(false), 1 => Just(true)]),
    );
    let record = record.prop_map(
        |((mode, ask, steering, throttle), (captured, valid), (odd_seq, message, foreign))| {
            let record = Record { mode, ask, steering, throttle, ..Record::NEUTRAL };
            Coming::Record { record, captured, valid, odd_seq, message, foreign }
        },
    );
    prop_oneof![1 => told.prop_map(Coming::Told), 4 => record].boxed()
}

/// What a driver would have counted.
#[derive(Default)]
struct Counts {
    session: u32,
    seq: u64,
    message: u64,
}

impl Counts {
    fn event(&mut self, coming: &Coming, now: Instant) -> What {
        match coming {
            Coming::Told(What::Started(session)) => {
                if *session != self.session {
                    *self = Self { session: *session, ..Self::default() };
                }
                What::Started(*session)
            }
            Coming::Told(what) => *what,
            Coming::Record { record, captured, valid, odd_seq, message, foreign } => {
                // Numbers that are out of the ordinary are not counted on from.
                self.seq = if odd_seq.is_none() { self.seq + 1 } else { self.seq };
                self.message += if *message < 2 { *message } else { 0 };
                What::Command(Record {
                    session: self.session.wrapping_add(u32::from(*foreign)),
                    seq: odd_seq.unwrap_or(self.seq),
                    captured_at: captured.from(now),
                    valid_until: valid.from(now),
                    operator_seq: if *message < 2 { self.message } else { *message },
                    ..*record
                })
            }
        }
    }
}

fn passing() -> impl Strategy<Value = Moment> {
    // Sometimes back, sometimes anywhere; mostly as frames come.
    prop_oneof![30 => moment(0..=50, 0), 2 => moment(-100..=700, 0), 1 => moment(0..=700, 2)]
}

/// A car that is driven as it should be, up to some moment: ready, a driver, frames, a wish to arm, the arming time.
fn good_start(watched: &mut Watched, counts: &mut Counts, ticks: u64) {
    let mut now = Instant(1_000_000_000);
    watched.step(What::Ready, now).unwrap();
    watched.step(What::Started(0), now).unwrap();
    for tick in 0..ticks {
        now = now + Span::from_millis(15);
        let record = Record { mode: Mode::Autonomous, throttle: Permille::FULL, ..Record::NEUTRAL };
        let captured = Moment::Near(-1_000_000);
        let (valid, odd_seq, message, foreign) = (Moment::Near(100_000_000), None, 0, false);
        let coming = Coming::Record { record, captured, valid, odd_seq, message, foreign };
        watched.step(counts.event(&coming, now), now).unwrap();
        if tick == 2 {
            watched.step(What::Operator(Ask::Arm), now).unwrap();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_comes_the_history_bears_it_out(
        terms in terms(),
        started in prop_oneof![0..60_u64, Just(60)],
        events in proptest::collection::vec((coming(), passing()), 1..60),
    ) {
        let terms = terms.checked().expect("in range");
        let mut watched = Watched::new(terms);
        let mut counts = Counts::default();
        good_start(&mut watched, &mut counts, started);
        // Of the good start only the end matters from here on, and the history of its records.
        for (coming, passing) in events {
            let at = passing.from(watched.now());
            let what = counts.event(&coming, at.max(watched.now()));
            if let Err(law) = watched.step(what, at).and_then(|_| watched.judge_wake()) {
                panic!("{law}: {:#?}", &watched.lines[watched.lines.len().saturating_sub(6)..]);
            }
        }
    }

    /// No number is too large: neither a panic nor power without a lease, with nothing but extremes.
    #[test]
    fn extremes_do_no_harm(
        events in proptest::collection::vec((0..24_u8, extreme(), extreme(), extreme(), extreme(), extreme()), 1..50),
        most in any::<bool>(),
    ) {
        let most = if most { Span(u64::MAX) } else { Span(0) };
        let terms = Terms { lease: most, arming: most, latch: most, oldest_evidence: most, ..Terms::default() };
        let mut watched = Watched::new(terms);
        for (kind, at, seq, captured, valid, message) in events {
            let modes = [Mode::Idle, Mode::Autonomous, Mode::Manual];
            let asks = [Ask::Nothing, Ask::Arm, Ask::Disarm, Ask::Stop];
            let record = Record {
                seq,
                captured_at: Instant(captured),
                valid_until: Instant(valid),
                operator_seq: message,
                mode: modes[usize::from(kind) % 3],
                ask: asks[usize::from(kind) % 4],
                throttle: Permille::FULL,
                ..Record::NEUTRAL
            };
            let what = match kind {
                0 => What::Ready,
                1..4 => What::Operator(asks[usize::from(kind) % 4]),
                4 => What::Started(0),
                5 => What::Back,
                6 => What::Failed,
                _ => What::Command(record),
            };
            let mut lease = watched.lease;
            let output = lease.step(what.event(), Instant(at));
            let moves = output.throttle != Permille::ZERO;
            assert!(!moves || lease.phase() == Phase::Armed && output.gate == GateState::Open);
            // Terms of no length arm in the very step that asks; the history's phases are those of real terms.
            if most.0 > 0 {
                watched.step(what, Instant(at)).unwrap();
            } else {
                watched.lease = lease;
            }
        }
    }
}

fn extreme() -> impl Strategy<Value = u64> {
    prop_oneof![Just(0), Just(1), Just(u64::MAX - 1), Just(u64::MAX), any::<u64>()]
}

#[test]
fn at_the_end_of_time_nothing_is_extended_and_nothing_panics() {
    let start = Instant(u64::MAX - 600_000_000);
    let mut lease = Lease::new(Terms::default());
    lease.step(Event::Ready, start);
    lease.step(Event::DriverStarted { session: 1 }, start);
    for (seq, ms) in (1..).zip((0..=599).step_by(10)) {
        let now = start + Span::from_millis(ms);
        let record = Record {
            session: 1,
            seq,
            captured_at: now,
            valid_until: Instant(u64::MAX),
            mode: Mode::Autonomous,
            throttle: Permille::FULL,
            ..Record::NEUTRAL
        };
        lease.step(Event::Command(&record), now);
        if ms == 0 {
            lease.step(Event::Operator(Ask::Arm), now);
        }
    }
    assert_eq!(lease.phase(), Phase::Armed);
    assert_eq!(lease.step(Event::Tick, Instant(u64::MAX - 1)).throttle, Permille::FULL);
    assert_eq!(
        lease.step(Event::Tick, Instant(u64::MAX)).throttle,
        Permille::ZERO,
        "the last lease ends here"
    );
    assert_eq!(lease.step(Event::Operator(Ask::Stop), Instant(u64::MAX)).gate, GateState::Shut);
}
