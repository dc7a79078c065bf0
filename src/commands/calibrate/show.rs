//! Calibrations in words: the one in use, and old beside new.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::report::Report;
use crate::report::table::{Align, table};
use crate::vehicle::{Calibration, Channel, Points};

/// The calibration in use.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Where it comes from: a file's name, or that there is none.
    pub from: String,
    /// What it is.
    pub calibration: Calibration,
}

/// An old calibration that was put back.
#[derive(Clone, Debug)]
pub struct Undone {
    /// In use until now.
    pub before: Calibration,
    /// In use from now on.
    pub now: Calibration,
    /// Where the one before is kept, if a file held it.
    pub kept: Option<PathBuf>,
}

/// How a guided calibration ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The new calibration is in use.
    Written {
        /// What was written.
        new: Calibration,
        /// Where the old one is kept, if a file held it.
        kept: Option<PathBuf>,
    },
    /// The question was not answered with `y`.
    Declined,
    /// Every point is what it was.
    Unchanged,
    /// By key, before the end.
    Quit,
    /// Ten minutes without a key.
    Idle,
}

/// A line of a table: channel, point, value.
type Line = (&'static str, &'static str, i64);

fn rows(calibration: &Calibration) -> Vec<Line> {
    let of = |name, points: &Points| {
        [
            (name, "min", i64::from(points.min)),
            (name, "mid", i64::from(points.mid)),
            (name, "max", i64::from(points.max)),
            (name, "polarity", i64::from(points.polarity)),
        ]
    };
    [of(Channel::Servo.name(), &calibration.servo), of(Channel::Motor.name(), &calibration.motor)].concat()
}

/// Old and new, line by line in nanoseconds; what changed is marked.
pub(super) fn beside(old: &Calibration, new: &Calibration) -> String {
    let head = [
        ("channel", Align::Left),
        ("point", Align::Left),
        ("old", Align::Right),
        ("new", Align::Right),
        ("change", Align::Right),
    ];
    let line = |((channel, point, was), (_, _, is)): (Line, Line)| {
        let change = if is == was { String::new() } else { format!("{:+}", is - was) };
        vec![channel.to_owned(), point.to_owned(), was.to_string(), is.to_string(), change]
    };
    table(&head, &rows(old).into_iter().zip(rows(new)).map(line).collect::<Vec<_>>())
}

fn value(calibration: &Calibration) -> Value {
    let of = |points: &Points| {
        let Points { min, mid, max, polarity } = points;
        json!({"min": min, "mid": mid, "max": max, "polarity": polarity})
    };
    json!({"servo": of(&calibration.servo), "motor": of(&calibration.motor)})
}

fn place(kept: Option<&PathBuf>) -> Option<String> {
    kept.map(|path| path.display().to_string())
}

fn kept_words(kept: Option<&PathBuf>) -> String {
    kept.map_or_else(
        || "no file held the old one".to_owned(),
        |path| format!("the old one is kept as {}", path.display()),
    )
}

impl Report for Shown {
    fn text(&self) -> String {
        let head = [("channel", Align::Left), ("point", Align::Left), ("value", Align::Right)];
        let line =
            |(channel, point, value): Line| vec![channel.to_owned(), point.to_owned(), value.to_string()];
        let rows: Vec<_> = rows(&self.calibration).into_iter().map(line).collect();
        format!("calibration in use: {}; points in ns\n{}", self.from, table(&head, &rows))
    }

    fn json(&self) -> Value {
        json!({"from": self.from, "calibration": value(&self.calibration)})
    }
}

impl Report for Undone {
    fn text(&self) -> String {
        format!(
            "the kept calibration is in use again; {}\n{}",
            kept_words(self.kept.as_ref()),
            beside(&self.before, &self.now)
        )
    }

    fn json(&self) -> Value {
        json!({"before": value(&self.before), "calibration": value(&self.now), "kept": place(self.kept.as_ref())})
    }
}

impl Report for Ended {
    fn text(&self) -> String {
        match self {
            Self::Written { kept, .. } => {
                format!("the new calibration is written; {}", kept_words(kept.as_ref()))
            }
            Self::Declined => "not written: the old calibration stays".to_owned(),
            Self::Unchanged => "nothing changed: the old calibration stays".to_owned(),
            Self::Quit => "left before the end: the old calibration stays".to_owned(),
            Self::Idle => "ten minutes without a key: the old calibration stays".to_owned(),
        }
    }

    fn json(&self) -> Value {
        match self {
            Self::Written { new, kept } => {
                json!({"ended": "written", "calibration": value(new), "kept": place(kept.as_ref())})
            }
            Self::Declined => json!({"ended": "declined"}),
            Self::Unchanged => json!({"ended": "unchanged"}),
            Self::Quit => json!({"ended": "quit"}),
            Self::Idle => json!({"ended": "idle"}),
        }
    }
}
