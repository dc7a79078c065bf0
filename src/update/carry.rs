//! Carries out a plan, step by step. Every change is written under another name, brought to the disk, and only then put in
//! its place by a rename, which is brought to the disk as well before the next one begins.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::error::UpdateError;
use super::look;
use super::place::{Place, Slot};
use super::plan::{Plan, Step};
use super::trial::Trial;
use super::world::{Disk, Service};

/// For `--version`.
pub(super) const STARTS_WITHIN: Duration = Duration::from_secs(10);

/// For a restart, until the driver's first record (issue: 30 s).
const UP_WITHIN: Duration = Duration::from_secs(30);

/// A service that is up has to stay so for a while: 12 looks, 3 s.
const LOOKS: u32 = 12;
const BETWEEN_LOOKS: Duration = Duration::from_millis(250);

/// How an update ended well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The slot that starts from now on.
    pub slot: Slot,
    /// What its program says of itself.
    pub version: String,
    /// Whether it came up and stayed.
    pub is_up: bool,
    /// Whether it still has to.
    pub on_trial: bool,
}

/// Does it. `bytes` is the new program, where the plan writes one.
///
/// # Errors
/// [`UpdateError::DoesNotStart`] with nothing changed, [`UpdateError::WentBack`] where the new one did not come up,
/// [`UpdateError::Disk`].
pub fn carry(
    plan: &Plan,
    place: &Place,
    bytes: &[u8],
    disk: &mut dyn Disk,
    service: &mut dyn Service,
) -> Result<Ended, UpdateError> {
    let Plan { from, to, .. } = *plan;
    let mut version = String::new();
    for step in &plan.steps {
        match step {
            Step::Write => version = write(place, to, bytes, disk, service)?,
            Step::Start => version = starts(&place.program(to), service)?,
            Step::Try => open(place, Trial { from, to, tries: 0 }, disk)?,
            Step::Point => point(place, to, disk)?,
            Step::Confirm => confirm(place, disk)?,
            Step::Restart => {
                if let Err(why) = comes_up(place, to, disk, service) {
                    return Err(go_back(plan, place, why, disk, service));
                }
            }
        }
    }
    let has = |step| plan.steps.contains(&step);
    Ok(Ended {
        slot: to,
        version,
        is_up: has(Step::Restart),
        on_trial: has(Step::Try) && !has(Step::Confirm),
    })
}

/// Ends a trial by hand: the slot that is in use stays. Returns it, and whether a trial was open. Needs no lock, since it is
/// one removal: the service may confirm itself while an update waits for it.
///
/// # Errors
/// [`UpdateError::Disk`]; [`UpdateError::NotInstalled`].
pub fn keep(place: &Place, disk: &mut dyn Disk) -> Result<(Slot, bool), UpdateError> {
    let slot = look::current(place, disk)?;
    let was_open = disk.exists(&place.trial());
    if was_open {
        confirm(place, disk)?;
    }
    Ok((slot, was_open))
}

fn confirm(place: &Place, disk: &mut dyn Disk) -> Result<(), UpdateError> {
    let trial = place.trial();
    at("remove", &trial, disk.remove(&trial))?;
    at("bring to the disk", place.home(), disk.sync_folder(place.home()))
}

/// The new program into its slot.
fn write(
    place: &Place,
    to: Slot,
    bytes: &[u8],
    disk: &mut dyn Disk,
    service: &mut dyn Service,
) -> Result<String, UpdateError> {
    let (folder, unfinished, program) = (place.folder(to), place.unfinished(to), place.program(to));
    if !disk.is_folder(&folder) {
        at("make", &folder, disk.make_folder(&folder))?;
        at("bring to the disk", place.home(), disk.sync_folder(place.home()))?;
    }
    let written = at("write", &unfinished, disk.write(&unfinished, bytes, true))
        .and_then(|()| at("bring to the disk", &unfinished, disk.sync(&unfinished)))
        .and_then(|()| starts(&unfinished, service));
    let version = written.inspect_err(|_| disk.remove(&unfinished).unwrap_or_default())?;
    at("put in place", &program, disk.rename(&unfinished, &program))?;
    at("bring to the disk", &folder, disk.sync_folder(&folder))?;
    Ok(version)
}

/// What the program says of itself, where it starts and is hairpin.
fn starts(program: &Path, service: &mut dyn Service) -> Result<String, UpdateError> {
    match service.version(program, STARTS_WITHIN) {
        Ok(says) if says.starts_with("hairpin ") => Ok(says),
        Ok(says) => Err(UpdateError::DoesNotStart { saw: format!("it says {says:?}") }),
        Err(saw) => Err(UpdateError::DoesNotStart { saw }),
    }
}

fn open(place: &Place, trial: Trial, disk: &mut dyn Disk) -> Result<(), UpdateError> {
    let (next, path) = (place.next_trial(), place.trial());
    at("write", &next, disk.write(&next, trial.text().as_bytes(), false))
        .and_then(|()| at("bring to the disk", &next, disk.sync(&next)))
        .inspect_err(|_| disk.remove(&next).unwrap_or_default())?;
    at("put in place", &path, disk.rename(&next, &path))?;
    at("bring to the disk", place.home(), disk.sync_folder(place.home()))
}

fn point(place: &Place, to: Slot, disk: &mut dyn Disk) -> Result<(), UpdateError> {
    let (next, current) = (place.next(), place.current());
    // One that an update left which was cut.
    at("remove", &next, disk.remove(&next))?;
    at("make", &next, disk.symlink(to.name(), &next))?;
    // A link cannot be brought to the disk by itself; its folder can.
    at("bring to the disk", place.home(), disk.sync_folder(place.home()))?;
    at("put in place", &current, disk.rename(&next, &current))?;
    at("bring to the disk", place.home(), disk.sync_folder(place.home()))
}

/// Restarts the service and sees whether it comes up from `to` and stays up.
fn comes_up(place: &Place, to: Slot, disk: &dyn Disk, service: &mut dyn Service) -> Result<(), String> {
    service.restart(UP_WITHIN)?;
    let mut first = None;
    for _ in 0..LOOKS {
        let unit = service.unit().ok_or("the service manager does not answer")?;
        if !unit.is_up() {
            return Err(format!("it came up, and then was {}", unit.state));
        }
        if *first.get_or_insert(unit.pid) != unit.pid {
            return Err("it came up, ended, and was started again".to_owned());
        }
        // After the state: the manager may have tried again by itself, and `settle` gone back before that.
        match look::current(place, disk) {
            Ok(slot) if slot == to => {}
            _ => return Err("it ended before it was up, and settle went back".to_owned()),
        }
        service.pause(BETWEEN_LOOKS);
    }
    Ok(())
}

/// The service did not come up: back to where it did, if that is known. Makes the error that says so.
fn go_back(
    plan: &Plan,
    place: &Place,
    why: String,
    disk: &mut dyn Disk,
    service: &mut dyn Service,
) -> UpdateError {
    let words = service.last_words();
    if !plan.returns {
        return UpdateError::DidNotComeUp { slot: plan.to, why, words };
    }
    // Stopped first, so that no start comes between the next steps.
    service.stop(UP_WITHIN);
    if let Err(error) = point(place, plan.from, disk).and_then(|()| confirm(place, disk)) {
        return error;
    }
    let up = service.restart(UP_WITHIN).is_ok();
    UpdateError::WentBack { from: plan.from, to: plan.to, why, up, words }
}

fn at(doing: &'static str, path: &Path, result: io::Result<()>) -> Result<(), UpdateError> {
    result.map_err(|source| UpdateError::Disk { doing, path: path.to_path_buf(), source })
}
