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
    pub kernels: String,
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

/// The result of a benchmark of inference alone.
#[derive(Clone, Debug)]
pub struct InferReport {
    /// The model's name.
    pub model: String,
    /// Kernels that ran.
    pub kernels: String,
    /// Multiply-accumulates of the network for one observation.
    pub macs: u64,
    /// CPU time of each inference, in nanoseconds.
    pub cpu_ns: Vec<u64>,
    /// Wall time of each.
    pub wall_ns: Vec<u64>,
}

impl Report for InferReport {
    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    fn text(&self) -> String {
        let of = |times: &[u64], share: usize| {
            let mut sorted = times.to_vec();
            sorted.sort_unstable();
            let at = (sorted.len() * share / 100).min(sorted.len().saturating_sub(1));
            sorted.get(at).copied().unwrap_or(0) as f64 / 1e6
        };
        format!(
            "{:.3} ms of CPU time for one inference (median of {}; least {:.3}, p99 {:.3})\n  {} on {}, wall {:.3} ms",
            of(&self.cpu_ns, 50),
            self.cpu_ns.len(),
            of(&self.cpu_ns, 0),
            of(&self.cpu_ns, 99),
            self.model,
            self.kernels,
            of(&self.wall_ns, 50),
        )
    }

    fn json(&self) -> Value {
        json!({
            "model": self.model, "kernels": self.kernels, "macs": self.macs,
            "infer": {"cpu_ns": self.cpu_ns, "wall_ns": self.wall_ns},
        })
    }
}
