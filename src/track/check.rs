//! Whether three lines are a road that a car can lap: every refusal names the way-point and the remedy.

use super::crossing::{Crossing, between, with_itself};
use super::error::{Line, Spot, TrackError};
use super::point::Point;
use super::polyline::{corners, direction, double_area, edges};
use super::trig;

/// A polygon of fewer corners has no curves.
pub(super) const LEAST_POINTS: usize = 8;
/// AWS's longest track, 89 m, would have 600 at 0.15 m each; the crossing test is quadratic.
pub(super) const MOST_POINTS: usize = 5_000;
/// The car's track, from wheel to wheel (training.md §1.3).
const CAR: f64 = 0.162;
/// The car and a finger's breadth on either side.
pub(super) const LEAST_WIDTH: f64 = 0.2;
/// AWS's widest is 2 m.
const MOST_WIDTH: f64 = 10.0;
/// Metres from the origin.
const FARTHEST: f64 = 1_000.0;
/// Metres once around; AWS's are 16.6 to 89 m (training.md §3).
const LENGTHS: (f64, f64) = (2.0, 1_000.0);
/// No straight is longer without a way-point.
const LONGEST_STEP: f64 = 25.0;
/// Nearer than this, two way-points are one place, metres.
const SAME: f64 = 1e-4;
/// Nearer than this share of the first step to the first way-point, the last is the first one again.
const CLOSED: f64 = 0.1;
/// The sharpest corner of the centre line in degrees; a right-angled one passes.
const SHARPEST: f64 = 120.0;
/// A corner of this many degrees at a step five times the usual one is no curve.
const SUSPECT: f64 = 60.0;

/// The three lines, and where each way-point stood in the input.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    pub(super) centre: Vec<Point>,
    pub(super) inner: Vec<Point>,
    pub(super) outer: Vec<Point>,
    rows: Vec<usize>,
    /// Lines of the text by row, from 1; empty where the input was no text.
    text: Vec<usize>,
    /// Whether the first way-point was repeated at the end.
    closed: bool,
}

impl Lines {
    /// Lines as given, with the numbers of the text's lines where there was a text.
    pub(super) fn new(centre: Vec<Point>, inner: Vec<Point>, outer: Vec<Point>, text: Vec<usize>) -> Self {
        let rows = (0..centre.len()).collect();
        Self { centre, inner, outer, rows, text, closed: false }
    }

    /// Checks everything and drops way-points that repeat the one before with its borders, and the first at
    /// the end: AWS's own arrays hold both.
    ///
    /// # Errors
    /// The first fault, in the order in which a person would look for it.
    pub(super) fn checked(mut self) -> Result<Self, TrackError> {
        self.shape()?;
        self.finite()?;
        self.drop_repeated();
        self.count()?;
        self.steps()?;
        self.turns()?;
        self.length()?;
        self.no_crossing(Line::Centre)?;
        self.sides()?;
        self.widths()?;
        self.no_crossing(Line::Inner)?;
        self.no_crossing(Line::Outer)?;
        self.borders_apart()?;
        Ok(self)
    }

    fn line(&self, which: Line) -> &[Point] {
        match which {
            Line::Centre => &self.centre,
            Line::Inner => &self.inner,
            Line::Outer => &self.outer,
        }
    }

    /// Where the way-point `index` of a line stood in the input.
    fn spot(&self, which: Line, index: usize) -> Spot {
        let row = self.rows.get(index).copied().unwrap_or(index);
        let at = self.line(which).get(index).copied().unwrap_or_default();
        Spot { row, line: self.text.get(row).copied(), at }
    }

    fn shape(&self) -> Result<(), TrackError> {
        let (centre, inner, outer) = (self.centre.len(), self.inner.len(), self.outer.len());
        if centre != inner || centre != outer {
            return Err(TrackError::Unpaired { centre, inner, outer });
        }
        if centre > MOST_POINTS {
            return Err(TrackError::TooMany { saw: centre, wanted: MOST_POINTS });
        }
        Ok(())
    }

    fn finite(&self) -> Result<(), TrackError> {
        for which in [Line::Centre, Line::Inner, Line::Outer] {
            for (row, at) in self.line(which).iter().copied().enumerate() {
                if !at.is_finite() {
                    return Err(TrackError::NotFinite { which, row, at });
                }
                if at.x.abs().max(at.y.abs()) > FARTHEST {
                    return Err(TrackError::TooFar { which, spot: self.spot(which, row), most: FARTHEST });
                }
            }
        }
        Ok(())
    }

    fn drop_repeated(&mut self) {
        let mut last: Option<[Point; 3]> = None;
        let rows = self.centre.iter().zip(&self.inner).zip(&self.outer).zip(&self.rows);
        let mut kept: Vec<([Point; 3], usize)> = Vec::with_capacity(self.rows.len());
        for (((centre, inner), outer), row) in rows {
            let whole = [*centre, *inner, *outer];
            if last != Some(whole) {
                kept.push((whole, *row));
            }
            last = Some(whole);
        }
        let [first, second] = [0, 1].map(|index| self.centre.get(index).copied().unwrap_or_default());
        let near = first.distance(second) * CLOSED;
        while kept.len() > 1 && kept.last().is_some_and(|([at, ..], _)| at.distance(first) <= near) {
            kept.pop();
            self.closed = true;
        }
        self.centre = kept.iter().map(|([centre, ..], _)| *centre).collect();
        self.inner = kept.iter().map(|([_, inner, _], _)| *inner).collect();
        self.outer = kept.iter().map(|([.., outer], _)| *outer).collect();
        self.rows = kept.iter().map(|(_, row)| *row).collect();
    }

    fn count(&self) -> Result<(), TrackError> {
        let saw = self.centre.len();
        if saw < LEAST_POINTS { Err(TrackError::TooFew { saw, wanted: LEAST_POINTS }) } else { Ok(()) }
    }

    fn steps(&self) -> Result<(), TrackError> {
        let steps = self.step_lengths();
        let (gap, others) =
            steps.split_last().map_or((0.0, steps.as_slice()), |(gap, others)| (*gap, others));
        if let Some(before) = others.iter().position(|step| *step < SAME) {
            return Err(TrackError::Repeated { spot: self.spot(Line::Centre, before + 1) });
        }
        let longest = others.iter().copied().fold(0.0, f64::max);
        if !self.closed && (gap > 4.0 * longest || gap > LONGEST_STEP) {
            let last = self.spot(Line::Centre, others.len());
            return Err(TrackError::Open { last, gap, step: longest });
        }
        if let Some(index) = steps.iter().position(|step| *step > LONGEST_STEP) {
            return Err(self.jump(index, &steps));
        }
        Ok(())
    }

    /// The lengths of the centre line's segments, the last one back to the start.
    fn step_lengths(&self) -> Vec<f64> {
        edges(&self.centre).map(|[from, to]| from.distance(to)).collect()
    }

    fn jump(&self, index: usize, steps: &[f64]) -> TrackError {
        let step = steps.get(index).copied().unwrap_or(0.0);
        TrackError::Jump { spot: self.spot(Line::Centre, index), step, usual: median(steps) }
    }

    fn turns(&self) -> Result<(), TrackError> {
        let steps = self.step_lengths();
        let usual = median(&steps);
        let before = steps.iter().cycle().skip(steps.len().saturating_sub(1));
        let around = corners(&self.centre).zip(before.zip(&steps)).enumerate();
        for (index, ([before, here, after], (into, out))) in around {
            let degrees = turn(before, here, after).to_degrees().abs();
            if degrees > SUSPECT && into.max(*out) > 5.0 * usual {
                let start = if into > out { (index + steps.len() - 1) % steps.len().max(1) } else { index };
                return Err(self.jump(start, &steps));
            }
            if degrees > SHARPEST {
                return Err(TrackError::Fold {
                    spot: self.spot(Line::Centre, index),
                    degrees,
                    most: SHARPEST,
                });
            }
        }
        Ok(())
    }

    fn length(&self) -> Result<(), TrackError> {
        let (saw, (min, max)) = (self.step_lengths().iter().sum::<f64>(), LENGTHS);
        if saw < min || saw > max { Err(TrackError::Length { saw, min, max }) } else { Ok(()) }
    }

    /// A line that crosses itself. A border may fold on the inside of a tight curve, as parallel lines do: a
    /// loop shorter than half the road's width leaves no gap that a car could find.
    fn no_crossing(&self, which: Line) -> Result<(), TrackError> {
        let (ring, mut length) = (self.line(which), 0.0);
        let starts: Vec<f64> = edges(ring)
            .map(|[from, to]| {
                length += from.distance(to);
                length - from.distance(to)
            })
            .collect();
        let between = |one: usize, other: usize| match (starts.get(one), starts.get(other)) {
            (Some(one), Some(other)) => other - one,
            _ => length,
        };
        let matters = |found: &Crossing| {
            let loop_length = between(found.one + 1, found.other);
            which == Line::Centre || loop_length.min(length - loop_length) > self.width(found.one) / 2.0
        };
        with_itself(ring, matters).map_or(Ok(()), |found| Err(self.crossing(which, which, found)))
    }

    fn borders_apart(&self) -> Result<(), TrackError> {
        for (one, other) in
            [(Line::Inner, Line::Outer), (Line::Centre, Line::Inner), (Line::Centre, Line::Outer)]
        {
            if let Some(found) = between(self.line(one), self.line(other)) {
                return Err(self.crossing(one, other, found));
            }
        }
        Ok(())
    }

    fn crossing(&self, one: Line, other: Line, found: Crossing) -> TrackError {
        let (first, second) = (self.spot(one, found.one), self.spot(other, found.other));
        TrackError::Crossing { one, other, first, second, at: found.at }
    }

    fn width(&self, index: usize) -> f64 {
        let inner = self.inner.get(index).copied().unwrap_or_default();
        self.outer.get(index).map_or(0.0, |outer| inner.distance(*outer))
    }

    /// The inner border is on the left of a lap that runs counter-clockwise.
    fn sides(&self) -> Result<(), TrackError> {
        let counter_clockwise = double_area(&self.centre) > 0.0;
        let (sign, left, right) =
            if counter_clockwise { (1.0, "left", "right") } else { (-1.0, "right", "left") };
        let holds = |border: &[Point], side: f64| -> Vec<bool> {
            corners(&self.centre).zip(border).map(|(corner, at)| side * leftward(corner, *at) > 0.0).collect()
        };
        let (inner, outer) = (holds(&self.inner, sign), holds(&self.outer, -sign));
        if inner.iter().chain(&outer).all(|holds| !holds) {
            return Err(TrackError::Swapped { counter_clockwise });
        }
        for (which, holds, wanted) in [(Line::Inner, inner, left), (Line::Outer, outer, right)] {
            if let Some(index) = holds.iter().position(|holds| !holds) {
                return Err(TrackError::WrongSide { which, spot: self.spot(Line::Centre, index), wanted });
            }
        }
        Ok(())
    }

    fn widths(&self) -> Result<(), TrackError> {
        let across = corners(&self.centre).zip(self.inner.iter().zip(&self.outer)).enumerate();
        for (index, (corner, (inner, outer))) in across {
            let saw = (leftward(corner, *inner) - leftward(corner, *outer)).abs();
            if saw < LEAST_WIDTH {
                let spot = self.spot(Line::Centre, index);
                return Err(TrackError::TooNarrow { spot, saw, wanted: LEAST_WIDTH, car: CAR });
            }
            if inner.distance(*outer) > MOST_WIDTH {
                let (spot, saw) = (self.spot(Line::Centre, index), inner.distance(*outer));
                return Err(TrackError::TooWide { spot, saw, wanted: MOST_WIDTH });
            }
        }
        Ok(())
    }
}

/// How far a point lies to the left of a corner, across the direction half-way between its two edges.
fn leftward([before, here, after]: [Point; 3], point: Point) -> f64 {
    let ((into, _), (out, _)) = (direction(before, here), direction(here, after));
    let (along, _) = direction(Point::default(), Point::new(into.x + out.x, into.y + out.y));
    along.x * (point.y - here.y) - along.y * (point.x - here.x)
}

/// The change of direction at a corner in radians, -π..=π.
fn turn(before: Point, here: Point, after: Point) -> f64 {
    let ((into, _), (out, _)) = (direction(before, here), direction(here, after));
    trig::heading(into.x * out.x + into.y * out.y, into.x * out.y - into.y * out.x)
}

fn median(steps: &[f64]) -> f64 {
    let mut sorted = steps.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
}
