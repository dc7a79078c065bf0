//! Where every pixel looks, in the car's frame: made once for a size, since the camera does not move on the car.

use crate::domain::Size;
use crate::sim::lens::{Lens, Ray};
use crate::sim::surface::steps;

/// Ground further away than this, in metres, is horizon.
const HORIZON: f64 = 60.0;
/// The widest soft edge, in cells; `surface` keeps half of it clear.
const SOFTEST: f64 = 1.5;
/// A pixel that is deeper than this on the ground, in cells, is seen by several rays.
const DEEP: f64 = 2.0;
/// The most rays of one pixel.
const MOST: u32 = 3;

/// One ray of one pixel, from the camera, car's frame.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sight {
    /// Ahead to where it meets the ground, in steps of a place; of a ray that does not, its direction, a metre long.
    pub(super) ahead: i32,
    /// To the left, likewise.
    pub(super) left: i32,
    /// Metres up on the way there.
    pub(super) up: f32,
    /// Whether it meets the ground.
    pub(super) down: bool,
    /// Cells, ahead and left, from this pixel's place on the ground to that of the next in the row.
    pub(super) across: [f32; 2],
    /// Likewise to the next row (or ray).
    pub(super) along: [f32; 2],
    /// No edge is drawn wider than twice this, in cells.
    pub(super) reach: f32,
    /// How much of a texture is left at this distance, 0 to 1.
    pub(super) crisp: f32,
    /// Metres up in a metre forward.
    pub(super) slope: f32,
    /// Its bearing to the left of the heading in 65536ths of a turn.
    pub(super) bearing: u16,
}

/// The rays of one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Its first ray.
    pub(super) start: usize,
    /// Rays of each of its pixels.
    pub(super) rays: usize,
}

/// All rays of a picture.
#[derive(Clone, Debug)]
pub(super) struct Table {
    size: Size,
    per_metre: f64,
    pub(super) rows: Vec<Row>,
    pub(super) sights: Vec<Sight>,
}

impl Table {
    /// The rays of a lens in a picture of `size` of a ground with `per_metre` cells in a metre; edges are `softness`
    /// pixels wide.
    pub(super) fn new(lens: &Lens, size: Size, softness: f64, per_metre: f64) -> Self {
        let eye = Aim { lens, size, softness, per_metre };
        let (mut rows, mut sights) = (Vec::new(), Vec::new());
        for row in 0..size.height {
            let v = f64::from(row);
            let rays = (0..size.width).map(|column| eye.depth(f64::from(column) + 0.5, v)).max().unwrap_or(1);
            rows.push(Row { start: sights.len(), rays: rays as usize });
            for column in 0..size.width {
                for ray in 0..rays {
                    let step = 1.0 / f64::from(rays);
                    let at = (f64::from(column) + 0.5, v + (f64::from(ray) + 0.5) * step);
                    sights.push(eye.sight(at, step));
                }
            }
        }
        Self { size, per_metre, rows, sights }
    }

    /// The size that it is for.
    pub(super) const fn size(&self) -> Size {
        self.size
    }

    /// Cells in a metre.
    pub(super) const fn per_metre(&self) -> f64 {
        self.per_metre
    }

    /// The rays of one pixel.
    pub(super) fn pixel(&self, column: usize, row: usize) -> &[Sight] {
        let Some(Row { start, rays }) = self.rows.get(row).copied() else { return &[] };
        let first = start + column * rays;
        self.sights.get(first..first + rays).unwrap_or(&[])
    }
}

/// What a table is made for.
struct Aim<'a> {
    lens: &'a Lens,
    size: Size,
    softness: f64,
    per_metre: f64,
}

impl Aim<'_> {
    /// Where the point (`u`, `v`) meets the ground, in cells ahead and left of the camera.
    fn landing(&self, u: f64, v: f64) -> Option<(f64, f64)> {
        let ray = self.lens.ray(u, v, self.size);
        let far = self.lens.height / -ray.up;
        let cells = far * self.per_metre;
        (ray.up < 0.0 && far * flat(ray) < HORIZON).then_some((cells * ray.ahead, cells * ray.left))
    }

    /// How many rays the pixel between `v` and the next row wants.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    fn depth(&self, u: f64, v: f64) -> u32 {
        let (Some(top), Some(bottom)) = (self.landing(u, v), self.landing(u, v + 1.0)) else { return 1 };
        let (x, y) = (top.0 - bottom.0, top.1 - bottom.1);
        ((x * x + y * y).sqrt() / DEEP).ceil().clamp(1.0, f64::from(MOST)) as u32
    }

    /// The way on the ground, in cells, from half of (`du`, `dv`) before a point to as much behind it, for a soft edge.
    fn reach(&self, (u, v): (f64, f64), (du, dv): (f64, f64)) -> [f64; 2] {
        let ends = [-0.5, 0.5].map(|side| self.landing(u + side * du, v + side * dv));
        let [Some(one), Some(two)] = ends else { return [SOFTEST, 0.0] };
        let (x, y) = ((two.0 - one.0) * self.softness, (two.1 - one.1) * self.softness);
        let shrink = SOFTEST / (x * x + y * y).sqrt().max(SOFTEST);
        [x * shrink, y * shrink]
    }

    /// The ray at (`u`, `v`), one of several `step` rows apart.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a picture's precision; turns wrap"
    )]
    fn sight(&self, (u, v): (f64, f64), step: f64) -> Sight {
        let ray = self.lens.ray(u, v, self.size);
        let flat = flat(ray);
        let turns = libm::atan2(ray.left, ray.ahead) / (2.0 * std::f64::consts::PI);
        let ground = self.landing(u, v);
        let away = (ray.ahead / flat * self.per_metre, ray.left / flat * self.per_metre);
        let (ahead, left) = ground.unwrap_or(away);
        let (across, along) = (self.reach((u, v), (1.0, 0.0)), self.reach((u, v), (0.0, step)));
        let [coarse, deep] = [across, along].map(|[x, y]| (x * x + y * y).sqrt());
        Sight {
            ahead: steps(ahead) as i32,
            left: steps(left) as i32,
            up: if ground.is_some() { -self.lens.height as f32 } else { (ray.up / flat) as f32 },
            down: ground.is_some(),
            across: across.map(|cells| cells as f32),
            along: along.map(|cells| cells as f32),
            reach: f64::midpoint(coarse, deep).clamp(1e-4, SOFTEST / 2.0) as f32,
            crisp: (0.5 / (coarse + 0.5 * deep).max(0.5)) as f32,
            slope: (ray.up / flat) as f32,
            bearing: (turns * 65_536.0).round() as i64 as u16,
        }
    }
}

/// A ray's length over the ground.
fn flat(ray: Ray) -> f64 {
    (ray.ahead * ray.ahead + ray.left * ray.left).sqrt().max(1e-9)
}
