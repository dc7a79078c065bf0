//! Messages to records: a frame is its parts and then its left picture; a tick is its inputs, its measured
//! times and then its decision, and takes the frame before it. Refuses what does not belong together.

use std::ops::Range;

use super::error::TapeError;
use super::schema::{Channel, Human, frame, tick};
use super::walk::Message;
use crate::domain::{FrameSeq, Inputs};
use crate::units::Instant;

/// Where a picture's message is.
#[derive(Clone, Debug)]
pub(super) struct PicturePlace {
    /// JPEG or YUYV.
    pub(super) channel: Channel,
    /// The message.
    pub(super) content: Range<usize>,
}

/// Where the parts of a frame are.
#[derive(Clone, Debug)]
pub(super) struct FramePlace {
    /// Its number.
    pub(super) seq: FrameSeq,
    /// Its time.
    pub(super) captured_at: Instant,
    /// The left picture.
    pub(super) left: PicturePlace,
    /// The right picture.
    pub(super) right: Option<PicturePlace>,
    /// Its values among all ranges of the tape.
    pub(super) ranges: Range<usize>,
    /// What a human did.
    pub(super) human: Option<Human>,
}

/// Where the messages of a tick are.
#[derive(Clone, Debug)]
pub(super) struct TickPlace {
    /// Its number.
    pub(super) seq: u64,
    /// `hairpin.Inputs`.
    pub(super) inputs: Range<usize>,
    /// `hairpin.Measured`.
    pub(super) measured: Range<usize>,
    /// `hairpin.Decision`.
    pub(super) decision: Range<usize>,
}

/// One record: a frame, a tick, or a tick with its frame.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    /// The frame.
    pub(super) frame: Option<FramePlace>,
    /// The tick.
    pub(super) tick: Option<TickPlace>,
}

/// What has come of a record that is not closed yet. A frame's parts carry its number and time.
#[derive(Debug, Default)]
struct Open {
    since: Option<u64>,
    right: Option<((u32, u64), PicturePlace)>,
    ranges: Option<((u32, u64), Range<usize>)>,
    human: Option<((u32, u64), Human)>,
    inputs: Option<(Inputs, Range<usize>)>,
    measured: Option<Range<usize>>,
}

/// Takes messages in the order of the file.
#[derive(Debug)]
pub(super) struct Assembler<'a> {
    bytes: &'a [u8],
    open: Open,
    last_tick: Option<u64>,
    /// The records.
    pub(super) entries: Vec<Entry>,
    /// The LiDAR values of all frames.
    pub(super) ranges: Vec<f32>,
}

impl<'a> Assembler<'a> {
    /// Nothing taken yet.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, open: Open::default(), last_tick: None, entries: Vec::new(), ranges: Vec::new() }
    }

    /// The first byte of a record that has begun and is not closed.
    pub(super) fn open_since(&self) -> Option<u64> {
        self.open.since
    }

    /// Forgets what is open, after damage.
    pub(super) fn forget(&mut self) {
        self.open = Open::default();
    }

    /// Takes one message.
    ///
    /// # Errors
    /// [`TapeError`] where it has no meaning or does not belong here.
    pub(super) fn take(&mut self, channel: Channel, message: &Message) -> Result<(), TapeError> {
        let bytes = self.bytes.get(message.content.clone()).unwrap_or_default();
        let content = message.content.clone();
        let stamp = (message.sequence, message.log_time);
        self.open.since.get_or_insert(message.at as u64);
        let fault = |fault| TapeError::Message {
            topic: channel.topic(),
            sequence: message.sequence,
            at: message.at as u64,
            fault,
        };
        match channel {
            Channel::LeftJpeg | Channel::LeftYuyv => {
                frame::read_picture(channel, bytes).map_err(fault)?;
                self.close_frame(stamp, PicturePlace { channel, content })?;
            }
            Channel::RightJpeg | Channel::RightYuyv => {
                frame::read_picture(channel, bytes).map_err(fault)?;
                self.open.right = Some((stamp, PicturePlace { channel, content }));
            }
            Channel::Ranges => {
                let start = self.ranges.len();
                frame::read_ranges(bytes, |value| self.ranges.push(value)).map_err(fault)?;
                self.open.ranges = Some((stamp, start..self.ranges.len()));
            }
            Channel::Human => {
                self.open.human = Some((stamp, frame::read_human(bytes).map_err(fault)?));
            }
            Channel::Inputs => {
                self.open.inputs = Some((tick::read_inputs(bytes).map_err(fault)?, content));
            }
            Channel::Measured => {
                tick::read_measured(bytes).map_err(fault)?;
                self.open.measured = Some(content);
            }
            Channel::Decision => {
                tick::read_decision(bytes).map_err(fault)?;
                self.close_tick(message.at as u64, content)?;
            }
        }
        Ok(())
    }

    fn close_frame(&mut self, stamp: (u32, u64), left: PicturePlace) -> Result<(), TapeError> {
        let Open { right, ranges, human, .. } = std::mem::take(&mut self.open);
        let frame = FramePlace {
            seq: FrameSeq(u64::from(stamp.0)),
            captured_at: Instant(stamp.1),
            left,
            right: of_frame("/camera/right", right, stamp)?,
            ranges: of_frame("/ranges", ranges, stamp)?.unwrap_or_default(),
            human: of_frame("/human", human, stamp)?,
        };
        self.entries.push(Entry { frame: Some(frame), tick: None });
        Ok(())
    }

    fn close_tick(&mut self, at: u64, decision: Range<usize>) -> Result<(), TapeError> {
        let Open { inputs, measured, .. } = std::mem::take(&mut self.open);
        let (known, inputs) = inputs.ok_or(TapeError::TickIncomplete { at, missing: "inputs" })?;
        let measured = measured.ok_or(TapeError::TickIncomplete { at, missing: "measured times" })?;
        match self.last_tick {
            Some(after) if after == known.seq => return Err(TapeError::TickTwice { tick: known.seq }),
            Some(after) if after > known.seq => {
                return Err(TapeError::TickOrder { tick: known.seq, after });
            }
            _ => {}
        }
        let tick = TickPlace { seq: known.seq, inputs, measured, decision };
        let Some(stamp) = known.frame else {
            self.last_tick = Some(known.seq);
            self.entries.push(Entry { frame: None, tick: Some(tick) });
            return Ok(());
        };
        let before = self.entries.last_mut().filter(|entry| entry.tick.is_none());
        let saw = match before.as_ref().and_then(|entry| entry.frame.as_ref()) {
            None => "no frame stands before it".to_owned(),
            Some(frame) if frame.seq != stamp.seq => format!("frame {} stands before it", frame.seq.0),
            Some(frame) if frame.captured_at != stamp.captured_at => format!(
                "the one before it was captured at {} ns, not {} ns",
                frame.captured_at.0, stamp.captured_at.0
            ),
            Some(_) => String::new(),
        };
        match before {
            Some(entry) if saw.is_empty() => entry.tick = Some(tick),
            _ => return Err(TapeError::FrameMissing { tick: known.seq, frame: stamp.seq.0, saw }),
        }
        self.last_tick = Some(known.seq);
        Ok(())
    }
}

/// A part of the frame that `stamp` numbers, or the refusal of a part of another.
fn of_frame<T>(
    topic: &'static str,
    part: Option<((u32, u64), T)>,
    stamp: (u32, u64),
) -> Result<Option<T>, TapeError> {
    match part {
        None => Ok(None),
        Some((saw, part)) if saw == stamp => Ok(Some(part)),
        Some((saw, _)) => Err(TapeError::MixedFrame { topic, saw: saw.0, wanted: stamp.0 }),
    }
}
