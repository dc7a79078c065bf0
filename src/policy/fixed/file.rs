//! A fixed-point plan as bytes, there and back: `model.fixed` in a model folder. Refuses other formats and what does not
//! hold ([`super::proof`]); a changed byte is the card's digest's to find.

use prost::Message;

use super::super::PolicyError;
use super::super::kernels::{ConvWeights, DenseWeights, Rescale, Windows};
use super::head::Head;
use super::network::{Body, Finish, FixedNetwork, Input, Layer};
use super::proof;

/// The version of the layout, and of the arithmetic behind it.
const FORMAT: u32 = 1;

/// A network in integers and what it stands for.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The node of the float network whose output it gives; empty where it is the whole network.
    pub stands_for: String,
    /// The network.
    pub network: FixedNetwork,
}

#[derive(Clone, PartialEq, Message)]
struct FileForm {
    #[prost(uint32, tag = "1")]
    format: u32,
    #[prost(bytes = "vec", tag = "2")]
    network_sha256: Vec<u8>,
    #[prost(message, repeated, tag = "3")]
    parts: Vec<PartForm>,
}

#[derive(Clone, PartialEq, Message)]
struct PartForm {
    #[prost(string, tag = "1")]
    stands_for: String,
    #[prost(message, repeated, tag = "2")]
    inputs: Vec<InputForm>,
    #[prost(message, repeated, tag = "3")]
    layers: Vec<LayerForm>,
    #[prost(message, optional, tag = "4")]
    head: Option<HeadForm>,
    #[prost(uint32, repeated, tag = "5")]
    places: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct InputForm {
    #[prost(uint64, tag = "1")]
    len: u64,
    #[prost(double, optional, tag = "2")]
    step: Option<f64>,
    #[prost(uint32, repeated, tag = "3")]
    places: Vec<u32>,
}

#[derive(Clone, PartialEq, Message)]
struct LayerForm {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, repeated, tag = "2")]
    reads: Vec<u64>,
    /// Rows, columns, row step, column step, taps, run, pitch; none for a dense layer of 8 bits.
    #[prost(uint64, repeated, tag = "3")]
    windows: Vec<u64>,
    #[prost(uint64, tag = "4")]
    channels: u64,
    #[prost(uint64, tag = "5")]
    inputs: u64,
    #[prost(bytes = "vec", tag = "6")]
    weights: Vec<u8>,
    #[prost(sint32, repeated, tag = "7")]
    bias: Vec<i32>,
    #[prost(sint32, repeated, tag = "8")]
    multiplier: Vec<i32>,
    #[prost(uint32, tag = "9")]
    shift: u32,
    #[prost(sint32, tag = "10")]
    low: i32,
    #[prost(sint32, tag = "11")]
    high: i32,
    #[prost(double, tag = "12")]
    step: f64,
}

#[derive(Clone, PartialEq, Message)]
struct HeadForm {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, repeated, tag = "2")]
    reads: Vec<u64>,
    #[prost(bytes = "vec", tag = "3")]
    weights: Vec<u8>,
    #[prost(sint64, repeated, tag = "4")]
    bias: Vec<i64>,
    #[prost(double, repeated, tag = "5")]
    unit: Vec<f64>,
    #[prost(bool, tag = "6")]
    softmax: bool,
}

/// The bytes of parts that were made from the network of this digest.
#[must_use]
pub fn write(network_digest: [u8; 32], parts: &[Part]) -> Vec<u8> {
    let parts = parts.iter().map(part_form).collect();
    FileForm { format: FORMAT, network_sha256: network_digest.to_vec(), parts }.encode_to_vec()
}

/// Reads what [`write()`] wrote.
///
/// # Errors
/// [`PolicyError::NotAGraph`] where it is not such a file, [`PolicyError::FixedFormat`] for another layout or network,
/// [`PolicyError::Fixed`] where a layer does not hold.
pub fn read(bytes: &[u8], network_digest: [u8; 32]) -> Result<Vec<Part>, PolicyError> {
    let form = FileForm::decode(bytes)
        .map_err(|error| PolicyError::NotAGraph { wanted: "fixed-point plan", saw: error.to_string() })?;
    if form.format != FORMAT {
        return Err(PolicyError::FixedFormat {
            what: "format",
            saw: form.format.to_string(),
            wanted: FORMAT.to_string(),
        });
    }
    if form.network_sha256 != network_digest {
        let (saw, wanted) = ("another network's plan".to_owned(), "this network's".to_owned());
        return Err(PolicyError::FixedFormat { what: "network", saw, wanted });
    }
    form.parts.into_iter().map(part).collect()
}

fn part_form(part: &Part) -> PartForm {
    let network = &part.network;
    let (head, places) = match &network.finish {
        Finish::Head(head) => (Some(head_form(head)), Vec::new()),
        Finish::Activations(places) => (None, places.clone()),
    };
    let inputs = network.inputs.iter().map(|input| InputForm {
        len: input.len as u64,
        step: input.step,
        places: input.places.clone(),
    });
    PartForm {
        stands_for: part.stands_for.clone(),
        inputs: inputs.collect(),
        layers: network.layers.iter().map(layer_form).collect(),
        head,
        places,
    }
}

fn layer_form(layer: &Layer) -> LayerForm {
    let wide = |indices: &[usize]| indices.iter().map(|index| *index as u64).collect();
    let (windows, channels, inputs, weights) = match &layer.body {
        Body::Conv(w, weights) => {
            let windows = wide(&[w.rows, w.cols, w.row_step, w.col_step, w.taps, w.run, w.pitch]);
            let bytes = weights.packed().flatten().flat_map(|weight| weight.to_le_bytes()).collect();
            (windows, weights.channels(), w.taps * w.run, bytes)
        }
        Body::Dense(weights) => (Vec::new(), weights.outputs(), weights.inputs(), weights.bytes().to_vec()),
    };
    LayerForm {
        name: layer.name.clone(),
        reads: wide(&layer.reads),
        windows,
        channels: channels as u64,
        inputs: inputs as u64,
        weights,
        bias: layer.rescale.bias.clone(),
        multiplier: layer.rescale.multiplier.clone(),
        shift: layer.rescale.shift.into(),
        low: layer.rescale.low.into(),
        high: layer.rescale.high.into(),
        step: layer.step,
    }
}

fn head_form(head: &Head) -> HeadForm {
    HeadForm {
        name: head.name.clone(),
        reads: head.reads.iter().map(|index| *index as u64).collect(),
        weights: head.weights.iter().flat_map(|weight| weight.to_le_bytes()).collect(),
        bias: head.bias.clone(),
        unit: head.unit.clone(),
        softmax: head.softmax,
    }
}

/// Sizes that no address space has become one that no buffer has.
fn narrow(wide: &[u64]) -> Vec<usize> {
    wide.iter().map(|index| usize::try_from(*index).unwrap_or(usize::MAX)).collect()
}

fn words(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|pair| i16::from_le_bytes(*pair)).collect()
}

fn part(form: PartForm) -> Result<Part, PolicyError> {
    let inputs = form
        .inputs
        .into_iter()
        .map(|input| Input {
            len: usize::try_from(input.len).unwrap_or(usize::MAX),
            step: input.step,
            places: input.places,
        })
        .collect();
    let layers = form.layers.into_iter().map(layer).collect::<Result<_, _>>()?;
    let finish = match form.head {
        Some(head) => Finish::Head(Head {
            name: head.name,
            reads: narrow(&head.reads),
            weights: words(&head.weights),
            bias: head.bias,
            unit: head.unit,
            softmax: head.softmax,
        }),
        None => Finish::Activations(form.places),
    };
    let network = FixedNetwork { inputs, layers, finish };
    proof::check(&network)?;
    Ok(Part { stands_for: form.stands_for, network })
}

fn layer(form: LayerForm) -> Result<Layer, PolicyError> {
    let [channels, inputs] =
        [form.channels, form.inputs].map(|size| usize::try_from(size).unwrap_or(usize::MAX));
    let body = match narrow(&form.windows).as_slice() {
        [] => Body::Dense(DenseWeights::from_packed(form.weights, channels, inputs)?),
        &[rows, cols, row_step, col_step, taps, run, pitch] => {
            let windows = Windows { rows, cols, row_step, col_step, taps, run, pitch };
            Body::Conv(windows, ConvWeights::from_packed(&words(&form.weights), channels, taps, run)?)
        }
        other => {
            return Err(PolicyError::Fixed {
                layer: form.name,
                saw: format!("{} numbers for its windows", other.len()),
                wanted: "seven",
            });
        }
    };
    // Numbers that do not fit their width become ones that the kernels refuse.
    let rescale = Rescale {
        bias: form.bias,
        multiplier: form.multiplier,
        shift: u8::try_from(form.shift).unwrap_or(0),
        low: i16::try_from(form.low).unwrap_or(i16::MAX),
        high: i16::try_from(form.high).unwrap_or(i16::MIN),
    };
    Ok(Layer { name: form.name, reads: narrow(&form.reads), body, rescale, step: form.step })
}
