//! The structures that AWS's exports have and `../shared/data` may lack, built by hand in their dialect and compared
//! with a plain computation: Dense per location (`..._DEEP`, `DEEP_CONVOLUTIONAL_NETWORK`), the dynamic flatten of
//! TF 1.11, the identity rescaler with `StopGradient`; and a policy from elsewhere as ONNX.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/aws.rs"]
mod aws;
#[path = "support/onnx.rs"]
mod onnx;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use aws::dense_per_location;
use hairpin::domain::{Observation, Recipe, Sensor};
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Policy, build, witness};
use tf::{CAMERA, POLICY, conv, first_of, floats, graph, ints, node, placeholder};

const FILTERS: usize = 3;
const UNITS: usize = 4;
const ACTIONS: usize = 5;
const CELLS: usize = 300;

/// Small numbers that look random and are the same every time.
fn weights(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0
    };
    (0..count).map(|_| next() / 8.0).collect()
}

struct Weights {
    kernel: Vec<f32>,
    kernel_bias: Vec<f32>,
    dense: Vec<f32>,
    dense_bias: Vec<f32>,
    head: Vec<f32>,
}

fn all_weights() -> Weights {
    Weights {
        kernel: weights(64 * FILTERS, 1),
        kernel_bias: weights(FILTERS, 2),
        dense: weights(FILTERS * UNITS, 3),
        dense_bias: weights(UNITS, 4),
        head: weights(CELLS * UNITS * ACTIONS, 5),
    }
}

fn recipe() -> Recipe {
    Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() }
}

/// The network by plain loops, in double precision.
fn expected(weights: &Weights, picture: &[f32]) -> Vec<f64> {
    let mut flat = Vec::new();
    for row in 0..15 {
        for column in 0..20 {
            let mut cell = Vec::new();
            for filter in 0..FILTERS {
                let mut sum = f64::from(weights.kernel_bias[filter]);
                for y in 0..8 {
                    for x in 0..8 {
                        let grey = f64::from(picture[(row * 8 + y) * 160 + column * 8 + x]) / 255.0;
                        sum += grey * f64::from(weights.kernel[(y * 8 + x) * FILTERS + filter]);
                    }
                }
                cell.push(sum.max(0.0));
            }
            for unit in 0..UNITS {
                let dot = |filter: usize| cell[filter] * f64::from(weights.dense[filter * UNITS + unit]);
                let sum: f64 = (0..FILTERS).map(dot).sum();
                flat.push((sum + f64::from(weights.dense_bias[unit])).max(0.0));
            }
        }
    }
    let score = |action: usize| -> f64 {
        flat.iter()
            .enumerate()
            .map(|(at, value)| value * f64::from(weights.head[at * ACTIONS + action]))
            .sum()
    };
    let scores: Vec<f64> = (0..ACTIONS).map(score).collect();
    let top = scores.iter().copied().fold(f64::MIN, f64::max);
    let total: f64 = scores.iter().map(|score| (score - top).exp()).sum();
    scores.iter().map(|score| (score - top).exp() / total).collect()
}

/// The whole network, with TF 1.11's dynamic flatten and the rescaler that is an identity.
fn tensorflow(weights: &Weights) -> Vec<u8> {
    let n = |tail: &str| format!("main_level/agent/main/online/network_1/{tail}");
    let filters = i64::try_from(FILTERS).unwrap();
    let mut nodes = vec![
        placeholder(CAMERA, &[-1, 120, 160, 1]),
        floats(&n("truediv/y"), &[], &[255.0]),
        node(&n("truediv"), "RealDiv", &[CAMERA, &n("truediv/y")]),
        floats(&n("kernel"), &[8, 8, 1, filters], &weights.kernel),
        floats(&n("bias"), &[filters], &weights.kernel_bias),
        conv(&n("Conv2D"), &[&n("truediv"), &n("kernel")], 8),
        node(&n("BiasAdd"), "BiasAdd", &[&n("Conv2D"), &n("bias")]),
        node(&n("Relu"), "Relu", &[&n("BiasAdd")]),
    ];
    nodes.extend(dense_per_location(&n("Dense_1"), &n("Relu"), &weights.dense, &weights.dense_bias));
    nodes.push(node(&n("flatten/Shape"), "Shape", &[&n("Dense_1/Relu")]));
    nodes.extend(first_of(&n("flatten/strided_slice"), &n("flatten/Shape")));
    nodes.extend([
        ints(&n("flatten/shape/1"), &[], &[-1]),
        node(&n("flatten/shape"), "Pack", &[&n("flatten/strided_slice"), &n("flatten/shape/1")]),
        node(&n("flatten"), "Reshape", &[&n("Dense_1/Relu"), &n("flatten/shape")]),
        floats(&n("rescaler"), &[], &[1.0]),
        floats(&n("sub/x"), &[], &[1.0]),
        node(&n("sub"), "Sub", &[&n("sub/x"), &n("rescaler")]),
        node(&n("StopGradient/input"), "Pack", &[&n("flatten")]),
        node(&n("StopGradient"), "StopGradient", &[&n("StopGradient/input")]),
        node(&n("mul"), "Mul", &[&n("sub"), &n("StopGradient")]),
        node(&n("mul_1/y"), "Pack", &[&n("flatten")]),
        node(&n("mul_1"), "Mul", &[&n("rescaler"), &n("mul_1/y")]),
        node(&n("add"), "Add", &[&n("mul"), &n("mul_1")]),
    ]);
    nodes.extend(first_of(&n("ppo_head_0/strided_slice"), &n("add")));
    let flat = i64::try_from(CELLS * UNITS).unwrap();
    nodes.extend([
        floats(&n("head"), &[flat, i64::try_from(ACTIONS).unwrap()], &weights.head),
        node(&n("MatMul"), "MatMul", &[&n("ppo_head_0/strided_slice"), &n("head")]),
        node(POLICY, "Softmax", &[&n("MatMul")]),
    ]);
    // A second leaf, as a value head leaves behind; it is dropped.
    nodes.push(node(
        "main_level/agent/main/online/network_0/v_values_head_0/output",
        "Relu",
        &[&n("flatten")],
    ));
    graph(nodes)
}

fn compare(kind: NetworkKind, bytes: &[u8], weights: &Weights) {
    let recipe = recipe();
    let want = Expectation {
        sensors: &recipe.sensors,
        outputs: ACTIONS,
        output: None,
        limits: GraphLimits::default(),
    };
    let mut built = build(kind, bytes, &want).unwrap();
    for seed in [1, 7, 99] {
        let observation: Observation = witness::observation(seed, &recipe);
        let scores = built.plan.infer(&observation).unwrap();
        let wanted = expected(weights, &observation.camera);
        for (saw, wanted) in scores.values().iter().zip(&wanted) {
            assert!((f64::from(*saw) - wanted).abs() < 1e-5, "{:?} against {wanted:?}", scores.values());
        }
    }
    let counted = 64 * FILTERS + FILTERS + FILTERS * UNITS + UNITS + CELLS * UNITS * ACTIONS;
    assert_eq!(built.facts.parameters, counted as u64);
}

#[test]
fn dense_per_location_dynamic_flatten_and_rescaler() {
    let weights = all_weights();
    compare(NetworkKind::FrozenTensorflow, &tensorflow(&weights), &weights);
}

#[test]
fn onnx_in_either_layout_with_an_input_of_any_name() {
    let head = weights(19200 * 3, 11);
    let recipe = recipe();
    let want =
        Expectation { sensors: &recipe.sensors, outputs: 3, output: None, limits: GraphLimits::default() };
    for (name, dims) in
        [("obs_0", [1, 1, 120, 160]), ("FRONT_FACING_CAMERA", [1, 120, 160, 1]), ("x", [-1, 1, 120, 160])]
    {
        let mut built = build(NetworkKind::Onnx, &onnx::policy(name, &dims, &head), &want).unwrap();
        let observation = witness::observation(5, &recipe);
        let scores = built.plan.infer(&observation).unwrap();
        let score = |action: usize| -> f64 {
            let all = observation.camera.iter().enumerate();
            all.map(|(at, grey)| f64::from(*grey) / 255.0 * f64::from(head[at * 3 + action])).sum()
        };
        let raw: Vec<f64> = (0..3).map(score).collect();
        let top = raw.iter().copied().fold(f64::MIN, f64::max);
        let total: f64 = raw.iter().map(|score| (score - top).exp()).sum();
        for (saw, raw) in scores.values().iter().zip(&raw) {
            assert!((f64::from(*saw) - (raw - top).exp() / total).abs() < 1e-4);
        }
    }
    let wrong = build(NetworkKind::Onnx, &onnx::policy("x", &[1, 3, 120, 160], &head), &want)
        .unwrap_err()
        .to_string();
    assert_eq!(wrong, "network input \"x\" has shape [1, 3, 120, 160], wanted [1, 120, 160, 1]");
    let mut poisoned = head.clone();
    poisoned[77] = f32::INFINITY;
    let wrong = build(NetworkKind::Onnx, &onnx::policy("x", &[1, 1, 120, 160], &poisoned), &want)
        .unwrap_err()
        .to_string();
    assert_eq!(wrong, "weight 77 of \"head\" is inf; the training diverged, export an earlier checkpoint");
}
