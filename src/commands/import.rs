//! `hairpin import`: from what people have to what hairpin runs. Models become model folders, pictures and tubs
//! become tapes; which one it is, the path itself says.

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;

use super::intake::{self, Intake, default_name, training};
use super::{Context, Said, build_id, confine, files, fixed, kernels, model, picture, say, sights, was_set};
use crate::cli::Import;
use crate::config::Precision;
use crate::domain::{FixedPoint, Frame, Recipe, Sensor};
use crate::exit::{self, Outcome};
use crate::policy::NetworkKind;
use crate::report::model::ModelReport;
use crate::report::tape::TapeReport;
use crate::tape::header::{Header, key};
use crate::tape::import::{Rate, Recording};
use crate::tape::{Tape, TapeWriter};
use crate::vision::{self, Workspace};

/// Imports.
pub(crate) fn run(args: &Import, context: &Context) -> anyhow::Result<Outcome> {
    if !args.path.exists() {
        bail!(
            "{} does not exist; wanted a model (.tar.gz, folder, .pb, .onnx), a folder of pictures, or a tub",
            args.path.display()
        );
    }
    if is_recording(&args.path)? { recording(args, context) } else { model(args, context) }
}

/// Whether a path is a folder without any network in it: pictures or a tub, then.
fn is_recording(path: &Path) -> anyhow::Result<bool> {
    if !path.is_dir() {
        return Ok(false);
    }
    let mut open = vec![(path.to_path_buf(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let listing =
            std::fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
            let name = entry.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if NetworkKind::from_name(&name).is_some() || name == "model_metadata.json" {
                return Ok(false);
            }
            if entry.is_dir() && depth < intake::DEPTH {
                open.push((entry, depth + 1));
            }
        }
    }
    Ok(true)
}

/// Pictures or a tub to a tape.
fn recording(args: &Import, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(tape) = &args.frames {
        bail!("--frames {} calibrates a model; {} holds pictures", tape.display(), args.path.display());
    }
    let rate = if was_set(context, "tape.rate_hz") { Some(rate(context)?) } else { None };
    let recording = Recording::open(&args.path, rate)?;
    let out = args.out.clone().unwrap_or(PathBuf::from(format!("{}.mcap", name(args)?)));
    let header = Header::default().with(key::BUILD, build_id()).with(key::RIG, "import").with(
        key::CREATED_BY,
        format!("hairpin import of {} ({})", picture::file_name(&args.path), recording.kind),
    );
    let partial = files::partial(&out, args.force)?;
    let mut tape = TapeWriter::create(&partial, &header, true)?;
    let mut undecodable = Undecodable::default();
    let bar = ProgressBar::new(recording.len() as u64);
    let written = recording.each(|frame, human| {
        bar.inc(1);
        undecodable.look(frame);
        tape.labelled(frame, human).map_err(anyhow::Error::from)
    });
    bar.finish_and_clear();
    if let Err(error) = written {
        // Half a conversion would look like a short recording.
        std::fs::remove_file(&partial)
            .with_context(|| format!("cannot remove the unfinished {}", partial.display()))?;
        return Err(error).with_context(|| format!("cannot import {}", args.path.display()));
    }
    tape.finish().with_context(|| format!("cannot finish {}", partial.display()))?;
    std::fs::rename(&partial, &out).with_context(|| format!("cannot name {}", out.display()))?;
    undecodable.tell();
    recording.findings.iter().for_each(|finding| say(&format!("note: {finding}")));
    let tape = Tape::open(&out)?;
    context.print(&TapeReport::of(&out.display().to_string(), &tape))?;
    say(&format!("wrote {}; run it with `hairpin replay {} --model MODEL`", out.display(), out.display()));
    Ok(Outcome::Done)
}

/// Pictures that a drive would call torn: kept as they are, and said.
#[derive(Default)]
struct Undecodable {
    workspace: Workspace,
    count: u64,
    first: Option<String>,
}

impl Undecodable {
    fn look(&mut self, frame: &Frame<'_>) {
        let channels = if frame.right.is_some() { Sensor::StereoCameras } else { Sensor::FrontFacingCamera };
        let recipe = Recipe { sensors: vec![channels], ..Recipe::default() };
        if let Err(why) = vision::decode(frame, &recipe, &mut self.workspace) {
            self.count += 1;
            self.first.get_or_insert_with(|| format!("frame {}: {why}", frame.seq.0));
        }
    }

    fn tell(&self) {
        if let Some(first) = &self.first {
            say(&format!(
                "note: {} pictures do not decode and will count as torn; the first is {first}",
                self.count
            ));
        }
    }
}

fn rate(context: &Context) -> anyhow::Result<Rate> {
    Rate::new(f64::from(context.config.rate_hz)).context("tape.rate_hz is no rate")
}

fn model(args: &Import, context: &Context) -> anyhow::Result<Outcome> {
    // The card's witnesses are answered by the kernels that will drive.
    kernels::ensure(context)?;
    if let Some(ended) = confine::confined(context, network_mib(&args.path))? {
        return outcome_of(ended);
    }
    let name = name(args)?;
    let mut intake = intake::read(&args.path, &name, args.output.as_deref(), &context.config)?;
    fix(&mut intake, args, context)?;
    let new = model::write(&intake, &args.models, args.force)?;
    let folder = args.models.join(&name);
    context.print(&ModelReport {
        card: &intake.card,
        notes: &intake.metadata.notes,
        training: training(intake.parts.hyperparameters.as_ref(), &intake.metadata),
    })?;
    let verb = if new { "wrote" } else { "unchanged:" };
    say(&format!(
        "{verb} {}; run it with `hairpin replay TAPE --model {}`",
        folder.display(),
        folder.display()
    ));
    Ok(Outcome::Done)
}

/// Makes the fixed-point plan, unless `f32` was asked for.
fn fix(intake: &mut Intake, args: &Import, context: &Context) -> anyhow::Result<()> {
    if context.config.precision == Precision::F32 {
        if args.frames.is_some() {
            bail!(
                "--frames calibrates a fixed-point plan, and --precision f32 asks for none; leave one of them out"
            );
        }
        return Ok(());
    }
    let card = &intake.card;
    let sights = match &args.frames {
        Some(tape) => sights::taped(tape, &card.recipe)?,
        None => sights::simulated(&card.recipe),
    }
    .thinned(card.facts.macs);
    let made = fixed::make(&intake.typed, card.network_digest, &card.recipe, &card.action_space, &sights)
        .context("cannot make the fixed-point plan; --precision f32 imports without one")?;
    if let FixedPoint::Refused(why) = &made.state {
        say(&format!("note: no fixed-point plan, the model drives in f32: {why}"));
    }
    (intake.card.fixed, intake.fixed) = (made.state, made.bytes);
    Ok(())
}

/// The name of what is made: a plain file name.
fn name(args: &Import) -> anyhow::Result<String> {
    let name = args.name.clone().unwrap_or_else(|| default_name(&args.path));
    if name.is_empty()
        || name.starts_with('.')
        || name.contains(['/', '\\'])
        || name.contains(char::is_control)
    {
        bail!("{name:?} cannot name a model or a tape; give a plain one with --name");
    }
    Ok(name)
}

/// MiB of the file that is imported; a folder counts as the largest network that AWS trains.
pub(crate) fn network_mib(path: &Path) -> u64 {
    match std::fs::metadata(path) {
        Ok(facts) if facts.is_file() => facts.len() >> 20,
        _ => 256,
    }
}

/// The confined process has said what there was to say; its exit code is ours.
pub(crate) fn outcome_of(ended: ExitStatus) -> anyhow::Result<Outcome> {
    match ended.code() {
        Some(0) => Ok(Outcome::Done),
        Some(code) if code == i32::from(exit::FAILED) => Err(Said.into()),
        other => bail!(
            "the process that built the network ended with code {other:?} and said nothing; this is a fault of hairpin"
        ),
    }
}
