//! Observations that no sensor makes, and ones far beyond what was calibrated: saturated finite scores, or an error that says
//! what was wrong.

use hairpin::domain::{Observation, Sensor};
use hairpin::policy::fixed::buffers::Buffers;
use hairpin::policy::kernels::Path;
use hairpin::policy::{NetworkKind, Policy, PolicyError};
use proptest::prelude::{ProptestConfig, any, prop, proptest};

use crate::made::{Made, bits, blocks, make, paths, typed};
use crate::onnx::Graph;

/// LiDAR of 64 and a camera, small.
fn small() -> Made {
    let mut graph = Graph::new(3);
    let last = graph.camera("FRONT_FACING_CAMERA", 1);
    let last = graph.conv(&last, (1, 6), (8, 8, 0));
    let last = graph.op("Relu", &last);
    let eye = graph.flatten_last(&last);
    let lidar = graph.input("LIDAR", &[1, 64]);
    let lidar = graph.dense(&lidar, (64, 20));
    let lidar = graph.op("Relu", &lidar);
    let both = graph.join(&[&eye, &lidar]);
    let last = graph.dense(&both, (300 * 6 + 20, 24));
    let last = graph.op("Relu", &last);
    let last = graph.dense(&last, (24, 5));
    let file = graph.finish(&last, 5, true);
    let read = typed(NetworkKind::Onnx, &file, &[Sensor::FrontFacingCamera, Sensor::Lidar], 5);
    let frames = blocks(&read.1, 6);
    make(read, &frames)
}

/// The scores of all paths, which agree; they sum to one.
fn answer(made: &Made, observation: &Observation) -> Vec<f32> {
    let all: Vec<Vec<f32>> = paths()
        .into_iter()
        .map(|path| made.plan(path).infer(observation).unwrap().values().to_vec())
        .collect();
    for scores in &all {
        assert_eq!(bits(scores), bits(&all[0]));
    }
    assert!((all[0].iter().sum::<f32>() - 1.0).abs() < 1e-5, "{:?}", all[0]);
    all[0].clone()
}

fn plain(made: &Made) -> Observation {
    blocks(&made.recipe, 1).remove(0)
}

#[test]
fn ranges_saturate_and_what_is_no_number_is_zero() {
    let made = small();
    let with = |x: f32| answer(&made, &Observation { ranges: vec![x; 64], ..plain(&made) });
    let far = with(1e9);
    assert_eq!(bits(&far), bits(&with(f32::INFINITY)));
    assert_eq!(bits(&far), bits(&with(f32::MAX)));
    assert_eq!(bits(&with(f32::NEG_INFINITY)), bits(&with(-1e9)));
    assert_eq!(bits(&with(f32::NAN)), bits(&with(0.0)));
    assert_eq!(bits(&with(f32::from_bits(1))), bits(&with(-0.0)));
    assert_ne!(bits(&far), bits(&with(0.0)), "ranges mean nothing to this network");
}

#[test]
fn grey_values_saturate_at_black_and_white() {
    let made = small();
    let with = |x: f32| {
        let camera = vec![x; 19_200];
        answer(&made, &Observation { camera, ..plain(&made) })
    };
    let white = with(255.0);
    for brighter in [255.4, 256.0, 1e9, f32::INFINITY] {
        assert_eq!(bits(&with(brighter)), bits(&white), "{brighter}");
    }
    for darker in [-0.0, -1.0, 0.4, f32::NEG_INFINITY, f32::NAN] {
        assert_eq!(bits(&with(darker)), bits(&with(0.0)), "{darker}");
    }
    assert_eq!(bits(&with(127.5)), bits(&with(128.0)), "halves go up");
    assert_ne!(bits(&white), bits(&with(0.0)));
}

#[test]
fn another_length_is_refused_by_sensor_and_number() {
    let made = small();
    let mut plan = made.plan(Path::best());
    let good = plain(&made);
    for (observation, words) in [
        (Observation { ranges: vec![0.5; 63], ..good.clone() }, ["LIDAR", "63", "64"]),
        (Observation { ranges: Vec::new(), ..good.clone() }, ["LIDAR", "0", "64"]),
        (Observation { camera: vec![1.0; 19_201], ..good.clone() }, ["CAMERA", "19201", "19200"]),
        (Observation { camera: Vec::new(), ..good.clone() }, ["CAMERA", "0", "19200"]),
    ] {
        let error = plan.infer(&observation).unwrap_err().to_string();
        assert!(words.iter().all(|word| error.contains(word)), "{error}");
    }
    // And nothing of it stays behind.
    assert_eq!(bits(plan.infer(&good).unwrap().values()), bits(&answer(&made, &good)));
}

#[test]
fn the_network_itself_refuses_other_lengths_and_other_inputs() {
    let made = small();
    let network = made.network();
    let mut buffers = Buffers::new(network);
    let (camera, lidar) = (vec![9.0; 19_200], vec![0.5; 64]);
    let mut scores = [0.0; 5];
    let mut run =
        |inputs: &[&[f32]], scores: &mut [f32]| buffers.run(network, Path::Portable, inputs, scores);
    run(&[&camera, &lidar], &mut scores).unwrap();
    for (inputs, outputs) in [
        (vec![camera.as_slice()], 5),
        (vec![camera.as_slice(), &lidar, &lidar], 5),
        (vec![lidar.as_slice(), &camera], 5),
        (vec![camera.as_slice(), &lidar[1..]], 5),
        (vec![camera.as_slice(), &lidar], 4),
        (vec![camera.as_slice(), &lidar], 6),
    ] {
        let error = run(&inputs, &mut vec![0.0; outputs]).unwrap_err();
        assert!(matches!(error, PolicyError::FixedLength { .. }), "{error}");
    }
}

/// A network calibrated on darkness meets light: activations saturate, far beyond what was seen.
#[test]
fn frames_beyond_calibration_saturate() {
    let mut graph = Graph::new(7);
    let last = graph.camera("FRONT_FACING_CAMERA", 1);
    let last = graph.conv(&last, (1, 8), (8, 8, 0));
    let last = graph.op("Relu", &last);
    let last = graph.flatten_last(&last);
    let last = graph.dense(&last, (2400, 16));
    let last = graph.op("Relu", &last);
    let last = graph.dense(&last, (16, 5));
    let file = graph.finish(&last, 5, true);
    let read = typed(NetworkKind::Onnx, &file, &[Sensor::FrontFacingCamera], 5);
    let dark = Observation { camera: vec![1.0; 19_200], channels: 1, ranges: Vec::new() };
    let made = make(read, &[dark]);
    for frame in blocks(&made.recipe, 6) {
        let scores = answer(&made, &frame);
        assert!(scores.iter().all(|score| (0.0..=1.0).contains(score)), "{scores:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Any 64 floats there are, any grey value there is.
    #[test]
    fn any_observation_gets_finite_scores_and_the_same_on_every_path(
        ranges in prop::collection::vec(any::<u32>(), 64),
        greys in prop::collection::vec(any::<u32>(), 50),
    ) {
        thread_local!(static MADE: Made = small());
        let ranges = ranges.into_iter().map(f32::from_bits).collect();
        let camera = greys.into_iter().map(f32::from_bits).cycle().take(19_200).collect();
        MADE.with(|made| answer(made, &Observation { camera, channels: 1, ranges }));
    }
}
