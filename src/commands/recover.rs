//! `hairpin recover`: every whole record of a cut or damaged tape, into a new one. The old file is left as it is.

use std::path::PathBuf;

use anyhow::Context as _;
use serde_json::json;

use super::{Context, files};
use crate::cli::Recover;
use crate::exit::Outcome;
use crate::report::Report;
use crate::tape::{TapeWriter, repair};

/// What a recovery came to.
struct Recovery {
    out: PathBuf,
    records: usize,
    lost: repair::Lost,
}

impl Report for Recovery {
    fn text(&self) -> String {
        let mut lines =
            vec![format!("{}: {} records saved; lost: {}", self.out.display(), self.records, self.lost)];
        lines.extend(
            self.lost
                .stretches
                .iter()
                .take(10)
                .map(|stretch| format!("  {} bytes at byte {}: {}", stretch.bytes, stretch.at, stretch.why)),
        );
        lines.join("\n")
    }

    fn json(&self) -> serde_json::Value {
        json!({
            "out": self.out.display().to_string(),
            "records": self.records,
            "lost_records": self.lost.records,
            "lost_bytes": self.lost.bytes,
            "lost_from": self.lost.from,
        })
    }
}

/// Recovers.
pub(crate) fn run(args: &Recover, context: &Context) -> anyhow::Result<Outcome> {
    let salvage =
        repair::open(&args.tape).with_context(|| format!("cannot recover {}", args.tape.display()))?;
    let out = args.out.clone().unwrap_or_else(|| args.tape.with_extension("recovered.mcap"));
    files::not_one_of(&out, &[&args.tape])?;
    let writer = TapeWriter::create(&out, &salvage.header(), args.force)?;
    let records = salvage.write(writer).with_context(|| format!("cannot write {}", out.display()))?;
    let whole = salvage.lost.bytes == 0 && salvage.lost.records == 0;
    context.print(&Recovery { out, records, lost: salvage.lost })?;
    Ok(if whole { Outcome::Done } else { Outcome::LostData })
}
