//! The program itself, from the repository's root.

use std::path::PathBuf;
use std::process::Command;

pub(crate) struct Done {
    pub(crate) code: i32,
    pub(crate) text: String,
    pub(crate) errors: String,
}

pub(crate) fn run(arguments: &[&str]) -> Done {
    let output = Command::new(env!("CARGO_BIN_EXE_hairpin"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Done { code: output.status.code().unwrap(), text: text(output.stdout), errors: text(output.stderr) }
}

pub(crate) fn temporary() -> (tempfile::TempDir, impl Fn(&str) -> String) {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().to_owned();
    (folder, move |name: &str| path.join(name).to_str().unwrap().to_owned())
}
