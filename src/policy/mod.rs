//! Tensor to intention (L2). A policy is a loaded function from observation to scores; the rest of the room
//! is how one is read from what users have, checked, and understood. Nothing here touches a file.

pub mod archive;
pub mod choose;
pub mod feed;
pub mod fixed;
pub mod frozen;
pub mod guided;
pub mod kernels;
pub mod law;
pub mod onnx;
pub mod plan;
pub mod scripted;
pub mod typed;
pub mod wiring;
pub mod witness;

mod error;

pub use archive::{ArchiveError, ArchiveLimits, Member, NetworkKind, Parts};
pub use error::PolicyError;
pub use plan::Plan;
pub use typed::Typed;

use crate::domain::{Observation, Scores, Sensor};

/// A loaded function from observation to scores.
///
/// Contract: the first call may be slow and may allocate (warm-up); every later one gives the same bits for
/// the same observation, on the same kernels. Implementors: [`Plan`] (tract), [`guided::Guided`], [`scripted::Scripted`].
pub trait Policy {
    /// Scores for one observation.
    ///
    /// # Errors
    /// [`PolicyError`] where the observation is not of the policy's shape or the plan fails.
    fn infer(&mut self, observation: &Observation) -> Result<Scores, PolicyError>;
}

impl<P: Policy + ?Sized> Policy for Box<P> {
    fn infer(&mut self, observation: &Observation) -> Result<Scores, PolicyError> {
        (**self).infer(observation)
    }
}

/// What the metadata says about a network, and how much of it is accepted.
#[derive(Clone, Debug)]
pub struct Expectation<'a> {
    /// The sensors that the metadata names, in the order of their names.
    pub sensors: &'a [Sensor],
    /// The number of outputs that the action space wants.
    pub outputs: usize,
    /// The output node to take, where the user names one.
    pub output: Option<&'a str>,
    /// Bounds on a graph that is not trusted.
    pub limits: GraphLimits,
}

/// Bounds on an untrusted graph, checked before any library builds it.
#[derive(Clone, Copy, Debug)]
pub struct GraphLimits {
    /// The most nodes; AWS's largest export has 124.
    pub max_nodes: usize,
    /// The most elements of any one tensor; the largest layer that AWS trains has 57.3 million.
    pub max_elements: usize,
}

impl Default for GraphLimits {
    fn default() -> Self {
        Self { max_nodes: 4096, max_elements: 1 << 27 }
    }
}

/// A network, read and checked.
#[derive(Debug)]
pub struct Network {
    /// The graph, from which plans are made.
    pub typed: Typed,
    /// The tensor of each sensor.
    pub inputs: Vec<(Sensor, String)>,
    /// The tensor of the policy's output.
    pub output: String,
    /// Layers, parameters, multiply-accumulates.
    pub facts: crate::domain::NetworkFacts,
}

/// A network, built and ready, in `f32`.
#[derive(Debug)]
pub struct Built {
    /// The function.
    pub plan: Plan,
    /// The tensor of each sensor.
    pub inputs: Vec<(Sensor, String)>,
    /// The tensor of the policy's output.
    pub output: String,
    /// Layers, parameters, multiply-accumulates.
    pub facts: crate::domain::NetworkFacts,
}

/// Reads a network of either kind, and checks it.
///
/// # Errors
/// [`PolicyError`]: what was wrong, in which node, and what is wanted.
pub fn read(kind: NetworkKind, bytes: &[u8], want: &Expectation<'_>) -> Result<Network, PolicyError> {
    guarded("building the network", || match kind {
        NetworkKind::FrozenTensorflow => frozen::read(bytes, want),
        NetworkKind::Onnx => onnx::read(bytes, want),
    })
}

/// Reads a network and optimises it, in `f32`.
///
/// # Errors
/// As [`read`].
pub fn build(kind: NetworkKind, bytes: &[u8], want: &Expectation<'_>) -> Result<Built, PolicyError> {
    let Network { typed, inputs, output, facts } = read(kind, bytes, want)?;
    let plan = guarded("optimising the network", || typed.plan())?;
    Ok(Built { plan, inputs, output, facts })
}

/// Runs `work`; a panic of the libraries below is an error like any other.
fn guarded<T>(doing: &'static str, work: impl FnOnce() -> Result<T, PolicyError>) -> Result<T, PolicyError> {
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    // The libraries below assert on some malformed graphs; to the user that is a bad file, not a crash.
    done.unwrap_or_else(|panic| {
        let saw = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_else(|| "a panic".to_owned());
        Err(PolicyError::Library { doing, saw })
    })
}
