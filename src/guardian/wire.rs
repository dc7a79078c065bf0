//! What both messages of the link share: 64 bytes, little-endian, a mark at the start and a CRC-32 (IEEE 802.3) at the
//! end. Every single turned bit is noticed, and nothing is read that was not written.

use thiserror::Error;

use crate::domain::Ask;

/// Bytes of a message.
pub const LENGTH: usize = 64;

/// Where the checksum stands.
const BODY: usize = LENGTH - 4;

/// A message that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum WireError {
    /// Of another length.
    #[error("{saw} bytes, wanted {LENGTH}")]
    Length {
        /// Bytes that came.
        saw: usize,
    },
    /// Damaged on its way, or no message at all.
    #[error("the checksum is {saw:08x}, wanted {wanted:08x}")]
    Checksum {
        /// As it came.
        saw: u32,
        /// As computed.
        wanted: u32,
    },
    /// Of another kind or version.
    #[error("{what} is {saw}")]
    Value {
        /// The field.
        what: &'static str,
        /// What stands there.
        saw: u64,
    },
}

/// Writes fields one after the other.
pub(super) struct Pen([u8; LENGTH], usize);

impl Pen {
    pub(super) fn begin(mark: u32) -> Self {
        let mut pen = Self([0; LENGTH], 0);
        pen.put(mark.to_le_bytes());
        pen
    }

    pub(super) fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        for (place, byte) in self.0.iter_mut().skip(self.1).zip(bytes) {
            *place = byte;
        }
        self.1 += N;
    }

    pub(super) fn end(mut self) -> [u8; LENGTH] {
        let crc = crc32(&self.0);
        self.1 = BODY;
        self.put(crc.to_le_bytes());
        self.0
    }
}

/// Reads fields one after the other.
pub(super) struct Eye<'a>(&'a [u8]);

impl<'a> Eye<'a> {
    /// Length, checksum and mark first.
    pub(super) fn begin(bytes: &'a [u8], mark: u32) -> Result<Self, WireError> {
        let whole: &[u8; LENGTH] = bytes.try_into().map_err(|_| WireError::Length { saw: bytes.len() })?;
        let wanted = crc32(whole);
        let saw = Eye(whole.get(BODY..).unwrap_or_default()).u32();
        if saw != wanted {
            return Err(WireError::Checksum { saw, wanted });
        }
        let mut eye = Self(whole);
        match eye.u32() {
            saw if saw == mark => Ok(eye),
            saw => Err(WireError::Value { what: "the mark", saw: saw.into() }),
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let (head, rest) = self.0.split_first_chunk::<N>().unwrap_or((&[0; N], &[]));
        self.0 = rest;
        *head
    }

    pub(super) fn u8(&mut self) -> u8 {
        u8::from_le_bytes(self.take())
    }

    pub(super) fn i16(&mut self) -> i16 {
        i16::from_le_bytes(self.take())
    }

    pub(super) fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take())
    }

    pub(super) fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.take())
    }

    /// One of a list, by its place in it.
    pub(super) fn one_of<T: Copy>(&mut self, what: &'static str, all: &[T]) -> Result<T, WireError> {
        let saw = self.u8();
        all.get(usize::from(saw)).copied().ok_or(WireError::Value { what, saw: saw.into() })
    }
}

/// In the order of their codes.
pub(super) const ASKS: [Ask; 4] = [Ask::Nothing, Ask::Arm, Ask::Disarm, Ask::Stop];

/// CRC-32 of everything before the checksum.
fn crc32(bytes: &[u8; LENGTH]) -> u32 {
    !bytes.iter().take(BODY).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xedb8_8320))
    })
}
