//! The command itself: its exit codes and words, against an installation below a temporary prefix, with a service manager
//! that is a script. The new program is this very one with a byte more, so it starts for real.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use hairpin::domain::Digest;
use hairpin::update::Slot;
use serde_json::Value;
use tar::EntryType;

use crate::bench::{Bench, elf, old, starts};
use crate::offers::{FILE, archive};

/// Does what the unit does: settles, starts what `current` leads to, and is up where that says its version. A slot named in
/// the file `broken` does not come up, and is tried again, as by `Restart=always`.
const SYSTEMCTL: &str = r#"#!/bin/sh
own=${0%/*}
echo "$*" >>"$own/calls"
start() {
    sh "$own/settle.sh" "$own/tree" 2>>"$own/calls"
    slot=$(readlink "$own/tree/opt/hairpin/current")
    echo $(($(cat "$own/pid") + 1)) >"$own/pid"
    if [ "$slot" = "$(cat "$own/broken")" ]; then
        echo "slot $slot: no camera" >"$own/journal"
        echo activating >"$own/state"
        return 1
    fi
    # The old program of these tests is not one that starts.
    if [ "$slot" = b ]; then "$own/tree/opt/hairpin/current/hairpin" --version >>"$own/calls" 2>&1 || return 1; fi
    echo active >"$own/state"
}
case $1 in
    show)
        echo "LoadState=$(cat "$own/load")"
        echo "ActiveState=$(cat "$own/state")"
        echo "MainPID=$(cat "$own/pid")"
        echo "StatusText=$(cat "$own/says")" ;;
    restart) sleep "$(cat "$own/slow")"; start || { start; echo "Job for hairpin.service failed." >&2; exit 1; } ;;
    stop) echo inactive >"$own/state" ;;
    status) cat "$own/journal" ;;
esac
"#;

/// A folder with the script, its state, and the installation below `tree`.
struct Car {
    bench: Bench,
    folder: tempfile::TempDir,
}

impl Car {
    fn new() -> Self {
        // On a disk: the program of a debug build is large.
        let (bench, folder) = (Bench::below(tempfile::tempdir().unwrap()), tempfile::tempdir().unwrap());
        let own = folder.path();
        let script = own.join("systemctl");
        fs::write(&script, SYSTEMCTL).unwrap();
        fs::set_permissions(&script, Permissions::from_mode(0o755)).unwrap();
        fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/settle.sh"), own.join("settle.sh"))
            .unwrap();
        std::os::unix::fs::symlink(bench.root.path(), own.join("tree")).unwrap();
        let car = Self { bench, folder };
        for (name, text) in [
            ("load", "loaded"),
            ("state", "active"),
            ("pid", "100"),
            ("says", "disarmed: type `arm`"),
            ("broken", ""),
            ("slow", "0"),
        ] {
            car.set(name, text);
        }
        car
    }

    fn set(&self, name: &str, text: &str) {
        fs::write(self.folder.path().join(name), text).unwrap();
    }

    fn calls(&self) -> String {
        fs::read_to_string(self.folder.path().join("calls")).unwrap_or_default()
    }

    fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// This very program with a byte more, and its digest beside it.
    fn offer(&self) -> PathBuf {
        let path = self.folder.path().join("hairpin");
        fs::copy(env!("CARGO_BIN_EXE_hairpin"), &path).unwrap();
        OpenOptions::new().append(true).open(&path).unwrap().write_all(b"\n").unwrap();
        self.sum(&path, "hairpin");
        path
    }

    fn sum(&self, path: &Path, name: &str) -> PathBuf {
        let digest = Digest::of(&fs::read(path).unwrap());
        let file = path.file_name().unwrap().to_str().unwrap();
        self.file(&format!("{file}.sha256"), format!("{digest}  {name}\n").as_bytes())
    }

    fn update(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hairpin"));
        command.arg("update").arg("--prefix").arg(self.bench.root.path());
        command.arg("--systemctl").arg(self.folder.path().join("systemctl"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }

    fn told(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let run = self.update(arguments);
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (run.status.code(), text(run.stdout), text(run.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (code, text, words) = self.told(&[arguments, &["--json"]].concat());
        assert_eq!(code, Some(0), "{arguments:?}: {words}");
        serde_json::from_str(&text).unwrap()
    }
}

#[test]
fn a_new_program_comes_up_and_is_asked_about_and_left_again() {
    let car = Car::new();
    let file = car.offer();
    let digest = Digest::of(&fs::read(&file).unwrap());
    let (code, text, words) = car.told(&[file.to_str().unwrap()]);
    assert_eq!(code, Some(0), "{words}");
    assert!(text.starts_with("hairpin ") && text.contains("in slot b; slot a is kept"), "{text}");
    assert!(text.contains("came up and stays up, disarmed"), "{text}");
    assert_eq!(starts(car.bench.root.path()), Ok(digest));
    assert!(!car.bench.on_trial());
    // The program was started for real, by the service's script.
    let calls = car.calls();
    assert!(calls.contains("restart hairpin.service") && calls.contains("\nhairpin "), "{calls}");

    let shown = car.json(&["--status"]);
    assert_eq!(shown["current"], "b");
    assert_eq!(shown["slots"][1]["sha256"], digest.to_string());
    assert!(shown["slots"][1]["version"].as_str().unwrap().starts_with("hairpin "));
    assert_eq!((&shown["trial"], &shown["service"]["state"]), (&Value::Null, &Value::from("active")));
    let (_, table, _) = car.told(&["--status"]);
    assert!(table.contains("nothing is on trial") && table.contains("the service is active"), "{table}");

    let before = car.bench.listing();
    let same = car.json(&[file.to_str().unwrap()]);
    assert_eq!((&same["changed"], car.bench.listing()), (&Value::from(false), before));
    assert_eq!(car.json(&["--confirm"])["changed"], false);
}

#[test]
fn a_new_program_that_does_not_come_up_goes_with_exit_1_and_the_journals_words() {
    let car = Car::new();
    car.set("broken", "b");
    let file = car.offer();
    let (code, text, words) = car.told(&[file.to_str().unwrap()]);
    assert_eq!((code, text.as_str()), (Some(1), ""), "{words}");
    assert!(words.contains("slot b did not come up: Job for hairpin.service failed."), "{words}");
    assert!(words.contains("slot a runs again") && words.contains("slot b: no camera"), "{words}");
    assert_eq!((car.bench.current(), car.bench.on_trial()), (Slot::A, false));
    assert_eq!(starts(car.bench.root.path()), Ok(Digest::of(&old())));
    assert_eq!(fs::read_to_string(car.folder.path().join("state")).unwrap(), "active\n");
}

/// The connection goes while the service restarts, and somebody presses Ctrl-C besides: it is brought to its end.
#[test]
fn a_terminal_that_goes_does_not_leave_it_half_done() {
    let car = Car::new();
    let file = car.offer();
    car.set("slow", "1");
    let mut command = car.command(&[file.to_str().unwrap()]);
    let child = command.process_group(0).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while !car.calls().contains("restart") {
        std::thread::sleep(Duration::from_millis(5));
    }
    for signal in [rustix::process::Signal::HUP, rustix::process::Signal::INT] {
        // To the whole group, as a terminal does.
        let group = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process_group(group, signal).unwrap();
    }
    let status = child.wait_with_output().unwrap().status;
    assert_eq!(status.code(), Some(0));
    assert_eq!((car.bench.current(), car.bench.on_trial()), (Slot::B, false));
}

#[test]
fn without_a_restart_the_trial_stays_open_until_it_is_ended_by_hand() {
    let car = Car::new();
    let file = car.offer();
    let done = car.json(&[file.to_str().unwrap(), "--no-restart"]);
    assert_eq!((&done["on_trial"], &done["up"], &done["slot"]), (&true.into(), &false.into(), &"b".into()));
    assert!(!car.calls().contains("restart"), "{}", car.calls());
    assert_eq!(car.json(&["--status"])["trial"]["to"], "b");
    assert_eq!(car.json(&["--confirm"])["changed"], true);
    assert!(!car.bench.on_trial());
    // The other slot's program of this test does not start, so there is no way back to it.
    let before = car.bench.listing();
    let (code, _, words) = car.told(&["--roll-back"]);
    assert_eq!((code, car.bench.listing()), (Some(1), before));
    assert!(words.contains("does not start here"), "{words}");
}

#[test]
fn another_trees_service_is_not_this_machines() {
    let car = Car::new();
    let file = car.offer();
    let run = Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .args(["update", "--json", "--prefix"])
        .arg(car.bench.root.path())
        .arg(&file)
        .env("PATH", car.folder.path())
        .output()
        .unwrap();
    assert_eq!(run.status.code(), Some(0));
    assert_eq!((car.calls(), car.bench.on_trial()), (String::new(), true));
}

#[test]
fn the_command_line_is_one_thing_at_a_time() {
    let car = Car::new();
    for arguments in [
        &[][..],
        &["x", "--roll-back"],
        &["--status", "--confirm"],
        &["--roll-back", "--sha256", "00"],
        &["x", "--status"],
    ] {
        assert_eq!(car.update(arguments).status.code(), Some(2), "{arguments:?}");
    }
}

/// Every file and every state that is refused: one message, exit 1, and a tree that is what it was.
#[test]
fn every_refusal_has_its_message_and_changes_nothing() {
    let car = Car::new();
    let own = |name: &str, bytes: &[u8]| {
        let path = car.file(name, bytes);
        car.sum(&path, name);
        path.to_str().unwrap().to_owned()
    };
    let fine = elf(if cfg!(target_arch = "aarch64") { 183 } else { 62 }, 0x44, 90_000);
    let foreign = elf(if cfg!(target_arch = "aarch64") { 62 } else { 183 }, 0x44, 90_000);
    let missing = car.file("missing", &fine).to_str().unwrap().to_owned();
    let named = car.file("named", &fine);
    car.sum(&named, "another");
    let wrong = "0".repeat(64);
    let cases: Vec<(Vec<String>, &str)> = vec![
        (vec![missing.clone()], "there is no digest for missing"),
        (vec![missing.clone(), "--sha256".to_owned(), wrong], "it came over damaged or is another file"),
        (vec![missing, "--sha256".to_owned(), "12".to_owned()], "wanted 64 hexadecimal digits"),
        (vec![named.to_str().unwrap().to_owned()], "holds the digest of \"another\""),
        (vec!["no-such-file".to_owned()], "cannot open no-such-file"),
        (vec![car.folder.path().to_str().unwrap().to_owned()], "is a folder, wanted a file"),
        (vec!["/dev/null".to_owned()], "is no plain file"),
        (vec![own("text", b"hello\n")], "saw text"),
        (vec![own("foreign", &foreign)], "take the release of that name"),
        (vec![own("cut", &fine[..80_000])], "is cut"),
        (vec![own("none.tar.gz", &archive(&[(FILE, "README.md", b"x")]))], "wanted a member `hairpin`"),
        (
            vec![own("two.tar.gz", &archive(&[(FILE, "a/hairpin", &fine), (FILE, "hairpin", &fine)]))],
            "more than one",
        ),
        (vec![own("up.tar.gz", &archive(&[(FILE, "../hairpin", &fine)]))], "climbs out"),
        (vec![own("link.tar.gz", &archive(&[(EntryType::Symlink, "hairpin", b"")]))], "is a link"),
        // A whole program by its header that the system does not start.
        (vec![own("dud", &fine)], "does not start here"),
    ];
    let before = car.bench.listing();
    for (arguments, words) in &cases {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (code, text, said) = car.told(&arguments);
        assert_eq!((code, text.as_str()), (Some(1), ""), "{arguments:?}: {said}");
        assert!(said.contains(words), "{arguments:?}: wanted {words:?}, saw {said}");
        assert_eq!(car.bench.listing(), before, "{arguments:?}");
    }
    assert!(!car.calls().contains("restart") && !car.calls().contains("stop"), "{}", car.calls());

    car.set("says", "ARMED: the policy drives; Enter stops");
    let (code, _, said) = car.told(&[&own("dud", &fine)]);
    assert!(code == Some(1) && said.contains("say --yes"), "{said}");
    let lock = File::open(car.bench.place.home()).unwrap();
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive).unwrap();
    let (code, _, said) = car.told(&[&own("dud", &fine)]);
    assert!(code == Some(1) && said.contains("another update runs"), "{said}");
    assert_eq!(car.bench.listing(), before);
}
