//! The commented default settings, written from the key table: `deploy/hairpin.toml` is this text.

use super::Config;
use super::keys::{self, Key, SECTIONS};

const HEADER: &str = "\
# hairpin's settings. Every key stands here with its default; lines may be deleted.
# Flags win over this file, this file over the defaults; `hairpin config` shows which one counts.
";

/// The text of a settings file that changes nothing.
#[must_use]
pub fn default_toml() -> String {
    let config = Config::default();
    let sections = SECTIONS.map(|(section, about)| {
        let keys = keys::all().filter_map(|key| Some((key, name_in(section, key)?)));
        let lines: Vec<String> = keys
            .map(|(key, name)| {
                let value = key.kind.shown(&config);
                let wanted = key.kind.wanted();
                format!("\n# {}\n# {wanted}; default {value}\n{name} = {value}\n", key.about)
            })
            .collect();
        format!("\n# {about}\n[{section}]\n{}", lines.concat())
    });
    format!("{HEADER}{}", sections.concat())
}

/// The key's name where it stands in that very section.
fn name_in(section: &str, key: &Key) -> Option<&'static str> {
    let name = key.path.strip_prefix(section)?.strip_prefix('.')?;
    (!name.contains('.')).then_some(name)
}
