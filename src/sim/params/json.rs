//! The parameters as the JSON that a reward function in any language reads. Refuses nothing.

use std::fmt::Write;

use super::Params;
use crate::track::Point;

/// The keys, in AWS's order; `sim_time` is its newest.
pub const KEYS: [&str; 27] = [
    "all_wheels_on_track",
    "x",
    "y",
    "heading",
    "distance_from_center",
    "projection_distance",
    "progress",
    "steps",
    "speed",
    "steering_angle",
    "track_width",
    "track_length",
    "waypoints",
    "closest_waypoints",
    "is_left_of_center",
    "is_reversed",
    "closest_objects",
    "objects_location",
    "objects_left_of_center",
    "object_in_camera",
    "objects_speed",
    "objects_heading",
    "objects_distance_from_center",
    "objects_distance",
    "is_crashed",
    "is_offtrack",
    "sim_time",
];

impl Params<'_> {
    /// One JSON object with all [`KEYS`], appended to `out`.
    pub fn write_json(&self, out: &mut String) {
        let mut values = Values { out, next: 0 };
        let objects = &self.objects;
        values.bool(self.all_wheels_on_track);
        values.numbers(&[self.x, self.y, self.heading]);
        values.numbers(&[self.distance_from_center, self.projection_distance, self.progress]);
        values.text(&self.steps.to_string());
        values.numbers(&[self.speed, self.steering_angle, self.track_width, self.track_length]);
        values.list(self.waypoints.iter().chain(self.waypoints.first()).map(pair));
        values.list(self.closest_waypoints.iter().map(ToString::to_string));
        values.bool(self.is_left_of_center);
        values.bool(self.is_reversed);
        values.list(self.closest_objects.iter().map(ToString::to_string));
        values.list(objects.iter().map(|object| pair(&object.at)));
        values.list(objects.iter().map(|object| object.is_left.to_string()));
        values.bool(self.object_in_camera);
        values.list(objects.iter().map(|_| number(0.0)));
        values.list(objects.iter().map(|_| number(0.0)));
        values.list(objects.iter().map(|object| number(object.from_center)));
        values.list(objects.iter().map(|object| number(object.along)));
        values.bool(self.is_crashed);
        values.bool(self.is_offtrack);
        values.numbers(&[self.sim_time]);
        out.push('}');
    }

    /// The object alone, as [`Params::write_json`] appends it.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut out = String::new();
        self.write_json(&mut out);
        out
    }
}

/// Writes one value after the other, each under its key.
struct Values<'a> {
    out: &'a mut String,
    next: usize,
}

impl Values<'_> {
    fn text(&mut self, value: &str) {
        let key = KEYS.get(self.next).copied().unwrap_or_default();
        let between = if self.next == 0 { '{' } else { ',' };
        self.next += 1;
        // A string takes everything.
        _ = write!(self.out, "{between}\"{key}\":{value}");
    }

    fn bool(&mut self, value: bool) {
        self.text(if value { "true" } else { "false" });
    }

    fn numbers(&mut self, values: &[f64]) {
        for value in values {
            self.text(&number(*value));
        }
    }

    fn list(&mut self, values: impl Iterator<Item = String>) {
        let values: Vec<String> = values.collect();
        self.text(&format!("[{}]", values.join(",")));
    }
}

/// The shortest text that reads back to the same bits, with a point, so that every language reads a fraction.
fn number(value: f64) -> String {
    if value.is_finite() { format!("{value:?}") } else { "null".to_owned() }
}

fn pair(point: &Point) -> String {
    format!("[{},{}]", number(point.x), number(point.y))
}
