//! The table, for people and for programs.

use std::fmt::Write as _;

use hairpin::report::table::{Align, grouped, table};
use serde_json::{Value, json};

use super::Options;
use super::cases::ARITHMETICS;
use super::child::Measured;
use super::estimate::{CLOCKS, milliseconds, whole_frame};

/// Milliseconds as a range.
fn range((least, most): (f64, f64)) -> String {
    let digits = |value: f64| if value < 0.01 { 4 } else { 2 };
    format!("{least:.*} to {most:.*}", digits(least), digits(most))
}

fn per_instruction(measured: &Measured) -> Option<(f64, f64)> {
    let (macs, most) = measured.case.macs?;
    Some((macs as f64 / measured.instructions? as f64, most))
}

pub(crate) fn text(all: &[Measured], options: &Options) -> String {
    let none = || "-".to_owned();
    let mut head = vec![
        ("case", Align::Left),
        ("instructions", Align::Right),
        ("native ns", Align::Right),
        ("budget ms", Align::Right),
        ("MAC/instruction", Align::Right),
        ("at most", Align::Right),
    ];
    let clocks: Vec<String> = CLOCKS.iter().map(|clock| format!("car ms, {clock} GHz")).collect();
    if options.estimate {
        head.extend(clocks.iter().map(|clock| (clock.as_str(), Align::Right)));
    }
    let uncounted = if options.times_only { "-" } else { "skipped: no valgrind" };
    let row = |measured: &Measured| {
        let case = &measured.case;
        let macs = per_instruction(measured);
        let mut cells = vec![
            case.name.clone(),
            measured.instructions.map_or_else(|| uncounted.to_owned(), grouped),
            measured.nanoseconds.map_or_else(none, grouped),
            case.budget.map_or_else(none, |budget| format!("{budget}")),
            macs.map_or_else(none, |(reached, _)| format!("{reached:.2}")),
            macs.map_or_else(none, |(_, most)| format!("{most}")),
        ];
        if options.estimate {
            cells.extend(CLOCKS.map(|clock| milliseconds(measured, clock).map_or_else(none, range)));
        }
        cells
    };
    let mut lines = table(&head, &all.iter().map(row).collect::<Vec<_>>());
    if options.estimate {
        for arithmetic in ARITHMETICS {
            for clock in CLOCKS {
                if let Some(whole) = whole_frame(all, arithmetic, clock) {
                    let whole = range(whole);
                    write!(
                        lines,
                        "\n\n  one frame, 640x480, stock, {arithmetic}, at {clock} GHz: {whole} ms"
                    )
                    .unwrap();
                }
            }
        }
        lines += "\n\n  The car's figures are reckoned from counts, not measured, and +-40 % at best; how, and from what, \
                  is said in benches/instructions/estimate.rs.";
    }
    format!(
        "{lines}\n\n  Instructions are of one call, for the car's kernels; native times are of this machine."
    )
}

pub(crate) fn json(all: &[Measured], options: &Options) -> Value {
    let row = |measured: &Measured| {
        let case = &measured.case;
        let mut row = json!({
            "case": case.name, "instructions": measured.instructions, "native_ns": measured.nanoseconds,
            "budget_ms": case.budget, "of_frames": case.of_frames,
        });
        if let Some((macs, most)) = case.macs {
            row["macs"] = json!(macs);
            row["macs_per_instruction"] = json!(per_instruction(measured).map(|(reached, _)| reached));
            row["macs_per_instruction_at_most"] = json!(most);
        }
        if options.estimate {
            let on_car = |clock: f64| json!({"ghz": clock, "ms": milliseconds(measured, clock).map(|(least, most)| [least, most])});
            row["car"] = json!(CLOCKS.map(on_car));
        }
        row
    };
    json!({
        "bench": "frame", "version": 1, "architecture": std::env::consts::ARCH,
        "rows": all.iter().map(row).collect::<Vec<_>>(),
    })
}
