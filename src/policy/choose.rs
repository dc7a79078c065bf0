//! Scores to action, as the stock navigation does it (car.md §5): the first maximum, or clamp and scale.
//! Refuses what is not a number; the stock car picks an arbitrary action there.

use crate::domain::{Action, ActionSpace, ContinuousSpace, Scores, Squash};
use crate::units::{Degrees, MetresPerSecond, curve::tanh};

/// How a continuous policy's raw output is brought to -1..=1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// `max(min(x, 1), -1)`: the car, for every algorithm; PPO in training too.
    Clamp,
    /// `tanh(x)`: SAC in training, whose exported node is the mean before it.
    Tanh,
}

impl Bound {
    /// The bound for an algorithm under a recipe: only SAC as trained squashes (car.md §3.3).
    #[must_use]
    pub fn of(squash: Squash, algorithm: &str) -> Self {
        if squash == Squash::AsTrained && algorithm == "sac" { Self::Tanh } else { Self::Clamp }
    }
}

/// The action that the scores ask for; `None` where a score is not finite or their number is not the
/// space's.
#[must_use]
pub fn choose(scores: &Scores, space: &ActionSpace, bound: Bound) -> Option<Action> {
    let values = scores.values();
    if !scores.is_finite() || values.len() != space.outputs() {
        return None;
    }
    match (space, values) {
        (ActionSpace::Discrete(actions), values) => actions.get(first_maximum(values)?).copied(),
        (ActionSpace::Continuous(space), [steering, speed]) => scale(space, *steering, *speed, bound),
        (ActionSpace::Continuous(_), _) => None,
    }
}

/// The position of the first largest score; `None` without scores. Ties go to the lower class.
#[must_use]
pub fn first_maximum(values: &[f32]) -> Option<usize> {
    let mut best: Option<(usize, f32)> = None;
    for (at, value) in values.iter().enumerate() {
        if best.is_none_or(|(_, top)| *value > top) {
            best = Some((at, *value));
        }
    }
    best.map(|(at, _)| at)
}

fn scale(space: &ContinuousSpace, steering: f32, speed: f32, bound: Bound) -> Option<Action> {
    let to_unit = |x: f32| match bound {
        Bound::Clamp => f64::from(x).clamp(-1.0, 1.0),
        Bound::Tanh => f64::from(tanh(x)),
    };
    // The stock order of operations, in double precision.
    let stretch = |x: f64, low: f64, high: f64| ((high - low) / 2.0) * (x + 1.0) + low;
    Some(Action {
        steering: Degrees::new(stretch(
            to_unit(steering),
            space.steering_low.get(),
            space.steering_high.get(),
        ))?,
        speed: MetresPerSecond::new(stretch(to_unit(speed), space.speed_low.get(), space.speed_high.get()))?,
    })
}
