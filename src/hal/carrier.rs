//! Which board carries the pins, and where it hangs. Looks, and touches nothing.

use std::path::{Path, PathBuf};

use super::{BoardChoice, HalError, Settings, pwm};

/// A board that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// The PWM chip that the kernel drives.
    DeepRacer {
        /// Its folder, such as `/sys/class/pwm/pwmchip0`.
        chip: PathBuf,
    },
    /// A PCA9685 that is driven from here.
    Pca9685 {
        /// The node of its bus, such as `/dev/i2c-1`.
        bus: PathBuf,
    },
}

impl Carrier {
    /// Finds the board that the settings ask for; `auto` takes the DeepRacer's chip where there is one.
    ///
    /// # Errors
    /// [`HalError::NoPwmChip`] or [`HalError::Bus`] for a board that was asked for by name, [`HalError::NoBoard`] where
    /// neither is there.
    pub fn find(settings: &Settings) -> Result<Self, HalError> {
        let class = settings.at("/sys/class/pwm");
        let bus = settings.at(&settings.pca9685.bus);
        let chip = |class: &Path| pwm::find_chip(class, &settings.pwm_device);
        match settings.board {
            BoardChoice::DeepRacer => Ok(Self::DeepRacer { chip: chip(&class)? }),
            BoardChoice::Pca9685 if bus.exists() => Ok(Self::Pca9685 { bus }),
            BoardChoice::Pca9685 => {
                Err(HalError::Bus { path: bus, saw: "no such node; is I2C switched on?".to_owned() })
            }
            BoardChoice::Auto => match chip(&class) {
                Ok(chip) => Ok(Self::DeepRacer { chip }),
                Err(_) if bus.exists() => Ok(Self::Pca9685 { bus }),
                Err(_) => Err(HalError::NoBoard { class, device: settings.pwm_device.clone(), bus }),
            },
        }
    }

    /// What an instance lock is taken on: the thing itself, whatever path leads to it.
    #[must_use]
    pub fn resource(&self) -> &Path {
        match self {
            Self::DeepRacer { chip } => chip,
            Self::Pca9685 { bus } => bus,
        }
    }
}
