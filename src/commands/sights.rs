//! Frames to calibrate and compare a fixed-point plan on: those of a tape, or simulated ones from four tracks in three
//! looks. The same frames at every import, so that the same model gives the same plan.

use std::path::Path;

use anyhow::{Context as _, bail};

use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Observation, Recipe, Size};
use crate::sim::lens::Lens;
use crate::sim::lidar::Lidar;
use crate::sim::look::Look;
use crate::sim::obstacle::Obstacle;
use crate::sim::render::{Eye, Renderer, View};
use crate::tape::Tape;
use crate::track::{BUILT_IN, Point, Pose, Track};
use crate::vision::{self, Workspace};

/// The most frames that are taken of a tape, evenly spread.
const MOST: usize = 400;

/// Frames of each track and look.
const EACH: u32 = 16;

/// Observations, and where they are from, for people.
pub(crate) struct Sights {
    pub(crate) observations: Vec<Observation>,
    pub(crate) from: String,
}

/// Multiply-accumulates that calibration may cost: 200 frames of AWS's usual network, some seconds on the car's Atom.
const WORK: u64 = 4_500_000_000;

/// The fewest frames that a larger network is calibrated on.
const FEWEST: usize = 32;

impl Sights {
    /// Leaves frames out, evenly, where `macs` multiply-accumulates for each would take too long.
    pub(crate) fn thinned(self, macs: u64) -> Self {
        let affordable = usize::try_from(WORK / macs.max(1)).unwrap_or(usize::MAX).max(FEWEST);
        let every = self.observations.len().div_ceil(affordable).max(1);
        if every == 1 {
            return self;
        }
        let observations: Vec<Observation> = self.observations.into_iter().step_by(every).collect();
        let from = format!("{} of {}", observations.len(), self.from);
        Self { observations, from }
    }
}

/// Frames of a tape.
///
/// # Errors
/// A tape that cannot be read, or without a frame that the recipe can use.
pub(crate) fn taped(file: &Path, recipe: &Recipe) -> anyhow::Result<Sights> {
    let tape = Tape::open(file).with_context(|| format!("cannot use {}", file.display()))?;
    let every = tape.frames().div_ceil(MOST).max(1);
    let mut workspace = Workspace::new();
    let (mut observations, mut why) = (Vec::new(), None);
    for record in tape.records().filter(|record| record.frame.is_some()).step_by(every) {
        let Some(frame) = &record.frame else { continue };
        let mut observation = Observation::default();
        match vision::prepare(frame, recipe, &mut workspace, &mut observation) {
            Ok(_) => observations.push(observation),
            Err(error) => why = why.or(Some(error.to_string())),
        }
    }
    if observations.len() < 8 {
        bail!(
            "{} holds {} frames that this model can use, wanted at least 8{}",
            file.display(),
            observations.len(),
            why.map(|why| format!("; the first that it cannot: {why}")).unwrap_or_default()
        );
    }
    let from = format!("{} frames of {}", observations.len(), super::picture::file_name(file));
    Ok(Sights { observations, from })
}

/// Simulated frames: along the built-in tracks, beside the centre line and turned away from it, with a box in view.
pub(crate) fn simulated(recipe: &Recipe) -> Sights {
    let mut observations = Vec::new();
    let looks = [Look::training(), Look::drawn(), Look::event()];
    let lenses = [Lens::training(), Lens::training(), Lens::wide()];
    for (n, track) in (0_u32..).zip(BUILT_IN.iter().filter_map(|name| Track::built_in(name))) {
        for (m, (look, lens)) in (0_u32..).zip(looks.iter().zip(lenses)) {
            let seed = u64::from(n * 3 + m + 1);
            let mut renderer = Renderer::new(&track, lens, look.varied(seed));
            observations.extend((0..EACH).map(|at| sight(&mut renderer, &track, (seed, at), recipe)));
        }
    }
    let from = format!("{} simulated frames", observations.len());
    Sights { observations, from }
}

fn sight(renderer: &mut Renderer, track: &Track, (seed, at): (u64, u32), recipe: &Recipe) -> Observation {
    let share = f64::from(at) / f64::from(EACH);
    // Offsets and angles that walk over their ranges at paces of their own.
    let swing = |pace: f64| 2.0 * ((share * pace + 0.1) % 1.0) - 1.0;
    let on = track.at(share * track.length());
    // To the left of the way to a point a little ahead.
    let next = track.at((share * track.length() + 0.05) % track.length()).at;
    let (x, y) = (next.x - on.at.x, next.y - on.at.y);
    let offset = 0.3 * track.mean_width() * swing(7.0) / (x * x + y * y).sqrt().max(1e-9);
    let pose = Pose {
        at: Point::new(on.at.x - y * offset, on.at.y + x * offset),
        heading: on.heading + 0.35 * swing(11.0),
    };
    let boxes = [Obstacle::cardboard(track.at((share * track.length() + 1.2) % track.length()))];
    renderer.set_obstacles(if at % 4 == 0 { &boxes } else { &[] });
    let mut observation = Observation { channels: recipe.channels(), ..Observation::default() };
    let size = Size { width: 160, height: 120 };
    let eyes = if observation.channels == 2 { vec![Eye::Left, Eye::Right] } else { vec![Eye::Only] };
    observation.camera = vec![0.0; WIDTH * HEIGHT * observation.channels];
    let mut pixels = Vec::new();
    for (channel, eye) in eyes.into_iter().enumerate().take(observation.channels) {
        let view = View { frame: seed * u64::from(EACH) + u64::from(at), eye, ..View::new(pose, size) };
        renderer.gray(view, &mut pixels);
        let places = observation.camera.iter_mut().skip(channel).step_by(observation.channels);
        places.zip(&pixels).for_each(|(place, gray)| *place = f32::from(*gray));
    }
    let lidar = Lidar::car(seed);
    observation.ranges = match recipe.ranges() {
        0 => Vec::new(),
        8 => lidar.sectors(pose, renderer.obstacles(), at.into()).to_vec(),
        _ => lidar.scan(pose, renderer.obstacles(), at.into()).to_vec(),
    };
    observation
}
