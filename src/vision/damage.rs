//! What can be wrong with one picture. Positions are bytes from the picture's first.

use thiserror::Error;

/// Why a picture is refused. Nothing of it is used then: a torn picture never becomes a half-grey one.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// Zero or too large; said before any memory is taken.
    #[error("the picture is {width}x{height}, wanted 1x1 to {limit}x{limit}: choose another camera format")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// The largest of either.
        limit: u32,
    },
    /// A YUYV picture of another length than its size implies.
    #[error("the YUYV picture has {saw} bytes, {width}x{height} wants {wanted}")]
    Length {
        /// Bytes.
        saw: usize,
        /// Bytes that the size implies.
        wanted: usize,
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// Two pixels share their colour in YUYV.
    #[error("the YUYV picture is {width} pixels wide, wanted an even number")]
    OddWidth {
        /// Pixels in a row.
        width: u32,
    },
    /// Not a JPEG at all.
    #[error("the picture begins with {saw:02x?}, wanted [ff, d8], the start of a JPEG")]
    NotJpeg {
        /// Its first bytes, at most two.
        saw: Vec<u8>,
    },
    /// The bytes end too early.
    #[error("the JPEG ends at byte {at} inside its {inside}: the picture was cut")]
    Cut {
        /// The number of bytes.
        at: usize,
        /// What was being read.
        inside: &'static str,
    },
    /// A header segment contradicts the standard (T.81) or another segment.
    #[error("JPEG segment ff{marker:02x} at byte {at}: {why}")]
    Segment {
        /// The marker's second byte.
        marker: u8,
        /// Where it is.
        at: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A kind of JPEG that no camera streams.
    #[error("the JPEG is {what}, wanted baseline with one scan, as cameras send it")]
    Unsupported {
        /// The kind.
        what: &'static str,
    },
    /// The coded pixels are damaged.
    #[error("the JPEG's coded pixels are damaged at byte {at}, in block {block} of {blocks}: {why}")]
    Pixels {
        /// Where reading stopped.
        at: usize,
        /// The block in which it did, from 0.
        block: usize,
        /// Blocks that the picture has.
        blocks: usize,
        /// What was found.
        why: &'static str,
    },
    /// The decoder library refused what our checks let pass.
    #[error("the JPEG decoder refused: {why}")]
    Decoder {
        /// Its own words.
        why: String,
    },
}
