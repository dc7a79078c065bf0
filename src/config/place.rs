//! Byte offsets of a TOML text to lines and keys, for messages.

/// The line of a byte, from 1.
pub(super) fn line(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

/// The key of a line with its table, as far as the text shows it; `line` where it shows none.
pub(super) fn key(text: &str, line: usize) -> String {
    let mut table = "";
    let mut here = "";
    for row in text.lines().take(line) {
        here = row.trim();
        if here.starts_with('[') {
            table = here.trim_matches(['[', ']', ' ']);
        }
    }
    match here.split_once('=') {
        Some((name, _)) if table.is_empty() => name.trim().to_owned(),
        Some((name, _)) => format!("{table}.{}", name.trim()),
        None if here.starts_with('[') => table.to_owned(),
        None => "line".to_owned(),
    }
}
