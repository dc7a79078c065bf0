//! The whole board at once, in the only safe order: lock, pins neutral, gate shut, then what does not move. And the way
//! out that needs nothing but the files: neutral and the gate, past every error.

use std::path::Path;

use linux_embedded_hal::I2cdev;

use super::battery::Gauge;
use super::pause::{Patience, TWO_PERIODS, pause};
use super::pins::{STEERING, THROTTLE};
use super::pwm::{PERIOD_NS, SysfsPwm};
use super::{CarPins, Carrier, Gate, HalError, InstanceLock, Lamps, PulseOut, Settings, Switched, sysfs};
use crate::domain::Pulses;
use crate::units::Pulse;

/// The car's hardware, held by one process. Nothing happens on drop: whoever holds it writes neutral first.
#[derive(Debug)]
pub struct Board {
    /// The two outputs.
    pub pins: CarPins,
    /// The power gate, shut.
    pub gate: Gate,
    /// The battery's gauge.
    pub gauge: Gauge<I2cdev>,
    /// What it shows.
    pub lamps: Lamps,
    /// The board that was found.
    pub carrier: Carrier,
    /// Held as long as the board is.
    pub lock: InstanceLock,
}

/// What the way out has reached.
#[derive(Debug)]
pub struct Neutralised {
    /// Whether both outputs took neutral.
    pub pins: bool,
    /// The gate's answer; `None` where it could not be shut.
    pub gate: Option<Switched>,
    /// Everything that stood in the way, in order.
    pub errors: Vec<HalError>,
}

impl Board {
    /// Takes the lock before anything else is touched; brings the pins to `neutral`; gives that two periods to leave
    /// the chip; shuts the gate. With the gate shut, a chip that had lost its power is woken (car.md §9.6). Never opens
    /// the gate.
    ///
    /// # Errors
    /// [`HalError`]: no board, a second instance, a file or bus that refuses, a gate that cannot be shut. Battery and
    /// lamps never fail here.
    pub fn open(settings: &Settings, neutral: Pulses) -> Result<Self, HalError> {
        let carrier = Carrier::find(settings)?;
        let lock = InstanceLock::take(carrier.resource())?;
        let opened = CarPins::open_on(&carrier, settings, neutral);
        if opened.is_ok() {
            pause(TWO_PERIODS);
        }
        // Also where the pins cannot be had: whoever drove before may have left the power on.
        let gate = Gate::open_handle(settings, &carrier);
        let powerless = gate.as_ref().is_ok_and(Gate::exists);
        let pins = match opened {
            Ok(_) | Err(HalError::PeriodHeld { .. }) if powerless => {
                CarPins::revive(&carrier, settings, neutral)?
            }
            opened => opened?,
        };
        let gate = gate?;
        let gauge = Gauge::find(settings);
        let lamps = Lamps::open(settings, &carrier);
        Ok(Self { pins, gate, gauge, lamps, carrier, lock })
    }

    /// One line per part, for people to read.
    #[must_use]
    pub fn describe(&self) -> Vec<String> {
        let gauge = if self.gauge.exists() { "there is a bus to ask" } else { "none" };
        vec![
            format!("pins: {}", self.pins.describe()),
            format!("gate: {}", self.gate.describe()),
            format!("battery gauge: {gauge}"),
        ]
    }

    /// The way out for `hairpin neutral` and for a driver whose guardian is gone: no lock, neutral to both outputs,
    /// throttle first, then `wait` (two periods), then the gate. Goes on past every error.
    pub fn neutral_only(settings: &Settings, neutral: Pulses, wait: impl FnOnce()) -> Neutralised {
        let mut errors = Vec::new();
        let carrier = Carrier::find(settings).map_err(|error| errors.push(error)).ok();
        let pins = match &carrier {
            Some(Carrier::DeepRacer { chip }) => {
                let both = [(THROTTLE, neutral.throttle), (STEERING, neutral.steering)];
                // The long way where the short one fails: the channel may have no period yet.
                let failed = both.map(|(channel, pulse)| match direct(chip, channel, pulse) {
                    Some(()) => None,
                    None => SysfsPwm::open(chip, channel, pulse).err(),
                });
                let all = failed.iter().all(Option::is_none);
                errors.extend(failed.into_iter().flatten());
                all
            }
            Some(carrier @ Carrier::Pca9685 { .. }) => {
                CarPins::open_on(carrier, settings, neutral).map_err(|error| errors.push(error)).is_ok()
            }
            None => false,
        };
        wait();
        // Without a board `auto` still finds the DeepRacer's line: that does not depend on the PWM chip.
        let carrier = carrier.unwrap_or(Carrier::DeepRacer { chip: settings.at("/sys/class/pwm") });
        let shut = Gate::open_handle(settings, &carrier).and_then(|mut gate| gate.shut());
        let gate = shut.map_err(|error| errors.push(error)).ok();
        Neutralised { pins, gate, errors }
    }
}

/// One write to a channel that is set up already; `None` where it is not.
fn direct(chip: &Path, channel: u32, pulse: Pulse) -> Option<()> {
    let folder = chip.join(format!("pwm{channel}"));
    sysfs::number(&folder.join("period")).filter(|period| *period == PERIOD_NS)?;
    SysfsPwm::open_exported(folder, &mut Patience::none()).ok()?.reassert(pulse).ok()
}
