//! Writes a tape, in chunks that hold whole records and reach the file as they are closed: a crash loses at
//! most one, and what is there reads without its index. Refuses to overwrite. A door to `mcap`.
//!
//! A chunk is closed before the record after [`CHUNK`] bytes, and by [`TapeWriter::flush`]; the caller decides
//! how often that is and whether the disk is waited for ([`TapeWriter::sync`]). Own memory is reused; what still
//! allocates is the container library, for its index and where it closes a chunk.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::Path;

use mcap::records::{MessageHeader, Metadata};
use mcap::write::NoSeek;
use mcap::{McapError, WriteOptions, Writer};

use super::error::TapeError;
use super::header::{Header, RECORD};
use super::schema::frame::{Eye, write_human, write_picture, write_ranges};
use super::schema::tick::{write_decision, write_inputs, write_measured};
use super::schema::{Channel, ENCODING, Human};
use crate::domain::{Frame, Tick};

/// Content after which a chunk is closed, in bytes: a third of a second of 640x480 JPEGs.
pub const CHUNK: usize = 256 << 10;

/// Where a tape's bytes come to rest.
pub trait Disk: Send {
    /// Waits until it has all that was written.
    ///
    /// # Errors
    /// Where it does not keep it.
    fn sync(&mut self) -> std::io::Result<()>;
}

impl Disk for File {
    fn sync(&mut self) -> std::io::Result<()> {
        self.sync_data()
    }
}

/// A tape that is being written. Dropping it finishes it, without a word about errors.
pub struct TapeWriter<W: Write> {
    mcap: Writer<NoSeek<W>>,
    disk: Option<Box<dyn Disk>>,
    channels: [Option<u16>; Channel::ALL.len()],
    message: Vec<u8>,
    in_chunk: usize,
    content: u64,
    /// Whether the last record is a frame that its tick may still follow.
    frame_waits: bool,
}

impl TapeWriter<BufWriter<File>> {
    /// Creates a tape at `path`; an existing file is only replaced where `overwrite` says so.
    ///
    /// # Errors
    /// [`TapeError::Exists`], or [`TapeError::Io`] where the file cannot be made.
    pub fn create(path: &Path, header: &Header, overwrite: bool) -> Result<Self, TapeError> {
        let failed = |source: std::io::Error| match source.kind() {
            std::io::ErrorKind::AlreadyExists => TapeError::Exists { path: path.to_owned() },
            _ => TapeError::Io { doing: "create", path: path.to_owned(), source },
        };
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).create_new(!overwrite);
        let file = options.open(path).map_err(failed)?;
        let disk = file.try_clone().map_err(failed)?;
        Ok(Self::new(BufWriter::new(file), header)?.on(disk))
    }
}

impl<W: Write> TapeWriter<W> {
    /// Begins a tape with its header, which reaches `out` at once.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn new(out: W, header: &Header) -> Result<Self, TapeError> {
        let options = WriteOptions::new()
            .compression(None)
            .disable_seeking(true)
            .chunk_size(None)
            .calculate_data_section_crc(false)
            .library(concat!("hairpin ", env!("CARGO_PKG_VERSION")));
        let mut mcap = options.create(NoSeek::new(out)).map_err(failed)?;
        let metadata = Metadata { name: RECORD.to_owned(), metadata: header.to_map() };
        mcap.write_metadata(&metadata).and_then(|()| mcap.flush()).map_err(failed)?;
        let channels = [None; Channel::ALL.len()];
        let message = Vec::new();
        Ok(Self { mcap, disk: None, channels, message, in_chunk: 0, content: 0, frame_waits: false })
    }

    /// Says which disk `out` ends on, for [`TapeWriter::sync`] and [`TapeWriter::finish`] to wait for.
    #[must_use]
    pub fn on(mut self, disk: impl Disk + 'static) -> Self {
        self.disk = Some(Box::new(disk));
        self
    }

    /// The size of all messages so far, in bytes; the file adds a few hundredths.
    #[must_use]
    pub const fn content(&self) -> u64 {
        self.content
    }

    /// Writes a frame; a tick that works on it comes next.
    ///
    /// # Errors
    /// [`TapeError::Write`], or [`TapeError::FrameNumber`] above 32 bits.
    pub fn frame(&mut self, frame: &Frame<'_>) -> Result<(), TapeError> {
        self.labelled(frame, None)
    }

    /// Writes a frame with what a human did at it.
    ///
    /// # Errors
    /// As [`TapeWriter::frame`].
    pub fn labelled(&mut self, frame: &Frame<'_>, human: Option<Human>) -> Result<(), TapeError> {
        let saw = frame.seq.0;
        let sequence = u32::try_from(saw).map_err(|_| TapeError::FrameNumber { saw })?;
        self.begin_record()?;
        let at = frame.captured_at;
        if !frame.ranges.is_empty() {
            write_ranges(&mut self.message, frame.ranges);
            self.put(Channel::Ranges, sequence, at.0)?;
        }
        if let Some(human) = human {
            write_human(&mut self.message, human);
            self.put(Channel::Human, sequence, at.0)?;
        }
        if let Some(right) = &frame.right {
            write_picture(&mut self.message, Eye::Right, at, right);
            self.put(Eye::Right.channel(right.format), sequence, at.0)?;
        }
        write_picture(&mut self.message, Eye::Left, at, &frame.left);
        self.put(Eye::Left.channel(frame.left.format), sequence, at.0)?;
        self.frame_waits = true;
        Ok(())
    }

    /// Writes a tick, after the frame that it works on.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn tick(&mut self, tick: &Tick) -> Result<(), TapeError> {
        if !(self.frame_waits && tick.inputs.frame.is_some()) {
            self.begin_record()?;
        }
        self.frame_waits = false;
        // The container's own number is 32 bits; the message holds the whole one.
        let sequence = u32::try_from(tick.inputs.seq & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        let now = tick.inputs.now.0;
        write_inputs(&mut self.message, &tick.inputs);
        self.put(Channel::Inputs, sequence, now)?;
        write_measured(&mut self.message, &tick.measured);
        self.put(Channel::Measured, sequence, now)?;
        write_decision(&mut self.message, &tick.decision);
        self.put(Channel::Decision, sequence, now)
    }

    /// Closes the chunk and hands it to the file; best called between records.
    ///
    /// # Errors
    /// [`TapeError::Write`].
    pub fn flush(&mut self) -> Result<(), TapeError> {
        self.in_chunk = 0;
        self.mcap.flush().map_err(failed)
    }

    /// Closes the chunk and waits until the disk has it; where no disk was named, only hands it on.
    ///
    /// # Errors
    /// [`TapeError::Write`], as when the disk is full.
    pub fn sync(&mut self) -> Result<(), TapeError> {
        self.flush()?;
        synced(self.disk.as_mut())
    }

    /// Writes the index, waits for the disk and gives the output back.
    ///
    /// # Errors
    /// [`TapeError::Write`]; what was flushed before is a readable tape nevertheless.
    pub fn finish(mut self) -> Result<W, TapeError> {
        self.mcap.finish().map_err(failed)?;
        let mut out = self.mcap.into_inner().into_inner();
        out.flush().map_err(refused)?;
        synced(self.disk.as_mut())?;
        Ok(out)
    }

    fn begin_record(&mut self) -> Result<(), TapeError> {
        if self.in_chunk >= CHUNK { self.flush() } else { Ok(()) }
    }

    /// Writes the message that lies in `self.message`.
    fn put(&mut self, channel: Channel, sequence: u32, time: u64) -> Result<(), TapeError> {
        let channel_id = self.channel(channel)?;
        let header = MessageHeader { channel_id, sequence, log_time: time, publish_time: time };
        self.mcap.write_to_known_channel(&header, &self.message).map_err(failed)?;
        self.in_chunk += self.message.len();
        self.content += self.message.len() as u64;
        Ok(())
    }

    /// The number of a channel; declares it when it is first used.
    fn channel(&mut self, channel: Channel) -> Result<u16, TapeError> {
        let slot = self.channels.get_mut(channel as usize);
        if let Some(Some(id)) = slot {
            return Ok(*id);
        }
        let (name, set) = (channel.schema(), channel.descriptor());
        let schema = self.mcap.add_schema(&name, ENCODING, &set).map_err(failed)?;
        let id =
            self.mcap.add_channel(schema, channel.topic(), ENCODING, &BTreeMap::new()).map_err(failed)?;
        if let Some(slot) = slot {
            *slot = Some(id);
        }
        Ok(id)
    }
}

fn synced(disk: Option<&mut Box<dyn Disk>>) -> Result<(), TapeError> {
    disk.map_or(Ok(()), |disk| disk.sync()).map_err(refused)
}

#[expect(clippy::needless_pass_by_value, reason = "an adapter for map_err")]
fn refused(error: std::io::Error) -> TapeError {
    TapeError::Write { saw: error.to_string() }
}

/// The library's error with its reason: its own text for input and output says nothing.
fn failed(error: McapError) -> TapeError {
    let saw = match error {
        McapError::Io(source) => source.to_string(),
        other => other.to_string(),
    };
    TapeError::Write { saw }
}
