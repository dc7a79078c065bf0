//! The bits of a JPEG's coded pixels between two markers, stuffed zeros taken out (T.81 F.2.2.5). What they mean is not
//! for this file; it refuses to read on past a marker.

/// Why bits, or a code in them, are missing where more blocks must come.
pub(super) const SHORT: &str = "the next marker comes before the last block";

/// A number of `size` bits (0 to 15) at the top of `window`, which JPEG writes in a way of its own (T.81 F.1.2.1): one whose
/// first bit is 0 is negative and counts from the lowest up.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "15 bits at most are left")]
pub(super) fn signed(window: u64, size: u8) -> i32 {
    if size == 0 {
        return 0;
    }
    let raw = i32::from((window >> (64 - u32::from(size))) as u16);
    if window >> 63 == 0 { raw - (1 << size) + 1 } else { raw }
}

/// Where reading stands.
#[derive(Clone, Copy)]
pub(super) struct Bits<'a> {
    /// What was not taken up yet.
    pub(super) rest: &'a [u8],
    /// The next `left` bits, at the top.
    window: u64,
    left: u32,
}

impl<'a> Bits<'a> {
    /// The bits from the first of `bytes` on.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, window: 0, left: 0 }
    }

    /// The next bits, at the top: at least 32 unless a marker or the end is near, then zeros behind them.
    #[inline]
    pub(super) fn look(&mut self) -> u64 {
        if self.left < 32 && !self.fill_word() {
            // By value, so that where reading stands can stay in registers.
            *self = self.fill();
        }
        self.window
    }

    /// Takes up four bytes at once; `false` where one of them is ff or they are not there.
    #[inline]
    fn fill_word(&mut self) -> bool {
        let Some((four, after)) = self.rest.split_first_chunk::<4>() else { return false };
        let word = u32::from_be_bytes(*four);
        // Whether a byte is ff: the usual search for a zero byte, in the complement.
        if (!word).wrapping_sub(0x0101_0101) & word & 0x8080_8080 != 0 {
            return false;
        }
        self.window |= u64::from(word) << (32 - self.left);
        self.left += 32;
        self.rest = after;
        true
    }

    /// Takes `length` bits, at most 31.
    #[inline]
    pub(super) fn skip(&mut self, length: u8) -> Result<(), &'static str> {
        let length = u32::from(length);
        if length > self.left {
            return Err(SHORT);
        }
        self.window <<= length;
        self.left -= length;
        Ok(())
    }

    #[inline(never)]
    fn fill(mut self) -> Self {
        while self.left <= 32 && !self.fill_word() {
            let (byte, after) = match self.rest {
                [0xff, 0x00, after @ ..] => (0xff, after),
                [0xff, ..] | [] => break,
                [byte, after @ ..] => (*byte, after),
            };
            self.window |= u64::from(byte) << (56 - self.left);
            self.left += 8;
            self.rest = after;
        }
        self
    }

    /// Drops what is left before the next marker and steps behind that; returns it, and how many whole bytes were
    /// dropped. `None` where no marker follows.
    pub(super) fn finish(&mut self) -> Option<(u8, usize)> {
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
