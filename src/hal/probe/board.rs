//! Which board carries the pins: the DeepRacer's chip by its PCI function, or the bus of a PCA9685 as on Raspberry Pi
//! cars. Found as `run` finds it; a bus is not asked who is on it.

use std::path::Path;

use super::finding::Finding;
use super::look;
use crate::hal::carrier::Carrier;
use crate::hal::settings::{BoardChoice, Settings};

const CHECK: &str = "board";

/// Where the stock car keeps its software; a PC that has it is a DeepRacer, whatever its buses show.
const STOCK_FOLDER: &str = "/opt/aws/deepracer";

/// The board, and what there is to say about it.
pub(super) fn find(settings: &Settings) -> (Option<Carrier>, Finding) {
    match Carrier::find(settings) {
        Ok(Carrier::DeepRacer { chip }) => {
            let saw = format!("DeepRacer: {} of {}", chip.display(), settings.pwm_device);
            (Some(Carrier::DeepRacer { chip }), Finding::good(CHECK, saw))
        }
        Ok(Carrier::Pca9685 { bus: node }) => {
            let finding = bus(settings, &node);
            (Some(Carrier::Pca9685 { bus: node }), finding)
        }
        Err(_) => (None, none(settings)),
    }
}

/// A bus is there; whether a PCA9685 answers on it is not asked, since asking is a write.
fn bus(settings: &Settings, node: &Path) -> Finding {
    let place = format!("PCA9685 at {:#04x} of {}", settings.pca9685.address, node.display());
    let machine = machine(settings);
    if settings.board == BoardChoice::Pca9685 || machine.as_deref().is_some_and(is_pi) {
        let on = machine.map(|machine| format!(", {machine}")).unwrap_or_default();
        return Finding::good(CHECK, format!("{place} (not asked){on}"));
    }
    let name = settings.pca9685.bus.rsplit('/').next().unwrap_or_default();
    let adapter = look::text(&settings.at("/sys/class/i2c-dev").join(name).join("name"));
    Finding::note(
        CHECK,
        format!("{place} (not asked), which is {}", adapter.as_deref().unwrap_or("a bus without a name")),
        "a car: this may be the bus of a screen",
        "if this is a car with a PCA9685, set car.board = \"pca9685\"",
    )
}

fn none(settings: &Settings) -> Finding {
    let chips = look::names(&settings.at("/sys/class/pwm"));
    let chips = if chips.is_empty() { "no PWM chip".to_owned() } else { chips.join(", ") };
    let machine = machine(settings);
    let on = machine.as_deref().map(|machine| format!("{machine}: ")).unwrap_or_default();
    let chip =
        format!("a PWM chip of {} under {}", settings.pwm_device, settings.at("/sys/class/pwm").display());
    let node = settings.at(&settings.pca9685.bus).display().to_string();
    let (saw, wanted) = match settings.board {
        BoardChoice::Auto => (format!("{on}{chips}, no {node}"), format!("{chip}, or the bus {node}")),
        BoardChoice::DeepRacer => (format!("{on}{chips}"), chip),
        BoardChoice::Pca9685 => (format!("{on}no {node}"), format!("the bus {node}")),
    };
    let remedy = if machine.as_deref().is_some_and(is_pi) {
        "switch the bus on (dtparam=i2c_arm=on in config.txt), or name it in car.pca9685_bus"
    } else if settings.at(STOCK_FOLDER).is_dir() {
        "switch the drive battery on: without it the chip is gone from its bus; then run this again"
    } else {
        "run this on the car; replay, inspect and bench need none"
    };
    Finding::wrong(CHECK, saw, wanted, remedy)
}

/// The machine's own name for itself.
fn machine(settings: &Settings) -> Option<String> {
    ["/proc/device-tree/model", "/sys/class/dmi/id/product_name"]
        .iter()
        .find_map(|path| look::text(&settings.at(path)).filter(|text| !text.is_empty()))
}

fn is_pi(machine: &str) -> bool {
    machine.starts_with("Raspberry Pi")
}
