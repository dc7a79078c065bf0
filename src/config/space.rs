//! The action space: what the policy may choose, read from metadata and checked for both metadata and cards.
//! Refuses empty lists, more than 128 actions, values that no car has, and spaces that cannot be scaled.

use super::error::ConfigError;
use super::json::{At, Json};
use crate::domain::scores::CAPACITY;
use crate::domain::{Action, ActionSpace, ContinuousSpace};
use crate::units::{Degrees, MetresPerSecond};

/// The largest |steering| that is believed, in degrees; the largest in the wild is 60 (community.md D.4).
const MAX_STEERING: f64 = 90.0;
/// The largest speed that is believed, in m/s; the largest in the wild is 14 (community.md D.4).
const MAX_SPEED: f64 = 30.0;

/// Why a space is refused; `key` is a path that begins at the space itself, such as `[3].speed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    pub(super) key: String,
    pub(super) saw: String,
    pub(super) wanted: String,
}

/// Reads `action_space`, whose form must agree with `action_space_type` where that is given.
pub(super) fn read(root: &At<'_>, notes: &mut Vec<String>) -> Result<ActionSpace, ConfigError> {
    let wanted = "a list of actions, or an object of ranges";
    let at = root.need("action_space", wanted)?;
    let kind = match root.get("action_space_type") {
        None => None,
        Some(kind) => match kind.text("\"discrete\" or \"continuous\"")? {
            word @ ("discrete" | "continuous") => Some(word),
            _ => return Err(kind.refuse("\"discrete\" or \"continuous\"")),
        },
    };
    let space = match (at.value, kind) {
        (Json::List(_), Some("continuous")) => {
            return Err(at.refuse("an object of ranges, as action_space_type is \"continuous\""));
        }
        (Json::Object(_), Some("discrete")) => {
            return Err(at.refuse("a list of actions, as action_space_type is \"discrete\""));
        }
        (Json::List(_), _) => discrete(&at, notes)?,
        (Json::Object(_), _) => {
            if kind.is_none() {
                notes.push(
                    "no action_space_type: read as continuous, as action_space is an object".to_owned(),
                );
            }
            continuous(&at, notes)?
        }
        _ => return Err(at.refuse(wanted)),
    };
    check(&space).map_err(|unfit| ConfigError::Refused {
        file: at.file.to_owned(),
        key: format!("{}{}", at.path, unfit.key),
        saw: unfit.saw,
        wanted: unfit.wanted,
    })?;
    remark(&space, notes);
    Ok(space)
}

fn discrete(at: &At<'_>, notes: &mut Vec<String>) -> Result<ActionSpace, ConfigError> {
    let mut actions = Vec::new();
    let mut disordered = 0;
    let mut extra: Vec<String> = Vec::new();
    let items = at.items("a list of actions")?;
    if items.len() > CAPACITY {
        return Err(at.refuse(format!("1 to {CAPACITY} actions")));
    }
    for (position, item) in items.iter().enumerate() {
        let steering = steering(&item.need("steering_angle", "degrees, positive to the left")?, notes)?;
        let speed = speed(&item.need("speed", "metres per second")?, notes)?;
        actions.push(Action { steering, speed });
        // Nothing is decided upon the index, so one that is no number counts as out of order.
        let index = item.get("index").map(|index| index.whole(&mut Vec::new()).ok());
        if index.is_some_and(|index| index != i64::try_from(position).ok()) {
            disordered += 1;
        }
        for (key, _) in item.members()? {
            if !matches!(key, "steering_angle" | "speed" | "index") && !extra.iter().any(|name| name == key) {
                extra.push(key.to_owned());
            }
        }
    }
    if disordered > 0 {
        notes.push(format!(
            "\"index\" is not the position in {disordered} of {} actions: the position is the class, as on the car",
            actions.len()
        ));
    }
    if !extra.is_empty() {
        notes.push(format!("keys of actions that are not used: {}", extra.join(", ")));
    }
    Ok(ActionSpace::Discrete(actions))
}

fn continuous(at: &At<'_>, notes: &mut Vec<String>) -> Result<ActionSpace, ConfigError> {
    let wanted = "an object with low and high";
    let lock = at.need("steering_angle", wanted)?;
    let pace = at.need("speed", wanted)?;
    Ok(ActionSpace::Continuous(ContinuousSpace {
        steering_low: steering(&lock.need("low", "degrees, positive to the left")?, notes)?,
        steering_high: steering(&lock.need("high", "degrees, positive to the left")?, notes)?,
        speed_low: speed(&pace.need("low", "metres per second")?, notes)?,
        speed_high: speed(&pace.need("high", "metres per second")?, notes)?,
    }))
}

fn steering(at: &At<'_>, notes: &mut Vec<String>) -> Result<Degrees, ConfigError> {
    Degrees::new(at.number(notes)?).ok_or_else(|| at.refuse("a finite number"))
}

fn speed(at: &At<'_>, notes: &mut Vec<String>) -> Result<MetresPerSecond, ConfigError> {
    MetresPerSecond::new(at.number(notes)?).ok_or_else(|| at.refuse("a finite number"))
}

/// The invariants of an action space, wherever it was read from.
pub(super) fn check(space: &ActionSpace) -> Result<(), Unfit> {
    match space {
        ActionSpace::Discrete(actions) => check_list(actions),
        ActionSpace::Continuous(space) => check_ranges(space),
    }
}

fn check_list(actions: &[Action]) -> Result<(), Unfit> {
    if actions.is_empty() || actions.len() > CAPACITY {
        let saw = if actions.is_empty() {
            "an empty list".to_owned()
        } else {
            format!("a list of {}", actions.len())
        };
        return unfit("", saw, format!("1 to {CAPACITY} actions"));
    }
    for (index, action) in actions.iter().enumerate() {
        believable_steering(&format!("[{index}].steering_angle"), action.steering)?;
        believable_speed(&format!("[{index}].speed"), action.speed)?;
    }
    if actions.iter().all(|action| action.speed.get() <= 0.0) {
        return unfit(
            "",
            "speed 0 in every action",
            "a speed above 0 in one: throttle is scaled by the largest",
        );
    }
    Ok(())
}

fn check_ranges(space: &ContinuousSpace) -> Result<(), Unfit> {
    believable_steering(".steering_angle.low", space.steering_low)?;
    believable_steering(".steering_angle.high", space.steering_high)?;
    believable_speed(".speed.low", space.speed_low)?;
    believable_speed(".speed.high", space.speed_high)?;
    for (key, low, high) in [
        (".steering_angle", space.steering_low.get(), space.steering_high.get()),
        (".speed", space.speed_low.get(), space.speed_high.get()),
    ] {
        if low >= high {
            return unfit(key, format!("low {low} and high {high}"), "low below high");
        }
    }
    if space.steering_high.get() <= 0.0 {
        let saw = space.steering_high.get().to_string();
        return unfit(".steering_angle.high", saw, "above 0: steering is scaled by it");
    }
    Ok(())
}

fn believable_steering(key: &str, value: Degrees) -> Result<(), Unfit> {
    if value.get().abs() > MAX_STEERING {
        let wanted = format!("-{MAX_STEERING} to {MAX_STEERING} degrees");
        return unfit(key, value.get().to_string(), wanted);
    }
    Ok(())
}

fn believable_speed(key: &str, value: MetresPerSecond) -> Result<(), Unfit> {
    if value.get() < 0.0 || value.get() > MAX_SPEED {
        let wanted = format!("0 to {MAX_SPEED} m/s, a policy does not drive backwards");
        return unfit(key, value.get().to_string(), wanted);
    }
    Ok(())
}

fn unfit(key: &str, saw: impl Into<String>, wanted: impl Into<String>) -> Result<(), Unfit> {
    Err(Unfit { key: key.to_owned(), saw: saw.into(), wanted: wanted.into() })
}

/// What is accepted and still worth saying.
fn remark(space: &ActionSpace, notes: &mut Vec<String>) {
    let (right, left) = match space {
        ActionSpace::Discrete(actions) => {
            let still = actions.iter().filter(|action| action.speed.get() <= 0.0).count();
            if still > 0 {
                notes.push(format!("{still} of {} actions have speed 0: the car stops there", actions.len()));
            }
            actions.iter().fold((0.0_f64, 0.0_f64), |(right, left), action| {
                (right.min(action.steering.get()), left.max(action.steering.get()))
            })
        }
        ActionSpace::Continuous(space) => (space.steering_low.get(), space.steering_high.get()),
    };
    let scale = space.steering_scale();
    if scale <= 0.0 {
        notes.push("no action steers: the car goes straight on".to_owned());
    } else if (left + right).abs() > 0.0 {
        let beyond =
            if -right > scale { "; what lies beyond is clamped, the stock car drops it" } else { "" };
        notes.push(format!("steering is asymmetric, {right} to {left}: full lock means {scale}{beyond}"));
    }
}

#[cfg(test)]
mod tests {
    use crate::config::metadata;
    use crate::domain::ActionSpace;

    fn notes(space: &str) -> Vec<String> {
        let text = format!(r#"{{"sensor": ["LEFT_CAMERA"], "action_space": {space}}}"#);
        metadata::read("f", text.as_bytes()).expect("good").notes
    }

    #[test]
    fn what_is_in_the_wild_is_taken_and_noted() {
        let table = [
            (r#"[{"steering_angle": 0, "speed": 1}]"#, vec!["no action steers: the car goes straight on"]),
            (
                r#"[{"steering_angle": "-30", "speed": "1.5", "index": 1}, {"steering_angle": 30, "speed": 0, "index": 0, "x": 1}]"#,
                vec![
                    "numbers written as texts were read as numbers",
                    "\"index\" is not the position in 2 of 2 actions: the position is the class, as on the car",
                    "keys of actions that are not used: x",
                    "1 of 2 actions have speed 0: the car stops there",
                ],
            ),
            (
                r#"{"steering_angle": {"low": -27, "high": 25}, "speed": {"low": 1, "high": 3.3}}"#,
                vec![
                    "no action_space_type: read as continuous, as action_space is an object",
                    "steering is asymmetric, -27 to 25: full lock means 25; what lies beyond is clamped, the stock car drops it",
                ],
            ),
        ];
        for (space, wanted) in table {
            assert_eq!(notes(space), wanted, "{space}");
        }
    }

    #[test]
    fn one_action_and_128_are_taken() {
        for count in [1, 128] {
            let list = vec![r#"{"steering_angle": 1, "speed": 1}"#; count].join(",");
            let text = format!(r#"{{"action_space": [{list}]}}"#);
            let ActionSpace::Discrete(actions) = metadata::read("f", text.as_bytes()).expect("good").space
            else {
                panic!("continuous")
            };
            assert_eq!(actions.len(), count);
        }
    }
}
