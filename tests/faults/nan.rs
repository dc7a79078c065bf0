//! Row 15: a network whose scores stop being numbers. A real one, that overflows where the picture is bright.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use rustix::process::Signal;

use crate::car::{Car, PATIENCE, root};
use crate::{now, onnx, pauses, signal, within};

/// Times the sum of a bright picture (16 900) this leaves the range of f32; times that of any other (9 600) it does not.
const WEIGHT: f32 = 2.6e34;

fn bright() -> Vec<u8> {
    let pixel = |at: u32| u8::try_from(215 + (at * 7919 % 31)).unwrap();
    let pixels: Vec<u8> = (0..640 * 480).map(|at| pixel(at / 16)).collect();
    let mut bytes = Vec::new();
    jpeg_encoder::Encoder::new(&mut bytes, 90)
        .encode(&pixels, 640, 480, jpeg_encoder::ColorType::Luma)
        .unwrap();
    bytes
}

fn model(car: &Car) -> std::path::PathBuf {
    let folder = car.folder().join("overflowing");
    fs::create_dir_all(&folder).unwrap();
    // All weight on the first action, which drives straight.
    let head: Vec<f32> = (0..19_200 * 3).map(|at| if at % 3 == 0 { WEIGHT } else { 0.0 }).collect();
    fs::write(folder.join("model.onnx"), onnx::policy("observation", &[1, 1, 120, 160], &head)).unwrap();
    let metadata = r#"{"action_space": [{"steering_angle": 0, "speed": 1.0}, {"steering_angle": 20, "speed": 0.5},
        {"steering_angle": -20, "speed": 0.5}], "sensor": ["FRONT_FACING_CAMERA"], "action_space_type": "discrete",
        "training_algorithm": "clipped_ppo", "version": "5"}"#;
    fs::write(folder.join("model_metadata.json"), metadata).unwrap();
    let models = car.folder().join("models");
    let run = std::process::Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .args([
            "import",
            &folder.join("model.onnx").display().to_string(),
            "--name",
            "overflowing",
            // In fixed point no sum can overflow.
            "--precision",
            "f32",
            "--models",
        ])
        .arg(&models)
        .current_dir(root("."))
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    models.join("overflowing")
}

#[test]
fn scores_that_are_no_numbers_are_neutral_at_once() {
    pauses::watch();
    let mut car = Car::new();
    car.model = model(&car);
    fs::write(car.folder().join("frames/black.jpg"), bright()).unwrap();
    let tape = car.folder().join("drive.mcap");
    car.drive(&["--record", &tape.display().to_string()]);
    sleep(Duration::from_millis(200));
    let set = now();
    car.shim.set("black", 1);
    let neutral = car.neutral_after(set).at;
    let shown = car.shim.events("dqbuf").into_iter().rfind(|event| event.at < neutral).expect("a frame").at;
    within("not a number: the frame's arrival to neutral", shown, neutral, 20.0);
    let deadline = std::time::Instant::now() + PATIENCE;
    while !car.words().contains("ScoresNotFinite") {
        assert!(std::time::Instant::now() < deadline, "{}", car.words());
        sleep(Duration::from_millis(10));
    }
    signal(car.guardian(), Signal::TERM);
    car.ended();
}
