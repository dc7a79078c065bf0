//! A closed line of straight segments: nearest point, arc length, curvature; and whether rings enclose a
//! point. Expects points that [`super::check`] has passed: neighbours apart, no crossing.

use super::point::Point;
use super::trig::heading;

/// Segments are compared with their neighbours up to this far along the line when one of them is near.
const NEIGHBOURS: f64 = 1.2;
/// Beyond this distance a segment does not care who else is there, metres.
const CARE: f64 = 4.0;

/// One straight piece and what is known of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Segment {
    /// Where it starts.
    pub(super) from: Point,
    /// Its direction, a unit vector.
    pub(super) unit: Point,
    /// Its length in metres.
    pub(super) length: f64,
    /// Metres along the line to its start.
    pub(super) arc: f64,
    /// Its direction in radians, -π..=π.
    pub(super) heading: f64,
    /// Curvature at its start and its end, 1/m, positive to the left.
    pub(super) curvature: [f64; 2],
    /// The direction half-way between the segment before and this one, of any length.
    corner: Point,
    /// Whoever is nearer to this segment than this needs to ask only its neighbours who else is near.
    alone: f64,
}

/// The nearest point of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Nearest {
    /// The segment's number.
    pub(super) index: usize,
    /// The segment.
    pub(super) segment: Segment,
    /// Metres from the segment's start, 0 up to but without its length.
    pub(super) along: f64,
    /// Metres to the left of the line.
    pub(super) offset: f64,
}

/// A candidate while searching.
#[derive(Clone, Copy)]
struct Foot {
    square: f64,
    index: usize,
    along: f64,
}

impl Foot {
    const NONE: Self = Self { square: f64::INFINITY, index: 0, along: 0.0 };

    fn on(index: usize, segment: &Segment, at: Point) -> Self {
        let (x, y) = (at.x - segment.from.x, at.y - segment.from.y);
        let along = (x * segment.unit.x + y * segment.unit.y).max(0.0).min(segment.length);
        let (x, y) = (x - segment.unit.x * along, y - segment.unit.y * along);
        Self { square: x * x + y * y, index, along }
    }

    /// The nearer of two; of equals the lower number, so that the order of asking does not matter.
    fn or(self, other: Self) -> Self {
        if other.square < self.square || (other.square <= self.square && other.index < self.index) {
            other
        } else {
            self
        }
    }
}

/// A closed line.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Polyline {
    segments: Vec<Segment>,
    length: f64,
    /// How many segments to each side are neighbours.
    window: usize,
}

/// Every point with the one before and the one after it, around a ring.
pub(super) fn corners(ring: &[Point]) -> impl Iterator<Item = [Point; 3]> {
    let before = ring.iter().cycle().skip(ring.len().saturating_sub(1));
    let after = ring.iter().cycle().skip(1);
    ring.iter().zip(before).zip(after).map(|((here, before), after)| [*before, *here, *after])
}

/// Every edge of a ring, from each point to the next.
pub(super) fn edges(ring: &[Point]) -> impl Iterator<Item = [Point; 2]> {
    ring.iter().zip(ring.iter().cycle().skip(1)).map(|(from, to)| [*from, *to])
}

/// Twice the area that a ring encloses; positive where it runs counter-clockwise.
#[must_use]
pub(super) fn double_area(ring: &[Point]) -> f64 {
    edges(ring).map(|[from, to]| from.x * to.y - to.x * from.y).sum()
}

/// How many edges of a ring a ray from `at` to +x crosses. An edge has its lower end and not its upper one,
/// so that a ray through a corner counts once.
#[must_use]
pub(super) fn crossings(ring: &[Point], at: Point) -> usize {
    let mut count = 0;
    let mut from = ring.last().copied().unwrap_or_default();
    for to in ring.iter().copied() {
        if (from.y > at.y) != (to.y > at.y) {
            let side = (to.x - from.x) * (at.y - from.y) - (at.x - from.x) * (to.y - from.y);
            count += usize::from((side > 0.0) == (to.y > from.y));
        }
        from = to;
    }
    count
}

/// The unit vector from one point to another and their distance.
#[must_use]
pub(super) fn direction(from: Point, to: Point) -> (Point, f64) {
    let length = from.distance(to);
    (Point::new((to.x - from.x) / length, (to.y - from.y) / length), length)
}

/// The curvature of the circle through three points in their order, 1/m, positive to the left: twice the sine
/// of the angle at the middle one over the opposite side.
fn curvature([before, here, after]: [Point; 3]) -> f64 {
    let ((into, _), (out, _)) = (direction(before, here), direction(here, after));
    let base = before.distance(after);
    if base > 0.0 { 2.0 * (into.x * out.y - into.y * out.x) / base } else { 0.0 }
}

impl Polyline {
    /// The closed line through the points in their order.
    #[must_use]
    pub(super) fn new(points: &[Point]) -> Self {
        let bends: Vec<f64> = corners(points).map(curvature).collect();
        let mut length = 0.0;
        let segments: Vec<Segment> = corners(points)
            .zip(bends.iter().zip(bends.iter().cycle().skip(1)))
            .map(|([before, from, to], (start, end))| {
                let ((into, _), (unit, long)) = (direction(before, from), direction(from, to));
                let arc = length;
                length += long;
                Segment {
                    from,
                    unit,
                    length: long,
                    arc,
                    heading: heading(unit.x, unit.y),
                    curvature: [*start, *end],
                    corner: Point::new(into.x + unit.x, into.y + unit.y),
                    alone: CARE,
                }
            })
            .collect();
        let window = segments.iter().take_while(|segment| segment.arc < NEIGHBOURS).count().max(2);
        let mut line = Self { segments, length, window };
        line.keep_apart();
        line
    }

    /// Finds for every segment how near the line comes to it again elsewhere. Half of that is its own:
    /// whoever stands there is farther from everything but the neighbours (triangle inequality).
    fn keep_apart(&mut self) {
        let count = self.segments.len();
        let mut apart = vec![CARE; count];
        for (one, a) in self.segments.iter().enumerate() {
            let nearest = self
                .segments
                .iter()
                .enumerate()
                .filter(|(other, _)| {
                    let between = one.abs_diff(*other);
                    between.min(count - between) > self.window
                })
                .map(|(_, b)| (a.from.distance(b.from) - a.length - b.length, b))
                .fold(CARE, |least, (bound, b)| if bound < least { least.min(gap(a, b)) } else { least });
            if let Some(slot) = apart.get_mut(one) {
                *slot = nearest;
            }
        }
        for (segment, apart) in self.segments.iter_mut().zip(apart) {
            segment.alone = apart / 2.0 * (1.0 - 1e-9);
        }
    }

    /// Once around, metres.
    #[must_use]
    pub(super) const fn length(&self) -> f64 {
        self.length
    }

    /// The nearest point, by asking every segment.
    #[must_use]
    pub(super) fn nearest(&self, at: Point) -> Nearest {
        let all = self.segments.iter().enumerate();
        self.refine(all.fold(Foot::NONE, |best, (index, segment)| best.or(Foot::on(index, segment, at))), at)
    }

    /// The nearest point, the same bits as [`Polyline::nearest`], by asking first around segment `hint`: a
    /// car is near where it was. Any `hint` will do. Allocates nothing.
    #[must_use]
    pub(super) fn nearest_near(&self, at: Point, hint: usize) -> Nearest {
        let mut middle = hint;
        // Two looks settle it for a car; whoever jumped pays for asking everybody.
        for _ in 0..3 {
            let best = self.around(at, middle);
            let Some(found) = self.segments.get(best.index) else { break };
            if best.index == middle {
                if best.square < found.alone * found.alone {
                    return self.refine(best, at);
                }
                break;
            }
            middle = best.index;
        }
        self.nearest(at)
    }

    /// The nearest foot on segment `middle` and its neighbours.
    fn around(&self, at: Point, middle: usize) -> Foot {
        let count = self.segments.len();
        let (wide, middle) = ((2 * self.window + 1).min(count), middle % count.max(1));
        let first = (middle + count - self.window.min(count)) % count.max(1);
        let (head, tail) = self.segments.split_at_checked(first).unwrap_or((&[], &[]));
        let ring = tail.iter().zip(first..).chain(head.iter().zip(0..));
        ring.take(wide).fold(Foot::NONE, |best, (segment, index)| best.or(Foot::on(index, segment, at)))
    }

    /// A foot as a place: the end of a segment is the start of the next, and at a corner the side is judged
    /// by the direction half-way between both.
    fn refine(&self, foot: Foot, at: Point) -> Nearest {
        let segment = self.segments.get(foot.index).copied().unwrap_or_default();
        let (index, segment, along) = if foot.along >= segment.length {
            let next = self.after(foot.index);
            (next, self.segments.get(next).copied().unwrap_or_default(), 0.0)
        } else {
            (foot.index, segment, foot.along)
        };
        let (x, y) = (at.x - segment.from.x, at.y - segment.from.y);
        let offset = if along > 0.0 {
            segment.unit.x * y - segment.unit.y * x
        } else {
            (x * x + y * y).sqrt().copysign(segment.corner.x * y - segment.corner.y * x)
        };
        Nearest { index, segment, along, offset }
    }

    /// The number of the segment that follows, around the ring.
    #[must_use]
    pub(super) const fn after(&self, index: usize) -> usize {
        if index + 1 < self.segments.len() { index + 1 } else { 0 }
    }

    /// The segment so many metres along and what is left to go in it; wraps around. What is not a number is
    /// 0.
    #[must_use]
    pub(super) fn at(&self, arc: f64) -> (Segment, f64) {
        let around = if arc.is_finite() { arc.rem_euclid(self.length) } else { 0.0 };
        let around = if around < self.length { around } else { 0.0 };
        let behind = self.segments.partition_point(|segment| segment.arc <= around).saturating_sub(1);
        let segment = self.segments.get(behind).copied().unwrap_or_default();
        (segment, around - segment.arc)
    }
}

/// The distance between two segments that do not cross.
fn gap(a: &Segment, b: &Segment) -> f64 {
    let end = |segment: &Segment| {
        Point::new(
            segment.from.x + segment.unit.x * segment.length,
            segment.from.y + segment.unit.y * segment.length,
        )
    };
    let square = Foot::NONE
        .or(Foot::on(0, a, b.from))
        .or(Foot::on(0, a, end(b)))
        .or(Foot::on(0, b, a.from))
        .or(Foot::on(0, b, end(a)))
        .square;
    square.sqrt()
}
