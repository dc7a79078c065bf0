//! What a graph is followed by: tensors as buffers seen in another order, and constants.

/// A tensor of the graph: some buffer, seen in the tensor's own order.
#[derive(Clone, Debug)]
pub(super) struct Value {
    pub(super) buffer: usize,
    /// The tensor is the buffer's real value times this.
    pub(super) factor: f64,
    pub(super) shape: Vec<usize>,
    /// The element of the buffer for each element of the tensor, row-major.
    pub(super) map: Vec<u32>,
}

/// What an operator says that has no fixed-point form.
pub(super) type Why = String;

/// A constant tensor, row-major.
#[derive(Clone, Debug)]
pub(super) struct Constant {
    pub(super) shape: Vec<usize>,
    pub(super) values: Vec<f32>,
}

impl Constant {
    /// The one value of all its elements.
    pub(super) fn uniform(&self) -> Option<f32> {
        let first = *self.values.first()?;
        self.values.iter().all(|value| value.to_bits() == first.to_bits()).then_some(first)
    }
}
