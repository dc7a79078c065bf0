//! Boxes in the picture, painted over the ground: only where a box can be, moment by moment of the exposure.

use super::shade::Scene;
use super::stand::{Stand, Stands};
use super::table::{Sight, Table};
use crate::domain::Size;
use crate::sim::lens::Lens;
use crate::sim::obstacle::Obstacle;
use crate::sim::surface::ONE;

/// Light on the faces: front and back, sides, top.
const SHADES: [f32; 3] = [0.85, 0.65, 1.0];

/// Cells in a step of a place.
#[expect(clippy::cast_precision_loss, reason = "a power of two")]
const STEP: f64 = 1.0 / ONE as f64;

/// Paints boxes over `light`, the furthest first.
pub(super) fn paint<const C: usize>(
    scene: &Scene<C>,
    obstacles: &mut [Obstacle],
    lens: &Lens,
    table: &Table,
    stands: &Stands,
    light: &mut [f32],
) {
    let Some(first) = stands.all().first() else { return };
    obstacles.sort_unstable_by(|one, other| {
        let far = |obstacle: &Obstacle| obstacle.pose.at.distance(first.at);
        far(other).total_cmp(&far(one))
    });
    for obstacle in obstacles.iter() {
        let Some(frame) = Bounds::of(obstacle, lens, stands.all(), table.size()) else { continue };
        let colour = obstacle.colour.map(f32::from);
        let faces = SHADES.map(|shade| scene.ink(colour.map(|part| part * shade)));
        let target = Target { obstacle, faces, up: lens.height, step: STEP / table.per_metre() };
        for row in frame.top..frame.bottom {
            for column in frame.left..frame.right {
                let first = (row * table.size().width as usize + column) * C;
                let Some(pixel) = light.get_mut(first..first + C) else { continue };
                cover(pixel, table.pixel(column, row), stands.all(), &target);
            }
        }
    }
}

/// Covers one pixel by as many of its rays as hit.
fn cover<const C: usize>(pixel: &mut [f32], sights: &[Sight], stands: &[Stand], target: &Target<'_, C>) {
    let count = sights.len().max(stands.len());
    #[expect(clippy::cast_precision_loss, reason = "at most 8")]
    let share = 1.0 / count as f32;
    let (mut seen, mut hits) = ([0.0; C], 0.0);
    for (sight, stand) in sights.iter().cycle().zip(stands.iter().cycle()).take(count) {
        let [ahead, left] = [sight.ahead, sight.left].map(|way| f64::from(way) * target.step);
        let (sin, cos) = (libm::sin(stand.heading), libm::cos(stand.heading));
        let way = [ahead * cos - left * sin, ahead * sin + left * cos, f64::from(sight.up)];
        let Some(hit) = target.obstacle.hit(stand.at, target.up, way) else { continue };
        if let Some(face) = target.faces.get(hit.face) {
            for (seen, face) in seen.iter_mut().zip(face) {
                *seen += face * share;
            }
            hits += share;
        }
    }
    if hits > 0.0 {
        for (value, seen) in pixel.iter_mut().zip(seen) {
            *value = *value * (1.0 - hits) + seen;
        }
    }
}

/// A box to be hit.
struct Target<'a, const C: usize> {
    obstacle: &'a Obstacle,
    faces: [[f32; C]; 3],
    /// The lens, in metres above the ground.
    up: f64,
    /// Metres in a step of a place.
    step: f64,
}

/// The pixels that a box can be in.
struct Bounds {
    left: usize,
    right: usize,
    top: usize,
    bottom: usize,
}

impl Bounds {
    /// Around its corners at every moment; the whole picture where one is behind the lens; `None` where all are.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the picture")]
    fn of(obstacle: &Obstacle, lens: &Lens, stands: &[Stand], size: Size) -> Option<Self> {
        let (mut left, mut right, mut top, mut bottom) = (f64::INFINITY, 0.0_f64, f64::INFINITY, 0.0_f64);
        let (mut ahead_of_lens, mut behind) = (false, false);
        for stand in stands {
            let (sin, cos) = (libm::sin(stand.heading), libm::cos(stand.heading));
            for (corner, up) in obstacle.corners() {
                let (x, y) = (corner.x - stand.at.x, corner.y - stand.at.y);
                let (ahead, aside) = (x * cos + y * sin + lens.ahead, y * cos - x * sin);
                if let Some((u, v)) = lens.pixel_above(ahead, aside, up, size) {
                    ahead_of_lens = true;
                    (left, right, top, bottom) = (left.min(u), right.max(u), top.min(v), bottom.max(v));
                } else {
                    behind = true;
                }
            }
        }
        let (width, height) = (f64::from(size.width), f64::from(size.height));
        if behind {
            (left, right, top, bottom) = (0.0, width, 0.0, height);
        }
        let within = |at: f64, most: f64| at.clamp(0.0, most) as usize;
        ahead_of_lens.then(|| Self {
            left: within(left - 1.0, width),
            right: within(right + 2.0, width),
            top: within(top - 1.0, height),
            bottom: within(bottom + 2.0, height),
        })
    }
}
