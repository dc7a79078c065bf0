//! One drive, whole: everything that it follows from besides the policy, and the world that is made of it. Chance is
//! dealt out here: each part gets a stream of its own, so that a fault more changes no grain of the picture.

use super::body::Body;
use super::faults::{Fault, Faults};
use super::guide::Guide;
use super::lens::Lens;
use super::lidar::Lidar;
use super::look::Look;
use super::obstacle::Obstacle;
use super::plant::Plant;
use super::pursuit::{Limits, Pursuit};
use super::render::Renderer;
use super::rig::{CameraTerms, SimWorld};
use super::scene::{Scene, Until};
use super::seed::Seed;
use crate::domain::{Recipe, Size};
use crate::lease::Terms;
use crate::track::Track;
use crate::units::Span;
use crate::vehicle::Calibration;

/// Deviation, of 255, of the noise that every camera has.
const LEAST_NOISE: f64 = 0.7;

/// A drive to be.
#[derive(Clone, Debug)]
pub struct Staging {
    /// All chance follows from it.
    pub seed: u64,
    /// When it is over.
    pub until: Until,
    /// The camera's part.
    pub camera: CameraTerms,
    /// The lease's terms; they passed [`Terms::checked`].
    pub lease: Terms,
    /// Command to pulses.
    pub calibration: Calibration,
    /// The car.
    pub body: Body,
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// Boxes beside the road.
    pub obstacles: u32,
    /// How the world looks; its seed is not used.
    pub look: Look,
    /// Through what it is seen.
    pub lens: Lens,
}

impl Default for Staging {
    /// A lap within a minute on the drawn lane, seed 1, with the stock camera at 30 frames a second, half of the throttle
    /// and the factory's calibration.
    fn default() -> Self {
        Self {
            seed: 1,
            until: Until { laps: 1, time: Span::from_millis(60_000) },
            camera: CameraTerms {
                size: Size { width: 640, height: 480 },
                period: Span(33_333_333),
                speed_percent: 50,
            },
            lease: Terms::default(),
            calibration: Calibration::factory(),
            body: Body::default(),
            faults: Vec::new(),
            obstacles: 0,
            look: Look::drawn(),
            lens: Lens::training(),
        }
    }
}

impl Staging {
    /// The world on `track`, with the senses that a policy of `recipe` wants. The car stands at the first way-point.
    #[must_use]
    pub fn world(&self, track: &Track, recipe: &Recipe) -> SimWorld {
        let seed = Seed::new(self.seed);
        let faults = Faults::new(&self.faults, seed.fork(1));
        let plant = Plant::new(self.body, track.at(0.0));
        let scene = Scene::new(track.clone(), plant, faults, self.calibration, self.lease, self.until);
        let mut look = self.look.seeded(seed.fork(2).next_u64());
        // A camera without noise repeats itself to the byte before a car that stands, which is taken for a frozen one.
        look.camera.noise = look.camera.noise.max(LEAST_NOISE);
        let mut renderer = Renderer::new(track, self.lens, look);
        renderer.set_obstacles(&Obstacle::beside(track, self.obstacles, seed.fork(4)));
        let guide = Guide::new(Pursuit::new(track, &self.body, Limits::default()));
        let lidar = Lidar::car(seed.fork(3).next_u64());
        SimWorld::new(scene, renderer, recipe, self.camera, guide, lidar)
    }
}
