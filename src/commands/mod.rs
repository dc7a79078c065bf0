//! One verb per file (L7). A command computes a value and hands it to `report`; results go to stdout, words to
//! stderr. The only room that asks the clock and may use `anyhow`.

mod bench;
#[cfg(feature = "car")]
pub mod calibrate;
#[cfg(feature = "car")]
mod calibrated;
mod clock;
mod confine;
#[cfg(feature = "car")]
mod doctor;
#[cfg(feature = "car")]
mod eyes;
mod files;
mod fixed;
mod import;
mod inspect;
mod intake;
mod kernels;
mod model;
#[cfg(feature = "car")]
mod neutral;
#[cfg(feature = "car")]
mod operate;
mod outputs;
mod picture;
#[cfg(feature = "car")]
mod record;
mod recover;
mod replay;
mod roads;
mod run;
mod scripted;
mod setup;
mod sights;
mod synthetic;
mod tracks;
#[cfg(feature = "car")]
mod update;
#[cfg(feature = "car")]
mod voice;
mod watch;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use crate::cli::{Cli, ConfigArgs, Verb};
use crate::config::{self, Config, Flag, Origin, Source};
use crate::domain::Digest;
use crate::exit::Outcome;
use crate::report::Report;
use crate::report::settings::Settings;

/// What every command is given.
#[derive(Debug)]
pub struct Context {
    /// The settings.
    pub config: Config,
    /// Whether results are printed as JSON.
    pub json: bool,
    /// The process's environment; nothing else asks for it.
    pub environment: BTreeMap<OsString, OsString>,
}

/// The settings files that are looked for where none is named; the second is an installed car's.
const CONFIG_FILES: [&str; 2] = ["hairpin.toml", "/etc/hairpin/hairpin.toml"];

/// The build that writes a tape: its version, and the digest of the program itself, which names it exactly.
pub(crate) fn build_id() -> String {
    let version = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));
    let program = std::env::current_exe().and_then(std::fs::read);
    program.map_or_else(
        |_| version.to_owned(),
        |bytes| format!("{version} sha256 {}", Digest::of(&bytes).short()),
    )
}

impl Context {
    /// Reads the settings: flags over file over defaults.
    ///
    /// # Errors
    /// A named file that cannot be read, or all faults of the settings at once.
    pub fn new(cli: &Cli, environment: impl Iterator<Item = (OsString, OsString)>) -> anyhow::Result<Self> {
        let mut flags = cli.set.iter().map(|text| flag(text)).collect::<anyhow::Result<Vec<_>>>()?;
        if let Some(precision) = &cli.precision {
            flags.push(flag(&format!("policy.precision={precision}"))?);
        }
        let found = || CONFIG_FILES.iter().map(PathBuf::from).find(|file| file.is_file());
        let file: Option<PathBuf> = cli.config.clone().or_else(found);
        let text = match &file {
            Some(file) => Some((file.display().to_string(), read_text(file)?)),
            None => None,
        };
        let source = text.as_ref().map(|(file, text)| Source { file, text });
        let config = Config::load(source, &flags)?;
        Ok(Self { config, json: cli.json, environment: environment.collect() })
    }

    /// Prints a result, in the form that was asked for.
    pub(crate) fn print(&self, report: &impl Report) -> anyhow::Result<()> {
        let text = if self.json { format!("{:#}", report.json()) } else { printable(&report.text()) };
        print_line(&text)
    }
}

/// What a command is given. Settings that are at fault stop every command but the one that stops the car, which takes the
/// flags alone then, or nothing but the defaults, and says so; and the one that brings another program, which asks none.
///
/// # Errors
/// As [`Context::new`].
pub fn context(
    cli: &Cli,
    environment: impl Iterator<Item = (OsString, OsString)>,
) -> anyhow::Result<Context> {
    let environment: BTreeMap<OsString, OsString> = environment.collect();
    let made = Context::new(cli, environment.clone().into_iter());
    #[cfg(feature = "car")]
    if let (Err(error), Verb::Neutral(_) | Verb::Update(_)) = (&made, &cli.command) {
        complain(error);
        say("hairpin: going on without that file");
        let flags: Vec<Flag> = cli.set.iter().filter_map(|text| flag(text).ok()).collect();
        let config = Config::load(None, &flags).unwrap_or_default();
        return Ok(Context { config, json: cli.json, environment });
    }
    made
}

/// `KEY=VALUE`, as typed after `--set`.
fn flag(text: &str) -> anyhow::Result<Flag> {
    let Some((key, value)) = text.split_once('=') else {
        bail!("--set {text}: saw no `=`, wanted KEY=VALUE like drive.speed_percent=30");
    };
    Ok(Flag { name: "--set".to_owned(), key: key.trim().to_owned(), value: value.trim().to_owned() })
}

/// Runs one verb.
///
/// # Errors
/// Whatever stops it; the message says what was wrong, where, and what to do.
pub fn run(verb: &Verb, context: &Context) -> anyhow::Result<Outcome> {
    match verb {
        Verb::Run(args) => run::run(args, context),
        Verb::Tracks(args) => tracks::run(args, context),
        #[cfg(feature = "car")]
        Verb::Operate(args) => operate::run(args, context),
        #[cfg(feature = "car")]
        Verb::Neutral(args) => neutral::run(args, context),
        #[cfg(feature = "car")]
        Verb::Calibrate(args) => calibrate::board::run(args, context),
        #[cfg(feature = "car")]
        Verb::Doctor(args) => doctor::run(args, context),
        #[cfg(feature = "car")]
        Verb::Record(args) => record::run(args, context),
        Verb::Import(args) => import::run(args, context),
        Verb::Inspect(args) => inspect::run(args, context),
        Verb::Replay(args) => replay::run(args, context),
        Verb::Recover(args) => recover::run(args, context),
        Verb::Bench(args) => bench::run(args, context),
        #[cfg(feature = "car")]
        Verb::Update(args) => update::run(args, context),
        Verb::Config(args) => show_config(args, context),
        Verb::Completions(args) => {
            let script =
                String::from_utf8(args.shell.script()).context("a completion script that is not text")?;
            print_line(script.trim_end()).map(|()| Outcome::Done)
        }
    }
}

fn show_config(args: &ConfigArgs, context: &Context) -> anyhow::Result<Outcome> {
    if args.default {
        print_line(config::default_toml().trim_end())?;
    } else {
        context.print(&Settings(context.config.origins()))?;
    }
    Ok(Outcome::Done)
}

/// A failure that another process has explained already.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("see above")]
pub(crate) struct Said;

/// Prints a failure with its chain of reasons to stderr.
pub fn complain(error: &anyhow::Error) {
    if error.is::<Said>() {
        return;
    }
    let mut text = format!("hairpin: {error}");
    for reason in error.chain().skip(1) {
        text.push_str("\n  because ");
        text.push_str(&reason.to_string());
    }
    say(&text);
}

/// A line of words to stderr. Where that is closed there is nobody to tell.
pub(crate) fn say(text: &str) {
    writeln!(std::io::stderr(), "{}", printable(text)).unwrap_or_default();
}

/// A result to stdout. A reader that has seen enough (`| head`) is no failure.
fn print_line(text: &str) -> anyhow::Result<()> {
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write the result to standard output")
        }
        _ => Ok(()),
    }
}

/// Settings are a page of text; more is another file.
const LONGEST_SETTINGS: u64 = 1 << 20;

fn read_text(file: &Path) -> anyhow::Result<String> {
    let bytes = files::bounded(file, LONGEST_SETTINGS)?;
    String::from_utf8(bytes).with_context(|| format!("{} is not text", file.display()))
}

/// Whether somebody set a key, in the file or on the command line.
fn was_set(context: &Context, key: &str) -> bool {
    context.config.origins().iter().any(|setting| setting.key == key && setting.origin != Origin::Default)
}

/// Text of unknown origin for a terminal: control characters are shown and not obeyed.
fn printable(text: &str) -> String {
    let shown =
        |c: char| if c.is_control() && c != '\n' { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(shown).collect()
}
