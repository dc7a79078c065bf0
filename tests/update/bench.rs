//! An installation in a temporary folder, the real `settle` for it, a service that follows it, and a disk whose power can
//! be cut.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hairpin::domain::Digest;
use hairpin::update::{Disk, Fresh, Machine, Offer, Place, RealDisk, Service, Slot, Sum, Unit};

/// A program as far as an update looks at one: an ELF header, one part that holds the whole file, and a filling.
pub(crate) fn elf(machine: u16, filling: u8, size: usize) -> Vec<u8> {
    let mut bytes = vec![filling; size];
    bytes[..64].fill(0);
    bytes[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    bytes[16..18].copy_from_slice(&3_u16.to_le_bytes());
    bytes[18..20].copy_from_slice(&machine.to_le_bytes());
    bytes[24..32].copy_from_slice(&0x1000_u64.to_le_bytes());
    bytes[32..40].copy_from_slice(&64_u64.to_le_bytes());
    bytes[54..56].copy_from_slice(&56_u16.to_le_bytes());
    bytes[56..58].copy_from_slice(&1_u16.to_le_bytes());
    bytes[64..120].fill(0);
    bytes[64..68].copy_from_slice(&1_u32.to_le_bytes());
    bytes[96..104].copy_from_slice(&(size as u64).to_le_bytes());
    bytes
}

/// The processor that these tests take for their own.
pub(crate) const HERE: Machine = Machine::X86_64;

pub(crate) fn old() -> Vec<u8> {
    elf(62, 0x11, 70_000)
}

pub(crate) fn new() -> Vec<u8> {
    elf(62, 0x22, 80_000)
}

/// The new program, judged.
pub(crate) fn fresh(bytes: &[u8]) -> Fresh {
    let digest = Digest::of(bytes).to_string();
    Offer { name: "hairpin", bytes, sum: Sum::Given(&digest) }.judge(HERE).unwrap()
}

/// A temporary root with the old program in slot `a`.
pub(crate) struct Bench {
    pub(crate) root: tempfile::TempDir,
    pub(crate) place: Place,
}

/// A folder for one test; in memory where that can be had, since a `sync` waits for a disk that others use as well.
pub(crate) fn temporary() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::below(temporary())
    }

    pub(crate) fn below(root: tempfile::TempDir) -> Self {
        let place = Place::under(root.path());
        for slot in Slot::BOTH {
            fs::create_dir_all(place.folder(slot)).unwrap();
        }
        let bench = Self { root, place };
        bench.put(Slot::A, &old());
        symlink("a", bench.place.current()).unwrap();
        bench
    }

    pub(crate) fn put(&self, slot: Slot, bytes: &[u8]) {
        fs::write(self.place.program(slot), bytes).unwrap();
        fs::set_permissions(self.place.program(slot), Permissions::from_mode(0o755)).unwrap();
    }

    pub(crate) fn trial(&self, text: &str) {
        fs::write(self.place.trial(), text).unwrap();
    }

    /// The slot that starts.
    pub(crate) fn current(&self) -> Slot {
        let target = fs::read_link(self.place.current()).unwrap();
        Slot::named(target.to_str().unwrap()).unwrap()
    }

    pub(crate) fn on_trial(&self) -> bool {
        self.place.trial().exists()
    }

    /// What would start now: bytes of a whole program that may be run.
    pub(crate) fn starts(&self) -> Result<Digest, String> {
        starts(self.root.path())
    }

    /// Every name below the root, with mode, link and content.
    pub(crate) fn listing(&self) -> Vec<String> {
        listing(self.root.path())
    }
}

/// What runs before each start: the script that the installer puts on a car.
pub(crate) fn settle(root: &Path) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/settle.sh");
    let run = Command::new("sh").arg(script).arg(root).output().unwrap();
    assert_eq!(run.status.code(), Some(0), "settle never keeps the car from starting");
    String::from_utf8(run.stderr).unwrap()
}

pub(crate) fn starts(root: &Path) -> Result<Digest, String> {
    let path = root.join("opt/hairpin/current/hairpin");
    let facts = fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    if !facts.is_file() || facts.permissions().mode() & 0o111 != 0o111 {
        return Err(format!("{}: {facts:?}", path.display()));
    }
    Ok(Digest::of(&fs::read(&path).unwrap()))
}

pub(crate) fn listing(root: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut open = vec![root.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let content = if facts.is_dir() {
                open.push(path.clone());
                String::new()
            } else if facts.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else {
                Digest::of(&fs::read(&path).unwrap()).short()
            };
            let name = path.strip_prefix(root).unwrap().display();
            lines.push(format!("{name} {:o} {content}", facts.permissions().mode()));
        }
    }
    lines.sort();
    lines
}

/// A service manager that starts what `current` leads to after `settle`, as the unit does. Programs of a digest in `broken`
/// do not come up.
pub(crate) struct Car {
    pub(crate) root: PathBuf,
    pub(crate) broken: Vec<Digest>,
    /// Comes up and ends again at this look after a start; 0: never.
    pub(crate) ends_at_look: u32,
    /// Tries again by itself after a failure, as `Restart=always` does.
    pub(crate) insists: bool,
    pub(crate) unit: Option<Unit>,
    pub(crate) said: Vec<String>,
    looks: u32,
}

impl Car {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_path_buf(),
            broken: Vec::new(),
            ends_at_look: 0,
            insists: false,
            unit: Some(Unit {
                state: "active".to_owned(),
                pid: 100,
                says: "disarmed: type `arm`".to_owned(),
            }),
            said: Vec::new(),
            looks: 0,
        }
    }

    /// One start; whether it came up.
    pub(crate) fn boot(&mut self) -> bool {
        settle(&self.root);
        let up = starts(&self.root).is_ok_and(|digest| !self.broken.contains(&digest));
        let unit = self.unit.as_mut().unwrap();
        if up { "active" } else { "activating" }.clone_into(&mut unit.state);
        unit.pid += 1;
        self.looks = 0;
        up
    }
}

impl Service for Car {
    fn unit(&mut self) -> Option<Unit> {
        self.looks += 1;
        if self.ends_at_look == self.looks {
            "failed".clone_into(&mut self.unit.as_mut()?.state);
        }
        self.unit.clone()
    }

    fn restart(&mut self, _: Duration) -> Result<(), String> {
        self.said.push("restart".to_owned());
        if self.boot() {
            return Ok(());
        }
        if self.insists {
            self.boot();
        }
        Err("Job for hairpin.service failed".to_owned())
    }

    fn stop(&mut self, _: Duration) {
        self.said.push("stop".to_owned());
    }

    fn last_words(&mut self) -> String {
        "    hairpin: no camera".to_owned()
    }

    fn version(&mut self, program: &Path, _: Duration) -> Result<String, String> {
        let bytes = fs::read(program).map_err(|error| error.to_string())?;
        self.said.push(format!("version {}", Digest::of(&bytes).short()));
        Ok("hairpin 9.9.9".to_owned())
    }

    fn pause(&mut self, span: Duration) {
        assert!(span <= Duration::from_secs(1));
    }
}

/// The real disk, which does `left` more changes and then none: the power is gone. A write that it goes in the middle of
/// leaves `torn` thousandths of the file; without that, not even its name.
pub(crate) struct Cut {
    pub(crate) disk: RealDisk,
    pub(crate) left: usize,
    pub(crate) torn: Option<usize>,
    pub(crate) fails: io::ErrorKind,
    /// Bytes free, where not what there is.
    pub(crate) free: Option<u64>,
    /// What was done.
    pub(crate) done: Vec<String>,
}

impl Cut {
    pub(crate) fn after(changes: usize) -> Self {
        Self {
            disk: RealDisk::default(),
            left: changes,
            torn: None,
            fails: io::ErrorKind::Other,
            free: None,
            done: Vec::new(),
        }
    }

    pub(crate) fn never() -> Self {
        Self::after(usize::MAX)
    }

    fn change(
        &mut self,
        what: &str,
        path: &Path,
        act: impl FnOnce(&mut RealDisk) -> io::Result<()>,
    ) -> io::Result<()> {
        if self.left == 0 {
            return Err(self.fails.into());
        }
        self.left -= 1;
        self.done.push(format!("{what} {}", path.file_name().unwrap().to_string_lossy()));
        act(&mut self.disk)
    }
}

impl Disk for Cut {
    fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        self.disk.read(path, most)
    }

    fn link(&self, path: &Path) -> io::Result<PathBuf> {
        self.disk.link(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.disk.is_folder(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.disk.exists(path)
    }

    fn writable(&self, folder: &Path) -> io::Result<()> {
        self.disk.writable(folder)
    }

    fn free(&self, folder: &Path) -> io::Result<u64> {
        self.free.map_or_else(|| self.disk.free(folder), Ok)
    }

    fn lock(&mut self, folder: &Path) -> io::Result<bool> {
        // A program that another test starts holds this one's lock from its fork to its exec.
        for _ in 0..1000 {
            if self.disk.lock(folder)? {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(false)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.change("make", path, |disk| disk.make_folder(path))
    }

    fn write(&mut self, path: &Path, bytes: &[u8], runs: bool) -> io::Result<()> {
        if let (0, Some(torn)) = (self.left, self.torn.take()) {
            self.disk.write(path, &bytes[..bytes.len() * torn / 1000], runs)?;
        }
        self.change("write", path, |disk| disk.write(path, bytes, runs))
    }

    fn sync(&mut self, file: &Path) -> io::Result<()> {
        self.change("sync", file, |disk| disk.sync(file))
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.change("sync", folder, |disk| disk.sync_folder(folder))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.change("rename", to, |disk| disk.rename(from, to))
    }

    fn symlink(&mut self, target: &str, path: &Path) -> io::Result<()> {
        self.change("link", path, |disk| disk.symlink(target, path))
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        // Of a full disk, things can still be removed.
        if self.fails == io::ErrorKind::StorageFull {
            return self.disk.remove(path);
        }
        self.change("remove", path, |disk| disk.remove(path))
    }
}
