//! What the car shows: its tail light through the PWM chip (car.md §1.9) and its power LED through GPIO (§7.2). Lamps
//! never matter: a failure is told once, and then they stay as they are. A write to the tail light goes over the bus
//! of the pins; whoever holds the pins shows nothing while the car moves.

use std::path::{Path, PathBuf};

use super::gpio::{FilePin, north};
use super::pause::Patience;
use super::pwm::{PERIOD_NS, export};
use super::{Carrier, HalError, Settings, sysfs};

/// Channels of the tail light: red, green, blue (car.md §1.1).
const TAIL: [u32; 3] = [2, 3, 4];

/// One of 255 shares of the tail light's brightness; all of them are half the period, the stock car's most (§1.9).
const SHARE_NS: u32 = 39_215;

/// Lines of the power LED on the North community: red, green, blue, active high (car.md §7.2).
const POWER_LED: [u32; 3] = [16, 23, 24];

/// What a state looks like; blinking is the caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// Dark.
    Off,
    /// Disarmed.
    Blue,
    /// Arming.
    Amber,
    /// Armed.
    Green,
    /// A fault.
    Red,
}

impl Colour {
    /// Red, green and blue, 0 to 255.
    #[must_use]
    pub const fn rgb(self) -> [u8; 3] {
        match self {
            Self::Off => [0, 0, 0],
            Self::Blue => [0, 0, 255],
            Self::Amber => [255, 96, 0],
            Self::Green => [0, 255, 0],
            Self::Red => [255, 0, 0],
        }
    }
}

/// The lamps that are there.
#[derive(Debug, Default)]
pub struct Lamps {
    tail: Option<[PathBuf; 3]>,
    led: Option<[FilePin; 3]>,
    shown: Option<Colour>,
    fault: Option<HalError>,
}

impl Lamps {
    /// No lamps: showing anything does nothing.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The DeepRacer's lamps, dark, where the settings want them. What cannot be opened is told by the first
    /// [`Self::show`].
    #[must_use]
    pub fn open(settings: &Settings, carrier: &Carrier) -> Self {
        let Carrier::DeepRacer { chip } = carrier else { return Self::none() };
        if !settings.lamps {
            return Self::none();
        }
        let mut lamps = Self::none();
        let mut patience = Patience::for_udev();
        match tail_light(chip, &mut patience) {
            Ok(tail) => lamps.tail = Some(tail),
            Err(error) => lamps.fault = Some(error),
        }
        match power_led(settings, &mut patience) {
            Ok(led) => lamps.led = led,
            Err(error) => lamps.fault = Some(error),
        }
        lamps
    }

    /// Shows a colour; writes nothing where it is shown already.
    ///
    /// # Errors
    /// The first failure, once. That part of the lamps is left alone from then on.
    pub fn show(&mut self, colour: Colour) -> Result<(), HalError> {
        if self.shown.replace(colour) == Some(colour) {
            return self.fault.take().map_or(Ok(()), Err);
        }
        let rgb = colour.rgb();
        if let Err(error) = self.tail.as_ref().map_or(Ok(()), |tail| light(tail, rgb)) {
            self.tail = None;
            self.fault.get_or_insert(error);
        }
        if let Err(error) = self.led.as_mut().map_or(Ok(()), |led| switch(led, rgb)) {
            self.led = None;
            self.fault.get_or_insert(error);
        }
        self.fault.take().map_or(Ok(()), Err)
    }
}

fn tail_light(chip: &Path, patience: &mut Patience) -> Result<[PathBuf; 3], HalError> {
    let [red, green, blue] = TAIL.map(|channel| {
        let folder = export(chip, channel)?;
        patience.until(|| sysfs::write(&folder.join("period"), &PERIOD_NS.to_string()))?;
        Ok(folder)
    });
    let tail = [red?, green?, blue?];
    light(&tail, Colour::Off.rgb())?;
    Ok(tail)
}

fn light(tail: &[PathBuf; 3], rgb: [u8; 3]) -> Result<(), HalError> {
    for (folder, share) in tail.iter().zip(rgb) {
        sysfs::write(&folder.join("duty_cycle"), &(u32::from(share) * SHARE_NS).to_string())?;
        // As for the pins: some kernels need it, some refuse it.
        sysfs::write(&folder.join("enable"), "1").unwrap_or_default();
    }
    Ok(())
}

fn power_led(settings: &Settings, patience: &mut Patience) -> Result<Option<[FilePin; 3]>, HalError> {
    let class = settings.at("/sys/class/gpio");
    let [Some(red), Some(green), Some(blue)] = POWER_LED.map(|line| north(settings, line)) else {
        return Ok(None);
    };
    let mut pin = |number| FilePin::output(&class, number, false, patience);
    Ok(Some([pin(red)?, pin(green)?, pin(blue)?]))
}

fn switch(led: &mut [FilePin; 3], rgb: [u8; 3]) -> Result<(), HalError> {
    for (pin, share) in led.iter_mut().zip(rgb) {
        pin.set(share > 0)?;
    }
    Ok(())
}
