//! `hairpin doctor` on five machines, each a tree of files: what it finds is committed as text, and
//! `HAIRPIN_BLESS=1` writes that anew. And that looking leaves no trace.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use hairpin::hal::Settings;
use hairpin::hal::probe::{CalibrationFact, Finding, Given, ModelFact, Verdict, examine};
use hairpin::report::Report;
use hairpin::report::diagnosis::Diagnosis;
use hairpin::vehicle::{Calibration, Points};
use rustix::fs::{FlockOperation, flock, major, minor};
use tempfile::TempDir;

/// Where the DeepRacer's chip hangs, as the kernel names it.
const CHIP: &str = "sys/devices/pci0000:00/0000:00:17.0/i2c_designware.0/i2c-0/i2c-INT3492:00/pwm/pwmchip0";
const STOCK: &str = "opt/aws/deepracer/calibration.json";
/// 24 November 2026.
const NOW: u64 = 1_795_500_000;

/// A machine.
struct Tree(TempDir);

impl Tree {
    fn new(kernel: &str) -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        tree.file("proc/sys/kernel/osrelease", &format!("{kernel}\n"));
        tree
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn file(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn link(&self, path: &str, target: impl AsRef<Path>) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        symlink(target, path).unwrap();
    }

    /// What the kernel grants this process.
    fn limits(&self, capabilities: &str, realtime: &str, locked: &str) {
        self.file("proc/self/status", &format!("Name:\thairpin\nCapPrm:\t0\nCapEff:\t{capabilities}\n"));
        let text = format!(
            "Limit                     Soft Limit           Hard Limit           Units     \n\
             Max locked memory         {locked:<20} unlimited            bytes     \n\
             Max realtime priority     {realtime:<20} 0                              \n"
        );
        self.file("proc/self/limits", &text);
    }

    /// A program that runs, and its open files.
    fn program(&self, pid: u32, name: &str, line: &[&str], open: &[&str]) {
        self.file(&format!("proc/{pid}/comm"), &format!("{name}\n"));
        self.file(&format!("proc/{pid}/cmdline"), &format!("{}\0", line.join("\0")));
        fs::create_dir_all(self.at(&format!("proc/{pid}/fd"))).unwrap();
        for (number, target) in open.iter().enumerate() {
            self.link(&format!("proc/{pid}/fd/{number}"), target);
        }
    }

    fn channel(&self, number: u32, duty: &str) {
        for (file, text) in [("duty_cycle", duty), ("period", "20000000"), ("enable", "1")] {
            self.file(&format!("{CHIP}/pwm{number}/{file}"), text);
        }
    }

    /// A DeepRacer's buses: the chip with all its channels, the gauge, and the GPIO community with the gate's line.
    fn deepracer(&self, base: u32, throttle: &str, steering: &str) {
        self.file(&format!("{CHIP}/export"), "");
        self.link("sys/class/pwm/pwmchip0", self.at(CHIP));
        for (number, duty) in [(0, throttle), (1, steering), (2, "0"), (3, "0"), (4, "0")] {
            self.channel(number, duty);
        }
        let gauge = "sys/devices/pci0000:00/0000:00:17.3/i2c_designware.3/i2c-7/i2c-dev/i2c-7";
        self.file(&format!("{gauge}/name"), "Synopsys DesignWare I2C adapter");
        self.link("sys/class/i2c-dev/i2c-7", self.at(gauge));
        self.file("dev/i2c-7", "");
        self.file("sys/class/gpio/export", "");
        self.file(&format!("sys/class/gpio/gpiochip{base}/base"), &base.to_string());
        self.file(&format!("sys/class/gpio/gpiochip{base}/ngpio"), "78");
    }

    fn gpio(&self, number: u32, value: &str) {
        self.file(&format!("sys/class/gpio/gpio{number}/direction"), "out\n");
        self.file(&format!("sys/class/gpio/gpio{number}/value"), &format!("{value}\n"));
    }

    /// A camera with its two nodes: pictures, and metadata.
    fn camera(&self, first: u32, usb: (&str, &str), socket: &str) {
        let device = format!("sys/devices/pci0000:00/0000:00:15.0/usb1/{socket}");
        self.file(&format!("{device}/idVendor"), usb.0);
        self.file(&format!("{device}/idProduct"), usb.1);
        self.link(&format!("sys/bus/usb/devices/{socket}"), self.at(&device));
        for (node, index) in [(first, "0"), (first + 1, "1")] {
            let name = format!("video{node}");
            let place = format!("{device}/{socket}:1.0/video4linux/{name}");
            self.file(&format!("{place}/index"), index);
            self.link(&format!("{place}/device"), self.at(&format!("{device}/{socket}:1.0")));
            self.link(&format!("sys/class/video4linux/{name}"), self.at(&place));
            self.file(&format!("dev/{name}"), "");
        }
    }

    fn settings(&self) -> Settings {
        Settings { root: self.0.path().to_path_buf(), ..Settings::default() }
    }

    /// Paths as they would be on the machine itself.
    fn here(&self, text: &str) -> String {
        text.replace(&self.0.path().display().to_string(), "")
    }
}

fn measured() -> CalibrationFact {
    let servo = Points { min: 1_180_000, mid: 1_462_000, max: 1_720_000, polarity: 1 };
    let calibration = Calibration { servo, ..Calibration::factory() };
    CalibrationFact::Read { from: format!("/{STOCK}"), calibration }
}

fn given(calibration: CalibrationFact) -> Given<'static> {
    Given { calibration, model: None, tapes: Path::new("tapes"), room: Some(11 << 30), unix_seconds: NOW }
}

fn laptop() -> (Tree, Given<'static>) {
    let tree = Tree::new("6.8.0-45-generic");
    tree.limits("0000000000000000", "0", "8388608");
    tree.file("sys/class/dmi/id/product_name", "ThinkPad X1 Carbon\n");
    tree.camera(0, ("0bda", "5675"), "1-6");
    let missing = CalibrationFact::Missing { file: format!("/{STOCK}") };
    (tree, given(missing))
}

/// As the stock software leaves it: everything runs, the gate is open.
fn deepracer_2004() -> (Tree, Given<'static>) {
    let tree = Tree::new("4.15.0-1005-deeplens");
    tree.limits("0000003fffffffff", "0", "65536");
    tree.deepracer(434, "1446000", "1450000");
    tree.gpio(436, "0");
    tree.camera(2, ("29fe", "4d53"), "1-2");
    for unit in ["lib/systemd/system", "etc/systemd/system/multi-user.target.wants"] {
        tree.file(&format!("{unit}/deepracer-core.service"), "[Unit]\n");
    }
    let wanted = "etc/systemd/system/multi-user.target.wants/deepracer-core.service";
    fs::remove_file(tree.at(wanted)).unwrap();
    tree.link(wanted, "/lib/systemd/system/deepracer-core.service");
    let node = |package: &str, name: &str| format!("/opt/aws/deepracer/lib/{package}/lib/{package}/{name}");
    tree.program(
        701,
        "ros2",
        &["/usr/bin/python3", "/opt/ros/foxy/bin/ros2", "launch", "deepracer_launcher"],
        &[],
    );
    tree.program(
        733,
        "camera_node",
        &[&node("camera_pkg", "camera_node"), "--ros-args"],
        &["/dev/null", "/dev/video2"],
    );
    tree.program(741, "servo_node", &[&node("servo_pkg", "servo_node"), "--ros-args"], &["/dev/null"]);
    tree.program(1204, "nano", &["nano", "/opt/aws/deepracer/calibration.json"], &[]);
    let same = CalibrationFact::Read { from: format!("/{STOCK}"), calibration: Calibration::factory() };
    (tree, given(same))
}

/// Ready: the stock software is disabled, the gate shut, two cameras, a calibration of its own and a model.
fn deepracer_2404() -> (Tree, Given<'static>) {
    let tree = Tree::new("6.8.0-1015-deepracer");
    tree.limits("000001ffffffffff", "0", "8388608");
    tree.deepracer(512, "1446000", "1462000");
    tree.gpio(514, "1");
    tree.camera(0, ("29fe", "4d53"), "1-2");
    tree.camera(2, ("29fe", "4d53"), "1-3");
    tree.file("usr/lib/systemd/system/deepracer-core.service", "[Unit]\n");
    tree.program(512, "sshd", &["/usr/sbin/sshd", "-D"], &["/dev/null"]);
    let model = ModelFact {
        folder: "models/reinvent".to_owned(),
        loaded: Ok("reinvent: clipped_ppo, 5 actions".to_owned()),
    };
    (tree, Given { model: Some(model), ..given(measured()) })
}

/// An ordinary user on a car with a PCA9685, who was given what the guardian asks for.
fn raspberry_pi() -> (Tree, Given<'static>) {
    let tree = Tree::new("6.8.0-1013-raspi");
    tree.limits("0000000000000000", "99", "unlimited");
    tree.file("proc/device-tree/model", "Raspberry Pi 5 Model B Rev 1.0\0");
    tree.file("dev/i2c-1", "");
    tree.camera(0, ("046d", "0825"), "3-1");
    (tree, given(measured()))
}

/// All at once: a driver not whole, a pulse that drives, power on, another hairpin, no firmware, no calibration that
/// counts, no clock, no room.
fn broken_car() -> (Tree, Given<'static>) {
    let tree = Tree::new("4.15.0-1005-deeplens");
    tree.limits("0000000000000000", "0", "65536");
    tree.deepracer(434, "1311000", "2400000");
    tree.gpio(436, "0");
    fs::remove_file(tree.at(&format!("{CHIP}/pwm1/period"))).unwrap();
    fs::remove_file(tree.at("sys/class/gpio/export")).unwrap();
    fs::remove_file(tree.at("dev/i2c-7")).unwrap();
    tree.file("sys/bus/usb/devices/1-2/idVendor", "29fe\n");
    tree.file("sys/bus/usb/devices/1-2/idProduct", "b00c\n");
    tree.link("etc/systemd/system/multi-user.target.wants/deepracer-core.service", "/nowhere");
    tree.program(
        4242,
        "hairpin",
        &["/usr/bin/hairpin", "run"],
        &["/sys/devices/x/pwm/pwmchip0/pwm0/duty_cycle"],
    );
    tree.program(77, "sh", &["sh", "-c", "cat"], &["/sys/devices/x/pwm/pwmchip0/pwm0/duty_cycle"]);
    let facts = fs::metadata(tree.at(CHIP)).unwrap();
    let (dev, ino) = (facts.dev(), facts.ino());
    let locks = format!(
        "1: POSIX  ADVISORY  WRITE 11 00:19:1 0 EOF\n2: FLOCK  ADVISORY  WRITE 4242 {:02x}:{:02x}:{ino} 0 EOF\n",
        major(dev),
        minor(dev)
    );
    tree.file("proc/locks", &locks);
    let why =
        format!("/{STOCK}: Calibration.Motor: min 1600000, mid 1446000, max 1603500 ns are not in order");
    let model = ModelFact {
        folder: "models/old".to_owned(),
        loaded: Err("models/old is no model folder".to_owned()),
    };
    let given = Given {
        model: Some(model),
        room: Some(96 << 20),
        unix_seconds: 7,
        ..given(CalibrationFact::Refused { why })
    };
    (tree, given)
}

fn golden(name: &str, (tree, given): &(Tree, Given<'_>)) -> Vec<Finding> {
    let before = snapshot(tree.0.path());
    let findings = examine(&tree.settings(), given);
    assert_eq!(before, snapshot(tree.0.path()), "{name}: looking left a trace");
    let text = tree.here(&Diagnosis(findings.clone()).text()) + "\n";
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/goldens/doctor/{name}.txt"));
    if std::env::var_os("HAIRPIN_BLESS").is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, &text).unwrap();
    }
    let committed = fs::read_to_string(&file).unwrap_or_default();
    assert_eq!(text, committed, "{name}: not as committed; HAIRPIN_BLESS=1 writes it anew");
    findings
}

/// Every file with its text, its links and when it was last written.
fn snapshot(root: &Path) -> BTreeMap<PathBuf, (String, i64, i64)> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let facts = fs::symlink_metadata(&path).unwrap();
            let text = if facts.is_symlink() {
                fs::read_link(&path).unwrap().display().to_string()
            } else if facts.is_dir() {
                folders.push(path.clone());
                String::new()
            } else {
                fs::read_to_string(&path).unwrap()
            };
            found.insert(path, (text, facts.mtime(), facts.mtime_nsec()));
        }
    }
    found
}

fn of<'a>(findings: &'a [Finding], check: &str) -> &'a Finding {
    findings.iter().find(|finding| finding.check == check).unwrap_or_else(|| panic!("no finding of {check}"))
}

fn wrong(findings: &[Finding]) -> Vec<&'static str> {
    findings.iter().filter(|one| one.verdict == Verdict::Wrong).map(|one| one.check).collect()
}

#[test]
fn a_laptop_has_no_pins_to_judge() {
    let findings = golden("laptop", &laptop());
    assert_eq!(wrong(&findings), ["board", "calibration"]);
    assert!(
        findings.iter().all(|one| !["pins", "pulses", "power gate", "battery", "lamps"].contains(&one.check))
    );
}

#[test]
fn on_the_stock_car_the_stock_software_stands_in_the_way() {
    let findings = golden("deepracer-2004", &deepracer_2004());
    assert_eq!(wrong(&findings), ["stock stack", "camera in use"]);
    assert_eq!(of(&findings, "power gate").verdict, Verdict::Note);
}

#[test]
fn a_car_that_is_ready_has_nothing_in_its_way() {
    let findings = golden("deepracer-2404", &deepracer_2404());
    assert!(findings.iter().all(|one| one.verdict == Verdict::Good), "{findings:#?}");
    assert!(findings.iter().all(|one| one.wanted.is_empty() && one.remedy.is_empty()));
}

#[test]
fn a_raspberry_pi_drives_with_notes() {
    let findings = golden("raspberry-pi", &raspberry_pi());
    assert_eq!(wrong(&findings), [""; 0]);
}

#[test]
fn everything_that_is_broken_is_named_with_its_remedy() {
    let machine = broken_car();
    let chip = File::open(machine.0.at(CHIP)).unwrap();
    flock(&chip, FlockOperation::NonBlockingLockExclusive).unwrap();
    let findings = golden("broken-car", &machine);
    assert_eq!(wrong(&findings), ["pins", "pulses", "pins in use", "calibration", "camera", "model"]);
    for one in findings.iter().filter(|one| one.verdict != Verdict::Good) {
        assert!(!one.saw.is_empty() && !one.wanted.is_empty() && !one.remedy.is_empty(), "{one:?}");
    }
}

#[test]
fn the_lock_is_free_again_after_the_look() {
    let (tree, given) = deepracer_2404();
    let findings = examine(&tree.settings(), &given);
    assert_eq!(of(&findings, "pins in use").verdict, Verdict::Good);
    let chip = File::open(tree.at(CHIP)).unwrap();
    flock(&chip, FlockOperation::NonBlockingLockExclusive).unwrap();
    let findings = examine(&tree.settings(), &given);
    assert_eq!(of(&findings, "pins in use").verdict, Verdict::Wrong);
}

#[test]
fn a_chip_that_is_gone_from_a_deepracer_is_a_battery_that_is_off() {
    let (tree, given) = deepracer_2404();
    fs::remove_file(tree.at("sys/class/pwm/pwmchip0")).unwrap();
    tree.file(STOCK, "{}");
    let findings = examine(&tree.settings(), &given);
    let board = of(&findings, "board");
    assert!(board.verdict == Verdict::Wrong && board.remedy.contains("drive battery"), "{board:?}");
}

#[test]
fn a_bus_of_a_pc_is_not_taken_for_a_car_without_a_word() {
    let (tree, given) = laptop();
    tree.file("dev/i2c-1", "");
    tree.file("sys/class/i2c-dev/i2c-1/name", "i915 gmbus dpc\n");
    let findings = examine(&tree.settings(), &given);
    let board = of(&findings, "board");
    assert!(board.verdict == Verdict::Note && board.saw.contains("i915 gmbus dpc"), "{board:?}");
}

#[test]
fn a_kernel_driver_on_the_pca9685_is_in_the_way() {
    let (tree, given) = raspberry_pi();
    tree.file("sys/bus/i2c/devices/1-0040/driver/bind", "");
    let findings = examine(&tree.settings(), &given);
    let pins = of(&findings, "pins");
    assert!(pins.verdict == Verdict::Wrong && pins.saw.contains("1-0040"), "{pins:?}");
}

#[test]
fn the_gate_is_looked_for_where_the_settings_say() {
    let (tree, given) = deepracer_2404();
    let gate = |name: &str| {
        let settings = Settings { gate: name.to_owned(), ..tree.settings() };
        let finding = of(&examine(&settings, &given), "power gate").clone();
        (finding.verdict, finding.saw)
    };
    assert_eq!(gate("none").0, Verdict::Good);
    assert_eq!(gate("gpio:514").0, Verdict::Good);
    assert_eq!(gate("gpio:7"), (Verdict::Good, "gpio7, not exported yet".to_owned()));
    assert_eq!(gate("pin 7").0, Verdict::Wrong);
    let (verdict, saw) = gate("/dev/gpiochip0:2");
    assert!(verdict == Verdict::Wrong && saw.ends_with("/dev/gpiochip0 does not exist"), "{saw}");
    tree.file("dev/gpiochip0", "");
    assert_eq!(gate("/dev/gpiochip0:2").0, Verdict::Good);
}

#[test]
fn without_a_listed_chip_the_gate_is_a_guess_and_is_called_one() {
    let (tree, given) = deepracer_2404();
    fs::remove_dir_all(tree.at("sys/class/gpio/gpiochip512")).unwrap();
    let gate = of(&examine(&tree.settings(), &given), "power gate").clone();
    assert!(
        gate.verdict == Verdict::Note && gate.saw.starts_with("gpio514 by the kernel's version"),
        "{gate:?}"
    );
    tree.file("sys/class/gpio/gpiochip512/base", "512");
    tree.file("sys/class/gpio/gpiochip512/ngpio", "54");
    assert_eq!(of(&examine(&tree.settings(), &given), "power gate").verdict, Verdict::Wrong);
}

#[test]
fn what_this_user_may_not_write_is_refused_with_the_rule() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root may write everything");
        return;
    }
    let (tree, given) = deepracer_2404();
    let duty = tree.at(&format!("{CHIP}/pwm0/duty_cycle"));
    fs::set_permissions(&duty, fs::Permissions::from_mode(0o444)).unwrap();
    let pins = of(&examine(&tree.settings(), &given), "pins").clone();
    assert_eq!(pins.verdict, Verdict::Wrong);
    assert!(pins.saw.ends_with("pwm0/duty_cycle refuses this user"), "{}", pins.saw);
    assert!(pins.remedy.contains("60-hairpin.rules"), "{}", pins.remedy);
}

#[test]
fn the_findings_are_there_for_programs_too() {
    let (tree, given) = raspberry_pi();
    let findings = examine(&tree.settings(), &given);
    let json = Diagnosis(findings.clone()).json();
    assert_eq!(json["wrong"], 0);
    let all = json["findings"].as_array().unwrap();
    assert_eq!(all.len(), findings.len());
    assert_eq!(all[0]["check"], "board");
    assert_eq!(all[0]["verdict"], "good");
    let notes = all.iter().filter(|one| one["verdict"] == "note").count();
    assert_eq!(json["notes"], notes);
}
