//! A tape that is cut at any byte gives every record before the cut; a tape with any bit turned never panics and
//! never gives a record that was not written.
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
use hairpin::tape::{Ending, Header, Tape, TapeError, TapeWriter, repair};
use ticks::{exactly, frame, jpeg, stamp, tape, tick};

/// Where each record's closing message ends, found without our reader: the last byte of the content itself.
fn closings(tape: &[u8], count: u64) -> Vec<(usize, bool)> {
    let ours = ticks::pieces(tape);
    let mut ends = Vec::new();
    let mut from = 0;
    for n in 0..count as usize {
        for (topic, is_tick) in [("/camera/left", false), ("/decision", true)] {
            let content = &ours.messages[ours.find(topic, n)].3;
            let at = tape[from..].windows(content.len()).position(|window| window == content).unwrap();
            from += at + content.len();
            ends.push((from, is_tick));
        }
    }
    ends
}

#[test]
fn every_prefix_recovers_to_the_last_whole_record() {
    const TICKS: u64 = 6;
    let whole = tape(TICKS, 30);
    let ends = closings(&whole, TICKS);
    let header_end = 8 + {
        // The container's header record, then our metadata record.
        let len = |at: usize| u64::from_le_bytes(whole[at + 1..at + 9].try_into().unwrap()) as usize + 9;
        len(8) + len(8 + len(8))
    };
    for cut in 0..=whole.len() {
        let part = whole[..cut].to_vec();
        if cut < header_end {
            let wanted = if cut == 0 {
                "the file is empty; wanted a tape, an MCAP file".to_owned()
            } else {
                format!(
                    "the file ends after {cut} bytes, before the tape's header is complete; nothing can be recovered"
                )
            };
            assert_eq!(repair::salvage(part.clone()).unwrap_err().to_string(), wanted);
            assert_eq!(Tape::from_bytes(part).unwrap_err().to_string(), wanted);
            continue;
        }
        let frames = ends.iter().filter(|(end, is_tick)| *end <= cut && !is_tick).count();
        let full = ends.iter().filter(|(end, is_tick)| *end <= cut && *is_tick).count();
        let tape = Tape::from_bytes(part.clone()).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!((tape.frames(), tape.ticks(), tape.len()), (frames, full, frames), "cut at {cut}");
        assert_eq!(tape.ending() == &Ending::Whole, cut == whole.len(), "cut at {cut}");

        let salvage = repair::salvage(part).unwrap();
        let lost = salvage.lost.clone();
        // What is lost begins where the last whole record ended, or after it: never before.
        let last = ends.iter().filter(|(end, _)| *end <= cut).map(|(end, _)| *end).max().unwrap_or(0);
        assert!(lost.from.is_none_or(|from| from >= last as u64), "cut at {cut}: {lost}");
        assert_eq!(lost.from.is_none(), lost.bytes == 0);
        let begun = ends.iter().any(|(end, _)| *end > cut) && cut > last && cut > ends[0].0;
        assert!(!begun || lost.records == 1 || lost.bytes == 0, "cut at {cut}: {lost}");

        let header = salvage.header();
        let mut out = Vec::new();
        assert_eq!(salvage.write(TapeWriter::new(&mut out, &header).unwrap()).unwrap(), frames);
        let again = Tape::from_bytes(out).unwrap();
        assert_eq!(again.ending(), &Ending::Whole);
        assert_eq!(again.header().get("rig"), Some("test"));
        assert_eq!(again.header().get("recovered"), Some(format!("lost: {lost}").as_str()));
        for (n, record) in (0..).zip(again.records()) {
            assert_eq!(record.frame.unwrap().left.bytes, jpeg(n, 30), "cut at {cut}");
            let wanted = tick(n, Some(stamp(n)));
            assert!(record.tick.is_none_or(|tick| exactly(&tick) == exactly(&wanted)), "cut at {cut}");
        }
        assert_eq!(again.ticks(), full);
    }
}

/// Every bit of a tape of two chunks, turned: reading and salvaging end, and what they give was written.
#[test]
fn a_turned_bit_never_panics_and_never_lies() {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    for n in 0..2 {
        writer.frame(&frame(n, &jpeg(n, 10))).unwrap();
        writer.tick(&tick(n, Some(stamp(n)))).unwrap();
        writer.flush().unwrap();
    }
    let whole = writer.finish().unwrap();
    let pictures = [jpeg(0, 10), jpeg(1, 10)];
    let wanted = [exactly(&tick(0, Some(stamp(0)))), exactly(&tick(1, Some(stamp(1))))];
    let (mut refused, mut fewer, mut same) = (0, 0, 0);
    for at in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let holds = |tape: &Tape| {
            for record in tape.records() {
                if let Some(frame) = record.frame {
                    assert!(pictures.iter().any(|picture| picture == frame.left.bytes), "bit {at}: picture");
                }
                if let Some(tick) = record.tick {
                    assert!(wanted.contains(&exactly(&tick)), "bit {at}: tick");
                }
            }
        };
        match Tape::from_bytes(bytes.clone()) {
            Err(_) => refused += 1,
            Ok(tape) => {
                holds(&tape);
                if tape.len() == 2 { same += 1 } else { fewer += 1 }
            }
        }
        if let Ok(salvage) = repair::salvage(bytes) {
            holds(&salvage.tape);
        }
    }
    println!("{} bits turned: {refused} refused, {fewer} read as cut, {same} read whole", whole.len() * 8);
    assert!(refused > 0 && same > 0);
}

/// A damaged chunk in the middle: the others are saved, and the loss is told.
#[test]
fn records_behind_damage_are_saved() {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    for n in 0..9 {
        writer.frame(&frame(n, &jpeg(n, 200))).unwrap();
        writer.tick(&tick(n, Some(stamp(n)))).unwrap();
        if n % 3 == 2 {
            writer.flush().unwrap();
        }
    }
    let mut bytes = writer.finish().unwrap();
    let picture = jpeg(4, 200);
    let at = bytes.windows(picture.len()).position(|window| window == picture).unwrap();
    bytes[at + 100] ^= 1;
    let error = Tape::from_bytes(bytes.clone()).unwrap_err();
    assert!(matches!(error, TapeError::Damaged { .. }));
    assert!(
        error
            .to_string()
            .ends_with(": a chunk does not fit its check (CRC); `hairpin recover` saves the whole records"),
        "{error}"
    );
    let salvage = repair::salvage(bytes.clone()).unwrap();
    let saved: Vec<u64> = salvage.tape.records().map(|record| record.tick.unwrap().inputs.seq).collect();
    assert_eq!(saved, [0, 1, 2, 6, 7, 8]);
    assert_eq!(salvage.lost.records, 3);
    assert_eq!(salvage.lost.stretches.len(), 1);

    // Even the first chunk, which declares the channels: the index repeats them.
    let picture = jpeg(0, 200);
    let at = bytes.windows(picture.len()).position(|window| window == picture).unwrap();
    bytes[at + 100] ^= 1;
    let salvage = repair::salvage(bytes).unwrap();
    let saved: Vec<u64> = salvage.tape.records().map(|record| record.tick.unwrap().inputs.seq).collect();
    assert_eq!(saved, [6, 7, 8]);
    assert_eq!(salvage.lost.records, 6);
}

/// A message without a meaning costs its own record and no other, though a part of that record was good.
#[test]
fn a_bad_message_costs_one_record() {
    let picture = jpeg(1, 9);
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    for n in 0..3 {
        let ranges: &[f32] = if n == 1 { &[0.5] } else { &[] };
        writer.frame(&Frame { ranges, ..frame(n, &picture) }).unwrap();
    }
    let mut pieces = ticks::pieces(&writer.finish().unwrap());
    let at = pieces.find("/camera/left", 1);
    pieces.messages[at].3.clear();
    let salvage = repair::salvage(pieces.write()).unwrap();
    let saved: Vec<u64> = salvage.tape.records().map(|record| record.frame.unwrap().seq.0).collect();
    assert_eq!(saved, [0, 2]);
    assert_eq!((salvage.lost.records, salvage.lost.stretches.len()), (1, 1));
    let wanted = "message 1 of /camera/left at byte ";
    assert!(salvage.lost.stretches[0].why.starts_with(wanted), "{:?}", salvage.lost.stretches);
}

/// A tail of zeros, as a file system leaves it after a power cut.
#[test]
fn a_tail_of_zeros_is_a_cut() {
    let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
    writer.frame(&frame(0, &jpeg(0, 10))).unwrap();
    writer.tick(&tick(0, Some(stamp(0)))).unwrap();
    let whole = writer.finish().unwrap();
    let message_index = whole.windows(9).position(|w| w[0] == 7 && w[2..9] == [0; 7]).unwrap();
    let mut bytes = whole[..message_index].to_vec();
    bytes.resize(bytes.len() + 4096, 0);
    let tape = Tape::from_bytes(bytes).unwrap();
    assert_eq!(tape.ticks(), 1);
    let wanted = Ending::Cut { at: message_index as u64, why: "no MCAP record begins here".to_owned() };
    assert_eq!(tape.ending(), &wanted);
}
