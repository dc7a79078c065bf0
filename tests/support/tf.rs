//! Builds frozen TensorFlow graphs by hand, in AWS's dialect: for the bundled model and for hostile ones.

use std::collections::HashMap;

use prost::Message;
use tract_tensorflow::tfpb::tensorflow::attr_value::{ListValue, Value};
use tract_tensorflow::tfpb::tensorflow::tensor_shape_proto::Dim;
use tract_tensorflow::tfpb::tensorflow::{AttrValue, DataType, NodeDef, TensorProto, TensorShapeProto};

/// The name of the camera's placeholder in an AWS export.
pub(crate) const CAMERA: &str =
    "main_level/agent/main/online/network_0/FRONT_FACING_CAMERA/FRONT_FACING_CAMERA";
/// The name of the policy's output in an AWS export.
pub(crate) const POLICY: &str = "main_level/agent/main/online/network_1/ppo_head_0/policy";

fn attr(value: Value) -> AttrValue {
    AttrValue { value: Some(value) }
}

fn shape(dims: &[i64]) -> TensorShapeProto {
    let dim = dims.iter().map(|size| Dim { size: *size, name: String::new() }).collect();
    TensorShapeProto { dim, unknown_rank: false }
}

fn empty() -> TensorProto {
    TensorProto::default()
}

/// Any operator.
pub(crate) fn node(name: &str, op: &str, inputs: &[&str]) -> NodeDef {
    let mut made = NodeDef {
        name: name.to_owned(),
        op: op.to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        device: String::new(),
        attr: HashMap::from([("T".to_owned(), attr(Value::Type(DataType::DtFloat as i32)))]),
    };
    if op == "Pack" {
        made.attr.insert("axis".to_owned(), attr(Value::I(0)));
    }
    if op == "Prod" {
        made.attr.insert("keep_dims".to_owned(), attr(Value::B(false)));
        made.attr.insert("T".to_owned(), attr(Value::Type(DataType::DtInt32 as i32)));
        made.attr.insert("Tidx".to_owned(), attr(Value::Type(DataType::DtInt32 as i32)));
    }
    if op == "Transpose" {
        made.attr.insert("Tperm".to_owned(), attr(Value::Type(DataType::DtInt32 as i32)));
    }
    if op == "MatMul" {
        made.attr.insert("transpose_a".to_owned(), attr(Value::B(false)));
        made.attr.insert("transpose_b".to_owned(), attr(Value::B(false)));
    }
    made
}

/// A `float` placeholder.
pub(crate) fn placeholder(name: &str, dims: &[i64]) -> NodeDef {
    let mut made = node(name, "Placeholder", &[]);
    made.attr.insert("dtype".to_owned(), attr(Value::Type(DataType::DtFloat as i32)));
    made.attr.insert("shape".to_owned(), attr(Value::Shape(shape(dims))));
    made
}

fn constant(name: &str, dtype: DataType, tensor: TensorProto) -> NodeDef {
    let mut made = node(name, "Const", &[]);
    made.attr.insert("dtype".to_owned(), attr(Value::Type(dtype as i32)));
    made.attr.insert("value".to_owned(), attr(Value::Tensor(TensorProto { dtype: dtype as i32, ..tensor })));
    made
}

/// A `float` constant; its values need not fit its shape.
pub(crate) fn floats(name: &str, dims: &[i64], values: &[f32]) -> NodeDef {
    let tensor_content = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    constant(
        name,
        DataType::DtFloat,
        TensorProto { tensor_shape: Some(shape(dims)), tensor_content, ..empty() },
    )
}

/// An `int32` constant: a scalar for one value without dims.
pub(crate) fn ints(name: &str, dims: &[i64], values: &[i32]) -> NodeDef {
    let tensor_content = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    constant(
        name,
        DataType::DtInt32,
        TensorProto { tensor_shape: Some(shape(dims)), tensor_content, ..empty() },
    )
}

/// A convolution, NHWC, no padding.
pub(crate) fn conv(name: &str, inputs: &[&str], stride: i64) -> NodeDef {
    let mut made = node(name, "Conv2D", inputs);
    let strides = ListValue { i: vec![1, stride, stride, 1], ..ListValue::default() };
    let dilations = ListValue { i: vec![1, 1, 1, 1], ..ListValue::default() };
    made.attr.insert("strides".to_owned(), attr(Value::List(strides)));
    made.attr.insert("dilations".to_owned(), attr(Value::List(dilations)));
    made.attr.insert("padding".to_owned(), attr(Value::S(b"VALID".to_vec())));
    made.attr.insert("data_format".to_owned(), attr(Value::S(b"NHWC".to_vec())));
    made
}

/// The first element of a vector: what the dynamic flatten takes from a shape.
pub(crate) fn first_of(name: &str, vector: &str) -> Vec<NodeDef> {
    let part = |tail: &str| format!("{name}/{tail}");
    let mut slice = node(name, "StridedSlice", &[vector, &part("stack"), &part("stack_1"), &part("stack_2")]);
    for (mask, value) in [
        ("begin_mask", 0),
        ("end_mask", 0),
        ("ellipsis_mask", 0),
        ("new_axis_mask", 0),
        ("shrink_axis_mask", 1),
    ] {
        slice.attr.insert(mask.to_owned(), attr(Value::I(value)));
    }
    vec![
        ints(&part("stack"), &[1], &[0]),
        ints(&part("stack_1"), &[1], &[1]),
        ints(&part("stack_2"), &[1], &[1]),
        slice,
    ]
}

/// The file. Attributes are sorted, since the library's map writes them in another order every time.
pub(crate) fn graph(nodes: Vec<NodeDef>) -> Vec<u8> {
    let mut file = Vec::new();
    for mut node in nodes {
        let mut attributes: Vec<(String, AttrValue)> = node.attr.drain().collect();
        attributes.sort_by(|a, b| a.0.cmp(&b.0));
        let mut bytes = node.encode_to_vec();
        for (name, value) in attributes {
            let mut entry = Vec::new();
            prost::encoding::string::encode(1, &name, &mut entry);
            prost::encoding::message::encode(2, &value, &mut entry);
            prost::encoding::bytes::encode(5, &entry, &mut bytes);
        }
        prost::encoding::bytes::encode(1, &bytes, &mut file);
    }
    file
}

/// The smallest policy: 8x8 means of the picture, one dense layer, softmax. Without sensors named otherwise it
/// reads [`CAMERA`] and answers at [`POLICY`]. `kernel` is `[8, 8, 1, 1]`, `dense` is `[300, actions]`.
pub(crate) fn small(kernel: &[f32], bias: f32, dense: &[f32], dense_bias: &[f32]) -> Vec<NodeDef> {
    let prefix = "main_level/agent/main/online/network_1";
    let n = |tail: &str| format!("{prefix}/{tail}");
    let actions = i64::try_from(dense_bias.len()).unwrap();
    vec![
        placeholder(CAMERA, &[-1, 120, 160, 1]),
        floats(&n("truediv/y"), &[], &[255.0]),
        node(&n("truediv"), "RealDiv", &[CAMERA, &n("truediv/y")]),
        floats(&n("Conv2d_0/kernel"), &[8, 8, 1, 1], kernel),
        node(&n("Conv2d_0/kernel/read"), "Identity", &[&n("Conv2d_0/kernel")]),
        floats(&n("Conv2d_0/bias"), &[1], &[bias]),
        conv(&n("Conv2d_0/Conv2D"), &[&n("truediv"), &n("Conv2d_0/kernel/read")], 8),
        node(&n("Conv2d_0/BiasAdd"), "BiasAdd", &[&n("Conv2d_0/Conv2D"), &n("Conv2d_0/bias")]),
        node(&n("activation"), "Relu", &[&n("Conv2d_0/BiasAdd")]),
        ints(&n("flatten/Const"), &[2], &[-1, 300]),
        node(&n("flatten/Reshape"), "Reshape", &[&n("activation"), &n("flatten/Const")]),
        floats(&n("ppo_head_0/policy_fc/kernel"), &[300, actions], dense),
        floats(&n("ppo_head_0/policy_fc/bias"), &[actions], dense_bias),
        node(
            &n("ppo_head_0/policy_fc/MatMul"),
            "MatMul",
            &[&n("flatten/Reshape"), &n("ppo_head_0/policy_fc/kernel")],
        ),
        node(
            &n("ppo_head_0/policy_fc/BiasAdd"),
            "BiasAdd",
            &[&n("ppo_head_0/policy_fc/MatMul"), &n("ppo_head_0/policy_fc/bias")],
        ),
        node(POLICY, "Softmax", &[&n("ppo_head_0/policy_fc/BiasAdd")]),
    ]
}

/// A small policy whose weights do not matter.
pub(crate) fn any_small(actions: usize) -> Vec<NodeDef> {
    small(&[1.0 / 64.0; 64], 0.0, &vec![0.01; 300 * actions], &vec![0.0; actions])
}
