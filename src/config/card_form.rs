//! The layout of `model.toml`, as typed: what serde reads and writes. Unknown keys are refused; what the values
//! mean is checked in `card.rs`. Digests are hexadecimal texts, actions are `[degrees, m/s]`.

use serde::{Deserialize, Serialize};
use toml::Spanned;

/// The version of the layout.
pub(super) const FORMAT: u32 = 1;

/// A value that is written, where nobody asks for its place.
pub(super) fn spanned<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

/// The one key that every format has.
#[derive(Debug, Deserialize)]
pub(super) struct FormatForm {
    pub(super) format: Spanned<u32>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardForm {
    pub(super) format: u32,
    pub(super) name: Spanned<String>,
    pub(super) network_file: Spanned<String>,
    pub(super) network_sha256: Spanned<String>,
    pub(super) metadata_sha256: Spanned<String>,
    pub(super) output: String,
    pub(super) algorithm: Spanned<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) network_name: Option<String>,
    pub(super) preparation: Spanned<String>,
    pub(super) squash: Spanned<String>,
    #[serde(default)]
    pub(super) input: Vec<InputForm>,
    pub(super) action_space: Spanned<SpaceForm>,
    pub(super) network: NetworkForm,
    #[serde(default)]
    pub(super) witness: Vec<WitnessForm>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) fixed_point: Option<Spanned<FixedForm>>,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FixedForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) refused: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) sha256: Option<Spanned<String>>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) frames: String,
    #[serde(default)]
    pub(super) compared: u32,
    #[serde(default)]
    pub(super) max_difference: f64,
    #[serde(default)]
    pub(super) changed: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) kept_in_f32: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) witness: Vec<WitnessForm>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InputForm {
    pub(super) sensor: Spanned<String>,
    pub(super) tensor: String,
}

#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SpaceForm {
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) actions: Option<Vec<[f64; 2]>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) steering: Option<[f64; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) speed: Option<[f64; 2]>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NetworkForm {
    pub(super) parameters: u64,
    pub(super) macs: u64,
    #[serde(default)]
    pub(super) layer: Vec<LayerForm>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LayerForm {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) output: Vec<usize>,
    pub(super) parameters: u64,
    pub(super) macs: u64,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WitnessForm {
    pub(super) seed: u32,
    pub(super) scores: Spanned<Vec<f64>>,
}
