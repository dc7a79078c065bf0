//! Stage times: counted without allocating, shown as percentiles beside their budget.

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use super::page::LatencyRow;
use super::table::{Align, table};
use crate::domain::{Measured, Stage};

/// What each stage may take on the car's Atom at 15 decisions a second with half of a 66 ms period to spare, in
/// milliseconds, in the order of [`Stage::ALL`]. The stock stack publishes no figures (car.md §9.5); its
/// inference alone takes 6.3 ms.
pub const BUDGETS_MS: [f64; 5] = [4.0, 1.0, 12.0, 0.2, 20.0];

/// Times of every stage.
#[derive(Clone, Debug)]
pub struct Latency {
    stages: Vec<Histogram<u64>>,
}

/// The percentiles of one stage, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Which one.
    pub stage: Stage,
    /// Median.
    pub p50: f64,
    /// 95 of 100 are below.
    pub p95: f64,
    /// 99 of 100 are below.
    pub p99: f64,
    /// 999 of 1,000 are below.
    pub p999: f64,
    /// The longest.
    pub max: f64,
    /// What it may take.
    pub budget: f64,
}

impl Latency {
    /// Room for spans of 1 ns to 100 s, to three figures. `None` only where memory is out.
    #[must_use]
    pub fn new() -> Option<Self> {
        let one = Histogram::new_with_bounds(1, 100_000_000_000, 3).ok()?;
        Some(Self { stages: vec![one; Stage::ALL.len()] })
    }

    /// Counts one tick.
    pub fn count(&mut self, measured: &Measured) {
        for (stage, histogram) in Stage::ALL.into_iter().zip(&mut self.stages) {
            histogram.saturating_record(measured.of(stage).0.max(1));
        }
    }

    /// The figures so far; empty before the first tick.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "shown, never decided upon")]
    pub fn rows(&self) -> Vec<Row> {
        let ms = |ns: u64| ns as f64 / 1e6;
        let all = Stage::ALL.into_iter().zip(&self.stages).zip(BUDGETS_MS);
        all.filter(|((_, histogram), _)| !histogram.is_empty())
            .map(|((stage, histogram), budget)| Row {
                stage,
                p50: ms(histogram.value_at_quantile(0.50)),
                p95: ms(histogram.value_at_quantile(0.95)),
                p99: ms(histogram.value_at_quantile(0.99)),
                p999: ms(histogram.value_at_quantile(0.999)),
                max: ms(histogram.max()),
                budget,
            })
            .collect()
    }
}

impl Row {
    /// As a page wants it.
    #[must_use]
    pub const fn on_page(&self) -> LatencyRow {
        let Self { stage, p50, p95, p99, max, .. } = *self;
        LatencyRow { stage, p50_ms: p50, p95_ms: p95, p99_ms: p99, max_ms: max }
    }
}

/// The table of a run.
#[must_use]
pub fn text(rows: &[Row]) -> String {
    let head = [
        ("stage", Align::Left),
        ("p50 ms", Align::Right),
        ("p95 ms", Align::Right),
        ("p99 ms", Align::Right),
        ("p99.9 ms", Align::Right),
        ("max ms", Align::Right),
        ("budget ms", Align::Right),
    ];
    let cells = |row: &Row| {
        let mut cells = vec![row.stage.word().to_owned()];
        cells.extend([row.p50, row.p95, row.p99, row.p999, row.max].map(|ms| format!("{ms:.3}")));
        cells.push(format!("{:.1}{}", row.budget, if row.p99 > row.budget { " over" } else { "" }));
        cells
    };
    table(&head, &rows.iter().map(cells).collect::<Vec<_>>())
}

/// The same for programs.
#[must_use]
pub fn json(rows: &[Row]) -> Value {
    rows.iter()
        .map(|row| {
            let figures = json!({
                "p50_ms": row.p50, "p95_ms": row.p95, "p99_ms": row.p99, "p99_9_ms": row.p999, "max_ms": row.max,
                "budget_ms": row.budget,
            });
            (row.stage.word().to_owned(), figures)
        })
        .collect::<serde_json::Map<_, _>>()
        .into()
}
