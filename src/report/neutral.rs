//! What `hairpin neutral` came to.

use serde_json::{Value, json};

use super::Report;

/// How far it came.
#[derive(Clone, Debug)]
pub struct NeutralReport {
    /// The tree that the pins were looked for in.
    pub root: String,
    /// Things that failed, each said by itself.
    pub faults: usize,
}

impl Report for NeutralReport {
    fn text(&self) -> String {
        match self.faults {
            0 => "neutral, gate shut".to_owned(),
            1 => "1 thing failed; everything else was brought to neutral".to_owned(),
            many => format!("{many} things failed; everything else was brought to neutral"),
        }
    }

    fn json(&self) -> Value {
        json!({"neutral": self.faults == 0, "faults": self.faults, "root": self.root})
    }
}
