//! Real frames through real graphs, with the program itself: the three graphs of `../shared/data` import from a
//! `.tar.gz` made of their files; a DeepRacer's 100 JPEGs and a donkeycar tub replay through each to pulses; the
//! second replay finds 0 differing bits. Skips, with the reason printed, where that folder is absent.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[path = "support/program.rs"]
mod program;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use hairpin::tape::Tape;
use program::accepted;

const GRAPHS: [&str; 3] = [
    "graph-console-tf1-ppo-discrete10-front",
    "graph-tf2-ppo-discrete5-stereo-lidar",
    "graph-tf2-sac-continuous-front",
];

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

/// The console's archive: `agent/model.pb`, the metadata at the root, the hyperparameters under `ip/`.
fn archive(from: &Path, to: &Path) {
    let mut tar = tar::Builder::new(GzEncoder::new(fs::File::create(to).unwrap(), Compression::fast()));
    for (file, inside) in [
        ("model.pb", "agent/model.pb"),
        ("model_metadata.json", "model_metadata.json"),
        ("hyperparameters.json", "ip/hyperparameters.json"),
    ] {
        if from.join(file).is_file() {
            tar.append_path_with_name(from.join(file), inside).unwrap();
        }
    }
    tar.into_inner().unwrap().finish().unwrap();
}

#[test]
fn real_frames_through_real_graphs_twice() {
    let Some(data) = data() else { return };
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let frames = data.join("recordings/real-car-deepracer-160x120-larsll/frames");
    let tub = data.join("recordings/donkeycar-tub-v2-160x120/tub");
    accepted(&["import", frames.to_str().unwrap(), "--out", "car.mcap"], folder);
    accepted(&["import", tub.to_str().unwrap(), "--out", "tub.mcap"], folder);
    for graph in GRAPHS {
        archive(&data.join("models").join(graph), &folder.join(format!("{graph}.tar.gz")));
        let card = accepted(&["import", &format!("{graph}.tar.gz")], folder);
        assert!(card.contains("conv") && card.contains("Action space"), "{card}");
        let model = format!("models/{graph}");
        for (tape, ticks) in [("car", 100), ("tub", 1000)] {
            let (raw, driven) = (format!("{tape}.mcap"), format!("{tape}-{graph}.mcap"));
            let first =
                accepted(&["replay", &raw, "--model", &model, "--record", &driven, "--fill-sensors"], folder);
            assert!(first.contains("not compared"), "{first}");
            let second =
                accepted(&["replay", &driven, "--model", &model, "--expect", "--fill-sensors"], folder);
            let verdict = second.lines().next().unwrap().to_owned();
            println!("{graph}, {tape}: {verdict}");
            assert!(verdict.contains(&format!("0 differing bits in {ticks} decisions")), "{verdict}");
            let recorded = Tape::open(&folder.join(&driven)).unwrap();
            let moving = recorded
                .records()
                .filter_map(|record| record.tick)
                .filter(|tick| tick.decision.pulses.throttle.ns() != 1_446_000)
                .count();
            assert!(moving > ticks / 2, "only {moving} of {ticks} ticks moved the car");
        }
    }
    // The human's steering and throttle came along.
    let tub = Tape::open(&folder.join("tub.mcap")).unwrap();
    let human = tub.record(0).unwrap().human.unwrap();
    assert!((human.steering + 0.298_603_977_537_060_4).abs() < 1e-12, "donkeycar's + is right, ours is left");
    assert!((human.throttle - 0.539_125_903_889_068_3).abs() < 1e-12);
}
