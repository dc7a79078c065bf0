//! The keys of the car's hardware and of the process that holds its pins: [`super::keys`], continued.

use super::Config;
use super::keys::{Key, in_millis, millis, pick, real, small, tiny, whole};
use super::kind::Kind;
use super::words::{BOARDS, word};

const fn text(
    path: &'static str,
    wanted: &'static str,
    about: &'static str,
    get: fn(&Config) -> &str,
    set: fn(&mut Config, &str),
) -> Key {
    Key { path, about, kind: Kind::Text { wanted, get, set } }
}

const fn truth(
    path: &'static str,
    about: &'static str,
    get: fn(&Config) -> bool,
    set: fn(&mut Config, bool),
) -> Key {
    Key { path, about, kind: Kind::Truth { get, set } }
}

/// What only a car reads.
pub(super) const CAR_KEYS: [Key; 19] = [
    text(
        "car.root",
        "a folder",
        "Every path of the car is under it; a tree of files can stand for a car.",
        |config| &config.root,
        |config, text| text.clone_into(&mut config.root),
    ),
    Key {
        path: "car.board",
        about: "What carries the pins: the DeepRacer's chip, a PCA9685 on a bus as on Raspberry Pi cars, or whichever is found.",
        kind: Kind::Word {
            words: || BOARDS.iter().map(|(word, _)| *word).collect(),
            get: |config| word(&BOARDS, &config.car.board),
            set: |config, text| pick(&BOARDS, text, &mut config.car.board),
        },
    },
    text(
        "car.pwm_device",
        "a PCI function like \"0000:00:17.0\"",
        "Where the DeepRacer's PWM chip hangs.",
        |config| &config.car.pwm_device,
        |config, text| text.clone_into(&mut config.car.pwm_device),
    ),
    text(
        "car.pca9685_bus",
        "a node like \"/dev/i2c-1\"",
        "The I2C bus of a PCA9685.",
        |config| &config.car.pca9685.bus,
        |config, text| text.clone_into(&mut config.car.pca9685.bus),
    ),
    whole(
        "car.pca9685_address",
        (3, 119),
        "Its 7-bit address; 64 as delivered.",
        |config| config.car.pca9685.address.into(),
        |config, value| config.car.pca9685.address = tiny(value),
    ),
    whole(
        "car.pca9685_steering",
        (0, 15),
        "Its output for the servo.",
        |config| config.car.pca9685.steering.into(),
        |config, value| config.car.pca9685.steering = tiny(value),
    ),
    whole(
        "car.pca9685_throttle",
        (0, 15),
        "Its output for the ESC.",
        |config| config.car.pca9685.throttle.into(),
        |config, value| config.car.pca9685.throttle = tiny(value),
    ),
    text(
        "car.gate",
        "\"auto\", \"none\", \"gpio:436\" or a chip and line like \"/dev/gpiochip0:2\"",
        "The line that switches the power of servo and ESC; low is on.",
        |config| &config.car.gate,
        |config, text| text.clone_into(&mut config.car.gate),
    ),
    text(
        "car.battery",
        "\"auto\", \"none\" or a node like \"/dev/i2c-7\"",
        "The I2C bus of the drive battery's gauge.",
        |config| &config.car.battery,
        |config, text| text.clone_into(&mut config.car.battery),
    ),
    truth(
        "car.lamps",
        "Whether the tail light shows the state.",
        |config| config.car.lamps,
        |config, value| config.car.lamps = value,
    ),
    text(
        "camera.device",
        "\"auto\", a USB id like \"29fe:4d53\" or a node like \"/dev/video0\"",
        "Which camera; auto takes the DeepRacer's, else any.",
        |config| &config.car.camera.device,
        |config, text| text.clone_into(&mut config.car.camera.device),
    ),
    whole(
        "camera.width",
        (32, 4096),
        "Pixels in a row; the driver's nearest size is taken and recorded.",
        |config| config.car.camera.size.width.into(),
        |config, value| config.car.camera.size.width = small(value),
    ),
    whole(
        "camera.height",
        (32, 4096),
        "Rows.",
        |config| config.car.camera.size.height.into(),
        |config, value| config.car.camera.size.height = small(value),
    ),
    whole(
        "camera.rate_hz",
        (1, 120),
        "Frames per second to ask for.",
        |config| config.car.camera.rate_hz.into(),
        |config, value| config.car.camera.rate_hz = small(value),
    ),
    truth(
        "camera.swap_eyes",
        "Whether the two cameras of a stereo car are the other way round.",
        |config| config.car.camera.swap_eyes,
        |config, value| config.car.camera.swap_eyes = value,
    ),
    whole(
        "guardian.lease_ms",
        (60, 200),
        "Without new evidence for longer the pins go neutral.",
        |config| in_millis(config.lease),
        |config, value| config.lease = millis(value),
    ),
    real(
        "guardian.throttle_cap",
        (0.0, 1.0),
        "Largest throttle that the guardian lets through, whatever the driver says.",
        |config| config.guardian_cap,
        |config, value| config.guardian_cap = value,
    ),
    whole(
        "guardian.restarts",
        (1, 1_000_000),
        "A driver that dies this often within half a minute is not started again.",
        |config| i64::try_from(config.restarts).unwrap_or(i64::MAX),
        |config, value| config.restarts = usize::try_from(value).unwrap_or(1),
    ),
    truth(
        "guardian.realtime",
        "Whether to ask for real-time priority (SCHED_FIFO) and locked memory.",
        |config| config.realtime,
        |config, value| config.realtime = value,
    ),
];
