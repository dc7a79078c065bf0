//! The kernels in plain Rust: the reference, on every CPU. Sums wrap like the vector instructions' own.

use super::conv::{Block, Checked as Conv};
use super::dense::{CHUNK, Checked as Dense, ROWS};

/// Convolution.
pub(super) fn conv(job: Conv<'_>) {
    let walk = job.walk();
    let Conv { input, weights, rescale, windows, output, .. } = job;
    for block in weights.blocks() {
        let pixels = output.chunks_exact_mut(weights.channels());
        for (pixel, at) in pixels.zip(walk.clone()) {
            let window =
                (0..windows.taps).filter_map(|tap| input.get(at + tap * windows.pitch..)?.get(..windows.run));
            let mut sums = [[0_i32; 4]; 4];
            match block.width {
                16 => add_window::<4>(window, &block, &mut sums),
                _ => add_window::<1>(window, &block, &mut sums),
            }
            for (four, first) in sums.iter().zip((block.first..block.first + block.width).step_by(4)) {
                rescale.four(four, pixel, first);
            }
        }
    }
}

/// Adds the products of one window to the sums of `G` groups of four channels.
fn add_window<'a, const G: usize>(
    window: impl Iterator<Item = &'a [i16]>,
    block: &Block<'_>,
    sums: &mut [[i32; 4]],
) {
    let mut lanes = block.lanes.as_chunks::<G>().0.iter();
    for run in window {
        for ([a, b], groups) in run.as_chunks::<2>().0.iter().zip(&mut lanes) {
            for (group, lane) in sums.iter_mut().zip(groups) {
                for (sum, [v, w]) in group.iter_mut().zip(lane.0.as_chunks::<2>().0) {
                    let products =
                        (i32::from(*a) * i32::from(*v)).wrapping_add(i32::from(*b) * i32::from(*w));
                    *sum = sum.wrapping_add(products);
                }
            }
        }
    }
}

/// Dense layer: one output after the other, in a form in which compilers find vectors.
pub(super) fn dense(job: Dense<'_>) {
    let Dense { input, bytes, sums } = job;
    for (block, totals) in bytes.chunks_exact(ROWS * input.len()).zip(sums) {
        *totals = [0; ROWS];
        for (weights, chunk) in block.chunks(ROWS * CHUNK).zip(input.chunks(CHUNK)) {
            for (row, total) in totals.iter_mut().enumerate() {
                let eights = weights.as_chunks::<8>().0.iter().skip(row).step_by(ROWS);
                let mut lanes = [0_i32; 8];
                for (weights, inputs) in eights.zip(chunk.as_chunks::<8>().0) {
                    for (lane, (weight, x)) in lanes.iter_mut().zip(weights.iter().zip(inputs)) {
                        *lane = lane.wrapping_add(i32::from(weight.cast_signed()) * i32::from(*x));
                    }
                }
                *total += i64::from(lanes.into_iter().fold(0, i32::wrapping_add));
            }
        }
    }
}
