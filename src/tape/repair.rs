//! Saves what is whole of a tape that was cut or damaged: every whole record, also behind damage, in a new tape
//! that is whole. Says what was lost. Refuses what never was a tape, as the reader does.

use std::fmt;
use std::io::Write;
use std::path::Path;

use super::error::TapeError;
use super::header::{Header, key};
use super::reader::{Tape, read};
use super::scan::Damage;
use super::writer::TapeWriter;

/// What could not be saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// Records that seem to begin in what cannot be read.
    pub records: u64,
    /// Bytes that belong to no whole record, the index not counted.
    pub bytes: u64,
    /// The first of them.
    pub from: Option<u64>,
    /// Every stretch, in order.
    pub stretches: Vec<Damage>,
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(from) = self.from else { return f.write_str("nothing") };
        write!(f, "{} records in {} bytes, from byte {from} on", self.records, self.bytes)
    }
}

/// What could be saved, and what not.
#[derive(Debug)]
pub struct Salvage {
    /// Every whole record, in order.
    pub tape: Tape,
    /// The rest.
    pub lost: Lost,
}

/// Reads a file for all that is whole in it.
///
/// # Errors
/// [`TapeError`] where it cannot be read, or is no tape.
pub fn open(path: &Path) -> Result<Salvage, TapeError> {
    salvage(read(path)?)
}

/// Finds all that is whole.
///
/// # Errors
/// [`TapeError`] where it is no tape, or ends before its header does.
pub fn salvage(bytes: Vec<u8>) -> Result<Salvage, TapeError> {
    let (tape, stretches) = Tape::scan(bytes, false)?;
    let lost = Lost {
        records: stretches.iter().map(|stretch| stretch.records).sum(),
        bytes: stretches.iter().map(|stretch| stretch.bytes).sum(),
        from: stretches.first().map(|stretch| stretch.at),
        stretches,
    };
    Ok(Salvage { tape, lost })
}

impl Salvage {
    /// The header of the new tape: the old one, and what was lost.
    #[must_use]
    pub fn header(&self) -> Header {
        self.tape.header().clone().with(key::RECOVERED, format!("lost: {}", self.lost))
    }

    /// Writes every whole record to a tape that was begun with [`Salvage::header`]; gives their number.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn write<W: Write>(&self, mut to: TapeWriter<W>) -> Result<usize, TapeError> {
        for record in self.tape.records() {
            if let Some(frame) = &record.frame {
                to.labelled(frame, record.human)?;
            }
            if let Some(tick) = &record.tick {
                to.tick(tick)?;
            }
        }
        to.finish()?;
        Ok(self.tape.len())
    }
}
