//! One instance per car: a lock on the chip's own folder, or on the bus's own node. It ends with the process, however
//! that ends, and is not passed on to a program that is started.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock, major, minor};
use rustix::io::Errno;

use super::HalError;

/// Where this machine's kernel lists its locks. Not under the settings' root: the lock is this kernel's, too.
const LOCKS: &str = "/proc/locks";

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct InstanceLock {
    _file: File,
}

impl InstanceLock {
    /// Takes the lock on a folder or node; waits for nobody.
    ///
    /// # Errors
    /// [`HalError::Held`] with the process that holds it, [`HalError::Open`] where the place cannot be opened.
    pub fn take(path: &Path) -> Result<Self, HalError> {
        let failed = |source| HalError::Open { path: path.to_path_buf(), source };
        // The standard library opens everything with O_CLOEXEC.
        let file = OpenOptions::new().read(true).open(path).map_err(failed)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self { _file: file }),
            Err(Errno::WOULDBLOCK) => Err(HalError::Held { path: path.to_path_buf(), holder: holder(&file) }),
            Err(error) => Err(failed(error.into())),
        }
    }
}

/// The process that holds a lock on this file, as the kernel lists it: `1: FLOCK  ADVISORY  WRITE 5282 fe:00:5644295 0 EOF`.
fn holder(file: &File) -> Option<u32> {
    let facts = file.metadata().ok()?;
    let place = format!("{:02x}:{:02x}:{}", major(facts.dev()), minor(facts.dev()), facts.ino());
    fs::read_to_string(LOCKS).ok()?.lines().find_map(|line| {
        let mut words = line.split_whitespace().skip_while(|word| *word != "FLOCK").skip(3);
        let pid = words.next()?;
        (words.next()? == place).then(|| pid.parse().ok())?
    })
}
