//! The fixed-point plan by the program itself: what `import` makes and says, what is refused by name, and what decides where a
//! tape and a model differ.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "fixed/onnx.rs"]
mod onnx;
#[path = "support/program.rs"]
mod program;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::fs;
use std::path::Path;

use onnx::Graph;
use program::{accepted, hairpin};
use tempfile::TempDir;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn tape() -> String {
    root().join("tests/tapes/drawn-lane/drive.mcap").to_str().unwrap().to_owned()
}

/// A folder with the bundled network in `src`, as it came.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    source(
        folder.path(),
        "src",
        &fs::read(root().join("models/line-follower/model.pb")).unwrap(),
        "model.pb",
    );
    folder
}

fn source(folder: &Path, name: &str, network: &[u8], file: &str) {
    fs::create_dir(folder.join(name)).unwrap();
    fs::write(folder.join(name).join(file), network).unwrap();
    let metadata = root().join("models/line-follower/model_metadata.json");
    fs::copy(metadata, folder.join(name).join("model_metadata.json")).unwrap();
}

/// The words of a command that must fail.
fn refused(arguments: &[&str], folder: &Path) -> String {
    let (code, text, words) = hairpin(arguments, folder);
    assert_eq!(code, Some(1), "hairpin {arguments:?}: {text}{words}");
    words
}

fn holds(text: &str, all: &[&str]) {
    for words in all {
        assert!(text.contains(words), "{words:?} is not in {text}");
    }
}

#[test]
fn import_makes_the_plan_and_says_how_near_it_is() {
    let folder = folder();
    let folder = folder.path();
    let (code, text, words) = hairpin(&["import", "src", "--name", "a"], folder);
    assert_eq!(code, Some(0), "{words}");
    holds(
        &text,
        &["Fixed-point plan", "the same bits on every CPU", "192 simulated frames", "0 of 192 actions"],
    );
    holds(&words, &["wrote models/a"]);
    let card = fs::read_to_string(folder.join("models/a/model.toml")).unwrap();
    holds(&card, &["[fixed_point]", "max_difference = ", "changed = 0", "[[fixed_point.witness]]"]);
    assert!(folder.join("models/a/model.fixed").is_file());
    // The same again: nothing is written.
    let stamp = || fs::metadata(folder.join("models/a/model.toml")).unwrap().modified().unwrap();
    let before = stamp();
    let (code, again, words) = hairpin(&["import", "src", "--name", "a"], folder);
    assert_eq!((code, &again), (Some(0), &text));
    holds(&words, &["unchanged: models/a"]);
    assert_eq!(stamp(), before);
    // Shown by the folder's name as by the import.
    holds(&accepted(&["inspect", "models/a"], folder), &["Fixed-point plan", "the same bits on every CPU"]);
    let json = accepted(&["inspect", "models/a", "--json"], folder);
    holds(&json, &["fixed_point", "max_difference"]);
}

#[test]
fn f32_is_imported_and_driven_without_a_plan() {
    let folder = folder();
    let folder = folder.path();
    let text = accepted(&["import", "src", "--name", "a", "--precision", "f32"], folder);
    holds(&text, &["none: it drives in f32"]);
    assert!(!folder.join("models/a/model.fixed").exists());
    assert!(!fs::read_to_string(folder.join("models/a/model.toml")).unwrap().contains("fixed_point"));
    let text = accepted(&["replay", &tape(), "--model", "models/a", "--precision", "fixed"], folder);
    assert!(!text.contains("fixed point"), "{text}");
    // The plan comes with the next import, and goes with the one after it.
    accepted(&["import", "src", "--name", "a"], folder);
    assert!(folder.join("models/a/model.fixed").is_file());
    let both = accepted(&["replay", &tape(), "--model", "models/a", "--precision", "f32"], folder);
    assert!(!both.contains("fixed point"), "{both}");
    accepted(&["import", "src", "--name", "a", "--precision", "f32"], folder);
    assert!(!folder.join("models/a/model.fixed").exists());
}

#[test]
fn frames_of_a_tape_calibrate() {
    let folder = folder();
    let folder = folder.path();
    let text = accepted(&["import", "src", "--name", "a", "--frames", &tape()], folder);
    holds(&text, &["66 frames of drive.mcap", "0 of 66 actions changed"]);
    accepted(&["replay", &tape(), "--model", "models/a", "--precision", "fixed"], folder);
    let words = refused(&["import", "src", "--name", "b", "--frames", "none.mcap"], folder);
    holds(&words, &["none.mcap"]);
    let words = refused(&["import", "src", "--name", "b", "--frames", &tape(), "--precision", "f32"], folder);
    holds(&words, &["--frames", "--precision f32"]);
    assert!(!folder.join("models/b").exists());
}

#[test]
fn frames_beside_pictures_are_refused() {
    let folder = folder();
    let folder = folder.path();
    fs::create_dir(folder.join("pictures")).unwrap();
    fs::write(folder.join("pictures/1.jpg"), b"no picture").unwrap();
    let words = refused(&["import", "pictures", "--frames", &tape()], folder);
    holds(&words, &["--frames", "calibrates a model", "pictures"]);
}

#[test]
fn a_changed_or_missing_plan_is_refused_by_name_and_importing_again_heals_it() {
    let folder = folder();
    let folder = folder.path();
    accepted(&["import", "src", "--name", "a"], folder);
    let file = folder.join("models/a/model.fixed");
    let whole = fs::read(&file).unwrap();
    let replay = ["replay", &tape(), "--model", "models/a", "--precision", "fixed"];
    let in_f32 = ["replay", &tape(), "--model", "models/a", "--precision", "f32"];
    let mut bent = whole.clone();
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    for damaged in [&bent[..], &whole[..whole.len() / 2], b""] {
        fs::write(&file, damaged).unwrap();
        holds(&refused(&replay, folder), &["model.fixed was changed", "import the model again"]);
        holds(&refused(&["inspect", "models/a"], folder), &["model.fixed was changed"]);
        accepted(&in_f32, folder);
        // What the words advise.
        accepted(&["import", "src", "--name", "a"], folder);
        assert!(fs::read(&file).unwrap() == whole, "importing again left the damage where it was");
    }
    fs::remove_file(&file).unwrap();
    holds(&refused(&replay, folder), &["model.fixed", "--precision f32", "importing the model again"]);
    accepted(&in_f32, folder);
    accepted(&["import", "src", "--name", "a"], folder);
    assert!(file.is_file(), "importing again did not bring the plan back");
    accepted(&replay, folder);
}

#[test]
fn a_card_of_before_there_were_plans_drives_in_f32() {
    let folder = folder();
    let folder = folder.path();
    let text = accepted(&["import", "src", "--name", "a", "--precision", "f32"], folder);
    holds(&text, &["import it again to make one"]);
    // The bundled model's card may have a plan by now; without its lines it is such a card.
    let text =
        accepted(&["replay", &tape(), "--model", "models/a", "--expect", "--tolerance", "1e-4"], folder);
    holds(&text, &["equal: 66 ticks"]);
}

#[test]
fn a_tape_is_replayed_by_the_plan_that_decided_on_it() {
    let folder = folder();
    let folder = folder.path();
    accepted(&["import", "src", "--name", "a"], folder);
    let record = |name: &str, precision: &str| {
        let arguments =
            ["replay", &tape(), "--model", "models/a", "--precision", precision, "--record", name];
        accepted(&arguments, folder);
    };
    record("fixed.mcap", "fixed");
    record("f32.mcap", "f32");
    // Nobody says which: the tape does.
    let text = accepted(&["replay", "f32.mcap", "--model", "models/a"], folder);
    holds(
        &text,
        &["equal: 66 ticks", "0 differing bits", "the tape was decided in f32, and so is its replay"],
    );
    let set = ["replay", "fixed.mcap", "--model", "models/a", "--set"];
    for (kernels, path) in [("car", "sse4.1"), ("native", "avx2"), ("portable", "portable")] {
        let choice = format!("policy.kernels={kernels}");
        let text = accepted(&[&set[..], &[&choice]].concat(), folder);
        holds(&text, &["equal: 66 ticks", "0 differing bits in 66 decisions", "kernels fixed point "]);
        assert!(text.contains(&format!(" on {path}")) || !is_here(path), "{kernels}: {text}");
    }
    // Who asks for the other plan gets it, and no comparison.
    let text = accepted(&["replay", "fixed.mcap", "--model", "models/a", "--precision", "f32"], folder);
    holds(&text, &["not compared", "--precision fixed decides as the tape did"]);
    let text = accepted(&["replay", "f32.mcap", "--model", "models/a", "--precision", "fixed"], folder);
    holds(&text, &["not compared", "--precision f32 decides as the tape did"]);
    // Another plan of the same network is another one.
    accepted(&["import", "src", "--name", "b", "--frames", &tape()], folder);
    let text = accepted(&["replay", "fixed.mcap", "--model", "models/b"], folder);
    holds(&text, &["not compared", "another plan"]);
    // And the tape says what decided.
    holds(&accepted(&["inspect", "fixed.mcap"], folder), &["fixed point "]);
}

fn is_here(path: &str) -> bool {
    hairpin_paths().contains(&path)
}

fn hairpin_paths() -> Vec<&'static str> {
    let all = hairpin::policy::kernels::Path::ALL;
    all.into_iter().filter(|path| path.is_here()).map(hairpin::policy::kernels::Path::name).collect()
}

/// Activations far from zero that differ by little: 13 bits cannot tell them apart, and the head lives off the difference.
fn hopeless() -> Vec<u8> {
    let dense: Vec<f32> = (0_u16..300 * 5)
        .map(|at| if (at / 5 + at % 5 * (at / 5 / 7)) % 2 == 0 { 1.0 } else { -1.0 })
        .collect();
    // Each output's weights cancel what all cells have in common.
    let bias: Vec<f32> =
        (0..5).map(|output| -1_000_000.0 * dense.iter().skip(output).step_by(5).sum::<f32>()).collect();
    tf::graph(tf::small(&[1.0 / 64.0; 64], 1_000_000.0, &dense, &bias))
}

#[test]
fn a_plan_that_strays_is_refused_and_the_model_drives_in_f32() {
    let folder = folder();
    let folder = folder.path();
    source(folder, "stray", &hopeless(), "model.pb");
    let (code, text, words) = hairpin(&["import", "stray", "--name", "a"], folder);
    assert_eq!(code, Some(0), "{words}");
    holds(&words, &["note: no fixed-point plan, the model drives in f32", "differs by 0.", "at most 0.02"]);
    holds(&text, &["Fixed-point plan"]);
    assert!(!folder.join("models/a/model.fixed").exists());
    let card = fs::read_to_string(folder.join("models/a/model.toml")).unwrap();
    holds(&card, &["[fixed_point]", "refused = "]);
    let text = accepted(&["replay", &tape(), "--model", "models/a", "--record", "a.mcap"], folder);
    assert!(!text.contains("fixed point"), "{text}");
    holds(&accepted(&["replay", "a.mcap", "--model", "models/a", "--expect"], folder), &["0 differing bits"]);
    // Not asked again for nothing: the same import changes nothing.
    let (_, _, words) = hairpin(&["import", "stray", "--name", "a"], folder);
    holds(&words, &["unchanged: models/a"]);
}

#[test]
fn layers_without_a_fixed_point_form_are_named_and_the_rest_is_fixed() {
    let folder = folder();
    let folder = folder.path();
    let mut graph = Graph::new(21);
    let last = graph.camera("FRONT_FACING_CAMERA", 1);
    let last = graph.conv(&last, (1, 12), (8, 8, 0));
    let last = graph.op("Relu", &last);
    let last = graph.pool(&last);
    let last = graph.flatten_last(&last);
    let last = graph.dense(&last, (7 * 10 * 12, 32));
    let last = graph.op("Relu", &last);
    let last = graph.dense(&last, (32, 5));
    source(folder, "pool", &graph.finish(&last, 5, true), "model.onnx");
    let text = accepted(&["import", "pool", "--name", "a"], folder);
    holds(&text, &["MaxPool", "0 of 192 actions"]);
    holds(&fs::read_to_string(folder.join("models/a/model.toml")).unwrap(), &["kept_in_f32 = ", "MaxPool"]);
    holds(&accepted(&["inspect", "models/a"], folder), &["MaxPool"]);
    let record = ["replay", &tape(), "--model", "models/a", "--precision", "fixed", "--record", "a.mcap"];
    holds(&accepted(&record, folder), &["fixed point ", " and "]);
    holds(&accepted(&["replay", "a.mcap", "--model", "models/a", "--expect"], folder), &["0 differing bits"]);
}
