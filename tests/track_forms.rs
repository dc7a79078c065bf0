//! The forms in which roads are written: AWS's arrays, our own text, and the drawings.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    clippy::cast_possible_truncation,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use hairpin::track::draw::{Ink, text};
use hairpin::track::svg::svg;
use hairpin::track::{BUILT_IN, Point, Track, TrackError};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, prop_assert_eq, proptest};

fn oval() -> Track {
    Track::built_in("oval").unwrap()
}

/// The rows of a track's array, the first repeated at the end.
fn rows(track: &Track) -> Vec<[f64; 6]> {
    let lines = track.centre().iter().zip(track.inner()).zip(track.outer());
    let mut rows: Vec<[f64; 6]> = lines.map(|((c, i), o)| [c.x, c.y, i.x, i.y, o.x, o.y]).collect();
    rows.push(rows[0]);
    rows
}

/// A `.npy` file as Python writes it: the header padded to 64 bytes.
fn npy(version: u8, header: &str, values: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    let long = if version == 1 { 2 } else { 4 };
    let padded = (8 + long + header.len() + 1).div_ceil(64) * 64 - 8 - long;
    bytes.extend(&(padded as u32).to_le_bytes()[..long]);
    bytes.extend(format!("{header:<width$}\n", width = padded - 1).bytes());
    bytes.extend(values);
    bytes
}

fn header(kind: &str, shape: &str) -> String {
    format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}")
}

fn doubles(rows: &[[f64; 6]]) -> Vec<u8> {
    rows.iter().flatten().flat_map(|value| value.to_le_bytes()).collect()
}

#[test]
fn an_array_is_read_to_the_bit_in_every_version() {
    let track = oval();
    let rows = rows(&track);
    let shape = format!("({}, 6)", rows.len());
    for version in [1, 2, 3] {
        let bytes = npy(version, &header("<f8", &shape), &doubles(&rows));
        assert_eq!(Track::from_npy("oval", &bytes).unwrap(), track, "version {version}");
    }
    let swapped = format!("{{\"shape\": {shape}, \"fortran_order\":False, \"descr\":\"<f8\"}}");
    assert_eq!(Track::from_npy("oval", &npy(1, &swapped, &doubles(&rows))).unwrap(), track);
}

#[test]
fn single_precision_is_read_as_it_is() {
    let track = oval();
    let rows = rows(&track);
    let values: Vec<u8> = rows.iter().flatten().flat_map(|value| (*value as f32).to_le_bytes()).collect();
    let bytes = npy(1, &header("<f4", &format!("({}, 6)", rows.len())), &values);
    let read = Track::from_npy("oval", &bytes).unwrap();
    assert_eq!(read.centre().len(), track.centre().len());
    for (read, whole) in read.centre().iter().zip(track.centre()) {
        assert_eq!((read.x, read.y), (f64::from(whole.x as f32), f64::from(whole.y as f32)));
    }
}

#[test]
fn other_arrays_are_refused_by_name() {
    let rows = rows(&oval());
    let (values, shape) = (doubles(&rows), format!("({}, 6)", rows.len()));
    let fortran = header("<f8", &shape).replace("False", "True");
    for (bytes, says) in [
        (Vec::new(), "NumPy's mark"),
        (b"PK\x03\x04 a zip file".to_vec(), "NumPy's mark"),
        (b"\x93NUMPY".to_vec(), "inside its header"),
        (b"\x93NUMPY\x01\x00\xff\xffabc".to_vec(), "inside its header"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xffabc".to_vec(), "inside its header"),
        (b"\x93NUMPY\x09\x00\xff\xff\xff\xffabc".to_vec(), "version 9"),
        (npy(1, &header("<f8", "(10, 2)"), &[0; 160]), "shape is (10, 2)"),
        (npy(1, &header("<f8", "(6, 10)"), &[0; 480]), "shape is (6, 10)"),
        (npy(1, &header("<f8", "(60,)"), &[0; 480]), "shape is (60)"),
        (npy(1, &header("<f8", "()"), &[0; 8]), "shape is ()"),
        (npy(1, &header("<f8", "(5, 2, 6)"), &[0; 480]), "shape is (5, 2, 6)"),
        (npy(1, &header("<f8", "(-5, 6)"), &[0; 480]), "whole numbers"),
        (npy(1, &header("<f8", "(18446744073709551615, 6)"), &[0; 48]), "more than there can be"),
        (npy(1, &header("<f8", "(99999999999999999999, 6)"), &[0; 48]), "whole numbers"),
        (npy(1, &header("<f8", "(1000000000000, 6)"), &[0; 48]), "need 48000000000000 bytes"),
        (npy(1, &header("<f8", &shape), &values[1..]), "5999"),
        (npy(1, &header("<f8", &shape), &[values.as_slice(), b"x"].concat()), "6001"),
        (npy(1, &header(">f8", &shape), &values), "big-endian"),
        (npy(1, &header("<i8", &shape), &values), "<i8"),
        (npy(1, &header("|O", &shape), &values), "|O"),
        (npy(1, "{'descr': [('x', '<f8')], 'fortran_order': False, 'shape': (1, 6)}", &values), "[('x'"),
        (npy(1, &fortran, &values), "ascontiguousarray"),
        (npy(1, "{'fortran_order': False, 'shape': (1, 6)}", &values), "'descr'"),
        (npy(1, "{'descr': '<f8'}", &values), "no shape"),
        (npy(1, "\u{e9}", &values), "'descr'"),
    ] {
        let error = Track::from_npy("bad", &bytes).unwrap_err();
        assert!(matches!(error, TrackError::Array { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error} does not say {says:?}");
        assert!(error.to_string().contains("N rows of 6 columns"), "{error}");
    }
    let few = npy(1, &header("<f8", "(0, 6)"), &[]);
    assert_eq!(Track::from_npy("none", &few).unwrap_err(), TrackError::TooFew { saw: 0, wanted: 8 });
}

/// A rectangle with cut corners, 5 m by 3 m, by its corners alone.
const BY_HAND: &str = "\u{feff}# my garage\r\n\
    hairpin-track 1\r\n\
    \r\n\
    width 0.80   # from border to border\r\n\
    0 0\r\n\
    4, 0\r\n\
    5 1   0.4 0.4\r\n\
    5 2\r\n\
    4 3\r\n\
    0 3\r\n\
    -1 2  -0.6 1.83431457505076 -1.4 2.16568542494924\r\n\
    -1 1\r\n";

#[test]
fn a_road_by_hand_has_parallel_borders() {
    let track = Track::from_text("garage", BY_HAND).unwrap();
    assert_eq!((track.name(), track.centre().len()), ("garage", 8));
    assert!((track.length() - (4.0 + 1.0 + 4.0 + 1.0 + 4.0 * 2.0_f64.sqrt())).abs() < 1e-12);
    assert_eq!(track.centre()[1], Point::new(4.0, 0.0));
    // The border of the lower straight lies 0.4 m above it all the way, that of the cut corner 0.4 m beside it.
    assert!((track.inner()[0].y - 0.4).abs() < 1e-12 && (track.inner()[1].y - 0.4).abs() < 1e-12);
    assert!((track.outer()[0].y + 0.4).abs() < 1e-12 && (track.outer()[1].y + 0.4).abs() < 1e-12);
    let corner = 0.4 * (22.5_f64).to_radians().tan();
    assert!((track.inner()[1].x - (4.0 - corner)).abs() < 1e-12, "{:?}", track.inner()[1]);
    assert_eq!(track.outer()[6], Point::new(-1.4, 2.165_685_424_949_24));
    // Clockwise, left and right change roles, and a repeated first way-point changes nothing.
    let mut lines: Vec<&str> = BY_HAND.trim_end().lines().collect();
    let mut way = lines.split_off(4);
    way.retain(|line| !line.starts_with("-1 2"));
    way.insert(6, "-1 2");
    let clockwise = [lines.clone(), way.iter().rev().copied().collect()].concat().join("\n");
    let back = Track::from_text("back", &clockwise).unwrap();
    assert!(!back.is_counter_clockwise());
    assert!((back.inner()[6].y - 0.4).abs() < 1e-12 && back.centre()[6] == Point::new(4.0, 0.0));
    let closed = format!("{clockwise}\n-1 1\n");
    assert_eq!(Track::from_text("back", &closed).unwrap(), back);
}

#[test]
fn faults_in_a_text_have_their_line() {
    let with = |line: usize, text: &str| {
        let mut lines: Vec<&str> = BY_HAND.lines().collect();
        lines[line - 1] = text;
        Track::from_text("bad", &lines.join("\n")).unwrap_err().to_string()
    };
    for (line, text, says) in [
        (2, "0 0", "line 2: starts with \"0 0\", wanted `hairpin-track 1`"),
        (2, "", "line 4: starts with \"width 0.80\""),
        (2, "hairpin-track 2", "line 2: starts with \"hairpin-track 2\", wanted `hairpin-track 1`"),
        (4, "", "line 5: has x and y alone, wanted a line `width 0.76`"),
        (4, "width", "line 4: \"\", wanted a number"),
        (4, "width wide", "line 4: \"wide\""),
        (6, "4", "line 6: 1 numbers, wanted 2"),
        (6, "4 0 0.4", "line 6: 3 numbers"),
        (6, "4 0 1 2 3 4 5", "line 6: 7 numbers"),
        (6, "4 nought", "line 6: \"nought\", wanted a number"),
        (6, "4 nan", "line 6: \"nan\", wanted a number"),
        (6, "4 1e999", "line 6: \"1e999\", wanted a number"),
        (6, "4 0 0.4 -0.4", "line 6: left 0.4 and right -0.4"),
        (6, "4 0 0.01 0.01", "line 6, way-point 1 at x 4.000, y 0.000"),
        (9, "0 0 0.4 0.4", "line"),
        (9, "4000 3", "line 9, way-point 4"),
    ] {
        let error = with(line, text);
        assert!(error.contains(says), "{error:?} does not say {says:?}");
    }
    let empty = Track::from_text("bad", "# nothing\n").unwrap_err().to_string();
    assert!(empty.contains("line 1: the text is empty, wanted `hairpin-track 1`"), "{empty}");
    let endless = format!("hairpin-track 1\n{}", "0 0 1 1\n".repeat(6_000));
    assert!(matches!(Track::from_text("bad", &endless), Err(TrackError::TooMany { .. })));
}

#[test]
fn every_road_comes_back_from_its_text_to_the_bit() {
    for track in BUILT_IN.iter().map(|name| Track::built_in(name).unwrap()) {
        for track in [track.reversed(), track] {
            assert_eq!(Track::from_text(track.name(), &track.to_text()).unwrap(), track);
        }
    }
    let named = Track::from_text("two\nlines # and more", &oval().to_text()).unwrap();
    assert_eq!(Track::from_text(named.name(), &named.to_text()).unwrap(), named);
}

#[test]
fn the_drawing_shows_a_road_with_an_arrow() {
    let drawn = text(&oval(), 60, Ink::Letters);
    assert!(drawn.is_ascii());
    let lines: Vec<&str> = drawn.lines().collect();
    assert!(lines.iter().all(|line| line.chars().count() <= 60));
    // 5.76 m by 2.76 m in 60 columns of half as much width as height.
    assert!((14..=17).contains(&lines.len()), "{} lines", lines.len());
    assert_eq!(drawn.matches('>').count(), 1, "{drawn}");
    assert!(lines.last().unwrap().ends_with("1 m, counter-clockwise"));
    // One metre of scale is a metre of the drawing: 5.76 m over 59 columns.
    let bar = lines.last().unwrap().find(" 1 m").unwrap();
    assert_eq!(bar, 10);
    // Left of the middle: outer border, centre line, inner border, then nothing to the inner border on the right.
    let middle: Vec<usize> =
        lines[lines.len() / 2].char_indices().filter(|(_, c)| *c != ' ').map(|(at, _)| at).collect();
    assert!(middle.iter().all(|at| *at <= 9 || *at >= 50), "{middle:?}\n{drawn}");
    assert_eq!(text(&oval().reversed(), 60, Ink::Letters).matches('<').count(), 1);
    assert!(text(&oval(), 60, Ink::Dots).contains('→'));
    for columns in [0, 1, 20, 400, u16::MAX] {
        let drawn = text(&oval(), columns, Ink::Dots);
        let widest = drawn.lines().rev().skip(1).map(|line| line.chars().count()).max().unwrap();
        let wanted = usize::from(columns.clamp(20, 400));
        assert!((wanted - 1..=wanted).contains(&widest), "{widest} of {wanted} columns");
    }
}

#[test]
fn the_picture_is_in_metres() {
    let picture = svg(&Track::from_text("a<b&\"c\"", &oval().to_text()).unwrap(), "<g id=\"over\"/>");
    // The oval's box with 0.4 m around it and 0.5 m for the scale below.
    assert!(picture.contains("viewBox=\"-3.280 -2.780 6.560 4.060\""), "{picture}");
    assert!(picture.contains("<title>a&lt;b&amp;\"c\"</title>"));
    assert!(picture.contains("<g id=\"over\"/>\n</g>"));
    assert!(picture.contains("M0.000 0.380L0.000 -0.380"), "the start line runs from border to border");
    assert_eq!(picture.matches("<path").count(), 5);
    let corners = 3 * (oval().centre().len() - 1) + 1 + 2;
    assert_eq!(picture.matches('L').count(), corners, "three rings, the start line and the arrow");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_are_too_bad(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(Track::from_npy("any", &bytes).is_err());
        let marked = [b"\x93NUMPY\x01\x00".as_slice(), &bytes].concat();
        prop_assert!(Track::from_npy("any", &marked).is_err());
    }

    #[test]
    fn no_change_to_a_good_array_is_too_bad(at in any::<prop::sample::Index>(), to in any::<u8>(), cut in any::<prop::sample::Index>()) {
        let rows = rows(&oval());
        let mut bytes = npy(1, &header("<f8", &format!("({}, 6)", rows.len())), &doubles(&rows));
        let place = at.index(bytes.len());
        bytes[place] = to;
        if let Ok(track) = Track::from_npy("any", &bytes) {
            prop_assert!(track.length() > 2.0);
        }
        bytes.truncate(cut.index(bytes.len()));
        prop_assert!(Track::from_npy("any", &bytes).is_err());
    }

    #[test]
    fn no_text_is_too_bad(text in "\\PC{0,200}", lines in prop::collection::vec("[-+0-9.e ,#a-z]{0,40}", 0..30)) {
        prop_assert!(Track::from_text("any", &text).is_err());
        let marked = format!("hairpin-track 1\nwidth 0.8\n{}", lines.join("\n"));
        if let Ok(track) = Track::from_text("any", &marked) {
            prop_assert!(track.centre().len() >= 8);
        }
    }

    #[test]
    fn any_road_that_is_accepted_comes_back_from_its_text(shift in prop::collection::vec((-0.05..0.05_f64, -0.05..0.05_f64), 24)) {
        let points = (0..24_u8).zip(shift).map(|(index, (x, y))| {
            let angle = std::f64::consts::TAU * f64::from(index) / 24.0;
            format!("{} {} {} 0.4", 2.0 * angle.cos() + x, 2.0 * angle.sin() + y, 0.4 + x)
        });
        let text = format!("hairpin-track 1\n{}", points.collect::<Vec<_>>().join("\n"));
        let track = Track::from_text("any", &text).expect("a wobbly ring");
        let again = Track::from_text("any", &track.to_text()).expect("the same");
        prop_assert_eq!(again.to_text(), track.to_text());
        prop_assert_eq!(again, track);
    }
}
