//! The networks that AWS's training exports, in full size and with seeded weights (training.md §1.1).

use crate::tf::{CAMERA, conv, floats, graph, ints, node, placeholder};
use tract_tensorflow::tfpb::tensorflow::NodeDef;

const PREFIX: &str = "main_level/agent/main/online/network_1";

/// What distinguishes one network from the next.
pub(crate) struct Shape<'a> {
    /// The camera's tensor and its channels.
    pub(crate) input: (&'a str, usize),
    /// Filters, kernel, stride.
    pub(crate) convolutions: &'a [(usize, usize, i64)],
    /// Dense layers per location, before the picture is flattened.
    pub(crate) embedder: &'a [usize],
    /// Values after flattening.
    pub(crate) flat: usize,
    /// Dense layers after it.
    pub(crate) middleware: &'a [usize],
    /// The head.
    pub(crate) outputs: usize,
    /// Probabilities, or means.
    pub(crate) softmax: bool,
    /// The output's name.
    pub(crate) output: &'a str,
}

/// `DEEP_CONVOLUTIONAL_NETWORK_SHALLOW`.
pub(crate) const SHALLOW: Shape<'static> = Shape {
    input: (CAMERA, 1),
    convolutions: &[(32, 8, 4), (64, 4, 2), (64, 3, 1)],
    embedder: &[],
    flat: 11_264,
    middleware: &[512],
    outputs: 5,
    softmax: true,
    output: crate::tf::POLICY,
};

/// `DEEP_CONVOLUTIONAL_NETWORK`.
pub(crate) const DEEP: Shape<'static> = Shape {
    convolutions: &[(32, 5, 2), (32, 3, 1), (64, 3, 2), (64, 3, 1)],
    embedder: &[64],
    flat: 56_000,
    ..SHALLOW
};

/// `DEEP_CONVOLUTIONAL_NETWORK_DEEP`.
pub(crate) const DEEP_DEEP: Shape<'static> = Shape {
    convolutions: &[(32, 8, 4), (32, 4, 2), (64, 4, 2), (64, 3, 1)],
    embedder: &[512, 512],
    flat: 9_216,
    middleware: &[256, 128],
    ..SHALLOW
};

/// Numbers around zero, in the range that keeps activations alive for `fan` inputs.
fn weights(count: usize, fan: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let reach = (6.0 / f32::from(u16::try_from(fan.min(60_000)).unwrap())).sqrt();
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0) * reach
    };
    (0..count).map(|_| next()).collect()
}

fn dims(sizes: &[usize]) -> Vec<i64> {
    sizes.iter().map(|size| i64::try_from(*size).unwrap()).collect()
}

/// Dense on a 4-D tensor, as Keras writes it: Tensordot.
pub(crate) fn dense_per_location(name: &str, input: &str, kernel: &[f32], bias: &[f32]) -> Vec<NodeDef> {
    let n = |tail: &str| format!("{name}/{tail}");
    let t = |tail: &str| format!("{name}/Tensordot/{tail}");
    let units = bias.len();
    vec![
        floats(&n("kernel"), &dims(&[kernel.len() / units, units]), kernel),
        floats(&n("bias"), &dims(&[units]), bias),
        node(&t("ReadVariableOp"), "Identity", &[&n("kernel")]),
        ints(&t("axes"), &[1], &[3]),
        ints(&t("free"), &[3], &[0, 1, 2]),
        node(&t("Shape"), "Shape", &[input]),
        ints(&t("GatherV2/axis"), &[], &[0]),
        node(&t("GatherV2"), "GatherV2", &[&t("Shape"), &t("free"), &t("GatherV2/axis")]),
        ints(&t("GatherV2_1/axis"), &[], &[0]),
        node(&t("GatherV2_1"), "GatherV2", &[&t("Shape"), &t("axes"), &t("GatherV2_1/axis")]),
        ints(&t("Const"), &[1], &[0]),
        node(&t("Prod"), "Prod", &[&t("GatherV2"), &t("Const")]),
        ints(&t("Const_1"), &[1], &[0]),
        node(&t("Prod_1"), "Prod", &[&t("GatherV2_1"), &t("Const_1")]),
        ints(&t("concat/axis"), &[], &[0]),
        node(&t("concat"), "ConcatV2", &[&t("free"), &t("axes"), &t("concat/axis")]),
        node(&t("stack"), "Pack", &[&t("Prod"), &t("Prod_1")]),
        node(&t("transpose"), "Transpose", &[input, &t("concat")]),
        node(&t("Reshape"), "Reshape", &[&t("transpose"), &t("stack")]),
        node(&t("MatMul"), "MatMul", &[&t("Reshape"), &t("ReadVariableOp")]),
        ints(&t("Const_2"), &[1], &[i32::try_from(units).unwrap()]),
        ints(&t("concat_1/axis"), &[], &[0]),
        node(&t("concat_1"), "ConcatV2", &[&t("GatherV2"), &t("Const_2"), &t("concat_1/axis")]),
        node(name, "Reshape", &[&t("MatMul"), &t("concat_1")]),
        node(&n("BiasAdd"), "BiasAdd", &[name, &n("bias")]),
        node(&n("Relu"), "Relu", &[&n("BiasAdd")]),
    ]
}

fn dense(name: &str, input: &str, from: usize, units: usize, seed: u32) -> Vec<NodeDef> {
    let n = |tail: &str| format!("{name}/{tail}");
    vec![
        floats(&n("kernel"), &dims(&[from, units]), &weights(from * units, from, seed)),
        floats(&n("bias"), &dims(&[units]), &weights(units, 100, seed + 1)),
        node(&n("MatMul"), "MatMul", &[input, &n("kernel")]),
        node(&n("BiasAdd"), "BiasAdd", &[&n("MatMul"), &n("bias")]),
    ]
}

/// The file of a network.
pub(crate) fn network(shape: &Shape<'_>) -> Vec<u8> {
    let n = |tail: &str| format!("{PREFIX}/{tail}");
    let (input, channels) = shape.input;
    let mut nodes = vec![
        placeholder(input, &[-1, 120, 160, i64::try_from(channels).unwrap()]),
        floats(&n("truediv/y"), &[], &[255.0]),
        node(&n("truediv"), "RealDiv", &[input, &n("truediv/y")]),
    ];
    let (mut last, mut width, mut seed) = (n("truediv"), channels, 1);
    for (at, (filters, kernel, stride)) in shape.convolutions.iter().enumerate() {
        let c = |tail: &str| n(&format!("Conv2d_{at}/{tail}"));
        let fan = kernel * kernel * width;
        nodes.push(floats(
            &c("kernel"),
            &dims(&[*kernel, *kernel, width, *filters]),
            &weights(fan * filters, fan, seed),
        ));
        nodes.push(floats(&c("bias"), &dims(&[*filters]), &weights(*filters, 100, seed + 1)));
        nodes.push(conv(&c("Conv2D"), &[&last, &c("kernel")], *stride));
        nodes.push(node(&c("BiasAdd"), "BiasAdd", &[&c("Conv2D"), &c("bias")]));
        nodes.push(node(&c("Relu"), "Relu", &[&c("BiasAdd")]));
        (last, width, seed) = (c("Relu"), *filters, seed + 2);
    }
    for (at, units) in shape.embedder.iter().enumerate() {
        let name = n(&format!("Dense_{at}"));
        nodes.extend(dense_per_location(
            &name,
            &last,
            &weights(width * units, width, seed),
            &weights(*units, 100, seed + 1),
        ));
        (last, width, seed) = (format!("{name}/Relu"), *units, seed + 2);
    }
    nodes.push(ints(&n("flatten/Const"), &[2], &[-1, i32::try_from(shape.flat).unwrap()]));
    nodes.push(node(&n("flatten"), "Reshape", &[&last, &n("flatten/Const")]));
    (last, width) = (n("flatten"), shape.flat);
    for (at, units) in shape.middleware.iter().enumerate() {
        let name = n(&format!("middleware/Dense_{at}"));
        nodes.extend(dense(&name, &last, width, *units, seed));
        nodes.push(node(&format!("{name}/Relu"), "Relu", &[&format!("{name}/BiasAdd")]));
        (last, width, seed) = (format!("{name}/Relu"), *units, seed + 2);
    }
    let head = n("ppo_head_0/policy_fc");
    nodes.extend(dense(&head, &last, width, shape.outputs, seed));
    let kind = if shape.softmax { "Softmax" } else { "Identity" };
    nodes.push(node(shape.output, kind, &[&format!("{head}/BiasAdd")]));
    graph(nodes)
}
