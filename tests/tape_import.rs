//! Foreign recordings: pictures in the order and with the times that they mean, byte for byte; and what cannot be
//! imported, refused by name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use hairpin::domain::{Frame, FrameSeq, Picture, PixelFormat, Recipe, Sensor};
use hairpin::tape::import::{ImportError, Rate, Recording};
use hairpin::tape::{Header, Human, Tape, TapeWriter};
use hairpin::units::Instant;
use hairpin::vision::{self, Camera, Workspace};
use tempfile::TempDir;

const JPEG: &[u8] = b"\xff\xd8\xff\xe0 picture";

/// A folder of files with the bytes given.
fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

/// Every frame: number, time, left bytes, right bytes, human.
type Seen = (u64, u64, Vec<u8>, Option<Vec<u8>>, Option<Human>);

fn frames(recording: &Recording) -> Vec<Seen> {
    let mut seen = Vec::new();
    let all = recording.each(|frame, human| {
        assert_eq!(frame.left.format, PixelFormat::Mjpeg);
        let right = frame.right.map(|picture| picture.bytes.to_vec());
        seen.push((frame.seq.0, frame.captured_at.0, frame.left.bytes.to_vec(), right, human));
        Ok::<(), ImportError>(())
    });
    all.unwrap();
    seen
}

/// A refusal without the path at its end, which differs from run to run.
fn refusal(folder: &Path) -> String {
    let error = Recording::open(folder, None).map(|_| ()).unwrap_err().to_string();
    let at = error.rfind(folder.to_str().unwrap()).expect("the path is last");
    error[..at].to_owned() + &error[at + folder.to_str().unwrap().len()..]
}

#[test]
fn a_folder_is_in_natural_order_and_says_what_it_left() {
    let with = |tail: &[u8]| [JPEG, tail].concat();
    let (nine, ten, eleven) = (with(b"9"), with(b"10"), with(b"11"));
    let folder = folder(&[
        ("frame_10.jpg", &ten),
        ("frame_11.JPEG", &eleven),
        ("frame_9.jpg", &nine),
        ("notes.txt", b"hello"),
        ("LICENSE", b""),
    ]);
    let recording = Recording::open(folder.path(), Some(Rate::new(4.0).unwrap())).unwrap();
    assert_eq!((recording.len(), recording.is_stereo(), recording.kind), (3, false, "folder of pictures"));
    let quarter = 250_000_000;
    assert_eq!(
        frames(&recording),
        [(0, 0, nine, None, None), (1, quarter, ten, None, None), (2, 2 * quarter, eleven, None, None)]
    );
    assert_eq!(recording.findings, ["ignored 2 files that are no pictures: LICENSE, notes.txt"]);
    // Without a rate, the camera's, and it is said: 1/30 s to the nearest nanosecond.
    let recording = Recording::open(folder.path(), None).unwrap();
    assert_eq!(frames(&recording).iter().map(|seen| seen.1).collect::<Vec<_>>(), [0, 33_333_333, 66_666_667]);
    assert!(recording.findings.contains(&"a folder of pictures has no times: taken as 30 Hz".to_owned()));
}

#[test]
fn two_folders_are_two_eyes() {
    let (left, right) = ([JPEG, b"l"].concat(), [JPEG, b"r"].concat());
    let pair = folder(&[("left/1.jpg", &left), ("right/1.jpeg", &right), ("info.json", b"{}")]);
    let recording = Recording::open(pair.path(), None).unwrap();
    assert!(recording.is_stereo());
    assert_eq!(frames(&recording), [(0, 0, left.clone(), Some(right.clone()), None)]);

    let odd = folder(&[("left/1.jpg", &left), ("left/2.jpg", &left), ("right/1.jpg", &right)]);
    assert_eq!(
        refusal(odd.path()),
        "left/ has 2 pictures and right/ has 1; 2 is only in left/, wanted the same names in both: "
    );
}

#[test]
fn a_png_becomes_a_jpeg_and_that_is_said() {
    let mut png = Vec::new();
    let grey = image::GrayImage::from_fn(16, 8, |x, y| image::Luma([(x * 8 + y) as u8]));
    grey.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    let folder = folder(&[("a.png", &png)]);
    let recording = Recording::open(folder.path(), None).unwrap();
    let wanted =
        "1 pictures are PNG and are stored as JPEG of quality 100: a pixel may change by a level or two";
    assert!(recording.findings.contains(&wanted.to_owned()), "{:?}", recording.findings);
    let (_, _, jpeg, _, _) = &frames(&recording)[0];
    let frame = Frame {
        seq: FrameSeq(0),
        captured_at: Instant(0),
        left: Picture { format: PixelFormat::Mjpeg, bytes: jpeg },
        right: None,
        ranges: &[],
    };
    let recipe = Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() };
    let mut workspace = Workspace::default();
    vision::decode(&frame, &recipe, &mut workspace).unwrap();
    let back = workspace.colours(Camera::Left);
    assert_eq!((back.width(), back.height()), (16, 8));
    for (was, is) in grey.pixels().zip(back.pixels().chunks_exact(3)) {
        assert!(is.iter().all(|level| level.abs_diff(was.0[0]) <= 2), "{was:?} became {is:?}");
    }
}

#[test]
fn folders_that_are_refused() {
    let wanted = "no pictures to import; wanted .jpg, .jpeg or .png files, two folders left/ and right/ of them, or a \
                  donkeycar tub v2 with its manifest.json";
    assert_eq!(refusal(folder(&[]).path()), format!("{wanted}: "));
    assert_eq!(refusal(folder(&[("a.txt", b"x")]).path()), format!("{wanted}: "));
    let inner = folder(&[("frames/1.jpg", JPEG)]);
    assert_eq!(refusal(inner.path()), format!("{wanted}; its folder frames/ has some: "));
    let empty = folder(&[("1.jpg", JPEG), ("2.jpg", b"")]);
    let wanted = "the picture has 0 bytes; remove it, or restore it from its origin: /2.jpg";
    assert_eq!(refusal(empty.path()), wanted);
    let nowhere = PathBuf::from("/nowhere/at/all");
    assert_eq!(Recording::open(&nowhere, None).unwrap_err().to_string(), "cannot list /nowhere/at/all");
    for saw in [0.0, -1.0, 1001.0, f64::NAN, f64::INFINITY] {
        let wanted = format!("the frame rate is {saw} Hz, wanted above 0 and at most 1000");
        assert_eq!(Rate::new(saw).unwrap_err().to_string(), wanted);
    }
}

#[test]
fn pictures_that_are_something_else() {
    let read = |bytes: &[u8]| {
        let folder = folder(&[("1.jpg", bytes)]);
        let recording = Recording::open(folder.path(), None).unwrap();
        let error = recording.each(|_, _| Ok::<(), ImportError>(())).unwrap_err().to_string();
        error.split_once(&folder.path().display().to_string()).unwrap().0.to_owned()
    };
    assert_eq!(read(b"<!DOCTYPE html>"), "the picture begins with \"<!DOCTYP\", wanted a JPEG or PNG file: ");
    assert!(read(b"\x89PNG\r\n\x1a\nrest").starts_with("the PNG picture does not decode ("));
}

/// A tub of records 0, 1, … with these lines; each line's picture exists.
fn tub(manifest: &str, catalogs: &[(&str, &[&str])], pictures: &[&str]) -> TempDir {
    let folder = folder(&[("manifest.json", manifest.as_bytes())]);
    for (name, lines) in catalogs {
        fs::write(folder.path().join(name), lines.join("\r\n") + "\r\n").unwrap();
    }
    fs::create_dir(folder.path().join("images")).unwrap();
    for name in pictures {
        fs::write(folder.path().join("images").join(name), [JPEG, name.as_bytes()].concat()).unwrap();
    }
    folder
}

fn manifest(paths: &str, deleted: &str) -> String {
    format!(
        "[\"cam/image_array\"]\r\n[\"image_array\"]\r\n{{}}\r\n{{\"created_at\": 1.5}}\r\n{{\"paths\": {paths}, \
         \"current_index\": 4, \"max_len\": 1000, \"deleted_indexes\": {deleted}}}\r\n"
    )
}

fn line(index: u64, ms: u64, angle: f64) -> String {
    format!(
        "{{\"_index\": {index}, \"_session_id\": \"s\", \"_timestamp_ms\": {ms}, \"cam/image_array\": \"{index}.jpg\", \
         \"user/angle\": {angle}, \"user/mode\": \"user\", \"user/throttle\": 0.5}}"
    )
}

#[test]
fn a_tub_keeps_times_and_hands_and_skips_the_deleted() {
    let lines = [line(0, 1000, 0.25), line(1, 1010, 0.0), line(2, 1035, -1.0), line(3, 1036, 0.1)];
    let (first, second) = ([lines[0].as_str(), &lines[1]], [lines[2].as_str(), &lines[3]]);
    let tub = tub(
        &manifest("[\"catalog_0.catalog\", \"catalog_1.catalog\"]", "[1]"),
        &[("catalog_0.catalog", &first), ("catalog_1.catalog", &second)],
        &["0.jpg", "2.jpg", "3.jpg"],
    );
    let recording = Recording::open(tub.path(), None).unwrap();
    assert_eq!(recording.kind, "donkeycar tub v2");
    assert_eq!(recording.findings, ["skipped 1 records that the tub marks as deleted"]);
    let seen = frames(&recording);
    let brief: Vec<(u64, u64, f64)> = seen.iter().map(|s| (s.0, s.1, s.4.unwrap().steering)).collect();
    // The angle's sign is turned: donkeycar's is positive to the right.
    assert_eq!(brief, [(0, 1_000_000_000, -0.25), (2, 1_035_000_000, 1.0), (3, 1_036_000_000, -0.1)]);
    assert_eq!(seen[1].2, [JPEG, b"2.jpg"].concat());
    let asked = Recording::open(tub.path(), Some(Rate::new(10.0).unwrap())).unwrap();
    assert_eq!(frames(&asked).iter().map(|seen| seen.1).collect::<Vec<_>>(), [0, 100_000_000, 200_000_000]);
    assert!(asked.findings.contains(&"times are replaced by 10 Hz, as asked".to_owned()));
}

#[test]
fn straight_ahead_stays_a_positive_zero() {
    let lines = [line(0, 1, 0.0)];
    let tub = tub(&manifest("[\"c.catalog\"]", "[]"), &[("c.catalog", &[&lines[0]])], &["0.jpg"]);
    let seen = frames(&Recording::open(tub.path(), None).unwrap());
    assert_eq!(seen[0].4.unwrap().steering.to_bits(), 0);
}

#[test]
fn times_that_do_not_rise_are_replaced() {
    let lines = [line(0, 1000, 0.0), line(1, 1000, 0.0), line(2, 1001, 0.0)];
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let pictures = ["0.jpg", "1.jpg", "2.jpg"];
    let tub = tub(&manifest("[\"c.catalog\"]", "[]"), &[("c.catalog", &lines)], &pictures);
    let recording = Recording::open(tub.path(), None).unwrap();
    assert_eq!(recording.findings, ["times do not rise at record 1: all taken as 20 Hz"]);
    assert_eq!(
        frames(&recording).iter().map(|seen| seen.1).collect::<Vec<_>>(),
        [0, 50_000_000, 100_000_000]
    );
}

#[test]
fn tubs_that_are_refused() {
    let whole = line(0, 1, 0.0);
    let one: &[(&str, &[&str])] = &[("c.catalog", &[&whole])];
    let said = |manifest: &str, catalogs, pictures| refusal(tub(manifest, catalogs, pictures).path());
    let good = manifest("[\"c.catalog\"]", "[]");

    let v1 = folder(&[("record_1.json", b"{}"), ("1_cam-image_array_.jpg", JPEG), ("meta.json", b"{}")]);
    assert_eq!(
        refusal(v1.path()),
        "a donkeycar tub v1, one file for each record (record_1.json); convert it with donkeycar's \
         scripts/convert_to_tub_v2.py: "
    );
    assert_eq!(
        said(&manifest("[\"c.catalog\", \"d.catalog\", \"e.catalog\"]", "[]"), one, &["0.jpg"]),
        "catalog d.catalog, named in manifest.json, is missing (2 of 3 are); copy the whole tub: "
    );
    assert_eq!(
        said(&good, one, &[]),
        "images/0.jpg of record 0 is missing (1 of 1 are); restore it, or add 0 to deleted_indexes in manifest.json: "
    );
    assert_eq!(
        said(&manifest("[\"c.catalog\"]", "[0]"), one, &["0.jpg"]),
        "the tub has no records left: 1 of 1 are in deleted_indexes: "
    );
    let wanted = "; wanted five lines of JSON, the last with paths and deleted_indexes: /manifest.json";
    let not = "manifest.json is not a donkeycar tub v2's: ";
    assert_eq!(said("{}", one, &[]), format!("{not}it has 1 lines{wanted}"));
    assert_eq!(
        said("1\n2\n3\n4\n{\"paths\": []}", one, &[]),
        format!("{not}line 5: missing field `deleted_indexes` at line 1 column 13{wanted}")
    );
    assert_eq!(said(&manifest("[]", "[]"), one, &[]), format!("{not}line 5: paths is empty{wanted}"));
    let torn: &[(&str, &[&str])] = &[("c.catalog", &[&whole, "{\"_index\": 1, \"_times"])];
    let said_torn = said(&good, torn, &["0.jpg"]);
    assert!(said_torn.starts_with("line 2: EOF while parsing a string at line 1 column "), "{said_torn}");
    assert!(said_torn.ends_with("; remove the line, or restore the file: /c.catalog"), "{said_torn}");
    for name in ["../c.catalog", "/etc/passwd", "a/b.catalog", "", "..", "a\\\\b"] {
        let said = said(&manifest(&format!("[\"{name}\"]"), "[]"), one, &["0.jpg"]);
        assert!(said.starts_with("a catalog is named \""), "{name}: {said}");
        assert!(said.ends_with("; wanted a plain file name: /manifest.json"), "{name}: {said}");
    }
    let outside = whole.replace("0.jpg", "../0.jpg");
    let said = said(&good, &[("c.catalog", &[&outside])], &["0.jpg"]);
    assert_eq!(said, "a picture is named \"../0.jpg\"; wanted a plain file name: /c.catalog");
}

/// Real recordings, where they are: every byte of every picture arrives on tape.
#[test]
fn real_recordings_arrive_byte_for_byte() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/recordings");
    if !data.is_dir() {
        // Straight to the stream: the harness swallows what the macros print.
        std::io::stderr()
            .write_all(b"skipped: no ../shared/data/recordings beside the repository\n")
            .unwrap();
        return;
    }
    let car = data.join("real-car-deepracer-160x120-larsll/frames");
    let tub = data.join("donkeycar-tub-v2-160x120/tub");
    for (path, count) in [(&car, 100), (&tub, 1000)] {
        let recording = Recording::open(path, None).unwrap();
        println!("{}: {} frames, {:?}", recording.kind, recording.len(), recording.findings);
        let mut writer = TapeWriter::new(Vec::new(), &Header::default()).unwrap();
        recording
            .each(|frame, human| {
                writer
                    .labelled(frame, human)
                    .map_err(|error| ImportError::BadPng { path: PathBuf::new(), saw: error.to_string() })
            })
            .unwrap();
        let tape = Tape::from_bytes(writer.finish().unwrap()).unwrap();
        assert_eq!((tape.len(), tape.ticks()), (count, 0));
        for (n, record) in tape.records().enumerate() {
            let name =
                if count == 100 { format!("{n:06}.jpg") } else { format!("images/{n}_cam_image_array_.jpg") };
            assert_eq!(record.frame.unwrap().left.bytes, fs::read(path.join(name)).unwrap());
        }
    }
    let recording = Recording::open(&tub, None).unwrap();
    let seen = frames(&recording);
    // The first line of its catalog.
    assert_eq!(seen[0].1, 1_602_421_393_803_000_000);
    let human = seen[0].4.unwrap();
    assert_eq!((human.steering, human.throttle), (-0.298_603_977_537_060_4, 0.539_125_903_889_068_3));
}
