//! What there is to say while a guardian serves, typed; the command turns it into words.

use std::fmt;

use crate::lease::{Cause, GateState, Phase, Refusal};
use crate::units::Span;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The lease came into another phase.
    Phase(Phase),
    /// The first frame was decided, so long after the program began.
    FirstFrame(Span),
    /// Arming was refused.
    NotArmed(Refusal),
    /// Arming took too long.
    ArmingGivenUp,
    /// The driver ended, or was ended because it hung.
    DriverEnded {
        /// How.
        status: String,
        /// Whether another one is started.
        again: bool,
    },
    /// A write to the pins failed, hung, or was undone by somebody else.
    Pins(String, GateState),
    /// The pins answer again.
    PinsBack,
    /// The guardian itself did not get to run for so long.
    Absent(Span),
    /// Something that a guardian asks for and can go without.
    Refused(String),
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Phase(phase) => f.write_str(words(*phase)),
            Self::FirstFrame(span) => write!(f, "the first frame was decided {span} after the start"),
            Self::ArmingGivenUp => f.write_str("not armed: no good frame came in time"),
            Self::NotArmed(Refusal::NoEvidence) => f.write_str(
                "not armed: no frames come from the driver; look at the camera with `hairpin doctor`",
            ),
            Self::NotArmed(Refusal::Pins) => {
                f.write_str("not armed: the pins are not known to be neutral yet")
            }
            Self::NotArmed(Refusal::Ending) => f.write_str("not armed: the program is about to end"),
            Self::NotArmed(why) => write!(f, "not armed: {why:?}"),
            Self::DriverEnded { status, again: true } => {
                write!(f, "the driver ended with {status}; starting it again, disarmed")
            }
            Self::DriverEnded { status, again: false } => write!(f, "the driver ended with {status}"),
            Self::Pins(what, GateState::Shut) => write!(f, "{what}; the gate is shut"),
            Self::Pins(what, GateState::Open) => write!(f, "{what}; the gate is still open"),
            Self::Absent(absent) => {
                write!(
                    f,
                    "this process did not get to run for {absent}; the driver is started again, disarmed"
                )
            }
            Self::PinsBack => f.write_str("the pins answer again, neutral; `arm` when it is safe"),
            Self::Refused(what) => f.write_str(what),
        }
    }
}

fn words(phase: Phase) -> &'static str {
    match phase {
        Phase::Boot => "starting",
        Phase::Disarmed => "disarmed: type `arm` and Enter to drive, Enter alone to stop, `quit` to end",
        Phase::Arming { .. } => "arming: neutral for the ESC",
        Phase::Armed => "ARMED: the policy drives; Enter stops",
        Phase::Fault { cause } => match cause {
            Cause::Operator => "STOPPED by the operator; `arm` drives again",
            Cause::LeaseLost => "STOPPED: nothing new to drive by for too long; `arm` drives again",
            Cause::DriverGone => "STOPPED: the driver is gone",
            Cause::PinsFailed => "STOPPED: the pins do not answer",
            Cause::PinsMoved => {
                "STOPPED: somebody else moves the pins or the gate; find out who with `hairpin doctor`"
            }
            Cause::GuardianEnding => "ending: neutral, then the gate",
        },
    }
}
