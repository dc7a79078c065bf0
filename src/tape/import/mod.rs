//! Foreign recordings to tape: a folder of pictures, two folders for a stereo car, or a donkeycar tub v2. Gives
//! frames with times, one at a time and independent of the writer; what was skipped, guessed or converted is
//! said. Refuses what it does not know by name, before anything is written. The only readers of foreign text.

use std::fs;
use std::path::{Path, PathBuf};

mod error;
mod folder;
mod natural;
mod picture;
mod rate;
mod tub;

pub use error::ImportError;
pub use rate::Rate;

use picture::{Eyes, Source};

use super::schema::Human;
use crate::domain::{Frame, FrameSeq};
use crate::units::Instant;

/// One frame that is still in its files.
#[derive(Clone, Debug)]
struct Shot {
    seq: FrameSeq,
    captured_at: Instant,
    left: PathBuf,
    right: Option<PathBuf>,
    human: Option<Human>,
}

/// A foreign recording, listed and checked but not read yet.
#[derive(Clone, Debug)]
pub struct Recording {
    /// What it is, for the tape's header.
    pub kind: &'static str,
    /// What a user should know about the conversion, a line each.
    pub findings: Vec<String>,
    shots: Vec<Shot>,
}

impl Recording {
    /// Recognises and lists what is at `path`. `rate` gives the times; without it those of the recording are
    /// kept where they rise, and [`Rate::CAMERA`] or [`Rate::DONKEYCAR`] fills in, which `findings` says.
    ///
    /// # Errors
    /// [`ImportError`] where it is nothing that can be imported, or something is missing in it.
    pub fn open(path: &Path, rate: Option<Rate>) -> Result<Self, ImportError> {
        let listing = Listing::of(path)?;
        if listing.has_file("manifest.json") {
            return tub::open(path, rate);
        }
        if let Some(record) = listing.files.iter().find(|name| is_tub_v1_record(name)) {
            return Err(ImportError::TubV1 { path: path.to_owned(), record: record.clone() });
        }
        folder::open(path, &listing, rate)
    }

    /// The number of frames.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shots.len()
    }

    /// Whether there is none; never so after [`Recording::open`].
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shots.is_empty()
    }

    /// Whether it has two eyes.
    #[must_use]
    pub fn is_stereo(&self) -> bool {
        self.shots.iter().any(|shot| shot.right.is_some())
    }

    /// Reads every frame in turn and hands it to `take`, which may stop with an error of its own.
    ///
    /// # Errors
    /// [`ImportError`] for a picture that cannot be read, and whatever `take` says.
    pub fn each<E: From<ImportError>>(
        &self,
        mut take: impl FnMut(&Frame<'_>, Option<Human>) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut eyes = Eyes::default();
        for shot in &self.shots {
            let left = eyes.left.read(&shot.left)?;
            let right = shot.right.as_ref().map(|path| eyes.right.read(path)).transpose()?;
            let (seq, captured_at) = (shot.seq, shot.captured_at);
            take(&Frame { seq, captured_at, left, right, ranges: &[] }, shot.human)?;
        }
        Ok(())
    }
}

/// Adds what is to be said about pictures that are no JPEGs.
fn say_converted(shots: &[Shot], findings: &mut Vec<String>) {
    let pictures = shots.iter().flat_map(|shot| [Some(&shot.left), shot.right.as_ref()]).flatten();
    let count = pictures.filter(|path| Source::of(path) == Some(Source::Png)).count();
    if count > 0 {
        findings.push(format!(
            "{count} pictures are PNG and are stored as JPEG of quality 100: a pixel may change by a level or two"
        ));
    }
}

/// The names in a folder, in natural order.
struct Listing {
    files: Vec<String>,
    folders: Vec<String>,
}

impl Listing {
    fn of(path: &Path) -> Result<Self, ImportError> {
        let failed = |source| ImportError::Io { doing: "list", path: path.to_owned(), source };
        let (mut files, mut folders) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            // Follows links, as a user's folder of links means its targets.
            if entry.path().is_dir() { folders.push(name) } else { files.push(name) }
        }
        files.sort_by(|a, b| natural::compare(a, b));
        folders.sort_by(|a, b| natural::compare(a, b));
        Ok(Self { files, folders })
    }

    fn has_file(&self, name: &str) -> bool {
        self.files.iter().any(|file| file == name)
    }
}

/// `record_17.json`, as tubs of the first version name their records.
fn is_tub_v1_record(name: &str) -> bool {
    let number = name.strip_prefix("record_").and_then(|rest| rest.strip_suffix(".json"));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}
