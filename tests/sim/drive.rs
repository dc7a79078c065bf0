//! One drive in this process: the loop of the program, with a world in place of the car.

use std::path::Path;

use hairpin::config::metadata;
use hairpin::domain::{Frame, Recipe, Sensor, Size, Tick};
use hairpin::drive::{Pilot, Setup, Sink, cycle};
use hairpin::governor::Limits;
use hairpin::policy::choose::Bound;
use hairpin::policy::guided::Guided;
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Plan, Policy, build};
use hairpin::sim::rig::SimWorld;
use hairpin::sim::scene::Stops;
use hairpin::sim::{Score, Staging};
use hairpin::tape::{Header, TapeWriter};
use hairpin::track::Track;
use hairpin::units::Span;
use hairpin::vehicle::Calibration;
use hairpin::vision::JudgeLimits;

/// Who drives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Driver {
    Scripted,
    LineFollower,
}

/// What a drive came to.
pub(crate) struct Driven {
    pub(crate) score: Score,
    pub(crate) stops: Stops,
    pub(crate) ticks: u64,
    pub(crate) tape: Vec<u8>,
}

struct Recording {
    tape: Option<TapeWriter<Vec<u8>>>,
    ticks: u64,
}

impl Sink for Recording {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        self.ticks += 1;
        if let Some(tape) = &mut self.tape {
            if let Some(frame) = frame {
                tape.frame(frame).unwrap();
            }
            tape.tick(tick).unwrap();
        }
        true
    }
}

/// Small pictures: the policy's own size.
pub(crate) fn small() -> Staging {
    let mut staging = Staging::default();
    staging.camera.size = Size { width: 160, height: 120 };
    staging.until.time = Span::from_millis(40_000);
    staging
}

pub(crate) fn line_follower() -> (Plan, Setup) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/line-follower");
    let metadata =
        metadata::read("metadata", &std::fs::read(folder.join("model_metadata.json")).unwrap()).unwrap();
    let network = std::fs::read(folder.join("model.pb")).unwrap();
    let recipe = Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() };
    let want = Expectation {
        sensors: &recipe.sensors,
        outputs: metadata.space.outputs(),
        output: None,
        limits: GraphLimits::default(),
    };
    let plan = build(NetworkKind::FrozenTensorflow, &network, &want).unwrap().plan;
    (plan, Setup { recipe, action_space: metadata.space, ..scripted() })
}

pub(crate) fn scripted() -> Setup {
    Setup {
        recipe: Guided::recipe(),
        action_space: Guided::space(),
        bound: Bound::Clamp,
        limits: Limits::default(),
        judge: JudgeLimits::default(),
        calibration: Calibration::factory(),
    }
}

pub(crate) fn drive(driver: Driver, track: &Track, staging: &Staging, is_taped: bool) -> Driven {
    match driver {
        Driver::Scripted => driven(Guided, scripted(), track, staging, is_taped),
        Driver::LineFollower => {
            let (plan, setup) = line_follower();
            driven(plan, setup, track, staging, is_taped)
        }
    }
}

fn driven(policy: impl Policy, setup: Setup, track: &Track, staging: &Staging, is_taped: bool) -> Driven {
    let setup = Setup { calibration: staging.calibration, ..setup };
    let mut world: SimWorld = staging.world(track, &setup.recipe);
    let tape = is_taped.then(|| TapeWriter::new(Vec::new(), &Header::default()).unwrap());
    let mut sink = Recording { tape, ticks: 0 };
    let clock = world.clock();
    cycle(&mut world, &mut Pilot::new(policy, setup), &clock, &mut sink, || false).unwrap();
    let scene = world.scene();
    let tape = sink.tape.map(|tape| tape.finish().unwrap()).unwrap_or_default();
    Driven { score: scene.referee().score(), stops: scene.stops(), ticks: sink.ticks, tape }
}
