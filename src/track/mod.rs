//! The world as lines: a closed road with its centre line and borders, where something is along it, and the
//! forms in which a road is written down. Metres, radians, x to the right, y up; headings counter-clockwise
//! from +x. The direction of travel is the order of the way-points. Refuses what no car can lap (`check`).

mod built_in;
mod check;
mod crossing;
pub mod draw;
mod error;
mod npy;
mod place;
mod point;
mod polyline;
pub mod svg;
mod text;
pub mod trig;

pub use built_in::NAMES as BUILT_IN;
pub use error::{Line, Spot, TrackError};
pub use place::Place;
pub use point::{Point, Pose};

use check::Lines;
use polyline::{Nearest, Polyline, crossings, double_area};

/// A closed road.
#[derive(Clone, Debug, PartialEq)]
pub struct Track {
    name: String,
    centre: Vec<Point>,
    inner: Vec<Point>,
    outer: Vec<Point>,
    line: Polyline,
    /// From border to border at each way-point.
    widths: Vec<f64>,
}

impl Track {
    /// A road from its lines, point by point; the first may be repeated at the end, which is dropped, as is a
    /// way-point that repeats the one before with its borders. `inner` is the border on the inside of the
    /// lap.
    ///
    /// # Errors
    /// [`TrackError`]: what is wrong, at which way-point, and what to do.
    pub fn new(
        name: &str,
        centre: Vec<Point>,
        inner: Vec<Point>,
        outer: Vec<Point>,
    ) -> Result<Self, TrackError> {
        Self::from_lines(name, Lines::new(centre, inner, outer, Vec::new()))
    }

    /// A road from the bytes of a public route array (`.npy`, N x 6: centre, inner, outer; training.md §3).
    ///
    /// # Errors
    /// As [`Track::new`], and [`TrackError::Array`].
    pub fn from_npy(name: &str, bytes: &[u8]) -> Result<Self, TrackError> {
        let rows = npy::rows(bytes)?;
        let column = |at: fn(&[f64; 6]) -> (f64, f64)| {
            rows.iter().map(at).map(|(x, y)| Point::new(x, y)).collect::<Vec<_>>()
        };
        Self::new(
            name,
            column(|[x, y, ..]| (*x, *y)),
            column(|[_, _, x, y, ..]| (*x, *y)),
            column(|[.., x, y]| (*x, *y)),
        )
    }

    /// A road from our own text form; [`Track::to_text`] writes it.
    ///
    /// # Errors
    /// As [`Track::new`], with the text's line, and [`TrackError::Text`].
    pub fn from_text(name: &str, text: &str) -> Result<Self, TrackError> {
        Self::from_lines(name, text::lines(text)?)
    }

    /// The road as text that [`Track::from_text`] reads back to the same bits.
    #[must_use]
    pub fn to_text(&self) -> String {
        text::written(self)
    }

    /// One of the roads that come with the program, by a name of [`BUILT_IN`].
    #[must_use]
    pub fn built_in(name: &str) -> Option<Self> {
        built_in::lines(name).and_then(|lines| Self::from_lines(name, lines).ok())
    }

    fn from_lines(name: &str, lines: Lines) -> Result<Self, TrackError> {
        let Lines { centre, inner, outer, .. } = lines.checked()?;
        let line = Polyline::new(&centre);
        let widths = inner.iter().zip(&outer).map(|(inner, outer)| inner.distance(*outer)).collect();
        Ok(Self { name: name.to_owned(), centre, inner, outer, line, widths })
    }

    /// The same road driven the other way round, from the same first way-point.
    #[must_use]
    pub fn reversed(&self) -> Self {
        let turned = |line: &[Point]| -> Vec<Point> {
            line.iter().take(1).chain(line.iter().skip(1).rev()).copied().collect()
        };
        let centre = turned(&self.centre);
        let widths = self.widths.iter().take(1).chain(self.widths.iter().skip(1).rev()).copied().collect();
        let line = Polyline::new(&centre);
        let name = self.name.clone();
        Self { name, centre, inner: turned(&self.inner), outer: turned(&self.outer), line, widths }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Once around along the centre line, metres.
    #[must_use]
    pub const fn length(&self) -> f64 {
        self.line.length()
    }

    /// The way-points in the direction of travel, the first not repeated.
    #[must_use]
    pub fn centre(&self) -> &[Point] {
        &self.centre
    }

    /// The border on the inside of the lap, a point for each way-point.
    #[must_use]
    pub fn inner(&self) -> &[Point] {
        &self.inner
    }

    /// The border on the outside of the lap, a point for each way-point.
    #[must_use]
    pub fn outer(&self) -> &[Point] {
        &self.outer
    }

    /// Whether the lap runs counter-clockwise: the inner border is on the left then.
    #[must_use]
    pub fn is_counter_clockwise(&self) -> bool {
        double_area(&self.centre) > 0.0
    }

    /// The mean of the road's width at its way-points, metres.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "at most a few thousand way-points")]
    pub fn mean_width(&self) -> f64 {
        self.widths.iter().sum::<f64>() / self.widths.len() as f64
    }

    /// The corners of the smallest upright box around all lines: lowest x and y, highest x and y.
    #[must_use]
    pub fn bounds(&self) -> (Point, Point) {
        let far = Point::new(f64::INFINITY, f64::INFINITY);
        let all = self.centre.iter().chain(&self.inner).chain(&self.outer);
        all.fold((far, Point::new(-far.x, -far.y)), |(low, high), point| {
            (
                Point::new(low.x.min(point.x), low.y.min(point.y)),
                Point::new(high.x.max(point.x), high.y.max(point.y)),
            )
        })
    }

    /// Where a point is along the road, by the nearest point of the centre line. What is not a number has no
    /// place: the offset is NaN.
    #[must_use]
    pub fn place(&self, at: Point) -> Place {
        self.placed(&self.line.nearest(at))
    }

    /// The same bits as [`Track::place`], searched around segment `hint` first ([`Place::segment`] of the
    /// tick before; any number will do). Allocates nothing.
    #[must_use]
    pub fn place_near(&self, at: Point, hint: usize) -> Place {
        self.placed(&self.line.nearest_near(at, hint))
    }

    fn placed(&self, nearest: &Nearest) -> Place {
        let Nearest { index, segment, along, offset } = *nearest;
        let next = self.line.after(index);
        let share = if segment.length > 0.0 { along / segment.length } else { 0.0 };
        let width = |index: usize| self.widths.get(index).copied().unwrap_or(0.0);
        let [start, end] = segment.curvature;
        Place {
            arc: (segment.arc + along).min(self.line.length().next_down()),
            offset,
            heading: segment.heading,
            curvature: start + (end - start) * share,
            width: width(index) + (width(next) - width(index)) * share,
            segment: index,
            next,
        }
    }

    /// The pose on the centre line so many metres from the first way-point, looking in the direction of
    /// travel; wraps around both ways. What is not a number counts as 0.
    #[must_use]
    pub fn at(&self, arc: f64) -> Pose {
        let (segment, along) = self.line.at(arc);
        let at = Point::new(segment.from.x + segment.unit.x * along, segment.from.y + segment.unit.y * along);
        Pose { at, heading: segment.heading }
    }

    /// Whether a point is on the road: inside the outer border and not inside the inner one, as AWS's
    /// simulator judges a wheel. What is not a number is off it.
    #[must_use]
    pub fn is_on(&self, at: Point) -> bool {
        at.is_finite() && (crossings(&self.outer, at) + crossings(&self.inner, at)) % 2 == 1
    }
}
