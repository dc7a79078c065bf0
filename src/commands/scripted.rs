//! The scripted driver where a model is named: a policy without a network, for simulated tracks. Refuses nothing; a folder
//! of that name is a model folder.

use std::path::Path;

use crate::domain::{Digest, FixedPoint, ModelCard, NetworkFacts};
use crate::policy::guided::{Guided, NAME};

/// What makes its scores: nothing that depends on a machine.
pub(crate) const KERNELS: &str = "none";

/// What its digest is of; a new version where the same advice comes to other scores.
const VERSION: &str = "scripted driver, version 1: its scores are the advice beside the picture";

/// Whether a model's name means the scripted driver.
pub(crate) fn is_meant(model: &Path) -> bool {
    model == Path::new(NAME) && !model.is_dir()
}

/// The name of a model for people.
pub(crate) fn label(name: &str, kernels: &str) -> String {
    if kernels == KERNELS { "scripted driver (no network; ground truth)".to_owned() } else { name.to_owned() }
}

/// Its card.
pub(crate) fn card() -> ModelCard {
    ModelCard {
        name: NAME.to_owned(),
        network_file: "none".to_owned(),
        network_digest: Digest::of(VERSION.as_bytes()),
        metadata_digest: Digest::of(b""),
        inputs: Vec::new(),
        output: "none".to_owned(),
        recipe: Guided::recipe(),
        action_space: Guided::space(),
        algorithm: "pure pursuit".to_owned(),
        network_name: None,
        facts: NetworkFacts::default(),
        witnesses: Vec::new(),
        fixed: FixedPoint::Absent,
    }
}
