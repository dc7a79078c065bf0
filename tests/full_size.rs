//! The three networks of AWS's training in full size, stereo, and a continuous PPO head: they load, they count what
//! training.md §1.1 counted, and they answer with finite numbers that depend on the picture.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/aws.rs"]
mod aws;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::time::Instant;

use aws::{DEEP, DEEP_DEEP, SHALLOW, Shape, network};
use hairpin::domain::{Recipe, Sensor};
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Policy, build, witness};

/// Parameters exactly; millions of multiply-adds to the one digit that the table gives.
fn check(name: &str, shape: &Shape<'_>, sensor: Sensor, parameters: u64, millions: f64) {
    let file = network(shape);
    let recipe = Recipe { sensors: vec![sensor], ..Recipe::default() };
    let want = Expectation {
        sensors: &recipe.sensors,
        outputs: shape.outputs,
        output: None,
        limits: GraphLimits::default(),
    };
    let begun = Instant::now();
    let mut built = build(NetworkKind::FrozenTensorflow, &file, &want).unwrap();
    println!(
        "{name}: {:.1} MB built in {:?}",
        f64::from(u32::try_from(file.len()).unwrap()) / 1e6,
        begun.elapsed()
    );
    assert_eq!(built.facts.parameters, parameters, "{name}");
    let macs = f64::from(u32::try_from(built.facts.macs).unwrap()) / 1e6;
    assert!((macs - millions).abs() < 0.06, "{name}: {macs} million multiply-adds");
    let answers: Vec<Vec<f32>> = [3, 4]
        .map(|seed| built.plan.infer(&witness::observation(seed, &recipe)).unwrap().values().to_vec())
        .to_vec();
    assert_ne!(answers[0], answers[1], "{name} answers every picture alike");
    for scores in &answers {
        assert!(scores.iter().all(|score| score.is_finite()), "{name}: {scores:?}");
        assert!(!shape.softmax || (scores.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{name}: {scores:?}");
    }
}

#[test]
fn shallow() {
    check("SHALLOW", &SHALLOW, Sensor::FrontFacingCamera, 5_842_085, 22.2);
}

#[test]
fn deep() {
    check("DEEP_CONVOLUTIONAL_NETWORK", &DEEP, Sensor::FrontFacingCamera, 28_744_741, 125.8);
}

#[test]
fn deep_deep() {
    check("..._DEEP", &DEEP_DEEP, Sensor::FrontFacingCamera, 2_777_285, 15.8);
}

#[test]
fn stereo() {
    let input = ("main_level/agent/main/online/network_0/STEREO_CAMERAS/STEREO_CAMERAS", 2);
    check("stereo SHALLOW", &Shape { input, ..SHALLOW }, Sensor::StereoCameras, 5_844_133, 24.6);
}

#[test]
fn continuous_ppo() {
    // Two means instead of five probabilities: 3 x 513 parameters fewer.
    let shape = Shape { outputs: 2, softmax: false, ..SHALLOW };
    check("continuous SHALLOW", &shape, Sensor::FrontFacingCamera, 5_842_085 - 3 * 513, 22.2);
}
