//! A network from elsewhere is built in a process of its own, under a limit of memory and time: the checks
//! before the library refuse what is known to hang it, and this bounds what is not.

use std::ffi::OsStr;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::Context;

/// Tells the child that it is one.
const VARIABLE: &str = "HAIRPIN_CONFINED";

/// Address space that any import may use on top of ten times its network.
const BASE_MIB: u64 = 2048;

/// Runs this very command line again under limits, and returns its exit code; `None` in the child, which goes
/// on under the limits.
///
/// # Errors
/// Where the limits cannot be set, or were reached.
pub(crate) fn confined(context: &Context, network_mib: u64) -> anyhow::Result<Option<ExitStatus>> {
    let memory_mib = BASE_MIB + 10 * network_mib;
    let seconds = u64::from(context.config.import.time_limit_s);
    if context.environment.contains_key(OsStr::new(VARIABLE)) {
        limit(Resource::As, memory_mib << 20).context("cannot limit memory")?;
        limit(Resource::Cpu, seconds + 1).context("cannot limit processor time")?;
        // The parent says what a crash means; the library's own words about its internals help nobody.
        std::panic::set_hook(Box::new(|_| {}));
        return Ok(None);
    }
    let program = std::env::current_exe().context("cannot find this program, to start it confined")?;
    let mut child = Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(VARIABLE, "1")
        .spawn()
        .context("cannot start a confined process for the network")?;
    let status = wait(&mut child, Duration::from_secs(seconds))?;
    if let Some(signal) = status.signal() {
        bail!(
            "building the network was ended by signal {signal}: it needs more than {memory_mib} MiB or {seconds} s of \
             processor time, or it is damaged; raise import.time_limit_s if you trust it"
        );
    }
    Ok(Some(status))
}

fn limit(resource: Resource, value: u64) -> std::io::Result<()> {
    let limit = Rlimit { current: Some(value), maximum: Some(value) };
    setrlimit(resource, limit).map_err(Into::into)
}

fn wait(child: &mut Child, patience: Duration) -> anyhow::Result<ExitStatus> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().context("cannot wait for the confined process")? {
            return Ok(status);
        }
        if begun.elapsed() > patience {
            child.kill().context("cannot end the confined process")?;
            child.wait().context("cannot wait for the confined process")?;
            bail!(
                "building the network took longer than {} s and was ended; raise import.time_limit_s if you trust it",
                patience.as_secs()
            );
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::wait;

    #[test]
    fn what_takes_too_long_is_ended() {
        let begun = Instant::now();
        let mut child = Command::new("sleep").arg("60").spawn().expect("sleep is everywhere");
        let error = wait(&mut child, Duration::from_millis(50)).expect_err("60 s are too long").to_string();
        assert!(error.contains("took longer than"), "{error}");
        assert!(begun.elapsed() < Duration::from_secs(10));
        assert!(child.try_wait().expect("it was waited for").is_some(), "the child lives on");
    }

    #[test]
    fn what_ends_by_itself_keeps_its_code() {
        let mut child = Command::new("sh").args(["-c", "exit 7"]).spawn().expect("sh is everywhere");
        assert_eq!(wait(&mut child, Duration::from_secs(10)).expect("in time").code(), Some(7));
    }
}
