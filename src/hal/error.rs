//! What the board refuses, with the path and the remedy.

use std::io;
use std::path::PathBuf;

use rustix::io::Errno;
use thiserror::Error;

/// A device that cannot be used.
#[derive(Debug, Error)]
pub enum HalError {
    /// No PWM chip on the expected bus.
    #[error(
        "no PWM chip of {wanted} under {root}, saw {saw}; is the drive battery on? another place is set by car.pwm_device"
    )]
    NoPwmChip {
        /// The folder that was searched.
        root: PathBuf,
        /// The device that it must belong to.
        wanted: String,
        /// What is there.
        saw: String,
    },
    /// A file that cannot be written.
    #[error("cannot write {value:?} to {path}; {}", remedy(source))]
    Write {
        /// The file.
        path: PathBuf,
        /// The text.
        value: String,
        /// The system's word.
        source: io::Error,
    },
    /// A camera node that cannot be opened or set.
    #[error("camera {path}: {doing} failed; {}", camera_remedy(source))]
    Camera {
        /// The node.
        path: PathBuf,
        /// The step.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// A bus that cannot be opened.
    #[error("cannot open the I2C bus {path}: {saw}; run as root, or install deploy/60-hairpin.rules")]
    Bus {
        /// The node.
        path: PathBuf,
        /// The library's words.
        saw: String,
    },
    /// A file that cannot be opened or read.
    #[error("cannot open or read {path}; {}", remedy(source))]
    Open {
        /// The file.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
    /// A chip whose period cannot be set, since its other channels run with another one (one prescaler for all).
    #[error(
        "{path}: the chip runs with another period while other channels are on, wanted {wanted} ns; \
         stop what else drives it, such as deepracer-core.service"
    )]
    PeriodHeld {
        /// The file that was refused.
        path: PathBuf,
        /// Nanoseconds.
        wanted: u32,
    },
    /// Pins that take a write and do not come back.
    #[error("the pins did not answer within 1.5 s; the bus hangs: switch the car off")]
    PinsHang,
    /// Neither board is there.
    #[error(
        "no board: no PWM chip of {device} under {class}, and no bus {bus} for a PCA9685; \
         is the drive battery on? car.board, car.pwm_device and car.pca9685_bus say where to look"
    )]
    NoBoard {
        /// The PWM class.
        class: PathBuf,
        /// The PCI function that was looked for.
        device: String,
        /// The node that was looked for.
        bus: PathBuf,
    },
    /// Somebody else holds the pins.
    #[error(
        "{path} is held by {}; one instance drives a car: stop the other, or put it to neutral with `hairpin neutral`",
        holder.map_or_else(|| "another process".to_owned(), |pid| format!("process {pid}"))
    )]
    Held {
        /// What is locked.
        path: PathBuf,
        /// The process, where the system tells.
        holder: Option<u32>,
    },
    /// A PCA9685 that does not do what it is told.
    #[error("PCA9685 at {address:#04x} on {bus}: {doing} failed: {saw}; is it powered and wired?")]
    Chip {
        /// The node of the bus.
        bus: PathBuf,
        /// Its 7-bit address.
        address: u8,
        /// The step.
        doing: &'static str,
        /// The library's words.
        saw: String,
    },
    /// A PCA9685 that runs at a rate that no servo takes. Its rate could only be changed by putting it to sleep.
    #[error(
        "PCA9685 at {address:#04x} on {bus} runs at {saw_hz} Hz, wanted 40 to 100; \
         switch its power off and on, so that its rate can be set before its first pulse"
    )]
    Rate {
        /// The node of the bus.
        bus: PathBuf,
        /// Its 7-bit address.
        address: u8,
        /// Its rate.
        saw_hz: u32,
    },
    /// A text that names no power gate.
    #[error(
        "car.gate is {saw:?}, wanted \"auto\", \"none\", \"gpio:436\" or a chip and line like \"/dev/gpiochip0:2\""
    )]
    GateName {
        /// As given.
        saw: String,
    },
    /// A power gate that cannot be found or moved.
    #[error(
        "power gate {place}: {doing} failed: {saw}; run as root, or install deploy/60-hairpin.rules; \
         a car without a gate says car.gate = \"none\""
    )]
    Gate {
        /// Where it is.
        place: String,
        /// The step.
        doing: &'static str,
        /// The words of the system or the library.
        saw: String,
    },
    /// A privilege that the system did not grant. Worth a line in the log, never a reason to stop.
    #[error("{what} refused: {why}; {remedy}")]
    Refused {
        /// What was asked for.
        what: &'static str,
        /// The system's words.
        why: String,
        /// What to do.
        remedy: &'static str,
    },
    /// A calibration file that cannot be read or kept.
    #[error("{path}: {doing} failed; the file is as it was, or whole and new")]
    CalibrationFile {
        /// The file of the step.
        path: PathBuf,
        /// The step.
        doing: &'static str,
        /// The system's word.
        source: io::Error,
    },
    /// No camera that fits, or too few.
    #[error(
        "no camera {wanted} in {class}, saw {saw}; plug it in, or set camera.device ({device:?}) to one that is there"
    )]
    NoCamera {
        /// What was looked for.
        wanted: String,
        /// The folder that was searched.
        class: PathBuf,
        /// What is there.
        saw: String,
        /// The setting.
        device: String,
    },
}

/// What to do about a camera that refuses.
fn camera_remedy(source: &io::Error) -> &'static str {
    match Errno::from_io_error(source) {
        Some(Errno::ACCESS | Errno::PERM) => "run as root, or as a user of the group that owns it (video)",
        Some(Errno::BUSY) => "another program streams from it: stop that one",
        Some(Errno::NODEV | Errno::NXIO | Errno::NOENT | Errno::IO) => "is it plugged in?",
        _ => "camera.device, camera.width and camera.height choose another",
    }
}

/// What to do about a system's refusal.
fn remedy(source: &io::Error) -> &'static str {
    match Errno::from_io_error(source) {
        Some(Errno::ACCESS | Errno::PERM | Errno::ROFS) => {
            "run as root, or install deploy/60-hairpin.rules for its group"
        }
        Some(Errno::NODEV | Errno::NXIO | Errno::REMOTEIO | Errno::IO | Errno::TIMEDOUT) => {
            "the chip does not answer: is the drive battery on?"
        }
        // Drivers since 5.13 answer so where the chip lost its power while two channels were on.
        Some(Errno::BUSY) => "something else holds it, or the chip lost its power: is the drive battery on?",
        Some(Errno::NOENT) => "it is not there: is the drive battery on, and is car.root right?",
        _ => "`hairpin doctor` shows what stands in the way",
    }
}
