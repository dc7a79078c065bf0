//! The command line, exactly as typed. A door to clap; decides nothing but which flags go together. Below the commands,
//! which read it.

mod run;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::exit::TABLE;

#[cfg(feature = "car")]
pub use run::CarRun;
pub use run::{LookName, Rig, Run, SimRun, Tracks};

/// Drive an AWS DeepRacer from one binary, record what it saw, and replay it bit for bit.
#[derive(Debug, Parser)]
#[command(name = "hairpin", version, max_term_width = 100, after_help = exit_codes())]
pub struct Cli {
    /// Read settings from this file; without it, `hairpin.toml` in the current folder, else `/etc/hairpin/hairpin.toml`
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub config: Option<PathBuf>,
    /// Print results as JSON, for programs
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub json: bool,
    /// Override one setting, like `drive.speed_percent=30`; may be repeated
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", help_heading = "Everywhere")]
    pub set: Vec<String>,
    /// The model's plan that decides: in fixed point (the default), or as the network came
    #[arg(long, global = true, value_name = "PLAN", value_parser = ["fixed", "f32"], help_heading = "Everywhere")]
    pub precision: Option<String>,
    /// What to do.
    #[command(subcommand)]
    pub command: Verb,
}

impl Cli {
    /// The process's own command line. Ends the process where it is not understood, as clap does.
    #[must_use]
    pub fn typed() -> Self {
        let cli = Self::parse();
        if let Verb::Run(run) = &cli.command
            && let Err(why) = run.check()
        {
            let mut command = Self::command();
            let run = command.find_subcommand_mut("run").map(|run| run.clone().bin_name("hairpin run"));
            run.unwrap_or(command).error(clap::error::ErrorKind::ArgumentConflict, why).exit();
        }
        cli
    }
}

/// One verb, one file in `commands/`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Drive: a car under a guardian that goes neutral whatever fails, or a simulated one (--rig sim)
    Run(Box<Run>),
    /// Show the built-in tracks, or one from a file
    Tracks(Tracks),
    /// Arm, stop and watch a car that runs as a service
    #[cfg(feature = "car")]
    Operate(Operate),
    /// Look at everything that driving needs, and change nothing
    #[cfg(feature = "car")]
    Doctor(Doctor),
    /// Record the camera to a tape, with the power gate shut
    #[cfg(feature = "car")]
    Record(Record),
    /// Bring the pins to neutral and shut the power gate, with nothing else needed
    #[cfg(feature = "car")]
    Neutral(Neutral),
    /// Find centre, ends and sign of steering and motor by hand, wheels up
    #[cfg(feature = "car")]
    Calibrate(Calibrate),
    /// Bring in a trained model, a folder of pictures or a donkeycar tub
    Import(Import),
    /// Show what a model or a tape is
    Inspect(Inspect),
    /// Run a tape through a model, down to the pulses, and compare with what was recorded
    Replay(Replay),
    /// Save what is left of a tape that was cut
    Recover(Recover),
    /// Measure each stage of a tick on this machine
    Bench(Bench),
    /// Show every setting, and where its value comes from
    Config(ConfigArgs),
    /// Put a new hairpin in the place of this one, and go back by itself where it does not come up
    #[cfg(feature = "car")]
    Update(Update),
    /// Print the completion script of a shell
    Completions(Completions),
}

/// Arguments of `operate`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
#[command(
    after_help = "Without a word: type `arm` and Enter to drive, Enter alone (or anything else) to stop. The car drives only as long \
as you stay: leaving by Ctrl-D, Ctrl-C or a lost connection is a stop. `hairpin run --arm` drives without anybody."
)]
pub struct Operate {
    /// One word instead of a conversation; `status` only looks
    #[arg(value_enum)]
    pub word: Option<OneWord>,
    /// Where the guardian listens
    #[arg(long, value_name = "SOCKET", default_value = "/run/hairpin/operator")]
    pub at: PathBuf,
}

/// What can be said in passing. Arming is not among it: whoever arms stays.
#[cfg(feature = "car")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum OneWord {
    /// Print how things stand
    Status,
    /// Stop the car
    Stop,
}

/// Arguments of `doctor`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
pub struct Doctor {
    /// A model folder to load as well
    #[arg(long, short, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// The folder that tapes will go to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub tapes: PathBuf,
}

/// Arguments of `record`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
pub struct Record {
    /// The tape to write
    pub out: PathBuf,
    /// End by itself after this many seconds
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: Option<u64>,
    /// Replace a tape of the same name
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `neutral`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
pub struct Neutral {
    /// Wait until standard input closes or is silent for half a second, then go neutral; `q` there calls it off
    #[arg(long, hide = true)]
    pub stand_by: bool,
}

/// Arguments of `calibrate`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
#[command(
    after_help = "Lift the car so that no wheel touches anything. Nothing moves before you say that it is up, the motor moves by key \
alone, and nothing is written before you say yes; the old file is kept beside the new one."
)]
pub struct Calibrate {
    /// Print the calibration in use
    #[arg(long, conflicts_with = "undo")]
    pub show: bool,
    /// Put the kept calibration back
    #[arg(long)]
    pub undo: bool,
}

/// Arguments of `import`.
#[derive(Debug, Args)]
#[command(
    after_help = "A model comes as the AWS console's or DRfC's .tar.gz, an unpacked folder, a .pb or .onnx beside its \
model_metadata.json. It becomes a folder in --models, which replay and bench load in under a second.\n\
Pictures come as a folder of .jpg or .png files (or two folders, left/ and right/), or as a donkeycar tub v2. They become a tape."
)]
pub struct Import {
    /// The archive, file or folder
    pub path: PathBuf,
    /// Name of the model or tape; default: the file's own name
    #[arg(long)]
    pub name: Option<String>,
    /// Folder that model folders are written into
    #[arg(long, value_name = "DIR", default_value = "models")]
    pub models: PathBuf,
    /// The tape to write; default: NAME.mcap in the current folder
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// The network's output node, where it is not one of AWS's names and not the only one
    #[arg(long, value_name = "NODE")]
    pub output: Option<String>,
    /// Calibrate a model's fixed-point plan on this tape's frames; default: simulated ones
    #[arg(long, value_name = "TAPE")]
    pub frames: Option<PathBuf>,
    /// Replace a model or tape of the same name
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// A model folder, anything that `import` takes as a model, or a tape
    pub path: PathBuf,
    /// Show one tick of a tape whole
    #[arg(long, value_name = "N")]
    pub tick: Option<u64>,
    /// The network's output node, where it is not one of AWS's names and not the only one
    #[arg(long, value_name = "NODE")]
    pub output: Option<String>,
}

/// Arguments of `replay`.
#[derive(Debug, Args)]
#[command(
    after_help = "Without --expect, a tape that holds decisions of this very model and configuration is compared with \
itself; any other is only run. The comparison stops at the first difference and exits with 4."
)]
pub struct Replay {
    /// The tape
    pub tape: PathBuf,
    /// The model folder
    #[arg(long, short, value_name = "DIR")]
    pub model: PathBuf,
    /// Demand equality with the decisions in FILE, or with the tape's own where no file is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    pub expect: Option<Option<PathBuf>>,
    /// Allow scores to differ by this much, for a recording of other kernels; what does not follow from them
    /// stays exact
    #[arg(long, value_name = "X", value_parser = tolerance)]
    pub tolerance: Option<f32>,
    /// Write frames, inputs and decisions to a new tape
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Write one self-contained page with pictures and charts
    #[arg(long, value_name = "FILE.html")]
    pub report: Option<PathBuf>,
    /// Write every decision as one line of JSON with exact bits, for other programs to compare
    #[arg(long, value_name = "FILE.jsonl")]
    pub decisions: Option<PathBuf>,
    /// Feed sensors that the tape lacks: the one picture to both eyes, an empty LiDAR
    #[arg(long)]
    pub fill_sensors: bool,
    /// Stop after this many ticks
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub ticks: Option<u64>,
    /// Replace files of the same name
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `update`.
#[cfg(feature = "car")]
#[derive(Debug, Args)]
#[command(
    after_help = "The new program goes into the slot that is not in use, is started there once with --version, and put to use. The \
service is restarted, disarmed, and has 30 s to come up; where it does not, the old program runs again. A power cut at any moment \
leaves a whole program to start from.\n\
FILE is the program itself or a release archive (hairpin-VERSION-TRIPLE.tar.gz). Its digest comes from --sha256, or from \
FILE.sha256 beside it, as sha256sum writes it. A digest shows damage, not who made the file."
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub struct Update {
    /// The new program, or a release archive that holds it
    #[arg(value_name = "FILE", required_unless_present_any = ["roll_back", "confirm", "status"])]
    pub file: Option<PathBuf>,
    /// The digest of FILE; default: read from FILE.sha256
    #[arg(long, value_name = "HEX", conflicts_with_all = ["roll_back", "confirm", "status"])]
    pub sha256: Option<String>,
    /// Go back to the program in the other slot
    #[arg(long, conflicts_with = "file")]
    pub roll_back: bool,
    /// End a trial by hand: the program in use stays
    #[arg(long, conflicts_with_all = ["file", "roll_back"])]
    pub confirm: bool,
    /// Show both slots, and which is in use
    #[arg(long, conflicts_with_all = ["file", "roll_back", "confirm"])]
    pub status: bool,
    /// Leave the service alone; the next start tries the new program
    #[arg(long)]
    pub no_restart: bool,
    /// Stop an armed car without asking
    #[arg(long)]
    pub yes: bool,
    /// The root that hairpin is installed under
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub prefix: PathBuf,
    /// Speak to the service manager through this program, whatever the prefix
    #[arg(long, value_name = "PROGRAM", hide = true)]
    pub systemctl: Option<PathBuf>,
}

/// Arguments of `recover`.
#[derive(Debug, Args)]
pub struct Recover {
    /// The tape that was cut
    pub tape: PathBuf,
    /// The tape to write; default: TAPE with `.recovered` before its extension
    #[arg(long, short, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Replace a tape of the same name
    #[arg(long)]
    pub force: bool,
}

/// Arguments of `bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// The model folder
    #[arg(long, short, value_name = "DIR")]
    pub model: PathBuf,
    /// Frames to run; default: a drawn 640x480 picture
    #[arg(long, value_name = "FILE")]
    pub tape: Option<PathBuf>,
    /// Measure this stage alone, in CPU time
    #[arg(long, value_name = "STAGE", value_parser = ["infer"], conflicts_with = "tape")]
    pub only: Option<String>,
    /// With --only: a NumPy file of ready observations, u8 [frames, 120, 160, channels]
    #[arg(long, value_name = "FILE", requires = "only")]
    pub frames: Option<PathBuf>,
    /// With --only: write the scores of every frame, as a NumPy file, f32 [frames, outputs]
    #[arg(long, value_name = "FILE", requires = "only")]
    pub scores: Option<PathBuf>,
    /// Ticks to measure, after 20 to warm up
    #[arg(long, value_name = "N", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub ticks: u32,
}

/// Arguments of `config`.
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// Print the default file, every key with its comment
    #[arg(long)]
    pub default: bool,
}

/// Arguments of `completions`.
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: ShellName,
}

/// A shell that completions can be made for.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum ShellName {
    /// Bash
    Bash,
    /// Zsh
    Zsh,
    /// Fish
    Fish,
}

impl ShellName {
    /// The completion script.
    #[must_use]
    pub fn script(self) -> Vec<u8> {
        let shell = match self {
            Self::Bash => Shell::Bash,
            Self::Zsh => Shell::Zsh,
            Self::Fish => Shell::Fish,
        };
        let mut script = Vec::new();
        clap_complete::generate(shell, &mut Cli::command(), "hairpin", &mut script);
        script
    }
}

/// A difference of scores: more than a hundredth would compare nothing.
fn tolerance(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(x) if x > 0.0 && x <= 0.01 => Ok(x),
        _ => Err("wanted a number above 0 and at most 0.01, like 1e-5".to_owned()),
    }
}

fn exit_codes() -> String {
    let lines: Vec<String> = TABLE.iter().map(|(code, meaning)| format!("  {code}  {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}
