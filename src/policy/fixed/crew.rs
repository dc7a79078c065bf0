//! A fixed-point network on two threads: each computes half of a layer into buffers of its own, they meet, and each takes the
//! other's half. The same bits as one thread, since a part of a layer is the same sum whoever adds it. Refuses to wait for ever:
//! a mate that ended, or is not heard of for about a second, is an error, and the next run has another one.

use std::ops::Range;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread, ThreadId};
use std::time::Duration;

use super::super::PolicyError;
use super::super::kernels::Path;
use super::buffers::Buffers;
use super::network::{FixedNetwork, Layer};

/// How many threads share a plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Threads {
    /// The one that asks.
    #[default]
    One,
    /// It and one more.
    Two,
}

/// Looks before a thread lies down: some ten microseconds, in which the other is mostly there. Who spins on a busy machine
/// takes the core from the one that it waits for.
const LOOKS: usize = 1000;

/// How long one sleep lasts at most, and how many there are.
const NAP: Duration = Duration::from_millis(1);
const NAPS: usize = 1000;

/// The second thread, started by the first run, and again where another thread asks: it inherits the priority of the one
/// that it works for. It ends when this is dropped, at its next look.
#[derive(Debug, Default)]
pub struct Crew {
    mate: Option<Mate>,
}

/// A copy has no mate yet.
impl Clone for Crew {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Crew {
    /// As [`Buffers::run`], shared. Allocates nothing once the mate is there.
    ///
    /// # Errors
    /// As [`Buffers::run`]; [`PolicyError::Mate`] where the second thread cannot be started, ended, or is not heard of.
    pub fn run(
        &mut self,
        buffers: &mut Buffers,
        (network, path): (&Arc<FixedNetwork>, Path),
        inputs: &[&[f32]],
        scores: &mut [f32],
    ) -> Result<(), PolicyError> {
        buffers.fill(network, inputs)?;
        let shared = self.mate(network, path).and_then(|mate| mate.lead(buffers, network, path));
        if shared.is_err() {
            self.mate = None;
        }
        shared?;
        buffers.finish(network, scores)
    }

    fn mate(&mut self, network: &Arc<FixedNetwork>, path: Path) -> Result<&mut Mate, PolicyError> {
        let here = thread::current();
        if self.mate.as_ref().is_none_or(|mate| mate.works_for != here.id()) {
            self.mate = Some(Mate::start(network, path, here)?);
        }
        self.mate.as_mut().ok_or_else(|| gone("was never there"))
    }
}

fn gone(saw: &str) -> PolicyError {
    PolicyError::Mate { saw: saw.to_owned() }
}

/// What lies between the two.
#[derive(Debug)]
struct Table {
    /// Meetings that each has come to, ever.
    come: [AtomicU64; 2],
    /// The inputs, then each layer's two halves; a layer that is not shared has none. Each place is written once a run, and
    /// not again before both have come past it, so that nobody waits for a lock.
    inputs: Vec<Mutex<Vec<i16>>>,
    halves: Vec<[Mutex<Vec<i16>>; 2]>,
    /// Layers of which the mate knows; none after the last shared one.
    until: usize,
    /// Meetings of a run: one over the inputs, one after each shared layer.
    meetings: u64,
    ends: AtomicBool,
}

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Leader,
    Mate,
}

impl Side {
    const fn other(self) -> Self {
        match self {
            Self::Leader => Self::Mate,
            Self::Mate => Self::Leader,
        }
    }

    fn of<T>(self, [leader, mate]: &[T; 2]) -> &T {
        match self {
            Self::Leader => leader,
            Self::Mate => mate,
        }
    }

    /// Its parts of a layer.
    fn share(self, layer: &Layer) -> Range<usize> {
        let (half, all) = (layer.parts().div_ceil(2), layer.parts());
        match self {
            Self::Leader => 0..half,
            Self::Mate => half..all,
        }
    }
}

fn is_shared(layer: &Layer) -> bool {
    layer.parts() > 1
}

impl Table {
    fn new(network: &FixedNetwork) -> Self {
        let room = |len: usize| Mutex::new(vec![0_i16; len]);
        let half = |layer: &Layer, side: Side| {
            room(if is_shared(layer) { layer.span(&side.share(layer)).len() } else { 0 })
        };
        let shared = network.layers.iter().filter(|layer| is_shared(layer)).count();
        Self {
            come: [AtomicU64::new(0), AtomicU64::new(0)],
            inputs: network.inputs.iter().map(|input| room(input.len)).collect(),
            halves: network
                .layers
                .iter()
                .map(|layer| [half(layer, Side::Leader), half(layer, Side::Mate)])
                .collect(),
            until: network.layers.iter().rposition(is_shared).map_or(0, |last| last + 1),
            meetings: shared as u64 + 1,
            ends: AtomicBool::new(false),
        }
    }

    /// Waits until the other has come to meeting `number`; `naps` bounds it.
    fn meet(&self, side: Side, number: u64, naps: usize) -> Result<(), PolicyError> {
        let come = || side.other().of(&self.come).load(Ordering::Acquire) >= number;
        let mut looks = 0..LOOKS;
        while looks.next().is_some() {
            if come() {
                return Ok(());
            }
            std::hint::spin_loop();
        }
        let mut naps = 0..naps;
        while naps.next().is_some() {
            // What was done before the end counts.
            if come() {
                return Ok(());
            }
            if self.ends.load(Ordering::Acquire) {
                return Err(gone("ended"));
            }
            thread::park_timeout(NAP);
        }
        Err(gone("was not heard of for a second"))
    }

    fn come(&self, side: Side, number: u64, other: &Thread) {
        side.of(&self.come).store(number, Ordering::Release);
        other.unpark();
    }

    /// Computes the layers, one side's share of them. `number` is the meeting over the inputs.
    fn layers(
        &self,
        side: Side,
        (network, path): (&FixedNetwork, Path),
        buffers: &mut Buffers,
        other: &Thread,
        mut number: u64,
    ) -> Result<(), PolicyError> {
        let last = self.until.checked_sub(1);
        for (at, layer) in network.layers.iter().enumerate() {
            if side == Side::Mate && at >= self.until {
                break;
            }
            let Some(halves) = self.halves.get(at).filter(|_| is_shared(layer)) else {
                buffers.layer(network, path, at, 0..layer.parts())?;
                continue;
            };
            buffers.layer(network, path, at, side.share(layer))?;
            number += 1;
            let tensor = buffers.tensor(at + network.inputs.len());
            let (own, wanted) = (side.share(layer), side.other().share(layer));
            // Of the last shared layer, only the leader needs the other half.
            if side == Side::Mate || last != Some(at) {
                let from = tensor.get(layer.span(&own)).unwrap_or_default();
                open(side.of(halves)).copy_from_slice(from);
            }
            self.come(side, number, other);
            if side == Side::Leader || last != Some(at) {
                self.meet(side, number, NAPS)?;
                let to = tensor.get_mut(layer.span(&wanted)).unwrap_or_default();
                to.copy_from_slice(&open(side.other().of(halves)));
            }
        }
        Ok(())
    }
}

/// A thread that panicked has also ended, which is told otherwise.
fn open<T>(place: &Mutex<T>) -> MutexGuard<'_, T> {
    place.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The second thread, as the first one sees it.
#[derive(Debug)]
struct Mate {
    works_for: ThreadId,
    thread: Thread,
    table: Arc<Table>,
    /// Runs begun.
    runs: u64,
}

impl Mate {
    fn start(network: &Arc<FixedNetwork>, path: Path, leader: Thread) -> Result<Self, PolicyError> {
        let table = Arc::new(Table::new(network));
        let works_for = leader.id();
        let (own, network) = (Arc::clone(&table), Arc::clone(network));
        let started = thread::Builder::new()
            .name("hairpin-mate".to_owned())
            .spawn(move || work(&own, &network, path, leader));
        // Not waited for at the end: it ends by itself, and a run must not hang on one that does not get a core.
        let thread = started.map_err(|error| gone(&format!("did not start: {error}")))?.thread().clone();
        Ok(Self { works_for, thread, table, runs: 0 })
    }

    fn lead(&mut self, buffers: &mut Buffers, network: &FixedNetwork, path: Path) -> Result<(), PolicyError> {
        for (at, input) in self.table.inputs.iter().enumerate() {
            let mut input = open(input);
            let from = buffers.tensor(at).get(..input.len()).unwrap_or_default();
            input.copy_from_slice(from);
        }
        let number = self.runs * self.table.meetings + 1;
        self.runs += 1;
        self.table.come(Side::Leader, number, &self.thread);
        self.table.layers(Side::Leader, (network, path), buffers, &self.thread, number)
    }
}

impl Drop for Mate {
    fn drop(&mut self) {
        self.table.ends.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

/// Says that the mate ended, however it did.
struct Farewell<'a>(&'a Table, Thread);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        self.0.ends.store(true, Ordering::Release);
        self.1.unpark();
    }
}

/// The mate's life.
fn work(table: &Table, network: &FixedNetwork, path: Path, leader: Thread) {
    let farewell = Farewell(table, leader);
    let mut buffers = Buffers::new(network);
    let mut number = 1;
    loop {
        // Between frames nobody is in a hurry.
        while table.come[0].load(Ordering::Acquire) < number {
            if table.ends.load(Ordering::Acquire) {
                return;
            }
            thread::park();
        }
        for (at, input) in table.inputs.iter().enumerate() {
            let input = open(input);
            buffers.tensor(at).get_mut(..input.len()).unwrap_or_default().copy_from_slice(&input);
        }
        if table.layers(Side::Mate, (network, path), &mut buffers, &farewell.1, number).is_err() {
            return;
        }
        number += table.meetings;
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "a test may stop at the first surprise, and compares exactly on purpose"
)]
mod tests;
