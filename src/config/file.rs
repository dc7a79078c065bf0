//! `hairpin.toml` as typed: every value with its key and line, and every line that is not TOML. The door to
//! the TOML parser, which recovers after a fault so that one does not hide the next.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::Fault;
use super::kind::Given;
use super::origin::Origin;
use super::place;

/// The most bytes of a settings file; the default one has about 4 thousand.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// One value as typed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    /// With its section, joined with dots.
    pub(super) path: String,
    pub(super) given: Given,
    /// From 1.
    pub(super) line: usize,
}

/// Reads the entries in the order of their lines; faults are lines that do not parse, and what stands on
/// those lines is left out. `is_section` says which paths are tables; other tables are single entries.
pub(super) fn read(file: &str, text: &str, is_section: fn(&str) -> bool) -> (Vec<Entry>, Vec<Fault>) {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut torn = Vec::new();
    let mut faults: Vec<Fault> = Vec::new();
    for error in errors {
        let line = place::line(text, error.span().map_or(0, |span| span.start));
        // One line may be broken in several ways; the first says it.
        if !torn.contains(&line) {
            torn.push(line);
            let shown: String =
                text.lines().nth(line - 1).unwrap_or_default().trim().chars().take(60).collect();
            faults.push(Fault {
                origin: Origin::File { file: file.to_owned(), line },
                key: String::new(),
                saw: format!("{shown:?}: {}", error.message().trim().replace('\n', ", ")),
                wanted: "key = value, [section] or # comment".to_owned(),
                remedy: "correct the line (texts want quotes)".to_owned(),
            });
        }
    }
    let mut entries = Vec::new();
    collect(text, "", table.get_ref(), is_section, &mut entries);
    let astray = astray(text, &torn);
    entries.retain(|entry| !torn.contains(&entry.line) && !astray.contains(&entry.line));
    entries.sort_by_key(|entry| entry.line);
    (entries, faults)
}

/// The lines under a heading that is torn: nobody knows whose they are.
fn astray(text: &str, torn: &[usize]) -> Vec<usize> {
    let mut under_torn = false;
    let mut found = Vec::new();
    for (index, row) in text.lines().enumerate() {
        if row.trim_start().starts_with('[') {
            under_torn = torn.contains(&(index + 1));
        } else if under_torn {
            found.push(index + 1);
        }
    }
    found
}

fn collect(
    text: &str,
    above: &str,
    table: &DeTable<'_>,
    is_section: fn(&str) -> bool,
    entries: &mut Vec<Entry>,
) {
    for (key, value) in table {
        let path =
            if above.is_empty() { key.get_ref().to_string() } else { format!("{above}.{}", key.get_ref()) };
        match value.get_ref() {
            // The parser bounds the depth, and only known sections are entered.
            DeValue::Table(inner) if is_section(&path) => collect(text, &path, inner, is_section, entries),
            _ => entries.push(Entry { path, given: given(value), line: place::line(text, key.span().start) }),
        }
    }
}

fn given(value: &Spanned<DeValue<'_>>) -> Given {
    match value.get_ref() {
        DeValue::String(text) => Given::Text(text.to_string()),
        DeValue::Boolean(value) => Given::Truth(*value),
        DeValue::Integer(value) => i64::from_str_radix(value.as_str(), value.radix())
            .map_or(Given::Other("an integer beyond 64 bits"), Given::Whole),
        DeValue::Float(value) => value.as_str().parse().map_or(Given::Other("a broken number"), Given::Real),
        DeValue::Datetime(_) => Given::Other("a date"),
        DeValue::Array(_) => Given::Other("a list"),
        DeValue::Table(_) => Given::Other("a section"),
    }
}
