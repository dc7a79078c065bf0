//! The calibration file on disk, as bytes: replaced whole or not at all, and the old one is kept beside it under a name
//! of its own. A power cut at any step leaves the old file or the new one. What is in it is read by `config`.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, fchown};
use std::path::{Path, PathBuf};

use super::HalError;

/// Kept files are `NAME.before`, `NAME.before.1` and so on; so many are looked for.
const MOST_KEPT: u32 = 10_000;

/// A calibration file.
#[derive(Clone, Debug)]
pub struct CalibrationFile {
    path: PathBuf,
}

/// What is done, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Create,
    Write,
    Sync,
    Keep,
    Rename,
    SyncFolder,
}

impl Step {
    #[cfg(test)]
    const ALL: [Self; 6] =
        [Self::Create, Self::Write, Self::Sync, Self::Keep, Self::Rename, Self::SyncFolder];

    const fn words(self) -> &'static str {
        match self {
            Self::Create => "creating the new file beside it",
            Self::Write => "writing the new file",
            Self::Sync => "bringing the new file to the disk",
            Self::Keep => "keeping the old file",
            Self::Rename => "putting the new file in its place",
            Self::SyncFolder => "bringing the folder to the disk",
        }
    }
}

impl CalibrationFile {
    /// The file at `path`, or the one that a link there leads to.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf()) }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its bytes; `None` where there is none.
    ///
    /// # Errors
    /// [`HalError::CalibrationFile`].
    pub fn read(&self) -> Result<Option<Vec<u8>>, HalError> {
        match fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(source) => Err(self.failed("reading it", source)),
        }
    }

    /// Replaces the file, with the mode and owner that the old one has, and answers where the old one is kept.
    ///
    /// # Errors
    /// [`HalError::CalibrationFile`] with the step; the file is then the old one, or after the last step the new one.
    pub fn save(&self, bytes: &[u8]) -> Result<Option<PathBuf>, HalError> {
        self.save_stepwise(bytes, |_| Ok(()))
    }

    /// The file that was kept last; the highest number counts.
    #[must_use]
    pub fn kept(&self) -> Option<PathBuf> {
        (0..MOST_KEPT).map(|number| self.beside(number)).take_while(|path| path.exists()).last()
    }

    /// Puts the kept file back, and keeps the present one in turn: an undo can be undone. Answers which one it was.
    ///
    /// # Errors
    /// [`HalError::CalibrationFile`]: nothing was kept, or a step failed.
    pub fn undo(&self) -> Result<PathBuf, HalError> {
        let none = || self.failed("looking for a kept file", ErrorKind::NotFound.into());
        let kept = self.kept().ok_or_else(none)?;
        let bytes = fs::read(&kept).map_err(|source| self.failed("reading the kept file", source))?;
        self.save(&bytes)?;
        Ok(kept)
    }

    fn save_stepwise(
        &self,
        bytes: &[u8],
        mut before: impl FnMut(Step) -> io::Result<()>,
    ) -> Result<Option<PathBuf>, HalError> {
        let new = self.path.with_file_name(format!(".{}.new", self.name()));
        // From a power cut in an earlier attempt; where there is none, that is well.
        fs::remove_file(&new).unwrap_or_default();
        let mut step = Step::Create;
        let mut kept = None;
        let mut all = || {
            before(step)?;
            let mut file = create_like(&new, &self.path)?;
            step = Step::Write;
            before(step)?;
            file.write_all(bytes)?;
            step = Step::Sync;
            before(step)?;
            file.sync_all()?;
            step = Step::Keep;
            before(step)?;
            kept = self.keep()?;
            step = Step::Rename;
            before(step)?;
            fs::rename(&new, &self.path)?;
            step = Step::SyncFolder;
            before(step)?;
            File::open(folder(&self.path))?.sync_all()
        };
        let ended = all();
        if ended.is_err() && step != Step::SyncFolder {
            // What is left behind does no harm; it is only not wanted.
            fs::remove_file(&new).unwrap_or_default();
            kept.take().map(fs::remove_file).transpose().unwrap_or_default();
        }
        ended.map(|()| kept).map_err(|source| self.failed(step.words(), source))
    }

    /// Gives the present file a second name, and nothing is ever overwritten by it.
    fn keep(&self) -> io::Result<Option<PathBuf>> {
        for number in 0..MOST_KEPT {
            let kept = self.beside(number);
            match fs::hard_link(&self.path, &kept) {
                Ok(()) => return Ok(Some(kept)),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                // A file system without second names.
                Err(_) => {
                    let mut copy = create_like(&kept, &self.path)?;
                    io::copy(&mut File::open(&self.path)?, &mut copy)?;
                    copy.sync_all()?;
                    return Ok(Some(kept));
                }
            }
        }
        Err(io::Error::other(format!("{MOST_KEPT} files are kept already")))
    }

    fn beside(&self, number: u32) -> PathBuf {
        let ending = if number == 0 { String::new() } else { format!(".{number}") };
        self.path.with_file_name(format!("{}.before{ending}", self.name()))
    }

    fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn failed(&self, doing: &'static str, source: io::Error) -> HalError {
        HalError::CalibrationFile { path: self.path.clone(), doing, source }
    }
}

/// The folder of a file; that of a bare name is where we are.
fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Creates a file that is not there, with mode and owner of another where that is there.
fn create_like(path: &Path, other: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o644).open(path)?;
    if let Ok(facts) = fs::metadata(other) {
        // Only root may give a file away; whoever else writes it owns it, as with any editor.
        fchown(&file, Some(facts.uid()), Some(facts.gid())).unwrap_or_default();
        file.set_permissions(Permissions::clone(&facts.permissions()))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io;
    use std::os::unix::fs::PermissionsExt as _;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::path::Path;

    use super::{CalibrationFile, Step};
    use crate::hal::HalError;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("folder").flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_step_that_fails_leaves_the_old_file_and_nothing_beside_it() {
        for fails in Step::ALL {
            let folder = tempfile::tempdir().expect("folder");
            let file = CalibrationFile::new(&folder.path().join("calibration.json"));
            fs::write(file.path(), "old").expect("written");
            let error = file
                .save_stepwise(b"new", |step| {
                    if step == fails { Err(io::Error::from_raw_os_error(28)) } else { Ok(()) }
                })
                .expect_err("it fails");
            assert!(matches!(&error, HalError::CalibrationFile { doing, .. } if *doing == fails.words()));
            let (bytes, wanted) = if fails == Step::SyncFolder {
                ("new", vec!["calibration.json", "calibration.json.before"])
            } else {
                ("old", vec!["calibration.json"])
            };
            assert_eq!(fs::read_to_string(file.path()).expect("there"), bytes, "{fails:?}");
            assert_eq!(names(folder.path()), wanted, "{fails:?}");
        }
    }

    #[test]
    fn a_power_cut_at_any_step_leaves_old_or_new_and_the_next_save_works() {
        for cut in Step::ALL {
            let folder = tempfile::tempdir().expect("folder");
            let file = CalibrationFile::new(&folder.path().join("calibration.json"));
            fs::write(file.path(), "old").expect("written");
            // Nothing after the cut runs, not even the tidying up.
            let ended = catch_unwind(AssertUnwindSafe(|| {
                file.save_stepwise(b"new", |step| if step == cut { panic!("{cut:?}") } else { Ok(()) })
            }));
            assert!(ended.is_err());
            let wanted = if cut == Step::SyncFolder { "new" } else { "old" };
            assert_eq!(fs::read_to_string(file.path()).expect("there"), wanted, "{cut:?}");
            let kept = file.save(b"newer").expect("saved").expect("kept");
            assert_eq!(fs::read_to_string(file.path()).expect("there"), "newer");
            assert_eq!(fs::read_to_string(kept).expect("kept"), wanted);
        }
    }

    #[test]
    fn old_ones_are_kept_in_order_with_their_mode_and_an_undo_can_be_undone() {
        let folder = tempfile::tempdir().expect("folder");
        let file = CalibrationFile::new(&folder.path().join("calibration.json"));
        assert!(file.read().expect("readable").is_none() && file.undo().is_err());
        assert_eq!(file.save(b"0").expect("saved"), None);
        fs::set_permissions(file.path(), fs::Permissions::from_mode(0o640)).expect("mode");
        for text in ["1", "2"] {
            file.save(text.as_bytes()).expect("saved");
        }
        let mode = fs::metadata(file.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
        let text = |name: &str| fs::read_to_string(folder.path().join(name)).expect("there");
        assert_eq!(
            (text("calibration.json.before"), text("calibration.json.before.1")),
            ("0".into(), "1".into())
        );
        assert_eq!(file.undo().expect("undone"), folder.path().join("calibration.json.before.1"));
        assert_eq!((text("calibration.json"), text("calibration.json.before.2")), ("1".into(), "2".into()));
        file.undo().expect("undone");
        assert_eq!(file.read().expect("readable").as_deref(), Some(b"2".as_slice()));
    }
}
