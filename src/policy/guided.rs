//! The policy of the scripted driver: it answers what the simulated world advises beside the picture, so that loop,
//! governor and tape run without a network. It sees nothing itself; the picture is judged as ever.

use super::{Policy, PolicyError};
use crate::domain::{ActionSpace, ContinuousSpace, Observation, Recipe, Scores, Sensor};
use crate::units::{Degrees, MetresPerSecond};

/// What it is called where a model is named.
pub const NAME: &str = "scripted";

/// Full lock of its action space, in degrees; its full speed is 1.
const LOCK: f64 = 30.0;

/// The policy.
#[derive(Clone, Copy, Debug)]
pub struct Guided;

impl Guided {
    /// What it eats: the picture, which the governor judges, and the advice.
    #[must_use]
    pub fn recipe() -> Recipe {
        Recipe { sensors: vec![Sensor::FrontFacingCamera, Sensor::ScriptedDriver], ..Recipe::default() }
    }

    /// What its two outputs mean: steering of ±30 degrees, and a speed of 0 to 1, of which 1 is full throttle.
    #[must_use]
    pub fn space() -> ActionSpace {
        let (angle, speed) = (Degrees::new(LOCK).unwrap_or(Degrees::ZERO), MetresPerSecond::new(1.0));
        let still = MetresPerSecond::ZERO;
        ActionSpace::Continuous(ContinuousSpace {
            steering_low: Degrees::new(-angle.get()).unwrap_or(Degrees::ZERO),
            steering_high: angle,
            speed_low: still,
            speed_high: speed.unwrap_or(still),
        })
    }
}

impl Policy for Guided {
    fn infer(&mut self, observation: &Observation) -> Result<Scores, PolicyError> {
        // Without advice there are no scores, which the governor takes for a policy that failed.
        Ok(Scores::new(&observation.ranges).unwrap_or(Scores::NONE))
    }
}

#[cfg(test)]
mod tests {
    use super::Guided;
    use crate::domain::{Observation, Sensor};
    use crate::policy::Policy;

    #[test]
    fn it_repeats_the_advice_and_no_model_can_ask_for_it() {
        let advised = Observation { ranges: vec![-0.5, 0.25], ..Observation::default() };
        let values = |observation: &Observation| Guided.infer(observation).expect("scores").values().to_vec();
        assert_eq!(values(&advised), [-0.5, 0.25]);
        assert!(values(&Observation::default()).is_empty());
        assert_eq!((Guided::recipe().channels(), Guided::recipe().ranges()), (1, 2));
        assert_eq!(Sensor::from_name(Sensor::ScriptedDriver.name()), None);
    }
}
