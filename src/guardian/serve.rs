//! The guardian's loop: wait for a record, a word or the clock; ask the lease; move the pins. Refuses nothing here: what
//! may be done is the lease's to say.

use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::answer::Answer;
use super::driver::{Deaths, Driver, Start, words};
use super::operator::{Operator, Word};
use super::wire::LENGTH;
use super::{GuardianError, Held, Told, record};
use crate::domain::Ask;
use crate::hal::clock::Clock;
use crate::lease::{Answered, Event, Lease, Output, Phase, Record, Terms};
use crate::units::{Instant, Span};

/// Answers go out at least this often: by them the driver knows that there is a guardian.
const BEAT: Span = Span::from_millis(20);

/// A driver that has spoken and is silent for longer than this hangs, and is ended.
const SILENCE: Span = Span::from_millis(1000);

/// A driver that has not spoken after this long will not.
const LONGEST_START: Span = Span::from_millis(60_000);

/// How long a driver may take to close its tape.
const LONGEST_END: Span = Span::from_millis(2000);

/// Everything that a guardian serves with.
pub struct Guardian<'a> {
    lease: Lease,
    clock: Clock,
    held: Held,
    operator: Operator,
    signals: UnixStream,
    start: Start,
    told: &'a mut dyn FnMut(Told),
    driver: Option<Driver>,
    deaths: Deaths,
    sessions: u32,
    /// Counts the operator's words at this terminal, and the last one that was let through.
    asked: (u64, Ask),
    arm_at_first_evidence: bool,
    last_seq: u64,
    answered: Answered,
    phase: Phase,
    next_beat: Instant,
    ending: bool,
}

/// What a guardian is made of.
pub struct Parts<'a> {
    /// What the lease holds to.
    pub terms: Terms,
    /// The one clock.
    pub clock: Clock,
    /// Pins and gate, neutral and shut.
    pub held: Held,
    /// The operator's words.
    pub operator: Operator,
    /// Readable when the system asks to end.
    pub signals: UnixStream,
    /// How to start a driver.
    pub start: Start,
    /// Deaths of the driver within half a minute after which it is not started again.
    pub deaths: usize,
    /// Arm once by itself, as soon as there is evidence.
    pub arm: bool,
    /// Takes what there is to say.
    pub told: &'a mut dyn FnMut(Told),
}

impl<'a> Guardian<'a> {
    /// A guardian whose pins are neutral, without a driver yet.
    #[must_use]
    pub fn new(parts: Parts<'a>) -> Self {
        let Parts { terms, clock, held, operator, signals, start, deaths, arm, told } = parts;
        let lease = Lease::new(terms);
        Self {
            phase: lease.phase(),
            lease,
            held,
            operator,
            signals,
            start,
            told,
            driver: None,
            deaths: Deaths::new(deaths),
            sessions: 0,
            asked: (0, Ask::Nothing),
            arm_at_first_evidence: arm,
            last_seq: 0,
            answered: Answered::Nothing,
            next_beat: clock.now(),
            clock,
            ending: false,
        }
    }

    /// Serves until it is asked to end. The pins are neutral and the gate is shut afterwards, also after an error.
    ///
    /// # Errors
    /// [`GuardianError`]: a driver that cannot start or keeps dying.
    pub fn serve(mut self) -> Result<(), GuardianError> {
        let served = self.serve_until_asked();
        self.end();
        self.held.close();
        served
    }

    fn serve_until_asked(&mut self) -> Result<(), GuardianError> {
        self.step(Event::Ready);
        self.start_driver()?;
        while !self.ending {
            let wake = self.step(Event::Tick).wake;
            self.beat();
            let ready = self.wait(wake)?;
            if ready.link {
                self.listen()?;
            }
            if ready.operator {
                self.obey();
            }
            self.ending |= ready.signal;
            self.look_after_driver()?;
        }
        Ok(())
    }

    /// Neutral, two periods, gate; then the driver may close its tape.
    fn end(&mut self) {
        let begun = self.clock.now();
        self.step(Event::Ending);
        while self.clock.now().since(begun) < LONGEST_END {
            let wake = self.step(Event::Tick).wake;
            self.beat();
            let gone = self.driver.as_mut().is_none_or(|driver| driver.ended().is_some());
            if gone && !self.held.gate_is_open() {
                break;
            }
            if self.wait(wake).is_ok_and(|ready| ready.link) {
                drop(self.listen());
            }
        }
        if let Some(mut driver) = self.driver.take() {
            driver.kill();
            // Reaped here, so that nothing of it is left when the gate has been shut.
            driver.ended();
        }
    }

    /// One event through the lease, and its answer to the pins. A write that fails is an event of its own.
    fn step(&mut self, event: Event<'_>) -> Output {
        let mut output = self.lease.step(event, self.clock.now());
        if let Err(fault) = self.held.put(&output) {
            (self.told)(Told::Pins(fault));
            output = self.lease.step(Event::PinsFailed, self.clock.now());
            // The gate at least; that the pins fail again is known by now.
            drop(self.held.put(&output));
        }
        if !same(self.phase, self.lease.phase()) {
            (self.told)(Told::Phase(self.lease.phase()));
            self.held.show(self.lease.phase());
        }
        self.phase = self.lease.phase();
        output
    }

    /// What is due by time alone: an answer, a look at the pins.
    fn beat(&mut self) {
        let now = self.clock.now();
        if now < self.next_beat {
            return;
        }
        self.next_beat = now + BEAT;
        match self.held.look_after(now) {
            Seen::Good => {}
            Seen::Moved(what) => {
                (self.told)(Told::Pins(what));
                self.step(Event::PinsMoved);
            }
            Seen::Failed(what) => {
                (self.told)(Told::Pins(what));
                self.step(Event::PinsFailed);
            }
            Seen::Back => {
                (self.told)(Told::PinsBack);
                self.step(Event::PinsBack);
            }
        }
        self.answer();
    }

    fn wait(&self, wake: Option<Instant>) -> Result<Ready, GuardianError> {
        let until = wake.map_or(self.next_beat, |wake| wake.min(self.next_beat));
        let span = until.since(self.clock.now());
        let signals = self.signals.as_fd();
        // Whoever is not there is a second ear for the signals.
        let (link, operator) = (self.driver.as_ref().map(Driver::fd), self.operator.input());
        let mut fds = [signals, link.unwrap_or(signals), operator.unwrap_or(signals)]
            .map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
        match poll(&mut fds, Some(&timespec(span))) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(GuardianError::system("wait for the driver")(errno)),
        }
        let [signal, link_ready, operator_ready] = fds.map(|fd| !fd.revents().is_empty());
        Ok(Ready {
            signal,
            link: link.is_some() && link_ready,
            operator: operator.is_some() && operator_ready,
        })
    }

    /// Every record that has come. Each is answered, so that the driver knows what became of its command.
    fn listen(&mut self) -> Result<(), GuardianError> {
        let mut bytes = [0; LENGTH];
        loop {
            let Some(driver) = &mut self.driver else { return Ok(()) };
            match driver.link.recv(&mut bytes) {
                Ok(0) => return self.lost_driver(),
                Ok(count) => {
                    // A record that does not decode is none: it renews nothing, and the lease runs out.
                    let Some(Ok(record)) = bytes.get(..count).map(record::decode) else { continue };
                    driver.heard = Some(self.clock.now());
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
    }

    fn arm_by_itself(&mut self, record: &Record) {
        let evidence = record.captured_at > Instant(0);
        if self.arm_at_first_evidence && evidence && self.ask(Ask::Arm) {
            self.arm_at_first_evidence = false;
        }
    }

    /// The operator's words, in order.
    fn obey(&mut self) {
        let mut words = Vec::new();
        self.operator.read(&mut words);
        for word in words {
            match word {
                Word::Quit => self.ending = true,
                Word::Ask(ask) => {
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
                (self.told)(Told::NotArmed(why));
            }
            return false;
        }
        self.asked = (self.asked.0 + 1, ask);
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

    fn start_driver(&mut self) -> Result<(), GuardianError> {
        self.sessions += 1;
        // The process id makes numbers of two guardians differ.
        let session = std::process::id().wrapping_shl(8).wrapping_add(self.sessions);
        self.driver = Some(Driver::start(&self.start, session, self.sessions, self.clock.now())?);
        self.last_seq = 0;
        self.step(Event::DriverStarted { session });
        Ok(())
    }

    /// Neutral first, all else after.
    fn lost_driver(&mut self) -> Result<(), GuardianError> {
        self.step(Event::DriverGone);
        let Some(mut driver) = self.driver.take() else { return Ok(()) };
        driver.kill();
        let status = self.reaped(&mut driver);
        if self.ending {
            return Ok(());
        }
        // One that was killed is started again like any other; one that left by itself has said why.
        if driver.heard.is_none() && driver.left_by_itself() {
            return Err(GuardianError::DriverRefused { status });
        }
        let kept = self.deaths.note(self.clock.now(), &status);
        (self.told)(Told::DriverEnded { status, again: kept.is_ok() });
        kept?;
        self.start_driver()
    }

    /// Waits for the end of a driver whose socket is closed, while the pins are looked after.
    fn reaped(&mut self, driver: &mut Driver) -> String {
        let begun = self.clock.now();
        let mut ended: Option<ExitStatus> = driver.ended();
        while ended.is_none() && self.clock.now().since(begun) < LONGEST_END {
            let wake = self.step(Event::Tick).wake;
            self.beat();
            drop(self.wait(wake));
            ended = driver.ended();
        }
        ended.map_or_else(|| "no end yet".to_owned(), words)
    }

    /// Ends a driver that hangs. The lease ran out long before; this only makes room for the next.
    fn look_after_driver(&mut self) -> Result<(), GuardianError> {
        let now = self.clock.now();
        let Some(driver) = &mut self.driver else { return Ok(()) };
        let silent = match driver.heard {
            Some(heard) => now.since(heard) > SILENCE,
            None => now.since(driver.since) > LONGEST_START,
        };
        if silent || driver.ended().is_some() { self.lost_driver() } else { Ok(()) }
    }
}

/// What poll found.
struct Ready {
    signal: bool,
    link: bool,
    operator: bool,
}

/// What a look at the pins found.
pub(super) enum Seen {
    /// As written.
    Good,
    /// Somebody else wrote, twice; in words.
    Moved(String),
    /// Writing failed; in words.
    Failed(String),
    /// They were lost and are neutral again.
    Back,
}

/// Whether two phases are one to an operator: arming that begins anew is no news.
fn same(a: Phase, b: Phase) -> bool {
    matches!((a, b), (Phase::Arming { .. }, Phase::Arming { .. })) || a == b
}

fn timespec(span: Span) -> Timespec {
    let (seconds, nanoseconds) = (span.0 / 1_000_000_000, span.0 % 1_000_000_000);
    Timespec {
        tv_sec: i64::try_from(seconds).unwrap_or(i64::MAX),
        tv_nsec: i64::try_from(nanoseconds).unwrap_or(0),
    }
}
