//! The driver's end: orders go out as records, answers come back, and a guardian that falls silent is replaced. A thread
//! listens, so that a hanging loop does not make the driver deaf: where no answer comes for 80 ms, or the link closes, it
//! brings the pins to neutral itself and ends the program. Refuses to serve without a guardian.

use std::io::ErrorKind;
use std::os::fd::AsFd;
use std::os::unix::net::UnixDatagram;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::answer::Answer;
use super::driver::LISTENER;
use super::wire::LENGTH;
use super::{GuardianError, record};
use crate::domain::{Applied, Ask, DriveState, FrameSeq, FrameStamp, Order};
use crate::drive::Actuators;
use crate::hal::clock::Clock;
use crate::lease::{Answered, Cause, GateState, Mode, Phase, Record};
use crate::units::{Instant, Permille, Span};

/// A guardian that does not answer for longer is gone; it answers every 20 ms.
const LONGEST_SILENCE: Duration = Duration::from_millis(80);

/// How long the loop may take to end, with its tape.
const LONGEST_END: Duration = Duration::from_secs(2);

/// How long the guardian may take to shut the gate at its end; it takes two PWM periods.
const LONGEST_SHUT: Duration = Duration::from_millis(500);

/// How long one order waits for its answer: one PWM period.
const LONGEST_ANSWER: Duration = Duration::from_millis(20);

#[derive(Default)]
struct Heard {
    last: Option<Answer>,
    /// What the operator asked since it was taken last; a stop is not overtaken.
    ask: Ask,
    operator_seq: u64,
    ending: bool,
    /// Whether the guardian is gone, and its place was taken where that was needed.
    over: bool,
}

impl Heard {
    /// Whether the guardian has done all that it does at its end.
    fn is_shut(&self) -> bool {
        self.ending && self.last.is_some_and(|last| last.gate == GateState::Shut)
    }
}

#[derive(Default)]
struct Shared {
    heard: Mutex<Heard>,
    news: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The link, from the driver's side.
pub struct Link {
    socket: UnixDatagram,
    shared: Arc<Shared>,
    clock: Clock,
    session: u32,
    lease: Span,
    seq: u64,
    asks: u64,
    last_state: DriveState,
}

/// What the thread does where the guardian is gone.
pub trait Emergency: Send + 'static {
    /// Brings the pins to neutral and shuts the gate.
    fn take_over(&mut self);

    /// Says so; must not block.
    fn tell(&mut self, why: &str);

    /// Ends the program, whatever else it is doing.
    fn end(&mut self);
}

impl Link {
    /// Takes standard input, where a guardian puts its link, and starts to listen. `ready` runs first in the listening
    /// thread.
    ///
    /// # Errors
    /// [`GuardianError::NoGuardian`] where standard input is no such link.
    pub fn adopt(
        session: u32,
        lease: Span,
        clock: Clock,
        emergency: impl Emergency,
        ready: impl FnOnce() + Send + 'static,
    ) -> Result<Self, GuardianError> {
        let none = |saw: String| GuardianError::NoGuardian { saw };
        let kind = rustix::net::sockopt::socket_type(std::io::stdin().as_fd());
        if kind != Ok(rustix::net::SocketType::SEQPACKET) {
            return Err(none("standard input is no link to a guardian".to_owned()));
        }
        let own = std::io::stdin().as_fd().try_clone_to_owned();
        let socket = UnixDatagram::from(own.map_err(|error| none(error.to_string()))?);
        // The sockets' own time-outs count whether or not the threads get to run.
        socket.set_read_timeout(Some(LONGEST_SILENCE)).map_err(|error| none(error.to_string()))?;
        socket.set_write_timeout(Some(LONGEST_ANSWER)).map_err(|error| none(error.to_string()))?;
        let ears = socket.try_clone().map_err(|error| none(error.to_string()))?;
        let shared = Arc::new(Shared::default());
        let told = Arc::clone(&shared);
        thread::Builder::new()
            .name(LISTENER.to_owned())
            .spawn(move || {
                ready();
                listen(&ears, session, &told, emergency);
            })
            .map_err(|source| GuardianError::System { doing: "start the thread of the link", source })?;
        Ok(Self { socket, shared, clock, session, lease, seq: 0, asks: 0, last_state: DriveState::Disarmed })
    }

    /// Something to cry stop with, from wherever it is needed; none where the system has no more descriptors.
    #[must_use]
    pub fn brake(&self) -> Option<Brake> {
        let (socket, session) = (self.socket.try_clone().ok()?, self.session);
        Some(Brake { socket, session })
    }

    /// What hears the operator.
    #[must_use]
    pub fn ears(&self) -> Ears {
        Ears(Arc::clone(&self.shared))
    }

    fn record(&mut self, order: &Order) -> Record {
        let now = self.clock.now();
        self.seq += 1;
        // The governor latched: the lease shall hear of it, so that the gate shuts.
        let stopped = |state: DriveState| matches!(state, DriveState::Stopped { .. });
        let ask = if stopped(order.state) && !stopped(self.last_state) { Ask::Disarm } else { Ask::Nothing };
        self.asks += u64::from(ask != Ask::Nothing);
        self.last_state = order.state;
        let driving = order.state == DriveState::Driving;
        let evidence = order.evidence.unwrap_or(FrameStamp { seq: FrameSeq(0), captured_at: Instant(0) });
        Record {
            session: self.session,
            seq: self.seq,
            frame: evidence.seq.0,
            captured_at: evidence.captured_at,
            valid_until: now + self.lease,
            mode: if driving { Mode::Autonomous } else { Mode::Idle },
            ask,
            operator_seq: self.asks,
            steering: Permille::nearest(order.command.steering),
            throttle: Permille::within(order.command.throttle),
        }
    }

    /// Waits for the answer to record `seq`, at most one PWM period.
    fn answer(&self, seq: u64) -> Option<Answer> {
        let heard = self.shared.lock();
        let waiting = |heard: &mut Heard| heard.last.as_ref().is_none_or(|last| last.seq < seq);
        let (heard, timed_out) = self
            .shared
            .news
            .wait_timeout_while(heard, LONGEST_ANSWER, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        if timed_out.timed_out() { None } else { heard.last }
    }
}

impl Actuators for Link {
    fn apply(&mut self, order: Order) -> Applied {
        let record = self.record(&order);
        match self.socket.send(&record::encode(&record)) {
            Ok(_) => {}
            // The guardian does not read: it is late, and the listening thread knows for how long.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Applied::Withheld,
            Err(_) => return Applied::Failed,
        }
        match self.answer(record.seq) {
            Some(answer) if matches!(answer.phase, Phase::Fault { .. }) => Applied::Failed,
            Some(answer) if answer.answered == Answered::Accepted => Applied::Written,
            // In order but not let through, or no answer in time.
            Some(_) | None => Applied::Withheld,
        }
    }
}

/// Asks for neutral, whatever the loop is doing.
#[derive(Debug)]
pub struct Brake {
    socket: UnixDatagram,
    session: u32,
}

impl Brake {
    /// Neutral, now. A guardian that does not hear it goes by its lease.
    pub fn pull(&self) {
        let record = Record { session: self.session, ..Record::NEUTRAL };
        drop(self.socket.send(&record::encode(&record)));
    }
}

/// Hears the operator, and the end.
#[derive(Clone)]
pub struct Ears(Arc<Shared>);

impl Ears {
    /// What the operator asked since the last call, and the number of that word. `keep_arm` leaves a wish to arm for
    /// later.
    #[must_use]
    pub fn ask(&self, keep_arm: bool) -> (u64, Ask) {
        let mut heard = self.0.lock();
        let ask = heard.ask;
        if ask == Ask::Arm && keep_arm {
            return (heard.operator_seq, Ask::Nothing);
        }
        heard.ask = Ask::Nothing;
        (heard.operator_seq, ask)
    }

    /// Waits, for a moment at most, until the guardian has shut the gate or is gone: before that nobody else would shut it.
    pub fn wait_for_the_gate(&self) {
        let heard = self.0.lock();
        let waited =
            self.0.news.wait_timeout_while(heard, LONGEST_SHUT, |heard| !(heard.over || heard.is_shut()));
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether the guardian is about to end.
    #[must_use]
    pub fn ending(&self) -> bool {
        self.0.lock().ending
    }
}

/// Listens until the guardian is gone.
fn listen(socket: &UnixDatagram, session: u32, shared: &Shared, mut emergency: impl Emergency) {
    let why = loop {
        match hear(socket, session) {
            Ok(Some(answer)) => take(shared, answer),
            Ok(None) => {}
            Err(why) => break why,
        }
    };
    // One that is ending may be killed before the gate is shut.
    let asked = shared.lock().is_shut();
    if !asked {
        emergency.take_over();
    }
    let mut heard = shared.lock();
    (heard.ending, heard.over) = (true, true);
    drop(heard);
    shared.news.notify_all();
    if !asked {
        emergency.tell(why);
    }
    // The loop ends by that, and with it the program, unless the loop hangs.
    thread::sleep(LONGEST_END);
    emergency.end();
}

/// One answer; none where a packet is no answer to this session.
fn hear(socket: &UnixDatagram, session: u32) -> Result<Option<Answer>, &'static str> {
    let mut bytes = [0; LENGTH];
    match socket.recv(&mut bytes) {
        Ok(0) => Err("the guardian is gone"),
        Ok(count) => {
            let answer = bytes.get(..count).map(Answer::decode);
            Ok(answer.and_then(Result::ok).filter(|answer| answer.session == session))
        }
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::TimedOut => Err("the guardian does not answer"),
            ErrorKind::Interrupted => Ok(None),
            _ => Err("the link to the guardian is broken"),
        },
    }
}

fn take(shared: &Shared, answer: Answer) {
    let mut heard = shared.lock();
    if heard.last.is_none() {
        // What was asked before this driver was there is not its business.
        heard.operator_seq = answer.operator_seq;
    } else if answer.operator_seq > heard.operator_seq {
        heard.operator_seq = answer.operator_seq;
        let stopped = heard.ask == Ask::Stop && answer.ask != Ask::Disarm;
        if !stopped {
            heard.ask = answer.ask;
        }
    }
    heard.ending |= answer.phase == Phase::Fault { cause: Cause::GuardianEnding };
    heard.last = Some(answer);
    drop(heard);
    shared.news.notify_all();
}
