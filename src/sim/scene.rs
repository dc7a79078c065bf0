//! The stage that senses and pins of a simulated world share: track, car, lease, referee and time. Time moves here alone,
//! in steps of a millisecond, each with the pulses that the lease lets through. Refuses to move the car past its lease,
//! as the guardian of a real one does.

use super::faults::Faults;
use super::plant::{Plant, STEP};
use super::referee::{Referee, Seen, Standing};
use crate::domain::{Applied, Ask, Command, DriveState, FrameSeq, FrameStamp, Order, Pulses};
use crate::lease::{Answered, Event, GateState, Lease, Mode, Output, Phase, Record, Terms};
use crate::track::{Point, Track};
use crate::units::{Instant, Permille, Span};
use crate::vehicle::Calibration;

/// The driver's number; there is one.
const SESSION: u32 = 1;

/// The operator looks at a stopped car for so long before arming again.
const LOOK: Span = Span::from_millis(1000);

/// Steps between two looks of the referee.
const LOOKS: u64 = 5;

/// Steps between two dots of the driven line.
const DOTS: u64 = 50;

/// When a drive is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Until {
    /// After so many laps.
    pub laps: usize,
    /// After so long.
    pub time: Span,
}

/// Why a place is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// It drove by.
    By,
    /// The last wheel left the track here.
    Off,
    /// It was set down here afterwards.
    Back,
}

/// One place of the driven line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// The middle of the rear axle.
    pub at: Point,
    /// m/s.
    pub speed: f64,
    /// What happened.
    pub came: Came,
}

/// How often the drive was interrupted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stops {
    /// The pins went neutral though the policy had not asked for it: governor or lease had nothing to drive by.
    pub neutral: u32,
    /// Governor or lease latched, and the operator had to arm again.
    pub latched: u32,
    /// The operator armed.
    pub armed: u32,
}

/// The stage.
#[derive(Debug)]
pub struct Scene {
    pub(super) track: Track,
    pub(super) plant: Plant,
    pub(super) now: Instant,
    pub(super) faults: Faults,
    referee: Referee,
    lease: Lease,
    terms: Terms,
    calibration: Calibration,
    until: Until,
    output: Output,
    /// What stands on the pins, and what the servo believes where it is dead.
    pulses: Pulses,
    steps: u64,
    seq: u64,
    asks: u64,
    operator_seq: u64,
    state: DriveState,
    /// When it stopped, and when the operator last said `arm`.
    stopped_at: Option<Instant>,
    said_at: Option<Instant>,
    /// The guardian has heard `arm`, and the driver not yet.
    is_passed_on: bool,
    stops: Stops,
    line: Vec<Dot>,
}

impl Scene {
    /// A stage with the car at rest on it, disarmed.
    #[must_use]
    pub fn new(
        track: Track,
        plant: Plant,
        faults: Faults,
        calibration: Calibration,
        terms: Terms,
        until: Until,
    ) -> Self {
        let now = Instant(STEP.0);
        let mut lease = Lease::new(terms);
        lease.step(Event::Ready, now);
        let output = lease.step(Event::DriverStarted { session: SESSION }, now);
        let dots = until.time.0 / (STEP.0 * DOTS) + 2;
        Self {
            track,
            plant,
            now,
            faults,
            referee: Referee::new(),
            lease,
            terms,
            calibration,
            until,
            output,
            pulses: calibration.neutral(),
            steps: 0,
            seq: 0,
            asks: 0,
            operator_seq: 0,
            state: DriveState::Disarmed,
            stopped_at: None,
            said_at: None,
            is_passed_on: false,
            stops: Stops::default(),
            line: Vec::with_capacity(usize::try_from(dots).unwrap_or(0).min(1 << 20)),
        }
    }

    /// The track.
    #[must_use]
    pub const fn track(&self) -> &Track {
        &self.track
    }

    /// The judge.
    #[must_use]
    pub const fn referee(&self) -> &Referee {
        &self.referee
    }

    /// The car.
    #[must_use]
    pub const fn plant(&self) -> &Plant {
        &self.plant
    }

    /// Simulated time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Where it drove, a dot every 50 ms.
    #[must_use]
    pub fn line(&self) -> &[Dot] {
        &self.line
    }

    /// How often it stopped.
    #[must_use]
    pub const fn stops(&self) -> Stops {
        self.stops
    }

    /// What stands on the pins.
    #[must_use]
    pub const fn pulses(&self) -> Pulses {
        self.pulses
    }

    /// Whether the drive has come to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.referee.laps().len() >= self.until.laps || self.now.since(Instant(0)) >= self.until.time
    }

    /// Lets time pass up to `until`.
    pub(super) fn advance(&mut self, until: Instant) {
        while self.now < until && !self.is_over() {
            let step = Span(until.since(self.now).0.min(STEP.0));
            self.plant.step(self.pulses, step);
            self.now = self.now + step;
            self.steps += 1;
            let output = self.lease.step(Event::Tick, self.now);
            // What time alone takes away, nobody asked for.
            self.put(output, false);
            if self.steps.is_multiple_of(LOOKS) {
                self.judge();
            }
            if self.steps.is_multiple_of(DOTS) {
                self.dot(Came::By);
            }
        }
    }

    /// The lease's output becomes pulses. A servo that is dead stays where it is, and without power nothing turns.
    fn put(&mut self, output: Output, is_wished: bool) {
        let stops = self.output.throttle != Permille::ZERO && output.throttle == Permille::ZERO;
        // At the end of a drive the loop leaves its pins neutral, as it must.
        self.stops.neutral += u32::from(stops && !is_wished && !self.is_over());
        self.output = output;
        let command = match output.gate {
            GateState::Open => {
                Command { steering: output.steering.signed(), throttle: output.throttle.signed() }
            }
            GateState::Shut => Command::NEUTRAL,
        };
        let wanted = self.calibration.pulses(command);
        let steering =
            if self.faults.servo_is_dead(self.now) { self.pulses.steering } else { wanted.steering };
        self.pulses = Pulses { steering, ..wanted };
    }

    /// The referee looks; a car that left the track with all wheels is set down on its centre line, at rest.
    fn judge(&mut self) {
        let seen = self.seen();
        let standing = self.referee.step(&self.track, &seen);
        if standing.wheels_off == 4 {
            self.dot(Came::Off);
            self.plant.put(self.track.at(standing.place.arc));
            self.dot(Came::Back);
        }
    }

    fn dot(&mut self, came: Came) {
        if self.line.len() < self.line.capacity() {
            self.line.push(Dot { at: self.plant.pose().at, speed: self.plant.speed(), came });
        }
    }

    /// What the referee sees now.
    #[must_use]
    pub fn seen(&self) -> Seen {
        Seen {
            pose: self.plant.pose(),
            wheels: self.plant.wheels(),
            speed: self.plant.speed(),
            steering: self.plant.steering(),
            now: self.now,
        }
    }

    /// The referee's last word.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.referee.standing().copied().unwrap_or_default()
    }

    /// What the operator says: arm, once there is a picture to drive by, and again a second after every stop and every
    /// word that came to nothing. As on a car the guardian hears it first, and the driver with its next answer.
    pub(super) fn ask(&mut self) -> (u64, Ask) {
        if std::mem::take(&mut self.is_passed_on) {
            self.operator_seq += 1;
            self.stops.armed += 1;
            (self.stopped_at, self.said_at) = (None, Some(self.now));
            return (self.operator_seq, Ask::Arm);
        }
        let stands = matches!(self.lease.phase(), Phase::Fault { .. } | Phase::Disarmed)
            || matches!(self.state, DriveState::Disarmed | DriveState::Stopped { .. });
        let mut before = [self.stopped_at, self.said_at].into_iter().flatten();
        if stands && before.all(|at| self.now.since(at) >= LOOK) {
            let output = self.lease.step(Event::Operator(Ask::Arm), self.now);
            self.put(output, true);
            self.is_passed_on = output.answer == Answered::Accepted;
        }
        self.heard()
    }

    /// What the operator says without a picture to look at: nothing new.
    pub(super) const fn heard(&self) -> (u64, Ask) {
        (self.operator_seq, Ask::Nothing)
    }

    /// A tick's order through the lease; the same words as between a driver and its guardian.
    pub(super) fn order(&mut self, order: &Order) -> Applied {
        let stopped = |state: DriveState| matches!(state, DriveState::Stopped { .. });
        let latches = stopped(order.state) && !stopped(self.state);
        self.state = order.state;
        self.asks += u64::from(latches);
        self.seq += 1;
        let evidence = order.evidence.unwrap_or(FrameStamp { seq: FrameSeq(0), captured_at: Instant(0) });
        let record = Record {
            session: SESSION,
            seq: self.seq,
            frame: evidence.seq.0,
            captured_at: evidence.captured_at,
            valid_until: self.now + self.terms.lease,
            mode: if order.state == DriveState::Driving { Mode::Autonomous } else { Mode::Idle },
            ask: if latches { Ask::Disarm } else { Ask::Nothing },
            operator_seq: self.asks,
            steering: Permille::nearest(order.command.steering),
            throttle: Permille::within(order.command.throttle),
        };
        let before = self.lease.phase();
        let output = self.lease.step(Event::Command(&record), self.now);
        self.put(output, order.state == DriveState::Driving && output.answer == Answered::Accepted);
        let faulted = matches!(self.lease.phase(), Phase::Fault { .. });
        if latches || (faulted && !matches!(before, Phase::Fault { .. })) {
            // The lease's fault latches the governor a tick later: one stop, not two.
            self.stops.latched += u32::from(self.stopped_at.is_none());
            self.stopped_at = Some(self.now);
        }
        match output.answer {
            _ if faulted => Applied::Failed,
            Answered::Accepted => Applied::Written,
            _ => Applied::Withheld,
        }
    }
}
