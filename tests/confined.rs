//! A network that the checks let through and that would take the machine's memory: it is built in a process of its
//! own, under limits, and refused with what they were.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use tf::{any_small, floats, graph, ints, node};

const METADATA: &str = r#"{"action_space": [
    {"steering_angle": -30, "speed": 1.0}, {"steering_angle": -15, "speed": 1.0}, {"steering_angle": 0, "speed": 1.0},
    {"steering_angle": 15, "speed": 1.0}, {"steering_angle": 30, "speed": 1.0}], "sensor": ["FRONT_FACING_CAMERA"]}"#;

/// A vector that is joined with itself forty times and multiplied with itself, and the result added to the scores:
/// 2^40 x 1280 values on the way, from a file of 15 KB.
fn doubling() -> Vec<u8> {
    let mut nodes = any_small(5);
    let mut head = nodes.pop().unwrap();
    nodes.push(ints("axis", &[], &[0]));
    // Different values: equal ones would be folded into one.
    let values: Vec<f32> = (0..1280_u16).map(f32::from).collect();
    nodes.push(floats("joined0", &[1280], &values));
    nodes.extend((1..=40).map(|at| {
        let before = format!("joined{}", at - 1);
        node(&format!("joined{at}"), "ConcatV2", &[&before, &before, "axis"])
    }));
    nodes.push(ints("row", &[2], &[1, -1]));
    nodes.push(ints("column", &[2], &[-1, 1]));
    // Not linear, so that the product cannot be taken piece by piece.
    nodes.push(node("bent", "Tanh", &["joined40"]));
    nodes.push(node("as_row", "Reshape", &["bent", "row"]));
    nodes.push(node("as_column", "Reshape", &["bent", "column"]));
    nodes.push(node("product", "MatMul", &["as_row", "as_column"]));
    nodes.push(node("sum", "Add", &[&head.input[0], "product"]));
    head.input = vec!["sum".to_owned()];
    nodes.push(head);
    graph(nodes)
}

#[test]
fn a_network_that_grows_without_end_is_refused_and_the_machine_lives() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("model.pb"), doubling()).unwrap();
    fs::write(folder.path().join("model_metadata.json"), METADATA).unwrap();
    let begun = Instant::now();
    let run = Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .args(["import", "model.pb", "--name", "growing", "--set", "import.time_limit_s=20"])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    println!("{} after {:?}", words.trim_end(), begun.elapsed());
    assert_eq!(run.status.code(), Some(1), "{words}");
    assert!(words.contains("running the network failed: failed to allocate"), "{words}");
    assert!(begun.elapsed() < Duration::from_secs(40));
    assert!(words.lines().filter(|line| line.starts_with("hairpin: ")).count() == 1, "{words}");
    assert!(!words.contains("panicked"), "{words}");
    assert!(!folder.path().join("models/growing").exists());
}
