//! A driver without eyes: pure pursuit of the centre line from where the car truly is (Coulter 1992), with a speed for
//! every metre of it. The second implementation of a policy, and the expert to learn from. Refuses nothing.

use crate::sim::body::Body;
use crate::track::{Place, Pose, Track, trig};

/// How the driver drives.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Never faster, m/s.
    pub speed: f64,
    /// Lateral acceleration in bends, m/s².
    pub bend: f64,
    /// What it slows down by before a bend, m/s²: less than the car does by rolling out.
    pub slow_down: f64,
    /// It looks ahead so many metres,
    pub ahead: f64,
    /// and so many seconds of its speed.
    pub ahead_seconds: f64,
    /// Throttle for each m/s that is missing.
    pub gain: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { speed: 2.0, bend: 2.5, slow_down: 1.2, ahead: 0.25, ahead_seconds: 0.15, gain: 0.3 }
    }
}

/// Metres between the stored points of the line.
const STEP: f64 = 0.05;

/// Beyond this many metres the line is not searched for its tightest bend: a car's length behind and ahead.
const WINDOW: f64 = 0.3;

/// The driver of one track and one car.
#[derive(Clone, Debug)]
pub struct Pursuit {
    limits: Limits,
    body: Body,
    length: f64,
    /// Points of the centre line at equal steps, and the speed for each.
    line: Vec<(Pose, f64)>,
}

impl Pursuit {
    /// A driver who has learnt the track by heart, in a car like `body`.
    #[must_use]
    pub fn new(track: &Track, body: &Body, limits: Limits) -> Self {
        let length = track.length();
        let count = count(length);
        let arcs = (0..count).map(|index| length * f64::from(index) / f64::from(count));
        let mut line: Vec<(Pose, f64)> = arcs
            .map(|arc| {
                let curvature = tightest(track, arc, length);
                let most = if curvature > 0.0 { (limits.bend / curvature).sqrt() } else { limits.speed };
                (track.at(arc), most.min(limits.speed))
            })
            .collect();
        slow_down_before_bends(&mut line, limits.slow_down, length / f64::from(count));
        Self { limits, body: *body, length, line }
    }

    /// Steering and throttle for a car at `pose`, whose nearest point of the track is `place`, at `speed` m/s: shares
    /// of full lock, left positive, -1 to 1, and of full forward, 0 to 1, as a factory-calibrated car understands them.
    #[must_use]
    pub fn command(&self, place: Place, pose: Pose, speed: f64) -> (f64, f64) {
        let forward = speed.max(0.0);
        let (target, _) = self.at(place.arc + self.limits.ahead + self.limits.ahead_seconds * forward);
        let (ahead, left) = pose.sees(target.at);
        let square = ahead * ahead + left * left;
        let curvature = if square > 0.0 { 2.0 * left / square } else { 0.0 };
        let angle = trig::heading(1.0, self.body.wheelbase * curvature);
        let (_, wanted) = self.at(place.arc);
        ((angle / self.body.servo.lock).clamp(-1.0, 1.0), self.throttle(wanted, speed))
    }

    /// The speed for a place, m/s.
    #[must_use]
    pub fn speed_at(&self, arc: f64) -> f64 {
        self.at(arc).1
    }

    /// What holds a speed on a full battery, and something for what is missing.
    fn throttle(&self, wanted: f64, speed: f64) -> f64 {
        let motor = &self.body.motor;
        let held = (motor.dead + wanted / motor.top_speed * (motor.forward - motor.dead)) / motor.forward;
        (held + self.limits.gain * (wanted - speed)).clamp(0.0, 1.0)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a lap times some hundred points"
    )]
    fn at(&self, arc: f64) -> (Pose, f64) {
        let count = self.line.len();
        let index = (arc.rem_euclid(self.length) / self.length * count as f64) as usize;
        self.line.get(index % count.max(1)).copied().unwrap_or_default()
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a track has some metres")]
fn count(length: f64) -> u32 {
    (length / STEP).ceil().max(1.0) as u32
}

/// The tightest curvature around a place, 1/m.
fn tightest(track: &Track, arc: f64, length: f64) -> f64 {
    let mut tightest = 0.0_f64;
    let mut hint = 0;
    for step in -6..=6 {
        let at = track.at((arc + f64::from(step) * WINDOW / 6.0).rem_euclid(length)).at;
        let place = track.place_near(at, hint);
        hint = place.segment;
        tightest = tightest.max(place.curvature.abs());
    }
    tightest
}

/// Twice around against the direction of travel: no point may be faster than it can slow down from to the next.
fn slow_down_before_bends(line: &mut [(Pose, f64)], slow_down: f64, step: f64) {
    let mut next = f64::INFINITY;
    for _ in 0..2 {
        for (_, speed) in line.iter_mut().rev() {
            *speed = speed.min((next * next + 2.0 * slow_down * step).sqrt());
            next = *speed;
        }
    }
}
