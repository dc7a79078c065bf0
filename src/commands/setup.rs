//! From card and settings to what a pilot is told: the card says what the network eats and answers, the settings say
//! how it is prepared and permitted.

use std::path::Path;

use anyhow::Context as _;

use super::files::bounded;
use crate::config::{CalibrationSource, Config, stock};
use crate::domain::{Digest, ModelCard, Recipe};
use crate::drive::Setup;
use crate::policy::GraphLimits;
use crate::policy::choose::Bound;
use crate::vehicle::Calibration;
use crate::vision::JudgeLimits;

/// The bounds on an untrusted graph that the settings state.
pub(crate) fn policy_limits(config: &Config) -> GraphLimits {
    GraphLimits { max_nodes: config.import.max_nodes as usize, ..GraphLimits::default() }
}

/// What a pilot is told.
///
/// # Errors
/// A stock calibration file that cannot be read.
pub(crate) fn setup(card: &ModelCard, config: &Config) -> anyhow::Result<Setup> {
    let recipe = Recipe { preparation: config.preparation, squash: config.squash, ..card.recipe.clone() };
    Ok(Setup {
        bound: Bound::of(recipe.squash, &card.algorithm),
        recipe,
        action_space: card.action_space.clone(),
        limits: config.governor,
        judge: JudgeLimits::default(),
        calibration: calibration(config)?,
    })
}

fn calibration(config: &Config) -> anyhow::Result<Calibration> {
    match config.calibration() {
        CalibrationSource::Ready(calibration) => Ok(calibration),
        CalibrationSource::File(path) => {
            let bytes = bounded(Path::new(path), 1 << 20).context("vehicle.calibration names a file")?;
            Ok(stock::read(path, &bytes)?)
        }
    }
}

/// The digest of everything but the model that a decision follows from. Kernels are a fact of their own on tape.
pub(crate) fn digest(setup: &Setup) -> Digest {
    let text = format!(
        "{:?} {:?} {:?} {:?} {:?}",
        setup.recipe, setup.bound, setup.limits, setup.judge, setup.calibration
    );
    Digest::of(text.as_bytes())
}
