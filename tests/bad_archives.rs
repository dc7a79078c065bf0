//! Archives that are refused, each with its message, and the forms that are accepted.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    missing_docs,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use hairpin::policy::archive::{from_archive, select};
use hairpin::policy::{ArchiveLimits, Member, NetworkKind};
use tar::{Builder, EntryType, Header};

fn limits() -> ArchiveLimits {
    ArchiveLimits { unpacked: 1 << 20, entries: 20, json: 4096 }
}

/// An entry whose name is written as it is, unlike the builder's own which refuses hostile ones.
fn entry(builder: &mut Builder<Vec<u8>>, name: &str, kind: EntryType, bytes: &[u8]) {
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(kind);
    header.set_size(bytes.len() as u64);
    header.set_mode(0o644);
    if matches!(kind, EntryType::Symlink | EntryType::Link) {
        header.as_old_mut().linkname[..11].copy_from_slice(b"/etc/passwd");
    }
    header.set_cksum();
    builder.append(&header, bytes).unwrap();
}

fn tar(entries: &[(&str, EntryType, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        entry(&mut builder, name, *kind, bytes);
    }
    builder.into_inner().unwrap()
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

const FILE: EntryType = EntryType::Regular;

fn good() -> Vec<(&'static str, EntryType, &'static [u8])> {
    vec![
        ("agent/model.pb", FILE, b"weights"),
        ("model_metadata.json", FILE, b"{}"),
        ("reward_function.py", FILE, b"def reward_function(params): return 1.0"),
        ("ip/hyperparameters.json", FILE, b"{\"lr\": 1}"),
    ]
}

fn refused(bytes: &[u8]) -> String {
    from_archive(bytes, &limits()).expect_err("must be refused").to_string()
}

fn refused_with(extra: (&'static str, EntryType, &'static [u8])) -> String {
    let mut entries = good();
    entries.push(extra);
    refused(&gz(&tar(&entries)))
}

#[test]
fn the_forms_that_users_have() {
    for bytes in [gz(&tar(&good())), tar(&good())] {
        let parts = from_archive(&bytes, &limits()).unwrap();
        assert_eq!(
            (parts.network.path.as_str(), parts.kind),
            ("agent/model.pb", NetworkKind::FrozenTensorflow)
        );
        assert_eq!(parts.metadata.bytes, b"{}");
        assert_eq!(parts.hyperparameters.unwrap().bytes, b"{\"lr\": 1}");
    }
    let nested = tar(&[
        ("./my-model/", EntryType::Directory, b""),
        ("./my-model/agent/model.pb", FILE, b"w"),
        ("./my-model/model_metadata.json", FILE, b"{}"),
        ("./my-model/agent/._model.pb", FILE, b"what Finder leaves"),
    ]);
    let parts = from_archive(&gz(&nested), &limits()).unwrap();
    assert_eq!(parts.metadata.path, "my-model/model_metadata.json");
    assert!(parts.hyperparameters.is_none());
    let onnx = tar(&[("policy.onnx", FILE, b"w"), ("model_metadata.json", FILE, b"{}")]);
    assert_eq!(from_archive(&onnx, &limits()).unwrap().kind, NetworkKind::Onnx);
}

#[test]
fn files_that_are_no_archive() {
    assert_eq!(
        refused(b""),
        "not a model archive: begins with nothing, wanted a .tar.gz as the AWS console or DRfC writes it; the file is empty"
    );
    assert!(refused(b"PK\x03\x04zip").ends_with("; this is a zip file: unpack it and import the folder"));
    assert!(refused(b"<html>").ends_with("; this is a web page: the download link had expired"));
    assert!(
        refused(b"\x00\x01\x02\x03")
            .starts_with("not a model archive: begins with bytes 00 01 02 03, wanted")
    );
}

#[test]
fn hostile_names_and_kinds() {
    assert_eq!(
        refused_with(("/etc/cron.d/x", FILE, b"x")),
        "archive member \"/etc/cron.d/x\" has an absolute name; nothing is unpacked, and this archive is not trusted"
    );
    assert!(refused_with(("C:/x", FILE, b"x")).contains("has an absolute name"));
    assert_eq!(
        refused_with(("a/../../x", FILE, b"x")),
        "archive member \"a/../../x\" climbs out of the archive with \"..\"; this archive is not trusted"
    );
    for (kind, word) in [
        (EntryType::Symlink, "symbolic link"),
        (EntryType::Link, "hard link"),
        (EntryType::Char, "character device"),
        (EntryType::Block, "block device"),
        (EntryType::Fifo, "named pipe"),
    ] {
        assert_eq!(
            refused_with(("odd", kind, b"")),
            format!("archive member \"odd\" is a {word}, wanted files and folders only")
        );
    }
    assert_eq!(refused_with(("agent/model.pb", FILE, b"again")), "archive holds \"agent/model.pb\" twice");
    assert_eq!(refused_with(("./agent//model.pb", FILE, b"again")), "archive holds \"agent/model.pb\" twice");
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..3].copy_from_slice(b"\xff\xfe.");
    header.set_size(0);
    header.set_cksum();
    builder.append(&header, &b""[..]).unwrap();
    assert!(refused(&builder.into_inner().unwrap()).ends_with("has a name that is not text"));
}

#[test]
fn missing_and_ambiguous_members() {
    assert_eq!(
        refused(&gz(&tar(&[("readme.txt", FILE, b"x"), ("model_metadata.json", FILE, b"{}")]))),
        "found no network: wanted one .pb or .onnx file, saw readme.txt, model_metadata.json"
    );
    assert_eq!(
        refused_with(("model_12.pb", FILE, b"x")),
        "found 2 networks (agent/model.pb, model_12.pb), wanted one; import the one file that you mean"
    );
    assert_eq!(
        refused(&gz(&tar(&[("agent/model.pb", FILE, b"x")]))),
        "found no model_metadata.json beside \"agent/model.pb\", saw agent/model.pb; it lists the actions and is needed"
    );
    let two = [
        ("m.pb", FILE, &b"x"[..]),
        ("a/model_metadata.json", FILE, b"{}"),
        ("b/model_metadata.json", FILE, b"{}"),
    ];
    assert!(refused(&gz(&tar(&two))).starts_with("found 2 files named model_metadata.json (a/"));
    assert_eq!(
        select(Vec::new(), &limits()).unwrap_err().to_string(),
        "found no network: wanted one .pb or .onnx file, saw no files"
    );
    let member = |path: &str| Member { path: path.to_owned(), bytes: vec![b' '; 5000] };
    assert_eq!(
        select(vec![member("m.pb"), member("model_metadata.json")], &limits()).unwrap_err().to_string(),
        "\"model_metadata.json\" has 5000 bytes, wanted at most 4096"
    );
}

#[test]
fn limits_are_stated() {
    let names: Vec<String> = (0..21).map(|at| format!("file{at}")).collect();
    let entries: Vec<_> = names.iter().map(|name| (name.as_str(), FILE, &b""[..])).collect();
    assert_eq!(refused(&gz(&tar(&entries))), "archive has more than 20 members; a model archive has about 5");

    // A kilobyte that unpacks to a thousand times as much.
    let zeros = vec![0; 2 << 20];
    let bomb = gz(&tar(&[("agent/model.pb", FILE, &zeros)]));
    assert!(bomb.len() < 20_000);
    assert_eq!(
        refused(&bomb),
        "archive unpacks to more than 1 MiB (reached at \"agent/model.pb\"); no DeepRacer model is that large"
    );
}

#[test]
fn every_cut_is_refused_without_a_panic() {
    let whole = gz(&tar(&good()));
    for length in 0..whole.len() {
        assert!(from_archive(&whole[..length], &limits()).is_err(), "cut at {length} of {}", whole.len());
    }
    let plain = tar(&good());
    let cut = refused(&plain[..512 + 3]);
    assert!(
        cut.contains("\"agent/model.pb\" is cut: 3 of 7 bytes") || cut.contains("damaged after"),
        "{cut}"
    );
}
