//! Files by a user's name, with a limit on what is taken into memory.

use std::path::Path;

use anyhow::{Context as _, bail};

/// Reads a file of at most `max` bytes.
pub(crate) fn bounded(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    let facts = std::fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
    if facts.is_dir() {
        bail!("{} is a folder, wanted a file", path.display());
    }
    if facts.len() > max {
        bail!("{} has {} MiB, wanted at most {} MiB", path.display(), facts.len() >> 20, max >> 20);
    }
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
