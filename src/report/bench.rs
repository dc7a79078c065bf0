//! Stage times of this machine beside their budgets.

use serde_json::{Value, json};

use super::Report;
use super::latency::{self, Row};

/// The result of a benchmark.
#[derive(Clone, Debug)]
pub struct BenchReport {
    /// The model's name.
    pub model: String,
    /// What was fed in.
    pub frames: String,
    /// Kernels that ran.
    pub kernels: &'static str,
    /// Measured ticks.
    pub ticks: u64,
    /// Wall time of all of them.
    pub seconds: f64,
    /// Stage times.
    pub latency: Vec<Row>,
    /// Multiply-accumulates of the network for one observation.
    pub macs: u64,
}

impl BenchReport {
    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    fn rate(&self) -> f64 {
        if self.seconds > 0.0 { self.ticks as f64 / self.seconds } else { 0.0 }
    }

    fn over(&self) -> Vec<&'static str> {
        self.latency.iter().filter(|row| row.p99 > row.budget).map(|row| row.stage.word()).collect()
    }
}

impl Report for BenchReport {
    fn text(&self) -> String {
        let over = self.over();
        let verdict = match over.as_slice() {
            [] => "within the car's budget at p99 on this machine".to_owned(),
            stages => format!("over the car's budget at p99: {}", stages.join(", ")),
        };
        format!(
            "{:.0} ticks/s, {verdict}\n  {} ticks of {} through {}, kernels {}\n\n{}\n\n  The budget is for the car's Atom; \
             this machine is another one.",
            self.rate(),
            self.ticks,
            self.frames,
            self.model,
            self.kernels,
            latency::text(&self.latency),
        )
    }

    fn json(&self) -> Value {
        json!({
            "model": self.model, "frames": self.frames, "kernels": self.kernels, "ticks": self.ticks,
            "seconds": self.seconds, "ticks_per_second": self.rate(), "macs": self.macs,
            "latency": latency::json(&self.latency), "over_budget": self.over(),
        })
    }
}
