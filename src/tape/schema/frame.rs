//! A frame's messages: pictures as Foxglove's own types, so that its image panel shows them; LiDAR values and
//! what a human did as ours. The camera's bytes are never touched.

use super::Channel;
use super::table::{COMPRESSED_IMAGE, HUMAN, RANGES, RAW_IMAGE, TIMESTAMP};
use super::wire::{Fault, Fields, Pen};
use crate::domain::{Picture, PixelFormat, Size};
use crate::units::Instant;

/// The format of a JPEG in `foxglove.CompressedImage`.
const JPEG: &str = "jpeg";
/// The encoding of packed 4:2:2 in `foxglove.RawImage`.
const YUYV: &str = "yuyv";

/// What a human did at a frame, as a foreign recording says it: a label, not an input of any tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Human {
    /// Share of full lock, positive is left; as recorded, so not limited to -1..=1.
    pub steering: f64,
    /// Share of full throttle, positive is forward; as recorded.
    pub throttle: f64,
}

/// Which eye.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Eye {
    /// The left camera, or the only one.
    Left,
    /// The right camera of a stereo car.
    Right,
}

impl Eye {
    const fn frame_id(self) -> &'static [u8] {
        match self {
            Self::Left => b"camera_left",
            Self::Right => b"camera_right",
        }
    }

    /// The channel of this eye's pictures.
    pub(crate) const fn channel(self, format: PixelFormat) -> Channel {
        match (self, format) {
            (Self::Left, PixelFormat::Mjpeg) => Channel::LeftJpeg,
            (Self::Left, PixelFormat::Yuyv(_)) => Channel::LeftYuyv,
            (Self::Right, PixelFormat::Mjpeg) => Channel::RightJpeg,
            (Self::Right, PixelFormat::Yuyv(_)) => Channel::RightYuyv,
        }
    }
}

/// Writes one picture.
pub(crate) fn write_picture(out: &mut Vec<u8>, eye: Eye, at: Instant, picture: &Picture<'_>) {
    let mut pen = Pen::new(out);
    match picture.format {
        PixelFormat::Mjpeg => {
            pen.part(const { COMPRESSED_IMAGE.at("timestamp") }, |pen| timestamp(pen, at));
            pen.bytes(const { COMPRESSED_IMAGE.at("frame_id") }, eye.frame_id());
            pen.bytes(const { COMPRESSED_IMAGE.at("format") }, JPEG.as_bytes());
            pen.bytes(const { COMPRESSED_IMAGE.at("data") }, picture.bytes);
        }
        PixelFormat::Yuyv(size) => {
            pen.part(const { RAW_IMAGE.at("timestamp") }, |pen| timestamp(pen, at));
            pen.bytes(const { RAW_IMAGE.at("frame_id") }, eye.frame_id());
            pen.u32(const { RAW_IMAGE.at("width") }, size.width);
            pen.u32(const { RAW_IMAGE.at("height") }, size.height);
            pen.bytes(const { RAW_IMAGE.at("encoding") }, YUYV.as_bytes());
            pen.u32(const { RAW_IMAGE.at("step") }, size.width.saturating_mul(2));
            pen.bytes(const { RAW_IMAGE.at("data") }, picture.bytes);
        }
    }
}

fn timestamp(pen: &mut Pen<'_>, at: Instant) {
    pen.number(const { TIMESTAMP.at("seconds") }, at.0 / 1_000_000_000);
    pen.number(const { TIMESTAMP.at("nanos") }, at.0 % 1_000_000_000);
}

/// Reads one picture; of the channels, those of YUYV are told from all others.
pub(crate) fn read_picture(channel: Channel, bytes: &[u8]) -> Result<Picture<'_>, Fault> {
    match channel {
        Channel::LeftYuyv | Channel::RightYuyv => read_yuyv(bytes),
        _ => read_jpeg(bytes),
    }
}

fn read_jpeg(bytes: &[u8]) -> Result<Picture<'_>, Fault> {
    let fields = Fields::read(&COMPRESSED_IMAGE, bytes)?;
    let field = const { COMPRESSED_IMAGE.at("format") };
    let format = fields.bytes(field)?;
    if format != JPEG.as_bytes() {
        return Err(fields.value(field, format!("{:?}", format.escape_ascii().to_string()), "\"jpeg\""));
    }
    Ok(Picture { format: PixelFormat::Mjpeg, bytes: fields.bytes(const { COMPRESSED_IMAGE.at("data") })? })
}

fn read_yuyv(bytes: &[u8]) -> Result<Picture<'_>, Fault> {
    let fields = Fields::read(&RAW_IMAGE, bytes)?;
    let field = const { RAW_IMAGE.at("encoding") };
    let encoding = fields.bytes(field)?;
    if encoding != YUYV.as_bytes() {
        return Err(fields.value(field, format!("{:?}", encoding.escape_ascii().to_string()), "\"yuyv\""));
    }
    let size = Size {
        width: fields.u32(const { RAW_IMAGE.at("width") })?,
        height: fields.u32(const { RAW_IMAGE.at("height") })?,
    };
    let field = const { RAW_IMAGE.at("step") };
    let (saw, wanted) = (fields.u32(field)?, size.width.saturating_mul(2));
    if saw != wanted {
        return Err(fields.value(field, saw, format!("{wanted}, twice the width")));
    }
    Ok(Picture { format: PixelFormat::Yuyv(size), bytes: fields.bytes(const { RAW_IMAGE.at("data") })? })
}

/// Writes LiDAR values.
pub(crate) fn write_ranges(out: &mut Vec<u8>, ranges: &[f32]) {
    Pen::new(out).floats(const { RANGES.at("values") }, ranges);
}

/// Reads LiDAR values, one after the other.
pub(crate) fn read_ranges(bytes: &[u8], each: impl FnMut(f32)) -> Result<(), Fault> {
    Fields::read(&RANGES, bytes)?.floats(const { RANGES.at("values") }, each)
}

/// Writes what a human did.
pub(crate) fn write_human(out: &mut Vec<u8>, human: Human) {
    let mut pen = Pen::new(out);
    pen.f64(const { HUMAN.at("steering") }, human.steering);
    pen.f64(const { HUMAN.at("throttle") }, human.throttle);
}

/// Reads what a human did.
pub(crate) fn read_human(bytes: &[u8]) -> Result<Human, Fault> {
    let fields = Fields::read(&HUMAN, bytes)?;
    Ok(Human {
        steering: fields.f64(const { HUMAN.at("steering") })?,
        throttle: fields.f64(const { HUMAN.at("throttle") })?,
    })
}
