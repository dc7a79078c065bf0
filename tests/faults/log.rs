//! The shim's log, as writes to pins and records to the guardian.

use hairpin::guardian::record;
use hairpin::vehicle::Calibration;

pub(crate) use crate::shim::Event;

/// What a write goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pin {
    Throttle,
    Steering,
    Gate,
}

/// One write that reached its pin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Write {
    /// When it was done, ns of the monotonic clock.
    pub(crate) at: u64,
    pub(crate) pid: u32,
    pub(crate) pin: Pin,
    pub(crate) value: i64,
}

impl Write {
    pub(crate) fn read(event: &Event) -> Option<Self> {
        if event.what != "write" {
            return None;
        }
        let [path, value] = event.rest.as_slice() else { return None };
        let pin = match path.rsplit('/').take(2).collect::<Vec<_>>().as_slice() {
            ["duty_cycle", "pwm0"] => Pin::Throttle,
            ["duty_cycle", "pwm1"] => Pin::Steering,
            ["value", gpio] if gpio.starts_with("gpio") => Pin::Gate,
            _ => return None,
        };
        Some(Self { at: event.at, pid: event.pid, pin, value: value.parse().ok()? })
    }

    /// Whether it gives the motor something to do. The neutral of the chip's step is neutral.
    pub(crate) fn moves(&self) -> bool {
        let neutral = i64::from(Calibration::factory().neutral().throttle.ns());
        self.pin == Pin::Throttle && counts(self.value) != counts(neutral)
    }
}

/// The chip's 12-bit step of a width: the kernel rounds up.
pub(crate) fn counts(ns: i64) -> i64 {
    (ns * 4096 + 19_999_999) / 20_000_000
}

/// The times at which the guardian got new evidence: records whose capture time advanced.
pub(crate) fn evidence(log: &[Event]) -> Vec<u64> {
    let mut newest = (0, 0);
    let mut times = Vec::new();
    for event in log.iter().filter(|event| event.what == "recv") {
        let bytes = event.rest.get(1).map(|hex| unhex(hex)).unwrap_or_default();
        let Ok(record) = record::decode(&bytes) else { continue };
        let this = (record.session, record.captured_at.0);
        if this.0 != newest.0 || this.1 > newest.1 {
            newest = this;
            times.push(event.at);
        }
    }
    times
}

fn unhex(text: &str) -> Vec<u8> {
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    text.as_bytes()
        .as_chunks::<2>()
        .0
        .iter()
        .filter_map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

/// Reads a growing log from where it stopped.
#[derive(Debug)]
pub(crate) struct Tail {
    file: std::fs::File,
    rest: Vec<u8>,
}

impl Tail {
    pub(crate) fn of(path: &std::path::Path) -> Self {
        Self { file: std::fs::File::open(path).expect("a log"), rest: Vec::new() }
    }

    /// Whole lines that came since the last call.
    pub(crate) fn more(&mut self) -> Vec<Event> {
        std::io::Read::read_to_end(&mut self.file, &mut self.rest).expect("readable");
        let end = self.rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let lines: Vec<u8> = self.rest.drain(..end).collect();
        String::from_utf8_lossy(&lines).lines().filter_map(crate::shim::event).collect()
    }
}
