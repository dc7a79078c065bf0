//! What the picture is worth.

/// The judgement on one frame's picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Fit to drive by.
    Usable,
    /// Almost black and flat: the lens is covered or the light is out.
    Dark,
    /// Almost white and flat.
    Bright,
    /// The same bytes as the frame before: the camera repeats itself.
    Frozen,
    /// Does not decode.
    Torn,
    /// No frame came in time.
    Missing,
}

impl Quality {
    /// All of them, in the order of their codes on tape.
    pub const ALL: [Self; 6] =
        [Self::Usable, Self::Dark, Self::Bright, Self::Frozen, Self::Torn, Self::Missing];

    /// The word for reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Usable => "usable",
            Self::Dark => "dark",
            Self::Bright => "bright",
            Self::Frozen => "frozen",
            Self::Torn => "torn",
            Self::Missing => "missing",
        }
    }

    /// Its number on tape.
    #[must_use]
    pub const fn code(self) -> u32 {
        self as u32
    }
}
