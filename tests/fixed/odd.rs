//! Networks that nobody trains on purpose: operators without a fixed-point form, dead layers, extreme numbers, odd sizes.

use hairpin::domain::{Observation, Sensor};
use hairpin::policy::NetworkKind;
use hairpin::policy::fixed::calibrate::Calibration;

use crate::made::{Compared, Made, blocks, make, typed};
use crate::onnx::Graph;

const FRONT: &str = "FRONT_FACING_CAMERA";
/// The largest difference of a probability from the float network's; the import accepts 0.02.
const NEAR: f32 = 0.006;

fn frames(made: &Made) -> Vec<Observation> {
    blocks(&made.recipe, 12)
}

fn from(file: &[u8], outputs: usize) -> Made {
    let read = typed(NetworkKind::Onnx, file, &[Sensor::FrontFacingCamera], outputs);
    let some = blocks(&read.1, 12);
    make(read, &some)
}

fn near(name: &str, made: &Made) -> Compared {
    let seen = made.compare(&frames(made));
    println!("{name}: {} parts, kept {:?}, scores within {:.6}", made.parts.len(), made.kept, seen.worst);
    assert!(seen.worst <= NEAR, "{name}: scores differ by {}", seen.worst);
    seen
}

/// Two convolutions with something between or after them, and a dense end.
fn with(change: &str) -> Vec<u8> {
    let mut graph = Graph::new(21);
    let mut last = graph.camera(FRONT, 1);
    // 15 x 20 after the first; padding 1 keeps that size.
    last = graph.conv(&last, (1, 12), (8, 8, 0));
    last = graph.op(if change == "Tanh" { "Tanh" } else { "Relu" }, &last);
    let mut cells = (15, 20);
    if change == "MaxPool" {
        last = graph.pool(&last);
        cells = (7, 10);
    }
    let pad = usize::from(change == "padding");
    last = graph.conv(&last, (12, 8), (3, 1, pad));
    cells = (cells.0 - 2 + 2 * pad, cells.1 - 2 + 2 * pad);
    last = graph.op("Relu", &last);
    last = graph.flatten_last(&last);
    last = graph.dense(&last, (cells.0 * cells.1 * 8, 32));
    last = graph.op(if change == "Sigmoid" { "Sigmoid" } else { "Relu" }, &last);
    last = graph.dense(&last, (32, 4));
    graph.finish(&last, 4, true)
}

#[test]
fn what_has_no_fixed_point_form_stays_in_f32_where_it_stands() {
    // The operator that is named. Of four layers three become integers: alone, the second convolution reads channels first.
    for (change, op) in
        [("Tanh", "Tanh"), ("MaxPool", "MaxPool"), ("padding", "Conv"), ("Sigmoid", "Sigmoid")]
    {
        let made = from(&with(change), 4);
        assert!(!made.is_whole(), "{change} became integers");
        assert!(made.kept.iter().any(|(kept, _)| kept.contains(op)), "{change}: {:?}", made.kept);
        assert_eq!(made.parts.len(), 3, "{change}: {:?}", made.kept);
        near(change, &made);
    }
    let made = from(&with("nothing"), 4);
    assert!(made.is_whole(), "{:?}", made.kept);
    near("nothing odd", &made);
}

/// A network of three layers whose numbers `edit` may change: weights and bias of convolution, middle and head.
fn edited(channels: usize, middle: usize, outputs: usize, edit: impl Fn(&str, &mut [f32])) -> Vec<u8> {
    let mut graph = Graph::new(33);
    let mut seed = 100_u32;
    let mut made = |graph: &mut Graph, name: &str, dims: &[usize], reach: f32| {
        seed += 1;
        let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
        let mut values: Vec<f32> = (0..dims.iter().product())
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                (f32::from(u16::try_from(state >> 16).unwrap()) / 32768.0 - 1.0) * reach
            })
            .collect();
        edit(name, &mut values);
        graph.floats(dims, &values)
    };
    let last = graph.camera(FRONT, 1);
    let weights = made(&mut graph, "conv", &[channels, 1, 8, 8], 0.3);
    let bias = made(&mut graph, "conv bias", &[channels], 0.2);
    let last = graph.conv_of(&last, &weights, &bias, (8, 8, 0));
    let last = graph.op("Relu", &last);
    let last = graph.flatten_last(&last);
    let weights = made(&mut graph, "middle", &[300 * channels, middle], 0.05);
    let bias = made(&mut graph, "middle bias", &[middle], 0.2);
    let last = graph.dense_of(&last, &weights, &bias);
    let last = graph.op("Relu", &last);
    let weights = made(&mut graph, "head", &[middle, outputs], 0.1);
    let bias = made(&mut graph, "head bias", &[outputs], 0.2);
    let last = graph.dense_of(&last, &weights, &bias);
    graph.finish(&last, outputs, true)
}

#[test]
fn sizes_that_are_no_multiples_of_anything() {
    for (channels, middle, outputs) in
        [(1, 2, 2), (3, 5, 2), (4, 8, 3), (5, 7, 5), (9, 13, 21), (17, 33, 7), (16, 31, 9), (36, 64, 63)]
    {
        let made = from(&edited(channels, middle, outputs, |_, _| {}), outputs);
        assert!(made.is_whole(), "{:?}", made.kept);
        near(&format!("{channels} channels, {middle} units, {outputs} outputs"), &made);
    }
}

/// Exactly as the float network: what is dead gives the same constant.
#[test]
fn dead_layers() {
    for dead in ["conv", "middle", "head"] {
        let zero = |name: &str, values: &mut [f32]| {
            if name.starts_with(dead) {
                values.fill(0.0);
            }
        };
        let made = from(&edited(8, 16, 5, zero), 5);
        let seen = near(&format!("dead {dead}"), &made);
        assert!(seen.worst < 1e-3, "dead {dead}: {}", seen.worst);
    }
    let all = from(&edited(8, 16, 5, |_, values| values.fill(0.0)), 5);
    assert_eq!(all.compare(&frames(&all)).scores[0], [0.2; 5]);
}

#[test]
fn one_dead_channel_costs_the_others_nothing() {
    for (name, width) in [("conv", 64), ("middle", 0), ("head", 0)] {
        let plain = near("all alive", &from(&edited(8, 16, 5, |_, _| {}), 5));
        let dead = |layer: &str, values: &mut [f32]| {
            if layer == format!("{name} bias") {
                values[1] = 0.0;
            } else if layer == name && width > 0 {
                values[width..2 * width].fill(0.0);
            } else if layer == name {
                let units = if name == "middle" { 16 } else { 5 };
                values.iter_mut().skip(1).step_by(units).for_each(|weight| *weight = 0.0);
            }
        };
        let seen = near(&format!("one dead channel in {name}"), &from(&edited(8, 16, 5, dead), 5));
        assert!(seen.worst <= 3.0 * plain.worst + 1e-5, "{name}: {} beside {}", seen.worst, plain.worst);
    }
}

#[test]
fn tiny_weights() {
    for factor in [1e-6_f32, 1e-18, 1e-30] {
        let tiny = |name: &str, values: &mut [f32]| {
            if name.starts_with("conv") {
                for weight in values.iter_mut() {
                    *weight *= factor;
                }
            } else if name == "middle" {
                for weight in values.iter_mut() {
                    *weight /= factor;
                }
            }
        };
        near(&format!("weights of {factor:e}"), &from(&edited(8, 16, 5, tiny), 5));
    }
}

/// All units of a layer share one step: beside a huge one the others lose their bits, which the import judges. Nothing wraps.
#[test]
fn huge_biases() {
    for huge in [1e2_f32, 1e4, 1e6, 1e12] {
        for sign in [1.0, -1.0] {
            let big = |name: &str, values: &mut [f32]| {
                if name == "middle bias" {
                    values[0] = sign * huge;
                } else if name == "head" {
                    // What the unit says is scaled back, so that the scores still depend on the others.
                    values[..5].iter_mut().for_each(|weight| *weight /= huge);
                }
            };
            let made = from(&edited(8, 16, 5, big), 5);
            let seen = made.compare(&frames(&made));
            println!("a bias of {:e}: scores within {:.6}", sign * huge, seen.worst);
            assert!(seen.worst <= if huge > 1e2 { 1.0 } else { NEAR }, "{huge:e}: {}", seen.worst);
        }
    }
}

#[test]
fn a_scale_beyond_all_multipliers_is_refused_by_the_layers_name() {
    let beyond = |name: &str, values: &mut [f32]| {
        if name == "middle bias" {
            values[0] = -1e30;
        }
    };
    let file = edited(8, 16, 5, beyond);
    let (typed, recipe) = typed(NetworkKind::Onnx, &file, &[Sensor::FrontFacingCamera], 5);
    let mut calibration = Calibration::new(&typed).unwrap();
    for frame in &blocks(&recipe, 3) {
        calibration.observe(frame).unwrap();
    }
    let error = calibration.finish().unwrap_err().to_string();
    assert!(error.contains("matmul") && error.contains("a scale of"), "{error}");
}
