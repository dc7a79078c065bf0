//! Where things are in the picture, against a pinhole that is written out here.

use hairpin::sim::lens::Lens;
use hairpin::sim::obstacle::Obstacle;
use hairpin::sim::render::{Eye, Renderer, View};
use hairpin::sim::seed::Seed;
use hairpin::track::{BUILT_IN, Point, Pose};

use super::{VGA, gray, plain, pose, track};

type Matrix = [[f64; 4]; 3];

/// World to picture, written out here and sharing nothing with `sim::lens`: rotate into the car, step to the camera
/// (0.227 m ahead of the rear axle, `up` metres), pitch, project with 1 / tan(1.13 / 2) half-widths.
fn pinhole(pose: Pose, up: f64) -> Matrix {
    let (s, c) = (pose.heading.sin(), pose.heading.cos());
    let (sp, cp) = (15.0_f64.to_radians().sin(), 15.0_f64.to_radians().cos());
    let f = 320.0 / (1.13_f64 / 2.0).tan();
    let ahead = [c, s, 0.0, -(pose.at.x * c + pose.at.y * s) - 0.227];
    let right = [s, -c, 0.0, -pose.at.x * s + pose.at.y * c];
    let below = [0.0, 0.0, -1.0, up];
    let mut matrix = [[0.0; 4]; 3];
    for at in 0..4 {
        let depth = cp * ahead[at] + sp * below[at];
        let down = cp * below[at] - sp * ahead[at];
        matrix[0][at] = f * right[at] + 320.0 * depth;
        matrix[1][at] = f * down + 240.0 * depth;
        matrix[2][at] = depth;
    }
    matrix
}

fn project(matrix: &Matrix, at: [f64; 3]) -> Option<(f64, f64)> {
    let row = |n: usize| matrix[n][0] * at[0] + matrix[n][1] * at[1] + matrix[n][2] * at[2] + matrix[n][3];
    (row(2) > 0.05).then(|| (row(0) / row(2), row(1) / row(2)))
}

/// Grey between pixels; pixel centres lie at halves.
fn between(picture: &[u8], u: f64, v: f64) -> f64 {
    let (x, y) = ((u - 0.5).max(0.0), (v - 0.5).max(0.0));
    let (column, row) = (x.floor() as usize, y.floor() as usize);
    let at = |dx: usize, dy: usize| f64::from(picture[(row + dy).min(479) * 640 + (column + dx).min(639)]);
    let (fx, fy) = (x.fract(), y.fract());
    let low = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    low + (at(0, 1) + (at(1, 1) - at(0, 1)) * fx - low) * fy
}

/// How far from (`u`, `v`) the picture crosses `level` along (`du`, `dv`), from below to above; nothing within 5 px.
fn crossing(picture: &[u8], (u, v): (f64, f64), (du, dv): (f64, f64), level: f64) -> Option<f64> {
    let value = |step: i32| {
        let far = f64::from(step) / 8.0;
        between(picture, u + du * far, v + dv * far) - level
    };
    (-40..40)
        .filter(|step| value(*step) < 0.0 && value(step + 1) >= 0.0)
        .map(|step| (f64::from(step) - value(step) / (value(step + 1) - value(step))) / 8.0)
        .min_by(|one, other| one.abs().total_cmp(&other.abs()))
}

/// Points of a closed line every centimetre or so, with the next one.
fn dense(line: &[Point]) -> Vec<(Point, Point)> {
    let mut all = Vec::new();
    for (n, from) in line.iter().enumerate() {
        let to = line[(n + 1) % line.len()];
        let steps = (from.distance(to) / 0.01).ceil().max(1.0);
        let at =
            |k: f64| Point::new(from.x + (to.x - from.x) * k / steps, from.y + (to.y - from.y) * k / steps);
        all.extend((0..steps as u32).map(|k| (at(f64::from(k)), at(f64::from(k) + 1.0))));
    }
    all
}

/// The border's outer edge, projected by the test's own matrix, against the edge that thresholding finds.
#[test]
fn borders_are_where_an_independent_pinhole_puts_them() {
    let mut dice = Seed::new(20);
    let (mut count, mut sum, mut worst) = (0_u32, 0.0, 0.0_f64);
    for n in 0..20 {
        let track = track(BUILT_IN[n % BUILT_IN.len()]);
        let mut renderer = Renderer::new(&track, Lens::training(), plain());
        let pose = pose(&track, &mut dice);
        let picture = gray(&mut renderer, View::new(pose, VGA));
        let matrix = pinhole(pose, 0.130);
        for (border, inwards) in [(track.inner(), track.outer()), (track.outer(), track.inner())] {
            for (from, to) in dense(border) {
                let far = from.distance(pose.at);
                let seen = [from, to].map(|at| project(&matrix, [at.x, at.y, 0.0]));
                let [Some(one), Some(two)] = seen else { continue };
                let inside = one.0 > 8.0 && one.0 < 632.0 && one.1 > 8.0 && one.1 < 472.0;
                if !inside || far > 1.6 {
                    continue;
                }
                // Across the line in the picture, from the field to the road.
                let long = (two.0 - one.0).hypot(two.1 - one.1);
                let mut way = ((two.1 - one.1) / long, (one.0 - two.0) / long);
                let road = inwards
                    .iter()
                    .copied()
                    .min_by(|a, b| a.distance(from).total_cmp(&b.distance(from)))
                    .unwrap();
                let a_step = (road.x - from.x, road.y - from.y);
                let size = a_step.0.hypot(a_step.1);
                let near = [from.x + 0.02 * a_step.0 / size, from.y + 0.02 * a_step.1 / size, 0.0];
                let near = project(&matrix, near).unwrap();
                if (near.0 - one.0) * way.0 + (near.1 - one.1) * way.1 < 0.0 {
                    way = (-way.0, -way.1);
                }
                let off = crossing(&picture, one, way, 100.0).unwrap_or(f64::INFINITY).abs();
                assert!(off <= 1.0, "pose {n} on {}: {off:.2} px at {one:?}, {far:.2} m away", track.name());
                (count, sum, worst) = (count + 1, sum + off, worst.max(off));
            }
        }
    }
    println!("{count} border points at 20 poses: mean {:.3} px, worst {worst:.3} px", sum / f64::from(count));
    assert!(count > 2_000, "only {count} points were compared");
}

/// The same edge through the wide lens: the test inverts the distortion by bisection.
#[test]
fn the_wide_lens_bends_by_its_own_formula() {
    let track = track("oval");
    let lens = Lens::wide();
    let mut renderer = Renderer::new(&track, lens, plain());
    let pose = track.at(0.3 * track.length());
    let picture = gray(&mut renderer, View::new(pose, VGA));
    let matrix = pinhole(pose, 0.130);
    let rescale = 1.30 * (1.13_f64 / 2.0).tan();
    let (mut count, mut bent_most) = (0, 0.0_f64);
    for (from, to) in dense(track.outer()).into_iter().chain(dense(track.inner())) {
        let bend = |at: Point| -> Option<(f64, f64)> {
            let (u, v) = project(&matrix, [at.x, at.y, 0.0])?;
            let (x, y) = ((u - 320.0) * rescale / 320.0, (v - 240.0) * rescale / 320.0);
            let straight = x.hypot(y);
            let (mut low, mut high) = (0.0, straight);
            for _ in 0..60 {
                let middle = f64::midpoint(low, high);
                if middle * (1.0 + 0.25 * middle * middle) < straight { low = middle } else { high = middle }
            }
            Some((320.0 + 320.0 * x * low / straight, 240.0 + 320.0 * y * low / straight))
        };
        let (Some(one), Some(two)) = (bend(from), bend(to)) else { continue };
        if !(8.0..632.0).contains(&one.0) || !(8.0..472.0).contains(&one.1) || from.distance(pose.at) > 1.4 {
            continue;
        }
        let long = (two.0 - one.0).hypot(two.1 - one.1);
        let way = ((two.1 - one.1) / long, (one.0 - two.0) / long);
        let found = [way, (-way.0, -way.1)].into_iter().filter_map(|way| crossing(&picture, one, way, 100.0));
        let off = found.map(f64::abs).fold(f64::INFINITY, f64::min);
        assert!(off <= 1.0, "{off:.2} px at {one:?}");
        let pinhole = project(&matrix, [from.x, from.y, 0.0]).unwrap();
        let pinhole = ((pinhole.0 - 320.0) * rescale, (pinhole.1 - 240.0) * rescale);
        bent_most = bent_most.max((pinhole.0 - one.0 + 320.0).hypot(pinhole.1 - one.1 + 240.0));
        count += 1;
    }
    println!("{count} points, bent by up to {bent_most:.0} px");
    assert!(count > 60 && bent_most > 30.0, "{count} points, bent by at most {bent_most} px");
}

/// Disparity = f B / Z, Z the depth along the optical axis of the ground in a row.
#[test]
fn the_stereo_pair_has_the_disparity_of_its_baseline() {
    let track = track("oval");
    let mut renderer = Renderer::new(&track, Lens::training(), plain());
    let (f, mut rows) = (320.0 / (1.13_f64 / 2.0).tan(), 0);
    for arc in [0.5, 1.5, 3.0, 6.0] {
        let view = |eye| View { eye, ..View::new(track.at(arc), VGA) };
        let [left, right] = [Eye::Left, Eye::Right].map(|eye| gray(&mut renderer, view(eye)));
        for v in (180..400).step_by(10) {
            // The rightmost edge from road (100) to border (200).
            let edge = |picture: &[u8]| {
                let line: Vec<f64> =
                    picture[v * 640..(v + 1) * 640].iter().map(|value| f64::from(*value)).collect();
                let at = (10..630)
                    .rev()
                    .find(|u| line[*u] < 150.0 && line[u + 1] >= 150.0 && line[u - 2] > 95.0)?;
                Some(at as f64 + (150.0 - line[at]) / (line[at + 1] - line[at]))
            };
            let (Some(left), Some(right)) = (edge(&left), edge(&right)) else { continue };
            let y = (v as f64 + 0.5 - 240.0) / f;
            let depth = 0.130 / (15.0_f64.to_radians().sin() + y * 15.0_f64.to_radians().cos());
            let wanted = f * 0.06 / depth;
            assert!((left - right - wanted).abs() < 1.0, "row {v}: {} px, wanted {wanted}", left - right);
            rows += 1;
        }
    }
    println!("{rows} rows");
    assert!(rows > 20, "only {rows} rows had an edge in both pictures");
}

const fn column(at: &(f64, f64)) -> f64 {
    at.0
}

const fn row(at: &(f64, f64)) -> f64 {
    at.1
}

#[test]
fn a_box_covers_what_its_corners_span() {
    let track = track("oval");
    let mut renderer = Renderer::new(&track, Lens::training(), plain());
    let car = track.at(1.0);
    let ahead = |metres: f64, left: f64, heading: f64| Pose {
        at: Point::new(
            car.at.x + metres * car.heading.cos() - left * car.heading.sin(),
            car.at.y + metres * car.heading.sin() + left * car.heading.cos(),
        ),
        heading,
    };
    let matrix = pinhole(car, 0.130);
    for (metres, left, turned) in [(1.0, 0.0, 0.4), (1.5, 0.3, 1.2), (2.5, -0.4, 0.0)] {
        let empty = gray(&mut renderer, View::new(car, VGA));
        let mut obstacle = Obstacle::cardboard(ahead(metres, left, car.heading + turned));
        obstacle.colour = [255; 3];
        renderer.set_obstacles(&[obstacle]);
        let picture = gray(&mut renderer, View::new(car, VGA));
        renderer.set_obstacles(&[]);
        let changed: Vec<(f64, f64)> = (0..empty.len())
            .filter(|at| empty[*at] != picture[*at])
            .map(|at| ((at % 640) as f64 + 0.5, (at / 640) as f64 + 0.5))
            .collect();
        let corners: Vec<(f64, f64)> = (0..8)
            .map(|n| {
                let side = |bit: i32, half: f64| if n & bit == 0 { -half } else { half };
                let (along, across) = (side(1, 0.2), side(2, 0.15));
                let (s, c) = obstacle.pose.heading.sin_cos();
                let at = obstacle.pose.at;
                let world = [
                    at.x + along * c - across * s,
                    at.y + along * s + across * c,
                    if n & 4 == 0 { 0.0 } else { 0.25 },
                ];
                project(&matrix, world).unwrap()
            })
            .collect();
        let span = |of: fn(&(f64, f64)) -> f64, all: &[(f64, f64)]| {
            all.iter()
                .map(of)
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| (low.min(at), high.max(at)))
        };
        for (of, last) in [(column as fn(&(f64, f64)) -> f64, 639.5), (row, 479.5)] {
            let (seen, wanted) = (span(of, &changed), span(of, &corners));
            let wanted = (wanted.0.max(0.5), wanted.1.min(last));
            assert!(
                (seen.0 - wanted.0).abs() < 1.5 && (seen.1 - wanted.1).abs() < 1.5,
                "{seen:?}, wanted {wanted:?}"
            );
        }
    }
}
