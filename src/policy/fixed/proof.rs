//! What has to hold of a network in integers, whoever made it: its buffers have room, every read lies in its buffer and no sum
//! overflows, for any input. Checked when one is built and whenever one is loaded.

use super::super::PolicyError;
use super::TOP;
use super::head::Head;
use super::network::{Body, Finish, FixedNetwork, Input, Layer, reach};

/// The most activations of all buffers together: thirty times what AWS's largest network has.
const MOST: usize = 1 << 24;

/// Checks.
///
/// # Errors
/// [`PolicyError::Fixed`] naming the layer and what does not hold.
pub fn check(network: &FixedNetwork) -> Result<(), PolicyError> {
    // First of all, since buffers are made by these numbers.
    let buffers =
        network.inputs.iter().map(|input| input.len).chain(network.layers.iter().map(Layer::volume));
    let total = buffers.fold(0, usize::saturating_add);
    if total > MOST {
        return Err(broken("the network", format!("{total} activations"), "at most 2^24"));
    }
    for (at, input) in network.inputs.iter().enumerate() {
        check_input(&format!("input {at}"), input)?;
    }
    for (at, layer) in network.layers.iter().enumerate() {
        check_layer(network, at + network.inputs.len(), layer)?;
    }
    match &network.finish {
        Finish::Head(head) => check_head(network, head),
        Finish::Activations(places) => {
            let volume = network.layers.last().map_or(0, Layer::volume);
            let outside = places.iter().find(|place| **place as usize >= volume);
            match outside {
                Some(place) => Err(broken("the end", format!("place {place}"), "one within the last layer")),
                None if places.is_empty() => Err(broken("the end", "no outputs", "at least one")),
                None => Ok(()),
            }
        }
    }
}

fn broken(layer: &str, saw: impl Into<String>, wanted: &'static str) -> PolicyError {
    PolicyError::Fixed { layer: layer.to_owned(), saw: saw.into(), wanted }
}

fn check_input(name: &str, input: &Input) -> Result<(), PolicyError> {
    if input.step.is_some_and(|step| !(step.is_normal() && step > 0.0)) {
        return Err(broken(name, format!("step {:?}", input.step), "a positive number"));
    }
    if !input.places.is_empty() {
        let mut seen = vec![false; input.len];
        for place in &input.places {
            match seen.get_mut(*place as usize) {
                Some(seen) if !*seen => *seen = true,
                _ => return Err(broken(name, format!("place {place}"), "each place once")),
            }
        }
        if input.places.len() != input.len {
            return Err(broken(name, format!("{} places", input.places.len()), "one for each element"));
        }
    }
    Ok(())
}

/// The elements that a layer reads, and the greatest magnitude among them.
fn read(network: &FixedNetwork, name: &str, at: usize, reads: &[usize]) -> Result<(usize, i16), PolicyError> {
    let mut total = 0_usize;
    let mut bound = 0;
    for buffer in reads {
        let volume = network.volume(*buffer).filter(|_| *buffer < at);
        let Some(sum) = volume.and_then(|volume| total.checked_add(volume)) else {
            return Err(broken(name, format!("buffer {buffer}"), "one that comes before"));
        };
        total = sum;
        bound = bound.max(network.inputs.get(*buffer).map_or(TOP, Input::bound));
    }
    if total == 0 {
        return Err(broken(name, "nothing to read", "a buffer"));
    }
    if total > MOST {
        return Err(broken(name, format!("{total} elements to read"), "at most 2^24"));
    }
    Ok((total, bound))
}

fn check_layer(network: &FixedNetwork, at: usize, layer: &Layer) -> Result<(), PolicyError> {
    let name = layer.name.as_str();
    let (total, bound) = read(network, name, at, &layer.reads)?;
    if !(layer.step.is_normal() && layer.step > 0.0) {
        return Err(broken(name, format!("step {}", layer.step), "a positive number"));
    }
    if layer.rescale.low < -TOP || layer.rescale.high > TOP {
        return Err(broken(name, "a clamp beyond 8191", "one within"));
    }
    // The kernels' own check, which they make at every frame.
    let channels = layer.channels();
    let trial = layer.rescale.sums(&vec![0; channels], &mut vec![0; channels]);
    trial.map_err(|error| broken(name, error.to_string(), "what the kernels take"))?;
    match &layer.body {
        Body::Conv(windows, weights) => {
            // Rows of windows end where the buffer ends, but for what a run is padded by: zeros, less than one vector.
            let within = reach(windows).is_some_and(|reach| reach <= total.saturating_add(7));
            let depth = windows.taps.checked_mul(windows.run);
            if !within || depth != Some(weights.depth()) || windows.rows == 0 || windows.cols == 0 {
                return Err(broken(name, format!("{windows:?}"), "windows within what it reads"));
            }
            let sums = weights.magnitudes();
            for (channel, (sum, bias)) in sums.iter().zip(&layer.rescale.bias).enumerate() {
                let most =
                    u128::from(*sum) * u128::from(bound.unsigned_abs()) + u128::from(bias.unsigned_abs());
                if most > u128::from(i32::MAX.unsigned_abs()) {
                    return Err(broken(
                        name,
                        format!("channel {channel} may sum to {most}"),
                        "less than 2^31",
                    ));
                }
            }
        }
        Body::Dense(weights) => {
            if weights.inputs() < total || weights.inputs() - total >= 32 {
                return Err(broken(name, format!("{} inputs", weights.inputs()), "as many as it reads"));
            }
        }
    }
    Ok(())
}

fn check_head(network: &FixedNetwork, head: &Head) -> Result<(), PolicyError> {
    let at = network.inputs.len() + network.layers.len();
    let (total, _) = read(network, &head.name, at, &head.reads)?;
    let outputs = head.bias.len();
    if outputs == 0 || head.unit.len() != outputs || total.checked_mul(outputs) != Some(head.weights.len()) {
        return Err(broken(&head.name, format!("{} weights", head.weights.len()), "outputs by inputs"));
    }
    // Fewer than 2^32 inputs times 2^28, and the bias: within 63 bits.
    if u32::try_from(total).is_err() || head.bias.iter().any(|bias| bias.unsigned_abs() > 1 << 60) {
        return Err(broken(&head.name, "sums beyond 64 bits", "fewer inputs or a smaller bias"));
    }
    if let Some(unit) = head.unit.iter().find(|unit| !(unit.is_normal() && **unit > 0.0)) {
        return Err(broken(&head.name, format!("unit {unit}"), "a positive number"));
    }
    if head.weights.contains(&i16::MIN) {
        return Err(broken(&head.name, "weight -32768", "at least -32767"));
    }
    Ok(())
}
