//! The coded pixels of a JPEG, walked from end to end without making pixels of them: every code must exist, every
//! coefficient must be possible, every block must be there, and the end marker must follow. The decoder library
//! checks none of that in the middle of a picture; a torn transfer shows up here.
//!
//! Most damage is found, not all: a changed bit that leaves valid codes of the same lengths is a valid picture.

use super::codes::{CodeTables, Codes};
use super::damage::Damage;
use super::segments::{Component, Outline, Steps};

/// Bytes that may follow the last block before a marker. Healthy webcams are known to leave up to nine of them
/// (libjpeg's "extraneous bytes before marker"); more means that blocks went missing.
const SLACK: usize = 16;

/// No coefficient times its step exceeds 1024 and half a step (T.81 A.3.3 on 8-bit samples); a little more is
/// granted to encoders that compute roughly.
const LARGEST: i32 = 1024 + 64;

/// Walks the pixels of `jpeg`; returns where the picture ends, just behind its end marker.
pub(super) fn walk(
    jpeg: &[u8],
    outline: &Outline,
    tables: &CodeTables,
    steps: &Steps,
) -> Result<usize, Damage> {
    let parts = outline.components();
    let unit = |of: fn(&Component) -> usize| 8 * parts.iter().map(of).max().unwrap_or(1);
    let (width, height) = (outline.size.width as usize, outline.size.height as usize);
    let units = width.div_ceil(unit(|part| part.across)) * height.div_ceil(unit(|part| part.down));
    let mut runs = [None, None, None];
    for (run, part) in runs.iter_mut().zip(parts) {
        *run = Some(Run::new(part, tables, steps)?);
    }
    let blocks = units * parts.iter().map(|part| part.across * part.down).sum::<usize>();
    let rest = jpeg.get(outline.pixels_at..).unwrap_or_default();
    let mut scan = Scan { length: jpeg.len(), bits: Bits { rest, window: 0, left: 0 }, block: 0, blocks };
    let interval = if outline.restart == 0 { units } else { outline.restart };
    let (mut done, mut restarts) = (0, RESTARTS.iter().cycle());
    loop {
        let count = interval.min(units - done);
        scan.interval(count, &mut runs)?;
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
    /// Walks `count` units, from a fresh start.
    fn interval(&mut self, count: usize, runs: &mut [Option<Run<'_>>; 3]) -> Result<(), Damage> {
        for run in runs.iter_mut().flatten() {
            run.mean = 0;
        }
        for _ in 0..count {
            for run in runs.iter_mut().flatten() {
                for _ in 0..run.count {
                    run.block(&mut self.bits).map_err(|why| self.wrong(why))?;
                    self.block += 1;
                }
            }
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

const SHORT: &str = "the next marker comes before the last block";

/// One component along the scan.
struct Run<'a> {
    dc: &'a Codes,
    ac: &'a Codes,
    /// Blocks in a unit.
    count: usize,
    /// The coefficient of the mean, which is coded as a difference from block to block.
    mean: i32,
    /// The step of the mean.
    step: i32,
    largest: [u8; 64],
}

/// For each coefficient, the most bits that a possible value has; at most 10 (T.81 F.1.2.2).
fn largest(steps: &[u8; 64]) -> [u8; 64] {
    steps.map(|step| {
        let possible = (LARGEST + i32::from(step)) / i32::from(step.max(1));
        u8::try_from(possible.max(1).ilog2() + 1).unwrap_or(10).min(10)
    })
}

impl<'a> Run<'a> {
    fn new(part: &Component, tables: &'a CodeTables, steps: &Steps) -> Result<Self, Damage> {
        let without = |what| Damage::Unsupported { what };
        let (dc, ac) = tables.pair(part.dc, part.ac).ok_or(without("without the Huffman tables it uses"))?;
        let table = steps.0.get(usize::from(part.steps)).ok_or(without("without its quantisation table"))?;
        let count = part.across * part.down;
        Ok(Self { dc, ac, count, mean: 0, step: i32::from(table[0]), largest: largest(table) })
    }

    /// Walks one block.
    #[inline]
    fn block(&mut self, bits: &mut Bits<'_>) -> Result<(), &'static str> {
        let (length, size) = bits.code(self.dc)?;
        if size > 11 {
            return Err("a mean changes by more than 11 bits");
        }
        self.mean += bits.signed(length, size)?;
        if (self.mean * self.step).abs() > LARGEST + self.step {
            return Err("a mean is beyond black or white");
        }
        let mut place = 1;
        while place < 64 {
            let (length, value) = bits.code(self.ac)?;
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
                if self.largest.get(place).is_none_or(|most| size > *most) {
                    return Err("a coefficient that cannot be");
                }
                bits.skip(length + size)?;
                place += 1;
            }
        }
        if place == 64 { Ok(()) } else { Err("more than 64 coefficients in a block") }
    }
}

/// The bits between two markers; stuffed zeros are taken out.
struct Bits<'a> {
    rest: &'a [u8],
    /// The next `left` bits, at the top.
    window: u64,
    left: u32,
}

impl Bits<'_> {
    /// Length and value of the next code, which is not taken yet; then at least 26 bits are there unless a
    /// marker or the end is near.
    #[inline]
    fn code(&mut self, codes: &Codes) -> Result<(u8, u8), &'static str> {
        if self.left < 32 {
            self.fill();
        }
        codes.find(self.window).ok_or("a code that does not exist")
    }

    #[inline]
    fn skip(&mut self, length: u8) -> Result<(), &'static str> {
        let length = u32::from(length);
        if length > self.left {
            return Err(SHORT);
        }
        self.window <<= length;
        self.left -= length;
        Ok(())
    }

    /// Takes a code and the `size` bits behind it, which are a signed number in JPEG's way (T.81 F.1.2.1).
    #[inline]
    fn signed(&mut self, length: u8, size: u8) -> Result<i32, &'static str> {
        self.skip(length)?;
        if size == 0 {
            return Ok(0);
        }
        let raw = i32::try_from(self.window >> (64 - u32::from(size))).unwrap_or(0);
        self.skip(size)?;
        let half = 1 << (size - 1);
        Ok(if raw < half { raw - 2 * half + 1 } else { raw })
    }

    fn fill(&mut self) {
        while self.left <= 32 {
            if let Some((four, after)) = self.rest.split_first_chunk::<4>() {
                let word = u32::from_be_bytes(*four);
                // Whether no byte is ff: the usual search for a zero byte, in the complement.
                if (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 == 0 {
                    self.window |= u64::from(word) << (32 - self.left);
                    self.left += 32;
                    self.rest = after;
                    return;
                }
            }
            let (byte, after) = match self.rest {
                [0xff, 0x00, after @ ..] => (0xff, after),
                [0xff, ..] | [] => return,
                [byte, after @ ..] => (*byte, after),
            };
            self.window |= u64::from(byte) << (56 - self.left);
            self.left += 8;
            self.rest = after;
        }
    }

    /// Drops what is left before the next marker and steps behind that; returns it, and how many whole bytes were
    /// dropped. `None` where no marker follows.
    fn finish(&mut self) -> Option<(u8, usize)> {
        let mut extra = self.left as usize / 8;
        (self.window, self.left) = (0, 0);
        loop {
            match self.rest {
                [0xff, 0x00, after @ ..] => {
                    extra += 1;
                    self.rest = after;
                }
                // Fill before a marker.
                [0xff, 0xff, ..] => self.rest = self.rest.get(1..)?,
                [0xff, marker, after @ ..] => {
                    self.rest = after;
                    return Some((*marker, extra));
                }
                [0xff] | [] => return None,
                [_, after @ ..] => {
                    extra += 1;
                    self.rest = after;
                }
            }
        }
    }
}
