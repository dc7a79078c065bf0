//! The model card: all that is known about an imported model besides its weights.

use super::action::ActionSpace;
use super::digest::Digest;
use super::recipe::Recipe;
use super::sensor::Sensor;

/// One layer of the network that multiplies, for people to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name in the graph.
    pub name: String,
    /// `conv`, `dense` or the operator's own name.
    pub kind: String,
    /// The shape of its output.
    pub output: Vec<usize>,
    /// Weights and biases.
    pub parameters: u64,
    /// Multiply-accumulates for one observation.
    pub macs: u64,
}

/// What was counted in the graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// The layers that hold weights, in order.
    pub layers: Vec<Layer>,
    /// All weights and biases.
    pub parameters: u64,
    /// Multiply-accumulates for one observation.
    pub macs: u64,
}

/// A fixed observation and what the policy answered when it was imported.
#[derive(Clone, Debug, PartialEq)]
pub struct Witness {
    /// The seed from which the observation is made (see `policy::witness`).
    pub seed: u32,
    /// The policy's raw output.
    pub scores: Vec<f32>,
}

/// What is known of a fixed-point plan beside its bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedPlan {
    /// SHA-256 of the file that holds it.
    pub digest: Digest,
    /// Its activations were calibrated, and its answers compared, on these frames, for people.
    pub frames: String,
    /// How many were compared.
    pub compared: u32,
    /// The largest difference of a score from the `f32` plan's.
    pub max_difference: f32,
    /// Frames on which it takes another action than the `f32` plan.
    pub changed: u32,
    /// Layers that stay in `f32`, with the reason.
    pub kept: Vec<String>,
    /// What it must answer, bit for bit, where no layer stays in `f32`.
    pub witnesses: Vec<Witness>,
}

/// Whether a model has a fixed-point plan.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum FixedPoint {
    /// Nobody made one.
    #[default]
    Absent,
    /// It has one.
    Made(FixedPlan),
    /// One was made, and refused for this reason.
    Refused(String),
}

/// The card.
#[derive(Clone, Debug, PartialEq)]
pub struct ModelCard {
    /// The folder's name.
    pub name: String,
    /// The file that holds the network: `model.pb` or `model.onnx`.
    pub network_file: String,
    /// SHA-256 of that file.
    pub network_digest: Digest,
    /// SHA-256 of `model_metadata.json`.
    pub metadata_digest: Digest,
    /// The tensor of each sensor, in the recipe's order.
    pub inputs: Vec<(Sensor, String)>,
    /// The tensor of the policy's output.
    pub output: String,
    /// Inputs and arithmetic.
    pub recipe: Recipe,
    /// What the outputs mean.
    pub action_space: ActionSpace,
    /// `clipped_ppo` or `sac`.
    pub algorithm: String,
    /// The network's name in the metadata, if it has one.
    pub network_name: Option<String>,
    /// Counted in the graph.
    pub facts: NetworkFacts,
    /// What it must still answer when it is loaded.
    pub witnesses: Vec<Witness>,
    /// Its fixed-point plan.
    pub fixed: FixedPoint,
}
