//! A network as tract has it, checked and with its shapes, before anything is optimised: what plans are made of. A door to tract.

use std::collections::HashMap;

use tract_onnx::prelude::{Datum, InferenceFact, InferenceModel, InferenceModelExt, TypedFact, TypedModel};
use tract_onnx::tract_core::ops::Cost;

use super::feed::Slot;
use super::{Plan, PolicyError};
use crate::domain::{Layer, NetworkFacts};

/// A typed model, and how it is fed.
#[derive(Clone, Debug)]
pub struct Typed {
    pub(super) model: TypedModel,
    pub(super) slots: Vec<Slot>,
    pub(super) outputs: usize,
}

impl Typed {
    /// Gives shapes to the inputs, checks the output, and counts.
    ///
    /// # Errors
    /// [`PolicyError::Library`] with the step that failed, [`PolicyError::Outputs`] where the network does not
    /// have `outputs` outputs.
    pub(super) fn new(
        mut model: InferenceModel,
        slots: Vec<Slot>,
        outputs: usize,
    ) -> Result<(Self, NetworkFacts), PolicyError> {
        for (at, slot) in slots.iter().enumerate() {
            model
                .set_input_fact(at, InferenceFact::dt_shape(f32::datum_type(), &slot.shape))
                .map_err(|error| PolicyError::library("giving the inputs their shape", error))?;
        }
        let model = model.into_typed().map_err(|error| PolicyError::library("working out shapes", error))?;
        let saw = output_volume(&model)?;
        if saw != outputs {
            return Err(PolicyError::Outputs { actions: outputs, outputs: saw });
        }
        // Before anything is simplified: the library drops biases that are zero and splits layers.
        let facts = count(&model)?;
        Ok((Self { model, slots, outputs }, facts))
    }

    /// The plan in `f32`.
    ///
    /// # Errors
    /// [`PolicyError::Library`] with the step that failed.
    pub fn plan(self) -> Result<Plan, PolicyError> {
        Plan::compile(self.model, &self.slots, self.outputs)
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
