//! Files by a user's name, with a limit on what is taken into memory.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Reads a file of at most `max` bytes.
pub(crate) fn bounded(path: &Path, max: u64) -> anyhow::Result<Vec<u8>> {
    let facts = std::fs::metadata(path).with_context(|| format!("cannot open {}", path.display()))?;
    if !facts.is_file() {
        let kind = if facts.is_dir() { "a folder" } else { "no plain file" };
        bail!("{} is {kind}, wanted a file", path.display());
    }
    if facts.len() > max {
        bail!("{} has {} MiB, wanted at most {} MiB", path.display(), facts.len() >> 20, max >> 20);
    }
    let mut bytes = Vec::new();
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    // Bounded again: a file may grow while it is read.
    file.take(max).read_to_end(&mut bytes).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(bytes)
}

/// Whether two names lead to one file, through whatever links.
pub(crate) fn same(a: &Path, b: &Path) -> bool {
    match (std::fs::metadata(a), std::fs::metadata(b)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => a == b,
    }
}

/// A file beside `out`, of this very process, that becomes it when it is whole. An older `out` lives until then.
///
/// # Errors
/// Where `out` is no plain file, or exists and `force` is not given.
pub(crate) fn partial(out: &Path, force: bool) -> anyhow::Result<PathBuf> {
    match std::fs::symlink_metadata(out) {
        Ok(facts) if !facts.is_file() => bail!("{} is no plain file; name another", out.display()),
        Ok(_) if !force => bail!("{} exists; name another file, or replace it with --force", out.display()),
        _ => {}
    }
    let name = out.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Ok(out.with_file_name(format!(".{name}.{}.partial", std::process::id())))
}

/// Refuses to write `out` where it leads to a file that is being read.
pub(crate) fn not_one_of(out: &Path, read: &[&Path]) -> anyhow::Result<()> {
    match read.iter().find(|file| same(out, file)) {
        Some(file) => {
            bail!("{} is {} itself, which is being read; name another file", out.display(), file.display())
        }
        None => Ok(()),
    }
}
