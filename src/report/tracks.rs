//! Tracks in figures and as drawings.

use serde_json::{Value, json};

use super::Report;
use super::table::{Align, table};
use crate::track::Track;
use crate::track::draw::{self, Ink};

/// Columns of a drawing among others, and of one alone.
const SMALL: u16 = 44;
const LARGE: u16 = 72;

/// Metres from one look at a track's bends to the next.
const STRIDE: f64 = 0.05;

/// All tracks that are built in.
#[derive(Clone, Debug)]
pub struct TracksReport {
    /// The tracks.
    pub tracks: Vec<Track>,
    /// What the drawings are made of.
    pub ink: Ink,
}

/// One track.
#[derive(Clone, Debug)]
pub struct TrackReport {
    /// The track.
    pub track: Track,
    /// What the drawing is made of.
    pub ink: Ink,
    /// Files that were written.
    pub written: Vec<String>,
}

/// The radius of the tightest bend of the centre line, metres; `None` without any.
#[must_use]
pub fn tightest(track: &Track) -> Option<f64> {
    let mut hint = 0;
    let mut most = 0.0_f64;
    let mut arc = 0.0;
    while arc < track.length() {
        let place = track.place_near(track.at(arc).at, hint);
        hint = place.segment;
        most = most.max(place.curvature.abs());
        arc += STRIDE;
    }
    (most > 0.0).then(|| 1.0 / most)
}

fn row(track: &Track) -> Vec<String> {
    let bend = tightest(track).map_or_else(|| "none".to_owned(), |radius| format!("{radius:.2}"));
    let sense = if track.is_counter_clockwise() { "left" } else { "right" };
    vec![
        track.name().to_owned(),
        format!("{:.2}", track.length()),
        format!("{:.2}", track.mean_width()),
        bend,
        track.centre().len().to_string(),
        sense.to_owned(),
    ]
}

fn rows(tracks: &[&Track]) -> String {
    let head = [
        ("track", Align::Left),
        ("length m", Align::Right),
        ("width m", Align::Right),
        ("tightest bend m", Align::Right),
        ("way-points", Align::Right),
        ("turns", Align::Left),
    ];
    table(&head, &tracks.iter().map(|track| row(track)).collect::<Vec<_>>())
}

fn value(track: &Track) -> Value {
    json!({
        "name": track.name(),
        "length_m": track.length(),
        "width_m": track.mean_width(),
        "tightest_bend_m": tightest(track),
        "waypoints": track.centre().len(),
        "counter_clockwise": track.is_counter_clockwise(),
    })
}

impl Report for TracksReport {
    fn text(&self) -> String {
        let drawn = |track: &Track| format!("  {}\n{}", track.name(), draw::text(track, SMALL, self.ink));
        let mut parts = vec![rows(&self.tracks.iter().collect::<Vec<_>>())];
        parts.extend(self.tracks.iter().map(|track| drawn(track).trim_end().to_owned()));
        parts.push("  drive one with `hairpin run --rig sim --track NAME`".to_owned());
        parts.join("\n\n")
    }

    fn json(&self) -> Value {
        json!({ "tracks": self.tracks.iter().map(value).collect::<Vec<_>>() })
    }
}

impl Report for TrackReport {
    fn text(&self) -> String {
        let mut lines =
            vec![rows(&[&self.track]), draw::text(&self.track, LARGE, self.ink).trim_end().to_owned()];
        lines.extend(self.written.iter().map(|file| format!("  wrote {file}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let mut value = value(&self.track);
        let points =
            |line: &[crate::track::Point]| line.iter().map(|at| json!([at.x, at.y])).collect::<Vec<_>>();
        if let Some(object) = value.as_object_mut() {
            for (name, line) in [
                ("centre", self.track.centre()),
                ("inner", self.track.inner()),
                ("outer", self.track.outer()),
            ] {
                object.insert(name.to_owned(), points(line).into());
            }
            object.insert("written".to_owned(), json!(self.written));
        }
        value
    }
}
