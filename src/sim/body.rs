//! What the simulated car is made of: lengths from AWS's own model of the car, pulse widths from its factory
//! calibration and its maker's test tool; everything that nobody has published is an assumption and says so.
//! Knows no calibration: the servo turns and the motor pulls by the width of a pulse alone.

use crate::sim::seed::Seed;
use crate::units::Span;

/// How far the car's front lies ahead of the middle of the rear axle, in metres: AWS measures position and progress
/// at a point 0.14 m ahead of the middle of the chassis, which is half a wheelbase ahead of the rear axle.
pub const NOSE: f64 = 0.222;

/// The steering servo. Angles are of an equivalent single front wheel, radians, left positive.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Servo {
    /// Straight ahead, ns (car.md §1.2).
    pub centre: f64,
    /// From straight ahead to the lock, ns, longer is left (car.md §1.2, §1.4).
    pub travel: f64,
    /// The lock to either side: 30 degrees, as in training (training.md §1.3).
    pub lock: f64,
    /// From a pulse to the first motion: on average half a period of 20 ms. An assumption.
    pub delay: Span,
    /// Time constant towards the wanted angle, seconds. An assumption.
    pub lag: f64,
    /// The fastest turn, rad/s: what our trainer's prototype drove with (training.md §4.1). An assumption.
    pub rate: f64,
}

/// ESC and motor. Speeds are of a full battery, m/s.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Motor {
    /// The middle of the dead band, ns (car.md §1.2).
    pub stop: f64,
    /// Half the dead band, ns. An assumption: two steps of the car's PWM chip.
    pub dead: f64,
    /// From `stop` to what the factory calls full forward, ns; a shorter pulse is forward (car.md §1.2, §1.4).
    pub forward: f64,
    /// From `stop` to what the factory calls full backward, ns (car.md §1.2).
    pub backward: f64,
    /// From `stop` to where a longer or shorter pulse changes nothing: the vendor's tool calls 1.20 and 1.70 ms the
    /// most (car.md §1.4).
    pub end: f64,
    /// Speed at full forward: the fastest that training allows (training.md §1.3). On a car, an assumption.
    pub top_speed: f64,
    /// Speed at full backward, as a positive number. An assumption.
    pub back_speed: f64,
    /// Time constant of speeding up, seconds. An assumption.
    pub pull: f64,
    /// Time constant of rolling out, seconds. An assumption.
    pub coast: f64,
    /// Time constant of braking: a pulse against the motion, seconds. An assumption.
    pub brake: f64,
}

/// The drive battery.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Battery {
    /// Charge at the start, 0 to 1.
    pub charge: f64,
    /// Seconds that a full charge lasts at full forward. An assumption.
    pub driving: f64,
    /// Seconds that a full charge lasts while standing. An assumption.
    pub standing: f64,
    /// The share of a full battery's speed that is left just before it is empty: about 6.6 of 8.4 V.
    pub empty: f64,
}

/// The whole car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// Between the axles, metres (training.md §1.3).
    pub wheelbase: f64,
    /// Between the wheels of one axle, metres (training.md §1.3).
    pub track: f64,
    /// Metres (training.md §1.3).
    pub wheel_radius: f64,
    /// The most lateral acceleration that the tyres carry, m/s²: beyond it the car runs wide. An assumption.
    pub grip: f64,
    /// Steering.
    pub servo: Servo,
    /// Driving.
    pub motor: Motor,
    /// What it drives on.
    pub battery: Battery,
}

impl Default for Body {
    fn default() -> Self {
        Self {
            wheelbase: 0.164,
            track: 0.162,
            wheel_radius: 0.035,
            grip: 8.0,
            servo: Servo {
                centre: 1_450_000.0,
                travel: 250_000.0,
                lock: 30.0 * std::f64::consts::PI / 180.0,
                delay: Span::from_millis(10),
                lag: 0.03,
                rate: 6.0,
            },
            motor: Motor {
                stop: 1_446_000.0,
                dead: 10_000.0,
                forward: 135_000.0,
                backward: 157_500.0,
                end: 250_000.0,
                top_speed: 4.0,
                back_speed: 2.0,
                pull: 0.3,
                coast: 0.6,
                brake: 0.15,
            },
            battery: Battery { charge: 1.0, driving: 1_200.0, standing: 14_400.0, empty: 0.8 },
        }
    }
}

impl Servo {
    /// The angle that a pulse of `ns` asks for, radians.
    #[must_use]
    pub fn angle(&self, ns: f64) -> f64 {
        ((ns - self.centre) / self.travel).clamp(-1.0, 1.0) * self.lock
    }
}

impl Motor {
    /// The speed that a pulse of `ns` asks of a full battery, m/s, backward negative: none within the dead band, then
    /// in proportion through the factory's full to the ESC's own end.
    #[must_use]
    pub fn speed(&self, ns: f64) -> f64 {
        let off = (self.stop - ns).clamp(-self.end, self.end);
        if off > self.dead {
            (off - self.dead) / (self.forward - self.dead) * self.top_speed
        } else if off < -self.dead {
            (off + self.dead) / (self.backward - self.dead) * self.back_speed
        } else {
            0.0
        }
    }
}

impl Body {
    /// This car as another one off the line: up to `share` (0 to 1) of its own value more or less in lock, lag, delay,
    /// rate, speeds and time constants, and a servo that stands up to `share * 0.2` of its travel off the middle.
    #[must_use]
    pub fn varied(&self, seed: Seed, share: f64) -> Self {
        let mut seed = seed;
        let mut side = || (2.0 * seed.unit() - 1.0) * share.clamp(0.0, 1.0);
        let mut body = *self;
        body.servo.centre += body.servo.travel * 0.2 * side();
        body.servo.delay = longer(body.servo.delay, side());
        for value in [&mut body.servo.lock, &mut body.servo.lag, &mut body.servo.rate] {
            *value *= 1.0 + side();
        }
        let motor = &mut body.motor;
        for value in [&mut motor.top_speed, &mut motor.back_speed, &mut motor.dead] {
            *value *= 1.0 + side();
        }
        for value in [&mut motor.pull, &mut motor.coast, &mut motor.brake] {
            *value *= 1.0 + side();
        }
        body
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a servo's delay is some milliseconds, and a negative one saturates at none"
)]
fn longer(span: Span, share: f64) -> Span {
    Span((span.0 as f64 * (1.0 + share)) as u64)
}
