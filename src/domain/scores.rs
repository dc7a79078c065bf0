//! The policy's raw output, in a fixed place so that a tick allocates nothing.

/// The most outputs that a policy may have; the largest seen in the wild is 71 (community.md D.4).
pub const CAPACITY: usize = 128;

/// Up to [`CAPACITY`] numbers: probabilities (discrete), or steering and speed means (continuous).
#[derive(Clone, Copy, Debug)]
pub struct Scores {
    len: usize,
    values: [f32; CAPACITY],
}

impl Scores {
    /// No output: there was no observation.
    pub const NONE: Self = Self { len: 0, values: [0.0; CAPACITY] };

    /// Copies `values`; `None` where there are more than [`CAPACITY`].
    #[must_use]
    pub fn new(values: &[f32]) -> Option<Self> {
        let mut scores = Self::NONE;
        scores.values.get_mut(..values.len())?.copy_from_slice(values);
        scores.len = values.len();
        Some(scores)
    }

    /// The outputs, in the network's order.
    #[must_use]
    pub fn values(&self) -> &[f32] {
        self.values.get(..self.len).unwrap_or(&[])
    }

    /// Whether every output is a finite number (and there is at least one).
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.len > 0 && self.values().iter().all(|value| value.is_finite())
    }
}
