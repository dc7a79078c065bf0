//! Every way between two phases, and every boundary to the nanosecond.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use hairpin::domain::Ask;
use hairpin::lease::{Answered, Cause, Event, GateState, Lease, Mode, Output, Phase, Record, Refusal, Terms};
use hairpin::units::{Instant, Permille, Span};

const MS: u64 = 1_000_000;
const SESSION: u32 = 77;
const WITHHELD: Answered = Answered::Withheld;
const ACCEPTED: Answered = Answered::Accepted;

fn share(value: i16) -> Permille {
    Permille::new(value).expect("in range")
}

/// Lease 100 ms, arming 500 ms, latch 1 s, oldest evidence 150 ms, no cap.
struct Car {
    lease: Lease,
    now: Instant,
    seq: u64,
    message: u64,
    last: Option<Output>,
}

impl Car {
    fn new() -> Self {
        Self::with(Terms::default())
    }

    fn with(terms: Terms) -> Self {
        let lease = Lease::new(terms.checked().expect("good terms"));
        Self { lease, now: Instant(10_000 * MS), seq: 0, message: 0, last: None }
    }

    fn disarmed() -> Self {
        let mut car = Self::new();
        car.tell(Event::Ready);
        car.tell(Event::DriverStarted { session: SESSION });
        car
    }

    fn arming() -> Self {
        let mut car = Self::disarmed();
        car.frame(0);
        car.ask(Ask::Arm);
        assert_eq!(car.phase(), Phase::Arming { since: car.now });
        car
    }

    /// With a lease that begins now.
    fn armed() -> Self {
        Self::arming().drive_until_armed()
    }

    fn drive_until_armed(mut self) -> Self {
        for _ in 0..10 {
            self.wait(50 * MS);
            self.frame(300);
        }
        assert_eq!((self.phase(), self.throttle()), (Phase::Armed, 300));
        self
    }

    fn wait(&mut self, ns: u64) {
        self.now = self.now + Span(ns);
    }

    fn tell(&mut self, event: Event<'_>) -> Answered {
        let output = self.lease.step(event, self.now);
        self.last = Some(output);
        output.answer
    }

    fn ask(&mut self, ask: Ask) -> Answered {
        self.tell(Event::Operator(ask))
    }

    /// The next record: a policy's, with a new frame, for `throttle`; left as long as it likes.
    fn next(&mut self, throttle: i16) -> Record {
        self.seq += 1;
        Record {
            session: SESSION,
            seq: self.seq,
            frame: self.seq,
            captured_at: self.now,
            valid_until: self.now + Span(1000 * MS),
            mode: Mode::Autonomous,
            ask: Ask::Nothing,
            operator_seq: self.message,
            steering: share(throttle / 2),
            throttle: share(throttle),
        }
    }

    fn send(&mut self, record: &Record) -> Answered {
        self.tell(Event::Command(record))
    }

    fn frame(&mut self, throttle: i16) -> Answered {
        let record = self.next(throttle);
        self.send(&record)
    }

    /// Without a new frame.
    fn repeat(&mut self, throttle: i16) -> Answered {
        let record = Record { captured_at: Instant(1), ..self.next(throttle) };
        self.send(&record)
    }

    fn idle(&mut self) -> Answered {
        let record = Record { mode: Mode::Idle, ..self.next(0) };
        self.send(&record)
    }

    /// A manual record with the operator's newest message, without a frame.
    fn manual(&mut self, throttle: i16, ask: Ask) -> Record {
        self.message += 1;
        Record { mode: Mode::Manual, ask, captured_at: Instant(0), ..self.next(throttle) }
    }

    fn phase(&self) -> Phase {
        self.lease.phase()
    }

    fn output(&self) -> Output {
        self.last.expect("something happened")
    }

    fn throttle(&self) -> i16 {
        self.output().throttle.get()
    }

    fn gate(&self) -> GateState {
        self.output().gate
    }

    /// What stands on the pins `ns` from now, without a record.
    fn after(&self, ns: u64) -> (Phase, Output) {
        let mut lease = self.lease;
        let output = lease.step(Event::Tick, self.now + Span(ns));
        (lease.phase(), output)
    }

    fn throttle_after(&self, ns: u64) -> i16 {
        self.after(ns).1.throttle.get()
    }
}

const fn refused(why: Refusal) -> Answered {
    Answered::Refused(why)
}

const fn fault(cause: Cause) -> Phase {
    Phase::Fault { cause }
}

// Boot and Disarmed

#[test]
fn boot_is_neutral_and_shut_until_the_pins_are_neutral() {
    let mut car = Car::new();
    assert_eq!(car.tell(Event::Tick), Answered::Nothing);
    let neutral = Output {
        steering: Permille::ZERO,
        throttle: Permille::ZERO,
        gate: GateState::Shut,
        wake: None,
        answer: Answered::Nothing,
    };
    assert_eq!((car.phase(), car.output()), (Phase::Boot, neutral));
    assert_eq!(car.ask(Ask::Disarm), ACCEPTED);
    assert_eq!((car.tell(Event::Ready), car.phase()), (ACCEPTED, Phase::Disarmed));
    assert_eq!(car.gate(), GateState::Shut);
    let mut car = Car::new();
    assert_eq!((car.tell(Event::PinsBack), car.phase()), (ACCEPTED, Phase::Disarmed));
}

#[test]
fn nothing_arms_before_the_pins_were_neutral_not_even_through_a_fault() {
    let before: [fn(&mut Car) -> Answered; 3] =
        [|_| ACCEPTED, |car| car.ask(Ask::Stop), |car| car.tell(Event::PinsMoved)];
    for before in before {
        let mut car = Car::new();
        car.tell(Event::DriverStarted { session: SESSION });
        before(&mut car);
        car.frame(0);
        let phase = car.phase();
        assert_eq!(car.ask(Ask::Arm), refused(Refusal::Pins));
        assert_eq!((car.phase(), car.gate()), (phase, GateState::Shut));
        car.tell(Event::Ready);
        assert_eq!(car.ask(Ask::Arm), ACCEPTED);
        assert_eq!(car.phase(), Phase::Arming { since: car.now });
    }
}

#[test]
fn only_the_present_driver_is_heard() {
    let mut car = Car::new();
    car.tell(Event::Ready);
    assert_eq!(car.frame(0), refused(Refusal::Session), "there is no driver");
    let zero = Record { session: 0, ..car.next(0) };
    assert_eq!(car.send(&zero), refused(Refusal::Session), "nor one without a number");
    car.tell(Event::DriverStarted { session: SESSION });
    let foreign = Record { session: SESSION + 1, ..car.next(0) };
    assert_eq!(car.send(&foreign), refused(Refusal::Session));
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence), "none of these brought any");
    assert_eq!(car.frame(0), ACCEPTED);
    assert_eq!(car.tell(Event::DriverGone), ACCEPTED);
    assert_eq!(car.phase(), Phase::Disarmed, "nothing was driving");
    assert_eq!(car.frame(0), refused(Refusal::Session));
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence), "its evidence went with it");
}

#[test]
fn disarmed_withholds_what_is_not_neutral() {
    let mut car = Car::disarmed();
    assert_eq!((car.frame(0), car.idle()), (ACCEPTED, ACCEPTED));
    assert_eq!((car.frame(1), car.throttle()), (WITHHELD, 0));
    let steered = Record { throttle: Permille::ZERO, steering: share(1), ..car.next(0) };
    assert_eq!(car.send(&steered), WITHHELD, "steering is not neutral either");
    assert_eq!(car.output().steering, Permille::ZERO);
}

#[test]
fn arming_wants_evidence_that_is_live() {
    for (valid, wait, wanted) in [
        (1000 * MS, 100 * MS - 1, ACCEPTED),
        (1000 * MS, 100 * MS, refused(Refusal::NoEvidence)),
        (60 * MS, 60 * MS - 1, ACCEPTED),
        (60 * MS, 60 * MS, refused(Refusal::NoEvidence)),
    ] {
        let mut car = Car::disarmed();
        let record = Record { valid_until: car.now + Span(valid), ..car.next(0) };
        car.send(&record);
        car.wait(wait);
        assert_eq!(car.ask(Ask::Arm), wanted, "{valid} {wait}");
        assert_eq!(car.gate() == GateState::Open, wanted == ACCEPTED);
    }
    assert_eq!(Car::disarmed().ask(Ask::Arm), refused(Refusal::NoEvidence));
}

// Records

#[test]
fn the_newest_frame_is_evidence_until_it_is_too_old() {
    for (age, wanted) in [(150 * MS, ACCEPTED), (150 * MS + 1, refused(Refusal::NoEvidence))] {
        let mut car = Car::disarmed();
        let record = Record { captured_at: car.now - Span(age), ..car.next(0) };
        car.send(&record);
        assert_eq!(car.ask(Ask::Arm), wanted, "{age}");
    }
}

#[test]
fn a_record_is_of_use_before_its_time_and_not_at_it() {
    for (left, wanted) in [(1, ACCEPTED), (0, refused(Refusal::Stale))] {
        let mut car = Car::disarmed();
        let record = Record { valid_until: car.now + Span(left), ..car.next(0) };
        assert_eq!(car.send(&record), wanted);
        assert_eq!(car.ask(Ask::Arm) == ACCEPTED, wanted == ACCEPTED, "a late record brings nothing");
    }
}

#[test]
fn a_frame_of_the_future_is_refused_and_does_not_poison_the_next() {
    let mut car = Car::disarmed();
    let record = Record { captured_at: car.now + Span(1), ..car.next(0) };
    assert_eq!(car.send(&record), refused(Refusal::Ahead));
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence));
    assert_eq!((car.frame(0), car.ask(Ask::Arm)), (ACCEPTED, ACCEPTED));
}

#[test]
fn a_record_comes_once() {
    let mut car = Car::disarmed();
    let record = car.next(0);
    assert_eq!(car.send(&Record { seq: 0, ..record }), refused(Refusal::Sequence));
    assert_eq!((car.send(&record), car.send(&record)), (ACCEPTED, refused(Refusal::Sequence)));
    let old = Record { seq: record.seq - 1, ..record };
    assert_eq!(car.send(&old), refused(Refusal::Sequence), "an older one is no newer");
    assert_eq!(car.send(&record), refused(Refusal::Sequence), "an old one does not set the count back");
    // Also where it was refused for another reason.
    let late = Record { valid_until: car.now, ..car.next(0) };
    assert_eq!((car.send(&late), car.send(&late)), (refused(Refusal::Stale), refused(Refusal::Sequence)));
}

// Arming

#[test]
fn arming_takes_its_time_and_ends_with_evidence() {
    let mut car = Car::arming();
    let since = car.now;
    assert_eq!((car.gate(), car.throttle(), car.output().wake), (GateState::Open, 0, None));
    for _ in 0..9 {
        car.wait(50 * MS);
        assert_eq!((car.frame(300), car.throttle()), (WITHHELD, 0));
    }
    car.wait(50 * MS - 1);
    assert_eq!((car.frame(300), car.phase()), (WITHHELD, Phase::Arming { since }), "1 ns early");
    car.wait(1);
    assert_eq!(
        (car.repeat(300), car.phase()),
        (WITHHELD, Phase::Arming { since }),
        "time alone does not arm"
    );
    let record = Record { captured_at: car.now, ..car.next(300) };
    assert_eq!((car.send(&record), car.phase(), car.throttle()), (ACCEPTED, Phase::Armed, 300));
    assert_eq!(car.output().wake, Some(car.now + Span(100 * MS)));
}

#[test]
fn a_gap_in_the_evidence_begins_arming_anew() {
    for (gap, anew) in [(100 * MS - 1, false), (100 * MS, true), (300 * MS, true)] {
        let mut car = Car::arming();
        let since = car.now;
        car.wait(gap);
        car.frame(0);
        let wanted = if anew { car.now } else { since };
        assert_eq!((car.phase(), car.gate()), (Phase::Arming { since: wanted }, GateState::Open));
    }
}

#[test]
fn asked_twice_arming_goes_on_and_armed_stays() {
    let mut car = Car::arming();
    let phase = car.phase();
    car.wait(MS);
    assert_eq!((car.ask(Ask::Arm), car.phase()), (ACCEPTED, phase));
    assert_eq!((car.ask(Ask::Nothing), car.phase()), (Answered::Nothing, phase));
    let mut car = Car::armed();
    assert_eq!((car.ask(Ask::Arm), car.phase(), car.throttle()), (ACCEPTED, Phase::Armed, 300));
}

#[test]
fn armed_by_a_wish_for_neutral_nothing_is_granted() {
    let mut car = Car::arming();
    for _ in 0..9 {
        car.wait(50 * MS);
        car.frame(0);
    }
    car.wait(50 * MS);
    let idle = Record { mode: Mode::Idle, ..car.next(500) };
    assert_eq!((car.send(&idle), car.phase(), car.throttle()), (ACCEPTED, Phase::Armed, 0));
    assert_eq!(car.output().steering, Permille::ZERO);
    // The latch time runs from here.
    assert_eq!(car.output().wake, Some(car.now + Span(1000 * MS + 1)));
    assert_eq!(car.after(1000 * MS).0, Phase::Armed);
    assert_eq!(car.after(1000 * MS + 1).0, fault(Cause::LeaseLost));
}

// Armed: the lease

#[test]
fn a_lease_ends_to_the_nanosecond() {
    let car = Car::armed();
    assert_eq!(car.throttle_after(100 * MS - 1), 300);
    assert_eq!((car.throttle_after(100 * MS), car.throttle_after(100 * MS + 1)), (0, 0));
    assert_eq!(car.after(100 * MS).1.steering, Permille::ZERO);
    assert_eq!((car.after(100 * MS).1.gate, car.after(100 * MS).0), (GateState::Open, Phase::Armed));
    let mut car = Car::armed();
    let record = Record { valid_until: car.now + Span(30 * MS), ..car.next(400) };
    car.send(&record);
    assert_eq!(
        (car.throttle_after(30 * MS - 1), car.throttle_after(30 * MS)),
        (400, 0),
        "its own end, if sooner"
    );
    assert_eq!(car.output().wake, Some(car.now + Span(30 * MS)));
}

#[test]
fn evidence_brings_the_lease_back_by_itself_within_the_latch_time() {
    let mut car = Car::armed();
    car.wait(100 * MS + 1000 * MS);
    assert_eq!((car.frame(200), car.throttle()), (ACCEPTED, 200), "at the latch time");
    let mut car = Car::armed();
    car.wait(100 * MS + 1000 * MS + 1);
    assert_eq!((car.frame(200), car.throttle()), (WITHHELD, 0), "1 ns later");
    assert_eq!((car.phase(), car.gate()), (fault(Cause::LeaseLost), GateState::Open));
    assert_eq!(car.after(40 * MS - 1).1.gate, GateState::Open);
    assert_eq!(car.after(40 * MS).1.gate, GateState::Shut);
    let mut car = Car::armed();
    car.wait(200 * MS);
    car.tell(Event::Tick);
    assert_eq!(car.output().wake, Some(car.now + Span(900 * MS + 1)), "woken to latch");
}

#[test]
fn a_heartbeat_changes_the_command_and_not_the_lease() {
    let mut car = Car::armed();
    let end = car.output().wake;
    car.wait(99 * MS);
    assert_eq!((car.repeat(-200), car.throttle(), car.output().wake), (ACCEPTED, -200, end));
    car.wait(MS - 1);
    assert_eq!((car.repeat(100), car.throttle()), (ACCEPTED, 100));
    car.wait(1);
    assert_eq!((car.repeat(100), car.throttle()), (WITHHELD, 0), "at the end it is late");
    for _ in 0..20 {
        car.wait(50 * MS);
        assert_eq!((car.repeat(100), car.throttle()), (WITHHELD, 0));
    }
    car.wait(1);
    car.tell(Event::Tick);
    assert_eq!(car.phase(), fault(Cause::LeaseLost), "talkative and blind");
}

#[test]
fn a_command_without_evidence_lives_no_longer_than_it_says() {
    let mut car = Car::armed();
    car.wait(20 * MS);
    let record = Record { captured_at: Instant(1), valid_until: car.now + Span(5 * MS), ..car.next(900) };
    assert_eq!((car.send(&record), car.throttle()), (ACCEPTED, 900));
    assert_eq!((car.throttle_after(5 * MS - 1), car.throttle_after(5 * MS)), (900, 0));
    assert_eq!((car.repeat(100), car.throttle_after(5 * MS)), (ACCEPTED, 0), "the next does not live longer");
}

#[test]
fn an_old_frame_is_no_evidence_for_a_lease() {
    let mut car = Car::armed();
    car.wait(160 * MS);
    let old = Record { captured_at: car.now - Span(150 * MS + 1), ..car.next(100) };
    assert_eq!((car.send(&old), car.throttle()), (WITHHELD, 0));
    let same = Record { captured_at: car.now - Span(150 * MS + 1), ..car.next(100) };
    assert_eq!((car.send(&same), car.throttle()), (WITHHELD, 0));
    let good = Record { captured_at: car.now - Span(150 * MS), ..car.next(100) };
    assert_eq!((car.send(&good), car.throttle()), (ACCEPTED, 100));
}

#[test]
fn idle_takes_effect_at_once_however_it_comes() {
    let spoil: [fn(&mut Record, Instant); 4] = [
        |_, _| {},
        |record, _| record.seq = 0,
        |record, now| record.valid_until = now,
        |record, now| record.captured_at = now + Span(1),
    ];
    for (case, spoil) in spoil.into_iter().enumerate() {
        for mode in [Mode::Idle, Mode::Autonomous, Mode::Manual] {
            let mut car = Car::armed();
            car.wait(10 * MS);
            let mut record = Record { mode, captured_at: Instant(1), ..car.next(0) };
            if mode == Mode::Idle {
                record.throttle = Permille::FULL;
            }
            spoil(&mut record, car.now);
            car.send(&record);
            assert_eq!((car.throttle(), car.phase()), (0, Phase::Armed), "{case} {mode:?}");
            // It stays: what follows within the old lease needs evidence again.
            assert_eq!((car.repeat(100), car.throttle()), (WITHHELD, 0), "{case} {mode:?}");
            assert_eq!((car.frame(100), car.throttle()), (ACCEPTED, 100), "{case} {mode:?}");
        }
    }
}

#[test]
fn idle_for_longer_than_the_latch_time_is_a_lost_lease() {
    let mut car = Car::armed();
    for _ in 0..=20 {
        car.wait(50 * MS);
        assert_eq!((car.idle(), car.phase()), (ACCEPTED, Phase::Armed));
    }
    car.wait(1);
    car.idle();
    assert_eq!(car.phase(), fault(Cause::LeaseLost));
}

#[test]
fn the_throttle_is_capped_on_both_sides() {
    let mut car = Car::with(Terms { throttle_cap: share(250), ..Terms::default() });
    car.tell(Event::Ready);
    car.tell(Event::DriverStarted { session: SESSION });
    car.frame(0);
    car.ask(Ask::Arm);
    for _ in 0..10 {
        car.wait(50 * MS);
        car.frame(250);
    }
    for (asked, wanted) in [(250, 250), (251, 250), (1000, 250), (-250, -250), (-251, -250), (-1000, -250)] {
        assert_eq!((car.repeat(asked), car.throttle()), (ACCEPTED, wanted));
        assert_eq!(car.output().steering, share(asked / 2), "steering is not");
    }
}

// Modes

#[test]
fn manual_lives_by_messages_and_not_by_frames() {
    let mut car = Car::armed();
    car.wait(100 * MS);
    let record = Record { mode: Mode::Manual, ..car.next(150) };
    assert_eq!((car.send(&record), car.throttle()), (WITHHELD, 0), "a frame is no word of the operator");
    let record = car.manual(150, Ask::Nothing);
    assert_eq!((car.send(&record), car.throttle()), (ACCEPTED, 150));
    assert_eq!((car.throttle_after(100 * MS - 1), car.throttle_after(100 * MS)), (150, 0));
    car.wait(50 * MS);
    let again = Record { mode: Mode::Manual, captured_at: car.now, ..car.next(160) };
    assert_eq!((car.send(&again), car.throttle()), (ACCEPTED, 160), "a command within the lease");
    assert_eq!((car.throttle_after(50 * MS - 1), car.throttle_after(50 * MS)), (160, 0), "and no longer one");
}

#[test]
fn a_message_is_no_evidence_for_the_policy() {
    let mut car = Car::armed();
    car.wait(100 * MS);
    car.message += 1;
    assert_eq!((car.repeat(100), car.throttle()), (WITHHELD, 0));
    // And what came with it is known now: it counts for nobody later.
    let known = Record { mode: Mode::Manual, ..car.next(100) };
    assert_eq!((car.send(&known), car.throttle()), (WITHHELD, 0));
    let shown = Record { captured_at: known.captured_at, ..car.next(100) };
    assert_eq!((car.send(&shown), car.throttle()), (WITHHELD, 0), "nor a frame that a manual record showed");
}

#[test]
fn another_mode_needs_its_own_evidence_and_ends_the_old_one() {
    let mut car = Car::armed();
    car.wait(10 * MS);
    let record = Record { mode: Mode::Manual, ..car.next(150) };
    assert_eq!((car.send(&record), car.throttle()), (WITHHELD, 0));
    assert_eq!((car.repeat(150), car.throttle()), (WITHHELD, 0), "the policy's lease is over");
    let record = car.manual(150, Ask::Nothing);
    assert_eq!((car.send(&record), car.throttle()), (ACCEPTED, 150));
    assert_eq!((car.repeat(150), car.throttle()), (WITHHELD, 0), "nor does the policy live by that");
}

// Asks

#[test]
fn disarm_ends_arming_and_armed_and_no_fault() {
    for mut car in [Car::arming(), Car::armed()] {
        assert_eq!((car.ask(Ask::Disarm), car.phase(), car.throttle()), (ACCEPTED, Phase::Disarmed, 0));
        assert_eq!(car.output().wake, Some(car.now + Span(40 * MS)));
        assert_eq!(car.after(40 * MS - 1).1.gate, GateState::Open);
        assert_eq!((car.after(40 * MS).1.gate, car.after(40 * MS).1.wake), (GateState::Shut, None));
        assert_eq!((car.repeat(300), car.throttle()), (WITHHELD, 0), "the lease went with it");
    }
    let mut car = Car::disarmed();
    assert_eq!((car.ask(Ask::Disarm), car.phase(), car.gate()), (ACCEPTED, Phase::Disarmed, GateState::Shut));
    car.ask(Ask::Stop);
    assert_eq!((car.ask(Ask::Disarm), car.phase()), (ACCEPTED, fault(Cause::Operator)), "latched is latched");
}

#[test]
fn stop_latches_from_everywhere_until_somebody_arms() {
    for mut car in [Car::new(), Car::disarmed(), Car::arming(), Car::armed()] {
        let powered = car.after(0).1.gate;
        assert_eq!((car.ask(Ask::Stop), car.phase()), (ACCEPTED, fault(Cause::Operator)));
        assert_eq!((car.throttle(), car.gate()), (0, powered), "neutral at once, then the gate");
        assert_eq!(car.after(40 * MS).1.gate, GateState::Shut);
    }
    let mut car = Car::armed();
    car.ask(Ask::Stop);
    let phase = car.phase();
    for event in [Event::Ready, Event::PinsBack, Event::PinsMoved, Event::Tick] {
        car.tell(event);
        assert_eq!(car.phase(), phase);
    }
    assert_eq!((car.frame(300), car.phase(), car.throttle()), (WITHHELD, phase, 0));
    assert_eq!((car.ask(Ask::Arm), car.phase()), (ACCEPTED, Phase::Arming { since: car.now }));
    car.drive_until_armed();
}

#[test]
fn arming_again_before_the_gate_is_shut_leaves_it_open() {
    let mut car = Car::armed();
    car.ask(Ask::Disarm);
    car.wait(39 * MS);
    assert_eq!((car.ask(Ask::Arm), car.gate(), car.output().wake), (ACCEPTED, GateState::Open, None));
    assert_eq!(car.after(50 * MS).1.gate, GateState::Open);
}

#[test]
fn an_ask_through_the_driver_counts_once() {
    let mut car = Car::disarmed();
    let record = car.manual(0, Ask::Arm);
    assert_eq!((car.send(&record), car.phase()), (ACCEPTED, Phase::Arming { since: car.now }));
    let since = car.phase();
    let level = Record { seq: record.seq + 1, ..record };
    car.ask(Ask::Disarm);
    car.seq += 1;
    assert_eq!((car.send(&level), car.phase()), (ACCEPTED, Phase::Disarmed), "held down is no new wish");
    let stop = car.manual(0, Ask::Stop);
    assert_eq!((car.send(&stop), car.phase()), (ACCEPTED, fault(Cause::Operator)));
    let arm = car.manual(0, Ask::Arm);
    car.send(&arm);
    assert_eq!(car.phase(), since);
    let held = Record { operator_seq: stop.operator_seq, ask: Ask::Stop, ..car.next(0) };
    car.send(&held);
    assert_eq!(car.phase(), since, "that stop has been obeyed");
    let disarm = car.manual(0, Ask::Disarm);
    assert_eq!((car.send(&disarm), car.phase()), (ACCEPTED, Phase::Disarmed));
}

#[test]
fn a_wish_to_arm_is_for_the_newest_message_alone() {
    let mut car = Car::disarmed();
    car.message = 5;
    car.frame(0);
    for message in [0, 4, 5] {
        let record = Record { ask: Ask::Arm, operator_seq: message, ..car.next(0) };
        assert_eq!((car.send(&record), car.phase()), (ACCEPTED, Phase::Disarmed), "{message}");
    }
    let record = Record { ask: Ask::Arm, operator_seq: 6, ..car.next(0) };
    assert_eq!((car.send(&record), car.phase()), (ACCEPTED, Phase::Arming { since: car.now }));
    // One message cannot both stop and arm: the stop came first, and late.
    let mut car = Car::disarmed();
    let stop = Record { valid_until: car.now, ..car.manual(0, Ask::Stop) };
    assert_eq!((car.send(&stop), car.phase()), (refused(Refusal::Stale), fault(Cause::Operator)));
    let arm = Record { ask: Ask::Arm, ..car.next(0) };
    assert_eq!((car.send(&arm), car.phase()), (ACCEPTED, fault(Cause::Operator)));
}

#[test]
fn a_wish_to_arm_through_the_driver_wants_evidence_too() {
    let mut car = Car::disarmed();
    car.message = 1;
    let record = Record { ask: Ask::Arm, captured_at: Instant(0), ..car.next(0) };
    assert_eq!((car.send(&record), car.phase()), (refused(Refusal::NoEvidence), Phase::Disarmed));
    car.frame(0);
    assert_eq!(car.phase(), Phase::Disarmed, "a wish that was refused is not kept");
    car.message = 2;
    let late = Record { ask: Ask::Arm, valid_until: car.now, ..car.next(0) };
    assert_eq!(
        (car.send(&late), car.phase()),
        (refused(Refusal::Stale), Phase::Disarmed),
        "nor one that is late"
    );
}

#[test]
fn a_wish_to_stop_through_the_driver_is_never_too_late() {
    let spoil: [fn(&mut Record, Instant); 3] = [
        |record, _| record.seq = 0,
        |record, now| record.valid_until = now,
        |record, now| record.captured_at = now + Span(1),
    ];
    for spoil in spoil {
        for (ask, wanted) in [(Ask::Stop, fault(Cause::Operator)), (Ask::Disarm, Phase::Disarmed)] {
            let mut car = Car::armed();
            let mut record = car.manual(300, ask);
            spoil(&mut record, car.now);
            assert!(matches!(car.send(&record), Answered::Refused(_)));
            assert_eq!((car.phase(), car.throttle()), (wanted, 0));
        }
    }
}

// Drivers

#[test]
fn a_driver_that_goes_latches_where_it_drove() {
    for mut car in [Car::arming(), Car::armed()] {
        assert_eq!((car.tell(Event::DriverGone), car.phase()), (ACCEPTED, fault(Cause::DriverGone)));
        assert_eq!((car.throttle(), car.gate()), (0, GateState::Open));
        assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence), "nobody is there");
        car.tell(Event::DriverStarted { session: SESSION + 1 });
        assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence), "nor has anybody seen anything");
        let record = Record { session: SESSION + 1, seq: 1, captured_at: car.now, ..car.next(0) };
        car.wait(MS);
        let record = Record { captured_at: car.now, ..record };
        assert_eq!((car.send(&record), car.ask(Ask::Arm)), (ACCEPTED, ACCEPTED), "it counts from 1");
    }
}

#[test]
fn a_new_driver_does_not_drive_on_for_the_old_one() {
    for mut car in [Car::arming(), Car::armed()] {
        for session in [SESSION, SESSION + 1] {
            car.tell(Event::DriverStarted { session });
            assert_eq!((car.phase(), car.throttle()), (fault(Cause::DriverGone), 0));
        }
    }
    let mut car = Car::disarmed();
    car.frame(0);
    car.tell(Event::DriverStarted { session: SESSION + 1 });
    assert_eq!(car.phase(), Phase::Disarmed);
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence), "evidence is the driver's own");
}

#[test]
fn a_number_that_comes_again_does_not_make_old_records_new() {
    let mut car = Car::disarmed();
    let old = car.manual(0, Ask::Arm);
    car.send(&old);
    car.tell(Event::DriverStarted { session: SESSION });
    assert_eq!((car.send(&old), car.phase()), (refused(Refusal::Sequence), fault(Cause::DriverGone)));
    let newer = Record { seq: old.seq + 1, ..old };
    assert_eq!((car.send(&newer), car.phase()), (ACCEPTED, fault(Cause::DriverGone)), "nor old messages");
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence));
    // Another number counts from the beginning; frames are as old as they were.
    car.tell(Event::DriverStarted { session: SESSION + 1 });
    let other = Record { session: SESSION + 1, seq: 1, operator_seq: 1, ..old };
    assert_eq!((car.send(&other), car.phase()), (ACCEPTED, Phase::Arming { since: car.now }));
    let mut car = Car::disarmed();
    let seen = car.next(0);
    car.send(&seen);
    car.tell(Event::DriverStarted { session: SESSION + 1 });
    car.send(&Record { session: SESSION + 1, ..seen });
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::NoEvidence));
    // The stop of one number is not the stop of the next.
    let mut car = Car::disarmed();
    let stop = car.manual(0, Ask::Stop);
    car.send(&stop);
    car.tell(Event::DriverStarted { session: SESSION + 1 });
    let arm = Record { session: SESSION + 1, ask: Ask::Arm, ..stop };
    assert_eq!((car.send(&arm), car.phase()), (ACCEPTED, Phase::Arming { since: car.now }));
}

// Pins

#[test]
fn pins_that_fail_shut_the_gate_at_once_and_latch_until_they_are_back() {
    for mut car in [Car::new(), Car::disarmed(), Car::arming(), Car::armed()] {
        assert_eq!((car.tell(Event::PinsFailed), car.phase()), (ACCEPTED, fault(Cause::PinsFailed)));
        assert_eq!((car.throttle(), car.gate(), car.output().wake), (0, GateState::Shut, None));
    }
    let mut car = Car::armed();
    car.tell(Event::PinsFailed);
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::Pins));
    car.tell(Event::Ready);
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::Pins), "that they were neutral once is no news");
    assert_eq!((car.tell(Event::PinsBack), car.phase()), (ACCEPTED, fault(Cause::PinsFailed)));
    assert_eq!((car.ask(Ask::Arm), car.gate()), (ACCEPTED, GateState::Open));
}

#[test]
fn pins_that_fail_after_another_fault_shut_the_gate_too() {
    let mut car = Car::armed();
    car.ask(Ask::Stop);
    assert_eq!(car.gate(), GateState::Open);
    car.tell(Event::PinsFailed);
    assert_eq!((car.gate(), car.phase()), (GateState::Shut, fault(Cause::Operator)), "the first cause stays");
    assert_eq!(car.ask(Ask::Arm), refused(Refusal::Pins), "but there is a second one");
}

#[test]
fn pins_that_somebody_else_moves_latch() {
    for mut car in [Car::disarmed(), Car::arming(), Car::armed()] {
        assert_eq!((car.tell(Event::PinsMoved), car.phase()), (ACCEPTED, fault(Cause::PinsMoved)));
        assert_eq!((car.throttle(), car.after(40 * MS).1.gate), (0, GateState::Shut));
    }
}

// The end

#[test]
fn nothing_leads_out_of_the_end() {
    for mut car in [Car::new(), Car::disarmed(), Car::arming(), Car::armed()] {
        assert_eq!((car.tell(Event::Ending), car.phase()), (ACCEPTED, fault(Cause::GuardianEnding)));
        assert_eq!((car.throttle(), car.after(40 * MS).1.gate), (0, GateState::Shut));
        let phase = car.phase();
        car.tell(Event::DriverStarted { session: SESSION + 1 });
        let record = Record { session: SESSION + 1, ..car.manual(300, Ask::Arm) };
        assert!(matches!(car.send(&record), Answered::Refused(_)));
        for event in [Event::Ready, Event::PinsFailed, Event::PinsBack, Event::DriverGone, Event::Ending] {
            car.tell(event);
            assert_eq!((car.ask(Ask::Arm), car.phase()), (refused(Refusal::Ending), phase));
        }
    }
    let mut car = Car::armed();
    car.ask(Ask::Stop);
    let shut = car.output().wake;
    car.wait(MS);
    car.tell(Event::Ending);
    assert_eq!(
        (car.phase(), car.output().wake),
        (fault(Cause::GuardianEnding), shut),
        "the gate waits no longer"
    );
    let mut car = Car::armed();
    car.tell(Event::Ending);
    assert_eq!(car.output().wake, Some(car.now + Span(40 * MS)));
    assert_eq!(car.after(40 * MS - 1).1.gate, GateState::Open);
}

#[test]
fn the_end_refuses_what_the_driver_relays() {
    let mut car = Car::disarmed();
    car.tell(Event::Ending);
    let record = car.manual(0, Ask::Arm);
    assert_eq!(car.send(&record), refused(Refusal::Ending));
}

// Time

#[test]
fn time_that_goes_back_extends_nothing() {
    let mut car = Car::armed();
    let now = car.now;
    car.wait(99 * MS);
    car.tell(Event::Tick);
    assert_eq!(car.throttle(), 300);
    car.now = now;
    // A frame as new as the latest time is none of the future, and a lease does not begin in the past.
    let record = Record { captured_at: now + Span(99 * MS), valid_until: Instant(u64::MAX), ..car.next(200) };
    assert_eq!((car.send(&record), car.throttle()), (ACCEPTED, 200));
    assert_eq!(car.output().wake, Some(now + Span(199 * MS)));
    car.now = now + Span(199 * MS);
    car.tell(Event::Tick);
    assert_eq!(car.throttle(), 0);
    car.now = now;
    car.tell(Event::Tick);
    assert_eq!(car.throttle(), 0, "what has ended does not come back");
    let stale = Record { valid_until: now + Span(100 * MS), captured_at: now, ..car.next(200) };
    assert_eq!(car.send(&stale), refused(Refusal::Stale), "late by the latest time");
}

// Terms

#[test]
fn the_default_terms_are_good_and_those_of_the_plate() {
    let ms = Span::from_millis;
    let wanted = Terms {
        lease: ms(100),
        arming: ms(500),
        latch: ms(1000),
        oldest_evidence: ms(150),
        throttle_cap: Permille::FULL,
    };
    assert_eq!((Terms::default(), Terms::default().checked()), (wanted, Ok(wanted)));
}

type Set = fn(&mut Terms, Span);

#[test]
fn terms_hold_at_both_ends_and_not_beyond() {
    let all: [(&str, Set, u64, u64); 4] = [
        ("the lease", |terms, span| terms.lease = span, 20, 200),
        ("the arming time", |terms, span| terms.arming = span, 500, 10_000),
        ("the latch time", |terms, span| terms.latch = span, 100, 60_000),
        ("the age of the oldest evidence", |terms, span| terms.oldest_evidence = span, 20, 1000),
    ];
    for (what, set, least, most) in all {
        let checked = |ns: u64| {
            let mut terms = Terms::default();
            set(&mut terms, Span(ns));
            terms.checked().map_err(|error| error.to_string())
        };
        assert!(checked(least * MS).is_ok() && checked(most * MS).is_ok(), "{what}");
        let refusal = |saw: u64| Err(format!("{what} is {saw}, wanted {least} to {most} ms"));
        assert_eq!(checked(least * MS - 1), refusal(least - 1));
        assert_eq!(checked((most + 1) * MS), refusal(most + 1));
        assert!(checked(most * MS + 1).is_err(), "{what}");
        assert_eq!(checked(0), refusal(0));
        assert_eq!(checked(u64::MAX), refusal(i64::MAX.unsigned_abs() / MS));
    }
    let cap = |cap: i16| {
        let terms = Terms { throttle_cap: share(cap), ..Terms::default() };
        terms.checked().map_err(|error| error.to_string())
    };
    assert!(cap(0).is_ok() && cap(1000).is_ok());
    assert_eq!(cap(-1), Err("the throttle cap is -1, wanted 0 to 1000 thousandths".to_owned()));
}
