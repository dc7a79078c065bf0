//! Networks written down operator by operator, as ONNX, with seeded weights.

use prost::Message;
use tract_onnx::pb::attribute_proto::AttributeType;
use tract_onnx::pb::tensor_proto::DataType;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::type_proto::{self, Tensor};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto,
    TypeProto, ValueInfoProto,
};

/// A network that grows at its end.
#[derive(Default)]
pub(crate) struct Graph {
    proto: GraphProto,
    seed: u32,
}

/// Numbers around zero, at most `reach` from it.
fn numbers(count: usize, reach: f32, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0) * reach
    };
    (0..count).map(|_| next()).collect()
}

/// The reach that keeps activations alive for `fan` inputs.
fn reach(fan: usize) -> f32 {
    (6.0 / f32::from(u16::try_from(fan.min(60_000)).unwrap())).sqrt()
}

fn list(name: &str, ints: &[i64]) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Ints as i32,
        ints: ints.to_vec(),
        ..AttributeProto::default()
    }
}

fn int(name: &str, i: i64) -> AttributeProto {
    AttributeProto {
        name: name.to_owned(),
        r#type: AttributeType::Int as i32,
        i,
        ..AttributeProto::default()
    }
}

fn wide(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|dim| i64::try_from(*dim).unwrap()).collect()
}

fn value(name: &str, dims: &[usize]) -> ValueInfoProto {
    let dim = |size| Dimension { value: Some(dimension::Value::DimValue(size)), ..Dimension::default() };
    let shape = TensorShapeProto { dim: wide(dims).into_iter().map(dim).collect() };
    let tensor = Tensor { elem_type: DataType::Float as i32, shape: Some(shape) };
    let kind = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..TypeProto::default() };
    ValueInfoProto { name: name.to_owned(), r#type: Some(kind), ..ValueInfoProto::default() }
}

impl Graph {
    pub(crate) fn new(seed: u32) -> Self {
        Self { seed, ..Self::default() }
    }

    /// An input; its name says which sensor.
    pub(crate) fn input(&mut self, name: &str, dims: &[usize]) -> String {
        self.proto.input.push(value(name, dims));
        name.to_owned()
    }

    fn constant(&mut self, data_type: DataType, dims: &[usize], raw_data: Vec<u8>) -> String {
        let name = format!("constant{}", self.proto.initializer.len());
        self.proto.initializer.push(TensorProto {
            name: name.clone(),
            dims: wide(dims),
            data_type: data_type as i32,
            raw_data,
            ..TensorProto::default()
        });
        name
    }

    pub(crate) fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        self.constant(DataType::Float, dims, values.iter().flat_map(|x| x.to_le_bytes()).collect())
    }

    /// Seeded weights.
    pub(crate) fn weights(&mut self, dims: &[usize], fan: usize) -> String {
        self.seed += 1;
        let values = numbers(dims.iter().product(), reach(fan), self.seed);
        self.floats(dims, &values)
    }

    pub(crate) fn add(&mut self, op: &str, inputs: &[&str], attribute: Vec<AttributeProto>) -> String {
        let name = format!("{}{}", op.to_lowercase(), self.proto.node.len());
        self.proto.node.push(NodeProto {
            name: name.clone(),
            op_type: op.to_owned(),
            input: inputs.iter().map(|input| (*input).to_owned()).collect(),
            output: vec![name.clone()],
            attribute,
            ..NodeProto::default()
        });
        name
    }

    pub(crate) fn op(&mut self, op: &str, input: &str) -> String {
        self.add(op, &[input], Vec::new())
    }

    /// A camera of 120 x 160, channels first, its grey values brought to 0..1.
    pub(crate) fn camera(&mut self, name: &str, channels: usize) -> String {
        let input = self.input(name, &[1, channels, 120, 160]);
        let white = self.floats(&[], &[255.0]);
        self.add("Div", &[&input, &white], Vec::new())
    }

    /// Weights and biases of your own: `[to, from, kernel, kernel]`, square, `pad` on each side.
    pub(crate) fn conv_of(
        &mut self,
        input: &str,
        weights: &str,
        bias: &str,
        at: (usize, usize, usize),
    ) -> String {
        let (kernel, stride, pad) = at;
        let attributes = vec![
            list("kernel_shape", &wide(&[kernel, kernel])),
            list("strides", &wide(&[stride, stride])),
            list("pads", &wide(&[pad; 4])),
        ];
        self.add("Conv", &[input, weights, bias], attributes)
    }

    /// A convolution `(kernel, stride, pad)` with seeded weights.
    pub(crate) fn conv(
        &mut self,
        input: &str,
        (from, to): (usize, usize),
        at: (usize, usize, usize),
    ) -> String {
        let fan = from * at.0 * at.0;
        let weights = self.weights(&[to, from, at.0, at.0], fan);
        let bias = self.weights(&[to], 100);
        self.conv_of(input, &weights, &bias, at)
    }

    pub(crate) fn flatten(&mut self, input: &str) -> String {
        self.add("Flatten", &[input], vec![int("axis", 1)])
    }

    /// Channels last, then one after the other: as AWS's training flattens.
    pub(crate) fn flatten_last(&mut self, input: &str) -> String {
        let last = self.add("Transpose", &[input], vec![list("perm", &[0, 2, 3, 1])]);
        self.flatten(&last)
    }

    pub(crate) fn pool(&mut self, input: &str) -> String {
        self.add("MaxPool", &[input], vec![list("kernel_shape", &[2, 2]), list("strides", &[2, 2])])
    }

    pub(crate) fn join(&mut self, inputs: &[&str]) -> String {
        self.add("Concat", inputs, vec![int("axis", 1)])
    }

    /// `input * weights + bias` with weights of your own, `[from, to]`.
    pub(crate) fn dense_of(&mut self, input: &str, weights: &str, bias: &str) -> String {
        let product = self.add("MatMul", &[input, weights], Vec::new());
        self.add("Add", &[&product, bias], Vec::new())
    }

    pub(crate) fn dense(&mut self, input: &str, (from, to): (usize, usize)) -> String {
        let weights = self.weights(&[from, to], from);
        let bias = self.weights(&[to], 100);
        self.dense_of(input, &weights, &bias)
    }

    /// The file, with a softmax at the end or without.
    pub(crate) fn finish(mut self, last: &str, outputs: usize, softmax: bool) -> Vec<u8> {
        let last = if softmax { self.op("Softmax", last) } else { last.to_owned() };
        "policy".clone_into(&mut self.proto.name);
        self.proto.output.push(value(&last, &[1, outputs]));
        let opset = OperatorSetIdProto { version: 13, ..OperatorSetIdProto::default() };
        let graph = Some(self.proto);
        ModelProto { ir_version: 8, opset_import: vec![opset], graph, ..ModelProto::default() }
            .encode_to_vec()
    }
}
