//! An action space as a table and as a small plot: left is left, up is fast.

use serde_json::{Value, json};

use super::Report;
use super::table::{Align, table};
use crate::domain::{ActionSpace, ContinuousSpace};

const COLUMNS: usize = 41;
const ROWS: usize = 9;

impl Report for ActionSpace {
    fn text(&self) -> String {
        let listing = match self {
            Self::Discrete(actions) => {
                let row = |(class, action): (usize, &crate::domain::Action)| {
                    vec![class.to_string(), action.steering.to_string(), action.speed.to_string()]
                };
                let head = [("class", Align::Right), ("steering", Align::Right), ("speed", Align::Right)];
                table(&head, &actions.iter().enumerate().map(row).collect::<Vec<_>>())
            }
            Self::Continuous(space) => format!(
                "  steering  {} to {}\n  speed     {} to {}",
                space.steering_low, space.steering_high, space.speed_low, space.speed_high
            ),
        };
        format!("{listing}\n\n{}", plot(self))
    }

    fn json(&self) -> Value {
        match self {
            Self::Discrete(actions) => json!({
                "type": "discrete",
                "actions": actions.iter().map(|action| json!({
                    "steering_angle": action.steering.get(), "speed": action.speed.get(),
                })).collect::<Vec<_>>(),
            }),
            Self::Continuous(space) => json!({
                "type": "continuous",
                "steering_angle": {"low": space.steering_low.get(), "high": space.steering_high.get()},
                "speed": {"low": space.speed_low.get(), "high": space.speed_high.get()},
            }),
        }
    }
}

/// The points to draw, as steering and speed, and the sign that stands for them.
fn points(space: &ActionSpace) -> (Vec<(f64, f64)>, char) {
    match space {
        ActionSpace::Discrete(actions) => {
            (actions.iter().map(|action| (action.steering.get(), action.speed.get())).collect(), '●')
        }
        ActionSpace::Continuous(space) => (corners(space), '░'),
    }
}

/// A raster of the box, fine enough to fill it.
fn corners(space: &ContinuousSpace) -> Vec<(f64, f64)> {
    let along = |low: f64, high: f64, share: f64| low + (high - low) * share;
    let mut inside = Vec::new();
    for column in 0..=COLUMNS {
        for row in 0..=ROWS {
            #[expect(clippy::cast_precision_loss, reason = "a raster of a few hundred points")]
            let (x, y) = (column as f64 / COLUMNS as f64, row as f64 / ROWS as f64);
            inside.push((
                along(space.steering_low.get(), space.steering_high.get(), x),
                along(space.speed_low.get(), space.speed_high.get(), y),
            ));
        }
    }
    inside
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "cells of a drawing; shares are clamped to 0..=1"
)]
fn plot(space: &ActionSpace) -> String {
    let (points, sign) = points(space);
    let reach = points.iter().map(|(steering, _)| steering.abs()).fold(1.0, f64::max);
    let top = points.iter().map(|(_, speed)| *speed).fold(0.1, f64::max);
    let cell = |share: f64, cells: usize| (share.clamp(0.0, 1.0) * (cells - 1) as f64).round() as usize;
    let mut grid = vec![[' '; COLUMNS]; ROWS];
    for row in &mut grid {
        row[COLUMNS / 2] = '┊';
    }
    for (steering, speed) in points {
        // Positive steering is to the left, and is drawn there.
        let column = cell(0.5 - steering / reach / 2.0, COLUMNS);
        let row = ROWS - 1 - cell(speed / top, ROWS);
        if let Some(slot) = grid.get_mut(row).and_then(|row| row.get_mut(column)) {
            *slot = sign;
        }
    }
    let mut lines = Vec::new();
    for (at, row) in grid.iter().enumerate() {
        let label = match at {
            0 => format!("{top:4.1} m/s"),
            _ if at == ROWS - 1 => " 0.0 m/s".to_owned(),
            _ => " ".repeat(8),
        };
        lines.push(format!("  {label} │{}", row.iter().collect::<String>().trim_end()));
    }
    lines.push(format!("           └{}", "─".repeat(COLUMNS)));
    let (left, right) = (format!("+{reach:.0}° left"), format!("right -{reach:.0}°"));
    let gap = COLUMNS.saturating_sub(left.chars().count() + right.chars().count());
    lines.push(format!("            {left}{}{right}", " ".repeat(gap)));
    lines.join("\n")
}
