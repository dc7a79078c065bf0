//! A PCA9685 against a chip of registers that behaves as its data sheet says: what runs is never put to sleep, and no
//! pulse but neutral comes first.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::path::Path;
use std::sync::{Arc, Mutex};

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal::pwm::SetDutyCycle;
use hairpin::domain::Pulses;
use hairpin::hal::pca9685::{self, Output};
use hairpin::hal::{CarPins, HalError, Pca9685Place, PulseOut, Settings};
use hairpin::units::Pulse;
use hairpin::vehicle::Calibration;

const SLEEP: u8 = 0x10;
const AUTO_INCREMENT: u8 = 0x20;

/// The chip's registers and what was written, as (register, value), a multi-byte write byte by byte.
struct Registers {
    bytes: [u8; 256],
    writes: Vec<(u8, u8)>,
    /// So many transactions are not acknowledged.
    deaf: u32,
    asked: u32,
}

#[derive(Clone)]
struct Bus(Arc<Mutex<Registers>>);

impl Bus {
    /// As after power-on: asleep, 200 Hz, every output full-off (data sheet §7.3).
    fn fresh() -> Self {
        let mut bytes = [0; 256];
        (bytes[0x00], bytes[0x01], bytes[0xfe]) = (0x11, 0x04, 0x1e);
        for output in 0..16 {
            bytes[0x06 + 4 * output + 3] = 0x10;
        }
        Self(Arc::new(Mutex::new(Registers { bytes, writes: Vec::new(), deaf: 0, asked: 0 })))
    }

    /// Awake with a prescaler and a pulse of `steps` on every output, as a program that was killed leaves it.
    fn running(prescale: u8, steps: u16) -> Self {
        let bus = Self::fresh();
        bus.with(|chip| {
            (chip.bytes[0x00], chip.bytes[0xfe]) = (0x21, prescale);
            for output in 0..16 {
                chip.bytes[0x06 + 4 * output + 2..][..2].copy_from_slice(&steps.to_le_bytes());
            }
        });
        bus
    }

    fn with<T>(&self, look: impl FnOnce(&mut Registers) -> T) -> T {
        look(&mut self.0.lock().unwrap())
    }

    fn steps(&self, output: usize) -> u16 {
        self.with(|chip| {
            let at = 0x06 + 4 * output;
            assert_eq!(chip.bytes[at..at + 2], [0, 0], "on at 0");
            u16::from_le_bytes([chip.bytes[at + 2], chip.bytes[at + 3]])
        })
    }
}

impl ErrorType for Bus {
    type Error = ErrorKind;
}

impl I2c for Bus {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        assert_eq!(address, 0x40);
        let mut chip = self.0.lock().unwrap();
        chip.asked += 1;
        if chip.deaf > 0 {
            chip.deaf -= 1;
            return Err(ErrorKind::Other);
        }
        let mut register = 0_u8;
        for operation in operations {
            match operation {
                Operation::Write(bytes) => {
                    register = bytes[0];
                    for value in &bytes[1..] {
                        // The prescaler listens only while the chip is asleep.
                        if register != 0xfe || chip.bytes[0] & SLEEP != 0 {
                            chip.bytes[usize::from(register)] = *value;
                        }
                        chip.writes.push((register, *value));
                        register += u8::from(chip.bytes[0] & AUTO_INCREMENT != 0);
                    }
                }
                Operation::Read(bytes) => {
                    for byte in bytes.iter_mut() {
                        *byte = chip.bytes[usize::from(register)];
                        register += u8::from(chip.bytes[0] & AUTO_INCREMENT != 0);
                    }
                }
            }
        }
        Ok(())
    }
}

fn neutral() -> Pulses {
    Calibration::factory().neutral()
}

fn place() -> Pca9685Place {
    Settings::default().pca9685
}

fn open(bus: &Bus) -> Result<(Output<Bus>, Output<Bus>), HalError> {
    pca9685::outputs(bus.clone(), Path::new("/dev/i2c-1"), &place(), neutral())
}

/// `ceil(ns * 4096 / period)`.
fn steps(ns: u64, period: u64) -> u16 {
    u16::try_from((ns * 4096).div_ceil(period)).unwrap()
}

#[test]
fn a_sleeping_chip_has_neutral_and_50_hz_before_it_wakes() {
    let bus = Bus::fresh();
    let (steering, throttle) = open(&bus).unwrap();
    bus.with(|chip| {
        let awake =
            chip.writes.iter().position(|(register, value)| *register == 0 && value & SLEEP == 0).unwrap();
        let last = |first: u8| {
            chip.writes.iter().rposition(|(register, _)| (first..first + 4).contains(register)).unwrap()
        };
        let rate = chip.writes.iter().position(|write| *write == (0xfe, 121)).unwrap();
        assert!(last(0x06) < last(0x0a) && last(0x0a) < rate && rate < awake, "{:?}", chip.writes);
        assert_eq!((chip.bytes[0xfe], chip.bytes[0] & SLEEP), (121, 0));
    });
    // Throttle is output 0, steering 1; both are pulses, no longer full-off.
    assert_eq!((bus.steps(0), bus.steps(1)), (297, 297));
    assert_eq!((bus.steps(0), bus.steps(1)), (steps(1_446_000, 20_000_000), steps(1_450_000, 20_000_000)));
    assert!(
        steering.describe().contains("/dev/i2c-1 PCA9685 0x40 output 1 at 50 Hz"),
        "{}",
        steering.describe()
    );
    // Nobody else's output was touched.
    assert!((2..16).all(|output| bus.steps(output) == 0x1000));
    drop(throttle);
}

#[test]
fn a_running_chip_is_never_put_to_sleep_whatever_its_rate() {
    for (prescale, period) in [(121, 20_000_000), (100, 40 * 4096 * 101), (105, 40 * 4096 * 106)] {
        let bus = Bus::running(prescale, 250);
        let (mut steering, mut throttle) = open(&bus).unwrap();
        throttle.set_pulse(Pulse::clamped(1_311_000)).unwrap();
        steering.reassert(Pulse::clamped(1_700_000)).unwrap();
        bus.with(|chip| {
            assert!(
                chip.writes.iter().all(|(register, value)| *register != 0 || value & SLEEP == 0),
                "{:?}",
                chip.writes
            );
            assert!(chip.writes.iter().all(|(register, _)| *register != 0xfe), "{:?}", chip.writes);
        });
        assert_eq!(
            (bus.steps(0), bus.steps(1)),
            (steps(1_311_000, period), steps(1_700_000, period)),
            "{prescale}"
        );
        assert_eq!(throttle.counts(Pulse::clamped(1_311_000)), steps(1_311_000, period));
    }
}

#[test]
fn a_chip_at_a_rate_for_lamps_is_refused_untouched() {
    for (prescale, hz) in [(30, 196), (5, 1017), (255, 23)] {
        let bus = Bus::running(prescale, 250);
        let error = open(&bus).unwrap_err();
        assert!(matches!(error, HalError::Rate { saw_hz, .. } if saw_hz == hz), "{error}");
        assert!(error.to_string().contains("switch its power off and on"), "{error}");
        bus.with(|chip| assert!(chip.writes.is_empty(), "{:?}", chip.writes));
    }
}

#[test]
fn a_deaf_bus_is_tried_three_times_and_named() {
    let bus = Bus::fresh();
    let (mut steering, _throttle) = open(&bus).unwrap();
    let tries = |deaf: u32, steering: &mut Output<Bus>| {
        bus.with(|chip| (chip.deaf, chip.asked) = (deaf, 0));
        let answer = steering.set_pulse(Pulse::clamped(1_600_000));
        (bus.with(|chip| chip.asked), answer)
    };
    assert!(matches!(tries(2, &mut steering), (3, Ok(()))));
    let (asked, answer) = tries(9, &mut steering);
    let error = answer.unwrap_err();
    assert_eq!(asked, 3);
    assert!(matches!(&error, HalError::Chip { address: 0x40, doing: "writing a pulse", .. }), "{error}");
    bus.with(|chip| chip.deaf = 0);
    steering.set_pulse(Pulse::clamped(1_600_000)).unwrap();
    let silent = Bus::fresh();
    silent.with(|chip| chip.deaf = 1);
    assert!(matches!(open(&silent), Err(HalError::Chip { doing: "reading a register", .. })));
    let nowhere = Pca9685Place { steering: 16, ..place() };
    let wrong = pca9685::outputs(Bus::fresh(), Path::new("/dev/i2c-1"), &nowhere, neutral()).unwrap_err();
    assert!(wrong.to_string().contains("no output 16, wanted 0 to 15"), "{wrong}");
    let same = Pca9685Place { steering: 0, ..place() };
    assert!(pca9685::outputs(Bus::fresh(), Path::new("/dev/i2c-1"), &same, neutral()).is_err());
    assert!(pca9685::open(Path::new("/nowhere/i2c-1"), &place(), neutral()).is_err());
}

#[test]
fn the_pins_see_when_somebody_else_wrote() {
    let bus = Bus::fresh();
    let (steering, throttle) = open(&bus).unwrap();
    let mut pins = CarPins::new(Box::new(steering), Box::new(throttle));
    let full = Pulses { steering: Pulse::clamped(1_700_000), throttle: Pulse::clamped(1_311_000) };
    assert!(pins.write(full, false).unwrap().throttle);
    assert!(!pins.moved().unwrap());
    bus.with(|chip| chip.writes.clear());
    // 1 µs further is the same step.
    let near = Pulses { throttle: Pulse::clamped(1_310_500), ..full };
    assert!(!pins.write(near, false).unwrap().throttle && bus.with(|chip| chip.writes.is_empty()));
    for (register, value) in [(0x08, 1), (0x09, 0x10), (0x07, 0x10), (0x0c, 0)] {
        bus.with(|chip| chip.bytes[register] = value);
        assert!(pins.moved().unwrap(), "{register:#x}");
        pins.write(full, true).unwrap();
        assert!(!pins.moved().unwrap(), "{register:#x}");
    }
    pins.neutral(neutral()).unwrap();
    assert_eq!((bus.steps(0), bus.steps(1)), (297, 297));
}

#[test]
fn duty_cycles_are_the_chips_steps_and_stay_pulses() {
    let bus = Bus::fresh();
    let (_steering, mut throttle) = open(&bus).unwrap();
    assert_eq!(throttle.max_duty_cycle(), 4096);
    for duty in 205..=409 {
        throttle.set_duty_cycle(duty).unwrap();
        assert_eq!(bus.steps(0), duty);
    }
    throttle.set_duty_cycle(0).unwrap();
    assert_eq!(bus.steps(0), 205);
    throttle.set_duty_cycle_fully_on().unwrap();
    assert_eq!(bus.steps(0), 410);
}
