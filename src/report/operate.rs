//! How a running car stands, as its guardian says it.

use serde_json::{Value, json};

use super::Report;

/// The guardian's line on its phase.
#[derive(Clone, Debug)]
pub struct StandsReport {
    /// As it came.
    pub line: String,
}

impl StandsReport {
    /// The phase alone, in small letters: `disarmed`, `arming`, `armed`, `stopped`, `starting`, `ending`.
    #[must_use]
    pub fn phase(&self) -> String {
        self.line.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase()
    }
}

impl Report for StandsReport {
    fn text(&self) -> String {
        self.line.clone()
    }

    fn json(&self) -> Value {
        json!({ "phase": self.phase(), "words": self.line })
    }
}

#[cfg(test)]
mod tests {
    use super::{Report, StandsReport};

    #[test]
    fn the_phase_is_the_first_word() {
        let said = |line: &str| StandsReport { line: line.to_owned() }.json()["phase"].clone();
        assert_eq!(said("ARMED: the policy drives; Enter stops"), "armed");
        assert_eq!(said("STOPPED by the operator; `arm` drives again"), "stopped");
        assert_eq!(said("starting"), "starting");
    }
}
