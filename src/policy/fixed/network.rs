//! A network in integers: its inputs, its layers, its end, and what one layer computes. Refuses nothing; `proof` does.

use std::ops::Range;

use super::super::kernels::{ConvWeights, DenseWeights, KernelError, Path, Rescale, Windows, conv, dense};
pub use super::buffers::Buffers;
use super::head::Head;
use super::{TOP, WHITE};

/// How one input becomes integers.
#[derive(Clone, Debug, PartialEq)]
pub struct Input {
    /// Elements of the tensor.
    pub len: usize,
    /// What one step of the integer stands for; `None` for pixels, which are taken as they are.
    pub step: Option<f64>,
    /// Where each element goes; empty where it stays in its place.
    pub places: Vec<u32>,
}

impl Input {
    /// The greatest magnitude of its integers.
    #[must_use]
    pub fn bound(&self) -> i16 {
        if self.step.is_none() { WHITE } else { TOP }
    }

    pub(super) fn fill(&self, from: &[f32], to: &mut [i16]) {
        let scale = self.step.map(|step| 1.0 / step);
        let whole = |x: &f32| match scale {
            None => pixel(*x),
            Some(scale) => reading(*x, scale),
        };
        if self.places.is_empty() {
            to.iter_mut().zip(from).for_each(|(to, from)| *to = whole(from));
            return;
        }
        for (place, from) in self.places.iter().zip(from) {
            if let Some(to) = to.get_mut(*place as usize) {
                *to = whole(from);
            }
        }
    }
}

/// Nearest whole number of 0..=255, halves up; what is not a number is 0.
#[expect(clippy::cast_possible_truncation, reason = "clamped to 0.5..=255.5 before; NaN becomes 0")]
fn pixel(x: f32) -> i16 {
    (x.clamp(0.0, 255.0) + 0.5) as i16
}

/// Nearest multiple of the step, halves away from zero; what is not a number is 0.
#[expect(clippy::cast_possible_truncation, reason = "clamped to ±TOP before; NaN becomes 0")]
fn reading(x: f32, scale: f64) -> i16 {
    let top = f64::from(TOP);
    let scaled = (f64::from(x) * scale).clamp(-top, top);
    (scaled + 0.5_f64.copysign(scaled)) as i16
}

/// Weights, in the form that their kernel reads.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// 16-bit weights over windows; a small dense layer has one window.
    Conv(Windows, ConvWeights),
    /// 8-bit weights over all of the input.
    Dense(DenseWeights),
}

/// A layer that ends in activations.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name in the graph.
    pub name: String,
    /// The buffers that it reads, one after the other: inputs first, then layers in order.
    pub reads: Vec<usize>,
    /// Weights.
    pub body: Body,
    /// From sums to activations.
    pub rescale: Rescale,
    /// What one step of its activations stands for.
    pub step: f64,
}

impl Layer {
    /// Elements that it writes.
    #[must_use]
    pub fn volume(&self) -> usize {
        match &self.body {
            Body::Conv(windows, _) => {
                windows.rows.saturating_mul(windows.cols).saturating_mul(self.channels())
            }
            Body::Dense(_) => self.channels(),
        }
    }

    /// Channels, or outputs, padding and all.
    pub(super) fn channels(&self) -> usize {
        match &self.body {
            Body::Conv(_, weights) => weights.channels(),
            Body::Dense(weights) => weights.outputs(),
        }
    }

    /// Elements that its kernel may read.
    pub(super) fn reach(&self) -> usize {
        match &self.body {
            Body::Conv(windows, _) => reach(windows).unwrap_or(0),
            Body::Dense(weights) => weights.inputs(),
        }
    }

    /// How many parts two threads could share.
    pub(super) fn parts(&self) -> usize {
        match &self.body {
            Body::Conv(windows, _) => windows.rows,
            Body::Dense(weights) => weights.blocks(),
        }
    }

    /// The elements that some of its parts write.
    pub(super) fn span(&self, parts: &Range<usize>) -> Range<usize> {
        let one = self.volume() / self.parts().max(1);
        parts.start * one..parts.end * one
    }

    /// Computes some of its parts. `sums` and `output` hold all of the layer; of `output`, what lies outside of
    /// the span of these parts is of no value afterwards.
    pub(super) fn compute(
        &self,
        path: Path,
        input: &[i16],
        parts: Range<usize>,
        sums: &mut [i64],
        output: &mut [i16],
    ) -> Result<(), KernelError> {
        let span = self.span(&parts);
        match &self.body {
            Body::Conv(windows, weights) => {
                let output = output.get_mut(span).unwrap_or_default();
                conv(path, input, weights, &self.rescale, windows, parts, output)
            }
            Body::Dense(weights) => {
                let input = input.get(..weights.inputs()).unwrap_or(input);
                dense(path, input, weights, parts, sums.get_mut(span).unwrap_or_default())?;
                self.rescale.sums(sums, output)
            }
        }
    }
}

/// One past the last element that windows read; `None` where that leaves the address space.
pub(super) fn reach(windows: &Windows) -> Option<usize> {
    let last = |steps: usize, step: usize| steps.saturating_sub(1).checked_mul(step);
    let row = last(windows.rows, windows.row_step)?;
    let pixel = last(windows.cols, windows.col_step)?;
    let tap = last(windows.taps, windows.pitch)?;
    row.checked_add(pixel)?.checked_add(tap)?.checked_add(windows.run)
}

/// What the last buffers become.
#[derive(Clone, Debug, PartialEq)]
pub enum Finish {
    /// A dense layer whose sums are the scores.
    Head(Head),
    /// The last layer's activations, in this order.
    Activations(Vec<u32>),
}

/// The network.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedNetwork {
    /// The inputs, in the order of the plan's.
    pub inputs: Vec<Input>,
    /// The layers, each after all that it reads.
    pub layers: Vec<Layer>,
    /// The end.
    pub finish: Finish,
}

impl FixedNetwork {
    /// Elements that a buffer holds.
    pub(super) fn volume(&self, buffer: usize) -> Option<usize> {
        match self.inputs.get(buffer) {
            Some(input) => Some(input.len),
            None => self.layers.get(buffer - self.inputs.len()).map(Layer::volume),
        }
    }

    /// The number of outputs.
    #[must_use]
    pub fn outputs(&self) -> usize {
        match &self.finish {
            Finish::Head(head) => head.bias.len(),
            Finish::Activations(places) => places.len(),
        }
    }

    /// Bytes of all weights.
    #[must_use]
    pub fn weight_bytes(&self) -> usize {
        let bodies = self.layers.iter().map(|layer| match &layer.body {
            Body::Conv(_, weights) => weights.packed().len() * 16,
            Body::Dense(weights) => weights.bytes().len(),
        });
        let head = if let Finish::Head(head) = &self.finish { head.weights.len() * 2 } else { 0 };
        bodies.sum::<usize>() + head
    }
}

/// To the nearest `f32`.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a score is an f32; IEEE rounding to nearest is the same everywhere"
)]
pub(super) fn narrowed(x: f64) -> f32 {
    x as f32
}
