//! Cameras: found by USB id, opened and streamed from through v4l. The only door to v4l, whose defects stay behind it
//! (crates.md §1). One camera, no thread, no policy on what a frame is worth.

use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use v4l::buffer::{Flags, Metadata, Type};
use v4l::capability::Flags as Abilities;
use v4l::io::mmap::Stream;
use v4l::io::traits::{CaptureStream, Stream as _};
use v4l::video::Capture;
use v4l::video::capture::Parameters;
use v4l::{Device, Format, FourCC};

use super::{CameraSettings, HalError};
use crate::domain::{PixelFormat, Size};
use crate::units::{Instant, Span};

/// The stock camera: GEO GC6500 (car.md §2.2).
pub const DEEPRACER_CAMERA: (&str, &str) = ("29fe", "4d53");

/// Buffers asked of the driver: three to fill, one in hand.
const BUFFERS: usize = 4;
/// A frame that was announced and then does not come within this is given up.
const PATIENCE: Duration = Duration::from_millis(100);
/// `ENODEV`: it was unplugged. The library survives that, and no other failure, when it takes a stream down.
const NO_DEVICE: i32 = 19;

/// One capture node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Such as `video2`, under `/dev`.
    pub name: String,
    /// USB vendor and product, lower case; empty where it is no USB device.
    pub usb: (String, String),
    /// Where the device is plugged in; the same socket gives the same text after a reboot, unlike the name.
    pub place: PathBuf,
}

/// The capture nodes under `class` (`/sys/class/video4linux` on a car), by where they are plugged in. The second
/// node of a UVC camera, which carries metadata, has index 1 and is left out.
#[must_use]
pub fn find(class: &Path) -> Vec<Node> {
    let mut nodes: Vec<Node> = fs::read_dir(class)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| word(&entry.path().join("index")).is_none_or(|index| index == "0"))
        .map(|entry| {
            let place = fs::canonicalize(entry.path().join("device")).unwrap_or_default();
            let id = |file: &str| place.parent().and_then(|usb| word(&usb.join(file))).unwrap_or_default();
            Node {
                name: entry.file_name().to_string_lossy().into_owned(),
                usb: (id("idVendor"), id("idProduct")),
                place,
            }
        })
        .collect();
    nodes.sort_by(|a, b| a.place.cmp(&b.place).then_with(|| a.name.cmp(&b.name)));
    nodes
}

fn word(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().to_ascii_lowercase())
}

/// Whether the node at `path` opens and streams pictures. Codecs and image processors do not.
#[must_use]
pub fn streams(path: &Path) -> bool {
    // The library panics on a card name that is no UTF-8.
    let asked = catch_unwind(|| Device::with_path(path).and_then(|device| device.query_caps()));
    let wanted = Abilities::VIDEO_CAPTURE | Abilities::STREAMING;
    matches!(asked, Ok(Ok(able)) if able.capabilities.contains(wanted))
}

/// What a camera agreed to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Such as `video2`.
    pub node: String,
    /// How to read its pictures.
    pub format: PixelFormat,
    /// Pixels; may be others than were asked for.
    pub size: Size,
    /// Frames per second that it promises; fewer come in bad light.
    pub rate_hz: u32,
}

/// Opens a node and asks for MJPEG of the size in `wanted`; answers what the driver agreed to: that, its nearest MJPEG,
/// or else YUYV. The rate is asked for too, and whatever comes is taken.
///
/// # Errors
/// [`HalError::Camera`] with the step that failed.
pub fn negotiate(path: &Path, wanted: &CameraSettings) -> Result<(Device, Agreed), HalError> {
    let failed = |doing| move |source| HalError::Camera { path: path.to_path_buf(), doing, source };
    let device = Device::with_path(path).map_err(failed("opening"))?;
    let mut ask = device.format().map_err(failed("asking for its format"))?;
    (ask.width, ask.height) = (wanted.size.width, wanted.size.height);
    let mut seen = Vec::new();
    for fourcc in [b"MJPG", b"YUYV"] {
        ask.fourcc = FourCC::new(fourcc);
        let answer = device.set_format(&ask).map_err(failed("setting its format"))?;
        if let Some((format, size)) = readable(&answer).map_err(failed("setting its format"))? {
            let rate_hz = rate(&device, wanted.rate_hz);
            let node = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            return Ok((device, Agreed { node, format, size, rate_hz }));
        }
        seen.push(String::from_utf8_lossy(&answer.fourcc.repr).into_owned());
    }
    let saw = io::Error::other(format!("it sends {}, wanted MJPG or YUYV", seen.join(" and ")));
    Err(failed("setting its format")(saw))
}

/// The format in our words; `None` where it is neither MJPEG nor YUYV.
fn readable(answer: &Format) -> io::Result<Option<(PixelFormat, Size)>> {
    let size = Size { width: answer.width, height: answer.height };
    match &answer.fourcc.repr {
        b"MJPG" | b"JPEG" => Ok(Some((PixelFormat::Mjpeg, size))),
        b"YUYV" if answer.stride == size.width.saturating_mul(2) => Ok(Some((PixelFormat::Yuyv(size), size))),
        b"YUYV" => Err(io::Error::other(format!(
            "its rows of {} pixels are {} bytes, wanted no padding; ask for another size",
            size.width, answer.stride
        ))),
        _ => Ok(None),
    }
}

/// The rate that the driver names, else the one that was asked for: not every driver knows.
fn rate(device: &Device, asked: u32) -> u32 {
    let answer = device.set_params(&Parameters::with_fps(asked)).ok();
    answer
        .and_then(|said| said.interval.denominator.checked_div(said.interval.numerator))
        .filter(|rate| *rate > 0)
        .unwrap_or(asked.max(1))
}

/// One buffer as the driver gave it.
#[derive(Debug)]
pub(super) struct Raw<'a> {
    /// What it says is in use; empty where it says more than there is.
    pub(super) bytes: &'a [u8],
    /// The driver's own number; starts anew with the stream.
    pub(super) sequence: u32,
    /// When it was taken, if the driver stamped it on the monotonic clock.
    pub(super) stamp: Option<Instant>,
    /// Whether the driver says that it is damaged, or says what cannot be.
    pub(super) broken: bool,
}

/// An open camera that sends.
pub(super) struct Source {
    stream: Option<Stream<'static>>,
    /// Whether the buffer in hand went back although no other came for it.
    owed: bool,
    pub(super) agreed: Agreed,
}

impl Source {
    /// Opens `path` and starts the stream.
    pub(super) fn open(path: &Path, wanted: &CameraSettings) -> Result<Self, HalError> {
        // The library panics on what it does not know, such as a colour space of a newer kernel's.
        catch_unwind(|| Self::begin(path, wanted)).unwrap_or_else(|_| {
            let source = io::Error::other("v4l panicked on what the driver answered");
            Err(HalError::Camera { path: path.to_path_buf(), doing: "opening", source })
        })
    }

    fn begin(path: &Path, wanted: &CameraSettings) -> Result<Self, HalError> {
        let failed = |source| HalError::Camera { path: path.to_path_buf(), doing: "streaming", source };
        let (device, agreed) = negotiate(path, wanted)?;
        let stream = Stream::with_buffers(&device, Type::VideoCapture, 4).map_err(failed)?;
        let mut source = Self { stream: Some(stream), owed: false, agreed };
        source.start().map_err(failed)?;
        Ok(source)
    }

    /// Queues all buffers but the first, which `next` then gives back as if it were in hand. Queueing all, as the
    /// library does by itself, ends in `EINVAL` for ever after its first time-out.
    fn start(&mut self) -> io::Result<()> {
        let stream = self.stream()?;
        stream.set_timeout(PATIENCE);
        for index in 1..BUFFERS {
            match CaptureStream::queue(stream, index) {
                // The driver gave fewer.
                Err(error) if index > 1 && error.kind() == io::ErrorKind::InvalidInput => break,
                other => other?,
            }
        }
        stream.start()
    }

    fn stream(&mut self) -> io::Result<&mut Stream<'static>> {
        self.stream.as_mut().ok_or_else(|| io::Error::from_raw_os_error(NO_DEVICE))
    }

    /// Waits until a frame is there or something is wrong, at most `timeout_ms`. A signal counts as waiting in vain.
    pub(super) fn wait(&mut self, timeout_ms: i32) -> io::Result<bool> {
        const READABLE: i16 = 1;
        match self.stream()?.handle().poll(READABLE, timeout_ms) {
            Ok(ready) => Ok(ready > 0),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The next frame, after [`Source::wait`] said that there is one. `None` where it slipped away: its number is then
    /// missing.
    pub(super) fn take(&mut self) -> io::Result<Option<Raw<'_>>> {
        let Some(stream) = self.stream.as_mut() else { return Err(io::Error::from_raw_os_error(NO_DEVICE)) };
        if self.owed {
            // Its bytes cannot be had this way, but the library has a buffer in hand again.
            return match CaptureStream::dequeue(stream) {
                Ok(_) => {
                    self.owed = false;
                    Ok(None)
                }
                Err(error) if passing(&error) => Ok(None),
                Err(error) => Err(error),
            };
        }
        match CaptureStream::next(stream) {
            Ok((buffer, about)) => Ok(Some(raw(buffer, about))),
            Err(error) if passing(&error) => {
                self.owed = true;
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}

/// Failures after which the stream goes on.
fn passing(error: &io::Error) -> bool {
    use io::ErrorKind::{Interrupted, TimedOut, WouldBlock};
    matches!(error.kind(), Interrupted | TimedOut | WouldBlock)
}

fn raw<'a>(buffer: &'a [u8], about: &Metadata) -> Raw<'a> {
    let used = usize::try_from(about.bytesused).ok().and_then(|used| buffer.get(..used));
    let monotonic = about.flags & Flags::TIMESTAMP_MASK == Flags::TIMESTAMP_MONOTONIC;
    let stamp = u64::try_from(about.timestamp.sec)
        .ok()
        .zip(u64::try_from(about.timestamp.usec).ok())
        .map(|(sec, usec)| Instant(sec.saturating_mul(1_000_000_000)) + Span(usec.saturating_mul(1000)))
        .filter(|_| monotonic);
    let bytes = used.unwrap_or_default();
    let broken = about.flags.contains(Flags::ERROR) || bytes.is_empty();
    Raw { bytes, sequence: about.sequence, stamp, broken }
}

impl Drop for Source {
    /// The library panics, and its buffers then panic again, where a stream cannot be stopped: two at once would end
    /// the process. Such a stream is left open instead.
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        match stream.stop() {
            Err(error) if error.raw_os_error() != Some(NO_DEVICE) => std::mem::forget(stream),
            // Freeing the buffers can panic too, alone; the device is closed all the same.
            _ => drop(catch_unwind(AssertUnwindSafe(|| drop(stream)))),
        }
    }
}
