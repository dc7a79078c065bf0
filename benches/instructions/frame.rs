//! The stages of one frame, and the whole of it, as `drive::Pilot` strings them together.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;

use hairpin::config::card;
use hairpin::domain::{
    Action, ActionSpace, Ask, Command, Frame, FrameDigest, FrameSeq, FrameStamp, Health, Inputs, Observation,
    OperatorInput, Picture, PixelFormat, Preparation, Previous, Quality, Recipe, Scores, Sensor,
};
use hairpin::drive::{Pilot, Setup, Stopwatch};
use hairpin::governor::{Governor, Limits, Wish};
use hairpin::policy::choose::{Bound, choose};
use hairpin::policy::fixed::calibrate::Calibration;
use hairpin::policy::fixed::parts;
use hairpin::policy::kernels::Path;
use hairpin::policy::law::Law;
use hairpin::policy::{self, Expectation, GraphLimits, NetworkKind, Plan, Policy, witness};
use hairpin::report::latency::BUDGETS_MS;
use hairpin::units::{Degrees, Instant, MetresPerSecond, Signed};
use hairpin::vision::{self, JudgeLimits, Look, Workspace};

use super::cases::{ARITHMETICS, Call, Case, Kind};
use super::layers::PER_INTEGER_INSTRUCTION;
use super::{Options, pictures};
use crate::aws;

const TICK: u64 = 33_000_000;

/// What a pair of `mulps` and `addps` does, for one of them.
const PER_FLOAT_INSTRUCTION: f64 = 2.0;

const RECIPES: [(&str, Preparation); 3] =
    [("stock", Preparation::Stock), ("luma", Preparation::Luma), ("as trained", Preparation::AsTrained)];

/// What the user's own model is called.
const THE_MODEL: &str = "the model";

type Network = (&'static str, Option<&'static aws::Shape<'static>>);

/// The networks to run: the user's model, or those of AWS's.
fn networks(options: &Options) -> Vec<Network> {
    let mut all = vec![];
    if options.model.is_some() {
        all.push((THE_MODEL, None));
    } else {
        all.push(("SHALLOW", Some(&aws::SHALLOW)));
    }
    if options.deep {
        all.extend([("DEEP_CONVOLUTIONAL_NETWORK", Some(&aws::DEEP)), ("..._DEEP", Some(&aws::DEEP_DEEP))]);
    }
    all
}

const fn usual_network(options: &Options) -> &'static str {
    if options.model.is_some() { THE_MODEL } else { "SHALLOW" }
}

pub(crate) fn cases(options: &Options) -> Vec<Case> {
    let [decode, prepare, infer, decide, whole] = BUDGETS_MS;
    let mut cases = vec![];
    for picture in ["640x480", "640x480 noisy", "160x120"] {
        for (recipe, _) in RECIPES {
            let usual = (picture, recipe) == ("640x480", "stock");
            let decoding = format!("decode {picture}, {recipe}");
            cases.push(Case {
                budget: Some(decode),
                of_frames: if usual { &ARITHMETICS } else { &[] },
                ..Case::new(&decoding, Kind::Serial, 8)
            });
            if picture != "640x480 noisy" {
                cases.push(Case {
                    budget: Some(prepare),
                    of_frames: if usual { &ARITHMETICS } else { &[] },
                    without: Some(decoding),
                    ..Case::new(format!("prepare {picture}, {recipe}"), Kind::Vectors, 8)
                });
            }
        }
    }
    let small = |name: &str| Case {
        budget: Some(decide),
        of_frames: &ARITHMETICS,
        ..Case::new(name, Kind::Serial, 1000)
    };
    cases.extend([
        // Not of the estimate's frame: the car has instructions for it that callgrind does not know, some 0.05 ms.
        Case::new("frame digest (SHA-256) 640x480", Kind::Serial, 8),
        Case { of_frames: &ARITHMETICS, ..Case::new("observation digest", Kind::Serial, 16) },
        small("judge"),
        small("choose and law"),
        small("permit"),
        small("calibrate"),
    ]);
    for (at, arithmetic) in ARITHMETICS.into_iter().enumerate() {
        let mut streamed_at_all = 0;
        for (name, shape) in networks(options) {
            let (macs, dense) = shape.map_or((0, 0), size);
            // Four bytes a weight, or one.
            let streamed = dense * [4, 1][at];
            let usual = name == usual_network(options);
            if usual {
                streamed_at_all = streamed;
            }
            cases.push(Case {
                budget: Some(infer),
                macs: shape.map(|_| (macs, [PER_FLOAT_INSTRUCTION, PER_INTEGER_INSTRUCTION][at])),
                streamed,
                of_frames: if usual { &ARITHMETICS[at..=at] } else { &[] },
                ..Case::new(format!("infer {name}, {arithmetic}"), Kind::Kernels, 2)
            });
        }
        cases.push(Case {
            budget: Some(whole),
            streamed: streamed_at_all,
            ..Case::new(format!("whole step 640x480, stock, {arithmetic}"), Kind::Kernels, 2)
        });
    }
    cases
}

/// Multiply-accumulates and dense weights of a network of AWS's.
fn size(shape: &aws::Shape<'_>) -> (u64, u64) {
    let layers = super::layers::chain(shape);
    let macs = layers.iter().map(|layer| layer.macs() as u64).sum();
    let dense = layers.iter().filter(|layer| layer.is_dense());
    (macs, dense.map(|layer| layer.macs() as u64).sum())
}

/// Two different pictures in turn, since the same again is a frozen camera.
struct Frames([Vec<u8>; 2], u64);

impl Frames {
    fn new(picture: &str) -> Self {
        let one = pictures::jpeg(picture);
        // A comment: other bytes, the same pixels.
        let other = [&one[..2], &[0xff, 0xfe, 0, 2], &one[2..]].concat();
        Self([one, other], 0)
    }

    fn next(&mut self) -> Frame<'_> {
        self.1 += 1;
        Frame {
            seq: FrameSeq(self.1),
            captured_at: Instant(self.1 * TICK),
            left: Picture { format: PixelFormat::Mjpeg, bytes: &self.0[(self.1 % 2) as usize] },
            right: None,
            ranges: &[],
        }
    }
}

struct Still;

impl Stopwatch for Still {
    fn now(&self) -> Instant {
        Instant(0)
    }
}

fn inputs(n: u64) -> Inputs {
    Inputs {
        seq: n,
        now: Instant(n * TICK),
        frame: Some(FrameStamp { seq: FrameSeq(n), captured_at: Instant(n * TICK) }),
        operator: OperatorInput { seq: 0, ask: Ask::Arm, speed_percent: 50 },
        health: Health::default(),
        previous: Previous::default(),
    }
}

fn space() -> ActionSpace {
    let action = |steering, speed| Action {
        steering: Degrees::new(steering).unwrap(),
        speed: MetresPerSecond::new(speed).unwrap(),
    };
    ActionSpace::Discrete(vec![
        action(30.0, 0.6),
        action(15.0, 0.8),
        action(0.0, 1.0),
        action(-15.0, 0.8),
        action(-30.0, 0.6),
    ])
}

fn recipe(preparation: Preparation) -> Recipe {
    Recipe { sensors: vec![Sensor::FrontFacingCamera], preparation, ..Recipe::default() }
}

/// Makes the call of a case of this file.
pub(crate) fn make(name: &str, options: &Options) -> Option<Call> {
    if let Some((stage @ ("decode" | "prepare"), rest)) = name.split_once(' ') {
        let (picture, recipe) = rest.split_once(", ")?;
        let (_, preparation) = RECIPES.into_iter().find(|(name, _)| *name == recipe)?;
        return Some(seeing(picture, preparation, stage == "prepare"));
    }
    Some(match name {
        "frame digest (SHA-256) 640x480" => {
            let mut frames = Frames::new("640x480");
            Box::new(move || {
                black_box(FrameDigest::of(&frames.next()));
            })
        }
        "observation digest" => {
            let observation = witness::observation(3, &recipe(Preparation::Stock));
            Box::new(move || {
                black_box(vision::digest(black_box(&observation)));
            })
        }
        "judge" => {
            let look = Look { pixels: 19_200, mean_milli: 90_000, variance_milli: 900_000 };
            Box::new(move || {
                black_box(vision::judge(black_box(&look), &JudgeLimits::default()));
            })
        }
        "choose and law" => deciding(),
        "permit" => permitting(),
        "calibrate" => {
            let calibration = hairpin::vehicle::Calibration::factory();
            let command =
                Command { steering: Signed::clamped(0.5).unwrap(), throttle: Signed::clamped(0.4).unwrap() };
            Box::new(move || {
                black_box(calibration.pulses(black_box(command)));
            })
        }
        _ if name.starts_with("whole step") => whole(name.rsplit_once(", ")?.1, options),
        _ => {
            let (name, arithmetic) = name.strip_prefix("infer ")?.rsplit_once(", ")?;
            inferring(name, arithmetic, options)?
        }
    })
}

/// Decoding, or both stages.
fn seeing(picture: &str, preparation: Preparation, both: bool) -> Call {
    let (mut frames, recipe) = (Frames::new(picture), recipe(preparation));
    let (mut workspace, mut observation) = (Workspace::new(), Observation::default());
    Box::new(move || {
        let frame = frames.next();
        vision::decode(&frame, &recipe, &mut workspace).unwrap();
        if both {
            black_box(vision::observe(&frame, &recipe, &mut workspace, &mut observation).unwrap());
        }
    })
}

fn deciding() -> Call {
    let space = space();
    let (law, scores) = (Law::new(&space), Scores::new(&[0.1, 0.2, 0.4, 0.2, 0.1]).unwrap());
    Box::new(move || {
        let action = choose(black_box(&scores), &space, Bound::Clamp).unwrap();
        black_box(law.wish(action, 50));
    })
}

fn permitting() -> Call {
    let mut governor = Governor::new(Limits::default());
    let mut n = 0;
    let command =
        Command { steering: Signed::clamped(0.5).unwrap(), throttle: Signed::clamped(0.4).unwrap() };
    Box::new(move || {
        n += 1;
        black_box(governor.admit(Wish::Drive(command), Quality::Usable, &inputs(n)));
    })
}

/// The network of a model folder or of AWS's shape as a plan, and what its outputs mean.
fn network(name: &str, arithmetic: &str, options: &Options) -> Option<(Plan, Recipe, ActionSpace)> {
    let (kind, bytes, recipe, space) = if let (Some(folder), THE_MODEL) = (&options.model, name) {
        let text = fs::read_to_string(folder.join("model.toml")).expect("a model folder has a model.toml");
        let card = card::read("model.toml", &text).unwrap();
        let kind = NetworkKind::from_name(&card.network_file).unwrap();
        (kind, fs::read(folder.join(&card.network_file)).unwrap(), card.recipe, card.action_space)
    } else {
        let (_, shape) = networks(options).into_iter().find(|(known, _)| *known == name)?;
        (NetworkKind::FrozenTensorflow, aws::network(shape?), recipe(Preparation::Stock), space())
    };
    let want = Expectation {
        sensors: &recipe.sensors,
        outputs: space.outputs(),
        output: None,
        limits: GraphLimits::default(),
    };
    let network = policy::read(kind, &bytes, &want).unwrap();
    let plan = match arithmetic {
        "f32" => network.typed.plan().unwrap(),
        "fixed" => {
            let mut calibration = Calibration::new(&network.typed).unwrap();
            for seed in [3, 4] {
                calibration.observe(&witness::observation(seed, &recipe)).unwrap();
            }
            let mut made = calibration.finish().unwrap();
            // A part that stands for nothing in the network stands for all of it.
            match made.pop_if(|part| part.stands_for.is_empty()) {
                Some(whole) => Plan::fixed(&recipe.sensors, Arc::new(whole.network), Path::Sse41).unwrap(),
                None => parts::plan(&network.typed, made, Path::Sse41).unwrap(),
            }
        }
        _ => return None,
    };
    Some((plan, recipe, space))
}

fn inferring(name: &str, arithmetic: &str, options: &Options) -> Option<Call> {
    let (mut plan, recipe, _) = network(name, arithmetic, options)?;
    let observation = witness::observation(3, &recipe);
    Some(Box::new(move || {
        black_box(plan.infer(&observation).unwrap());
    }))
}

fn whole(arithmetic: &str, options: &Options) -> Call {
    let (plan, recipe, action_space) = network(usual_network(options), arithmetic, options).unwrap();
    let setup = Setup {
        bound: Bound::Clamp,
        recipe,
        action_space,
        limits: Limits::default(),
        judge: JudgeLimits::default(),
        calibration: hairpin::vehicle::Calibration::factory(),
    };
    let (mut pilot, mut frames) = (Pilot::new(plan, setup), Frames::new("640x480"));
    Box::new(move || {
        let frame = frames.next();
        let inputs = inputs(frame.seq.0);
        black_box(pilot.step(&inputs, Some(frame), &Still));
    })
}
