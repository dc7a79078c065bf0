//! What a run of a fixed-point network writes: buffers that are kept, one kernel call per layer. Refuses inputs of other lengths.

use std::ops::Range;

use super::super::PolicyError;
use super::super::kernels::Path;
use super::network::{Finish, FixedNetwork, Layer, narrowed};

/// The most elements beyond its input that a kernel reads ([`super::proof`]).
const BEYOND: usize = 31;

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
        self.fill(network, inputs)?;
        for (at, layer) in network.layers.iter().enumerate() {
            self.layer(network, path, at, 0..layer.parts())?;
        }
        self.finish(network, scores)
    }

    /// Turns the inputs into integers.
    ///
    /// # Errors
    /// [`PolicyError::FixedLength`].
    pub(super) fn fill(&mut self, network: &FixedNetwork, inputs: &[&[f32]]) -> Result<(), PolicyError> {
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
        Ok(())
    }

    /// The integers of an input, or the activations of a layer: inputs first, then layers in order.
    pub(super) fn tensor(&mut self, buffer: usize) -> &mut [i16] {
        self.tensors.get_mut(buffer).map(Vec::as_mut_slice).unwrap_or_default()
    }

    /// Computes some of the parts of a layer.
    ///
    /// # Errors
    /// As [`Self::run`].
    pub(super) fn layer(
        &mut self,
        network: &FixedNetwork,
        path: Path,
        at: usize,
        parts: Range<usize>,
    ) -> Result<(), PolicyError> {
        let Some(layer) = network.layers.get(at) else { return Ok(()) };
        let buffer = at + network.inputs.len();
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
        layer.compute(path, input, parts, sums, output)?;
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
        // What a kernel reads beyond is nobody's, least of all an earlier layer's.
        rest.iter_mut().take(BEYOND).for_each(|beyond| *beyond = 0);
    }

    /// Makes scores of the last buffers.
    ///
    /// # Errors
    /// [`PolicyError::FixedLength`].
    pub(super) fn finish(&mut self, network: &FixedNetwork, scores: &mut [f32]) -> Result<(), PolicyError> {
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
