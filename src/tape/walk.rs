//! Records of an MCAP file by their places, nothing copied. Lengths are hostile: whatever is wrong with one is
//! an answer of its own, never a panic. Layout as in the MCAP specification, "Records".

use std::ops::Range;

/// The bytes at both ends of a file.
pub(super) const MAGIC: &[u8; 8] = b"\x89MCAP0\r\n";

/// One record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Place {
    /// Its kind.
    pub(super) op: u8,
    /// Where it begins.
    pub(super) at: usize,
    /// Its content; ends early where the record is cut.
    pub(super) body: Range<usize>,
}

/// What stands at a place.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Step {
    /// A whole record.
    Record(Place),
    /// A record whose length points past the end.
    Cut(Place),
    /// Fewer bytes than a record's head has, or no record.
    Nothing(&'static str),
    /// The end, exactly.
    End,
}

/// Looks at the record that begins at `at`; nothing from `end` on is read.
pub(super) fn step(bytes: &[u8], at: usize, end: usize) -> Step {
    let Some(mut rest) = bytes.get(at..end) else { return Step::Nothing("it begins past the end") };
    if rest.is_empty() {
        return Step::End;
    }
    let (Some([op]), Some(len)) = (take::<1>(&mut rest), take::<8>(&mut rest)) else {
        return Step::Nothing("the file ends within the head of a record");
    };
    if !matches!(op, 1..=15 | 128..) {
        return Step::Nothing("no MCAP record begins here");
    }
    let start = end - rest.len();
    let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
    let whole = len <= rest.len();
    let place = Place { op: *op, at, body: start..start + len.min(rest.len()) };
    if whole { Step::Record(place) } else { Step::Cut(place) }
}

/// A chunk's head and content.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Chunk {
    /// CRC-32 of the content; 0 where there is none.
    pub(super) crc: u32,
    /// Empty for none.
    pub(super) compression: String,
    /// The content; ends early where the chunk is cut.
    pub(super) content: Range<usize>,
    /// Whether the content is as long as the head says.
    pub(super) whole: bool,
}

/// Reads a chunk's head; `None` where it is cut within.
pub(super) fn chunk(bytes: &[u8], body: &Range<usize>) -> Option<Chunk> {
    let mut rest = bytes.get(body.clone())?;
    let _times_and_size: &[u8; 24] = take(&mut rest)?;
    let crc = u32::from_le_bytes(*take(&mut rest)?);
    let len = usize::try_from(u32::from_le_bytes(*take(&mut rest)?)).ok()?;
    let (compression, mut rest) = rest.split_at_checked(len)?;
    let len = usize::try_from(u64::from_le_bytes(*take(&mut rest)?)).unwrap_or(usize::MAX);
    let start = body.end - rest.len();
    Some(Chunk {
        crc,
        compression: String::from_utf8_lossy(compression).into_owned(),
        content: start..start + len.min(rest.len()),
        whole: len <= rest.len(),
    })
}

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Message {
    /// The channel's number in this file.
    pub(super) channel: u16,
    /// Frame or tick.
    pub(super) sequence: u32,
    /// Nanoseconds.
    pub(super) log_time: u64,
    /// Where the record begins.
    pub(super) at: usize,
    /// Its content.
    pub(super) content: Range<usize>,
}

/// Reads a message's head; `None` where it is cut within.
pub(super) fn message(bytes: &[u8], place: &Place) -> Option<Message> {
    let mut rest = bytes.get(place.body.clone())?;
    let channel = u16::from_le_bytes(*take(&mut rest)?);
    let sequence = u32::from_le_bytes(*take(&mut rest)?);
    let log_time = u64::from_le_bytes(*take(&mut rest)?);
    let _publish_time: &[u8; 8] = take(&mut rest)?;
    let content = place.body.end - rest.len()..place.body.end;
    Some(Message { channel, sequence, log_time, at: place.at, content })
}

fn take<'a, const N: usize>(rest: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (head, after) = rest.split_first_chunk::<N>()?;
    *rest = after;
    Some(head)
}

/// CRC-32 as zip, PNG and MCAP have it (reflected polynomial EDB88320), one byte at a time.
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| entry(crc.to_le_bytes()[0] ^ byte) ^ (crc >> 8))
}

#[expect(clippy::indexing_slicing, reason = "a byte is always below 256")]
fn entry(byte: u8) -> u32 {
    CRC[usize::from(byte)]
}

const CRC: [u32; 256] = table();

#[expect(clippy::indexing_slicing, reason = "in a constant; the index is below 256")]
const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0_u32;
    while byte < 256 {
        let (mut value, mut bit) = (byte, 0);
        while bit < 8 {
            value = (value >> 1) ^ (0xEDB8_8320 & (value & 1).wrapping_neg());
            bit += 1;
        }
        table[byte as usize] = value;
        byte += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::{Place, Step, crc32, step};

    #[test]
    fn the_crc_is_the_published_one() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
        assert_eq!(crc32(b""), 0);
    }

    #[test]
    fn a_record_is_whole_cut_or_nothing() {
        let bytes = [5, 2, 0, 0, 0, 0, 0, 0, 0, 7, 8];
        assert_eq!(step(&bytes, 0, 11), Step::Record(Place { op: 5, at: 0, body: 9..11 }));
        assert_eq!(step(&bytes, 0, 10), Step::Cut(Place { op: 5, at: 0, body: 9..10 }));
        assert!(matches!(step(&bytes, 0, 8), Step::Nothing(_)));
        assert_eq!(step(&bytes, 11, 11), Step::End);
        assert!(matches!(step(&[0; 20], 0, 20), Step::Nothing(_)));
        let endless = [5, 255, 255, 255, 255, 255, 255, 255, 255, 1];
        assert_eq!(step(&endless, 0, 10), Step::Cut(Place { op: 5, at: 0, body: 9..10 }));
    }
}
