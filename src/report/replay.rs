//! The verdict of a replay: one line, then what it took.

use std::fmt;

use serde_json::{Value, json};

use super::Report;
use super::latency::{self, Row};
use super::page::{FirstDivergence, PageFoot};

/// Where and how a replay left the recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The tick's number.
    pub tick: u64,
    /// The frame's number in its source, where there was one.
    pub frame: Option<u64>,
    /// `inputs`, or the stage that concluded differently.
    pub stage: String,
    /// The field.
    pub field: String,
    /// What is on the tape.
    pub recorded: String,
    /// What this build concludes.
    pub computed: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tick {}", self.tick)?;
        if let Some(frame) = self.frame {
            write!(f, " (frame {frame})")?;
        }
        let Self { stage, field, recorded, computed, .. } = self;
        write!(f, ", stage {stage}, field {field}: recorded {recorded}, computed {computed}")
    }
}

/// What the replay was held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Nothing, and why.
    Nothing(String),
    /// Every decision was equal.
    Equal {
        /// Decisions that were compared.
        decisions: u64,
        /// What scores were allowed to differ by, in words; `bits` for not at all.
        rule: String,
    },
    /// The first difference.
    Diverged(Difference),
}

/// A replay's result.
#[derive(Clone, Debug)]
pub struct ReplayReport {
    /// The tape's file.
    pub tape: String,
    /// The model's name.
    pub model: String,
    /// Kernels that ran.
    pub kernels: String,
    /// Ticks that were run.
    pub ticks: u64,
    /// How long they took, with all writing.
    pub seconds: f64,
    /// The comparison.
    pub compared: Compared,
    /// Ticks in each governor state, in order of first appearance.
    pub states: Vec<(&'static str, u64)>,
    /// Ticks with each note, in order of first appearance.
    pub notes: Vec<(String, u64)>,
    /// Stage times.
    pub latency: Vec<Row>,
    /// What else there is to say, such as a cut tape or another model.
    pub remarks: Vec<String>,
    /// Files that were written.
    pub written: Vec<String>,
}

impl ReplayReport {
    /// Ticks a second; 0 where none was run.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    pub fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.ticks as f64 / self.seconds } else { 0.0 }
    }

    /// What a page of it ends with.
    #[must_use]
    pub fn foot(&self) -> PageFoot {
        let divergence = match &self.compared {
            Compared::Diverged(at) => Some(FirstDivergence { tick: at.tick, text: at.to_string() }),
            _ => None,
        };
        PageFoot {
            verdict: self.verdict(),
            ok: divergence.is_none(),
            latency: self.latency.iter().map(Row::on_page).collect(),
            divergence,
            ..PageFoot::default()
        }
    }

    /// The one line.
    #[must_use]
    pub fn verdict(&self) -> String {
        let run = format!("{} ticks in {:.2} s ({:.0}/s)", self.ticks, self.seconds, self.rate());
        match &self.compared {
            Compared::Nothing(why) => format!("replayed {run}; not compared: {why}"),
            Compared::Equal { decisions, rule } if rule == "bits" => {
                format!("equal: {run}, 0 differing bits in {decisions} decisions")
            }
            Compared::Equal { decisions, rule } => {
                format!("equal: {run}, {decisions} decisions, {rule}")
            }
            Compared::Diverged(difference) => format!("DIFFERS at {difference}"),
        }
    }
}

impl Report for ReplayReport {
    fn text(&self) -> String {
        let states: Vec<String> = self.states.iter().map(|(word, ticks)| format!("{ticks} {word}")).collect();
        let mut lines =
            vec![self.verdict(), format!("  {} through {}, kernels {}", self.tape, self.model, self.kernels)];
        if !states.is_empty() {
            lines.push(format!("  ticks: {}", states.join(", ")));
        }
        if !self.notes.is_empty() {
            let notes: Vec<String> =
                self.notes.iter().map(|(note, ticks)| format!("{ticks} {note}")).collect();
            lines.push(format!("  notes: {}", notes.join(", ")));
        }
        lines.extend(self.remarks.iter().map(|remark| format!("  note: {remark}")));
        if !self.latency.is_empty() {
            lines.push(String::new());
            lines.push(latency::text(&self.latency));
        }
        lines.extend(self.written.iter().map(|file| format!("  wrote {file}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let compared = match &self.compared {
            Compared::Nothing(why) => json!({"result": "not compared", "why": why}),
            Compared::Equal { decisions, rule } => {
                json!({"result": "equal", "decisions": decisions, "rule": rule})
            }
            Compared::Diverged(at) => json!({
                "result": "diverged", "tick": at.tick, "frame": at.frame, "stage": at.stage, "field": at.field,
                "recorded": at.recorded, "computed": at.computed,
            }),
        };
        json!({
            "verdict": self.verdict(),
            "tape": self.tape,
            "model": self.model,
            "kernels": self.kernels,
            "ticks": self.ticks,
            "seconds": self.seconds,
            "ticks_per_second": self.rate(),
            "compared": compared,
            "states": self.states.iter().map(|(word, ticks)| ((*word).to_owned(), json!(ticks)))
                .collect::<serde_json::Map<_, _>>(),
            "notes": self.notes.iter().map(|(note, ticks)| (note.clone(), json!(ticks)))
                .collect::<serde_json::Map<_, _>>(),
            "latency": latency::json(&self.latency),
            "remarks": self.remarks,
            "written": self.written,
        })
    }
}
