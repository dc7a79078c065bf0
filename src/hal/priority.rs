//! Who runs first, and who is killed last. A door to thread-priority.

use std::fs;

use thread_priority::{
    NormalThreadSchedulePolicy, RealtimeThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy,
    set_thread_priority_and_policy, thread_native_id,
};

use super::HalError;

/// Puts the calling thread under `SCHED_FIFO` at `level`, 1 to 99. Threads and programs that it starts inherit this.
///
/// # Errors
/// [`HalError::Refused`].
pub fn fifo(level: u8) -> Result<(), HalError> {
    let policy = ThreadSchedulePolicy::Realtime(RealtimeThreadSchedulePolicy::Fifo);
    schedule(level, policy).map_err(|why| HalError::Refused {
        what: "SCHED_FIFO",
        why,
        remedy: "run as root, or set LimitRTPRIO=99 in the unit",
    })
}

/// Puts the calling thread back under `SCHED_OTHER` at nice 0: for a program that was started by a thread under
/// `SCHED_FIFO`.
///
/// # Errors
/// [`HalError::Refused`].
pub fn normal() -> Result<(), HalError> {
    // The library maps 0..=99 to nice 19..=-20; this is its number for nice 0.
    const NICE_0: u8 = 48;
    let policy = ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Other);
    schedule(NICE_0, policy).map_err(|why| HalError::Refused {
        what: "SCHED_OTHER",
        why,
        remedy: "start it without a real-time policy",
    })
}

fn schedule(level: u8, policy: ThreadSchedulePolicy) -> Result<(), String> {
    let level = ThreadPriority::try_from(level).map_err(str::to_owned)?;
    set_thread_priority_and_policy(thread_native_id(), level, policy).map_err(|error| match error {
        thread_priority::Error::OS(code) => std::io::Error::from_raw_os_error(code).to_string(),
        other => other.to_string(),
    })
}

/// Sets how readily the kernel kills this process when memory runs out: -1000 (never) to 1000. Programs that it starts
/// inherit this.
///
/// # Errors
/// [`HalError::Refused`].
pub fn oom_score_adj(score: i16) -> Result<(), HalError> {
    fs::write("/proc/self/oom_score_adj", score.to_string()).map_err(|error| HalError::Refused {
        what: "oom_score_adj",
        why: format!("{score}: {error}"),
        remedy: "run as root, or set OOMScoreAdjust=-1000 in the unit",
    })
}
