//! The policy room against TensorFlow: the graphs of `../shared/data`, frame by frame. Skips, with the reason
//! printed, where that folder is absent.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use std::io::Write;
use std::path::{Path, PathBuf};

use hairpin::domain::{Observation, Sensor};
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Policy, build};

/// Largest absolute difference from TensorFlow that is accepted.
const TOLERANCE: f32 = 1e-5;

fn data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    // Straight to the stream: the harness swallows what the macros print.
    let why = format!("skipped: {} is absent\n", path.display());
    std::io::stderr().write_all(why.as_bytes()).unwrap();
    None
}

/// Shape and little-endian payload of a version 1 `.npy`.
fn npy(path: &Path) -> (Vec<usize>, Vec<u8>) {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let text = std::str::from_utf8(&bytes[10..10 + header]).unwrap();
    let shape = text.split('(').nth(1).unwrap().split(')').next().unwrap();
    let shape = shape.split(',').filter_map(|part| part.trim().parse().ok()).collect();
    (shape, bytes[10 + header..].to_vec())
}

fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
}

fn compare(model: &str, sensors: &[Sensor], camera: &str, ranges: Option<&str>, counted: (u64, u64)) {
    let Some(data) = data() else { return };
    let folder = data.join("models").join(model);
    let (shape, golden) = npy(&folder.join("golden_policy.npy"));
    let golden = floats(&golden);
    let (frames, outputs) = (shape[0], shape[1]);
    let want = Expectation { sensors, outputs, output: None, limits: GraphLimits::default() };
    let bytes = std::fs::read(folder.join("model.pb")).unwrap();
    let mut built = build(NetworkKind::FrozenTensorflow, &bytes, &want).unwrap();
    let (_, pixels) = npy(&data.join("golden").join(camera));
    let lidar = ranges.map(|file| floats(&npy(&data.join("golden").join(file)).1));
    let size = pixels.len() / frames;
    let mut worst = 0.0_f32;
    for at in 0..frames {
        let camera = pixels[at * size..(at + 1) * size].iter().map(|grey| f32::from(*grey)).collect();
        let ranges = lidar.as_ref().map_or_else(Vec::new, |all| {
            let width = all.len() / frames;
            all[at * width..(at + 1) * width].to_vec()
        });
        let observation = Observation { camera, channels: size / 19200, ranges };
        let scores = built.plan.infer(&observation).unwrap();
        let expected = &golden[at * outputs..(at + 1) * outputs];
        assert_eq!(scores.values().len(), outputs);
        for (saw, wanted) in scores.values().iter().zip(expected) {
            worst = worst.max((saw - wanted).abs());
        }
    }
    println!("{model}: {frames} frames, largest difference {worst:e}");
    // Counted by hand from the layer shapes in nodes.txt.
    assert_eq!((built.facts.parameters, built.facts.macs), counted);
    assert!(worst <= TOLERANCE, "{model}: {worst} > {TOLERANCE}");
}

#[test]
fn console_dialect_discrete() {
    compare(
        "graph-console-tf1-ppo-discrete10-front",
        &[Sensor::FrontFacingCamera],
        "inputs_real_larsll_gray_u8.npy",
        None,
        (5_844_650, 22_244_352),
    );
}

#[test]
fn tf2_dialect_stereo_and_lidar() {
    compare(
        "graph-tf2-ppo-discrete5-stereo-lidar",
        &[Sensor::Lidar, Sensor::StereoCameras],
        "inputs_stereo_u8.npy",
        Some("inputs_lidar64_f32.npy"),
        (6_057_637, 24_771_072),
    );
}

#[test]
fn tf2_dialect_sac() {
    compare(
        "graph-tf2-sac-continuous-front",
        &[Sensor::FrontFacingCamera],
        "inputs_real_larsll_gray_u8.npy",
        None,
        (5_971_362, 22_370_816),
    );
}
