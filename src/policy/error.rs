//! What can be wrong with a network: what was seen, where, and what is wanted.

use thiserror::Error;

use super::archive::ArchiveError;
use super::kernels::KernelError;

/// A network that is refused, or a plan that failed.
#[derive(Debug, Error)]
pub enum PolicyError {
    /// The archive around it.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Not the file format that its name says.
    #[error("not a {wanted}: {saw}; export the policy again, or check that the download is complete")]
    NotAGraph {
        /// The format.
        wanted: &'static str,
        /// What the parser said.
        saw: String,
    },
    /// A layer that has no fixed-point form.
    #[error("{layer} in fixed point: saw {saw}, wanted {wanted}")]
    Fixed {
        /// The layer, or what else of the plan.
        layer: String,
        /// What was seen.
        saw: String,
        /// What is wanted.
        wanted: &'static str,
    },
    /// A fixed-point plan of another layout, or of another network.
    #[error("{what} of the fixed-point plan: saw {saw}, wanted {wanted}; import the model again")]
    FixedFormat {
        /// Which part of its head.
        what: &'static str,
        /// What was seen.
        saw: String,
        /// What is wanted.
        wanted: String,
    },
    /// What a fixed-point plan is given, or gives, is of another length.
    #[error("{saw} {what} for the fixed-point plan, wanted {wanted}")]
    FixedLength {
        /// Of what.
        what: &'static str,
        /// How many.
        saw: usize,
        /// How many are wanted.
        wanted: usize,
    },
    /// A kernel refused its arguments.
    #[error(transparent)]
    Kernel(#[from] KernelError),
    /// The second thread of a fixed-point plan.
    #[error("the second thread of the fixed-point plan {saw}; policy.threads = 1 goes without it")]
    Mate {
        /// What became of it.
        saw: String,
    },
    /// An empty graph.
    #[error("the network has no nodes; wanted a frozen policy graph")]
    Empty,
    /// Too large to be a policy.
    #[error("the network has {saw} {what}, wanted at most {max}")]
    TooLarge {
        /// `nodes`, or elements of a tensor by name.
        what: String,
        /// How many.
        saw: u64,
        /// The limit.
        max: u64,
    },
    /// Two nodes of one name.
    #[error("two nodes are named {node:?}; names must be unique")]
    DuplicateNode {
        /// The name.
        node: String,
    },
    /// A node reads from one that is not there.
    #[error("node {node:?} reads from {input:?}, which is not in the graph")]
    MissingInput {
        /// The reader.
        node: String,
        /// What it reads.
        input: String,
    },
    /// The graph is not acyclic.
    #[error("node {node:?} depends on itself; a policy graph has no loops")]
    Cycle {
        /// A node on the loop.
        node: String,
    },
    /// An operator that is not supported.
    #[error("node {node:?} uses operator {op}, which is not supported; supported are {supported}")]
    UnsupportedOp {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// All that are.
        supported: String,
    },
    /// A node that cannot mean anything.
    #[error("node {node:?} ({op}): {saw}, wanted {wanted}")]
    BadNode {
        /// The node.
        node: String,
        /// Its operator.
        op: String,
        /// What was seen.
        saw: String,
        /// What is wanted.
        wanted: String,
    },
    /// NaN or infinity among the weights.
    #[error("weight {index} of {node:?} is {saw}; the training diverged, export an earlier checkpoint")]
    NonFiniteWeight {
        /// The tensor.
        node: String,
        /// Position of the first one.
        index: usize,
        /// Its value.
        saw: f64,
    },
    /// No output can be chosen.
    #[error(
        "the policy output is not clear: found {saw}; wanted {wanted}, or one single output; name it with --output"
    )]
    Output {
        /// The candidates.
        saw: String,
        /// The names that are known.
        wanted: String,
    },
    /// An input that is no sensor.
    #[error("network input {node:?} is no sensor that the car has; wanted one of {wanted}")]
    UnknownInput {
        /// The placeholder.
        node: String,
        /// The sensors.
        wanted: String,
    },
    /// Network and metadata disagree about the sensors.
    #[error(
        "model_metadata.json, key sensor: says {metadata}, but the network reads {network}; they must be the same"
    )]
    Sensors {
        /// From the metadata.
        metadata: String,
        /// From the network.
        network: String,
    },
    /// An input of the wrong shape.
    #[error("network input {node:?} has shape {saw:?}, wanted {wanted:?}")]
    InputShape {
        /// The placeholder.
        node: String,
        /// Its shape, -1 where open.
        saw: Vec<i64>,
        /// The sensor's.
        wanted: Vec<usize>,
    },
    /// Actions and outputs do not agree.
    #[error(
        "model_metadata.json, key action_space: has {actions} actions, but the network has {outputs} outputs; this metadata belongs to another model"
    )]
    Outputs {
        /// From the metadata.
        actions: usize,
        /// From the network.
        outputs: usize,
    },
    /// The inference library refused.
    #[error("{doing} failed: {saw}")]
    Library {
        /// The step.
        doing: &'static str,
        /// The library's words.
        saw: String,
    },
    /// An observation of another shape than the plan's.
    #[error("observation for {sensor} has {saw} values, wanted {wanted}")]
    Observation {
        /// Which input.
        sensor: &'static str,
        /// Values given.
        saw: usize,
        /// Values wanted.
        wanted: usize,
    },
    /// The policy answered nonsense for a harmless observation.
    #[error("the network answers {saw:?} to a plain test picture, wanted finite numbers")]
    NonFiniteAnswer {
        /// The scores.
        saw: Vec<f32>,
    },
    /// Two answers to one question.
    #[error(
        "the network answers one picture with {first:?} and then with {second:?}; it draws random numbers, and a policy must not"
    )]
    Fickle {
        /// The first scores.
        first: Vec<f32>,
        /// The second.
        second: Vec<f32>,
    },
    /// The model does not answer as it did when it was imported.
    #[error(
        "witness vector {index}: output {output} is {saw}, was {recorded} at import (tolerance {tolerance}); the model folder is damaged, import it again"
    )]
    Witness {
        /// Which witness.
        index: usize,
        /// Which output.
        output: usize,
        /// Now.
        saw: f32,
        /// Then.
        recorded: f32,
        /// Allowed difference.
        tolerance: f32,
    },
}

impl PolicyError {
    /// Wraps a library error as the step that it stopped, with the library's whole chain of reasons.
    pub(super) fn library(doing: &'static str, error: impl std::fmt::Display) -> Self {
        let saw = format!("{error:#}").replace('\n', " ");
        let short: String = saw.chars().take(400).collect();
        Self::Library { doing, saw: short }
    }
}
