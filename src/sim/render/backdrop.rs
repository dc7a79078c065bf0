//! What is behind the walls: a sky, or a hall with lamps and pillars. Infinitely far away: it turns with the car and
//! does not come closer.

use crate::sim::look::{Background, Look};
use crate::sim::seed::Seed;

/// Columns around the horizon; a power of two.
const AROUND: usize = 2048;
/// Rows from the horizon up to a slope of 1.
const UP: u16 = 128;

/// The background in `C` channels.
#[derive(Clone, Debug)]
pub(super) enum Backdrop<const C: usize> {
    /// At the horizon, and by how much it changes up to a slope of 1.
    Sky([f32; C], [f32; C]),
    /// A picture of the hall, bearing by slope.
    Hall(Vec<[f32; C]>),
}

impl<const C: usize> Backdrop<C> {
    /// The background of a look; `ink` makes channels of a colour.
    pub(super) fn new(look: &Look, ink: impl Fn([f32; 3]) -> [f32; C]) -> Self {
        match look.background {
            Background::Sky(low, high) => {
                let [low, high] = [low, high].map(|colour| ink(colour.map(f32::from)));
                Self::Sky(
                    low,
                    std::array::from_fn(|at| high.get(at).unwrap_or(&0.0) - low.get(at).unwrap_or(&0.0)),
                )
            }
            Background::Hall(colour) => {
                let hall = Hall::new(look.seed);
                let seen = |at: usize| {
                    let (gain, lamp) =
                        hall.at(share(at % AROUND, AROUND), share(at / AROUND, usize::from(UP)));
                    ink(colour.map(|part| (f32::from(part) * gain + 255.0 * lamp).min(255.0)))
                };
                Self::Hall((0..AROUND * usize::from(UP)).map(seen).collect())
            }
        }
    }

    /// What is at a bearing, in 65536ths of a turn, `slope` up.
    #[inline]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    pub(super) fn at(&self, bearing: u16, slope: f32) -> [f32; C] {
        match self {
            Self::Sky(low, rise) => {
                let up = slope.clamp(0.0, 1.0);
                let mut seen = *low;
                for (part, rise) in seen.iter_mut().zip(rise) {
                    *part += rise * up;
                }
                seen
            }
            Self::Hall(picture) => {
                let row = (slope * f32::from(UP)).clamp(0.0, f32::from(UP - 1)) as usize;
                let column = usize::from(bearing) * AROUND / 65_536;
                picture.get(row * AROUND + column).copied().unwrap_or([0.0; C])
            }
        }
    }
}

/// Something in the hall: bearing and slope of its middle, half its width and height, in turns and slopes.
struct Thing {
    bearing: f64,
    slope: f64,
    wide: f64,
    high: f64,
    /// Light that it gives, or by how much it darkens (negative).
    glow: f64,
}

struct Hall {
    things: Vec<Thing>,
}

impl Hall {
    fn new(seed: u64) -> Self {
        let mut dice = Seed::new(seed).fork(0x11a1);
        let mut between = |low: f64, high: f64| low + (high - low) * dice.unit();
        let mut things = Vec::new();
        for _ in 0..18 {
            let (bearing, slope) = (between(0.0, 1.0), between(0.35, 0.95));
            things.push(Thing {
                bearing,
                slope,
                wide: between(0.004, 0.02),
                high: between(0.01, 0.04),
                glow: 0.9,
            });
        }
        for _ in 0..14 {
            let bearing = between(0.0, 1.0);
            things.push(Thing {
                bearing,
                slope: 0.2,
                wide: between(0.004, 0.012),
                high: 0.6,
                glow: between(-0.5, 0.25),
            });
        }
        for _ in 0..12 {
            let bearing = between(0.0, 1.0);
            things.push(Thing { bearing, slope: 0.1, wide: between(0.003, 0.007), high: 0.16, glow: -0.85 });
        }
        Self { things }
    }

    /// By how much the wall's colour shows at a place, and how much lamp.
    #[expect(clippy::cast_possible_truncation, reason = "a picture's precision")]
    fn at(&self, bearing: f64, slope: f64) -> (f32, f32) {
        // Lit below, black under the roof.
        let mut gain = (1.15 - 1.6 * (slope - 0.1).max(0.0)).clamp(0.12, 1.0);
        let mut lamp = 0.0_f64;
        for thing in &self.things {
            let turn = (bearing - thing.bearing).abs();
            let inside = |off: f64, half: f64| ((half - off) / (0.25 * half) + 0.5).clamp(0.0, 1.0);
            let share =
                inside(turn.min(1.0 - turn), thing.wide) * inside((slope - thing.slope).abs(), thing.high);
            if thing.glow > 0.5 {
                lamp = lamp.max(thing.glow * share);
            } else {
                gain *= 1.0 + thing.glow * share;
            }
        }
        (gain as f32, lamp as f32)
    }
}

#[expect(clippy::cast_precision_loss, reason = "at most 2048")]
fn share(at: usize, of: usize) -> f64 {
    (at as f64 + 0.5) / of as f64
}
