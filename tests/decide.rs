//! Scores to wish against the stock navigation's rules (car.md §5), computed here from their statement: the first
//! maximum, clamp and scale, the steering ratio, and the parabola through (0, 0), (vmax/2, 0.8) and (vmax, 1).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use hairpin::domain::{Action, ActionSpace, ContinuousSpace, Scores, Squash};
use hairpin::policy::choose::{Bound, choose, first_maximum};
use hairpin::policy::law::Law;
use hairpin::units::{Degrees, MetresPerSecond};

fn action(steering: f64, speed: f64) -> Action {
    Action { steering: Degrees::new(steering).unwrap(), speed: MetresPerSecond::new(speed).unwrap() }
}

fn discrete() -> ActionSpace {
    ActionSpace::Discrete(vec![action(-30.0, 0.5), action(0.0, 1.0), action(15.0, 2.0), action(20.0, 0.0)])
}

fn continuous(low: f64, high: f64) -> ActionSpace {
    let (degrees, speed) = (|x| Degrees::new(x).unwrap(), |x| MetresPerSecond::new(x).unwrap());
    ActionSpace::Continuous(ContinuousSpace {
        steering_low: degrees(low),
        steering_high: degrees(high),
        speed_low: speed(0.5),
        speed_high: speed(4.0),
    })
}

fn scores(values: &[f32]) -> Scores {
    Scores::new(values).unwrap()
}

#[test]
fn the_first_maximum_wins() {
    assert_eq!(first_maximum(&[0.1, 0.4, 0.4, 0.1]), Some(1));
    assert_eq!(first_maximum(&[-3.0, -2.0, -2.0]), Some(1));
    assert_eq!(first_maximum(&[]), None);
    assert_eq!(choose(&scores(&[0.1, 0.2, 0.6, 0.1]), &discrete(), Bound::Clamp), Some(action(15.0, 2.0)));
}

#[test]
fn what_is_not_a_number_or_not_of_the_space_is_refused() {
    for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
        for place in 0..4 {
            let mut values = [0.25; 4];
            values[place] = bad;
            assert_eq!(choose(&scores(&values), &discrete(), Bound::Clamp), None, "{bad} at {place}");
        }
        assert_eq!(choose(&scores(&[0.0, bad]), &continuous(-30.0, 30.0), Bound::Tanh), None);
    }
    assert_eq!(choose(&scores(&[0.5; 3]), &discrete(), Bound::Clamp), None);
    assert_eq!(choose(&scores(&[0.5; 3]), &continuous(-30.0, 30.0), Bound::Clamp), None);
    assert_eq!(choose(&Scores::NONE, &discrete(), Bound::Clamp), None);
    assert!(Scores::new(&[0.0; 129]).is_none());
}

#[test]
fn continuous_outputs_are_clamped_and_scaled() {
    let at = |steering: f32, speed: f32, bound| {
        let chosen = choose(&scores(&[steering, speed]), &continuous(-20.0, 30.0), bound).unwrap();
        (chosen.steering.get(), chosen.speed.get())
    };
    assert_eq!(at(-1.0, -1.0, Bound::Clamp), (-20.0, 0.5));
    assert_eq!(at(1.0, 1.0, Bound::Clamp), (30.0, 4.0));
    assert_eq!(at(7.0, -7.0, Bound::Clamp), (30.0, 0.5));
    assert_eq!(at(0.0, 0.0, Bound::Clamp), (5.0, 2.25));
    // SAC as trained: the mean goes through tanh, tanh(0.5) = 0.46211715726000975.
    let (steering, speed) = at(0.5, 0.5, Bound::Tanh);
    assert!((steering - (5.0 + 25.0 * 0.462_117_157_26)).abs() < 1e-5, "{steering}");
    assert!((speed - (2.25 + 1.75 * 0.462_117_157_26)).abs() < 1e-6, "{speed}");
    // Only SAC, and only where it is asked for.
    assert_eq!(Bound::of(Squash::AsTrained, "sac"), Bound::Tanh);
    assert_eq!(Bound::of(Squash::AsTrained, "clipped_ppo"), Bound::Clamp);
    assert_eq!(Bound::of(Squash::Stock, "sac"), Bound::Clamp);
}

#[test]
fn steering_is_a_share_of_the_largest_angle() {
    let law = Law::new(&discrete());
    for (steering, share) in [(-30.0, -1.0), (15.0, 0.5), (20.0, 20.0_f64 / 30.0), (0.0, 0.0)] {
        let wished = law.wish(action(steering, 1.0), 50);
        #[expect(clippy::cast_possible_truncation, reason = "the message is a float32")]
        let wanted = share as f32;
        assert_eq!(wished.command.steering.get(), wanted);
        assert!(!wished.clamped);
    }
    // |low| > high: the stock servo drops -1.2 and holds the last pulse; here it is full lock, and said.
    let wished = Law::new(&continuous(-36.0, 30.0)).wish(action(-36.0, 1.0), 50);
    assert_eq!((wished.command.steering.get(), wished.clamped), (-1.0, true));
}

#[test]
fn throttle_is_the_parabola_times_the_scale() {
    let law = Law::new(&discrete());
    let throttle = |speed: f64, percent: u8| law.wish(action(0.0, speed), percent).command.throttle.get();
    // vmax is 2: half of it maps to 0.8, all of it to 1.
    assert!((throttle(2.0, 100) - 1.0).abs() < 1e-6);
    assert!((throttle(1.0, 100) - 0.8).abs() < 1e-6);
    assert_eq!(throttle(0.0, 100), 0.0);
    for percent in 0..=100_u8 {
        for step in 0..=40_u32 {
            let v = f64::from(step) / 20.0;
            let share = v / 2.0;
            let wanted = f64::from(percent) / 100.0 * (-1.2 * share * share + 2.2 * share).clamp(-1.0, 1.0);
            let saw = f64::from(throttle(v, percent));
            assert!((saw - wanted).abs() < 2e-7, "{percent} % of {v} m/s: {saw} against {wanted}");
        }
    }
    assert_eq!(throttle(2.0, 0), 0.0);
    assert_eq!(throttle(2.0, 255), throttle(2.0, 100));
}
