//! The model card, written as `model.toml`. Every number is written so that it comes back with the same bits.

use super::card_form::{
    CardForm, FORMAT, FixedForm, InputForm, LayerForm, NetworkForm, SpaceForm, WitnessForm, spanned,
};
use super::error::ConfigError;
use super::words::{PREPARATIONS, SQUASHES, word};
use crate::domain::{ActionSpace, FixedPoint, Layer, ModelCard, Witness};

const HEADER: &str =
    "# A model card, written by `hairpin import`. Digests and witnesses are checked at every load.\n";

/// The text of a card.
///
/// # Errors
/// [`ConfigError::Unwritable`] where a count is beyond what TOML holds (2^63).
pub fn write(card: &ModelCard) -> Result<String, ConfigError> {
    let form = CardForm {
        format: FORMAT,
        name: spanned(card.name.clone()),
        network_file: spanned(card.network_file.clone()),
        network_sha256: spanned(card.network_digest.to_string()),
        metadata_sha256: spanned(card.metadata_digest.to_string()),
        output: card.output.clone(),
        algorithm: spanned(card.algorithm.clone()),
        network_name: card.network_name.clone(),
        preparation: spanned(word(&PREPARATIONS, &card.recipe.preparation).to_owned()),
        squash: spanned(word(&SQUASHES, &card.recipe.squash).to_owned()),
        input: card
            .inputs
            .iter()
            .map(|(sensor, tensor)| InputForm {
                sensor: spanned(sensor.name().to_owned()),
                tensor: tensor.clone(),
            })
            .collect(),
        action_space: spanned(space_form(&card.action_space)),
        network: NetworkForm {
            parameters: card.facts.parameters,
            macs: card.facts.macs,
            layer: card.facts.layers.iter().map(layer_form).collect(),
        },
        witness: card.witnesses.iter().map(witness_form).collect(),
        fixed_point: fixed_form(&card.fixed).map(spanned),
    };
    let body = toml::to_string(&form)
        .map_err(|error| ConfigError::Unwritable { file: "model.toml".to_owned(), saw: error.to_string() })?;
    Ok(format!("{HEADER}{body}"))
}

fn space_form(space: &ActionSpace) -> SpaceForm {
    match space {
        ActionSpace::Discrete(actions) => SpaceForm {
            kind: "discrete".to_owned(),
            actions: Some(actions.iter().map(|action| [action.steering.get(), action.speed.get()]).collect()),
            ..SpaceForm::default()
        },
        ActionSpace::Continuous(space) => SpaceForm {
            kind: "continuous".to_owned(),
            steering: Some([space.steering_low.get(), space.steering_high.get()]),
            speed: Some([space.speed_low.get(), space.speed_high.get()]),
            ..SpaceForm::default()
        },
    }
}

fn witness_form(witness: &Witness) -> WitnessForm {
    // Doubles hold every single exactly, and their shortest text comes back as the same double.
    let scores = witness.scores.iter().map(|score| f64::from(*score)).collect();
    WitnessForm { seed: witness.seed, scores: spanned(scores) }
}

fn fixed_form(fixed: &FixedPoint) -> Option<FixedForm> {
    match fixed {
        FixedPoint::Absent => None,
        FixedPoint::Refused(why) => Some(FixedForm { refused: Some(why.clone()), ..FixedForm::default() }),
        FixedPoint::Made(fixed) => Some(FixedForm {
            refused: None,
            sha256: Some(spanned(fixed.digest.to_string())),
            frames: fixed.frames.clone(),
            compared: fixed.compared,
            max_difference: fixed.max_difference.into(),
            changed: fixed.changed,
            kept_in_f32: fixed.kept.clone(),
            witness: fixed.witnesses.iter().map(witness_form).collect(),
        }),
    }
}

fn layer_form(layer: &Layer) -> LayerForm {
    LayerForm {
        name: layer.name.clone(),
        kind: layer.kind.clone(),
        output: layer.output.clone(),
        parameters: layer.parameters,
        macs: layer.macs,
    }
}
