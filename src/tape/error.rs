//! What can be wrong with a tape: what was seen, where, what is wanted, and what to do.

use std::path::PathBuf;

use thiserror::Error;

use super::header::Version;
use super::schema::Fault;

/// A tape that is refused, or that cannot be written.
#[derive(Debug, Error)]
pub enum TapeError {
    /// The file cannot be used at all.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// `read`, `create`, …
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// There is a file of that name.
    #[error("there is a file already, and a tape is never overwritten unasked; name another or say --force: {}", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Writing failed.
    #[error("cannot write to the tape: {saw}")]
    Write {
        /// The container library's words.
        saw: String,
    },
    /// A frame number that the container cannot hold.
    #[error("frame number {saw} does not fit, wanted at most 4294967295")]
    FrameNumber {
        /// The number.
        saw: u64,
    },
    /// Too large to be held in memory.
    #[error("the tape has {saw} bytes, wanted at most {max}; record in shorter parts")]
    TooLarge {
        /// Its size.
        saw: u64,
        /// The limit.
        max: u64,
    },
    /// Nothing in it.
    #[error("the file is empty; wanted a tape, an MCAP file")]
    Empty,
    /// Another kind of file.
    #[error("not a tape: it begins like {saw}; wanted an MCAP file")]
    NotMcap {
        /// What it looks like.
        saw: String,
    },
    /// An MCAP file of somebody else.
    #[error(
        "an MCAP file, but not a tape of ours: profile {profile:?}, written by {library:?}, topics {topics}; wanted the metadata record \"hairpin\" first, as `hairpin` records and imports write it"
    )]
    Foreign {
        /// The MCAP profile.
        profile: String,
        /// The writing library.
        library: String,
        /// The first few topics.
        topics: String,
    },
    /// Cut before it says what it is.
    #[error(
        "the file ends after {saw} bytes, before the tape's header is complete; nothing can be recovered"
    )]
    HeaderCut {
        /// Its length.
        saw: u64,
    },
    /// A header that was changed.
    #[error(
        "the tape's header is damaged: its check is {recorded:?}, its entries give {computed:?}; restore the file from its origin"
    )]
    HeaderDamaged {
        /// As written.
        recorded: String,
        /// As computed.
        computed: String,
    },
    /// No version.
    #[error("the tape's header names format {saw:?}, wanted a version like \"1.0\"")]
    VersionText {
        /// As written.
        saw: String,
    },
    /// A version that this build does not read.
    #[error(
        "the tape has format {saw}, this build reads {wanted}.x; use the hairpin that recorded it, or a newer one"
    )]
    Version {
        /// The tape's.
        saw: Version,
        /// The major that is read.
        wanted: u32,
    },
    /// A compressed chunk.
    #[error(
        "the chunk at byte {at} is compressed with {saw:?}, wanted none; another program rewrote the tape, use the original"
    )]
    Compressed {
        /// Where.
        at: u64,
        /// The compression.
        saw: String,
    },
    /// A topic of ours with other messages.
    #[error("topic {topic} holds {saw}, wanted {wanted}; another program wrote it")]
    Channel {
        /// The topic.
        topic: String,
        /// Its schema and encoding.
        saw: String,
        /// Ours.
        wanted: String,
    },
    /// A container record that does not hold together.
    #[error("damaged at byte {at}: {saw}; `hairpin recover` saves the whole records")]
    Damaged {
        /// Where.
        at: u64,
        /// What is wrong there.
        saw: String,
    },
    /// A message without a meaning.
    #[error("message {sequence} of {topic} at byte {at}: {fault}; `hairpin recover` saves the other records")]
    Message {
        /// Its topic.
        topic: &'static str,
        /// Its number.
        sequence: u32,
        /// Where.
        at: u64,
        /// What is wrong.
        fault: Fault,
    },
    /// Parts of one frame that do not belong together.
    #[error(
        "{topic} of frame {saw} stands before the left picture of frame {wanted}; the parts of a frame must follow each other"
    )]
    MixedFrame {
        /// The part.
        topic: &'static str,
        /// Its frame.
        saw: u32,
        /// The frame of the left picture.
        wanted: u32,
    },
    /// A decision without the rest of its tick.
    #[error(
        "the decision at byte {at} has no {missing} before it; a tick is its inputs, measured times and decision"
    )]
    TickIncomplete {
        /// Where.
        at: u64,
        /// What is not there.
        missing: &'static str,
    },
    /// The same tick twice.
    #[error("tick {tick} is there twice; two recordings were joined, use each by itself")]
    TickTwice {
        /// The tick.
        tick: u64,
    },
    /// A tick that comes too late.
    #[error(
        "tick {tick} stands after tick {after}, wanted rising numbers; another program rewrote the tape, use the original"
    )]
    TickOrder {
        /// The tick.
        tick: u64,
        /// The one before it.
        after: u64,
    },
    /// A tick whose frame is not there.
    #[error("tick {tick} works on frame {frame}, but {saw}; `hairpin recover` saves the other ticks")]
    FrameMissing {
        /// The tick.
        tick: u64,
        /// Its frame.
        frame: u64,
        /// What stands there instead.
        saw: String,
    },
}
