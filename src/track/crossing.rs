//! Where closed lines meet that should not.

use super::point::Point;
use super::polyline::edges;

/// Two edges, by the numbers of their first points, and where they meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Crossing {
    /// Edge of the first line.
    pub(super) one: usize,
    /// Edge of the second line; of the same line, the later one.
    pub(super) other: usize,
    /// The point of both.
    pub(super) at: Point,
}

/// Where two edges meet, ends included; parallel ones only where one lies on the other.
#[must_use]
pub(super) fn meet(one: [Point; 2], other: [Point; 2]) -> Option<Point> {
    let ([from, _], [start, _]) = (one, other);
    let (along, beside) = (span(one), span(other));
    let (across, between) = (cross(along, beside), span([from, start]));
    if across.abs() > 0.0 {
        let shares = [cross(between, beside) / across, cross(between, along) / across];
        let inside = shares.iter().all(|share| (0.0..=1.0).contains(share));
        let [share, _] = shares;
        return inside.then(|| Point::new(from.x + along.x * share, from.y + along.y * share));
    }
    if cross(between, along).abs() > 0.0 {
        return None;
    }
    let mut ends = other.into_iter().map(|end| (end, one)).chain([(from, other)]);
    ends.find_map(|(end, edge)| within(edge, end).then_some(end))
}

fn span([from, to]: [Point; 2]) -> Point {
    Point::new(to.x - from.x, to.y - from.y)
}

/// Whether a point that lies in line with an edge lies on it.
fn within([from, to]: [Point; 2], at: Point) -> bool {
    let between = |a: f64, b: f64, value: f64| value >= a.min(b) && value <= a.max(b);
    between(from.x, to.x, at.x) && between(from.y, to.y, at.y)
}

fn cross(a: Point, b: Point) -> f64 {
    a.x * b.y - a.y * b.x
}

/// An edge with the box around it.
struct Boxed {
    edge: [Point; 2],
    low: Point,
    high: Point,
}

fn boxed(ring: &[Point]) -> Vec<Boxed> {
    edges(ring)
        .map(|edge @ [a, b]| Boxed {
            edge,
            low: Point::new(a.x.min(b.x), a.y.min(b.y)),
            high: Point::new(a.x.max(b.x), a.y.max(b.y)),
        })
        .collect()
}

fn boxes_meet(a: &Boxed, b: &Boxed) -> Option<Point> {
    let apart = a.low.x > b.high.x || b.low.x > a.high.x || a.low.y > b.high.y || b.low.y > a.high.y;
    if apart { None } else { meet(a.edge, b.edge) }
}

/// The first pair of edges of one ring that meet though they are no neighbours, and that `matters`.
pub(super) fn with_itself(ring: &[Point], matters: impl Fn(&Crossing) -> bool) -> Option<Crossing> {
    let edges = boxed(ring);
    let count = edges.len();
    edges.iter().enumerate().find_map(|(one, a)| {
        // The last edge is the first one's neighbour.
        let end = if one == 0 { count.saturating_sub(1) } else { count };
        edges.iter().enumerate().take(end).skip(one + 2).find_map(|(other, b)| {
            let found = Crossing { one, other, at: boxes_meet(a, b)? };
            matters(&found).then_some(found)
        })
    })
}

/// The first pair of edges of two rings that meet.
#[must_use]
pub(super) fn between(first: &[Point], second: &[Point]) -> Option<Crossing> {
    let (first, second) = (boxed(first), boxed(second));
    first.iter().enumerate().find_map(|(one, a)| {
        second
            .iter()
            .enumerate()
            .find_map(|(other, b)| boxes_meet(a, b).map(|at| Crossing { one, other, at }))
    })
}

#[cfg(test)]
mod tests {
    use super::{Crossing, between, meet, with_itself};
    use crate::track::Point;

    fn p(x: f64, y: f64) -> Point {
        Point::new(x, y)
    }

    #[test]
    fn edges_meet_where_they_do() {
        assert_eq!(meet([p(0.0, 0.0), p(2.0, 2.0)], [p(0.0, 2.0), p(2.0, 0.0)]), Some(p(1.0, 1.0)));
        assert_eq!(meet([p(0.0, 0.0), p(1.0, 0.0)], [p(1.0, 0.0), p(1.0, 1.0)]), Some(p(1.0, 0.0)));
        assert_eq!(meet([p(0.0, 0.0), p(1.0, 0.0)], [p(0.0, 0.1), p(1.0, 0.1)]), None);
        assert_eq!(meet([p(0.0, 0.0), p(1.0, 0.0)], [p(1.1, -1.0), p(1.1, 1.0)]), None);
        assert_eq!(meet([p(0.0, 0.0), p(2.0, 0.0)], [p(1.0, 0.0), p(3.0, 0.0)]), Some(p(1.0, 0.0)));
        assert_eq!(meet([p(0.0, 0.0), p(1.0, 0.0)], [p(2.0, 0.0), p(3.0, 0.0)]), None);
    }

    #[test]
    fn a_bow_tie_crosses_itself_once_and_a_square_never() {
        let square = [p(0.0, 0.0), p(1.0, 0.0), p(1.0, 1.0), p(0.0, 1.0)];
        assert_eq!(with_itself(&square, |_| true), None);
        let tie = [p(0.0, 0.0), p(1.0, 1.0), p(1.0, 0.0), p(0.0, 1.0)];
        assert_eq!(with_itself(&tie, |_| true), Some(Crossing { one: 0, other: 2, at: p(0.5, 0.5) }));
        assert_eq!(with_itself(&tie, |found| found.other > 2), None);
    }

    #[test]
    fn rings_apart_do_not_meet_and_rings_through_each_other_do() {
        let square = [p(0.0, 0.0), p(4.0, 0.0), p(4.0, 4.0), p(0.0, 4.0)];
        let within = [p(1.0, 1.0), p(2.0, 1.0), p(2.0, 2.0), p(1.0, 2.0)];
        assert_eq!(between(&square, &within), None);
        let across = [p(1.0, 1.0), p(5.0, 1.0), p(5.0, 2.0), p(1.0, 2.0)];
        let found = between(&square, &across).expect("they cross");
        assert_eq!((found.one, found.other, found.at), (1, 0, p(4.0, 1.0)));
    }
}
