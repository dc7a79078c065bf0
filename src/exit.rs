//! How the program ends: the only file in which an exit code is written. The table in
//! `hairpin --help` is made from [`TABLE`], and README's is compared with it.

/// How a command ended, where it did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Done.
    Done,
    /// Done, but something could not be saved; what was lost has been said.
    LostData,
    /// A replay did not come to the recorded decisions.
    Diverged,
    /// The doctor found something that stands in the way of driving.
    FaultFound,
}

/// Exit codes and what they mean, in order.
pub const TABLE: [(u8, &str); 6] = [
    (0, "done"),
    (1, "failed: the message says what was wrong and what to do"),
    (2, "the command line was not understood"),
    (3, "done, but data was lost: a recording was cut, and the rest was saved"),
    (4, "a replay differs from what was recorded: the first difference was named"),
    (5, "the doctor found something that stands in the way of driving"),
];

impl Outcome {
    /// The exit code.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::LostData => 3,
            Self::Diverged => 4,
            Self::FaultFound => 5,
        }
    }
}

/// The exit code of a failure.
pub const FAILED: u8 = 1;
