//! The networks that AWS trains, in their true shapes: wholly in fixed point, the same bits on every path, near `f32`.

use hairpin::domain::{Observation, Sensor};
use hairpin::policy::NetworkKind;

use crate::aws::{DEEP, DEEP_DEEP, SHALLOW, Shape, network};
use crate::made::{blocks, make, typed};
use crate::onnx::Graph;

/// Probabilities of networks with random weights. The import accepts 0.02; 0.0012 was seen.
const NEAR: f32 = 0.006;
/// Means of a continuous policy, in shares of full lock or speed: 0.0061 was seen.
const NEAR_MEANS: f32 = 0.02;

/// Calibrates on one third of the frames, as the import does, and compares on all.
fn check(name: &str, (kind, file): (NetworkKind, &[u8]), sensors: &[Sensor], outputs: usize, near: f32) {
    let read = typed(kind, file, sensors, outputs);
    let frames = blocks(&read.1, if name.starts_with("DEEP") { 3 } else { 9 });
    let some: Vec<Observation> = frames.iter().step_by(3).cloned().collect();
    let made = make(read, &some);
    assert!(made.is_whole(), "{name}: {:?} stay in f32", made.kept);
    let seen = made.compare(&frames);
    println!(
        "{name}: {} layers, {} bytes of weights; scores within {:.5}, {} of {} actions changed",
        made.network().layers.len(),
        made.network().weight_bytes(),
        seen.worst,
        seen.changed,
        frames.len()
    );
    assert!(seen.worst <= near, "{name}: scores differ by {}", seen.worst);
    assert_eq!(seen.surprising, 0, "{name}: another action where the float network was sure");
    assert!(seen.scores.iter().any(|scores| *scores != seen.scores[0]), "{name} answers every picture alike");
}

fn aws(name: &str, shape: &Shape<'_>, sensor: Sensor) {
    let near = if shape.softmax { NEAR } else { NEAR_MEANS };
    check(name, (NetworkKind::FrozenTensorflow, &network(shape)), &[sensor], shape.outputs, near);
}

#[test]
fn shallow() {
    aws("SHALLOW", &SHALLOW, Sensor::FrontFacingCamera);
}

#[test]
fn deep() {
    aws("DEEP_CONVOLUTIONAL_NETWORK", &DEEP, Sensor::FrontFacingCamera);
}

#[test]
fn deep_deep_with_dense_layers_at_every_place() {
    aws("..._DEEP", &DEEP_DEEP, Sensor::FrontFacingCamera);
}

#[test]
fn stereo() {
    let input = ("main_level/agent/main/online/network_0/STEREO_CAMERAS/STEREO_CAMERAS", 2);
    aws("stereo SHALLOW", &Shape { input, ..SHALLOW }, Sensor::StereoCameras);
}

#[test]
fn continuous() {
    let shape = Shape { outputs: 2, softmax: false, ..SHALLOW };
    aws("continuous SHALLOW", &shape, Sensor::FrontFacingCamera);
}

/// The shapes of SHALLOW, channels first, with `extra` after the last convolution.
fn exported(camera: &str, channels: usize, is_channels_last_when_flat: bool) -> Vec<u8> {
    let mut graph = Graph::new(5);
    let mut last = graph.camera(camera, channels);
    for (sizes, at) in [((channels, 32), (8, 4, 0)), ((32, 64), (4, 2, 0)), ((64, 64), (3, 1, 0))] {
        last = graph.conv(&last, sizes, at);
        last = graph.op("Relu", &last);
    }
    last = if is_channels_last_when_flat { graph.flatten_last(&last) } else { graph.flatten(&last) };
    last = graph.dense(&last, (11_264, 512));
    last = graph.op("Relu", &last);
    last = graph.dense(&last, (512, 5));
    graph.finish(&last, 5, true)
}

#[test]
fn channels_first_flattened_either_way() {
    for last in [false, true] {
        let file = exported("FRONT_FACING_CAMERA", 1, last);
        check("ONNX SHALLOW", (NetworkKind::Onnx, &file), &[Sensor::FrontFacingCamera], 5, NEAR);
    }
}

#[test]
fn channels_first_stereo() {
    let file = exported("STEREO_CAMERAS", 2, false);
    check("ONNX stereo", (NetworkKind::Onnx, &file), &[Sensor::StereoCameras], 5, NEAR);
}

#[test]
fn a_convolution_of_one_by_one_is_a_dense_layer_at_every_place() {
    let mut graph = Graph::new(9);
    let mut last = graph.camera("FRONT_FACING_CAMERA", 1);
    for (sizes, at) in [((1, 16), (8, 8, 0)), ((16, 40), (1, 1, 0)), ((40, 24), (1, 1, 0))] {
        last = graph.conv(&last, sizes, at);
        last = graph.op("Relu", &last);
    }
    last = graph.flatten_last(&last);
    last = graph.dense(&last, (300 * 24, 5));
    let file = graph.finish(&last, 5, true);
    check("1x1", (NetworkKind::Onnx, &file), &[Sensor::FrontFacingCamera], 5, NEAR);
}

/// A small convolutional embedder beside a dense one, joined as AWS's middleware joins them.
fn beside_a_camera(name: &str, ranges: usize, camera: (&str, usize)) -> Vec<u8> {
    let mut graph = Graph::new(11);
    let mut eye = graph.camera(camera.0, camera.1);
    for (sizes, at) in [((camera.1, 32), (8, 4, 0)), ((32, 64), (4, 2, 0)), ((64, 64), (3, 1, 0))] {
        eye = graph.conv(&eye, sizes, at);
        eye = graph.op("Relu", &eye);
    }
    let eye = graph.flatten_last(&eye);
    let lidar = graph.input(name, &[1, ranges]);
    let lidar = graph.dense(&lidar, (ranges, 256));
    let lidar = graph.op("Relu", &lidar);
    let both = graph.join(&[&eye, &lidar]);
    let last = graph.dense(&both, (11_264 + 256, 256));
    let last = graph.op("Relu", &last);
    let last = graph.dense(&last, (256, 5));
    graph.finish(&last, 5, true)
}

#[test]
fn lidar_beside_a_camera() {
    let file = beside_a_camera("LIDAR", 64, ("FRONT_FACING_CAMERA", 1));
    let sensors = [Sensor::FrontFacingCamera, Sensor::Lidar];
    check("LiDAR and a camera", (NetworkKind::Onnx, &file), &sensors, 5, NEAR);
}

#[test]
fn lidar_beside_stereo_cameras() {
    let file = beside_a_camera("LIDAR", 64, ("STEREO_CAMERAS", 2));
    let sensors = [Sensor::Lidar, Sensor::StereoCameras];
    check("LiDAR and stereo", (NetworkKind::Onnx, &file), &sensors, 5, NEAR);
}

#[test]
fn sectors_beside_a_camera() {
    let file = beside_a_camera("SECTOR_LIDAR", 8, ("FRONT_FACING_CAMERA", 1));
    let sensors = [Sensor::FrontFacingCamera, Sensor::SectorLidar];
    check("sectors and a camera", (NetworkKind::Onnx, &file), &sensors, 5, NEAR);
}
