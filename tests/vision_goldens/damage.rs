//! Pictures that lack tables, are cut, torn or not what cameras send.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use hairpin::vision::{Camera, Damage, VisionError};

use crate::pictures::{JPEGS, bytes, stock};

/// A small generator, so that every run meets the same damage.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

/// Every segment before the scan: its offset, marker, and length with the marker.
fn segments(jpeg: &[u8]) -> Vec<(usize, u8, usize)> {
    let mut found = vec![];
    let mut at = 2;
    loop {
        let length = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        found.push((at, jpeg[at + 1], length));
        at += length;
        if jpeg[found.last().unwrap().0 + 1] == 0xda {
            return found;
        }
    }
}

fn without(jpeg: &[u8], marker: u8) -> Vec<u8> {
    let mut rest = jpeg.to_vec();
    for (at, found, length) in segments(jpeg).into_iter().rev() {
        if found == marker {
            rest.drain(at..at + length);
        }
    }
    rest
}

#[test]
fn a_jpeg_without_huffman_tables_decodes_to_the_same_pixels() {
    for name in JPEGS.iter().chain(&["640x480"]) {
        let jpeg = bytes(&format!("{name}.jpg"));
        let bare = without(&jpeg, 0xc4);
        assert!(bare.len() + 50 < jpeg.len(), "{name} has tables to lose");
        assert_eq!(stock(&bare), stock(&jpeg), "{name}");
        // One table alone missing: the first DHT segment of four, or of two for grey.
        let (at, _, length) = segments(&jpeg).into_iter().find(|(_, marker, _)| *marker == 0xc4).unwrap();
        let partly = [&jpeg[..at], &jpeg[at + length..]].concat();
        assert_eq!(stock(&partly), stock(&jpeg), "{name} partly");
    }
}

#[test]
fn padding_and_stray_bytes_that_healthy_cameras_send_are_accepted() {
    for name in ["small-422", "small-restart"] {
        let jpeg = bytes(&format!("{name}.jpg"));
        let whole = stock(&jpeg).unwrap();
        let mut padded = jpeg.clone();
        padded.extend([0; 4096]);
        assert_eq!(stock(&padded).as_ref(), Ok(&whole));
        padded.extend(&jpeg);
        assert_eq!(stock(&padded).as_ref(), Ok(&whole));
        let end = jpeg.len() - 2;
        for (count, accepted) in [(1, true), (9, true), (16, true), (40, false)] {
            let stray = [&jpeg[..end], &vec![0x55; count], &jpeg[end..]].concat();
            assert_eq!(stock(&stray).is_ok_and(|got| got == whole), accepted, "{name} {count}");
        }
    }
    // Before a restart marker too.
    let jpeg = bytes("small-restart.jpg");
    let at = jpeg.windows(2).position(|pair| pair == [0xff, 0xd0]).unwrap();
    let stray = [&jpeg[..at], &[1, 2, 3], &jpeg[at..]].concat();
    assert_eq!(stock(&stray), stock(&jpeg));
}

#[test]
fn every_cut_is_an_error() {
    for (name, step) in
        [("small-422", 1), ("small-restart", 1), ("small-gray", 1), ("odd-420", 1), ("640x480", 7)]
    {
        let jpeg = bytes(&format!("{name}.jpg"));
        let bare = without(&jpeg, 0xc4);
        for whole in [jpeg, bare] {
            for length in (0..whole.len()).step_by(step) {
                let error = stock(&whole[..length]).expect_err(name);
                assert!(
                    matches!(error, VisionError::Picture { camera: Camera::Left, .. }),
                    "{name} {length}"
                );
            }
            // With the driver's padding instead of the rest.
            for length in (2..whole.len()).step_by(step * 5) {
                let mut padded = whole[..length].to_vec();
                padded.resize(whole.len(), 0);
                if padded != whole {
                    assert!(stock(&padded).is_err(), "{name} {length}");
                }
            }
        }
    }
    let jpeg = bytes("small-422.jpg");
    let cut = stock(&jpeg[..3000]).unwrap_err().to_string();
    assert_eq!(cut, "left camera: the JPEG ends at byte 3000 inside its coded pixels: the picture was cut");
    let cut = stock(&jpeg[..100]).unwrap_err().to_string();
    assert_eq!(cut, "left camera: the JPEG ends at byte 100 inside its header: the picture was cut");
}

#[test]
fn damage_never_panics_and_most_of_it_is_found() {
    let mut dice = Dice(2);
    for name in ["small-422", "small-420", "small-restart", "small-gray", "640x480"] {
        let jpeg = bytes(&format!("{name}.jpg"));
        let (head, _, length) = *segments(&jpeg).last().unwrap();
        let pixels_at = head + length;
        let whole = stock(&jpeg).unwrap();
        let rounds = if name == "640x480" { 60 } else { 600 };
        let (mut found, mut seen) = (0, 0);
        for _ in 0..rounds {
            let mut hurt = jpeg.clone();
            let at = pixels_at + dice.roll(jpeg.len() - 2 - pixels_at);
            hurt[at] ^= 1 << dice.roll(8);
            match stock(&hurt) {
                Err(_) => found += 1,
                Ok(observation) if observation == whole => {}
                Ok(_) => seen += 1,
            }
        }
        println!(
            "{name}: of {rounds} flipped bits {found} were refused, {seen} changed the picture unnoticed"
        );
        // A flipped sign or low bit is another valid picture; codes that fall out of step are what is found.
        assert!(found * 4 > rounds, "{name}");
        // A lost packet: 512 bytes taken out or zeroed.
        for _ in 0..rounds / 4 {
            let span = 512.min((jpeg.len() - pixels_at) / 4);
            let at = pixels_at + dice.roll(jpeg.len() - 2 - span - pixels_at);
            let mut lost = jpeg.clone();
            lost.drain(at..at + span);
            let mut zeroed = jpeg.clone();
            zeroed[at..at + span].fill(0);
            assert!(stock(&lost).is_err(), "{name}: {span} bytes lost at {at}");
            assert!(stock(&zeroed).is_err(), "{name}: {span} bytes zeroed at {at}");
        }
        // Anything anywhere, for the sake of not panicking.
        for _ in 0..rounds {
            let mut hurt = jpeg.clone();
            for _ in 0..=dice.roll(4) {
                let at = dice.roll(hurt.len().min(pixels_at * 2));
                hurt[at] = u8::try_from(dice.roll(256)).unwrap();
            }
            if let Ok(observation) = stock(&hurt) {
                assert_eq!(observation.camera.len(), 19_200);
            }
        }
    }
}

#[test]
fn headers_that_no_camera_sends_are_refused_by_name() {
    let jpeg = bytes("small-422.jpg");
    let of = |marker: u8| segments(&jpeg).into_iter().find(|(_, found, _)| *found == marker).unwrap().0;
    let (frame_at, scan_at, steps_at, codes_at) = (of(0xc0), of(0xda), of(0xdb), of(0xc4));
    let cases: BTreeMap<&str, Vec<(usize, u8)>> = BTreeMap::from([
        ("the picture begins with [fe, d8]", vec![(0, 0xfe)]),
        ("the JPEG is progressive, wanted baseline", vec![(frame_at + 1, 0xc2)]),
        ("the JPEG is lossless, hierarchical or arithmetic-coded", vec![(frame_at + 1, 0xc9)]),
        ("the JPEG is not 8 bits deep", vec![(frame_at + 4, 12)]),
        ("the picture is 160x0, wanted 1x1 to 4096x4096", vec![(frame_at + 6, 0)]),
        ("the picture is 8352x120, wanted 1x1 to 4096x4096", vec![(frame_at + 7, 0x20)]),
        ("its length does not fit its number of components", vec![(frame_at + 9, 1)]),
        ("the JPEG is sampled in another way", vec![(frame_at + 11, 0x33)]),
        ("no frame header before the scan", vec![(frame_at + 1, 0xe5)]),
        ("its length is less than 2", vec![(frame_at + 2, 0), (frame_at + 3, 1)]),
        ("the JPEG is split into several scans", vec![(scan_at + 4, 1)]),
        ("components are not those of the frame header", vec![(scan_at + 5, 9)]),
        ("wanted all 64 coefficients", vec![(scan_at + 12, 62)]),
        ("a quantisation step is 0", vec![(steps_at + 5, 0)]),
        ("wanted tables 0 to 3 of 64 single bytes", vec![(steps_at + 4, 0x10)]),
        ("a Huffman table is impossible", vec![(codes_at + 4, 0x05)]),
        ("a component has no quantisation table", vec![(frame_at + 12, 3)]),
        ("wanted a marker (ff) here", vec![(frame_at, 0)]),
        ("the JPEG is without the Huffman tables it uses", vec![(scan_at + 6, 0x23)]),
    ]);
    for (wanted, changes) in cases {
        let mut changed = jpeg.clone();
        for (at, value) in changes {
            changed[at] = value;
        }
        let error = stock(&changed).unwrap_err();
        assert!(error.to_string().contains(wanted), "wanted {wanted:?}, got {error}");
        assert!(!matches!(error, VisionError::Picture { why: Damage::Decoder { .. }, .. }), "{error}");
    }
}

/// Real cameras and encoders: none of their frames may be taken for damaged.
#[test]
fn real_frames_are_accepted() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/recordings");
    if !recordings.is_dir() {
        // Straight to the stream: the harness swallows what the macros print.
        let why = format!("skipped: {} is absent\n", recordings.display());
        std::io::stderr().write_all(why.as_bytes()).unwrap();
        return;
    }
    let (mut folders, mut count) = (vec![recordings], 0);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "jpg") {
                let jpeg = fs::read(&path).unwrap();
                stock(&jpeg).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                stock(&jpeg[..jpeg.len() - 3]).unwrap_err();
                count += 1;
            }
        }
    }
    println!("{count} recorded JPEGs accepted");
}
