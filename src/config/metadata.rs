//! `model_metadata.json` to typed values. Takes what is in the wild (community.md D.4) and notes it; refuses
//! the rest with the file, the key, what was seen and what is wanted.

use super::error::ConfigError;
use super::json::{self, At, Json};
use super::nearest::nearest;
use super::sensors::{self, LidarConfig};
use super::space;
use crate::domain::{ActionSpace, Sensor};

/// How the policy was trained.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// `clipped_ppo`: the car's default where the key is missing.
    #[default]
    ClippedPpo,
    /// `sac`: continuous only.
    Sac,
}

impl Algorithm {
    /// The name in the metadata, exactly.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClippedPpo => "clipped_ppo",
            Self::Sac => "sac",
        }
    }

    /// The algorithm of that exact name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::ClippedPpo, Self::Sac].into_iter().find(|algorithm| algorithm.name() == name)
    }
}

/// What a model says about itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata {
    /// The inputs, in the order of their names; one or two.
    pub sensors: Vec<Sensor>,
    /// What the outputs mean, checked: 1 to 128 actions or two ranges, all believable and scalable.
    pub space: ActionSpace,
    /// Never SAC with a discrete space.
    pub algorithm: Algorithm,
    /// `neural_network`, as written.
    pub network_name: Option<String>,
    /// `lidar_config`, where the model has a lidar and the settings are complete.
    pub lidar_config: Option<LidarConfig>,
    /// `version`, as written, without quotes.
    pub version: Option<String>,
    /// Other keys of the top level and their JSON; nothing uses them.
    pub extra: Vec<(String, String)>,
    /// What was tolerated, one sentence each.
    pub notes: Vec<String>,
}

const KNOWN: [&str; 7] = [
    "action_space",
    "action_space_type",
    "lidar_config",
    "neural_network",
    "sensor",
    "training_algorithm",
    "version",
];

/// The networks that AWS's training builds (training.md §1.1).
const NETWORKS: [&str; 3] =
    ["DEEP_CONVOLUTIONAL_NETWORK_SHALLOW", "DEEP_CONVOLUTIONAL_NETWORK", "DEEP_CONVOLUTIONAL_NETWORK_DEEP"];

/// Reads the bytes of a `model_metadata.json`; `file` is its name in messages.
///
/// # Errors
/// [`ConfigError`] naming file, key path, what was seen and what is wanted.
pub fn read(file: &str, bytes: &[u8]) -> Result<Metadata, ConfigError> {
    let mut notes = Vec::new();
    let tree = json::parse(file, bytes, &mut notes)?;
    let root = At::root(file, &tree);
    let network_name = network_name(&root, &mut notes)?;
    let sensors = sensors::read(&root, &mut notes)?;
    let space = space::read(&root, &mut notes)?;
    let algorithm = algorithm(&root, &space)?;
    let lidar_config = sensors::lidar(&root, &sensors, &mut notes)?;
    let version = version(&root, &mut notes);
    let extra: Vec<(String, String)> = root
        .members()?
        .into_iter()
        .filter(|(key, _)| !KNOWN.contains(key))
        .map(|(key, at)| (key.to_owned(), json::compact(at.value)))
        .collect();
    if !extra.is_empty() {
        let names: Vec<&str> = extra.iter().map(|(key, _)| key.as_str()).collect();
        notes.push(format!("keys that are not used: {}", names.join(", ")));
    }
    Ok(Metadata { sensors, space, algorithm, network_name, lidar_config, version, extra, notes })
}

fn network_name(root: &At<'_>, notes: &mut Vec<String>) -> Result<Option<String>, ConfigError> {
    let Some(at) = root.get("neural_network") else { return Ok(None) };
    let name = match at.value {
        Json::Null => return Ok(None),
        _ => at.text("the name of a network")?,
    };
    if name.eq_ignore_ascii_case("llm") {
        let wanted = "a convolutional network: an LLM driver's folder holds no policy to load";
        return Err(at.refuse(wanted));
    }
    if !NETWORKS.contains(&name) {
        notes.push(format!("neural_network {name:?} is not one that AWS trains: the graph itself decides"));
    }
    Ok(Some(name.to_owned()))
}

fn algorithm(root: &At<'_>, space: &ActionSpace) -> Result<Algorithm, ConfigError> {
    let Some(at) = root.get("training_algorithm") else { return Ok(Algorithm::ClippedPpo) };
    let wanted = "\"clipped_ppo\" or \"sac\", in small letters";
    let name = at.text(wanted)?;
    let algorithm = Algorithm::from_name(name).ok_or_else(|| {
        let near = nearest(name, ["clipped_ppo", "sac"]);
        at.refuse(near.map_or_else(|| wanted.to_owned(), |near| format!("{wanted} (nearest: {near})")))
    })?;
    if algorithm == Algorithm::Sac && matches!(space, ActionSpace::Discrete(_)) {
        return Err(at.refuse("\"clipped_ppo\" with a list of actions: sac has continuous actions only"));
    }
    Ok(algorithm)
}

fn version(root: &At<'_>, notes: &mut Vec<String>) -> Option<String> {
    let at = root.get("version")?;
    match at.value {
        Json::Text(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Null => None,
        other => {
            notes.push(format!("version is {other}: not used"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Algorithm, Metadata, read};
    use crate::domain::{ActionSpace, Sensor};

    /// Reads a model's metadata from the shared files; `None` where they are absent.
    fn real(folder: &str) -> Option<Metadata> {
        let path =
            format!("{}/../shared/data/models/{folder}/model_metadata.json", env!("CARGO_MANIFEST_DIR"));
        let Ok(bytes) = std::fs::read(&path) else {
            let why = format!("skipped: {path} is absent\n");
            std::io::stderr().write_all(why.as_bytes()).expect("stderr is open");
            return None;
        };
        Some(read("model_metadata.json", &bytes).unwrap_or_else(|error| panic!("{folder}: {error}")))
    }

    #[test]
    fn every_real_file_is_read() {
        let front = vec![Sensor::FrontFacingCamera];
        let table = [
            ("graph-console-tf1-ppo-discrete10-front", front.clone(), 10, Algorithm::ClippedPpo, Some("5")),
            (
                "real-console2023-ppo-discrete10-checkpoint",
                front.clone(),
                10,
                Algorithm::ClippedPpo,
                Some("5"),
            ),
            ("graph-tf2-sac-continuous-front", front, 2, Algorithm::Sac, Some("5")),
            (
                "graph-tf2-ppo-discrete5-stereo-lidar",
                vec![Sensor::Lidar, Sensor::StereoCameras],
                5,
                Algorithm::ClippedPpo,
                None,
            ),
            (
                "real-sample-lidar-stereo-cam-metadata",
                vec![Sensor::Lidar, Sensor::StereoCameras],
                5,
                Algorithm::ClippedPpo,
                None,
            ),
            ("real-sample-stereo-cam-metadata", vec![Sensor::StereoCameras], 10, Algorithm::ClippedPpo, None),
            (
                "real-sample-single-cam-openvino-ir-v10",
                vec![Sensor::Observation],
                15,
                Algorithm::ClippedPpo,
                None,
            ),
        ];
        for (folder, sensors, outputs, algorithm, version) in table {
            let Some(metadata) = real(folder) else { return };
            assert_eq!(metadata.sensors, sensors, "{folder}");
            assert_eq!(metadata.space.outputs(), outputs, "{folder}");
            assert_eq!(metadata.algorithm, algorithm, "{folder}");
            assert_eq!(metadata.version.as_deref(), version, "{folder}");
        }
    }

    #[test]
    fn values_arrive_where_they_belong() {
        let Some(console) = real("graph-console-tf1-ppo-discrete10-front") else { return };
        let ActionSpace::Discrete(actions) = console.space else { panic!("continuous") };
        let third = actions.get(3).map(|action| (action.steering.get(), action.speed.get()));
        assert_eq!(third, Some((-15.0, 1.0)));
        assert_eq!(console.notes, ["keys that are not used: preprocess_type, regional_parameters"]);
        let regional = ("regional_parameters".to_owned(), "[0, 0, 0, 0]".to_owned());
        assert_eq!(console.extra.get(1), Some(&regional));
        let Some(sac) = real("graph-tf2-sac-continuous-front") else { return };
        let ActionSpace::Continuous(space) = sac.space else { panic!("discrete") };
        let corners = [
            space.steering_low.get(),
            space.steering_high.get(),
            space.speed_low.get(),
            space.speed_high.get(),
        ];
        assert_eq!(corners.map(f64::to_bits), [-30.0, 30.0, 0.5, 4.0].map(f64::to_bits));
        assert_eq!(sac.network_name.as_deref(), Some("DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"));
    }

    #[test]
    fn oddities_are_taken_and_noted() {
        let text = "\u{feff}{\"action_space\": [{\"steering_angle\": 1, \"speed\": 1}, {\"steering_angle\": -1, \"speed\": 1}],
            \"sensor\": [\"SECTOR_LIDAR\", \"LEFT_CAMERA\"], \"version\": 4, \"neural_network\": \"MINE\",
            \"lidar_config\": {\"num_sectors\": 8, \"num_values_per_sector\": 8, \"clipping_dist\": 2.0}}";
        let metadata = read("f", text.as_bytes()).expect("good");
        assert_eq!(metadata.sensors, [Sensor::LeftCamera, Sensor::SectorLidar]);
        assert_eq!(metadata.version.as_deref(), Some("4"));
        assert_eq!(metadata.lidar_config, None);
        assert_eq!(
            metadata.notes,
            [
                "begins with a byte order mark, which was skipped",
                "neural_network \"MINE\" is not one that AWS trains: the graph itself decides",
                "lidar_config is not used, the stock settings are: it lacks num_values, min_angle, max_angle, \
                 min_distance, max_distance, clipping_distance (the stock car refuses such a model)",
            ]
        );
    }

    #[test]
    fn a_whole_lidar_config_is_kept() {
        let text = r#"{"action_space": [{"steering_angle": 1, "speed": 1}], "sensor": ["LEFT_CAMERA", "LIDAR"],
            "lidar_config": {"num_values": 64, "min_angle": -60, "max_angle": 60.5, "min_distance": 0.15,
            "max_distance": 0.5, "clipping_distance": 0.75, "num_sectors": 64}}"#;
        let lidar = read("f", text.as_bytes()).expect("good").lidar_config.expect("whole");
        assert_eq!((lidar.num_values, lidar.num_sectors), (64, 64));
        let rest = [
            lidar.min_angle,
            lidar.max_angle,
            lidar.min_distance,
            lidar.max_distance,
            lidar.clipping_distance,
        ];
        assert_eq!(rest.map(f64::to_bits), [-60.0, 60.5, 0.15, 0.5, 0.75].map(f64::to_bits));
    }
}
