//! What the policy wants, and the space that it chooses from. Invariants are checked where metadata is read.

use crate::units::{Degrees, MetresPerSecond};

/// A wish in the action space's own units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Action {
    /// Positive is left.
    pub steering: Degrees,
    /// Positive is forward.
    pub speed: MetresPerSecond,
}

/// The corners of a continuous action space; `high` > `low` for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ContinuousSpace {
    /// Steering at output -1.
    pub steering_low: Degrees,
    /// Steering at output +1; also what full lock means (car.md §5).
    pub steering_high: Degrees,
    /// Speed at output -1.
    pub speed_low: MetresPerSecond,
    /// Speed at output +1; also what full throttle means.
    pub speed_high: MetresPerSecond,
}

/// Everything that the policy may choose.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionSpace {
    /// A list; the position is the network's class. 1 to 128 entries.
    Discrete(Vec<Action>),
    /// Two outputs, steering then speed.
    Continuous(ContinuousSpace),
}

impl ActionSpace {
    /// The number of outputs that a network for this space has.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match self {
            Self::Discrete(actions) => actions.len(),
            Self::Continuous(_) => 2,
        }
    }

    /// The steering that means full lock, in degrees: the largest |steering| of a list, or `high` (car.md §5).
    #[must_use]
    pub fn steering_scale(&self) -> f64 {
        match self {
            Self::Discrete(actions) => {
                actions.iter().map(|action| action.steering.get().abs()).fold(0.0, f64::max)
            }
            Self::Continuous(space) => space.steering_high.get(),
        }
    }

    /// The speed that means full throttle, in m/s: the largest |speed| of a list, or `high` (car.md §5).
    #[must_use]
    pub fn speed_scale(&self) -> f64 {
        match self {
            Self::Discrete(actions) => {
                actions.iter().map(|action| action.speed.get().abs()).fold(0.0, f64::max)
            }
            Self::Continuous(space) => space.speed_high.get(),
        }
    }
}
