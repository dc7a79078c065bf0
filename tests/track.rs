//! The geometry of roads against formulas, and against slower searches written here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use std::f64::consts::{FRAC_PI_2, PI, TAU};
use std::path::Path;

use hairpin::track::{BUILT_IN, Point, Pose, Track};
use proptest::prelude::{ProptestConfig, Strategy, any, prop_assert, prop_assert_eq, proptest};

/// A road whose centre line has the radius `at(angle)` around the origin.
fn around(count: usize, half: f64, at: impl Fn(f64) -> f64) -> Track {
    let point = |index: usize| {
        let angle = TAU * (index % count) as f64 / count as f64;
        Point::new(at(angle) * angle.cos(), at(angle) * angle.sin())
    };
    let centre: Vec<Point> = (0..count).map(point).collect();
    let side = |left: f64| -> Vec<Point> {
        let shifted = (0..count).map(|index| {
            let (before, after) = (point(index + count - 1), point(index + 1));
            let heading = (after.y - before.y).atan2(after.x - before.x);
            Pose { at: point(index), heading }.point(0.0, left)
        });
        shifted.collect()
    };
    Track::new("round", centre, side(half), side(-half)).expect("a road")
}

fn circle(count: usize, radius: f64) -> Track {
    around(count, 0.38, |_| radius)
}

/// The AWS arrays of the test material, or none with a printed reason.
fn aws() -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/tracks");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        println!("skipped: {} is not there", folder.display());
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let arrays = paths.filter(|path| path.extension().is_some_and(|extension| extension == "npy"));
    let mut found: Vec<(String, Vec<u8>)> = arrays
        .map(|path| (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read(&path).unwrap()))
        .collect();
    found.sort();
    found
}

fn built_in() -> Vec<Track> {
    BUILT_IN.iter().map(|name| Track::built_in(name).unwrap_or_else(|| panic!("{name} is no road"))).collect()
}

fn all() -> Vec<Track> {
    let mut tracks = built_in();
    tracks.extend(aws().iter().map(|(name, bytes)| Track::from_npy(name, bytes).unwrap()));
    tracks.extend(built_in().iter().map(Track::reversed));
    tracks.push(around(60, 0.3, |angle| 2.0 + 0.4 * (3.0 * angle).cos()));
    tracks.push(circle(8, 1.0));
    tracks
}

/// Turns at the way-points, radians.
fn turns(track: &Track) -> Vec<f64> {
    let centre = track.centre();
    let count = centre.len();
    let heading = |index: usize| {
        let (from, to) = (centre[index % count], centre[(index + 1) % count]);
        (to.y - from.y).atan2(to.x - from.x)
    };
    (0..count)
        .map(|index| {
            let turn = heading(index) - heading(index + count - 1);
            (turn + PI).rem_euclid(TAU) - PI
        })
        .collect()
}

#[test]
fn a_regular_polygon_has_its_length_and_the_curvature_of_its_circle() {
    for (count, radius) in [(8, 1.0), (64, 1.0), (100, 2.5), (3000, 10.0)] {
        let track = circle(count, radius);
        let length = 2.0 * count as f64 * radius * (PI / count as f64).sin();
        assert!((track.length() - length).abs() < 1e-10 * length, "{} {length}", track.length());
        for index in [0, 1, count / 2, count - 1] {
            let step = length / count as f64;
            for share in [0.0, 0.3, 0.9] {
                let place = track.place(track.at((index as f64 + share) * step).at);
                assert!((place.curvature - 1.0 / radius).abs() < 1e-9, "{place:?}");
            }
        }
        // Beside a way-point, along its radius: outside, on the right, the way-point itself is nearest; inside it is
        // the foot on one of the two segments that meet there.
        for out in [-0.37, -0.1, 0.0, 0.2, 0.37] {
            let index = count / 3;
            let angle = TAU * index as f64 / count as f64;
            let place = track.place(Point::new((radius + out) * angle.cos(), (radius + out) * angle.sin()));
            let error = (place.arc - index as f64 * length / count as f64).abs();
            if out >= 0.0 {
                assert!(error < 1e-9 && (place.offset + out).abs() < 1e-9, "{out}: {place:?}");
            } else {
                let foot = -out * (PI / count as f64).cos();
                assert!((place.offset - foot).abs() < 1e-9, "{out}: {place:?} {foot}");
            }
        }
        assert!(track.is_counter_clockwise());
    }
}

#[test]
fn the_oval_is_two_straights_and_two_half_circles() {
    let track = Track::built_in("oval").unwrap();
    // Each half-circle of 1 m is walked in 32 steps, so that no step is longer than 0.1 m.
    let half = 32.0 * 2.0 * (PI / 64.0).sin();
    assert!((track.length() - (6.0 + 2.0 * half)).abs() < 1e-12, "{}", track.length());
    for (x, y, arc, offset, heading) in [
        (0.0, 0.0, 0.0, 0.0, 0.0),
        (0.755, 0.25, 0.755, 0.25, 0.0),
        (1.234, -0.38, 1.234, -0.38, 0.0),
        (0.5, 1.75, 1.5 + half + 1.0, 0.25, PI),
        (-0.25, 2.125, 1.5 + half + 1.75, -0.125, PI),
        (-0.25, -0.1, 6.0 + 2.0 * half - 0.25, -0.1, 0.0),
    ] {
        let place = track.place(Point::new(x, y));
        assert!((place.arc - arc).abs() < 1e-12, "{x} {y}: {place:?}, wanted {arc}");
        assert!((place.offset - offset).abs() < 1e-12, "{x} {y}: {place:?}");
        assert!((place.heading.abs() - heading).abs() < 1e-12, "{x} {y}: {place:?}");
        assert!(place.curvature.abs() < 1e-9, "{x} {y}: {place:?}");
        assert!((place.width - 0.76).abs() < 1e-12, "{x} {y}: {place:?}");
        assert_eq!(place.next, (place.segment + 1) % track.centre().len());
    }
    let top = track.place(Point::new(2.4, 1.0));
    assert!((top.curvature - 1.0).abs() < 1e-9 && (top.heading - FRAC_PI_2).abs() < 0.1, "{top:?}");
    let (low, high) = track.bounds();
    assert!((low.y + 0.38).abs() < 1e-9 && (high.y - 2.38).abs() < 1e-9 && (high.x - 2.88).abs() < 2e-3);
}

#[test]
fn the_roads_that_come_with_the_program_can_be_driven() {
    for track in built_in() {
        let name = track.name();
        assert!((8.0..=25.0).contains(&track.length()), "{name} is {} m long", track.length());
        assert!((track.mean_width() - 0.76).abs() < 1e-9, "{name} is {} m wide", track.mean_width());
        let steps: Vec<f64> = (0..track.centre().len())
            .map(|i| track.centre()[i].distance(track.at_way_point(i + 1)))
            .collect();
        assert!(steps.iter().all(|step| (0.05..0.1001).contains(step)), "{name}: {steps:?}");
        let sharpest = track.centre().iter().map(|at| track.place(*at).curvature.abs()).fold(0.0, f64::max);
        assert!(sharpest < 1.0 / 0.5, "{name} bends with a radius of {} m", 1.0 / sharpest);
        assert!((turns(&track).iter().sum::<f64>() - TAU).abs() < 1e-9, "{name} turns once to the left");
    }
    assert!(Track::built_in("Oval").is_none() && Track::built_in("").is_none());
}

trait AtWayPoint {
    fn at_way_point(&self, index: usize) -> Point;
}

impl AtWayPoint for Track {
    fn at_way_point(&self, index: usize) -> Point {
        self.centre()[index % self.centre().len()]
    }
}

/// The bits of every built-in road and of places on it: they must not depend on the build or the machine.
#[test]
fn the_bits_are_the_same_everywhere() {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut mix =
        |value: f64| hash = (hash ^ value.to_bits()).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(17);
    for track in built_in() {
        for point in track.centre().iter().chain(track.inner()).chain(track.outer()) {
            mix(point.x);
            mix(point.y);
            let place = track.place(Point::new(point.x + 0.017, point.y - 0.029));
            for value in [place.arc, place.offset, place.heading, place.curvature, place.width] {
                mix(value);
            }
        }
    }
    assert_eq!(
        hash, 5_611_295_260_579_530_111,
        "changed bits: if that was meant, every golden lap changes with them"
    );
}

#[test]
fn the_arrays_of_aws_load_with_their_lengths() {
    // Lengths computed from the arrays by another program (and training.md §3 for reinvent_base).
    let known = [
        ("2022_april_open", 50.300_488_720_486_2, 167, 1.066_8),
        ("Oval_track", 19.549_800_178_858_835, 100, 0.709_4),
        ("reinvent_base", 17.709_159_380_834_84, 118, 0.761_9),
    ];
    for (name, bytes) in aws() {
        let track = Track::from_npy(&name, &bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        if let Some((_, length, count, width)) = known.iter().find(|(known, ..)| *known == name) {
            assert!((track.length() - length).abs() < 1e-9, "{name} is {} m long", track.length());
            assert_eq!(track.centre().len(), *count, "{name}");
            assert!((track.mean_width() - width).abs() < 1e-3, "{name} is {} m wide", track.mean_width());
        }
        for (index, at) in track.centre().iter().enumerate() {
            let place = track.place(*at);
            assert_eq!((place.segment, place.offset), (index, 0.0), "{name}");
            assert!(track.is_on(*at), "{name}: way-point {index} is off the road");
        }
    }
}

#[test]
fn the_line_wraps_both_ways() {
    for track in all() {
        let length = track.length();
        let start = track.at(0.0);
        assert_eq!(start.at, track.centre()[0]);
        for same in [length, -length, 3.0 * length, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -1e-300] {
            assert!(track.at(same).at.distance(start.at) < 1e-9, "{} at {same}", track.name());
        }
        for arc in [0.1, length / 3.0, length - 0.01] {
            assert!(track.at(arc - length).at.distance(track.at(arc).at) < 1e-9);
            assert!((track.place(track.at(arc).at).arc - arc).abs() < 1e-9);
        }
    }
}

#[test]
fn the_other_way_round_left_is_right() {
    for track in all() {
        let back = track.reversed();
        assert_eq!(back.reversed(), track);
        assert!((back.length() - track.length()).abs() < 1e-9);
        assert_ne!(back.is_counter_clockwise(), track.is_counter_clockwise());
        for step in 1..40 {
            let arc = track.length() * f64::from(step) / 40.0;
            let at = track.at(arc).point(0.0, 0.2);
            let (there, here) = (track.place(at), back.place(at));
            assert!((there.offset + here.offset).abs() < 1e-9);
            assert!((there.arc + here.arc - track.length()).abs() < 1e-9, "{there:?} {here:?}");
            assert!((there.curvature + here.curvature).abs() < 1e-6, "{there:?} {here:?}");
            assert!((there.width - here.width).abs() < 1e-9);
            assert_eq!(track.is_on(at), back.is_on(at));
        }
    }
}

#[test]
fn what_is_not_a_number_is_nowhere() {
    let track = Track::built_in("bean").unwrap();
    for at in [Point::new(f64::NAN, 0.0), Point::new(0.0, f64::NAN), Point::new(f64::NAN, f64::NAN)] {
        assert!(!track.is_on(at));
        for hint in [0, 7, usize::MAX] {
            assert!(track.place_near(at, hint).offset.is_nan());
        }
        assert!(track.place(at).offset.is_nan());
    }
    let far = track.place(Point::new(1e300, -1e300));
    assert!(far.segment < track.centre().len());
}

/// The distance to the centre line by walking it in steps of `step` metres.
fn walked(track: &Track, at: Point, step: f64) -> f64 {
    let mut least = f64::INFINITY;
    for index in 0..track.centre().len() {
        let (from, to) = (track.at_way_point(index), track.at_way_point(index + 1));
        let steps = (from.distance(to) / step).ceil();
        let mut walked = 0.0;
        while walked <= steps {
            let share = walked / steps;
            least = least.min(
                at.distance(Point::new(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share)),
            );
            walked += 1.0;
        }
    }
    least
}

fn a_track() -> impl Strategy<Value = Track> {
    let tracks = all();
    (0..tracks.len()).prop_map(move |index| tracks[index].clone())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_place_is_where_it_was_made(track in a_track(), at in 0.0..1.0_f64, across in -0.49..0.49_f64) {
        let arc = at * track.length();
        let pose = track.at(arc);
        let here = track.place(pose.at);
        let offset = across * here.width;
        let place = track.place(pose.point(0.0, offset));
        if place.segment == here.segment {
            prop_assert!((place.arc - arc).abs() < 1e-9, "{place:?}, made at {arc}");
            prop_assert!((place.offset - offset).abs() < 1e-9, "{place:?}, made with {offset}");
        }
        // Near a corner the nearest point may lie on the neighbour: by how much follows from the turn there.
        let turns = turns(&track);
        let (behind, ahead) = (turns[here.segment].abs(), turns[here.next].abs());
        let turn = behind.max(ahead);
        prop_assert!(place.offset.abs() <= offset.abs() + 1e-9);
        let away = (place.arc - arc).abs();
        let away = away.min(track.length() - away);
        let step = pose.at.distance(track.at_way_point(here.next)).max(pose.at.distance(track.at_way_point(here.segment)));
        let inside = 1.0 - (offset.abs() * turn / step).min(0.85);
        prop_assert!(away <= 1e-9 + 2.0 * (offset.abs() * turn + step * (1.0 - inside)) / inside, "{away} of {place:?}, {arc} {offset}");
        prop_assert!(offset.abs() - place.offset.abs() <= 1e-9 + offset.abs() * turn * 2.0 / inside, "{place:?}, {offset}");
        prop_assert!(offset.abs() < 1e-9 || (place.offset > 0.0) == (offset > 0.0), "{place:?}, {offset}");
    }

    #[test]
    fn the_offset_is_the_least_distance(track in a_track(), x in -12.0..12.0_f64, y in -9.0..9.0_f64) {
        let (at, place) = (Point::new(x, y), track.place(Point::new(x, y)));
        let least = walked(&track, at, 0.01);
        // Walking in steps of 1 cm overshoots the distance by less than half a step, and far away by much less.
        prop_assert!(place.offset.abs() <= least + 1e-12 && least - place.offset.abs() < 0.005, "{place:?} {least}");
        let foot = track.at(place.arc).at;
        prop_assert!((foot.distance(at) - place.offset.abs()).abs() < 1e-9);
        prop_assert!(place.arc >= 0.0 && place.arc < track.length());
        // Left is where the cross product with the direction is positive, unless a corner is nearest.
        let pose = Pose { at: foot, heading: place.heading };
        let (ahead, left) = pose.sees(at);
        if ahead.abs() < 1e-9 {
            prop_assert!((left - place.offset).abs() < 1e-9, "{left} {place:?}");
        }
    }

    #[test]
    fn searching_nearby_gives_the_same_bits(
        track in a_track(), arc in 0.0..60.0_f64, across in -3.0..3.0_f64, hint in any::<usize>(), off in 0_usize..9,
    ) {
        let at = track.at(arc).point(0.0, across);
        let place = track.place(at);
        for hint in [hint, place.segment, place.segment + off, (place.segment + 1000 - off) % 1000, 0] {
            let near = track.place_near(at, hint);
            prop_assert_eq!(near, place);
            prop_assert_eq!(near.arc.to_bits(), place.arc.to_bits());
            prop_assert_eq!(near.offset.to_bits(), place.offset.to_bits());
        }
    }

    #[test]
    fn the_road_is_as_wide_as_it_says(track in 0_usize..4, at in 0.0..1.0_f64, across in -0.6..0.6_f64) {
        let track = Track::built_in(BUILT_IN[track]).unwrap();
        let at = track.at(at * track.length()).point(0.0, across);
        let offset = track.place(at).offset.abs();
        // Borders are chords of their arcs: on the outside up to 2 mm narrower, at 0.1 m steps and 0.55 m radius.
        if offset < 0.38 - 0.004 {
            prop_assert!(track.is_on(at), "{at:?} {offset}");
        } else if offset > 0.38 + 0.004 {
            prop_assert!(!track.is_on(at), "{at:?} {offset}");
        }
    }
}

/// `cargo test --release --test track -- --ignored --nocapture`
#[test]
#[ignore = "a measurement, not a check"]
fn speed_of_finding_a_place() {
    for track in all() {
        let rounds = 200_000_u32;
        let (mut hint, mut sum) = (0, 0.0);
        let spots: Vec<Point> =
            (0..rounds).map(|step| track.at(f64::from(step) * 0.02).point(0.0, 0.1)).collect();
        let start = std::time::Instant::now();
        for at in &spots {
            let place = track.place_near(*at, hint);
            (hint, sum) = (place.segment, sum + place.offset);
        }
        let near = start.elapsed() / rounds;
        let start = std::time::Instant::now();
        sum -= spots.iter().map(|at| track.place(*at).offset).sum::<f64>();
        let full = start.elapsed() / rounds;
        let start = std::time::Instant::now();
        let on = spots.iter().filter(|at| track.is_on(**at)).count();
        let wheel = start.elapsed() / rounds;
        println!("{}: place_near {near:?}, place {full:?}, is_on {wheel:?} ({sum}, {on})", track.name());
    }
}
