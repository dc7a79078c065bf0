//! The fixed-point network as one operator of tract's plan, with buffers, and a second thread where
//! one is asked for, that are kept from run to run. A door to tract.

use std::sync::Arc;

use tract_onnx::prelude::{PlainView, TValue, TVec, Tensor, TractResult, TypedFact, tvec};
use tract_onnx::tract_core::internal::{
    DatumExt, EvalContext, EvalOp, LaneId, Op, OpState, StaticName, TypedOp, format_err,
};
use tract_onnx::tract_core::{as_op, not_out_of_plan, op_as_typed_op};

use super::super::kernels::Path;
use super::buffers::Buffers;
use super::crew::{Crew, Threads};
use super::network::FixedNetwork;

/// The operator: as many `f32` inputs as the network has, one `f32` output of `shape`.
#[derive(Clone, Debug)]
pub struct FixedOp {
    /// The network.
    pub network: Arc<FixedNetwork>,
    /// The output's shape.
    pub shape: Vec<usize>,
    /// The instructions that run it.
    pub path: Path,
    /// The threads that share it.
    pub threads: Threads,
}

impl PartialEq for FixedOp {
    fn eq(&self, other: &Self) -> bool {
        let own = (&self.shape, self.path, self.threads);
        Arc::ptr_eq(&self.network, &other.network) && own == (&other.shape, other.path, other.threads)
    }
}

impl Eq for FixedOp {}

impl Op for FixedOp {
    fn name(&self) -> StaticName {
        "FixedPoint".into()
    }

    op_as_typed_op!();
}

impl EvalOp for FixedOp {
    not_out_of_plan!();

    fn state(&self, _ctx: &EvalContext<'_>) -> TractResult<Option<Box<dyn OpState>>> {
        let output = Arc::new(Tensor::zero::<f32>(&self.shape)?);
        let crew = match self.threads {
            Threads::One => None,
            Threads::Two => Some(Crew::default()),
        };
        Ok(Some(Box::new(Running { buffers: Buffers::new(&self.network), crew, output })))
    }
}

impl TypedOp for FixedOp {
    fn output_facts(&self, _inputs: &[&TypedFact]) -> TractResult<TVec<TypedFact>> {
        Ok(tvec![f32::fact(&self.shape)])
    }

    as_op!();
}

/// What a running plan keeps for it.
#[derive(Clone, Debug)]
struct Running {
    buffers: Buffers,
    crew: Option<Crew>,
    output: Arc<Tensor>,
}

impl OpState for Running {
    fn eval(
        &mut self,
        _ctx: &EvalContext<'_>,
        op: &dyn Op,
        inputs: TVec<TValue>,
    ) -> TractResult<TVec<TValue>> {
        let op = op.downcast_ref::<FixedOp>().ok_or_else(|| format_err!("another operator's state"))?;
        let plain = inputs.iter().map(|input| input.try_as_plain_ram()).collect::<TractResult<TVec<_>>>()?;
        let slices = plain.iter().map(PlainView::as_slice::<f32>).collect::<TractResult<TVec<_>>>()?;
        if Arc::get_mut(&mut self.output).is_none() {
            // Somebody kept the last one; it is left to them.
            self.output = Arc::new(Tensor::zero::<f32>(&op.shape)?);
        }
        if let Some(output) = Arc::get_mut(&mut self.output) {
            let mut output = output.try_as_plain_ram_mut()?;
            let scores = output.as_slice_mut::<f32>()?;
            match &mut self.crew {
                None => self.buffers.run(&op.network, op.path, &slices, scores)?,
                Some(crew) => crew.run(&mut self.buffers, (&op.network, op.path), &slices, scores)?,
            }
        }
        Ok(tvec![TValue::from_const(Arc::clone(&self.output))])
    }

    fn reset_lanes(&mut self, _lanes: &[LaneId]) -> TractResult<()> {
        // Nothing here outlives a run.
        Ok(())
    }
}
