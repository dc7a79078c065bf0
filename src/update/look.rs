//! What is installed, and in what state. Reads; its one mark on the machine is the lock.

use std::io;

use crate::domain::Digest;

use super::LARGEST;
use super::error::UpdateError;
use super::place::{Place, Slot};
use super::trial::Trial;
use super::world::{Disk, Service, Unit};

/// Bytes of a trial's text.
const TRIAL: u64 = 4096;

/// What a plan is made from.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The slot that starts.
    pub current: Slot,
    /// The digest of its program.
    pub running: Digest,
    /// The digest of the other one's, or why there is none.
    pub other: Result<Digest, String>,
    /// An earlier update that has not proven itself.
    pub trial: Option<Trial>,
    /// Bytes free.
    pub free: u64,
    /// The service.
    pub unit: Option<Unit>,
}

/// Looks at an installation that is to be changed, and takes its lock first.
///
/// # Errors
/// Where it is not installed, not whole, or not for this process to change.
pub fn facts(place: &Place, disk: &mut dyn Disk, service: &mut dyn Service) -> Result<Facts, UpdateError> {
    current(place, disk)?;
    let home = place.home();
    let not_writable = |source| UpdateError::NotWritable { folder: home.to_path_buf(), source };
    disk.writable(home).map_err(not_writable)?;
    if !disk.lock(home).map_err(not_writable)? {
        return Err(UpdateError::Busy { home: home.to_path_buf() });
    }
    // Read again: whoever held the lock until now may have changed it.
    let slot = current(place, disk)?;
    for folder in Slot::BOTH.map(|slot| place.folder(slot)) {
        if disk.is_folder(&folder) {
            disk.writable(&folder).map_err(|source| UpdateError::NotWritable { folder, source })?;
        }
    }
    let digest = |slot| disk.read(&place.program(slot), LARGEST).map(|bytes| Digest::of(&bytes));
    let running = digest(slot).map_err(|source| UpdateError::NoCurrent {
        program: place.program(slot),
        source,
        settle: place.settle(),
    })?;
    Ok(Facts {
        current: slot,
        running,
        other: digest(slot.other()).map_err(|error| error.to_string()),
        trial: trial(place, disk)?,
        free: disk.free(home).map_err(not_writable)?,
        unit: service.unit(),
    })
}

/// The slot that starts.
pub(super) fn current(place: &Place, disk: &dyn Disk) -> Result<Slot, UpdateError> {
    let current = place.current();
    let odd = |saw: String| UpdateError::OddCurrent { current: current.clone(), saw, settle: place.settle() };
    match disk.link(&current) {
        Ok(target) => {
            let text = target.to_string_lossy();
            Slot::named(text.trim_end_matches('/')).ok_or_else(|| odd(text.into_owned()))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(UpdateError::NotInstalled { current: current.clone() })
        }
        Err(error) => Err(odd(error.to_string())),
    }
}

fn trial(place: &Place, disk: &dyn Disk) -> Result<Option<Trial>, UpdateError> {
    let path = place.trial();
    let saw = match disk.read(&path, TRIAL) {
        Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(UpdateError::OddTrial { path, saw: error.to_string() }),
    };
    match Trial::read(&saw) {
        Some(trial) => Ok(Some(trial)),
        None => Err(UpdateError::OddTrial { path, saw: saw.chars().take(80).collect() }),
    }
}

/// One slot, for people.
#[derive(Clone, Debug)]
pub struct SlotFacts {
    /// Which.
    pub slot: Slot,
    /// Bytes and digest of its program, or why there is none.
    pub program: Result<(u64, Digest), String>,
    /// What the program says of itself, or why it does not.
    pub version: Result<String, String>,
}

/// Everything, for people.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The slot that starts.
    pub current: Slot,
    /// Both.
    pub slots: [SlotFacts; 2],
    /// An update that has not proven itself, or words about a file that is none.
    pub trial: Result<Option<Trial>, String>,
    /// The service.
    pub unit: Option<Unit>,
}

/// Looks at an installation that is to be shown; needs no right to change it.
///
/// # Errors
/// Where it is not installed.
pub fn standing(place: &Place, disk: &dyn Disk, service: &mut dyn Service) -> Result<Standing, UpdateError> {
    let slots = Slot::BOTH.map(|slot| {
        let path = place.program(slot);
        let program = disk.read(&path, LARGEST).map(|bytes| (bytes.len() as u64, Digest::of(&bytes)));
        let version = match &program {
            Ok(_) => service.version(&path, super::carry::STARTS_WITHIN),
            Err(_) => Err("there is none".to_owned()),
        };
        SlotFacts { slot, program: program.map_err(|error| error.to_string()), version }
    });
    Ok(Standing {
        current: current(place, disk)?,
        slots,
        trial: trial(place, disk).map_err(|error| error.to_string()),
        unit: service.unit(),
    })
}
