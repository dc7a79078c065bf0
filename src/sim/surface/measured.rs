//! The grid's corners while they are measured: distances to the borders with their sign, to the centre line, along it.
//! Only corners within the band of a line are visited; the rest keep the band's end.

use super::{BAND, Corner, FAR, STEPS, wide};
use crate::track::Point;

/// The grid while it is measured: squares of distances are avoided by keeping what is nearest so far.
pub(super) struct Measured {
    columns: usize,
    rows: usize,
    edge: Vec<f64>,
    aside: Vec<f64>,
    arc: Vec<f64>,
}

impl Measured {
    /// A grid of so many corners.
    pub(super) fn new(columns: usize, rows: usize) -> Self {
        let all = columns * rows;
        Self { columns, rows, edge: vec![BAND; all], aside: vec![BAND; all], arc: vec![0.0; all] }
    }

    /// Calls `each` with every corner within the band of a segment: its index, its distance to the segment, its share
    /// along it and whether it lies to its left.
    fn near(&self, from: Point, to: Point, mut each: impl FnMut(usize, f64, f64, bool)) {
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let square = dx * dx + dy * dy;
        let (x0, x1) = reach(from.x.min(to.x), from.x.max(to.x), self.columns);
        let (y0, y1) = reach(from.y.min(to.y), from.y.max(to.y), self.rows);
        for row in y0..y1 {
            for column in x0..x1 {
                let (x, y) = (wide(column) - from.x, wide(row) - from.y);
                let share = if square > 0.0 { ((x * dx + y * dy) / square).clamp(0.0, 1.0) } else { 0.0 };
                let (px, py) = (x - dx * share, y - dy * share);
                let far = (px * px + py * py).sqrt();
                if far < BAND {
                    each(row * self.columns + column, far, share, dx * y - dy * x >= 0.0);
                }
            }
        }
    }

    /// Distances to a border, without side.
    pub(super) fn border(&mut self, line: &[Point]) {
        let mut edge = std::mem::take(&mut self.edge);
        for (from, to) in segments(line) {
            self.near(from, to, |at, far, _, _| {
                if let Some(slot) = edge.get_mut(at) {
                    *slot = slot.min(far);
                }
            });
        }
        self.edge = edge;
    }

    /// Gives every corner that is not on the road a negative distance: row by row, by the crossings of both borders.
    pub(super) fn fill(&mut self, inner: &[Point], outer: &[Point]) {
        let mut crossings = Vec::new();
        for (row, line) in self.edge.chunks_mut(self.columns).enumerate() {
            let y = wide(row);
            crossings.clear();
            for (from, to) in segments(inner).chain(segments(outer)) {
                if (from.y <= y) != (to.y <= y) {
                    crossings.push(from.x + (y - from.y) / (to.y - from.y) * (to.x - from.x));
                }
            }
            crossings.sort_by(f64::total_cmp);
            let mut passed = 0;
            for (column, slot) in line.iter_mut().enumerate() {
                while crossings.get(passed).is_some_and(|at| *at <= wide(column)) {
                    passed += 1;
                }
                if passed % 2 == 0 {
                    *slot = -*slot;
                }
            }
        }
    }

    /// Distances to the centre line and along it; gives its length.
    #[expect(clippy::cast_possible_truncation, reason = "a picture's precision")]
    pub(super) fn centre(&mut self, line: &[Point]) -> f32 {
        let (mut aside, mut arc) = (std::mem::take(&mut self.aside), std::mem::take(&mut self.arc));
        let mut passed = 0.0;
        for (from, to) in segments(line) {
            let (dx, dy) = (to.x - from.x, to.y - from.y);
            let long = (dx * dx + dy * dy).sqrt();
            self.near(from, to, |at, far, share, left| {
                if let (Some(aside), Some(arc)) = (aside.get_mut(at), arc.get_mut(at))
                    && far < aside.abs()
                {
                    *aside = if left { far } else { -far };
                    *arc = passed + long * share;
                }
            });
            passed += long;
        }
        (self.aside, self.arc) = (aside, arc);
        passed as f32
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "at most BAND * STEPS, which is 24576; arcs as a picture needs them"
    )]
    pub(super) fn corners(&self) -> Vec<Corner> {
        let steps = |cells: f64| (cells * f64::from(STEPS)).round() as i16;
        self.edge
            .iter()
            .zip(&self.aside)
            .zip(&self.arc)
            .map(|((edge, aside), arc)| Corner {
                edge: steps(*edge),
                aside: if *aside < BAND { steps(*aside) } else { FAR },
                arc: *arc as f32,
            })
            .collect()
    }
}

/// The segments of a closed line.
fn segments(line: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    line.iter().copied().zip(line.iter().copied().cycle().skip(1)).take(line.len())
}

/// The corners from `low` to `high` and a band around, of `count`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the grid before")]
fn reach(low: f64, high: f64, count: usize) -> (usize, usize) {
    let most = wide(count);
    ((low - BAND).clamp(0.0, most).floor() as usize, (high + BAND + 1.0).clamp(0.0, most).ceil() as usize)
}
