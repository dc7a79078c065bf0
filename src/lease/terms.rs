//! What the driver asks, in integers: it cannot express NaN, infinity, or more than all of lock and throttle. How it
//! travels is the link's business. And what the lease holds to meanwhile, checked when it is made.

use thiserror::Error;

use crate::domain::Ask;
use crate::units::{Instant, Permille, Span};

/// Who drives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nobody: neutral is wanted.
    #[default]
    Idle,
    /// The policy; frames are its evidence.
    Autonomous,
    /// The operator, whose messages are the evidence.
    Manual,
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record {
    /// The driver's number, as the guardian gave it.
    pub session: u32,
    /// Counts the records of a session, from 1.
    pub seq: u64,
    /// The frame that the command rests on, for people to read.
    pub frame: u64,
    /// When that frame was taken.
    pub captured_at: Instant,
    /// The command is of no use from here on.
    pub valid_until: Instant,
    /// Who drives.
    pub mode: Mode,
    /// What the operator asks through the driver.
    pub ask: Ask,
    /// Counts the operator's messages to the driver.
    pub operator_seq: u64,
    /// Share of full lock, positive to the left.
    pub steering: Permille,
    /// Share of full throttle, positive forward.
    pub throttle: Permille,
}

impl Record {
    /// A wish for neutral, out of order and without evidence: it takes effect all the same.
    pub const NEUTRAL: Self = Self {
        session: 0,
        seq: 0,
        frame: 0,
        captured_at: Instant(0),
        valid_until: Instant(0),
        mode: Mode::Idle,
        ask: Ask::Nothing,
        operator_seq: 0,
        steering: Permille::ZERO,
        throttle: Permille::ZERO,
    };
    /// Whether nothing but neutral is asked.
    pub(super) fn is_neutral(&self) -> bool {
        self.mode == Mode::Idle || (self.steering, self.throttle) == (Permille::ZERO, Permille::ZERO)
    }
}

/// The terms. [`Terms::checked`] is the only way to a valid set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// How long a command lives without new evidence, 20 to 200 ms.
    pub lease: Span,
    /// Neutral is held this long after arming, for the ESC; 500 ms to 10 s.
    pub arming: Span,
    /// Armed without a lease for longer than this is a fault; 100 ms to 60 s.
    pub latch: Span,
    /// An older frame renews nothing; 20 ms to 1 s.
    pub oldest_evidence: Span,
    /// The largest throttle either way; 0 to 1000.
    pub throttle_cap: Permille,
}

/// A term out of its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what} is {saw}, wanted {wanted}")]
pub struct TermsError {
    /// Which.
    pub what: &'static str,
    /// What was given, in ms or thousandths.
    pub saw: i64,
    /// The range.
    pub wanted: &'static str,
}

impl Default for Terms {
    fn default() -> Self {
        let (ms, throttle_cap) = (Span::from_millis, Permille::FULL);
        Self { lease: ms(100), arming: ms(500), latch: ms(1000), oldest_evidence: ms(150), throttle_cap }
    }
}

impl Terms {
    /// The terms, if every one is in its range.
    ///
    /// # Errors
    /// [`TermsError`] naming the first that is not.
    pub fn checked(self) -> Result<Self, TermsError> {
        let (ms, ns) = (1_000_000, |span: Span| i64::try_from(span.0).unwrap_or(i64::MAX));
        for (what, value, unit, least, most, wanted) in [
            ("the lease", ns(self.lease), ms, 20, 200, "20 to 200 ms"),
            ("the arming time", ns(self.arming), ms, 500, 10_000, "500 to 10000 ms"),
            ("the latch time", ns(self.latch), ms, 100, 60_000, "100 to 60000 ms"),
            ("the age of the oldest evidence", ns(self.oldest_evidence), ms, 20, 1000, "20 to 1000 ms"),
            ("the throttle cap", self.throttle_cap.get().into(), 1, 0, 1000, "0 to 1000 thousandths"),
        ] {
            if value < least * unit || value > most * unit {
                return Err(TermsError { what, saw: value / unit, wanted });
            }
        }
        Ok(self)
    }
}
