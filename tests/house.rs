//! The house's own rules, read off the source: arrows run down, every foreign crate has its doors, every file
//! has its plate, no file or name has grown out of its room.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Rooms and their layers (ARCHITECTURE.md). Rooms of one layer do not import each other.
const LAYERS: [(&str, u8); 21] = [
    ("units", 0),
    ("domain", 1),
    ("vision", 2),
    ("ranging", 2),
    ("policy", 2),
    ("governor", 2),
    ("lease", 2),
    ("vehicle", 2),
    ("track", 2),
    ("drive", 3),
    ("hal", 4),
    ("tape", 4),
    ("sim", 4),
    ("update", 4),
    ("config", 5),
    ("report", 6),
    ("console", 6),
    ("guardian", 6),
    ("commands", 7),
    ("cli", 6),
    ("exit", 0),
];

/// Foreign crates and the only files that may name them; a folder stands for all in it.
const DOORS: [(&str, &[&str]); 25] = [
    (
        "tract_onnx",
        &[
            "policy/onnx.rs",
            "policy/plan.rs",
            "policy/feed.rs",
            "policy/typed.rs",
            "policy/kernels/float",
            "policy/fixed/calibrate.rs",
            "policy/fixed/contract.rs",
            "policy/fixed/graph.rs",
            "policy/fixed/operator.rs",
            "policy/fixed/parts.rs",
        ],
    ),
    ("tract_tensorflow", &["policy/frozen.rs"]),
    ("tar", &["policy/archive.rs", "update/package.rs"]),
    ("flate2", &["policy/archive.rs", "update/package.rs"]),
    ("prost", &["policy/onnx.rs", "policy/frozen.rs", "policy/fixed/file.rs", "tape/"]),
    ("prost_types", &["tape/"]),
    ("mcap", &["tape/"]),
    ("zune_jpeg", &["vision/decode.rs"]),
    ("zune_core", &["vision/decode.rs"]),
    // `domain` has a module of that name.
    ("image", &["tape/import/", "commands/picture.rs", "domain/mod.rs"]),
    ("jpeg_encoder", &["tape/import/", "sim/render.rs"]),
    ("v4l", &["hal/camera.rs"]),
    ("embedded_hal", &["hal/"]),
    ("linux_embedded_hal", &["hal/"]),
    ("pwm_pca9685", &["hal/pca9685.rs"]),
    ("thread_priority", &["hal/priority.rs"]),
    ("signal_hook", &["commands/"]),
    ("rustix", &["hal/", "guardian/", "commands/", "update/disk.rs"]),
    ("clap", &["cli.rs", "cli/"]),
    ("clap_complete", &["cli.rs"]),
    ("anyhow", &["commands/", "main.rs"]),
    ("toml", &["config/"]),
    ("sha2", &["domain/digest.rs"]),
    ("libm", &["units/curve.rs", "track/trig.rs", "policy/fixed/head.rs", "sim/"]),
    ("indicatif", &["commands/"]),
];

/// Words that say nothing about what lives behind them.
const BANNED: [&str; 11] =
    ["manager", "handler", "helper", "util", "utils", "common", "misc", "types", "data", "process", "core"];

struct Source {
    path: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().replace('\\', "/");
                found.push(Source { text: std::fs::read_to_string(&path).unwrap(), path: name });
            }
        }
    }
    assert!(found.len() > 50, "the walk found only {} files", found.len());
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn room(path: &str) -> &str {
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

fn layer(room: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == room).map(|(_, layer)| *layer)
}

/// The code of a file without its comments and its own tests, which may reach up.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..tests].lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The words that follow `prefix` in a text: `crate::` gives the rooms that a file names.
fn named_after<'a>(text: &'a str, prefix: &str) -> Vec<&'a str> {
    text.match_indices(prefix)
        .map(|(at, _)| {
            let rest = &text[at + prefix.len()..];
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            &rest[..end]
        })
        .collect()
}

#[test]
fn arrows_run_down_and_peers_do_not_meet() {
    let mut wrong = Vec::new();
    for source in sources() {
        let own = room(&source.path).to_owned();
        if matches!(own.as_str(), "lib" | "main") {
            continue;
        }
        let Some(own_layer) = layer(&own) else {
            wrong.push(format!("{}: the room {own} has no layer in tests/house.rs", source.path));
            continue;
        };
        for other in named_after(&code(&source.text), "crate::") {
            let Some(other_layer) = layer(other) else {
                wrong.push(format!("{}: names crate::{other}, which is no room", source.path));
                continue;
            };
            if other != own && other_layer >= own_layer {
                wrong.push(format!("{} (L{own_layer}) imports {other} (L{other_layer})", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that do not run down:\n{}", wrong.join("\n"));
}

#[test]
fn every_foreign_crate_has_its_doors() {
    let mut wrong = Vec::new();
    for source in sources() {
        let code = code(&source.text);
        for (name, doors) in DOORS {
            let call = format!("{name}::");
            let named = code
                .match_indices(&call)
                .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':'));
            if named && !doors.iter().any(|door| source.path.starts_with(door)) {
                wrong.push(format!("{} names {name}; its doors are {doors:?}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_has_its_plate_and_keeps_its_size() {
    let mut wrong = Vec::new();
    let mut lengths = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            wrong.push(format!("{}: no plate (//! what lives here, what it refuses)", source.path));
        }
        let lines = source.text.lines().count();
        lengths.push(lines);
        if lines > 400 {
            wrong.push(format!("{}: {lines} lines, at most 400", source.path));
        }
        for line in source.text.lines().filter(|line| line.trim_start().starts_with("use ")) {
            if line.contains("::*") {
                wrong.push(format!("{}: {}: imports are explicit", source.path, line.trim()));
            }
        }
    }
    lengths.sort_unstable();
    println!(
        "{} files, median {} lines, longest {}",
        lengths.len(),
        lengths[lengths.len() / 2],
        lengths[lengths.len() - 1]
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_file_has_a_name_that_says_nothing() {
    for source in sources() {
        for part in source.path.trim_end_matches(".rs").split(['/', '_']) {
            assert!(!BANNED.contains(&part), "{}: {part} says nothing about what lives there", source.path);
        }
    }
}

#[test]
fn no_clock_environment_or_randomness_below_the_commands() {
    let asks = ["Instant::now", "SystemTime", "std::env", "env::", "thread::", "rand::"];
    // Time comes from one clock, which the commands start; threads stand where something must not be waited for.
    let allowed = [
        "commands/",
        "main.rs",
        "hal/clock.rs",
        "hal/capture",
        "hal/pause.rs",
        "hal/wake.rs",
        "hal/board.rs",
        "guardian/driver.rs",
        "guardian/eye.rs",
        "guardian/link.rs",
        "tape/recorder",
        // The second thread of a fixed-point plan: it is told no time, and asks for none.
        "policy/fixed/crew",
    ];
    for source in sources() {
        if allowed.iter().any(|door| source.path.starts_with(door)) {
            continue;
        }
        let code = code(&source.text);
        for ask in asks {
            assert!(
                !code.contains(ask),
                "{}: asks the world through {ask}; make it an argument",
                source.path
            );
        }
    }
}

#[test]
fn the_architecture_names_every_room() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ARCHITECTURE.md");
    let text = std::fs::read_to_string(path).unwrap();
    let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
    for source in sources() {
        *rooms.entry(room(&source.path).to_owned()).or_default() += 1;
    }
    for room in rooms.keys().filter(|room| *room != "lib") {
        assert!(text.contains(&format!("`{room}")), "ARCHITECTURE.md does not name the room {room}");
    }
}

/// The linker's proof that the loop, the tape and the models touch no device and no socket: without features, nothing
/// that could is in the tree.
#[test]
fn the_library_without_features_reaches_no_device() {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let listed = std::process::Command::new(cargo)
        .args([
            "tree",
            "--locked",
            "--offline",
            "--no-default-features",
            "--edges",
            "normal",
            "--prefix",
            "none",
        ])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8(listed.stdout).unwrap();
    assert!(tree.contains("tract-core"), "{tree}{}", String::from_utf8_lossy(&listed.stderr));
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    for banned in [
        "v4l",
        "v4l2-sys-mit",
        "nix",
        "i2cdev",
        "linux-embedded-hal",
        "tokio",
        "mio",
        "socket2",
        "clap",
        "indicatif",
    ] {
        assert!(!names.contains(&banned), "{banned} is in the tree without features");
    }
}

/// Every row of SAFETY.md names a guard that is there and a test that is one.
#[test]
fn safety_names_files_and_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("SAFETY.md")).unwrap();
    let (mut files, mut tests, mut wrong) = (0, 0, Vec::new());
    for name in text.split('`').skip(1).step_by(2) {
        let (file, test) = name.split_once("::").map_or((name, None), |(file, test)| (file, Some(test)));
        if !file.starts_with("src/") && !file.starts_with("tests/") {
            continue;
        }
        if file.ends_with('/') {
            assert!(root.join(file).is_dir(), "{file}");
            continue;
        }
        let Ok(source) = std::fs::read_to_string(root.join(file)) else {
            wrong.push(format!("there is no {file}"));
            continue;
        };
        files += 1;
        if let Some(test) = test {
            tests += 1;
            let at = source.find(&format!("fn {test}("));
            let marked = at.is_some_and(|at| source[..at].trim_end().ends_with("#[test]"));
            if !marked {
                wrong.push(format!("{file} has no test {test}"));
            }
        }
    }
    assert!(files > 60 && tests > 40, "only {files} files and {tests} tests are named");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("`tests/"));
    for row in rows {
        assert!(row.split('|').nth(5).is_some_and(|test| test.contains("::")), "no test in: {row}");
    }
}

/// Inner loops for vector instructions are the one place with `unsafe`, and say in every block why it is sound.
#[test]
fn unsafe_lives_in_the_kernels_alone_and_gives_its_reason() {
    let mut blocks = 0;
    for source in sources() {
        let code = code(&source.text);
        let named = code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        if !named {
            continue;
        }
        assert!(
            source.path.starts_with("policy/kernels/"),
            "{}: unsafe outside of policy/kernels",
            source.path
        );
        let lines: Vec<&str> = source.text.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("unsafe {")) {
            blocks += 1;
            let before = &lines[at.saturating_sub(6)..=at];
            let reasoned = before.iter().any(|line| line.contains("SAFETY"));
            assert!(reasoned, "{}:{}: {} without a SAFETY reason", source.path, at + 1, line.trim());
        }
    }
    println!("{blocks} unsafe blocks, all in policy/kernels, each with its reason");
    assert!(blocks > 0);
}
