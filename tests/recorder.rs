//! Recording while somebody drives: what was emitted is on the tape, the loop never waits and never allocates, and a
//! disk that is slow, full, broken or cut off costs what it must and nothing else.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    missing_docs,
    unsafe_code,
    reason = "a test may stop at the first surprise; a counting allocator is unsafe by its trait"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/ticks.rs"]
mod ticks;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Error, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant as Clock};

use hairpin::domain::{Frame, Picture, PixelFormat, Size, Tick};
use hairpin::drive::Sink;
use hairpin::tape::recorder::{Bounds, Recorder};
use hairpin::tape::writer::Disk;
use hairpin::tape::{Ending, Header, Record, Tape, TapeError, TapeWriter};
use hairpin::units::Span;
use ticks::{exactly, frame, jpeg, stamp, tick};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is the system allocator's own; counting touches a thread-local cell that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations of this thread alone.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

/// The time between two ticks of `ticks::tick`, in nanoseconds.
const TICK: u64 = 33_333_331;

#[derive(Default)]
struct Inside {
    bytes: Vec<u8>,
    /// The length at every sync that went well.
    synced: Vec<usize>,
    writes: usize,
    syncs: usize,
    stalled: bool,
    waiting: bool,
}

/// A disk of the test's own: it can be slow, break at a write or at a sync, or panic.
#[derive(Clone, Default)]
struct Plate {
    inside: Arc<(Mutex<Inside>, Condvar)>,
    /// The write that is refused, from 0.
    bad_write: Option<usize>,
    /// The sync that is refused, from 0.
    bad_sync: Option<usize>,
    /// The write that panics, from 0.
    panics: Option<usize>,
}

impl Plate {
    fn with<T>(&self, look: impl FnOnce(&mut Inside) -> T) -> T {
        look(&mut self.inside.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    fn stall(&self, stalled: bool) {
        self.with(|inside| inside.stalled = stalled);
        self.inside.1.notify_all();
    }

    /// Waits until the tape's thread hangs in a sync.
    fn until_waiting(&self) {
        let guard = self.inside.0.lock().unwrap();
        drop(self.inside.1.wait_while(guard, |inside| !inside.waiting).unwrap());
    }

    /// Waits until the disk has had that many syncs, one a tick where the period is 0.
    fn until(&self, syncs: usize) {
        let guard = self.inside.0.lock().unwrap();
        drop(self.inside.1.wait_while(guard, |inside| inside.syncs < syncs).unwrap());
    }

    fn bytes(&self) -> Vec<u8> {
        self.with(|inside| inside.bytes.clone())
    }

    fn tape(&self) -> Tape {
        Tape::from_bytes(self.bytes()).unwrap()
    }

    fn writer(&self) -> Result<TapeWriter<Self>, TapeError> {
        Ok(TapeWriter::new(self.clone(), &Header::default().with("rig", "test"))?.on(self.clone()))
    }

    fn recorder(&self, bounds: Bounds) -> Recorder {
        Recorder::start(self.writer().unwrap(), bounds).unwrap()
    }
}

impl Write for Plate {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.with(|inside| {
            let at = inside.writes;
            inside.writes += 1;
            assert!(self.panics != Some(at), "a library that panics while it writes");
            if self.bad_write.is_some_and(|bad| at >= bad) {
                // As a disk does it: a part still fits.
                if self.bad_write == Some(at) && bytes.len() > 1 {
                    inside.bytes.extend_from_slice(&bytes[..bytes.len() / 2]);
                    return Ok(bytes.len() / 2);
                }
                return Err(Error::from(ErrorKind::StorageFull));
            }
            inside.bytes.extend_from_slice(bytes);
            Ok(bytes.len())
        })
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Disk for Plate {
    fn sync(&mut self) -> std::io::Result<()> {
        let mut inside = self.inside.0.lock().unwrap();
        inside.waiting = inside.stalled;
        self.inside.1.notify_all();
        inside = self.inside.1.wait_while(inside, |inside| inside.stalled).unwrap();
        inside.waiting = false;
        let at = inside.syncs;
        inside.syncs += 1;
        if self.bad_sync == Some(at) {
            return Err(Error::other("the medium failed"));
        }
        let len = inside.bytes.len();
        inside.synced.push(len);
        self.inside.1.notify_all();
        Ok(())
    }
}

fn bounds() -> Bounds {
    Bounds { patience: Span::from_millis(20_000), ..Bounds::default() }
}

/// Emits tick `n` with its frame of `len` bytes.
fn emit(recorder: &mut Recorder, n: u64, len: usize) -> bool {
    recorder.emit(&tick(n, Some(stamp(n))), Some(&frame(n, &jpeg(n, len))))
}

fn seqs(tape: &Tape) -> Vec<u64> {
    tape.records().map(|record| record.tick.unwrap().inputs.seq).collect()
}

fn blank(record: &Record<'_>) -> bool {
    record.frame.unwrap().left.bytes.is_empty()
}

#[test]
fn what_was_emitted_is_on_the_tape() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(bounds());
    let size = Size { width: 4, height: 2 };
    let ranges = [0.25_f32, f32::NAN, -0.0];
    for n in 0..40 {
        let (left, right) = (jpeg(n, 300 + n as usize), jpeg(n + 1000, 200));
        let yuyv = Picture { format: PixelFormat::Yuyv(size), bytes: &left[..16] };
        let seen = match n % 4 {
            0 => Some(frame(n, &left)),
            1 => Some(Frame {
                right: Some(Picture { format: PixelFormat::Mjpeg, bytes: &right }),
                ranges: &ranges,
                ..frame(n, &left)
            }),
            2 => Some(Frame { left: yuyv, right: Some(yuyv), ..frame(n, &left) }),
            _ => None,
        };
        assert!(recorder.emit(&tick(n, seen.map(|_| stamp(n))), seen.as_ref()));
    }
    let summary = recorder.finish();
    let tape = plate.tape();
    assert_eq!((summary.ticks, summary.frames, summary.dropped, summary.failed), (40, 30, 0, None));
    assert_eq!((tape.ticks(), tape.frames(), tape.len()), (40, 30, 40));
    assert_eq!((tape.ending(), tape.header().get("rig")), (&Ending::Whole, Some("test")));
    assert!(summary.bytes < tape.size() && summary.bytes * 2 > tape.size(), "{} bytes", summary.bytes);
    for (n, record) in (0..).zip(tape.records()) {
        let recorded = record.frame.map(|frame| {
            let right = frame.right.map(|right| (right.format, right.bytes.to_vec()));
            let bits: Vec<u32> = frame.ranges.iter().map(|value| value.to_bits()).collect();
            (frame.left.format, frame.left.bytes.to_vec(), right, bits)
        });
        let (left, yuyv) = (jpeg(n, 300 + n as usize), PixelFormat::Yuyv(size));
        let wanted = match n % 4 {
            0 => Some((PixelFormat::Mjpeg, left, None, vec![])),
            1 => {
                let right = Some((PixelFormat::Mjpeg, jpeg(n + 1000, 200)));
                Some((PixelFormat::Mjpeg, left, right, ranges.map(f32::to_bits).to_vec()))
            }
            2 => Some((yuyv, left[..16].to_vec(), Some((yuyv, left[..16].to_vec())), vec![])),
            _ => None,
        };
        assert_eq!(recorded, wanted, "frame {n}");
        let wanted = tick(n, wanted.map(|_| stamp(n)));
        assert_eq!(exactly(&record.tick.unwrap()), exactly(&wanted), "tick {n}");
    }
}

#[test]
fn frames_that_nobody_drives_by_are_taken_too() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { pictures: 2, period: Span(0), ..bounds() });
    plate.stall(true);
    assert!(recorder.frame(&frame(0, &jpeg(0, 50))));
    plate.until_waiting();
    // Two wait, the third finds no room and is dropped as a whole: without a tick there is nothing else to keep.
    let taken = [1, 2, 3].map(|n| recorder.frame(&frame(n, &jpeg(n, 50))));
    assert_eq!(taken, [true, true, false]);
    plate.stall(false);
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.frames, summary.dropped, summary.failed), (0, 3, 1, None));
    let tape = plate.tape();
    let numbers: Vec<u64> = tape.records().map(|record| record.frame.unwrap().seq.0).collect();
    assert_eq!(numbers, [0, 1, 2]);
    assert_eq!(tape.record(2).unwrap().frame.unwrap().left.bytes, jpeg(2, 50));
}

#[test]
fn the_loop_allocates_nothing() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(bounds());
    let pictures: Vec<Vec<u8>> = (0..7).map(|n| jpeg(n, 40_000 + 3_000 * n as usize)).collect();
    let ticks: Vec<Tick> = (0..300).map(|n| tick(n, Some(stamp(n)))).collect();
    let mut taken = 0;
    let counted = allocations(|| {
        for (n, tick) in (0..).zip(&ticks) {
            taken += u64::from(recorder.emit(tick, Some(&frame(n, &pictures[n as usize % 7]))));
        }
    });
    println!("{counted} allocations for 300 emits from the first on, {taken} of them taken whole");
    assert_eq!(counted, 0);
    assert_eq!(recorder.finish().ticks, 300);

    // A stereo car with a LiDAR: its rooms grow once, the disk's worst stall included.
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    let ranges = [0.5; 64];
    let mut emit = |n: u64| {
        let right = Some(Picture { format: PixelFormat::Mjpeg, bytes: &pictures[(n as usize + 1) % 7] });
        let frame = Frame { right, ranges: &ranges, ..frame(n, &pictures[n as usize % 7]) };
        recorder.emit(&ticks[n as usize], Some(&frame))
    };
    plate.stall(true);
    assert!(emit(0));
    plate.until_waiting();
    let warm = allocations(|| assert_eq!((1..100).map(&mut emit).filter(|kept| *kept).count(), 64));
    plate.stall(false);
    let mut taken = 0;
    let steady = allocations(|| (100..300).for_each(|n| taken += u64::from(emit(n))));
    println!(
        "stereo: {warm} allocations in a stall of 100 ticks, {steady} in the 200 after it ({taken} whole)"
    );
    // Of each room the pictures and the LiDAR values, but for the one that the first tick had grown.
    assert_eq!((warm, steady), (2 * 63, 0));
    assert_eq!(recorder.finish().ticks, 300);
}

/// A disk that hangs for 5 s at 30 ticks a second: pictures are left out, no tick is, and the loop never waits.
#[test]
fn a_stalled_disk_costs_pictures_and_no_tick() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    plate.stall(true);
    assert!(emit(&mut recorder, 0, 40_000));
    plate.until_waiting();
    let mut took = Vec::new();
    // Nothing lets the disk go on before all are emitted: an emit that waited for it would wait for ever.
    for n in 1..=150 {
        let (tick, bytes) = (tick(n, Some(stamp(n))), jpeg(n, 40_000));
        let begun = Clock::now();
        let kept = recorder.emit(&tick, Some(&frame(n, &bytes)));
        took.push(begun.elapsed());
        assert_eq!(kept, n <= 64, "tick {n}");
    }
    took.sort_unstable();
    println!("an emit while the disk hangs takes {:?}, {:?} at most", took[75], took[149]);
    assert!(took[75] < Duration::from_millis(1), "{:?}", took[75]);
    assert_eq!((recorder.dropped(), recorder.failed()), (86, None));
    plate.stall(false);
    // Once the disk has caught up, pictures are taken again.
    let back = Clock::now();
    let mut n = 151;
    while !emit(&mut recorder, n, 40_000) {
        assert!(back.elapsed() < Duration::from_mins(1));
        n += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.dropped, summary.failed), (n + 1, 86 + n - 151, None));
    let tape = plate.tape();
    assert_eq!(seqs(&tape), (0..=n).collect::<Vec<u64>>());
    for (at, record) in (0..=n).zip(tape.records()) {
        let whole = at <= 64 || at == n;
        assert_eq!(blank(&record), !whole, "frame {at}");
        assert!(!whole || record.frame.unwrap().left.bytes == jpeg(at, 40_000));
        assert_eq!(exactly(&record.tick.unwrap()), exactly(&tick(at, Some(stamp(at)))));
    }
}

#[test]
fn a_picture_that_is_left_out_leaves_a_frame_of_its_kind() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { pictures: 0, ..bounds() });
    let bytes = [1; 16];
    let yuyv = Picture { format: PixelFormat::Yuyv(Size { width: 4, height: 2 }), bytes: &bytes };
    let right = Some(Picture { format: PixelFormat::Mjpeg, bytes: &bytes });
    let seen = Frame { left: yuyv, right, ranges: &[1.0], ..frame(0, &bytes) };
    assert!(!recorder.emit(&tick(0, Some(stamp(0))), Some(&seen)));
    assert_eq!(recorder.finish().frames, 1);
    let tape = plate.tape();
    let frame = tape.record(0).unwrap().frame.unwrap();
    assert_eq!((frame.seq, frame.captured_at), (stamp(0).seq, stamp(0).captured_at));
    assert_eq!((frame.left.format, frame.left.bytes), (yuyv.format, [].as_slice()));
    let right = frame.right.unwrap();
    assert_eq!((right.format, right.bytes), (PixelFormat::Mjpeg, [].as_slice()));
    assert!(frame.ranges.is_empty());
}

#[test]
fn memory_stays_within_its_bound() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    assert_eq!(recorder.held(), 64 * (64 << 10));
    plate.stall(true);
    assert!(emit(&mut recorder, 0, 100));
    plate.until_waiting();
    // A YUYV picture takes ten steps of 64 KiB, one of which a room has: (256 - 64) / 9 = 21 rooms can grow.
    let bytes = vec![7; 640 * 480 * 2];
    let picture = Picture { format: PixelFormat::Yuyv(Size { width: 640, height: 480 }), bytes: &bytes };
    let emit_large = |recorder: &mut Recorder, n: u64| {
        recorder.emit(&tick(n, Some(stamp(n))), Some(&Frame { left: picture, ..frame(n, &bytes) }))
    };
    let kept: Vec<bool> = (1..60).map(|n| emit_large(&mut recorder, n)).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 21);
    assert!(kept[..21].iter().all(|kept| *kept));
    // A small one still finds one of the rooms that stayed small.
    assert!(emit(&mut recorder, 60, 40_000));
    assert!(recorder.held() <= 16 << 20 && recorder.held() > 15 << 20, "{}", recorder.held());
    plate.stall(false);
    plate.until(61);
    // The rooms that have grown are the ones that are used again.
    for n in 61..71 {
        assert!(emit_large(&mut recorder, n), "tick {n}");
        plate.until(n as usize + 1);
    }
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.dropped, summary.failed), (71, 38, None));
    assert_eq!(plate.tape().records().filter(blank).count(), 38);
}

/// When not even a tick finds room the recording ends: a tape has no gaps.
#[test]
fn a_disk_that_takes_nothing_ends_the_recording() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { pictures: 2, records: 8, period: Span(0), ..bounds() });
    plate.stall(true);
    assert!(emit(&mut recorder, 0, 50));
    plate.until_waiting();
    let kept: Vec<bool> = (1..=8).map(|n| emit(&mut recorder, n, 50)).collect();
    assert_eq!(kept.iter().filter(|kept| **kept).count(), 2);
    assert_eq!(recorder.failed(), None);
    let why = "the disk fell 8 records behind; the tape ends there, since it has no gaps";
    for n in 9..20 {
        assert!(!emit(&mut recorder, n, 50));
        assert_eq!(recorder.failed(), Some(why));
    }
    plate.stall(false);
    plate.until(9);
    // Nothing is taken any more, though there is room again.
    assert!(!emit(&mut recorder, 20, 50));
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.dropped, summary.failed.as_deref()), (9, 6 + 12, Some(why)));
    let tape = plate.tape();
    assert_eq!((seqs(&tape), tape.ending()), ((0..9).collect(), &Ending::Whole));
}

/// The N-th write fails, for every N: recording ends, the loop's side goes on, and the tape reads to what was synced.
#[test]
fn a_disk_that_fills_up_ends_the_recording_at_any_write() {
    let mut ended = 0;
    for bad in 0.. {
        let plate = Plate { bad_write: Some(bad), ..Plate::default() };
        let Ok(writer) = plate.writer() else { continue };
        let mut recorder = Recorder::start(writer, Bounds { period: Span(2 * TICK), ..bounds() }).unwrap();
        for n in 0..12 {
            emit(&mut recorder, n, 60);
        }
        let summary = recorder.finish();
        let Some(why) = summary.failed else {
            assert_eq!(plate.tape().ending(), &Ending::Whole);
            break;
        };
        ended += 1;
        assert_eq!(why, "cannot write to the tape: no storage space", "write {bad}");
        let tape = Tape::from_bytes(plate.bytes()).unwrap_or_else(|error| panic!("write {bad}: {error}"));
        assert!(matches!(tape.ending(), Ending::Cut { .. }));
        assert!(tape.ticks() as u64 >= summary.ticks, "write {bad}: {} of {}", tape.ticks(), summary.ticks);
        assert!(summary.ticks.is_multiple_of(3), "{} ticks at a time", summary.ticks);
        for (n, record) in (0..).zip(tape.records()) {
            assert_eq!(record.frame.unwrap().left.bytes, jpeg(n, 60));
            let wanted = exactly(&tick(n, Some(stamp(n))));
            assert!(record.tick.is_none_or(|tick| exactly(&tick) == wanted), "write {bad}, tick {n}");
        }
    }
    println!("{ended} writes failed, one in each recording");
    assert!(ended > 20);
}

#[test]
fn after_a_failure_nothing_is_taken_and_the_reason_stays() {
    let plate = Plate { bad_sync: Some(1), ..Plate::default() };
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    assert!(emit(&mut recorder, 0, 50));
    let mut n = 1;
    let begun = Clock::now();
    while recorder.failed().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        emit(&mut recorder, n, 50);
        n += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let why = "cannot write to the tape: the medium failed";
    // Between the reason and the end of the queue a record may still be taken in vain.
    while emit(&mut recorder, n, 50) {
        n += 1;
    }
    assert!((0..5).all(|more| !emit(&mut recorder, n + more, 50)));
    assert_eq!(recorder.failed(), Some(why));
    let summary = recorder.finish();
    assert_eq!((summary.ticks, summary.failed.as_deref()), (1, Some(why)));
    assert!(plate.tape().ticks() >= 1);
}

/// The kernel's own refusal, behind a file that took the beginning.
struct Filling {
    room: usize,
    file: File,
    full: File,
}

impl Write for Filling {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.room == 0 {
            return self.full.write(bytes);
        }
        let taken = self.file.write(&bytes[..bytes.len().min(self.room)])?;
        self.room -= taken;
        Ok(taken)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

#[test]
fn a_full_device_ends_the_recording_and_the_file_reads() {
    let Ok(full) = OpenOptions::new().write(true).open("/dev/full") else {
        println!("no /dev/full here");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("full.mcap");
    let file = File::create(&path).unwrap();
    let disk = file.try_clone().unwrap();
    let out = BufWriter::new(Filling { room: 100_000, file, full });
    let tape = TapeWriter::new(out, &Header::default()).unwrap().on(disk);
    let mut recorder = Recorder::start(tape, Bounds { period: Span(3 * TICK), ..bounds() }).unwrap();
    for n in 0..60 {
        emit(&mut recorder, n, 5_000);
    }
    let summary = recorder.finish();
    let why = summary.failed.unwrap();
    assert!(why.starts_with("cannot write to the tape: No space left on device"), "{why}");
    let tape = Tape::open(&path).unwrap();
    println!("{} ticks are safe, {} are read from {} bytes", summary.ticks, tape.ticks(), tape.size());
    assert!(summary.ticks >= 12 && tape.ticks() as u64 >= summary.ticks);
    assert!(
        tape.records()
            .enumerate()
            .all(|(n, record)| { record.frame.unwrap().left.bytes == jpeg(n as u64, 5_000) })
    );

    let error = TapeWriter::create(std::path::Path::new("/dev/full"), &Header::default(), true).err();
    assert!(error.unwrap().to_string().starts_with("cannot write to the tape: No space left on device"));
}

#[test]
fn a_real_file_is_whole_at_the_end_also_without_finish() {
    let folder = tempfile::tempdir().unwrap();
    for finished in [true, false] {
        let path = folder.path().join(format!("{finished}.mcap"));
        let tape = TapeWriter::create(&path, &Header::default(), false).unwrap();
        let mut recorder = Recorder::start(tape, bounds()).unwrap();
        assert!((0..90).all(|n| emit(&mut recorder, n, 2_000) || n >= 64));
        if finished {
            assert_eq!(recorder.finish().failed, None);
        } else {
            drop(recorder);
        }
        let tape = Tape::open(&path).unwrap();
        assert_eq!((tape.ticks(), tape.ending()), (90, &Ending::Whole));
    }
}

/// A power cut leaves any prefix of the file that is not shorter than what was synced last.
#[test]
fn a_power_cut_loses_less_than_a_period() {
    const TICKS: u64 = 18;
    // Two ticks after the first one a period is over: three are synced at a time.
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { period: Span(2 * TICK), ..bounds() });
    for n in 0..TICKS {
        assert!(emit(&mut recorder, n, 40));
    }
    let summary = recorder.finish();
    let (whole, synced) = (plate.bytes(), plate.with(|inside| inside.synced.clone()));
    assert_eq!((summary.ticks, summary.failed), (TICKS, None));
    // One for every three, one at the end and one after the index.
    assert_eq!(synced.len(), TICKS as usize / 3 + 2, "{synced:?}");
    let from = synced[TICKS as usize / 3 - 3];
    for cut in from..=whole.len() {
        let tape = Tape::from_bytes(whole[..cut].to_vec()).unwrap_or_else(|error| panic!("{cut}: {error}"));
        let safe = 3 * synced.iter().filter(|len| **len <= cut).count().min(TICKS as usize / 3);
        assert!(tape.ticks() >= safe, "cut at {cut}: {} ticks, {safe} were synced", tape.ticks());
        for (n, record) in (0..).zip(tape.records()) {
            assert_eq!(record.frame.unwrap().left.bytes, jpeg(n, 40), "cut at {cut}");
        }
        assert_eq!(tape.ending() == &Ending::Whole, cut == whole.len());
    }
    println!("cut at each of the last {} bytes of {}", whole.len() - from, whole.len());
}

#[test]
fn an_idle_recording_is_synced_by_the_wait_itself() {
    let plate = Plate::default();
    let mut recorder = plate.recorder(Bounds { period: Span::from_millis(20), ..bounds() });
    assert!(emit(&mut recorder, 0, 40));
    let begun = Clock::now();
    while plate.with(|inside| inside.syncs) == 0 {
        assert!(begun.elapsed() < Duration::from_mins(1), "nobody asked the disk");
        std::thread::sleep(Duration::from_millis(2));
    }
    // Once: there is nothing new for the disk.
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(plate.with(|inside| inside.syncs), 1);
    assert_eq!(plate.tape().ticks(), 1);
    drop(recorder);
}

#[test]
fn the_end_waits_no_longer_than_its_patience() {
    let plate = Plate::default();
    let mut recorder =
        plate.recorder(Bounds { period: Span(0), patience: Span::from_millis(30), ..bounds() });
    plate.stall(true);
    assert!(emit(&mut recorder, 0, 40));
    plate.until_waiting();
    assert!(emit(&mut recorder, 1, 40));
    let begun = Clock::now();
    let summary = recorder.finish();
    assert!(begun.elapsed() >= Duration::from_millis(30) && begun.elapsed() < Duration::from_secs(20));
    let why = "the disk did not take the rest within 30.0 ms";
    assert_eq!((summary.ticks, summary.failed.as_deref()), (0, Some(why)));
    plate.stall(false);
}

#[test]
fn a_panic_in_the_thread_is_a_reason() {
    let plate = Plate { panics: Some(40), ..Plate::default() };
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    let begun = Clock::now();
    let mut n = 0;
    while recorder.failed().is_none() {
        assert!(begun.elapsed() < Duration::from_mins(1));
        emit(&mut recorder, n, 40);
        n += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    let why = Some("the thread that writes it ended");
    assert_eq!(recorder.finish().failed.as_deref(), why);

    // Nor is it overlooked where no later record meets the closed queue: at the first write after the header.
    let plain = Plate::default();
    let writer = plain.writer().unwrap();
    let header = plain.with(|inside| inside.writes);
    drop(writer);
    let plate = Plate { panics: Some(header), ..Plate::default() };
    let mut recorder = plate.recorder(Bounds { period: Span(0), ..bounds() });
    assert!(emit(&mut recorder, 0, 40));
    assert_eq!(recorder.finish().failed.as_deref(), why);
}
