//! Heap allocations per frame in steady state. Ours: none. Those of the JPEG decoder and of tract's plan are counted
//! apart and printed.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unsafe_code,
    reason = "a counting allocator is unsafe by its trait; it forwards to the system's"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/line_follower.rs"]
mod line_follower;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/scene.rs"]
mod scene;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hairpin::domain::{
    Ask, Frame, FrameSeq, FrameStamp, Health, Inputs, Observation, OperatorInput, Picture, PixelFormat,
    Preparation, Previous, Recipe, Scores, Sensor, Tick,
};
use hairpin::drive::{Actuators, Pilot, Senses, Setup, Stopwatch, World};
use hairpin::governor::Limits;
use hairpin::policy::choose::Bound;
use hairpin::policy::fixed::buffers::Buffers;
use hairpin::policy::fixed::calibrate;
use hairpin::policy::guided::Guided;
use hairpin::policy::kernels::Path;
use hairpin::policy::scripted::Scripted;
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Plan, Policy, build, witness};
use hairpin::sim::Staging;
use hairpin::sim::render::{Renderer, View};
use hairpin::tape::{Header, TapeWriter};
use hairpin::track::Track;
use hairpin::units::{Degrees, Instant, MetresPerSecond};
use hairpin::vehicle::Calibration;
use hairpin::vision::{self, JudgeLimits, Workspace};

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is the system allocator's own; counting touches a thread-local cell that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(mut work: impl FnMut()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

struct Still;

impl Stopwatch for Still {
    fn now(&self) -> Instant {
        Instant(0)
    }
}

const TICK: u64 = 33_000_000;

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

fn setup(preparation: Preparation) -> Setup {
    let action = |(steering, speed, _): &(f64, f64, f32)| hairpin::domain::Action {
        steering: Degrees::new(*steering).unwrap(),
        speed: MetresPerSecond::new(*speed).unwrap(),
    };
    Setup {
        recipe: Recipe { sensors: vec![Sensor::FrontFacingCamera], preparation, ..Recipe::default() },
        action_space: hairpin::domain::ActionSpace::Discrete(
            line_follower::ACTIONS.iter().map(action).collect(),
        ),
        bound: Bound::Clamp,
        limits: Limits::default(),
        judge: JudgeLimits::default(),
        calibration: Calibration::factory(),
    }
}

/// YUYV needs no foreign decoder and a scripted policy no foreign plan: what is left is ours alone.
#[test]
fn our_own_code_allocates_nothing_per_frame() {
    let size = hairpin::domain::Size { width: 640, height: 480 };
    let pictures: Vec<Vec<u8>> = (0..4_u8)
        .map(|n| {
            (0..640 * 480 * 2).map(|at| u8::try_from((at * 7 + usize::from(n) * 31) % 251).unwrap()).collect()
        })
        .collect();
    for preparation in [Preparation::Stock, Preparation::Luma, Preparation::AsTrained] {
        let policy = Scripted::new(|mean| Scores::new(&[mean, 1.0, 255.0 - mean, 0.5, 0.25]).unwrap());
        let mut pilot = Pilot::new(policy, setup(preparation));
        let mut step = |n: u64| {
            let frame = Frame {
                seq: FrameSeq(n),
                captured_at: Instant(n * TICK),
                left: Picture { format: PixelFormat::Yuyv(size), bytes: &pictures[(n % 4) as usize] },
                right: None,
                ranges: &[],
            };
            pilot.step(&inputs(n), Some(frame), &Still).0
        };
        for n in 1..4 {
            step(n);
        }
        let mut moved = 0;
        let counted = allocations(|| {
            for n in 4..104 {
                moved += usize::from(step(n).pulses != Calibration::factory().neutral());
            }
        });
        println!(
            "{preparation:?}: {counted} allocations in 100 frames of ours, {moved} of them moved the car"
        );
        assert_eq!(counted, 0, "{preparation:?}");
        assert!(moved > 50, "the loop that was counted did not drive");
    }
}

#[test]
fn what_the_libraries_allocate_is_stated() {
    let jpegs: Vec<Vec<u8>> = (0..3).map(|n| scene::jpeg(&scene::picture(f64::from(n) * 0.04, n))).collect();
    let recipe = Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() };
    let mut workspace = Workspace::default();
    let mut observation = Observation::default();
    let frame = |n: usize| Frame {
        seq: FrameSeq(0),
        captured_at: Instant(0),
        left: Picture { format: PixelFormat::Mjpeg, bytes: &jpegs[n % 3] },
        right: None,
        ranges: &[],
    };
    for n in 0..3 {
        vision::prepare(&frame(n), &recipe, &mut workspace, &mut observation).unwrap();
    }
    let decode = allocations(|| {
        for n in 0..30 {
            vision::decode(&frame(n), &recipe, &mut workspace).unwrap();
        }
    });
    let decoded = vision::decode(&frame(0), &recipe, &mut workspace);
    let observe = allocations(|| {
        decoded.as_ref().unwrap();
        vision::observe(&frame(0), &recipe, &mut workspace, &mut observation).unwrap();
    });
    assert_eq!(observe, 0, "preparing is ours");

    let want =
        Expectation { sensors: &recipe.sensors, outputs: 5, output: None, limits: GraphLimits::default() };
    let mut plan = build(NetworkKind::FrozenTensorflow, &line_follower::network(), &want).unwrap().plan;
    let observation = witness::observation(1, &recipe);
    for _ in 0..3 {
        plan.infer(&observation).unwrap();
    }
    let infer = allocations(|| {
        for _ in 0..30 {
            plan.infer(&observation).unwrap();
        }
    });
    println!(
        "allocations per frame: zune-jpeg {}, tract's plan in f32 {} (ours: 0)",
        decode / 30,
        infer / 30
    );
    assert!(
        decode / 30 < 100 && infer / 30 < 200,
        "a library allocates far more than it did: {decode}, {infer}"
    );
}

/// The network in integers: none at all by itself, and none in tract's plan of one operator either, whose lists hold up to four
/// tensors in place.
#[test]
fn a_fixed_point_plan_allocates_nothing_of_ours() {
    let recipe = Recipe { sensors: vec![Sensor::FrontFacingCamera], ..Recipe::default() };
    let want =
        Expectation { sensors: &recipe.sensors, outputs: 5, output: None, limits: GraphLimits::default() };
    let read =
        hairpin::policy::read(NetworkKind::FrozenTensorflow, &line_follower::network(), &want).unwrap();
    let observation = witness::observation(1, &recipe);
    let mut calibration = calibrate::Calibration::new(&read.typed).unwrap();
    calibration.observe(&observation).unwrap();
    let network = std::sync::Arc::new(calibration.finish().unwrap().remove(0).network);
    for path in Path::ALL.into_iter().filter(|path| path.is_here()) {
        let mut buffers = Buffers::new(&network);
        let (mut scores, camera) = ([0.0; 5], [observation.camera.as_slice()]);
        let mut run = || buffers.run(&network, path, &camera, &mut scores).unwrap();
        run();
        let ours = allocations(|| (0..30).for_each(|_| run()));
        assert_eq!(ours, 0, "{}", path.name());

        let mut plan = Plan::fixed(&recipe.sensors, std::sync::Arc::clone(&network), path).unwrap();
        for _ in 0..3 {
            plan.infer(&observation).unwrap();
        }
        let tracts = allocations(|| {
            for _ in 0..30 {
                plan.infer(&observation).unwrap();
            }
        });
        println!(
            "fixed point on {}: {ours} allocations of ours, {tracts} of tract's in 30 frames",
            path.name()
        );
        assert_eq!(tracts, 0, "{}: in 30 frames", path.name());
    }
}

/// The tape's own code reuses its buffers; what is left is the container library's, when it closes a chunk.
#[test]
fn writing_a_tick_allocates_only_when_a_chunk_closes() {
    let bytes = scene::jpeg(&scene::picture(0.0, 0));
    let policy = Scripted::new(|mean| Scores::new(&[mean, 1.0, 255.0 - mean, 0.5, 0.25]).unwrap());
    let mut pilot = Pilot::new(policy, setup(Preparation::Stock));
    let mut writer = TapeWriter::new(std::io::sink(), &Header::default()).unwrap();
    let mut counts = Vec::new();
    for n in 1..=200 {
        let frame = Frame {
            seq: FrameSeq(n),
            captured_at: Instant(n * TICK),
            left: Picture { format: PixelFormat::Mjpeg, bytes: &bytes },
            right: None,
            ranges: &[],
        };
        let inputs = inputs(n);
        let (decision, measured) = pilot.step(&inputs, Some(frame), &Still);
        let tick = Tick { inputs, decision, measured };
        counts.push(allocations(|| {
            writer.frame(&frame).unwrap();
            writer.tick(&tick).unwrap();
        }));
    }
    let steady = &counts[50..];
    let free = steady.iter().filter(|count| **count == 0).count();
    println!(
        "tape: {free} of {} ticks written without an allocation, {} at most (mcap's)",
        steady.len(),
        steady.iter().max().unwrap()
    );
    assert!(free * 10 >= steady.len() * 6, "only {free} of {} ticks were free of allocations", steady.len());
}

/// The simulated world's part of a frame: car, track, referee, lease, picture, delivery. What is left is the JPEG encoder's,
/// counted here on a picture of its own.
#[test]
fn a_simulated_world_allocates_nothing_but_the_encoders_buffers() {
    let track = Track::built_in("oval").unwrap();
    let mut staging = Staging::default();
    staging.camera.size = hairpin::domain::Size { width: 160, height: 120 };
    let mut renderer = Renderer::new(&track, staging.lens, staging.look);
    let view = View::new(track.at(1.0), staging.camera.size);
    let mut out = Vec::with_capacity(1 << 16);
    renderer.jpeg(view, &mut out).unwrap();
    let encoder = allocations(|| renderer.jpeg(view, &mut out).unwrap());

    let setup =
        Setup { recipe: Guided::recipe(), action_space: Guided::space(), ..setup(Preparation::Stock) };
    let mut world = staging.world(&track, &setup.recipe);
    let mut pilot = Pilot::new(Guided, setup);
    let (senses, pins) = world.parts();
    let mut previous = Previous::default();
    let mut counts = Vec::new();
    for _ in 0..200 {
        let mut decision = None;
        let counted = allocations(|| {
            let sensed = senses.next(previous).unwrap().expect("a lap takes longer");
            decision = Some((sensed.inputs, sensed.frame.map(|frame| frame.seq)));
        });
        counts.push(counted);
        // Outside of the count: decoding is another library's.
        let (inputs, _) = decision.unwrap();
        let (decision, _) = pilot.recall(&inputs, &driving(), &Still);
        let (command, pulses, state) = (decision.command, decision.pulses, decision.state);
        let order = hairpin::domain::Order { command, pulses, evidence: pilot.evidence(), state };
        let mut applied = hairpin::domain::Applied::Nothing;
        assert_eq!(allocations(|| applied = pins.apply(order)), 0);
        previous = Previous { elapsed: hairpin::units::Span(0), applied, dropped: 0 };
    }
    let steady = &counts[100..];
    let most = steady.iter().max().unwrap();
    println!("simulated world: {most} allocations per frame, the JPEG encoder alone {encoder}");
    // A picture that is the largest so far may still grow its buffer.
    let grown = steady.iter().filter(|count| **count > encoder).count();
    assert!(*most <= encoder + 2 && grown <= 5, "{steady:?}, the encoder alone {encoder}");
}

/// What a scripted driver concludes on a straight.
fn driving() -> hairpin::domain::Decision {
    hairpin::domain::Decision {
        frame: hairpin::domain::FrameDigest::default(),
        observation: 0,
        quality: hairpin::domain::Quality::Usable,
        scores: Scores::new(&[0.0, -0.5]).unwrap(),
        action: None,
        wish: None,
        command: hairpin::domain::Command::NEUTRAL,
        state: hairpin::domain::DriveState::Driving,
        notes: hairpin::domain::Notes::NONE,
        pulses: Calibration::factory().neutral(),
    }
}
