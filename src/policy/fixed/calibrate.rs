//! What the activations of a network reach: the float network runs on observations, and its layers are looked at. A door to
//! tract. Refuses observations that make an activation infinite.

use tract_onnx::prelude::{IntoRunnable, OutletId, TypedSimpleState};

use super::super::feed::Feed;
use super::super::{PolicyError, Typed};
use super::build::{Maxima, build};
use super::file::Part;
use super::graph::Unsupported;
use super::parts::{Draft, split};
use crate::domain::Observation;

/// A calibration that is going on.
#[derive(Debug)]
pub struct Calibration {
    state: TypedSimpleState,
    feed: Feed,
    drafts: Vec<Draft>,
    kept: Vec<Unsupported>,
    /// One for each draft's taps, one after the other.
    maxima: Vec<f64>,
    /// Which output of the run each tap is.
    order: Vec<usize>,
}

impl Calibration {
    /// Looks for the layers that have a fixed-point form, and prepares the float network to show their values.
    ///
    /// # Errors
    /// [`PolicyError::Library`] with the step that failed.
    pub fn new(typed: &Typed) -> Result<Self, PolicyError> {
        let split = split(typed)?;
        let taps: Vec<OutletId> = split.drafts.iter().flat_map(|draft| &draft.taps).copied().collect();
        // An outlet may be one layer's output and the next one's input; the library wants each once.
        let mut outlets = taps.clone();
        outlets.sort();
        outlets.dedup();
        let mut model = split.model;
        if !outlets.is_empty() {
            model
                .select_output_outlets(&outlets)
                .map_err(|error| PolicyError::library("looking into the network", error))?;
        }
        let state = model
            .into_optimized()
            .and_then(IntoRunnable::into_runnable)
            .and_then(|plan| plan.spawn())
            .map_err(|error| PolicyError::library("optimising the network to calibrate it", error))?;
        let order = taps.iter().map(|tap| outlets.binary_search(tap).unwrap_or(usize::MAX)).collect();
        Ok(Self {
            state,
            feed: Feed::new(&typed.slots)?,
            drafts: split.drafts,
            kept: split.kept,
            maxima: vec![0.0; taps.len()],
            order,
        })
    }

    /// What stays in `f32`, and why.
    #[must_use]
    pub fn kept(&self) -> &[Unsupported] {
        &self.kept
    }

    /// Whether any layer has a fixed-point form.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.drafts.is_empty()
    }

    /// Looks at one observation.
    ///
    /// # Errors
    /// [`PolicyError::Observation`], [`PolicyError::Library`], or [`PolicyError::Fixed`] for what is not finite.
    pub fn observe(&mut self, observation: &Observation) -> Result<(), PolicyError> {
        let inputs = self.feed.tensors(observation)?;
        let library = |error| PolicyError::library("running the network to calibrate it", error);
        let outputs = self.state.run(inputs).map_err(library)?;
        for (maximum, at) in self.maxima.iter_mut().zip(&self.order) {
            let Some(tensor) = outputs.get(*at) else { continue };
            let values = tensor.try_as_plain_ram().map_err(library)?;
            let values = values.as_slice::<f32>().map_err(library)?;
            let reached =
                values.iter().fold(0.0_f32, |max, value| if value.abs() > max { value.abs() } else { max });
            if !reached.is_finite() || values.iter().any(|value| value.is_nan()) {
                return Err(PolicyError::Fixed {
                    layer: "an activation".to_owned(),
                    saw: "infinity or NaN on a frame to calibrate on".to_owned(),
                    wanted: "finite numbers",
                });
            }
            *maximum = maximum.max(f64::from(reached));
        }
        Ok(())
    }

    /// The parts, with room above what was seen.
    ///
    /// # Errors
    /// [`PolicyError::Fixed`] naming the layer whose numbers do not fit.
    pub fn finish(&self) -> Result<Vec<Part>, PolicyError> {
        let mut rest = self.maxima.as_slice();
        self.drafts
            .iter()
            .map(|draft| {
                let (own, after) = rest.split_at_checked(draft.taps.len()).unwrap_or((rest, &[]));
                rest = after;
                let (sources, layers) =
                    own.split_at_checked(draft.outline.sources.len()).unwrap_or((own, &[]));
                let maxima = Maxima { sources: sources.to_vec(), layers: layers.to_vec() };
                Ok(Part { stands_for: draft.stands_for.clone(), network: build(&draft.outline, &maxima)? })
            })
            .collect()
    }
}
