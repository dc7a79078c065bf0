//! What `run` and `tracks` take: one verb, two worlds, and flags that belong to one of them alone. A flag of the other
//! world is refused by name.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::sim::faults::Fault;

/// A world to drive in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rig {
    /// This machine's camera and pins
    #[cfg(feature = "car")]
    Car,
    /// A simulated car on a simulated track
    Sim,
}

#[cfg(feature = "car")]
const RIG: &str = "car";
#[cfg(not(feature = "car"))]
const RIG: &str = "sim";

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(
    after_help = "On a car: it starts disarmed. Type `arm` and Enter to drive, Enter alone (or anything else) to stop, `disarm`, or \
`quit`. A stop, and every fault, stays until `arm` is typed again. Where the hardware hangs is said in hairpin.toml, sections \
[car], [camera] and [guardian]; `hairpin doctor` looks at it.\n\
On a simulated track: an operator who is simulated as well arms by himself. One seed is one drive, byte for byte. Without \
--model a scripted driver drives, who knows where the car is and needs no network. The exit code is 0 where the laps were driven."
)]
pub struct Run {
    /// The world to drive in
    #[arg(long, value_enum, default_value = RIG)]
    pub rig: Rig,
    /// The model folder; `scripted`, the default of --rig sim, is a driver without a network who knows the track
    #[arg(long, short, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Record everything to this tape
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Replace files of the same name
    #[arg(long)]
    pub force: bool,
    /// On a car alone
    #[cfg(feature = "car")]
    #[command(flatten, next_help_heading = "On a car")]
    pub car: CarRun,
    /// On a simulated track alone
    #[command(flatten, next_help_heading = "On a simulated track")]
    pub sim: SimRun,
}

/// What only a car understands.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
pub struct CarRun {
    /// Arm once by itself, as soon as good frames come; for benches and unattended laps
    #[arg(long)]
    pub arm: bool,
    /// Listen for operators at this socket as well, for `hairpin operate`
    #[arg(long, value_name = "SOCKET")]
    pub operator: Option<PathBuf>,
}

/// What only a simulated track understands.
#[derive(Debug, Args)]
pub struct SimRun {
    /// A built-in track or a file: a public route array (.npy), or a text that `hairpin tracks` wrote; default: oval
    #[arg(long, value_name = "NAME|FILE")]
    pub track: Option<String>,
    /// Laps to drive; default: 1
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub laps: Option<u32>,
    /// Give up after this many simulated seconds; default: 60 for each lap
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
    /// Everything that is chance follows from this number; default: 1
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Something that goes wrong, like `drop:2`; may be repeated. Kinds: drop, delay, repeat, darken, tear, noise, spikes,
    /// dead-servo; severities: 1 to 3
    #[arg(long, value_name = "KIND:SEVERITY")]
    pub fault: Vec<Fault>,
    /// How the world looks; default: drawn
    #[arg(long, value_enum, value_name = "LOOK")]
    pub look: Option<LookName>,
    /// Put this many boxes beside the road, half on it; default: 0
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100))]
    pub obstacles: Option<u32>,
    /// As fast as a car, and not as fast as it goes
    #[arg(long)]
    pub real_time: bool,
    /// Show the car on its track in this terminal, in real time
    #[arg(long)]
    pub watch: bool,
    /// Write one self-contained page with pictures, charts and the driven line
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write the drive as AWS's simulator logs it (`SIM_TRACE_LOG`), for the community's analysis tools
    #[arg(long, value_name = "FILE")]
    pub trace: Option<PathBuf>,
}

/// How a simulated world looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LookName {
    /// The drawn lane that the bundled model was made for
    #[default]
    Drawn,
    /// AWS's simulator
    Training,
    /// A track in a dim hall, through the wide lens of a real car
    Hall,
}

/// Arguments of `tracks`.
#[derive(Debug, Args)]
pub struct Tracks {
    /// A built-in track or a file; without it, all that are built in
    #[arg(value_name = "NAME|FILE")]
    pub track: Option<String>,
    /// Draw it into this file
    #[arg(long, value_name = "FILE.svg", requires = "track")]
    pub svg: Option<PathBuf>,
    /// Write its way-points as text, which `--track` reads back
    #[arg(long, value_name = "FILE.txt", requires = "track")]
    pub text: Option<PathBuf>,
    /// Replace files of the same name
    #[arg(long)]
    pub force: bool,
}

impl Run {
    /// The model, or the scripted driver by its name.
    #[must_use]
    pub fn model(&self) -> &Path {
        self.model.as_deref().unwrap_or(Path::new(crate::policy::guided::NAME))
    }

    /// Refuses what does not go with the rig.
    ///
    /// # Errors
    /// The flag, and where it belongs.
    pub fn check(&self) -> Result<(), String> {
        match self.rig {
            #[cfg(feature = "car")]
            Rig::Car => self.check_car(),
            Rig::Sim => self.check_sim(),
        }
    }

    #[cfg(feature = "car")]
    fn check_car(&self) -> Result<(), String> {
        let sim = &self.sim;
        let flags = [
            ("--track", sim.track.is_some()),
            ("--laps", sim.laps.is_some()),
            ("--seconds", sim.seconds.is_some()),
            ("--seed", sim.seed.is_some()),
            ("--fault", !sim.fault.is_empty()),
            ("--look", sim.look.is_some()),
            ("--obstacles", sim.obstacles.is_some()),
            ("--real-time", sim.real_time),
            ("--watch", sim.watch),
            ("--report", sim.report.is_some()),
            ("--trace", sim.trace.is_some()),
        ];
        match flags.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => Err(format!("{flag} belongs to --rig sim, and this is --rig car")),
            None if self.model.is_none() => {
                Err("--rig car wants the model folder to drive by: --model DIR".to_owned())
            }
            None => Ok(()),
        }
    }

    #[cfg(feature = "car")]
    fn check_sim(&self) -> Result<(), String> {
        let flags = [("--arm", self.car.arm), ("--operator", self.car.operator.is_some())];
        match flags.into_iter().find(|(_, is_given)| *is_given) {
            Some((flag, _)) => {
                Err(format!("{flag} belongs to --rig car, and this is --rig sim, which arms by itself"))
            }
            None => Ok(()),
        }
    }

    #[cfg(not(feature = "car"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "with a car there is something to refuse"
    )]
    fn check_sim(&self) -> Result<(), String> {
        Ok(())
    }
}
