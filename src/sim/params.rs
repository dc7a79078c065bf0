//! What AWS hands to a reward function: all keys of its `params`, by its names and definitions (training.md §1.3), so
//! that a reward written for the console can judge a drive here. Refuses nothing; a value that is no number is `null`.

mod json;

pub use json::KEYS;

use std::f64::consts::PI;

use crate::sim::referee::{Seen, Standing, seconds};
use crate::track::{Point, Track, trig};
use crate::units::Instant;

/// Half of the camera's horizontal field, radians, and its place ahead of the rear axle, metres (training.md §1.3).
const HALF_FIELD: f64 = 0.565;
const CAMERA: f64 = 0.227;

/// What only the caller knows.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Circumstances<'a> {
    /// The commanded steering, degrees, left positive: AWS's `steering_angle` is the wish, not the wheels.
    pub steering: f64,
    /// The commanded speed, m/s.
    pub speed: f64,
    /// Middles of the boxes on the track; they stand still.
    pub objects: &'a [Point],
    /// Whether the car runs into one of them.
    pub is_crashed: bool,
    /// Whether the track is driven against its way-points' own order.
    pub is_reversed: bool,
}

/// The parameters of one step. The car's place is its nose's, as AWS measures it.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "AWS's own keys")]
pub struct Params<'a> {
    /// All four wheels are on the track.
    pub all_wheels_on_track: bool,
    /// Metres.
    pub x: f64,
    /// Metres.
    pub y: f64,
    /// Degrees, -180 to 180, counter-clockwise from +x.
    pub heading: f64,
    /// Metres from the centre line, either side.
    pub distance_from_center: f64,
    /// Metres along the centre line from the first way-point.
    pub projection_distance: f64,
    /// Of the lap, 0 to 100.
    pub progress: f64,
    /// Steps since the start.
    pub steps: u64,
    /// Commanded, m/s.
    pub speed: f64,
    /// Commanded, degrees, left positive.
    pub steering_angle: f64,
    /// Metres from border to border.
    pub track_width: f64,
    /// Metres.
    pub track_length: f64,
    /// The centre line's way-points; written with the first repeated at the end.
    pub waypoints: &'a [Point],
    /// The way-points behind and ahead; the one ahead of the last is the repeated first.
    pub closest_waypoints: [usize; 2],
    /// Left of the centre line, in the direction of travel.
    pub is_left_of_center: bool,
    /// Driven against the way-points' own order.
    pub is_reversed: bool,
    /// The objects behind and ahead along the track; zeros without objects.
    pub closest_objects: [usize; 2],
    /// Their middles and what the track says of them, in the caller's order.
    pub objects: Vec<Object>,
    /// Whether the object ahead is in front of the camera.
    pub object_in_camera: bool,
    /// Ran into an object.
    pub is_crashed: bool,
    /// All four wheels are off the track.
    pub is_offtrack: bool,
    /// Seconds of simulated time.
    pub sim_time: f64,
}

/// A box on the track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Object {
    /// Its middle.
    pub at: Point,
    /// Left of the centre line.
    pub is_left: bool,
    /// Metres from the centre line.
    pub from_center: f64,
    /// Metres along the centre line from the first way-point.
    pub along: f64,
}

impl<'a> Params<'a> {
    /// The parameters of the moment that the referee just judged.
    #[must_use]
    pub fn new(track: &'a Track, seen: &Seen, standing: &Standing, around: &Circumstances<'_>) -> Self {
        let (nose, place) = (seen.nose(), &standing.place);
        let objects: Vec<Object> = around.objects.iter().map(|at| object(track, *at)).collect();
        let closest_objects = closest(&objects, place.arc, track.length());
        let [_, ahead] = closest_objects;
        Self {
            all_wheels_on_track: standing.wheels_off == 0,
            x: nose.x,
            y: nose.y,
            heading: seen.pose.heading * 180.0 / PI,
            distance_from_center: place.offset.abs(),
            projection_distance: place.arc,
            progress: standing.progress,
            steps: standing.steps,
            speed: around.speed,
            steering_angle: around.steering,
            track_width: place.width,
            track_length: track.length(),
            waypoints: track.centre(),
            closest_waypoints: [place.segment, place.segment + 1],
            is_left_of_center: place.offset > 0.0,
            is_reversed: around.is_reversed,
            closest_objects,
            object_in_camera: objects.get(ahead).is_some_and(|object| in_camera(seen, object.at)),
            objects,
            is_crashed: around.is_crashed,
            is_offtrack: standing.wheels_off == 4,
            sim_time: seconds(seen.now.since(Instant(0))),
        }
    }
}

fn object(track: &Track, at: Point) -> Object {
    let place = track.place(at);
    Object { at, is_left: place.offset > 0.0, from_center: place.offset.abs(), along: place.arc }
}

/// The objects behind and ahead of a place along the track, around its end where need be.
fn closest(objects: &[Object], arc: f64, length: f64) -> [usize; 2] {
    let nearest = |away: &dyn Fn(f64) -> f64| {
        let all = objects.iter().map(|object| away(object.along)).enumerate();
        all.min_by(|(_, a), (_, b)| a.total_cmp(b)).map_or(0, |(index, _)| index)
    };
    let behind = |along: f64| (arc - along).rem_euclid(length);
    [nearest(&behind), nearest(&|along| length - behind(along))]
}

/// Whether a point lies within the camera's horizontal field, at any distance.
fn in_camera(seen: &Seen, at: Point) -> bool {
    let (ahead, left) = seen.pose.sees(at);
    let angle = trig::heading(ahead - CAMERA, left);
    angle.abs() <= HALF_FIELD
}
