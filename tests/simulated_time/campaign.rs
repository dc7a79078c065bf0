//! Many drives on all cores. Drive number n of a campaign has the seed of the campaign plus n, and drives are added up in
//! their order: the same seed gives the same figures on every machine.

use std::collections::BTreeMap;
use std::fmt;
use std::thread;
use std::time::{Duration, Instant as WallClock};

use super::broken::Broken;
use super::drive::{Outcome, drive};
use super::faults::{Fault, KINDS};
use super::observer::Rule;

/// Drives that are shared out at once.
const BATCH: u64 = 64;

/// What came of it.
pub(crate) struct Campaign {
    seed: u64,
    seconds: u64,
    drives: u64,
    simulated: u128,
    driving: u128,
    starts: u64,
    pub(crate) revived: u64,
    second_tries: u64,
    pub(crate) faults: [u64; KINDS],
    neutrals: BTreeMap<String, u64>,
    pub(crate) latches: BTreeMap<String, u64>,
    violated: Option<Outcome>,
    wall: Duration,
}

/// A number from the environment.
pub(crate) fn asked(name: &str, stock: u64) -> u64 {
    std::env::var(name).ok().map_or(stock, |text| text.parse().expect("a number in decimals"))
}

impl Campaign {
    /// Drives until the cars have moved for that long, or a promise is broken.
    pub(crate) fn run(seed: u64, seconds: u64, broken: Broken) -> Self {
        let begun = WallClock::now();
        let mut campaign = Self {
            seed,
            seconds,
            drives: 0,
            simulated: 0,
            driving: 0,
            starts: 0,
            revived: 0,
            second_tries: 0,
            faults: [0; KINDS],
            neutrals: BTreeMap::new(),
            latches: BTreeMap::new(),
            violated: None,
            wall: Duration::ZERO,
        };
        let wanted = u128::from(seconds) * 1_000_000_000;
        let mut first = 0;
        while campaign.driving < wanted && campaign.violated.is_none() {
            for outcome in batch(seed.wrapping_add(first), broken) {
                if campaign.driving < wanted && campaign.violated.is_none() {
                    campaign.add(outcome);
                }
            }
            first += BATCH;
        }
        campaign.wall = begun.elapsed();
        campaign
    }

    fn add(&mut self, outcome: Outcome) {
        self.drives += 1;
        self.simulated += u128::from(outcome.simulated.0);
        self.driving += u128::from(outcome.driving.0);
        self.starts += outcome.starts;
        self.revived += outcome.revived;
        self.second_tries += outcome.second_tries;
        self.faults.iter_mut().zip(outcome.faults).for_each(|(sum, count)| *sum += count);
        for (cause, count) in &outcome.neutrals {
            *self.neutrals.entry(cause.clone()).or_default() += count;
        }
        for (state, count) in &outcome.latches {
            *self.latches.entry(state.clone()).or_default() += count;
        }
        if outcome.violation.is_some() {
            self.violated = Some(outcome);
        }
    }

    /// Whether no promise was broken.
    pub(crate) const fn holds(&self) -> bool {
        self.violated.is_none()
    }
}

/// One batch over a car that is built wrong, each drive up to its first violation.
pub(crate) struct Hunt {
    broken: Broken,
    pub(crate) drives: usize,
    /// Drives in which it was noticed.
    pub(crate) found: usize,
    /// By which promises.
    pub(crate) rules: BTreeMap<Rule, u64>,
    /// Driving seconds before it was noticed first, and what was.
    first: Option<(f64, String)>,
}

impl Hunt {
    pub(crate) fn run(seed: u64, broken: Broken) -> Self {
        let outcomes = batch(seed, broken);
        let mut hunt = Self { broken, drives: outcomes.len(), found: 0, rules: BTreeMap::new(), first: None };
        let mut driving = 0;
        for outcome in outcomes {
            driving += outcome.driving.0;
            let Some(violation) = outcome.violation else { continue };
            hunt.found += 1;
            *hunt.rules.entry(violation.rule).or_default() += 1;
            hunt.first.get_or_insert((driving as f64 / 1e9, violation.what));
        }
        hunt
    }
}

impl fmt::Display for Hunt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { broken, drives, found, rules, first } = self;
        write!(f, "{broken:?}: noticed in {found} of {drives} drives, by {rules:?}")?;
        let Some((seconds, what)) = first else { return Ok(()) };
        let what: String = what.chars().take(100).collect();
        write!(f, "; first after {seconds:.1} driving seconds: {what}")
    }
}

/// The outcomes of one batch, in order.
fn batch(seed: u64, broken: Broken) -> Vec<Outcome> {
    let threads = thread::available_parallelism().map_or(1, |count| count.get() as u64).min(BATCH);
    let mut outcomes: Vec<Outcome> = thread::scope(|scope| {
        let drives = |first| {
            scope.spawn(move || {
                (first..BATCH)
                    .step_by(threads as usize)
                    .map(|n| drive(seed.wrapping_add(n), broken))
                    .collect::<Vec<_>>()
            })
        };
        let running: Vec<_> = (0..threads).map(drives).collect();
        running.into_iter().flat_map(|thread| thread.join().expect("no panic in a drive")).collect()
    });
    outcomes.sort_by_key(|outcome| outcome.seed.wrapping_sub(seed));
    outcomes
}

impl fmt::Display for Campaign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (driving, simulated) = (self.driving as f64 / 1e9, self.simulated as f64 / 1e9);
        let violations = u8::from(self.violated.is_some());
        writeln!(
            f,
            "{driving:.0} driving seconds in {simulated:.0} simulated ones, {} drives, seed {} (asked for {})",
            self.drives, self.seed, self.seconds
        )?;
        let faults: u64 = self.faults.iter().sum();
        writeln!(f, "{faults} faults:")?;
        for (fault, count) in Fault::ALL.iter().zip(self.faults) {
            writeln!(f, "  {count:>7}  {fault:?}")?;
        }
        let neutrals: u64 = self.neutrals.values().sum();
        let Self { starts, revived, second_tries, .. } = self;
        writeln!(
            f,
            "{starts} starts; {revived} of them promised after two quiet seconds, {second_tries} at the second try"
        )?;
        writeln!(f, "{neutrals} times from motion to neutral, by")?;
        for (cause, count) in &self.neutrals {
            writeln!(f, "  {count:>7}  {cause}")?;
        }
        writeln!(f, "latched as")?;
        for (state, count) in &self.latches {
            writeln!(f, "  {count:>7}  {state}")?;
        }
        writeln!(f, "{violations} violations; {:.1} s on the wall", self.wall.as_secs_f64())?;
        let Some(outcome) = &self.violated else { return Ok(()) };
        let Some(violation) = &outcome.violation else { return Ok(()) };
        writeln!(f, "{:?} at {:.6} s: {}", violation.rule, violation.at.0 as f64 / 1e9, violation.what)?;
        for began in &outcome.last_faults {
            writeln!(f, "  {:.6} s: {:?} for {}", began.at.0 as f64 / 1e9, began.fault, began.lasts)?;
        }
        writeln!(
            f,
            "again: HAIRPIN_SEED={} HAIRPIN_DRIVING_SECONDS=1 cargo test --release --test simulated_time -- --nocapture",
            outcome.seed
        )
    }
}
