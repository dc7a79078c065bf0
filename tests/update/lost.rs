//! A disk that keeps its promises and no others: of what was not brought to it, any part may be lost at a power cut, and
//! the rest kept, in any mixture. Every mixture at every cut is built as a folder, settled and started: a whole program runs,
//! and at the second boot one that was confirmed.
//!
//! The model: a file's content is safe after its own `sync`; names are safe after the `sync` of their folder; one change of
//! a folder (a rename, too) is there or not, never half. Content that was not safe may be whole, missing, half, or zeros.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hairpin::domain::Digest;
use hairpin::update::{Disk, Place, Service, Slot, Unit, Wish, back, carry, facts, forward, keep};

use crate::bench::{elf, fresh, listing, new, old, settle, starts, temporary};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    /// Content by number, and whether it runs.
    File(usize, bool),
    Link(String),
    Folder,
}

type Tree = BTreeMap<PathBuf, Node>;

#[derive(Clone, Debug)]
enum Change {
    /// Content of a file, by number.
    Content(usize),
    /// Names in one folder, all at once.
    Names(PathBuf, Vec<(PathBuf, Option<Node>)>),
    SyncFile(usize),
    SyncFolder(PathBuf),
}

/// A disk in memory, below the root `/m`.
#[derive(Clone, Default)]
struct Model {
    before: Tree,
    now: Tree,
    contents: Vec<Vec<u8>>,
    log: Vec<Change>,
    /// Lengths of the log from which and up to which an update goes on without being confirmed, and the program before it.
    unproven: Vec<(usize, usize, Digest)>,
}

impl Model {
    /// The old program in slot `a`; all of it safe.
    fn installed() -> Self {
        let place = Place::under(Path::new("/m"));
        let mut model = Self { contents: vec![old()], ..Self::default() };
        for folder in ["/m", "/m/opt", "/m/opt/hairpin", "/m/opt/hairpin/a", "/m/opt/hairpin/b"] {
            model.before.insert(folder.into(), Node::Folder);
        }
        model.before.insert(place.program(Slot::A), Node::File(0, true));
        model.before.insert(place.current(), Node::Link("a".to_owned()));
        model.now = model.before.clone();
        model
    }

    fn names(&mut self, changes: Vec<(PathBuf, Option<Node>)>) -> io::Result<()> {
        let folder = changes[0].0.parent().unwrap().to_path_buf();
        if self.now.get(&folder) != Some(&Node::Folder) {
            return Err(ErrorKind::NotFound.into());
        }
        apply(&mut self.now, &changes);
        self.log.push(Change::Names(folder, changes));
        Ok(())
    }

    fn file(&self, path: &Path) -> io::Result<usize> {
        match self.now.get(path) {
            Some(Node::File(number, _)) => Ok(*number),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Every disk that a cut after `changes` may leave.
    fn left_after(&self, changes: usize, heeds_sync: bool) -> Vec<(Tree, Vec<Vec<u8>>)> {
        let log = &self.log[..changes];
        let later = |at: usize, test: &dyn Fn(&Change) -> bool| heeds_sync && log[at..].iter().any(test);
        let is_safe = |(at, change): (usize, &Change)| match change {
            Change::Names(folder, _) => {
                later(at, &|change| matches!(change, Change::SyncFolder(synced) if synced == folder))
            }
            Change::Content(file) => {
                later(at, &|change| matches!(change, Change::SyncFile(synced) if synced == file))
            }
            _ => true,
        };
        let open: Vec<usize> =
            log.iter().enumerate().filter(|line| !is_safe(*line)).map(|(at, _)| at).collect();
        let names: Vec<usize> =
            open.iter().copied().filter(|at| matches!(log[*at], Change::Names(..))).collect();
        let unsafe_files: Vec<usize> = open
            .iter()
            .filter_map(|at| if let Change::Content(file) = log[*at] { Some(file) } else { None })
            .collect();
        assert!(names.len() <= 12 && unsafe_files.len() <= 4, "too many mixtures");

        let mut left = Vec::new();
        for kept in 0..1_usize << names.len() {
            let mut tree = self.before.clone();
            for (at, change) in log.iter().enumerate() {
                let lost =
                    names.iter().position(|open| *open == at).is_some_and(|bit| kept & (1 << bit) == 0);
                if let (Change::Names(_, changes), false) = (change, lost) {
                    apply(&mut tree, changes);
                }
            }
            for form in 0..4_usize.pow(u32::try_from(unsafe_files.len()).unwrap()) {
                let mut contents = self.contents.clone();
                for (place, file) in unsafe_files.iter().enumerate() {
                    let bytes = &mut contents[*file];
                    match (form >> (2 * place)) & 3 {
                        0 => {}
                        1 => bytes.clear(),
                        2 => bytes.truncate(bytes.len() / 2),
                        _ => bytes.fill(0),
                    }
                }
                left.push((tree.clone(), contents));
            }
        }
        left
    }
}

fn apply(tree: &mut Tree, changes: &[(PathBuf, Option<Node>)]) {
    for (path, node) in changes {
        match node {
            Some(node) => drop(tree.insert(path.clone(), node.clone())),
            None => drop(tree.remove(path)),
        }
    }
}

impl Disk for Model {
    fn read(&self, path: &Path, _: u64) -> io::Result<Vec<u8>> {
        self.file(path).map(|number| self.contents[number].clone())
    }

    fn link(&self, path: &Path) -> io::Result<PathBuf> {
        match self.now.get(path) {
            Some(Node::Link(target)) => Ok(target.into()),
            _ => Err(ErrorKind::NotFound.into()),
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        self.now.get(path) == Some(&Node::Folder)
    }

    fn exists(&self, path: &Path) -> bool {
        self.now.contains_key(path)
    }

    fn writable(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }

    fn free(&self, _: &Path) -> io::Result<u64> {
        Ok(1 << 30)
    }

    fn lock(&mut self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }

    fn make_folder(&mut self, path: &Path) -> io::Result<()> {
        self.names(vec![(path.to_path_buf(), Some(Node::Folder))])
    }

    fn write(&mut self, path: &Path, bytes: &[u8], runs: bool) -> io::Result<()> {
        self.contents.push(bytes.to_vec());
        let number = self.contents.len() - 1;
        self.remove(path)?;
        self.names(vec![(path.to_path_buf(), Some(Node::File(number, runs)))])?;
        self.log.push(Change::Content(number));
        Ok(())
    }

    fn sync(&mut self, file: &Path) -> io::Result<()> {
        let number = self.file(file)?;
        self.log.push(Change::SyncFile(number));
        Ok(())
    }

    fn sync_folder(&mut self, folder: &Path) -> io::Result<()> {
        self.log.push(Change::SyncFolder(folder.to_path_buf()));
        Ok(())
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let node = self.now.get(from).cloned().ok_or(ErrorKind::NotFound)?;
        self.names(vec![(from.to_path_buf(), None), (to.to_path_buf(), Some(node))])
    }

    fn symlink(&mut self, target: &str, path: &Path) -> io::Result<()> {
        if self.now.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        self.names(vec![(path.to_path_buf(), Some(Node::Link(target.to_owned())))])
    }

    fn remove(&mut self, path: &Path) -> io::Result<()> {
        if self.now.contains_key(path) { self.names(vec![(path.to_path_buf(), None)]) } else { Ok(()) }
    }
}

/// An update, one more on top of it, and back by hand: the log of all three.
fn three_updates() -> Model {
    let place = Place::under(Path::new("/m"));
    let mut disk = Model::installed();
    let wish = Wish { restart: false, yes: false };
    let mut versions = Versions;
    for program in [Some(new()), Some(elf(62, 0x33, 75_000)), None] {
        let facts = facts(&place, &mut disk, &mut versions).unwrap();
        let begin = disk.log.len();
        let plan = match &program {
            Some(bytes) => forward(&place, &facts, &fresh(bytes), wish).unwrap().unwrap(),
            None => back(&facts, wish).unwrap(),
        };
        carry(&plan, &place, &program.unwrap_or_default(), &mut disk, &mut versions).unwrap();
        disk.unproven.push((begin, disk.log.len(), facts.running));
        keep(&place, &mut disk).unwrap();
    }
    disk
}

/// No service manager; every program says that it is hairpin.
struct Versions;

impl Service for Versions {
    fn unit(&mut self) -> Option<Unit> {
        None
    }

    fn restart(&mut self, _: Duration) -> Result<(), String> {
        panic!("there is no service")
    }

    fn stop(&mut self, _: Duration) {}

    fn last_words(&mut self) -> String {
        String::new()
    }

    fn version(&mut self, _: &Path, _: Duration) -> Result<String, String> {
        Ok("hairpin 9.9.9".to_owned())
    }

    fn pause(&mut self, _: Duration) {}
}

/// The folder that a disk would be after the cut.
fn build(root: &Path, tree: &Tree, contents: &[Vec<u8>]) {
    for (path, node) in tree {
        let path = root.join(path.strip_prefix("/m").unwrap());
        // What lies below a folder that was lost is lost with it.
        if !path.parent().is_some_and(Path::is_dir) {
            continue;
        }
        match node {
            Node::Folder => fs::create_dir_all(&path).unwrap(),
            Node::Link(target) => symlink(target, &path).unwrap(),
            Node::File(number, runs) => {
                fs::write(&path, &contents[*number]).unwrap();
                let mode = if *runs { 0o755 } else { 0o644 };
                fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
            }
        }
    }
}

/// Every disk after every cut, through two boots; what went wrong, how many disks, and how many different ones. Without
/// `sync` it ends with the first that goes wrong.
fn tried(model: &Model, heeds_sync: bool) -> (Vec<String>, usize, usize) {
    let programs = model.contents.iter().filter(|bytes| bytes.starts_with(b"\x7fELF"));
    let whole: BTreeSet<String> = programs.map(|bytes| Digest::of(bytes).to_string()).collect();
    let (mut wrong, mut disks, mut seen) = (Vec::new(), 0, BTreeSet::new());
    for cut in 0..=model.log.len() {
        if !heeds_sync && !wrong.is_empty() {
            break;
        }
        let unproven = model.unproven.iter().find(|(begin, end, _)| (begin..=end).contains(&&cut));
        let wanted = unproven.map(|(_, _, old)| old.to_string());
        let begin = if heeds_sync { 0 } else { cut.saturating_sub(8) };
        let model = if heeds_sync { model.clone() } else { forget(model, begin) };
        for (tree, contents) in model.left_after(cut - begin, heeds_sync) {
            let root = temporary();
            build(root.path(), &tree, &contents);
            disks += 1;
            if !seen.insert((listing(root.path()), wanted.clone())) {
                continue;
            }
            // Boot 0 is before anything settles: the link leads to a whole program even then.
            for boot in 0..=2 {
                let said = if boot == 0 { String::new() } else { settle(root.path()) };
                let starts = starts(root.path()).map(|digest| digest.to_string());
                if !starts.as_ref().is_ok_and(|digest| whole.contains(digest)) {
                    let log = &model.log[..cut - begin];
                    wrong.push(format!(
                        "after {log:?}, boot {boot}: {starts:?}; {said}; {:?}",
                        listing(root.path())
                    ));
                }
                if boot == 2 && root.path().join("opt/hairpin/trial").exists() {
                    wrong.push(format!("cut {cut}: a trial outlives two boots"));
                }
                if boot == 2 && wanted.as_ref().is_some_and(|wanted| starts.as_ref() != Ok(wanted)) {
                    wrong.push(format!("cut {cut}: what nobody confirmed runs at the second boot"));
                }
            }
        }
    }
    (wrong, disks, seen.len())
}

/// The log from `begin` on, over a disk that holds everything before it.
fn forget(model: &Model, begin: usize) -> Model {
    let mut before = model.before.clone();
    for change in &model.log[..begin] {
        if let Change::Names(_, changes) = change {
            apply(&mut before, changes);
        }
    }
    Model { before, log: model.log[begin..].to_vec(), ..model.clone() }
}

#[test]
fn whatever_was_not_synced_may_be_lost_and_a_whole_program_starts() {
    let model = three_updates();
    let (wrong, disks, different) = tried(&model, true);
    println!("{} changes, {disks} disks after a cut, {different} different ones", model.log.len());
    assert!(disks > 100 && different > 20, "{disks} disks, {different} different ones");
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// The control: the same on a disk that ignores `sync` goes wrong, so the test above can fail.
#[test]
fn without_sync_it_would_go_wrong() {
    let (wrong, disks, _) = tried(&three_updates(), false);
    println!("without sync, {} of the first {disks} disks go wrong", wrong.len());
    assert!(!wrong.is_empty(), "the model finds nothing even without sync");
}
