//! OpenCV's `cv::resize` with `INTER_LINEAR` on 8 bits, bit for bit, to the network's 160x120 (crates.md §3).
//! No antialias: each output pixel mixes the four source pixels around its centre.
//!
//! The arithmetic, from OpenCV's behaviour: the source coordinate is `(d + 0.5) * scale - 0.5` in double, kept as
//! float; its fraction becomes two weights of 11 bits, rounded half to even. Rows are mixed first, into 19 bits;
//! then columns: `(((b0 * (s0 >> 4)) >> 16) + ((b1 * (s1 >> 4)) >> 16) + 2) >> 2`. Off the left and right edge the
//! weight moves to the edge pixel; off the top and bottom the weights stay and both rows are the edge row.

use crate::domain::observation::{HEIGHT, WIDTH};

/// The sum of a pair of weights.
const ONE: f32 = 2048.0;

/// One output position along one axis: two source positions and their weights.
#[derive(Clone, Copy, Debug, Default)]
struct Tap {
    at: [usize; 2],
    weight: [i32; 2],
}

/// Where every output row and column comes from, for one source size; made again only when the size changes.
/// Keeps its memory.
#[derive(Debug, Default)]
pub(super) struct Bilinear {
    size: (usize, usize),
    columns: Vec<Tap>,
    rows: Vec<Tap>,
    /// The two source rows that were mixed last, and which ones they are.
    mixed: [Vec<i32>; 2],
}

impl Bilinear {
    /// Resizes `from`, of `size` (width, height; neither is 0) with `C` bytes a pixel, to 160x120 in `into`.
    pub(super) fn resize<const C: usize>(&mut self, from: &[u8], size: (usize, usize), into: &mut [u8]) {
        if size == (WIDTH, HEIGHT) {
            into.copy_from_slice(from);
            return;
        }
        for ratio in [2, 4, 8] {
            // All weights are one half then, and the rounding of the two steps comes to this.
            if size == (WIDTH * ratio, HEIGHT * ratio) {
                return centres::<C>(from, ratio, into);
            }
        }
        self.plan(size);
        let mut held = [usize::MAX; 2];
        let stride = size.0 * C;
        for (out, tap) in into.chunks_exact_mut(WIDTH * C).zip(&self.rows) {
            if held.first() != Some(&tap.at[0]) && held.last() == Some(&tap.at[0]) {
                self.mixed.swap(0, 1);
                held.swap(0, 1);
            }
            for ((mixed, held), at) in self.mixed.iter_mut().zip(&mut held).zip(tap.at) {
                if *held != at {
                    mixed.resize(WIDTH * C, 0);
                    mix_columns::<C>(from.get(at * stride..).unwrap_or_default(), &self.columns, mixed);
                    *held = at;
                }
            }
            let [upper, lower] = &self.mixed;
            mix_rows(upper, lower, tap.weight, out);
        }
    }

    fn plan(&mut self, size: (usize, usize)) {
        if self.size != size {
            self.columns.clear();
            self.columns.extend((0..WIDTH).map(|at| column(at, size.0)));
            self.rows.clear();
            self.rows.extend((0..HEIGHT).map(|at| row(at, size.1)));
            self.size = size;
        }
    }
}

/// The whole source position left of output `at`, and the fraction beyond it.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "sizes are at most 4096, exact in both; the narrowing to float is OpenCV's own"
)]
fn position(at: usize, from: usize, to: usize) -> (isize, f32) {
    // OpenCV divides twice; the quotient's rounding is part of the result.
    let scale = 1.0 / (to as f64 / from as f64);
    let exact = ((at as f64 + 0.5) * scale - 0.5) as f32;
    let whole = exact.floor();
    (whole as isize, exact - whole)
}

#[expect(clippy::cast_possible_truncation, reason = "a weight is 0 to 2048")]
fn weights(fraction: f32) -> [i32; 2] {
    [(1.0 - fraction) * ONE, fraction * ONE].map(|weight| weight.round_ties_even() as i32)
}

fn column(at: usize, from: usize) -> Tap {
    let last = from.saturating_sub(1);
    let (whole, fraction) = position(at, from, WIDTH);
    match usize::try_from(whole) {
        Err(_) => Tap { at: [0; 2], weight: weights(0.0) },
        Ok(whole) if whole >= last => Tap { at: [last; 2], weight: weights(0.0) },
        Ok(whole) => Tap { at: [whole, whole + 1], weight: weights(fraction) },
    }
}

fn row(at: usize, from: usize) -> Tap {
    let last = from.saturating_sub(1);
    let (whole, fraction) = position(at, from, HEIGHT);
    let inside = |row: isize| usize::try_from(row).map_or(0, |row| row.min(last));
    Tap { at: [inside(whole), inside(whole + 1)], weight: weights(fraction) }
}

fn mix_columns<const C: usize>(row: &[u8], columns: &[Tap], into: &mut [i32]) {
    let pixel = |at: usize| row.get(at * C..).and_then(<[u8]>::first_chunk::<C>).unwrap_or(&[0; C]);
    for (out, tap) in into.chunks_exact_mut(C).zip(columns) {
        let ([left, right], [near, far]) = (tap.at.map(pixel), tap.weight);
        for ((out, left), right) in out.iter_mut().zip(left).zip(right) {
            *out = i32::from(*left) * near + i32::from(*right) * far;
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of levels is a level")]
fn mix_rows(upper: &[i32], lower: &[i32], [near, far]: [i32; 2], into: &mut [u8]) {
    for ((out, upper), lower) in into.iter_mut().zip(upper).zip(lower) {
        *out = ((((near * (upper >> 4)) >> 16) + ((far * (lower >> 4)) >> 16) + 2) >> 2) as u8;
    }
}

/// Reduction by an even whole number: the mean of the four pixels at the centre of each block, rounded.
#[expect(clippy::cast_possible_truncation, reason = "a mean of levels is a level")]
fn centres<const C: usize>(from: &[u8], ratio: usize, into: &mut [u8]) {
    let stride = WIDTH * ratio * C;
    let inset = ratio / 2 - 1;
    for (out, block) in into.chunks_exact_mut(WIDTH * C).zip(from.chunks_exact(stride * ratio)) {
        let mut rows = block.chunks_exact(stride).skip(inset);
        let (Some(upper), Some(lower)) = (rows.next(), rows.next()) else { return };
        let cells = upper.chunks_exact(ratio * C).zip(lower.chunks_exact(ratio * C));
        for (out, (upper, lower)) in out.chunks_exact_mut(C).zip(cells) {
            let (upper, lower) = (upper.get(inset * C..), lower.get(inset * C..));
            let (Some(upper), Some(lower)) = (upper, lower) else { return };
            let (a, b) = (upper.iter().zip(upper.iter().skip(C)), lower.iter().zip(lower.iter().skip(C)));
            for (out, ((a, b), (c, d))) in out.iter_mut().zip(a.zip(b)) {
                let sum = u16::from(*a) + u16::from(*b) + u16::from(*c) + u16::from(*d);
                *out = ((sum + 2) >> 2) as u8;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Bilinear, centres, column, row};

    #[test]
    fn edges_and_centres_of_the_plan() {
        // 640 to 160: the source coordinate of output d is 4d + 1.5.
        let first = column(0, 640);
        assert_eq!((first.at, first.weight), ([1, 2], [1024, 1024]));
        // 80 to 160: the first output lies at -0.25, off the edge.
        assert_eq!((column(0, 80).at, column(0, 80).weight), ([0, 0], [2048, 0]));
        assert_eq!((column(1, 80).at, column(1, 80).weight), ([0, 1], [1536, 512]));
        assert_eq!((column(159, 80).at, column(159, 80).weight), ([79, 79], [2048, 0]));
        // 60 to 120: rows off the edge keep their weights and share the row.
        assert_eq!((row(0, 60).at, row(0, 60).weight), ([0, 0], [512, 1536]));
        assert_eq!((row(119, 60).at, row(119, 60).weight), ([59, 59], [1536, 512]));
        assert_eq!(row(7, 1).at, [0, 0]);
    }

    #[test]
    fn the_fast_path_equals_the_general_one() {
        for ratio in [2, 4, 8] {
            let (width, height) = (160 * ratio, 120 * ratio);
            let mut state = 1_u32;
            let from: Vec<u8> = (0..width * height * 3)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (state >> 24) as u8
                })
                .collect();
            let (mut fast, mut general) = (vec![0; 57_600], vec![0; 57_600]);
            centres::<3>(&from, ratio, &mut fast);
            let mut bilinear = Bilinear::default();
            bilinear.plan((width, height));
            for (out, tap) in general.chunks_exact_mut(480).zip(&bilinear.rows) {
                let mut mixed = [vec![0; 480], vec![0; 480]];
                for (mixed, at) in mixed.iter_mut().zip(tap.at) {
                    super::mix_columns::<3>(&from[at * width * 3..], &bilinear.columns, mixed);
                }
                super::mix_rows(&mixed[0], &mixed[1], tap.weight, out);
            }
            assert!(fast == general, "ratio {ratio}");
        }
    }
}
