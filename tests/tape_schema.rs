//! The schemas on a tape describe its messages: a reader that knows nothing but the descriptor finds every value
//! under its name. Foxglove's own messages have Foxglove's own numbers.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/ticks.rs"]
mod ticks;

use std::collections::BTreeMap;

use hairpin::domain::{CameraHealth, DriveState, Frame, Picture, PixelFormat, Size, Tick};
use hairpin::tape::{Header, Human, TapeWriter};
use prost::Message as _;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use ticks::{frame, jpeg, stamp, tick};

/// Every value of a message by its path, as `command.throttle`; numbers as their bits, enums as their words.
type Values = BTreeMap<String, String>;

struct Schema(FileDescriptorSet);

impl Schema {
    fn message(&self, name: &str) -> (&FileDescriptorProto, &DescriptorProto) {
        let found = self.0.file.iter().find_map(|file| {
            let inner =
                name.strip_prefix('.').unwrap_or(name).strip_prefix(file.package())?.strip_prefix('.')?;
            Some((file, file.message_type.iter().find(|message| message.name() == inner)?))
        });
        found.unwrap_or_else(|| panic!("{name} is not in its own schema"))
    }

    fn word(&self, name: &str, number: u64) -> String {
        let all = self.0.file.iter().flat_map(|file| {
            file.enum_type
                .iter()
                .map(move |choice| (format!(".{}.{}", file.package(), choice.name()), choice))
        });
        let choice = all.into_iter().find(|(full, _)| full == name).unwrap().1;
        choice
            .value
            .iter()
            .find(|value| u64::try_from(value.number()) == Ok(number))
            .unwrap()
            .name()
            .to_owned()
    }

    fn walk(&self, name: &str, path: &str, mut bytes: &[u8], into: &mut Values) {
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let (number, wire) = ((tag >> 3) as i32, tag & 7);
            let message = self.message(name).1;
            let field = message.field.iter().find(|field| field.number() == number);
            let field = field.unwrap_or_else(|| panic!("{name} has no field {number}"));
            let at =
                if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
            let text = match (field.r#type(), wire) {
                (Type::Fixed64 | Type::Double, 1) => format!("{:x}", u64::from_le_bytes(take(&mut bytes))),
                (Type::Fixed32 | Type::Float, 5) => format!("{:x}", u32::from_le_bytes(take(&mut bytes))),
                (Type::Int32 | Type::Int64, 0) => varint(&mut bytes).to_string(),
                (Type::Enum, 0) => self.word(field.type_name(), varint(&mut bytes)),
                (kind, 2) => {
                    let len = varint(&mut bytes) as usize;
                    let (content, rest) = bytes.split_at(len);
                    bytes = rest;
                    match kind {
                        Type::Message => {
                            self.walk(field.type_name(), &at, content, into);
                            continue;
                        }
                        Type::String => String::from_utf8(content.to_vec()).unwrap(),
                        Type::Bytes => format!("{content:?}"),
                        Type::Float if field.label() == Label::Repeated => {
                            let bits = content
                                .chunks_exact(4)
                                .map(|four| u32::from_le_bytes(four.try_into().unwrap()));
                            format!("{:x?}", bits.collect::<Vec<_>>())
                        }
                        other => panic!("{at} is {other:?} of wire type 2"),
                    }
                }
                (kind, wire) => panic!("{at} is {kind:?} of wire type {wire}"),
            };
            into.insert(at, text);
        }
    }
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let len = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap() + 1;
    let (head, rest) = bytes.split_at(len);
    *bytes = rest;
    head.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7F))
}

fn take<const N: usize>(bytes: &mut &[u8]) -> [u8; N] {
    let (head, rest) = bytes.split_first_chunk().unwrap();
    *bytes = rest;
    *head
}

/// The messages of a tape by topic, each through its own schema.
fn through_schemas(tape: &[u8]) -> Vec<(String, String, Values)> {
    let messages = mcap::MessageStream::new(tape).unwrap().map(|message| {
        let message = message.unwrap();
        let schema = message.channel.schema.clone().unwrap();
        assert_eq!(
            (schema.encoding.as_str(), message.channel.message_encoding.as_str()),
            ("protobuf", "protobuf")
        );
        let set = Schema(FileDescriptorSet::decode(schema.data.as_ref()).unwrap());
        let mut values = Values::new();
        set.walk(&schema.name, "", &message.data, &mut values);
        (message.channel.topic.clone(), schema.name.clone(), values)
    });
    messages.collect()
}

/// What a decision must give, written down once more by hand.
fn wanted(tick: &Tick) -> Values {
    let decision = &tick.decision;
    let mut values = Values::new();
    let mut put = |name: &str, value: String| values.insert(name.to_owned(), value);
    let scores: Vec<u32> = decision.scores.values().iter().map(|score| score.to_bits()).collect();
    put("frame_digest", format!("{:x}", decision.frame.0));
    put("observation_digest", format!("{:x}", decision.observation));
    put("quality", decision.quality.word().to_uppercase());
    put("scores", format!("{scores:x?}"));
    if let Some(action) = decision.action {
        put("action.steering_deg", format!("{:x}", action.steering.get().to_bits()));
        put("action.speed_mps", format!("{:x}", action.speed.get().to_bits()));
    }
    for (name, command) in [("wish", decision.wish), ("command", Some(decision.command))] {
        if let Some(command) = command {
            put(&format!("{name}.steering"), format!("{:x}", command.steering.get().to_bits()));
            put(&format!("{name}.throttle"), format!("{:x}", command.throttle.get().to_bits()));
        }
    }
    put("state.phase", decision.state.word().to_uppercase());
    match decision.state {
        DriveState::Arming { since } | DriveState::Coasting { since } => {
            put("state.since_ns", format!("{:x}", since.0));
        }
        DriveState::Stopped { why } => {
            // `FrameLost` is FRAME_LOST.
            let words = format!("{why:?}").replace("Frame", "Frame_").replace("Policy", "Policy_");
            let words = words.replace("Actuators", "Actuators_").replace("Battery", "Battery_");
            put("state.why", words.to_uppercase());
        }
        DriveState::Disarmed | DriveState::Driving => {}
    }
    put("notes", format!("{:x}", decision.notes.bits()));
    put("pulses.steering_ns", format!("{:x}", decision.pulses.steering.ns()));
    put("pulses.throttle_ns", format!("{:x}", decision.pulses.throttle.ns()));
    values
}

#[test]
fn every_field_is_found_through_its_schema() {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    let ticks: Vec<Tick> = (0..64).map(|n| tick(n, None)).collect();
    for tick in &ticks {
        writer.tick(tick).unwrap();
    }
    let messages = through_schemas(&writer.finish().unwrap());
    assert_eq!(messages.len(), 3 * 64);
    for (tick, three) in ticks.iter().zip(messages.chunks_exact(3)) {
        let [inputs, measured, decision] = three else { unreachable!() };
        assert_eq!((decision.0.as_str(), decision.1.as_str()), ("/decision", "hairpin.Decision"));
        assert_eq!(decision.2, wanted(tick));
        assert_eq!((inputs.0.as_str(), inputs.1.as_str()), ("/inputs", "hairpin.Inputs"));
        let asked = format!("{:?}", tick.inputs.operator.ask).to_uppercase();
        assert_eq!(inputs.2["operator.ask"], asked);
        assert_eq!(inputs.2["operator.speed_percent"], format!("{:x}", tick.inputs.operator.speed_percent));
        assert_eq!(inputs.2["previous.dropped"], format!("{:x}", tick.inputs.previous.dropped));
        let battery = tick.inputs.health.battery.map(|level| format!("{level:x}"));
        assert_eq!(inputs.2.get("health.battery"), battery.as_ref());
        let lost = (tick.inputs.health.camera == CameraHealth::Lost).then(|| "LOST".to_owned());
        assert_eq!(inputs.2.get("health.camera"), lost.as_ref());
        assert!(!inputs.2.contains_key("frame.seq"));
        assert_eq!((measured.0.as_str(), measured.1.as_str()), ("/measured", "hairpin.Measured"));
        for stage in hairpin::domain::Stage::ALL {
            let name = format!("{}_ns", stage.word());
            assert_eq!(measured.2[&name], format!("{:x}", tick.measured.of(stage).0));
        }
    }
}

#[test]
fn frames_have_foxgloves_names_and_numbers() {
    let (left, right) = (jpeg(3, 9), vec![7; 16]);
    let size = Size { width: 4, height: 2 };
    let written = Frame {
        right: Some(Picture { format: PixelFormat::Yuyv(size), bytes: &right }),
        ranges: &[0.5, -0.0],
        ..frame(3, &left)
    };
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    writer.labelled(&written, Some(Human { steering: -0.25, throttle: 0.5 })).unwrap();
    let bytes = writer.finish().unwrap();
    let at = stamp(3).captured_at.0;
    let messages = through_schemas(&bytes);
    let values = |topic: &str| &messages.iter().find(|message| message.0 == topic).unwrap().2;

    let picture = values("/camera/left");
    assert_eq!(picture["data"], format!("{left:?}"));
    assert_eq!((picture["format"].as_str(), picture["frame_id"].as_str()), ("jpeg", "camera_left"));
    assert_eq!(picture["timestamp.seconds"], (at / 1_000_000_000).to_string());
    assert_eq!(picture["timestamp.nanos"], (at % 1_000_000_000).to_string());
    let picture = values("/camera/right");
    assert_eq!(picture["data"], format!("{right:?}"));
    let numbers = ["width", "height", "step"].map(|name| picture[name].as_str());
    assert_eq!((numbers, picture["encoding"].as_str()), (["4", "2", "8"], "yuyv"));
    assert_eq!(values("/ranges")["values"], format!("{:x?}", [0.5_f32.to_bits(), 0x8000_0000]));
    assert_eq!(values("/human")["steering"], format!("{:x}", (-0.25_f64).to_bits()));

    // Numbers and types as in the SDK's CompressedImage.proto, RawImage.proto and timestamp.proto.
    let numbers = |topic: &str, message: &str| {
        let stream = mcap::MessageStream::new(&bytes).unwrap().map(Result::unwrap);
        let schema =
            stream.into_iter().find(|m| m.channel.topic == topic).unwrap().channel.schema.clone().unwrap();
        let set = Schema(FileDescriptorSet::decode(schema.data.as_ref()).unwrap());
        let fields = &set.message(message).1.field;
        fields
            .iter()
            .map(|f| format!("{} {:?} {}", f.number(), f.r#type(), f.name()))
            .collect::<Vec<_>>()
            .join(", ")
    };
    assert_eq!(
        numbers("/camera/left", "foxglove.CompressedImage"),
        "1 Message timestamp, 4 String frame_id, 2 Bytes data, 3 String format"
    );
    assert_eq!(
        numbers("/camera/right", "foxglove.RawImage"),
        "1 Message timestamp, 7 String frame_id, 2 Fixed32 width, 3 Fixed32 height, 4 String encoding, 5 Fixed32 step, 6 Bytes data"
    );
    assert_eq!(numbers("/camera/left", "google.protobuf.Timestamp"), "1 Int64 seconds, 2 Int32 nanos");
}

#[test]
fn a_viewer_finds_an_index() {
    let bytes = ticks::tape(40, 20_000);
    let summary = mcap::Summary::read(&bytes).unwrap().unwrap();
    let stats = summary.stats.unwrap();
    assert_eq!((stats.message_count, stats.chunk_count, stats.metadata_count), (160, 4, 1));
    assert_eq!(summary.chunk_indexes.len(), 4);
    let mut topics: Vec<String> = summary.channels.values().map(|channel| channel.topic.clone()).collect();
    topics.sort();
    assert_eq!(topics, ["/camera/left", "/decision", "/inputs", "/measured"]);
}
