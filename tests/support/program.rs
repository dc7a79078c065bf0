//! The program itself, run in a folder.

use std::path::Path;
use std::process::Command;

/// Exit code, standard output, standard error.
pub(crate) fn hairpin(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let run =
        Command::new(env!("CARGO_BIN_EXE_hairpin")).args(arguments).current_dir(folder).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (run.status.code(), text(run.stdout), text(run.stderr))
}

/// The standard output of a command that must succeed.
#[allow(dead_code, reason = "shared; not every test needs it")]
pub(crate) fn accepted(arguments: &[&str], folder: &Path) -> String {
    let (code, text, words) = hairpin(arguments, folder);
    assert_eq!(code, Some(0), "hairpin {arguments:?}: {words}");
    text
}
