//! What this room refuses, and how it says so: the file, the place, what was seen, what is wanted.

use std::fmt::{self, Write as _};

use thiserror::Error;

use super::origin::Origin;
use crate::vehicle::CalibrationError;

/// A text that is refused.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum ConfigError {
    /// Larger than any honest file of its kind.
    #[error("{file}: saw {saw} bytes, wanted at most {max}")]
    TooLarge {
        /// The file, as the user knows it.
        file: String,
        /// Its bytes.
        saw: usize,
        /// The limit.
        max: usize,
    },
    /// JSON that does not parse.
    #[error("{file}: not JSON at line {line}, column {column}: {saw}; wanted one JSON object in UTF-8")]
    NotJson {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// From 1, in bytes.
        column: usize,
        /// The parser's words and the text around that place.
        saw: String,
    },
    /// JSON that parses and does not mean anything here.
    #[error("{file}: {key}: saw {saw}, wanted {wanted}")]
    Refused {
        /// The file.
        file: String,
        /// The path of the key, such as `action_space[3].speed`.
        key: String,
        /// What stands there.
        saw: String,
        /// What may stand there.
        wanted: String,
    },
    /// TOML that does not parse, or not into the fields that are wanted.
    #[error("{file}:{line}: {key}: {saw}")]
    NotToml {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// The key of that line, or `line` where there is none.
        key: String,
        /// The parser's words, which name what was seen and what was expected.
        saw: String,
    },
    /// TOML that parses and does not mean anything here.
    #[error("{file}:{line}: {key}: saw {saw}, wanted {wanted}")]
    RefusedAt {
        /// The file.
        file: String,
        /// From 1.
        line: usize,
        /// The key.
        key: String,
        /// What stands there.
        saw: String,
        /// What may stand there.
        wanted: String,
    },
    /// A calibration that may not move a car.
    #[error("{file}: Calibration.{source}")]
    Calibration {
        /// The file.
        file: String,
        /// The channel, the key, saw and wanted.
        source: CalibrationError,
    },
    /// Everything that is wrong with the settings, at once.
    #[error("{}", numbered(faults))]
    Faults {
        /// In the order of the file, then of the flags.
        faults: Vec<Fault>,
    },
    /// A value that TOML cannot hold.
    #[error("{file}: cannot be written: {saw}")]
    Unwritable {
        /// The file.
        file: String,
        /// The writer's words.
        saw: String,
    },
}

/// One thing that is wrong with the settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Where it stands.
    pub origin: Origin,
    /// The key with its section, such as `governor.arming_ms`; empty for a line that is not TOML.
    pub key: String,
    /// What stands there.
    pub saw: String,
    /// What may stand there.
    pub wanted: String,
    /// What to do.
    pub remedy: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.origin)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "saw {}, wanted {}; {}", self.saw, self.wanted, self.remedy)
    }
}

fn numbered(faults: &[Fault]) -> String {
    let mut text = match faults.len() {
        1 => "1 fault in the settings".to_owned(),
        count => format!("{count} faults in the settings"),
    };
    for (index, fault) in faults.iter().enumerate() {
        // Writing to a text cannot fail.
        write!(text, "\n  {}. {fault}", index + 1).unwrap_or_default();
    }
    text
}
