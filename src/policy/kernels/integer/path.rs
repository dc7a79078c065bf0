//! Which instructions run the integer kernels, and whether this CPU has them.

/// A set of instructions. All of them give the same bits for the same arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Path {
    /// Plain Rust: the reference, on every CPU.
    Portable,
    /// SSSE3 and SSE4.1: the car's Atom.
    Sse41,
    /// AVX2.
    Avx2,
}

impl Path {
    /// Every path, slowest first.
    pub const ALL: [Self; 3] = [Self::Portable, Self::Sse41, Self::Avx2];

    /// The fastest path that this CPU has. The standard library asks the CPU once and remembers.
    #[must_use]
    pub fn best() -> Self {
        Self::ALL.into_iter().rev().find(|path| path.is_here()).unwrap_or(Self::Portable)
    }

    /// Whether this CPU has the instructions.
    #[must_use]
    pub fn is_here(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::Sse41 => std::arch::is_x86_feature_detected!("sse4.1"),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => std::arch::is_x86_feature_detected!("avx2"),
            #[cfg(not(target_arch = "x86_64"))]
            Self::Sse41 | Self::Avx2 => false,
        }
    }

    /// `portable`, `sse4.1` or `avx2`, as tapes and reports write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Sse41 => "sse4.1",
            Self::Avx2 => "avx2",
        }
    }
}
