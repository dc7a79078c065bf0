//! The sensors that a model was trained on, and its lidar settings. Refuses what the car does not have:
//! unknown names, two cameras, two lidars.

use super::error::ConfigError;
use super::json::{At, Json};
use super::nearest::nearest;
use crate::domain::Sensor;

/// How the lidar's scan was cut for training (car.md §2.4, §4.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LidarConfig {
    /// Values after resampling, 1 or more.
    pub num_values: i64,
    /// Degrees; 0 is ahead, positive is left.
    pub min_angle: f64,
    /// Degrees, not below `min_angle`.
    pub max_angle: f64,
    /// Metres.
    pub min_distance: f64,
    /// Metres, not below `min_distance`.
    pub max_distance: f64,
    /// Metres, not below `min_distance`; the smaller of this and `max_distance` is what clips.
    pub clipping_distance: f64,
    /// The length of the network's input.
    pub num_sectors: i64,
}

const LIST: &str = "a list of sensor names";
const LIDAR_KEYS: [&str; 7] = [
    "num_values",
    "min_angle",
    "max_angle",
    "min_distance",
    "max_distance",
    "clipping_distance",
    "num_sectors",
];

/// Reads `sensor`; without it the model sees `observation`. In the order of the names, as the graph joins them.
pub(super) fn read(root: &At<'_>, notes: &mut Vec<String>) -> Result<Vec<Sensor>, ConfigError> {
    let Some(at) = root.get("sensor") else {
        notes.push("no \"sensor\" key: one camera named observation".to_owned());
        return Ok(vec![Sensor::Observation]);
    };
    let mut sensors: Vec<Sensor> = Vec::new();
    let items = at.items(LIST)?;
    if items.is_empty() {
        return Err(at.refuse("a camera and at most one LiDAR, or no such key"));
    }
    for item in items {
        let name = item.text(LIST)?;
        if name == "DISCRETIZED_SECTOR_LIDAR" {
            return Err(item.refuse("LIDAR or SECTOR_LIDAR: only the simulator has the discretized one"));
        }
        let sensor = Sensor::from_name(name).ok_or_else(|| unknown(&item, name))?;
        let rival = sensors.iter().find(|other| (other.channels() > 0) == (sensor.channels() > 0));
        if let Some(rival) = rival {
            let kind = if sensor.channels() > 0 { "camera sensor" } else { "LiDAR" };
            return Err(item.refuse(format!("at most one {kind}, and {rival} is there already")));
        }
        sensors.push(sensor);
    }
    if sensors.iter().all(|sensor| sensor.channels() == 0) {
        notes.push("no camera among the sensors: frames are only its clock".to_owned());
    }
    sensors.sort_by_key(|sensor| sensor.name());
    Ok(sensors)
}

fn unknown(item: &At<'_>, name: &str) -> ConfigError {
    let names = Sensor::ALL.map(Sensor::name);
    let hint = nearest(name, names).map(|near| format!(" (nearest: {near})")).unwrap_or_default();
    item.refuse(format!("one of {}{hint}", names.join(", ")))
}

/// Reads `lidar_config`, which counts only with a lidar and only when it has the car's seven keys.
pub(super) fn lidar(
    root: &At<'_>,
    sensors: &[Sensor],
    notes: &mut Vec<String>,
) -> Result<Option<LidarConfig>, ConfigError> {
    let Some(at) = root.get("lidar_config") else { return Ok(None) };
    let Some(sensor) = sensors.iter().find(|sensor| sensor.ranges() > 0) else {
        notes.push("lidar_config is not used: the model has no LiDAR".to_owned());
        return Ok(None);
    };
    if matches!(at.value, Json::Null) {
        return Ok(None);
    }
    at.members()?;
    let missing: Vec<&str> = LIDAR_KEYS.into_iter().filter(|key| at.get(key).is_none()).collect();
    if !missing.is_empty() {
        notes.push(format!(
            "lidar_config is not used, the stock settings are: it lacks {} (the stock car refuses such a model)",
            missing.join(", ")
        ));
        return Ok(None);
    }
    let config = LidarConfig {
        num_values: at.need("num_values", "a whole number")?.whole(notes)?,
        min_angle: at.need("min_angle", "degrees")?.number(notes)?,
        max_angle: at.need("max_angle", "degrees")?.number(notes)?,
        min_distance: at.need("min_distance", "metres")?.number(notes)?,
        max_distance: at.need("max_distance", "metres")?.number(notes)?,
        clipping_distance: at.need("clipping_distance", "metres")?.number(notes)?,
        num_sectors: at.need("num_sectors", "a whole number")?.whole(notes)?,
    };
    checked(&at, config, *sensor).map(Some)
}

/// The checks of `configure_lidar` (car.md §2.4), and that the input has the length of the sensor.
fn checked(at: &At<'_>, config: LidarConfig, sensor: Sensor) -> Result<LidarConfig, ConfigError> {
    let refuse = |key: &str, saw: f64, wanted: String| {
        Err(ConfigError::Refused {
            file: at.file.to_owned(),
            key: format!("{}.{key}", at.path),
            saw: saw.to_string(),
            wanted,
        })
    };
    if config.max_angle < config.min_angle {
        return refuse("max_angle", config.max_angle, format!("at least min_angle, {}", config.min_angle));
    }
    for (key, saw) in [("max_distance", config.max_distance), ("clipping_distance", config.clipping_distance)]
    {
        if saw < config.min_distance {
            return refuse(key, saw, format!("at least min_distance, {}", config.min_distance));
        }
    }
    if !(1..=100_000).contains(&config.num_values) {
        let place = at.get("num_values");
        return Err(place.as_ref().unwrap_or(at).refuse("1 to 100000"));
    }
    if usize::try_from(config.num_sectors).ok() != Some(sensor.ranges()) {
        let place = at.get("num_sectors");
        return Err(place.as_ref().unwrap_or(at).refuse(format!("{} for {sensor}", sensor.ranges())));
    }
    Ok(config)
}
