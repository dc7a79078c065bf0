//! The LiDAR: how far the boxes are around the car, as the network eats it.
//!
//! The frame is the car's (car.md §2.3): 0 degrees is its rear, positive is its right side, so the scan runs from the
//! front left (-150) over the left side, the rear and the right side to the front right (150); what is ahead lies in
//! the 60 degrees that are left out. Walls are not ranged: they stand further away than any clipping distance.

use super::obstacle::Obstacle;
use super::seed::Seed;
use crate::track::{Point, Pose};

/// Rays of a scan (training.md §1.3).
pub const RAYS: usize = 64;
/// Sectors of a sector scan.
pub const SECTORS: usize = 8;
/// Half of the scan in degrees.
const HALF: f64 = 150.0;
/// Metres ahead of the rear axle and above the ground: 0.029 m ahead of the chassis centre in training's model.
const MOUNT: (f64, f64) = (0.111, 0.185);
/// Metres that are ranged at all.
const RANGE: (f64, f64) = (0.15, 12.0);

/// A LiDAR.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lidar {
    /// What decides the noise, with the frame's number.
    pub seed: u64,
    /// Deviation of a range in metres; training's is 0.01.
    pub noise: f64,
    /// Distance that the network's values end at, in metres: 0.5 on the car, 1.0 in training (car.md §2.4).
    pub clip: f64,
}

impl Lidar {
    /// As the car feeds its network: clipped at 0.5 m.
    #[must_use]
    pub const fn car(seed: u64) -> Self {
        Self { seed, noise: 0.01, clip: 0.5 }
    }

    /// As training does: clipped at 1.0 m.
    #[must_use]
    pub const fn training(seed: u64) -> Self {
        Self { seed, noise: 0.01, clip: 1.0 }
    }

    /// What scan number `frame` of a car at `pose` measures: metres, 0.15 to 12; infinite where nothing is. Ray `n`
    /// looks 150 * (2n / 63 - 1) degrees from the rear, positive to the right.
    #[must_use]
    pub fn ranges(&self, pose: Pose, obstacles: &[Obstacle], frame: u64) -> [f64; RAYS] {
        let (sin, cos) = (libm::sin(pose.heading), libm::cos(pose.heading));
        let (ahead, up) = MOUNT;
        let from = Point { x: pose.at.x + ahead * cos, y: pose.at.y + ahead * sin };
        let mut dice = Seed::new(self.seed).fork(frame);
        std::array::from_fn(|ray| {
            let angle = pose.heading + std::f64::consts::PI + bearing(ray).to_radians();
            let way = [libm::cos(angle), libm::sin(angle), 0.0];
            let noise = dice.normal() * self.noise;
            let hits = obstacles.iter().filter_map(|obstacle| obstacle.hit(from, up, way));
            let far = hits.map(|hit| hit.far).fold(f64::INFINITY, f64::min);
            if far <= RANGE.1 { (far + noise).clamp(RANGE.0, RANGE.1) } else { f64::INFINITY }
        })
    }

    /// `LIDAR`: 64 distances in metres, 0.15 to the clip.
    #[must_use]
    pub fn scan(&self, pose: Pose, obstacles: &[Obstacle], frame: u64) -> [f32; RAYS] {
        #[expect(clippy::cast_possible_truncation, reason = "the network's own precision")]
        self.ranges(pose, obstacles, frame).map(|far| far.min(self.clip) as f32)
    }

    /// `SECTOR_LIDAR`: 1 where anything in a sector of eight rays is nearer than 0.5 m, else 0 (car.md §2.4).
    #[must_use]
    pub fn sectors(&self, pose: Pose, obstacles: &[Obstacle], frame: u64) -> [f32; SECTORS] {
        let ranges = self.ranges(pose, obstacles, frame);
        let mut sectors = [0.0; SECTORS];
        for (sector, rays) in sectors.iter_mut().zip(ranges.chunks_exact(RAYS / SECTORS)) {
            if rays.iter().any(|far| *far < 0.5) {
                *sector = 1.0;
            }
        }
        sectors
    }
}

/// Degrees from the rear that a ray looks, positive to the right.
#[expect(clippy::cast_precision_loss, reason = "at most 63")]
fn bearing(ray: usize) -> f64 {
    HALF * (2.0 * ray as f64 / (RAYS - 1) as f64 - 1.0)
}
