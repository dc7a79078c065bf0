//! Who else has a hand on the pins: another hairpin by its lock, any program by its open files, and the stock car's
//! software by name, since that opens and closes its files for each write (car.md §1.1).

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FlockOperation, flock, major, minor};
use rustix::io::Errno;

use super::finding::Finding;
use super::gate::Gate;
use super::look;
use super::running::{Running, listed};
use crate::hal::carrier::Carrier;
use crate::hal::settings::Settings;

const CHECK: &str = "pins in use";

/// The lock of a running hairpin, and open files.
pub(super) fn pins(settings: &Settings, board: &Carrier, gate: &Gate, running: &[Running]) -> Finding {
    let locked = match is_locked(board.resource()) {
        Ok(locked) => locked,
        Err(why) => {
            let saw = format!("{} cannot be asked for its lock: {why}", board.resource().display());
            return Finding::note(CHECK, saw, "a lock that this user may test", "run as root");
        }
    };
    let owner = if locked { lock_owner(settings, board.resource()) } else { None };
    let mut saw = Vec::new();
    if locked {
        let name = owner.and_then(|pid| running.iter().find(|one| one.pid == pid)).map(Running::shown);
        let name = name.or_else(|| owner.map(|pid| format!("pid {pid}")));
        saw.push(format!(
            "{} holds the lock of {}",
            name.unwrap_or_else(|| "another program".to_owned()),
            board.resource().display()
        ));
    }
    let others = running
        .iter()
        .filter(|one| Some(one.pid) != owner && one.has(|link| is_pin(link, settings, board, gate)));
    let others: Vec<String> = others.map(Running::shown).collect();
    if !others.is_empty() {
        saw.push(format!("{} has its files open", listed(others.clone())));
    }
    let served = |one: &&Running| Some(one.pid) == owner && one.is_service();
    if let (Some(service), true) = (running.iter().find(served), others.is_empty()) {
        let saw = format!("{}: hairpin's own service", service.shown());
        let remedy =
            "`hairpin operate` drives it; `sudo systemctl stop hairpin` before `hairpin run` by hand";
        return Finding::note(CHECK, saw, "nobody, for a drive by hand", remedy);
    }
    if !saw.is_empty() {
        let remedy = "stop it first: two programs on the pins fight over the motor";
        return Finding::wrong(CHECK, saw.join("; "), "nobody else on the pins", remedy);
    }
    let hidden = running.iter().filter(|one| one.open.is_none()).count();
    let unseen = if hidden == 0 {
        String::new()
    } else {
        format!("; the open files of {hidden} programs are for root to see")
    };
    Finding::good(CHECK, format!("no lock, no open file{unseen}"))
}

/// Takes the lock shared and gives it back: whoever runs holds it alone.
fn is_locked(place: &Path) -> Result<bool, String> {
    let file = File::open(place).map_err(|error| error.to_string())?;
    match flock(&file, FlockOperation::NonBlockingLockShared) {
        Ok(()) => flock(&file, FlockOperation::Unlock).map(|()| false).map_err(|error| error.to_string()),
        Err(Errno::WOULDBLOCK) => Ok(true),
        Err(error) => Err(error.to_string()),
    }
}

/// The holder of a file's lock, by device and inode in `/proc/locks`.
fn lock_owner(settings: &Settings, place: &Path) -> Option<u32> {
    let facts = std::fs::metadata(place).ok()?;
    let file = format!("{:02x}:{:02x}:{}", major(facts.dev()), minor(facts.dev()), facts.ino());
    let locks = look::text(&settings.at("/proc/locks"))?;
    let words = locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| words.contains(&"FLOCK") && words.contains(&file.as_str())).find_map(|words| {
        let at = words.iter().position(|word| *word == file)?;
        words.get(at.checked_sub(1)?)?.parse().ok()
    })
}

fn is_pin(link: &str, settings: &Settings, board: &Carrier, gate: &Gate) -> bool {
    let on_board = match board {
        Carrier::DeepRacer { chip } => {
            let chip = chip.file_name().unwrap_or_default().to_string_lossy();
            link.ends_with("/duty_cycle") && link.contains(&format!("/{chip}/"))
        }
        Carrier::Pca9685 { .. } => link == settings.pca9685.bus,
    };
    let gated = match gate {
        Gate::Number { number, .. } => link.ends_with(&format!("/gpio{number}/value")),
        Gate::None { .. } | Gate::Line { .. } | Gate::NotFound | Gate::Unreadable => false,
    };
    on_board || gated
}

/// The stock unit, wherever a distribution keeps units (car.md §9.2).
const UNITS: [&str; 3] = ["/etc/systemd/system", "/lib/systemd/system", "/usr/lib/systemd/system"];
const UNIT: &str = "deepracer-core.service";
const WANTED_BY: &str = "/etc/systemd/system/multi-user.target.wants";

/// Whether the stock car's software runs, or will after the next start.
pub(super) fn stock(settings: &Settings, running: &[Running]) -> Finding {
    let at_work: Vec<String> =
        running.iter().filter(|one| is_stock(&one.words)).map(Running::shown).collect();
    if !at_work.is_empty() {
        return Finding::wrong(
            "stock stack",
            format!("{} of {UNIT}", listed(at_work)),
            "it stopped: it writes the same pins and holds the camera",
            "sudo systemctl disable --now deepracer-core",
        );
    }
    let link = settings.at(WANTED_BY).join(UNIT);
    if link.is_symlink() {
        return Finding::note(
            "stock stack",
            format!("stopped, but {} starts it with the machine", link.display()),
            "it disabled",
            "sudo systemctl disable deepracer-core",
        );
    }
    let installed = UNITS.iter().any(|folder| settings.at(folder).join(UNIT).exists());
    Finding::good("stock stack", if installed { "installed, disabled" } else { "not installed" })
}

/// By the program that runs, not by what it is told: `hairpin` may be given a path of the stock car.
fn is_stock(words: &[String]) -> bool {
    let program = |word: &String| word.starts_with("/opt/aws/deepracer/");
    let interpreted = words.first().is_some_and(|word| {
        let name = word.rsplit('/').next().unwrap_or_default();
        name.starts_with("python") || name.ends_with("sh")
    });
    words.iter().take(if interpreted { 2 } else { 1 }).any(program)
        || (interpreted && words.iter().any(|word| word == "deepracer_launcher"))
}

#[cfg(test)]
mod tests {
    use super::is_stock;

    #[test]
    fn the_stock_stack_is_known_by_what_runs() {
        let words = |line: &str| line.split(' ').map(str::to_owned).collect::<Vec<_>>();
        for line in [
            "/opt/aws/deepracer/lib/servo_pkg/lib/servo_pkg/servo_node --ros-args",
            "/usr/bin/python3 /opt/ros/foxy/bin/ros2 launch deepracer_launcher deepracer_launcher.py",
            "/usr/bin/python3 /opt/aws/deepracer/lib/webserver_pkg/lib/webserver_pkg/webserver_publisher_node",
            "/bin/bash /opt/aws/deepracer/start_ros.sh",
        ] {
            assert!(is_stock(&words(line)), "{line}");
        }
        for line in [
            "/usr/bin/hairpin doctor --set vehicle.calibration=/opt/aws/deepracer/calibration.json",
            "nano /opt/aws/deepracer/calibration.json",
            "grep deepracer_launcher log",
        ] {
            assert!(!is_stock(&words(line)), "{line}");
        }
        assert!(!is_stock(&[]));
    }
}
