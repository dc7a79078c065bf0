//! The simulated LiDAR against boxes whose distances are known without it, and its frame: 0 is the car's rear.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use hairpin::sim::lidar::{Lidar, RAYS};
use hairpin::sim::obstacle::Obstacle;
use hairpin::track::{Point, Pose};

/// Where the LiDAR is on a car at the origin that looks along +x.
const MOUNT: f64 = 0.111;

fn still() -> Lidar {
    Lidar { seed: 1, noise: 0.0, clip: 1.0 }
}

fn at(x: f64, y: f64, heading: f64) -> Pose {
    Pose { at: Point::new(x, y), heading }
}

fn block(x: f64, y: f64, length: f64, width: f64) -> Obstacle {
    Obstacle { pose: at(x, y, 0.0), length, width, height: 0.3, colour: [200; 3] }
}

/// Degrees from the rear, positive to the right, of a ray.
fn degrees(ray: usize) -> f64 {
    -150.0 + 300.0 * ray as f64 / 63.0
}

/// A long wall at 0.40 m beside the car, left or right: every ray that meets its face measures 0.40 / cos(off).
#[test]
fn a_wall_beside_the_car_is_ranged_by_the_cosine() {
    for side in [1.0, -1.0] {
        let wall = block(MOUNT, side * (0.40 + 0.05), 20.0, 0.10);
        let ranges = still().ranges(at(0.0, 0.0, 0.0), &[wall], 0);
        let mut met = 0;
        for (ray, range) in ranges.iter().enumerate() {
            // The left side is -90 degrees.
            let off = (degrees(ray) + side * 90.0).to_radians();
            let wanted = 0.40 / off.cos();
            if off.cos() > 0.0 && wanted < 9.0 {
                assert!((range - wanted).abs() < 1e-9, "ray {ray}: {range}, wanted {wanted}");
                met += 1;
            }
            if off.cos() < 0.0 {
                assert!(range.is_infinite(), "ray {ray} sees through the car");
            }
        }
        assert!(met > 20, "only {met} rays met the wall");
    }
}

/// A box behind, turned with the car: the frame is the car's, wherever that is and looks.
#[test]
fn the_frame_turns_with_the_car() {
    let base = still().ranges(at(0.0, 0.0, 0.0), &[block(-0.60, 0.0, 0.2, 0.3)], 0);
    let middle = f64::midpoint(base[31], base[32]);
    let wanted = (0.50 + MOUNT) / degrees(32).to_radians().cos();
    assert!((middle - wanted).abs() < 1e-9, "{middle}, wanted {wanted}");
    for heading in [0.7, 2.0, -2.5] {
        let (sin, cos) = (f64::sin(heading), f64::cos(heading));
        let moved =
            Obstacle { pose: at(3.0 - 0.6 * cos, -2.0 - 0.6 * sin, heading), ..block(0.0, 0.0, 0.2, 0.3) };
        let ranges = still().ranges(at(3.0, -2.0, heading), &[moved], 0);
        for (one, other) in base.iter().zip(ranges) {
            assert!(
                (one - other).abs() < 1e-9 || (one.is_infinite() && other.is_infinite()),
                "{one} {other}"
            );
        }
    }
}

/// What lies in the 60 degrees ahead is not seen; just outside of them it is.
#[test]
fn the_front_is_left_out() {
    let ahead = block(MOUNT + 0.5, 0.0, 0.1, 0.2);
    assert!(still().ranges(at(0.0, 0.0, 0.0), &[ahead], 0).iter().all(|range| range.is_infinite()));
    // 35 degrees to the left of the nose: the first rays, which begin at 30.
    let (sin, cos) = 35.0_f64.to_radians().sin_cos();
    let left = still().ranges(at(0.0, 0.0, 0.0), &[block(MOUNT + 0.5 * cos, 0.5 * sin, 0.05, 0.05)], 0);
    let seen: Vec<usize> = (0..RAYS).filter(|ray| left[*ray].is_finite()).collect();
    assert!(!seen.is_empty() && seen.iter().all(|ray| *ray < 4), "{seen:?}");
}

#[test]
fn the_network_gets_clipped_metres_or_sectors() {
    let obstacles = [block(MOUNT, 0.40, 0.15, 0.2), block(MOUNT - 0.9, 0.0, 0.2, 0.2)];
    let pose = at(0.0, 0.0, 0.0);
    let (training, car) = (Lidar { noise: 0.0, ..Lidar::training(1) }, Lidar { noise: 0.0, ..Lidar::car(1) });
    let (far, near) = (training.scan(pose, &obstacles, 0), car.scan(pose, &obstacles, 0));
    assert!(
        far.iter().all(|value| (0.15..=1.0).contains(value))
            && near.iter().all(|value| (0.15..=0.5).contains(value))
    );
    // The box behind stands 0.8 m away: seen in training, clipped on the car.
    assert!((far[31] - 0.8).abs() < 0.01 && near[31] >= 0.5, "{} {}", far[31], near[31]);
    // The box on the left is 0.3 m away at -90 degrees: rays 8 to 15 are the second sector from the front left.
    let sectors = car.sectors(pose, &obstacles, 0);
    assert_eq!(sectors.map(|sector| sector > 0.0), [false, true, false, false, false, false, false, false]);
    assert_eq!(car.sectors(pose, &[], 0).iter().sum::<f32>().to_bits(), 0.0_f32.to_bits());
}

#[test]
fn a_ray_passes_over_what_is_lower_than_the_lidar_and_never_reads_under_15_cm() {
    let mut low = block(MOUNT, 0.4, 0.3, 0.2);
    low.height = 0.10;
    assert!(still().ranges(at(0.0, 0.0, 0.0), &[low], 0).iter().all(|range| range.is_infinite()));
    let close = still().ranges(at(0.0, 0.0, 0.0), &[block(MOUNT, 0.15, 0.4, 0.2)], 0);
    let least = close.iter().copied().fold(f64::INFINITY, f64::min);
    assert!((least - 0.15).abs() < 1e-12, "{least}");
}

#[test]
fn noise_is_seeded_and_has_its_deviation() {
    let wall = [block(MOUNT, 0.65, 40.0, 0.10)];
    let lidar = Lidar::training(9);
    let pose = at(0.0, 0.0, 0.0);
    let exact = still().ranges(pose, &wall, 0);
    assert_eq!(lidar.scan(pose, &wall, 3).map(f32::to_bits), lidar.scan(pose, &wall, 3).map(f32::to_bits));
    assert_ne!(lidar.scan(pose, &wall, 3).map(f32::to_bits), lidar.scan(pose, &wall, 4).map(f32::to_bits));
    let (mut count, mut sum, mut square) = (0.0, 0.0, 0.0);
    for frame in 0..200 {
        for (range, exact) in lidar.ranges(pose, &wall, frame).iter().zip(exact) {
            if exact < 11.0 {
                let off = range - exact;
                (count, sum, square) = (count + 1.0, sum + off, square + off * off);
            }
        }
    }
    let (mean, deviation) = (sum / count, f64::sqrt(square / count));
    assert!(mean.abs() < 0.0005 && (deviation - 0.01).abs() < 0.0004, "mean {mean}, deviation {deviation}");
}
