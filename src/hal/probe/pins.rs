//! The two channels that move the car: whether this user may write them, and what they put out now. Knows the stock
//! channel map (car.md §1.1).

use std::path::Path;

use super::finding::Finding;
use super::gate::State;
use super::look;
use crate::domain::Pulses;
use crate::hal::carrier::Carrier;
use crate::hal::pwm::PERIOD_NS;
use crate::hal::settings::Settings;
use crate::units::Pulse;

/// Throttle and steering (car.md §1.1).
const CHANNELS: [(&str, u32); 2] = [("throttle", 0), ("steering", 1)];

/// One step of the chip, rounded up: 20 ms in 4096 (car.md §1.7). A pulse this close to neutral is neutral.
const STEP_NS: u32 = 4_883;

const PERMISSION: &str = "run as root, or install deploy/60-hairpin.rules for its group";

/// Whether the channels can be written, or be brought to where they can.
pub(super) fn reachable(settings: &Settings, board: &Carrier) -> Finding {
    match board {
        Carrier::DeepRacer { chip } => channels(chip),
        Carrier::Pca9685 { bus } => outputs(settings, bus),
    }
}

fn channels(chip: &Path) -> Finding {
    let mut saw = Vec::new();
    for (name, channel) in CHANNELS {
        let folder = chip.join(format!("pwm{channel}"));
        let (files, state) = if folder.is_dir() {
            (vec![folder.join("duty_cycle"), folder.join("period")], "exported")
        } else {
            (vec![chip.join("export")], "not exported yet")
        };
        if let Some(refusal) = files.iter().find_map(|file| look::writable(file).err()) {
            let remedy = if refusal.ends_with("does not exist") {
                "switch the drive battery off and on: the chip's driver is not whole"
            } else {
                PERMISSION
            };
            let wanted = format!("pwm{channel} ({name}): duty_cycle and period that this user may write");
            return Finding::wrong("pins", refusal, wanted, remedy);
        }
        saw.push(format!("{name} pwm{channel} {state}"));
    }
    Finding::good("pins", format!("{}, writable", saw.join(", ")))
}

fn outputs(settings: &Settings, node: &Path) -> Finding {
    let place = &settings.pca9685;
    if let Err(refusal) = look::usable(node) {
        return Finding::wrong(
            "pins",
            refusal,
            "a bus that this user may read and write",
            "add the user to group i2c",
        );
    }
    let bus = place.bus.rsplit('-').next().unwrap_or_default();
    let claimed =
        settings.at("/sys/bus/i2c/devices").join(format!("{bus}-{:04x}", place.address)).join("driver");
    if claimed.exists() {
        return Finding::wrong(
            "pins",
            format!("{} exists: a kernel driver has the chip", claimed.display()),
            "the chip free",
            "remove the overlay that binds it (such as dtoverlay=pwm-pca9685 in config.txt) and restart",
        );
    }
    Finding::good(
        "pins",
        format!("throttle output {}, steering output {}, bus writable", place.throttle, place.steering),
    )
}

/// What the chip puts out, where the kernel tells. `None` on a PCA9685: reading it is a write to its bus.
pub(super) fn pulses(board: &Carrier, neutral: Pulses, gate: State) -> Option<Finding> {
    let Carrier::DeepRacer { chip } = board else { return None };
    let mut saw = Vec::new();
    let mut away = Vec::new();
    let mut wild = false;
    for ((name, channel), neutral) in CHANNELS.into_iter().zip([neutral.throttle, neutral.steering]) {
        let folder = chip.join(format!("pwm{channel}"));
        let Some(duty) = look::number::<u32>(&folder.join("duty_cycle")) else { continue };
        saw.push(if duty == 0 { format!("{name} none") } else { format!("{name} {duty} ns") });
        // 0 is what a fresh channel reads; the stock car has no period until its servo software runs.
        let period = look::number::<u32>(&folder.join("period")).filter(|period| *period != 0);
        let outside = duty != 0 && !(Pulse::MIN.ns()..=Pulse::MAX.ns()).contains(&duty);
        wild |= outside || period.is_some_and(|period| duty != 0 && period != PERIOD_NS);
        if let Some(period) = period.filter(|period| *period != PERIOD_NS) {
            saw.push(format!("period {period} ns"));
        }
        if outside || (duty != 0 && duty.abs_diff(neutral.ns()) > STEP_NS) {
            away.push(name);
        }
    }
    Some(judged(&saw, &away, wild, neutral, gate))
}

fn judged(saw: &[String], away: &[&str], wild: bool, neutral: Pulses, gate: State) -> Finding {
    if saw.is_empty() {
        return Finding::good("pulses", "no channel is exported, none to read");
    }
    let text = saw.join(", ");
    if away.is_empty() && !wild {
        let state = if saw.iter().all(|pulse| pulse.ends_with("none")) { "" } else { ": neutral" };
        return Finding::good("pulses", format!("{text}{state}"));
    }
    let (throttle, steering) = (neutral.throttle, neutral.steering);
    let wanted = format!("throttle {throttle}, steering {steering}, period {PERIOD_NS} ns");
    let remedy = "stop whatever drives, then `hairpin neutral`";
    if wild || (away.contains(&"throttle") && gate != State::Shut) {
        Finding::wrong("pulses", text, wanted, remedy)
    } else {
        Finding::note("pulses", text, wanted, remedy)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::pulses;
    use crate::hal::carrier::Carrier;
    use crate::hal::probe::finding::Verdict;
    use crate::hal::probe::gate::State;
    use crate::vehicle::Calibration;

    fn judge(throttle: &str, steering: &str, period: &str, gate: State) -> Verdict {
        let chip = tempfile::tempdir().expect("a folder");
        for (channel, duty) in [("pwm0", throttle), ("pwm1", steering)] {
            let folder = chip.path().join(channel);
            fs::create_dir(&folder).expect("makes");
            fs::write(folder.join("duty_cycle"), duty).expect("writes");
            fs::write(folder.join("period"), period).expect("writes");
        }
        let board = Carrier::DeepRacer { chip: chip.path().to_path_buf() };
        pulses(&board, Calibration::factory().neutral(), gate).expect("a chip").verdict
    }

    #[test]
    fn a_step_is_neutral_and_two_are_not() {
        let motor = |duty: &str, gate| judge(duty, "1450000", "20000000", gate);
        assert_eq!(motor("1446000", State::Open), Verdict::Good);
        assert_eq!(motor("1441117", State::Open), Verdict::Good);
        assert_eq!(motor("1441116", State::Open), Verdict::Wrong);
        assert_eq!(motor("1441116", State::Unknown), Verdict::Wrong);
        assert_eq!(motor("1441116", State::Shut), Verdict::Note);
    }

    #[test]
    fn what_no_servo_survives_is_wrong_even_behind_a_shut_gate() {
        assert_eq!(judge("1446000", "2000001", "20000000", State::Shut), Verdict::Wrong);
        assert_eq!(judge("1446000", "999999", "20000000", State::Shut), Verdict::Wrong);
        assert_eq!(judge("1446000", "2000000", "20000000", State::Shut), Verdict::Note);
        assert_eq!(judge("1446000", "1450000", "5000000", State::Shut), Verdict::Wrong);
    }

    #[test]
    fn a_channel_that_was_never_written_is_good() {
        assert_eq!(judge("0", "0", "0", State::Shut), Verdict::Good);
    }
}
