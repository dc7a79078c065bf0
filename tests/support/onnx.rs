//! A small policy as somebody else might export it: ONNX.

use prost::Message;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{self, Tensor};
use tract_onnx::pb::{
    GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto,
};

fn tensor(name: &str, dims: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.to_owned(),
        dims: dims.iter().map(|dim| i64::try_from(*dim).unwrap()).collect(),
        data_type: DataType::Float as i32,
        raw_data: values.iter().flat_map(|value| value.to_le_bytes()).collect(),
        ..TensorProto::default()
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfoProto {
    let dim =
        |size: &i64| Dimension { value: Some(dimension::Value::DimValue(*size)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: dims.iter().map(dim).collect() };
    let tensor = Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..TypeProto::default()
        }),
        ..ValueInfoProto::default()
    }
}

fn operator(op: &str, inputs: &[&str], output: &str) -> NodeProto {
    NodeProto {
        name: output.to_owned(),
        op_type: op.to_owned(),
        input: inputs.iter().map(|input| (*input).to_owned()).collect(),
        output: vec![output.to_owned()],
        ..NodeProto::default()
    }
}

/// The head alone, as somebody else might export it: channels first, one input of any name.
pub(crate) fn policy(input: &str, dims: &[i64], head: &[f32]) -> Vec<u8> {
    let graph = GraphProto {
        name: "policy".to_owned(),
        node: vec![
            operator("Div", &[input, "white"], "share"),
            operator("Flatten", &["share"], "flat"),
            operator("MatMul", &["flat", "head"], "logits"),
            operator("Softmax", &["logits"], "probabilities"),
        ],
        initializer: vec![tensor("white", &[], &[255.0]), tensor("head", &[19200, 3], head)],
        input: vec![value(input, dims)],
        output: vec![value("probabilities", &[1, 3])],
        ..GraphProto::default()
    };
    let opset = OperatorSetIdProto { version: 13, ..OperatorSetIdProto::default() };
    ModelProto { ir_version: 8, opset_import: vec![opset], graph: Some(graph), ..ModelProto::default() }
        .encode_to_vec()
}
