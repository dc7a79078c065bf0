//! Every key of `hairpin.toml` in one place: its section, meaning, range and target. The default file, the
//! checks and the list of origins are all made from this table; defaults come from [`Config::default`].

use super::keys_car::CAR_KEYS;
use super::kind::Kind;
use super::words::{PREPARATIONS, SQUASHES, word};
use super::{Config, Kernels, Precision};
use crate::units::Span;

/// One key.
pub(super) struct Key {
    /// With its section, such as `governor.arming_ms`.
    pub(super) path: &'static str,
    /// What it does, for the default file.
    pub(super) about: &'static str,
    /// What may stand there, and where it goes.
    pub(super) kind: Kind,
}

/// One section and what it is about, in the order of the file.
pub(super) const SECTIONS: [(&str, &str); 12] = [
    ("drive", "How fast the policy may drive."),
    ("governor", "What stands between the policy's wish and the pins."),
    ("vision", "From the camera's picture to what the policy sees."),
    ("policy", "From the network's output to an action."),
    ("vehicle", "From steering and throttle to pulses."),
    (
        "vehicle.servo",
        "Steering, with calibration = \"points\": pulse widths at full right, middle, full left.",
    ),
    ("vehicle.motor", "The ESC, with calibration = \"points\": pulse widths at its two ends and at rest."),
    ("car", "Where the car's hardware hangs."),
    ("camera", "What to ask of the camera."),
    ("guardian", "The process that holds the pins, and how long it believes the driver."),
    ("tape", "Recordings."),
    ("import", "Limits on models and archives, which come from anywhere."),
];

/// The key of that path.
pub(super) fn find(path: &str) -> Option<(usize, &'static Key)> {
    all().enumerate().find(|(_, key)| key.path == path)
}

/// All keys, in the order of the default file's sections.
pub(super) fn all() -> impl Iterator<Item = &'static Key> + Clone {
    KEYS.iter().chain(&CAR_KEYS)
}

pub(super) const fn whole(
    path: &'static str,
    (min, max): (i64, i64),
    about: &'static str,
    get: fn(&Config) -> i64,
    set: fn(&mut Config, i64),
) -> Key {
    Key { path, about, kind: Kind::Whole { min, max, get, set } }
}

pub(super) const fn real(
    path: &'static str,
    (min, max): (f32, f32),
    about: &'static str,
    get: fn(&Config) -> f32,
    set: fn(&mut Config, f32),
) -> Key {
    Key { path, about, kind: Kind::Real { min, max, get, set } }
}

/// Ranges are checked before a value is put away, so the fallback is never taken.
pub(super) fn small(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

pub(super) fn tiny(value: i64) -> u8 {
    u8::try_from(value).unwrap_or(0)
}

pub(super) fn millis(value: i64) -> Span {
    Span::from_millis(u64::try_from(value).unwrap_or(0))
}

pub(super) fn in_millis(span: Span) -> i64 {
    i64::try_from(span.0 / 1_000_000).unwrap_or(i64::MAX)
}

/// Widths that a hobby servo survives, in nanoseconds.
const WIDTH: (i64, i64) = (1_000_000, 2_000_000);
/// -1 or 1; 0 is refused with the rest of a calibration.
const SIGN: (i64, i64) = (-1, 1);

/// Keys that every rig reads.
const KEYS: [Key; 35] = [
    whole(
        "drive.speed_percent",
        (0, 100),
        "Share of the policy's throttle that is used, as on the stock car's page.",
        |config| config.speed_percent.into(),
        |config, value| config.speed_percent = tiny(value),
    ),
    whole(
        "governor.arming_ms",
        (0, 10_000),
        "Neutral is held this long after arming, for the ESC.",
        |config| in_millis(config.governor.arming),
        |config, value| config.governor.arming = millis(value),
    ),
    whole(
        "governor.stale_frame_ms",
        (20, 1000),
        "An older frame is no reason to drive: the car coasts.",
        |config| in_millis(config.governor.stale_frame),
        |config, value| config.governor.stale_frame = millis(value),
    ),
    whole(
        "governor.latch_ms",
        (100, 60_000),
        "After coasting for longer the car stays stopped until it is armed again.",
        |config| in_millis(config.governor.latch),
        |config, value| config.governor.latch = millis(value),
    ),
    whole(
        "governor.frozen_frames",
        (2, 100),
        "Equal frames in a row that are taken for a frozen camera.",
        |config| config.governor.frozen_frames.into(),
        |config, value| config.governor.frozen_frames = small(value),
    ),
    whole(
        "governor.dark_frames",
        (1, 100),
        "Dark or washed-out frames in a row before the car coasts.",
        |config| config.governor.dark_frames.into(),
        |config, value| config.governor.dark_frames = small(value),
    ),
    whole(
        "governor.bad_policy_ticks",
        (1, 100),
        "Unusable answers of the policy in a row before the car stays stopped.",
        |config| config.governor.bad_policy_ticks.into(),
        |config, value| config.governor.bad_policy_ticks = small(value),
    ),
    whole(
        "governor.late_cycle_ms",
        (1, 1000),
        "A tick that takes longer is late.",
        |config| in_millis(config.governor.late_cycle),
        |config, value| config.governor.late_cycle = millis(value),
    ),
    whole(
        "governor.late_cycles",
        (1, 100),
        "Late ticks in a row before the car coasts.",
        |config| config.governor.late_cycles.into(),
        |config, value| config.governor.late_cycles = small(value),
    ),
    real(
        "governor.throttle_cap",
        (0.0, 1.0),
        "Largest throttle either way.",
        |config| config.governor.throttle_cap,
        |config, value| config.governor.throttle_cap = value,
    ),
    real(
        "governor.throttle_slew_per_s",
        (0.0, 1000.0),
        "Largest rise of throttle per second, 0 for no limit; falling is never limited.",
        |config| config.governor.throttle_slew_per_s,
        |config, value| config.governor.throttle_slew_per_s = value,
    ),
    real(
        "governor.steering_slew_per_s",
        (0.0, 1000.0),
        "Largest change of steering per second, 0 for no limit; lock to lock is 2.",
        |config| config.governor.steering_slew_per_s,
        |config, value| config.governor.steering_slew_per_s = value,
    ),
    whole(
        "governor.battery_low",
        (0, 11),
        "At this battery level or below, throttle is capped at half.",
        |config| config.governor.battery_low.into(),
        |config, value| config.governor.battery_low = tiny(value),
    ),
    whole(
        "governor.battery_empty",
        (0, 11),
        "At this battery level or below the car stays stopped.",
        |config| config.governor.battery_empty.into(),
        |config, value| config.governor.battery_empty = tiny(value),
    ),
    Key {
        path: "governor.check_picture",
        about: "Whether dark and washed-out pictures count against driving.",
        kind: Kind::Truth {
            get: |config| config.governor.check_picture,
            set: |config, value| config.governor.check_picture = value,
        },
    },
    Key {
        path: "vision.preparation",
        about: "Arithmetic from picture to 160x120 grey: the stock car's, a faster one from luma alone, or training's.",
        kind: Kind::Word {
            words: || PREPARATIONS.iter().map(|(word, _)| *word).collect(),
            get: |config| word(&PREPARATIONS, &config.preparation),
            set: |config, text| pick(&PREPARATIONS, text, &mut config.preparation),
        },
    },
    Key {
        path: "policy.squash",
        about: "A SAC model's raw output is clamped as on the stock car, or squashed with tanh as in training.",
        kind: Kind::Word {
            words: || SQUASHES.iter().map(|(word, _)| *word).collect(),
            get: |config| word(&SQUASHES, &config.squash),
            set: |config, text| pick(&SQUASHES, text, &mut config.squash),
        },
    },
    Key {
        path: "policy.precision",
        about: "The plan that decides: the model's fixed-point one, with the same bits on every CPU, or its network in f32.",
        kind: Kind::Word {
            words: || Precision::WORDS.iter().map(|(word, _)| *word).collect(),
            get: |config| config.precision.word(),
            set: |config, text| pick(&Precision::WORDS, text, &mut config.precision),
        },
    },
    Key {
        path: "policy.kernels",
        about: "Instructions that run the plan: those that the car has, this machine's fastest, or plain Rust.",
        kind: Kind::Word {
            words: || Kernels::WORDS.iter().map(|(word, _)| *word).collect(),
            get: |config| config.kernels.word(),
            set: |config, text| pick(&Kernels::WORDS, text, &mut config.kernels),
        },
    },
    whole(
        "policy.threads",
        (1, 2),
        "Threads that share a fixed-point plan, with the same bits. A second one takes another core for most of an inference.",
        |config| config.threads.into(),
        |config, value| config.threads = tiny(value),
    ),
    Key {
        path: "vehicle.calibration",
        about: "Where each channel's three points come from: the factory, the two sections below, or a stock car's file.",
        kind: Kind::Text {
            wanted: "\"factory\", \"points\" or the path of a calibration.json",
            get: |config| &config.calibration,
            set: |config, text| text.clone_into(&mut config.calibration),
        },
    },
    whole(
        "vehicle.servo.min_ns",
        WIDTH,
        "At -1, after the sign.",
        |config| config.points.servo.min.into(),
        |config, value| config.points.servo.min = small(value),
    ),
    whole(
        "vehicle.servo.mid_ns",
        WIDTH,
        "At 0.",
        |config| config.points.servo.mid.into(),
        |config, value| config.points.servo.mid = small(value),
    ),
    whole(
        "vehicle.servo.max_ns",
        WIDTH,
        "At 1, after the sign.",
        |config| config.points.servo.max.into(),
        |config, value| config.points.servo.max = small(value),
    ),
    whole(
        "vehicle.servo.polarity",
        SIGN,
        "The sign, -1 or 1.",
        |config| config.points.servo.polarity.into(),
        |config, value| config.points.servo.polarity = i8::try_from(value).unwrap_or(0),
    ),
    whole(
        "vehicle.motor.min_ns",
        WIDTH,
        "At -1, after the sign.",
        |config| config.points.motor.min.into(),
        |config, value| config.points.motor.min = small(value),
    ),
    whole(
        "vehicle.motor.mid_ns",
        WIDTH,
        "At 0.",
        |config| config.points.motor.mid.into(),
        |config, value| config.points.motor.mid = small(value),
    ),
    whole(
        "vehicle.motor.max_ns",
        WIDTH,
        "At 1, after the sign.",
        |config| config.points.motor.max.into(),
        |config, value| config.points.motor.max = small(value),
    ),
    whole(
        "vehicle.motor.polarity",
        SIGN,
        "The sign, -1 or 1.",
        |config| config.points.motor.polarity.into(),
        |config, value| config.points.motor.polarity = i8::try_from(value).unwrap_or(0),
    ),
    real(
        "tape.rate_hz",
        (1.0, 240.0),
        "Frames per second of recordings that hold no times.",
        |config| config.rate_hz,
        |config, value| config.rate_hz = value,
    ),
    whole(
        "import.max_archive_mib",
        (1, 4096),
        "An archive's own size, in MiB.",
        |config| config.import.max_archive_mib.into(),
        |config, value| config.import.max_archive_mib = small(value),
    ),
    whole(
        "import.max_network_mib",
        (1, 4096),
        "A network's size, and what an archive may unpack to, in MiB; AWS's largest network has 230.",
        |config| config.import.max_network_mib.into(),
        |config, value| config.import.max_network_mib = small(value),
    ),
    whole(
        "import.max_entries",
        (1, 10_000),
        "Members of an archive; a console archive has about 5.",
        |config| config.import.max_entries.into(),
        |config, value| config.import.max_entries = small(value),
    ),
    whole(
        "import.max_nodes",
        (1, 100_000),
        "Operators of a network's graph; AWS's largest has 124.",
        |config| config.import.max_nodes.into(),
        |config, value| config.import.max_nodes = small(value),
    ),
    whole(
        "import.time_limit_s",
        (1, 3600),
        "Seconds for building one network.",
        |config| config.import.time_limit_s.into(),
        |config, value| config.import.time_limit_s = small(value),
    ),
];

/// The value of a word that is known to be in the table.
pub(super) fn pick<T: Copy>(table: &[(&'static str, T)], text: &str, target: &mut T) {
    if let Some((_, value)) = table.iter().find(|(word, _)| *word == text) {
        *target = *value;
    }
}
