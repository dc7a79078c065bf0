//! Files that are no tape of ours, and tapes that cannot be: each is refused with what was seen, what is wanted and
//! what to do.
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

use hairpin::domain::Frame;
use hairpin::tape::{Header, Tape, TapeWriter};
use ticks::{Pieces, foreign, frame, jpeg, pieces, stamp, tape, tick};

fn refusal(bytes: Vec<u8>) -> String {
    match Tape::from_bytes(bytes) {
        Ok(tape) => format!("taken, {} records", tape.len()),
        Err(error) => error.to_string(),
    }
}

/// The pieces of a tape of three ticks.
fn three() -> Pieces {
    pieces(&tape(3, 8))
}

/// A tape of three ticks with one message changed.
fn changed(topic: &str, nth: usize, change: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut pieces = three();
    let at = pieces.find(topic, nth);
    change(&mut pieces.messages[at].3);
    // The byte depends on the container library's own header; everything else is asserted.
    let said = refusal(pieces.write());
    let (before, after) = said.split_once(" at byte ").unwrap_or((&said, ""));
    format!("{before}: {}", after.split_once(": ").map_or("", |(_, rest)| rest))
}

/// What follows a fault in a message.
const SAVES: &str = "; `hairpin recover` saves the other records";

#[test]
fn the_pieces_give_the_tape_again() {
    // Else every refusal below could be the builder's own fault.
    assert_eq!(refusal(three().write()), "taken, 3 records");
}

#[test]
fn files_that_are_not_mcap() {
    assert_eq!(refusal(Vec::new()), "the file is empty; wanted a tape, an MCAP file");
    for (bytes, name) in [
        (b"#ROSBAG V2.0\n".as_slice(), "a ROS 1 bag"),
        (b"SQLite format 3\0", "a database, as ROS 2 bags are (.db3)"),
        (b"\x1f\x8b\x08\0", "a gzip archive"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\xff\xd8\xff\xe0", "a JPEG picture"),
        (b"hello, world", "\"hello, w\""),
        (b"\x89MCAP1\r\n", "\"\\x89MCAP1\\r\\n\""),
    ] {
        assert_eq!(
            refusal(bytes.to_vec()),
            format!("not a tape: it begins like {name}; wanted an MCAP file")
        );
    }
}

#[test]
fn only_magic() {
    let said = refusal(b"\x89MCAP0\r\n".to_vec());
    let wanted =
        "the file ends after 8 bytes, before the tape's header is complete; nothing can be recovered";
    assert_eq!(said, wanted);
}

#[test]
fn a_file_that_is_not_there() {
    let error = Tape::open(std::path::Path::new("/nowhere/a.mcap")).unwrap_err().to_string();
    assert_eq!(error, "cannot read /nowhere/a.mcap");
}

#[test]
fn somebody_elses_mcap() {
    let topics = [
        ("/camera_pkg/video_mjpeg", "cdr", "sensor_msgs/msg/CompressedImage", "ros2msg"),
        ("/ctrl_pkg/servo_msg", "cdr", "deepracer_interfaces_pkg/msg/ServoCtrlMsg", "ros2msg"),
    ];
    let messages = [(0, 0, 5, vec![0, 1, 0, 0]), (1, 0, 6, vec![0, 1, 0, 0])];
    assert_eq!(
        refusal(foreign("ros2", None, &topics, &messages)),
        "an MCAP file, but not a tape of ours: profile \"ros2\", written by \"someone 1.0\", topics /camera_pkg/video_mjpeg \
         /ctrl_pkg/servo_msg; wanted the metadata record \"hairpin\" first, as `hairpin` records and imports write it"
    );
    assert_eq!(
        refusal(foreign("", None, &[], &[])),
        "an MCAP file, but not a tape of ours: profile \"\", written by \"someone 1.0\", topics none; wanted the metadata \
         record \"hairpin\" first, as `hairpin` records and imports write it"
    );
}

#[test]
fn versions() {
    let with_format = |format: &str| {
        let mut pieces = three();
        pieces.metadata.insert("format".to_owned(), format.to_owned());
        refusal(pieces.write())
    };
    assert_eq!(
        with_format("2.0"),
        "the tape has format 2.0, this build reads 1.x; use the hairpin that recorded it, or a newer one"
    );
    assert_eq!(
        with_format("0.9"),
        "the tape has format 0.9, this build reads 1.x; use the hairpin that recorded it, or a newer one"
    );
    for text in ["", "one", "1", "-1.0", "1.0.0"] {
        let wanted = format!("the tape's header names format {text:?}, wanted a version like \"1.0\"");
        assert_eq!(with_format(text), wanted);
    }
}

#[test]
fn a_changed_header() {
    let mut pieces = three();
    pieces.metadata.insert("rig".to_owned(), "car".to_owned());
    let said = refusal(pieces.write());
    assert!(said.starts_with("the tape's header is damaged: its check is \""), "{said}");
    assert!(said.ends_with("; restore the file from its origin"), "{said}");
}

#[test]
fn topics_of_ours_with_other_messages() {
    let with_topic = |topic: &str, encoding, schema, schema_encoding| {
        let mut pieces = three();
        let at = pieces.topics.iter().position(|known| known.0 == topic).unwrap();
        let topic = pieces.topics[at].0;
        pieces.topics[at] = (topic, encoding, schema, schema_encoding);
        refusal(pieces.write())
    };
    assert_eq!(
        with_topic("/decision", "json", "hairpin.Decision", "jsonschema"),
        "topic /decision holds json with schema \"hairpin.Decision\" in jsonschema, wanted protobuf with schema \
         hairpin.Decision in protobuf; another program wrote it"
    );
    assert_eq!(
        with_topic("/camera/left", "protobuf", "foxglove.CompressedVideo", "protobuf"),
        "topic /camera/left holds protobuf with schema \"foxglove.CompressedVideo\" in protobuf, wanted protobuf with \
         schema foxglove.CompressedImage or foxglove.RawImage in protobuf; another program wrote it"
    );
}

#[test]
fn an_unknown_topic_is_passed_over() {
    // The version law: a larger minor may add topics.
    let mut pieces = three();
    pieces.topics.push(("/new", "protobuf", "hairpin.New", "protobuf"));
    let at = pieces.topics.len() - 1;
    pieces.messages.insert(4, (at, 0, 0, vec![1, 2, 3]));
    assert_eq!(refusal(pieces.write()), "taken, 3 records");
}

#[test]
fn an_unknown_field_is_passed_over() {
    let mut pieces = three();
    let at = pieces.find("/decision", 1);
    // Field 99, four bytes; field 14, a varint.
    pieces.messages[at].3.extend_from_slice(&[0x9D, 6, 1, 2, 3, 4, 14 << 3, 5]);
    assert_eq!(refusal(pieces.write()), "taken, 3 records");
}

#[test]
fn messages_cut_within() {
    let said = changed("/decision", 1, |content| content.truncate(content.len() - 1));
    let len = three().messages[three().find("/decision", 1)].3.len() - 1;
    assert_eq!(said, format!("message 1 of /decision: Decision is cut within its {len} bytes{SAVES}"));
    // At the end of a field, where the bytes alone look whole: the pulses are the last twelve.
    let said = changed("/decision", 1, |content| content.truncate(content.len() - 12));
    assert_eq!(said, format!("message 1 of /decision: Decision.pulses is missing{SAVES}"));
    let said = changed("/inputs", 2, |content| content.truncate(9));
    assert_eq!(said, format!("message 2 of /inputs: Inputs.operator is missing{SAVES}"));
    let said = changed("/measured", 0, Vec::clear);
    assert_eq!(said, format!("message 0 of /measured: Measured.decode_ns is missing{SAVES}"));
    let said = changed("/camera/left", 0, Vec::clear);
    assert_eq!(said, format!("message 0 of /camera/left: CompressedImage.format is missing{SAVES}"));
}

#[test]
fn every_cut_of_every_message_is_refused() {
    let whole = three();
    for at in 0..4 {
        for len in 0..whole.messages[at].3.len() {
            let mut pieces = three();
            pieces.messages[at].3.truncate(len);
            let said = refusal(pieces.write());
            assert!(said.contains(" is missing") || said.contains(" is cut within "), "{at} {len}: {said}");
        }
    }
}

#[test]
fn numbers_without_a_meaning() {
    // A field that comes again counts as it came last.
    let decision = |tail: &[u8]| changed("/decision", 0, |content| content.extend_from_slice(tail));
    let wanted = "0 USABLE, 1 DARK, 2 BRIGHT, 3 FROZEN, 4 TORN, 5 MISSING";
    let said = decision(&[3 << 3, 9]);
    assert_eq!(said, format!("message 0 of /decision: Decision.quality is 9, wanted {wanted}{SAVES}"));

    let said = decision(&[8 << 3 | 2, 2, 1 << 3, 72]);
    let wanted = "0 DISARMED, 1 ARMING, 2 DRIVING, 3 COASTING, 4 STOPPED";
    assert_eq!(said, format!("message 0 of /decision: DriveState.phase is 72, wanted {wanted}{SAVES}"));

    // Coasting, since never.
    let said = decision(&[8 << 3 | 2, 2, 1 << 3, 3]);
    assert_eq!(said, format!("message 0 of /decision: DriveState.since_ns is missing{SAVES}"));

    let float = |value: f32| value.to_bits().to_le_bytes();
    let [a, b, c, d] = float(1.5);
    let said = decision(&[7 << 3 | 2, 10, 1 << 3 | 5, a, b, c, d, 2 << 3 | 5, 0, 0, 0, 0]);
    assert_eq!(said, format!("message 0 of /decision: Command.steering is 1.5, wanted -1 to 1{SAVES}"));
    let [a, b, c, d] = float(f32::NAN);
    let said = decision(&[7 << 3 | 2, 10, 1 << 3 | 5, 0, 0, 0, 0, 2 << 3 | 5, a, b, c, d]);
    assert_eq!(said, format!("message 0 of /decision: Command.throttle is NaN, wanted -1 to 1{SAVES}"));

    let [a, b, c, d] = 2_000_001_u32.to_le_bytes();
    let said = decision(&[10 << 3 | 2, 10, 1 << 3 | 5, a, b, c, d, 2 << 3 | 5, a, b, c, d]);
    let wanted = "Pulses.steering_ns is 2000001, wanted 1000000 to 2000000";
    assert_eq!(said, format!("message 0 of /decision: {wanted}{SAVES}"));

    let said = decision(&[4 << 3 | 2, 3, 1, 2, 3]);
    assert_eq!(
        said,
        format!("message 0 of /decision: Decision.scores is 3 bytes, wanted a multiple of 4{SAVES}")
    );
    let mut many = vec![4 << 3 | 2, 0x84, 0x04];
    many.resize(3 + 129 * 4, 0);
    let wanted = "Decision.scores is 129 values, wanted at most 128";
    assert_eq!(decision(&many), format!("message 0 of /decision: {wanted}{SAVES}"));

    let said = decision(&[3 << 3 | 5, 0, 0, 0, 0]);
    assert_eq!(said, format!("message 0 of /decision: Decision.quality has wire type 5, wanted 0{SAVES}"));
    let said = decision(&[3 << 3 | 3]);
    let wanted = "Decision has a field of wire type 3, wanted 0, 1, 2 or 5";
    assert_eq!(said, format!("message 0 of /decision: {wanted}{SAVES}"));
    // A length of 2^63 and more, and a varint that never ends.
    let said = decision(&[2, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    assert!(said.starts_with("message 0 of /decision: Decision is cut within its "), "{said}");
    let said = decision(&[255; 40]);
    assert!(said.starts_with("message 0 of /decision: Decision is cut within its "), "{said}");
}

#[test]
fn pictures_of_another_kind() {
    let said = changed("/camera/left", 1, |content| {
        let at = content.windows(4).position(|window| window == b"jpeg").unwrap();
        content[at..at + 4].copy_from_slice(b"h264");
    });
    let wanted = "CompressedImage.format is \"h264\", wanted \"jpeg\"";
    assert_eq!(said, format!("message 1 of /camera/left: {wanted}{SAVES}"));
}

#[test]
fn ticks_out_of_order_and_twice() {
    let order = |order: [usize; 3]| {
        let pieces = three();
        // Four messages a tick: picture, inputs, measured, decision.
        let messages =
            order.iter().flat_map(|tick| pieces.messages[tick * 4..tick * 4 + 4].to_vec()).collect();
        refusal(Pieces { messages, ..pieces }.write())
    };
    assert_eq!(
        order([0, 2, 1]),
        "tick 1 stands after tick 2, wanted rising numbers; another program rewrote the tape, use the original"
    );
    assert_eq!(order([0, 1, 1]), "tick 1 is there twice; two recordings were joined, use each by itself");
}

#[test]
fn ticks_without_their_frame() {
    let without = |at: usize| {
        let mut pieces = three();
        pieces.messages.remove(at);
        refusal(pieces.write())
    };
    let saves = "; `hairpin recover` saves the other ticks";
    assert_eq!(without(4), format!("tick 1 works on frame 1, but no frame stands before it{saves}"));
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    writer.frame(&frame(7, &jpeg(7, 4))).unwrap();
    writer.tick(&tick(0, Some(stamp(8)))).unwrap();
    let said = refusal(writer.finish().unwrap());
    assert_eq!(said, format!("tick 0 works on frame 8, but frame 7 stands before it{saves}"));

    let said = without(5);
    assert!(
        said.ends_with(" has no inputs before it; a tick is its inputs, measured times and decision"),
        "{said}"
    );
    let said = without(6);
    assert!(said.contains(" has no measured times before it; "), "{said}");
}

#[test]
fn parts_of_two_frames() {
    let picture = jpeg(1, 4);
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    writer.frame(&Frame { ranges: &[1.0, 2.0], ..frame(1, &picture) }).unwrap();
    writer.frame(&frame(2, &picture)).unwrap();
    let mut pieces = pieces(&writer.finish().unwrap());
    // Without the first left picture, its ranges would go to the second frame.
    pieces.messages.remove(pieces.find("/camera/left", 0));
    assert_eq!(
        refusal(pieces.write()),
        "/ranges of frame 1 stands before the left picture of frame 2; the parts of a frame must follow each other"
    );
}

#[test]
fn a_compressed_chunk() {
    // Marked as compressed in the chunk's head, which the check does not cover.
    let mut bytes = tape(1, 4);
    let at = bytes.windows(9).position(|w| w[0] == 6 && w[3..9] == [0; 6]).unwrap();
    let name = at + 9 + 28;
    assert_eq!(bytes[name..name + 4], [0; 4], "the length of the compression's name");
    let len = u64::from_le_bytes(bytes[at + 1..at + 9].try_into().unwrap()) + 4;
    bytes[at + 1..at + 9].copy_from_slice(&len.to_le_bytes());
    bytes[name] = 4;
    bytes.splice(name + 4..name + 4, *b"zstd");
    assert_eq!(
        refusal(bytes),
        format!(
            "the chunk at byte {at} is compressed with \"zstd\", wanted none; another program rewrote the tape, use the original"
        )
    );
}
