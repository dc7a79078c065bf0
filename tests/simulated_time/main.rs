//! Governor and lease closed together in virtual time: a million driving seconds of random faults, and not one pulse that
//! breaks a promise. Camera, link, processes and pins are simulated, with their faults; governor, lease and calibration are
//! the real ones. I4 (a recording that can always be read) is the tape's, and is proven there.
//!
//! `HAIRPIN_SEED` and `HAIRPIN_DRIVING_SECONDS` override the seed and the length. A violation prints the line that repeats
//! its drive alone.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::print_stdout,
    missing_docs,
    reason = "a test may stop at the first surprise; what is cast is drawn from a few bits, or shown"
)]

mod broken;
mod camera;
mod campaign;
mod dice;
mod drive;
mod driver;
mod faults;
mod guardian;
mod held;
mod link;
mod observer;
mod scene;
mod setup;
mod watcher;

use broken::Broken;
use campaign::{Campaign, Hunt, asked};
use faults::Fault;
use hairpin::domain::{DriveState, StopReason};
use observer::Rule;

/// The stock seed.
const SEED: u64 = 0x6861_6972_7069_6e00;

/// Driving seconds without an override.
const SECONDS: u64 = if cfg!(debug_assertions) { 20_000 } else { 1_000_000 };

#[test]
fn a_million_driving_seconds_of_faults_break_no_promise() {
    let (seed, seconds) = (asked("HAIRPIN_SEED", SEED), asked("HAIRPIN_DRIVING_SECONDS", SECONDS));
    let campaign = Campaign::run(seed, seconds, Broken::Nothing);
    println!("{campaign}");
    assert!(campaign.holds(), "{campaign}");
    if seconds < 20_000 {
        return println!("too short for every fault to come often");
    }
    for (fault, count) in Fault::ALL.iter().zip(campaign.faults) {
        assert!(count + 30 >= seconds / 500, "{fault:?} came only {count} times");
    }
    let causes = ["Operator", "LeaseLost", "DriverGone", "PinsFailed", "PinsMoved", "GuardianEnding"];
    let causes = causes.map(|cause| format!("Fault {{ cause: {cause} }}"));
    let reasons = StopReason::ALL.map(|why| format!("{:?}", DriveState::Stopped { why }));
    for latch in causes.iter().chain(&reasons) {
        assert!(
            campaign.latches.get(latch).is_some_and(|count| *count >= seconds / 5000),
            "{latch}: {campaign}"
        );
    }
    assert!(campaign.revived >= seconds / 500, "{campaign}");
}

#[test]
fn every_way_of_building_it_wrong_is_found() {
    let all = [
        (Broken::LeaseRenewsOnEveryRecord, Rule::Evidence),
        (Broken::LeaseForgetsFaults, Rule::Rearming),
        (Broken::LeaseForgetsCap, Rule::Range),
        (Broken::LeaseSkipsArming, Rule::EscNeutral),
        (Broken::GuardianSkipsTicks, Rule::Evidence),
        (Broken::GuardianKeepsGate, Rule::Gate),
        (Broken::DriverTrustsRepeats, Rule::Evidence),
        (Broken::GovernorForgetsStops, Rule::Governor),
        (Broken::GovernorHoldsLong, Rule::Governor),
        (Broken::GovernorSkipsArming, Rule::Governor),
        (Broken::GovernorForgetsCap, Rule::Governor),
        (Broken::NobodyArms, Rule::Alive),
    ];
    for (broken, rule) in all {
        let hunt = Hunt::run(asked("HAIRPIN_SEED", SEED), broken);
        println!("{hunt}");
        assert!(hunt.rules.contains_key(&rule), "{broken:?} breaks {rule:?}, found: {hunt}");
        assert!(4 * hunt.found >= hunt.drives, "{hunt}");
    }
}
