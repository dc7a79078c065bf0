//! What models bring along and must be refused for: metadata, hyperparameters, cards and calibrations, each
//! with its whole message. Every input is otherwise good, so the message names the one thing that is wrong.

use hairpin::config::{card, hyper, metadata, stock};

const FILE: &str = "f";

fn assert_refused<T: std::fmt::Debug>(
    name: &str,
    input: &[u8],
    answer: Result<T, impl ToString>,
    wanted: &str,
) {
    let shown: String = String::from_utf8_lossy(input).chars().take(300).collect();
    match answer {
        Ok(value) => panic!("{name} took {shown}: {value:?}"),
        Err(error) => assert_eq!(error.to_string(), wanted, "{name} on {shown}"),
    }
}

#[test]
fn metadata_that_is_not_json() {
    let deep = "[".repeat(200);
    let table: [(&[u8], &str); 15] = [
        (
            deep.as_bytes(),
            "f: not JSON at line 1, column 128: recursion limit exceeded, near \"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"; wanted one JSON object in UTF-8",
        ),
        (b"", "f: not JSON at line 1, column 1: the file is empty; wanted one JSON object in UTF-8"),
        (
            b"<html>",
            "f: not JSON at line 1, column 1: this is a web page, the download link had expired; wanted one JSON object in UTF-8",
        ),
        (
            b"\xff\xfe{\0}\0",
            "f: not JSON at line 1, column 1: the text is UTF-16, save it as UTF-8; wanted one JSON object in UTF-8",
        ),
        (
            b"{\"action_space\": [",
            "f: not JSON at line 1, column 18: EOF while parsing a list, near \"{\\\"action_space\\\": [\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{\"action_space\":\n [{\"steering_angle\": 0, \"speed\": NaN}]}",
            "f: not JSON at line 2, column 34: expected value, near \"ngle\\\": 0, \\\"speed\\\": NaN}]}\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{'action_space': []}",
            "f: not JSON at line 1, column 2: key must be a string, near \"{'action_spa\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{\"action_space\": [{\"steering_angle\": 0, \"speed\": 1},]}",
            "f: not JSON at line 1, column 53: trailing comma, near \"e\\\": 0, \\\"speed\\\": 1},]}\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{\"action_space\": [{\"steering_angle\": 0, \"speed\": 1e999}]}",
            "f: not JSON at line 1, column 54: number out of range, near \"\\\": 0, \\\"speed\\\": 1e999}]}\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{\"a\": \"\xff\"}",
            "f: not JSON at line 1, column 8: invalid unicode code point, near \"{\\\"a\\\": \\\"�\\\"}\"; wanted one JSON object in UTF-8",
        ),
        (
            b"{} {}",
            "f: not JSON at line 1, column 4: trailing characters, near \"{} {}\"; wanted one JSON object in UTF-8",
        ),
        (b"[]", "f: top level: saw an empty list, wanted one object {...}"),
        (b"\"text\"", "f: top level: saw \"text\", wanted one object {...}"),
        (b"{\"version\": 1, \"version\": 2}", "f: version: saw the key twice, wanted it once"),
        (
            b"{\"action_space\": [{\"steering_angle\": 0, \"speed\": 1, \"speed\": 2}]}",
            "f: action_space[0].speed: saw the key twice, wanted it once",
        ),
    ];
    for (input, wanted) in table {
        assert_refused("metadata", input, metadata::read(FILE, input), wanted);
    }
}

/// One good action.
const ACTION: &str = r#"{"steering_angle": 0, "speed": 1}"#;

const SPACES: [(&str, &str); 24] = [
    ("{}", "f: action_space: saw no such key, wanted a list of actions, or an object of ranges"),
    (
        r#"{"action_space": null}"#,
        "f: action_space: saw null, wanted a list of actions, or an object of ranges",
    ),
    (r#"{"action_space": 5}"#, "f: action_space: saw 5, wanted a list of actions, or an object of ranges"),
    (r#"{"action_space": []}"#, "f: action_space: saw an empty list, wanted 1 to 128 actions"),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 1}, 7]}"#,
        "f: action_space[1]: saw 7, wanted an object {...}",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0}]}"#,
        "f: action_space[0].speed: saw no such key, wanted metres per second",
    ),
    (
        r#"{"action_space": [{"speed": 1}]}"#,
        "f: action_space[0].steering_angle: saw no such key, wanted degrees, positive to the left",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": "fast"}]}"#,
        "f: action_space[0].speed: saw \"fast\", wanted a finite number",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": "inf"}]}"#,
        "f: action_space[0].speed: saw \"inf\", wanted a finite number",
    ),
    (
        r#"{"action_space": [{"steering_angle": "nan", "speed": 1}]}"#,
        "f: action_space[0].steering_angle: saw \"nan\", wanted a finite number",
    ),
    (
        r#"{"action_space": [{"steering_angle": [0], "speed": 1}]}"#,
        "f: action_space[0].steering_angle: saw a list of 1, wanted a finite number",
    ),
    (
        r#"{"action_space": [{"steering_angle": 1000, "speed": 1}]}"#,
        "f: action_space[0].steering_angle: saw 1000, wanted -90 to 90 degrees",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 1}, {"steering_angle": 0, "speed": -1}]}"#,
        "f: action_space[1].speed: saw -1, wanted 0 to 30 m/s, a policy does not drive backwards",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 99}]}"#,
        "f: action_space[0].speed: saw 99, wanted 0 to 30 m/s, a policy does not drive backwards",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 0}, {"steering_angle": 9, "speed": 0}]}"#,
        "f: action_space: saw speed 0 in every action, wanted a speed above 0 in one: throttle is scaled by the largest",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 1}], "action_space_type": "continuous"}"#,
        "f: action_space: saw a list of 1, wanted an object of ranges, as action_space_type is \"continuous\"",
    ),
    (
        r#"{"action_space": [{"steering_angle": 0, "speed": 1}], "action_space_type": "Discrete"}"#,
        "f: action_space_type: saw \"Discrete\", wanted \"discrete\" or \"continuous\"",
    ),
    (
        r#"{"action_space": {"steering_angle": {"low": -1, "high": 1}, "speed": {"low": 1, "high": 2}}, "action_space_type": "discrete"}"#,
        "f: action_space: saw an object, wanted a list of actions, as action_space_type is \"discrete\"",
    ),
    (
        r#"{"action_space": {"speed": {"low": 1, "high": 2}}}"#,
        "f: action_space.steering_angle: saw no such key, wanted an object with low and high",
    ),
    (
        r#"{"action_space": {"steering_angle": {"low": -1}, "speed": {"low": 1, "high": 2}}}"#,
        "f: action_space.steering_angle.high: saw no such key, wanted degrees, positive to the left",
    ),
    (
        r#"{"action_space": {"steering_angle": 30, "speed": {"low": 1, "high": 2}}}"#,
        "f: action_space.steering_angle: saw 30, wanted an object {...}",
    ),
    (
        r#"{"action_space": {"steering_angle": {"low": 30, "high": -30}, "speed": {"low": 1, "high": 2}}}"#,
        "f: action_space.steering_angle: saw low 30 and high -30, wanted low below high",
    ),
    (
        r#"{"action_space": {"steering_angle": {"low": -30, "high": 30}, "speed": {"low": 2, "high": 2}}}"#,
        "f: action_space.speed: saw low 2 and high 2, wanted low below high",
    ),
    (
        r#"{"action_space": {"steering_angle": {"low": -30, "high": 0}, "speed": {"low": 1, "high": 2}}}"#,
        "f: action_space.steering_angle.high: saw 0, wanted above 0: steering is scaled by it",
    ),
];

#[test]
fn metadata_whose_action_space_is_no_use() {
    for (input, wanted) in SPACES {
        assert_refused("metadata", input.as_bytes(), metadata::read(FILE, input.as_bytes()), wanted);
    }
}

#[test]
fn metadata_whose_sensors_or_algorithm_are_no_use() {
    let table: [(&str, &str); 15] = [
        (
            r#""sensor": "FRONT_FACING_CAMERA""#,
            "f: sensor: saw \"FRONT_FACING_CAMERA\", wanted a list of sensor names",
        ),
        (
            r#""sensor": []"#,
            "f: sensor: saw an empty list, wanted a camera and at most one LiDAR, or no such key",
        ),
        (r#""sensor": null"#, "f: sensor: saw null, wanted a list of sensor names"),
        (r#""sensor": [4]"#, "f: sensor[0]: saw 4, wanted a list of sensor names"),
        (
            r#""sensor": ["FRONT_CAMERA"]"#,
            "f: sensor[0]: saw \"FRONT_CAMERA\", wanted one of FRONT_FACING_CAMERA, LEFT_CAMERA, LIDAR, SECTOR_LIDAR, STEREO_CAMERAS, observation (nearest: FRONT_FACING_CAMERA)",
        ),
        (
            r#""sensor": ["lidar"]"#,
            "f: sensor[0]: saw \"lidar\", wanted one of FRONT_FACING_CAMERA, LEFT_CAMERA, LIDAR, SECTOR_LIDAR, STEREO_CAMERAS, observation (nearest: LIDAR)",
        ),
        (
            r#""sensor": ["GPS"]"#,
            "f: sensor[0]: saw \"GPS\", wanted one of FRONT_FACING_CAMERA, LEFT_CAMERA, LIDAR, SECTOR_LIDAR, STEREO_CAMERAS, observation",
        ),
        (
            r#""sensor": ["FRONT_FACING_CAMERA", "STEREO_CAMERAS"]"#,
            "f: sensor[1]: saw \"STEREO_CAMERAS\", wanted at most one camera sensor, and FRONT_FACING_CAMERA is there already",
        ),
        (
            r#""sensor": ["LIDAR", "SECTOR_LIDAR"]"#,
            "f: sensor[1]: saw \"SECTOR_LIDAR\", wanted at most one LiDAR, and LIDAR is there already",
        ),
        (
            r#""sensor": ["STEREO_CAMERAS", "DISCRETIZED_SECTOR_LIDAR"]"#,
            "f: sensor[1]: saw \"DISCRETIZED_SECTOR_LIDAR\", wanted LIDAR or SECTOR_LIDAR: only the simulator has the discretized one",
        ),
        (
            r#""training_algorithm": "ppo""#,
            "f: training_algorithm: saw \"ppo\", wanted \"clipped_ppo\" or \"sac\", in small letters (nearest: clipped_ppo)",
        ),
        (
            r#""training_algorithm": "SAC""#,
            "f: training_algorithm: saw \"SAC\", wanted \"clipped_ppo\" or \"sac\", in small letters (nearest: sac)",
        ),
        (
            r#""training_algorithm": "sac""#,
            "f: training_algorithm: saw \"sac\", wanted \"clipped_ppo\" with a list of actions: sac has continuous actions only",
        ),
        (
            r#""neural_network": "LLM""#,
            "f: neural_network: saw \"LLM\", wanted a convolutional network: an LLM driver's folder holds no policy to load",
        ),
        (
            r#""sensor": ["STEREO_CAMERAS", "LIDAR"], "lidar_config": {"num_values": 64, "min_angle": -60, "max_angle": 60, "min_distance": 0.15, "max_distance": 0.5, "clipping_distance": 0.5, "num_sectors": 8}"#,
            "f: lidar_config.num_sectors: saw 8, wanted 64 for LIDAR",
        ),
    ];
    for (member, wanted) in table {
        let input = format!(r#"{{"action_space": [{ACTION}], {member}}}"#);
        assert_refused("metadata", input.as_bytes(), metadata::read(FILE, input.as_bytes()), wanted);
    }
}

#[test]
fn metadata_with_too_many_actions() {
    let input = format!(r#"{{"action_space": [{}]}}"#, vec![ACTION; 129].join(","));
    let wanted = "f: action_space: saw a list of 129, wanted 1 to 128 actions";
    assert_refused("metadata", input.as_bytes(), metadata::read(FILE, input.as_bytes()), wanted);
}

#[test]
fn metadata_that_is_too_large() {
    let input = vec![b' '; (1 << 20) + 1];
    let wanted = "f: saw 1048577 bytes, wanted at most 1048576";
    assert_refused("metadata", &input, metadata::read(FILE, &input), wanted);
}

#[test]
fn hyperparameters_that_cannot_be_read() {
    let table: [(&str, &str); 9] = [
        (
            "{",
            "f: not JSON at line 1, column 1: EOF while parsing an object, near \"{\"; wanted one JSON object in UTF-8",
        ),
        ("[]", "f: top level: saw an empty list, wanted one object {...}"),
        (r#"{"batch_size": "many"}"#, "f: batch_size: saw \"many\", wanted a whole number"),
        (r#"{"batch_size": 64.5}"#, "f: batch_size: saw 64.5, wanted a whole number"),
        (r#"{"lr": "nan"}"#, "f: lr: saw \"nan\", wanted a finite number"),
        (r#"{"discount_factor": true}"#, "f: discount_factor: saw true, wanted a finite number"),
        (
            r#"{"loss_type": "absolute"}"#,
            "f: loss_type: saw \"absolute\", wanted \"huber\" or \"mean squared error\"",
        ),
        (r#"{"exploration_type": 1}"#, "f: exploration_type: saw 1, wanted \"categorical\" or \"e-greedy\""),
        (r#"{"lr": 1, "lr": 2}"#, "f: lr: saw the key twice, wanted it once"),
    ];
    for (input, wanted) in table {
        assert_refused("hyperparameters", input.as_bytes(), hyper::read(FILE, input.as_bytes()), wanted);
    }
}

#[test]
fn calibrations_that_may_not_move_a_car() {
    let servo = r#""Servo": {"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 1}"#;
    let motor = |text: &str| format!(r#"{{"Calibration": {{{servo}, "Motor": {{{text}}}}}}}"#);
    let table: [(String, &str); 13] = [
        (
            "no".to_owned(),
            "f: not JSON at line 1, column 2: expected ident, near \"no\"; wanted one JSON object in UTF-8",
        ),
        ("{}".to_owned(), "f: Calibration: saw no such key, wanted an object with Servo and Motor"),
        (r#"{"Calibration": []}"#.to_owned(), "f: Calibration: saw an empty list, wanted an object {...}"),
        (
            r#"{"Calibration": {"Motor": {}}}"#.to_owned(),
            "f: Calibration.Servo: saw no such key, wanted an object with min, mid, max and polarity",
        ),
        (
            format!(r#"{{"Calibration": {{{servo}}}}}"#),
            "f: Calibration.Motor: saw no such key, wanted an object with min, mid, max and polarity",
        ),
        (
            motor(r#""min": 1311000, "mid": 1446000, "max": 1603500"#),
            "f: Calibration.Motor.polarity: saw no such key, wanted 1 or -1",
        ),
        (
            motor(r#""min": 1311000, "max": 1603500, "polarity": -1"#),
            "f: Calibration.Motor.mid: saw no such key, wanted whole nanoseconds, 1000000 to 2000000",
        ),
        (
            motor(r#""min": 1311000.5, "mid": 1446000, "max": 1603500, "polarity": -1"#),
            "f: Calibration.Motor.min: saw 1311000.5, wanted whole nanoseconds, 1000000 to 2000000",
        ),
        (
            motor(r#""min": -1, "mid": 1446000, "max": 1603500, "polarity": -1"#),
            "f: Calibration.Motor.min: saw -1, wanted whole nanoseconds, 1000000 to 2000000",
        ),
        (
            motor(r#""min": 1311000, "mid": "x", "max": 1603500, "polarity": -1"#),
            "f: Calibration.Motor.mid: saw \"x\", wanted whole nanoseconds, 1000000 to 2000000",
        ),
        (
            motor(r#""min": 1446000, "mid": 1446000, "max": 1603500, "polarity": -1"#),
            "f: Calibration.Motor: min 1446000, mid 1446000, max 1603500 ns are not in order, wanted min < mid < max (or all falling)",
        ),
        (
            motor(r#""min": 1311000, "mid": 1446000, "max": 2000001, "polarity": -1"#),
            "f: Calibration.Motor: max is 2000001 ns, wanted 1000000 to 2000000",
        ),
        (
            motor(r#""min": 1311000, "mid": 1446000, "max": 1603500, "polarity": 0"#),
            "f: Calibration.Motor: polarity is 0, wanted 1 or -1",
        ),
    ];
    for (input, wanted) in table {
        assert_refused("calibration", input.as_bytes(), stock::read(FILE, input.as_bytes()), wanted);
    }
}

/// A whole card, line by line.
const CARD: &str = r#"format = 1
name = "m"
network_file = "model.pb"
network_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
metadata_sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
output = "out"
algorithm = "clipped_ppo"
preparation = "stock"
squash = "stock"

[[input]]
sensor = "LIDAR"
tensor = "in"

[action_space]
kind = "discrete"
actions = [[0.0, 1.0], [30.0, 1.0]]

[network]
parameters = 2
macs = 3

[[witness]]
seed = 1
scores = [0.25, 0.75]
"#;

/// What is replaced in the card, by what, and the answer.
const CARDS: [(&str, &str, &str); 23] = [
    (
        "format = 1",
        "format = 2\nnews = 1",
        "f:1: format: saw 2, wanted 1; import the model again with this hairpin",
    ),
    ("format = 1", "", "f:1: format: missing field `format`"),
    ("format = 1", "format = \"1\"", "f:1: format: invalid type: string \"1\", expected u32"),
    ("name = \"m\"", "name = \"\"", "f:2: name: saw \"\", wanted the model's name"),
    ("name = \"m\"", "name = m", "f:2: name: string values must be quoted, expected literal string"),
    ("output = \"out\"\n", "", "f:1: output: missing field `output`"),
    (
        "name = \"m\"",
        "nom = \"m\"",
        "f:2: nom: unknown field `nom`, expected one of `format`, `name`, `network_file`, `network_sha256`, `metadata_sha256`, `output`, `algorithm`, `network_name`, `preparation`, `squash`, `input`, `action_space`, `network`, `witness`, `fixed_point`",
    ),
    ("name = \"m\"", "name = \"m\"\nname = \"n\"", "f:3: name: duplicate key"),
    (
        "model.pb",
        "../model.pb",
        "f:3: network_file: saw \"../model.pb\", wanted \"model.pb\" or \"model.onnx\"",
    ),
    (
        "network_sha256 = \"0",
        "network_sha256 = \"",
        "f:4: network_sha256: saw \"000000000000000000000000000000000000000000000000000000000000000\", wanted 64 hexadecimal digits",
    ),
    (
        "metadata_sha256 = \"0",
        "metadata_sha256 = \"g",
        "f:5: metadata_sha256: saw \"g000000000000000000000000000000000000000000000000000000000000000\", wanted 64 hexadecimal digits",
    ),
    ("clipped_ppo", "dqn", "f:7: algorithm: saw \"dqn\", wanted \"clipped_ppo\" or \"sac\""),
    (
        "preparation = \"stock\"",
        "preparation = \"best\"",
        "f:8: preparation: saw \"best\", wanted \"stock\" or \"luma\" or \"as-trained\"",
    ),
    ("squash = \"stock\"", "squash = 1", "f:9: squash: invalid type: integer `1`, expected a string"),
    (
        "sensor = \"LIDAR\"",
        "sensor = \"RADAR\"",
        "f:12: input.sensor: saw \"RADAR\", wanted one of FRONT_FACING_CAMERA, LEFT_CAMERA, LIDAR, SECTOR_LIDAR, STEREO_CAMERAS, observation",
    ),
    (
        "tensor = \"in\"",
        "tensor = \"in\"\n[[input]]\nsensor = \"SECTOR_LIDAR\"\ntensor = \"x\"",
        "f:15: input.sensor: saw \"SECTOR_LIDAR\" as well, wanted at most one camera and one LiDAR",
    ),
    ("[[0.0, 1.0], [30.0, 1.0]]", "[]", "f:15: action_space: saw an empty list, wanted 1 to 128 actions"),
    (
        "[30.0, 1.0]",
        "[30.0, nan]",
        "f:15: action_space: saw a number that is not finite, wanted finite numbers",
    ),
    (
        "[30.0, 1.0]",
        "[30.0, -1.0]",
        "f:15: action_space[1].speed: saw -1, wanted 0 to 30 m/s, a policy does not drive backwards",
    ),
    (
        "actions = [[0.0, 1.0], [30.0, 1.0]]",
        "steering = [0.0, 1.0]",
        "f:15: action_space: saw kind \"discrete\", wanted \"discrete\" with actions, or \"continuous\" with steering and speed",
    ),
    ("[0.25, 0.75]", "[0.25]", "f:25: witness.scores: saw 1 scores, wanted 2, one for each output"),
    ("[0.25, 0.75]", "[0.25, inf]", "f:25: witness.scores: saw inf, wanted finite numbers"),
    (
        "[[witness]]\nseed = 1\nscores = [0.25, 0.75]",
        "",
        "f:2: witness: saw none, wanted one [[witness]] at least: import the model again",
    ),
];

#[test]
fn cards_that_are_not_trusted() {
    assert!(card::read(FILE, CARD).is_ok(), "{:?}", card::read(FILE, CARD));
    for (good, bad, wanted) in CARDS {
        let input = CARD.replacen(good, bad, 1);
        assert_ne!(input, CARD);
        assert_refused("card", input.as_bytes(), card::read(FILE, &input), wanted);
    }
}
