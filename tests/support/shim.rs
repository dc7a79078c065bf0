//! The shim of tests/faults/shim.c from the Rust side: built, preloaded, steered by its words and read by its log.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = include_str!("../faults/shim.c");

/// The built library; once a process. The compiler is the one that links this very test.
pub(crate) fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faults/shim.c");
        let (fresh, built) =
            (folder.join(format!("shim.{}.so", std::process::id())), folder.join("hairpin-shim.so"));
        let run = Command::new("cc")
            .args(["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([&fresh, &source])
            .args(["-ldl", "-lpthread"])
            .output()
            .expect("a C compiler");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        // Another test may be running with the old one: that keeps its file.
        fs::rename(&fresh, &built).expect("the library in place");
        built
    })
}

/// One line of the log.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Nanoseconds of the monotonic clock.
    pub(crate) at: u64,
    pub(crate) pid: u32,
    pub(crate) what: String,
    /// What follows, word by word.
    pub(crate) rest: Vec<String>,
}

/// A folder with a control page and a log.
#[derive(Debug)]
pub(crate) struct Shim {
    folder: PathBuf,
    page: File,
}

impl Shim {
    /// The shim of `folder`, which another process may have open too.
    pub(crate) fn at(folder: &Path) -> Self {
        fs::create_dir_all(folder).expect("a folder");
        let page = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(folder.join("control"))
            .expect("a control page");
        if page.metadata().expect("its length").len() < 4096 {
            page.set_len(4096).expect("a page of zeros");
        }
        Self { folder: folder.to_path_buf(), page }
    }

    /// The names of the words, in the order of their places.
    pub(crate) fn words() -> impl Iterator<Item = &'static str> {
        let list = SOURCE.split_once("#define WORDS(WORD)").expect("the list").1;
        let list = list.split_once("enum word").expect("its end").0;
        list.split("WORD(").skip(1).filter_map(|rest| rest.split(')').next())
    }

    fn place(word: &str) -> u64 {
        let at = Self::words().position(|name| name == word);
        4 * u64::try_from(at.unwrap_or_else(|| panic!("no word {word}"))).expect("small")
    }

    /// Sets a word, at once and for every process.
    pub(crate) fn set(&self, word: &str, value: u32) {
        self.page.write_all_at(&value.to_ne_bytes(), Self::place(word)).expect("written");
    }

    /// Reads a word.
    pub(crate) fn get(&self, word: &str) -> u32 {
        let mut bytes = [0; 4];
        self.page.read_exact_at(&mut bytes, Self::place(word)).expect("read");
        u32::from_ne_bytes(bytes)
    }

    /// Has `command` run with the shim.
    pub(crate) fn preload<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command.env("LD_PRELOAD", library()).env("HAIRPIN_SHIM", &self.folder)
    }

    /// Everything that happened, in the order of writing.
    pub(crate) fn log(&self) -> Vec<Event> {
        let text = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        text.lines().filter_map(event).collect()
    }

    /// What happened of one kind.
    pub(crate) fn events(&self, what: &str) -> Vec<Event> {
        self.log().into_iter().filter(|event| event.what == what).collect()
    }
}

pub(crate) fn event(line: &str) -> Option<Event> {
    let mut words = line.split(' ');
    Some(Event {
        at: words.next()?.parse().ok()?,
        pid: words.next()?.parse().ok()?,
        what: words.next()?.to_owned(),
        rest: words.map(str::to_owned).collect(),
    })
}
