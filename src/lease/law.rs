//! The transitions, and what a phase lets through. The drawing stands in `mod.rs`.

use super::terms::{Mode, Record, Terms};
use crate::domain::Ask;
use crate::units::{Instant, Permille, Span};

/// Where the lease stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is known about the pins.
    #[default]
    Boot,
    /// Neutral, gate shut.
    Disarmed,
    /// Neutral, gate open, for the ESC.
    Arming {
        /// Since when there was evidence without a gap.
        since: Instant,
    },
    /// What has a lease goes through.
    Armed,
    /// Neutral and latched.
    Fault {
        /// The first cause.
        cause: Cause,
    },
}

/// Why the lease latched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The operator said stop.
    Operator,
    /// Armed, and nothing renewed the lease for longer than the latch time.
    LeaseLost,
    /// The driver's end of the link closed.
    DriverGone,
    /// A write to the pins failed or hung.
    PinsFailed,
    /// Somebody else writes to the pins.
    PinsMoved,
    /// The guardian is about to end; nothing leads out of this.
    GuardianEnding,
}

/// What happens to a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// The pins were written neutral.
    Ready,
    /// Time passed.
    Tick,
    /// The driver asks.
    Command(&'a Record),
    /// The operator asks.
    Operator(Ask),
    /// A driver was started, in the place of any other.
    DriverStarted {
        /// The number that its records carry, never used before.
        session: u32,
    },
    /// The driver is gone.
    DriverGone,
    /// A write to the pins failed or hung.
    PinsFailed,
    /// Somebody else moved the pins or the gate.
    PinsMoved,
    /// The pins answer again and are neutral.
    PinsBack,
    /// The guardian is about to end.
    Ending,
}

/// The power of servo and ESC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GateState {
    /// On.
    Open,
    /// Off.
    Shut,
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// A record of another driver.
    Session,
    /// A record that is not newer than the last.
    Sequence,
    /// A record that came too late.
    Stale,
    /// Evidence from the future: a broken clock.
    Ahead,
    /// Nothing recent to drive by.
    NoEvidence,
    /// The pins are not known to be neutral.
    Pins,
    /// The guardian is about to end.
    Ending,
}

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It asked for nothing.
    Nothing,
    /// It was done.
    Accepted,
    /// It was in order, and neutral was put out instead.
    Withheld,
    /// It was not done.
    Refused(Refusal),
}

/// What the pins shall do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Output {
    /// Share of full lock.
    pub steering: Permille,
    /// Share of full throttle.
    pub throttle: Permille,
    /// Power.
    pub gate: GateState,
    /// When this changes by time alone, where it does.
    pub wake: Option<Instant>,
    /// What became of the event.
    pub answer: Answered,
}

/// Out of this nothing leads.
const ENDED: Phase = Phase::Fault { cause: Cause::GuardianEnding };

/// The machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    terms: Terms,
    phase: Phase,
    /// The latest time that was seen; it never goes back.
    now: Instant,
    /// Whether the pins were ever neutral; whether they do not answer since.
    ready: bool,
    lost: bool,
    /// Whether there is a driver, and its number, or that of the last one.
    driver: bool,
    session: u32,
    /// The newest that its records brought: record, frame, operator's message, and message that said stop.
    seq: u64,
    captured_at: Instant,
    message: u64,
    stopped: u64,
    evident_until: Instant,
    /// The command, steering and throttle, and who gave it; it is live before `until`, not at it.
    command: (Permille, Permille),
    mode: Mode,
    until: Instant,
    /// Outside Arming and Armed the gate is open before this time.
    power_until: Instant,
}

impl Lease {
    /// A lease in Boot. `terms` went through [`Terms::checked`].
    #[must_use]
    pub fn new(terms: Terms) -> Self {
        Self { terms, ..Self::default() }
    }

    /// Where it stands.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        self.phase
    }

    /// One event at a time. A time before the last one counts as the last one.
    pub fn step(&mut self, event: Event<'_>, now: Instant) -> Output {
        self.now = self.now.max(now);
        self.age();
        let mut answer = Answered::Accepted;
        match event {
            Event::Tick => answer = Answered::Nothing,
            Event::Ready => self.ready(self.lost),
            Event::Command(record) => answer = self.hear(record),
            Event::Operator(ask) => answer = self.ask(ask),
            Event::DriverStarted { session } => {
                // Whoever drove is gone, and the new one does not drive on in its place.
                self.lose_driver();
                self.driver = true;
                if session != self.session {
                    (self.session, self.seq, self.message, self.stopped) = (session, 0, 0, 0);
                }
            }
            Event::DriverGone => self.lose_driver(),
            Event::PinsFailed => {
                self.fault(Cause::PinsFailed);
                (self.lost, self.power_until) = (true, Instant(0));
            }
            Event::PinsMoved => self.fault(Cause::PinsMoved),
            Event::PinsBack => self.ready(false),
            Event::Ending => self.leave(ENDED),
        }
        self.output(answer)
    }

    /// What time alone does.
    fn age(&mut self) {
        match &mut self.phase {
            Phase::Arming { since } if self.now >= self.evident_until => *since = self.now,
            Phase::Armed if self.now.since(self.until) > self.terms.latch => self.fault(Cause::LeaseLost),
            _ => {}
        }
    }

    fn ready(&mut self, lost: bool) {
        (self.ready, self.lost) = (true, lost);
        if self.phase == Phase::Boot {
            self.phase = Phase::Disarmed;
        }
    }

    /// Latches; the first cause stays.
    fn fault(&mut self, cause: Cause) {
        if !matches!(self.phase, Phase::Fault { .. }) {
            self.leave(Phase::Fault { cause });
        }
    }

    /// Into a phase without power. The gate follows after two PWM periods of neutral: the last pulse shall be whole
    /// (safety.md §3, 7).
    fn leave(&mut self, phase: Phase) {
        if self.powered() {
            self.power_until = self.now + Span::from_millis(40);
        }
        self.phase = phase;
    }

    fn lose_driver(&mut self) {
        if self.powered() {
            self.fault(Cause::DriverGone);
        }
        self.driver = false;
        self.evident_until = self.now;
    }

    fn ask(&mut self, ask: Ask) -> Answered {
        match (ask, self.phase) {
            (Ask::Nothing, _) => return Answered::Nothing,
            (Ask::Stop, _) => self.fault(Cause::Operator),
            (Ask::Disarm, Phase::Arming { .. } | Phase::Armed) => self.leave(Phase::Disarmed),
            (Ask::Disarm, _) | (Ask::Arm, Phase::Arming { .. } | Phase::Armed) => {}
            (Ask::Arm, ENDED) => return Answered::Refused(Refusal::Ending),
            (Ask::Arm, _) if self.lost || !self.ready => return Answered::Refused(Refusal::Pins),
            (Ask::Arm, _) if self.now >= self.evident_until => return Answered::Refused(Refusal::NoEvidence),
            (Ask::Arm, _) => self.phase = Phase::Arming { since: self.now },
        }
        Answered::Accepted
    }

    fn hear(&mut self, record: &Record) -> Answered {
        if !self.driver || record.session != self.session {
            return Answered::Refused(Refusal::Session);
        }
        // A wish to stop is never too late, and never out of order.
        if record.is_neutral() {
            self.until = self.until.min(self.now);
        }
        let ask = if record.operator_seq > self.stopped { record.ask } else { Ask::Nothing };
        if matches!(ask, Ask::Disarm | Ask::Stop) {
            self.stopped = record.operator_seq;
            self.ask(ask);
        }
        let last = self.seq;
        self.seq = last.max(record.seq);
        if record.seq <= last {
            Answered::Refused(Refusal::Sequence)
        } else if record.valid_until <= self.now {
            Answered::Refused(Refusal::Stale)
        } else if record.captured_at > self.now {
            Answered::Refused(Refusal::Ahead)
        } else {
            self.take(record, ask == Ask::Arm)
        }
    }

    /// A record in order: first what it brings counts, then what it asks, then what it commands.
    fn take(&mut self, record: &Record, arm: bool) -> Answered {
        let message = record.operator_seq > self.message;
        let young = self.now.since(record.captured_at) <= self.terms.oldest_evidence;
        let frame = young && record.captured_at > self.captured_at;
        self.captured_at = self.captured_at.max(record.captured_at);
        self.message = self.message.max(record.operator_seq);
        let evidence = if record.mode == Mode::Manual { message } else { frame };
        if evidence {
            self.evident_until = record.valid_until.min(self.now + self.terms.lease);
        }
        // A wish to arm counts once, in the first record of the operator's newest message.
        let armed = if arm && message { self.ask(Ask::Arm) } else { Answered::Nothing };
        let over = |since| self.now.since(since) >= self.terms.arming;
        if evidence && matches!(self.phase, Phase::Arming { since } if over(since)) {
            // Nothing is granted yet; the latch time runs from here.
            (self.phase, self.until) = (Phase::Armed, self.now);
        }
        let Record { mode, steering, throttle, .. } = *record;
        let grants = evidence && self.phase == Phase::Armed && mode != Mode::Idle;
        // Without evidence the command may change within the lease, and live shorter but not longer.
        let keeps = self.live() && mode == self.mode;
        let wanted = if keeps { record.valid_until } else { self.now };
        self.until = if grants { self.evident_until } else { self.until.min(wanted) };
        if grants || keeps {
            (self.command, self.mode) = ((steering, throttle), mode);
        }
        match armed {
            Answered::Refused(_) => armed,
            _ if grants || keeps || record.is_neutral() => Answered::Accepted,
            _ => Answered::Withheld,
        }
    }

    const fn powered(&self) -> bool {
        matches!(self.phase, Phase::Arming { .. } | Phase::Armed)
    }

    fn live(&self) -> bool {
        self.phase == Phase::Armed && self.now < self.until
    }

    fn output(&self, answer: Answered) -> Output {
        let late = self.now < self.power_until;
        let (steering, throttle) = if self.live() { self.command } else { Default::default() };
        let throttle = throttle.capped(self.terms.throttle_cap);
        let wake = match self.phase {
            Phase::Armed if self.live() => Some(self.until),
            Phase::Armed => Some(self.until + self.terms.latch + Span(1)),
            Phase::Arming { .. } => None,
            _ => Some(self.power_until).filter(|_| late),
        };
        let gate = if self.powered() || late { GateState::Open } else { GateState::Shut };
        Output { steering, throttle, gate, wake, answer }
    }
}
