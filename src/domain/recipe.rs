//! How a picture becomes an observation and how scores become an action: stock, or as the policy was trained.

use super::sensor::Sensor;

/// The arithmetic from decoded picture to 160x120 grey.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preparation {
    /// The car's own: bilinear without antialias on RGB, then OpenCV's Q15 grey (car.md §3.1). The default.
    #[default]
    Stock,
    /// The JPEG's luma plane, then the same bilinear: faster, and within
    /// 2 of 255 of stock but for a rare pixel of saturated blue.
    Luma,
    /// The training side's: antialiased bilinear, then grey truncated (car.md §3.4).
    AsTrained,
}

/// What a continuous policy's raw output passes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Squash {
    /// Clamp to -1..=1, as the car does. The default.
    #[default]
    Stock,
    /// `tanh` for SAC, whose exported node is the mean before it (car.md §3.3); a clamp for PPO.
    AsTrained,
}

/// Everything about a model's inputs that is not in its weights.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recipe {
    /// The inputs, in the order of their names.
    pub sensors: Vec<Sensor>,
    /// Picture to grey.
    pub preparation: Preparation,
    /// Raw continuous output to -1..=1.
    pub squash: Squash,
}

impl Recipe {
    /// Grey channels that the policy wants: 0, 1 or 2.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.sensors.iter().map(|sensor| sensor.channels()).max().unwrap_or(0)
    }

    /// LiDAR values that the policy wants.
    #[must_use]
    pub fn ranges(&self) -> usize {
        self.sensors.iter().map(|sensor| sensor.ranges()).max().unwrap_or(0)
    }
}
