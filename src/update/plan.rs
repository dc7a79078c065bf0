//! From facts to steps. Pure: what is to be done is known, and refused where it must be, before anything is done.

use crate::domain::Digest;

use super::error::UpdateError;
use super::look::Facts;
use super::offer::Fresh;
use super::place::{Place, Slot};

/// What the operator asked for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// Restart the service, and see whether it comes up.
    pub restart: bool,
    /// Stop an armed car without asking.
    pub yes: bool,
}

/// One step. Each leaves a disk from which a whole program starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The new program into its slot, where nothing looks yet; and whether it starts there.
    Write,
    /// Whether the program in the slot starts.
    Start,
    /// The trial: from here on, `settle` goes back at the second start that nobody confirmed.
    Try,
    /// The link to the slot.
    Point,
    /// The service, and whether it comes up from the slot and stays.
    Restart,
    /// The trial's end.
    Confirm,
}

/// Steps, and what they are about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The slot that runs before.
    pub from: Slot,
    /// The slot that runs after.
    pub to: Slot,
    /// The digest of the program that is then in it.
    pub digest: Digest,
    /// In order.
    pub steps: Vec<Step>,
    /// Whether to go back where the service does not come up.
    pub returns: bool,
}

/// A new program: into the slot that does not run, on trial until it is up. `None` where it is the one that runs.
///
/// # Errors
/// An open trial, an armed car, a disk without room.
pub fn forward(place: &Place, facts: &Facts, fresh: &Fresh, wish: Wish) -> Result<Option<Plan>, UpdateError> {
    if let Some(trial) = facts.trial {
        return Err(UpdateError::TrialOpen { from: trial.from, to: trial.to, tries: trial.tries });
    }
    if fresh.digest == facts.running {
        return Ok(None);
    }
    let wanted = 2 * fresh.bytes.len() as u64;
    if facts.free < wanted {
        return Err(UpdateError::NoRoom {
            folder: place.home().to_path_buf(),
            free_mib: facts.free >> 20,
            wanted_mib: wanted.div_ceil(1 << 20),
        });
    }
    let restarts = restarts(facts, wish)?;
    let mut steps = vec![Step::Write, Step::Try, Step::Point];
    if restarts {
        steps.extend([Step::Restart, Step::Confirm]);
    }
    let (from, to) = (facts.current, facts.current.other());
    Ok(Some(Plan { from, to, digest: fresh.digest, steps, returns: true }))
}

/// To the other slot by hand. While a trial is open, that ends it; otherwise the other program is on trial itself.
///
/// # Errors
/// A slot without a program, an armed car.
pub fn back(facts: &Facts, wish: Wish) -> Result<Plan, UpdateError> {
    let restarts = restarts(facts, wish)?;
    let to = facts.trial.map_or_else(|| facts.current.other(), |trial| trial.from);
    let digest = if to == facts.current { Ok(facts.running) } else { facts.other.clone() };
    let digest = digest.map_err(|why| UpdateError::NoOther { slot: to, why })?;
    let (mut steps, returns) = match facts.trial {
        Some(_) => (vec![Step::Start, Step::Point, Step::Confirm], false),
        None => (vec![Step::Start, Step::Try, Step::Point], true),
    };
    if restarts {
        steps.push(Step::Restart);
        if returns {
            steps.push(Step::Confirm);
        }
    }
    Ok(Plan { from: facts.current, to, digest, steps, returns })
}

/// Whether the service is to be restarted: where there is one, and nobody stopped it on purpose.
fn restarts(facts: &Facts, wish: Wish) -> Result<bool, UpdateError> {
    match &facts.unit {
        Some(unit) if wish.restart && !unit.is_stopped() => {
            if unit.is_armed() && !wish.yes {
                return Err(UpdateError::Armed { says: unit.says.clone() });
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}
