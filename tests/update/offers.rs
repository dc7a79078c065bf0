//! Files that somebody wants to run instead: what is taken, what is refused and with which words; and that no bytes at all
//! make the judging stop.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hairpin::domain::Digest;
use hairpin::update::{Fresh, LARGEST, Offer, Sum, UpdateError};
use proptest::prelude::{ProptestConfig, any, prop, prop_assert, proptest};
use tar::{Builder, EntryType, Header};

use crate::bench::{HERE, elf, new, old};

/// Judges bytes that came over whole.
pub(crate) fn judge(name: &str, bytes: &[u8]) -> Result<Fresh, UpdateError> {
    let digest = Digest::of(bytes).to_string();
    Offer { name, bytes, sum: Sum::Given(&digest) }.judge(HERE)
}

/// A member of an archive: kind, name as it is written, content.
pub(crate) type Member<'a> = (EntryType, &'a str, &'a [u8]);

pub(crate) const FILE: EntryType = EntryType::Regular;

/// A `.tar.gz`; names are written as they are, whatever they are.
pub(crate) fn archive(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (kind, name, content) in members {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        header.set_mode(0o755);
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, *content).unwrap();
    }
    tar.into_inner().unwrap().finish().unwrap()
}

fn refused(name: &str, bytes: &[u8], words: &str) {
    let error = judge(name, bytes).map(|fresh| fresh.digest).expect_err(words).to_string();
    assert!(error.contains(words), "wanted {words:?}, saw: {error}");
    assert!(error.contains(name), "the file is named: {error}");
}

#[test]
fn a_program_and_a_release_archive_are_taken_as_they_are() {
    assert_eq!(judge("hairpin", &new()).unwrap().bytes, new());
    // As `deploy/release.sh` packs it: folders, a licence, scripts, and the program.
    let top = "hairpin-0.2.0-x86_64-unknown-linux-gnu";
    let (licence, program) = (format!("{top}/LICENSE"), format!("{top}/hairpin"));
    let toml = format!("{top}/deploy/hairpin.toml");
    let packed = archive(&[
        (EntryType::Directory, top, b""),
        (FILE, &licence, b"Apache"),
        (FILE, &program, &new()),
        (FILE, &toml, b"[drive]"),
    ]);
    let fresh = judge("hairpin-0.2.0-x86_64-unknown-linux-gnu.tar.gz", &packed).unwrap();
    assert_eq!((fresh.digest, fresh.bytes), (Digest::of(&new()), new()));
    assert_eq!(judge("x.tar.gz", &archive(&[(FILE, "hairpin", &new())])).unwrap().bytes, new());
    assert_eq!(judge("x.tar.gz", &archive(&[(FILE, "./hairpin", &new())])).unwrap().bytes, new());
}

#[test]
fn what_is_no_program_is_named_for_what_it_is() {
    refused("it", b"", "saw an empty file");
    refused("it", b"#!/bin/sh\nexec hairpin\n", "saw a script");
    refused("it", b"<!doctype html>", "saw a web page");
    refused("it", b"PK\x03\x04....", "saw a zip file: unpack it first");
    refused("it", b"hello, world\n", "saw text");
    refused("it", &[0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1], "saw something else");
    refused("it", &elf(183, 1, 70_000), "is a program for aarch64, wanted one for x86_64");
    refused("it", &elf(40, 1, 70_000), "is a program for 32-bit Arm");
    refused("it", &elf(62, 1, 1000), "the program has 1000 bytes, wanted 65536 to");

    let altered = |at: usize, byte: u8| {
        let mut bytes = new();
        bytes[at] = byte;
        bytes
    };
    refused("it", &altered(4, 1), "not 64-bit little-endian");
    refused("it", &altered(5, 2), "not 64-bit little-endian");
    refused("it", &altered(16, 1), "no program (an object");
    refused("it", &altered(16, 4), "no program (an object");
    // A shared library has no entry.
    refused("it", &altered(25, 0), "no program (an object");
    refused("it", &altered(56, 0), "without anything to load");
    refused("it", &altered(64, 2), "without anything to load");
}

#[test]
fn a_program_that_is_cut_anywhere_is_refused() {
    let whole = old();
    for length in [4, 16, 63, 64, 65, 119, 120, 1000, 65_536, whole.len() - 1] {
        refused("it", &whole[..length], &format!("is cut: the program has {length} bytes"));
    }
    // The table of sections stands last; nothing but it may be missing.
    let mut bytes = old();
    bytes[40..48].copy_from_slice(&70_000_u64.to_le_bytes());
    bytes[58..62].copy_from_slice(&[64, 0, 3, 0]);
    refused("it", &bytes, "has 70000 bytes, wanted at least 70192");
    bytes.extend([0; 192]);
    assert!(judge("it", &bytes).is_ok());
}

#[test]
fn an_archive_has_one_program_and_nothing_that_could_land_elsewhere() {
    let program = new();
    refused(
        "x.tar.gz",
        &archive(&[(FILE, "README.md", b"hello")]),
        "wanted a member `hairpin`, saw README.md",
    );
    refused("x.tar.gz", &archive(&[]), "wanted a member `hairpin`, saw nothing");
    refused("x.tar.gz", &archive(&[(EntryType::Directory, "hairpin", b"")]), "saw hairpin");
    let two = archive(&[(FILE, "a/hairpin", &program), (FILE, "b/hairpin", &old())]);
    refused("x.tar.gz", &two, "more than one program (a/hairpin, b/hairpin)");
    for (name, words) in [
        ("../../etc/cron.d/hairpin", "climbs out"),
        ("a/../../hairpin", "climbs out"),
        ("/usr/bin/hairpin", "absolute name"),
    ] {
        let packed = archive(&[(FILE, "hairpin", &program), (FILE, name, &program)]);
        refused("x.tar.gz", &packed, words);
    }
    for kind in [EntryType::Symlink, EntryType::Link] {
        let packed = archive(&[(FILE, "hairpin", &program), (kind, "lib", b"")]);
        refused("x.tar.gz", &packed, "\"lib\" is a link");
    }
    let packed = archive(&[(EntryType::Fifo, "hairpin", b"")]);
    refused("x.tar.gz", &packed, "neither file nor folder");
    refused("x.tar.gz", &archive(&[(FILE, "hairpin", &elf(183, 1, 70_000))]), "wanted one for x86_64");
    refused("x.tar.gz", &archive(&[(FILE, "hairpin", b"#!/bin/sh\n")]), "saw a script");

    let whole = archive(&[(FILE, "hairpin", &program), (FILE, "NOTES", &[7; 5000])]);
    for length in [2, 10, 20, whole.len() / 2, whole.len() - 1] {
        refused("x.tar.gz", &whole[..length], "is damaged");
    }
    let mut zipped = GzEncoder::new(Vec::new(), Compression::fast());
    zipped.write_all(&program).unwrap();
    refused("hairpin.gz", &zipped.finish().unwrap(), "is damaged");
}

/// A header that promises more than is ever taken into memory.
#[test]
fn a_member_beyond_all_size_is_refused_by_its_header() {
    let mut header = Header::new_ustar();
    header.set_path("hairpin").unwrap();
    header.set_size(LARGEST + 1);
    header.set_cksum();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(header.as_bytes()).unwrap();
    refused("hairpin", &packed.finish().unwrap(), "wanted 65536 to");
}

#[test]
fn the_digest_is_of_this_very_file() {
    let bytes = new();
    let (own, other) = (Digest::of(&bytes).to_string(), Digest::of(b"another").to_string());
    let loud = own.to_uppercase();
    let judge = |sum| Offer { name: "hairpin-x", bytes: &bytes, sum }.judge(HERE).map(|fresh| fresh.digest);
    let beside = |text: &str| {
        let words =
            Offer { name: "hairpin-x", bytes: &bytes, sum: Sum::Beside { name: "d/hairpin-x.sha256", text } };
        words.judge(HERE).map(|fresh| fresh.digest).map_err(|error| error.to_string())
    };
    assert_eq!(judge(Sum::Given(&own)).unwrap(), Digest::of(&bytes));
    assert_eq!(judge(Sum::Given(&loud)).unwrap(), Digest::of(&bytes));
    assert!(matches!(judge(Sum::Given("abc")), Err(UpdateError::NotADigest { .. })));
    assert!(matches!(judge(Sum::Given(&other)), Err(UpdateError::OtherDigest { .. })));
    let none = judge(Sum::Missing).unwrap_err().to_string();
    assert!(none.contains("wanted --sha256 HEX, or the file hairpin-x.sha256 beside it"), "{none}");

    for text in [
        format!("{own}  hairpin-x\n"),
        format!("{own} *hairpin-x"),
        format!("{own}  out/hairpin-x\n"),
        format!("{other}  hairpin-y\n{own}  hairpin-x\n\n"),
    ] {
        assert_eq!(beside(&text), Ok(Digest::of(&bytes)), "{text}");
    }
    for (text, words) in [
        (String::new(), "holds the digest of nothing".to_owned()),
        (format!("{own}\n"), "line 1: saw".to_owned()),
        (
            format!("{own}  hairpin-y\n"),
            "holds the digest of \"hairpin-y\", wanted one of \"hairpin-x\"".to_owned(),
        ),
        (format!("{own}  hairpin-x\n{other}  b/hairpin-x\n"), "holds 2 digests".to_owned()),
        (format!("{other}  hairpin-x\n"), format!("has the digest {own}, wanted {other}")),
        (format!("{own}  hairpin-x\nrubbish\n"), "line 2: saw \"rubbish\"".to_owned()),
        (format!("\\{own}  hairpin-x\n"), "line 1: saw".to_owned()),
        (format!("{own}\u{e9}  hairpin-x\n"), "line 1: saw".to_owned()),
    ] {
        let error = beside(&text).unwrap_err();
        assert!(error.contains(&words), "{text:?}: wanted {words:?}, saw {error}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any bytes at any place of the head: an answer, and never a program that reaches beyond the file.
    #[test]
    fn no_header_makes_it_stop(changes in prop::collection::vec((0_usize..128, any::<u8>()), 1..12), cut in 0_usize..70_000) {
        let mut bytes = old();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(70_000 - cut);
        drop(judge("it", &bytes));
        let mut packed = archive(&[(FILE, "hairpin", &new()[..70_000])]);
        let at = cut % packed.len();
        packed[at] ^= 0x55;
        let fresh = judge("it", &packed);
        // The sum over everything shows any change of the content; the gzip header's own bytes carry none.
        prop_assert!(fresh.is_err() || fresh.is_ok_and(|fresh| fresh.bytes == new()[..70_000]));
    }
}
