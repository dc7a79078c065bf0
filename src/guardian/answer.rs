//! What the guardian tells the driver: what became of its last record, what the operator said, what stands on the pins.

use super::wire::{ASKS, Eye, LENGTH, Pen, WireError};
use crate::domain::Ask;
use crate::lease::{Answered, Cause, GateState, Phase, Refusal};
use crate::units::Instant;

/// `HpA` and the version.
const MARK: u32 = u32::from_le_bytes(*b"HpA\x01");

const CAUSES: [Cause; 6] = [
    Cause::Operator,
    Cause::LeaseLost,
    Cause::DriverGone,
    Cause::PinsFailed,
    Cause::PinsMoved,
    Cause::GuardianEnding,
];

const ANSWERS: [Answered; 10] = [
    Answered::Nothing,
    Answered::Accepted,
    Answered::Withheld,
    Answered::Refused(Refusal::Session),
    Answered::Refused(Refusal::Sequence),
    Answered::Refused(Refusal::Stale),
    Answered::Refused(Refusal::Ahead),
    Answered::Refused(Refusal::NoEvidence),
    Answered::Refused(Refusal::Pins),
    Answered::Refused(Refusal::Ending),
];

const GATES: [GateState; 2] = [GateState::Open, GateState::Shut];

/// One answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The driver's number.
    pub session: u32,
    /// The last record that was read; 0 before the first.
    pub seq: u64,
    /// The guardian's time.
    pub now: Instant,
    /// Where the lease stands.
    pub phase: Phase,
    /// What became of that record.
    pub answered: Answered,
    /// The operator's last word at the guardian that was let through.
    pub ask: Ask,
    /// Counts those words.
    pub operator_seq: u64,
    /// What stands on the servo's pin, in ns.
    pub steering_ns: u32,
    /// What stands on the ESC's pin, in ns.
    pub throttle_ns: u32,
    /// Power.
    pub gate: GateState,
}

impl Answer {
    /// For the wire.
    #[must_use]
    pub fn encode(&self) -> [u8; LENGTH] {
        let (phase, cause, since) = match self.phase {
            Phase::Boot => (0, Cause::Operator, Instant(0)),
            Phase::Disarmed => (1, Cause::Operator, Instant(0)),
            Phase::Arming { since } => (2, Cause::Operator, since),
            Phase::Armed => (3, Cause::Operator, Instant(0)),
            Phase::Fault { cause } => (4, cause, Instant(0)),
        };
        let answered = ANSWERS.iter().zip(0..).find(|(known, _)| **known == self.answered);
        let mut pen = Pen::begin(MARK);
        pen.put(self.session.to_le_bytes());
        pen.put(self.seq.to_le_bytes());
        pen.put(self.now.0.to_le_bytes());
        pen.put(since.0.to_le_bytes());
        pen.put(self.operator_seq.to_le_bytes());
        pen.put(self.steering_ns.to_le_bytes());
        pen.put(self.throttle_ns.to_le_bytes());
        pen.put([phase, cause as u8, answered.map_or(0, |(_, code)| code), self.ask as u8]);
        pen.put([self.gate as u8]);
        pen.end()
    }

    /// From the wire.
    ///
    /// # Errors
    /// [`WireError`]: another length, a damaged answer, another version, or a value out of its range.
    pub fn decode(bytes: &[u8]) -> Result<Self, WireError> {
        let mut eye = Eye::begin(bytes, MARK)?;
        let (session, seq, now) = (eye.u32(), eye.u64(), Instant(eye.u64()));
        let (since, operator_seq) = (Instant(eye.u64()), eye.u64());
        let (steering_ns, throttle_ns) = (eye.u32(), eye.u32());
        let phase = eye.u8();
        let cause = eye.one_of("the cause", &CAUSES)?;
        let phase = match phase {
            0 => Phase::Boot,
            1 => Phase::Disarmed,
            2 => Phase::Arming { since },
            3 => Phase::Armed,
            4 => Phase::Fault { cause },
            saw => return Err(WireError::Value { what: "the phase", saw: saw.into() }),
        };
        let answered = eye.one_of("the answer", &ANSWERS)?;
        let ask = eye.one_of("the ask", &ASKS)?;
        let gate = eye.one_of("the gate", &GATES)?;
        Ok(Self { session, seq, now, phase, answered, ask, operator_seq, steering_ns, throttle_ns, gate })
    }
}
