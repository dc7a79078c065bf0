//! What a ray sees: the ground's inks, a wall, or what is behind it. One scene for grey and one for colour, so that the
//! grey path carries one number where colour carries three.

use super::backdrop::Backdrop;
use super::grain::Grain;
use super::stand::{Stand, Stands};
use super::table::{Sight, Table};
use crate::sim::look::{Ink, Look};
use crate::sim::surface::{Close, Kind, ONE, Patch, Surface};

/// An ink in `C` channels.
#[derive(Clone, Copy, Debug)]
struct Tone<const C: usize> {
    colour: [f32; C],
    grain: f32,
}

/// The walls, in cells and metres.
#[derive(Clone, Copy, Debug)]
struct Wall<const C: usize> {
    tone: Tone<C>,
    /// Metres up.
    height: f32,
    /// Panels in a cell; 0 for none.
    panels: f32,
}

impl<const C: usize> Tone<C> {
    #[inline]
    fn add(&mut self, other: &Self, share: f32) {
        for (part, other) in self.colour.iter_mut().zip(other.colour) {
            *part += other * share;
        }
        self.grain += other.grain * share;
    }

    #[inline]
    fn cover(&mut self, other: &Self, share: f32) {
        for (part, other) in self.colour.iter_mut().zip(other.colour) {
            *part += (other - *part) * share;
        }
        self.grain += (other.grain - self.grain) * share;
    }
}

impl<const C: usize> Wall<C> {
    /// Whether it looks the same everywhere and no one looks over it.
    fn is_plain(&self) -> bool {
        self.tone.grain <= 0.0 && self.panels <= 0.0 && self.height > 1e3
    }
}

/// A look in `C` channels, lengths in cells.
#[derive(Clone, Debug)]
pub(super) struct Scene<const C: usize> {
    road: Tone<C>,
    field: Tone<C>,
    white: Tone<C>,
    dashes: Tone<C>,
    wall: Option<Wall<C>>,
    /// What is beyond the ground, where that is one ink.
    plain: Option<[f32; C]>,
    backdrop: Backdrop<C>,
    border: f32,
    /// Half of the dashed line's width.
    dash: f32,
    dash_length: f32,
    period: f32,
    /// Half of the start line's depth.
    start: f32,
    ink: fn([f32; 3]) -> [f32; C],
}

impl<const C: usize> Scene<C> {
    /// The look on a ground with `per_metre` cells in a metre; `ink` makes channels of a colour.
    #[expect(clippy::cast_possible_truncation, reason = "a picture's precision")]
    pub(super) fn new(look: &Look, per_metre: f64, ink: fn([f32; 3]) -> [f32; C]) -> Self {
        let tone = |from: Ink| Tone { colour: ink(from.colour.map(f32::from)), grain: from.grain as f32 };
        let wall = look.walls.map(|walls| Wall {
            tone: tone(walls.ink),
            height: walls.height as f32,
            panels: if walls.panel > 0.0 { (1.0 / (walls.panel * per_metre)) as f32 } else { 0.0 },
        });
        let cells = |metres: f64| (metres * per_metre) as f32;
        let paint = look.paint;
        Self {
            road: tone(look.road),
            field: tone(look.field),
            white: tone(look.white),
            dashes: tone(look.dashes),
            plain: wall.filter(Wall::is_plain).map(|wall| wall.tone.colour),
            wall,
            backdrop: Backdrop::new(look, ink),
            border: cells(paint.border),
            dash: if paint.dash_length > 0.0 { cells(paint.dash / 2.0) } else { -1.0 },
            dash_length: cells(paint.dash_length),
            period: cells(paint.dash_length + paint.gap),
            start: cells(paint.start / 2.0),
            ink,
        }
    }

    /// Channels of a colour.
    pub(super) fn ink(&self, colour: [f32; 3]) -> [f32; C] {
        (self.ink)(colour)
    }

    /// Fills `light` with the picture, `C` values a pixel, before boxes and camera.
    pub(super) fn paint(
        &self,
        surface: &Surface,
        grain: &Grain,
        table: &Table,
        stands: &Stands,
        light: &mut Vec<f32>,
    ) {
        let eye = Gaze { scene: self, surface, grain, period: self.fitted(surface.length()) };
        let stands = stands.all();
        light.clear();
        light.resize(table.size().width as usize * table.size().height as usize * C, 0.0);
        let lines = light.chunks_exact_mut((table.size().width as usize * C).max(1));
        for (row, line) in table.rows.iter().zip(lines) {
            let sights = table.sights.get(row.start..).unwrap_or(&[]).chunks_exact(row.rays);
            for (pixel, sights) in line.as_chunks_mut::<C>().0.iter_mut().zip(sights) {
                *pixel = eye.pixel(sights, stands);
            }
        }
    }

    /// Dash and gap, so that a whole number of them goes once around.
    fn fitted(&self, length: f32) -> f32 {
        let count = (length / self.period).round().max(1.0);
        length / count
    }
}

/// A scene, looked at.
struct Gaze<'a, const C: usize> {
    scene: &'a Scene<C>,
    surface: &'a Surface,
    grain: &'a Grain,
    /// From dash to dash in cells.
    period: f32,
}

impl<const C: usize> Gaze<'_, C> {
    /// The mean of a pixel's rays over the exposure: every ray and every moment at least once.
    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "at most 8")]
    fn pixel(&self, sights: &[Sight], stands: &[Stand]) -> [f32; C] {
        let mut sum = [0.0; C];
        let count = sights.len().max(stands.len());
        if let [stand] = stands {
            if let [sight] = sights {
                return self.ray(sight, stand);
            }
            for sight in sights {
                add(&mut sum, self.ray(sight, stand));
            }
        } else {
            for (sight, stand) in sights.iter().cycle().zip(stands.iter().cycle()).take(count) {
                add(&mut sum, self.ray(sight, stand));
            }
        }
        let share = 1.0 / count as f32;
        sum.map(|value| value * share)
    }

    #[inline]
    fn ray(&self, sight: &Sight, stand: &Stand) -> [f32; C] {
        if sight.down {
            let way = stand.turned(sight.ahead, sight.left);
            let (x, y) = (stand.x + way.0, stand.y + way.1);
            if let Some(cell) = self.surface.cell(x, y) {
                let seen = match cell.kind {
                    Kind::Road => self.textured(&self.scene.road, x, y, sight),
                    Kind::Field => self.textured(&self.scene.field, x, y, sight),
                    Kind::Mixed => self.edges(x, y, sight, stand),
                };
                let light = f32::from(cell.light) * (1.0 / 128.0);
                return seen.map(|value| value * light);
            }
            if self.scene.wall.is_none() {
                return self.textured(&self.scene.field, x, y, sight);
            }
        }
        if let Some(plain) = self.scene.plain { plain } else { self.beyond(sight, stand) }
    }

    #[inline]
    fn textured(&self, tone: &Tone<C>, x: i64, y: i64, sight: &Sight) -> [f32; C] {
        let off = self.grain.texture(x, y) * (tone.grain * sight.crisp);
        tone.colour.map(|value| value + off)
    }

    /// A cell with edges. Most places in it are further from them than a pixel reaches, and hold one ink after all.
    fn edges(&self, x: i64, y: i64, sight: &Sight, stand: &Stand) -> [f32; C] {
        let scene = self.scene;
        let close = self.surface.close(x, y);
        let edge = close.edge();
        let inside = edge.value();
        let mut tone = if inside < -sight.reach {
            scene.field
        } else if inside > scene.border + sight.reach {
            scene.road
        } else {
            self.border(&edge, inside, sight, stand)
        };
        if inside > scene.border - sight.reach {
            let aside = close.aside().filter(|aside| aside.value().abs() < scene.dash + sight.reach);
            if let Some(aside) = aside {
                tone.cover(&scene.dashes, self.dashed(&close, &aside, sight, stand));
            }
            if scene.start > 0.0 {
                tone.cover(&scene.white, self.start(x, y, sight, stand));
            }
        }
        self.textured(&tone, x, y, sight)
    }

    /// Where field, line and road meet: each covers what the pixel's area on the ground says.
    fn border(&self, edge: &Patch, inside: f32, sight: &Sight, stand: &Stand) -> Tone<C> {
        let scene = self.scene;
        let sharp = 1.0 / width(edge.slope(), sight, stand);
        let lane = covered(inside, sharp);
        let road = covered(inside - scene.border, sharp);
        let mut tone = Tone { colour: [0.0; C], grain: 0.0 };
        tone.add(&scene.field, 1.0 - lane);
        tone.add(&scene.white, lane - road);
        tone.add(&scene.road, road);
        tone
    }

    /// How much of the pixel is dash.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "counts the dashes of a lap"
    )]
    fn dashed(&self, close: &Close, aside: &Patch, sight: &Sight, stand: &Stand) -> f32 {
        let scene = self.scene;
        let [sx, sy] = aside.slope();
        let across = stripe(aside.value(), scene.dash, 1.0 / width([sx, sy], sight, stand));
        if across <= 0.0 {
            return 0.0;
        }
        let half = scene.dash_length * self.period / (2.0 * scene.period);
        let turns = self.surface.arc(close) / self.period;
        let phase = (turns - turns as i32 as f32) * self.period - half;
        // The nearest dash, before or after.
        let phase = if phase > self.period / 2.0 { phase - self.period } else { phase };
        across * stripe(phase, half, 1.0 / width([-sy, sx], sight, stand))
    }

    /// How much of the pixel is start line.
    fn start(&self, x: i64, y: i64, sight: &Sight, stand: &Stand) -> f32 {
        let [x, y] = [x, y].map(in_cells);
        let (along, aside) = (self.surface.along_start(x, y), self.surface.beside_start(x, y));
        // The line crosses its own lane, not one that passes by.
        if along.abs() > self.scene.start + 1.5 || aside.abs() > self.surface.start_reach() {
            return 0.0;
        }
        stripe(along, self.scene.start, 1.0 / width(self.surface.start_way(), sight, stand))
    }

    /// Past the ground: the wall of the room that the ray meets, or what is above it.
    fn beyond(&self, sight: &Sight, stand: &Stand) -> [f32; C] {
        let way = stand.turned(sight.ahead, sight.left);
        let bearing = stand.bearing.wrapping_add(sight.bearing);
        let Some(wall) = &self.scene.wall else { return self.scene.backdrop.at(bearing, sight.slope) };
        let [wx, wy, x, y] = [way.0, way.1, stand.x, stand.y].map(in_cells);
        #[expect(clippy::cast_precision_loss, reason = "a grid has far fewer than 2^24 columns")]
        let (columns, rows) = (self.surface.extent().0 as f32, self.surface.extent().1 as f32);
        let tx = (if wx > 0.0 { columns - x } else { -x }) / wx;
        let ty = (if wy > 0.0 { rows - y } else { -y }) / wy;
        let far = tx.min(ty).max(0.0);
        #[expect(clippy::cast_possible_truncation, reason = "the lens is a hand above the ground")]
        let up = stand.height as f32 + far * sight.up;
        if up > wall.height {
            return self.scene.backdrop.at(bearing, sight.slope);
        }
        let along = if tx < ty { y + far * wy } else { x + far * wx };
        self.wall(wall, along, up, tx < ty)
    }

    /// A wall `along` cells from a corner and `up` metres.
    fn wall(&self, wall: &Wall<C>, along: f32, up: f32, side: bool) -> [f32; C] {
        let mut gain = if side { 1.0 } else { 0.93 };
        let mut off = 0.0;
        if wall.tone.grain > 0.0 {
            // Folds and smudges: the ground's texture, stretched upwards; darker at the foot.
            off = self.grain.texture(texels(along * 0.3), texels(up * 8.0)) * wall.tone.grain;
            gain *= 1.0 - 0.25 * (1.0 - up * 12.0).clamp(0.0, 1.0);
        }
        if wall.panels > 0.0 {
            let turns = along * wall.panels;
            let panel = turns.floor();
            if turns - panel < 0.012 {
                gain *= 0.75;
            }
            gain *=
                1.0 + 0.2 * self.grain.texture(texels(panel * 11.0), texels(if side { 5.0 } else { 77.0 }));
        }
        wall.tone.colour.map(|value| value * gain + off)
    }
}

/// A place in cells.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "a picture's precision")]
fn in_cells(place: i64) -> f32 {
    place as f32 * (1.0 / ONE as f32)
}

/// A place from cells.
#[inline]
#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "saturates")]
fn texels(cells: f32) -> i64 {
    (cells * ONE as f32) as i64
}

/// How wide an edge of a slope is drawn, in cells: the pixel's area on the ground, seen across the edge.
#[inline]
fn width([sx, sy]: [f32; 2], sight: &Sight, stand: &Stand) -> f32 {
    let (ahead, left) = (sx * stand.cos + sy * stand.sin, sy * stand.cos - sx * stand.sin);
    let [aa, al] = sight.across;
    let [ba, bl] = sight.along;
    ((ahead * aa + left * al).abs() + (ahead * ba + left * bl).abs()).clamp(1e-4, 1.5)
}

/// How much of an edge lies on its positive side; `sharp` is one through its width.
#[inline]
fn covered(inside: f32, sharp: f32) -> f32 {
    (inside * sharp + 0.5).clamp(0.0, 1.0)
}

/// How much a line of half-width `half`, `off` away, covers.
#[inline]
fn stripe(off: f32, half: f32, sharp: f32) -> f32 {
    covered(off + half, sharp) - covered(off - half, sharp)
}

#[inline]
fn add<const C: usize>(sum: &mut [f32; C], seen: [f32; C]) {
    for (sum, seen) in sum.iter_mut().zip(seen) {
        *sum += seen;
    }
}
