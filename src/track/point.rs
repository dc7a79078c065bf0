//! Points and poses of the plane: metres, x to the right, y up; radians from +x, counter-clockwise.

use super::trig::sin_cos;

/// A point in metres.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Up.
    pub y: f64,
}

impl Point {
    /// A point from its coordinates in metres.
    #[must_use]
    pub const fn new(x: f64, y: f64) -> Self {
        Self { x, y }
    }

    /// The distance to another point in metres. Only a root and products: the same bits on every machine.
    #[must_use]
    pub fn distance(self, other: Self) -> f64 {
        let (x, y) = (other.x - self.x, other.y - self.y);
        (x * x + y * y).sqrt()
    }

    /// Whether both coordinates are numbers.
    #[must_use]
    pub fn is_finite(self) -> bool {
        self.x.is_finite() && self.y.is_finite()
    }
}

/// Where something stands and where it looks; of a car, the middle of the rear axle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Pose {
    /// The place.
    pub at: Point,
    /// Radians from +x, counter-clockwise.
    pub heading: f64,
}

impl Pose {
    /// The point that lies so many metres ahead and to the left of this pose.
    #[must_use]
    pub fn point(self, ahead: f64, left: f64) -> Point {
        let (sine, cosine) = sin_cos(self.heading);
        Point::new(self.at.x + ahead * cosine - left * sine, self.at.y + ahead * sine + left * cosine)
    }

    /// A point as this pose sees it: metres ahead, metres to the left. The inverse of [`Pose::point`].
    #[must_use]
    pub fn sees(self, point: Point) -> (f64, f64) {
        let (sine, cosine) = sin_cos(self.heading);
        let (x, y) = (point.x - self.at.x, point.y - self.at.y);
        (x * cosine + y * sine, y * cosine - x * sine)
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::FRAC_PI_2;

    use super::{Point, Pose};

    #[test]
    fn ahead_and_left_of_a_pose_that_looks_up() {
        let pose = Pose { at: Point::new(1.0, 2.0), heading: FRAC_PI_2 };
        let there = pose.point(3.0, 0.5);
        assert!(there.distance(Point::new(0.5, 5.0)) < 1e-15, "{there:?}");
        let (ahead, left) = pose.sees(there);
        assert!((ahead - 3.0).abs() < 1e-15 && (left - 0.5).abs() < 1e-15);
    }
}
