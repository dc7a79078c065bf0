//! Ways in which the car could be built wrong. The campaign has to find every one of them, or it proves nothing.

use hairpin::domain::Ask;
use hairpin::governor::Limits;
use hairpin::lease::{Cause, Event, GateState, Lease, Output, Phase, Record, Terms};
use hairpin::units::{Instant, Permille, Span};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// As it is built.
    Nothing,
    /// Any record renews the lease: a heartbeat.
    LeaseRenewsOnEveryRecord,
    /// A fault is forgotten when its cause is gone.
    LeaseForgetsFaults,
    /// The lease lets everything through.
    LeaseForgetsCap,
    /// The lease gives the ESC no time.
    LeaseSkipsArming,
    /// The guardian wakes for records only.
    GuardianSkipsTicks,
    /// The gate stays open.
    GuardianKeepsGate,
    /// Repeated pictures are not noticed.
    DriverTrustsRepeats,
    /// The governor arms itself again.
    GovernorForgetsStops,
    /// The governor holds a command for a second.
    GovernorHoldsLong,
    /// The governor gives the ESC no time.
    GovernorSkipsArming,
    /// The governor caps nothing.
    GovernorForgetsCap,
    /// Arming is never granted.
    NobodyArms,
}

impl Broken {
    pub(crate) fn terms(self, terms: Terms) -> Terms {
        match self {
            Self::LeaseForgetsCap => Terms { throttle_cap: Permille::FULL, ..terms },
            Self::LeaseSkipsArming => Terms { arming: Span(0), ..terms },
            _ => terms,
        }
    }

    pub(crate) fn limits(self, limits: Limits) -> Limits {
        match self {
            Self::GovernorSkipsArming => Limits { arming: Span(0), ..limits },
            Self::GovernorHoldsLong => Limits { stale_frame: Span::from_millis(1000), ..limits },
            Self::GovernorForgetsCap => Limits { throttle_cap: 1.0, battery_low: 0, ..limits },
            _ => limits,
        }
    }

    /// What the governor hears of the operator.
    pub(crate) fn ask(self, ask: Ask, stopped: bool) -> Ask {
        if self == Self::GovernorForgetsStops && stopped && ask == Ask::Nothing { Ask::Arm } else { ask }
    }

    /// One step of the lease, or of what stands in for it.
    pub(crate) fn step(self, lease: &mut Lease, event: Event<'_>, now: Instant) -> Output {
        let before = *lease;
        match (self, event) {
            (Self::LeaseRenewsOnEveryRecord, Event::Command(record)) => {
                lease.step(Event::Command(&Record { captured_at: now, ..*record }), now)
            }
            (Self::NobodyArms, Event::Operator(Ask::Arm)) => lease.step(Event::Tick, now),
            (Self::GuardianSkipsTicks, Event::Tick) if lease.phase() == Phase::Armed => standing(before),
            (Self::LeaseForgetsFaults, _) => {
                let output = lease.step(event, now);
                let lasting = Phase::Fault { cause: Cause::GuardianEnding };
                let was_armed = matches!(before.phase(), Phase::Arming { .. } | Phase::Armed);
                let faulty = matches!(lease.phase(), Phase::Fault { .. }) && lease.phase() != lasting;
                if !was_armed || !faulty || event == Event::PinsFailed {
                    return output;
                }
                *lease = before;
                standing(before)
            }
            (Self::GuardianKeepsGate, _) => {
                let output = lease.step(event, now);
                Output {
                    gate: if event == Event::PinsFailed { output.gate } else { GateState::Open },
                    ..output
                }
            }
            _ => lease.step(event, now),
        }
    }
}

/// The output of a lease for which time stands still.
fn standing(mut lease: Lease) -> Output {
    lease.step(Event::Tick, Instant(0))
}
