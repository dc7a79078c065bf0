//! The drive battery's gauge: its bus, and on a real car its level (car.md §7.1). Not asked through a tree of files.

use std::path::Path;

use super::finding::Finding;
use super::look;
use crate::hal::battery;
use crate::hal::carrier::Carrier;
use crate::hal::settings::Settings;

const CHECK: &str = "battery";
/// What there is to say about it.
pub(super) fn look(settings: &Settings, board: &Carrier) -> Finding {
    let Some(node) = battery::find(settings) else {
        return Finding::good(CHECK, "not watched, as car.battery says");
    };
    if matches!(board, Carrier::Pca9685 { .. }) && settings.battery == "auto" && !node.exists() {
        return Finding::note(
            CHECK,
            "no gauge is known on this board",
            "a gauge that car.battery names, or \"none\" there",
            "watch the battery yourself: nothing slows the car when it is low",
        );
    }
    if let Err(refusal) = look::usable(&node) {
        let remedy = "load the module i2c-dev; run as root, or install deploy/60-hairpin.rules";
        return Finding::note(CHECK, refusal, "a bus that this user may read and write", remedy);
    }
    if !settings.is_this_machine() {
        return Finding::good(CHECK, format!("gauge on {} (not asked: a tree of files)", node.display()));
    }
    judged(&node, battery::open(&node).ok().and_then(|mut bus| battery::read(&mut bus)))
}

/// Level 1 stops the car and level 2 halves its throttle (safety.md §2 row 51).
fn judged(node: &Path, level: Option<u8>) -> Finding {
    let charge = "charge it, or put a full one in";
    match level {
        None => Finding::note(
            CHECK,
            format!("no answer on {}", node.display()),
            "a level of 0 to 11",
            "connect the drive battery and switch it on",
        ),
        Some(level @ 0..=1) => {
            Finding::wrong(CHECK, format!("level {level} of 11: empty"), "3 or more", charge)
        }
        Some(2) => Finding::note(CHECK, "level 2 of 11: low", "3 or more", charge),
        Some(level) => Finding::good(CHECK, format!("level {level} of 11")),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::judged;
    use crate::hal::probe::finding::Verdict;

    #[test]
    fn levels_are_judged_as_the_governor_acts_on_them() {
        let verdict = |level| judged(Path::new("/dev/i2c-7"), level).verdict;
        let all: Vec<Verdict> = (0..=11).map(|level| verdict(Some(level))).collect();
        assert_eq!(all[..2], [Verdict::Wrong, Verdict::Wrong]);
        assert_eq!(all[2], Verdict::Note);
        assert!(all[3..].iter().all(|one| *one == Verdict::Good));
        assert_eq!(verdict(None), Verdict::Note);
    }
}
