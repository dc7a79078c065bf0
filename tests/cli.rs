//! What needs a process: exit codes, what goes to stdout and what to stderr, help, completions.
#![cfg(feature = "cli")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use hairpin::exit::TABLE;
use hairpin::tape::header::Header;
use hairpin::tape::{Tape, TapeWriter};
use hairpin::units::Pulse;

const TAPE: &str = "tests/tapes/drawn-lane/drive.mcap";
const MODEL: &str = "models/line-follower";
const VERBS: [&str; 15] = [
    "run",
    "tracks",
    "operate",
    "doctor",
    "record",
    "calibrate",
    "neutral",
    "import",
    "inspect",
    "replay",
    "recover",
    "bench",
    "config",
    "update",
    "completions",
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn hairpin(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_hairpin")).args(arguments).current_dir(root()).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn temporary() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().to_owned();
    (folder, move |name: &str| path.join(name).to_str().unwrap().to_owned())
}

/// A tape like `from` whose ticks went through `change`.
fn altered(from: &str, to: &str, mut change: impl FnMut(&mut hairpin::domain::Tick)) {
    let tape = Tape::open(Path::new(from)).unwrap();
    let header: Header = tape.header().clone();
    let mut writer = TapeWriter::create(Path::new(to), &header, false).unwrap();
    for record in tape.records() {
        writer.frame(&record.frame.unwrap()).unwrap();
        let mut tick = record.tick.unwrap();
        change(&mut tick);
        writer.tick(&tick).unwrap();
    }
    writer.finish().unwrap();
}

#[test]
fn exit_0_when_a_replay_equals_its_recording_and_stdout_holds_the_verdict() {
    let run = hairpin(&["replay", TAPE, "--model", MODEL, "--expect"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let text = stdout(&run);
    let first = text.lines().next().unwrap();
    assert!(
        first.starts_with("equal: 66 ticks in ") && first.ends_with("0 differing bits in 66 decisions"),
        "{first}"
    );
    for word in ["decode", "prepare", "infer", "decide", "whole", "p50 ms", "budget ms"] {
        assert!(text.contains(word), "no {word} in {text}");
    }
    let json = hairpin(&["replay", TAPE, "--model", MODEL, "--json"]);
    let value: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(value["compared"]["result"], "equal");
    assert_eq!(value["ticks"], 66);
}

#[test]
fn exit_4_at_the_first_difference_with_tick_stage_field_and_both_values() {
    let (_folder, path) = temporary();
    altered(root().join(TAPE).to_str().unwrap(), &path("wrong.mcap"), |tick| {
        if tick.inputs.seq >= 40 {
            tick.decision.pulses.steering = Pulse::clamped(1_234_567);
        }
    });
    let run = hairpin(&["replay", &path("wrong.mcap"), "--model", MODEL, "--report", &path("page.html")]);
    assert_eq!(run.status.code(), Some(4), "{}", stderr(&run));
    let verdict = stdout(&run).lines().next().unwrap().to_owned();
    assert!(
        verdict.starts_with("DIFFERS at tick 40 (frame 40), stage decide, field pulses.steering: recorded 1234567 ns, computed "),
        "{verdict}"
    );
    assert!(fs::read_to_string(path("page.html")).unwrap().contains("pulses.steering"));

    // One bit of one score.
    altered(root().join(TAPE).to_str().unwrap(), &path("bit.mcap"), |tick| {
        if tick.inputs.seq == 3 {
            let mut scores = tick.decision.scores.values().to_vec();
            scores[2] = f32::from_bits(scores[2].to_bits() ^ 1);
            tick.decision.scores = hairpin::domain::Scores::new(&scores).unwrap();
        }
    });
    let run = hairpin(&["replay", &path("bit.mcap"), "--model", MODEL]);
    assert_eq!(run.status.code(), Some(4));
    assert!(
        stdout(&run).starts_with("DIFFERS at tick 3 (frame 3), stage infer, field scores[2]: "),
        "{}",
        stdout(&run)
    );
    let run = hairpin(&["replay", &path("bit.mcap"), "--model", MODEL, "--tolerance", "1e-5"]);
    assert_eq!(run.status.code(), Some(0), "{}", stdout(&run));

    // Against a golden.
    let run = hairpin(&["replay", TAPE, "--model", MODEL, &format!("--expect={}", path("wrong.mcap"))]);
    assert_eq!(run.status.code(), Some(4));
}

#[test]
fn exit_3_when_a_recovery_lost_something_and_0_when_not() {
    let (_folder, path) = temporary();
    let whole = fs::read(root().join(TAPE)).unwrap();
    fs::write(path("cut.mcap"), &whole[..whole.len() * 2 / 3]).unwrap();
    let run = hairpin(&["recover", &path("cut.mcap")]);
    assert_eq!(run.status.code(), Some(3), "{}", stderr(&run));
    let saved = Tape::open(Path::new(&path("cut.recovered.mcap"))).unwrap();
    assert!(saved.ticks() > 20 && saved.ticks() < 66, "{} ticks", saved.ticks());
    let again = hairpin(&["recover", &path("cut.mcap")]);
    assert_eq!(again.status.code(), Some(1));
    assert!(stderr(&again).contains("there is a file already"), "{}", stderr(&again));
    let fine = hairpin(&["recover", TAPE, "--out", &path("fine.mcap")]);
    assert_eq!(fine.status.code(), Some(0), "{}", stderr(&fine));
    // The cut tape itself replays up to its cut.
    let replay = hairpin(&["replay", &path("cut.mcap"), "--model", MODEL]);
    assert!(
        stdout(&replay).contains("note: the tape is cut at byte"),
        "{}{}",
        stdout(&replay),
        stderr(&replay)
    );
}

#[test]
fn exit_2_for_a_command_line_that_is_not_understood() {
    for arguments in [
        &["replai"][..],
        &["replay"],
        &["bench", "--model", MODEL, "--ticks", "0"],
        &["import", "x", "--bogus"],
    ] {
        let run = hairpin(arguments);
        assert_eq!(run.status.code(), Some(2), "{arguments:?}");
        assert!(stdout(&run).is_empty());
    }
}

#[test]
fn exit_1_with_one_clear_error_on_stderr_and_nothing_on_stdout() {
    let (_folder, path) = temporary();
    fs::write(path("noise.tar.gz"), b"\x1f\x8b not really").unwrap();
    fs::write(path("text.toml"), "[drive]\nspeed_procent = 30\n[governer]\n").unwrap();
    fs::create_dir(path("empty")).unwrap();
    let cases: [(&[&str], &str); 11] = [
        (&["import", "/nowhere/at/all"], "does not exist; wanted a model"),
        (&["import", &path("noise.tar.gz")], "archive is damaged"),
        (&["import", &path("empty")], "no"),
        (&["import", "models/line-follower", "--name", "../up"], "cannot name a model"),
        (&["inspect", "README.md"], "not a model archive"),
        (&["replay", "README.md", "--model", MODEL], "not a tape"),
        (
            &["replay", TAPE, "--model", "src"],
            "is no model folder: it has no model.toml; `hairpin import PATH`",
        ),
        (
            &["replay", TAPE, "--model", MODEL, "--record", TAPE, "--force"],
            "itself, which is being read; name another file",
        ),
        (&["inspect", TAPE, "--tick", "1000"], "there is no tick 1000; the tape holds 66 ticks"),
        (&["config", "--set", "drive.speed_percent=300"], "drive.speed_percent"),
        (&["config", "--config", &path("text.toml")], "2 faults in the settings"),
    ];
    for (arguments, wanted) in cases {
        let run = hairpin(arguments);
        let words = stderr(&run);
        assert_eq!(run.status.code(), Some(1), "{arguments:?}: {words}");
        assert!(words.contains(wanted), "{arguments:?} says {words:?}, wanted {wanted:?}");
        assert!(words.starts_with("hairpin: "), "{words}");
        assert_eq!(words.matches("hairpin: ").count(), 1, "more than one error: {words}");
        assert!(stdout(&run).is_empty(), "{arguments:?}");
        assert!(!words.contains("panicked"), "{words}");
    }
}

#[test]
fn a_changed_model_file_is_refused() {
    let (folder, path) = temporary();
    for file in ["model.pb", "model.toml", "model_metadata.json"] {
        fs::copy(root().join(MODEL).join(file), folder.path().join(file)).unwrap();
    }
    let mut network = fs::read(path("model.pb")).unwrap();
    let at = network.len() - 2000;
    network[at] ^= 1;
    fs::write(path("model.pb"), network).unwrap();
    let run = hairpin(&["replay", TAPE, "--model", folder.path().to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    assert!(stderr(&run).contains("model.pb was changed since it was imported"), "{}", stderr(&run));
}

#[test]
fn importing_twice_changes_nothing_and_another_model_of_that_name_is_refused() {
    let (_folder, path) = temporary();
    let import = |metadata: &str, more: &[&str]| {
        fs::create_dir_all(path("m/agent")).unwrap();
        fs::copy(root().join(MODEL).join("model.pb"), path("m/agent/model.pb")).unwrap();
        fs::write(path("m/model_metadata.json"), metadata).unwrap();
        let mut arguments = vec!["import".to_owned(), path("m"), "--models".to_owned(), path("models")];
        arguments.extend(more.iter().map(|argument| (*argument).to_owned()));
        hairpin(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let metadata = fs::read_to_string(root().join(MODEL).join("model_metadata.json")).unwrap();
    assert!(stderr(&import(&metadata, &[])).contains("wrote "));
    assert!(stderr(&import(&metadata, &[])).contains("unchanged: "));
    let other = metadata.replace("0.6", "0.7");
    let refused = import(&other, &[]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(stderr(&refused).contains("exists and is another model"), "{}", stderr(&refused));
    assert_eq!(import(&other, &["--force"]).status.code(), Some(0));
}

#[test]
fn help_of_every_command_reads_well() {
    let top = stdout(&hairpin(&["--help"]));
    for (code, meaning) in TABLE {
        assert!(top.contains(&format!("{code}  {meaning}")), "{top}");
    }
    for verb in VERBS {
        assert!(top.contains(verb), "{verb} is not in the list");
        let run = hairpin(&[verb, "--help"]);
        assert_eq!(run.status.code(), Some(0));
        let help = stdout(&run);
        let first = help.lines().next().unwrap();
        assert!(first.len() > 20 && !first.ends_with('.'), "{verb}: {first}");
        for line in help.lines() {
            assert!(line.chars().count() <= 100, "{verb}: {line}");
        }
        // Every flag says what it does on its line or the next.
        let lines: Vec<&str> = help.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("--")) {
            let said = line.split("  ").filter(|part| !part.trim().is_empty()).count() > 1
                || lines.get(at + 1).is_some_and(|next| next.starts_with("          "));
            assert!(said, "{verb}: {line} says nothing");
        }
    }
}

#[test]
fn completions_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = stdout(&hairpin(&["completions", shell]));
        for verb in VERBS {
            assert!(script.contains(verb), "{shell} does not complete {verb}");
        }
    }
}

#[test]
fn readme_documents_the_exit_codes() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    for (code, meaning) in TABLE {
        assert!(readme.contains(&format!("| {code} | {meaning} |")), "README does not say {code}: {meaning}");
    }
}

#[test]
fn settings_say_where_they_come_from() {
    let (_folder, path) = temporary();
    fs::write(path("my.toml"), "[drive]\nspeed_percent = 30\n").unwrap();
    let run = hairpin(&["config", "--config", &path("my.toml"), "--set", "governor.arming_ms=700"]);
    let text = stdout(&run);
    let line = |key: &str| text.lines().find(|line| line.contains(key)).unwrap().to_owned();
    assert!(
        line("drive.speed_percent").contains("30") && line("drive.speed_percent").ends_with("my.toml:2"),
        "{text}"
    );
    assert!(
        line("governor.arming_ms").contains("700") && line("governor.arming_ms").ends_with("--set"),
        "{text}"
    );
    assert!(line("governor.latch_ms").ends_with("default"), "{text}");
    let default = stdout(&hairpin(&["config", "--default"]));
    assert_eq!(
        default.trim_end(),
        fs::read_to_string(root().join("deploy/hairpin.toml")).unwrap().trim_end()
    );
}

#[test]
fn a_tick_can_be_seen_whole_and_decisions_written_as_bits() {
    let (_folder, path) = temporary();
    let tick = stdout(&hairpin(&["inspect", TAPE, "--tick", "30"]));
    for word in ["operator", "scores", "command", "pulses", "driving"] {
        assert!(tick.contains(word), "{word} is not in {tick}");
    }
    let run = hairpin(&["replay", TAPE, "--model", MODEL, "--decisions", &path("d.jsonl"), "--ticks", "5"]);
    assert_eq!(run.status.code(), Some(0), "{}", stderr(&run));
    let lines = fs::read_to_string(path("d.jsonl")).unwrap();
    assert_eq!(lines.lines().count(), 5);
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["scores"].as_array().unwrap().len(), 5);
}
