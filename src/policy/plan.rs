//! The plan that runs: tract's, spawned once, fed from memory that is kept. A door to tract.

use tract_onnx::prelude::{Arc, IntoRunnable, OutletId, TractResult, TypedModel, TypedSimpleState};
use tract_onnx::tract_core::internal::{DatumExt, SpecialOps};
use tract_onnx::tract_core::tract_linalg;

use super::feed::{Feed, Layout, Slot};
use super::fixed::crew::Threads;
use super::fixed::network::FixedNetwork;
use super::fixed::operator::FixedOp;
use super::kernels::Path;
use super::{Policy, PolicyError, guarded};
use crate::domain::{Observation, Scores, Sensor};

/// A network that is ready to run. The tensors that are fed in are kept from run to run.
pub struct Plan {
    state: TypedSimpleState,
    feed: Feed,
    outputs: usize,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("feed", &self.feed)
            .field("outputs", &self.outputs)
            .finish_non_exhaustive()
    }
}

/// The name of the arithmetic kernels that run `f32` plans on this machine, as the CPU and `TRACT_CPU_ISA` leave it:
/// `sse2` on the car, `fma` or `avx512` on a laptop. Scores are comparable bit for bit where it is the same.
#[must_use]
pub fn kernels() -> &'static str {
    tract_linalg::isa::native().nickname()
}

/// Whether the CPU has AVX2 and `TRACT_CPU_ISA` does not hide it.
#[must_use]
pub fn sees_avx2() -> bool {
    Path::Avx2.is_here() && tract_linalg::isa::native().iter().any(|isa| isa.name() == "avx2")
}

impl Plan {
    /// Optimises a typed model and makes it ready.
    ///
    /// # Errors
    /// [`PolicyError::Library`] with the step that failed.
    pub(super) fn compile(model: TypedModel, slots: &[Slot], outputs: usize) -> Result<Self, PolicyError> {
        let state = model
            .into_optimized()
            .and_then(IntoRunnable::into_runnable)
            .and_then(|plan| plan.spawn())
            .map_err(|error| PolicyError::library("optimising the network", error))?;
        Ok(Self { state, feed: Feed::new(slots)?, outputs })
    }

    /// The plan of a whole network in integers: one operator between inputs and output.
    ///
    /// # Errors
    /// [`PolicyError::Fixed`] where its inputs are not of the sensors' sizes, [`PolicyError::Library`].
    pub fn fixed(sensors: &[Sensor], network: Arc<FixedNetwork>, path: Path) -> Result<Self, PolicyError> {
        Self::fixed_in(sensors, network, path, Threads::One)
    }

    /// As [`Plan::fixed`], shared between threads; the same bits.
    ///
    /// # Errors
    /// As [`Plan::fixed`].
    pub fn fixed_in(
        sensors: &[Sensor],
        network: Arc<FixedNetwork>,
        path: Path,
        threads: Threads,
    ) -> Result<Self, PolicyError> {
        let slots: Vec<Slot> = sensors
            .iter()
            .map(|sensor| Slot { sensor: *sensor, layout: Layout::ChannelsLast, shape: sensor.shape() })
            .collect();
        let sizes = slots.iter().map(|slot| slot.shape.iter().product::<usize>());
        if !sizes.eq(network.inputs.iter().map(|input| input.len)) {
            return Err(PolicyError::Fixed {
                layer: "the inputs".to_owned(),
                saw: format!(
                    "{:?} elements",
                    network.inputs.iter().map(|input| input.len).collect::<Vec<_>>()
                ),
                wanted: "as many as the sensors have",
            });
        }
        let outputs = network.outputs();
        let wired = || -> TractResult<TypedModel> {
            let mut model = TypedModel::default();
            let sources = slots
                .iter()
                .map(|slot| model.add_source(slot.sensor.name(), f32::fact(&slot.shape)))
                .collect::<TractResult<Vec<OutletId>>>()?;
            let op = FixedOp { network, shape: vec![1, outputs], path, threads };
            let wires = model.wire_node("fixed point", op, &sources)?;
            model.select_output_outlets(&wires)?;
            Ok(model)
        };
        let model = wired().map_err(|error| PolicyError::library("wiring the fixed-point plan", error))?;
        Self::compile(model, &slots, outputs)
    }
}

impl Policy for Plan {
    fn infer(&mut self, observation: &Observation) -> Result<Scores, PolicyError> {
        let inputs = self.feed.tensors(observation)?;
        let outputs = guarded("running the network", || {
            self.state.run(inputs).map_err(|error| PolicyError::library("running the network", error))
        })?;
        let first =
            outputs.first().and_then(|tensor| Scores::new(tensor.try_as_plain_ram().ok()?.as_slice().ok()?));
        first.filter(|scores| scores.values().len() == self.outputs).ok_or(PolicyError::Outputs {
            actions: self.outputs,
            outputs: outputs.first().map_or(0, |tensor| tensor.len()),
        })
    }
}
