//! Which tensor belongs to which sensor, and which one is the answer: by the names that AWS's training gives
//! (car.md §3.3), else by what is left.

use super::PolicyError;
use crate::domain::Sensor;

/// The outputs that AWS's training exports, in the order in which they are looked for.
pub const OUTPUTS: [&str; 2] = [
    "main_level/agent/main/online/network_1/ppo_head_0/policy",
    "main_level/agent/policy/online/network_0/sac_policy_head_0/policy",
];

/// The sensor that a tensor's name ends in (`…/FRONT_FACING_CAMERA`, also with `:0`).
#[must_use]
pub fn sensor_of(tensor: &str) -> Option<Sensor> {
    let name = tensor.split(':').next().unwrap_or(tensor);
    Sensor::from_name(name.rsplit('/').next().unwrap_or(name))
}

/// Chooses the output: the user's, a known one, or the only leaf.
///
/// # Errors
/// [`PolicyError::Output`] listing the candidates.
pub fn output<'a>(
    names: &[&'a str],
    leaves: &[&'a str],
    asked: Option<&'a str>,
) -> Result<&'a str, PolicyError> {
    let known: &[&'a str] = &OUTPUTS;
    let unclear = |saw: String| PolicyError::Output { saw, wanted: OUTPUTS.join(" or ") };
    if let Some(asked) = asked {
        return names
            .iter()
            .find(|name| **name == asked)
            .copied()
            .ok_or_else(|| unclear(format!("no node named {asked:?}")));
    }
    if let Some(name) = known.iter().find(|name| names.contains(name)) {
        return Ok(name);
    }
    match leaves {
        [only] => Ok(only),
        [] => Err(unclear("no output at all".to_owned())),
        many => {
            let first: Vec<String> = many.iter().take(5).map(|name| format!("{name:?}")).collect();
            Err(unclear(format!("{} outputs, {}", many.len(), first.join(", "))))
        }
    }
}

/// Matches the network's inputs with the metadata's sensors, in the metadata's order. Single cameras stand
/// for each other, since the car does not tell them apart (car.md §3.2).
///
/// # Errors
/// [`PolicyError::UnknownInput`] or [`PolicyError::Sensors`].
pub fn inputs(tensors: &[&str], wanted: &[Sensor]) -> Result<Vec<(Sensor, String)>, PolicyError> {
    let mut found = Vec::new();
    for tensor in tensors {
        match sensor_of(tensor) {
            Some(sensor) => found.push((sensor, (*tensor).to_owned())),
            // A network from elsewhere may call its one camera anything.
            None => match wanted {
                [only] if tensors.len() == 1 => found.push((*only, (*tensor).to_owned())),
                _ => {
                    return Err(PolicyError::UnknownInput {
                        node: (*tensor).to_owned(),
                        wanted: names(&Sensor::ALL),
                    });
                }
            },
        }
    }
    found.sort();
    let same = |(have, want): (&(Sensor, String), &Sensor)| {
        have.0 == *want || (have.0.channels() == 1 && want.channels() == 1)
    };
    if found.len() != wanted.len() || !found.iter().zip(wanted).all(same) {
        let network: Vec<Sensor> = found.iter().map(|(sensor, _)| *sensor).collect();
        return Err(PolicyError::Sensors { metadata: names(wanted), network: names(&network) });
    }
    Ok(found)
}

fn names(sensors: &[Sensor]) -> String {
    let names: Vec<&str> = sensors.iter().map(|sensor| sensor.name()).collect();
    if names.is_empty() { "no sensor".to_owned() } else { names.join(", ") }
}
