//! However the loop is left — by return, by error, by panic — the pins go neutral.

use super::ports::Actuators;
use crate::domain::{Applied, Pulses};

/// Pins that are neutral again when this is dropped.
#[derive(Debug)]
pub struct Neutral<'a, A: Actuators> {
    pins: &'a mut A,
    neutral: Pulses,
}

impl<'a, A: Actuators> Neutral<'a, A> {
    /// Takes the pins into care; `neutral` is written on drop.
    pub fn guard(pins: &'a mut A, neutral: Pulses) -> Self {
        Self { pins, neutral }
    }

    /// Writes pulses.
    pub fn apply(&mut self, pulses: Pulses) -> Applied {
        self.pins.apply(pulses)
    }
}

impl<A: Actuators> Drop for Neutral<'_, A> {
    fn drop(&mut self) {
        // One repetition: a write that fails once for a busy bus must not leave the motor running.
        if self.pins.apply(self.neutral) == Applied::Failed {
            self.pins.apply(self.neutral);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Neutral;
    use crate::domain::{Applied, Command, Pulses};
    use crate::drive::ports::Actuators;
    use crate::units::Signed;
    use crate::vehicle::Calibration;

    #[derive(Default)]
    struct Pins {
        written: Vec<Pulses>,
        failures: usize,
    }

    impl Actuators for Pins {
        fn apply(&mut self, pulses: Pulses) -> Applied {
            self.written.push(pulses);
            if self.failures == 0 {
                return Applied::Written;
            }
            self.failures -= 1;
            Applied::Failed
        }
    }

    #[test]
    fn a_panic_in_the_loop_ends_neutral() {
        let car = Calibration::factory();
        let full = car.pulses(Command { steering: Signed::ONE, throttle: Signed::ONE });
        let mut pins = Pins::default();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut guard = Neutral::guard(&mut pins, car.neutral());
            guard.apply(full);
            panic!("in the middle of a tick");
        }));
        assert!(ended.is_err());
        assert_eq!(pins.written, [full, car.neutral()]);
    }

    #[test]
    fn a_failed_write_of_neutral_is_repeated() {
        let car = Calibration::factory();
        let mut pins = Pins { failures: 1, ..Pins::default() };
        drop(Neutral::guard(&mut pins, car.neutral()));
        assert_eq!(pins.written, [car.neutral(), car.neutral()]);
    }
}
