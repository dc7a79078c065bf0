//! How a simulated drive went: the referee's line, then what there is to know about it.

use serde_json::{Value, json};

use super::Report;
use super::drive::object;
use super::tape::tally;
use crate::sim::Score;
use crate::sim::scene::Stops;
use crate::units::Span;

/// A simulated drive's result.
#[derive(Clone, Debug)]
pub struct SimReport {
    /// Who drove.
    pub driver: String,
    /// The model's name, as on the tape.
    pub model: String,
    /// Kernels that ran.
    pub kernels: String,
    /// Where.
    pub track: String,
    /// Once around, metres.
    pub length: f64,
    /// How it looked.
    pub look: &'static str,
    /// What all chance came from.
    pub seed: u64,
    /// What went wrong on purpose, as typed.
    pub faults: Vec<String>,
    /// The referee's sums.
    pub score: Score,
    /// The laps that were asked for.
    pub wanted: usize,
    /// The times of all laps.
    pub laps: Vec<Span>,
    /// Interruptions.
    pub stops: Stops,
    /// Ticks.
    pub ticks: u64,
    /// Simulated time.
    pub simulated: Span,
    /// Time that it took, seconds.
    pub seconds: f64,
    /// Whether somebody ended it before its end.
    pub is_interrupted: bool,
    /// Ticks in each governor state, in order of first appearance.
    pub states: Vec<(&'static str, u64)>,
    /// Ticks with each note, in order of first appearance.
    pub notes: Vec<(String, u64)>,
    /// Files that were written.
    pub written: Vec<String>,
}

impl SimReport {
    /// Why the drive is a failure; `None` where the laps were driven.
    #[must_use]
    pub fn failure(&self) -> Option<String> {
        let (laps, seconds) = (self.laps.len(), self.simulated.as_millis_f64() / 1e3);
        if laps >= self.wanted {
            return None;
        }
        let few = match laps {
            0 => "no lap".to_owned(),
            laps => format!("{laps} of {} laps", self.wanted),
        };
        let why = if self.is_interrupted { "; it was interrupted" } else { "" };
        Some(format!("{few} within {seconds:.0} s simulated{why}"))
    }

    /// The one line.
    #[must_use]
    pub fn verdict(&self) -> String {
        match self.failure() {
            Some(why) => format!("FAILED: {why}; {}", self.score),
            None => self.score.to_string(),
        }
    }

    fn faults(&self) -> String {
        if self.faults.is_empty() { String::new() } else { format!(", faults {}", self.faults.join(" ")) }
    }

    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.simulated.as_millis_f64() / 1e3 / self.seconds } else { 0.0 }
    }
}

fn lap(span: Span) -> String {
    format!("{:.3} s", span.as_millis_f64() / 1e3)
}

/// Two figures or more.
fn about(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

fn times(count: u32) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

impl Report for SimReport {
    fn text(&self) -> String {
        let Self { driver, track, length, look, seed, stops, score, .. } = self;
        let mut lines = vec![
            self.verdict(),
            format!("  {driver} on {track} ({length:.1} m), look {look}, seed {seed}{}", self.faults()),
        ];
        if self.laps.len() > 1 {
            lines.push(format!(
                "  laps: {}",
                self.laps.iter().map(|span| lap(*span)).collect::<Vec<_>>().join(", ")
            ));
        }
        lines.push(format!(
            "  stopped {}, neutral against the driver's wish {}, armed {}; steering {:.2} rad/s, jerk {:.1} m/s³",
            times(stops.latched),
            times(stops.neutral),
            times(stops.armed),
            score.steering_rate,
            score.jerk
        ));
        lines.push(format!("  ticks: {}", tally(&self.states)));
        if !self.notes.is_empty() {
            lines.push(format!("  notes: {}", tally(&self.notes)));
        }
        lines.push(format!(
            "  {} ticks and {:.1} s simulated in {:.2} s ({} times as fast), kernels {}",
            self.ticks,
            self.simulated.as_millis_f64() / 1e3,
            self.seconds,
            about(self.rate()),
            self.kernels
        ));
        lines.extend(self.written.iter().map(|file| format!("  wrote {file}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        let Self { score, stops, .. } = self;
        json!({
            "verdict": self.verdict(),
            "ok": self.failure().is_none(),
            "driver": self.driver,
            "model": self.model,
            "kernels": self.kernels,
            "track": self.track,
            "track_length_m": self.length,
            "look": self.look,
            "seed": self.seed,
            "faults": self.faults,
            "laps_wanted": self.wanted,
            "lap_times_s": self.laps.iter().map(|span| span.as_millis_f64() / 1e3).collect::<Vec<_>>(),
            "progress_percent": score.progress,
            "off_tracks": score.off_tracks,
            "wheel_offs": score.wheel_offs,
            "reversals": score.reversals,
            "standstills": score.immobile,
            "distance_m": score.distance,
            "mean_speed_m_s": score.mean_speed,
            "top_speed_m_s": score.top_speed,
            "steering_rate_rad_s": score.steering_rate,
            "jerk_m_s3": score.jerk,
            "stops": stops.latched,
            "neutral": stops.neutral,
            "armed": stops.armed,
            "ticks": self.ticks,
            "simulated_s": self.simulated.as_millis_f64() / 1e3,
            "seconds": self.seconds,
            "interrupted": self.is_interrupted,
            "states": object(&self.states),
            "notes": object(&self.notes),
            "written": self.written,
        })
    }
}
