//! The car's edge against a tree of files and a bus that answers.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal::pwm::SetDutyCycle;
use hairpin::hal::{HalError, battery, camera, pwm};
use hairpin::units::Pulse;
use hairpin::vehicle::Calibration;

/// A car's `/sys`: two PWM chips of which one hangs on the DeepRacer's bus.
fn board(root: &Path) -> (PathBuf, PathBuf) {
    let class = root.join("class/pwm");
    fs::create_dir_all(&class).unwrap();
    for (name, device) in [("pwmchip0", "0000:00:19.0"), ("pwmchip1", "0000:00:17.0")] {
        let chip = root.join("devices").join(device).join(name);
        fs::create_dir_all(chip.join("pwm0")).unwrap();
        for file in ["period", "duty_cycle", "enable"] {
            fs::write(chip.join("pwm0").join(file), "0").unwrap();
        }
        symlink(&chip, class.join(name)).unwrap();
    }
    let chip = root.join("devices/0000:00:17.0/pwmchip1");
    (class, chip)
}

#[test]
fn the_chip_is_found_by_its_device_and_neutral_is_written_first() {
    let root = tempfile::tempdir().unwrap();
    let (class, chip) = board(root.path());
    let found = pwm::find_chip(&class, pwm::DEEPRACER_DEVICE).unwrap();
    assert_eq!(fs::canonicalize(&found).unwrap(), fs::canonicalize(&chip).unwrap());
    let neutral = Calibration::factory().neutral().throttle;
    let mut esc = pwm::SysfsPwm::open(&found, 0, neutral).unwrap();
    let read = |file: &str| fs::read_to_string(chip.join("pwm0").join(file)).unwrap();
    assert_eq!(
        (read("period"), read("duty_cycle"), read("enable")),
        ("20000000".into(), "1446000".into(), "1".into())
    );
    esc.set_duty_cycle(2622).unwrap();
    assert_eq!(read("duty_cycle"), "1311000");
    // Somebody else moved the pin: the same pulse is written all the same.
    fs::write(chip.join("pwm0/duty_cycle"), "1700000").unwrap();
    esc.set_duty_cycle(2622).unwrap();
    assert_eq!(read("duty_cycle"), "1311000");
}

#[test]
fn the_factory_constants_are_whole_steps() {
    for (ns, steps) in [
        (1_200_000, 2400),
        (1_450_000, 2900),
        (1_700_000, 3400),
        (1_311_000, 2622),
        (1_446_000, 2892),
        (1_603_500, 3207),
    ] {
        assert_eq!(pwm::duty(Pulse::clamped(ns)), steps);
        assert_eq!(i64::from(steps) * 500, ns);
    }
}

#[test]
fn a_board_without_its_chip_is_refused_by_name() {
    let root = tempfile::tempdir().unwrap();
    let (class, chip) = board(root.path());
    let error = pwm::find_chip(&class, "0000:00:99.9").unwrap_err().to_string();
    assert!(error.contains("no PWM chip of 0000:00:99.9") && error.contains("pwmchip1"), "{error}");
    let gone = pwm::SysfsPwm::open(&chip, 7, Pulse::MIN).unwrap_err();
    assert!(matches!(gone, HalError::Write { .. }), "{gone}");
}

struct Gauge(Result<u8, ()>);

impl ErrorType for Gauge {
    type Error = ErrorKind;
}

impl I2c for Gauge {
    fn transaction(&mut self, address: u8, operations: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        assert_eq!(address, 0x3f);
        for operation in operations {
            match operation {
                Operation::Write(bytes) => assert_eq!(*bytes, [0x03]),
                Operation::Read(bytes) => bytes[0] = self.0.map_err(|()| ErrorKind::Other)?,
            }
        }
        Ok(())
    }
}

#[test]
fn the_gauge_speaks_in_levels() {
    for (reading, level) in
        [(0xff, Some(11)), (0xec, Some(11)), (0xeb, Some(10)), (0xb4, Some(1)), (0x8b, None)]
    {
        assert_eq!(battery::read(&mut Gauge(Ok(reading))), level, "{reading:#x}");
    }
    assert_eq!(battery::read(&mut Gauge(Err(()))), None);
}

#[test]
fn cameras_are_found_by_where_they_are_plugged_in() {
    let root = tempfile::tempdir().unwrap();
    let class = root.path().join("class/video4linux");
    fs::create_dir_all(&class).unwrap();
    // Numbered against their sockets, as the car may do after a reboot.
    for (name, socket, index) in [("video0", "1-3", "0"), ("video1", "1-3", "1"), ("video2", "1-2", "0")] {
        let usb = root.path().join("devices").join(socket);
        let interface = usb.join(format!("{socket}:1.0"));
        fs::create_dir_all(&interface).unwrap();
        fs::write(usb.join("idVendor"), "29fe\n").unwrap();
        fs::write(usb.join("idProduct"), "4D53\n").unwrap();
        let node = class.join(name);
        fs::create_dir_all(&node).unwrap();
        fs::write(node.join("index"), index).unwrap();
        symlink(&interface, node.join("device")).unwrap();
    }
    let found = camera::find(&class);
    let names: Vec<&str> = found.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["video2", "video0"]);
    let (vendor, product) = camera::DEEPRACER_CAMERA;
    assert!(found.iter().all(|node| node.usb == (vendor.to_owned(), product.to_owned())));
    assert!(camera::find(&root.path().join("nowhere")).is_empty());
}
