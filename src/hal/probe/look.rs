//! Looking at files: short ones read, permissions asked for. Opens plain files only, and only for reading, so that no
//! pipe and no device can hold a probe up.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use rustix::fs::{Access, access};
use rustix::io::Errno;

/// More than any file of `/proc` or `/sys` that is read here holds.
const MOST: u64 = 1 << 20;

/// The bytes of a plain file; `None` where there is none or it cannot be read.
pub(super) fn bytes(path: &Path) -> Option<Vec<u8>> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file)?;
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// Its text without the blanks and zero bytes around it.
pub(super) fn text(path: &Path) -> Option<String> {
    let bytes = bytes(path)?;
    let text = String::from_utf8_lossy(&bytes);
    Some(text.trim_matches(|c: char| c.is_whitespace() || c == '\0').to_owned())
}

/// The number that is all its text.
pub(super) fn number<T: FromStr>(path: &Path) -> Option<T> {
    text(path)?.parse().ok()
}

/// The names in a folder, sorted; none where it cannot be read.
pub(super) fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Where an entry of a class folder leads, through its links.
pub(super) fn leads_to(entry: &Path) -> PathBuf {
    fs::canonicalize(entry).unwrap_or_else(|_| entry.to_path_buf())
}

/// Whether this user may write a file.
pub(super) fn writable(path: &Path) -> Result<(), String> {
    open_to(path, Access::WRITE_OK)
}

/// Whether this user may read and write a device node.
pub(super) fn usable(path: &Path) -> Result<(), String> {
    open_to(path, Access::READ_OK | Access::WRITE_OK)
}

/// Asks the system without opening; the refusal names the path.
fn open_to(path: &Path, how: Access) -> Result<(), String> {
    let refused = |why: String| Err(format!("{} {why}", path.display()));
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return refused("does not exist".to_owned()),
        Err(error) => return refused(format!("cannot be seen ({error})")),
        Ok(facts) if facts.is_dir() => return refused("is a folder".to_owned()),
        Ok(_) => {}
    }
    match access(path, how) {
        Ok(()) => Ok(()),
        Err(Errno::ACCESS | Errno::PERM) => refused("refuses this user".to_owned()),
        Err(Errno::ROFS) => refused("lies on a read-only file system".to_owned()),
        Err(other) => refused(format!("cannot be used ({other})")),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{bytes, number, text, usable, writable};

    #[test]
    fn what_cannot_be_written_says_why() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("duty_cycle");
        assert!(writable(&file).expect_err("not there").ends_with("duty_cycle does not exist"));
        fs::write(&file, "1450000\n").expect("writes");
        assert_eq!((writable(&file), usable(&file)), (Ok(()), Ok(())));
        assert!(writable(root.path()).expect_err("a folder").ends_with("is a folder"));
    }

    #[test]
    fn only_plain_files_are_read() {
        let root = tempfile::tempdir().expect("a folder");
        let file = root.path().join("model");
        fs::write(&file, "Raspberry Pi 5\n\0").expect("writes");
        assert_eq!(text(&file).as_deref(), Some("Raspberry Pi 5"));
        assert_eq!(number::<u32>(&file), None);
        assert_eq!((bytes(root.path()), bytes(&root.path().join("none"))), (None, None));
    }
}
