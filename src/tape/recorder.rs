//! Records while somebody drives: the loop hands over copies, a thread of its own writes them and waits for the
//! disk. Refuses to block: a picture that finds no room is left out and counted, and a disk that fails, or takes
//! nothing at all for too long, ends the recording and nothing else.
//!
//! On such a tape no tick is ever missing between the first and the last, since all ticks after it would follow from
//! one that nobody can look up. Where a picture was left out, its frame is there with pictures of 0 bytes; what the
//! loop saw in it is in the tick's decision.

mod pool;
mod scribe;

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::Duration;

use pool::Pool;
use scribe::{Progress, Scribe, Slip};

use super::error::TapeError;
use super::writer::TapeWriter;
use crate::domain::{Frame, Tick};
use crate::drive::Sink;
use crate::units::Span;

/// What a recorder may hold and how long it may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Frames that wait with their pictures.
    pub pictures: usize,
    /// Memory for their pictures, in bytes.
    pub bytes: usize,
    /// Records that wait, most of them without pictures by then. About 1 KiB each, set aside at the start.
    pub records: usize,
    /// Recorded time after which the disk is waited for.
    pub period: Span,
    /// How long the end of a recording waits for the disk.
    pub patience: Span,
}

impl Default for Bounds {
    /// Two seconds of pictures and two minutes of ticks at 30 a second. A power cut loses less than a second (safety.md
    /// §2 row 27) as long as the disk takes less than half of one.
    fn default() -> Self {
        Self {
            pictures: 64,
            bytes: 16 << 20,
            records: 4096,
            period: Span::from_millis(500),
            patience: Span::from_millis(10_000),
        }
    }
}

/// What a recording came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Ticks that the disk has.
    pub ticks: u64,
    /// Frames that it has, without pictures or with them.
    pub frames: u64,
    /// Records that found no room, or none for their pictures, and those that came after the end.
    pub dropped: u64,
    /// Content that it has, in bytes.
    pub bytes: u64,
    /// Why the recording ended before it was asked to; the tape reads up to there.
    pub failed: Option<String>,
}

/// A recording that is under way. Dropping it ends it as [`Recorder::finish`] does.
#[derive(Debug)]
pub struct Recorder {
    queue: Option<SyncSender<Slip>>,
    pool: Pool,
    progress: Arc<Progress>,
    /// Closed when the thread ends.
    ended: Option<Receiver<()>>,
    bounds: Bounds,
    dropped: u64,
}

impl Recorder {
    /// Begins to record on `tape`. All memory for JPEGs of the usual size is set aside here; the loop's side allocates
    /// only where larger ones come.
    ///
    /// # Errors
    /// [`TapeError::Write`] where there can be no thread.
    pub fn start<W: Write + Send + 'static>(tape: TapeWriter<W>, bounds: Bounds) -> Result<Self, TapeError> {
        let (queue, slips) = sync_channel(bounds.records.max(1));
        let (back, spare) = sync_channel(bounds.pictures.max(1));
        let (alive, ended) = sync_channel(1);
        let progress = Arc::new(Progress::default());
        let scribe = Scribe::new(tape, back, bounds.period, Arc::clone(&progress));
        let work = move || {
            scribe.run(&slips);
            drop(alive);
        };
        thread::Builder::new()
            .name("tape".to_owned())
            .spawn(work)
            .map_err(|error| TapeError::Write { saw: format!("no thread for it: {error}") })?;
        let pool = Pool::new(bounds.pictures, bounds.bytes, spare);
        Ok(Self { queue: Some(queue), pool, progress, ended: Some(ended), bounds, dropped: 0 })
    }

    /// Takes a frame that nobody drives by; `false` where it had to be dropped. Never blocks.
    pub fn frame(&mut self, frame: &Frame<'_>) -> bool {
        let room = self.pool.keep(frame);
        let kept = room.is_some() && self.send(Slip::new(None, Some(frame), room));
        self.count(kept)
    }

    /// Why nothing is recorded any more; `None` while all is well.
    #[must_use]
    pub fn failed(&self) -> Option<&str> {
        self.progress.failed()
    }

    /// Records that were not taken whole so far.
    #[must_use]
    pub const fn dropped(&self) -> u64 {
        self.dropped
    }

    /// Memory that is set aside for pictures and LiDAR values, in bytes.
    #[must_use]
    pub const fn held(&self) -> usize {
        self.pool.held()
    }

    /// Writes what waits and the index, and says what the recording came to. Waits at most [`Bounds::patience`].
    #[must_use]
    pub fn finish(mut self) -> Summary {
        self.end();
        let (ticks, frames, bytes) = self.progress.safe();
        let failed = self.failed().map(str::to_owned);
        Summary { ticks, frames, dropped: self.dropped, bytes, failed }
    }

    fn send(&mut self, slip: Slip) -> bool {
        let Some(queue) = &self.queue else {
            self.pool.put_back(slip);
            return false;
        };
        match queue.try_send(slip) {
            Ok(()) => true,
            Err(TrySendError::Full(slip)) => {
                let ticks = self.bounds.records;
                self.progress.fail(|| {
                    format!("the disk fell {ticks} records behind; the tape ends there, since it has no gaps")
                });
                self.queue = None;
                self.pool.put_back(slip);
                false
            }
            Err(TrySendError::Disconnected(slip)) => {
                self.progress.fail(|| "the thread that writes it ended".to_owned());
                self.queue = None;
                self.pool.put_back(slip);
                false
            }
        }
    }

    const fn count(&mut self, kept: bool) -> bool {
        if !kept {
            self.dropped += 1;
        }
        kept
    }

    fn end(&mut self) {
        self.queue = None;
        let Some(ended) = self.ended.take() else { return };
        let patience = self.bounds.patience;
        if ended.recv_timeout(Duration::from_nanos(patience.0)) == Err(RecvTimeoutError::Timeout) {
            self.progress.fail(|| format!("the disk did not take the rest within {patience}"));
        } else if !self.progress.done() {
            self.progress.fail(|| "the thread that writes it ended".to_owned());
        }
    }
}

impl Sink for Recorder {
    /// `false` also where only the picture was left out.
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        let room = frame.and_then(|frame| self.pool.keep(frame));
        let whole = frame.is_some() == room.is_some();
        let kept = self.send(Slip::new(Some(tick), frame, room)) && whole;
        self.count(kept)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}
