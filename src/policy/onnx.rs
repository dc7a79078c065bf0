//! ONNX to a plan. A door to tract-onnx; the file is bounded and its weights checked before the library runs.

use tract_onnx::pb::tensor_proto::{DataLocation, DataType};
use tract_onnx::pb::{GraphProto, ModelProto, TensorProto, ValueInfoProto, tensor_shape_proto, type_proto};
use tract_onnx::prelude::Framework;

use prost::Message;

use super::feed::{Layout, Slot};
use super::typed::Typed;
use super::{Expectation, GraphLimits, Network, PolicyError, wiring};
use crate::domain::Sensor;

/// Reads and checks.
///
/// # Errors
/// [`PolicyError`] naming the node.
pub fn read(bytes: &[u8], want: &Expectation<'_>) -> Result<Network, PolicyError> {
    let model = ModelProto::decode(bytes)
        .map_err(|error| PolicyError::NotAGraph { wanted: "ONNX model", saw: error.to_string() })?;
    let Some(graph) = model.graph.as_ref().filter(|graph| !graph.node.is_empty()) else {
        return Err(PolicyError::Empty);
    };
    check(graph, &want.limits)?;
    let output = choose_output(graph, want.output)?;
    let sources: Vec<&ValueInfoProto> = graph
        .input
        .iter()
        .filter(|input| graph.initializer.iter().all(|weights| weights.name != input.name))
        .collect();
    let names: Vec<&str> = sources.iter().map(|input| input.name.as_str()).collect();
    let inputs = wiring::inputs(&names, want.sensors)?;
    let slots = inputs
        .iter()
        .map(|(sensor, name)| slot(*sensor, sources.iter().find(|input| input.name == *name)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut typed = tract_onnx::onnx()
        .model_for_proto_model(&model)
        .map_err(|error| PolicyError::library("reading the ONNX graph", error))?;
    let wire = |error| PolicyError::library("wiring inputs and output", error);
    typed.set_input_names(inputs.iter().map(|(_, name)| name)).map_err(wire)?;
    let outlet = typed
        .find_outlet_label(&output)
        .or_else(|| typed.node_id_by_name(&output).ok().map(Into::into))
        .ok_or_else(|| PolicyError::Output {
            saw: format!("no tensor {output:?}"),
            wanted: "an output".to_owned(),
        })?;
    typed.select_output_outlets(&[outlet]).map_err(wire)?;
    let (typed, facts) = Typed::new(typed, slots, want.outputs)?;
    Ok(Network { typed, inputs, output, facts })
}

fn choose_output(graph: &GraphProto, asked: Option<&str>) -> Result<String, PolicyError> {
    let names: Vec<&str> =
        graph.node.iter().flat_map(|operator| &operator.output).map(String::as_str).collect();
    let leaves: Vec<&str> = graph.output.iter().map(|output| output.name.as_str()).collect();
    wiring::output(&names, &leaves, asked).map(str::to_owned)
}

fn check(graph: &GraphProto, limits: &GraphLimits) -> Result<(), PolicyError> {
    if graph.node.len() > limits.max_nodes {
        return Err(PolicyError::TooLarge {
            what: "nodes".to_owned(),
            saw: graph.node.len() as u64,
            max: limits.max_nodes as u64,
        });
    }
    let register = tract_onnx::onnx().op_register;
    for operator in &graph.node {
        if !register.0.contains_key(operator.op_type.as_str()) {
            return Err(PolicyError::UnsupportedOp {
                node: operator.name.clone(),
                op: operator.op_type.clone(),
                supported: format!("{} ONNX operators of the main domain", register.0.len()),
            });
        }
    }
    let constants = graph
        .node
        .iter()
        .flat_map(|operator| &operator.attribute)
        .filter_map(|attribute| attribute.t.as_ref());
    graph.initializer.iter().chain(constants).try_for_each(|weights| check_weights(weights, limits))
}

fn check_weights(weights: &TensorProto, limits: &GraphLimits) -> Result<(), PolicyError> {
    let bad = |saw: String, wanted: &str| PolicyError::BadNode {
        node: weights.name.clone(),
        op: "weights".to_owned(),
        saw,
        wanted: wanted.to_owned(),
    };
    if weights.data_location == Some(DataLocation::External as i32) || !weights.external_data.is_empty() {
        return Err(bad("data in another file".to_owned(), "all weights inside the .onnx file"));
    }
    let volume = weights
        .dims
        .iter()
        .try_fold(1_usize, |volume, dim| usize::try_from(*dim).ok().and_then(|dim| volume.checked_mul(dim)));
    match volume {
        Some(volume) if volume <= limits.max_elements => {}
        Some(volume) => {
            return Err(PolicyError::TooLarge {
                what: format!("elements in {:?}", weights.name),
                saw: volume as u64,
                max: limits.max_elements as u64,
            });
        }
        None => return Err(bad(format!("shape {:?}", weights.dims), "dimensions of 0 or more")),
    }
    if weights.data_type != DataType::Float as i32 {
        return Ok(());
    }
    let (words, _) = weights.raw_data.as_chunks::<4>();
    let values =
        words.iter().map(|bytes| f32::from_le_bytes(*bytes)).chain(weights.float_data.iter().copied());
    match values.enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, saw)) => {
            Err(PolicyError::NonFiniteWeight { node: weights.name.clone(), index, saw: f64::from(saw) })
        }
        None => Ok(()),
    }
}

/// Shape and layout of an input. One channel lies the same way in both layouts; open dimensions fit anything.
fn slot(sensor: Sensor, input: Option<&&ValueInfoProto>) -> Result<Slot, PolicyError> {
    let wanted = sensor.shape();
    let Some(saw) = input.and_then(|input| dims(input)) else {
        return Ok(Slot { sensor, layout: Layout::ChannelsLast, shape: wanted });
    };
    let fits = |shape: &[usize]| {
        saw.len() == shape.len()
            && saw.iter().zip(shape).all(|(saw, want)| *saw == -1 || usize::try_from(*saw) == Ok(*want))
    };
    if fits(&wanted) {
        return Ok(Slot { sensor, layout: Layout::ChannelsLast, shape: wanted });
    }
    if let [batch, height, width, channels] = wanted.as_slice() {
        let first = vec![*batch, *channels, *height, *width];
        if fits(&first) {
            return Ok(Slot { sensor, layout: Layout::ChannelsFirst, shape: first });
        }
    }
    let node = input.map(|input| input.name.clone()).unwrap_or_default();
    Err(PolicyError::InputShape { node, saw, wanted })
}

fn dims(input: &ValueInfoProto) -> Option<Vec<i64>> {
    let type_proto::Value::TensorType(tensor) = input.r#type.as_ref()?.value.as_ref()?;
    let shape = tensor.shape.as_ref()?;
    let size = |dim: &tensor_shape_proto::Dimension| match dim.value {
        Some(tensor_shape_proto::dimension::Value::DimValue(size)) => size,
        _ => -1,
    };
    Some(shape.dim.iter().map(size).collect())
}
