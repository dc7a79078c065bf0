//! How long a command lives (L2). Pure, in integers: what was seen, what was asked and the time go in, and what the pins
//! may do comes out. Nothing but neutral leaves here without a lease, a lease is renewed by evidence alone, and a fault
//! stays until somebody arms again. A driver that is alive but blind, or blind but talkative, stops like one that is dead.
//!
//! ```text
//!          pins neutral            arm, evidence             arming time over, evidence
//!   Boot ───────────────► Disarmed ──────────────► Arming ─────────────────────────────► Armed ◄─┐ evidence: the lease
//!                            ▲ ▲                     ▲ │ no evidence: the time begins anew   │ └──┘ is renewed; without
//!                            │ └──── disarm ─────────┼─┴─────────────────────────────────────┤      it runs out: neutral
//!                            │                       │ arm, evidence, cause gone             │
//!                            │                       │                                       ▼ no lease for the latch time ·
//!   from any: stop, ending, ─┼───────────────────────┴───────────────────────────────────► Fault   the driver is gone
//!   pins failed or moved     └ (never from Fault)
//!   the gate: shut in Boot and Disarmed, open in Arming and Armed; after those, neutral for two PWM periods, then shut;
//!   at once where the pins failed
//! ```

pub mod law;
pub mod terms;

pub use law::{Answered, Cause, Event, GateState, Lease, Output, Phase, Refusal};
pub use terms::{Mode, Record, Terms, TermsError};
