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
    /// `shut`, `none`, or `not shut`.
    pub gate: &'static str,
    /// Who holds the pins and may write again, in words.
    pub held_by: Option<String>,
}

impl NeutralReport {
    /// Whether the car stands and will go on standing.
    #[must_use]
    pub fn is_safe(&self) -> bool {
        self.faults == 0 && (self.held_by.is_none() || self.gate == "shut")
    }
}

impl Report for NeutralReport {
    fn text(&self) -> String {
        let gate = match self.gate {
            "shut" => "gate shut",
            "none" => "there is no gate",
            _ => "the gate did not shut",
        };
        let mut lines = vec![match self.faults {
            0 => format!("neutral, {gate}"),
            1 => format!("1 thing failed; everything else was brought to neutral; {gate}"),
            many => format!("{many} things failed; everything else was brought to neutral; {gate}"),
        }];
        lines.extend(self.held_by.as_ref().map(|who| format!("  but {who}")));
        lines.join("\n")
    }

    fn json(&self) -> Value {
        json!({
            "neutral": self.faults == 0, "faults": self.faults, "gate": self.gate, "held_by": self.held_by,
            "root": self.root,
        })
    }
}
