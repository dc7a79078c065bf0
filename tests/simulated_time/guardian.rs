//! The guardian's loop in virtual time, in the order of `guardian/serve/mod.rs`: records, words, the driver, the clock, the
//! pins. The lease in it is the real one.

use std::collections::VecDeque;

use hairpin::domain::Ask;
use hairpin::lease::{Answered, Event, Lease, Output, Phase};
use hairpin::units::{Instant, Span};

use super::driver::Driver;
use super::faults::Fault;
use super::held::{Held, SLOW, Seen, Stuck, Trouble};
use super::link::{Answer, Link, Packet};
use super::scene::Scene;

const BEAT: Span = Span::from_millis(20);
const SILENCE: Span = Span::from_millis(1000);
/// Records that are read before the operator and the clock have their turn.
const AT_ONCE: usize = 16;
const LONGEST_END: Span = Span::from_millis(2000);
const DEATHS: usize = 5;
const DEATHS_WITHIN: Span = Span::from_millis(30_000);
/// Neutral for two PWM periods, and a millisecond of timer.
const GATE_BOUND: Span = Span::from_millis(41);

pub(crate) struct Guardian {
    lease: Lease,
    held: Held,
    wake: Option<Instant>,
    next_beat: Instant,
    /// How late it will be the next time, for want of a CPU.
    late: Span,
    /// Its driver's end of the link closed.
    closed: bool,
    words: Vec<Ask>,
    /// Since when one of both waits.
    urgent_since: Option<Instant>,
    ending: Option<Instant>,
    /// The latest that its clock said.
    clock: Instant,
    /// What the record at hand truly rests on.
    picture: u64,
    sessions: u32,
    driver_heard: Option<Instant>,
    deaths: VecDeque<Instant>,
    asked: (u64, Ask),
    last_seq: u64,
    answered: Answered,
    /// Whether the last word to arm was refused.
    pub(crate) refused: bool,
}

impl Guardian {
    /// Starts over pins that were just written neutral, with a driver.
    pub(crate) fn start(sessions: u32, scene: &mut Scene, driver: &mut Option<Driver>) -> Self {
        let mut guardian = Self {
            lease: Lease::new(scene.broken.terms(scene.setup.terms)),
            held: Held::new(scene),
            wake: None,
            next_beat: scene.now,
            late: Span(0),
            closed: false,
            words: Vec::new(),
            urgent_since: None,
            ending: None,
            clock: Instant(0),
            picture: 0,
            sessions,
            driver_heard: None,
            deaths: VecDeque::new(),
            asked: (0, Ask::Nothing),
            last_seq: 0,
            answered: Answered::Nothing,
            refused: false,
        };
        guardian.step(Event::Ready, scene);
        guardian.start_driver(scene, driver);
        guardian
    }

    /// How many drivers there were.
    pub(crate) const fn sessions(&self) -> u32 {
        self.sessions
    }

    /// An operator speaks.
    pub(crate) fn say(&mut self, ask: Ask, now: Instant) {
        self.words.push(ask);
        self.urgent_since.get_or_insert(now);
    }

    /// The driver's end of the link closed.
    pub(crate) fn close(&mut self, now: Instant) {
        self.closed = true;
        self.urgent_since.get_or_insert(now);
    }

    /// It is asked to end.
    pub(crate) fn quit(&mut self, now: Instant) {
        self.ending.get_or_insert(now);
        self.urgent_since.get_or_insert(now);
    }

    pub(crate) const fn stuck(&self) -> Option<Stuck> {
        self.held.stuck
    }

    /// When it runs next, given when the next record comes.
    pub(crate) fn next(&self, record: Instant) -> Instant {
        if let Some(stuck) = self.held.stuck {
            return stuck.until;
        }
        let by_time = self.wake.map_or(self.next_beat, |wake| wake.min(self.next_beat));
        let due = by_time.min(record);
        self.urgent_since.map_or(due, |since| due.min(since)) + self.late
    }

    /// One pass of its loop; false where it has ended.
    pub(crate) fn pass(&mut self, scene: &mut Scene, link: &mut Link, driver: &mut Option<Driver>) -> bool {
        self.urgent_since = None;
        if let Some(stuck) = self.held.stuck {
            self.held.lands(stuck, scene);
            self.step(Event::PinsFailed, scene);
        }
        self.listen(scene, link, driver);
        self.obey(scene, driver);
        if let Some(begun) = self.ending {
            if !self.end(begun, scene, driver) {
                return false;
            }
        } else {
            self.look_after_driver(scene, driver);
        }
        self.wake = self.step(Event::Tick, scene).and_then(|output| output.wake);
        self.beat(scene, driver);
        self.plan(scene);
        true
    }

    /// How late the next pass will be, and what may be held against it.
    fn plan(&mut self, scene: &mut Scene) {
        // A timer that wakes too early asks again.
        self.wake = self.wake.map(|wake| if wake <= scene.now { scene.now + Span(50_000) } else { wake });
        let was = self.late;
        self.late = match scene.is(Fault::GuardianLate) {
            false => Span(0),
            true if scene.dice.chance(90) => scene.dice.millis(0, 80),
            true => scene.dice.millis(80, 540),
        };
        // A write that hangs was begun late, and has its own time until the eye shuts the gate.
        let late = if self.held.stuck.is_some() { Span(was.0 + SLOW.0) } else { self.late };
        scene.allowance = Span(late.0 + scene.error().0);
    }

    /// One event through the lease and to the pins. Nothing where a write hangs.
    fn step(&mut self, event: Event<'_>, scene: &mut Scene) -> Option<Output> {
        if self.held.stuck.is_some() {
            return None;
        }
        let now = scene.clock(Fault::GuardianClockBack);
        self.clock = self.clock.max(now);
        scene.observer.looked(self.clock);
        match event {
            Event::Operator(Ask::Stop | Ask::Disarm)
            | Event::PinsMoved
            | Event::DriverGone
            | Event::Ending => {
                scene.observer.fault(GATE_BOUND);
            }
            Event::PinsFailed => scene.observer.fault(Span(0)),
            Event::Command(record) => scene.observer.record(record, self.picture, self.clock),
            _ => {}
        }
        let (moving, before) = (scene.observer.moving, self.lease.phase());
        let mut output = scene.broken.step(&mut self.lease, event, now);
        let accepted = output.answer == Answered::Accepted;
        if event == Event::Operator(Ask::Arm) && accepted {
            scene.observer.armed();
        }
        match self.held.put(&output, scene) {
            Ok(()) => {}
            Err(Trouble::Hangs) => return None,
            Err(Trouble::Failed) => {
                scene.observer.fault(Span(0));
                output = scene.broken.step(&mut self.lease, Event::PinsFailed, now);
                // The gate at least; that the pins fail again is known by now.
                self.held.put(&output, scene).ok();
            }
        }
        if matches!(self.lease.phase(), Phase::Fault { .. }) && before != self.lease.phase() {
            scene.latched(&self.lease.phase());
        }
        if moving && !scene.observer.moving {
            scene.stopped_by = Some(self.lease.phase());
        }
        Some(output)
    }

    fn beat(&mut self, scene: &mut Scene, driver: &mut Option<Driver>) {
        let now = scene.clock(Fault::GuardianClockBack);
        if now < self.next_beat || self.held.stuck.is_some() {
            return;
        }
        self.next_beat = now + BEAT;
        let after = match self.held.look_after(now, scene) {
            Seen::Good | Seen::Trouble(Trouble::Hangs) => None,
            Seen::Moved => self.step(Event::PinsMoved, scene),
            Seen::Trouble(Trouble::Failed) => self.step(Event::PinsFailed, scene),
            Seen::Back => self.step(Event::PinsBack, scene),
        };
        if let Some(output) = after {
            self.wake = output.wake;
        }
        self.answer(scene, driver);
    }

    fn listen(&mut self, scene: &mut Scene, link: &mut Link, driver: &mut Option<Driver>) {
        for _ in 0..AT_ONCE {
            // Who hangs in a write reads nothing.
            if self.held.stuck.is_some() {
                return;
            }
            let Some(packet) = link.take(scene.now) else { return };
            let Packet { record, picture, damaged } = packet;
            if damaged {
                continue;
            }
            self.driver_heard = Some(scene.now);
            self.last_seq = record.seq;
            self.picture = picture;
            let Some(output) = self.step(Event::Command(&record), scene) else { return };
            self.answered = output.answer;
            self.answer(scene, driver);
        }
    }

    fn obey(&mut self, scene: &mut Scene, driver: &mut Option<Driver>) {
        while self.held.stuck.is_none() && !self.words.is_empty() {
            let ask = self.words.remove(0);
            let answer = self.step(Event::Operator(ask), scene).map(|output| output.answer);
            self.refused = matches!(answer, Some(Answered::Refused(_)));
            if !self.refused {
                self.asked = (self.asked.0 + 1, ask);
            }
            self.answer(scene, driver);
        }
    }

    fn answer(&self, scene: &mut Scene, driver: &mut Option<Driver>) {
        let Some(driver) = driver else { return };
        if self.held.stuck.is_some() || (scene.is(Fault::AnswersLost) && scene.dice.chance(80)) {
            return;
        }
        let answer = Answer {
            session: driver.session,
            seq: self.last_seq,
            phase: self.lease.phase(),
            answered: self.answered,
            ask: self.asked.1,
            operator_seq: self.asked.0,
        };
        driver.hear(answer, scene.now);
    }

    fn start_driver(&mut self, scene: &mut Scene, driver: &mut Option<Driver>) {
        self.sessions += 1;
        (self.last_seq, self.driver_heard, self.closed) = (0, None, false);
        *driver = Some(Driver::start(self.sessions, scene));
        scene.observer.session(Some(self.sessions));
        self.step(Event::DriverStarted { session: self.sessions }, scene);
    }

    fn look_after_driver(&mut self, scene: &mut Scene, driver: &mut Option<Driver>) {
        let silent = self.driver_heard.is_some_and(|heard| scene.now.since(heard) > SILENCE);
        if !(self.closed || silent) || self.held.stuck.is_some() {
            return;
        }
        if self.step(Event::DriverGone, scene).is_none() {
            self.closed = true;
            return;
        }
        scene.observer.session(None);
        *driver = None;
        self.deaths.push_back(scene.now);
        while self.deaths.front().is_some_and(|first| scene.now.since(*first) > DEATHS_WITHIN) {
            self.deaths.pop_front();
        }
        if self.deaths.len() < DEATHS {
            self.start_driver(scene, driver);
        } else {
            self.ending = Some(scene.now);
        }
    }

    /// Neutral, two periods, gate; false when all is done.
    fn end(&mut self, begun: Instant, scene: &mut Scene, driver: &mut Option<Driver>) -> bool {
        let ending = Phase::Fault { cause: hairpin::lease::Cause::GuardianEnding };
        if self.lease.phase() != ending {
            self.step(Event::Ending, scene);
            // What is not answered any more: words, and a driver that is gone.
            (self.closed, self.ending) = (false, Some(scene.now));
        }
        self.closed = false;
        let gone = driver.is_none() && !self.held.gate_is_open();
        if self.held.stuck.is_some() || !(gone || scene.now.since(begun) >= LONGEST_END) {
            return true;
        }
        *driver = None;
        scene.observer.session(None);
        self.held.close(scene);
        false
    }
}
