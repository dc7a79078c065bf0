//! The bundled model and tape are what this test makes: `HAIRPIN_BLESS=1` writes them anew, any other run compares.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/line_follower.rs"]
mod line_follower;
#[path = "support/program.rs"]
mod program;
#[path = "support/scene.rs"]
mod scene;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::fs;
use std::path::{Path, PathBuf};

use hairpin::domain::{DriveState, PixelFormat};
use hairpin::tape::Tape;
use program::accepted;

/// Frames that drive, and frames behind a hand.
const FRAMES: (u32, u32) = (56, 10);
/// Metres from frame to frame: 0.6 m/s at 15 frames a second.
const STEP: f64 = 0.04;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn pictures() -> Vec<Vec<u8>> {
    let drive = (0..FRAMES.0).map(|n| scene::picture(f64::from(n) * STEP, n));
    let covered = (0..FRAMES.1).map(|n| scene::covered(FRAMES.0 + n));
    drive.chain(covered).map(|pixels| scene::jpeg(&pixels)).collect()
}

/// Makes everything in `folder`: model, frames, tape.
fn make(folder: &Path) -> (PathBuf, PathBuf) {
    let source = folder.join("source");
    fs::create_dir_all(source.join("frames")).unwrap();
    fs::write(source.join("model.pb"), line_follower::network()).unwrap();
    fs::write(source.join("model_metadata.json"), line_follower::metadata()).unwrap();
    accepted(&["import", "source/model.pb", "--name", "line-follower"], folder);
    for (n, bytes) in pictures().iter().enumerate() {
        fs::write(source.join(format!("frames/frame_{n}.jpg")), bytes).unwrap();
    }
    accepted(&["import", "source/frames", "--out", "drawn.mcap", "--set", "tape.rate_hz=15"], folder);
    accepted(&["replay", "drawn.mcap", "--model", "models/line-follower", "--record", "drive.mcap"], folder);
    (folder.join("models/line-follower"), folder.join("drive.mcap"))
}

#[test]
fn model_and_tape_are_what_is_made_here() {
    let folder = tempfile::tempdir().unwrap();
    let (model, tape) = make(folder.path());
    let (kept_model, kept_tape) =
        (root().join("models/line-follower"), root().join("tests/tapes/drawn-lane/drive.mcap"));
    if std::env::var_os("HAIRPIN_BLESS").is_some() {
        fs::create_dir_all(&kept_model).unwrap();
        for entry in fs::read_dir(&model).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, kept_model.join(path.file_name().unwrap())).unwrap();
        }
        fs::copy(&tape, &kept_tape).unwrap();
    }
    for file in ["model.pb", "model_metadata.json"] {
        let same = fs::read(model.join(file)).unwrap() == fs::read(kept_model.join(file)).unwrap();
        assert!(same, "{file} of models/line-follower is not what tests/support/line_follower.rs makes");
    }
    let (made, kept) = (Tape::open(&tape).unwrap(), Tape::open(&kept_tape).unwrap());
    assert_eq!((kept.frames(), kept.ticks()), (66, 66));
    assert_eq!((made.frames(), made.ticks()), (66, 66));
    for (at, (made, kept)) in made.records().zip(kept.records()).enumerate() {
        let (made, kept) = (made.frame.unwrap(), kept.frame.unwrap());
        assert_eq!((made.seq, made.captured_at), (kept.seq, kept.captured_at));
        assert_eq!(made.left.format, PixelFormat::Mjpeg);
        assert!(made.left.bytes == kept.left.bytes, "frame {at} is not what tests/support/scene.rs draws");
    }
}

#[test]
fn the_tape_arms_drives_and_coasts_in_the_dark() {
    let tape = Tape::open(&root().join("tests/tapes/drawn-lane/drive.mcap")).unwrap();
    let states: Vec<DriveState> =
        tape.records().filter_map(|record| Some(record.tick?.decision.state)).collect();
    assert!(matches!(states[0], DriveState::Arming { .. }));
    assert_eq!(states[20], DriveState::Driving);
    assert!(matches!(states[65], DriveState::Coasting { .. }), "{:?}", states[65]);
    let classes: std::collections::BTreeSet<String> = tape
        .records()
        .filter_map(|record| Some(record.tick?.decision.action?.steering.to_string()))
        .collect();
    assert!(classes.len() >= 4, "the policy chose only {classes:?}");
}
