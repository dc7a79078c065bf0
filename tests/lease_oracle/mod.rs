//! What a lease must do, read off the whole history of what happened: every answer is a search through the past, and no
//! state is carried along but what a record was worth when it came. It shares no code with the lease.

use hairpin::domain::Ask;
use hairpin::lease::{Answered, Cause, Event, GateState, Lease, Mode, Output, Phase, Record, Refusal, Terms};
use hairpin::units::{Instant, Permille, Span};

/// Two PWM periods (safety.md §3, 7).
const GATE_DELAY: Span = Span(40_000_000);

const ENDED: Phase = Phase::Fault { cause: Cause::GuardianEnding };

/// An event that owns its record.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum What {
    Ready,
    Tick,
    Command(Record),
    Operator(Ask),
    Started(u32),
    Gone,
    Failed,
    Moved,
    Back,
    Ending,
}

impl What {
    pub fn event(&self) -> Event<'_> {
        match self {
            Self::Ready => Event::Ready,
            Self::Tick => Event::Tick,
            Self::Command(record) => Event::Command(record),
            Self::Operator(ask) => Event::Operator(*ask),
            Self::Started(session) => Event::DriverStarted { session: *session },
            Self::Gone => Event::DriverGone,
            Self::Failed => Event::PinsFailed,
            Self::Moved => Event::PinsMoved,
            Self::Back => Event::PinsBack,
            Self::Ending => Event::Ending,
        }
    }
}

/// What a record was worth.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Worth {
    /// It came from the driver that there was.
    heard: bool,
    refused: Option<Refusal>,
    /// It was in order, in time, and its frame was not of the future.
    good: bool,
    /// It brought a newer operator's message.
    message: bool,
    /// It brought evidence, which counts until then.
    evident_until: Option<Instant>,
}

/// One event and what came of it.
#[derive(Clone, Copy, Debug)]
pub struct Line {
    pub what: What,
    pub at: Instant,
    pub phase: Phase,
    pub output: Output,
    worth: Worth,
}

impl Line {
    fn record(&self) -> Option<&Record> {
        if let What::Command(record) = &self.what { Some(record) } else { None }
    }

    fn good(&self) -> Option<&Record> {
        self.record().filter(|_| self.worth.good)
    }

    fn heard(&self) -> Option<&Record> {
        self.record().filter(|_| self.worth.heard)
    }
}

fn stops(record: &Record) -> bool {
    matches!(record.ask, Ask::Stop | Ask::Disarm)
}

fn wishes_neutral(record: &Record) -> bool {
    record.mode == Mode::Idle || record.steering.get() == 0 && record.throttle.get() == 0
}

fn powered(phase: Phase) -> bool {
    matches!(phase, Phase::Arming { .. } | Phase::Armed)
}

fn must(holds: bool, law: &'static str) -> Result<(), &'static str> {
    if holds { Ok(()) } else { Err(law) }
}

/// A lease under watch, and all that ever happened to it.
#[derive(Clone, Debug)]
pub struct Watched {
    pub lease: Lease,
    pub terms: Terms,
    pub lines: Vec<Line>,
}

impl Watched {
    pub fn new(terms: Terms) -> Self {
        Self { lease: Lease::new(terms), terms, lines: Vec::new() }
    }

    /// The latest time that was seen.
    pub fn now(&self) -> Instant {
        self.lines.last().map_or(Instant(0), |line| line.at)
    }

    /// One event: the passing of time first, then the event, each judged by the history. That both in one come to the
    /// same is judged too.
    pub fn step(&mut self, what: What, at: Instant) -> Result<Output, &'static str> {
        let mut at_once = self.lease;
        let output = at_once.step(what.event(), at);
        self.line(What::Tick, at)?;
        if what != What::Tick {
            self.line(what, at)?;
        }
        must(self.lease == at_once, "time first, then the event, is the same as both at once")?;
        must(self.lines.last().is_some_and(|line| line.output == output), "and puts out the same")?;
        Ok(output)
    }

    fn line(&mut self, what: What, at: Instant) -> Result<(), &'static str> {
        let at = at.max(self.now());
        let worth = self.worth(&what, at);
        let output = self.lease.step(what.event(), at);
        self.lines.push(Line { what, at, phase: self.lease.phase(), output, worth });
        self.judge()
    }

    /// The lines since the number of the driver came, which counts records and messages.
    fn epoch(&self) -> &[Line] {
        let numbers = self.lines.iter().enumerate().filter_map(|(place, line)| match line.what {
            What::Started(number) => Some((place, number)),
            _ => None,
        });
        let mut first = (0, None);
        for (place, number) in numbers {
            if first.1 != Some(number) {
                first = (place, Some(number));
            }
        }
        self.lines.get(first.0..).unwrap_or_default()
    }

    fn session(&self) -> Option<u32> {
        self.lines.iter().rev().find_map(|line| match line.what {
            What::Started(number) => Some(Some(number)),
            What::Gone => Some(None),
            _ => None,
        })?
    }

    fn worth(&self, what: &What, at: Instant) -> Worth {
        let What::Command(record) = what else { return Worth::default() };
        if self.session() != Some(record.session) {
            return Worth { refused: Some(Refusal::Session), ..Worth::default() };
        }
        let epoch = self.epoch();
        let refused =
            if epoch.iter().filter_map(Line::heard).any(|old| old.seq >= record.seq) || record.seq == 0 {
                Some(Refusal::Sequence)
            } else if at >= record.valid_until {
                Some(Refusal::Stale)
            } else if at < record.captured_at {
                Some(Refusal::Ahead)
            } else {
                None
            };
        if refused.is_some() {
            return Worth { heard: true, refused, ..Worth::default() };
        }
        let known = |old: &Record| old.operator_seq >= record.operator_seq;
        let message = record.operator_seq > 0 && !epoch.iter().filter_map(Line::good).any(known);
        let seen = |old: &Record| old.captured_at >= record.captured_at;
        let frame = record.captured_at.0 > 0
            && !self.lines.iter().filter_map(Line::good).any(seen)
            && at.0 - record.captured_at.0 <= self.terms.oldest_evidence.0;
        let new = if record.mode == Mode::Manual { message } else { frame };
        let most = Instant(at.0.saturating_add(self.terms.lease.0));
        let evident_until = new.then_some(record.valid_until.min(most));
        Worth { heard: true, refused, good: true, message, evident_until }
    }

    /// Until when there was evidence, before line `place`.
    fn evident_until(&self, place: usize) -> Option<Instant> {
        let before = self.lines.get(..place).unwrap_or_default();
        let of_driver =
            before.iter().rev().take_while(|line| !matches!(line.what, What::Started(_) | What::Gone));
        let mut of_driver = of_driver;
        of_driver.find_map(|line| line.worth.evident_until)
    }

    /// The place at which the present phase began, whatever it carries.
    fn begun(&self, place: usize) -> usize {
        let kind = self.lines.get(place).map(|line| std::mem::discriminant(&line.phase));
        let other = |line: &Line| Some(std::mem::discriminant(&line.phase)) != kind;
        self.lines.get(..place).and_then(|before| before.iter().rposition(other)).map_or(0, |last| last + 1)
    }

    /// In Armed at `place`: when the lease ends or ended, and the command that lives as long.
    fn lease(&self, place: usize) -> (Instant, Option<&Record>) {
        let begun = self.begun(place);
        let run = self.lines.get(begun..=place).unwrap_or_default();
        let grants = |line: &Line| {
            line.worth.evident_until.is_some() && line.good().is_some_and(|record| record.mode != Mode::Idle)
        };
        let (first, granted) = (run.first(), run.iter().rposition(grants));
        let Some(granted) = granted else { return (first.map_or(Instant(0), |line| line.at), None) };
        let mut end = Instant(0);
        let mut command = None;
        for line in run.get(granted..).unwrap_or_default() {
            if let Some(until) = line.worth.evident_until.filter(|_| grants(line)) {
                (end, command) = (until, line.good());
                continue;
            }
            let same_mode = |record: &Record| command.is_some_and(|now: &Record| now.mode == record.mode);
            if line.heard().is_some_and(wishes_neutral)
                || line.good().is_some_and(|record| !same_mode(record))
            {
                end = end.min(line.at);
            } else if let Some(record) = line.good().filter(|_| line.at < end) {
                (end, command) = (end.min(record.valid_until), Some(record));
            }
        }
        (end, command)
    }

    /// Since when there was evidence without a gap, in Arming at `place`.
    fn since(&self, place: usize) -> Instant {
        let armed_at = |line: &Line| line.at;
        // Arming may follow Arming through a fault that lasted no time; the beginning is then the later one.
        let begun = self.begun(place);
        let gap = |k: &usize| {
            let until = self.evident_until(*k);
            self.lines.get(*k).is_some_and(|line| until.is_none_or(|until| line.at >= until))
        };
        let last_gap = (begun + 1..=place).rev().find(gap);
        self.lines.get(last_gap.unwrap_or(begun)).map_or(Instant(0), armed_at)
    }

    fn pins_are_neutral(before: &[Line]) -> bool {
        let ready = before.iter().any(|line| matches!(line.what, What::Ready | What::Back));
        let failed = before.iter().rposition(|line| line.what == What::Failed);
        let back = before.iter().rposition(|line| line.what == What::Back);
        ready && failed <= back
    }

    /// What is asked by the last line, where it counts.
    fn asked(&self) -> Ask {
        let Some((last, _)) = self.lines.split_last() else { return Ask::Nothing };
        if let What::Operator(ask) = last.what {
            return ask;
        }
        let Some(record) = last.heard() else { return Ask::Nothing };
        let epoch = self.epoch();
        let earlier = epoch.split_last().map_or(epoch, |(_, earlier)| earlier);
        let stopped = |old: &Record| stops(old) && old.operator_seq >= record.operator_seq;
        if record.operator_seq == 0 || earlier.iter().filter_map(Line::heard).any(stopped) {
            return Ask::Nothing;
        }
        let counts = stops(record) || last.worth.message;
        if counts { record.ask } else { Ask::Nothing }
    }

    /// Why a wish to arm is refused at the last line.
    fn arm_refusal(&self, before: Phase) -> Option<Refusal> {
        let (last, earlier) = self.lines.split_last()?;
        let evident = last.worth.evident_until.or(self.evident_until(earlier.len()));
        if powered(before) {
            None
        } else if earlier.iter().any(|line| line.what == What::Ending) {
            Some(Refusal::Ending)
        } else if !Self::pins_are_neutral(earlier) {
            Some(Refusal::Pins)
        } else if evident.is_none_or(|until| until <= last.at) {
            Some(Refusal::NoEvidence)
        } else {
            None
        }
    }

    fn judge(&self) -> Result<(), &'static str> {
        let Some((last, earlier)) = self.lines.split_last() else { return Ok(()) };
        let before = earlier.last().map_or(Phase::Boot, |line| line.phase);
        let asked = self.asked();
        let refusal = if asked == Ask::Arm { self.arm_refusal(before) } else { None };
        let arms = asked == Ask::Arm && refusal.is_none();
        self.judge_phase(before, last, asked, arms)?;
        let driven = self.judge_pins(last)?;
        self.judge_gate(last)?;
        let answer = match (last.what, last.worth.refused) {
            (What::Tick | What::Operator(Ask::Nothing), _) => Answered::Nothing,
            (_, Some(refusal)) => Answered::Refused(refusal),
            (What::Command(record), None) => match refusal {
                Some(refusal) => Answered::Refused(refusal),
                None if wishes_neutral(&record) => Answered::Accepted,
                None if driven == Some((record.steering, record.throttle, record.mode)) => Answered::Accepted,
                None => Answered::Withheld,
            },
            _ => refusal.map_or(Answered::Accepted, Answered::Refused),
        };
        must(last.output.answer == answer, "the answer says what became of the event")
    }

    /// The fault that the last line is, seen from `before`.
    fn fault(&self, before: Phase, last: &Line, asked: Ask) -> Option<Cause> {
        let place = self.lines.len() - 1;
        let lapsed = before == Phase::Armed && {
            let (end, _) = self.lease(place - 1);
            last.at.0.saturating_sub(end.0) > self.terms.latch.0
        };
        match last.what {
            _ if lapsed => Some(Cause::LeaseLost),
            What::Started(_) | What::Gone if powered(before) => Some(Cause::DriverGone),
            What::Failed => Some(Cause::PinsFailed),
            What::Moved => Some(Cause::PinsMoved),
            What::Ending => Some(Cause::GuardianEnding),
            _ if asked == Ask::Stop => Some(Cause::Operator),
            _ => None,
        }
    }

    fn judge_phase(&self, before: Phase, last: &Line, asked: Ask, arms: bool) -> Result<(), &'static str> {
        let (place, after) = (self.lines.len() - 1, last.phase);
        let fault = self.fault(before, last, asked);
        let evidence = last.worth.evident_until.is_some();
        if last.what == What::Ending {
            return must(after == ENDED, "the end is a fault");
        }
        match (before, after) {
            (Phase::Fault { .. }, Phase::Fault { .. }) => {
                must(before == after && !arms, "a fault keeps its first cause, until somebody arms")
            }
            (_, Phase::Fault { cause }) => must(fault == Some(cause), "a fault has a cause"),
            (Phase::Fault { .. } | Phase::Disarmed, Phase::Arming { since }) => must(
                arms && since == last.at,
                "arming begins with a wish, evidence, and pins that are neutral",
            ),
            _ if fault.is_some() => Err("a cause makes a fault"),
            (Phase::Boot, Phase::Disarmed) => {
                must(matches!(last.what, What::Ready | What::Back), "out of Boot only with neutral pins")
            }
            (Phase::Boot, Phase::Boot) => {
                must(!matches!(last.what, What::Ready | What::Back), "neutral pins lead out of Boot")
            }
            (Phase::Disarmed, Phase::Disarmed) => must(!arms, "a wish to arm that is in order is followed"),
            (Phase::Arming { .. } | Phase::Armed, Phase::Disarmed) => {
                must(asked == Ask::Disarm, "disarmed only by a wish")
            }
            (Phase::Arming { .. } | Phase::Armed, _) if asked == Ask::Disarm => {
                Err("a wish to disarm is followed")
            }
            (Phase::Arming { .. }, Phase::Arming { since }) => {
                let whole = last.at.0 - since.0 >= self.terms.arming.0;
                must(since == self.since(place), "a gap in the evidence begins the arming time anew")?;
                must(!(evidence && whole), "evidence after the arming time arms")
            }
            (Phase::Arming { .. }, Phase::Armed) => {
                let since = self.since(place - 1);
                must(evidence, "armed only with evidence")?;
                must(last.at.0 - since.0 >= self.terms.arming.0, "armed only after the arming time")
            }
            (Phase::Armed, Phase::Armed) => Ok(()),
            _ => Err("there is no such way between two phases"),
        }
    }

    /// Non-neutral pins exactly where a lease lives, and exactly its command; which is returned.
    fn judge_pins(&self, last: &Line) -> Result<Option<(Permille, Permille, Mode)>, &'static str> {
        let Output { steering, throttle, wake, .. } = last.output;
        let (end, command) =
            if last.phase == Phase::Armed { self.lease(self.lines.len() - 1) } else { (Instant(0), None) };
        let Some(command) = command.filter(|_| last.at < end) else {
            must(steering.get() == 0 && throttle.get() == 0, "I1: neutral without a live lease")?;
            must(wake.is_none_or(|wake| wake > last.at || wake.0 == u64::MAX), "woken later")?;
            return Ok(None);
        };
        let cap = self.terms.throttle_cap.get().max(0);
        must(
            throttle.get() == command.throttle.get().clamp(-cap, cap),
            "I3: the commanded throttle, capped",
        )?;
        must(steering == command.steering, "the commanded steering")?;
        must(wake == Some(end), "woken when the lease ends")?;
        Ok(Some((command.steering, command.throttle, command.mode)))
    }

    fn judge_gate(&self, last: &Line) -> Result<(), &'static str> {
        let place = self.lines.len() - 1;
        let left = self.lines.iter().rposition(|line| powered(line.phase)).map(|powered| powered + 1);
        let late = left.filter(|left| *left <= place).is_some_and(|left| {
            let since = self.lines.get(left..).unwrap_or_default();
            let failed = since.iter().any(|line| line.what == What::Failed);
            let until = since.first().map_or(0, |line| line.at.0.saturating_add(GATE_DELAY.0));
            !failed && last.at.0 < until
        });
        let open = last.output.gate == GateState::Open;
        must(open == (powered(last.phase) || late), "the gate is open in Arming and Armed, and 40 ms after")
    }

    /// `wake` is when pins, gate or phase change by time alone: not before, and then indeed.
    pub fn judge_wake(&self) -> Result<(), &'static str> {
        let Some(last) = self.lines.last() else { return Ok(()) };
        let seen = |at: u64| {
            let mut lease = self.lease;
            let output = lease.step(Event::Tick, Instant(at));
            let phase = std::mem::discriminant(&lease.phase());
            (output.steering, output.throttle, output.gate, phase)
        };
        let now = seen(last.at.0);
        let Some(Instant(wake)) = last.output.wake else {
            return must(seen(u64::MAX) == now, "what does not wake does not change");
        };
        must(seen(wake - 1) == now, "no change before waking")?;
        // Where neutral was granted the pins do not move, but the lease ends all the same.
        let neutral = last.phase == Phase::Armed && now.0.get() == 0 && now.1.get() == 0;
        must(neutral || seen(wake) != now, "a change at waking")
    }
}
