//! Watches the pins, and what went into the lease: records, words, faults. Knows nothing of the state of the lease or the
//! governor; computes from the outside what may be, and compares it with what is.

use hairpin::domain::Ask;
use hairpin::lease::{Mode, Record};
use hairpin::units::{Instant, Permille, Span};
use hairpin::vehicle::Points;

use super::scene::{By, Pins};
use super::setup::Setup;

/// What was broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rule {
    /// I1 at the pins: no motion without a record on a new frame, received within the lease.
    Evidence,
    /// I2 at the pins: after a fault only an operator's arm leads to motion.
    Rearming,
    /// I3: pulses within the calibration and 1.0 to 2.0 ms, throttle within its caps and within what was asked.
    Range,
    /// I5: two seconds after the last fault the car can be armed, and drives.
    Alive,
    /// The ESC had its neutral, with power, before the first motion.
    EscNeutral,
    /// The gate opens upon an arm and over neutral, shuts in time, and never over a pulse that moves.
    Gate,
    /// I1 and I2 already at the governor's exit.
    Governor,
    /// What somebody else wrote is overruled in time.
    Overruled,
}

#[derive(Clone, Debug)]
pub(crate) struct Violation {
    pub(crate) rule: Rule,
    pub(crate) at: Instant,
    pub(crate) what: String,
}

/// Neutral for two PWM periods, and a millisecond of timer.
const GATE_BOUND: Span = Span::from_millis(41);
/// A look at the pins every 100 ms, at the next beat.
const OVERRULED: Span = Span::from_millis(121);

pub(crate) struct Observer {
    setup: Setup,
    now: Instant,
    /// The one violation that a drive ends with.
    pub(crate) violation: Option<Violation>,
    session: Option<u32>,
    seq: u64,
    asked: u64,
    /// The newest picture that a record of this session rested on.
    picture: u64,
    /// The largest throttle that the newest record allows, in thousandths.
    wished: i16,
    /// Until when the newest evidence lets the car move.
    evident_until: Instant,
    /// The same for evidence that came with a wish for neutral too, and since when it has had no gap.
    seen_until: Instant,
    seen_since: Instant,
    /// When there had been such evidence for an arming time since the operator armed.
    proven_at: Option<Instant>,
    /// When an operator armed, after the last fault.
    armed_at: Option<Instant>,
    /// Whether the car has not moved since that.
    unused_arm: bool,
    latched_at: Instant,
    /// When the gate has to be shut, for a fault.
    gate_due: Option<Instant>,
    throttle: u32,
    written: (u32, u32),
    /// Whether the car moves upon what the guardian wrote last, and nobody else has written since.
    pub(crate) moving: bool,
    /// Whether it would move upon what the guardian wrote last.
    own: bool,
    moved_until: Instant,
    neutral_since: Instant,
    open_since: Option<Instant>,
    foreign_since: Option<Instant>,
    /// How long the car moved.
    pub(crate) driving: Span,
    pub(crate) starts: u64,
    /// By how much the guardian's clock is in doubt.
    pub(crate) error: Span,
}

impl Observer {
    pub(crate) fn new(setup: &Setup) -> Self {
        let start = Instant(0);
        Self {
            setup: *setup,
            now: start,
            violation: None,
            session: None,
            seq: 0,
            asked: 0,
            picture: 0,
            wished: 0,
            evident_until: start,
            seen_until: start,
            seen_since: start,
            proven_at: None,
            armed_at: None,
            unused_arm: false,
            latched_at: start,
            gate_due: None,
            throttle: setup.calibration.motor.mid,
            written: (0, 0),
            moving: false,
            own: false,
            moved_until: start,
            neutral_since: start,
            open_since: None,
            foreign_since: None,
            driving: Span(0),
            starts: 0,
            error: Span(0),
        }
    }

    pub(crate) fn violated(&mut self, rule: Rule, what: impl FnOnce() -> String) {
        if self.violation.is_none() {
            self.violation = Some(Violation { rule, at: self.now, what: what() });
        }
    }

    /// Time goes by with the pins as they are. `allowance` is what the script makes the guardian late.
    pub(crate) fn watch(&mut self, now: Instant, allowance: Span) {
        let passed = now.since(self.now);
        self.now = now;
        if self.moving {
            self.driving = span(self.driving, passed);
            let until = self.evident_until + allowance;
            if now > until {
                self.violated(Rule::Evidence, || format!("moving {} after the lease", now.since(until)));
            }
            if self.armed_at.is_none() && now > self.latched_at + allowance {
                let since = now.since(self.latched_at);
                self.violated(Rule::Rearming, || format!("still moving {since} after a fault"));
            }
        }
        if self.open_since.is_none() {
            return;
        }
        if let Some(due) = self.gate_due.filter(|due| now > *due + allowance) {
            self.violated(Rule::Gate, || format!("open {} after it had to be shut", now.since(due)));
        }
        if let Some(since) = self.foreign_since.filter(|since| now > *since + OVERRULED + allowance) {
            let stood = now.since(since);
            self.violated(Rule::Overruled, || format!("a foreign pulse has stood for {stood}"));
        }
    }

    /// The guardian looked at its clock. Nothing to drive by for the latch time is a fault, though nobody says so.
    pub(crate) fn looked(&mut self, clock: Instant) {
        let stands = self.open_since.is_some() && !self.own && !self.unused_arm;
        let spent = self.armed_at.is_some_and(|at| at < self.moved_until);
        if stands && spent && clock > self.moved_until + self.setup.terms.latch {
            self.gate_due.get_or_insert(self.now + GATE_BOUND);
        }
    }

    /// A driver was started, or is gone.
    pub(crate) fn session(&mut self, session: Option<u32>) {
        (self.session, self.seq, self.asked, self.picture, self.wished) = (session, 0, 0, 0, 0);
        self.seen_until = Instant(0);
    }

    /// A whole record reached the lease. `picture` is what it truly rests on, `clock` what the guardian's clock said then.
    pub(crate) fn record(&mut self, record: &Record, picture: u64, clock: Instant) {
        if self.session != Some(record.session) {
            return;
        }
        // A word to stop is never too late, and never out of order.
        if record.operator_seq > self.asked && matches!(record.ask, Ask::Disarm | Ask::Stop) {
            self.asked = record.operator_seq;
            self.fault(GATE_BOUND);
        }
        // Nor is a wish for neutral.
        if record.mode == Mode::Idle || (record.steering, record.throttle) == (Permille::ZERO, Permille::ZERO)
        {
            self.evident_until = self.evident_until.min(self.now);
        }
        let in_order = record.seq > self.seq;
        self.seq = self.seq.max(record.seq);
        if !in_order || record.valid_until <= clock || record.captured_at > clock {
            return;
        }
        self.wished = record.throttle.get().abs();
        let young = clock.since(record.captured_at) <= self.setup.terms.oldest_evidence;
        let new = picture > self.picture;
        self.picture = self.picture.max(picture);
        if young && new {
            if clock >= self.seen_until {
                self.seen_since = self.now;
            }
            self.seen_until = record.valid_until.min(clock + self.setup.terms.lease);
            let since = self.armed_at.map_or(self.now, |at| at.max(self.seen_since));
            if span(self.now.since(since), self.error) >= self.setup.terms.arming {
                self.proven_at = Some(self.now);
            }
        }
        if young && new && record.mode == Mode::Autonomous {
            self.evident_until = record.valid_until.min(self.now + self.setup.terms.lease);
            if self.wished == 0 && self.armed_at.is_some() && !self.unused_arm {
                // A lease upon standing still is one as well.
                self.moved_until = self.moved_until.max(self.evident_until);
            }
        }
    }

    /// The operator armed, and was not refused.
    pub(crate) fn armed(&mut self) {
        self.unused_arm |= self.armed_at.is_none();
        self.gate_due = None;
        // To arm again what is armed changes nothing; after the latch time it may have been disarmed.
        let spent = self.moved_until + self.setup.terms.latch;
        if self.armed_at.is_none_or(|at| !self.unused_arm && at < spent) {
            (self.armed_at, self.proven_at) = (Some(self.now), None);
        }
    }

    /// Something happened that only an arm undoes; the gate has to be shut after `bound`.
    pub(crate) fn fault(&mut self, bound: Span) {
        if self.armed_at.take().is_some() {
            self.latched_at = self.now;
        }
        let due = self.now + bound;
        if self.open_since.is_some() {
            self.gate_due = Some(self.gate_due.map_or(due, |before| before.min(due)));
        }
    }

    /// The pins changed.
    pub(crate) fn pins(&mut self, now: Instant, pins: &Pins, by: By) {
        self.now = now;
        let pulses = (pins.pulses.throttle.ns(), pins.pulses.steering.ns());
        let (motor, servo) = (self.setup.calibration.motor, self.setup.calibration.servo);
        if pins.foreign {
            self.foreign_since.get_or_insert(now);
        } else {
            self.foreign_since = None;
            if pulses != self.written {
                self.range(pulses, motor, servo);
            }
            self.written = pulses;
            if pulses.0 == motor.mid && self.throttle != motor.mid {
                self.neutral_since = now;
            }
            self.throttle = pulses.0;
        }
        self.gate(pins, by);
        // Foreign pulses come and go over a motion that is the car's own.
        let own = pins.open && self.throttle != motor.mid;
        if own && !self.own {
            self.started();
        } else if !own && self.own {
            self.moved_until = now;
        }
        (self.own, self.moving) = (own, own && !pins.foreign);
    }

    fn range(&mut self, (throttle, steering): (u32, u32), motor: Points, servo: Points) {
        for (what, pulse, points) in [("throttle", throttle, motor), ("steering", steering, servo)] {
            let (least, most) = (points.min.min(points.max), points.min.max(points.max));
            if !(least.max(1_000_000)..=most.min(2_000_000)).contains(&pulse) {
                self.violated(Rule::Range, || format!("{what} {pulse} ns, wanted {least} to {most}"));
            }
        }
        // Which way is forward is the sign's to say, so the reach of the side is compared.
        let end = if (throttle < motor.mid) == (motor.min < motor.mid) { motor.min } else { motor.max };
        let (reach, out) = (f64::from(end.abs_diff(motor.mid)), f64::from(throttle.abs_diff(motor.mid)));
        let most = self.wished.min(self.setup.terms.throttle_cap.get());
        if throttle != motor.mid && out > reach * f64::from(most) / 1000.0 + 1.0 {
            let asked = self.wished;
            self.violated(Rule::Range, || {
                format!(
                    "throttle {throttle} ns is {:.4} of its reach, asked {asked}, most {most}",
                    out / reach
                )
            });
        }
    }

    fn gate(&mut self, pins: &Pins, by: By) {
        let at_rest = self.throttle == self.setup.calibration.motor.mid;
        match (self.open_since, pins.open) {
            (None, true) => {
                self.open_since = Some(self.now);
                if !at_rest || self.armed_at.is_none() {
                    self.violated(Rule::Gate, || format!("opened; at rest {at_rest}, or without an arm"));
                }
            }
            (Some(_), false) => {
                (self.open_since, self.gate_due) = (None, None);
                let whole =
                    at_rest && span(self.now.since(self.neutral_since), self.error) >= Span::from_millis(40);
                if by == By::Guardian && !whole {
                    self.violated(Rule::Gate, || format!("shut without two periods of neutral: {at_rest}"));
                }
            }
            _ => {}
        }
    }

    /// The car begins to move.
    fn started(&mut self) {
        self.starts += 1;
        let Some(armed_at) = self.armed_at else {
            return self.violated(Rule::Rearming, || "began to move without an arm after a fault".to_owned());
        };
        let terms = self.setup.terms;
        let stood = self.now.since(self.moved_until);
        let error = self.error;
        if !self.unused_arm && stood <= span(terms.latch, error) {
            return;
        }
        if !self.unused_arm && armed_at + error < self.moved_until + terms.latch {
            return self.violated(Rule::Rearming, || format!("moves on after {stood} without an arm"));
        }
        self.unused_arm = false;
        let powered = self.open_since.unwrap_or(self.now);
        let since = armed_at.max(powered).max(self.neutral_since);
        let held = self.now.since(since);
        if span(held, error) < terms.arming {
            self.violated(Rule::EscNeutral, || format!("first motion after {held} of neutral with power"));
        }
        if self.proven_at.is_none() {
            self.violated(Rule::EscNeutral, || "first motion without an arming time of evidence".to_owned());
        }
    }
}

/// The sum of two.
const fn span(a: Span, b: Span) -> Span {
    Span(a.0.saturating_add(b.0))
}
