//! Reads a tape into memory and gives its records by number. A file that ends early is a finding; damage within
//! is an error that names `recover`; what is not a tape is refused, saying what it is.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::assemble::{Entry, PicturePlace};
use super::error::TapeError;
use super::header::Header;
use super::scan::{Damage, Found, Scan};
use super::schema::{Human, frame, tick};
use crate::domain::{Frame, FrameDigest, Picture, Tick};

/// The largest file that is read: a tape lies in memory as a whole.
pub const LIMIT: u64 = 4 << 30;

/// How a tape ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// With its index, as a finished tape does.
    Whole,
    /// Early; every record before the cut was read.
    Cut {
        /// The byte at which reading stopped.
        at: u64,
        /// What stands there.
        why: String,
    },
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole => f.write_str("whole"),
            Self::Cut { at, why } => write!(f, "cut at byte {at}: {why}"),
        }
    }
}

/// One record of a tape.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The frame; `None` for a tick without one.
    pub frame: Option<Frame<'a>>,
    /// What a human did at that frame, in an imported recording.
    pub human: Option<Human>,
    /// The tick; `None` for a frame that no loop has seen.
    pub tick: Option<Tick>,
}

impl Record<'_> {
    /// Whether the recorder found no room for the pictures: they are empty, and the tick saw others.
    #[must_use]
    pub fn left_out(&self) -> bool {
        let (Some(frame), Some(tick)) = (&self.frame, &self.tick) else { return false };
        frame.left.bytes.is_empty() && tick.decision.frame != FrameDigest::of(frame)
    }
}

/// A tape in memory.
#[derive(Debug)]
pub struct Tape {
    bytes: Vec<u8>,
    header: Header,
    entries: Vec<Entry>,
    ranges: Vec<f32>,
    ending: Ending,
}

impl Tape {
    /// Reads a whole file, at most [`LIMIT`] bytes.
    ///
    /// # Errors
    /// [`TapeError`] where it cannot be read, is no tape, or is damaged within.
    pub fn open(path: &Path) -> Result<Self, TapeError> {
        Self::from_bytes(read(path)?)
    }

    /// Reads a tape that is in memory already.
    ///
    /// # Errors
    /// [`TapeError`] where it is no tape, or is damaged within.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, TapeError> {
        Self::scan(bytes, true).map(|(tape, _)| tape)
    }

    /// Reads a tape as [`Tape::from_bytes`], or, where not `strict`, all records that are whole, also behind
    /// damage; gives what was passed over.
    pub(super) fn scan(bytes: Vec<u8>, strict: bool) -> Result<(Self, Vec<Damage>), TapeError> {
        let Found { header, entries, ranges, ending, damage } = Scan::run(&bytes, strict)?;
        Ok((Self { bytes, header, entries, ranges, ending }, damage))
    }

    /// What the tape says about itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// How it ends.
    #[must_use]
    pub fn ending(&self) -> &Ending {
        &self.ending
    }

    /// Its size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// The number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The number of frames.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.entries.iter().filter(|entry| entry.frame.is_some()).count()
    }

    /// The number of ticks; 0 where nobody drove.
    #[must_use]
    pub fn ticks(&self) -> usize {
        self.entries.iter().filter(|entry| entry.tick.is_some()).count()
    }

    /// The record of that tick number.
    #[must_use]
    pub fn position_of_tick(&self, seq: u64) -> Option<usize> {
        self.entries.iter().position(|entry| entry.tick.as_ref().is_some_and(|tick| tick.seq == seq))
    }

    /// One record, by its position from 0; allocates nothing.
    #[must_use]
    pub fn record(&self, index: usize) -> Option<Record<'_>> {
        let entry = self.entries.get(index)?;
        Some(Record {
            frame: self.frame(entry),
            human: entry.frame.as_ref().and_then(|frame| frame.human),
            tick: self.tick(entry),
        })
    }

    /// All records, in order.
    #[must_use]
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'_>> {
        self.entries.iter().map(|entry| Record {
            frame: self.frame(entry),
            human: entry.frame.as_ref().and_then(|frame| frame.human),
            tick: self.tick(entry),
        })
    }

    // Every message was read once when the tape was opened, so the `None`s below stand for what the entry
    // does not have, never for a message that cannot be read.

    fn frame(&self, entry: &Entry) -> Option<Frame<'_>> {
        let place = entry.frame.as_ref()?;
        Some(Frame {
            seq: place.seq,
            captured_at: place.captured_at,
            left: self.picture(&place.left)?,
            right: place.right.as_ref().and_then(|right| self.picture(right)),
            ranges: self.ranges.get(place.ranges.clone())?,
        })
    }

    fn picture(&self, place: &PicturePlace) -> Option<Picture<'_>> {
        frame::read_picture(place.channel, self.bytes.get(place.content.clone())?).ok()
    }

    fn tick(&self, entry: &Entry) -> Option<Tick> {
        let place = entry.tick.as_ref()?;
        Some(Tick {
            inputs: tick::read_inputs(self.bytes.get(place.inputs.clone())?).ok()?,
            decision: tick::read_decision(self.bytes.get(place.decision.clone())?).ok()?,
            measured: tick::read_measured(self.bytes.get(place.measured.clone())?).ok()?,
        })
    }
}

/// Reads a file of at most [`LIMIT`] bytes.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, TapeError> {
    let failed = |source| TapeError::Io { doing: "read", path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let saw = file.metadata().map_err(failed)?.len();
    if saw > LIMIT {
        return Err(TapeError::TooLarge { saw, max: LIMIT });
    }
    let mut bytes = Vec::with_capacity(usize::try_from(saw).unwrap_or_default());
    // Bounded again: a device has no length, and a file may grow.
    file.take(LIMIT + 1).read_to_end(&mut bytes).map_err(failed)?;
    let saw = bytes.len() as u64;
    if saw > LIMIT {
        return Err(TapeError::TooLarge { saw, max: LIMIT });
    }
    Ok(bytes)
}
