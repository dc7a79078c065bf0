//! One thing that was looked at. Good ones want nothing; the others say what is wanted and what to do.

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it should be.
    Good,
    /// Worth knowing; the car drives all the same.
    Note,
    /// Stands in the way of driving.
    Wrong,
}

impl Verdict {
    /// The word for reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Wrong => "wrong",
        }
    }
}

/// One check and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its name; always the same for the same check.
    pub check: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was seen, with the path where there is one.
    pub saw: String,
    /// What is wanted; empty where all is good.
    pub wanted: String,
    /// What to do; empty where all is good.
    pub remedy: String,
}

impl Finding {
    pub(super) fn good(check: &'static str, saw: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Good, saw: saw.into(), wanted: String::new(), remedy: String::new() }
    }

    pub(super) fn note(
        check: &'static str,
        saw: impl Into<String>,
        wanted: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let (saw, wanted, remedy) = (saw.into(), wanted.into(), remedy.into());
        Self { check, verdict: Verdict::Note, saw, wanted, remedy }
    }

    pub(super) fn wrong(
        check: &'static str,
        saw: impl Into<String>,
        wanted: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { verdict: Verdict::Wrong, ..Self::note(check, saw, wanted, remedy) }
    }
}
