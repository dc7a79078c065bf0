//! Where everything of an installed hairpin lies, under a prefix. Names only; opens nothing.

use std::fmt;
use std::path::{Path, PathBuf};

/// One of the two folders that a program lives in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// `/opt/hairpin/a`, where the installer puts the first one.
    A,
    /// `/opt/hairpin/b`.
    B,
}

impl Slot {
    /// Both, in order.
    pub const BOTH: [Self; 2] = [Self::A, Self::B];

    /// The one that is not this one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    /// Its name as a folder, and in the trial.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::A => "a",
            Self::B => "b",
        }
    }

    /// The slot of that name.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|slot| slot.name() == text)
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// An installation, below the prefix that it was made with: `/` on a car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    home: PathBuf,
}

impl Place {
    /// The installation under `prefix`.
    #[must_use]
    pub fn under(prefix: &Path) -> Self {
        Self { home: prefix.join("opt/hairpin") }
    }

    /// The folder of all this.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// The folder of one slot.
    #[must_use]
    pub fn folder(&self, slot: Slot) -> PathBuf {
        self.home.join(slot.name())
    }

    /// The program in a slot.
    #[must_use]
    pub fn program(&self, slot: Slot) -> PathBuf {
        self.folder(slot).join("hairpin")
    }

    /// The new program while it is written.
    #[must_use]
    pub fn unfinished(&self, slot: Slot) -> PathBuf {
        self.folder(slot).join(".hairpin.update")
    }

    /// The link that names the slot that runs.
    #[must_use]
    pub fn current(&self) -> PathBuf {
        self.home.join("current")
    }

    /// The link's successor. `settle` uses names of its own, so that the two never meet.
    #[must_use]
    pub fn next(&self) -> PathBuf {
        self.home.join(".current.update")
    }

    /// The trial; there while a new program has not proven itself.
    #[must_use]
    pub fn trial(&self) -> PathBuf {
        self.home.join("trial")
    }

    /// The trial while it is written.
    #[must_use]
    pub fn next_trial(&self) -> PathBuf {
        self.home.join(".trial.update")
    }

    /// What rolls back a trial that did not come up, before each start.
    #[must_use]
    pub fn settle(&self) -> PathBuf {
        self.home.join("settle")
    }
}
