//! What a user has survives what a user types: outputs do not destroy inputs, half a conversion leaves no trace, an
//! edited card is noticed, and a comparison that compares nothing is refused.
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

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::Command;

use hairpin::tape::Tape;
use program::hairpin;

const MODEL: &str = "models/line-follower";
const TAPE: &str = "tests/tapes/drawn-lane/drive.mcap";

/// A folder with copies of the bundled tape and model.
fn place() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    fs::copy(root.join(TAPE), folder.path().join("drive.mcap")).unwrap();
    fs::create_dir(folder.path().join("lf")).unwrap();
    for file in fs::read_dir(root.join(MODEL)).unwrap() {
        let path = file.unwrap().path();
        fs::copy(&path, folder.path().join("lf").join(path.file_name().unwrap())).unwrap();
    }
    folder
}

/// Runs a command that must be refused; its words, and that `kept` was not touched.
fn refused(arguments: &[&str], folder: &Path, kept: &str) -> String {
    let before = fs::read(folder.join(kept)).unwrap();
    let (code, _, words) = hairpin(arguments, folder);
    assert!(matches!(code, Some(1 | 2)), "{arguments:?} ended with {code:?}: {words}");
    assert!(fs::read(folder.join(kept)).unwrap() == before, "{arguments:?} changed {kept}");
    words
}

#[test]
fn outputs_do_not_destroy_inputs() {
    let folder = place();
    let folder = folder.path();
    fs::hard_link(folder.join("drive.mcap"), folder.join("link.mcap")).unwrap();
    let replay = |more: &[&'static str]| [&["replay", "drive.mcap", "--model", "lf"], more].concat();
    let words = refused(&replay(&["--record", "link.mcap", "--force"]), folder, "drive.mcap");
    assert!(words.contains("link.mcap is drive.mcap itself"), "{words}");
    let words = refused(&["recover", "drive.mcap", "--out", "./drive.mcap", "--force"], folder, "drive.mcap");
    assert!(words.contains("itself, which is being read"), "{words}");
    let words = refused(&replay(&["--report", "lf/model.pb"]), folder, "lf/model.pb");
    assert!(words.contains("lies in the model's folder"), "{words}");
    refused(&replay(&["--record", "lf/model_metadata.json", "--force"]), folder, "lf/model_metadata.json");
    fs::write(folder.join("diary.txt"), "mine").unwrap();
    let words = refused(&replay(&["--report", "diary.txt"]), folder, "diary.txt");
    assert!(words.contains("exists and is no report of hairpin's"), "{words}");
    refused(&replay(&["--expect=link.mcap", "--report", "link.mcap", "--force"]), folder, "link.mcap");
    let words = refused(&replay(&["--report", "x", "--decisions", "x"]), folder, "drive.mcap");
    assert!(words.contains("exists") || words.contains("named for two outputs"), "{words}");
    // A report of ours is replaced without a word.
    assert_eq!(hairpin(&replay(&["--report", "r.html"]), folder).0, Some(0));
    assert_eq!(hairpin(&replay(&["--report", "r.html"]), folder).0, Some(0));
}

#[test]
fn a_failed_import_keeps_the_old_tape_and_leaves_nothing() {
    let folder = place();
    let folder = folder.path();
    fs::create_dir(folder.join("frames")).unwrap();
    fs::write(folder.join("frames/1.jpg"), b"\xff\xd8\xff\xd9").unwrap();
    fs::write(folder.join("frames/2.png"), b"\x89PNG cut").unwrap();
    let words = refused(&["import", "frames", "--out", "drive.mcap", "--force"], folder, "drive.mcap");
    assert!(words.contains("2.png"), "{words}");
    let left: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
    let words = refused(&["import", "frames", "--out", "drive.mcap"], folder, "drive.mcap");
    assert!(words.contains("drive.mcap exists; name another file"), "{words}");
    // Pictures that do not decode are taken, and said.
    fs::remove_file(folder.join("frames/2.png")).unwrap();
    let (code, _, words) = hairpin(&["import", "frames", "--out", "torn.mcap"], folder);
    assert_eq!(code, Some(0), "{words}");
    assert!(words.contains("1 pictures do not decode and will count as torn"), "{words}");
}

#[test]
fn an_edited_card_is_noticed() {
    for (from, to, key) in [
        ("[30.0, 0.6], [15.0, 0.8]", "[-30.0, 0.6], [-15.0, 0.8]", "action_space"),
        ("algorithm = \"clipped_ppo\"", "algorithm = \"sac\"", "algorithm"),
        ("preparation = \"stock\"", "preparation = \"luma\"", "preparation"),
    ] {
        let folder = place();
        let card = folder.path().join("lf/model.toml");
        let text = fs::read_to_string(&card).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&card, text.replace(from, to)).unwrap();
        let words = refused(&["replay", "drive.mcap", "--model", "lf"], folder.path(), "drive.mcap");
        assert!(words.contains("model.toml") && words.contains(key), "{words}");
    }
}

#[test]
fn comparisons_that_compare_nothing_are_refused() {
    let folder = place();
    for more in [["--tolerance", "nan"], ["--tolerance", "-1"], ["--tolerance", "1e30"], ["--ticks", "0"]] {
        let arguments = [&["replay", "drive.mcap", "--model", "lf", "--expect"], &more[..]].concat();
        assert_eq!(hairpin(&arguments, folder.path()).0, Some(2), "{more:?}");
    }
}

#[test]
fn a_cut_inside_a_tick_does_not_look_like_a_difference() {
    let folder = place();
    let whole = fs::read(folder.path().join("drive.mcap")).unwrap();
    let mut frames_without_ticks = 0;
    for at in (200_000..260_000).step_by(1500) {
        fs::write(folder.path().join("cut.mcap"), &whole[..at]).unwrap();
        let tape = Tape::open(&folder.path().join("cut.mcap")).unwrap();
        frames_without_ticks += usize::from(tape.frames() > tape.ticks());
        let (code, text, words) = hairpin(&["replay", "cut.mcap", "--model", "lf"], folder.path());
        assert_eq!(code, Some(0), "cut at {at}: {text}{words}");
    }
    assert!(frames_without_ticks > 0, "no cut fell between a frame and its tick");
}

#[test]
fn imports_at_once_end_with_one_whole_model() {
    let folder = place();
    let start = || {
        Command::new(env!("CARGO_BIN_EXE_hairpin"))
            .args(["import", "lf", "--name", "m", "--models", "models"])
            .current_dir(folder.path())
            .output()
    };
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..6).map(|_| scope.spawn(start)).collect();
        let ended = runs.into_iter().map(|run| run.join().unwrap().unwrap().status.code());
        assert!(ended.collect::<Vec<_>>().contains(&Some(0)));
    });
    let (code, text, words) = hairpin(&["replay", "drive.mcap", "--model", "models/m"], folder.path());
    assert_eq!(code, Some(0), "{text}{words}");
}

#[test]
fn odd_environments_and_hostile_names_do_no_harm() {
    let folder = place();
    let run = Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .arg("config")
        .env("ODD", OsStr::from_bytes(b"\xff\xfe"))
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0), "{}", String::from_utf8_lossy(&run.stderr));
    let metadata = fs::read_to_string(folder.path().join("lf/model_metadata.json")).unwrap();
    let hostile =
        metadata.replace("\"made_by\"", "\"neural_network\": \"\\u001b]0;owned\\u0007\", \"made_by\"");
    fs::create_dir(folder.path().join("h")).unwrap();
    fs::copy(folder.path().join("lf/model.pb"), folder.path().join("h/model.pb")).unwrap();
    fs::write(folder.path().join("h/model_metadata.json"), hostile).unwrap();
    let (_, text, words) = hairpin(&["inspect", "h"], folder.path());
    assert!(!text.contains('\u{1b}') && !words.contains('\u{1b}'), "{text:?}");
    // A tape is known by how it begins, whatever its name.
    fs::rename(folder.path().join("drive.mcap"), folder.path().join("drive")).unwrap();
    assert_eq!(hairpin(&["inspect", "drive"], folder.path()).0, Some(0));
}

#[test]
fn one_bad_hyperparameter_does_not_hide_the_others() {
    let folder = place();
    let hyper = r#"{"batch_size": 64, "num_epochs": 3.5, "Discount_Factor": 0.9}"#;
    fs::write(folder.path().join("lf/hyperparameters.json"), hyper).unwrap();
    let (code, text, words) = hairpin(&["inspect", "lf"], folder.path());
    assert_eq!(code, Some(0), "{words}");
    for wanted in
        ["batch size (batch_size): 64", "epochs (num_epochs): not readable", "saw 3.5", "Discount_Factor"]
    {
        assert!(text.contains(wanted), "no {wanted:?} in {text}");
    }
}

#[test]
fn a_replay_that_fails_leaves_no_half_recording_and_keeps_the_old_one() {
    let folder = place();
    let folder = folder.path();
    fs::copy(folder.join("drive.mcap"), folder.join("old.mcap")).unwrap();
    // The page fails before the first tick, the decisions in the middle of the drive.
    for output in ["--report", "--decisions"] {
        let record = ["replay", "drive.mcap", "--model", "lf", "--record", "old.mcap", "--force"];
        let words = refused(&[&record[..], &[output, "/dev/full"]].concat(), folder, "old.mcap");
        assert!(words.contains("No space left"), "{words}");
    }
    let left: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(!left.iter().any(|name| name.contains("partial")), "{left:?}");
}
