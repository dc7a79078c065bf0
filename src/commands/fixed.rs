//! The fixed-point plan of a model: made and judged at import, loaded by everything that drives. Refuses a plan whose answers
//! stray from the network's by more than the bounds below.

use std::sync::Arc;

use anyhow::{Context as _, ensure};

use super::sights::Sights;
use crate::config::{Config, Kernels};
use crate::domain::{
    ActionSpace, Digest, FixedPlan, FixedPoint, Observation, Recipe, Scores, Sensor, Witness,
};
use crate::policy::choose::first_maximum;
use crate::policy::fixed::calibrate::Calibration;
use crate::policy::fixed::crew::Threads;
use crate::policy::fixed::{file, parts};
use crate::policy::kernels::Path;
use crate::policy::{Plan, Policy, Typed, plan, witness};

/// The largest difference of a score that is accepted: probabilities, and shares of full lock and full speed, are within
/// -1..=1. Prototypes strayed by 0.0011 on real frames and 0.0034 on trained networks (tract.md).
const MAX_DIFFERENCE: f32 = 0.02;

/// The largest share of frames with another action that is accepted, in thousandths.
const MAX_CHANGED: usize = 10;

/// A continuous action is another one where steering or speed differ by this share of full lock or full speed.
const OTHER: f32 = 0.01;

/// Of so many frames, one is for calibration; all are compared.
const CALIBRATED: usize = 3;

/// A plan, judged.
pub(crate) struct Made {
    pub(crate) state: FixedPoint,
    /// The file, where the plan was accepted.
    pub(crate) bytes: Option<Vec<u8>>,
}

/// Makes a plan and compares it with the network.
///
/// # Errors
/// A network that cannot be run; a plan that is not good enough is no error.
pub(crate) fn make(
    typed: &Typed,
    network: Digest,
    recipe: &Recipe,
    space: &ActionSpace,
    sights: &Sights,
) -> anyhow::Result<Made> {
    let refused = |why: String| Ok(Made { state: FixedPoint::Refused(why), bytes: None });
    let mut calibration = match Calibration::new(typed) {
        Ok(calibration) => calibration,
        Err(why) => return refused(why.to_string()),
    };
    for observation in sights.observations.iter().step_by(CALIBRATED) {
        calibration.observe(observation)?;
    }
    let kept: Vec<String> =
        calibration.kept().iter().map(|kept| format!("{} ({}): {}", kept.node, kept.op, kept.why)).collect();
    if !calibration.any() {
        return refused(format!("no layer has a fixed-point form: {}", kept.join("; ")));
    }
    let bytes = match calibration.finish() {
        Ok(parts) => file::write(network.0, &parts),
        Err(why) => return refused(why.to_string()),
    };
    drop(calibration);
    let mut fixed = read(&bytes, network, (Some(typed), &recipe.sensors), (Path::best(), Threads::One))?;
    let mut float = typed.clone().plan()?;
    let compared = compare(&mut fixed, &mut float, space, &sights.observations)?;
    if compared.max_difference.is_nan() || compared.max_difference > MAX_DIFFERENCE {
        return refused(format!(
            "a score differs by {:.4} from the f32 network's on {}, wanted at most {MAX_DIFFERENCE}",
            compared.max_difference, sights.from
        ));
    }
    let (changed, frames) = (compared.changed, sights.observations.len());
    if changed * 1000 > frames * MAX_CHANGED {
        return refused(format!("{changed} of {} take another action, wanted at most 1 %", sights.from));
    }
    let witnesses = if kept.is_empty() { witness::ask(&mut fixed, recipe)? } else { Vec::new() };
    let plan = FixedPlan {
        digest: Digest::of(&bytes),
        frames: sights.from.clone(),
        compared: u32::try_from(frames)?,
        max_difference: compared.max_difference,
        changed: u32::try_from(changed)?,
        kept,
        witnesses,
    };
    Ok(Made { state: FixedPoint::Made(plan), bytes: Some(bytes) })
}

/// How far two plans are apart.
#[derive(Clone, Copy, Debug, Default)]
struct Compared {
    max_difference: f32,
    changed: usize,
}

fn compare(
    fixed: &mut Plan,
    float: &mut Plan,
    space: &ActionSpace,
    observations: &[Observation],
) -> anyhow::Result<Compared> {
    let mut seen = Compared::default();
    for observation in observations {
        let (one, other) = (fixed.infer(observation)?, float.infer(observation)?);
        for (a, b) in one.values().iter().zip(other.values()) {
            let difference = (a - b).abs();
            // NaN is as different as can be.
            seen.max_difference =
                if difference <= seen.max_difference { seen.max_difference } else { difference };
        }
        seen.changed += usize::from(is_other(&one, &other, space));
    }
    Ok(seen)
}

fn is_other(one: &Scores, other: &Scores, space: &ActionSpace) -> bool {
    match space {
        ActionSpace::Discrete(_) => first_maximum(one.values()) != first_maximum(other.values()),
        ActionSpace::Continuous(_) => {
            let clamped = |x: &f32| x.clamp(-1.0, 1.0);
            let mut pairs = one.values().iter().zip(other.values());
            pairs.any(|(a, b)| (clamped(a) - clamped(b)).abs() > OTHER)
        }
    }
}

/// The plan in a file. `typed` is the float network, which a plan needs that left layers in `f32`.
fn read(
    bytes: &[u8],
    network: Digest,
    (typed, sensors): (Option<&Typed>, &[Sensor]),
    (path, threads): (Path, Threads),
) -> anyhow::Result<Plan> {
    let mut stored = file::read(bytes, network.0)?;
    let is_whole = stored.len() == 1 && stored.iter().all(|part| part.stands_for.is_empty());
    if is_whole && let Some(part) = stored.pop() {
        return Ok(Plan::fixed_in(sensors, Arc::new(part.network), path, threads)?);
    }
    let typed = typed.context("the plan leaves layers in f32, and the network is not there")?;
    Ok(parts::plan(typed, stored, path)?)
}

/// Loads a plan that was accepted, and asks it what it must answer.
///
/// # Errors
/// A file that is another one than the card's, or a plan that answers differently.
pub(crate) fn load(
    bytes: &[u8],
    card: &FixedPlan,
    network: Digest,
    (typed, recipe): (Option<&Typed>, &Recipe),
    (path, threads): (Path, Threads),
) -> anyhow::Result<Plan> {
    let mut plan = read(bytes, network, (typed, &recipe.sensors), (path, threads))?;
    for (number, witness) in card.witnesses.iter().enumerate() {
        let scores = plan.infer(&witness::observation(witness.seed, recipe))?;
        ensure!(
            same(&scores, witness),
            "the fixed-point plan answers witness {number} with {:?}, and answered {:?} when it was made, on whichever CPU: \
             the {} kernels are at fault here; --set policy.kernels=portable goes without them",
            scores.values(),
            witness.scores,
            path.name()
        );
    }
    Ok(plan)
}

fn same(scores: &Scores, witness: &Witness) -> bool {
    let bits = |values: &[f32]| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
    bits(scores.values()) == bits(&witness.scores)
}

/// The instructions that the settings ask for, of those that are here.
pub(crate) fn path(config: &Config) -> Path {
    match config.kernels {
        Kernels::Native if plan::sees_avx2() => Path::best(),
        Kernels::Car | Kernels::Native if Path::Sse41.is_here() => Path::Sse41,
        _ => Path::Portable,
    }
}

/// The threads that share a fixed-point plan of a whole network.
pub(crate) fn threads(config: &Config) -> Threads {
    if config.threads == 1 { Threads::One } else { Threads::Two }
}
