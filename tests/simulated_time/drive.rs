//! One drive: everything wired together, and the next thing that happens happens.

use std::collections::BTreeMap;

use hairpin::domain::{Ask, DriveState, Pulses};
use hairpin::lease::Phase;
use hairpin::units::{Instant, Pulse, Span};

use super::broken::Broken;
use super::camera::Camera;
use super::driver::Driver;
use super::faults::{Began, Fault, KINDS};
use super::guardian::Guardian;
use super::link::Link;
use super::observer::{Rule, Violation};
use super::scene::{By, Scene};

/// How long a drive is, faults and all.
pub(crate) const LENGTH: Span = Span::from_millis(300_000);
/// The system starts a guardian that ended again after this.
const RESTART: Span = Span::from_millis(1000);
/// From an arm, over both arming times, to the first motion: frames, cycles and answers on the way.
const STARTS_WITHIN: Span = Span::from_millis(300);

/// What came of a drive.
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    pub(crate) simulated: Span,
    pub(crate) driving: Span,
    pub(crate) starts: u64,
    /// Arms after two quiet seconds that had to lead to motion, and did.
    pub(crate) revived: u64,
    /// Of these, those that took a second word: the first one met a lease that was about to give up on its own.
    pub(crate) second_tries: u64,
    pub(crate) faults: [u64; KINDS],
    pub(crate) neutrals: BTreeMap<String, u64>,
    pub(crate) latches: BTreeMap<String, u64>,
    pub(crate) violation: Option<Violation>,
    pub(crate) last_faults: Vec<Began>,
}

struct Drive {
    scene: Scene,
    camera: Camera,
    link: Link,
    driver: Option<Driver>,
    guardian: Option<Guardian>,
    sessions: u32,
    restart_at: Instant,
    operator_at: Instant,
    foreign_at: Instant,
    /// An arm that has to lead to motion until then, if nothing happens in between.
    promised: Option<Instant>,
    /// How often it was armed for that.
    tries: u64,
    revived: u64,
    second_tries: u64,
    neutrals: BTreeMap<String, u64>,
}

/// Never.
const NEVER: Instant = Instant(u64::MAX);

/// Drives until the time is over, or a promise is broken.
pub(crate) fn drive(seed: u64, broken: Broken) -> Outcome {
    let mut drive = Drive {
        scene: Scene::new(seed, broken),
        camera: Camera::new(),
        link: Link::default(),
        driver: None,
        guardian: None,
        sessions: 0,
        restart_at: Instant(0),
        operator_at: Instant(1_000_000_000),
        foreign_at: NEVER,
        promised: None,
        tries: 0,
        revived: 0,
        second_tries: 0,
        neutrals: BTreeMap::new(),
    };
    while drive.scene.now < Instant(LENGTH.0) && drive.scene.observer.violation.is_none() {
        drive.happen();
    }
    let Drive { scene, revived, second_tries, neutrals, .. } = drive;
    Outcome {
        seed,
        simulated: Span(scene.now.0),
        driving: scene.observer.driving,
        starts: scene.observer.starts,
        revived,
        second_tries,
        faults: scene.script.counts,
        neutrals,
        latches: scene.latches,
        violation: scene.observer.violation,
        last_faults: scene.script.last,
    }
}

/// What can happen next.
#[derive(Clone, Copy)]
enum Next {
    Fault,
    Foreign,
    Eye,
    Guardian,
    Restart,
    Camera,
    Driver,
    Operator,
}

impl Drive {
    fn happen(&mut self) {
        let (at, next) = self.next();
        let scene = &mut self.scene;
        scene.now = at.max(scene.now);
        scene.observer.error = scene.error();
        let allowance = if self.guardian.is_some() { scene.allowance } else { Span(0) };
        scene.observer.watch(scene.now, allowance);
        let moving = scene.observer.moving;
        match next {
            Next::Fault => self.begin_fault(),
            Next::Foreign => self.foreign_write(),
            Next::Eye => self.scene.gate(false, By::GuardianBlind),
            Next::Guardian => self.guard(),
            Next::Restart => self.restart(),
            Next::Camera => {
                self.camera.shoot(&mut self.scene);
                if let Some(driver) = &mut self.driver
                    && self.camera.pending.is_some()
                {
                    driver.wake(self.scene.now);
                }
            }
            Next::Driver => self.run_driver(),
            Next::Operator => self.operate(),
        }
        if moving && !self.scene.observer.moving {
            let cause = self.cause();
            *self.neutrals.entry(cause).or_default() += 1;
        }
    }

    fn next(&self) -> (Instant, Next) {
        let eye = self.guardian.as_ref().and_then(Guardian::stuck).map(|stuck| stuck.eye);
        let eye = eye.filter(|_| self.scene.pins.open).unwrap_or(NEVER);
        let guardian = self.guardian.as_ref().map_or(NEVER, |guardian| guardian.next(self.link.next()));
        let restart = if self.guardian.is_none() { self.restart_at } else { NEVER };
        let driver = self.driver.as_ref().map_or(NEVER, Driver::next);
        let all = [
            (self.scene.script.next, Next::Fault),
            (self.foreign_at, Next::Foreign),
            (eye, Next::Eye),
            (restart, Next::Restart),
            (self.camera.next, Next::Camera),
            (driver, Next::Driver),
            (self.operator_at, Next::Operator),
        ];
        all.into_iter()
            .fold((guardian, Next::Guardian), |first, other| if other.0 < first.0 { other } else { first })
    }

    fn begin_fault(&mut self) {
        self.promised = None;
        let Began { at, fault, lasts } = self.scene.script.begin();
        let guardian = self.guardian.as_mut();
        match fault {
            Fault::DriverKilled => {
                if let (Some(_), Some(guardian)) = (self.driver.take(), guardian) {
                    guardian.close(at);
                }
            }
            Fault::DriverStopped => {
                if let Some(driver) = &mut self.driver {
                    driver.stop(at + lasts);
                }
            }
            Fault::DriverHangs => {
                if let Some(driver) = &mut self.driver {
                    driver.hang(at + lasts);
                }
            }
            Fault::GuardianEnds => {
                if let Some(guardian) = guardian {
                    guardian.quit(at);
                }
            }
            Fault::PinsMoved => self.foreign_at = at,
            Fault::GateShut if self.scene.pins.open => self.scene.gate(false, By::Other),
            Fault::OperatorStops => self.say(Ask::Stop),
            Fault::OperatorDisarms => self.say(Ask::Disarm),
            Fault::OperatorArms => self.say(Ask::Arm),
            _ => {}
        }
    }

    fn say(&mut self, ask: Ask) {
        if let Some(guardian) = &mut self.guardian {
            guardian.say(ask, self.scene.now);
        }
    }

    /// Somebody else has the pins open, too.
    fn foreign_write(&mut self) {
        let dice = &mut self.scene.dice;
        let mut pulse = || Pulse::clamped(1_000_000 + dice.below(1_000_001) as i64);
        let pulses = Pulses { steering: pulse(), throttle: pulse() };
        self.scene.write(pulses, By::Other);
        let again = self.scene.now + self.scene.dice.millis(5, 90);
        self.foreign_at = if again < self.scene.script.until(Fault::PinsMoved) { again } else { NEVER };
    }

    fn guard(&mut self) {
        let Some(guardian) = &mut self.guardian else { return };
        if !guardian.pass(&mut self.scene, &mut self.link, &mut self.driver) {
            self.sessions = guardian.sessions();
            (self.guardian, self.restart_at) = (None, self.scene.now + RESTART);
            self.scene.script.disturb(self.restart_at);
        }
    }

    /// A guardian starts over pins that take neutral, or not at all.
    fn restart(&mut self) {
        self.restart_at = self.scene.now + RESTART;
        self.scene.script.disturb(self.restart_at);
        if self.scene.is(Fault::PinsFail) || self.scene.is(Fault::PinsHang) {
            return;
        }
        let neutral = self.scene.setup.calibration.neutral();
        self.scene.write(neutral, By::Guardian);
        self.guardian = Some(Guardian::start(self.sessions, &mut self.scene, &mut self.driver));
    }

    fn run_driver(&mut self) {
        let Some(driver) = &mut self.driver else { return };
        if !driver.over {
            driver.run(&mut self.scene, &mut self.camera, &mut self.link);
        }
        if driver.over {
            self.driver = None;
            let now = self.scene.now;
            self.scene.script.disturb(now);
            if let Some(guardian) = &mut self.guardian {
                guardian.close(now);
            }
        }
    }

    /// An operator who arms a car that stands, patient or not, and watches what comes of it.
    fn operate(&mut self) {
        let (now, moving) = (self.scene.now, self.scene.observer.moving);
        self.operator_at = now + self.scene.dice.millis(50, 250);
        match self.promised {
            Some(_) if moving => {
                self.revived += 1;
                self.second_tries += u64::from(self.tries > 1);
                self.promised = None;
            }
            Some(until) if now <= until => {}
            Some(_) if self.tries < 2 => self.promise(),
            Some(_) => {
                let refused = self.guardian.as_ref().map(|guardian| guardian.refused);
                self.scene.observer.violated(Rule::Alive, || {
                    format!("armed twice after two quiet seconds, and did not move; refused: {refused:?}")
                });
            }
            None if moving => {}
            None if self.scene.script.is_quiet(now) => {
                self.tries = 0;
                self.promise();
            }
            // In the midst of it all, now and then.
            None if self.scene.dice.chance(8) => self.say(Ask::Arm),
            None => {}
        }
    }

    /// Arms, and expects motion.
    fn promise(&mut self) {
        let (terms, limits) = (self.scene.setup.terms, self.scene.setup.limits);
        self.tries += 1;
        self.promised = Some(self.scene.now + terms.arming.max(limits.arming) + STARTS_WITHIN);
        self.say(Ask::Arm);
    }

    /// What brought a moving car to neutral.
    fn cause(&mut self) -> String {
        let state = self.driver.as_ref().map(|driver| driver.state);
        match (self.scene.stopped_by.take(), state) {
            (Some(Phase::Fault { cause }), _) => format!("lease: {cause:?}"),
            (Some(Phase::Armed | Phase::Disarmed), Some(DriveState::Stopped { why })) => {
                format!("governor: {why:?}")
            }
            (Some(Phase::Armed), Some(DriveState::Coasting { .. })) => "governor: coasting".to_owned(),
            (Some(Phase::Armed), _) => "lease: ran out".to_owned(),
            (Some(_), _) => "operator: disarmed".to_owned(),
            (None, _) => "not the lease: a hanging write, the driver itself, somebody else".to_owned(),
        }
    }
}
