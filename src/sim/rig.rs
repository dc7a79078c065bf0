//! A track to drive on, as a world: a camera that takes a picture of where the car is, pins that move it, and a clock that
//! moves when the loop waits. The same seed is the same drive, byte for byte. Refuses to go on without a picture's bytes.

use std::cell::{Ref, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use super::faults::Mishap;
use super::guide::Guide;
use super::lidar::Lidar;
use super::render::{Eye, RenderError, Renderer, View};
use super::scene::Scene;
use crate::domain::{
    Applied, CameraHealth, Frame, FrameSeq, FrameStamp, Health, Inputs, OperatorInput, Order, Picture,
    PixelFormat, Previous, Recipe, Sensor, Size,
};
use crate::drive::{Actuators, Sensed, Senses, Stopwatch, World};
use crate::units::{Instant, Span};

/// A tick comes at least this often, frame or none, as on the car.
const PATIENCE: Span = Span::from_millis(50);

/// From the middle of the exposure to the loop: readout, encoder, USB. An assumption; nobody measured the car's.
pub const DELIVERY: Span = Span::from_millis(30);

/// Pictures that may be under way at once.
const UNDER_WAY: usize = 64;

/// The camera's part of a rig.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CameraTerms {
    /// Pixels.
    pub size: Size,
    /// From one picture to the next.
    pub period: Span,
    /// The throttle scale, 0 to 100 %.
    pub speed_percent: u8,
}

/// One picture under way.
#[derive(Debug, Default)]
struct Shot {
    seq: u64,
    captured_at: Instant,
    due: Instant,
    left: Vec<u8>,
    right: Vec<u8>,
    ranges: Vec<f32>,
}

/// What the policy eats.
#[derive(Clone, Copy, Debug)]
enum Ranges {
    Nothing,
    Lidar,
    Sectors,
    Guide,
}

/// The sensing half.
#[derive(Debug)]
pub struct SimSenses {
    scene: Rc<RefCell<Scene>>,
    renderer: Renderer,
    lidar: Lidar,
    guide: Guide,
    terms: CameraTerms,
    ranges: Ranges,
    eyes: usize,
    seq: u64,
    frames: u64,
    next_capture: Instant,
    /// When the newest of the pictures under way arrives.
    last_due: Instant,
    under_way: VecDeque<Shot>,
    /// Kept for their memory.
    spare: Vec<Shot>,
    shown: Shot,
    /// When the loop last got its turn.
    waited_since: Instant,
}

/// The acting half.
#[derive(Debug)]
pub struct SimPins {
    scene: Rc<RefCell<Scene>>,
}

/// The clock that stages are measured with: none passes while the loop works, so that a tape holds no host's times.
#[derive(Clone, Debug)]
pub struct SimClock {
    scene: Rc<RefCell<Scene>>,
}

/// A simulated world.
#[derive(Debug)]
pub struct SimWorld {
    senses: SimSenses,
    pins: SimPins,
}

impl SimWorld {
    /// A world of a scene, the picture of it, and what a policy of `recipe` wants to know.
    #[must_use]
    pub fn new(
        scene: Scene,
        renderer: Renderer,
        recipe: &Recipe,
        terms: CameraTerms,
        guide: Guide,
        lidar: Lidar,
    ) -> Self {
        let has = |sensor| recipe.sensors.contains(&sensor);
        let ranges = match () {
            () if has(Sensor::ScriptedDriver) => Ranges::Guide,
            () if has(Sensor::Lidar) => Ranges::Lidar,
            () if has(Sensor::SectorLidar) => Ranges::Sectors,
            () => Ranges::Nothing,
        };
        let now = scene.now();
        let scene = Rc::new(RefCell::new(scene));
        let senses = SimSenses {
            scene: Rc::clone(&scene),
            renderer,
            lidar,
            guide,
            terms,
            ranges,
            eyes: recipe.channels(),
            seq: 0,
            frames: 0,
            next_capture: now + terms.period,
            last_due: now,
            under_way: VecDeque::with_capacity(UNDER_WAY),
            spare: Vec::with_capacity(UNDER_WAY),
            shown: Shot::default(),
            waited_since: now,
        };
        Self { senses, pins: SimPins { scene } }
    }

    /// The clock to measure with.
    #[must_use]
    pub fn clock(&self) -> SimClock {
        SimClock { scene: Rc::clone(&self.pins.scene) }
    }

    /// The stage, between two ticks.
    #[must_use]
    pub fn scene(&self) -> Ref<'_, Scene> {
        self.pins.scene.borrow()
    }
}

impl SimClock {
    /// The stage, between two ticks.
    #[must_use]
    pub fn scene(&self) -> Ref<'_, Scene> {
        self.scene.borrow()
    }
}

impl World for SimWorld {
    type Senses = SimSenses;
    type Actuators = SimPins;

    fn parts(&mut self) -> (&mut SimSenses, &mut SimPins) {
        (&mut self.senses, &mut self.pins)
    }
}

impl Actuators for SimPins {
    fn apply(&mut self, order: Order) -> Applied {
        self.scene.borrow_mut().order(&order)
    }
}

impl Stopwatch for SimClock {
    fn now(&self) -> Instant {
        self.scene.borrow().now()
    }
}

impl Senses for SimSenses {
    type Error = RenderError;

    fn next(&mut self, previous: Previous) -> Result<Option<Sensed<'_>>, RenderError> {
        let deadline = self.waited_since + PATIENCE;
        let has_frame = loop {
            let due = self.under_way.iter().map(|shot| shot.due).min();
            let event = due.unwrap_or(deadline).min(deadline).min(self.next_capture);
            self.scene.borrow_mut().advance(event);
            if self.scene.borrow().is_over() {
                return Ok(None);
            }
            if self.next_capture <= event {
                self.capture()?;
            } else if due.is_some_and(|due| due <= event) {
                if self.arrive(event) {
                    break true;
                }
            } else {
                break false;
            }
        };
        let (inputs, frame) = self.freeze(previous, has_frame);
        Ok(Some(Sensed { inputs, frame, recalled: None }))
    }
}

impl SimSenses {
    /// The inputs of one tick; the operator arms on a picture alone.
    fn freeze(&mut self, previous: Previous, has_frame: bool) -> (Inputs, Option<Frame<'_>>) {
        let mut scene = self.scene.borrow_mut();
        let ((seq, ask), now) = (if has_frame { scene.ask() } else { scene.heard() }, scene.now());
        let battery = scene.plant.battery();
        drop(scene);
        self.waited_since = now;
        let stamp = FrameStamp { seq: FrameSeq(self.shown.seq), captured_at: self.shown.captured_at };
        let inputs = Inputs {
            seq: self.seq,
            now,
            frame: has_frame.then_some(stamp),
            operator: OperatorInput { seq, ask, speed_percent: self.terms.speed_percent },
            health: Health { battery: Some(battery), camera: CameraHealth::Streaming },
            previous,
        };
        self.seq += 1;
        let picture = |bytes| Picture { format: PixelFormat::Mjpeg, bytes };
        let frame = has_frame.then(|| Frame {
            seq: stamp.seq,
            captured_at: stamp.captured_at,
            left: picture(self.shown.left.as_slice()),
            right: (self.eyes > 1).then(|| picture(self.shown.right.as_slice())),
            ranges: &self.shown.ranges,
        });
        (inputs, frame)
    }

    /// Takes a picture of this moment; what becomes of it is the faults' to say.
    fn capture(&mut self) -> Result<(), RenderError> {
        let number = self.frames;
        self.frames += 1;
        self.next_capture = self.next_capture + self.terms.period;
        let (mishap, now) = {
            let scene = self.scene.borrow();
            (scene.faults.of(number), scene.now())
        };
        if mishap.is_lost || self.under_way.len() >= UNDER_WAY {
            return Ok(());
        }
        let mut shot = self.spare.pop().unwrap_or_default();
        shot.seq = number;
        shot.captured_at = now;
        // In order, as from one cable: a late picture holds up those behind it.
        shot.due = (now + DELIVERY + mishap.late).max(self.last_due);
        self.last_due = shot.due;
        if mishap.repeats && !self.shown.left.is_empty() {
            shot.left.clone_from(&self.shown.left);
            shot.right.clone_from(&self.shown.right);
            shot.ranges.clone_from(&self.shown.ranges);
        } else {
            self.look(number, &mishap, &mut shot)?;
        }
        self.under_way.push_back(shot);
        Ok(())
    }

    fn look(&mut self, number: u64, mishap: &Mishap, shot: &mut Shot) -> Result<(), RenderError> {
        let scene = self.scene.borrow();
        let (pose, speed) = (scene.plant.pose(), scene.plant.speed());
        let turning = scene.plant.turning();
        let eye = if self.eyes > 1 { Eye::Left } else { Eye::Only };
        let view = View { pose, size: self.terms.size, frame: number, speed, turning, eye };
        self.renderer.set_trouble(mishap.light, mishap.noise);
        self.renderer.jpeg(view, &mut shot.left)?;
        if self.eyes > 1 {
            self.renderer.jpeg(View { eye: Eye::Right, ..view }, &mut shot.right)?;
        }
        if mishap.kept < 1.0 {
            cut(&mut shot.left, mishap.kept);
            cut(&mut shot.right, mishap.kept);
        }
        shot.ranges.clear();
        match self.ranges {
            Ranges::Nothing => {}
            Ranges::Lidar => {
                shot.ranges.extend(self.lidar.scan(pose, self.renderer.obstacles(), number));
            }
            Ranges::Sectors => {
                shot.ranges.extend(self.lidar.sectors(pose, self.renderer.obstacles(), number));
            }
            Ranges::Guide => {
                let place = scene.track.place_near(pose.at, scene.standing().place.segment);
                shot.ranges.extend(self.guide.scores(place, pose, speed, self.terms.speed_percent));
            }
        }
        Ok(())
    }

    /// The newest of the pictures that are due becomes the one that is shown; whether there was a newer one than before.
    fn arrive(&mut self, now: Instant) -> bool {
        let mut is_new = false;
        while let Some(at) = self.under_way.iter().position(|shot| shot.due <= now) {
            let Some(mut shot) = self.under_way.remove(at) else { break };
            if self.shown.left.is_empty() || shot.seq > self.shown.seq {
                std::mem::swap(&mut shot, &mut self.shown);
                is_new = true;
            }
            self.spare.push(shot);
        }
        is_new
    }
}

/// Leaves a share of the bytes, of the first picture at least two.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a share of a length"
)]
fn cut(bytes: &mut Vec<u8>, kept: f64) {
    bytes.truncate(((bytes.len() as f64) * kept) as usize);
}
