//! The ground as a function of a place: how far inside the road's edge it is, how far from the centre line, how far
//! along. Measured once from the track's lines at the corners of a grid of 2 cm and mixed in between, so that an edge
//! is as sharp as the lines are; cells far from any edge answer with one word. Knows no colour and no camera.
//!
//! Places are whole numbers of [`ONE`]ths of a cell, so that finding a cell is a shift.

mod measured;

use super::look::Look;
use super::render::grain::Grain;
use crate::track::{Point, Pose, Track};
use measured::Measured;

/// Cells in a metre: 2 cm each, unless a road is so large that they would be too many; then twice as large, and so on.
const PER_METRE: f64 = 50.0;
/// The most cells of a grid: 60 MB.
const MOST: f64 = 6e6;
/// One cell in the steps of a place; 0.3 µm each.
pub(super) const ONE: i64 = 1 << SHIFT;
const SHIFT: u32 = 16;
/// How far from a line it is measured, in cells; beyond, only the side is known.
const BAND: f64 = 6.0;
/// Stored steps in a cell.
const STEPS: f32 = 4096.0;
/// A corner beyond the centre line's band: on neither side.
const FAR: i16 = i16::MAX;
/// How far from an edge the middle of a cell must lie to hold one ink only, in cells: half its diagonal and half of the
/// widest soft edge.
const CLEAR: f32 = 1.5;

/// What a cell holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing but what is beside the road.
    #[default]
    Field,
    /// Nothing but road.
    Road,
    /// Edges: look closer.
    Mixed,
}

/// One cell.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell {
    /// What it holds.
    pub(super) kind: Kind,
    /// How bright the light is here: 128 is as the inks say.
    pub(super) light: u8,
}

/// A corner of the grid; distances in steps of a 4096th of a cell.
#[derive(Clone, Copy, Debug, Default)]
struct Corner {
    /// To the nearest border, positive on the road.
    edge: i16,
    /// To the centre line, positive to its left.
    aside: i16,
    /// Along the centre line, in cells; only near it.
    arc: f32,
}

/// A quantity of the ground around a place, mixed from four corners of a cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patch {
    corners: [f32; 4],
    fx: f32,
    fy: f32,
    /// Cells in one step.
    scale: f32,
}

impl Patch {
    /// Its value, in cells.
    #[inline]
    pub(super) fn value(&self) -> f32 {
        let [a, b, c, d] = self.corners;
        let (low, high) = (a + (b - a) * self.fx, c + (d - c) * self.fx);
        (low + (high - low) * self.fy) * self.scale
    }

    /// Its slope along x and y.
    #[inline]
    pub(super) fn slope(&self) -> [f32; 2] {
        let [a, b, c, d] = self.corners;
        let (low, left) = (b - a, c - a);
        let twist = (d - c) - low;
        [(low + twist * self.fy) * self.scale, (left + twist * self.fx) * self.scale]
    }
}

/// A place seen closely.
#[derive(Clone, Copy, Debug)]
pub(super) struct Close {
    corners: [Corner; 4],
    fx: f32,
    fy: f32,
}

impl Close {
    /// The distance to the nearest border, positive on the road; at most [`BAND`] either way.
    #[inline]
    pub(super) fn edge(&self) -> Patch {
        self.patch(|corner| f32::from(corner.edge), 1.0 / STEPS)
    }

    /// The distance to the centre line, positive to its left; `None` where it is not near.
    #[inline]
    pub(super) fn aside(&self) -> Option<Patch> {
        if self.corners.iter().any(|corner| corner.aside == FAR) {
            return None;
        }
        Some(self.patch(|corner| f32::from(corner.aside), 1.0 / STEPS))
    }

    #[inline]
    fn patch(&self, of: impl Fn(Corner) -> f32, scale: f32) -> Patch {
        Patch { corners: self.corners.map(of), fx: self.fx, fy: self.fy, scale }
    }
}

/// The ground of a track.
#[derive(Clone, Debug)]
pub(super) struct Surface {
    /// The world's x and y at cell (0, 0).
    origin: Point,
    per_metre: f64,
    columns: usize,
    rows: usize,
    cells: Vec<Cell>,
    corners: Vec<Corner>,
    /// The start line's place, in cells, and direction.
    start: [f32; 4],
    /// Half of the road's width there, in cells.
    start_reach: f32,
    /// The length of the centre line in cells.
    length: f32,
}

impl Surface {
    /// Measures a track for a look: the room reaches to the walls, or 1 m beyond the borders where there are none.
    pub(super) fn new(track: &Track, look: &Look, grain: &Grain) -> Self {
        let margin = look.walls.map_or(1.0, |walls| walls.margin).clamp(0.1, 1e3);
        let (low, high) = track.bounds();
        let origin = Point::new(low.x - margin, low.y - margin);
        let (wide, deep) = (high.x - low.x + 2.0 * margin, high.y - low.y + 2.0 * margin);
        let mut per_metre = PER_METRE;
        while wide * deep * per_metre * per_metre > MOST {
            per_metre /= 2.0;
        }
        let (columns, rows) = (cells_in(wide * per_metre), cells_in(deep * per_metre));
        let mut field = Measured::new(columns + 1, rows + 1);
        let placed = |at: &Point| Point::new((at.x - origin.x) * per_metre, (at.y - origin.y) * per_metre);
        let scaled = |line: &[Point]| -> Vec<Point> { line.iter().map(placed).collect() };
        let (inner, outer, centre) = (scaled(track.inner()), scaled(track.outer()), scaled(track.centre()));
        field.border(&inner);
        field.border(&outer);
        field.fill(&inner, &outer);
        let length = field.centre(&centre);
        let pose = track.at(0.0);
        let mut surface = Self {
            origin,
            per_metre,
            columns,
            rows,
            cells: Vec::new(),
            corners: field.corners(),
            start: [0.0; 4],
            start_reach: 0.0,
            length,
        };
        surface.start = surface.start_line(pose);
        surface.start_reach = narrow(track.place(pose.at).width / 2.0 * per_metre);
        surface.sort(look, grain);
        surface
    }

    fn start_line(&self, pose: Pose) -> [f32; 4] {
        let (x, y) = self.cell_of(pose.at);
        let (sin, cos) = (libm::sin(pose.heading), libm::cos(pose.heading));
        [x, y, cos, sin].map(narrow)
    }

    /// Says for every cell what it holds.
    #[expect(clippy::cast_possible_truncation, reason = "widths of a few cells")]
    fn sort(&mut self, look: &Look, grain: &Grain) {
        let paint = look.paint;
        let [border, dash] = [paint.border, paint.dash / 2.0].map(|metres| narrow(metres * self.per_metre));
        let start = if paint.start > 0.0 { narrow(paint.start * self.per_metre) } else { -1e9 };
        let mut cells = Vec::with_capacity(self.columns * self.rows);
        for row in 0..self.rows {
            for column in 0..self.columns {
                let close = self.close(middle(column), middle(row));
                let [x, y] = [column, row].map(|at| whole(at) + 0.5);
                let away = self.along_start(x, y).abs() - start;
                let edge = close.edge().value();
                let aside = close.aside().map_or(BAND as f32, |aside| aside.value().abs());
                let kind = if edge < -CLEAR {
                    Kind::Field
                } else if edge > border + CLEAR && aside > dash + CLEAR && away > CLEAR {
                    Kind::Road
                } else {
                    Kind::Mixed
                };
                let square =
                    if kind == Kind::Field { square(x, y, look.squares * self.per_metre) } else { 1.0 };
                cells.push(Cell { kind, light: grain.light(x, y, look.light, square) });
            }
        }
        self.cells = cells;
    }

    /// A point of the world in cells.
    pub(super) fn cell_of(&self, at: Point) -> (f64, f64) {
        ((at.x - self.origin.x) * self.per_metre, (at.y - self.origin.y) * self.per_metre)
    }

    /// Cells in a metre.
    pub(super) const fn per_metre(&self) -> f64 {
        self.per_metre
    }

    /// Columns and rows: the room's walls stand at 0 and there.
    pub(super) const fn extent(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// Once around, in cells.
    pub(super) const fn length(&self) -> f32 {
        self.length
    }

    /// Metres along the direction of travel from the start line to the place (`x`, `y`) in cells, in cells.
    pub(super) fn along_start(&self, x: f32, y: f32) -> f32 {
        let [sx, sy, cos, sin] = self.start;
        (x - sx) * cos + (y - sy) * sin
    }

    /// Cells to the left of the start line's middle.
    pub(super) fn beside_start(&self, x: f32, y: f32) -> f32 {
        let [sx, sy, cos, sin] = self.start;
        (y - sy) * cos - (x - sx) * sin
    }

    /// Half of the road's width at the start line, in cells.
    pub(super) const fn start_reach(&self) -> f32 {
        self.start_reach
    }

    /// The direction of travel at the start line.
    pub(super) const fn start_way(&self) -> [f32; 2] {
        let [_, _, cos, sin] = self.start;
        [cos, sin]
    }

    /// The cell of a place; `None` outside of the room.
    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "what is negative is larger than any column")]
    pub(super) fn cell(&self, x: i64, y: i64) -> Option<Cell> {
        let (column, row) = ((x >> SHIFT) as usize, (y >> SHIFT) as usize);
        if column < self.columns && row < self.rows {
            self.cells.get(row * self.columns + column).copied()
        } else {
            None
        }
    }

    /// A closer look at a place inside of the room: four corners, mixed.
    #[inline]
    #[expect(clippy::cast_sign_loss, reason = "the place is inside of the grid")]
    pub(super) fn close(&self, x: i64, y: i64) -> Close {
        let (column, row) = ((x >> SHIFT) as usize, (y >> SHIFT) as usize);
        let stride = self.columns + 1;
        let at = row * stride + column;
        let pair =
            |at: usize| self.corners.get(at..).and_then(<[Corner]>::first_chunk).copied().unwrap_or_default();
        let ([low, low_right], [high, high_right]) = (pair(at), pair(at + stride));
        Close { corners: [low, low_right, high, high_right], fx: part(x), fy: part(y) }
    }

    /// How far along the centre line a place near it is, in cells.
    #[inline]
    pub(super) fn arc(&self, close: &Close) -> f32 {
        let high = close.corners.iter().fold(0.0_f32, |high, corner| high.max(corner.arc));
        // Where the lap closes, the corners before the line count on from those behind it.
        let on = |corner: Corner| {
            if high - corner.arc > self.length / 2.0 { corner.arc + self.length } else { corner.arc }
        };
        close.patch(on, 1.0).value()
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a picture's precision")]
fn narrow(value: f64) -> f32 {
    value as f32
}

/// The fraction of a cell.
#[inline]
#[expect(clippy::cast_precision_loss, reason = "16 bits")]
fn part(place: i64) -> f32 {
    (place & (ONE - 1)) as f32 * (1.0 / ONE as f32)
}

/// A length in cells as a place's steps.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "saturates far beyond any room"
)]
pub(super) fn steps(cells: f64) -> i64 {
    (cells.clamp(-1e9, 1e9) * ONE as f64).round() as i64
}

#[inline]
#[expect(clippy::cast_precision_loss, reason = "a grid has far fewer than 2^24 columns")]
fn whole(at: usize) -> f32 {
    at as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a track is at most some hundred metres wide"
)]
fn cells_in(extent: f64) -> usize {
    extent.clamp(1.0, MOST).ceil() as usize
}

/// The middle of a column or row, as a place.
#[expect(clippy::cast_possible_wrap, reason = "a grid has far fewer than 2^40 columns")]
const fn middle(at: usize) -> i64 {
    ((at as i64) << SHIFT) + ONE / 2
}

/// How bright a field of squares of `side` cells is at a place in cells: every other one is a little darker.
#[expect(clippy::cast_possible_truncation, reason = "only the lowest bit is wanted")]
fn square(x: f32, y: f32, side: f64) -> f64 {
    if side <= 0.0 {
        return 1.0;
    }
    let [column, row] = [x, y].map(|at| (f64::from(at) / side).floor() as i64);
    if (column + row) % 2 == 0 { 1.047 } else { 0.953 }
}

#[expect(clippy::cast_precision_loss, reason = "a grid has far fewer than 2^52 columns")]
fn wide(at: usize) -> f64 {
    at as f64
}
