//! What `hairpin import` takes, by the program itself: the console's archive, an unpacked folder, a bare network beside
//! its metadata, ONNX; and a model whose sensors a tape lacks.
#![cfg(feature = "cli")]
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
#[path = "support/program.rs"]
mod program;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::fs;
use std::path::Path;

use aws::{SHALLOW, Shape, network};
use flate2::Compression;
use flate2::write::GzEncoder;
use program::{accepted, hairpin};

const MODEL: &str = "models/line-follower";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether the bundled tape replays through the imported model with 0 differing bits.
fn drives_like_the_bundled(name: &str, folder: &Path) {
    let tape = root().join("tests/tapes/drawn-lane/drive.mcap");
    let model = format!("models/{name}");
    let text = accepted(&["replay", tape.to_str().unwrap(), "--model", &model, "--expect"], folder);
    assert!(text.starts_with("equal: 66 ticks") && text.contains("0 differing bits"), "{text}");
}

#[test]
fn the_same_model_in_every_form() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let source = root().join(MODEL);
    let hyper = br#"{"batch_size": "64", "discount_factor": "0.9"}"#;
    // The console's archive, its members as `tar` names them.
    let mut tar = tar::Builder::new(GzEncoder::new(
        fs::File::create(folder.join("a.tar.gz")).unwrap(),
        Compression::fast(),
    ));
    tar.append_path_with_name(source.join("model.pb"), "./agent/model.pb").unwrap();
    tar.append_path_with_name(source.join("model_metadata.json"), "./model_metadata.json").unwrap();
    fs::write(folder.join("h.json"), hyper).unwrap();
    tar.append_path_with_name(folder.join("h.json"), "./ip/hyperparameters.json").unwrap();
    tar.into_inner().unwrap().finish().unwrap();
    let card = accepted(&["import", "a.tar.gz"], folder);
    assert!(
        card.contains("discount factor (discount_factor): 0.9") && card.contains("about 10 steps"),
        "{card}"
    );
    drives_like_the_bundled("a", folder);
    // The same, unpacked.
    for (file, to) in [("model.pb", "b/agent/model.pb"), ("model_metadata.json", "b/model_metadata.json")] {
        fs::create_dir_all(folder.join(to).parent().unwrap()).unwrap();
        fs::copy(source.join(file), folder.join(to)).unwrap();
    }
    accepted(&["import", "b"], folder);
    drives_like_the_bundled("b", folder);
    // The bare network: its metadata is found above it, and its name is the folder's.
    fs::remove_dir_all(folder.join("models/b")).unwrap();
    accepted(&["import", "b/agent/model.pb"], folder);
    drives_like_the_bundled("b", folder);
    // What was imported is what `inspect` shows, before and after; but for the plan, which the import makes.
    let shown = |path: &str| {
        let text = accepted(&["inspect", path, "--json"], folder).replace("\"agent\"", "\"b\"");
        let mut card: serde_json::Value = serde_json::from_str(&text).unwrap();
        for made in ["fixed_point", "estimated_ms_on_the_car"] {
            card.as_object_mut().unwrap().remove(made).unwrap();
        }
        card
    };
    assert_eq!(shown("b"), shown("models/b"));
}

#[test]
fn onnx_beside_its_metadata() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let head: Vec<f32> = (0..19_200 * 3_u16).map(|at| f32::from(at % 13) / 1e4).collect();
    fs::write(folder.join("mine.onnx"), onnx::policy("obs", &[1, 1, 120, 160], &head)).unwrap();
    let metadata = r#"{"action_space": [{"steering_angle": 20, "speed": 1}, {"steering_angle": 0, "speed": 2},
        {"steering_angle": -20, "speed": 1}]}"#;
    fs::write(folder.join("model_metadata.json"), metadata).unwrap();
    let card = accepted(&["import", "mine.onnx"], folder);
    assert!(card.contains("model.onnx") && card.contains("observation"), "{card}");
    let tape = root().join("tests/tapes/drawn-lane/drive.mcap");
    let text =
        accepted(&["replay", tape.to_str().unwrap(), "--model", "models/mine", "--record", "x.mcap"], folder);
    assert!(text.contains("not compared: the decisions in"), "{text}");
    let text = accepted(&["replay", "x.mcap", "--model", "models/mine", "--expect"], folder);
    assert!(text.contains("0 differing bits in 66 decisions"), "{text}");
}

#[test]
fn sensors_that_a_tape_lacks_are_named_and_can_be_filled() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let input = ("main_level/agent/main/online/network_0/STEREO_CAMERAS/STEREO_CAMERAS", 2);
    fs::create_dir(folder.join("s")).unwrap();
    fs::write(folder.join("s/model.pb"), network(&Shape { input, ..SHALLOW })).unwrap();
    let metadata = fs::read_to_string(root().join(MODEL).join("model_metadata.json")).unwrap();
    let metadata = metadata.replace("FRONT_FACING_CAMERA", "STEREO_CAMERAS");
    fs::write(folder.join("s/model_metadata.json"), metadata).unwrap();
    accepted(&["import", "s"], folder);
    let tape = root().join("tests/tapes/drawn-lane/drive.mcap");
    let replay = ["replay", tape.to_str().unwrap(), "--model", "models/s", "--ticks", "20"];
    let (code, _, words) = hairpin(&replay, folder);
    assert_eq!(code, Some(1));
    assert!(words.contains("wants STEREO_CAMERAS, but") && words.contains("lacks a right camera"), "{words}");
    assert!(words.contains("--fill-sensors"), "{words}");
    let filled = [&replay[..], &["--fill-sensors", "--record", "f.mcap"]].concat();
    accepted(&filled, folder);
    let shown = accepted(&["inspect", "f.mcap"], folder);
    assert!(shown.contains("stereo") && shown.contains("filled_sensors"), "{shown}");
}
