//! Which layers of a graph get a fixed-point form, and their place in it: all as one operator where every operator has one,
//! else each convolution and dense layer where it stands, and the rest in `f32`. A door to tract.

use std::sync::Arc;

use tract_onnx::prelude::{OutletId, TractResult, TypedModel, TypedModelPatch, TypedNode};
use tract_onnx::tract_core::internal::{DatumExt, SpecialOps};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::cnn::Conv;
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::super::kernels::Path;
use super::super::{Plan, PolicyError, Typed};
use super::crew::Threads;
use super::file::Part;
use super::graph::{Unsupported, trace};
use super::operator::FixedOp;
use super::outline::Outline;

/// A part in outline.
#[derive(Debug)]
pub(super) struct Draft {
    /// The node whose output it gives; empty for the whole network.
    pub(super) stands_for: String,
    pub(super) outline: Outline,
    /// Outlets of the decluttered graph whose values it is calibrated on: sources, then layers.
    pub(super) taps: Vec<OutletId>,
}

/// The parts of a graph, and what stays in `f32`.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) model: TypedModel,
    pub(super) drafts: Vec<Draft>,
    pub(super) kept: Vec<Unsupported>,
}

/// Splits a network.
///
/// # Errors
/// [`PolicyError::Library`] where it cannot be simplified.
pub(super) fn split(typed: &Typed) -> Result<Split, PolicyError> {
    let model = declutter(typed)?;
    let pixels: Vec<bool> = typed.slots.iter().map(|slot| slot.sensor.channels() > 0).collect();
    match trace(&model, &pixels) {
        Ok(mut traced) => {
            // The plan feeds such a network channels last, whatever the graph wanted.
            traced.outline.sources.iter_mut().for_each(|source| source.places.clear());
            let draft = Draft { stands_for: String::new(), outline: traced.outline, taps: traced.taps };
            Ok(Split { model, drafts: vec![draft], kept: Vec::new() })
        }
        Err(first) => {
            let mut kept = vec![first];
            let mut drafts = Vec::new();
            for vertex in model.nodes().iter().filter(|vertex| multiplies(vertex)) {
                match draft(&model, vertex) {
                    Ok(Some(draft)) => drafts.push(draft),
                    Ok(None) => {}
                    Err(unsupported) => kept.push(unsupported),
                }
            }
            kept.dedup();
            Ok(Split { model, drafts, kept })
        }
    }
}

fn declutter(typed: &Typed) -> Result<TypedModel, PolicyError> {
    let library = |error| PolicyError::library("simplifying the network", error);
    typed.model.clone().into_decluttered().map_err(library)
}

fn multiplies(vertex: &TypedNode) -> bool {
    vertex.op_is::<Conv>() || vertex.op_is::<EinSum>()
}

/// The slot of the one input that is not constant.
fn variable(model: &TypedModel, vertex: &TypedNode) -> Option<usize> {
    let konst = |outlet: &OutletId| model.outlet_fact(*outlet).is_ok_and(|fact| fact.konst.is_some());
    let mut slots = (0..).zip(&vertex.inputs).filter(|(_, outlet)| !konst(outlet)).map(|(slot, _)| slot);
    slots.next().filter(|_| slots.next().is_none())
}

/// A layer with the bias and the ReLU behind it.
struct Chain {
    nodes: Vec<usize>,
    input: OutletId,
}

fn chain(model: &TypedModel, vertex: &TypedNode) -> Option<Chain> {
    let slot = variable(model, vertex)?;
    let mut nodes = vec![vertex.id];
    let mut last = vertex;
    while let Some([next]) = last.outputs.first().map(|outlet| outlet.successors.as_slice()) {
        let Some(after) = model.nodes().get(next.node) else { break };
        let follows = after.op_as::<TypedBinOp>().is_some_and(|op| matches!(op.0.name(), "Add" | "Max"));
        if !follows || variable(model, after) != Some(next.slot) {
            break;
        }
        nodes.push(after.id);
        last = after;
    }
    Some(Chain { nodes, input: *vertex.inputs.get(slot)? })
}

/// The chain as a model of its own.
fn cut(model: &TypedModel, chain: &Chain) -> TractResult<TypedModel> {
    let mut own = TypedModel::default();
    let fact = model.outlet_fact(chain.input)?;
    let mut wire = own.add_source("input", f32::fact(fact.shape.clone()))?;
    for at in &chain.nodes {
        let vertex = model.node(*at);
        let mut inputs = Vec::new();
        for outlet in &vertex.inputs {
            inputs.push(match &model.outlet_fact(*outlet)?.konst {
                Some(konst) => own.add_const(format!("constant {}", own.nodes.len()), Arc::clone(konst))?,
                None => wire,
            });
        }
        let wires = own.wire_node(&vertex.name, vertex.op.clone(), &inputs)?;
        wire = wires.first().copied().unwrap_or(wire);
    }
    own.select_output_outlets(&[wire])?;
    Ok(own)
}

/// A layer as a part; none where it has no constant weights.
fn draft(model: &TypedModel, vertex: &TypedNode) -> Result<Option<Draft>, Unsupported> {
    let unsupported =
        |why: String| Unsupported { node: vertex.name.clone(), op: vertex.op.name().to_string(), why };
    let Some(mut chain) = chain(model, vertex) else { return Ok(None) };
    loop {
        let own = cut(model, &chain).map_err(|error| unsupported(format!("{error:#}")))?;
        match trace(&own, &[false]) {
            Ok(traced) => {
                let output = chain.nodes.last().copied().unwrap_or(vertex.id);
                let stands_for = model.nodes().get(output).map(|last| last.name.clone()).unwrap_or_default();
                return Ok(Some(Draft {
                    stands_for,
                    outline: traced.outline,
                    taps: vec![chain.input, output.into()],
                }));
            }
            // Perhaps only what follows the layer is at fault.
            Err(_) if chain.nodes.len() > 1 => {
                chain.nodes.pop();
            }
            Err(why) => return Err(why),
        }
    }
}

/// The plan of a network of which some layers run in fixed point.
///
/// # Errors
/// [`PolicyError::Fixed`] where a part stands for no layer of this network, [`PolicyError::Library`].
pub fn plan(typed: &Typed, parts: Vec<Part>, path: Path) -> Result<Plan, PolicyError> {
    let mut model = declutter(typed)?;
    for part in parts {
        replace(&mut model, &part, path)?;
    }
    Plan::compile(model, &typed.slots, typed.outputs)
}

fn replace(model: &mut TypedModel, part: &Part, path: Path) -> Result<(), PolicyError> {
    let gone = || PolicyError::Fixed {
        layer: part.stands_for.clone(),
        saw: "no such layer in the network".to_owned(),
        wanted: "one to stand for",
    };
    let output = model.nodes().iter().find(|vertex| vertex.name == part.stands_for).ok_or_else(gone)?.id;
    let starts = model.nodes().iter().filter(|vertex| multiplies(vertex));
    let prefix = |chain: Chain| {
        let end = chain.nodes.iter().position(|at| *at == output)?;
        Some((chain.input, end))
    };
    let input = starts.filter_map(|vertex| chain(model, vertex)).find_map(prefix).ok_or_else(gone)?.0;
    let fits = |outlet: OutletId, len: usize| {
        let shape = model.outlet_fact(outlet).ok()?.shape.as_concrete()?.to_vec();
        (shape.iter().product::<usize>() == len).then_some(shape)
    };
    let own = part.network.inputs.first().map_or(0, |input| input.len);
    let shape = fits(output.into(), part.network.outputs()).filter(|_| fits(input, own).is_some());
    let shape = shape.ok_or_else(gone)?;
    let mut patch = TypedModelPatch::default();
    let wired = |patch: &mut TypedModelPatch| {
        let tap = patch.tap_model(model, input)?;
        // Not worth a second thread: each part would need one of its own.
        let threads = Threads::One;
        let op = FixedOp { network: Arc::new(part.network.clone()), shape, path, threads };
        let wires = patch.wire_node(format!("{} in fixed point", part.stands_for), op, &[tap])?;
        for wire in wires {
            patch.shunt_outside(model, output.into(), wire)?;
        }
        TractResult::Ok(())
    };
    wired(&mut patch)
        .and_then(|()| patch.apply(model))
        .map_err(|error| PolicyError::library("putting a fixed-point layer in place", error))
}
