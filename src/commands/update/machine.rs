//! Programs that an update starts: systemctl, and the new hairpin's `--version`. Each within a time limit, whatever it
//! does with its output.

use std::io::{self, ErrorKind, PipeReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};

use crate::update::{Service, Unit};

const UNIT: &str = "hairpin.service";

/// For a question to the service manager.
const ANSWERS_WITHIN: Duration = Duration::from_secs(5);

/// Bytes of a program's output that are kept.
const KEPT: usize = 64 << 10;

/// Lines of the journal that are shown.
const LAST_LINES: &str = "--lines=5";

/// systemd, where it runs.
#[derive(Debug)]
pub(super) struct Systemd {
    program: Option<PathBuf>,
}

impl Systemd {
    /// Speaks through `program`; `None` where there is nobody to speak to.
    pub(super) const fn new(program: Option<PathBuf>) -> Self {
        Self { program }
    }

    fn ask(&self, words: &[&str], limit: Duration) -> Result<(ExitStatus, String), String> {
        let program = self.program.as_ref().ok_or("no service manager runs")?;
        bounded(Command::new(program).args(words), limit)
    }
}

impl Service for Systemd {
    fn unit(&mut self) -> Option<Unit> {
        let (_, text) = self
            .ask(&["show", UNIT, "-pLoadState", "-pActiveState", "-pMainPID", "-pStatusText"], ANSWERS_WITHIN)
            .ok()?;
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='));
        (value("LoadState")? == "loaded").then(|| Unit {
            state: value("ActiveState").unwrap_or_default().to_owned(),
            pid: value("MainPID").and_then(|pid| pid.parse().ok()).unwrap_or(0),
            says: value("StatusText").unwrap_or_default().to_owned(),
        })
    }

    fn restart(&mut self, limit: Duration) -> Result<(), String> {
        // A unit that failed too often would not be started at all; where it never failed there is nothing to reset.
        self.ask(&["reset-failed", UNIT], ANSWERS_WITHIN).map(drop).unwrap_or_default();
        match self.ask(&["restart", UNIT], limit) {
            Ok((status, _)) if status.success() => Ok(()),
            Ok((_, text)) => Err(text.lines().next().unwrap_or("its start failed").trim().to_owned()),
            Err(error) => Err(format!("it was not up within {} s ({error})", limit.as_secs())),
        }
    }

    fn stop(&mut self, limit: Duration) {
        self.ask(&["stop", UNIT], limit).map(drop).unwrap_or_default();
    }

    fn last_words(&mut self) -> String {
        let asked = self.ask(&["status", UNIT, "--no-pager", "--full", LAST_LINES], ANSWERS_WITHIN);
        let text = asked.map_or_else(|error| error, |(_, text)| text);
        text.lines().map(|line| format!("    {}", line.trim_end())).collect::<Vec<_>>().join("\n")
    }

    fn version(&mut self, program: &Path, limit: Duration) -> Result<String, String> {
        let (status, text) = bounded(Command::new(program).arg("--version"), limit)?;
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let first = lines.clone().next().unwrap_or("nothing").trim().to_owned();
        if !status.success() {
            return Err(format!("it ended with {status} and said: {first}"));
        }
        // The loader may have said something before.
        Ok(lines.find(|line| line.starts_with("hairpin ")).map_or(first, |line| line.trim().to_owned()))
    }

    fn pause(&mut self, span: Duration) {
        std::thread::sleep(span);
    }
}

/// Runs a program, and returns its end and the first part of what it said on both outputs.
fn bounded(command: &mut Command, limit: Duration) -> Result<(ExitStatus, String), String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |error: io::Error| format!("{name} cannot be run: {error}");
    let (mut reader, writer) = io::pipe().map_err(failed)?;
    fcntl_setfl(&reader, OFlags::NONBLOCK).map_err(|error| failed(error.into()))?;
    let outputs = (writer.try_clone().map_err(failed)?, writer);
    // A group of its own: what the terminal sends is borne with here, and would end a program that is waited for.
    command.stdin(Stdio::null()).stdout(outputs.0).stderr(outputs.1).process_group(0);
    let mut child = command.spawn().map_err(failed)?;
    let begun = Instant::now();
    let mut kept = Vec::new();
    loop {
        let ended = child.try_wait().map_err(failed)?;
        drain(&mut reader, &mut kept).map_err(failed)?;
        if let Some(status) = ended {
            return Ok((status, String::from_utf8_lossy(&kept).into_owned()));
        }
        if begun.elapsed() > limit {
            end(&mut child).map_err(failed)?;
            return Err(format!("{name} did not end within {} s", limit.as_secs()));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn end(child: &mut Child) -> io::Result<()> {
    child.kill()?;
    child.wait().map(drop)
}

/// Takes what is there. A pipe that something else still holds open is not waited for.
fn drain(reader: &mut PipeReader, kept: &mut Vec<u8>) -> io::Result<()> {
    let mut part = [0; 4096];
    loop {
        match reader.read(&mut part) {
            Ok(0) => return Ok(()),
            Ok(count) => {
                let room = KEPT.saturating_sub(kept.len()).min(count);
                kept.extend(part.iter().take(room));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::time::{Duration, Instant};

    use super::bounded;

    fn shell(script: &str, limit: Duration) -> Result<(Option<i32>, String), String> {
        bounded(Command::new("sh").args(["-c", script]), limit).map(|(status, text)| (status.code(), text))
    }

    #[test]
    fn both_outputs_and_the_code_come_back() {
        let long = Duration::from_secs(20);
        assert_eq!(shell("echo out; echo err >&2; exit 3", long), Ok((Some(3), "out\nerr\n".to_owned())));
    }

    #[test]
    fn nothing_holds_it_up_but_for_the_limit() {
        let begun = Instant::now();
        // Hangs, and leaves a child that keeps the output open.
        let error = shell("sleep 60", Duration::from_millis(300)).unwrap_err();
        assert!(error.contains("did not end"), "{error}");
        // Ends, and its child keeps the output open.
        assert_eq!(shell("sleep 3 & echo gone", Duration::from_secs(20)), Ok((Some(0), "gone\n".to_owned())));
        // Says more than a pipe holds, and more than is kept.
        let (code, text) = shell("head -c 300000 /dev/zero | tr '\\0' x", Duration::from_secs(20)).unwrap();
        assert_eq!((code, text.len()), (Some(0), super::KEPT));
        assert!(begun.elapsed() < Duration::from_secs(3), "{:?}", begun.elapsed());
    }
}
