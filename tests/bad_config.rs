//! `hairpin.toml`: what is refused, with whole messages and all faults at once; what is read, and where each
//! value came from; and that the file in `deploy/` is the default, key for key.

use hairpin::config::{CalibrationSource, Config, Flag, Source, default_toml};

fn load(text: &str) -> Result<Config, String> {
    Config::load(Some(Source { file: "f", text }), &[]).map_err(|error| error.to_string())
}

fn flag(name: &str, key: &str, value: &str) -> Flag {
    Flag { name: name.to_owned(), key: key.to_owned(), value: value.to_owned() }
}

/// A file, and the one fault in it.
const FAULTS: [(&str, &str); 28] = [
    (
        "[drive]\nspeed_percent = 101",
        "f:2: drive.speed_percent: saw 101, wanted a whole number from 0 to 100; the default is 50",
    ),
    (
        "[drive]\nspeed_percent = -1",
        "f:2: drive.speed_percent: saw -1, wanted a whole number from 0 to 100; the default is 50",
    ),
    (
        "[drive]\nspeed_percent = 50.0",
        "f:2: drive.speed_percent: saw 50.0, wanted a whole number from 0 to 100; the default is 50",
    ),
    (
        "[drive]\nspeed_percent = \"50\"",
        "f:2: drive.speed_percent: saw \"50\", wanted a whole number from 0 to 100; the default is 50",
    ),
    (
        "[drive]\n\nspeed_procent = 50",
        "f:3: drive.speed_procent: saw an unknown key, wanted drive.speed_percent (nearest); rename or delete it",
    ),
    (
        "speed_percent = 50",
        "f:1: speed_percent: saw an unknown key, wanted drive.speed_percent (nearest); rename or delete it",
    ),
    (
        "[governor]\nrate_hz = 20",
        "f:2: governor.rate_hz: saw an unknown key, wanted tape.rate_hz (nearest); rename or delete it",
    ),
    (
        "[drive]\ncolour = \"red\"",
        "f:2: drive.colour: saw an unknown key, wanted a key of the default file; rename or delete it",
    ),
    (
        "[goveror]\narming_ms = 1",
        "f:1: goveror: saw an unknown section, wanted one of drive, governor, vision, policy, vehicle, vehicle.servo, vehicle.motor, car, camera, guardian, tape, import (nearest: governor); rename or delete it",
    ),
    (
        "[engine]\npower = 1",
        "f:1: engine: saw an unknown section, wanted one of drive, governor, vision, policy, vehicle, vehicle.servo, vehicle.motor, car, camera, guardian, tape, import; rename or delete it",
    ),
    ("governor = 3", "f:1: governor: saw 3, wanted a section [governor]; write it as a section"),
    (
        "[[drive]]\nspeed_percent = 1",
        "f:1: drive: saw a list, wanted a section [drive]; write it as a section",
    ),
    (
        "[drive.speed_percent]\nvalue = 1",
        "f:1: drive.speed_percent: saw a section, wanted a whole number from 0 to 100; the default is 50",
    ),
    (
        "[governor]\nthrottle_cap = 1.5",
        "f:2: governor.throttle_cap: saw 1.5, wanted a number from 0 to 1; the default is 1.0",
    ),
    (
        "[governor]\nthrottle_cap = nan",
        "f:2: governor.throttle_cap: saw NaN, wanted a number from 0 to 1; the default is 1.0",
    ),
    (
        "[governor]\ncheck_picture = 1",
        "f:2: governor.check_picture: saw 1, wanted true or false; the default is true",
    ),
    (
        "[governor]\nstale_frame_ms = 19",
        "f:2: governor.stale_frame_ms: saw 19, wanted a whole number from 20 to 1000; the default is 150",
    ),
    (
        "[vision]\npreparation = \"as_trained\"",
        "f:2: vision.preparation: saw \"as_trained\", wanted \"stock\" or \"luma\" or \"as-trained\"; the default is \"stock\"",
    ),
    (
        "[policy]\nkernels = [\"car\"]",
        "f:2: policy.kernels: saw a list, wanted \"car\" or \"native\" or \"portable\"; the default is \"car\"",
    ),
    (
        "[vehicle]\ncalibration = \"\"",
        "f:2: vehicle.calibration: saw \"\", wanted \"factory\", \"points\" or the path of a calibration.json; the default is \"factory\"",
    ),
    (
        "[vehicle.servo]\nmin_ns = 1250000",
        "f:2: vehicle.servo.min_ns: saw points, with vehicle.calibration = \"factory\", wanted vehicle.calibration = \"points\" with them; set it, or delete the points",
    ),
    (
        "[vehicle]\ncalibration = \"points\"\n[vehicle.motor]\nmid_ns = 1300000",
        "f:4: vehicle.motor.mid_ns: saw min 1311000, mid 1300000, max 1603500, wanted min < mid < max, or all falling; measure again, or use vehicle.calibration = \"factory\"",
    ),
    (
        "[vehicle]\ncalibration = \"points\"\n[vehicle.servo]\npolarity = 0",
        "f:4: vehicle.servo.polarity: saw 0, wanted 1 or -1; measure again, or use vehicle.calibration = \"factory\"",
    ),
    (
        "[vehicle.servo]\nmin_ns = 999999",
        "f:2: vehicle.servo.min_ns: saw 999999, wanted a whole number from 1000000 to 2000000; the default is 1200000",
    ),
    (
        "[tape]\nrate_hz = 1979-05-27",
        "f:2: tape.rate_hz: saw a date, wanted a number from 1 to 240; the default is 30.0",
    ),
    (
        "[drive]\nspeed_percent = fast",
        "f:2: saw \"speed_percent = fast\": invalid boolean, expected `false`, wanted key = value, [section] or # comment; correct the line (texts want quotes)",
    ),
    (
        "[drive]\nspeed_percent = 1\nspeed_percent = 2",
        "f:3: saw \"speed_percent = 2\": duplicate key, wanted key = value, [section] or # comment; correct the line (texts want quotes)",
    ),
    (
        "[drive\nspeed_percent = 1\n[tape]\nrate_hz = 20",
        "f:1: saw \"[drive\": unclosed table, expected `]`, wanted key = value, [section] or # comment; correct the line (texts want quotes)",
    ),
];

#[test]
fn one_fault_each() {
    for (input, wanted) in FAULTS {
        assert_eq!(
            load(input).expect_err(input),
            format!("1 fault in the settings\n  1. {wanted}"),
            "{input}"
        );
    }
}

#[test]
fn all_faults_at_once_in_the_order_of_their_lines() {
    let text = "[governor]\narming_ms = true\nlatch_mss = 3\n= 4\n[drive]\nspeed_percent = 500\n";
    let flags =
        [flag("--cap", "governor.throttle_cap", "lots"), flag("--speed", "drive.speed_percent", "40")];
    let error = Config::load(Some(Source { file: "f", text }), &flags).expect_err("five faults");
    assert_eq!(
        error.to_string(),
        "5 faults in the settings\n  1. f:2: governor.arming_ms: saw true, wanted a whole number from 0 to 10000; the default is 500\n  2. f:3: governor.latch_mss: saw an unknown key, wanted governor.latch_ms (nearest); rename or delete it\n  3. f:4: saw \"= 4\": unquoted keys cannot be empty, expected letters, numbers, `-`, `_`, wanted key = value, [section] or # comment; correct the line (texts want quotes)\n  4. f:6: drive.speed_percent: saw 500, wanted a whole number from 0 to 100; the default is 50\n  5. --cap: governor.throttle_cap: saw \"lots\", wanted a number from 0 to 1; the default is 1.0"
    );
}

#[test]
fn a_huge_file_is_refused_unread() {
    let text = "#".repeat((1 << 20) + 1);
    assert_eq!(load(&text).expect_err("too large"), "f: saw 1048577 bytes, wanted at most 1048576");
}

#[test]
fn flags_win_over_the_file_and_the_file_over_the_defaults() {
    let text = "[governor]\narming_ms = 700\nthrottle_cap = 1\n\n[drive]\nspeed_percent = 60\n";
    let flags =
        [flag("--speed", "drive.speed_percent", "70"), flag("--squash", "policy.squash", "as-trained")];
    let config = Config::load(Some(Source { file: "h.toml", text }), &flags).expect("good settings");
    assert_eq!(config.speed_percent, 70);
    assert_eq!(config.governor.arming.0, 700_000_000);
    let shown: Vec<String> = config
        .origins()
        .iter()
        .filter(|setting| setting.origin != hairpin::config::Origin::Default)
        .map(|setting| format!("{} = {} ({})", setting.key, setting.value, setting.origin))
        .collect();
    assert_eq!(
        shown,
        [
            "drive.speed_percent = 70 (--speed)",
            "governor.arming_ms = 700 (h.toml:2)",
            "governor.throttle_cap = 1.0 (h.toml:3)",
            "policy.squash = \"as-trained\" (--squash)",
        ]
    );
}

#[test]
fn the_deployed_file_is_the_default_one_and_changes_nothing() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/hairpin.toml");
    let text = std::fs::read_to_string(path).expect("deploy/hairpin.toml");
    assert_eq!(text, default_toml(), "write it again with `hairpin config --default`");
    let (deployed, default) = (load(&text).expect("the default is good"), Config::default());
    assert_eq!(deployed.canonical(), default.canonical());
    assert_eq!(deployed.governor, default.governor);
    assert_eq!(deployed.calibration(), default.calibration());
    // Every key is there: none is left to its default.
    for setting in deployed.origins() {
        assert_ne!(setting.origin.to_string(), "default", "{}", setting.key);
    }
}

#[test]
fn every_range_is_enforced_at_both_ends() {
    // The text says the ranges; one step beyond must be refused, the ends themselves taken.
    let text = default_toml();
    let mut section = String::new();
    let (mut wanted, mut checked) = (String::new(), 0);
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut section);
        } else if let Some(comment) = line.strip_prefix("# ") {
            comment.clone_into(&mut wanted);
        } else if let Some((key, _)) = line.split_once(" = ")
            && let Some((_, range)) = wanted.split_once("number from ")
            && !section.starts_with("vehicle.")
        {
            let (min, max) =
                range.split_once(';').and_then(|(range, _)| range.split_once(" to ")).expect("a range");
            let step = if wanted.starts_with("a whole") { 1.0 } else { 0.001 };
            let (min, max): (f64, f64) = (min.parse().expect("min"), max.parse().expect("max"));
            for (value, good) in [(min, true), (max, true), (min - step, false), (max + step, false)] {
                let text = format!("[{section}]\n{key} = {value}");
                assert_eq!(load(&text).is_ok(), good, "{text}");
            }
            checked += 1;
        }
    }
    assert_eq!(checked, 30);
}

#[test]
fn calibration_has_three_sources() {
    let factory = Config::default();
    let CalibrationSource::Ready(points) = factory.calibration() else { panic!("a file") };
    assert_eq!((points.servo.mid, points.motor.polarity), (1_450_000, -1));
    let file = load("[vehicle]\ncalibration = \"/opt/aws/deepracer/calibration.json\"").expect("a path");
    assert_eq!(file.calibration(), CalibrationSource::File("/opt/aws/deepracer/calibration.json"));
    let own =
        load("[vehicle]\ncalibration = \"points\"\n[vehicle.servo]\nmid_ns = 1_460_000").expect("points");
    let CalibrationSource::Ready(points) = own.calibration() else { panic!("a file") };
    assert_eq!((points.servo.min, points.servo.mid), (1_200_000, 1_460_000));
}
