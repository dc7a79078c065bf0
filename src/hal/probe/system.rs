//! The machine around the car: kernel, permissions for real time and locked memory, room for tapes, the clock. What
//! is missing here makes driving worse, never impossible.

use std::io;
use std::path::Path;

use super::finding::Finding;
use super::look;
use crate::hal::settings::Settings;

/// `CAP_IPC_LOCK` and `CAP_SYS_NICE` (capabilities(7)).
const IPC_LOCK: u32 = 14;
const SYS_NICE: u32 = 23;
/// The highest priority that `run` asks for.
const PRIORITY: u64 = 51;
/// Room that a recording should find.
const ROOM: u64 = 1 << 30;
/// The start of 2024. A car without a network is years behind (car.md §9.5).
const YEAR_2024: u64 = 1_704_067_200;

/// Major and minor number of the kernel.
pub(super) fn kernel_version(settings: &Settings) -> Option<(u32, u32)> {
    let release = look::text(&settings.at("/proc/sys/kernel/osrelease"))?;
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// Whether this is a kernel whose pins are known.
pub(super) fn kernel(settings: &Settings) -> Finding {
    let file = settings.at("/proc/sys/kernel/osrelease");
    let wanted = "4.15 (the stock car), 5.x or 6.x";
    let remedy = "look the power gate up with `gpioinfo` before the wheels touch the ground";
    match (look::text(&file), kernel_version(settings)) {
        (Some(release), Some((4, 15) | (5 | 6, _))) => Finding::good("kernel", release),
        (Some(release), _) => Finding::note("kernel", release, wanted, remedy),
        (None, _) => Finding::note("kernel", format!("cannot read {}", file.display()), wanted, remedy),
    }
}

/// Whether `SCHED_FIFO` would be granted: by capability, or by limit.
pub(super) fn realtime(settings: &Settings) -> Finding {
    let limit = soft_limit(settings, "Max realtime priority");
    if is_capable(settings, SYS_NICE) {
        return Finding::good("real time", "permitted by CAP_SYS_NICE");
    }
    match limit {
        Some(limit) if limit >= PRIORITY => Finding::good("real time", format!("priorities up to {limit}")),
        limit => Finding::note(
            "real time",
            limit.map_or("the limit cannot be read".to_owned(), |limit| format!("priorities up to {limit}")),
            format!("{PRIORITY} for the guardian: without it a busy machine stops the motor late"),
            "LimitRTPRIO=99 in its unit, or run as root",
        ),
    }
}

/// Whether all memory may be locked.
pub(super) fn locked_memory(settings: &Settings) -> Finding {
    let limit = soft_limit(settings, "Max locked memory");
    if is_capable(settings, IPC_LOCK) {
        return Finding::good("locked memory", "permitted by CAP_IPC_LOCK");
    }
    match limit {
        Some(u64::MAX) => Finding::good("locked memory", "unlimited"),
        limit => Finding::note(
            "locked memory",
            limit.map_or("the limit cannot be read".to_owned(), |limit| {
                format!("{} KiB at most", limit >> 10)
            }),
            "no limit: a page on disk is a late pulse",
            "LimitMEMLOCK=infinity in its unit, or run as root",
        ),
    }
}

fn is_capable(settings: &Settings, bit: u32) -> bool {
    let status = look::text(&settings.at("/proc/self/status")).unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|set| set >> bit & 1 == 1)
}

/// The soft limit of a line of `/proc/self/limits`; `u64::MAX` for no limit.
fn soft_limit(settings: &Settings, name: &str) -> Option<u64> {
    let limits = look::text(&settings.at("/proc/self/limits"))?;
    let soft = limits.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?;
    if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
}

/// Bytes that this user may still write in a folder.
///
/// # Errors
/// The system's word, where there is no such folder.
pub fn room(folder: &Path) -> io::Result<u64> {
    let facts = rustix::fs::statvfs(folder)?;
    Ok(facts.f_bavail.saturating_mul(facts.f_frsize))
}

/// Room for tapes. A full disk ends a recording and not the drive.
pub(super) fn disk(tapes: &Path, room: Option<u64>) -> Finding {
    let place = tapes.display();
    match room {
        Some(room) if room >= ROOM => Finding::good("disk", format!("{} MiB free in {place}", room >> 20)),
        Some(room) => Finding::note(
            "disk",
            format!("{} MiB free in {place}", room >> 20),
            format!("{} MiB for tapes", ROOM >> 20),
            "move old tapes away, or record elsewhere",
        ),
        None => Finding::note(
            "disk",
            format!("cannot see how much is free in {place}"),
            format!("{} MiB for tapes", ROOM >> 20),
            "make the folder, or record elsewhere",
        ),
    }
}

/// Whether the wall clock can be right.
pub(super) fn clock(unix_seconds: u64) -> Finding {
    let year = year(unix_seconds);
    if unix_seconds >= YEAR_2024 {
        return Finding::good("clock", format!("year {year}"));
    }
    Finding::note(
        "clock",
        format!("year {year}"),
        "2024 or later: tapes carry this date; driving does not ask it",
        "connect to a network once, or set it with `date`",
    )
}

/// The Gregorian year of a time in seconds since 1970.
fn year(unix_seconds: u64) -> u64 {
    let days = unix_seconds / 86_400;
    let leap_days = |year: u64| year / 4 - year / 100 + year / 400;
    let first_day = |year: u64| 365 * (year - 1970) + leap_days(year - 1) - leap_days(1969);
    let latest = 1970 + days / 365;
    // Years of 365 days come too soon: go back to the one that has begun.
    let late = first_day(latest).saturating_sub(days).div_ceil(365);
    if first_day(latest - late) > days { latest - late - 1 } else { latest - late }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{clock, is_capable, kernel_version, room, soft_limit};
    use crate::hal::probe::finding::Verdict;
    use crate::hal::settings::Settings;

    fn machine(file: &str, text: &str) -> (tempfile::TempDir, Settings) {
        let root = tempfile::tempdir().expect("a folder");
        let path = root.path().join(file);
        fs::create_dir_all(path.parent().expect("in a folder")).expect("makes");
        fs::write(path, text).expect("writes");
        let settings = Settings { root: root.path().to_path_buf(), ..Settings::default() };
        (root, settings)
    }

    #[test]
    fn kernels_are_read_by_their_numbers() {
        for (release, version) in [
            ("4.15.0-1005-deeplens\n", Some((4, 15))),
            ("6.8.0-45-generic", Some((6, 8))),
            ("6.12-rc1", Some((6, 12))),
            ("six", None),
        ] {
            let (_root, settings) = machine("proc/sys/kernel/osrelease", release);
            assert_eq!(kernel_version(&settings), version, "{release}");
        }
    }

    #[test]
    fn limits_and_capabilities_are_read_off_the_kernels_text() {
        let text = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max locked memory         8388608              unlimited            bytes     \n\
                    Max realtime priority     unlimited            0                              \n";
        let (_root, settings) = machine("proc/self/limits", text);
        assert_eq!(soft_limit(&settings, "Max locked memory"), Some(8_388_608));
        assert_eq!(soft_limit(&settings, "Max realtime priority"), Some(u64::MAX));
        assert_eq!(soft_limit(&settings, "Max nice priority"), None);
        let (_root, settings) = machine("proc/self/status", "Name:\thairpin\nCapEff:\t0000000000804000\n");
        assert!(is_capable(&settings, 23) && is_capable(&settings, 14) && !is_capable(&settings, 22));
    }

    #[test]
    fn a_second_before_2024_is_too_early() {
        assert_eq!(
            (clock(1_704_067_199).verdict, clock(1_704_067_200).verdict),
            (Verdict::Note, Verdict::Good)
        );
        // `date -u -d @N +%Y`.
        for (seconds, year) in [
            (0, 1970),
            (31_535_999, 1970),
            (31_536_000, 1971),
            (1_704_067_199, 2023),
            (1_704_067_200, 2024),
            (1_735_689_599, 2024),
            (1_735_689_600, 2025),
            (4_102_444_799, 2099),
            (4_102_444_800, 2100),
            (32_503_679_999, 2999),
            (32_503_680_000, 3000),
        ] {
            assert_eq!(super::year(seconds), year, "{seconds}");
        }
    }

    #[test]
    fn room_is_of_a_folder_that_exists() {
        let root = tempfile::tempdir().expect("a folder");
        assert!(room(root.path()).expect("there") > 0);
        assert!(room(&root.path().join("none")).is_err());
    }
}
