//! Every case by name: what one call does is made from the name alone, so that a child process makes the same.

use super::{Options, frame, layers};

/// How the CPU meets the code; what `estimate` reckons with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// One bit after the other, and branches upon them.
    Serial,
    /// Loops over small arrays in cache, mostly vectors.
    Vectors,
    /// Matrix kernels.
    Kernels,
}

/// The network as it came, and in integers.
pub(crate) const ARITHMETICS: [&str; 2] = ["f32", "fixed"];

/// One row of the table.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    /// Calls for the smaller count.
    pub(crate) calls: u32,
    /// A case that does the same but for the part in question: taken off.
    pub(crate) without: Option<String>,
    /// The stage's budget on the car, in milliseconds (`report::latency`).
    pub(crate) budget: Option<f64>,
    /// Multiply-accumulates of one call, and how many one instruction may do at most.
    pub(crate) macs: Option<(u64, f64)>,
    /// Bytes that come from memory at each call, since no cache holds them.
    pub(crate) streamed: u64,
    /// The whole frames on a stock car that it is a part of, by the network's arithmetic.
    pub(crate) of_frames: &'static [&'static str],
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, kind: Kind, calls: u32) -> Self {
        Self {
            name: name.into(),
            kind,
            calls,
            without: None,
            budget: None,
            macs: None,
            streamed: 0,
            of_frames: &[],
        }
    }
}

/// One call of a case.
pub(crate) type Call = Box<dyn FnMut()>;

/// All cases, or those whose names have one of the words.
pub(crate) fn all(options: &Options) -> Vec<Case> {
    let mut cases = frame::cases(options);
    cases.extend(layers::cases());
    if !options.only.is_empty() {
        cases.retain(|case| options.only.iter().any(|word| case.name.contains(word.as_str())));
    }
    cases
}

/// Makes the call of a case.
pub(crate) fn make(name: &str, options: &Options) -> Call {
    frame::make(name, options).or_else(|| layers::make(name)).unwrap_or_else(|| panic!("no case {name}"))
}
