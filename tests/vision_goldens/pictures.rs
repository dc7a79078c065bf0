//! The stored pictures, and frames made of them.

use std::fs;
use std::path::PathBuf;

use hairpin::domain::{
    Frame, FrameSeq, Observation, Picture, PixelFormat, Preparation, Recipe, Rgb, Sensor, Size,
};
use hairpin::units::Instant;
use hairpin::vision::{Look, VisionError, Workspace, prepare};

pub(crate) const JPEGS: [&str; 8] = [
    "small-444",
    "small-422",
    "small-420",
    "small-440",
    "small-411",
    "small-restart",
    "small-gray",
    "odd-420",
];

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/goldens/vision").join(name);
    fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn rgb(name: &str) -> Rgb {
    let picture = image::load_from_memory(&bytes(name)).unwrap().into_rgb8();
    let size = Size { width: picture.width(), height: picture.height() };
    Rgb::new(size, picture.into_raw()).unwrap()
}

/// The samples of a grey PNG as they are stored.
pub(crate) fn gray(name: &str) -> Vec<u8> {
    let picture = image::load_from_memory(&bytes(name)).unwrap();
    assert_eq!(picture.color(), image::ColorType::L8, "{name}");
    picture.into_bytes()
}

pub(crate) fn recipe(sensor: Sensor, preparation: Preparation) -> Recipe {
    Recipe { sensors: vec![sensor], preparation, ..Recipe::default() }
}

pub(crate) fn frame<'a>(left: &'a [u8], right: Option<&'a [u8]>) -> Frame<'a> {
    let picture = |bytes| Picture { format: PixelFormat::Mjpeg, bytes };
    Frame {
        seq: FrameSeq(1),
        captured_at: Instant(1),
        left: picture(left),
        right: right.map(picture),
        ranges: &[],
    }
}

pub(crate) fn observed(frame: &Frame<'_>, recipe: &Recipe) -> Result<(Look, Observation), VisionError> {
    let mut observation = Observation::default();
    let look = prepare(frame, recipe, &mut Workspace::new(), &mut observation)?;
    Ok((look, observation))
}

pub(crate) fn stock(jpeg: &[u8]) -> Result<Observation, VisionError> {
    let recipe = recipe(Sensor::FrontFacingCamera, Preparation::Stock);
    observed(&frame(jpeg, None), &recipe).map(|(_, observation)| observation)
}
