//! `hairpin inspect`: what a model or a tape is. Changes nothing.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Context as _, bail};

use super::intake::{self, training};
use super::{Context, confine, import, model, scripted};
use crate::cli::Inspect;
use crate::exit::Outcome;
use crate::report::model::ModelReport;
use crate::report::tape::{TapeReport, TickReport};
use crate::tape::Tape;

/// Shows a model folder, a tape, or a model that was not imported yet.
pub(crate) fn run(args: &Inspect, context: &Context) -> anyhow::Result<Outcome> {
    if scripted::is_meant(&args.path) {
        bail!(
            "{} is the driver that knows the track: it has no network to inspect; `hairpin run --rig sim` drives it",
            args.path.display()
        );
    }
    if !args.path.exists() {
        bail!("{} does not exist; wanted a model or a tape", args.path.display());
    }
    if args.tick.is_some() && !is_tape(&args.path) {
        bail!("{} is no tape; --tick shows a tick of one", args.path.display());
    }
    if args.path.join(model::CARD).is_file() {
        let loaded = model::load_folder(&args.path, &context.config)?;
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

/// By its name, or by how it begins.
fn is_tape(path: &Path) -> bool {
    let mut head = [0; 5];
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("mcap"))
        || (path.is_file()
            && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
            && head == *b"\x89MCAP")
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
