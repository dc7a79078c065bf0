//! From a float network and what its layers reach in calibration to a network in integers. Weights become as large as the
//! proof allows, channel by channel. Refuses a layer whose numbers do not fit.

use super::super::PolicyError;
use super::super::kernels::{ConvWeights, DenseWeights, Rescale, Windows};
use super::head::Head;
use super::network::{Body, Finish, FixedNetwork, Input, Layer};
use super::outline::{DENSE_LANES, End, FloatLayer, Kind, Outline};
use super::{HEADROOM, TOP, proof};

/// Weights from which a dense layer is held in 8 bits: below it 16 bits cost nothing (a megabyte, read once a frame).
pub const LARGE: usize = 1 << 19;

/// The largest magnitudes that were seen.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Maxima {
    /// One for each source.
    pub sources: Vec<f64>,
    /// One for each layer, after its ReLU.
    pub layers: Vec<f64>,
}

/// Builds.
///
/// # Errors
/// [`PolicyError::Fixed`] naming the layer that does not fit.
pub fn build(outline: &Outline, maxima: &Maxima) -> Result<FixedNetwork, PolicyError> {
    let step = |max: Option<&f64>| step(max.copied().unwrap_or(0.0));
    let inputs: Vec<Input> = outline
        .sources
        .iter()
        .enumerate()
        .map(|(at, source)| Input {
            len: source.len,
            step: (!source.pixels).then(|| step(maxima.sources.get(at))),
            places: source.places.clone(),
        })
        .collect();
    let mut network = FixedNetwork { inputs, layers: Vec::new(), finish: Finish::Activations(Vec::new()) };
    let (last, body) = match (&outline.end, outline.layers.split_last()) {
        (_, None) => return Err(unfit("the network", "no layer that multiplies", "at least one")),
        (End::Activations(_), Some(_)) => (None, outline.layers.as_slice()),
        (_, Some((last, body))) => (Some(last), body),
    };
    for (at, float) in body.iter().enumerate() {
        let layer = layer(float, &network, step(maxima.layers.get(at)))?;
        network.layers.push(layer);
    }
    network.finish = match (last, &outline.end) {
        (Some(last), end) => Finish::Head(head(last, &network, *end == End::Softmax)?),
        (None, End::Activations(places)) => Finish::Activations(places.clone()),
        (None, _) => return Err(unfit("the network", "no last layer", "one")),
    };
    proof::check(&network)?;
    Ok(network)
}

/// What one step of an activation stands for, from the largest that was seen. Rounded up to five bits, so that kernels
/// whose last bits differ calibrate to the same network.
fn step(max: f64) -> f64 {
    let max = if max > 0.0 { max * HEADROOM } else { 1.0 };
    let low = (1_u64 << 48) - 1;
    f64::from_bits((max.to_bits() + low) & !low) / f64::from(TOP)
}

/// Real weights of one channel in units of its sum, and the unit: 0 where all of it is zero.
struct Channel {
    weights: Vec<f64>,
    bias: f64,
    unit: f64,
}

/// The weights of each channel times the steps of what they read.
fn channels(float: &FloatLayer, network: &FixedNetwork) -> Result<Vec<Vec<f64>>, PolicyError> {
    let mut steps: Vec<(usize, f64)> = Vec::new();
    for buffer in &float.reads {
        let step = match network.inputs.get(*buffer) {
            Some(input) => Some(input.step.unwrap_or(1.0)),
            None => network.layers.get(buffer - network.inputs.len()).map(|layer| layer.step),
        };
        match (step, network.volume(*buffer)) {
            (Some(step), Some(volume)) => steps.push((volume, step)),
            _ => return Err(unfit(&float.name, "a buffer that comes later", "one that comes before")),
        }
    }
    let fan_in = float.fan_in();
    let rows = float.weights.chunks_exact(fan_in.max(1));
    Ok(rows
        .map(|row| match steps.as_slice() {
            // Windows go over one buffer several times.
            [(_, step)] => row.iter().map(|w| f64::from(*w) * step).collect(),
            many => {
                let each = many.iter().flat_map(|(volume, step)| std::iter::repeat_n(*step, *volume));
                row.iter().zip(each).map(|(w, step)| f64::from(*w) * step).collect()
            }
        })
        .collect())
}

/// The greatest magnitude of what a layer reads.
fn bound(reads: &[usize], network: &FixedNetwork) -> i16 {
    let bounds = reads.iter().map(|at| network.inputs.get(*at).map_or(TOP, Input::bound));
    bounds.max().unwrap_or(TOP)
}

/// The smallest unit with which weights stay below `top` and the sum of magnitudes within `i32`.
fn scale(weights: &[f64], bias: f64, top: i16, bound: Option<i16>) -> Channel {
    let largest = weights.iter().fold(0.0_f64, |max, w| max.max(w.abs()));
    let mut unit = largest / f64::from(top);
    if let Some(bound) = bound {
        let most: f64 = weights.iter().map(|w| w.abs()).sum::<f64>() * f64::from(bound) + bias.abs();
        // A ten-thousandth below 2^31 and half a step for each weight: what rounding may add.
        let half = 0.5 * f64::from(bound) * count(weights.len()) + 1.0;
        unit = unit.max(most / ((f64::from(i32::MAX) - half) * 0.9999).max(1.0));
    }
    // A bias far larger than the weights must fit on its own.
    unit = unit.max(bias.abs() / f64::from(i32::MAX / 2));
    let divisor = if unit > 0.0 { unit } else { 1.0 };
    Channel {
        weights: weights.iter().map(|w| (w / divisor).round()).collect(),
        bias: (bias / divisor).round(),
        unit,
    }
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 2^53 weights")]
fn count(n: usize) -> f64 {
    n as f64
}

fn layer(float: &FloatLayer, network: &FixedNetwork, step: f64) -> Result<Layer, PolicyError> {
    let small = float.weights.len() < LARGE;
    let bound = bound(&float.reads, network);
    let (top, bound) = match float.kind {
        Kind::Dense if !small => (i16::from(i8::MAX), None),
        _ => (i16::MAX, Some(bound)),
    };
    let scaled: Vec<Channel> = channels(float, network)?
        .into_iter()
        .zip(&float.bias)
        .map(|(weights, bias)| scale(&weights, f64::from(*bias), top, bound))
        .collect();
    let fan_in = float.fan_in();
    let body = match &float.kind {
        Kind::Conv(windows) => {
            let plain = whole(&scaled, fan_in, 0);
            Body::Conv(*windows, ConvWeights::pack(&plain, float.channels, windows.taps, windows.run)?)
        }
        Kind::Dense if small => {
            let run = fan_in.next_multiple_of(8);
            let channels = float.channels.next_multiple_of(DENSE_LANES);
            let mut plain = whole(&scaled, fan_in, run - fan_in);
            plain.resize(channels * run, 0);
            Body::Conv(one(run), ConvWeights::pack(&plain, channels, 1, run)?)
        }
        Kind::Dense => {
            let plain: Vec<i8> =
                whole(&scaled, fan_in, 0).into_iter().map(|w| i8::try_from(w).unwrap_or(i8::MAX)).collect();
            Body::Dense(DenseWeights::pack(&plain, float.channels, fan_in)?)
        }
    };
    let channels = match &body {
        Body::Conv(_, weights) => weights.channels(),
        Body::Dense(weights) => weights.outputs(),
    };
    let rescale = rescale(float, &scaled, step, channels)?;
    Ok(Layer { name: float.name.clone(), reads: float.reads.clone(), body, rescale, step })
}

/// All of a buffer as one window.
fn one(run: usize) -> Windows {
    Windows { rows: 1, cols: 1, row_step: run, col_step: run, taps: 1, run, pitch: run }
}

/// Weights one channel after the other, `pad` zeros after each.
#[expect(clippy::cast_possible_truncation, reason = "`scale` keeps them within `top`, an i16")]
fn whole(channels: &[Channel], fan_in: usize, pad: usize) -> Vec<i16> {
    let mut plain = Vec::with_capacity(channels.len() * (fan_in + pad));
    for channel in channels {
        plain.extend(channel.weights.iter().map(|w| *w as i16));
        plain.extend(std::iter::repeat_n(0, pad));
    }
    plain
}

/// One shift for the layer, such that its largest multiplier has 29 bits.
fn rescale(
    float: &FloatLayer,
    scaled: &[Channel],
    step: f64,
    channels: usize,
) -> Result<Rescale, PolicyError> {
    let largest = scaled.iter().fold(0.0_f64, |max, channel| max.max(channel.unit / step));
    let mut shift = 62_u8;
    while shift > 1 && largest * power(shift) >= power(30) - 1.0 {
        shift -= 1;
    }
    if !largest.is_finite() || largest * power(shift) >= power(30) - 1.0 {
        return Err(unfit(&float.name, format!("a scale of {largest:e}"), "less than 2^29"));
    }
    let padding = std::iter::repeat_n(0, channels - scaled.len());
    let multipliers = scaled.iter().map(|channel| integer(channel.unit / step * power(shift)));
    Ok(Rescale {
        bias: scaled.iter().map(|channel| integer(channel.bias)).chain(padding.clone()).collect(),
        multiplier: multipliers.chain(padding).collect(),
        shift,
        low: if float.relu { 0 } else { -TOP },
        high: TOP,
    })
}

fn power(shift: u8) -> f64 {
    // Exact: no more than 62.
    f64::from(2_u8).powi(i32::from(shift))
}

#[expect(clippy::cast_possible_truncation, reason = "saturates; what does not fit fails the proof")]
fn integer(x: f64) -> i32 {
    x.round() as i32
}

fn head(float: &FloatLayer, network: &FixedNetwork, softmax: bool) -> Result<Head, PolicyError> {
    if float.kind != Kind::Dense {
        return Err(unfit(&float.name, "a convolution", "a dense layer at the end"));
    }
    let scaled: Vec<Channel> = channels(float, network)?
        .into_iter()
        .zip(&float.bias)
        .map(|(weights, bias)| scale(&weights, f64::from(*bias), i16::MAX, None))
        .collect();
    Ok(Head {
        name: float.name.clone(),
        reads: float.reads.clone(),
        weights: whole(&scaled, float.fan_in(), 0),
        bias: scaled.iter().map(|channel| i64::from(integer(channel.bias))).collect(),
        unit: scaled.iter().map(|channel| if channel.unit > 0.0 { channel.unit } else { 1.0 }).collect(),
        softmax,
    })
}

fn unfit(layer: &str, saw: impl Into<String>, wanted: &'static str) -> PolicyError {
    PolicyError::Fixed { layer: layer.to_owned(), saw: saw.into(), wanted }
}
