//! `hairpin bench --only infer`: the policy alone, in CPU time, for a comparison with other engines (`benches/peers/`). Frames come
//! ready for the network, so that nothing but inference is measured.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use rustix::time::{ClockId, clock_gettime};

use super::super::clock::Clock;
use super::super::files::bounded;
use super::super::{Context, model};
use crate::cli::Bench;
use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Observation, Recipe, Scores};
use crate::exit::Outcome;
use crate::policy::{Policy, witness};
use crate::report::bench::InferReport;

/// Inferences before the first one that counts.
const WARM_UP: usize = 20;

/// The most bytes of frames.
const MOST: u64 = 1 << 28;

/// Measures.
pub(super) fn run(args: &Bench, context: &Context) -> anyhow::Result<Outcome> {
    let mut loaded = model::load_folder(&args.model, &context.config)?;
    let recipe = &loaded.card.recipe;
    let frames = match &args.frames {
        Some(file) => frames(file, recipe).with_context(|| format!("cannot use {}", file.display()))?,
        None => (1..=16).map(|seed| witness::observation(seed, recipe)).collect(),
    };
    if let Some(file) = &args.scores {
        let all = frames.iter().map(|frame| loaded.plan.infer(frame)).collect::<Result<Vec<_>, _>>()?;
        let bytes = npy(&all, loaded.card.action_space.outputs());
        std::fs::write(file, bytes).with_context(|| format!("cannot write {}", file.display()))?;
    }
    let mut round = frames.iter().cycle();
    for frame in round.by_ref().take(WARM_UP) {
        loaded.plan.infer(frame)?;
    }
    let clock = Clock::start();
    let (mut cpu_ns, mut wall_ns) = (Vec::new(), Vec::new());
    for frame in round.take(args.ticks as usize) {
        let (cpu, wall) = (cpu(), clock.elapsed());
        loaded.plan.infer(frame)?;
        cpu_ns.push(self::cpu().saturating_sub(cpu));
        wall_ns.push(clock.elapsed().0.saturating_sub(wall.0));
    }
    context.print(&InferReport {
        model: loaded.card.name,
        kernels: loaded.arithmetic.text(),
        macs: loaded.card.facts.macs,
        cpu_ns,
        wall_ns,
    })?;
    Ok(Outcome::Done)
}

/// Nanoseconds of CPU time that this process has used.
fn cpu() -> u64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    u64::try_from(now.tv_sec * 1_000_000_000 + now.tv_nsec).unwrap_or(0)
}

/// Observations of a NumPy file, u8 `[frames, 120, 160, channels]`; ranges are a witness's.
fn frames(file: &Path, recipe: &Recipe) -> anyhow::Result<Vec<Observation>> {
    let bytes = bounded(file, MOST)?;
    let channels = recipe.channels();
    let wanted = format!("u8 [frames, {HEIGHT}, {WIDTH}, {channels}] in C order");
    let Some(([b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, 0, low, high], rest)) =
        bytes.split_first_chunk::<10>()
    else {
        bail!("not a NumPy file of version 1, wanted {wanted}");
    };
    let (header, pixels) = rest
        .split_at_checked(usize::from(u16::from_le_bytes([*low, *high])))
        .context("the header is cut off")?;
    let header = String::from_utf8_lossy(header).replace(' ', "");
    let size = HEIGHT * WIDTH * channels;
    let shape = format!(",{HEIGHT},{WIDTH},{channels})");
    ensure!(
        header.contains("'descr':'|u1'")
            && header.contains("'fortran_order':False")
            && header.contains(&shape)
            && !pixels.is_empty()
            && pixels.len().is_multiple_of(size.max(1)),
        "saw {}, wanted {wanted}",
        header.trim()
    );
    let ranges = witness::observation(1, recipe).ranges;
    let observation = |pixels: &[u8]| Observation {
        camera: pixels.iter().map(|pixel| f32::from(*pixel)).collect(),
        channels,
        ranges: ranges.clone(),
    };
    Ok(pixels.chunks_exact(size).map(observation).collect())
}

/// Scores as a NumPy file, f32 `[frames, outputs]`.
fn npy(scores: &[Scores], outputs: usize) -> Vec<u8> {
    let header =
        format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {outputs}), }}", scores.len());
    // Magic, version, length and header together end at a multiple of 64.
    let padded = format!("{header:<width$}\n", width = (header.len() + 11).next_multiple_of(64) - 11);
    let length = u16::try_from(padded.len()).unwrap_or(u16::MAX);
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend(length.to_le_bytes());
    bytes.extend(padded.bytes());
    bytes.extend(scores.iter().flat_map(Scores::values).flat_map(|score| score.to_le_bytes()));
    bytes
}
