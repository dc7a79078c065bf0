//! The simulated car: pulses in, pose out. A kinematic bicycle behind a servo with dead time, lag and rate, an ESC with
//! a dead band, and a battery that runs down. It moves in whole steps of 1 ms on its own time axis, each with the
//! pulses in force at its end, so that a drive depends on the history of the pulses and not on how time was sliced.
//! Refuses nothing: whatever the pulses, every value stays finite and in its range.

use std::f64::consts::{PI, TAU};

use crate::domain::Pulses;
use crate::sim::body::Body;
use crate::track::{Point, Pose};
use crate::units::{Pulse, Span};

/// The step: 1 ms.
pub const STEP: Span = Span::from_millis(1);
const SECONDS: f64 = 0.001;

/// The most steps of dead time that a servo may have.
const LONGEST_DELAY: usize = 64;

/// Slower than this, m/s, a car without drive stands.
const STANDING: f64 = 0.001;

/// A car on a plane.
#[derive(Clone, Debug)]
pub struct Plant {
    body: Body,
    shares: Shares,
    /// Time since the last whole step.
    carried: Span,
    /// Wanted angles of the last steps; the oldest is at `oldest`.
    wanted: [f64; LONGEST_DELAY],
    oldest: usize,
    delay: usize,
    steering: f64,
    speed: f64,
    pose: Pose,
    charge: f64,
    travelled: f64,
}

/// What is left of a difference after one step, per time constant.
#[derive(Clone, Copy, Debug)]
struct Shares {
    servo: f64,
    pull: f64,
    coast: f64,
    brake: f64,
}

impl Shares {
    fn of(body: &Body) -> Self {
        let left = |constant: f64| if constant > 0.0 { libm::exp(-SECONDS / constant) } else { 0.0 };
        Self {
            servo: left(body.servo.lag),
            pull: left(body.motor.pull),
            coast: left(body.motor.coast),
            brake: left(body.motor.brake),
        }
    }
}

impl Plant {
    /// A car that stands at `pose` with straight wheels. A dead time is held to 63 ms.
    #[must_use]
    pub fn new(body: Body, pose: Pose) -> Self {
        let delay = usize::try_from(body.servo.delay.0 / STEP.0).unwrap_or(LONGEST_DELAY);
        Self {
            body,
            shares: Shares::of(&body),
            carried: Span(0),
            wanted: [0.0; LONGEST_DELAY],
            oldest: 0,
            delay: delay.min(LONGEST_DELAY - 1),
            steering: 0.0,
            speed: 0.0,
            pose,
            charge: body.battery.charge.clamp(0.0, 1.0),
            travelled: 0.0,
        }
    }

    /// Holds `pulses` for `span`.
    pub fn step(&mut self, pulses: Pulses, span: Span) {
        let mut left = Span(self.carried.0.saturating_add(span.0));
        while left.0 >= STEP.0 {
            left.0 -= STEP.0;
            let before = self.steering;
            self.turn(pulses.steering);
            self.drive(pulses.throttle, 0.5 * (before + self.steering));
        }
        self.carried = left;
    }

    /// Sets the car down at rest somewhere else; its servo, battery and time go on.
    pub fn put(&mut self, pose: Pose) {
        self.pose = pose;
        self.speed = 0.0;
    }

    /// Where the middle of the rear axle is now, at the end of all spans.
    #[must_use]
    pub fn pose(&self) -> Pose {
        let seconds = SECONDS * self.carried.as_millis_f64();
        moved(self.pose, self.speed * seconds, self.curvature(self.steering, self.speed))
    }

    /// Speed of the rear axle's middle, m/s, backward negative, at the last whole step.
    #[must_use]
    pub const fn speed(&self) -> f64 {
        self.speed
    }

    /// How fast it turns about its own axis, rad/s, left positive, at the last whole step.
    #[must_use]
    pub fn turning(&self) -> f64 {
        self.speed * self.curvature(self.steering, self.speed)
    }

    /// The angle of the front wheels, radians, left positive, at the last whole step.
    #[must_use]
    pub const fn steering(&self) -> f64 {
        self.steering
    }

    /// Metres on the odometer: the path of the rear axle's middle, forward and backward.
    #[must_use]
    pub const fn travelled(&self) -> f64 {
        self.travelled
    }

    /// The battery's charge, 0 to 1.
    #[must_use]
    pub const fn charge(&self) -> f64 {
        self.charge
    }

    /// The battery's level as the car's gauge would report it: twelfths of the charge, 0 to 11 (car.md §7.1).
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "twelve times a share of 0 to 1"
    )]
    pub fn battery(&self) -> u8 {
        ((self.charge * 12.0) as u8).min(11)
    }

    /// Where the four wheels stand: front left, front right, rear left, rear right.
    #[must_use]
    pub fn wheels(&self) -> [Point; 4] {
        let (front, side) = (self.body.wheelbase, 0.5 * self.body.track);
        let pose = self.pose();
        [(front, side), (front, -side), (0.0, side), (0.0, -side)]
            .map(|(ahead, left)| pose.point(ahead, left))
    }

    /// What it is made of.
    #[must_use]
    pub const fn body(&self) -> &Body {
        &self.body
    }

    /// One step of the servo towards the angle that a pulse asked for `delay` steps ago.
    fn turn(&mut self, pulse: Pulse) {
        let newest = (self.oldest + self.delay) % LONGEST_DELAY;
        if let Some(slot) = self.wanted.get_mut(newest) {
            *slot = self.body.servo.angle(f64::from(pulse.ns()));
        }
        let wanted = self.wanted.get(self.oldest).copied().unwrap_or(0.0);
        self.oldest = (self.oldest + 1) % LONGEST_DELAY;
        let most = self.body.servo.rate * SECONDS;
        let change = (wanted - self.steering) * (1.0 - self.shares.servo);
        self.steering += change.clamp(-most, most);
    }

    /// One step of motor and wheels: speed by its exact exponential, then the arc of what it covered.
    fn drive(&mut self, pulse: Pulse, angle: f64) {
        let asked = self.body.motor.speed(f64::from(pulse.ns()));
        let wanted = asked * self.sag();
        let Step { goal, constant, left } = self.response(wanted);
        let before = self.speed;
        self.speed = goal + (before - goal) * left;
        let along = goal * SECONDS + (before - goal) * constant * (1.0 - left);
        if goal.abs() < STANDING && self.speed.abs() < STANDING {
            self.speed = 0.0;
        }
        let curvature = self.curvature(angle, 0.5 * (before + self.speed));
        self.pose = moved(self.pose, along, curvature);
        self.travelled += along.abs();
        self.drain(asked);
    }

    /// Towards which speed this step goes, and how fast. A pulse against the motion brakes, as far as standing.
    fn response(&self, wanted: f64) -> Step {
        let motor = &self.body.motor;
        if wanted * self.speed < 0.0 {
            Step { goal: 0.0, constant: motor.brake, left: self.shares.brake }
        } else if wanted.abs() >= self.speed.abs() {
            Step { goal: wanted, constant: motor.pull, left: self.shares.pull }
        } else {
            Step { goal: wanted, constant: motor.coast, left: self.shares.coast }
        }
    }

    /// The path's curvature in 1/m: the bicycle's, or as much of it as the tyres hold.
    fn curvature(&self, angle: f64, speed: f64) -> f64 {
        let wanted = libm::tan(angle) / self.body.wheelbase;
        let square = speed * speed;
        if wanted.abs() * square > self.body.grip {
            wanted.signum() * self.body.grip / square
        } else {
            wanted
        }
    }

    /// The share of a full battery's speed that is left; none when it is empty, as an ESC protects its pack.
    fn sag(&self) -> f64 {
        let empty = self.body.battery.empty;
        if self.charge > 0.0 { empty + (1.0 - empty) * self.charge } else { 0.0 }
    }

    fn drain(&mut self, asked: f64) {
        let battery = &self.body.battery;
        let share = (asked / self.body.motor.top_speed).abs();
        let load = 1.0 / battery.standing + (1.0 / battery.driving - 1.0 / battery.standing) * share;
        self.charge = (self.charge - SECONDS * load).max(0.0);
    }
}

/// The speed's law in one step.
struct Step {
    goal: f64,
    constant: f64,
    left: f64,
}

/// A pose after `along` metres of a circle of that curvature: the chord, exact to the sixth power of half the turn.
fn moved(pose: Pose, along: f64, curvature: f64) -> Pose {
    let half = 0.5 * along * curvature;
    let square = half * half;
    let chord = along * (1.0 - square * (1.0 / 6.0 - square / 120.0));
    let middle = Pose { at: pose.at, heading: pose.heading + half };
    Pose { at: middle.point(chord, 0.0), heading: turned(pose.heading + half + half) }
}

/// An angle back within -π to π, after at most one turn, left and right alike to the bit.
fn turned(angle: f64) -> f64 {
    if angle > PI {
        angle - TAU
    } else if angle < -PI {
        angle + TAU
    } else {
        angle
    }
}
