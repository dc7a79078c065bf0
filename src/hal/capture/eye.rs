//! The thread of one camera: it takes what the driver has, lays the newest good picture down, and opens the camera again
//! when it went away. It outlives every failure of the camera's and of v4l's.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, TryRecvError};
use std::time::Duration;

use super::Desk;
use super::slot::{Exposure, Slot, raw_bytes};
use crate::domain::PixelFormat;
use crate::hal::camera::{self, Agreed, Raw, Source};
use crate::hal::clock::Clock;
use crate::hal::eyes::{self, Seat};
use crate::hal::{HalError, Settings};
use crate::units::{Instant, Span};

/// How long one wait for a frame may last; a request to end is heard after that.
const WAIT_MS: i32 = 100;
/// A camera that sends nothing for so long is opened again: some wake up by it.
const SILENCE: Span = Span::from_millis(2000);
/// Pause before the first attempt to open again, doubled up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// With a replug just after an attempt, this is what a re-open waits: well below the 2 s of safety.md §2 row 1.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Whole pictures in a row that a camera has to send after it came back (safety.md §2 row 2).
const TRIAL: u8 = 5;
/// Frames taken at one go before the newest is laid down.
const AT_ONCE: usize = 4;

/// One camera's thread.
pub(super) struct Eye {
    index: usize,
    seat: Seat,
    settings: Settings,
    clock: Clock,
    desk: Arc<Desk>,
    halt: Receiver<()>,
    agreed: Agreed,
    work: Exposure,
    /// Of the next frame, over all streams.
    number: u64,
    /// Of the last frame, in this stream.
    sequence: Option<u32>,
    /// Whole pictures still to be seen before one is shown.
    trial: u8,
}

/// Why a stream was left.
enum Left {
    Asked,
    Lost,
}

impl Eye {
    pub(super) fn new(
        index: usize,
        seat: Seat,
        settings: Settings,
        clock: Clock,
        desk: Arc<Desk>,
        halt: Receiver<()>,
        source: &Source,
    ) -> Self {
        let agreed = source.agreed.clone();
        let work = Exposure::new(&agreed);
        Self { index, seat, settings, clock, desk, halt, agreed, work, number: 0, sequence: None, trial: 0 }
    }

    /// Runs until the other end of `halt` is dropped.
    pub(super) fn run(mut self, first: Source) {
        let (mut open, mut pause) = (Some(first), FIRST_PAUSE);
        loop {
            if let Some(source) = open.take() {
                match catch_unwind(AssertUnwindSafe(|| self.watch(source))) {
                    Ok(Left::Asked) => return,
                    Ok(Left::Lost) => {}
                    Err(_) => self.lose("v4l panicked".to_owned()),
                }
                (self.trial, pause) = (TRIAL, FIRST_PAUSE);
            }
            if self.asked_to_end_within(pause) {
                return;
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            match self.open_again() {
                Ok(source) => open = Some(source),
                Err(why) => self.slot(|slot| slot.trouble = Some(why)),
            }
        }
    }

    fn slot(&self, change: impl FnOnce(&mut Slot)) {
        if let Some(slot) = self.desk.slots().get_mut(self.index) {
            change(slot);
        }
    }

    fn lose(&self, why: String) {
        let now = self.clock.now();
        self.slot(|slot| slot.lose(now, why));
        self.desk.news.notify_all();
    }

    fn asked_to_end(&self) -> bool {
        self.halt.try_recv() != Err(TryRecvError::Empty)
    }

    fn asked_to_end_within(&self, pause: Duration) -> bool {
        self.halt.recv_timeout(pause) != Err(RecvTimeoutError::Timeout)
    }

    /// Looks for the same camera and opens it. What it sends must be what it sent before: the tape's header and the
    /// pilot rely on it.
    fn open_again(&mut self) -> Result<Source, String> {
        let nodes = camera::find(&self.settings.at("/sys/class/video4linux"));
        let node = self.seat.find_again(&nodes).ok_or_else(|| "it is not plugged in".to_owned())?;
        let path = eyes::path(&self.settings, &node.name);
        let source = Source::open(&path, &self.settings.camera).map_err(|error| in_full(&error))?;
        let (before, now) = (&self.agreed, &source.agreed);
        if (now.format, now.size) != (before.format, before.size) {
            return Err(format!(
                "{} came back with {:?} of {}x{}, wanted {:?} of {}x{} as before",
                now.node,
                now.format,
                now.size.width,
                now.size.height,
                before.format,
                before.size.width,
                before.size.height,
            ));
        }
        self.sequence = None;
        self.slot(|slot| slot.tally.reopened += 1);
        Ok(source)
    }

    /// Takes frames until something is wrong, which is known before the device is closed: that may take its time.
    fn watch(&mut self, mut source: Source) -> Left {
        let mut heard = self.clock.now();
        let why = loop {
            if self.asked_to_end() {
                return Left::Asked;
            }
            match source.wait(WAIT_MS) {
                Ok(true) => {}
                Ok(false) if self.clock.now().since(heard) < SILENCE => continue,
                Ok(false) => break format!("it sent nothing for {SILENCE}"),
                Err(error) => break error.to_string(),
            }
            heard = self.clock.now();
            if let Err(error) = self.drain(&mut source) {
                break error.to_string();
            }
        };
        self.lose(why);
        Left::Lost
    }

    /// Takes what the driver has, and lays the newest good picture down.
    fn drain(&mut self, source: &mut Source) -> std::io::Result<()> {
        let mut good: u64 = 0;
        for _ in 0..AT_ONCE {
            if let Some(raw) = source.take()? {
                good += u64::from(self.accept(&raw));
            }
            if !source.wait(0)? {
                break;
            }
        }
        let Some(passed_over) = good.checked_sub(1) else { return Ok(()) };
        if let Some(slot) = self.desk.slots().get_mut(self.index) {
            slot.put(&mut self.work);
            slot.tally.frames += passed_over;
            slot.tally.dropped += passed_over;
        }
        self.desk.news.notify_all();
        Ok(())
    }

    /// Numbers a frame and copies it, if it is to be shown. A torn or repeated picture is: the pilot says what it is.
    fn accept(&mut self, raw: &Raw<'_>) -> bool {
        let arrived = self.clock.now();
        let gap = self.sequence.map_or(0, |last| missing(last, raw.sequence));
        self.sequence = Some(raw.sequence);
        let number = self.number + u64::from(gap);
        self.number = number + 1;
        let withheld = !raw.broken && self.trial > 0;
        if withheld {
            self.trial = if whole(self.agreed.format, raw.bytes) { self.trial - 1 } else { TRIAL };
        }
        if gap > 0 || raw.broken || withheld {
            self.slot(|slot| {
                slot.tally.kernel_gaps += u64::from(gap);
                slot.tally.errors += u64::from(raw.broken);
                slot.tally.withheld += u64::from(withheld);
            });
        }
        if raw.broken || withheld {
            return false;
        }
        self.work.fill(number, shown_time(raw.stamp, arrived), raw.bytes);
        true
    }
}

/// An error with what caused it, in one line.
fn in_full(error: &HalError) -> String {
    use std::error::Error as _;
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

/// The frames between two numbers; none where the camera repeats itself or counts back.
fn missing(last: u32, now: u32) -> u32 {
    match now.wrapping_sub(last) {
        step if step < 1 << 31 => step.saturating_sub(1),
        _ => 0,
    }
}

/// The driver's stamp, or the arrival where it gave none that we know. Nothing was taken after it arrived: a stamp from
/// the future would stay fresh for ever.
fn shown_time(stamp: Option<Instant>, arrived: Instant) -> Instant {
    stamp.map_or(arrived, |stamp| stamp.min(arrived))
}

/// Whether a buffer holds all of a picture: a JPEG from its first marker to its last, padded with zeros or not.
fn whole(format: PixelFormat, bytes: &[u8]) -> bool {
    match format {
        PixelFormat::Yuyv(size) => bytes.len() >= raw_bytes(size),
        PixelFormat::Mjpeg => {
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            let used = bytes.get(..end).unwrap_or_default();
            used.starts_with(&[0xFF, 0xD8]) && used.ends_with(&[0xFF, 0xD9])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{missing, shown_time, whole};
    use crate::domain::{PixelFormat, Size};
    use crate::units::Instant;

    #[test]
    fn numbers_that_never_came() {
        for (last, now, wanted) in [
            (0, 1, 0),
            (0, 4, 3),
            (7, 7, 0),
            (7, 3, 0),
            (u32::MAX, 0, 0),
            (u32::MAX, 2, 2),
            (u32::MAX - 1, 1, 2),
        ] {
            assert_eq!(missing(last, now), wanted, "{last} then {now}");
        }
    }

    #[test]
    fn no_picture_is_from_the_future() {
        let arrived = Instant(100);
        assert_eq!(shown_time(Some(Instant(90)), arrived), Instant(90));
        assert_eq!(shown_time(Some(Instant(101)), arrived), arrived);
        assert_eq!(shown_time(None, arrived), arrived);
    }

    #[test]
    fn a_whole_picture_has_both_ends() {
        let jpeg = [0xFF, 0xD8, 1, 2, 0xFF, 0xD9];
        assert!(whole(PixelFormat::Mjpeg, &jpeg));
        assert!(whole(PixelFormat::Mjpeg, &[&jpeg[..], &[0; 9]].concat()));
        for cut in 0..jpeg.len() {
            assert!(!whole(PixelFormat::Mjpeg, &jpeg[..cut]), "the first {cut} bytes");
        }
        assert!(!whole(PixelFormat::Mjpeg, &jpeg[1..]));
        let size = Size { width: 2, height: 2 };
        assert!(whole(PixelFormat::Yuyv(size), &[0; 8]));
        assert!(!whole(PixelFormat::Yuyv(size), &[0; 7]));
    }
}
