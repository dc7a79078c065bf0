//! What an update needs of the machine: a disk whose every change is one call, so that a test can cut the power between
//! any two, and a service manager. The real one of those is the command's.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Files. A change is durable only after the `sync` that follows it.
pub trait Disk {
    /// A whole file of at most `most` bytes.
    ///
    /// # Errors
    /// The system's; [`io::ErrorKind::FileTooLarge`] beyond `most`.
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>>;
    /// Where a symbolic link leads, as written in it.
    ///
    /// # Errors
    /// The system's; also where it is no link.
    fn link(&self, path: &Path) -> io::Result<PathBuf>;
    /// Whether a folder is there.
    fn is_folder(&self, path: &Path) -> bool;
    /// Whether anything of that name is there.
    fn exists(&self, path: &Path) -> bool;
    /// Whether this process may change what a folder holds.
    ///
    /// # Errors
    /// Why it may not.
    fn writable(&self, folder: &Path) -> io::Result<()>;
    /// Bytes free for this process where a folder lies.
    ///
    /// # Errors
    /// The system's.
    fn free(&self, folder: &Path) -> io::Result<u64>;
    /// Takes the one lock on a folder, until this disk is dropped; false where another process holds it.
    ///
    /// # Errors
    /// The system's.
    fn lock(&mut self, folder: &Path) -> io::Result<bool>;
    /// Makes a folder.
    ///
    /// # Errors
    /// The system's.
    fn make_folder(&mut self, path: &Path) -> io::Result<()>;
    /// Writes a new file, over whatever was there of that name; `runs` makes it a program.
    ///
    /// # Errors
    /// The system's.
    fn write(&mut self, path: &Path, bytes: &[u8], runs: bool) -> io::Result<()>;
    /// Brings a file's content to the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync(&mut self, file: &Path) -> io::Result<()>;
    /// Brings a folder's names to the disk.
    ///
    /// # Errors
    /// The system's.
    fn sync_folder(&mut self, folder: &Path) -> io::Result<()>;
    /// Gives a file or link another name, in one step, over whatever had it.
    ///
    /// # Errors
    /// The system's.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
    /// Makes a symbolic link, where nothing of that name is.
    ///
    /// # Errors
    /// The system's.
    fn symlink(&mut self, target: &str, path: &Path) -> io::Result<()>;
    /// Removes a file or link; one that is not there is no failure.
    ///
    /// # Errors
    /// The system's.
    fn remove(&mut self, path: &Path) -> io::Result<()>;
}

/// What the service manager says of hairpin's unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unit {
    /// `active`, `activating`, `failed`, `inactive`, and so on.
    pub state: String,
    /// Its main process; 0 where there is none.
    pub pid: u32,
    /// The status text that the guardian gave, which begins with the lease's phase.
    pub says: String,
}

impl Unit {
    /// Whether it is up: with `Type=notify`, since its driver's first record.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.state == "active"
    }

    /// Whether it was stopped on purpose, and is to be left so.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        matches!(self.state.as_str(), "inactive" | "deactivating")
    }

    /// Whether the car drives, or is about to.
    #[must_use]
    pub fn is_armed(&self) -> bool {
        let text = self.says.to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
        let negated = words.first() == Some(&"not");
        !negated && words.iter().any(|word| matches!(*word, "armed" | "arming"))
    }
}

/// The service manager, and what else is started.
pub trait Service {
    /// Hairpin's unit; `None` where no service manager runs, or it does not know the unit.
    fn unit(&mut self) -> Option<Unit>;
    /// Stops and starts it, and waits until it is up.
    ///
    /// # Errors
    /// Where it is not up within `limit`, in words.
    fn restart(&mut self, limit: Duration) -> Result<(), String>;
    /// Stops it, and waits until it is. Whether that worked shows in what follows.
    fn stop(&mut self, limit: Duration);
    /// Its last words: the manager's status with the journal's last lines.
    fn last_words(&mut self) -> String;
    /// Starts a program with `--version` and returns the first line of what it says.
    ///
    /// # Errors
    /// Where it does not end well within `limit`, in words.
    fn version(&mut self, program: &Path, limit: Duration) -> Result<String, String>;
    /// Waits.
    fn pause(&mut self, span: Duration);
}

#[cfg(test)]
mod tests {
    use super::Unit;

    #[test]
    fn what_the_guardian_says_tells_whether_the_car_drives() {
        let armed = |says: &str| Unit { says: says.to_owned(), ..Unit::default() }.is_armed();
        for says in
            ["ARMED: the policy drives; Enter stops", "arming: neutral for the ESC", "armed", "phase: Armed"]
        {
            assert!(armed(says), "{says}");
        }
        for says in [
            "",
            "disarmed: type `arm` and Enter to drive, Enter alone to stop, `quit` to end",
            "STOPPED by the operator; `arm` drives again",
            "not armed: no good frame came in time",
            "starting",
        ] {
            assert!(!armed(says), "{says}");
        }
    }
}
