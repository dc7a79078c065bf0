//! `hairpin doctor`: everything that a drive needs, looked at and not touched. Reads what a layer below cannot, the
//! calibration and a model, and hands the rest to `hal::probe`.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use super::calibrated::{STOCK_FILE, calibrated};
use super::{Context, model, was_set};
use crate::cli::Doctor;
use crate::config::CalibrationSource;
use crate::domain::{ActionSpace, ModelCard};
use crate::exit::Outcome;
use crate::hal::probe::{CalibrationFact, Given, ModelFact, examine, room};
use crate::report::diagnosis::Diagnosis;
use crate::vehicle::Calibration;

/// Shows what it finds; another exit code where something stands in the way of driving.
pub(crate) fn run(args: &Doctor, context: &Context) -> anyhow::Result<Outcome> {
    let given = Given {
        calibration: calibration(context),
        model: args.model.as_deref().map(|folder| named(folder, context)),
        tapes: &args.tapes,
        room: room(&args.tapes).ok(),
        unix_seconds: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
    };
    let diagnosis = Diagnosis(examine(&context.config.car(), &given));
    context.print(&diagnosis)?;
    Ok(if diagnosis.wrong() == 0 { Outcome::Done } else { Outcome::FaultFound })
}

/// The calibration that `run` would take, or why it would refuse.
fn calibration(context: &Context) -> CalibrationFact {
    let chosen = was_set(context, "vehicle.calibration").then(|| context.config.calibration());
    let stock = context.config.car().at(STOCK_FILE);
    let from = match chosen {
        None if !stock.exists() => return CalibrationFact::Missing { file: stock.display().to_string() },
        None => stock.display().to_string(),
        Some(CalibrationSource::Ready(points)) if points == Calibration::factory() => {
            return CalibrationFact::Factory;
        }
        Some(CalibrationSource::Ready(_)) => "the settings' points".to_owned(),
        Some(CalibrationSource::File(path)) => path.to_owned(),
    };
    match calibrated(context) {
        Ok(calibration) => CalibrationFact::Read { from, calibration },
        Err(error) => CalibrationFact::Refused { why: one_line(&error) },
    }
}

/// A model folder, loaded as `run` would: digests, network, witness.
fn named(folder: &Path, context: &Context) -> ModelFact {
    let loaded = model::load_folder(folder, &context.config);
    ModelFact {
        folder: folder.display().to_string(),
        loaded: loaded.map(|loaded| in_words(&loaded.card)).map_err(|error| one_line(&error)),
    }
}

fn in_words(card: &ModelCard) -> String {
    let space = match &card.action_space {
        ActionSpace::Discrete(actions) => format!("{} actions", actions.len()),
        ActionSpace::Continuous(_) => "continuous".to_owned(),
    };
    format!("{}: {}, {space}", card.name, card.algorithm)
}

/// An error and its reasons, for one row of a table.
fn one_line(error: &anyhow::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}
