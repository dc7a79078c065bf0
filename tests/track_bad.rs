//! What no car can lap is refused, each fault with its place and its remedy.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::f64::consts::{PI, TAU};

use hairpin::track::{Line, Point, Pose, Track, TrackError};

/// The three lines of a road, to be spoilt.
#[derive(Clone)]
struct Lines {
    centre: Vec<Point>,
    inner: Vec<Point>,
    outer: Vec<Point>,
}

impl Lines {
    /// A ring road of 2 m radius, 0.8 m wide, counter-clockwise; the first way-point is at x 2.
    fn good() -> Self {
        let ring = |radius: f64| -> Vec<Point> {
            let angles = (0..80).map(|index| TAU * f64::from(index) / 80.0);
            angles.map(|angle| Point::new(radius * angle.cos(), radius * angle.sin())).collect()
        };
        Self { centre: ring(2.0), inner: ring(1.6), outer: ring(2.4) }
    }

    fn each(&mut self, mut change: impl FnMut(&mut Vec<Point>)) -> &mut Self {
        change(&mut self.centre);
        change(&mut self.inner);
        change(&mut self.outer);
        self
    }

    fn built(&self) -> Result<Track, TrackError> {
        Track::new("ring", self.centre.clone(), self.inner.clone(), self.outer.clone())
    }
}

fn spoilt(change: impl FnOnce(&mut Lines)) -> TrackError {
    let mut lines = Lines::good();
    change(&mut lines);
    lines.built().expect_err("nobody can lap this")
}

/// The message holds all of `parts`.
fn says(error: &TrackError, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text:?} does not say {part:?}");
    }
    assert!(!text.ends_with('.') && !text.contains('\n'), "{text:?}");
}

#[test]
fn the_ring_itself_is_good_with_and_without_its_first_point_repeated() {
    let plain = Lines::good();
    let mut closed = Lines::good();
    closed.each(|line| line.push(line[0]));
    let mut twice = closed.clone();
    twice.each(|line| line.push(line[0])).each(|line| line.insert(30, line[30]));
    let track = plain.built().unwrap();
    assert_eq!(track.centre().len(), 80);
    assert_eq!(closed.built().unwrap(), track);
    assert_eq!(twice.built().unwrap(), track, "a way-point that is given twice counts once");
}

#[test]
fn lines_that_do_not_belong_together() {
    let error = spoilt(|lines| {
        lines.inner.pop();
    });
    assert_eq!(error, TrackError::Unpaired { centre: 80, inner: 79, outer: 80 });
}

#[test]
fn too_few_and_too_many() {
    for count in [0, 1, 2, 7] {
        let error = spoilt(|lines| {
            lines.each(|line| line.truncate(count));
        });
        assert_eq!(error, TrackError::TooFew { saw: count, wanted: 8 });
    }
    let error = spoilt(|lines| {
        lines.each(|line| *line = vec![line[0]; 5_001]);
    });
    assert_eq!(error, TrackError::TooMany { saw: 5_001, wanted: 5_000 });
    let error = spoilt(|lines| {
        lines.each(|line| *line = vec![line[0]; 4_000]);
    });
    assert_eq!(error, TrackError::TooFew { saw: 1, wanted: 8 });
}

#[test]
fn what_is_not_a_number_is_named() {
    for (bad, word) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf"), (f64::NEG_INFINITY, "-inf")] {
        let error = spoilt(|lines| lines.outer[17].y = bad);
        assert!(matches!(error, TrackError::NotFinite { which: Line::Outer, row: 17, .. }), "{error}");
        says(&error, &["way-point 17", "outer border", word]);
    }
    let error = spoilt(|lines| lines.centre[79].x = f64::NAN);
    says(&error, &["way-point 79", "centre line"]);
}

#[test]
fn an_open_line_is_no_lap() {
    let error = spoilt(|lines| {
        lines.each(|line| line.truncate(70));
    });
    let TrackError::Open { last, gap, step } = &error else { panic!("{error}") };
    // The chord of 11 steps of 4.5°, and of one.
    assert!((gap - 4.0 * (24.75_f64).to_radians().sin()).abs() < 1e-9, "{gap}");
    assert!((step - 4.0 * (2.25_f64).to_radians().sin()).abs() < 1e-9, "{step}");
    assert_eq!(last.row, 69);
    says(&error, &["open", "1.67 m", "repeat the first way-point"]);

    let straight = |y: f64| (0..100).map(|index| Point::new(f64::from(index) * 0.1, y)).collect::<Vec<_>>();
    let error = Track::new("straight", straight(0.0), straight(0.4), straight(-0.4)).unwrap_err();
    says(&error, &["open", "9.90 m"]);
    // Closing a straight line by force makes it turn back on itself.
    let closed = |y: f64| {
        let mut line = straight(y);
        line.push(line[0]);
        line
    };
    let error = Track::new("straight", closed(0.0), closed(0.4), closed(-0.4)).unwrap_err();
    assert!(matches!(&error, TrackError::Jump { spot, .. } if spot.row == 99), "{error}");
}

#[test]
fn jumps_and_folds() {
    // One way-point far off: there and back again.
    let error = spoilt(|lines| {
        lines.each(|line| line[40] = Point::new(line[40].x - 6.0, line[40].y));
    });
    assert!(matches!(&error, TrackError::Jump { spot, .. } if spot.row == 39), "{error}");
    says(&error, &["jumps 6.0", "way-point 39", "0.16 m"]);
    let error = spoilt(|lines| {
        lines.each(|line| line[40] = Point::new(line[40].x - 60.0, line[40].y));
    });
    assert!(matches!(&error, TrackError::Jump { spot, .. } if spot.row == 39), "{error}");
    // Two neighbours that have changed places.
    let error = spoilt(|lines| {
        lines.each(|line| line.swap(20, 21));
    });
    let TrackError::Fold { spot, degrees, .. } = &error else { panic!("{error}") };
    assert_eq!(spot.row, 20);
    assert!(*degrees > 170.0);
    says(&error, &["out of order", "way-point 20"]);
}

#[test]
fn not_of_a_tracks_size() {
    let scaled = |by: f64| {
        spoilt(|lines| {
            lines.each(|line| line.iter_mut().for_each(|at| *at = Point::new(at.x * by, at.y * by)));
        })
    };
    says(&scaled(0.01), &["0.126 m long", "are these metres?"]);
    says(&scaled(0.001), &["0.013 m long", "are these metres?"]);
    says(&scaled(100.0), &["1256.", "are these metres?"]);
    says(&scaled(1000.0), &["farther than 1000 m", "are these metres?"]);
    says(&scaled(1e300), &["farther than 1000 m"]);
    says(&scaled(0.0), &["1 way-points"]);
}

#[test]
fn two_way_points_at_one_place() {
    let error = spoilt(|lines| lines.centre[12] = lines.centre[11]);
    assert!(matches!(&error, TrackError::Repeated { spot } if spot.row == 12), "{error}");
    says(&error, &["way-point 12", "remove one"]);
}

/// An eight whose two halves are rings of 2 m.
fn eight(distance: f64) -> Lines {
    let at = |radius: f64| -> Vec<Point> {
        let left = (0..60).map(|index| TAU * f64::from(index) / 60.0);
        let left = left.map(|angle| Point::new(radius * angle.cos() - distance, radius * angle.sin()));
        let turn = 4.0 - radius;
        let right = (0..60).map(|index| TAU * (0.5 - f64::from(index) / 60.0));
        let right = right.map(|angle| Point::new(turn * angle.cos() + distance, turn * angle.sin()));
        left.chain(right).collect()
    };
    Lines { centre: at(2.0), inner: at(1.6), outer: at(2.4) }
}

#[test]
fn an_eight_crosses_itself() {
    let error = eight(1.9).built().unwrap_err();
    let TrackError::Crossing { one: Line::Centre, other: Line::Centre, first, second, at } = &error else {
        panic!("{error}")
    };
    assert!(first.row < 60 && second.row >= 59, "{error}");
    assert!(at.x.abs() < 0.2 && at.y.abs() < 1.0, "{error}");
    says(&error, &["centre line crosses the centre line", "way-point", "may not cross"]);
}

#[test]
fn parts_of_the_road_that_run_into_each_other() {
    // Two long straights 0.6 m apart, with round ends that give them room.
    let lines = dumb_bell(0.6);
    let error = lines.built().unwrap_err();
    let TrackError::Crossing { one, other, at, .. } = &error else { panic!("{error}") };
    assert_eq!((*one, *other), (Line::Inner, Line::Inner), "{error}");
    // Where they part again: the flare's border is a circle of 1.4 m whose centre is 1.3 m below the middle.
    let parting = 2.0 + (1.4_f64 * 1.4 - 1.3 * 1.3).sqrt();
    assert!(at.y.abs() < 1e-3 && (at.x - parting).abs() < 1e-2, "{error}, wanted x {parting}");
    assert!(dumb_bell(0.9).built().is_ok());
}

/// Two straights of 4 m that are `apart`, joined by loops of 1 m at the ends; 0.8 m wide.
fn dumb_bell(apart: f64) -> Lines {
    let mut poses = Vec::new();
    let mut pose = Pose { at: Point::new(-2.0, -apart / 2.0), heading: 0.0 };
    let mut walk = |length: f64, turn: f64| {
        let steps = (length / 0.05).ceil();
        for _ in 0..steps as u32 {
            poses.push(pose);
            pose.heading += turn / steps / 2.0;
            pose = Pose { at: pose.point(length / steps, 0.0), heading: pose.heading + turn / steps / 2.0 };
        }
    };
    // Away from each other with 1 m of radius, so far that the loop's ends meet them: the centres of both circles
    // are 2 m apart, 1 m and half of `apart` of it across.
    let flare = f64::midpoint(1.0, apart / 2.0).acos();
    for _ in 0..2 {
        walk(4.0, 0.0);
        walk(flare, -flare);
        walk(PI + 2.0 * flare, PI + 2.0 * flare);
        walk(flare, -flare);
    }
    let line = |left: f64| poses.iter().map(|pose| pose.point(0.0, left)).collect::<Vec<_>>();
    Lines { centre: line(0.0), inner: line(0.4), outer: line(-0.4) }
}

#[test]
fn borders_on_the_wrong_side() {
    let error = spoilt(|lines| std::mem::swap(&mut lines.inner, &mut lines.outer));
    assert_eq!(error, TrackError::Swapped { counter_clockwise: true });
    says(&error, &["swap the two", "counter-clockwise", "left"]);
    let error = spoilt(|lines| {
        std::mem::swap(&mut lines.inner, &mut lines.outer);
        lines.each(|line| line.reverse());
    });
    assert_eq!(error, TrackError::Swapped { counter_clockwise: false });
    let error = spoilt(|lines| lines.inner[33] = lines.outer[33]);
    assert!(
        matches!(&error, TrackError::WrongSide { which: Line::Inner, spot, wanted: "left" } if spot.row == 33)
    );
    let error = spoilt(|lines| {
        lines.each(|line| line.reverse());
        lines.outer[5] = lines.centre[5];
    });
    assert!(
        matches!(&error, TrackError::WrongSide { which: Line::Outer, spot, wanted: "left" } if spot.row == 5)
    );
}

#[test]
fn narrower_than_the_car_and_wider_than_a_hall() {
    let squeeze = |half: f64| {
        spoilt(|lines| {
            let centre = lines.centre[50];
            let out = Point::new(centre.x / 2.0, centre.y / 2.0);
            lines.inner[50] = Point::new(centre.x - out.x * half, centre.y - out.y * half);
            lines.outer[50] = Point::new(centre.x + out.x * half, centre.y + out.y * half);
        })
    };
    let error = squeeze(0.08);
    assert!(matches!(&error, TrackError::TooNarrow { spot, .. } if spot.row == 50), "{error}");
    says(&error, &["0.160 m wide", "way-point 50", "0.200 m", "0.162 m"]);
    says(&spoilt(|lines| lines.outer[3] = Point::new(40.0, 0.0)), &["wide at way-point 3", "at most 10 m"]);
}

#[test]
fn borders_that_cross() {
    // Two points of the outer border have changed places.
    let error = spoilt(|lines| lines.outer.swap(10, 14));
    let TrackError::Crossing { one: Line::Outer, other: Line::Outer, first, .. } = &error else {
        panic!("{error}")
    };
    assert!((8..=14).contains(&first.row), "{error}");
    // A fold of the inner border that is shorter than half the road does no harm.
    let mut lines = Lines::good();
    lines.inner.swap(30, 31);
    assert!(lines.built().is_ok());
}
