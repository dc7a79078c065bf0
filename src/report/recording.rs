//! What `hairpin record` came to.

use serde_json::{Value, json};

use super::Report;
use super::drive::object;
use super::table::grouped;
use super::tape::tally;

/// A recording without a drive.
#[derive(Clone, Debug)]
pub struct RecordingReport {
    /// The tape.
    pub file: String,
    /// Camera, format, size and rate, in words.
    pub camera: String,
    /// How long it took.
    pub seconds: f64,
    /// Frames on the tape.
    pub recorded: u64,
    /// Their content in bytes.
    pub bytes: u64,
    /// Frames that found no room.
    pub dropped: u64,
    /// Why it ends early, where it does.
    pub failed: Option<String>,
    /// What became of the camera's frames, by name.
    pub frames: Vec<(&'static str, u64)>,
}

impl RecordingReport {
    /// Whether the tape lacks something.
    #[must_use]
    pub fn lost_data(&self) -> bool {
        self.dropped > 0 || self.failed.is_some()
    }

    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.recorded as f64 / self.seconds } else { 0.0 }
    }
}

impl Report for RecordingReport {
    fn text(&self) -> String {
        let mut lines = vec![
            format!(
                "{}: {} frames in {:.1} s ({:.1}/s)",
                self.file,
                self.recorded,
                self.seconds,
                self.rate()
            ),
            format!("  {}, {} bytes", self.camera, grouped(self.bytes)),
            format!("  frames: {}", tally(&self.frames)),
        ];
        if self.dropped > 0 {
            lines.push(format!("  {} frames are not on it: the disk was too slow", self.dropped));
        }
        lines.extend(self.failed.as_ref().map(|why| format!("  it ends early: {why}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        json!({
            "tape": self.file,
            "camera": self.camera,
            "seconds": self.seconds,
            "recorded": self.recorded,
            "bytes": self.bytes,
            "dropped": self.dropped,
            "failed": self.failed,
            "frames": object(&self.frames),
        })
    }
}
