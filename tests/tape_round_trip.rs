//! What goes onto a tape comes back with the same bits, also from a file that nobody finished, and never over
//! another file.
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

use std::io::Write;
use std::sync::{Arc, Mutex};

use hairpin::domain::{Digest, Frame, FrameSeq, Picture, PixelFormat, Size};
use hairpin::tape::header::{VERSION, key};
use hairpin::tape::{Ending, Header, Human, Record, Tape, TapeError, TapeWriter};
use hairpin::units::Instant;
use proptest::prelude::{Strategy as _, any, prop_assert, prop_assert_eq, proptest};
use ticks::{exactly, float, frame, jpeg, stamp, tape, tick};

/// What a frame holds, with its floats as bits.
fn parts(frame: &Frame<'_>) -> String {
    let ranges: Vec<u32> = frame.ranges.iter().map(|value| value.to_bits()).collect();
    format!("{:?} {:?} {:?} {:?} {ranges:x?}", frame.seq, frame.captured_at, frame.left, frame.right)
}

proptest! {
    #[test]
    fn every_bit_of_a_tick_survives(seed in 0_u64..1 << 40, frameless: bool) {
        let (picture, at) = (jpeg(seed, 5), stamp(seed % 1000));
        let written = tick(seed, (!frameless).then_some(at));
        let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
        if !frameless {
            writer.frame(&frame(seed % 1000, &picture)).unwrap();
        }
        writer.tick(&written).unwrap();
        let tape = Tape::from_bytes(writer.finish().unwrap()).unwrap();
        let read = tape.record(0).unwrap();
        prop_assert_eq!(exactly(&read.tick.unwrap()), exactly(&written));
        prop_assert_eq!(read.frame.is_some(), !frameless);
        prop_assert_eq!((tape.len(), tape.ticks(), tape.ending()), (1, 1, &Ending::Whole));
    }

    #[test]
    fn every_bit_of_a_frame_survives(
        left in proptest::collection::vec(any::<u8>(), 0..300),
        right in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
        ranges in proptest::collection::vec(any::<u32>().prop_map(f32::from_bits), 0..70),
        seq: u32, time: u64, yuyv: bool, size: (u32, u32), human: Option<(f64, f64)>,
    ) {
        let format = if yuyv { PixelFormat::Yuyv(Size { width: size.0, height: size.1 }) } else { PixelFormat::Mjpeg };
        let right = right.as_deref().map(|bytes| Picture { format, bytes });
        let written = Frame {
            seq: FrameSeq(u64::from(seq)),
            captured_at: Instant(time),
            left: Picture { format, bytes: &left },
            right,
            ranges: &ranges,
        };
        let human = human.map(|(steering, throttle)| Human { steering, throttle });
        let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
        writer.labelled(&written, human).unwrap();
        let tape = Tape::from_bytes(writer.finish().unwrap()).unwrap();
        let Record { frame, human: label, tick } = tape.record(0).unwrap();
        prop_assert_eq!(parts(&frame.unwrap()), parts(&written));
        let bits = |human: Human| (human.steering.to_bits(), human.throttle.to_bits());
        prop_assert_eq!(label.map(bits), human.map(bits));
        prop_assert!(tick.is_none());
    }
}

#[test]
fn not_a_number_keeps_its_payload() {
    let floats: Vec<f32> = (0..400).map(float).collect();
    assert!(floats.iter().any(|value| value.is_nan()), "the builder makes NaNs");
    let picture = jpeg(0, 1);
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    writer.frame(&Frame { ranges: &floats, ..frame(0, &picture) }).unwrap();
    let tape = Tape::from_bytes(writer.finish().unwrap()).unwrap();
    let read: Vec<u32> = tape.record(0).unwrap().frame.unwrap().ranges.iter().map(|v| v.to_bits()).collect();
    assert_eq!(read, floats.iter().map(|value| value.to_bits()).collect::<Vec<_>>());
}

#[test]
fn records_are_found_by_position_across_chunks() {
    // 40 pictures of 20 kB: more than three chunks.
    let tape = Tape::from_bytes(tape(40, 20_000)).unwrap();
    assert_eq!((tape.len(), tape.frames(), tape.ticks()), (40, 40, 40));
    for n in (0..40).rev() {
        let record = tape.record(n as usize).unwrap();
        assert_eq!(record.frame.unwrap().left.bytes, jpeg(n, 20_000));
        assert_eq!(exactly(&record.tick.unwrap()), exactly(&tick(n, Some(stamp(n)))));
        assert_eq!(tape.position_of_tick(n), Some(n as usize));
    }
    assert!(tape.record(40).is_none());
    assert_eq!(tape.records().map(|record| record.tick.unwrap().inputs.seq).sum::<u64>(), 780);
}

#[test]
fn the_header_comes_back() {
    let digest = Digest::of(b"weights");
    let header = Header::default()
        .with(key::MODEL, "line-follower")
        .with(key::MODEL_DIGEST, digest.to_string())
        .with(key::CALIBRATION, "[servo]\nmin = 1\n")
        .with("", "an empty key")
        .with("ünïcode", "…");
    let bytes = TapeWriter::new(Vec::new(), &header).unwrap().finish().unwrap();
    let tape = Tape::from_bytes(bytes).unwrap();
    assert_eq!(tape.header(), &header);
    assert_eq!(tape.header().version, VERSION);
    assert_eq!(tape.header().model_digest(), Some(digest));
    assert!(tape.is_empty());
}

#[test]
fn an_existing_file_is_refused_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drive.mcap");
    std::fs::write(&path, b"precious").unwrap();
    let error = TapeWriter::create(&path, &Header::default(), false).err().unwrap();
    assert!(matches!(error, TapeError::Exists { .. }));
    assert!(error.to_string().starts_with(
        "there is a file already, and a tape is never overwritten unasked; name another or say --force: "
    ));
    assert_eq!(std::fs::read(&path).unwrap(), b"precious");
    TapeWriter::create(&path, &Header::default(), true).unwrap().finish().unwrap();
    assert_eq!(Tape::open(&path).unwrap().len(), 0);
}

#[test]
fn what_was_synced_survives_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("crash.mcap");
    let mut writer = TapeWriter::create(&path, &Header::default().with("rig", "car"), false).unwrap();
    for n in 0..9 {
        writer.frame(&frame(n, &jpeg(n, 50))).unwrap();
        writer.tick(&tick(n, Some(stamp(n)))).unwrap();
        if n == 6 {
            writer.sync().unwrap();
        }
    }
    // As a killed process leaves it: nothing is finished or dropped.
    std::mem::forget(writer);
    let tape = Tape::open(&path).unwrap();
    assert_eq!(tape.len(), 7);
    assert_eq!(tape.header().get("rig"), Some("car"));
    let Ending::Cut { at, why } = tape.ending() else { panic!("nobody finished it") };
    assert_eq!((*at, why.as_str()), (tape.size(), "the file ends without its index"));
}

/// An output that is full after a number of bytes.
#[derive(Clone, Default)]
struct SmallDisk {
    room: usize,
    held: Arc<Mutex<Vec<u8>>>,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let mut held = self.held.lock().unwrap();
        let room = (self.room - held.len()).min(bytes.len());
        if room == 0 && !bytes.is_empty() {
            return Err(std::io::Error::from(std::io::ErrorKind::StorageFull));
        }
        held.extend_from_slice(&bytes[..room]);
        Ok(room)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_an_error_and_what_is_there_reads() {
    let disk = SmallDisk { room: 4000, held: Arc::default() };
    let mut writer = TapeWriter::new(disk.clone(), &Header::default()).unwrap();
    let mut failure = None;
    for n in 0..40 {
        let written =
            writer.frame(&frame(n, &jpeg(n, 100))).and_then(|()| writer.tick(&tick(n, Some(stamp(n)))));
        if let Err(error) = written.and_then(|()| writer.flush()) {
            failure = Some((n, error.to_string()));
            break;
        }
    }
    drop(writer);
    let (n, error) = failure.expect("the disk is full before 40 ticks");
    assert_eq!(error, "cannot write to the tape: no storage space");
    let tape = Tape::from_bytes(disk.held.lock().unwrap().clone()).unwrap();
    // Every tick that was flushed, and of the last chunk what fitted.
    assert!(tape.ticks() as u64 >= n, "{} ticks of {n}", tape.ticks());
}

#[test]
fn a_frame_number_beyond_32_bits_is_refused() {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    let error = writer.frame(&frame(1 << 32, &[1])).unwrap_err().to_string();
    assert_eq!(error, "frame number 4294967296 does not fit, wanted at most 4294967295");
}
