//! A JPEG of 640x480 to the car's 160x120 grey, straight from its coefficients: the car's resize mixes the four pixels in
//! the middle of each 4x4 (`resize.rs`), so only they are made, and nothing else of the picture exists at any time.
//! The same bits as by way of the whole picture. Refuses other sizes and samplings by not being made for them.

use super::colour;
use super::cosine::{ALL, INNER, transform};
use super::entropy::Blocks;
use super::gray;
use super::lanes::{LANES, Lane, Lanes, Slot};
use super::segments::Outline;
use crate::domain::observation::{HEIGHT, WIDTH};

/// Middle rows and columns of a unit, at most: 4 of each 8.
const SIDE: usize = 8;

/// One value at each middle place of a unit, eight units side by side; the upper left corner is used.
type Middle = [[Lanes; SIDE]; SIDE];

/// The memory for it, kept from picture to picture.
#[derive(Debug, Default)]
pub(super) struct Kept {
    slots: [Slot; 6],
    middles: [Middle; 3],
}

/// Takes the coefficients of one picture.
pub(super) struct Centres<'a> {
    kept: &'a mut Kept,
    into: &'a mut [u8],
    /// Blocks of brightness in a unit.
    across: usize,
    down: usize,
    colour: bool,
    /// Blocks of a unit that are wanted, with or without the colours behind the brightness.
    wanted: usize,
    /// The unit at hand.
    unit: usize,
}

impl<'a> Centres<'a> {
    /// For a picture of this outline, into the 160x120 of `into`, in `colour` or from its brightness alone; `None` where
    /// it is of another size or its brightness is not sampled 1x1, 2x1 or 2x2.
    pub(super) fn new(
        outline: &Outline,
        colour: bool,
        kept: &'a mut Kept,
        into: &'a mut [u8],
    ) -> Option<Self> {
        let parts = outline.components();
        let (across, down) = parts.first().map(|part| (part.across, part.down))?;
        let size = (outline.size.width as usize, outline.size.height as usize);
        let fits = size == (4 * WIDTH, 4 * HEIGHT) && matches!((across, down), (1, 1) | (2, 1 | 2));
        if !fits || into.len() != WIDTH * HEIGHT {
            return None;
        }
        kept.slots.iter_mut().for_each(Slot::clear);
        let colour = colour && parts.len() > 1;
        let wanted = across * down + if colour { 2 } else { 0 };
        Some(Self { kept, into, across, down, colour, wanted, unit: 0 })
    }

    /// Eight units are complete: their pixels.
    fn flush(&mut self) {
        let Kept { slots, middles } = &mut *self.kept;
        let [bright, blue, red] = middles;
        let blocks = self.across * self.down;
        for (number, slot) in slots.iter().enumerate().take(blocks) {
            alike(slot, (number / self.across * 4, number % self.across * 4), bright);
        }
        if self.colour {
            for (slot, middle) in slots.iter().skip(blocks).zip([blue, red]) {
                match (self.across, self.down) {
                    (1, _) => alike(slot, (0, 0), middle),
                    (_, 1) => halved_across(slot, middle),
                    _ => halved(slot, middle),
                }
            }
        }
        self.mix();
        self.kept.slots.iter_mut().take(self.wanted).for_each(Slot::clear);
    }

    /// Four middle pixels each to one grey, and these to their places.
    fn mix(&mut self) {
        let per_row = 4 * WIDTH / (8 * self.across);
        let first = self.unit + 1 - LANES;
        let (top, left) = (first / per_row * 2 * self.down, first % per_row * 2 * self.across);
        let [bright, blue, red] = &self.kept.middles;
        let rows = self.into.chunks_exact_mut(WIDTH).skip(top).take(2 * self.down);
        for (row, out) in rows.enumerate() {
            for column in 0..2 * self.across {
                let [y, cb, cr] = [bright, blue, red].map(|middle| four(middle, row, column));
                let gray = if self.colour { in_colour(&y, &cb, &cr) } else { mean(&y) };
                let places = out.iter_mut().skip(left + column).step_by(2 * self.across);
                for (place, gray) in places.zip(gray) {
                    *place = gray;
                }
            }
        }
    }
}

impl Blocks for Centres<'_> {
    type Block<'a>
        = Lane<'a>
    where
        Self: 'a;

    #[inline]
    fn block(&mut self, number: usize) -> Option<Lane<'_>> {
        let slot = self.kept.slots.get_mut(..self.wanted).and_then(|slots| slots.get_mut(number));
        slot.map(|slot| Lane::new(slot, self.unit % LANES))
    }

    #[inline]
    fn unit(&mut self) {
        // A row of units is a whole number of eights.
        if self.unit % LANES == LANES - 1 {
            self.flush();
        }
        self.unit += 1;
    }
}

/// One block sampled like the brightness, to `middle` from this row and column on.
fn alike(slot: &Slot, (top, left): (usize, usize), middle: &mut Middle) {
    let mut inner = [[[0; LANES]; 4]; 4];
    transform(slot, INNER, INNER, &mut inner);
    for (row, inner) in middle.iter_mut().skip(top).zip(&inner) {
        if let Some(places) = row.get_mut(left..left + 4) {
            places.copy_from_slice(inner);
        }
    }
}

/// Colour with half the columns. The middle columns of a 4x4 lie between two samples, and need no others.
fn halved_across(slot: &Slot, middle: &mut Middle) {
    let mut inner = [[[0; LANES]; 8]; 4];
    transform(slot, INNER, ALL, &mut inner);
    for (row, inner) in middle.iter_mut().zip(inner) {
        doubled(&inner, row);
    }
}

/// Colour with half the columns and half the rows: rows first, rounded, then columns.
fn halved(slot: &Slot, middle: &mut Middle) {
    let mut all = [[[0; LANES]; 8]; 8];
    transform(slot, ALL, ALL, &mut all);
    for ([upper, lower], rows) in middle.as_chunks_mut::<2>().0.iter_mut().zip(all.as_chunks::<2>().0) {
        let [above, below] = rows;
        for (row, near, far) in [(upper, above, below), (lower, below, above)] {
            let mut mixed = [[0; LANES]; 8];
            for ((mixed, near), far) in mixed.iter_mut().zip(near).zip(far) {
                *mixed = between(near, far);
            }
            doubled(&mixed, row);
        }
    }
}

/// Each pair of samples to the two middle columns between them.
fn doubled(samples: &[Lanes; 8], row: &mut [Lanes; SIDE]) {
    for ([left, right], [near, far]) in row.as_chunks_mut::<2>().0.iter_mut().zip(samples.as_chunks::<2>().0)
    {
        (*left, *right) = (between(near, far), between(far, near));
    }
}

fn between(near: &Lanes, far: &Lanes) -> Lanes {
    let mut mixed = *near;
    for (near, far) in mixed.iter_mut().zip(far) {
        *near = colour::between(*near, *far);
    }
    mixed
}

/// The four values around the middle of one 4x4.
fn four(middle: &Middle, row: usize, column: usize) -> [Lanes; 4] {
    let row = middle.as_chunks::<2>().0.get(row).and_then(|rows| {
        let [upper, lower] = rows.each_ref().map(|row| row.as_chunks::<2>().0.get(column));
        Some((upper?, lower?))
    });
    row.map_or_else(Default::default, |([a, b], [c, d])| [*a, *b, *c, *d])
}

/// Mean of four brightnesses, rounded.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of levels is a level")]
fn mean([a, b, c, d]: &[Lanes; 4]) -> [u8; LANES] {
    let mut mean = [0; LANES];
    for ((((mean, a), b), c), d) in mean.iter_mut().zip(a).zip(b).zip(c).zip(d) {
        *mean = ((a + b + c + d + 2) >> 2) as u8;
    }
    mean
}

/// Four pixels to red, green and blue, the mean of each, rounded, and the car's grey of that.
#[expect(clippy::indexing_slicing, reason = "four pixels and eight lanes")]
fn in_colour(y: &[Lanes; 4], cb: &[Lanes; 4], cr: &[Lanes; 4]) -> [u8; LANES] {
    let mut means = [[2; LANES]; 3];
    for at in 0..4 {
        for lane in 0..LANES {
            let rgb = colour::rgb(y[at][lane], cb[at][lane], cr[at][lane]);
            for (sum, level) in means.iter_mut().zip(rgb) {
                sum[lane] += level;
            }
        }
    }
    let mut gray = [0; LANES];
    for (lane, gray) in gray.iter_mut().enumerate() {
        let [r, g, b] = means.each_ref().map(|sums| sums[lane] >> 2);
        *gray = gray::stock(r, g, b);
    }
    gray
}
