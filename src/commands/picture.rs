//! Pictures for a page: a camera's JPEG as it is, anything else as a PNG that a browser can show.

use std::borrow::Cow;
use std::path::Path;

use crate::domain::{Frame, FrameSeq, Picture, PixelFormat, Recipe, Sensor};
use crate::units::Instant;
use crate::vision::{self, Camera, Workspace};

/// The frame's pictures with their media types; one that does not decode is left out, and the page says so.
pub(crate) fn for_page<'a>(frame: Option<&Frame<'a>>) -> Vec<(&'static str, Cow<'a, [u8]>)> {
    let pictures = frame.map(|frame| [Some(frame.left), frame.right]).into_iter().flatten().flatten();
    pictures.filter_map(|picture| shown(&picture)).collect()
}

fn shown<'a>(picture: &Picture<'a>) -> Option<(&'static str, Cow<'a, [u8]>)> {
    match picture.format {
        PixelFormat::Mjpeg if picture.bytes.is_empty() => None,
        PixelFormat::Mjpeg => Some(("image/jpeg", Cow::Borrowed(picture.bytes))),
        PixelFormat::Yuyv(_) => png(picture).map(|bytes| ("image/png", Cow::Owned(bytes))),
    }
}

fn png(picture: &Picture<'_>) -> Option<Vec<u8>> {
    let frame = Frame { seq: FrameSeq(0), captured_at: Instant(0), left: *picture, right: None, ranges: &[] };
    let recipe = Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() };
    let mut workspace = Workspace::default();
    vision::decode(&frame, &recipe, &mut workspace).ok()?;
    let rgb = workspace.colours(Camera::Left);
    let (width, height) = (u32::try_from(rgb.width()).ok()?, u32::try_from(rgb.height()).ok()?);
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::write_buffer_with_format(
        &mut bytes,
        rgb.pixels(),
        width,
        height,
        image::ExtendedColorType::Rgb8,
        image::ImageFormat::Png,
    )
    .ok()?;
    Some(bytes.into_inner())
}

/// The last part of a path, which says what it is without saying where somebody keeps it.
pub(crate) fn file_name(path: &Path) -> String {
    path.file_name().map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned())
}
