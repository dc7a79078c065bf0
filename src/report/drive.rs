//! How a drive went: one line, then what there is to know about it.

use serde_json::{Map, Value, json};

use super::Report;
use super::latency::{self, Row};
use super::tape::tally;

/// A drive's result, as its driver saw it.
#[derive(Clone, Debug)]
pub struct DriveReport {
    /// The model's name.
    pub model: String,
    /// Kernels that ran.
    pub kernels: String,
    /// Camera, format, size and rate, in words.
    pub camera: String,
    /// Ticks.
    pub ticks: u64,
    /// How long it took.
    pub seconds: f64,
    /// Ticks in each governor state, in order of first appearance.
    pub states: Vec<(&'static str, u64)>,
    /// Ticks with each note, in order of first appearance.
    pub notes: Vec<(String, u64)>,
    /// What became of the camera's frames, by name.
    pub frames: Vec<(&'static str, u64)>,
    /// Stage times.
    pub latency: Vec<Row>,
    /// The tape, where one was written, and the ticks on it.
    pub tape: Option<Taped>,
}

/// What became of the tape.
#[derive(Clone, Debug)]
pub struct Taped {
    /// The file.
    pub file: String,
    /// Ticks on it.
    pub ticks: u64,
    /// Ticks that it could not take.
    pub dropped: u64,
    /// Why it ends early, where it does.
    pub failed: Option<String>,
}

impl DriveReport {
    /// Whether the tape lacks something.
    #[must_use]
    pub fn lost_data(&self) -> bool {
        self.tape.as_ref().is_some_and(|tape| tape.dropped > 0 || tape.failed.is_some())
    }

    /// The one line.
    #[must_use]
    pub fn verdict(&self) -> String {
        let driven = self.states.iter().find(|(word, _)| *word == "driving").map_or(0, |(_, ticks)| *ticks);
        format!("{} ticks in {:.1} s, {driven} of them driving", self.ticks, self.seconds)
    }

    fn tape_line(&self) -> Option<String> {
        let tape = self.tape.as_ref()?;
        let lost = match (&tape.failed, tape.dropped) {
            (Some(why), dropped) => format!("; it ends early: {why} ({dropped} ticks are not on it)"),
            (None, 0) => String::new(),
            (None, dropped) => format!("; {dropped} ticks are not on it: the disk was too slow"),
        };
        Some(format!("  wrote {}, {} ticks{lost}", tape.file, tape.ticks))
    }
}

pub(super) fn object<W: std::fmt::Display>(counts: &[(W, u64)]) -> Map<String, Value> {
    counts.iter().map(|(word, times)| (word.to_string(), json!(times))).collect()
}

impl Report for DriveReport {
    fn text(&self) -> String {
        let mut lines = vec![
            self.verdict(),
            format!("  {} on {}, kernels {}", self.model, self.camera, self.kernels),
            format!("  ticks: {}", tally(&self.states)),
            format!("  frames: {}", tally(&self.frames)),
        ];
        if !self.notes.is_empty() {
            lines.push(format!("  notes: {}", tally(&self.notes)));
        }
        lines.push(String::new());
        lines.push(latency::text(&self.latency));
        lines.extend(self.tape_line());
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let tape = self.tape.as_ref().map(|tape| {
            json!({"file": tape.file, "ticks": tape.ticks, "dropped": tape.dropped, "failed": tape.failed})
        });
        json!({
            "verdict": self.verdict(),
            "model": self.model,
            "kernels": self.kernels,
            "camera": self.camera,
            "ticks": self.ticks,
            "seconds": self.seconds,
            "states": object(&self.states),
            "notes": object(&self.notes),
            "frames": object(&self.frames),
            "latency": latency::json(&self.latency),
            "tape": tape,
        })
    }
}
