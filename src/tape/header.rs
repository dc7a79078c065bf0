//! What a tape says about itself, in one MCAP metadata record before everything else, so that even a file that
//! was cut early still says it. Refuses a record whose check does not fit its entries.

use std::collections::BTreeMap;
use std::fmt;

use super::error::TapeError;
use crate::domain::Digest;

/// The version that this build writes.
pub const VERSION: Version = Version { major: 1, minor: 1 };

/// The name of the metadata record.
pub const RECORD: &str = "hairpin";

/// Entries that the tape itself owns.
const FORMAT: &str = "format";
const CHECK: &str = "check";

/// The format's version; see the law in the room's plate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Version {
    /// Changed where an old reader would misread.
    pub major: u32,
    /// Changed where something is added.
    pub minor: u32,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let (major, minor) = text.split_once('.')?;
        Some(Self { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The keys that have a meaning; any other may be added.
pub mod key {
    /// The build that drove: version and commit.
    pub const BUILD: &str = "build";
    /// The model's name.
    pub const MODEL: &str = "model";
    /// SHA-256 of the model's network file, 64 hexadecimal digits.
    pub const MODEL_DIGEST: &str = "model_sha256";
    /// SHA-256 of the configuration in force, 64 hexadecimal digits.
    pub const CONFIG_DIGEST: &str = "config_sha256";
    /// The inference kernels that made the scores.
    pub const KERNELS: &str = "kernels";
    /// The CPU's instructions that ran a fixed-point plan; its scores do not depend on them.
    pub const INSTRUCTIONS: &str = "instructions";
    /// The calibration in force, as its file writes it.
    pub const CALIBRATION: &str = "calibration";
    /// The world: `car`, `tape`, `import` or another.
    pub const RIG: &str = "rig";
    /// Who made the tape: a command line or a person.
    pub const CREATED_BY: &str = "created_by";
    /// Set by `recover`: what had been lost.
    pub const RECOVERED: &str = "recovered";
}

/// The header: a version and entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format that the tape is written in.
    pub version: Version,
    /// Everything else, by [`key`].
    pub entries: BTreeMap<String, String>,
}

impl Default for Header {
    fn default() -> Self {
        Self { version: VERSION, entries: BTreeMap::new() }
    }
}

impl Header {
    /// The same header with one more entry; an entry of that key is replaced.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Self {
        self.entries.insert(key.to_owned(), value.into());
        self
    }

    /// One entry.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&str> {
        self.entries.get(key).map(String::as_str)
    }

    /// The digest of the model's network, if the tape was driven by one.
    #[must_use]
    pub fn model_digest(&self) -> Option<Digest> {
        self.get(key::MODEL_DIGEST).and_then(Digest::from_hex)
    }

    /// The digest of the configuration in force.
    #[must_use]
    pub fn config_digest(&self) -> Option<Digest> {
        self.get(key::CONFIG_DIGEST).and_then(Digest::from_hex)
    }

    /// The map that the metadata record holds: the entries, the version, and a digest of both.
    pub(super) fn to_map(&self) -> BTreeMap<String, String> {
        let mut map = self.entries.clone();
        map.insert(FORMAT.to_owned(), VERSION.to_string());
        let check = check(&map);
        map.insert(CHECK.to_owned(), check);
        map
    }

    /// Reads the metadata record's map.
    pub(super) fn from_map(mut map: BTreeMap<String, String>) -> Result<Self, TapeError> {
        let text = map.get(FORMAT).cloned().unwrap_or_default();
        let version = Version::parse(&text).ok_or(TapeError::VersionText { saw: text })?;
        if version.major != VERSION.major {
            return Err(TapeError::Version { saw: version, wanted: VERSION.major });
        }
        let recorded = map.remove(CHECK).unwrap_or_default();
        let computed = check(&map);
        if recorded != computed {
            return Err(TapeError::HeaderDamaged { recorded, computed });
        }
        map.remove(FORMAT);
        Ok(Self { version, entries: map })
    }
}

/// The first twelve digits of the SHA-256 of all entries, each preceded by its length.
fn check(map: &BTreeMap<String, String>) -> String {
    let mut text = String::new();
    for part in map.iter().flat_map(|(key, value)| [key, value]) {
        text.push_str(&part.len().to_string());
        text.push(':');
        text.push_str(part);
    }
    Digest::of(text.as_bytes()).short()
}

#[cfg(test)]
mod tests {
    use super::{Header, VERSION, Version, key};
    use crate::domain::Digest;

    #[test]
    fn entries_come_back_and_a_changed_entry_is_noticed() {
        let digest = Digest::of(b"network");
        let header = Header::default()
            .with(key::MODEL, "larsll")
            .with(key::MODEL_DIGEST, digest.to_string())
            .with("anything", "ä\n");
        let map = header.to_map();
        let read = Header::from_map(map.clone()).expect("own map");
        assert_eq!(read, header);
        assert_eq!(read.model_digest(), Some(digest));
        assert_eq!(read.config_digest(), None);

        let mut changed = map;
        changed.insert(key::MODEL.to_owned(), "larsl1".to_owned());
        let error = Header::from_map(changed).expect_err("changed").to_string();
        assert!(error.starts_with("the tape's header is damaged: its check is "), "{error}");
    }

    #[test]
    fn a_larger_minor_is_taken_and_keeps_its_number() {
        let mut map = Header::default().to_map();
        map.remove("check");
        map.insert("format".to_owned(), "1.7".to_owned());
        let check = super::check(&map);
        map.insert("check".to_owned(), check);
        let read = Header::from_map(map).expect("same major");
        assert_eq!(read.version, Version { major: VERSION.major, minor: 7 });
    }
}
