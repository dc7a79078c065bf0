//! From card and settings to what a pilot is told: the card says what the network eats and answers, the settings say
//! how it is prepared and permitted.

use std::path::Path;

use anyhow::Context as _;

use super::files::bounded;
use crate::config::{CalibrationSource, Config, stock};
use crate::domain::{Digest, ModelCard, Recipe};
use crate::drive::Setup;
use crate::governor::Limits;
use crate::policy::GraphLimits;
use crate::policy::choose::Bound;
use crate::vehicle::{Calibration, Points};
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
        // The guardian caps what it lets through; a tape shall hold what was let through.
        limits: Limits {
            throttle_cap: config.governor.throttle_cap.min(config.guardian_cap),
            ..config.governor
        },
        judge: JudgeLimits::default(),
        calibration: calibration(config)?,
    })
}

pub(crate) fn calibration(config: &Config) -> anyhow::Result<Calibration> {
    match config.calibration() {
        CalibrationSource::Ready(calibration) => Ok(calibration),
        CalibrationSource::File(path) => {
            let bytes = bounded(Path::new(path), 1 << 20).context("vehicle.calibration names a file")?;
            Ok(stock::read(path, &bytes)?)
        }
    }
}

/// The digest of everything but the model that a decision follows from: the settings' own text, and the points that
/// count, wherever they were read. Kernels are a fact of their own on tape; the speed is an input of every tick.
pub(crate) fn digest(setup: &Setup, config: &Config) -> Digest {
    let decides =
        |line: &&str| ["governor.", "vision.", "policy.squash"].iter().any(|key| line.starts_with(key));
    let text = config.canonical();
    let mut lines: Vec<String> = text.lines().filter(decides).map(str::to_owned).collect();
    if config.guardian_cap < 1.0 {
        lines.push(format!("guardian.throttle_cap = {:?}", config.guardian_cap));
    }
    for (channel, points) in [("servo", setup.calibration.servo), ("motor", setup.calibration.motor)] {
        let Points { min, mid, max, polarity } = points;
        lines.push(format!("{channel} {min} {mid} {max} {polarity}"));
    }
    Digest::of(lines.join("\n").as_bytes())
}

/// A calibration as the stock file writes it (car.md §1.5), on one line.
pub(crate) fn calibration_text(calibration: &Calibration) -> String {
    let channel = |name: &str, Points { min, mid, max, polarity }: Points| {
        format!("\"{name}\": {{\"min\": {min}, \"mid\": {mid}, \"max\": {max}, \"polarity\": {polarity}}}")
    };
    let (servo, motor) = (channel("Servo", calibration.servo), channel("Motor", calibration.motor));
    format!("{{\"Calibration\": {{{servo}, {motor}, \"version\": 1}}}}")
}

#[cfg(test)]
mod tests {
    use super::calibration_text;
    use crate::config::stock;
    use crate::vehicle::{Calibration, Points};

    #[test]
    fn the_tapes_calibration_is_a_stock_file() {
        let servo = Points { min: 1_100_000, mid: 1_500_000, max: 1_900_000, polarity: -1 };
        let calibration = Calibration { servo, ..Calibration::factory() };
        assert_eq!(stock::read("tape", calibration_text(&calibration).as_bytes()), Ok(calibration));
    }
}
