//! Training's resize: Pillow's `BILINEAR` on 8-bit RGB, bit for bit, to 160x120 (car.md §3.4). It is antialiased:
//! when it shrinks, the triangle grows with the ratio and covers every source pixel.
//!
//! The arithmetic, from Pillow's behaviour (before version 13, which may swap the passes): weights in double,
//! normalised, then rounded to 22 bits; columns first, then rows, each pass rounded and clipped to 8 bits.

use crate::domain::observation::{HEIGHT, WIDTH};

const PRECISION: u32 = 22;

/// For each output position of one axis: the first source position, and the weights from there on.
#[derive(Debug, Default)]
struct Axis {
    from: usize,
    spans: Vec<(usize, usize)>,
    weights: Vec<i32>,
}

/// The plan for one source size and the memory between the passes; made again only when the size changes.
#[derive(Debug, Default)]
pub(super) struct Antialiased {
    columns: Axis,
    rows: Axis,
    narrow: Vec<u8>,
    sums: Vec<i32>,
}

impl Antialiased {
    /// Resizes RGB `from` of `size` (width, height; neither is 0) to 160x120 in `into`.
    pub(super) fn resize(&mut self, from: &[u8], size: (usize, usize), into: &mut [u8]) {
        let (width, height) = size;
        if size == (WIDTH, HEIGHT) {
            into.copy_from_slice(from);
            return;
        }
        self.columns.plan(width, WIDTH);
        self.rows.plan(height, HEIGHT);
        self.narrow.resize(WIDTH * height * 3, 0);
        let rows = self.narrow.chunks_exact_mut(WIDTH * 3).zip(from.chunks_exact(width * 3));
        for (out, row) in rows {
            for (out, (first, weights)) in out.as_chunks_mut::<3>().0.iter_mut().zip(self.columns.taps()) {
                let mut sums = [1 << (PRECISION - 1); 3];
                let pixels = row.as_chunks::<3>().0.iter().skip(first);
                for (pixel, weight) in pixels.zip(weights) {
                    for (sum, level) in sums.iter_mut().zip(pixel) {
                        *sum += i32::from(*level) * weight;
                    }
                }
                *out = sums.map(clip);
            }
        }
        self.sums.resize(WIDTH * 3, 0);
        for (out, (first, weights)) in into.chunks_exact_mut(WIDTH * 3).zip(self.rows.taps()) {
            self.sums.fill(1 << (PRECISION - 1));
            for (row, weight) in self.narrow.chunks_exact(WIDTH * 3).skip(first).zip(weights) {
                for (sum, level) in self.sums.iter_mut().zip(row) {
                    *sum += i32::from(*level) * weight;
                }
            }
            for (out, sum) in out.iter_mut().zip(&self.sums) {
                *out = clip(*sum);
            }
        }
    }
}

impl Axis {
    #[expect(clippy::cast_precision_loss, reason = "sizes are at most 4096")]
    fn plan(&mut self, from: usize, to: usize) {
        if self.from == from {
            return;
        }
        self.from = from;
        self.spans.clear();
        self.weights.clear();
        let scale = from as f64 / to as f64;
        let support = scale.max(1.0);
        for at in 0..to {
            self.add(from, (at as f64 + 0.5) * scale, support);
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positions are 0 to 4096; a weight is at most 2^22"
    )]
    fn add(&mut self, from: usize, centre: f64, support: f64) {
        let first = (centre - support + 0.5).max(0.0) as usize;
        let end = ((centre + support + 0.5) as usize).min(from);
        let shrink = 1.0 / support;
        let triangle = |at: usize| (1.0 - ((at as f64 - centre + 0.5) * shrink).abs()).max(0.0);
        let total: f64 = (first..end).map(triangle).sum();
        let unit = f64::from(1_u32 << PRECISION);
        self.spans.push((first, end - first));
        self.weights.extend((first..end).map(|at| (triangle(at) / total * unit + 0.5) as i32));
    }

    /// For each output position, the first source position and the weights.
    fn taps(&self) -> impl Iterator<Item = (usize, &[i32])> {
        let mut rest = self.weights.as_slice();
        self.spans.iter().map(move |(first, count)| {
            let (weights, after) = rest.split_at_checked(*count).unwrap_or_default();
            rest = after;
            (*first, weights)
        })
    }
}

#[expect(clippy::cast_sign_loss, reason = "clipped to 0..=255 first")]
fn clip(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

#[cfg(test)]
mod tests {
    use super::{Antialiased, Axis};

    #[test]
    fn a_span_covers_the_whole_block_and_sums_to_one() {
        let mut axis = Axis::default();
        axis.plan(640, 160);
        let taps: Vec<_> = axis.taps().collect();
        // Output 1 has its centre at 6 and reaches 4 either way: 2..10, the triangle 1 3 5 7 7 5 3 1 over 32.
        let eighth = |n: i32| n * (1 << 22) / 32;
        assert_eq!(taps[1].0, 2);
        assert_eq!(taps[1].1, [1, 3, 5, 7, 7, 5, 3, 1].map(eighth));
        for (_, weights) in taps {
            assert!((weights.iter().sum::<i32>() - (1 << 22)).abs() <= 4);
        }
    }

    #[test]
    fn a_flat_picture_stays_flat() {
        let mut resize = Antialiased::default();
        for (width, height) in [(640, 480), (7, 500), (500, 7), (1, 1)] {
            let from = [10, 200, 255].repeat(width * height);
            let mut into = vec![0; 160 * 120 * 3];
            resize.resize(&from, (width, height), &mut into);
            assert!(into.as_chunks::<3>().0.iter().all(|pixel| *pixel == [10, 200, 255]), "{width}x{height}");
        }
    }
}
