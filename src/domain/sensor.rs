//! The sensors that a policy can be trained on, by the names in its metadata (car.md §3.3).

use std::fmt;

/// One input of a policy. Ordered by name, as training orders the inputs of its merger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sensor {
    /// `FRONT_FACING_CAMERA`: the single camera.
    FrontFacingCamera,
    /// `LEFT_CAMERA`: the left camera of a stereo car, alone.
    LeftCamera,
    /// `LIDAR`: 64 distances in metres.
    Lidar,
    /// `SECTOR_LIDAR`: 8 sectors, 1 where something is near.
    SectorLidar,
    /// `STEREO_CAMERAS`: two grey channels, left then right.
    StereoCameras,
    /// `observation`: the single camera of models without a `sensor` key.
    Observation,
    /// What the scripted driver of a simulated track advises: two outputs. No model has it, and no metadata may name it.
    ScriptedDriver,
}

impl Sensor {
    /// All that a model can be trained on, in the order of their names.
    pub const ALL: [Self; 6] = [
        Self::FrontFacingCamera,
        Self::LeftCamera,
        Self::Lidar,
        Self::SectorLidar,
        Self::StereoCameras,
        Self::Observation,
    ];

    /// The name in metadata and in tensor names.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observation => "observation",
            Self::FrontFacingCamera => "FRONT_FACING_CAMERA",
            Self::LeftCamera => "LEFT_CAMERA",
            Self::StereoCameras => "STEREO_CAMERAS",
            Self::Lidar => "LIDAR",
            Self::SectorLidar => "SECTOR_LIDAR",
            Self::ScriptedDriver => "scripted driver",
        }
    }

    /// The sensor of that exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sensor| sensor.name() == name)
    }

    /// Grey channels that it delivers; 0 for LiDAR and advice.
    #[must_use]
    pub const fn channels(self) -> usize {
        match self {
            Self::Observation | Self::FrontFacingCamera | Self::LeftCamera => 1,
            Self::StereoCameras => 2,
            Self::Lidar | Self::SectorLidar | Self::ScriptedDriver => 0,
        }
    }

    /// Values that it delivers beside the picture: of the LiDAR (car.md §2.4), or the advice; 0 for cameras.
    #[must_use]
    pub const fn ranges(self) -> usize {
        match self {
            Self::Lidar => 64,
            Self::SectorLidar => 8,
            Self::ScriptedDriver => 2,
            _ => 0,
        }
    }

    /// The shape of its tensor, NHWC with batch 1 (car.md §3.3).
    #[must_use]
    pub fn shape(self) -> Vec<usize> {
        match self.ranges() {
            0 => vec![1, super::observation::HEIGHT, super::observation::WIDTH, self.channels()],
            n => vec![1, n],
        }
    }
}

impl fmt::Display for Sensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
