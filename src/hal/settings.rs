//! What the board is told once: where everything hangs. Every path is under `root`, so that a tree of files can stand
//! for the board; nothing here opens anything.

use std::path::{Path, PathBuf};

use crate::domain::Size;

/// Which board carries the pins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BoardChoice {
    /// The DeepRacer's chip where it is found, else a PCA9685 on the bus.
    #[default]
    Auto,
    /// The PWM chip that the kernel drives, found by its PCI function.
    DeepRacer,
    /// A PCA9685 on an I2C bus, as on Raspberry Pi cars.
    Pca9685,
}

/// Where a PCA9685 sits, and which outputs move the car.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pca9685Place {
    /// The bus, such as `/dev/i2c-1`; under [`Settings::root`].
    pub bus: String,
    /// Its 7-bit address; 0x40 as delivered.
    pub address: u8,
    /// Output of the servo, 0 to 15.
    pub steering: u8,
    /// Output of the ESC, 0 to 15.
    pub throttle: u8,
}

/// What to ask of the camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraSettings {
    /// `auto`, a USB id such as `29fe:4d53`, or a node such as `/dev/video0`.
    pub device: String,
    /// Pixels asked for; the driver may answer with others.
    pub size: Size,
    /// Frames per second asked for, 1 to 120.
    pub rate_hz: u32,
    /// Two cameras: the one further on in the order of USB sockets is the left one, unless this turns them round.
    pub swap_eyes: bool,
}

/// Where everything hangs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `/` on a car; another folder holds a tree of files that stands for one.
    pub root: PathBuf,
    /// Which board.
    pub board: BoardChoice,
    /// The PCI function that the DeepRacer's PWM chip hangs on (car.md §1.1).
    pub pwm_device: String,
    /// Where a PCA9685 sits.
    pub pca9685: Pca9685Place,
    /// The power gate: `auto`, `none`, `gpio:436` (active low), or chip and line such as `/dev/gpiochip0:2`.
    pub gate: String,
    /// The battery gauge's bus: `auto` (by PCI function, car.md §7.1), `none`, or a node such as `/dev/i2c-7`.
    pub battery: String,
    /// Whether tail light and status LEDs show the state.
    pub lamps: bool,
    /// The camera.
    pub camera: CameraSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            root: PathBuf::from("/"),
            board: BoardChoice::default(),
            pwm_device: "0000:00:17.0".to_owned(),
            pca9685: Pca9685Place { bus: "/dev/i2c-1".to_owned(), address: 0x40, steering: 1, throttle: 0 },
            gate: "auto".to_owned(),
            battery: "auto".to_owned(),
            lamps: true,
            camera: CameraSettings {
                device: "auto".to_owned(),
                size: Size { width: 640, height: 480 },
                rate_hz: 30,
                swap_eyes: false,
            },
        }
    }
}

impl Settings {
    /// An absolute path of the car, such as `/sys/class/pwm`, under the root.
    #[must_use]
    pub fn at(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// Whether the tree is this machine's own, and not one of files.
    #[must_use]
    pub fn is_this_machine(&self) -> bool {
        self.root == Path::new("/")
    }
}
