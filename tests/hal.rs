//! The car's edge against trees of files that stand for kernels, and against buses that answer.
#![cfg(feature = "car")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    reason = "a test may stop at the first surprise"
)]

use std::fs;
use std::io;
use std::mem::MaybeUninit;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use embedded_hal::i2c::{ErrorKind, ErrorType, I2c, Operation};
use embedded_hal::pwm::SetDutyCycle;
use hairpin::domain::Pulses;
use hairpin::hal::{
    Board, BoardChoice, CarPins, Carrier, Colour, Gate, Gauge, HalError, InstanceLock, Lamps, PulseOut,
    Settings, Switched, Wrote, battery, camera, channel, memory, priority, pwm,
};
use hairpin::units::{Instant, Pulse, Span};
use hairpin::vehicle::Calibration;
use rustix::fs::inotify;

/// A car as a tree of files. The channels of the pins, the gate and the lamps are exported.
struct Car {
    root: tempfile::TempDir,
    settings: Settings,
    gate: u32,
}

/// What differs from kernel to kernel (car.md §1.6, §1.7).
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kernel {
    /// 20.04's: `enable` cannot be written, numbers from the top.
    K4_15,
    /// `enable` is there, numbers from the top.
    K5,
    /// 24.04's: numbers from 512.
    K6,
}

impl Car {
    fn new(kernel: Kernel) -> Self {
        let root = tempfile::tempdir().unwrap();
        let settings = Settings { root: root.path().to_path_buf(), ..Settings::default() };
        let base = if kernel == Kernel::K6 { 512 } else { 434 };
        let car = Self { root, settings, gate: base + 2 };
        for (name, device) in [("pwmchip0", "0000:00:19.0"), ("pwmchip1", "0000:00:17.0")] {
            let chip = car.at(&format!("sys/devices/pci0000:00/{device}/{name}"));
            for channel in 0..5 {
                car.file(&chip.join(format!("pwm{channel}/period")), "0");
                car.file(&chip.join(format!("pwm{channel}/duty_cycle")), "0");
                // A folder where a file should be cannot be written, whoever asks.
                let enable = chip.join(format!("pwm{channel}/enable"));
                if kernel == Kernel::K4_15 { fs::create_dir(enable).unwrap() } else { car.file(&enable, "0") }
            }
            fs::create_dir_all(car.at("sys/class/pwm")).unwrap();
            symlink(&chip, car.at("sys/class/pwm").join(name)).unwrap();
        }
        for (base, lines) in [(base, 78), (base + 78, 77), (100, 47)] {
            let chip = car.at(&format!("sys/class/gpio/gpiochip{base}"));
            car.file(&chip.join("base"), &format!("{base}\n"));
            car.file(&chip.join("ngpio"), &format!("{lines}\n"));
        }
        for number in [car.gate, base + 16, base + 23, base + 24] {
            car.file(&car.gpio(number, "direction"), "in");
            // As the stock software leaves the gate: power on.
            car.file(&car.gpio(number, "value"), "0");
        }
        car
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().join(path)
    }

    fn file(&self, path: &Path, text: &str) {
        assert!(path.starts_with(self.root.path()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn gpio(&self, number: u32, file: &str) -> PathBuf {
        self.at(&format!("sys/class/gpio/gpio{number}/{file}"))
    }

    fn channel(&self, number: u32) -> PathBuf {
        self.at(&format!("sys/class/pwm/pwmchip1/pwm{number}"))
    }

    fn read(&self, channel: u32, file: &str) -> String {
        text(&self.channel(channel).join(file))
    }

    /// Throttle and steering duty.
    fn duties(&self) -> (String, String) {
        (self.read(0, "duty_cycle"), self.read(1, "duty_cycle"))
    }

    fn chip(&self) -> PathBuf {
        self.at("sys/class/pwm/pwmchip1")
    }

    fn carrier(&self) -> Carrier {
        Carrier::DeepRacer { chip: self.chip() }
    }
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap().trim().to_owned()
}

fn neutral() -> Pulses {
    Calibration::factory().neutral()
}

fn pulses(throttle: i64, steering: i64) -> Pulses {
    Pulses { throttle: Pulse::clamped(throttle), steering: Pulse::clamped(steering) }
}

fn owned(duties: (&str, &str)) -> (String, String) {
    (duties.0.to_owned(), duties.1.to_owned())
}

const NEUTRAL: (&str, &str) = ("1446000", "1450000");

/// The files of some folders that were written while `work` ran, in order, repetitions left out.
fn writes<T>(folders: &[(&str, PathBuf)], work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let events = inotify::init(inotify::CreateFlags::NONBLOCK).unwrap();
    let names: Vec<(i32, &str)> = folders
        .iter()
        .map(|(name, folder)| {
            (inotify::add_watch(&events, folder, inotify::WatchFlags::MODIFY).unwrap(), *name)
        })
        .collect();
    let answer = work();
    let mut buffer = [MaybeUninit::uninit(); 16_384];
    let mut reader = inotify::Reader::new(&events, &mut buffer);
    let mut seen: Vec<String> = Vec::new();
    while let Ok(event) = reader.next() {
        let (_, name) = names.iter().find(|(watch, _)| *watch == event.wd()).unwrap();
        let file = event.file_name().unwrap().to_str().unwrap();
        seen.push(format!("{name}/{file}"));
    }
    seen.dedup();
    (answer, seen)
}

#[test]
fn every_kernels_board_is_brought_to_neutral_with_the_gate_shut() {
    for kernel in [Kernel::K4_15, Kernel::K5, Kernel::K6] {
        let car = Car::new(kernel);
        let mut board = Board::open(&car.settings, neutral()).unwrap();
        assert_eq!(car.duties(), owned(NEUTRAL), "{kernel:?}");
        for channel in [0, 1] {
            assert_eq!(car.read(channel, "period"), "20000000", "{kernel:?}");
            if kernel != Kernel::K4_15 {
                assert_eq!(car.read(channel, "enable"), "1", "{kernel:?}");
            }
        }
        let gate = || (text(&car.gpio(car.gate, "direction")), text(&car.gpio(car.gate, "value")));
        assert_eq!(gate(), ("high".to_owned(), "1".to_owned()), "{kernel:?}");
        assert_eq!(board.gate.is_open(), Some(false));
        assert_eq!(board.gate.open().unwrap(), Switched::Done);
        assert_eq!((gate().1, board.gate.is_open()), ("0".to_owned(), Some(true)));
        assert_eq!(board.gate.shut().unwrap(), Switched::Done);
        assert_eq!(gate().1, "1");
        assert_eq!(board.pins.written(), Some(neutral()));
        assert_eq!(board.carrier, car.carrier());
        // The other chip is somebody else's.
        assert_eq!(text(&car.at("sys/class/pwm/pwmchip0/pwm0/duty_cycle")), "0");
        println!("{kernel:?}: {}", board.describe().join("; "));
    }
}

#[test]
fn writes_come_in_the_only_safe_order() {
    let car = Car::new(Kernel::K6);
    let folders = [("throttle", car.channel(0)), ("steering", car.channel(1)), ("gate", car.gpio(514, ""))];
    let (pins, order) = writes(&folders, || CarPins::open(&car.settings, neutral()));
    let opened = |name: &str| ["period", "duty_cycle", "enable"].map(|file| format!("{name}/{file}"));
    let mut wanted = [opened("throttle"), opened("steering")].concat();
    wanted.extend(["throttle/duty_cycle".to_owned(), "steering/duty_cycle".to_owned()]);
    assert_eq!(order, wanted);
    let mut pins = pins.unwrap();
    let (moved, order) = writes(&folders, || pins.write(pulses(1_400_000, 1_500_000), false));
    assert_eq!(moved.unwrap(), Wrote { throttle: true, steering: true });
    assert_eq!(order, ["throttle/duty_cycle", "steering/duty_cycle"]);
    let (stopped, order) = writes(&folders, || pins.neutral(neutral()));
    stopped.unwrap();
    assert_eq!(order, ["throttle/duty_cycle", "steering/duty_cycle"]);
    drop(pins);
    // The whole board: nothing of the gate is touched before both pins are neutral, and its direction comes first.
    let (board, order) = writes(&folders, || Board::open(&car.settings, neutral()));
    let first = |file: &str| order.iter().position(|seen| seen == file).unwrap();
    assert!(first("throttle/duty_cycle") < first("steering/duty_cycle"), "{order:?}");
    assert!(first("steering/duty_cycle") < first("gate/direction"), "{order:?}");
    assert!(first("gate/direction") < first("gate/value"), "{order:?}");
    // A chip that may have lost its power is programmed anew only when there is no power behind it.
    let periods: Vec<usize> = (0..order.len()).filter(|at| order[*at] == "throttle/period").collect();
    assert!(
        periods.len() == 3 && periods[0] < first("gate/direction") && first("gate/value") < periods[1],
        "{order:?}"
    );
    drop(board);
    // The way out is one kind of write per pin where everything is set up.
    let (_, order) = writes(&folders[..2], || Board::neutral_only(&car.settings, neutral(), || {}));
    assert_eq!(order, ["throttle/duty_cycle", "steering/duty_cycle"]);
}

#[test]
fn a_duty_above_the_new_period_is_replaced_before_the_period() {
    let car = Car::new(Kernel::K6);
    car.file(&car.channel(0).join("period"), "50000000");
    car.file(&car.channel(0).join("duty_cycle"), "30000000");
    let folder = [("throttle", car.channel(0))];
    let (pwm, order) = writes(&folder, || pwm::SysfsPwm::open(&car.chip(), 0, neutral().throttle));
    pwm.unwrap();
    assert_eq!(order[..2], ["throttle/duty_cycle", "throttle/period"], "{order:?}");
    assert_eq!(car.read(0, "duty_cycle"), "1446000");
    // A period that cannot be written finds the duty in its place already.
    car.file(&car.channel(1).join("duty_cycle"), "30000000");
    fs::remove_file(car.channel(1).join("period")).unwrap();
    fs::create_dir(car.channel(1).join("period")).unwrap();
    pwm::SysfsPwm::open(&car.chip(), 1, neutral().steering).unwrap_err();
    assert_eq!(car.read(1, "duty_cycle"), "1450000");
}

#[test]
fn duty_cycles_are_steps_and_a_pulse_is_written_again_whoever_moved_it() {
    let car = Car::new(Kernel::K6);
    let found = pwm::find_chip(&car.at("sys/class/pwm"), pwm::DEEPRACER_DEVICE).unwrap();
    assert_eq!(found, car.chip());
    let mut esc = pwm::SysfsPwm::open(&found, 0, neutral().throttle).unwrap();
    esc.set_duty_cycle(2622).unwrap();
    assert_eq!((car.read(0, "duty_cycle"), esc.max_duty_cycle()), ("1311000".to_owned(), 40_000));
    fs::write(car.channel(0).join("duty_cycle"), "1700000").unwrap();
    esc.set_duty_cycle(2622).unwrap();
    assert_eq!(car.read(0, "duty_cycle"), "1311000");
    // 100 % is no servo's pulse.
    esc.set_duty_cycle(40_000).unwrap();
    assert_eq!(car.read(0, "duty_cycle"), "2000000");
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
fn an_export_that_is_refused_matters_only_where_the_channel_is_missing() {
    let car = Car::new(Kernel::K6);
    fs::create_dir(car.chip().join("export")).unwrap();
    pwm::SysfsPwm::open(&car.chip(), 0, neutral().throttle).unwrap();
    let refused = pwm::SysfsPwm::open(&car.chip(), 7, Pulse::MIN).unwrap_err();
    assert!(
        matches!(&refused, HalError::Write { path, .. } if path.ends_with("pwmchip1/export")),
        "{refused}"
    );
}

#[test]
fn a_fresh_channel_is_waited_for_and_not_for_ever() {
    let car = Car::new(Kernel::K6);
    car.file(&car.chip().join("export"), "");
    let begun = std::time::Instant::now();
    let never = pwm::SysfsPwm::open(&car.chip(), 7, Pulse::MIN).unwrap_err();
    let waited = begun.elapsed();
    assert!(matches!(&never, HalError::Open { path, .. } if path.ends_with("pwm7/duty_cycle")), "{never}");
    assert!(waited > Duration::from_millis(450) && waited < Duration::from_secs(3), "{waited:?}");
    let folder = car.channel(8);
    let late = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(120));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("duty_cycle"), "0").unwrap();
        std::thread::sleep(Duration::from_millis(60));
        fs::write(folder.join("period"), "0").unwrap();
    });
    pwm::SysfsPwm::open(&car.chip(), 8, neutral().throttle).unwrap();
    late.join().unwrap();
    assert_eq!(text(&car.chip().join("export")), "8");
    assert_eq!((car.read(8, "period"), car.read(8, "duty_cycle")), ("20000000".into(), "1446000".into()));
}

#[test]
fn what_is_missing_is_named_with_its_remedy() {
    let car = Car::new(Kernel::K6);
    let other = Settings { pwm_device: "0000:00:99.9".to_owned(), ..car.settings.clone() };
    let chip =
        CarPins::open(&Settings { board: BoardChoice::DeepRacer, ..other.clone() }, neutral()).unwrap_err();
    let chip = chip.to_string();
    assert!(
        chip.contains("no PWM chip of 0000:00:99.9") && chip.contains("saw pwmchip0, pwmchip1"),
        "{chip}"
    );
    assert!(chip.contains("is the drive battery on?"), "{chip}");
    let board = Board::open(&other, neutral()).unwrap_err().to_string();
    assert!(board.contains("sys/class/pwm") && board.contains("dev/i2c-1"), "{board}");
    let pi = Settings { board: BoardChoice::Pca9685, ..other };
    let bus = Board::open(&pi, neutral()).unwrap_err();
    assert!(matches!(&bus, HalError::Bus { path, .. } if path.ends_with("dev/i2c-1")), "{bus}");
    // A file that cannot be written, whoever asks: a folder in its place.
    fs::remove_file(car.channel(1).join("duty_cycle")).unwrap();
    fs::create_dir(car.channel(1).join("duty_cycle")).unwrap();
    let error = Board::open(&car.settings, neutral()).unwrap_err();
    assert!(matches!(&error, HalError::Open { path, .. } if path.ends_with("pwm1/duty_cycle")), "{error}");
    // The power is off all the same: whoever drove before may have left it on.
    assert_eq!(text(&car.gpio(car.gate, "value")), "1");
}

#[test]
fn a_refusal_of_the_system_comes_with_what_to_do() {
    let said = |code: i32| {
        let source = io::Error::from_raw_os_error(code);
        HalError::Write { path: "/sys/x/duty_cycle".into(), value: "1446000".to_owned(), source }.to_string()
    };
    for (code, words) in [
        (13, "install deploy/60-hairpin.rules"),
        (30, "run as root"),
        (19, "is the drive battery on?"),
        (121, "the chip does not answer"),
        (5, "the chip does not answer"),
        (16, "something else holds it"),
        (22, "hairpin doctor"),
    ] {
        let text = said(code);
        assert!(text.contains(words) && text.contains("\"1446000\" to /sys/x/duty_cycle"), "{code}: {text}");
    }
}

/// An output that remembers what came, and fails as often as it is told.
#[derive(Clone, Debug)]
struct Pin(Arc<Mutex<Memory>>, char);

#[derive(Debug)]
struct Memory {
    seen: Vec<(char, u32)>,
    failures: usize,
    hang: Duration,
}

impl PulseOut for Pin {
    fn set_pulse(&mut self, pulse: Pulse) -> Result<(), HalError> {
        let mut memory = self.0.lock().unwrap();
        std::thread::sleep(memory.hang);
        memory.seen.push((self.1, pulse.ns()));
        if memory.failures > 0 {
            memory.failures -= 1;
            let source = io::Error::from_raw_os_error(5);
            return Err(HalError::Write { path: self.1.to_string().into(), value: String::new(), source });
        }
        Ok(())
    }

    fn reassert(&mut self, pulse: Pulse) -> Result<(), HalError> {
        self.set_pulse(pulse)
    }

    fn read_back(&mut self) -> Result<Option<u32>, HalError> {
        Ok(None)
    }

    fn describe(&self) -> String {
        self.1.to_string()
    }
}

impl Pin {
    /// Two outputs with one memory: `t` and `s`.
    fn pair(failures: usize) -> (CarPins, Self) {
        let memory = Memory { seen: Vec::new(), failures, hang: Duration::ZERO };
        let memory = Arc::new(Mutex::new(memory));
        let (throttle, steering) = (Self(Arc::clone(&memory), 't'), Self(memory, 's'));
        (CarPins::new(Box::new(steering), Box::new(throttle.clone())), throttle)
    }

    fn seen(&self) -> Vec<(char, u32)> {
        std::mem::take(&mut self.0.lock().unwrap().seen)
    }
}

#[test]
fn the_step_is_the_kernels_for_every_pulse_and_a_twin_shares_it() {
    // DIV_ROUND_UP_ULL(4096 * duty_ns, period_ns), drivers/pwm/pwm-pca9685.c.
    for ns in 1_000_000..=2_000_000_u64 {
        let pulse = Pulse::clamped(ns.try_into().unwrap());
        let (whole, rest) = (4096 * ns / 20_000_000, 4096 * ns % 20_000_000);
        let kernel = whole + u64::from(rest > 0);
        assert_eq!(u64::from(channel::counts(pulse)), kernel, "{ns}");
        let twin = channel::twin(pulse);
        assert_eq!(
            (twin.ns().abs_diff(pulse.ns()), channel::counts(twin)),
            (1, channel::counts(pulse)),
            "{ns}"
        );
    }
}

#[test]
fn a_write_within_the_step_is_skipped_and_no_other() {
    let (mut pins, memory) = Pin::pair(0);
    let mut last = 0;
    let (mut written, mut skipped) = (0, 0);
    for ns in (1_000_000..=2_000_000_u64).step_by(211) {
        let pulse = i64::try_from(ns).unwrap();
        let wrote = pins.write(pulses(pulse, 1_500_000), false).unwrap();
        let step = (4096 * ns).div_ceil(20_000_000);
        assert_eq!(wrote.throttle, step != last, "{ns}");
        last = step;
        let seen: Vec<u32> = memory.seen().iter().filter(|(pin, _)| *pin == 't').map(|(_, ns)| *ns).collect();
        assert_eq!(seen, if wrote.throttle { vec![u32::try_from(ns).unwrap()] } else { Vec::new() });
        if wrote.throttle { written += 1 } else { skipped += 1 }
    }
    println!("{written} written, {skipped} skipped");
    assert_eq!(written, 410 - 205 + 1);
    // Forced, both are written whatever is there.
    assert_eq!(
        pins.write(pulses(2_000_000, 1_500_000), true).unwrap(),
        Wrote { steering: true, throttle: true }
    );
    assert_eq!(memory.seen(), [('t', 2_000_000), ('s', 1_500_000)]);
}

#[test]
fn one_output_that_fails_does_not_keep_the_other_from_neutral() {
    let (mut pins, memory) = Pin::pair(0);
    pins.write(pulses(1_400_000, 1_600_000), false).unwrap();
    memory.seen();
    memory.0.lock().unwrap().failures = 1;
    let error = pins.neutral(neutral()).unwrap_err();
    assert!(matches!(&error, HalError::Write { path, .. } if path == Path::new("t")), "{error}");
    assert_eq!(memory.seen(), [('t', 1_446_000), ('s', 1_450_000)]);
    assert_eq!(pins.written(), None);
    // What failed is not believed to be there: it is written again, the other one is not.
    assert_eq!(pins.write(neutral(), false).unwrap(), Wrote { throttle: true, steering: false });
    assert_eq!((memory.seen().len(), pins.written()), (1, Some(neutral())));
}

#[test]
fn a_write_that_keeps_failing_is_given_up_after_three_tries() {
    let car = Car::new(Kernel::K6);
    fs::remove_file(car.channel(0).join("duty_cycle")).unwrap();
    // Writes there fail with ENOSPC.
    symlink("/dev/full", car.channel(0).join("duty_cycle")).unwrap();
    let begun = std::time::Instant::now();
    let error = pwm::SysfsPwm::open(&car.chip(), 0, neutral().throttle).unwrap_err();
    let took = begun.elapsed();
    assert!(matches!(&error, HalError::Write { path, .. } if path.ends_with("pwm0/duty_cycle")), "{error}");
    assert!(took > Duration::from_millis(2) && took < Duration::from_secs(1), "{took:?}");
}

#[test]
fn a_pin_that_somebody_else_moved_is_seen_and_put_back() {
    let car = Car::new(Kernel::K6);
    let mut pins = CarPins::open(&car.settings, neutral()).unwrap();
    assert!(!pins.moved().unwrap());
    for channel in [0, 1] {
        fs::write(car.channel(channel).join("duty_cycle"), "1700000").unwrap();
        assert!(pins.moved().unwrap(), "channel {channel}");
        pins.neutral(neutral()).unwrap();
        assert!(!pins.moved().unwrap());
        assert_eq!(car.duties(), owned(NEUTRAL));
    }
    // A file that says nothing accuses nobody.
    fs::write(car.channel(0).join("duty_cycle"), "").unwrap();
    assert!(!pins.moved().unwrap());
}

#[test]
fn a_chip_that_lost_its_power_is_programmed_anew() {
    let car = Car::new(Kernel::K6);
    let mut pins = CarPins::open(&car.settings, neutral()).unwrap();
    let folders = [("throttle", car.channel(0)), ("steering", car.channel(1))];
    let (reopened, order) = writes(&folders, || pins.reopen(&car.settings, neutral()));
    reopened.unwrap();
    // Neutral before the period is touched; the period twice, so that no number is the one that the kernel remembers.
    assert_eq!(order[..3], ["throttle/duty_cycle", "throttle/period", "steering/duty_cycle"], "{order:?}");
    for pin in ["throttle", "steering"] {
        let period = format!("{pin}/period");
        assert_eq!(order.iter().filter(|seen| **seen == period).count(), 2, "{order:?}");
    }
    assert_eq!((car.duties(), car.read(0, "period")), (owned(NEUTRAL), "20000000".to_owned()));
    fs::remove_file(car.at("sys/class/pwm/pwmchip1")).unwrap();
    assert!(pins.reopen(&car.settings, neutral()).is_err());
    // The outputs are as they were.
    pins.neutral(neutral()).unwrap();
}

#[test]
fn the_gate_is_found_by_its_community_and_never_guessed_on_another_board() {
    let car = Car::new(Kernel::K5);
    let named = |gate: &str| Settings { gate: gate.to_owned(), ..car.settings.clone() };
    let open = |gate: &str| Gate::open_handle(&named(gate), &car.carrier());
    assert!(open("auto").unwrap().describe().contains("GPIO 436"));
    assert!(open("gpio:436").unwrap().exists());
    let mut none = open("none").unwrap();
    assert_eq!((none.open().unwrap(), none.shut().unwrap()), (Switched::NoGate, Switched::NoGate));
    assert_eq!((none.is_open(), none.exists()), (None, false));
    for wrong in ["", "436", "gpio:", "gpio:x", "/dev/gpiochip0", "/dev/gpiochip0:x", "/sys/x:1"] {
        let error = open(wrong).unwrap_err();
        assert!(matches!(error, HalError::GateName { .. }), "{wrong}: {error}");
    }
    // A node that is a file takes no request.
    car.file(&car.at("dev/gpiochip0"), "");
    let line = open("/dev/gpiochip0:2").unwrap_err().to_string();
    assert!(line.contains("/dev/gpiochip0 line 2: taking the line failed"), "{line}");
    let missing = open("gpio:7").unwrap_err().to_string();
    assert!(missing.contains("GPIO 7: making it an output") && missing.contains("gpio/export"), "{missing}");
    // A Raspberry Pi's chip begins at 512, too, and has no North community.
    fs::remove_dir_all(car.at("sys/class/gpio")).unwrap();
    car.file(&car.at("sys/class/gpio/gpiochip512/base"), "512");
    car.file(&car.at("sys/class/gpio/gpiochip512/ngpio"), "54");
    assert!(matches!(open("auto"), Err(HalError::Gate { .. })));
    let pi = Carrier::Pca9685 { bus: car.at("dev/i2c-1") };
    assert!(!Gate::open_handle(&named("auto"), &pi).unwrap().exists());
    // Without a list of chips the kernel's release decides.
    for (release, number) in
        [("4.15.0-1005-deeplens", 436), ("6.1.0-1-amd64", 436), ("6.8.0-31-generic", 514)]
    {
        fs::remove_dir_all(car.at("sys/class/gpio")).unwrap();
        car.file(&car.at("proc/sys/kernel/osrelease"), release);
        car.file(&car.gpio(number, "direction"), "in");
        car.file(&car.gpio(number, "value"), "0");
        assert!(open("auto").unwrap().describe().contains(&format!("GPIO {number}")), "{release}");
    }
    // A value that does not follow is no gate.
    fs::remove_file(car.gpio(514, "value")).unwrap();
    symlink("/dev/null", car.gpio(514, "value")).unwrap();
    assert!(matches!(open("auto"), Err(HalError::Gate { .. })));
}

#[test]
fn the_gate_is_shut_by_another_thread_while_a_write_hangs() {
    let car = Car::new(Kernel::K6);
    let gate = Arc::new(Mutex::new(Gate::open_handle(&car.settings, &car.carrier()).unwrap()));
    gate.lock().unwrap().open().unwrap();
    let (mut pins, memory) = Pin::pair(0);
    memory.0.lock().unwrap().hang = Duration::from_millis(500);
    let begun = std::time::Instant::now();
    let hung = std::thread::spawn(move || pins.neutral(neutral()).unwrap());
    let watching = Arc::clone(&gate);
    let shut = std::thread::spawn(move || {
        watching.lock().unwrap().shut().unwrap();
        begun.elapsed()
    });
    let took = shut.join().unwrap();
    assert_eq!(text(&car.gpio(514, "value")), "1");
    assert!(!hung.is_finished());
    println!("shut after {took:?}");
    assert!(took < Duration::from_millis(400), "{took:?}");
    hung.join().unwrap();
}

#[test]
fn a_second_instance_is_refused_by_the_holders_number_before_it_touches_anything() {
    let car = Car::new(Kernel::K6);
    let board = Board::open(&car.settings, neutral()).unwrap();
    fs::write(car.channel(0).join("duty_cycle"), "1400000").unwrap();
    let begun = std::time::Instant::now();
    let error = Board::open(&car.settings, neutral()).unwrap_err();
    assert!(begun.elapsed() < Duration::from_secs(1));
    let own = std::process::id();
    assert!(matches!(&error, HalError::Held { holder: Some(pid), .. } if *pid == own), "{error}");
    assert!(error.to_string().contains(&format!("is held by process {own}; ")), "{error}");
    assert_eq!(car.read(0, "duty_cycle"), "1400000");
    // Another way to the same chip is the same chip; a program that was started does not keep the lock.
    let device = fs::canonicalize(car.chip()).unwrap();
    assert!(matches!(InstanceLock::take(&device), Err(HalError::Held { .. })));
    let mut child = Command::new("sleep").arg("5").spawn().unwrap();
    drop(board);
    let again = InstanceLock::take(&device);
    child.kill().unwrap();
    child.wait().unwrap();
    again.unwrap();
    assert!(matches!(InstanceLock::take(&car.at("nowhere")), Err(HalError::Open { .. })));
}

#[test]
fn the_way_out_needs_no_lock_and_goes_on_past_every_error() {
    let car = Car::new(Kernel::K6);
    let mut board = Board::open(&car.settings, neutral()).unwrap();
    board.gate.open().unwrap();
    board.pins.write(pulses(1_400_000, 1_600_000), false).unwrap();
    let mut waited = 0;
    let begun = std::time::Instant::now();
    let out = Board::neutral_only(&car.settings, neutral(), || {
        waited += 1;
        println!("both pins neutral after {:?}", begun.elapsed());
        assert_eq!((car.duties(), text(&car.gpio(514, "value"))), (owned(NEUTRAL), "0".to_owned()));
    });
    assert_eq!((out.pins, out.gate, out.errors.len(), waited), (true, Some(Switched::Done), 0, 1));
    assert_eq!(text(&car.gpio(514, "value")), "1");
    // One channel is broken: the other one and the gate all the same.
    board.gate.open().unwrap();
    fs::write(car.channel(1).join("duty_cycle"), "1600000").unwrap();
    fs::remove_dir_all(car.channel(0)).unwrap();
    let out = Board::neutral_only(&car.settings, neutral(), || {});
    assert_eq!((out.pins, out.gate, out.errors.len()), (false, Some(Switched::Done), 1), "{:?}", out.errors);
    assert_eq!((car.read(1, "duty_cycle"), text(&car.gpio(514, "value"))), ("1450000".into(), "1".into()));
    // The whole chip is gone.
    board.gate.open().unwrap();
    fs::remove_file(car.chip()).unwrap();
    let out = Board::neutral_only(&car.settings, neutral(), || {});
    assert_eq!((out.pins, out.gate, out.errors.len()), (false, Some(Switched::Done), 1), "{:?}", out.errors);
    // A channel that nobody has set up is set up.
    let fresh = Car::new(Kernel::K5);
    assert!(Board::neutral_only(&fresh.settings, neutral(), || {}).pins);
    assert_eq!((fresh.duties(), fresh.read(1, "period")), (owned(NEUTRAL), "20000000".to_owned()));
}

#[test]
fn lamps_show_the_state_and_never_matter() {
    let car = Car::new(Kernel::K6);
    let mut lamps = Lamps::open(&car.settings, &car.carrier());
    let tail = || [2, 3, 4].map(|channel| car.read(channel, "duty_cycle"));
    let led = || [16, 23, 24].map(|line| text(&car.gpio(512 + line, "value")));
    assert_eq!((tail(), led()), (["0", "0", "0"].map(str::to_owned), ["0", "0", "0"].map(str::to_owned)));
    for (colour, brightness, lit) in [
        (Colour::Blue, ["0", "0", "9999825"], ["0", "0", "1"]),
        (Colour::Amber, ["9999825", "3764640", "0"], ["1", "1", "0"]),
        (Colour::Green, ["0", "9999825", "0"], ["0", "1", "0"]),
        (Colour::Red, ["9999825", "0", "0"], ["1", "0", "0"]),
    ] {
        lamps.show(colour).unwrap();
        assert_eq!((tail(), led()), (brightness.map(str::to_owned), lit.map(str::to_owned)), "{colour:?}");
    }
    assert_eq!(car.read(3, "period"), "20000000");
    // What is shown already is not written again.
    fs::write(car.channel(2).join("duty_cycle"), "7").unwrap();
    lamps.show(Colour::Red).unwrap();
    assert_eq!(car.read(2, "duty_cycle"), "7");
    fs::remove_dir_all(car.channel(3)).unwrap();
    let error = lamps.show(Colour::Green).unwrap_err();
    assert!(matches!(&error, HalError::Write { path, .. } if path.ends_with("pwm3/duty_cycle")), "{error}");
    // Told once; the other lamp goes on.
    lamps.show(Colour::Blue).unwrap();
    assert_eq!(led(), ["0", "0", "1"].map(str::to_owned));
    // Never opened: told by the first show, and the pins know nothing of it.
    let mut dark = Lamps::open(&car.settings, &car.carrier());
    assert!(
        dark.show(Colour::Blue).is_err() && dark.show(Colour::Blue).is_ok() && dark.show(Colour::Red).is_ok()
    );
    let off = Settings { lamps: false, ..car.settings.clone() };
    Lamps::open(&off, &car.carrier()).show(Colour::Red).unwrap();
    assert!(Board::open(&car.settings, neutral()).is_ok());
}

#[test]
fn privileges_are_granted_or_refused_by_name() {
    // Of its own: memory stays locked and a thread's policy stays its own.
    let field = |stat: &str, number: usize| -> i64 {
        // proc(5) counts from 1; the second field is in brackets and may hold blanks.
        let rest = stat.rsplit_once(')').unwrap().1;
        rest.split_whitespace().nth(number - 3).unwrap().parse().unwrap()
    };
    let stat = || fs::read_to_string("/proc/thread-self/stat").unwrap();
    let thread = std::thread::spawn(move || {
        let given = priority::fifo(42);
        match &given {
            Ok(()) => assert_eq!((field(&stat(), 41), field(&stat(), 40)), (1, 42)),
            Err(error) => assert!(matches!(error, HalError::Refused { what: "SCHED_FIFO", .. }), "{error}"),
        }
        println!("SCHED_FIFO: {given:?}");
        priority::normal().unwrap();
        assert_eq!((field(&stat(), 41), field(&stat(), 19)), (0, 0));
        let impossible = priority::fifo(100).unwrap_err().to_string();
        assert!(
            impossible.contains("SCHED_FIFO refused") && impossible.contains("LimitRTPRIO"),
            "{impossible}"
        );
    });
    thread.join().unwrap();
    let score = || fs::read_to_string("/proc/self/oom_score_adj").unwrap().trim().to_owned();
    priority::oom_score_adj(500).unwrap();
    assert_eq!(score(), "500");
    assert!(priority::oom_score_adj(1001).unwrap_err().to_string().contains("1001"));
    let locked = memory::lock_all();
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let amount = status.lines().find_map(|line| line.strip_prefix("VmLck:")).unwrap().trim();
    println!("memory: {locked:?}, {amount}");
    assert_eq!(locked.is_ok(), amount != "0 kB");
    // CAP_IPC_LOCK, which root has, is enough.
    let capable = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap().trim();
    assert!(locked.is_ok() || u64::from_str_radix(capable, 16).unwrap() >> 14 & 1 == 0, "{locked:?}");
    rustix::mm::munlockall().unwrap();
}

struct Reading(Result<u8, ()>);

impl ErrorType for Reading {
    type Error = ErrorKind;
}

impl I2c for Reading {
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
        assert_eq!(battery::read(&mut Reading(Ok(reading))), level, "{reading:#x}");
    }
    assert_eq!(battery::read(&mut Reading(Err(()))), None);
}

#[test]
fn the_gauge_is_asked_every_two_seconds_and_knows_its_age() {
    let at = |ms: u64| Instant(0) + Span::from_millis(ms);
    let mut gauge = Gauge::on(Reading(Ok(0xe0)));
    assert_eq!(gauge.age(at(5)), None);
    assert_eq!(gauge.poll(at(1000)), Some(10));
    let asked = Arc::new(Mutex::new(0));
    let mut counted = Gauge::on(Counted(Arc::clone(&asked)));
    for ms in (0..=10_000).step_by(100) {
        counted.poll(at(ms));
    }
    assert_eq!(*asked.lock().unwrap(), 6);
    assert_eq!((gauge.poll(at(2999)), gauge.age(at(2999))), (Some(10), Some(Span::from_millis(1999))));
    let mut broken = Gauge::on(Reading(Err(())));
    assert_eq!((broken.poll(at(0)), broken.poll(at(9000))), (None, None));
    let car = Car::new(Kernel::K6);
    let named = |battery: &str| Settings { battery: battery.to_owned(), ..car.settings.clone() };
    assert_eq!(battery::find(&named("none")), None);
    assert_eq!(battery::find(&named("/dev/i2c-3")), Some(car.at("dev/i2c-3")));
    assert_eq!(battery::find(&named("auto")), Some(car.at("dev/i2c-7")));
    let device = car.at("sys/devices/pci0000:00/0000:00:17.3/i2c-9/i2c-dev/i2c-9");
    fs::create_dir_all(&device).unwrap();
    fs::create_dir_all(car.at("sys/class/i2c-dev")).unwrap();
    symlink(&device, car.at("sys/class/i2c-dev/i2c-9")).unwrap();
    assert_eq!(battery::find(&named("auto")), Some(car.at("dev/i2c-9")));
    assert!(!Gauge::find(&named("auto")).exists());
}

/// A gauge's bus that counts.
struct Counted(Arc<Mutex<u32>>);

impl ErrorType for Counted {
    type Error = ErrorKind;
}

impl I2c for Counted {
    fn transaction(&mut self, _: u8, _: &mut [Operation<'_>]) -> Result<(), ErrorKind> {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }
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
