//! Fingerprints: of files (all of SHA-256) and of frames (its first eight bytes, compared every tick).
//! The door to the hash library.

use std::fmt;

use sha2::{Digest as _, Sha256};

/// SHA-256 of a file, a model or a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

/// The first 64 bits of the SHA-256 of a frame's bytes; 0 where there was no frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FrameDigest(pub u64);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Reads 64 hexadecimal digits.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut out = [0; 32];
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        for (byte, at) in out.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
        }
        Some(Self(out))
    }

    /// The first twelve digits, for people.
    #[must_use]
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FrameDigest {
    /// The digest of everything that a frame delivered; the parts' lengths are included, so that bytes
    /// cannot move from one part to the next unseen. Allocates nothing.
    #[must_use]
    pub fn of(frame: &super::frame::Frame<'_>) -> Self {
        let mut hash = Sha256::new();
        let pictures = [Some(frame.left), frame.right];
        for picture in pictures.into_iter().flatten() {
            hash.update((picture.bytes.len() as u64).to_le_bytes());
            hash.update(picture.bytes);
        }
        for value in frame.ranges {
            hash.update(value.to_bits().to_le_bytes());
        }
        let all: [u8; 32] = hash.finalize().into();
        Self(all.first_chunk().map_or(0, |head| u64::from_be_bytes(*head)))
    }
}

impl fmt::Display for FrameDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}
