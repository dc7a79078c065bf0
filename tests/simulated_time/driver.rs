//! One driver: frames to wishes, the real governor, orders to records as `guardian/link.rs` makes them, answers back.

use hairpin::domain::{
    Applied, Ask, Command, DriveState, FrameSeq, FrameStamp, Health, Inputs, Note, OperatorInput, Previous,
    Quality,
};
use hairpin::governor::{Governor, Wish};
use hairpin::lease::{Answered, Cause, Mode, Phase, Record};
use hairpin::units::{Instant, Permille, Signed, Span};

use super::broken::Broken;
use super::camera::{Camera, Shot};
use super::faults::Fault;
use super::link::{Answer, LONGEST_SILENCE, Link, Packet};
use super::observer::Rule;
use super::scene::{By, Scene};
use super::watcher::Watcher;

/// A tick comes at least this often, frame or none.
const PATIENCE: Span = Span::from_millis(50);
/// How long one order waits for its answer.
const LONGEST_ANSWER: Span = Span::from_millis(20);

/// What a driver waits for.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Its own start.
    Starting,
    /// A frame.
    Watching,
    /// Its policy; then the order goes out.
    Thinking { command: Command, state: DriveState },
    /// The answer to a record.
    Asking { seq: u64 },
}

pub(crate) struct Driver {
    pub(crate) session: u32,
    governor: Governor,
    watcher: Watcher,
    stage: Stage,
    due: Instant,
    stopped_until: Instant,
    begun: Instant,
    heard: Option<Answer>,
    heard_at: Instant,
    ask: Ask,
    operator_seq: u64,
    previous: Previous,
    /// The governor's answer to the tick before.
    pub(crate) state: DriveState,
    last_state: DriveState,
    ticks: u64,
    seq: u64,
    asks: u64,
    last_picture: u64,
    wish: Command,
    wish_for: u64,
    /// Whether it is about to end.
    pub(crate) over: bool,
}

impl Driver {
    pub(crate) fn start(session: u32, scene: &mut Scene) -> Self {
        let due = scene.now + scene.dice.millis(100, 800);
        scene.script.disturb(due);
        Self {
            session,
            governor: Governor::new(scene.broken.limits(scene.setup.limits)),
            watcher: Watcher::new(scene.setup.limits),
            stage: Stage::Starting,
            due,
            stopped_until: Instant(0),
            begun: due,
            heard: None,
            heard_at: due,
            ask: Ask::Nothing,
            operator_seq: 0,
            previous: Previous::default(),
            state: DriveState::Disarmed,
            last_state: DriveState::Disarmed,
            ticks: 0,
            seq: 0,
            asks: 0,
            last_picture: 0,
            wish: Command::NEUTRAL,
            wish_for: 0,
            over: false,
        }
    }

    /// When it does something by itself.
    pub(crate) fn next(&self) -> Instant {
        let deaf = if matches!(self.stage, Stage::Starting) { Instant(u64::MAX) } else { self.deaf_at() };
        self.due.min(deaf).max(self.stopped_until)
    }

    fn deaf_at(&self) -> Instant {
        self.heard_at + LONGEST_SILENCE
    }

    /// A signal keeps it from running.
    pub(crate) fn stop(&mut self, until: Instant) {
        self.stopped_until = self.stopped_until.max(until);
        // What came in the meantime is in its queue when it goes on.
        self.heard_at = self.heard_at.max(until);
    }

    /// Its loop hangs; the thread that listens does not.
    pub(crate) fn hang(&mut self, until: Instant) {
        self.due = self.due.max(until);
    }

    /// A frame came.
    pub(crate) fn wake(&mut self, now: Instant) {
        if matches!(self.stage, Stage::Watching) {
            self.due = self.due.min(now);
        }
    }

    /// What the listening thread takes in.
    pub(crate) fn hear(&mut self, answer: Answer, now: Instant) {
        if answer.session != self.session || matches!(self.stage, Stage::Starting) {
            return;
        }
        self.heard_at = self.heard_at.max(now);
        if answer.operator_seq > self.operator_seq {
            self.operator_seq = answer.operator_seq;
            if self.ask != Ask::Stop || answer.ask == Ask::Disarm {
                self.ask = answer.ask;
            }
        }
        self.over |= answer.phase == Phase::Fault { cause: Cause::GuardianEnding };
        self.heard = Some(answer);
        if let Stage::Asking { seq } = self.stage
            && answer.seq >= seq
        {
            self.due = self.due.min(now);
        }
    }

    /// Does what is due.
    pub(crate) fn run(&mut self, scene: &mut Scene, camera: &mut Camera, link: &mut Link) {
        let now = scene.now;
        if !matches!(self.stage, Stage::Starting) && now >= self.deaf_at() {
            return self.take_over(scene);
        }
        match self.stage {
            Stage::Starting => {
                self.heard_at = now;
                self.watch(now);
            }
            Stage::Watching => self.tick(scene, camera),
            Stage::Thinking { command, state } => self.order(command, state, scene, camera, link),
            Stage::Asking { seq } => {
                let answer = self.heard.filter(|answer| answer.seq >= seq);
                let applied = match answer {
                    Some(answer) if matches!(answer.phase, Phase::Fault { .. }) => Applied::Failed,
                    Some(answer) if answer.answered == Answered::Accepted => Applied::Written,
                    Some(_) | None => Applied::Withheld,
                };
                self.previous = Previous { elapsed: now.since(self.begun), applied, dropped: 0 };
                if camera.pending.is_some() { self.tick(scene, camera) } else { self.watch(now) }
            }
        }
    }

    /// The guardian is silent: neutral and the gate, then the end.
    fn take_over(&mut self, scene: &mut Scene) {
        if !scene.is(Fault::PinsFail) && !scene.is(Fault::PinsHang) {
            scene.write(scene.setup.calibration.neutral(), By::Other);
        }
        scene.gate(false, By::Other);
        self.over = true;
    }

    fn watch(&mut self, now: Instant) {
        (self.stage, self.due) = (Stage::Watching, now + PATIENCE);
    }

    fn tick(&mut self, scene: &mut Scene, camera: &mut Camera) {
        let shot = camera.pending.take();
        self.begun = scene.now;
        let inputs = self.inputs(shot, scene);
        let quality = self.quality(shot, scene);
        let wish = self.wish(quality, scene);
        let stopped = matches!(self.state, DriveState::Stopped { .. });
        let ask = scene.broken.ask(inputs.operator.ask, stopped);
        let heard = Inputs { operator: OperatorInput { ask, ..inputs.operator }, ..inputs };
        let verdict = self.governor.admit(wish, quality, &heard);
        let picture = shot.map_or(0, |shot| shot.picture);
        if let Some(wrong) = self.watcher.tick(wish, quality, &inputs, picture, verdict.command) {
            scene.observer.violated(Rule::Governor, || format!("{wrong}: {verdict:?} upon {inputs:?}"));
        }
        if verdict.notes.has(Note::Latched) {
            scene.latched(&verdict.state);
        }
        self.state = verdict.state;
        let slow = scene.is(Fault::CyclesSlow);
        let takes = if slow { scene.dice.millis(90, 400) } else { scene.dice.micros(3_000, 20_000) };
        self.stage = Stage::Thinking { command: verdict.command.in_permille(), state: verdict.state };
        self.due = scene.now + takes;
    }

    fn inputs(&mut self, shot: Option<Shot>, scene: &mut Scene) -> Inputs {
        let keep_arm = shot.is_none() || self.previous.applied == Applied::Failed;
        let ask = if self.ask == Ask::Arm && keep_arm { Ask::Nothing } else { std::mem::take(&mut self.ask) };
        let battery = if scene.is(Fault::BatteryEmpty) {
            Some(scene.setup.limits.battery_empty - scene.dice.below(2) as u8)
        } else if scene.is(Fault::BatteryLow) {
            Some(scene.setup.limits.battery_low)
        } else {
            Some(9).filter(|_| !scene.is(Fault::BatteryUnknown))
        };
        let speed_percent = scene.setup.speed_percent;
        self.ticks += 1;
        Inputs {
            seq: self.ticks,
            now: scene.clock(Fault::DriverClockBack),
            frame: shot.map(|shot| FrameStamp { seq: shot.seq, captured_at: shot.captured_at }),
            operator: OperatorInput { seq: self.operator_seq, ask, speed_percent },
            health: Health { battery, camera: Camera::health(scene) },
            previous: self.previous,
        }
    }

    fn quality(&mut self, shot: Option<Shot>, scene: &Scene) -> Quality {
        let Some(shot) = shot else { return Quality::Missing };
        let again = shot.picture == self.last_picture && scene.broken != Broken::DriverTrustsRepeats;
        self.last_picture = shot.picture;
        if again && shot.quality != Quality::Torn { Quality::Frozen } else { shot.quality }
    }

    /// The stand-in for a policy holds a wish for a while; it always wants to move.
    fn wish(&mut self, quality: Quality, scene: &mut Scene) -> Wish {
        if matches!(quality, Quality::Missing | Quality::Torn) {
            return Wish::Nothing;
        }
        if scene.is(Fault::PolicyFails) && scene.dice.chance(80) {
            return Wish::Failed;
        }
        if self.wish_for == 0 {
            self.wish_for =
                1 + if scene.dice.chance(10) { scene.dice.below(60) } else { scene.dice.below(3) };
            let speed = f32::from(scene.setup.speed_percent) / 100.0;
            let side = if scene.dice.chance(90) { 1.0 } else { -1.0 };
            let throttle = side * (0.2 + 0.8 * scene.dice.share()) * speed;
            let share = |value| Signed::clamped(value).expect("a number");
            self.wish =
                Command { steering: share(2.0 * scene.dice.share() - 1.0), throttle: share(throttle) };
        }
        self.wish_for -= 1;
        Wish::Drive(self.wish)
    }

    fn order(
        &mut self,
        command: Command,
        state: DriveState,
        scene: &mut Scene,
        camera: &Camera,
        link: &mut Link,
    ) {
        let now = scene.clock(Fault::DriverClockBack);
        let mut record = self.record(command, state, scene.setup.terms.lease, now);
        if scene.is(Fault::RecordsGreedy) && record.mode == Mode::Autonomous {
            record.valid_until = record.valid_until + scene.dice.millis(1, 10_000);
            record.throttle = Permille::FULL;
        }
        let picture = self.governor.evidence().map_or(0, |stamp| camera.picture(stamp.seq));
        link.send(Packet { record, picture, damaged: false }, scene);
        (self.stage, self.due) = (Stage::Asking { seq: record.seq }, scene.now + LONGEST_ANSWER);
    }

    /// As `guardian/link.rs` does.
    fn record(&mut self, command: Command, state: DriveState, lease: Span, now: Instant) -> Record {
        self.seq += 1;
        let stopped = |state: DriveState| matches!(state, DriveState::Stopped { .. });
        let ask = if stopped(state) && !stopped(self.last_state) { Ask::Disarm } else { Ask::Nothing };
        self.asks += u64::from(ask != Ask::Nothing);
        self.last_state = state;
        let nothing = FrameStamp { seq: FrameSeq(0), captured_at: Instant(0) };
        let evidence = self.governor.evidence().unwrap_or(nothing);
        Record {
            session: self.session,
            seq: self.seq,
            frame: evidence.seq.0,
            captured_at: evidence.captured_at,
            valid_until: now + lease,
            mode: if state == DriveState::Driving { Mode::Autonomous } else { Mode::Idle },
            ask,
            operator_seq: self.asks,
            steering: Permille::nearest(command.steering),
            throttle: Permille::within(command.throttle),
        }
    }
}
