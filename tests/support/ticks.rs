//! Frames and ticks for tapes, made from a number: every field another value, every float an awkward one.

use std::collections::BTreeMap;
use std::io::Cursor;

use hairpin::domain::{
    Action, Applied, Ask, CameraHealth, Command, Decision, DriveState, Frame, FrameDigest, FrameSeq,
    FrameStamp, Health, Inputs, Measured, Notes, OperatorInput, Picture, PixelFormat, Previous, Pulses,
    Quality, Scores, Stage, StopReason, Tick,
};
use hairpin::tape::{Header, TapeWriter};
use hairpin::units::{Degrees, Instant, MetresPerSecond, Pulse, Signed, Span};

/// A spread of bits (splitmix64), so that neighbouring numbers share nothing.
pub(crate) fn spread(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// Any bits as a float: NaNs with payloads, infinities and subnormals among them.
pub(crate) fn float(seed: u64) -> f32 {
    const SPECIAL: [u32; 6] = [0x7FC0_0001, 0xFFA0_0000, 0x8000_0000, 0, 1, 0x7F80_0000];
    let bits = spread(seed);
    let special = SPECIAL.get((bits % 24) as usize);
    f32::from_bits(special.copied().unwrap_or((bits >> 32) as u32))
}

fn signed(seed: u64) -> Signed {
    let unit = (spread(seed) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
    Signed::clamped(if seed.is_multiple_of(5) { -0.0 } else { unit }).unwrap()
}

fn command(seed: u64) -> Command {
    Command { steering: signed(seed), throttle: signed(seed + 1) }
}

/// The stamp of frame `n`: a time of its own, not a multiple of anything.
pub(crate) fn stamp(n: u64) -> FrameStamp {
    FrameStamp { seq: FrameSeq(n), captured_at: Instant(1_000_000_007 + n * 33_333_331) }
}

/// A tick; `frame` says on which frame it works.
pub(crate) fn tick(n: u64, frame: Option<FrameStamp>) -> Tick {
    let r = |salt: u64| spread(n.wrapping_mul(64) + salt);
    let pick = |salt: u64, len: usize| (r(salt) % len as u64) as usize;
    let inputs = Inputs {
        seq: n,
        now: Instant(n.wrapping_mul(33_333_331).wrapping_add(1_001_000_009)),
        frame,
        operator: OperatorInput {
            seq: r(1),
            ask: [Ask::Nothing, Ask::Arm, Ask::Disarm, Ask::Stop][pick(2, 4)],
            speed_percent: (r(3) % 101) as u8,
        },
        health: Health {
            battery: [None, Some(0), Some(11), Some(255)][pick(4, 4)],
            camera: [CameraHealth::Streaming, CameraHealth::Lost][pick(20, 2)],
        },
        previous: Previous {
            elapsed: Span(r(5)),
            applied: [Applied::Nothing, Applied::Written, Applied::Failed, Applied::Withheld][pick(6, 4)],
            dropped: r(7) as u32,
        },
    };
    let since = Instant(r(8));
    let why = StopReason::ALL[pick(9, StopReason::ALL.len())];
    let scores: Vec<f32> = (0..[0, 2, 21, 128][pick(10, 4)]).map(|at| float(r(11) ^ at)).collect();
    let pulse = |salt| Pulse::clamped(1_000_000 + i64::from((r(salt) % 1_000_001) as u32));
    let decision = Decision {
        frame: FrameDigest(r(12)),
        observation: r(13),
        quality: Quality::ALL[pick(14, Quality::ALL.len())],
        scores: Scores::new(&scores).unwrap(),
        action: (r(15) % 3 != 0).then(|| Action {
            steering: Degrees::new(-0.1 * (n as f64)).unwrap(),
            speed: MetresPerSecond::new(f64::from_bits(0x3FF0_0000_0000_0001 + n)).unwrap(),
        }),
        wish: (r(16) % 3 != 0).then(|| command(r(17) >> 1)),
        command: command(r(18) >> 1),
        state: [
            DriveState::Disarmed,
            DriveState::Arming { since },
            DriveState::Driving,
            DriveState::Coasting { since },
            DriveState::Stopped { why },
        ][pick(19, 5)],
        notes: Notes::from_bits(r(20) as u32),
        pulses: Pulses { steering: pulse(21), throttle: pulse(22) },
    };
    let mut measured = Measured::default();
    for stage in Stage::ALL {
        measured.set(stage, Span(r(30 + stage as u64)));
    }
    Tick { inputs, decision, measured }
}

/// The bytes of picture `n`: those that a JPEG begins with, then anything.
pub(crate) fn jpeg(n: u64, len: usize) -> Vec<u8> {
    let body = (0..len as u64).map(|at| spread(n << 20 | at) as u8);
    [0xFF, 0xD8, 0xFF].into_iter().chain(body).collect()
}

/// A mono frame of those bytes.
pub(crate) fn frame(n: u64, bytes: &[u8]) -> Frame<'_> {
    let FrameStamp { seq, captured_at } = stamp(n);
    let left = Picture { format: PixelFormat::Mjpeg, bytes };
    Frame { seq, captured_at, left, right: None, ranges: &[] }
}

/// A finished tape of `count` ticks with their frames, in one chunk.
pub(crate) fn tape(count: u64, picture: usize) -> Vec<u8> {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default().with("rig", "test")).unwrap();
    for n in 0..count {
        writer.frame(&frame(n, &jpeg(n, picture))).unwrap();
        writer.tick(&tick(n, Some(stamp(n)))).unwrap();
    }
    writer.finish().unwrap()
}

/// A tick as text in which no bit is lost: `Debug` for everything, and all floats as bits.
pub(crate) fn exactly(tick: &Tick) -> String {
    let scores: Vec<u32> = tick.decision.scores.values().iter().map(|score| score.to_bits()).collect();
    let bits = |command: Command| (command.steering.get().to_bits(), command.throttle.get().to_bits());
    let decision = &tick.decision;
    let action = decision.action.map(|a| (a.steering.get().to_bits(), a.speed.get().to_bits()));
    format!(
        "{:?} {:?} {:?} {} {:?} {scores:x?} {action:x?} {:x?} {:x?} {:?} {:#x} {:?}",
        tick.inputs,
        tick.measured,
        decision.frame,
        decision.observation,
        decision.quality,
        decision.wish.map(bits),
        bits(decision.command),
        decision.state,
        decision.notes.bits(),
        decision.pulses,
    )
}

/// A channel of somebody else's file: topic, message encoding, schema name, schema encoding.
pub(crate) type Topic = (&'static str, &'static str, &'static str, &'static str);

/// An MCAP file in the container library's own words: metadata record, topics, messages.
pub(crate) fn foreign(
    profile: &str,
    metadata: Option<BTreeMap<String, String>>,
    topics: &[Topic],
    messages: &[(usize, u32, u64, Vec<u8>)],
) -> Vec<u8> {
    let options = mcap::WriteOptions::new().compression(None).profile(profile).library("someone 1.0");
    let mut writer = options.create(Cursor::new(Vec::new())).unwrap();
    if let Some(metadata) = metadata {
        writer.write_metadata(&mcap::records::Metadata { name: "hairpin".to_owned(), metadata }).unwrap();
    }
    let mut ids = Vec::new();
    for (topic, encoding, schema, schema_encoding) in topics {
        let schema = writer.add_schema(schema, schema_encoding, b"x").unwrap();
        ids.push(writer.add_channel(schema, topic, encoding, &BTreeMap::new()).unwrap());
    }
    for (topic, sequence, time, content) in messages {
        let (channel_id, sequence) = (ids[*topic], *sequence);
        let header =
            mcap::records::MessageHeader { channel_id, sequence, log_time: *time, publish_time: *time };
        writer.write_to_known_channel(&header, content).unwrap();
    }
    writer.finish().unwrap();
    writer.into_inner().into_inner()
}

/// The metadata map and all messages of one of our tapes, to be changed and written again by [`foreign`].
pub(crate) struct Pieces {
    pub(crate) metadata: BTreeMap<String, String>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) messages: Vec<(usize, u32, u64, Vec<u8>)>,
}

/// Takes a tape apart with the container library.
pub(crate) fn pieces(tape: &[u8]) -> Pieces {
    let mut metadata = None;
    for record in mcap::read::LinearReader::new(tape).unwrap() {
        if let mcap::records::Record::Metadata(found) = record.unwrap() {
            metadata = Some(found.metadata);
        }
    }
    let (mut topics, mut messages): (Vec<Topic>, Vec<_>) = (Vec::new(), Vec::new());
    for message in mcap::MessageStream::new(tape).unwrap() {
        let message = message.unwrap();
        let topic: &'static str = message.channel.topic.clone().leak();
        let schema: &'static str = message.channel.schema.as_ref().unwrap().name.clone().leak();
        let at = topics.iter().position(|known| known.0 == topic).unwrap_or_else(|| {
            topics.push((topic, "protobuf", schema, "protobuf"));
            topics.len() - 1
        });
        messages.push((at, message.sequence, message.log_time, message.data.into_owned()));
    }
    Pieces { metadata: metadata.unwrap(), topics, messages }
}

impl Pieces {
    /// Writes them again.
    pub(crate) fn write(&self) -> Vec<u8> {
        foreign("", Some(self.metadata.clone()), &self.topics, &self.messages)
    }

    /// The position of message `nth` of a topic.
    pub(crate) fn find(&self, topic: &str, nth: usize) -> usize {
        let of_topic = |at: &usize| self.topics[self.messages[*at].0].0 == topic;
        (0..self.messages.len()).filter(of_topic).nth(nth).unwrap()
    }
}
