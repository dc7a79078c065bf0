//! The coded pixels of a JPEG, walked from end to end: every code must exist, every coefficient must be possible, every
//! block must be there, and the end marker must follow. A torn transfer shows up here. Makes no pixels; who wants to
//! gets the coefficients on the way.
//!
//! Most damage is found, not all: a changed bit that leaves valid codes of the same lengths is a valid picture.

use super::bits::{self, Bits, SHORT};
use super::codes::{CodeTables, Codes, Short};
use super::damage::Damage;
use super::lanes::Take;
use super::segments::{Component, Outline, Steps};

/// Bytes that may follow the last block before a marker. Healthy webcams are known to leave up to nine of them
/// (libjpeg's "extraneous bytes before marker"); more means that blocks went missing.
const SLACK: usize = 16;

/// No coefficient times its step exceeds 1024 and half a step (T.81 A.3.3 on 8-bit samples); a little more is
/// granted to encoders that compute roughly.
const LARGEST: i32 = 1024 + 64;

/// Where the coefficients go.
pub(super) trait Blocks {
    /// Takes one block.
    type Block<'a>: Take
    where
        Self: 'a;

    /// The place for block `number` of the unit at hand, in the order of the stream (row by row, component by component);
    /// `None` where it is not wanted.
    fn block(&mut self, number: usize) -> Option<Self::Block<'_>>;

    /// All blocks of a unit were put.
    fn unit(&mut self);
}

/// Nobody wants the coefficients.
impl Blocks for () {
    type Block<'a> = ();

    fn block(&mut self, _number: usize) -> Option<()> {
        None
    }

    fn unit(&mut self) {}
}

/// Walks the pixels of `jpeg` and gives the coefficients to `sink`; returns where the picture ends, just behind its end
/// marker. What `sink` has after an error is part of a damaged picture.
pub(super) fn walk(
    jpeg: &[u8],
    outline: &Outline,
    tables: &CodeTables,
    steps: &Steps,
    sink: &mut impl Blocks,
) -> Result<usize, Damage> {
    let parts = outline.components();
    let unit = |of: fn(&Component) -> usize| 8 * parts.iter().map(of).max().unwrap_or(1);
    let (width, height) = (outline.size.width as usize, outline.size.height as usize);
    let units = width.div_ceil(unit(|part| part.across)) * height.div_ceil(unit(|part| part.down));
    let mut runs = [None, None, None];
    let (mut order, mut in_unit) = ([0; UNIT], 0);
    for (at, (run, part)) in runs.iter_mut().zip(parts).enumerate() {
        *run = Some(Run::new(part, tables, steps)?);
        let blocks = part.across * part.down;
        order.iter_mut().skip(in_unit).take(blocks).for_each(|of| *of = at);
        in_unit += blocks;
    }
    let order = order.get(..in_unit).unwrap_or_default();
    let rest = jpeg.get(outline.pixels_at..).unwrap_or_default();
    let mut scan = Scan { length: jpeg.len(), bits: Bits::new(rest), block: 0, blocks: units * in_unit };
    let interval = if outline.restart == 0 { units } else { outline.restart };
    let (mut done, mut restarts) = (0, RESTARTS.iter().cycle());
    loop {
        let count = interval.min(units - done);
        scan.interval(count, &mut runs, order, sink)?;
        done += count;
        let (marker, restart) = (scan.marker()?, restarts.next().copied().unwrap_or_default());
        if done == units {
            // An encoder may set a last restart marker where its interval ends with the picture.
            let last = if marker == restart { scan.marker()? } else { marker };
            return scan.end(last);
        }
        if marker != restart {
            return Err(scan.wrong("wanted the next restart marker here"));
        }
    }
}

/// Blocks of a unit, at most: four of brightness and two of colour.
const UNIT: usize = 6;

const NO_CODE: &str = "a code that does not exist";
const IMPOSSIBLE: &str = "a coefficient that cannot be";

/// The restart markers, in the order in which they take turns.
const RESTARTS: [u8; 8] = [0xd0, 0xd1, 0xd2, 0xd3, 0xd4, 0xd5, 0xd6, 0xd7];

/// Where the walk stands.
struct Scan<'a> {
    length: usize,
    bits: Bits<'a>,
    block: usize,
    blocks: usize,
}

impl Scan<'_> {
    /// Walks `count` units, from a fresh start; `order` says whose the blocks of a unit are.
    fn interval(
        &mut self,
        count: usize,
        runs: &mut [Option<Run<'_>>; 3],
        order: &[usize],
        sink: &mut impl Blocks,
    ) -> Result<(), Damage> {
        for run in runs.iter_mut().flatten() {
            run.mean = 0;
        }
        for _ in 0..count {
            for (number, part) in order.iter().enumerate() {
                let Some(Some(run)) = runs.get_mut(*part) else { continue };
                let walked = match sink.block(number) {
                    Some(block) => run.block(self.bits, block),
                    None => run.block(self.bits, ()),
                };
                match walked {
                    Ok(bits) => self.bits = bits,
                    Err((bits, why)) => {
                        self.bits = bits;
                        self.block += number;
                        return Err(self.wrong(why));
                    }
                }
            }
            self.block += order.len();
            sink.unit();
        }
        Ok(())
    }

    /// Steps behind the next marker and returns it.
    fn marker(&mut self) -> Result<u8, Damage> {
        match self.bits.finish() {
            None => Err(Damage::Cut { at: self.length, inside: "coded pixels" }),
            Some((_, extra)) if extra > SLACK => Err(self.wrong("more bytes than blocks before this marker")),
            Some((marker, _)) => Ok(marker),
        }
    }

    fn end(&self, marker: u8) -> Result<usize, Damage> {
        match marker {
            0xd9 => Ok(self.at()),
            0xda | 0xc4 | 0xdb | 0xdd => Err(Damage::Unsupported { what: "split into several scans" }),
            _ => Err(self.wrong("wanted the end marker (ffd9) here")),
        }
    }

    fn at(&self) -> usize {
        self.length - self.bits.rest.len()
    }

    fn wrong(&self, why: &'static str) -> Damage {
        // Nothing but the half of a marker may be left where the bytes, not the blocks, have run out.
        if why == SHORT && self.bits.rest.len() < 2 {
            return Damage::Cut { at: self.length, inside: "coded pixels" };
        }
        Damage::Pixels { at: self.at(), block: self.block, blocks: self.blocks, why }
    }
}

/// One component along the scan.
struct Run<'a> {
    dc: &'a Codes,
    ac: &'a Codes,
    /// The coefficient of the mean, which is coded as a difference from block to block.
    mean: i32,
    /// The step of the mean.
    step: i32,
    /// In the order of the stream.
    places: [Place; 64],
}

/// What is known of one coefficient before it is read.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    /// The step by which it was divided, 1 to 255.
    step: i16,
    /// The most bits that a possible value has; at most 10 (T.81 F.1.2.2).
    most: u8,
    /// Where it lies in the block, row by row.
    at: u8,
}

/// The order of the stream (T.81 figure A.6): along the diagonals, where each lies row by row.
fn places(steps: &[u8; 64]) -> [Place; 64] {
    let mut places = [Place::default(); 64];
    let (mut row, mut column) = (0_u8, 0_u8);
    for (place, step) in places.iter_mut().zip(steps) {
        let possible = (LARGEST + i32::from(*step)) / i32::from((*step).max(1));
        let most = u8::try_from(possible.max(1).ilog2() + 1).unwrap_or(10).min(10);
        *place = Place { step: i16::from(*step), most, at: row * 8 + column };
        (row, column) = match ((row + column) % 2 == 0, row, column) {
            (true, _, 7) => (row + 1, 7),
            (true, 0, _) => (0, column + 1),
            (true, ..) => (row - 1, column + 1),
            (false, 7, _) => (7, column + 1),
            (false, _, 0) => (row + 1, 0),
            (false, ..) => (row + 1, column - 1),
        };
    }
    places
}

impl<'a> Run<'a> {
    fn new(part: &Component, tables: &'a CodeTables, steps: &Steps) -> Result<Self, Damage> {
        let without = |what| Damage::Unsupported { what };
        let (dc, ac) = tables.pair(part.dc, part.ac).ok_or(without("without the Huffman tables it uses"))?;
        let table = steps.0.get(usize::from(part.steps)).ok_or(without("without its quantisation table"))?;
        Ok(Self { dc, ac, mean: 0, step: i32::from(table[0]), places: places(table) })
    }

    /// Walks one block from where `bits` stands; says where it stands then, also where it went wrong.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a call for each block would cost as much as the block")]
    fn block<'b>(
        &mut self,
        mut bits: Bits<'b>,
        mut block: impl Take,
    ) -> Result<Bits<'b>, (Bits<'b>, &'static str)> {
        match self.walk(&mut bits, &mut block) {
            Ok(()) => {
                block.done();
                Ok(bits)
            }
            Err(why) => Err((bits, why)),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as above")]
    fn walk(&mut self, bits: &mut Bits<'_>, block: &mut impl Take) -> Result<(), &'static str> {
        let window = bits.look();
        let (length, size) = self.dc.find(window).ok_or(NO_CODE)?;
        if size > 11 {
            return Err("a mean changes by more than 11 bits");
        }
        bits.skip(length + size)?;
        self.mean += bits::signed(window << length, size);
        let mean = self.mean * self.step;
        if mean.abs() > LARGEST + self.step {
            return Err("a mean is beyond black or white");
        }
        block.coefficient(0, mean);
        let mut place = 1;
        while place < 64 {
            let window = bits.look();
            let Short { length, value, number } = self.ac.short(window);
            if number != 0 {
                // The usual case, in one look: zeros, and a number of few bits.
                place += usize::from(value >> 4);
                let Some(Place { step, most, at }) = self.places.get(place) else {
                    return Err(IMPOSSIBLE);
                };
                if value & 15 > *most {
                    return Err(IMPOSSIBLE);
                }
                bits.skip(length)?;
                block.coefficient(*at, i32::from(number) * i32::from(*step));
                place += 1;
                continue;
            }
            let (length, value) = self.ac.find(window).ok_or(NO_CODE)?;
            let (zeros, size) = (usize::from(value >> 4), value & 15);
            if size == 0 {
                bits.skip(length)?;
                match zeros {
                    0 => return Ok(()),
                    15 => place += 16,
                    _ => return Err("a run of zeros without an end"),
                }
            } else {
                place += zeros;
                let Some(Place { step, most, at }) = self.places.get(place) else {
                    return Err(IMPOSSIBLE);
                };
                if size > *most {
                    return Err(IMPOSSIBLE);
                }
                bits.skip(length + size)?;
                block.coefficient(*at, bits::signed(window << length, size) * i32::from(*step));
                place += 1;
            }
        }
        if place == 64 { Ok(()) } else { Err("more than 64 coefficients in a block") }
    }
}

#[cfg(test)]
mod tests {
    use super::places;

    #[test]
    fn the_order_of_the_stream_goes_along_the_diagonals() {
        let at = places(&[1; 64]).map(|place| place.at);
        // The beginning, the turn in the middle and the end of T.81 figure A.6.
        assert_eq!(at[..10], [0, 1, 8, 16, 9, 2, 3, 10, 17, 24]);
        assert_eq!(at[26..38], [13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50]);
        assert_eq!(at[60..], [47, 55, 62, 63]);
        let mut all = at.to_vec();
        all.sort_unstable();
        assert!(all.into_iter().eq(0..64));
    }
}
