//! The newest picture of one eye and what is counted about it. Pictures change hands by swapping, so that nothing is
//! allocated once their memory has grown.

use crate::domain::{Picture, PixelFormat, Size};
use crate::hal::camera::Agreed;
use crate::units::{Instant, Span};

/// How far back [`Counters::flaps`] looks (safety.md §2 row 55).
pub const FLAPS_WITHIN: Span = Span::from_millis(30_000);
/// So many losses are remembered.
const REMEMBERED: usize = 16;
/// A camera that slows down is believed to this multiple of its period.
const SLOWEST: u64 = 3;

/// What was taken and what went missing since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Pictures that were ready for the loop.
    pub frames: u64,
    /// Good pictures that nobody saw: a newer one came first.
    pub dropped: u64,
    /// Good pictures that were not shown: the first after a camera came back.
    pub withheld: u64,
    /// Frames whose numbers never came: the kernel had no buffer for them, or lost them.
    pub kernel_gaps: u64,
    /// Buffers that were marked damaged, empty or longer than they can be.
    pub errors: u64,
    /// Times that a camera was opened again.
    pub reopened: u64,
    /// Losses within the last 30 s, at most 16: more than 5 are a loose plug (safety.md §2 row 55).
    pub flaps: u32,
}

impl Counters {
    /// Both together.
    #[must_use]
    pub(super) fn with(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            dropped: self.dropped + other.dropped,
            withheld: self.withheld + other.withheld,
            kernel_gaps: self.kernel_gaps + other.kernel_gaps,
            errors: self.errors + other.errors,
            reopened: self.reopened + other.reopened,
            flaps: self.flaps + other.flaps,
        }
    }
}

/// One picture in memory of our own.
#[derive(Debug)]
pub(super) struct Exposure {
    pub(super) seq: u64,
    pub(super) at: Instant,
    pub(super) format: PixelFormat,
    pub(super) bytes: Vec<u8>,
}

impl Exposure {
    /// Memory for a picture, large enough that it seldom has to grow.
    pub(super) fn new(agreed: &Agreed) -> Self {
        let bytes = Vec::with_capacity(raw_bytes(agreed.size));
        Self { seq: 0, at: Instant::default(), format: agreed.format, bytes }
    }

    pub(super) fn picture(&self) -> Picture<'_> {
        Picture { format: self.format, bytes: &self.bytes }
    }

    /// Copies a buffer; what a driver pads YUYV with stays out.
    pub(super) fn fill(&mut self, seq: u64, at: Instant, bytes: &[u8]) {
        let used = match self.format {
            PixelFormat::Yuyv(size) => bytes.get(..raw_bytes(size)).unwrap_or(bytes),
            PixelFormat::Mjpeg => bytes,
        };
        (self.seq, self.at) = (seq, at);
        self.bytes.clear();
        self.bytes.extend_from_slice(used);
    }
}

/// The bytes of a picture at two a pixel; a JPEG of a camera is smaller.
pub(super) fn raw_bytes(size: Size) -> usize {
    let pixels = u64::from(size.width) * u64::from(size.height);
    usize::try_from(pixels.saturating_mul(2)).unwrap_or(usize::MAX).min(64 << 20)
}

/// Where one eye lays down its newest picture.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) exposure: Exposure,
    /// Nobody has seen it.
    pub(super) fresh: bool,
    /// The camera is there and believed.
    pub(super) live: bool,
    /// What was last wrong.
    pub(super) trouble: Option<String>,
    /// From one frame to the next, lost ones counted, and not less than what the camera promised.
    pub(super) period: Span,
    promised: Span,
    pub(super) tally: Counters,
    losses: [Option<Instant>; REMEMBERED],
}

impl Slot {
    pub(super) fn new(agreed: &Agreed) -> Self {
        let promised = Span(1_000_000_000 / u64::from(agreed.rate_hz.max(1)));
        Self {
            exposure: Exposure::new(agreed),
            fresh: false,
            live: true,
            trouble: None,
            period: promised,
            promised,
            tally: Counters::default(),
            losses: [None; REMEMBERED],
        }
    }

    /// Takes a new picture for an old one.
    pub(super) fn put(&mut self, work: &mut Exposure) {
        let steps = work.seq.saturating_sub(self.exposure.seq).max(1);
        let run = work.at.since(self.exposure.at).0 / steps;
        self.period = Span(run.clamp(self.promised.0, self.promised.0 * SLOWEST));
        std::mem::swap(&mut self.exposure, work);
        self.tally.frames += 1;
        self.tally.dropped += u64::from(self.fresh);
        (self.fresh, self.live) = (true, true);
    }

    /// Gives the picture away for one that was seen. Number and time stay for the next period.
    pub(super) fn hand_over(&mut self, held: &mut Exposure) {
        std::mem::swap(&mut self.exposure, held);
        (self.exposure.seq, self.exposure.at) = (held.seq, held.at);
        self.fresh = false;
    }

    /// Notes that the camera went, and why. What it said before is not shown any more.
    pub(super) fn lose(&mut self, now: Instant, trouble: String) {
        self.tally.dropped += u64::from(self.fresh);
        (self.fresh, self.live, self.trouble) = (false, false, Some(trouble));
        self.losses.rotate_right(1);
        let [first, ..] = &mut self.losses;
        *first = Some(now);
    }

    /// The tally, with the losses that count at `now`.
    pub(super) fn counters(&self, now: Instant) -> Counters {
        let recent = self.losses.iter().flatten().filter(|lost| now.since(**lost) <= FLAPS_WITHIN).count();
        Counters { flaps: u32::try_from(recent).unwrap_or(u32::MAX), ..self.tally }
    }
}

#[cfg(test)]
mod tests {
    use super::{Exposure, Slot};
    use crate::domain::{PixelFormat, Size};
    use crate::hal::camera::Agreed;
    use crate::units::{Instant, Span};

    const MS: u64 = 1_000_000;

    fn slot(format: PixelFormat) -> (Slot, Exposure, Exposure) {
        let agreed =
            Agreed { node: "video0".into(), format, size: Size { width: 4, height: 2 }, rate_hz: 100 };
        (Slot::new(&agreed), Exposure::new(&agreed), Exposure::new(&agreed))
    }

    #[test]
    fn only_the_newest_is_handed_over_and_the_rest_is_counted() {
        let (mut slot, mut work, mut held) = slot(PixelFormat::Mjpeg);
        for (seq, at) in [(0, 10), (1, 20), (2, 45)] {
            work.fill(seq, Instant(at * MS), &[u8::try_from(seq).expect("small"); 3]);
            slot.put(&mut work);
        }
        assert_eq!(slot.period, Span(25 * MS));
        slot.hand_over(&mut held);
        assert_eq!((held.seq, held.at, held.bytes.as_slice()), (2, Instant(45 * MS), &[2, 2, 2][..]));
        assert_eq!((slot.tally.frames, slot.tally.dropped, slot.fresh), (3, 2, false));
        work.fill(3, Instant(200 * MS), &[3]);
        slot.put(&mut work);
        assert_eq!(slot.period, Span(30 * MS), "a pause is no slow camera");
        work.fill(7, Instant(260 * MS), &[7]);
        slot.put(&mut work);
        assert_eq!(slot.period, Span(15 * MS), "nor are three lost frames");
        work.fill(8, Instant(150 * MS), &[8]);
        slot.put(&mut work);
        assert_eq!(slot.period, Span(10 * MS), "time that runs back is no period");
    }

    #[test]
    fn padding_behind_yuyv_stays_out() {
        let (_, mut work, _) = slot(PixelFormat::Yuyv(Size { width: 4, height: 2 }));
        work.fill(0, Instant(0), &[7; 20]);
        assert_eq!(work.bytes, [7; 16]);
        work.fill(0, Instant(0), &[7; 15]);
        assert_eq!(work.bytes.len(), 15, "what is missing is for the pilot to see");
    }

    #[test]
    fn losses_count_for_thirty_seconds() {
        let (mut slot, mut work, _) = slot(PixelFormat::Mjpeg);
        slot.put(&mut work);
        for second in 0..20 {
            slot.lose(Instant(second * 1000 * MS), "unplugged".to_owned());
        }
        assert_eq!((slot.tally.dropped, slot.live, slot.fresh), (1, false, false));
        // The last 16 are at 4 to 19 s.
        for (at, wanted) in [(19, 16), (34, 16), (35, 15), (49, 1), (50, 0)] {
            assert_eq!(slot.counters(Instant(at * 1000 * MS)).flaps, wanted, "at {at} s");
        }
    }
}
