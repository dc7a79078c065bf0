//! Boxes on the track: seen by the camera, ranged by the LiDAR. Upright and standing on the ground; nothing here moves
//! or collides.

use super::seed::Seed;
use crate::track::{Point, Pose, Track};

/// A box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Obstacle {
    /// The middle of its foot, and the way that its length points.
    pub pose: Pose,
    /// Metres along its heading.
    pub length: f64,
    /// Metres across.
    pub width: f64,
    /// Metres up.
    pub height: f64,
    /// R, G, B.
    pub colour: [u8; 3],
}

/// Where a ray enters a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// The distance, in lengths of the ray's direction.
    pub far: f64,
    /// The face: 0 for front and back, 1 for the sides, 2 for top and bottom.
    pub face: usize,
}

impl Obstacle {
    /// A cardboard box of 0.40 x 0.30 x 0.25 m, about what races put on a track; assumed, not measured.
    #[must_use]
    pub fn cardboard(pose: Pose) -> Self {
        Self { pose, length: 0.40, width: 0.30, height: 0.25, colour: [176, 134, 88] }
    }

    /// So many of them at equal distances along a track, on the side that `seed` says, half on the road and half beside
    /// it; the first as far from the start as from the second.
    #[must_use]
    pub fn beside(track: &Track, count: u32, seed: Seed) -> Vec<Self> {
        let mut seed = seed;
        let step = track.length() / f64::from(count.max(1));
        let place = |index: u32| {
            let pose = track.at((f64::from(index) + 0.5) * step);
            let side = 0.5 * track.place(pose.at).width;
            let left = if seed.unit() < 0.5 { side } else { -side };
            Self::cardboard(Pose { at: pose.point(0.0, left), ..pose })
        };
        (0..count).map(place).collect()
    }

    /// Where the ray from `from`, `up` metres above the ground, along `way` (x, y, z) enters it from outside; `None` if
    /// it passes, leads away, or starts inside.
    #[must_use]
    pub fn hit(&self, from: Point, up: f64, way: [f64; 3]) -> Option<Hit> {
        let (sin, cos) = (libm::sin(self.pose.heading), libm::cos(self.pose.heading));
        let (x, y) = (from.x - self.pose.at.x, from.y - self.pose.at.y);
        let [wx, wy, wz] = way;
        let slabs = [
            (x * cos + y * sin, wx * cos + wy * sin, -self.length / 2.0, self.length / 2.0),
            (y * cos - x * sin, wy * cos - wx * sin, -self.width / 2.0, self.width / 2.0),
            (up, wz, 0.0, self.height),
        ];
        let (mut enter, mut leave, mut face) = (f64::NEG_INFINITY, f64::INFINITY, 0);
        for (axis, (at, step, low, high)) in slabs.into_iter().enumerate() {
            if step.abs() < 1e-12 {
                if at < low || at > high {
                    return None;
                }
                continue;
            }
            let (one, two) = ((low - at) / step, (high - at) / step);
            let (near, far) = if one < two { (one, two) } else { (two, one) };
            if near > enter {
                (enter, face) = (near, axis);
            }
            leave = leave.min(far);
        }
        (enter > 0.0 && enter < leave).then_some(Hit { far: enter, face })
    }

    /// Its eight corners: x, y in the world, z up.
    #[must_use]
    pub fn corners(&self) -> [(Point, f64); 8] {
        let (sin, cos) = (libm::sin(self.pose.heading), libm::cos(self.pose.heading));
        std::array::from_fn(|n| {
            let side = |bit: usize| if n & bit == 0 { -0.5 } else { 0.5 };
            let (along, across) = (side(1) * self.length, side(2) * self.width);
            let at = Point {
                x: self.pose.at.x + along * cos - across * sin,
                y: self.pose.at.y + along * sin + across * cos,
            };
            (at, if n & 4 == 0 { 0.0 } else { self.height })
        })
    }
}
