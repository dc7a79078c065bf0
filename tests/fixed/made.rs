//! A network, read, calibrated, and as a plan on every path that this CPU has.

use std::sync::Arc;

use hairpin::domain::{Observation, Recipe, Sensor};
use hairpin::policy::fixed::calibrate::Calibration;
use hairpin::policy::fixed::file::Part;
use hairpin::policy::fixed::network::FixedNetwork;
use hairpin::policy::fixed::{file, parts};
use hairpin::policy::kernels::Path;
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Plan, Policy, Typed, read, witness};

/// The digest that files are written for.
pub(crate) const DIGEST: [u8; 32] = [7; 32];

pub(crate) struct Made {
    pub(crate) typed: Typed,
    pub(crate) recipe: Recipe,
    pub(crate) parts: Vec<Part>,
    /// What stays in `f32`: operator and reason.
    pub(crate) kept: Vec<(String, String)>,
}

/// Scores of every frame as bits, and how far they are from the float network's.
pub(crate) struct Compared {
    pub(crate) worst: f32,
    /// Frames whose largest score is another output's.
    pub(crate) changed: usize,
    /// Of those, where the largest two of the float network differ by more than twice `worst`.
    pub(crate) surprising: usize,
    pub(crate) scores: Vec<Vec<f32>>,
}

/// Pictures of blocks, and such ranges as belong to them.
pub(crate) fn blocks(recipe: &Recipe, count: u32) -> Vec<Observation> {
    (1..=count).map(|seed| witness::observation(seed * 977, recipe)).collect()
}

pub(crate) fn typed(kind: NetworkKind, bytes: &[u8], sensors: &[Sensor], outputs: usize) -> (Typed, Recipe) {
    let want = Expectation { sensors, outputs, output: None, limits: GraphLimits::default() };
    let network = read(kind, bytes, &want).unwrap();
    let sensors = network.inputs.iter().map(|(sensor, _)| *sensor).collect();
    (network.typed, Recipe { sensors, ..Recipe::default() })
}

/// Calibrated on `frames`, written to a file and read back.
pub(crate) fn make((typed, recipe): (Typed, Recipe), frames: &[Observation]) -> Made {
    let mut calibration = Calibration::new(&typed).unwrap();
    for frame in frames {
        calibration.observe(frame).unwrap();
    }
    let kept = calibration.kept().iter().map(|kept| (kept.op.clone(), kept.why.clone())).collect();
    let made = calibration.finish().unwrap();
    let bytes = file::write(DIGEST, &made);
    let parts = file::read(&bytes, DIGEST).unwrap();
    assert_eq!(parts, made, "a file gives back another network");
    assert_eq!(file::write(DIGEST, &parts), bytes, "the same network is written in other bytes");
    Made { typed, recipe, parts, kept }
}

impl Made {
    pub(crate) fn is_whole(&self) -> bool {
        self.kept.is_empty() && self.parts.len() == 1 && self.parts[0].stands_for.is_empty()
    }

    pub(crate) fn network(&self) -> &FixedNetwork {
        &self.parts[0].network
    }

    pub(crate) fn plan(&self, path: Path) -> Plan {
        if self.is_whole() {
            Plan::fixed(&self.recipe.sensors, Arc::new(self.network().clone()), path).unwrap()
        } else {
            parts::plan(&self.typed, self.parts.clone(), path).unwrap()
        }
    }

    /// Every frame on every path, which must agree in every bit, and beside the float network.
    pub(crate) fn compare(&self, frames: &[Observation]) -> Compared {
        let mut float = self.typed.clone().plan().unwrap();
        let mut plans: Vec<(Path, Plan)> = paths().into_iter().map(|path| (path, self.plan(path))).collect();
        let mut seen = Compared { worst: 0.0, changed: 0, surprising: 0, scores: Vec::new() };
        let mut margins = Vec::new();
        for frame in frames {
            let wanted = float.infer(frame).unwrap().values().to_vec();
            let all: Vec<Vec<f32>> =
                plans.iter_mut().map(|(_, plan)| plan.infer(frame).unwrap().values().to_vec()).collect();
            for ((path, _), scores) in plans.iter().zip(&all) {
                assert_eq!(bits(scores), bits(&all[0]), "{} and {}", path.name(), plans[0].0.name());
            }
            for (saw, wanted) in all[0].iter().zip(&wanted) {
                assert!(saw.is_finite() && wanted.is_finite(), "{saw} and {wanted}");
                seen.worst = seen.worst.max((saw - wanted).abs());
            }
            if first_largest(&all[0]) != first_largest(&wanted) {
                seen.changed += 1;
                margins.push(margin(&wanted));
            }
            seen.scores.push(all[0].clone());
        }
        seen.surprising = margins.iter().filter(|margin| **margin > 2.0 * seen.worst).count();
        seen
    }
}

/// The paths that this CPU has; the reference first.
pub(crate) fn paths() -> Vec<Path> {
    Path::ALL.into_iter().filter(|path| path.is_here()).collect()
}

pub(crate) fn bits(scores: &[f32]) -> Vec<u32> {
    scores.iter().map(|score| score.to_bits()).collect()
}

pub(crate) fn first_largest(scores: &[f32]) -> usize {
    (0..scores.len()).rev().max_by(|a, b| scores[*a].total_cmp(&scores[*b])).unwrap()
}

/// How far the largest score is above the next.
fn margin(scores: &[f32]) -> f32 {
    let mut sorted = scores.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    sorted[0] - sorted.get(1).copied().unwrap_or(f32::NEG_INFINITY)
}
