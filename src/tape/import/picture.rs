//! A picture file as a camera's picture. A JPEG's bytes are taken as they are; a PNG becomes a JPEG of quality 100,
//! which may change a pixel by a level or two. The door to `image` and `jpeg-encoder`.

use std::fs::{self, File};
use std::io::{Cursor, Read};
use std::path::Path;

use image::{ImageFormat, ImageReader, RgbImage};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};

use super::error::ImportError;
use crate::domain::{Picture, PixelFormat};

/// What a file's name says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Jpeg,
    Png,
}

impl Source {
    /// By the extension; `None` for everything that is not a picture.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        match extension.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => Some(Self::Jpeg),
            "png" => Some(Self::Png),
            _ => None,
        }
    }
}

/// Refuses a picture that is not there or has no bytes, without reading it.
pub(super) fn check(path: &Path) -> Result<(), ImportError> {
    let found = fs::metadata(path).map_err(|source| failed(path, source))?;
    if found.len() == 0 { Err(ImportError::EmptyPicture { path: path.to_owned() }) } else { Ok(()) }
}

/// Memory for both pictures of a frame, kept from one frame to the next.
#[derive(Debug, Default)]
pub(super) struct Eyes {
    pub(super) left: Eye,
    pub(super) right: Eye,
}

/// Memory for one picture.
#[derive(Debug, Default)]
pub(super) struct Eye {
    file: Vec<u8>,
    converted: Vec<u8>,
}

impl Eye {
    /// Reads one file.
    pub(super) fn read(&mut self, path: &Path) -> Result<Picture<'_>, ImportError> {
        self.file.clear();
        let mut file = File::open(path).map_err(|source| failed(path, source))?;
        file.read_to_end(&mut self.file).map_err(|source| failed(path, source))?;
        if self.file.is_empty() {
            return Err(ImportError::EmptyPicture { path: path.to_owned() });
        }
        if self.file.starts_with(b"\xff\xd8\xff") {
            return Ok(Picture { format: PixelFormat::Mjpeg, bytes: &self.file });
        }
        if !self.file.starts_with(b"\x89PNG") {
            let saw = self.file.get(..8).unwrap_or(&self.file).escape_ascii().to_string();
            return Err(ImportError::NotAPicture { path: path.to_owned(), saw });
        }
        let bad = |saw: String| ImportError::BadPng { path: path.to_owned(), saw };
        let reader = ImageReader::with_format(Cursor::new(&self.file), ImageFormat::Png);
        let pixels = reader.decode().map_err(|error| bad(error.to_string()))?.into_rgb8();
        self.converted.clear();
        convert(&pixels, &mut self.converted).map_err(bad)?;
        Ok(Picture { format: PixelFormat::Mjpeg, bytes: &self.converted })
    }
}

fn failed(path: &Path, source: std::io::Error) -> ImportError {
    ImportError::Io { doing: "read", path: path.to_owned(), source }
}

/// Encodes without sub-sampling. The error is words: a side of more than 65535 pixels, or the encoder's own.
fn convert(pixels: &RgbImage, out: &mut Vec<u8>) -> Result<(), String> {
    let (width, height) = pixels.dimensions();
    let sides = u16::try_from(width).ok().zip(u16::try_from(height).ok());
    let (width, height) =
        sides.ok_or_else(|| format!("{width}x{height} pixels, wanted at most 65535 a side"))?;
    let mut encoder = Encoder::new(out, 100);
    encoder.set_sampling_factor(SamplingFactor::R_4_4_4);
    encoder.encode(pixels, width, height, ColorType::Rgb).map_err(|error| error.to_string())
}
