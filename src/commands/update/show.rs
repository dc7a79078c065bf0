//! What `hairpin update` came to, and what is installed, in words and as JSON.

use serde_json::{Value, json};

use crate::domain::Digest;
use crate::report::Report;
use crate::report::table::{Align, table};
use crate::update::{Ended, Slot, SlotFacts, Standing};

/// A slot was put to use.
pub(super) struct Done {
    /// The slot before.
    pub(super) from: Slot,
    /// How it ended.
    pub(super) ended: Ended,
    /// Of the program.
    pub(super) digest: Digest,
    /// Why the service was not restarted, where it was not.
    pub(super) still: &'static str,
}

impl Report for Done {
    fn text(&self) -> String {
        let Ended { slot, version, is_up, on_trial } = &self.ended;
        let head = format!(
            "{version} ({}) is in use, in slot {slot}; slot {} is kept",
            self.digest.short(),
            self.from
        );
        if *is_up {
            return format!("{head}\nthe service came up and stays up, disarmed");
        }
        let rest = if *on_trial {
            "it is on trial: where it does not come up at its first start, the second goes back. \
             Once it is up, keep it with `hairpin update --confirm`"
        } else {
            "it runs from the next start on"
        };
        format!("{head}\nnot restarted: {}\n{rest}", self.still)
    }

    fn json(&self) -> Value {
        let Ended { slot, version, is_up, on_trial } = &self.ended;
        json!({
            "changed": true, "slot": slot.name(), "from": self.from.name(), "version": version,
            "sha256": self.digest.to_string(), "up": is_up, "on_trial": on_trial,
        })
    }
}

/// The program that was offered is the one that runs.
pub(super) struct Same {
    /// Its slot.
    pub(super) slot: Slot,
    /// Its digest.
    pub(super) digest: Digest,
}

impl Report for Same {
    fn text(&self) -> String {
        format!("already installed: slot {} holds these very bytes ({})", self.slot, self.digest.short())
    }

    fn json(&self) -> Value {
        json!({"changed": false, "slot": self.slot.name(), "sha256": self.digest.to_string()})
    }
}

/// A trial was ended, or there was none.
pub(super) struct Confirmed {
    /// The slot that stays.
    pub(super) slot: Slot,
    /// Whether a trial was open.
    pub(super) was_open: bool,
}

impl Report for Confirmed {
    fn text(&self) -> String {
        if self.was_open {
            format!("the trial is over: slot {} stays", self.slot)
        } else {
            format!("nothing is on trial; slot {} is in use", self.slot)
        }
    }

    fn json(&self) -> Value {
        json!({"changed": self.was_open, "slot": self.slot.name()})
    }
}

/// What is installed.
pub(super) struct Shown(pub(super) Standing);

impl Report for Shown {
    fn text(&self) -> String {
        let Standing { current, slots, trial, unit } = &self.0;
        let head = [
            ("slot", Align::Left),
            ("in use", Align::Left),
            ("version", Align::Left),
            ("sha256", Align::Left),
            ("bytes", Align::Right),
        ];
        let rows: Vec<_> = slots.iter().map(|slot| row(slot, *current)).collect();
        let trial = match trial {
            Ok(None) => "nothing is on trial".to_owned(),
            Ok(Some(trial)) => format!(
                "slot {} is on trial, starts so far: {}; without `hairpin update --confirm` it goes back to slot {}",
                trial.to, trial.tries, trial.from
            ),
            Err(why) => why.clone(),
        };
        let service = unit.as_ref().map_or_else(
            || "no service: systemd does not run, or does not know hairpin.service".to_owned(),
            |unit| match unit.says.as_str() {
                "" => format!("the service is {}", unit.state),
                says => format!("the service is {}: {says}", unit.state),
            },
        );
        format!("{}\n{trial}\n{service}", table(&head, &rows))
    }

    fn json(&self) -> Value {
        let Standing { current, slots, trial, unit } = &self.0;
        let slots: Vec<Value> = slots.iter().map(slot_json).collect();
        let trial = match trial {
            Ok(None) => Value::Null,
            Ok(Some(trial)) => {
                json!({"from": trial.from.name(), "to": trial.to.name(), "tries": trial.tries})
            }
            Err(why) => json!({"damaged": why}),
        };
        let service = unit.as_ref().map(
            |unit| json!({"state": unit.state, "pid": unit.pid, "says": unit.says, "armed": unit.is_armed()}),
        );
        json!({"current": current.name(), "slots": slots, "trial": trial, "service": service})
    }
}

fn row(facts: &SlotFacts, current: Slot) -> Vec<String> {
    let version = match (&facts.program, &facts.version) {
        (Err(why), _) => format!("none: {why}"),
        (_, Ok(version)) => version.clone(),
        (_, Err(why)) => format!("does not start: {why}"),
    };
    let (size, digest) = match &facts.program {
        Ok((size, digest)) => (size.to_string(), digest.to_string()),
        Err(_) => (String::new(), String::new()),
    };
    let used = if facts.slot == current { "yes" } else { "" };
    vec![facts.slot.name().to_owned(), used.to_owned(), version, digest, size]
}

fn slot_json(facts: &SlotFacts) -> Value {
    let program = facts.program.as_ref().ok();
    json!({
        "slot": facts.slot.name(), "version": facts.version.as_ref().ok(), "bytes": program.map(|(size, _)| size),
        "sha256": program.map(|(_, digest)| digest.to_string()),
        "why": facts.program.as_ref().err().or(facts.version.as_ref().err()),
    })
}
