//! What can be wrong with a foreign recording: the file, what was seen, what is wanted.

use std::path::PathBuf;

use thiserror::Error;

/// A foreign recording that is refused.
#[derive(Debug, Error)]
pub enum ImportError {
    /// A file or folder cannot be read.
    #[error("cannot {doing} {}", path.display())]
    Io {
        /// `list` or `read`.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A rate that makes no times.
    #[error("the frame rate is {saw} Hz, wanted above 0 and at most 1000")]
    Rate {
        /// As given.
        saw: f64,
    },
    /// No picture.
    #[error(
        "no pictures to import; wanted .jpg, .jpeg or .png files, two folders left/ and right/ of them, or a donkeycar tub v2 with its manifest.json{hint}: {}",
        path.display()
    )]
    NoPictures {
        /// The folder.
        path: PathBuf,
        /// A folder within that has some.
        hint: String,
    },
    /// An empty picture.
    #[error("the picture has 0 bytes; remove it, or restore it from its origin: {}", path.display())]
    EmptyPicture {
        /// The file.
        path: PathBuf,
    },
    /// Neither JPEG nor PNG.
    #[error("the picture begins with \"{saw}\", wanted a JPEG or PNG file: {}", path.display())]
    NotAPicture {
        /// The file.
        path: PathBuf,
        /// Its first bytes.
        saw: String,
    },
    /// A PNG that does not decode.
    #[error("the PNG picture does not decode ({saw}): {}", path.display())]
    BadPng {
        /// The file.
        path: PathBuf,
        /// The decoder's words.
        saw: String,
    },
    /// One eye has a picture that the other lacks.
    #[error("left/ has {left} pictures and right/ has {right}; {name} is only in {side}/, wanted the same names in both: {}", path.display())]
    Unpaired {
        /// The folder around both.
        path: PathBuf,
        /// Pictures on the left.
        left: usize,
        /// Pictures on the right.
        right: usize,
        /// The first that is alone, without its extension.
        name: String,
        /// Where it is.
        side: &'static str,
    },
    /// A tub of the first version.
    #[error(
        "a donkeycar tub v1, one file for each record ({record}); convert it with donkeycar's scripts/convert_to_tub_v2.py: {}",
        path.display()
    )]
    TubV1 {
        /// The folder.
        path: PathBuf,
        /// One of the records.
        record: String,
    },
    /// A manifest of something else.
    #[error("manifest.json is not a donkeycar tub v2's: {saw}; wanted five lines of JSON, the last with paths and deleted_indexes: {}", path.display())]
    NotATub {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        saw: String,
    },
    /// A catalog that is not there.
    #[error("catalog {name}, named in manifest.json, is missing ({missing} of {count} are); copy the whole tub: {}", path.display())]
    MissingCatalog {
        /// The tub.
        path: PathBuf,
        /// The first catalog that is not there.
        name: String,
        /// How many are not.
        missing: usize,
        /// How many are named.
        count: usize,
    },
    /// A line of a catalog that is no record.
    #[error("line {line}: {saw}; remove the line, or restore the file: {}", path.display())]
    BadRecord {
        /// The catalog.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        saw: String,
    },
    /// A picture that a tub names and lacks.
    #[error(
        "images/{name} of record {index} is missing ({missing} of {count} are); restore it, or add {index} to deleted_indexes in manifest.json: {}",
        path.display()
    )]
    MissingPicture {
        /// The tub.
        path: PathBuf,
        /// The first picture that is not there.
        name: String,
        /// Its record.
        index: u64,
        /// How many are not.
        missing: usize,
        /// How many records there are.
        count: usize,
    },
    /// A name that points out of the recording.
    #[error("{what} is named {name:?}; wanted a plain file name: {}", path.display())]
    Escapes {
        /// The file that names it.
        path: PathBuf,
        /// A catalog or a picture.
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Every record was deleted.
    #[error("the tub has no records left: {deleted} of {count} are in deleted_indexes: {}", path.display())]
    NothingLeft {
        /// The tub.
        path: PathBuf,
        /// How many are deleted.
        deleted: usize,
        /// How many there were.
        count: usize,
    },
}
