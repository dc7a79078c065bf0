//! The car's arithmetic on every machine. tract chooses its kernels once per process, from the CPU and from one
//! environment variable; so a process on a wider CPU that wants the car's restarts itself with that variable set.

#[cfg(target_arch = "x86_64")]
use std::ffi::OsStr;
#[cfg(feature = "car")]
use std::ffi::OsString;
#[cfg(target_arch = "x86_64")]
use std::os::unix::process::CommandExt;
#[cfg(target_arch = "x86_64")]
use std::process::Command;

#[cfg(target_arch = "x86_64")]
use anyhow::Context as _;

use super::Context;
#[cfg(target_arch = "x86_64")]
use crate::config::Kernels;

/// Read by tract-linalg at its first use.
#[cfg(target_arch = "x86_64")]
const VARIABLE: &str = "TRACT_CPU_ISA";

/// Everything that the car's Goldmont lacks and that tract has kernels for.
#[cfg(target_arch = "x86_64")]
const HIDDEN: &str = "-avx,-avx2,-fma,-f16c,-avx512f,-avx512vnni,-avx512fp16,-avxvnni,-amx-int8,-amx-bf16";

/// Sees to it that this process runs the kernels that the settings ask for; returns where it does already. With
/// `native`, a variable that the user set is obeyed.
///
/// # Errors
/// Where the program cannot be started again.
#[cfg(target_arch = "x86_64")]
pub(crate) fn ensure(context: &Context) -> anyhow::Result<()> {
    let narrow = !std::arch::is_x86_feature_detected!("avx");
    let hidden = context.environment.get(OsStr::new(VARIABLE)).is_some_and(|value| value == HIDDEN);
    if context.config.kernels == Kernels::Native || narrow || hidden {
        return Ok(());
    }
    let program =
        std::env::current_exe().context("cannot find this program, to start it with the car's kernels")?;
    let failed = Command::new(program).args(std::env::args_os().skip(1)).env(VARIABLE, HIDDEN).exec();
    Err(failed).context("cannot restart with the car's kernels; --set policy.kernels=native goes without")
}

/// What a child of this process needs in its environment, so that it runs the right kernels without restarting itself.
#[cfg(all(feature = "car", target_arch = "x86_64"))]
pub(crate) fn environment(context: &Context) -> Vec<(OsString, OsString)> {
    let native = context.config.kernels == Kernels::Native || !std::arch::is_x86_feature_detected!("avx");
    if native { Vec::new() } else { vec![(VARIABLE.into(), HIDDEN.into())] }
}

/// As above; there is nothing to choose.
#[cfg(all(feature = "car", not(target_arch = "x86_64")))]
pub(crate) fn environment(_context: &Context) -> Vec<(OsString, OsString)> {
    Vec::new()
}

/// Other architectures have one set of kernels that matters here.
#[cfg(not(target_arch = "x86_64"))]
pub(crate) fn ensure(_context: &Context) -> anyhow::Result<()> {
    Ok(())
}
