//! The coefficients of eight units of a scan side by side: one lane a unit, so that arithmetic on one coefficient is
//! arithmetic on eight. Filled by the walk of the coded pixels, one block at a time.

/// Units side by side.
pub(super) const LANES: usize = 8;

/// One value of each unit.
pub(super) type Lanes = [i16; LANES];

/// No block whose coefficients, made positive, sum to more than this can overflow 16 bits between the two passes of
/// its transform: there a value is at most the sum times 5683 / 1024, the largest factor (`cosine.rs`), and a rounding.
const MODEST: u32 = 5900;

/// The same block of eight units.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    /// Coefficients times their steps, row by row; those above `seen` are 0.
    pub(super) coefficients: [Lanes; 64],
    /// One bit for each coefficient that is not 0 in some lane, the first row's in the lowest byte.
    pub(super) seen: u64,
    /// Whether no lane can overflow 16 bits between the passes.
    pub(super) modest: bool,
}

impl Default for Slot {
    fn default() -> Self {
        Self { coefficients: [[0; LANES]; 64], seen: 0, modest: true }
    }
}

impl Slot {
    /// Empties all lanes.
    pub(super) fn clear(&mut self) {
        if self.seen <= 1 {
            self.coefficients[0] = [0; LANES];
        } else {
            self.coefficients.fill([0; LANES]);
        }
        (self.seen, self.modest) = (0, true);
    }
}

/// One lane of a slot while its block is read.
pub(super) struct Lane<'a> {
    slot: &'a mut Slot,
    number: usize,
    seen: u64,
    sum: u32,
}

impl<'a> Lane<'a> {
    /// A block to be put into lane `number` (0 to 7) of `slot`.
    pub(super) const fn new(slot: &'a mut Slot, number: usize) -> Self {
        Self { slot, number, seen: 0, sum: 0 }
    }
}

/// Takes the coefficients of one block, one after the other.
pub(super) trait Take {
    /// The coefficient at `place` (0 to 63, row by row), times its step: -2686 to 2686, what the walk lets pass.
    fn coefficient(&mut self, place: u8, value: i32);
    /// The block is whole.
    fn done(self);
}

/// Nobody wants them.
impl Take for () {
    #[inline]
    fn coefficient(&mut self, _place: u8, _value: i32) {}
    #[inline]
    fn done(self) {}
}

impl Take for Lane<'_> {
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "at most 2686, by contract")]
    fn coefficient(&mut self, place: u8, value: i32) {
        let place = place & 63;
        if let Some(to) =
            self.slot.coefficients.get_mut(usize::from(place)).and_then(|lanes| lanes.get_mut(self.number))
        {
            *to = value as i16;
        }
        self.seen |= 1 << place;
        self.sum += value.unsigned_abs();
    }

    #[inline]
    fn done(self) {
        self.slot.seen |= self.seen;
        self.slot.modest &= self.sum <= MODEST;
    }
}
