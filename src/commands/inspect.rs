//! `hairpin inspect`: what a model or a tape is. Changes nothing.

use std::path::Path;

use anyhow::Context as _;

use super::intake::{self, training};
use super::{Context, confine, import, model};
use crate::cli::Inspect;
use crate::exit::Outcome;
use crate::report::model::ModelReport;
use crate::report::tape::{TapeReport, TickReport};
use crate::tape::Tape;

/// Shows a model folder, a tape, or a model that was not imported yet.
pub(crate) fn run(args: &Inspect, context: &Context) -> anyhow::Result<Outcome> {
    if args.path.join(model::CARD).is_file() {
        let loaded = model::load(&args.path, &context.config)?;
        context.print(&ModelReport {
            card: &loaded.card,
            notes: &loaded.metadata.notes,
            training: training(loaded.hyperparameters.as_ref(), &loaded.metadata),
        })?;
        return Ok(Outcome::Done);
    }
    if is_tape(&args.path) {
        return tape(args, context);
    }
    if let Some(outcome) = confine::confined(context, import::network_mib(&args.path))? {
        return import::outcome_of(outcome);
    }
    let name = intake::default_name(&args.path);
    let intake = intake::read(&args.path, &name, args.output.as_deref(), &context.config)?;
    context.print(&ModelReport {
        card: &intake.card,
        notes: &intake.metadata.notes,
        training: training(intake.parts.hyperparameters.as_ref(), &intake.metadata),
    })?;
    Ok(Outcome::Done)
}

fn is_tape(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"))
}

fn tape(args: &Inspect, context: &Context) -> anyhow::Result<Outcome> {
    let tape = Tape::open(&args.path).with_context(|| format!("cannot inspect {}", args.path.display()))?;
    match args.tick {
        Some(number) => {
            context.print(
                &TickReport::of(&tape, number).with_context(|| format!("in {}", args.path.display()))?,
            )?;
        }
        None => context.print(&TapeReport::of(&args.path.display().to_string(), &tape))?,
    }
    Ok(Outcome::Done)
}
