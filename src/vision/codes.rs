//! Huffman tables of one JPEG, made ready to be walked: which bits end a code, and what it stands for
//! (T.81 Annex C and F.2.2.3). Values only; what the coefficients mean is not for this file.

use super::bits;
use super::huffman::{STANDARD, Standard};

/// Codes of up to this length are found in one look.
const SHORT: u32 = 9;

/// What the next bits begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Short {
    /// Bits of the code, and of the number behind it where `number` is that; 0 where the code is longer than 9.
    pub(super) length: u8,
    /// What the code stands for: of AC codes, zeros before the number in the upper half, its bits in the lower.
    pub(super) value: u8,
    /// The number behind the code, where both are within 9 bits; 0 where they are not, as no number is.
    pub(super) number: i16,
}

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Codes {
    /// For the next 9 bits, the code that they begin with.
    short: [Short; 1 << SHORT],
    /// For each longer length, the first 16-bit window beyond its codes, and the place of its first value.
    long: [Long; 16 - SHORT as usize],
    values: [u8; 256],
}

#[derive(Clone, Copy, Debug, Default)]
struct Long {
    end: u32,
    first: u32,
    place: usize,
}

impl Default for Codes {
    fn default() -> Self {
        let long = [Long::default(); 16 - SHORT as usize];
        Self { short: [Short::default(); 1 << SHORT], long, values: [0; 256] }
    }
}

impl Codes {
    /// Fills the table from a DHT segment's counts and values; `false` where they are no prefix code.
    fn fill(&mut self, counts: &[u8; 16], values: &[u8]) -> bool {
        self.short.fill(Short::default());
        self.long.fill(Long::default());
        let Some(places) = self.values.get_mut(..values.len()) else { return false };
        places.copy_from_slice(values);
        // `code` is the next code, aligned to 16 bits.
        let (mut code, mut place) = (0_u32, 0_usize);
        for (length, count) in (1_u8..).zip(counts) {
            let step = 1 << (16 - u32::from(length));
            let end = code + u32::from(*count) * step;
            // No code may be all ones.
            if end > 0xffff {
                return false;
            }
            if u32::from(length) <= SHORT {
                for value in values.iter().skip(place).take(usize::from(*count)) {
                    let from = (code >> (16 - SHORT)) as usize;
                    let upto = ((code + step) >> (16 - SHORT)) as usize;
                    self.short.get_mut(from..upto).unwrap_or_default().fill(Short {
                        length,
                        value: *value,
                        number: 0,
                    });
                    code += step;
                }
            } else if let Some(long) = self.long.get_mut(usize::from(length) - SHORT as usize - 1) {
                *long = Long { end, first: code, place };
            }
            (code, place) = (end, place + usize::from(*count));
        }
        place == values.len()
    }

    /// Takes the numbers behind AC codes into the table, where both are short.
    #[expect(clippy::cast_possible_truncation, reason = "at most 8 bits")]
    fn with_numbers(&mut self) {
        for (bits, short) in (0_u64..).zip(&mut self.short) {
            let size = short.value & 15;
            if short.length > 0 && size > 0 && u32::from(short.length + size) <= SHORT {
                short.number = bits::signed(bits << (64 - SHORT) << short.length, size) as i16;
                short.length += size;
            }
        }
    }

    /// The short code at the top of `window`, if one is there.
    #[inline]
    pub(super) fn short(&self, window: u64) -> Short {
        self.short.get((window >> (64 - SHORT)) as usize).copied().unwrap_or_default()
    }

    /// Length and value of the code that begins at the top of `window`; `None` where no code does.
    #[inline]
    pub(super) fn find(&self, window: u64) -> Option<(u8, u8)> {
        match self.short(window) {
            Short { length: 0, .. } => self.find_long(u32::from((window >> 48) as u16)),
            Short { length, value, number: 0 } => Some((length, value)),
            Short { length, value, .. } => Some((length - (value & 15), value)),
        }
    }

    #[cold]
    #[inline(never)]
    fn find_long(&self, window: u32) -> Option<(u8, u8)> {
        let (length, long) = (10_u8..).zip(&self.long).find(|(_, long)| window < long.end)?;
        let offset = window.checked_sub(long.first)? >> (16 - u32::from(length));
        Some((length, *self.values.get(long.place + offset as usize)?))
    }
}

/// The four DC and four AC tables that a JPEG may define.
#[derive(Clone, Debug, Default)]
pub(super) struct CodeTables {
    dc: [Codes; 4],
    ac: [Codes; 4],
    /// One bit for each table that is defined: DC in the lower half, AC in the upper.
    defined: u8,
}

impl CodeTables {
    /// Forgets all tables; a new picture begins.
    pub(super) fn clear(&mut self) {
        self.defined = 0;
    }

    /// Defines a table; `target` and the rest as in a DHT segment. `false` where that is no legal table.
    pub(super) fn define(&mut self, target: u8, counts: &[u8; 16], values: &[u8]) -> bool {
        let number = target & 15;
        let group = match target >> 4 {
            0 => &mut self.dc,
            1 => &mut self.ac,
            _ => return false,
        };
        let Some(codes) = group.get_mut(usize::from(number)) else { return false };
        self.defined |= 1 << (number + 4 * (target >> 4));
        let legal = codes.fill(counts, values);
        if legal && target >> 4 == 1 {
            codes.with_numbers();
        }
        legal
    }

    /// Defines the standard tables where tables 0 and 1 are not defined; says whether any was missing.
    pub(super) fn complete(&mut self) -> bool {
        let before = self.defined;
        for Standard { target, counts, values } in &STANDARD {
            if before & 1 << ((target & 15) + 4 * (target >> 4)) == 0 {
                self.define(*target, counts, values);
            }
        }
        before != self.defined
    }

    /// The DC and the AC table of these numbers; `None` where one is not defined.
    pub(super) fn pair(&self, dc: u8, ac: u8) -> Option<(&Codes, &Codes)> {
        let (first, second) = (self.dc.get(usize::from(dc))?, self.ac.get(usize::from(ac))?);
        let wanted = 1 << dc | 16 << ac;
        (self.defined & wanted == wanted).then_some((first, second))
    }
}

#[cfg(test)]
mod tests {
    use super::CodeTables;

    #[test]
    fn codes_of_the_standard_tables() {
        let mut tables = CodeTables::default();
        assert!(tables.pair(0, 0).is_none());
        assert!(tables.complete());
        assert!(!tables.complete());
        let (dc, ac) = tables.pair(0, 0).unwrap();
        // T.81 tables K.3 and K.5: category 0 is 00, category 11 is 111111110; EOB is 1010, ZRL is 11111111001,
        // run 15 size 10 is 1111111111111110.
        for (codes, bits, length, value) in [
            (dc, 0b00, 2, 0),
            (dc, 0b1_1111_1110, 9, 11),
            (ac, 0b1010, 4, 0x00),
            (ac, 0b111_1111_1001, 11, 0xf0),
            (ac, 0b1111_1111_1111_1110, 16, 0xfa),
        ] {
            assert_eq!(codes.find(bits << (64 - length)), Some((u8::try_from(length).unwrap(), value)));
        }
        assert_eq!(ac.find(u64::MAX), None);
        assert!(tables.pair(2, 0).is_none());
    }

    #[test]
    fn tables_that_are_no_prefix_code_are_refused() {
        let mut counts = [0; 16];
        counts[0] = 2;
        // Two codes of one bit: one of them is all ones.
        assert!(!CodeTables::default().define(0x00, &counts, &[1, 2]));
        counts[0] = 1;
        assert!(CodeTables::default().define(0x00, &counts, &[1]));
        assert!(!CodeTables::default().define(0x00, &counts, &[1, 2]));
        assert!(!CodeTables::default().define(0x04, &counts, &[1]));
        assert!(!CodeTables::default().define(0x20, &counts, &[1]));
    }
}
