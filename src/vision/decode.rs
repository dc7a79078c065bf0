//! A camera's bytes to pixels: the only file that names the JPEG decoder. A JPEG is checked by us from end to end
//! (`segments`, `entropy`). What the car's camera sends becomes pixels in the same walk, and only those that are needed;
//! the library decodes the rest: whole pictures only, so that what it allocates is bounded. Both give the same bits.

use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::centres::{self, Centres};
use super::codes::CodeTables;
use super::damage::Damage;
use super::segments::{self, Steps};
use super::workspace::{Decoded, Made};
use super::{entropy, huffman, yuyv};
use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Picture, PixelFormat, Preparation, Size};

/// What is kept between JPEGs.
#[derive(Debug, Default)]
pub(super) struct Jpeg {
    tables: CodeTables,
    steps: Steps,
    /// A JPEG with the Huffman tables that it lacked.
    whole: Vec<u8>,
    centres: centres::Kept,
}

/// Decodes `picture` for `preparation`: into `into.small` where that can be done at once, else into `into.rgb`, or into
/// `into.gray` for [`Preparation::Luma`] (a JPEG's luma plane). Grey JPEGs give equal R, G and B. What is not
/// mentioned is left as it was.
pub(super) fn picture(
    picture: &Picture<'_>,
    preparation: Preparation,
    jpeg: &mut Jpeg,
    into: &mut Decoded,
) -> Result<(), Damage> {
    into.made = Made::Whole;
    let colour = preparation != Preparation::Luma;
    match picture.format {
        PixelFormat::Mjpeg => decode_jpeg(picture.bytes, preparation, jpeg, into),
        PixelFormat::Yuyv(size) => {
            segments::check_size(size)?;
            yuyv::check(picture.bytes, size)?;
            let (width, height) = (size.width as usize, size.height as usize);
            if colour {
                into.rgb.reshape(width, height);
                yuyv::to_rgb(picture.bytes, &mut into.rgb);
            } else {
                into.gray.reshape(width, height);
                yuyv::to_luma(picture.bytes, &mut into.gray);
            }
            Ok(())
        }
    }
}

fn decode_jpeg(
    bytes: &[u8],
    preparation: Preparation,
    jpeg: &mut Jpeg,
    into: &mut Decoded,
) -> Result<(), Damage> {
    let Jpeg { tables, steps, whole, centres } = jpeg;
    let outline = segments::read(bytes, tables, steps)?;
    let bare = outline.components().iter().any(|part| tables.pair(part.dc, part.ac).is_none());
    if bare {
        tables.complete();
    }
    let colour = preparation != Preparation::Luma;
    if outline.plain && preparation != Preparation::AsTrained {
        into.small.reshape(WIDTH, HEIGHT);
        if let Some(mut sink) = Centres::new(&outline, colour, centres, into.small.pixels_mut()) {
            entropy::walk(bytes, &outline, tables, steps, &mut sink)?;
            into.made = Made::Small;
            return Ok(());
        }
    }
    let end = entropy::walk(bytes, &outline, tables, steps, &mut ())?;
    // What follows the end marker is the driver's padding.
    let mut bytes = bytes.get(..end).unwrap_or(bytes);
    if bare {
        huffman::splice(bytes, whole);
        bytes = whole;
    }
    by_library(bytes, outline.size, colour, into)
}

/// Decodes a checked JPEG of known size with the library.
fn by_library(bytes: &[u8], size: Size, colour: bool, into: &mut Decoded) -> Result<(), Damage> {
    let (width, height) = (size.width as usize, size.height as usize);
    let (space, pixels) = if colour {
        into.rgb.reshape(width, height);
        (ColorSpace::RGB, into.rgb.pixels_mut())
    } else {
        into.gray.reshape(width, height);
        (ColorSpace::Luma, into.gray.pixels_mut())
    };
    let options = DecoderOptions::default()
        .set_strict_mode(true)
        .set_max_width(segments::LIMIT as usize)
        .set_max_height(segments::LIMIT as usize)
        .jpeg_set_out_colorspace(space);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let refused = |why: String| Damage::Decoder { why };
    decoder.decode_headers().map_err(|error| refused(error.to_string()))?;
    if decoder.dimensions() != Some((width, height)) || decoder.output_buffer_size() != Some(pixels.len()) {
        return Err(refused("it sees another size than the frame header states".to_owned()));
    }
    decoder.decode_into(pixels).map_err(|error| refused(error.to_string()))
}
