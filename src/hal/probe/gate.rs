//! The line that switches the power of servo and ESC: which one it is on this kernel, and how it stands. Active low:
//! 0 is open (car.md §1.6). A line of a chip is named only; asking for its value would take it.

use std::path::PathBuf;

use super::finding::Finding;
use super::look;
use crate::hal::carrier::Carrier;
use crate::hal::gpio::north;
use crate::hal::settings::Settings;

const CHECK: &str = "power gate";

/// The gate's line on the chip that has it (car.md §1.6).
const LINE: u32 = 2;

/// How the gate stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Motor and servo have power.
    Open,
    /// They have none.
    Shut,
    /// It does not tell without being taken.
    Unknown,
}

/// Which line it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// There is none, or none is wanted.
    None {
        /// Whether the settings say so.
        chosen: bool,
    },
    /// A number under `/sys/class/gpio`.
    Number {
        /// The number.
        number: u32,
        /// Whether no chip was seen that it could be a line of.
        guessed: bool,
    },
    /// A node and a line, as named in the settings.
    Line {
        /// Such as `/dev/gpiochip0`.
        node: String,
        /// Which line of it.
        line: u32,
    },
    /// The chip that should have it is not there.
    NotFound,
    /// A text that means none of these.
    Unreadable,
}

impl Gate {
    /// The gate that the settings name, or that the board has.
    pub(super) fn of(settings: &Settings, board: &Carrier) -> Self {
        match settings.gate.trim() {
            "none" => Self::None { chosen: true },
            "auto" => match board {
                Carrier::Pca9685 { .. } => Self::None { chosen: false },
                Carrier::DeepRacer { .. } => north(settings, LINE).map_or(Self::NotFound, |number| {
                    let chips = look::names(&settings.at("/sys/class/gpio"));
                    let guessed = !chips.iter().any(|name| name.starts_with("gpiochip"));
                    Self::Number { number, guessed }
                }),
            },
            text => Self::named(text).unwrap_or(Self::Unreadable),
        }
    }

    fn named(text: &str) -> Option<Self> {
        let (place, line) = text.rsplit_once(':')?;
        let line = line.parse().ok()?;
        match place {
            "gpio" => Some(Self::Number { number: line, guessed: false }),
            node if node.starts_with("/dev/") => Some(Self::Line { node: node.to_owned(), line }),
            _ => None,
        }
    }

    /// The folder of an exported number.
    pub(super) fn folder(&self, settings: &Settings) -> Option<PathBuf> {
        let Self::Number { number, .. } = self else { return None };
        Some(settings.at("/sys/class/gpio").join(format!("gpio{number}")))
    }

    /// How it stands.
    pub(super) fn state(&self, settings: &Settings) -> State {
        let Some(folder) = self.folder(settings) else { return State::Unknown };
        let drives = look::text(&folder.join("direction")).as_deref() == Some("out");
        match look::text(&folder.join("value")).as_deref() {
            Some("0") if drives => State::Open,
            Some("1") if drives => State::Shut,
            _ => State::Unknown,
        }
    }

    /// What there is to say about it.
    pub(super) fn finding(&self, settings: &Settings, state: State) -> Finding {
        match self {
            Self::None { chosen: true } => Finding::good(CHECK, "none, as car.gate says"),
            Self::None { chosen: false } => Finding::note(
                CHECK,
                "none is known on this board",
                "a line that cuts the motor's power when a write to the pins fails",
                "name it in car.gate, or say \"none\" there",
            ),
            Self::NotFound => Finding::wrong(
                CHECK,
                format!("no chip of 78 lines under {}", settings.at("/sys/class/gpio").display()),
                "the chip that the gate's line is on",
                "find the line with `gpioinfo` and name it in car.gate",
            ),
            Self::Unreadable => Finding::wrong(
                CHECK,
                format!("car.gate = {:?}", settings.gate),
                "\"auto\", \"none\", \"gpio:436\" or a chip and line like \"/dev/gpiochip0:2\"",
                "correct it",
            ),
            Self::Line { node, line } => match look::usable(&settings.at(node)) {
                Ok(()) => Finding::good(CHECK, format!("line {line} of {node} (not asked)")),
                Err(refusal) => Finding::wrong(
                    CHECK,
                    refusal,
                    "a chip whose lines this user may take",
                    "run as root, or install deploy/60-hairpin.rules; `gpiodetect` lists the chips",
                ),
            },
            Self::Number { number, guessed } => self.numbered(settings, *number, *guessed, state),
        }
    }

    fn numbered(&self, settings: &Settings, number: u32, guessed: bool, state: State) -> Finding {
        let folder = self.folder(settings).filter(|folder| folder.is_dir());
        let exported = folder.is_some();
        let files = folder.map_or_else(
            || vec![settings.at("/sys/class/gpio/export")],
            |folder| vec![folder.join("direction"), folder.join("value")],
        );
        if let Some(refusal) = files.iter().find_map(|file| look::writable(file).err()) {
            return Finding::wrong(
                CHECK,
                refusal,
                format!("gpio{number} that this user may write: without it nothing cuts the motor's power"),
                "run as root, or install deploy/60-hairpin.rules; a kernel without /sys/class/gpio wants \
                 car.gate = \"/dev/gpiochipN:2\"",
            );
        }
        let stands = match (exported, state) {
            (false, _) => "not exported yet",
            (true, State::Open) => "0, open: motor and servo have power",
            (true, State::Shut) => "1, shut",
            (true, State::Unknown) => "an input: nothing drives it",
        };
        if state == State::Open {
            return Finding::note(
                CHECK,
                format!("gpio{number} is {stands}"),
                "1, shut, while nothing drives",
                "`hairpin neutral` writes neutral and shuts it",
            );
        }
        if guessed {
            return Finding::note(
                CHECK,
                format!("gpio{number} by the kernel's version, {stands}"),
                "a gpiochip of 78 lines that says so",
                "find the line with `gpioinfo` and name it in car.gate",
            );
        }
        Finding::good(CHECK, format!("gpio{number}, {stands}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Gate;

    #[test]
    fn a_gate_is_named_by_number_or_by_chip_and_line() {
        assert_eq!(Gate::named("gpio:436"), Some(Gate::Number { number: 436, guessed: false }));
        let line = Gate::Line { node: "/dev/gpiochip0".to_owned(), line: 2 };
        assert_eq!(Gate::named("/dev/gpiochip0:2"), Some(line));
        for text in ["gpio", "436", "gpio:", "gpio:-1", "pin:4", ""] {
            assert_eq!(Gate::named(text), None, "{text}");
        }
    }
}
