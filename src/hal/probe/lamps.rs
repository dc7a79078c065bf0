//! Tail light and power LED of a DeepRacer: whether they can be lit. They never stand in the way of driving.

use super::finding::Finding;
use super::look;
use crate::hal::carrier::Carrier;
use crate::hal::gpio::north;
use crate::hal::settings::Settings;

const CHECK: &str = "lamps";

/// Red, green and blue of the tail light (car.md §1.9).
const TAIL: [u32; 3] = [2, 3, 4];
/// Lines of the power LED on the gate's chip, red, green and blue (car.md §7.2).
const LED: [u32; 3] = [16, 23, 24];

/// `None` where there are none to look for.
pub(super) fn look(settings: &Settings, board: &Carrier) -> Option<Finding> {
    let Carrier::DeepRacer { chip } = board else { return None };
    if !settings.lamps {
        return Some(Finding::good(CHECK, "off, as car.lamps says"));
    }
    let gpio = settings.at("/sys/class/gpio");
    let led = LED.into_iter().filter_map(|line| north(settings, line));
    let led = led.map(|number| (gpio.join(format!("gpio{number}")), "value", gpio.join("export")));
    let tail = TAIL.map(|channel| (chip.join(format!("pwm{channel}")), "duty_cycle", chip.join("export")));
    let files = tail.into_iter().chain(led);
    let files = files.map(|(folder, file, export)| if folder.is_dir() { folder.join(file) } else { export });
    let refusals: Vec<String> = files.filter_map(|file| look::writable(&file).err()).collect();
    let Some(first) = refusals.first() else {
        return Some(Finding::good(CHECK, "tail light and power LED writable"));
    };
    Some(Finding::note(
        CHECK,
        format!("{} colours cannot be lit: {first}", refusals.len()),
        "tail light and power LED that this user may write",
        "run as root, install deploy/60-hairpin.rules, or set car.lamps = false",
    ))
}
