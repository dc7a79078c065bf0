//! Words in, typed values out (L5): metadata, hyperparameters, cards, the stock calibration and `hairpin.toml`.
//! Depends on the rooms whose settings it fills, never the reverse. Refuses with the file, the place, what was
//! seen and what is wanted; for settings, with all faults at once.

pub mod card;
pub mod explain;
pub mod hyper;
pub mod metadata;
pub mod stock;

mod card_form;
mod card_text;
mod check;
mod default_file;
mod error;
mod file;
mod json;
mod judge;
mod keys;
mod keys_car;
mod kind;
mod nearest;
mod origin;
mod place;
mod sensors;
mod space;
mod words;

pub use check::{Flag, Source};
pub use default_file::default_toml;
pub use error::{ConfigError, Fault};
pub use metadata::{Algorithm, Metadata};
#[cfg(feature = "cli")]
pub(crate) use nearest::nearest;
pub use origin::{Origin, Setting};
pub use sensors::LidarConfig;

use crate::domain::{Preparation, Squash};
use crate::governor::Limits;
use crate::hal::Settings;
use crate::units::Span;
use crate::vehicle::Calibration;

/// Which arithmetic runs the network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kernels {
    /// What the car's CPU can do, so that every machine gives the same bits. The default.
    #[default]
    Car,
    /// The fastest of this machine.
    Native,
    /// Plain Rust for the fixed-point plan; the car's for what is `f32`.
    Portable,
}

/// Which plan of a model runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// The fixed-point plan, where the model has one. The default.
    #[default]
    Fixed,
    /// The network as it came.
    F32,
}

impl Precision {
    const WORDS: [(&str, Self); 2] = [("fixed", Self::Fixed), ("f32", Self::F32)];

    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fixed => "fixed",
            Self::F32 => "f32",
        }
    }
}

impl Kernels {
    const WORDS: [(&str, Self); 3] =
        [("car", Self::Car), ("native", Self::Native), ("portable", Self::Portable)];

    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Car => "car",
            Self::Native => "native",
            Self::Portable => "portable",
        }
    }
}

/// Bounds on what is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportLimits {
    /// MiB of the archive as it lies on disk.
    pub max_archive_mib: u32,
    /// MiB of the network, and of everything unpacked.
    pub max_network_mib: u32,
    /// Members of an archive.
    pub max_entries: u32,
    /// Operators of the graph.
    pub max_nodes: u32,
    /// Seconds for building the network.
    pub time_limit_s: u32,
}

/// Where the pulses' three points come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CalibrationSource<'a> {
    /// Ready to use.
    Ready(Calibration),
    /// The path of a stock `calibration.json`, to be read with [`stock::read`].
    File(&'a str),
}

/// The settings, as meant: every value checked. Made by [`Config::load`].
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Share of the policy's throttle that is used, 0 to 100.
    pub speed_percent: u8,
    /// What the governor enforces; passes [`Limits::checked`].
    pub governor: Limits,
    /// Picture to grey.
    pub preparation: Preparation,
    /// Raw continuous output to -1..=1.
    pub squash: Squash,
    /// Which plan of a model runs.
    pub precision: Precision,
    /// The instructions that run it.
    pub kernels: Kernels,
    /// The threads that share a fixed-point plan, 1 or 2.
    pub threads: u8,
    /// Frames per second of recordings without times, 1 to 240.
    pub rate_hz: f32,
    /// Bounds on imports.
    pub import: ImportLimits,
    /// Where the car's hardware hangs, but for its root.
    car: Settings,
    /// The folder that everything of the car is under.
    root: String,
    /// How long a command lives without new evidence, 60 to 200 ms.
    pub lease: Span,
    /// Largest throttle that the guardian lets through, 0 to 1.
    pub guardian_cap: f32,
    /// Deaths of the driver within half a minute after which it is not started again.
    pub restarts: usize,
    /// Whether to ask for real-time priority and locked memory.
    pub realtime: bool,
    /// `factory`, `points` or a path.
    calibration: String,
    /// The points of the file; the factory's where it has none.
    points: Calibration,
    /// In the order of the key table; missing ones are defaults.
    origins: Vec<Origin>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            speed_percent: 50,
            governor: Limits::default(),
            preparation: Preparation::default(),
            squash: Squash::default(),
            precision: Precision::default(),
            kernels: Kernels::default(),
            threads: 1,
            rate_hz: 30.0,
            import: ImportLimits {
                max_archive_mib: 256,
                max_network_mib: 512,
                max_entries: 256,
                max_nodes: 4096,
                time_limit_s: 60,
            },
            car: Settings::default(),
            root: "/".to_owned(),
            lease: Span::from_millis(100),
            guardian_cap: 1.0,
            restarts: 5,
            realtime: true,
            calibration: "factory".to_owned(),
            points: Calibration::factory(),
            origins: Vec::new(),
        }
    }
}

impl Config {
    /// Where the car's hardware hangs.
    #[must_use]
    pub fn car(&self) -> Settings {
        Settings { root: self.root.clone().into(), ..self.car.clone() }
    }

    /// Which calibration counts.
    #[must_use]
    pub fn calibration(&self) -> CalibrationSource<'_> {
        match self.calibration.as_str() {
            "factory" => CalibrationSource::Ready(Calibration::factory()),
            "points" => CalibrationSource::Ready(self.points),
            path => CalibrationSource::File(path),
        }
    }
}
