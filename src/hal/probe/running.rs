//! What runs on this machine, read once from `/proc`: names, command lines and open files.

use std::fs;
use std::path::PathBuf;

use super::look;
use crate::hal::settings::Settings;

/// One program that runs.
#[derive(Clone, Debug)]
pub(super) struct Running {
    /// Its number.
    pub(super) pid: u32,
    /// The kernel's name for it, at most 15 bytes; empty where it does not tell.
    name: String,
    /// The command line, word by word.
    pub(super) words: Vec<String>,
    /// Where its open files lead; `None` where this user may not look.
    pub(super) open: Option<Vec<PathBuf>>,
}

impl Running {
    /// `servo_node (pid 913)`.
    pub(super) fn shown(&self) -> String {
        let name = if self.name.is_empty() { "a program" } else { &self.name };
        format!("{name} (pid {})", self.pid)
    }

    /// Whether it is hairpin as a service manager starts it, guardian or driver: it listens for operators.
    pub(super) fn is_service(&self) -> bool {
        serves(&self.words)
    }

    /// Whether it has a file open that `wanted` picks.
    pub(super) fn has(&self, wanted: impl Fn(&str) -> bool) -> bool {
        self.open.iter().flatten().any(|link| wanted(&link.to_string_lossy()))
    }
}

fn serves(words: &[String]) -> bool {
    let name = words.first().and_then(|word| word.rsplit('/').next());
    let told = |what: &str| words.iter().any(|word| word == what || word.starts_with(&format!("{what}=")));
    name == Some("hairpin") && told("run") && told("--operator")
}

/// Everything under `/proc`, by number.
pub(super) fn all(settings: &Settings) -> Vec<Running> {
    let proc = settings.at("/proc");
    let mut pids: Vec<u32> = look::names(&proc).iter().filter_map(|name| name.parse().ok()).collect();
    pids.sort_unstable();
    let one = |pid: u32| {
        let folder = proc.join(pid.to_string());
        let line = look::bytes(&folder.join("cmdline")).unwrap_or_default();
        let words = line.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        let open = fs::read_dir(folder.join("fd"))
            .ok()
            .map(|entries| entries.flatten().filter_map(|entry| fs::read_link(entry.path()).ok()).collect());
        Running {
            pid,
            name: look::text(&folder.join("comm")).unwrap_or_default(),
            words: words.filter(|word| !word.is_empty()).collect(),
            open,
        }
    };
    pids.into_iter().map(one).collect()
}

/// `a, b and c`; of many the first three and a count.
pub(super) fn listed(mut names: Vec<String>) -> String {
    if let Some(rest) = names.len().checked_sub(3).filter(|rest| *rest > 1) {
        names.truncate(3);
        names.push(format!("{rest} more"));
    }
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::{listed, serves};

    #[test]
    fn many_are_counted() {
        let names = |count: u8| (0..count).map(|at| char::from(b'a' + at).to_string()).collect();
        let all: Vec<String> = (0..7).map(|count| listed(names(count))).collect();
        assert_eq!(
            all,
            ["", "a", "a and b", "a, b and c", "a, b, c and d", "a, b, c and 2 more", "a, b, c and 3 more"]
        );
    }

    #[test]
    fn the_service_is_known_by_its_socket() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let served =
            "/usr/local/bin/hairpin run --model /var/lib/hairpin/model --operator /run/hairpin/operator";
        assert!(serves(&words(served)) && serves(&words("hairpin run --operator=/run/x -m y")));
        assert!(!serves(&words("hairpin run --model m")) && !serves(&words("vi run --operator")));
    }
}
