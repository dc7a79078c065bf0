//! A float network as the fixed-point builder wants it: sources, layers that multiply, and the head, with weights laid
//! out as the integer kernels read activations. Knows no graph library; refuses nothing.

use super::super::kernels::Windows;

/// An input of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Elements of the tensor.
    pub len: usize,
    /// Whether it holds whole grey values, 0..=255.
    pub pixels: bool,
    /// Where each element of the tensor goes; empty where it stays in its place.
    pub places: Vec<u32>,
}

/// What a layer computes.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// A convolution, or one dense layer at every position: `weights` are `[channels][taps * run]`.
    Conv(Windows),
    /// All of what it reads times `[channels][inputs]`.
    Dense,
}

/// A layer with weights.
#[derive(Clone, Debug, PartialEq)]
pub struct FloatLayer {
    /// Its name in the graph.
    pub name: String,
    /// The buffers that it reads, one after the other: the sources first, then the layers in order.
    pub reads: Vec<usize>,
    /// What it does with them.
    pub kind: Kind,
    /// Output channels.
    pub channels: usize,
    /// Weights per channel, in the order of the buffers' elements; already times whatever constant stood before the layer.
    pub weights: Vec<f32>,
    /// One per channel.
    pub bias: Vec<f32>,
    /// Whether negative results are cut to zero.
    pub relu: bool,
}

impl FloatLayer {
    /// Weights of one channel.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        self.weights.len() / self.channels.max(1)
    }

    /// Elements that it writes, padding and all.
    #[must_use]
    pub fn volume(&self) -> usize {
        match &self.kind {
            Kind::Conv(windows) => windows.rows * windows.cols * padded(self.channels),
            Kind::Dense => self.channels.next_multiple_of(DENSE_LANES),
        }
    }
}

/// Outputs of a dense layer come in groups of this many.
pub const DENSE_LANES: usize = 8;

/// Channels of a convolution come in groups of four.
#[must_use]
pub fn padded(channels: usize) -> usize {
    channels.next_multiple_of(4)
}

/// What happens to the last buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The last layer's sums are the scores.
    Sums,
    /// A softmax over them.
    Softmax,
    /// The activations of the last layer, in this order.
    Activations(Vec<u32>),
}

/// The network.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// The inputs.
    pub sources: Vec<Source>,
    /// The layers, each after all that it reads.
    pub layers: Vec<FloatLayer>,
    /// What the last one's results become.
    pub end: End,
}
