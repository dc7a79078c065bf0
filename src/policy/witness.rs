//! Fixed observations that a model is asked at import and again at every load: a damaged network answers
//! differently, whatever its digest says about the file.

use super::{Policy, PolicyError};
use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Observation, Recipe, Scores, Witness};

/// The seeds of a card's witnesses.
pub const SEEDS: [u32; 2] = [1, 20_181_128];

/// The largest difference between kernels that still counts as the same answer: forty times what FMA and
/// plain kernels differ by (tract.md), far below what a changed weight makes.
pub const TOLERANCE: f32 = 1e-4;

/// The observation of a seed: blocks of 8x8 pixels with grey values from a xorshift generator, so that
/// every convolution sees edges; LiDAR values are 0 or 1 for 8 sectors, else 0.15 to 1.0 m.
#[must_use]
pub fn observation(seed: u32, recipe: &Recipe) -> Observation {
    let channels = recipe.channels();
    let columns = WIDTH / 8;
    let mut state = seed.max(1);
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        u16::try_from(state >> 24).unwrap_or(0)
    };
    let blocks: Vec<u16> = (0..columns * (HEIGHT / 8) * channels).map(|_| next()).collect();
    let mut camera = Vec::with_capacity(WIDTH * HEIGHT * channels);
    for y in 0..HEIGHT * usize::from(channels > 0) {
        for x in 0..WIDTH {
            for c in 0..channels {
                let at = ((y / 8) * columns + x / 8) * channels + c;
                camera.push(f32::from(blocks.get(at).copied().unwrap_or(0)));
            }
        }
    }
    let ranges = (0..recipe.ranges())
        .map(|_| match recipe.ranges() {
            8 => f32::from(next() & 1),
            _ => 0.15 + f32::from(next()) / 300.0,
        })
        .collect();
    Observation { camera, channels, ranges }
}

/// Asks a policy every witness question.
///
/// # Errors
/// [`PolicyError::NonFiniteAnswer`], [`PolicyError::Fickle`], or what the policy itself says.
pub fn ask(policy: &mut impl Policy, recipe: &Recipe) -> Result<Vec<Witness>, PolicyError> {
    let mut witnesses = Vec::new();
    for seed in SEEDS {
        let question = observation(seed, recipe);
        let scores = policy.infer(&question)?;
        if !scores.is_finite() {
            return Err(PolicyError::NonFiniteAnswer { saw: scores.values().to_vec() });
        }
        let again = policy.infer(&question)?;
        let bits = |scores: &Scores| scores.values().iter().map(|score| score.to_bits()).collect::<Vec<_>>();
        if bits(&scores) != bits(&again) {
            return Err(PolicyError::Fickle {
                first: scores.values().to_vec(),
                second: again.values().to_vec(),
            });
        }
        witnesses.push(Witness { seed, scores: scores.values().to_vec() });
    }
    Ok(witnesses)
}

/// Asks again and compares.
///
/// # Errors
/// [`PolicyError::Witness`] naming the first answer that changed.
pub fn check(policy: &mut impl Policy, recipe: &Recipe, witnesses: &[Witness]) -> Result<(), PolicyError> {
    for (index, witness) in witnesses.iter().enumerate() {
        let scores = policy.infer(&observation(witness.seed, recipe))?;
        if scores.values().len() != witness.scores.len() {
            return Err(PolicyError::Outputs {
                actions: witness.scores.len(),
                outputs: scores.values().len(),
            });
        }
        for (output, (saw, recorded)) in scores.values().iter().zip(&witness.scores).enumerate() {
            let near = (saw - recorded).abs() <= TOLERANCE;
            // NaN is not near.
            if !near {
                return Err(PolicyError::Witness {
                    index,
                    output,
                    saw: *saw,
                    recorded: *recorded,
                    tolerance: TOLERANCE,
                });
            }
        }
    }
    Ok(())
}
