//! A plan that two threads share: the bits of one, no allocation more, whichever thread asks, and gone with the plan.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unsafe_code,
    reason = "a counting allocator is unsafe by its trait; it forwards to the system's"
)]

#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/aws.rs"]
mod aws;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/tf.rs"]
mod tf;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use hairpin::domain::{Observation, Preparation, Recipe, Sensor};
use hairpin::policy::fixed::calibrate::Calibration;
use hairpin::policy::fixed::crew::Threads;
use hairpin::policy::fixed::network::FixedNetwork;
use hairpin::policy::kernels::Path;
use hairpin::policy::{Expectation, GraphLimits, NetworkKind, Plan, Policy, read, witness};

/// Allocations of all threads.
static COUNT: AtomicU64 = AtomicU64::new(0);

struct Counting;

// SAFETY: every call is the system allocator's own; counting touches one atomic.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn recipe() -> Recipe {
    Recipe { sensors: vec![Sensor::FrontFacingCamera], preparation: Preparation::Stock, ..Recipe::default() }
}

fn shallow(recipe: &Recipe) -> Arc<FixedNetwork> {
    let want = Expectation {
        sensors: &recipe.sensors,
        outputs: aws::SHALLOW.outputs,
        output: None,
        limits: GraphLimits::default(),
    };
    let bytes = aws::network(&aws::SHALLOW);
    let network = read(NetworkKind::FrozenTensorflow, &bytes, &want).unwrap();
    let mut calibration = Calibration::new(&network.typed).unwrap();
    calibration.observe(&witness::observation(3, recipe)).unwrap();
    let mut parts = calibration.finish().unwrap();
    Arc::new(parts.pop().unwrap().network)
}

fn bits(plan: &mut Plan, frame: &Observation) -> Vec<u32> {
    plan.infer(frame).unwrap().values().iter().map(|score| score.to_bits()).collect()
}

fn mates() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    threads
        .filter(|one| {
            std::fs::read_to_string(one.path().join("comm")).is_ok_and(|name| name.trim() == "hairpin-mate")
        })
        .count()
}

fn until_mates_are(wanted: usize) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while mates() != wanted {
        assert!(Instant::now() < deadline, "{} second threads, wanted {wanted}", mates());
        thread::sleep(Duration::from_millis(2));
    }
}

/// One test: what it counts is the process's.
#[test]
fn a_second_thread_changes_no_bit_allocates_nothing_and_ends() {
    let recipe = recipe();
    let network = shallow(&recipe);
    let frames: Vec<Observation> = (1..=12).map(|seed| witness::observation(seed, &recipe)).collect();
    let plan =
        |threads| Plan::fixed_in(&recipe.sensors, Arc::clone(&network), Path::best(), threads).unwrap();
    let (mut one, mut two) = (plan(Threads::One), plan(Threads::Two));
    assert_eq!(mates(), 0, "none before the first frame");
    let alone: Vec<Vec<u32>> = frames.iter().map(|frame| bits(&mut one, frame)).collect();
    assert!(alone.windows(2).any(|pair| pair[0] != pair[1]), "the frames make no difference");
    for (frame, wanted) in frames.iter().cycle().zip(alone.iter().cycle()).take(120) {
        assert_eq!(&bits(&mut two, frame), wanted);
    }
    assert_eq!(mates(), 1);
    let counted = |plan: &mut Plan| {
        plan.infer(&frames[0]).unwrap();
        let before = COUNT.load(Ordering::Relaxed);
        for frame in frames.iter().cycle().take(50) {
            plan.infer(frame).unwrap();
        }
        COUNT.load(Ordering::Relaxed) - before
    };
    let (by_one, by_two) = (counted(&mut one), counted(&mut two));
    println!("50 frames: {by_one} allocations by one thread, {by_two} by two; all of tract's plan");
    assert_eq!(by_two, by_one);
    // Another thread asks: it gets a second thread of its own, with its priority.
    let (frame, wanted) = (frames[5].clone(), alone[5].clone());
    let two = thread::spawn(move || {
        assert_eq!(bits(&mut two, &frame), wanted);
        two
    });
    let two = two.join().unwrap();
    until_mates_are(1);
    drop(two);
    until_mates_are(0);
}
