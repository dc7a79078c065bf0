//! The thread's side: takes records one by one, writes them, and has the disk catch up once a period. Ends at the first
//! error. Asks no clock: the records carry their times, and a wait for the next one has its own end.

use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use super::pool::Room;
use crate::domain::{Frame, FrameSeq, Picture, PixelFormat, Tick};
use crate::tape::error::TapeError;
use crate::tape::writer::TapeWriter;
use crate::units::{Instant, Span};

/// One record on its way.
#[derive(Debug)]
pub(super) struct Slip {
    tick: Option<Tick>,
    frame: Option<Kept>,
}

/// A frame without its borrow.
#[derive(Debug)]
struct Kept {
    seq: FrameSeq,
    captured_at: Instant,
    left: PixelFormat,
    right: Option<PixelFormat>,
    /// `None` where the pictures were left out.
    room: Option<Room>,
}

impl Slip {
    /// A record of a tick, a frame or both; `room` holds what the frame holds.
    pub(super) fn new(tick: Option<&Tick>, frame: Option<&Frame<'_>>, room: Option<Room>) -> Self {
        let frame = frame.map(|frame| Kept {
            seq: frame.seq,
            captured_at: frame.captured_at,
            left: frame.left.format,
            right: frame.right.map(|right| right.format),
            room,
        });
        Self { tick: tick.copied(), frame }
    }

    /// Its memory, for the next one.
    pub(super) fn into_room(self) -> Option<Room> {
        self.frame?.room
    }

    fn at(&self) -> Instant {
        let captured_at = self.frame.as_ref().map_or(Instant(0), |frame| frame.captured_at);
        self.tick.as_ref().map_or(captured_at, |tick| tick.inputs.now)
    }

    fn write<W: Write>(&self, tape: &mut TapeWriter<W>) -> Result<(), TapeError> {
        if let Some(frame) = &self.frame {
            tape.frame(&frame.lent())?;
        }
        self.tick.as_ref().map_or(Ok(()), |tick| tape.tick(tick))
    }
}

impl Kept {
    fn lent(&self) -> Frame<'_> {
        let (pictures, left, ranges): (&[u8], usize, &[f32]) = match &self.room {
            Some(room) => (&room.pictures, room.left, &room.ranges),
            None => (&[], 0, &[]),
        };
        let (left, right) = pictures.split_at_checked(left).unwrap_or_default();
        Frame {
            seq: self.seq,
            captured_at: self.captured_at,
            left: Picture { format: self.left, bytes: left },
            right: self.right.map(|format| Picture { format, bytes: right }),
            ranges,
        }
    }
}

/// What both sides know: how far the disk is, and why it is no further.
#[derive(Debug, Default)]
pub(super) struct Progress {
    ticks: AtomicU64,
    frames: AtomicU64,
    bytes: AtomicU64,
    done: AtomicBool,
    failed: OnceLock<String>,
}

impl Progress {
    /// Ticks, frames and bytes that the disk has.
    pub(super) fn safe(&self) -> (u64, u64, u64) {
        let [ticks, frames, bytes] =
            [&self.ticks, &self.frames, &self.bytes].map(|count| count.load(Ordering::Relaxed));
        (ticks, frames, bytes)
    }

    /// Whether the thread came to its end.
    pub(super) fn done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// The first reason that was given.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }

    /// Gives a reason, unless there is one.
    pub(super) fn fail(&self, why: impl FnOnce() -> String) {
        self.failed.get_or_init(why);
    }
}

/// Writes slips onto a tape.
pub(super) struct Scribe<W: Write> {
    tape: TapeWriter<W>,
    back: SyncSender<Room>,
    period: Span,
    progress: Arc<Progress>,
    ticks: u64,
    frames: u64,
    /// The time of the first record that the disk may not have.
    unsafe_since: Option<Instant>,
}

impl<W: Write> Scribe<W> {
    /// Rooms go `back` when they are written.
    pub(super) const fn new(
        tape: TapeWriter<W>,
        back: SyncSender<Room>,
        period: Span,
        progress: Arc<Progress>,
    ) -> Self {
        Self { tape, back, period, progress, ticks: 0, frames: 0, unsafe_since: None }
    }

    /// Works until nobody sends any more, or until the first error.
    pub(super) fn run(mut self, slips: &Receiver<Slip>) {
        let progress = Arc::clone(&self.progress);
        let written = self.take_all(slips).and_then(|()| self.close());
        if let Err(error) = written {
            progress.fail(|| error.to_string());
        }
        progress.done.store(true, Ordering::Release);
    }

    fn take_all(&mut self, slips: &Receiver<Slip>) -> Result<(), TapeError> {
        let wait = Duration::from_nanos(self.period.0);
        loop {
            match slips.recv_timeout(wait) {
                Ok(slip) => self.take(slip)?,
                Err(RecvTimeoutError::Timeout) if self.unsafe_since.is_some() => self.sync()?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn take(&mut self, slip: Slip) -> Result<(), TapeError> {
        slip.write(&mut self.tape)?;
        self.ticks += u64::from(slip.tick.is_some());
        self.frames += u64::from(slip.frame.is_some());
        let at = slip.at();
        // Nobody waits for it where the recorder is gone.
        drop(slip.into_room().map(|room| self.back.try_send(room)));
        let since = *self.unsafe_since.get_or_insert(at);
        // Either way: times that go back must not keep the disk from being asked.
        if at.0.abs_diff(since.0) >= self.period.0 { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), TapeError> {
        self.tape.sync()?;
        self.unsafe_since = None;
        self.count();
        Ok(())
    }

    fn close(mut self) -> Result<(), TapeError> {
        self.sync()?;
        self.tape.finish().map(drop)
    }

    fn count(&self) {
        self.progress.ticks.store(self.ticks, Ordering::Relaxed);
        self.progress.frames.store(self.frames, Ordering::Relaxed);
        self.progress.bytes.store(self.tape.content(), Ordering::Relaxed);
    }
}
