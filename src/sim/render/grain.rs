//! Everything that is random in a picture, drawn once from the seed: a tile of texture that covers the ground, the
//! light's unevenness, and a strip of normal numbers that every frame enters at another place.

use crate::sim::seed::Seed;
use crate::sim::surface::ONE;

/// Side of the tile, in texels of a quarter of a cell (5 mm).
const SIDE: usize = 256;
/// Bits of a place within a texel.
const TEXEL: u32 = ONE.ilog2() - 2;
/// Numbers in the strip.
const STRIP: usize = 1 << 16;
/// Stored steps in one deviation.
const STEPS: f32 = 28.0;
/// Cells between the corners of the light's unevenness.
const PATCH: f32 = 40.0;

/// The seed's draws.
#[derive(Clone, Debug)]
pub(in crate::sim) struct Grain {
    seed: Seed,
    tile: Vec<i8>,
    strip: Vec<i8>,
}

impl Grain {
    /// Draws everything.
    pub(super) fn new(seed: u64) -> Self {
        let seed = Seed::new(seed);
        let mut noise = seed.fork(1);
        let strip = (0..STRIP).map(|_| byte(noise.normal() * f64::from(STEPS))).collect();
        Self { seed, tile: tile(seed.fork(2)), strip }
    }

    /// The ground's texture at a place, -1 to 1 and seldom far from 0.
    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "wraps around on purpose")]
    pub(super) fn texture(&self, x: i64, y: i64) -> f32 {
        let (column, row) = ((x >> TEXEL) as usize % SIDE, (y >> TEXEL) as usize % SIDE);
        f32::from(self.tile.get(row * SIDE + column).copied().unwrap_or(0)) * (1.0 / 127.0)
    }

    /// How bright it is at a place in cells: 128 in the mean, `amount` of it uneven, times `gain`.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "within 0..=255 by construction"
    )]
    pub(in crate::sim) fn light(&self, x: f32, y: f32, amount: f64, gain: f64) -> u8 {
        let (x, y) = (f64::from(x / PATCH), f64::from(y / PATCH));
        let (column, row) = (x as u64, y as u64);
        let corner = |dx: u64, dy: u64| self.seed.fork(3).fork(column + dx).fork(row + dy).unit();
        if amount <= 0.0 {
            return (128.0 * gain).round() as u8;
        }
        let (fx, fy) = (eased(x - x.floor()), eased(y - y.floor()));
        let low = corner(0, 0) + (corner(1, 0) - corner(0, 0)) * fx;
        let high = corner(0, 1) + (corner(1, 1) - corner(0, 1)) * fx;
        let uneven = 1.0 + amount.clamp(0.0, 0.9) * (2.0 * (low + (high - low) * fy) - 1.0);
        (128.0 * uneven * gain).round() as u8
    }

    /// The strip from where row `row` of frame `frame` enters it.
    #[expect(clippy::cast_possible_truncation, reason = "any place in the strip will do")]
    pub(super) fn noise(&self, frame: u64, row: u64) -> Noise<'_> {
        Noise { strip: &self.strip, at: self.seed.fork(4).fork(frame).fork(row).next_u64() as usize }
    }
}

/// Normal numbers in deviations, without end.
#[derive(Clone, Debug)]
pub(super) struct Noise<'a> {
    strip: &'a [i8],
    at: usize,
}

impl Noise<'_> {
    /// The next one.
    #[inline]
    pub(super) fn next(&mut self) -> f32 {
        self.at = self.at.wrapping_add(1);
        f32::from(self.strip.get(self.at % STRIP).copied().unwrap_or(0)) * (1.0 / STEPS)
    }
}

/// A smooth step from 0 to 1.
fn eased(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}

#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
fn byte(value: f64) -> i8 {
    value.clamp(-127.0, 127.0).round() as i8
}

/// Three layers of value noise that join at the tile's edges: 1 cm, 4 cm and 16 cm.
fn tile(seed: Seed) -> Vec<i8> {
    let mut sum = vec![0.0; SIDE * SIDE];
    for (layer, (step, weight)) in [(2, 0.55), (8, 0.30), (32, 0.25)].into_iter().enumerate() {
        let count = SIDE / step;
        let mut dice = seed.fork(layer as u64);
        let lattice: Vec<f64> = (0..count * count).map(|_| 2.0 * dice.unit() - 1.0).collect();
        let corner = |x: usize, y: usize| lattice.get(y % count * count + x % count).copied().unwrap_or(0.0);
        for (at, slot) in sum.iter_mut().enumerate() {
            let (x, y) = (at % SIDE, at / SIDE);
            let (column, row) = (x / step, y / step);
            let (fx, fy) = (eased(share(x % step, step)), eased(share(y % step, step)));
            let low = corner(column, row) + (corner(column + 1, row) - corner(column, row)) * fx;
            let high = corner(column, row + 1) + (corner(column + 1, row + 1) - corner(column, row + 1)) * fx;
            *slot += weight * (low + (high - low) * fy);
        }
    }
    sum.into_iter().map(|value| byte(value * 127.0)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "at most 32")]
fn share(at: usize, of: usize) -> f64 {
    at as f64 / of as f64
}
