//! Cameras: found by USB id, opened through v4l, set to MJPEG. A door to v4l. Streaming comes with the loop that
//! needs it; what is here answers which cameras there are and what they will send.

use std::fs;
use std::path::{Path, PathBuf};

use v4l::video::Capture;
use v4l::{Device, FourCC};

use super::HalError;
use crate::domain::{PixelFormat, Size};

/// The stock camera: GEO GC6500 (car.md §2.2).
pub const DEEPRACER_CAMERA: (&str, &str) = ("29fe", "4d53");

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

/// Opens a node and asks for MJPEG of `size`; answers what the driver agreed to, which may be another size or YUYV.
///
/// # Errors
/// [`HalError::Camera`] with the step that failed.
pub fn negotiate(path: &Path, size: Size) -> Result<(Device, PixelFormat, Size), HalError> {
    let failed = |doing| move |source| HalError::Camera { path: path.to_path_buf(), doing, source };
    let device = Device::with_path(path).map_err(failed("opening"))?;
    let mut wanted = device.format().map_err(failed("asking for its format"))?;
    (wanted.width, wanted.height, wanted.fourcc) = (size.width, size.height, FourCC::new(b"MJPG"));
    let agreed = device.set_format(&wanted).map_err(failed("setting MJPEG"))?;
    let size = Size { width: agreed.width, height: agreed.height };
    let format = match &agreed.fourcc.repr {
        b"MJPG" | b"JPEG" => PixelFormat::Mjpeg,
        b"YUYV" => PixelFormat::Yuyv(size),
        other => {
            let saw = std::io::Error::other(format!(
                "it sends {}, wanted MJPG or YUYV",
                String::from_utf8_lossy(other)
            ));
            return Err(failed("setting MJPEG")(saw));
        }
    };
    Ok((device, format, size))
}
