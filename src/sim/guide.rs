//! The scripted driver's advice, in the form in which a policy gives its own: two outputs of a continuous action space.
//! By it the loop, the governor and the tape can be run without a network. Refuses nothing.

use super::pursuit::Pursuit;
use crate::track::{Place, Pose};

/// An adviser for one track.
#[derive(Clone, Debug)]
pub struct Guide(Pursuit);

impl Guide {
    /// Of a driver who knows the track.
    #[must_use]
    pub const fn new(pursuit: Pursuit) -> Self {
        Self(pursuit)
    }

    /// Steering and speed as outputs of -1 to 1 in the space of `policy::guided`, such that the stock law (`a v² + b v`, car.md §5) at a scale of
    /// `speed_percent` gives the throttle that the driver wants.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "a policy's outputs are f32")]
    pub fn scores(&self, place: Place, pose: Pose, speed: f64, speed_percent: u8) -> [f32; 2] {
        let (steering, throttle) = self.0.command(place, pose, speed);
        let scale = f64::from(speed_percent.clamp(1, 100)) / 100.0;
        let wanted = (throttle / scale).clamp(0.0, 1.0);
        // The smaller root of -1.2 v² + 2.2 v = wanted; at 1 it is 1.
        let v = (2.2 - (2.2 * 2.2 - 4.8 * wanted).max(0.0).sqrt()) / 2.4;
        [steering as f32, (2.0 * v - 1.0) as f32]
    }
}
