//! A network in integers, and how it runs: buffers that are kept, one kernel call per layer. Refuses inputs of other lengths.

use std::ops::Range;

use super::super::PolicyError;
use super::super::kernels::{ConvWeights, DenseWeights, KernelError, Path, Rescale, Windows, conv, dense};
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

    fn fill(&self, from: &[f32], to: &mut [i16]) {
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
            Body::Conv(windows, weights) => windows.rows * windows.cols * weights.channels(),
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

    /// Computes some of its rows, or blocks of outputs; `output` and `sums` hold just those.
    fn compute(
        &self,
        path: Path,
        input: &[i16],
        parts: Range<usize>,
        sums: &mut [i64],
        output: &mut [i16],
    ) -> Result<(), KernelError> {
        match &self.body {
            Body::Conv(windows, weights) => conv(path, input, weights, &self.rescale, windows, parts, output),
            Body::Dense(weights) => {
                let input = input.get(..weights.inputs()).unwrap_or(input);
                dense(path, input, weights, parts, sums)?;
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

/// Everything that a run writes; kept from run to run.
#[derive(Clone, Debug)]
pub struct Buffers {
    /// One for each input and layer, with room for what kernels read beyond its end.
    tensors: Vec<Vec<i16>>,
    /// Where layers that read several buffers find them in one.
    joined: Vec<i16>,
    sums: Vec<i64>,
    raw: Vec<f64>,
}

impl Buffers {
    /// Room for a network.
    #[must_use]
    pub fn new(network: &FixedNetwork) -> Self {
        let count = network.inputs.len() + network.layers.len();
        let longest = network.layers.iter().map(Layer::reach);
        let tensors = (0..count)
            .map(|buffer| {
                let readers = network.layers.iter().filter(|layer| layer.reads == [buffer]);
                let reach = readers.map(Layer::reach).max().unwrap_or(0);
                vec![0; network.volume(buffer).unwrap_or(0).max(reach)]
            })
            .collect();
        let reads = network.layers.iter().map(|layer| &layer.reads);
        let head = if let Finish::Head(head) = &network.finish { Some(&head.reads) } else { None };
        let total = |reads: &Vec<usize>| reads.iter().filter_map(|at| network.volume(*at)).sum::<usize>();
        let joined = reads.chain(head).filter(|reads| reads.len() > 1).map(total).max();
        let sums = network.layers.iter().map(Layer::volume).max().unwrap_or(0);
        Self {
            tensors,
            joined: joined.map_or_else(Vec::new, |joined| vec![0; joined.max(longest.max().unwrap_or(0))]),
            sums: vec![0; sums],
            raw: vec![0.0; network.outputs()],
        }
    }

    /// Runs `network` on `inputs`; `scores` is as long as it has outputs. Allocates nothing.
    ///
    /// # Errors
    /// [`PolicyError::FixedLength`] where a length differs, [`PolicyError::Kernel`] where this CPU lacks the path.
    pub fn run(
        &mut self,
        network: &FixedNetwork,
        path: Path,
        inputs: &[&[f32]],
        scores: &mut [f32],
    ) -> Result<(), PolicyError> {
        if inputs.len() != network.inputs.len() {
            return Err(PolicyError::FixedLength {
                what: "inputs",
                saw: inputs.len(),
                wanted: network.inputs.len(),
            });
        }
        for ((input, from), to) in network.inputs.iter().zip(inputs).zip(&mut self.tensors) {
            if from.len() != input.len {
                return Err(PolicyError::FixedLength {
                    what: "input elements",
                    saw: from.len(),
                    wanted: input.len,
                });
            }
            input.fill(from, to);
        }
        for (at, layer) in network.layers.iter().enumerate() {
            self.layer(network, path, at + network.inputs.len(), layer)?;
        }
        self.finish(network, scores)
    }

    fn layer(
        &mut self,
        network: &FixedNetwork,
        path: Path,
        buffer: usize,
        layer: &Layer,
    ) -> Result<(), PolicyError> {
        self.join(network, &layer.reads);
        let (before, after) = self.tensors.split_at_mut(buffer);
        let input = match layer.reads.as_slice() {
            [only] => before.get(*only),
            _ => Some(&self.joined),
        };
        let volume = layer.volume();
        let output = after.first_mut().and_then(|output| output.get_mut(..volume));
        let (Some(input), Some(output), Some(sums)) = (input, output, self.sums.get_mut(..volume)) else {
            return Err(PolicyError::FixedLength { what: "buffers", saw: buffer, wanted: before.len() + 1 });
        };
        layer.compute(path, input, 0..layer.parts(), sums, output)?;
        Ok(())
    }

    /// Brings the buffers that one layer reads together, where there are several.
    fn join(&mut self, network: &FixedNetwork, reads: &[usize]) {
        if reads.len() < 2 {
            return;
        }
        let mut rest = self.joined.as_mut_slice();
        for buffer in reads {
            let volume = network.volume(*buffer).unwrap_or(0);
            let from = self.tensors.get(*buffer).and_then(|tensor| tensor.get(..volume));
            let (Some(from), Some((to, after))) = (from, rest.split_at_mut_checked(volume)) else { return };
            to.copy_from_slice(from);
            rest = after;
        }
    }

    fn finish(&mut self, network: &FixedNetwork, scores: &mut [f32]) -> Result<(), PolicyError> {
        if scores.len() != network.outputs() {
            return Err(PolicyError::FixedLength {
                what: "scores",
                saw: scores.len(),
                wanted: network.outputs(),
            });
        }
        match &network.finish {
            Finish::Head(head) => {
                self.join(network, &head.reads);
                let input = match head.reads.as_slice() {
                    [only] => self.tensors.get(*only),
                    _ => Some(&self.joined),
                };
                head.compute(input.map_or(&[], Vec::as_slice), &mut self.raw, scores);
            }
            Finish::Activations(places) => {
                let step = network.layers.last().map_or(0.0, |layer| layer.step);
                let last = self.tensors.last();
                for (score, place) in scores.iter_mut().zip(places) {
                    let value = last.and_then(|last| last.get(*place as usize)).copied().unwrap_or(0);
                    *score = narrowed(f64::from(value) * step);
                }
            }
        }
        Ok(())
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
