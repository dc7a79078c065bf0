//! The transitions, under their drawing. Decides the state only; what a state permits is in `mod.rs`.
//!
//! ```text
//!              arm, fresh frame            arming time over, fresh frame
//!  Disarmed ───────────────────► Arming ─────────────────────────────────► Driving
//!     ▲  ▲                        ▲  │ no evidence: the time starts anew    │    ▲
//!     │  └── disarm (from any) ───┼──┘                         no evidence  │    │ fresh frame
//!     │                           │                                         ▼    │
//!     │        arm, fresh frame,  │                                       Coasting
//!     │        cause gone         │      latch time over                    │
//!     └──────── disarm ──────── Stopped ◄───────────────────────────────────┘
//!                                 ▲
//!                                 └── from any armed state (stop: from any): stop · pins failed · battery empty ·
//!                                     policy failed N times · picture frozen beyond the latch time
//! ```

use super::limits::Limits;
use super::watch::{Evidence, Watch};
use crate::domain::{Applied, Ask, DriveState, Inputs, Note, Notes, StopReason};
use crate::units::Span;

/// The state after this tick. Stop wins over disarm, disarm over faults, faults over arm.
pub(super) fn next(
    state: DriveState,
    limits: &Limits,
    watch: &Watch,
    evidence: Evidence,
    inputs: &Inputs,
    notes: &mut Notes,
) -> DriveState {
    let fault = fault(limits, watch, inputs, notes);
    let fresh = matches!(evidence, Evidence::Fresh(_));
    match (inputs.operator.ask, state) {
        (Ask::Stop, DriveState::Stopped { .. }) => state,
        (Ask::Stop, _) => latch(StopReason::Operator, notes),
        (Ask::Disarm, _) => {
            notes.add(Note::Disarmed);
            DriveState::Disarmed
        }
        (Ask::Arm, DriveState::Disarmed | DriveState::Stopped { .. }) => {
            if fresh && fault.is_none() {
                notes.add(Note::Armed);
                DriveState::Arming { since: inputs.now }
            } else {
                notes.add(Note::ArmRefused);
                state
            }
        }
        (_, DriveState::Disarmed | DriveState::Stopped { .. }) => state,
        (_, armed) => match fault {
            Some(why) => latch(why, notes),
            None if lost(armed, limits, watch) => latch(StopReason::FrameLost, notes),
            None => advance(armed, limits, evidence, inputs, notes),
        },
    }
}

/// Whether a drive has been without evidence for longer than it may hold and coast, ticks or no ticks.
fn lost(state: DriveState, limits: &Limits, watch: &Watch) -> bool {
    // Arming too: whoever armed and then waited for an hour did not ask for a car that drives off by itself.
    let armed = !matches!(state, DriveState::Disarmed | DriveState::Stopped { .. });
    armed && watch.gap() > Span(limits.stale_frame.0.saturating_add(limits.latch.0))
}

/// How an armed state moves on when nothing forbids it.
fn advance(
    state: DriveState,
    limits: &Limits,
    evidence: Evidence,
    inputs: &Inputs,
    notes: &mut Notes,
) -> DriveState {
    let now = inputs.now;
    match (state, evidence) {
        (DriveState::Arming { .. }, Evidence::None) => DriveState::Arming { since: now },
        (DriveState::Arming { since }, Evidence::Fresh(_)) if now.since(since) >= limits.arming => {
            DriveState::Driving
        }
        (DriveState::Driving, Evidence::None) => DriveState::Coasting { since: now },
        (DriveState::Coasting { .. }, Evidence::Fresh(_)) => DriveState::Driving,
        (DriveState::Coasting { since }, _) if now.since(since) > limits.latch => {
            latch(StopReason::FrameLost, notes)
        }
        (state, _) => state,
    }
}

/// What latches a stop in any armed state, most urgent first.
fn fault(limits: &Limits, watch: &Watch, inputs: &Inputs, notes: &mut Notes) -> Option<StopReason> {
    let battery = inputs.health.battery;
    if battery.is_some_and(|level| level <= limits.battery_low) {
        notes.add(Note::BatteryLow);
    }
    if inputs.previous.applied == Applied::Failed {
        Some(StopReason::ActuatorsFailed)
    } else if watch.policy_failed(limits) {
        Some(StopReason::PolicyFailed)
    } else if watch.frozen_for(inputs.now) > limits.latch {
        Some(StopReason::FrameFrozen)
    } else if battery.is_some_and(|level| level <= limits.battery_empty) {
        Some(StopReason::BatteryEmpty)
    } else {
        None
    }
}

fn latch(why: StopReason, notes: &mut Notes) -> DriveState {
    notes.add(Note::Latched);
    DriveState::Stopped { why }
}
