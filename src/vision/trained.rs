//! Training's resize: Pillow's `BILINEAR` on 8-bit RGB, bit for bit, to 160x120 (car.md §3.4). It is antialiased:
//! when it shrinks, the triangle grows with the ratio and covers every source pixel.
//!
//! The arithmetic, from Pillow's behaviour (before version 13, which may swap the passes): weights in double,
//! normalised, then rounded to 22 bits; columns first, then rows, each pass rounded and clipped to 8 bits. From 640x480 the
//! weights are the same 1 3 5 7 7 5 3 1 of 32 everywhere but at the edges, and 16 bits hold the same sums.

use std::ops::Range;

use crate::domain::observation::{HEIGHT, WIDTH};

const PRECISION: u32 = 22;

/// For each output position of one axis: the first source position, and the weights from there on.
#[derive(Debug, Default)]
struct Axis {
    from: usize,
    /// First source position, and where in `weights` its weights are.
    spans: Vec<(usize, Range<usize>)>,
    weights: Vec<i32>,
}

/// The plan for one source size and the memory between the passes; made again only when the size changes.
#[derive(Debug, Default)]
pub(super) struct Antialiased {
    columns: Axis,
    rows: Axis,
    narrow: Vec<u8>,
    sums: Vec<i32>,
    inside: Inside,
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
        // From 640x480 only the ends go the general way.
        let every = |length: usize, quarter: bool| if quarter { length - 1 } else { 1 };
        let (column_step, row_step) = (every(WIDTH, width == 4 * WIDTH), every(HEIGHT, height == 4 * HEIGHT));
        for (out, row) in rows {
            if column_step > 1 {
                self.inside.columns(row, out);
            }
            let outputs = out.as_chunks_mut::<3>().0.iter_mut().enumerate();
            for (at, out) in outputs.step_by(column_step) {
                let (first, weights) = self.columns.taps(at);
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
        for (at, out) in into.chunks_exact_mut(WIDTH * 3).enumerate() {
            let (first, weights) = self.rows.taps(at);
            if at % row_step > 0 {
                self.inside.rows(self.narrow.chunks_exact(WIDTH * 3).skip(first), out);
                continue;
            }
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

/// Reduction to a quarter, away from the edges: output d is made of the source from 4 d - 2 on.
const INSIDE: [u16; 8] = [1, 3, 5, 7, 7, 5, 3, 1];

/// Bytes of a row of 640 pixels.
const ROW: usize = 4 * WIDTH * 3;

/// The memory for it.
#[derive(Debug)]
struct Inside {
    /// From each byte of a row on, the sum of four pixels.
    fours: [u16; ROW],
    /// The sum of eight, weighed.
    eights: [u16; ROW],
    sums: [u16; WIDTH * 3],
}

impl Default for Inside {
    fn default() -> Self {
        Self { fours: [0; ROW], eights: [0; ROW], sums: [0; WIDTH * 3] }
    }
}

impl Inside {
    /// First pass on a row of 640 pixels, all outputs but the two at its ends. 1 3 5 7 7 5 3 1 is 1 1 1 1 after 1 2 2 2 1;
    /// both are made for every pixel, since neighbours share vectors, and every fourth is taken.
    #[expect(clippy::cast_possible_truncation, reason = "weights that sum to one, in 32 parts")]
    fn columns(&mut self, row: &[u8], out: &mut [u8]) {
        let beyond = |pixels: usize| row.get(3 * pixels..).unwrap_or_default();
        let four = row.iter().zip(beyond(1)).zip(beyond(2)).zip(beyond(3));
        for (sum, (((a, b), c), d)) in self.fours.iter_mut().zip(four) {
            *sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
        }
        let beyond = |pixels: usize| self.fours.get(3 * pixels..).unwrap_or_default();
        let five = self.fours.iter().zip(beyond(1)).zip(beyond(2)).zip(beyond(3)).zip(beyond(4));
        for (sum, ((((a, b), c), d), e)) in self.eights.iter_mut().zip(five) {
            *sum = (a + 2 * (b + c + d) + e + 16) >> 5;
        }
        let taken = self.eights.get(6..).unwrap_or_default().as_chunks::<12>().0;
        let (out, _) = out.as_chunks_mut::<3>();
        for (out, [r, g, b, ..]) in out.iter_mut().take(WIDTH - 1).skip(1).zip(taken) {
            *out = [*r as u8, *g as u8, *b as u8];
        }
    }

    /// Second pass, from the first of eight rows on.
    #[expect(clippy::cast_possible_truncation, reason = "weights that sum to one, in 32 parts")]
    fn rows<'a>(&mut self, rows: impl Iterator<Item = &'a [u8]>, out: &mut [u8]) {
        self.sums.fill(16);
        for (weight, row) in INSIDE.into_iter().zip(rows) {
            for (sum, level) in self.sums.iter_mut().zip(row) {
                *sum += weight * u16::from(*level);
            }
        }
        for (out, sum) in out.iter_mut().zip(&self.sums) {
            *out = (sum >> 5) as u8;
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
        let known = self.weights.len();
        self.spans.push((first, known..known + end - first));
        self.weights.extend((first..end).map(|at| (triangle(at) / total * unit + 0.5) as i32));
    }

    /// For an output position, the first source position and the weights.
    fn taps(&self, at: usize) -> (usize, &[i32]) {
        let span = self.spans.get(at);
        span.map_or((0, &[]), |(first, range)| (*first, self.weights.get(range.clone()).unwrap_or_default()))
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
        let taps: Vec<_> = (0..160).map(|at| axis.taps(at)).collect();
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
