//! Coefficients to samples: the inverse cosine transform of 8x8 blocks, eight blocks at a time, and only the rows and
//! columns of them that are asked for. The arithmetic is that of `zune-jpeg`'s scalar path, bit for bit: 12-bit factors,
//! columns first, rounded to 2 bits below a level, then rows, rounded and clipped; 32 bits that wrap.

use std::ops::{Add, Mul, Sub};

use super::lanes::{LANES, Lanes, Slot};

/// Every row, or every column, of a block.
pub(super) const ALL: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 7];
/// The two in the middle of each half: what the car's resize of 640x480 mixes (`resize.rs`).
pub(super) const INNER: [usize; 4] = [1, 2, 5, 6];

/// Rounding and shift of the first pass; of the second, where 128 levels are added and the half is 512 more than a half.
const FIRST: (i32, u32) = (512, 10);
const SECOND: (i32, u32) = (512 + (1 << 16) + (128 << 17), 17);

/// One line of a transform: `round` plus the eight inputs times their cosines in 12 bits.
///
/// The factors are sums of those of the usual fast form (Loeffler, Ligtenberg and Moschytz 1989), which are rounded one
/// by one; so 1.387 is 5683 here and -5681 there.
#[inline(always)]
#[expect(clippy::inline_always, reason = "what is not picked of the result must not be computed")]
fn line<T>(i: [T; 8], round: T) -> [T; 8]
where
    T: Copy + From<i16> + Add<Output = T> + Sub<Output = T> + Mul<Output = T>,
{
    let times = |at: T, factor: i16| at * T::from(factor);
    let [i0, i1, i2, i3, i4, i5, i6, i7] = i;
    let (sum, difference) =
        (times(i0, 4096) + times(i4, 4096) + round, times(i0, 4096) - times(i4, 4096) + round);
    let (far, near) = (times(i2, 5352) + times(i6, 2217), times(i2, 2217) + times(i6, -5350));
    let (e0, e1, e2, e3) = (sum + far, difference + near, difference - near, sum - far);
    let o0 = times(i1, 5683) + times(i3, 4816) + (times(i5, 3219) + times(i7, 1131));
    let o1 = times(i1, 4816) + times(i3, -1129) + (times(i5, -5681) + times(i7, -3218));
    let o2 = times(i1, 3219) + times(i3, -5681) + (times(i5, 1132) + times(i7, 4816));
    let o3 = times(i1, 1131) + times(i3, -3218) + (times(i5, 4816) + times(i7, -5680));
    [e0 + o0, e1 + o1, e2 + o2, e3 + o3, e3 - o3, e2 - o2, e1 - o1, e0 - o0]
}

/// The samples (0 to 255) at `rows` and `columns` of eight blocks.
#[inline]
pub(super) fn transform<const R: usize, const C: usize>(
    slot: &Slot,
    rows: [usize; R],
    columns: [usize; C],
    into: &mut [[Lanes; C]; R],
) {
    if slot.seen <= 1 {
        *into = [[flat(&slot.coefficients[0]); C]; R];
    } else if slot.modest {
        let mut between = [[[0; LANES]; R]; 8];
        down(slot, rows, &mut between);
        across(&between, slot.seen, columns, into);
    } else {
        for lane in 0..LANES {
            alone(slot, lane, rows, columns, into);
        }
    }
}

/// Blocks of their mean alone. The two passes come to this: multiples of an eighth, and a half that is a little more.
fn flat(means: &Lanes) -> Lanes {
    means.map(|mean| ((mean + 4 + 1024) >> 3).clamp(0, 255))
}

/// First pass: each column of all blocks.
#[inline]
fn down<const R: usize>(slot: &Slot, rows: [usize; R], between: &mut [[Lanes; R]; 8]) {
    let upper_half = slot.seen >> 32 == 0;
    for (column, between) in between.iter_mut().enumerate() {
        if slot.seen >> column & COLUMN == 0 {
            continue;
        }
        let mut lines = [[0; LANES]; 8];
        for (line, row) in lines.iter_mut().zip(slot.coefficients.as_chunks::<8>().0) {
            *line = row.get(column).copied().unwrap_or_default();
        }
        if upper_half {
            pass(&lines, true, FIRST, rows, between);
        } else {
            pass(&lines, false, FIRST, rows, between);
        }
    }
}

/// The bits of one column in `Slot::seen`.
const COLUMN: u64 = 0x0101_0101_0101_0101;

/// Second pass: each row of all blocks.
#[inline]
fn across<const R: usize, const C: usize>(
    between: &[[Lanes; R]; 8],
    seen: u64,
    columns: [usize; C],
    into: &mut [[Lanes; C]; R],
) {
    let left_half = seen & (COLUMN * 0xf0) == 0;
    for (row, into) in into.iter_mut().enumerate() {
        let mut lines = [[0; LANES]; 8];
        for (line, column) in lines.iter_mut().zip(between) {
            *line = column.get(row).copied().unwrap_or_default();
        }
        if left_half {
            pass(&lines, true, SECOND, columns, into);
        } else {
            pass(&lines, false, SECOND, columns, into);
        }
        for level in into.as_flattened_mut() {
            *level = (*level).clamp(0, 255);
        }
    }
}

/// One line of all blocks, where `half` says that its last four inputs are 0.
#[inline(always)]
#[expect(clippy::inline_always, reason = "half and picks are constants of each call")]
#[expect(
    clippy::cast_possible_truncation,
    reason = "the blocks are modest (`lanes.rs`), and samples are small"
)]
#[expect(clippy::indexing_slicing, reason = "lanes, and picks out of 8")]
fn pass<const N: usize>(
    lines: &[Lanes; 8],
    half: bool,
    (round, shift): (i32, u32),
    picks: [usize; N],
    into: &mut [Lanes; N],
) {
    let [l0, l1, l2, l3, l4, l5, l6, l7] = lines;
    for lane in 0..LANES {
        let first = [l0, l1, l2, l3].map(|lanes| i32::from(lanes[lane]));
        let last = [l4, l5, l6, l7].map(|lanes| if half { 0 } else { i32::from(lanes[lane]) });
        let ([i0, i1, i2, i3], [i4, i5, i6, i7]) = (first, last);
        let all = line([i0, i1, i2, i3, i4, i5, i6, i7], round);
        for (into, pick) in into.iter_mut().zip(picks) {
            into[lane] = (all[pick] >> shift) as i16;
        }
    }
}

/// One block by itself, for values beyond 16 bits between the passes, up to those that wrap.
#[cold]
#[expect(clippy::cast_possible_truncation, reason = "wrapping to 32 bits is part of the arithmetic")]
fn alone<const R: usize, const C: usize>(
    slot: &Slot,
    lane: usize,
    rows: [usize; R],
    columns: [usize; C],
    into: &mut [[Lanes; C]; R],
) {
    let wrapped = |inputs: [i32; 8], (round, shift): (i32, u32)| {
        line(inputs.map(i64::from), i64::from(round)).map(|sum| (sum as i32) >> shift)
    };
    let input = |at: usize| slot.coefficients.get(at).and_then(|lanes| lanes.get(lane)).copied().unwrap_or(0);
    let between = ALL.map(|column| wrapped(ALL.map(|row| i32::from(input(row * 8 + column))), FIRST));
    for (into, row) in into.iter_mut().zip(rows) {
        let all = wrapped(between.map(|column| column.get(row).copied().unwrap_or(0)), SECOND);
        for (into, pick) in into.iter_mut().zip(columns) {
            let level = all.get(pick).copied().unwrap_or(0).clamp(0, 255) as i16;
            if let Some(into) = into.get_mut(lane) {
                *into = level;
            }
        }
    }
}
