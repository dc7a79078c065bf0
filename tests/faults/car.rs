//! A car made of files, with the real program on it: a tree for the pins, the shim for the camera and for what goes wrong,
//! the guardian and its driver as processes, and the log of every write as the observer.

use std::fs;
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use hairpin::domain::{Decision, Quality};
use hairpin::tape::Tape;
use hairpin::vehicle::Calibration;
use rustix::process::Signal;

use crate::log::{Event, Pin, Write as PinWrite};
use crate::now;
use crate::shim::Shim;

/// The model and the pictures that come with the program.
pub(crate) const MODEL: &str = "models/line-follower";
const TAPE: &str = "tests/tapes/drawn-lane/drive.mcap";

/// How long anything may take that is not measured.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn root(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

static ROAD: RwLock<()> = RwLock::new(());

/// Waits until no other car drives, and keeps them off.
pub(crate) fn alone() -> RwLockWriteGuard<'static, ()> {
    ROAD.write().unwrap_or_else(PoisonError::into_inner)
}

/// A car's tree and the processes on it. Dropping it ends them.
pub(crate) struct Car {
    folder: tempfile::TempDir,
    pub(crate) shim: Shim,
    running: Option<Running>,
    /// Cars are driven beside each other, but not beside a campaign that loads the machine.
    road: Option<RwLockReadGuard<'static, ()>>,
    /// Settings on top of those of every car here.
    pub(crate) settings: Vec<String>,
    /// The model to drive with.
    pub(crate) model: PathBuf,
    /// A service manager's socket, given to every program on this car.
    pub(crate) manager: Option<PathBuf>,
}

struct Running {
    guardian: Child,
    words: Option<ChildStdin>,
}

impl Car {
    /// A calibrated car with a camera whose pictures can be driven by.
    pub(crate) fn new() -> Self {
        let road = ROAD.read().unwrap_or_else(PoisonError::into_inner);
        let mut car = Self::beside_others();
        car.road = Some(road);
        car
    }

    /// The same for a campaign's own cars.
    pub(crate) fn beside_others() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shim = Shim::at(&folder.path().join("shim"));
        let car = Self {
            folder,
            shim,
            running: None,
            road: None,
            settings: Vec::new(),
            model: root(MODEL),
            manager: None,
        };
        car.lay_pins();
        car.lay_camera();
        let stock = car.tree("opt/aws/deepracer");
        fs::create_dir_all(&stock).unwrap();
        let file = r#"{"Calibration": {"Servo": {"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 1},
            "Motor": {"min": 1311000, "mid": 1446000, "max": 1603500, "polarity": -1}, "version": 1}}"#;
        fs::write(stock.join("calibration.json"), file).unwrap();
        car
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// A path of the car.
    pub(crate) fn tree(&self, path: &str) -> PathBuf {
        self.folder.path().join("car").join(path)
    }

    fn lay_pins(&self) {
        let chip = self.tree("sys/devices/pci0000:00/0000:00:17.0/i2c-0/pwm/pwmchip0");
        for channel in 0..5 {
            let pwm = chip.join(format!("pwm{channel}"));
            fs::create_dir_all(&pwm).unwrap();
            for (file, text) in [("period", "0\n"), ("duty_cycle", "0\n"), ("enable", "0\n")] {
                fs::write(pwm.join(file), text).unwrap();
            }
        }
        fs::write(chip.join("export"), "").unwrap();
        let class = self.tree("sys/class/pwm");
        fs::create_dir_all(&class).unwrap();
        symlink(&chip, class.join("pwmchip0")).unwrap();
        let gpio = self.tree("sys/class/gpio");
        fs::create_dir_all(gpio.join("gpio436")).unwrap();
        fs::create_dir_all(gpio.join("gpiochip434")).unwrap();
        fs::write(gpio.join("export"), "").unwrap();
        fs::write(gpio.join("gpio436/direction"), "out\n").unwrap();
        fs::write(gpio.join("gpio436/value"), "1\n").unwrap();
        fs::write(gpio.join("gpiochip434/base"), "434\n").unwrap();
        fs::write(gpio.join("gpiochip434/ngpio"), "78\n").unwrap();
    }

    fn lay_camera(&self) {
        let frames = self.folder().join("frames");
        fs::create_dir_all(&frames).unwrap();
        let tape = Tape::open(&root(TAPE)).unwrap();
        let good = tape
            .records()
            .filter(|record| record.tick.is_some_and(|tick| tick.decision.quality == Quality::Usable));
        let mut count = 0;
        for frame in good.filter_map(|record| record.frame) {
            fs::write(frames.join(format!("{count:04}.jpg")), frame.left.bytes).unwrap();
            count += 1;
        }
        assert!(count > 30, "{count} pictures on {TAPE}");
        let dark = tape
            .records()
            .find(|record| record.tick.is_some_and(|tick| tick.decision.quality == Quality::Dark));
        let dark = dark.and_then(|record| record.frame).expect("a dark picture on the tape");
        fs::write(frames.join("black.jpg"), dark.left.bytes).unwrap();
        self.plug(0);
    }

    /// Has the camera send two pictures in turn, by which the policy steers differently at one speed.
    pub(crate) fn alternate(&self) {
        let tape = Tape::open(&root(TAPE)).unwrap();
        let driven: Vec<_> = tape
            .records()
            .filter_map(|record| Some((record.tick?.decision, record.frame?.left.bytes)))
            .filter(|(decision, _)| decision.command.throttle.get() > 0.0)
            .collect();
        let differ = |one: &Decision, other: &Decision| {
            one.pulses.steering != other.pulses.steering && one.pulses.throttle == other.pulses.throttle
        };
        let second = |one: &Decision| driven.iter().find(|(other, _)| differ(one, other));
        let (first, (_, second)) =
            driven.iter().find_map(|(one, bytes)| Some((bytes, second(one)?))).expect("two pictures");
        let frames = self.folder().join("frames");
        for number in 0..100 {
            let file = frames.join(format!("{number:04}.jpg"));
            fs::write(file, if number % 2 == 0 { first } else { second }).unwrap();
        }
    }

    /// Plugs the camera in as `/dev/videoN`.
    pub(crate) fn plug(&self, node: u32) {
        let device = self.tree("sys/devices/1-2");
        let interface = device.join("1-2:1.0");
        fs::create_dir_all(&interface).unwrap();
        fs::write(device.join("idVendor"), "29fe\n").unwrap();
        fs::write(device.join("idProduct"), "4d53\n").unwrap();
        let class = self.tree(&format!("sys/class/video4linux/video{node}"));
        fs::create_dir_all(&class).unwrap();
        fs::write(class.join("index"), "0\n").unwrap();
        symlink(&interface, class.join("device")).unwrap();
        fs::create_dir_all(self.tree("dev")).unwrap();
        fs::write(self.tree(&format!("dev/video{node}")), "").unwrap();
        self.shim.set("nodes", self.shim.get("nodes") | 1 << node);
    }

    /// Pulls it out.
    pub(crate) fn pull(&self, node: u32) {
        fs::remove_dir_all(self.tree(&format!("sys/class/video4linux/video{node}"))).unwrap();
        fs::remove_file(self.tree(&format!("dev/video{node}"))).unwrap();
        self.shim.set("nodes", self.shim.get("nodes") & !(1 << node));
        self.shim.set("unplug", self.shim.get("unplug") | 1 << node);
    }

    /// The program on this car, with a verb.
    pub(crate) fn command(&self, verb: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hairpin"));
        command.args(verb).current_dir(self.folder());
        command.arg("--set").arg(format!("car.root={}", self.folder().join("car").display()));
        for setting in ["car.battery=none"].into_iter().chain(self.settings.iter().map(String::as_str)) {
            command.args(["--set", setting]);
        }
        command.env("HAIRPIN_SHIM_FRAMES", self.folder().join("frames"));
        match &self.manager {
            Some(socket) => command.env("NOTIFY_SOCKET", socket),
            None => command.env_remove("NOTIFY_SOCKET"),
        };
        self.shim.preload(&mut command);
        command
    }

    /// Starts to run; `more` are further arguments.
    pub(crate) fn start(&mut self, more: &[&str]) {
        let words = fs::File::options().create(true).append(true).open(self.folder().join("words")).unwrap();
        self.start_with(more, Stdio::from(words));
    }

    /// As [`Car::start`], with another end for the words.
    pub(crate) fn start_with(&mut self, more: &[&str], words: Stdio) {
        let model = self.model.display().to_string();
        let verb: Vec<&str> = ["run", "--model", &model].into_iter().chain(more.iter().copied()).collect();
        let results = fs::File::create(self.folder().join("results")).unwrap();
        let mut guardian =
            self.command(&verb).stdin(Stdio::piped()).stdout(results).stderr(words).spawn().unwrap();
        let words = guardian.stdin.take();
        self.running = Some(Running { guardian, words });
    }

    /// Starts, arms, and waits until the motor gets something else than neutral.
    pub(crate) fn drive(&mut self, more: &[&str]) {
        self.start(more);
        self.arm();
    }

    /// Arms, again and again until the car moves.
    pub(crate) fn arm(&mut self) {
        let begun = now();
        let deadline = Instant::now() + PATIENCE;
        let mut next = Instant::now();
        while !self.moves_since(begun) {
            let ended = self.running.as_mut().and_then(|running| running.guardian.try_wait().unwrap());
            assert!(ended.is_none() && Instant::now() < deadline, "the car never drove: {}", self.words());
            if Instant::now() >= next {
                self.say("arm");
                next = Instant::now() + Duration::from_millis(700);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn moves_since(&self, at: u64) -> bool {
        self.writes().iter().any(|write| write.at > at && write.moves())
    }

    /// The operator's word.
    pub(crate) fn say(&mut self, word: &str) {
        if let Some(words) = self.running.as_mut().and_then(|running| running.words.as_mut()) {
            // A guardian that is gone hears nothing; the test looks at the pins.
            drop(writeln!(words, "{word}"));
        }
    }

    /// The operator leaves.
    pub(crate) fn hang_up(&mut self) {
        if let Some(running) = &mut self.running {
            running.words = None;
        }
    }

    /// What was said on standard error.
    pub(crate) fn words(&self) -> String {
        fs::read_to_string(self.folder().join("words")).unwrap_or_default()
    }

    /// What was said on standard output.
    pub(crate) fn results(&self) -> String {
        fs::read_to_string(self.folder().join("results")).unwrap_or_default()
    }

    pub(crate) fn guardian(&self) -> u32 {
        self.running.as_ref().expect("a guardian").guardian.id()
    }

    /// The living driver, where there is one.
    pub(crate) fn driver(&self) -> Option<u32> {
        let guardian = self.guardian();
        let children = fs::read_to_string(format!("/proc/{guardian}/task/{guardian}/children")).ok()?;
        children.split_whitespace().next()?.parse().ok()
    }

    /// Waits for the guardian's end.
    pub(crate) fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        let running = self.running.as_mut().expect("a guardian");
        loop {
            if let Some(status) = running.guardian.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the guardian does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Everything that happened.
    pub(crate) fn log(&self) -> Vec<Event> {
        self.shim.log()
    }

    /// Every write to the two channels that move the car, and to the gate.
    pub(crate) fn writes(&self) -> Vec<PinWrite> {
        self.log().iter().filter_map(PinWrite::read).collect()
    }

    /// Waits for a write that `wanted` takes, after `since`.
    pub(crate) fn wait_for(&self, since: u64, what: &str, wanted: impl Fn(&PinWrite) -> bool) -> PinWrite {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(write) = self.writes().into_iter().find(|write| write.at >= since && wanted(write)) {
                return write;
            }
            assert!(Instant::now() < deadline, "no {what}: {}", self.words());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The first write of neutral to the motor after `since`.
    pub(crate) fn neutral_after(&self, since: u64) -> PinWrite {
        self.wait_for(since, "neutral", |write| write.pin == Pin::Throttle && !write.moves())
    }

    /// What the files say now.
    pub(crate) fn stands(&self) -> (i64, i64, bool) {
        // A plain file is empty for a moment while it is written.
        let read = |path: &str| -> i64 {
            let number = || fs::read_to_string(self.tree(path)).ok()?.trim().parse().ok();
            let again = || std::thread::sleep(Duration::from_millis(2));
            (0..50)
                .find_map(|_| {
                    number().or_else(|| {
                        again();
                        None
                    })
                })
                .expect("a number")
        };
        let chip = "sys/class/pwm/pwmchip0";
        (
            read(&format!("{chip}/pwm1/duty_cycle")),
            read(&format!("{chip}/pwm0/duty_cycle")),
            read("sys/class/gpio/gpio436/value") == 0,
        )
    }

    /// Whether both channels stand at neutral.
    pub(crate) fn is_neutral(&self) -> bool {
        let neutral = Calibration::factory().neutral();
        let (steering, throttle, _) = self.stands();
        (steering, throttle) == (i64::from(neutral.steering.ns()), i64::from(neutral.throttle.ns()))
    }
}

impl Drop for Car {
    fn drop(&mut self) {
        self.shim.set("loop_fault", 0);
        self.shim.set("guardian_hang_ms", 0);
        let driver = self.running.as_ref().and_then(|_| self.driver());
        if let Some(running) = &mut self.running {
            drop(running.guardian.kill());
            drop(running.guardian.wait());
        }
        if let Some(driver) = driver {
            crate::signal(driver, Signal::KILL);
        }
    }
}
