//! Every command in -1..=1 in steps of 0.001 against the stock formula (car.md §1.3), evaluated here another way:
//! in double precision with an explicit rounding to single after each operation, as the C++ compiler does it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use hairpin::domain::Command;
use hairpin::units::{Pulse, Signed};
use hairpin::vehicle::{Calibration, CalibrationError, Channel, Points};

#[allow(clippy::cast_possible_truncation, reason = "the rounding is the point")]
fn to_single(x: f64) -> f64 {
    f64::from(x as f32)
}

/// The duty in nanoseconds before any limit.
#[allow(clippy::cast_possible_truncation, reason = "setDuty takes an int")]
fn formula(points: Points, command: f32) -> i64 {
    let (min, mid, max) = (f64::from(points.min), f64::from(points.mid), f64::from(points.max));
    let a = to_single(f64::from(command) * f64::from(points.polarity));
    let side = if a < 0.0 { mid - min } else { max - mid };
    to_single(mid + to_single(a * to_single(side))).trunc() as i64
}

fn calibrations() -> Vec<(&'static str, Points)> {
    let factory = Calibration::factory();
    vec![
        ("factory servo", factory.servo),
        ("factory motor", factory.motor),
        ("servo, other sign", Points { polarity: -1, ..factory.servo }),
        ("motor, other sign", Points { polarity: 1, ..factory.motor }),
        // The 16.04 image's numbers fall instead of rising (car.md §1.2).
        ("16.04 servo", Points { min: 1_750_000, mid: 1_530_000, max: 1_230_000, polarity: 1 }),
        ("16.04 motor", Points { min: 1_700_000, mid: 1_450_000, max: 1_200_000, polarity: 1 }),
        ("16.04 motor, other sign", Points { min: 1_700_000, mid: 1_450_000, max: 1_200_000, polarity: -1 }),
        ("lopsided", Points { min: 1_000_000, mid: 1_000_001, max: 2_000_000, polarity: 1 }),
    ]
}

#[test]
fn every_command_has_the_stock_duty() {
    let mut checked = 0;
    for (name, points) in calibrations() {
        for step in -1000_i16..=1000 {
            let command = f32::from(step) / 1000.0;
            let pulse = points.pulse(Signed::clamped(command).unwrap());
            let wanted = formula(points, command).clamp(1_000_000, 2_000_000);
            assert_eq!(i64::from(pulse.ns()), wanted, "{name} at {command}");
            checked += 1;
        }
    }
    assert_eq!(checked, 8 * 2001);
}

#[test]
fn the_factory_ends_are_the_factory_numbers() {
    let car = Calibration::factory();
    let pulses = |steering: f32, throttle: f32| {
        let command = Command {
            steering: Signed::clamped(steering).unwrap(),
            throttle: Signed::clamped(throttle).unwrap(),
        };
        let pulses = car.pulses(command);
        (pulses.steering.ns(), pulses.throttle.ns())
    };
    // Full left and full forward; shorter ESC pulses are forward (car.md §1.4).
    assert_eq!(pulses(1.0, 1.0), (1_700_000, 1_311_000));
    assert_eq!(pulses(-1.0, -1.0), (1_200_000, 1_603_500));
    assert_eq!(pulses(0.0, 0.0), (1_450_000, 1_446_000));
    assert_eq!(car.neutral(), car.pulses(Command::NEUTRAL));
}

#[test]
fn no_calibration_leaves_what_a_servo_survives() {
    let wild = Points { min: 0, mid: 1_500_000, max: 20_000_000, polarity: 1 };
    assert_eq!(wild.pulse(Signed::ONE), Pulse::MAX);
    assert_eq!(wild.pulse(Signed::clamped(-1.0).unwrap()), Pulse::MIN);
}

#[test]
fn bad_calibrations_are_refused_by_name() {
    let factory = Calibration::factory();
    let servo = |points: Points| Calibration { servo: points, ..factory }.checked().unwrap_err();
    let order = servo(Points { min: 1_450_000, ..factory.servo });
    assert!(matches!(order, CalibrationError::NotMonotone { channel: Channel::Servo, .. }));
    assert_eq!(
        order.to_string(),
        "Servo: min 1450000, mid 1450000, max 1700000 ns are not in order, wanted min < mid < max (or all falling)"
    );
    assert_eq!(
        servo(Points { max: 2_500_000, ..factory.servo }).to_string(),
        "Servo: max is 2500000 ns, wanted 1000000 to 2000000"
    );
    assert_eq!(
        servo(Points { polarity: 0, ..factory.servo }).to_string(),
        "Servo: polarity is 0, wanted 1 or -1"
    );
    assert!(factory.checked().is_ok());
}
