//! Networks that are refused, each with its message. A graph is checked before a library builds it: some valid
//! ones hang it, and a hostile one must not cost more than reading it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use hairpin::domain::Sensor;
use hairpin::policy::{Built, Expectation, GraphLimits, NetworkKind, Policy, PolicyError, build, witness};
use tf::{CAMERA, POLICY, any_small, conv, floats, graph, ints, node, placeholder, small};
use tract_tensorflow::tfpb::tensorflow::NodeDef;

fn load(bytes: &[u8]) -> Result<Built, PolicyError> {
    let limits = GraphLimits { max_nodes: 200, max_elements: 1 << 20 };
    let want = Expectation { sensors: &[Sensor::FrontFacingCamera], outputs: 5, output: None, limits };
    build(NetworkKind::FrozenTensorflow, bytes, &want)
}

fn refused(nodes: Vec<NodeDef>) -> String {
    load(&graph(nodes)).expect_err("must be refused").to_string()
}

/// The small policy with one node replaced.
fn with(replacement: NodeDef) -> Vec<NodeDef> {
    let mut nodes = any_small(5);
    let slot = nodes.iter_mut().find(|node| node.name == replacement.name).expect("a node of that name");
    *slot = replacement;
    nodes
}

fn n(tail: &str) -> String {
    format!("main_level/agent/main/online/network_1/{tail}")
}

#[test]
fn the_small_policy_itself_is_accepted() {
    let mut built = load(&graph(any_small(5))).unwrap();
    assert_eq!(built.inputs, [(Sensor::FrontFacingCamera, CAMERA.to_owned())]);
    assert_eq!(built.output, POLICY);
    assert_eq!((built.facts.layers.len(), built.facts.macs), (2, 300 * 64 + 300 * 5));
    let recipe = hairpin::domain::Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Default::default() };
    let scores = built.plan.infer(&witness::observation(1, &recipe)).unwrap();
    assert!((scores.values().iter().sum::<f32>() - 1.0).abs() < 1e-6);
}

#[test]
fn files_that_are_no_graph() {
    assert!(
        load(b"hello, I am not a graph")
            .unwrap_err()
            .to_string()
            .starts_with("not a frozen TensorFlow graph: ")
    );
    assert_eq!(load(b"").unwrap_err().to_string(), "the network has no nodes; wanted a frozen policy graph");
    let mut cut = graph(any_small(5));
    cut.truncate(cut.len() / 2);
    assert!(load(&cut).unwrap_err().to_string().starts_with("not a frozen TensorFlow graph: "));
    let want = Expectation {
        sensors: &[Sensor::FrontFacingCamera],
        outputs: 5,
        output: None,
        limits: GraphLimits::default(),
    };
    let onnx = |bytes: &[u8]| build(NetworkKind::Onnx, bytes, &want).unwrap_err().to_string();
    assert!(onnx(b"\xff\xff\xff").starts_with("not a ONNX model: "));
    assert_eq!(onnx(b""), "the network has no nodes; wanted a frozen policy graph");
}

#[test]
fn operators() {
    let message = refused(with(node(&n("activation"), "Elu", &[&n("Conv2d_0/BiasAdd")])));
    assert!(
        message.starts_with(&format!(
            "node {:?} uses operator Elu, which is not supported; supported are Add, ",
            n("activation")
        )),
        "{message}"
    );
    let message = refused(with(conv(&n("Conv2d_0/Conv2D"), &[&n("truediv"), &n("Conv2d_0/kernel/read")], 0)));
    assert!(message.ends_with("strides [1, 0, 0, 1], wanted four strides of 1 to 64"), "{message}");
    let message = refused(with(node(&n("ppo_head_0/policy_fc/MatMul"), "MatMul", &[])));
    assert!(message.ends_with("(MatMul): reads nothing, wanted at least one input"), "{message}");
}

#[test]
fn structure() {
    let mut twice = any_small(5);
    twice.push(twice[3].clone());
    assert_eq!(
        refused(twice),
        format!("two nodes are named {:?}; names must be unique", n("Conv2d_0/kernel"))
    );

    let message = refused(with(node(&n("activation"), "Relu", &["nowhere"])));
    assert_eq!(
        message,
        format!("node {:?} reads from \"nowhere\", which is not in the graph", n("activation"))
    );

    let message = refused(with(node(&n("Conv2d_0/kernel/read"), "Identity", &[&n("Conv2d_0/BiasAdd")])));
    assert!(message.ends_with("depends on itself; a policy graph has no loops"), "{message}");

    let mut many = any_small(5);
    many.extend((0..300).map(|at| node(&format!("more{at}"), "Relu", &[&n("activation")])));
    assert_eq!(refused(many), "the network has 316 nodes, wanted at most 200");
}

#[test]
fn a_chain_of_a_hundred_thousand_nodes_overflows_no_stack() {
    let mut nodes = any_small(5);
    nodes.push(node("deep0", "Relu", &[&n("activation")]));
    nodes.extend((1..100_000).map(|at| node(&format!("deep{at}"), "Relu", &[&format!("deep{}", at - 1)])));
    let want = Expectation {
        sensors: &[Sensor::FrontFacingCamera],
        outputs: 5,
        output: Some("deep99999"),
        limits: GraphLimits { max_nodes: 1_000_000, max_elements: 10 },
    };
    let error = build(NetworkKind::FrozenTensorflow, &graph(nodes), &want).unwrap_err().to_string();
    assert!(error.contains("elements in"), "{error}");
}

#[test]
fn weights() {
    let mut kernel = [1.0_f32 / 64.0; 64];
    kernel[17] = f32::NAN;
    let message = refused(small(&kernel, 0.0, &[0.01; 1500], &[0.0; 5]));
    assert_eq!(
        message,
        format!(
            "weight 17 of {:?} is NaN; the training diverged, export an earlier checkpoint",
            n("Conv2d_0/kernel")
        )
    );
    kernel[17] = f32::NEG_INFINITY;
    assert!(refused(small(&kernel, 0.0, &[0.01; 1500], &[0.0; 5])).contains("weight 17 of"));

    let message = refused(with(floats(&n("Conv2d_0/kernel"), &[8, 8, 1, 1], &[0.5; 63])));
    assert!(message.ends_with("63 elements for shape [8, 8, 1, 1], wanted 64"), "{message}");
    let message = refused(with(floats(&n("Conv2d_0/kernel"), &[8, -8, 1, 1], &[0.5; 64])));
    assert!(message.ends_with("shape [8, -8, 1, 1], wanted up to 8 dimensions of 0 or more"), "{message}");
    let message = refused(with(floats(&n("Conv2d_0/kernel"), &[1 << 40, 1 << 40], &[0.5; 64])));
    assert!(message.contains("wanted up to 8 dimensions"), "{message}");
    let message = refused(with(floats(&n("Conv2d_0/kernel"), &[1 << 30], &[0.5])));
    assert!(
        message.ends_with(
            "elements in \"main_level/agent/main/online/network_1/Conv2d_0/kernel\", wanted at most 1048576"
        ),
        "{message}"
    );
}

#[test]
fn inputs_and_outputs() {
    let message = refused(with(placeholder(CAMERA, &[-1, 120, 160, 3])));
    assert_eq!(
        message,
        format!("network input {CAMERA:?} has shape [-1, 120, 160, 3], wanted [1, 120, 160, 1]")
    );

    let message = refused(any_small(7));
    assert_eq!(
        message,
        "model_metadata.json, key action_space: has 5 actions, but the network has 7 outputs; this metadata belongs to another model"
    );

    let mut lidar = any_small(5);
    let lidar_name = "main_level/agent/main/online/network_0/LIDAR/LIDAR";
    lidar.insert(0, placeholder(lidar_name, &[-1, 64]));
    lidar.insert(1, floats("zero", &[64, 5], &[0.0; 320]));
    lidar.insert(2, node("near", "MatMul", &[lidar_name, "zero"]));
    lidar.insert(3, node("both", "Add", &["near", &n("ppo_head_0/policy_fc/BiasAdd")]));
    lidar.last_mut().unwrap().input = vec!["both".to_owned()];
    assert_eq!(
        refused(lidar.clone()),
        "model_metadata.json, key sensor: says FRONT_FACING_CAMERA, but the network reads FRONT_FACING_CAMERA, LIDAR; they must be the same"
    );
    lidar[0].name = "somewhere/RADAR".to_owned();
    lidar[2].input[0] = "somewhere/RADAR".to_owned();
    let message = refused(lidar);
    assert!(
        message
            .starts_with("network input \"somewhere/RADAR\" is no sensor that the car has; wanted one of "),
        "{message}"
    );

    let mut two = any_small(5);
    two.last_mut().unwrap().name = "head_a".to_owned();
    two.push(node("head_b", "Softmax", &[&n("ppo_head_0/policy_fc/BiasAdd")]));
    let message = refused(two.clone());
    assert!(
        message.starts_with(
            "the policy output is not clear: found 2 outputs, \"head_a\", \"head_b\"; wanted main_level/"
        ),
        "{message}"
    );
    let want = Expectation {
        sensors: &[Sensor::FrontFacingCamera],
        outputs: 5,
        output: Some("head_b"),
        limits: GraphLimits::default(),
    };
    assert_eq!(build(NetworkKind::FrozenTensorflow, &graph(two), &want).unwrap().output, "head_b");
}

/// The shape of AWS's multi-sensor merger, which makes the library loop for ever when it is passed on as it is.
#[test]
fn a_negative_concat_axis_is_resolved_and_a_computed_one_refused() {
    let merged = |axis: NodeDef| {
        let mut nodes = any_small(5);
        let dense = nodes.iter().position(|node| node.name == n("ppo_head_0/policy_fc/kernel")).unwrap();
        nodes[dense] = floats(&n("ppo_head_0/policy_fc/kernel"), &[600, 5], &[0.01; 3000]);
        let name = axis.name.clone();
        nodes.push(axis);
        nodes.push(node("merger", "ConcatV2", &[&n("flatten/Reshape"), &n("flatten/Reshape"), &name]));
        let matmul = nodes.iter_mut().find(|node| node.op == "MatMul").unwrap();
        matmul.input[0] = "merger".to_owned();
        nodes
    };
    assert!(load(&graph(merged(ints("axis", &[], &[-1])))).is_ok());
    let computed = refused(merged(node("axis", "Shape", &[&n("flatten/Reshape")])));
    assert!(
        computed.ends_with("an axis that is not a small constant, wanted a constant axis of -8 to 7"),
        "{computed}"
    );
    let far = refused(merged(ints("axis", &[], &[-2_000_000_000])));
    assert!(far.contains("(ConcatV2): an axis that is not a small constant"), "{far}");
    let outside = refused(merged(ints("axis", &[], &[5])));
    assert!(outside.contains("failed: "), "{outside}");
}

#[test]
fn a_damaged_model_does_not_answer_as_it_did() {
    let recipe = hairpin::domain::Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Default::default() };
    let ramp: Vec<f32> = (0..1500_u16).map(|at| f32::from(at % 7) / 10.0).collect();
    let mut good = load(&graph(small(&[1.0 / 64.0; 64], 0.0, &ramp, &[0.0; 5]))).unwrap();
    let witnesses = witness::ask(&mut good.plan, &recipe).unwrap();
    witness::check(&mut good.plan, &recipe, &witnesses).unwrap();
    let mut other = load(&graph(small(&[1.0 / 64.0; 64], 0.0, &ramp, &[0.0, 0.1, 0.0, 0.0, 0.0]))).unwrap();
    let message = witness::check(&mut other.plan, &recipe, &witnesses).unwrap_err().to_string();
    assert!(message.starts_with("witness vector 0: output 0 is "), "{message}");
    assert!(message.ends_with("the model folder is damaged, import it again"), "{message}");
}

#[test]
fn random_damage_never_panics() {
    let bytes = graph(any_small(5));
    let mut state = 0x2545_F491_u32;
    for _ in 0..300 {
        let mut damaged = bytes.clone();
        for _ in 0..3 {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let at = state as usize % damaged.len();
            damaged[at] ^= 1 << (state >> 29);
        }
        // Either it still loads, or it is refused by name; a panic fails the test.
        if let Err(error) = load(&damaged) {
            assert!(!error.to_string().is_empty());
        }
    }
}
