//! The last layer: exact sums, scores in a documented order of `f64` operations. Plain Rust on every CPU: it is small.

use libm::exp;

use super::network::narrowed;

/// A dense layer whose sums are scores.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// Its name in the graph.
    pub name: String,
    /// The buffers that it reads, one after the other.
    pub reads: Vec<usize>,
    /// `[outputs][inputs]`.
    pub weights: Vec<i16>,
    /// One per output, in units of its sum.
    pub bias: Vec<i64>,
    /// What one unit of an output's sum stands for.
    pub unit: Vec<f64>,
    /// Whether the scores are a softmax over the outputs.
    pub softmax: bool,
}

impl Head {
    /// Weights of one output.
    #[must_use]
    pub fn fan_in(&self) -> usize {
        self.weights.len() / self.bias.len().max(1)
    }

    /// Scores of `input`; `raw` and `scores` are as long as there are outputs. No overflow: fewer than 2^32 products
    /// of 2^30 stay within `i64`.
    pub(super) fn compute(&self, input: &[i16], raw: &mut [f64], scores: &mut [f32]) {
        let rows = self.weights.chunks_exact(self.fan_in().max(1));
        for ((raw, row), (bias, unit)) in raw.iter_mut().zip(rows).zip(self.bias.iter().zip(&self.unit)) {
            // Products in pieces that fit 32 bits, which compilers turn into vectors: integers come out the same in any order.
            let pieces = row.chunks(PIECE).zip(input.chunks(PIECE));
            let sum: i64 = pieces.map(|(weights, input)| i64::from(dot(weights, input))).sum();
            *raw = units(sum + bias) * unit;
        }
        if self.softmax {
            softmax(raw);
        }
        scores.iter_mut().zip(raw).for_each(|(score, raw)| *score = narrowed(*raw));
    }
}

/// Products that fit 32 bits together: 8 * 8191 * 32767 < 2^31.
const PIECE: usize = 8;

fn dot(weights: &[i16], input: &[i16]) -> i32 {
    weights.iter().zip(input).map(|(w, x)| i32::from(*w) * i32::from(*x)).sum()
}

/// Exact up to 2^53, rounded to nearest beyond.
#[expect(clippy::cast_precision_loss, reason = "IEEE rounding to nearest is the same everywhere")]
fn units(sum: i64) -> f64 {
    sum as f64
}

/// `exp(x - max) / sum`, in order.
fn softmax(raw: &mut [f64]) {
    let max = raw.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for x in raw.iter_mut() {
        *x = exp(*x - max);
        sum += *x;
    }
    for x in raw.iter_mut() {
        *x /= sum;
    }
}
