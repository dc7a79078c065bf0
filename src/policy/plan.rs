//! The optimised plan: typed, checked against the action space, warmed up, run. A door to tract.

use tract_onnx::prelude::{
    Arc, Datum, InferenceFact, InferenceModel, InferenceModelExt, IntoRunnable, TValue, Tensor, TypedFact,
    TypedModel, TypedSimpleState, tvec,
};
use tract_onnx::tract_core::ops::Cost;
use tract_onnx::tract_core::tract_linalg;

use std::collections::HashMap;

use super::{Policy, PolicyError, guarded};
use crate::domain::{Layer, NetworkFacts, Observation, Scores, Sensor};

/// Where the channels of a camera tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[1, 120, 160, C]`, as AWS exports.
    ChannelsLast,
    /// `[1, C, 120, 160]`, as PyTorch exports.
    ChannelsFirst,
}

/// One input of a plan.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What is fed in.
    pub sensor: Sensor,
    /// How a camera's channels lie.
    pub layout: Layout,
    /// The tensor's shape.
    pub shape: Vec<usize>,
}

/// A network that is ready to run. The tensors that are fed in are kept from run to run.
pub struct Plan {
    state: TypedSimpleState,
    slots: Vec<(Slot, Arc<Tensor>)>,
    outputs: usize,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("slots", &self.slots.len())
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// The name of the arithmetic kernels that run plans on this machine, as the CPU and `TRACT_CPU_ISA` leave it:
/// `sse2` on the car, `fma` or `avx512` on a laptop. Scores are comparable bit for bit where it is the same.
#[must_use]
pub fn kernels() -> &'static str {
    tract_linalg::isa::native().nickname()
}

impl Plan {
    /// Gives shapes to the inputs, folds constants, checks the output and optimises.
    ///
    /// # Errors
    /// [`PolicyError::Library`] with the step that failed, [`PolicyError::Outputs`] where the network does not
    /// have `outputs` outputs.
    pub(super) fn compile(
        mut model: InferenceModel,
        slots: Vec<Slot>,
        outputs: usize,
    ) -> Result<(Self, NetworkFacts), PolicyError> {
        for (at, slot) in slots.iter().enumerate() {
            model
                .set_input_fact(at, InferenceFact::dt_shape(f32::datum_type(), &slot.shape))
                .map_err(|error| PolicyError::library("giving the inputs their shape", error))?;
        }
        let typed = model.into_typed().map_err(|error| PolicyError::library("working out shapes", error))?;
        let saw = output_volume(&typed)?;
        if saw != outputs {
            return Err(PolicyError::Outputs { actions: outputs, outputs: saw });
        }
        // Before anything is simplified: the library drops biases that are zero and splits layers.
        let facts = count(&typed)?;
        let state = typed
            .into_optimized()
            .and_then(IntoRunnable::into_runnable)
            .and_then(|plan| plan.spawn())
            .map_err(|error| PolicyError::library("optimising the network", error))?;
        let slots = slots
            .into_iter()
            .map(|slot| {
                let tensor = Tensor::zero::<f32>(&slot.shape)
                    .map_err(|error| PolicyError::library("making room for an input", error))?;
                Ok((slot, Arc::new(tensor)))
            })
            .collect::<Result<_, PolicyError>>()?;
        Ok((Self { state, slots, outputs }, facts))
    }

    fn fill(&mut self, observation: &Observation) -> Result<(), PolicyError> {
        for (slot, tensor) in &mut self.slots {
            let from = if slot.sensor.ranges() > 0 { &observation.ranges } else { &observation.camera };
            let wanted = slot.shape.iter().product();
            if from.len() != wanted {
                return Err(PolicyError::Observation { sensor: slot.sensor.name(), saw: from.len(), wanted });
            }
            if Arc::get_mut(tensor).is_none() {
                // Somebody below kept the last one; it is left to them.
                *tensor = Arc::new(
                    Tensor::zero::<f32>(&slot.shape)
                        .map_err(|error| PolicyError::library("making room for an input", error))?,
                );
            }
            let Some(tensor) = Arc::get_mut(tensor) else { continue };
            let mut view = tensor
                .try_as_plain_ram_mut()
                .map_err(|error| PolicyError::library("filling an input", error))?;
            let to = view
                .as_slice_mut::<f32>()
                .map_err(|error| PolicyError::library("filling an input", error))?;
            match (slot.layout, slot.sensor.channels()) {
                (Layout::ChannelsFirst, 2) => split_channels(from, to),
                _ => to.copy_from_slice(from),
            }
        }
        Ok(())
    }
}

/// Interleaved left and right to one plane after the other.
fn split_channels(from: &[f32], to: &mut [f32]) {
    let (left, right) = to.split_at_mut(from.len() / 2);
    for ((pair, left), right) in from.chunks_exact(2).zip(left).zip(right) {
        if let [l, r] = pair {
            (*left, *right) = (*l, *r);
        }
    }
}

impl Policy for Plan {
    fn infer(&mut self, observation: &Observation) -> Result<Scores, PolicyError> {
        self.fill(observation)?;
        let inputs = match self.slots.as_slice() {
            [(_, one)] => tvec![TValue::from_const(Arc::clone(one))],
            many => many.iter().map(|(_, tensor)| TValue::from_const(Arc::clone(tensor))).collect(),
        };
        let outputs = guarded("running the network", || {
            self.state.run(inputs).map_err(|error| PolicyError::library("running the network", error))
        })?;
        let first =
            outputs.first().and_then(|tensor| Scores::new(tensor.try_as_plain_ram().ok()?.as_slice().ok()?));
        first.filter(|scores| scores.values().len() == self.outputs).ok_or(PolicyError::Outputs {
            actions: self.outputs,
            outputs: outputs.first().map_or(0, |tensor| tensor.len()),
        })
    }
}

fn output_volume(model: &TypedModel) -> Result<usize, PolicyError> {
    let library = |error| PolicyError::library("finding the output's shape", error);
    let outlet = model.output_outlets().map_err(library)?.first().copied();
    let Some(outlet) = outlet else { return Ok(0) };
    let fact = model.outlet_fact(outlet).map_err(library)?;
    // A shape that stays symbolic is no policy's: it counts as no output.
    Ok(fact.shape.as_concrete().map_or(0, |shape| shape.iter().product()))
}

/// Layers with weights, parameters and multiply-accumulates, as the graph has them. A bias that
/// stands apart belongs to the layer before it; scalars such as the 255 of the picture are no parameters.
fn count(model: &TypedModel) -> Result<NetworkFacts, PolicyError> {
    let library = |error| PolicyError::library("counting the network", error);
    let mut facts = NetworkFacts::default();
    // Weights on their way to a layer, by node: constants, and whatever only reshapes them.
    let mut carried: HashMap<usize, u64> = HashMap::new();
    for at in model.eval_order().map_err(library)? {
        let Some(vertex) = model.nodes().get(at) else { continue };
        let inputs = model.node_input_facts(at).map_err(library)?;
        let arriving = vertex.inputs.iter().filter_map(|from| carried.get(&from.node).copied());
        if arriving.clone().count() == vertex.inputs.len()
            && !model.input_outlets().map_err(library)?.contains(&at.into())
        {
            let own = vertex.outputs.first().map_or(0, |output| weights(&output.fact));
            carried.insert(at, arriving.max().unwrap_or(0).max(own));
            continue;
        }
        let parameters: u64 = arriving.sum();
        if parameters == 0 {
            continue;
        }
        facts.parameters += parameters;
        let costs = vertex.op.cost(&inputs).map_err(library)?;
        let fused = costs.iter().filter(|(cost, _)| matches!(cost, Cost::FMA(_)));
        let macs: u64 = fused.filter_map(|(_, count)| u64::try_from(count.to_i64().ok()?).ok()).sum();
        facts.macs += macs;
        let shape = vertex.outputs.first().and_then(|output| output.fact.shape.as_concrete()).unwrap_or(&[]);
        match facts.layers.last_mut() {
            Some(layer) if macs <= shape.iter().product::<usize>() as u64 => layer.parameters += parameters,
            _ => facts.layers.push(Layer {
                name: vertex.name.clone(),
                kind: if vertex.op.name() == "Conv" { "conv" } else { "dense" }.to_owned(),
                output: shape.to_vec(),
                parameters,
                macs,
            }),
        }
    }
    Ok(facts)
}

/// The number of weights in a constant; scalars and whole numbers (shapes, axes) are none.
fn weights(fact: &TypedFact) -> u64 {
    let floats =
        fact.konst.as_ref().filter(|konst| konst.datum_type() == f32::datum_type() && konst.len() > 1);
    floats.map_or(0, |konst| konst.len() as u64)
}
