//! What ends the guardian before its time.

use thiserror::Error;

use crate::hal::HalError;
use crate::lease::TermsError;

/// Why the guardian cannot start or go on. The pins are neutral and the gate is shut in every case.
#[derive(Debug, Error)]
pub enum GuardianError {
    /// The board.
    #[error(transparent)]
    Board(#[from] HalError),
    /// The lease's terms.
    #[error(transparent)]
    Terms(#[from] TermsError),
    /// Something of the system's that a guardian needs.
    #[error("cannot {doing}")]
    System {
        /// The step.
        doing: &'static str,
        /// The system's word.
        source: std::io::Error,
    },
    /// A driver that ended before its first word: it has said itself why.
    #[error("the driver could not start ({status}); what it said is above")]
    DriverRefused {
        /// How it ended.
        status: String,
    },
    /// A driver that keeps dying.
    #[error(
        "the driver died {deaths} times within {seconds} s, the last time with {status}; look at what it said above"
    )]
    DriverKeepsDying {
        /// Deaths.
        deaths: usize,
        /// Within this time.
        seconds: u64,
        /// How it ended.
        status: String,
    },
    /// A gate that could not be shut at the end.
    #[error("the power gate does not shut: servo and ESC have power; switch the drive battery off")]
    GateOpen,
    /// The guardian's end of the link is not where a driver expects it.
    #[error("this process was not started by a guardian: {saw}; start `hairpin run --rig car` itself")]
    NoGuardian {
        /// What is there.
        saw: String,
    },
}

impl GuardianError {
    /// Wraps an error of the system.
    pub(super) fn system(doing: &'static str) -> impl Fn(rustix::io::Errno) -> Self {
        move |errno| Self::System { doing, source: errno.into() }
    }
}
