//! Vision (L2): a frame's bytes to the policy's input, pure. Decode, resize and grey follow the stock car bit for
//! bit, or training's arithmetic where the recipe says so. Refuses damaged pictures and inputs of another shape.

pub mod judge;

mod bits;
mod centres;
mod codes;
mod colour;
mod cosine;
mod damage;
mod decode;
mod digest;
mod entropy;
mod error;
mod gray;
mod huffman;
mod lanes;
mod look;
mod resize;
mod segments;
mod shrink;
mod trained;
mod workspace;
mod yuyv;

use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Frame, Observation, Picture, Preparation, Recipe};

pub use damage::Damage;
pub use digest::digest;
pub use error::{Camera, VisionError};
pub use judge::{JudgeLimits, judge};
pub use look::Look;
pub use shrink::Shrinker;
pub use workspace::Workspace;

use workspace::Decoded;

/// Pixels of one grey channel of an observation.
const PIXELS: usize = WIDTH * HEIGHT;

/// Makes the observation that `recipe` asks for out of `frame`: [`decode()`], then [`observe`].
///
/// # Errors
/// Those of the two stages; `observation` is then unspecified.
pub fn prepare(
    frame: &Frame<'_>,
    recipe: &Recipe,
    workspace: &mut Workspace,
    observation: &mut Observation,
) -> Result<Look, VisionError> {
    decode(frame, recipe, workspace)?;
    observe(frame, recipe, workspace, observation)
}

/// First stage: the pictures that `recipe` needs (none, left, or left and right), from bytes to pixels kept in
/// `workspace`. A frame with more pictures than the recipe needs is fine.
///
/// # Errors
/// [`VisionError::Picture`] naming the camera and the damage, [`VisionError::NoRightCamera`].
pub fn decode(frame: &Frame<'_>, recipe: &Recipe, workspace: &mut Workspace) -> Result<(), VisionError> {
    workspace.ready = None;
    let channels = recipe.channels();
    let preparation = recipe.preparation;
    if channels > 0 {
        decode_picture(Camera::Left, &frame.left, preparation, workspace)?;
    }
    if channels > 1 {
        let right = frame.right.as_ref().ok_or(VisionError::NoRightCamera)?;
        decode_picture(Camera::Right, right, preparation, workspace)?;
    }
    workspace.ready = Some((channels, preparation));
    Ok(())
}

/// Second stage: the decoded pictures, and the frame's LiDAR values, to an observation of exactly the recipe's
/// shape: grey 0..=255 as `f32`, 120x160 rows first, the channels of one pixel side by side, left before right.
///
/// # Errors
/// [`VisionError::NotDecoded`] where [`decode()`] did not succeed just before, for this recipe;
/// [`VisionError::Ranges`] and [`VisionError::RangeNotFinite`] for the frame's LiDAR values.
pub fn observe(
    frame: &Frame<'_>,
    recipe: &Recipe,
    workspace: &mut Workspace,
    observation: &mut Observation,
) -> Result<Look, VisionError> {
    let channels = recipe.channels();
    if workspace.ready.take() != Some((channels, recipe.preparation)) {
        return Err(VisionError::NotDecoded);
    }
    copy_ranges(frame.ranges, recipe.ranges(), &mut observation.ranges)?;
    observation.channels = channels;
    observation.camera.resize(PIXELS * channels, 0.0);
    let mut look = Look::NOTHING;
    for (channel, camera) in [Camera::Left, Camera::Right].into_iter().enumerate().take(channels) {
        let small = workspace.shrink(camera, recipe.preparation, channels > 1);
        if channel == 0 {
            look = Look::at(small);
        }
        if channels == 1 {
            fill(observation.camera.iter_mut(), small);
        } else {
            fill(observation.camera.iter_mut().skip(channel).step_by(channels), small);
        }
    }
    Ok(look)
}

fn fill<'a>(places: impl Iterator<Item = &'a mut f32>, grays: &[u8]) {
    for (place, gray) in places.zip(grays) {
        *place = f32::from(*gray);
    }
}

fn decode_picture(
    camera: Camera,
    picture: &Picture<'_>,
    preparation: Preparation,
    workspace: &mut Workspace,
) -> Result<(), VisionError> {
    let Workspace { left, right, jpeg, .. } = workspace;
    let into: &mut Decoded = match camera {
        Camera::Left => left,
        Camera::Right => right,
    };
    decode::picture(picture, preparation, jpeg, into).map_err(|why| VisionError::Picture { camera, why })
}

fn copy_ranges(from: &[f32], wanted: usize, into: &mut Vec<f32>) -> Result<(), VisionError> {
    into.clear();
    if wanted == 0 {
        // A policy of cameras alone drives a car with a LiDAR as well.
        return Ok(());
    }
    if from.len() != wanted {
        return Err(VisionError::Ranges { saw: from.len(), wanted });
    }
    if let Some(index) = from.iter().position(|range| !range.is_finite()) {
        let saw = from.get(index).copied().unwrap_or(f32::NAN);
        return Err(VisionError::RangeNotFinite { index, saw });
    }
    into.extend_from_slice(from);
    Ok(())
}
