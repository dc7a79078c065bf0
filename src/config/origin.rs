//! Where a setting's value comes from, and the list that `hairpin config` shows.

use std::fmt;

use super::Config;
use super::keys;

/// Where a value was set last; flags win over the file, the file over the defaults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    #[default]
    Default,
    /// A line of a settings file.
    File {
        /// The file, as the user knows it.
        file: String,
        /// From 1.
        line: usize,
    },
    /// A flag, such as `--speed`.
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

/// One line of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// The key with its section, such as `governor.arming_ms`.
    pub key: &'static str,
    /// The value that counts, as TOML.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl Config {
    /// Every key in the order of the default file, with its value and where that comes from.
    #[must_use]
    pub fn origins(&self) -> Vec<Setting> {
        let origins = self.origins.iter().cloned().chain(std::iter::repeat(Origin::Default));
        keys::all()
            .zip(origins)
            .map(|(key, origin)| Setting { key: key.path, value: key.kind.shown(self), origin })
            .collect()
    }

    /// The settings that count, one `key = value` a line, without origins: the same text for the same
    /// behaviour, so that its digest names a configuration on a tape.
    #[must_use]
    pub fn canonical(&self) -> String {
        let lines: Vec<String> =
            keys::all().map(|key| format!("{} = {}\n", key.path, key.kind.shown(self))).collect();
        lines.concat()
    }
}
