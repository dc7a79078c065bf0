//! One pass over a tape's bytes: header, schemas, channels, messages, ending. Strict, it stops at damage; for
//! `recover` it notes what it passes over. Refuses what is no tape of ours. A door to `mcap`.

use std::collections::HashMap;
use std::ops::Range;

use mcap::records::{self, op};

use super::assemble::{Assembler, Entry};
use super::error::TapeError;
use super::header::{Header, RECORD};
use super::reader::Ending;
use super::schema::{Channel, ENCODING};
use super::walk::{self, MAGIC, Message, Place, Step};

/// A stretch that was passed over, or the end that is cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damage {
    /// Where it begins.
    pub at: u64,
    /// Its length.
    pub bytes: u64,
    /// Records that seem to begin in it.
    pub records: u64,
    /// What is wrong.
    pub why: String,
}

/// A channel of the file.
enum Known {
    Ours(Channel),
    /// A topic that this build does not know; a larger minor may have added it.
    Other,
}

/// One pass over a file.
pub(super) struct Scan<'a> {
    bytes: &'a [u8],
    strict: bool,
    profile: (String, String),
    header: Option<Header>,
    schemas: HashMap<u16, (String, String)>,
    channels: HashMap<u16, Known>,
    assembler: Assembler<'a>,
    damage: Vec<Damage>,
    data_ended: bool,
    /// Whether the file ends within a chunk's content.
    in_chunk: bool,
}

/// What one pass found.
pub(super) struct Found {
    /// What the tape says about itself.
    pub(super) header: Header,
    /// The records.
    pub(super) entries: Vec<Entry>,
    /// The LiDAR values of all frames.
    pub(super) ranges: Vec<f32>,
    /// How the file ends.
    pub(super) ending: Ending,
    /// What was passed over.
    pub(super) damage: Vec<Damage>,
}

impl<'a> Scan<'a> {
    /// Passes over the file. `strict` stops at damage; otherwise it is noted and passed over.
    pub(super) fn run(bytes: &'a [u8], strict: bool) -> Result<Found, TapeError> {
        let mut scan = Self {
            bytes,
            strict,
            profile: <(String, String)>::default(),
            header: None,
            schemas: HashMap::new(),
            channels: HashMap::new(),
            assembler: Assembler::new(bytes),
            damage: Vec::new(),
            data_ended: false,
            in_chunk: false,
        };
        let ending = scan.file()?;
        if ending == Ending::Whole {
            scan.ours()?;
        }
        if let Ending::Cut { at, why } = &ending {
            scan.lose_end(*at, why);
        }
        let Self { header, assembler: Assembler { entries, ranges, .. }, damage, .. } = scan;
        let header = header.ok_or(TapeError::HeaderCut { saw: bytes.len() as u64 })?;
        Ok(Found { header, entries, ranges, ending, damage })
    }

    /// All records of the file, from magic to magic.
    fn file(&mut self) -> Result<Ending, TapeError> {
        self.magic()?;
        if !self.strict {
            self.index();
        }
        let end = self.bytes.len();
        let mut at = MAGIC.len();
        loop {
            match walk::step(self.bytes, at, end) {
                Step::Record(place) if place.op == op::FOOTER => return Ok(self.after_footer(&place)),
                Step::Record(place) => {
                    at = place.body.end;
                    self.record(&place)?;
                }
                Step::Cut(place) if place.op == op::CHUNK && !self.data_ended => {
                    at = self.chunk(&place)?.unwrap_or(place.at);
                    self.in_chunk = at > place.at;
                    return Ok(self.cut(at, "the file ends within a chunk"));
                }
                Step::Cut(place) => return Ok(self.cut(place.at, "the file ends within a record")),
                Step::Nothing(why) => return Ok(self.cut(at, why)),
                Step::End => return Ok(self.cut(at, "the file ends without its index")),
            }
        }
    }

    fn cut(&self, at: usize, why: &str) -> Ending {
        let within = if self.data_ended { ", in the index; every record is there" } else { "" };
        Ending::Cut { at: at as u64, why: format!("{why}{within}") }
    }

    /// Notes what stands behind the last whole record, unless that is the index.
    fn lose_end(&mut self, at: u64, why: &str) {
        let open = self.assembler.open_since();
        let from = open.unwrap_or(at).min(at);
        let bytes = (self.bytes.len() as u64).saturating_sub(from);
        if bytes > 0 && !self.data_ended {
            let records = u64::from(open.is_some() || self.in_chunk);
            self.damage.push(Damage { at: from, bytes, records, why: why.to_owned() });
        }
    }

    fn after_footer(&self, footer: &Place) -> Ending {
        match self.bytes.get(footer.body.end..) {
            Some(rest) if rest == MAGIC => Ending::Whole,
            _ => self.cut(footer.body.end, "the closing magic is missing"),
        }
    }

    fn magic(&self) -> Result<(), TapeError> {
        let common = self.bytes.iter().zip(MAGIC).take_while(|(saw, wanted)| saw == wanted).count();
        if common == MAGIC.len() {
            Ok(())
        } else if self.bytes.is_empty() {
            Err(TapeError::Empty)
        } else if common == self.bytes.len() {
            Err(TapeError::HeaderCut { saw: common as u64 })
        } else {
            Err(TapeError::NotMcap { saw: resemblance(self.bytes) })
        }
    }

    /// Takes schemas and channels from the index at the end, which repeats them: the chunk that holds them may
    /// be the damaged one.
    fn index(&mut self) {
        let (mut at, end) = (MAGIC.len(), self.bytes.len());
        while let Step::Record(place) = walk::step(self.bytes, at, end) {
            at = place.body.end;
            if matches!(place.op, op::SCHEMA | op::CHANNEL) {
                // What is wrong with one shows where its messages are read.
                self.declare(&place).unwrap_or_default();
            }
        }
    }

    /// One record outside chunks.
    fn record(&mut self, place: &Place) -> Result<(), TapeError> {
        match place.op {
            op::HEADER => self.container(place),
            op::METADATA if self.header.is_none() => self.metadata(place),
            op::DATA_END => {
                self.data_ended = true;
                Ok(())
            }
            op::SCHEMA | op::CHANNEL | op::MESSAGE if !self.data_ended => self.content(place),
            op::CHUNK if !self.data_ended => match self.chunk(place)? {
                Some(at) => self.damaged(at, place.body.end, "a chunk ends within a record"),
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn container(&mut self, place: &Place) -> Result<(), TapeError> {
        match self.parse(place) {
            Some(records::Record::Header(header)) => self.profile = (header.profile, header.library),
            _ => self.damaged(place.at, place.body.end, "the MCAP header does not parse")?,
        }
        Ok(())
    }

    fn metadata(&mut self, place: &Place) -> Result<(), TapeError> {
        if let Some(records::Record::Metadata(metadata)) = self.parse(place)
            && metadata.name == RECORD
        {
            self.header = Some(Header::from_map(metadata.metadata)?);
        }
        Ok(())
    }

    /// A chunk's records; gives the place at which they end early, if they do. A chunk that is whole must fit
    /// its check; one that is cut cannot be held to it.
    fn chunk(&mut self, place: &Place) -> Result<Option<usize>, TapeError> {
        self.ours()?;
        let Some(chunk) = walk::chunk(self.bytes, &place.body) else { return Ok(Some(place.at)) };
        if !chunk.compression.is_empty() {
            return Err(TapeError::Compressed { at: place.at as u64, saw: chunk.compression });
        }
        let content = self.bytes.get(chunk.content.clone()).unwrap_or_default();
        if chunk.whole && chunk.crc != 0 && walk::crc32(content) != chunk.crc {
            self.damaged(place.at, place.body.end, "a chunk does not fit its check (CRC)")?;
            let seen = self.count(&chunk.content);
            if let Some(damage) = self.damage.last_mut() {
                damage.records = seen;
            }
            return Ok(None);
        }
        let mut at = chunk.content.start;
        loop {
            match walk::step(self.bytes, at, chunk.content.end) {
                Step::Record(inner) => {
                    at = inner.body.end;
                    self.content(&inner)?;
                }
                Step::End if chunk.whole => return Ok(None),
                Step::End | Step::Cut(_) | Step::Nothing(_) => return Ok(Some(at)),
            }
        }
    }

    /// The records in a chunk that cannot be trusted: its left pictures or its decisions, whichever are more.
    fn count(&self, content: &Range<usize>) -> u64 {
        let (mut at, mut pictures, mut decisions) = (content.start, 0, 0);
        while let Step::Record(place) = walk::step(self.bytes, at, content.end) {
            at = place.body.end;
            let message = Some(&place).filter(|place| place.op == op::MESSAGE);
            let message = message.and_then(|place| walk::message(self.bytes, place));
            match message.and_then(|message| self.channels.get(&message.channel)) {
                Some(Known::Ours(Channel::LeftJpeg | Channel::LeftYuyv)) => pictures += 1,
                Some(Known::Ours(Channel::Decision)) => decisions += 1,
                _ => {}
            }
        }
        pictures.max(decisions)
    }

    /// A schema, a channel or a message, inside a chunk or outside.
    fn content(&mut self, place: &Place) -> Result<(), TapeError> {
        self.ours()?;
        match place.op {
            op::MESSAGE => match walk::message(self.bytes, place) {
                Some(message) => self.message(place, &message),
                None => self.damaged(place.at, place.body.end, "a message is shorter than its head"),
            },
            op::SCHEMA | op::CHANNEL => self.declare(place),
            _ => Ok(()),
        }
    }

    fn declare(&mut self, place: &Place) -> Result<(), TapeError> {
        match self.parse(place) {
            Some(records::Record::Schema { header, .. }) => {
                self.schemas.insert(header.id, (header.name, header.encoding));
                Ok(())
            }
            Some(records::Record::Channel(channel)) => self.channel(&channel),
            _ => self.damaged(place.at, place.body.end, "a schema or channel does not parse"),
        }
    }

    fn message(&mut self, place: &Place, message: &Message) -> Result<(), TapeError> {
        let taken = match self.channels.get(&message.channel) {
            Some(Known::Ours(channel)) => self.assembler.take(*channel, message),
            Some(Known::Other) => Ok(()),
            None => {
                let why = format!("a message of channel {}, which is not declared", message.channel);
                return self.damaged(place.at, place.body.end, &why);
            }
        };
        match taken {
            Err(error) if !self.strict => self.damaged(place.at, place.body.end, &error.to_string()),
            taken => taken,
        }
    }

    fn channel(&mut self, channel: &records::Channel) -> Result<(), TapeError> {
        let none = (String::new(), String::new());
        let (schema, encoding) = self.schemas.get(&channel.schema_id).unwrap_or(&none);
        let known = match Channel::find(&channel.topic, schema) {
            None => Known::Other,
            Some(Ok(found)) if encoding == ENCODING && channel.message_encoding == ENCODING => {
                Known::Ours(found)
            }
            Some(found) => {
                let wanted = found.map_or_else(|wanted| wanted, Channel::schema);
                return Err(TapeError::Channel {
                    topic: channel.topic.clone(),
                    saw: format!("{} with schema {schema:?} in {encoding}", channel.message_encoding),
                    wanted: format!("{ENCODING} with schema {wanted} in {ENCODING}"),
                });
            }
        };
        self.channels.insert(channel.id, known);
        Ok(())
    }

    /// Refuses a file whose content begins before our header.
    fn ours(&self) -> Result<(), TapeError> {
        if self.header.is_some() {
            return Ok(());
        }
        let (profile, library) = self.profile.clone();
        Err(TapeError::Foreign { profile, library, topics: topics(self.bytes) })
    }

    /// Stops, or notes the damage and goes on, as the pass is strict or not.
    fn damaged(&mut self, at: usize, end: usize, why: &str) -> Result<(), TapeError> {
        let at = at as u64;
        if self.strict {
            return Err(TapeError::Damaged { at, saw: why.to_owned() });
        }
        let from = self.assembler.open_since().unwrap_or(at).min(at);
        self.assembler.forget();
        let bytes = (end as u64).saturating_sub(from);
        self.damage.push(Damage { at: from, bytes, records: 1, why: why.to_owned() });
        Ok(())
    }

    fn parse(&self, place: &Place) -> Option<records::Record<'a>> {
        mcap::parse_record(place.op, self.bytes.get(place.body.clone())?).ok()
    }
}

/// The first topics of somebody else's file, for the refusal.
fn topics(bytes: &[u8]) -> String {
    let (mut at, mut found) = (MAGIC.len(), Vec::new());
    while let Step::Record(place) | Step::Cut(place) = walk::step(bytes, at, bytes.len()) {
        at = match walk::chunk(bytes, &place.body) {
            // Steps into a chunk that is not compressed.
            Some(chunk) if place.op == op::CHUNK && chunk.compression.is_empty() => chunk.content.start,
            _ => place.body.end,
        };
        let body = bytes.get(place.body).unwrap_or_default();
        if place.op == op::CHANNEL
            && let Ok(records::Record::Channel(channel)) = mcap::parse_record(place.op, body)
            && !found.contains(&channel.topic)
        {
            found.push(channel.topic);
        }
    }
    let more = if found.len() > 5 { format!(" and {} more", found.len() - 5) } else { String::new() };
    found.truncate(5);
    if found.is_empty() { "none".to_owned() } else { format!("{}{more}", found.join(" ")) }
}

/// What a file that is not MCAP looks like, by its first bytes.
fn resemblance(bytes: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 7] = [
        (b"#ROSBAG", "a ROS 1 bag"),
        (b"SQLite format 3", "a database, as ROS 2 bags are (.db3)"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"\xff\xd8\xff", "a JPEG picture"),
        (b"\x89PNG", "a PNG picture"),
        (b"{", "JSON"),
    ];
    let known = KNOWN.iter().find(|(start, _)| bytes.starts_with(start));
    known.map_or_else(
        || format!("\"{}\"", bytes.get(..8).unwrap_or(bytes).escape_ascii()),
        |(_, name)| (*name).to_owned(),
    )
}
