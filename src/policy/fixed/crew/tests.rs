//! A mate that ends, panics or never comes is an error at once or in bounded time, and the next run has another one.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::super::super::PolicyError;
use super::super::super::kernels::{DenseWeights, Path, Rescale};
use super::super::buffers::Buffers;
use super::super::network::{Body, Finish, FixedNetwork, Input, Layer};
use super::{Crew, Farewell, Side, Table};

/// Two dense layers of 24 outputs: three blocks, so that the halves differ.
fn network() -> Arc<FixedNetwork> {
    let layer = |name: &str, reads: usize, seed: i32| {
        let plain: Vec<i8> = (0..24 * 32).map(|at| ((at * 31 + seed) % 255 - 127) as i8).collect();
        Layer {
            name: name.to_owned(),
            reads: vec![reads],
            body: Body::Dense(DenseWeights::pack(&plain, 24, 32).unwrap()),
            rescale: Rescale {
                bias: (0..24).collect(),
                multiplier: vec![77; 24],
                shift: 12,
                low: 0,
                high: 8191,
            },
            step: 0.5,
        }
    };
    Arc::new(FixedNetwork {
        inputs: vec![Input { len: 32, step: None, places: Vec::new() }],
        layers: vec![layer("first", 0, 5), layer("second", 1, 99)],
        finish: Finish::Activations((0..24).collect()),
    })
}

fn picture(seed: usize) -> Vec<f32> {
    (0..32).map(|at| ((at * 37 + seed * 101) % 256) as f32).collect()
}

fn alone(network: &FixedNetwork, picture: &[f32]) -> Vec<f32> {
    let mut scores = vec![0.0; 24];
    Buffers::new(network).run(network, Path::Portable, &[picture], &mut scores).unwrap();
    scores
}

struct Both {
    network: Arc<FixedNetwork>,
    buffers: Buffers,
    crew: Crew,
}

impl Both {
    fn new() -> Self {
        let network = network();
        Self { buffers: Buffers::new(&network), crew: Crew::default(), network }
    }

    fn run(&mut self, picture: &[f32]) -> Result<Vec<f32>, PolicyError> {
        let mut scores = vec![0.0; 24];
        let means = (&self.network, Path::Portable);
        self.crew.run(&mut self.buffers, means, &[picture], &mut scores)?;
        Ok(scores)
    }
}

#[test]
fn two_threads_give_what_one_gives() {
    let mut both = Both::new();
    let mut seen = std::collections::BTreeSet::new();
    for seed in 0..5000 {
        let picture = picture(seed);
        let scores = both.run(&picture).unwrap();
        assert_eq!(scores, alone(&both.network, &picture), "picture {seed}");
        seen.insert(scores.iter().map(|score| score.to_bits()).collect::<Vec<_>>());
    }
    assert!(seen.len() > 100, "the pictures make no difference: {}", seen.len());
}

#[test]
fn a_mate_that_ended_is_an_error_and_the_next_run_has_another() {
    let mut both = Both::new();
    both.run(&picture(1)).unwrap();
    let mate = both.crew.mate.as_ref().unwrap();
    mate.table.ends.store(true, Ordering::Release);
    mate.thread.unpark();
    // The mate may still do what it is asked at that moment; it must not be the end of the leader.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while Arc::strong_count(&both.network) > 1 && std::time::Instant::now() < deadline {
        thread::yield_now();
    }
    let error = both.run(&picture(2)).unwrap_err();
    assert!(matches!(error, PolicyError::Mate { .. }) && error.to_string().contains("ended"), "{error}");
    assert_eq!(both.run(&picture(2)).unwrap(), alone(&both.network, &picture(2)));
}

#[test]
fn a_panic_is_told_to_the_leader() {
    let table = Arc::new(Table::new(&network()));
    let (own, leader) = (Arc::clone(&table), thread::current());
    let panicked = thread::spawn(move || {
        let _farewell = Farewell(&own, leader);
        panic!("on purpose");
    });
    let error = table.meet(Side::Leader, 1, 5000).unwrap_err();
    assert!(error.to_string().contains("ended"), "{error}");
    assert!(panicked.join().is_err());
}

#[test]
fn who_never_comes_is_not_waited_for_for_ever() {
    let table = Table::new(&network());
    let error = table.meet(Side::Leader, 1, 20).unwrap_err();
    assert!(error.to_string().contains("not heard of"), "{error}");
}

#[test]
fn the_mate_ends_with_the_plan() {
    let mut both = Both::new();
    both.run(&picture(1)).unwrap();
    let network = Arc::clone(&both.network);
    assert_eq!(Arc::strong_count(&network), 3, "the test's two and the mate's");
    drop(both);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while Arc::strong_count(&network) > 1 {
        assert!(std::time::Instant::now() < deadline, "the mate lives on");
        thread::sleep(std::time::Duration::from_millis(1));
    }
}
