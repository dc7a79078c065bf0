//! Memory that is not paged out: a guardian that waits for the disk is late. Refuses by name where the system would
//! not let the process grow afterwards.

use std::fs;

use rustix::mm::{MlockAllFlags, mlockall};
use rustix::process::{Resource, getrlimit};

use super::HalError;

/// Number of `CAP_IPC_LOCK` (capabilities(7)).
const IPC_LOCK: u32 = 14;

/// Locks all pages of this process, present and future. Ends with `exec`.
///
/// # Errors
/// [`HalError::Refused`]. Also where the limit on locked memory is finite and binding: locking would succeed now, and
/// the next allocation beyond it would fail.
pub fn lock_all() -> Result<(), HalError> {
    let refused = |why| HalError::Refused {
        what: "locked memory",
        why,
        remedy: "run as root, or set LimitMEMLOCK=infinity in the unit",
    };
    if let Some(limit) = getrlimit(Resource::Memlock).current.filter(|_| !may_ignore_limits()) {
        return Err(refused(format!("only {limit} bytes may be locked")));
    }
    mlockall(MlockAllFlags::CURRENT | MlockAllFlags::FUTURE).map_err(|error| refused(error.to_string()))
}

fn may_ignore_limits() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits >> IPC_LOCK & 1 == 1)
}
