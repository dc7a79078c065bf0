//! Observations as tensors: one for each input of a network, kept from run to run. A door to tract. Refuses observations of
//! another size.

use tract_onnx::prelude::{Arc, TValue, TVec, Tensor, tvec};

use super::PolicyError;
use crate::domain::{Observation, Sensor};

/// Where the channels of a camera tensor are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `[1, 120, 160, C]`, as AWS exports.
    ChannelsLast,
    /// `[1, C, 120, 160]`, as PyTorch exports.
    ChannelsFirst,
}

/// One input of a plan.
#[derive(Clone, Debug)]
pub struct Slot {
    /// What is fed in.
    pub sensor: Sensor,
    /// How a camera's channels lie.
    pub layout: Layout,
    /// The tensor's shape.
    pub shape: Vec<usize>,
}

/// The tensors that are fed in.
#[derive(Clone)]
pub struct Feed {
    slots: Vec<(Slot, Arc<Tensor>)>,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.slots.iter().map(|(slot, _)| slot)).finish()
    }
}

impl Feed {
    /// Makes room.
    ///
    /// # Errors
    /// [`PolicyError::Library`] where the library does not.
    pub(super) fn new(slots: &[Slot]) -> Result<Self, PolicyError> {
        let room = |slot: &Slot| {
            let tensor = Tensor::zero::<f32>(&slot.shape)
                .map_err(|error| PolicyError::library("making room for an input", error))?;
            Ok((slot.clone(), Arc::new(tensor)))
        };
        Ok(Self { slots: slots.iter().map(room).collect::<Result<_, PolicyError>>()? })
    }

    /// The tensors of an observation.
    ///
    /// # Errors
    /// [`PolicyError::Observation`] where it is of another size.
    pub(super) fn tensors(&mut self, observation: &Observation) -> Result<TVec<TValue>, PolicyError> {
        self.fill(observation)?;
        Ok(match self.slots.as_slice() {
            [(_, one)] => tvec![TValue::from_const(Arc::clone(one))],
            many => many.iter().map(|(_, tensor)| TValue::from_const(Arc::clone(tensor))).collect(),
        })
    }

    fn fill(&mut self, observation: &Observation) -> Result<(), PolicyError> {
        for (slot, tensor) in &mut self.slots {
            let from = if slot.sensor.ranges() > 0 { &observation.ranges } else { &observation.camera };
            let wanted = slot.shape.iter().product();
            if from.len() != wanted {
                return Err(PolicyError::Observation { sensor: slot.sensor.name(), saw: from.len(), wanted });
            }
            if Arc::get_mut(tensor).is_none() {
                // Somebody below kept the last one; it is left to them.
                *tensor = Arc::new(
                    Tensor::zero::<f32>(&slot.shape)
                        .map_err(|error| PolicyError::library("making room for an input", error))?,
                );
            }
            let Some(tensor) = Arc::get_mut(tensor) else { continue };
            let mut view = tensor
                .try_as_plain_ram_mut()
                .map_err(|error| PolicyError::library("filling an input", error))?;
            let to = view
                .as_slice_mut::<f32>()
                .map_err(|error| PolicyError::library("filling an input", error))?;
            match (slot.layout, slot.sensor.channels()) {
                (Layout::ChannelsFirst, 2) => split_channels(from, to),
                _ => to.copy_from_slice(from),
            }
        }
        Ok(())
    }
}

/// Interleaved left and right to one plane after the other.
fn split_channels(from: &[f32], to: &mut [f32]) {
    let (left, right) = to.split_at_mut(from.len() / 2);
    for ((pair, left), right) in from.chunks_exact(2).zip(left).zip(right) {
        if let [l, r] = pair {
            (*left, *right) = (*l, *r);
        }
    }
}
