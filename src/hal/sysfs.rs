//! Files of one short text, as sysfs has them. Refuses by path.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use super::HalError;

/// Replaces the text of a file that is there; creates none.
pub(super) fn write(path: &Path, value: &str) -> Result<(), HalError> {
    let mut options = OpenOptions::new();
    let written =
        options.write(true).truncate(true).open(path).and_then(|mut file| file.write_all(value.as_bytes()));
    written.map_err(|source| HalError::Write { path: path.to_path_buf(), value: value.to_owned(), source })
}

/// The text without the white space around it, where the file can be read.
pub(super) fn text(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_owned())
}

/// A whole number, where the file holds one.
pub(super) fn number(path: &Path) -> Option<u32> {
    text(path)?.parse().ok()
}
