//! A frozen TensorFlow graph, in both of AWS's dialects, to a plan. A door to tract-tensorflow.
//! The graph is checked here, node by node, before the library sees it: it hangs on some valid ones.

use std::collections::{HashMap, HashSet};

use prost::Message;
use tract_tensorflow::model::TfOpRegister;
use tract_tensorflow::prelude::{Framework, tensorflow};
use tract_tensorflow::tfpb::tensorflow::attr_value::Value;
use tract_tensorflow::tfpb::tensorflow::{DataType, GraphDef, NodeDef, TensorProto};
use tract_tensorflow::tract_hir::internal::expand;
use tract_tensorflow::tract_hir::ops::array::{Concat, Gather};

use super::feed::{Layout, Slot};
use super::typed::Typed;
use super::{Expectation, GraphLimits, Network, PolicyError, wiring};
use crate::domain::Sensor;

/// The operators of AWS's exports (community.md D.3), and the few that a hand-made policy may add.
const SUPPORTED: [&str; 33] = [
    "Add",
    "AddV2",
    "AvgPool",
    "BiasAdd",
    "ConcatV2",
    "Const",
    "Conv2D",
    "Div",
    "ExpandDims",
    "GatherV2",
    "Identity",
    "MatMul",
    "Max",
    "MaxPool",
    "Maximum",
    "Mean",
    "Min",
    "Minimum",
    "Mul",
    "Neg",
    "Pack",
    "Placeholder",
    "Prod",
    "RealDiv",
    "Relu",
    "Relu6",
    "Reshape",
    "Shape",
    "Sigmoid",
    "Softmax",
    "Squeeze",
    "StopGradient",
    "StridedSlice",
];
const ALSO_SUPPORTED: [&str; 4] = ["Sub", "Sum", "Tanh", "Transpose"];

/// The attribute in which the constant axis of `ConcatV2` and `GatherV2` is handed to our operators.
const AXIS: &str = "hairpin_axis";

/// Reads and checks.
///
/// # Errors
/// [`PolicyError`] naming the node.
pub fn read(bytes: &[u8], want: &Expectation<'_>) -> Result<Network, PolicyError> {
    let graph = GraphDef::decode(bytes).map_err(|error| PolicyError::NotAGraph {
        wanted: "frozen TensorFlow graph",
        saw: error.to_string(),
    })?;
    if graph.node.is_empty() {
        return Err(PolicyError::Empty);
    }
    bound("nodes", graph.node.len(), want.limits.max_nodes)?;
    let output = choose_output(&graph, want.output)?;
    let (mut nodes, sources) = ancestors(graph, &output)?;
    for node in &nodes {
        check(node, &want.limits)?;
    }
    let sources: Vec<&str> = sources.iter().map(String::as_str).collect();
    let inputs = wiring::inputs(&sources, want.sensors)?;
    for (sensor, name) in &inputs {
        check_placeholder(&nodes, *sensor, name)?;
    }
    fold_axes(&mut nodes)?;
    let graph = GraphDef { node: nodes, ..GraphDef::default() };
    let (typed, facts) = translate(&graph, &inputs, &output, want)?;
    Ok(Network { typed, inputs, output, facts })
}

fn bound(what: &str, saw: usize, max: usize) -> Result<(), PolicyError> {
    if saw <= max {
        return Ok(());
    }
    Err(PolicyError::TooLarge { what: what.to_owned(), saw: saw as u64, max: max as u64 })
}

/// The node that an input string names: without slot (`:0`) and control mark (`^`).
fn source_name(input: &str) -> &str {
    let name = input.strip_prefix('^').unwrap_or(input);
    name.split(':').next().unwrap_or(name)
}

fn choose_output(graph: &GraphDef, asked: Option<&str>) -> Result<String, PolicyError> {
    let mut names = HashSet::new();
    for node in &graph.node {
        if !names.insert(node.name.as_str()) {
            return Err(PolicyError::DuplicateNode { node: node.name.clone() });
        }
    }
    let consumed: HashSet<&str> =
        graph.node.iter().flat_map(|node| node.input.iter().map(|input| source_name(input))).collect();
    let is_leaf = |node: &&NodeDef| {
        !consumed.contains(node.name.as_str())
            && !matches!(node.op.as_str(), "Const" | "Placeholder" | "NoOp")
    };
    let leaves: Vec<&str> = graph.node.iter().filter(is_leaf).map(|node| node.name.as_str()).collect();
    let names: Vec<&str> = graph.node.iter().map(|node| node.name.as_str()).collect();
    wiring::output(&names, &leaves, asked).map(str::to_owned)
}

/// The nodes that the output depends on, each after all that it reads, and the names of the placeholders among
/// them. Everything else in the file (a value head, a saver) is dropped. Walks without recursion.
fn ancestors(graph: GraphDef, output: &str) -> Result<(Vec<NodeDef>, Vec<String>), PolicyError> {
    #[derive(Clone, Copy, PartialEq)]
    enum Mark {
        New,
        Open,
        Done,
    }
    let index: HashMap<String, usize> =
        graph.node.iter().enumerate().map(|(at, node)| (node.name.clone(), at)).collect();
    let mut marks = vec![Mark::New; graph.node.len()];
    let mut order = Vec::new();
    let mut stack: Vec<(usize, usize)> = index.get(output).map(|at| (*at, 0)).into_iter().collect();
    while let Some((at, next)) = stack.pop() {
        let Some(node) = graph.node.get(at) else { continue };
        if let Some(mark) = marks.get_mut(at) {
            *mark = Mark::Open;
        }
        let Some(input) = node.input.get(next) else {
            if let Some(mark) = marks.get_mut(at) {
                *mark = Mark::Done;
            }
            order.push(at);
            continue;
        };
        stack.push((at, next + 1));
        let name = source_name(input);
        let Some(from) = index.get(name).copied() else {
            return Err(PolicyError::MissingInput { node: node.name.clone(), input: input.clone() });
        };
        match marks.get(from) {
            Some(Mark::New) => stack.push((from, 0)),
            Some(Mark::Open) => return Err(PolicyError::Cycle { node: name.to_owned() }),
            _ => {}
        }
    }
    let mut nodes: Vec<Option<NodeDef>> = graph.node.into_iter().map(Some).collect();
    let kept: Vec<NodeDef> =
        order.into_iter().filter_map(|at| nodes.get_mut(at).and_then(Option::take)).collect();
    let sources = kept.iter().filter(|node| node.op == "Placeholder").map(|node| node.name.clone()).collect();
    Ok((kept, sources))
}

fn check(node: &NodeDef, limits: &GraphLimits) -> Result<(), PolicyError> {
    if !SUPPORTED.contains(&node.op.as_str()) && !ALSO_SUPPORTED.contains(&node.op.as_str()) {
        let mut supported: Vec<&str> = SUPPORTED.into_iter().chain(ALSO_SUPPORTED).collect();
        supported.sort_unstable();
        return Err(PolicyError::UnsupportedOp {
            node: node.name.clone(),
            op: node.op.clone(),
            supported: supported.join(", "),
        });
    }
    match node.op.as_str() {
        "Const" => check_constant(node, limits),
        "Conv2D" | "MaxPool" | "AvgPool" => check_strides(node),
        "Pack" if !matches!(attribute(node, "axis"), Some(Value::I(0..8))) => {
            // The library loops up to the axis.
            Err(bad(node, format!("axis {:?}", attribute(node, "axis")), "an axis of 0 to 7"))
        }
        "ConcatV2" | "Pack" | "MatMul" | "GatherV2" | "Add" | "AddV2" | "Reshape"
            if node.input.is_empty() =>
        {
            Err(bad(node, "reads nothing".to_owned(), "at least one input"))
        }
        _ => Ok(()),
    }
}

fn bad(node: &NodeDef, saw: String, wanted: impl Into<String>) -> PolicyError {
    PolicyError::BadNode { node: node.name.clone(), op: node.op.clone(), saw, wanted: wanted.into() }
}

fn attribute<'a>(node: &'a NodeDef, name: &str) -> Option<&'a Value> {
    node.attr.get(name)?.value.as_ref()
}

fn tensor(node: &NodeDef) -> Option<&TensorProto> {
    match attribute(node, "value")? {
        Value::Tensor(tensor) => Some(tensor),
        _ => None,
    }
}

/// Strides of zero would divide by zero far inside; layouts other than NHWC do not occur on a CPU export.
fn check_strides(node: &NodeDef) -> Result<(), PolicyError> {
    if let Some(Value::List(list)) = attribute(node, "strides")
        && (list.i.len() != 4 || list.i.iter().any(|stride| !(1..=64).contains(stride)))
    {
        return Err(bad(node, format!("strides {:?}", list.i), "four strides of 1 to 64"));
    }
    match attribute(node, "data_format") {
        Some(Value::S(format)) if format != b"NHWC" => {
            let saw = String::from_utf8_lossy(format).into_owned();
            Err(bad(node, format!("data_format {saw}"), "NHWC"))
        }
        _ => Ok(()),
    }
}

fn check_constant(node: &NodeDef, limits: &GraphLimits) -> Result<(), PolicyError> {
    let Some(tensor) = tensor(node) else {
        return Err(bad(node, "no value".to_owned(), "a tensor"));
    };
    let dims: Vec<i64> =
        tensor.tensor_shape.iter().flat_map(|shape| &shape.dim).map(|dim| dim.size).collect();
    let volume = dims
        .iter()
        .try_fold(1_usize, |volume, dim| usize::try_from(*dim).ok().and_then(|dim| volume.checked_mul(dim)));
    let Some(volume) = volume.filter(|_| dims.len() <= 8) else {
        return Err(bad(node, format!("shape {dims:?}"), "up to 8 dimensions of 0 or more"));
    };
    bound(&format!("elements in {:?}", node.name), volume, limits.max_elements)?;
    let width = match DataType::try_from(tensor.dtype) {
        Ok(DataType::DtFloat | DataType::DtInt32) => 4,
        Ok(DataType::DtDouble | DataType::DtInt64) => 8,
        other => return Err(bad(node, format!("element kind {other:?}"), "float, double, int32 or int64")),
    };
    let listed =
        tensor.float_val.len() + tensor.int_val.len() + tensor.int64_val.len() + tensor.double_val.len();
    let raw = tensor.tensor_content.len();
    // The library repeats a single listed value over the whole shape, as TensorFlow does.
    if !(raw == volume * width || (raw == 0 && (listed == volume || listed == 1))) {
        let saw = format!("{} elements for shape {dims:?}", if raw > 0 { raw / width } else { listed });
        return Err(bad(node, saw, format!("{volume}")));
    }
    if tensor.dtype == DataType::DtFloat as i32 { finite(node, tensor) } else { Ok(()) }
}

fn finite(node: &NodeDef, tensor: &TensorProto) -> Result<(), PolicyError> {
    let (words, _) = tensor.tensor_content.as_chunks::<4>();
    let raw = words.iter().map(|bytes| f32::from_le_bytes(*bytes));
    match raw.chain(tensor.float_val.iter().copied()).enumerate().find(|(_, value)| !value.is_finite()) {
        Some((index, saw)) => {
            Err(PolicyError::NonFiniteWeight { node: node.name.clone(), index, saw: f64::from(saw) })
        }
        None => Ok(()),
    }
}

fn check_placeholder(nodes: &[NodeDef], sensor: Sensor, name: &str) -> Result<(), PolicyError> {
    let Some(node) = nodes.iter().find(|node| node.name == name) else { return Ok(()) };
    if !matches!(attribute(node, "dtype"), Some(Value::Type(kind)) if *kind == DataType::DtFloat as i32) {
        return Err(bad(node, format!("{:?}", attribute(node, "dtype")), "dtype float"));
    }
    let Some(Value::Shape(shape)) = attribute(node, "shape") else { return Ok(()) };
    if shape.unknown_rank {
        return Ok(());
    }
    let saw: Vec<i64> = shape.dim.iter().map(|dim| dim.size).collect();
    let wanted = sensor.shape();
    let fits = |(saw, wanted): (&i64, &usize)| *saw == -1 || usize::try_from(*saw) == Ok(*wanted);
    if saw.len() == wanted.len() && saw.iter().zip(&wanted).all(fits) {
        return Ok(());
    }
    Err(PolicyError::InputShape { node: name.to_owned(), saw, wanted })
}

/// Moves the constant axis of `ConcatV2` and `GatherV2` from their last input into an attribute. The library casts
/// a negative axis to an unsigned number and loops practically for ever; ours resolve it by rank.
fn fold_axes(nodes: &mut [NodeDef]) -> Result<(), PolicyError> {
    let constants: HashMap<String, i64> = nodes
        .iter()
        .filter(|node| node.op == "Const")
        .filter_map(|node| Some((node.name.clone(), integer(tensor(node)?)?)))
        .collect();
    for node in nodes.iter_mut().filter(|node| matches!(node.op.as_str(), "ConcatV2" | "GatherV2")) {
        let axis = node.input.pop().and_then(|input| constants.get(source_name(&input)).copied());
        let Some(axis) = axis.filter(|axis| (-8..8).contains(axis)) else {
            return Err(bad(
                node,
                "an axis that is not a small constant".to_owned(),
                "a constant axis of -8 to 7",
            ));
        };
        let batched = matches!(attribute(node, "batch_dims"), Some(Value::I(dims)) if *dims != 0);
        if batched || node.input.is_empty() || (node.op == "GatherV2" && node.input.len() != 2) {
            return Err(bad(
                node,
                format!("{} inputs, batch_dims {batched}", node.input.len()),
                "plain inputs",
            ));
        }
        node.attr.insert(AXIS.to_owned(), axis.into());
    }
    Ok(())
}

/// The value of a constant that holds one integer.
fn integer(tensor: &TensorProto) -> Option<i64> {
    match (tensor.tensor_content.as_slice(), tensor.int_val.as_slice(), tensor.int64_val.as_slice()) {
        ([a, b, c, d], ..) => Some(i64::from(i32::from_le_bytes([*a, *b, *c, *d]))),
        ([], [one], _) => Some(i64::from(*one)),
        ([], [], [one]) => Some(*one),
        _ => None,
    }
}

/// Three operators of ours over the library's (tract.md): an identity that it lacks, and two with a folded axis.
fn overrides(register: &mut TfOpRegister) {
    register
        .insert("StopGradient", |_, _| Ok(Box::new(tract_tensorflow::tract_hir::ops::identity::Identity)));
    register.insert("ConcatV2", |_, node| Ok(expand(Concat::new(node.get_attr_int(AXIS)?))));
    register.insert("GatherV2", |_, node| Ok(expand(Gather::new(node.get_attr_int(AXIS)?))));
}

fn translate(
    graph: &GraphDef,
    inputs: &[(Sensor, String)],
    output: &str,
    want: &Expectation<'_>,
) -> Result<(Typed, crate::domain::NetworkFacts), PolicyError> {
    let mut reader = tensorflow();
    overrides(&mut reader.op_register);
    let mut model = reader
        .model_for_proto_model(graph)
        .map_err(|error| PolicyError::library("reading the TensorFlow graph", error))?;
    let wire = |error| PolicyError::library("wiring inputs and output", error);
    model.set_input_names(inputs.iter().map(|(_, name)| name)).map_err(wire)?;
    model.select_outputs_by_name([output]).map_err(wire)?;
    let slots = inputs
        .iter()
        .map(|(sensor, _)| Slot { sensor: *sensor, layout: Layout::ChannelsLast, shape: sensor.shape() })
        .collect();
    Typed::new(model, slots, want.outputs)
}
