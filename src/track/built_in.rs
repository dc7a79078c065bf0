//! Roads that come with the program, laid from straights and arcs as a model railway is. Counter-clockwise,
//! 0.76 m wide like AWS's own, no radius under 0.5 m; way-points about 0.1 m apart.

use std::f64::consts::PI;

use super::check::Lines;
use super::point::{Point, Pose};
use super::trig::sin_cos;

/// The names of the roads.
pub const NAMES: [&str; 4] = ["oval", "hairpin", "chicane", "bean"];

/// From the centre line to a border, metres.
const HALF: f64 = 0.38;
/// Metres between way-points, at most.
const STEP: f64 = 0.1;

/// A piece of road.
#[derive(Clone, Copy)]
enum Piece {
    /// Metres straight ahead.
    Straight(f64),
    /// A radius in metres and degrees to the left, or to the right where negative.
    Arc(f64, f64),
}

use Piece::{Arc, Straight};

/// The lines of a road by its name.
pub(super) fn lines(name: &str) -> Option<Lines> {
    match name {
        "oval" => Some(laid(&oval())),
        "hairpin" => Some(laid(&hairpin())),
        "chicane" => Some(laid(&chicane())),
        "bean" => Some(laid(&bean())),
        _ => None,
    }
}

/// Two straights, two half-circles.
fn oval() -> Vec<Piece> {
    vec![Straight(1.5), Arc(1.0, 180.0), Straight(3.0), Arc(1.0, 180.0), Straight(1.5)]
}

/// A U whose legs end in hairpins of 0.55 m: out around the U, back along its inside.
fn hairpin() -> Vec<Piece> {
    let (outside, inside, leg) = (1.8, 0.7, 1.4);
    let end = (outside - inside) / 2.0;
    vec![
        Straight(leg / 2.0),
        Arc(end, 180.0),
        Straight(leg),
        Arc(inside, -180.0),
        Straight(leg),
        Arc(end, 180.0),
        Straight(leg),
        Arc(outside, 180.0),
        Straight(leg / 2.0),
    ]
}

/// An oval with two bends inwards on one side.
fn chicane() -> Vec<Piece> {
    let (radius, bend, end, lead) = (0.7, 50.0, 1.15, 0.6);
    let half = 2.0 * radius * sin_cos(bend * PI / 180.0).0;
    let mut pieces = vec![Straight(lead + 2.0 * half), Arc(end, 180.0), Straight(lead)];
    for _ in 0..2 {
        pieces.extend([Arc(radius, bend), Arc(radius, -2.0 * bend), Arc(radius, bend)]);
    }
    pieces.extend([Straight(lead), Arc(end, 180.0), Straight(lead + 2.0 * half)]);
    pieces
}

/// Arcs only: a back, two lobes, a dent. The back's radius follows from its tangents to the lobes.
fn bean() -> Vec<Piece> {
    let (dent, dent_turn, lobe, back_turn) = (1.1, 70.0, 0.9, 100.0);
    let half_sine = |degrees: f64| sin_cos(degrees / 2.0 * PI / 180.0).0;
    let back = lobe + (dent + lobe) * half_sine(dent_turn) / half_sine(back_turn);
    let lobe_turn = (360.0 + dent_turn - back_turn) / 2.0;
    vec![
        Arc(back, back_turn / 2.0),
        Arc(lobe, lobe_turn),
        Arc(dent, -dent_turn),
        Arc(lobe, lobe_turn),
        Arc(back, back_turn / 2.0),
    ]
}

/// Lays the pieces from the origin towards +x.
fn laid(pieces: &[Piece]) -> Lines {
    let mut poses = Vec::new();
    let mut start = Pose::default();
    for piece in pieces {
        let steps = steps(*piece);
        poses.extend((0..steps).map(|step| along(*piece, start, f64::from(step) / f64::from(steps))));
        start = along(*piece, start, 1.0);
    }
    let line = |left: f64| -> Vec<Point> { poses.iter().map(|pose| pose.point(0.0, left)).collect() };
    Lines::new(line(0.0), line(HALF), line(-HALF), Vec::new())
}

/// In how many steps a piece is walked.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a handful of metres")]
fn steps(piece: Piece) -> u32 {
    let long = match piece {
        Straight(long) => long,
        Arc(radius, turn) => radius * (turn * PI / 180.0).abs(),
    };
    (long / STEP).ceil().max(1.0) as u32
}

/// The pose at a share of a piece that starts at `start`.
fn along(piece: Piece, start: Pose, share: f64) -> Pose {
    match piece {
        Straight(long) => Pose { at: start.point(long * share, 0.0), heading: start.heading },
        Arc(radius, turn) => {
            let (angle, side) = (turn * share * PI / 180.0, radius.copysign(turn));
            let (sine, cosine) = sin_cos(angle);
            let at = start.point(side * sine, side * (1.0 - cosine));
            Pose { at, heading: start.heading + angle }
        }
    }
}
