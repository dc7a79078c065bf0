//! The whole board at once, in the only safe order: lock, pins neutral, gate shut, then what does not move. And the way
//! out that needs nothing but the files: neutral and the gate, past every error.

use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use linux_embedded_hal::I2cdev;

use super::battery::Gauge;
use super::pause::{Patience, TWO_PERIODS, pause};
use super::pins::{STEERING, THROTTLE};
use super::pwm::{PERIOD_NS, SysfsPwm};
use super::{CarPins, Carrier, Gate, HalError, InstanceLock, Lamps, PulseOut, Settings, Switched, sysfs};
use crate::domain::Pulses;
use crate::units::Pulse;

/// How long the way out waits for the pins before it goes on to the gate, and afterwards.
const LONGEST_WRITE: Duration = Duration::from_millis(20);
const LONGEST_ANSWER: Duration = Duration::from_millis(1500);

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
        let (said, heard) = channel();
        let writer = carrier.clone().map(|carrier| {
            let settings = settings.clone();
            // In a thread: a bus that is stuck takes its time to say so, and the gate shall not wait for it.
            thread::spawn(move || said.send(neutral_pins(&carrier, &settings, neutral)).unwrap_or_default())
        });
        let mut faults = writer.as_ref().and_then(|_| heard.recv_timeout(LONGEST_WRITE).ok());
        wait();
        // Without a board `auto` still finds the DeepRacer's line: that does not depend on the PWM chip.
        let carrier = carrier.unwrap_or(Carrier::DeepRacer { chip: settings.at("/sys/class/pwm") });
        let shut = Gate::open_handle(settings, &carrier).and_then(|mut gate| gate.shut());
        let gate = shut.map_err(|error| errors.push(error)).ok();
        if writer.is_some() && faults.is_none() {
            // With the power gone there is time.
            faults = heard.recv_timeout(LONGEST_ANSWER).ok();
            if faults.is_none() {
                errors.push(HalError::PinsHang);
            }
        }
        let pins = faults.as_ref().is_some_and(Vec::is_empty);
        errors.extend(faults.into_iter().flatten());
        Neutralised { pins, gate, errors }
    }
}

/// Both outputs to neutral, throttle first; everything that stood in the way.
fn neutral_pins(carrier: &Carrier, settings: &Settings, neutral: Pulses) -> Vec<HalError> {
    match carrier {
        Carrier::DeepRacer { chip } => {
            let both = [(THROTTLE, neutral.throttle), (STEERING, neutral.steering)];
            // The long way where the short one fails: the channel may have no period yet.
            let failed = both.map(|(channel, pulse)| match direct(chip, channel, pulse) {
                Some(()) => None,
                None => SysfsPwm::open(chip, channel, pulse).err(),
            });
            failed.into_iter().flatten().collect()
        }
        Carrier::Pca9685 { .. } => CarPins::open_on(carrier, settings, neutral).err().into_iter().collect(),
    }
}

/// One write to a channel that is set up already; `None` where it is not.
fn direct(chip: &Path, channel: u32, pulse: Pulse) -> Option<()> {
    let folder = chip.join(format!("pwm{channel}"));
    sysfs::number(&folder.join("period")).filter(|period| *period == PERIOD_NS)?;
    SysfsPwm::open_exported(folder, &mut Patience::none()).ok()?.reassert(pulse).ok()
}
