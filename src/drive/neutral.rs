//! However the loop is left — by return, by error, by panic — the pins go neutral.

use super::ports::Actuators;
use crate::domain::{Applied, Command, DriveState, Order, Pulses};

/// Pins that are neutral again when this is dropped.
#[derive(Debug)]
pub struct Neutral<'a, A: Actuators> {
    pins: &'a mut A,
    neutral: Order,
}

impl<'a, A: Actuators> Neutral<'a, A> {
    /// Takes the pins into care; `neutral` is written on drop.
    pub fn guard(pins: &'a mut A, neutral: Pulses) -> Self {
        let neutral =
            Order { command: Command::NEUTRAL, pulses: neutral, evidence: None, state: DriveState::Disarmed };
        Self { pins, neutral }
    }

    /// Passes an order on.
    pub fn apply(&mut self, order: Order) -> Applied {
        self.pins.apply(order)
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
    use crate::domain::{Applied, Command, DriveState, Order, Pulses};
    use crate::drive::ports::Actuators;
    use crate::units::Signed;
    use crate::vehicle::Calibration;

    #[derive(Default)]
    struct Pins {
        written: Vec<Pulses>,
        failures: usize,
    }

    impl Actuators for Pins {
        fn apply(&mut self, order: Order) -> Applied {
            self.written.push(order.pulses);
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
        let command = Command { steering: Signed::ONE, throttle: Signed::ONE };
        let full = Order { command, pulses: car.pulses(command), evidence: None, state: DriveState::Driving };
        let mut pins = Pins::default();
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let mut guard = Neutral::guard(&mut pins, car.neutral());
            guard.apply(full);
            panic!("in the middle of a tick");
        }));
        assert!(ended.is_err());
        assert_eq!(pins.written, [full.pulses, car.neutral()]);
    }

    #[test]
    fn a_failed_write_of_neutral_is_repeated() {
        let car = Calibration::factory();
        let mut pins = Pins { failures: 1, ..Pins::default() };
        drop(Neutral::guard(&mut pins, car.neutral()));
        assert_eq!(pins.written, [car.neutral(), car.neutral()]);
    }
}
