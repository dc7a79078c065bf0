//! The pictures that are decoded: a drawn lane as a USB camera sends it (640x480, 4:2:2), once plain and once with as many
//! bytes as a camera's noise makes, and a real car's frame of 160x120 where the shared recordings are there.

use std::fs;
use std::path::PathBuf;

use crate::scene;

/// What a name stands for.
pub(crate) fn jpeg(name: &str) -> Vec<u8> {
    match name {
        "640x480" => scene::jpeg(&scene::picture(2.0, 3)),
        "640x480 noisy" => noisy(),
        "160x120" => small(),
        _ => panic!("no picture {name}"),
    }
}

/// The drawn lane with grain of 12 levels in each channel, at quality 85: some 100 KB, more than a camera sends.
fn noisy() -> Vec<u8> {
    let mut pixels = scene::picture(2.0, 3);
    let mut state = 1_u32;
    for level in &mut pixels {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *level = level.saturating_add((state >> 24) as u8 % 12);
    }
    let mut bytes = vec![];
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 85);
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_2);
    encoder.encode(&pixels, 640, 480, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}

/// A real car's, or else a drawn one from the goldens.
fn small() -> Vec<u8> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let real = "../shared/data/recordings/real-car-deepracer-160x120-larsll/frames/000042.jpg";
    fs::read(root.join(real)).or_else(|_| fs::read(root.join("tests/goldens/vision/small-420.jpg"))).unwrap()
}
