//! The guardian's loop: wait for a record, a word or the clock; ask the lease; move the pins. Refuses nothing here: what
//! may be done is the lease's to say.

mod sessions;

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

use super::answer::Answer;
use super::driver::{Deaths, Driver, Start};
use super::ears::{self, Ready};
use super::held::Seen;
use super::operator::Word;
use super::operators::{EARS, Operators};
use super::parts::Parts;
use super::wire::LENGTH;
use super::{GuardianError, Held, Told, record};
use crate::domain::Ask;
use crate::hal::clock::Clock;
use crate::hal::notify::Notifier;
use crate::lease::{Answered, Event, Lease, Output, Phase, Record};
use crate::units::{Instant, Span};

/// Answers go out at least this often: by them the driver knows that there is a guardian.
const BEAT: Span = Span::from_millis(20);

/// The service manager hears this often that the loop goes round.
const ALIVE: Span = Span::from_millis(400);

/// Arming may take so much longer than it has to.
const LATE: Span = Span::from_millis(3000);

/// A guardian that does not come round for longer has been replaced: an answer less than the driver waits for.
const LONGEST_ABSENCE: Span = Span::from_millis(60);

/// Records that are read before the operator and the clock have their turn.
const AT_ONCE: usize = 16;

/// How long a driver may take to close its tape.
const LONGEST_END: Span = Span::from_millis(2000);

/// Everything that a guardian serves with.
pub struct Guardian<'a> {
    lease: Lease,
    clock: Clock,
    held: Held,
    operators: Operators,
    manager: Notifier,
    signals: UnixStream,
    start: Start,
    told: &'a mut dyn FnMut(Told),
    driver: Option<Driver>,
    deaths: Deaths,
    sessions: u32,
    /// Counts the operator's words at this terminal, and the last one that was let through.
    asked: (u64, Ask),
    arm_at_first_evidence: bool,
    armed_at: Instant,
    longest_arming: Span,
    last_seq: u64,
    answered: Answered,
    phase: Phase,
    next_beat: Instant,
    next_alive: Instant,
    /// When the program began; none when the first frame was decided.
    begun: Option<Instant>,
    /// When the loop came round last.
    present: Instant,
    ending: bool,
    /// With what code the last driver ended; none where it had to be killed.
    last: Option<i32>,
}

impl<'a> Guardian<'a> {
    /// A guardian whose pins are neutral, without a driver yet.
    #[must_use]
    pub fn new(parts: Parts<'a>) -> Self {
        let Parts { terms, begun, clock, held, operators, manager, signals, start, deaths, arm, told } =
            parts;
        let lease = Lease::new(terms);
        Self {
            phase: lease.phase(),
            lease,
            held,
            operators,
            manager,
            begun: Some(begun),
            signals,
            start,
            told,
            driver: None,
            deaths: Deaths::new(deaths),
            sessions: 0,
            asked: (0, Ask::Nothing),
            arm_at_first_evidence: arm,
            armed_at: clock.now(),
            longest_arming: Span(terms.arming.0 + LATE.0),
            last_seq: 0,
            answered: Answered::Nothing,
            next_beat: clock.now(),
            next_alive: clock.now(),
            present: clock.now(),
            clock,
            ending: false,
            last: None,
        }
    }

    /// Serves until it is asked to end, and answers with what code the last driver ended; none where it had to be killed.
    /// The pins are neutral and the gate is shut afterwards, also after an error.
    ///
    /// # Errors
    /// [`GuardianError`]: a driver that cannot start or keeps dying.
    pub fn serve(mut self) -> Result<Option<i32>, GuardianError> {
        let served = self.serve_until_asked();
        let last = self.end();
        served?;
        if self.held.gate_is_open() { Err(GuardianError::GateOpen) } else { Ok(last) }
    }

    fn serve_until_asked(&mut self) -> Result<(), GuardianError> {
        self.step(Event::Ready);
        self.start_driver()?;
        while !self.ending {
            let wake = self.step(Event::Tick).wake;
            self.give_up_arming();
            self.beat();
            let ready = self.wait(wake)?;
            if self.answers_for_absence()? {
                // What was ready was of the driver that was replaced.
                continue;
            }
            if ready.gone {
                self.lost_driver()?;
            } else if ready.link {
                self.listen()?;
            }
            self.obey(ready.operators);
            self.ending |= ready.signal && self.is_asked_to_end();
            self.look_after_driver()?;
        }
        Ok(())
    }

    /// Neutral, two periods, gate; then the driver may close its tape.
    fn end(&mut self) -> Option<i32> {
        let begun = self.clock.now();
        self.manager.stopping();
        self.step(Event::Ending);
        while self.clock.now().since(begun) < LONGEST_END {
            let wake = self.step(Event::Tick).wake;
            self.beat();
            let gone = self.driver.as_mut().is_none_or(|driver| driver.ended().is_some());
            if gone && !self.held.gate_is_open() {
                break;
            }
            let Ok(ready) = self.wait(wake) else { continue };
            if ready.signal {
                self.is_asked_to_end();
            }
            if ready.link {
                drop(self.listen());
            }
            self.obey(ready.operators);
        }
        if let Some(mut driver) = self.driver.take() {
            self.last = driver.ended().and_then(|status| status.code());
            driver.kill();
            driver.reap();
        }
        self.last
    }

    /// What happened, to everybody who listens.
    fn tell(&mut self, told: Told) {
        let line = told.to_string();
        self.operators.tell(&line);
        if matches!(told, Told::Phase(_)) {
            self.manager.status(&line);
        }
        (self.told)(told);
    }

    /// One event through the lease, and its answer to the pins. A write that fails is an event of its own.
    fn step(&mut self, event: Event<'_>) -> Output {
        let mut output = self.lease.step(event, self.clock.now());
        let mut put = self.held.put(&output);
        let phase = self.lease.phase();
        if put.is_ok() && !same(self.phase, phase) {
            put = self.held.show(phase);
        }
        if let Err(fault) = put {
            output = self.lease.step(Event::PinsFailed, self.clock.now());
            // The gate at least; that the pins fail again is known by now.
            drop(self.held.put(&output));
            self.tell(Told::Pins(fault, self.held.gate()));
        }
        if !same(self.phase, self.lease.phase()) {
            self.tell(Told::Phase(self.lease.phase()));
        }
        self.phase = self.lease.phase();
        // A fault is not armed out of by what was asked before it.
        self.arm_at_first_evidence &= !matches!(self.phase, Phase::Fault { .. });
        output
    }

    /// A wish to arm that found no evidence for so long is not meant any more.
    fn give_up_arming(&mut self) {
        let Phase::Arming { .. } = self.phase else { return };
        if self.clock.now().since(self.armed_at) > self.longest_arming {
            self.step(Event::Operator(Ask::Disarm));
            self.tell(Told::ArmingGivenUp);
        }
    }

    /// A guardian that was stopped or starved does not go on where it was: the driver has taken its place by now, or is
    /// about to, and what it asked meanwhile is in the queue. Whether that was so.
    fn answers_for_absence(&mut self) -> Result<bool, GuardianError> {
        let now = self.clock.now();
        let absent = now.since(self.present);
        self.present = now;
        if absent <= LONGEST_ABSENCE || self.driver.is_none() {
            return Ok(false);
        }
        self.step(Event::DriverGone);
        self.tell(Told::Absent(absent));
        self.lost_driver().map(|()| true)
    }

    /// Takes the word of the signals, so that they are heard once; never waits for one.
    fn is_asked_to_end(&mut self) -> bool {
        let mut bytes = [0; 16];
        std::io::Read::read(&mut self.signals, &mut bytes).is_ok_and(|count| count > 0)
    }

    /// What is due by time alone: an answer, a look at the pins.
    fn beat(&mut self) {
        let now = self.clock.now();
        if now < self.next_beat {
            return;
        }
        self.next_beat = now + BEAT;
        self.operators.sweep();
        if now >= self.next_alive {
            self.next_alive = now + ALIVE;
            self.manager.alive();
        }
        match self.held.look_after(now) {
            Seen::Good => {}
            Seen::Moved(what) => {
                self.step(Event::PinsMoved);
                self.tell(Told::Pins(what, self.held.gate()));
            }
            Seen::Failed(what) => {
                self.step(Event::PinsFailed);
                self.tell(Told::Pins(what, self.held.gate()));
            }
            Seen::Back => {
                self.step(Event::PinsBack);
                self.tell(Told::PinsBack);
            }
        }
        self.answer();
    }

    fn wait(&self, wake: Option<Instant>) -> Result<Ready, GuardianError> {
        let until = wake.map_or(self.next_beat, |wake| wake.min(self.next_beat));
        let at_most = until.since(self.clock.now());
        let driver = self.driver.as_ref().map(|driver| (driver.fd(), driver.life()));
        ears::wait(self.signals.as_fd(), driver, self.operators.inputs(), at_most)
    }

    /// Every record that has come. Each is answered, so that the driver knows what became of its command.
    fn listen(&mut self) -> Result<(), GuardianError> {
        let mut bytes = [0; LENGTH];
        for _ in 0..AT_ONCE {
            let Some(driver) = &mut self.driver else { return Ok(()) };
            match driver.link.recv(&mut bytes) {
                Ok(0) => return self.lost_driver(),
                Ok(count) => {
                    // A record that does not decode is none: it renews nothing, and the lease runs out.
                    let Some(Ok(record)) = bytes.get(..count).map(record::decode) else { continue };
                    let first = driver.heard.is_none();
                    driver.hears(self.clock.now());
                    if first {
                        self.manager.ready();
                    }
                    self.last_seq = record.seq;
                    self.answered = self.step(Event::Command(&record)).answer;
                    self.arm_by_itself(&record);
                    self.answer();
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => return self.lost_driver(),
            }
        }
        Ok(())
    }

    fn arm_by_itself(&mut self, record: &Record) {
        let evidence = record.captured_at > Instant(0);
        if let Some(begun) = self.begun.take_if(|_| evidence) {
            self.tell(Told::FirstFrame(self.clock.now().since(begun)));
        }
        if self.arm_at_first_evidence && evidence && self.ask(Ask::Arm) {
            self.arm_at_first_evidence = false;
        }
    }

    /// The operator's words, in order.
    fn obey(&mut self, ready: [bool; EARS]) {
        if !ready.contains(&true) {
            return;
        }
        let mut words = Vec::new();
        self.operators.read(ready, Told::Phase(self.phase).to_string().as_str(), &mut words);
        for word in words {
            match word {
                Word::Quit => self.ending = true,
                Word::Ask(ask) => {
                    self.arm_at_first_evidence = false;
                    self.ask(ask);
                    self.answer();
                }
            }
        }
    }

    /// One ask; whether the lease took it. The driver hears of those that it took.
    fn ask(&mut self, ask: Ask) -> bool {
        if let Answered::Refused(why) = self.step(Event::Operator(ask)).answer {
            if !self.arm_at_first_evidence {
                self.tell(Told::NotArmed(why));
            }
            return false;
        }
        self.asked = (self.asked.0 + 1, ask);
        self.armed_at = self.clock.now();
        true
    }

    /// Tells the driver how things stand; where its queue is full it is not listening, and the lease runs out.
    fn answer(&self) {
        let Some(driver) = &self.driver else { return };
        let written = self.held.written();
        let answer = Answer {
            session: driver.session,
            seq: self.last_seq,
            now: self.clock.now(),
            phase: self.lease.phase(),
            answered: self.answered,
            ask: self.asked.1,
            operator_seq: self.asked.0,
            steering_ns: written.steering.ns(),
            throttle_ns: written.throttle.ns(),
            gate: self.held.gate(),
        };
        drop(driver.link.send(&answer.encode()));
    }
}

/// Whether two phases are one to an operator: arming that begins anew is no news.
fn same(a: Phase, b: Phase) -> bool {
    matches!((a, b), (Phase::Arming { .. }, Phase::Arming { .. })) || a == b
}
