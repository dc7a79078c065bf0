//! The simulated car against the equations it is made of, and what must hold for any history of pulses.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose; its numbers are small"
)]

use hairpin::domain::{Command, Pulses};
use hairpin::sim::{Body, Plant, Seed};
use hairpin::track::{Point, Pose};
use hairpin::units::{Pulse, Signed, Span};
use hairpin::vehicle::Calibration;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

const START: Pose = Pose { at: Point { x: 0.0, y: 0.0 }, heading: 0.0 };
const NEUTRAL: (i64, i64) = (1_450_000, 1_446_000);

fn pulses(steering: i64, throttle: i64) -> Pulses {
    Pulses { steering: Pulse::clamped(steering), throttle: Pulse::clamped(throttle) }
}

fn car() -> Plant {
    Plant::new(Body::default(), START)
}

fn milliseconds(plant: &mut Plant, (steering, throttle): (i64, i64), count: u64) {
    plant.step(pulses(steering, throttle), Span::from_millis(count));
}

/// A car whose battery hardly runs down, so that a speed is a speed.
fn steady() -> Plant {
    let mut body = Body::default();
    body.battery.driving = 1e12;
    body.battery.standing = 1e12;
    Plant::new(body, START)
}

fn close(saw: f64, wanted: f64, share: f64, what: &str) {
    assert!((saw - wanted).abs() <= share * wanted.abs(), "{what}: {saw}, by the equation {wanted}");
}

/// The circle through three points.
fn radius([a, b, c]: [Point; 3]) -> f64 {
    let side = |p: Point, q: Point| ((p.x - q.x) * (p.x - q.x) + (p.y - q.y) * (p.y - q.y)).sqrt();
    let area = 0.5 * ((b.x - a.x) * (c.y - a.y) - (c.x - a.x) * (b.y - a.y)).abs();
    side(a, b) * side(b, c) * side(c, a) / (4.0 * area)
}

#[test]
fn the_turning_circle_at_full_lock_is_wheelbase_by_tangent() {
    for (steering, side) in [(1_700_000, 1.0), (1_200_000, -1.0), (2_000_000, 1.0), (1_000_000, -1.0)] {
        let mut plant = car();
        milliseconds(&mut plant, (steering, 1_420_000), 1_000);
        assert!((plant.steering() - side * 30.0_f64.to_radians()).abs() < 1e-9, "{}", plant.steering());
        let points = [(); 3].map(|()| {
            milliseconds(&mut plant, (steering, 1_420_000), 500);
            plant.pose().at
        });
        // L / tan 30° = 0.164 * sqrt(3).
        close(radius(points), 0.164 * 3.0_f64.sqrt(), 1e-4, "radius");
        let turn = (points[1].x - points[0].x) * (points[2].y - points[0].y)
            - (points[2].x - points[0].x) * (points[1].y - points[0].y);
        assert_eq!(turn.signum(), side, "longer is left");
    }
}

#[test]
fn half_the_servo_s_travel_is_half_the_lock() {
    let mut plant = car();
    milliseconds(&mut plant, (1_575_000, NEUTRAL.1), 1_000);
    close(plant.steering().to_degrees(), 15.0, 1e-9, "angle");
}

#[test]
fn the_servo_waits_then_turns_at_its_rate_then_settles() {
    let mut plant = car();
    let mut angles = Vec::new();
    for _ in 0..400 {
        milliseconds(&mut plant, (1_700_000, NEUTRAL.1), 1);
        angles.push(plant.steering());
    }
    // 10 ms of dead time; the step that ends at 11 ms is the first that moves.
    assert!(angles[..10].iter().all(|angle| *angle == 0.0), "{:?}", &angles[..12]);
    assert!(angles[10] > 0.0);
    // 6 rad/s for as long as the lag asks for more, which ends lag * rate = 0.18 rad before the lock.
    let fastest = angles.windows(2).map(|pair| (pair[1] - pair[0]) / 0.001).fold(0.0, f64::max);
    close(fastest, 6.0, 1e-9, "rate");
    let lock = 30.0_f64.to_radians();
    let slewing = ((lock - 0.18) / 0.006).floor();
    let at = |ms: f64| angles[ms as usize];
    close(at(9.0 + slewing), 0.006 * slewing, 1e-9, "the last full slew");
    // From there on the rest decays with 30 ms: one time constant leaves 1/e of it.
    let rest = |ms: f64| lock - at(ms);
    close(rest(9.0 + slewing + 50.0) / rest(9.0 + slewing + 20.0), (-1.0_f64).exp(), 1e-6, "lag");
}

#[test]
fn speed_is_first_order_and_at_95_percent_after_three_time_constants() {
    let mut plant = steady();
    // Full forward by the factory: 4 m/s with 0.3 s.
    for (ms, share) in
        [(300, 1.0 - (-1.0_f64).exp()), (300, 1.0 - (-2.0_f64).exp()), (300, 1.0 - (-3.0_f64).exp())]
    {
        milliseconds(&mut plant, (NEUTRAL.0, 1_311_000), ms);
        close(plant.speed(), 4.0 * share, 1e-9, "speed");
    }
    assert!(plant.speed() > 0.95 * 4.0 && plant.speed() < 0.951 * 4.0);
    // The distance of 900 ms: v * (t - tau * (1 - e^-3)).
    close(plant.pose().at.x, 4.0 * (0.9 - 0.3 * (1.0 - (-3.0_f64).exp())), 1e-9, "distance");
}

#[test]
fn the_speed_of_a_pulse_is_its_share_beyond_the_dead_band() {
    let table = [
        (1_446_000, 0.0),
        (1_436_000, 0.0),
        (1_456_000, 0.0),
        (1_311_000, 4.0),
        (1_373_500, 2.0),
        // Beyond the factory's full forward an ESC goes on to its own end: 240 of 125 µs, then no further.
        (1_196_000, 7.68),
        (1_000_000, 7.68),
        (1_603_500, -2.0),
        (1_529_750, -1.0),
        (2_000_000, -2.0 * 240.0 / 147.5),
    ];
    for (throttle, wanted) in table {
        let mut plant = steady();
        milliseconds(&mut plant, (NEUTRAL.0, throttle), 20_000);
        assert!(
            (plant.speed() - wanted).abs() < 1e-8,
            "{throttle} ns: {} m/s, wanted {wanted}",
            plant.speed()
        );
    }
}

#[test]
fn a_pulse_just_beyond_the_dead_band_creeps() {
    let mut plant = steady();
    milliseconds(&mut plant, (NEUTRAL.0, 1_435_900), 10_000);
    close(plant.speed(), 4.0 * 0.1 / 125.0, 1e-6, "speed");
}

#[test]
fn at_neutral_it_rolls_out_over_speed_times_time_constant() {
    let mut plant = steady();
    milliseconds(&mut plant, (NEUTRAL.0, 1_311_000), 10_000);
    close(plant.speed(), 4.0, 1e-9, "speed");
    let from = plant.pose().at.x;
    milliseconds(&mut plant, NEUTRAL, 10_000);
    assert_eq!(plant.speed(), 0.0, "it stands in the end");
    // 4 m/s * 0.6 s, less what is cut off at 1 mm/s.
    let rolled = plant.pose().at.x - from;
    assert!((rolled - (2.4 - 0.001 * 0.6)).abs() < 1e-5, "{rolled}");
}

#[test]
fn a_pulse_on_the_other_side_brakes_first_and_then_backs() {
    let mut plant = steady();
    milliseconds(&mut plant, (NEUTRAL.0, 1_311_000), 10_000);
    let from = plant.pose().at.x;
    let mut furthest = from;
    for _ in 0..5_000 {
        milliseconds(&mut plant, (NEUTRAL.0, 1_603_500), 1);
        furthest = plant.pose().at.x.max(furthest);
    }
    assert!((furthest - from - 4.0 * 0.15).abs() < 1e-3, "braked over {}", furthest - from);
    assert!((plant.speed() + 2.0).abs() < 1e-4, "{}", plant.speed());
}

#[test]
fn a_straight_line_stays_straight() {
    let mut plant = car();
    for _ in 0..100 {
        milliseconds(&mut plant, (NEUTRAL.0, 1_380_000), 100);
    }
    assert!(plant.pose().at.x > 15.0);
    assert_eq!((plant.pose().at.y, plant.pose().heading, plant.steering()), (0.0, 0.0, 0.0));
    let wheels = plant.wheels();
    let [front_left, front_right, rear_left, rear_right] = wheels;
    assert_eq!((front_left.y, rear_left.y, front_right.y, rear_right.y), (0.081, 0.081, -0.081, -0.081));
    close(front_left.x - rear_left.x, 0.164, 1e-12, "wheelbase");
    assert_eq!(plant.travelled(), plant.pose().at.x);
}

#[test]
fn fast_into_a_bend_runs_wide_by_the_grip() {
    let mut plant = steady();
    milliseconds(&mut plant, (NEUTRAL.0, 1_311_000), 10_000);
    let points = [(); 3].map(|()| {
        milliseconds(&mut plant, (1_700_000, 1_311_000), 300);
        plant.pose().at
    });
    // v² / a = 16 / 8.
    close(radius(points), 2.0, 1e-6, "radius");
}

#[test]
fn driving_drains_the_battery_and_an_empty_one_drives_no_more() {
    let full = (NEUTRAL.0, 1_311_000);
    let mut plant = car();
    milliseconds(&mut plant, NEUTRAL, 60_000);
    close(1.0 - plant.charge(), 60.0 / 14_400.0, 1e-6, "standing for a minute");
    assert_eq!(plant.battery(), 11);
    let mut level = 11;
    let mut speeds = Vec::new();
    let mut seconds = 0.0;
    while plant.charge() > 0.0 {
        let before = plant.charge();
        milliseconds(&mut plant, full, 1_000);
        seconds += 1.0;
        assert!(plant.charge() < before);
        assert!(plant.battery() == level || plant.battery() + 1 == level, "levels fall one by one");
        level = plant.battery();
        speeds.push(plant.speed());
        assert!(seconds < 1_300.0);
    }
    close(seconds, 1_200.0, 0.01, "a charge");
    assert_eq!((level, plant.charge()), (0, 0.0));
    close(speeds[10], 4.0, 0.01, "full");
    close(speeds[speeds.len() - 20], 0.8 * 4.0, 0.01, "nearly empty");
    assert!(speeds[10..].windows(2).all(|pair| pair[1] < pair[0]));
    milliseconds(&mut plant, full, 20_000);
    assert_eq!(plant.speed(), 0.0);
}

/// The plant knows no calibration: one that is wrong shows on the road.
#[test]
fn a_wrong_calibration_shows_as_a_car_that_creeps_and_does_not_turn() {
    let drive = |calibration: Calibration, command: Command| {
        let mut plant = car();
        plant.step(calibration.pulses(command), Span::from_millis(3_000));
        plant
    };
    let mut wrong = Calibration::factory();
    (wrong.servo.min, wrong.servo.mid, wrong.servo.max) = (1_440_000, 1_450_000, 1_460_000);
    wrong.motor.mid = 1_420_000;
    let left = Command { steering: Signed::ONE, throttle: Signed::ZERO };
    let good = drive(Calibration::factory(), left);
    assert_eq!((good.speed(), good.pose().at.x), (0.0, 0.0));
    close(good.steering().to_degrees(), 30.0, 1e-6, "lock");
    let bad = drive(wrong.checked().unwrap(), left);
    assert!(bad.speed() > 0.4, "it creeps: {} m/s at neutral", bad.speed());
    close(bad.steering().to_degrees(), 1.2, 1e-6, "10 of 250 µs");
    let turned = Calibration { servo: vehicle_points_turned(), ..Calibration::factory() };
    close(drive(turned, left).steering().to_degrees(), -30.0, 1e-6, "the wrong sign");
}

fn vehicle_points_turned() -> hairpin::vehicle::Points {
    hairpin::vehicle::Points { polarity: -1, ..Calibration::factory().servo }
}

#[test]
fn another_car_off_the_line_is_another_car_within_its_share() {
    let mut different = 0;
    for seed in 0..200 {
        let body = Body::default().varied(Seed::new(seed), 0.1);
        assert_eq!(body, Body::default().varied(Seed::new(seed), 0.1));
        different += u32::from(body != Body::default());
        for (saw, middle) in [
            (body.servo.lock, 30.0_f64.to_radians()),
            (body.servo.rate, 6.0),
            (body.motor.top_speed, 4.0),
            (body.motor.coast, 0.6),
        ] {
            assert!((saw / middle - 1.0).abs() <= 0.1 + 1e-12, "{saw} is not within 10 % of {middle}");
        }
        assert!((body.servo.centre - 1_450_000.0).abs() <= 5_000.0);
        assert!((9_000_000..=11_000_000).contains(&body.servo.delay.0));
    }
    assert_eq!(different, 200);
    assert_eq!(Body::default().varied(Seed::new(1), 0.0), Body::default());
}

/// A history of pulses: widths and how long each is held.
fn histories() -> impl Strategy<Value = Vec<((i64, i64), u64)>> {
    let pulse = || 900_000..2_100_000_i64;
    proptest::collection::vec(((pulse(), pulse()), 0..80_000_000_u64), 1..40)
}

fn drive(history: &[((i64, i64), u64)], pose: Pose) -> Plant {
    let mut plant = Plant::new(Body::default(), pose);
    for ((steering, throttle), ns) in history {
        plant.step(pulses(*steering, *throttle), Span(*ns));
    }
    plant
}

fn bits(plant: &Plant) -> [u64; 6] {
    let pose = plant.pose();
    [pose.at.x, pose.at.y, pose.heading, plant.speed(), plant.steering(), plant.charge()].map(f64::to_bits)
}

proptest! {
    #[test]
    fn the_result_does_not_depend_on_how_time_is_sliced(history in histories(), seed in any::<u64>()) {
        let whole = drive(&history, START);
        let mut seed = Seed::new(seed);
        let mut sliced = Vec::new();
        for (widths, mut left) in history {
            while left > 0 {
                let part = match seed.next_u64() % 4 {
                    0 => 0,
                    1 => seed.next_u64() % 1_000,
                    _ => seed.next_u64() % 5_000_000,
                };
                sliced.push((widths, part.min(left)));
                left -= part.min(left);
            }
        }
        prop_assert_eq!(bits(&drive(&sliced, START)), bits(&whole));
    }

    #[test]
    fn every_value_stays_finite_and_in_its_range(history in histories()) {
        let mut plant = car();
        for ((steering, throttle), ns) in history {
            plant.step(pulses(steering, throttle), Span(ns));
            let pose = plant.pose();
            prop_assert!(pose.at.x.is_finite() && pose.at.y.is_finite());
            prop_assert!(pose.heading.abs() <= std::f64::consts::PI);
            prop_assert!(plant.steering().abs() <= 30.0_f64.to_radians() + 1e-12);
            prop_assert!((-3.3..=7.7).contains(&plant.speed()));
            prop_assert!((0.0..=1.0).contains(&plant.charge()) && plant.battery() <= 11);
        }
    }

    #[test]
    fn left_is_right_in_the_mirror_to_the_bit(history in histories()) {
        let mirrored: Vec<_> = history
            .iter()
            .map(|((steering, throttle), ns)| {
                let width = i64::from(Pulse::clamped(*steering).ns()).clamp(1_200_000, 1_700_000);
                ((width, *throttle), (2_900_000 - width, *throttle), *ns)
            })
            .collect();
        let left: Vec<_> = mirrored.iter().map(|(one, _, ns)| (*one, *ns)).collect();
        let right: Vec<_> = mirrored.iter().map(|(_, other, ns)| (*other, *ns)).collect();
        let (left, right) = (drive(&left, START), drive(&right, START));
        let (a, b) = (left.pose(), right.pose());
        prop_assert_eq!((a.at.x, a.at.y, a.heading, left.speed()), (b.at.x, -b.at.y, -b.heading, right.speed()));
    }
}

/// The same bits in debug and release and on every machine: pinned.
#[test]
fn one_history_gives_these_bits() {
    let mut seed = Seed::new(5);
    let mut plant = car();
    for _ in 0..500 {
        let steering = 1_200_000 + (500_000.0 * seed.unit()) as i64;
        let throttle = 1_300_000 + (200_000.0 * seed.unit()) as i64;
        plant.step(pulses(steering, throttle), Span(seed.next_u64() % 60_000_000));
    }
    let saw = bits(&plant);
    let wanted = [
        4_616_219_835_149_851_359,
        13_837_635_423_719_744_120,
        4_608_243_520_898_419_270,
        4_609_597_794_193_056_294,
        13_819_967_838_752_425_706,
        4_607_132_928_783_981_625,
    ];
    assert_eq!(saw, wanted, "{:?} at {} m/s", plant.pose(), plant.speed());
}
