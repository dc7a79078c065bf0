//! The files that a replay or a simulated drive writes: a tape, a page, decisions as lines. Refuses those that would
//! destroy something.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::model::Loaded;
use super::{files, picture, setup};
use crate::config::Config;
use crate::domain::{ActionSpace, Frame, Tick};
use crate::drive::Setup;
use crate::report::decisions;
use crate::report::latency::BUDGETS_MS;
use crate::report::page::{GENERATOR, PageFoot, PageFrame, PageHead, PageWriter};
use crate::tape::header::{Header, key};
use crate::tape::{Human, TapeWriter};
use crate::units::Instant;

/// What is to be written.
#[derive(Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub(crate) record: Option<&'a Path>,
    pub(crate) report: Option<&'a Path>,
    /// Lines of text: decisions, or the drive as AWS logs one.
    pub(crate) lines: Option<&'a Path>,
    /// Files of the same name may be replaced.
    pub(crate) force: bool,
    /// Files that are being read.
    pub(crate) read: &'a [&'a Path],
    /// The model's folder.
    pub(crate) model: &'a Path,
}

/// A tape that gets its name when it is whole; until then an older one of that name lives.
struct Recording {
    tape: TapeWriter<BufWriter<File>>,
    partial: PathBuf,
    file: PathBuf,
}

/// Files that are being written.
pub(crate) struct Outputs {
    record: Option<Recording>,
    page: Option<PageWriter<BufWriter<File>>>,
    lines: Option<BufWriter<File>>,
    names: Vec<String>,
    begun: Option<Instant>,
}

impl Outputs {
    pub(crate) fn open(wanted: &Wanted<'_>, header: &Header, head: &PageHead) -> anyhow::Result<Self> {
        let files = [wanted.record, wanted.report, wanted.lines];
        allowed(wanted)?;
        let page = match wanted.report {
            Some(file) => Some(PageWriter::begin(create(file)?, head).with_context(|| writing(file))?),
            None => None,
        };
        let lines = wanted.lines.map(create).transpose()?;
        // Last, so that nothing of it is left behind where another file cannot be made.
        let record = match wanted.record {
            Some(file) => {
                let partial = files::partial(file, wanted.force)?;
                let tape = TapeWriter::create(&partial, header, true)?;
                Some(Recording { tape, partial, file: file.to_owned() })
            }
            None => None,
        };
        let names = files.into_iter().flatten().map(|file| file.display().to_string()).collect();
        Ok(Self { record, page, lines, names, begun: None })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Whether lines were asked for.
    pub(crate) const fn has_lines(&self) -> bool {
        self.lines.is_some()
    }

    /// Writes a tick's decision as a line, where lines were asked for.
    pub(crate) fn decision(&mut self, tick: &Tick) -> anyhow::Result<()> {
        if self.lines.is_some() { self.line(&decisions::line(tick)) } else { Ok(()) }
    }

    /// Writes a line, where lines were asked for.
    pub(crate) fn line(&mut self, line: &str) -> anyhow::Result<()> {
        match &mut self.lines {
            Some(lines) => writeln!(lines, "{line}")
                .with_context(|| format!("cannot write one of {}", self.names.join(", "))),
            None => Ok(()),
        }
    }

    /// Writes one tick to tape and page, where they were asked for.
    pub(crate) fn take(
        &mut self,
        tick: &Tick,
        frame: Option<&Frame<'_>>,
        human: Option<Human>,
    ) -> anyhow::Result<()> {
        if let Some(record) = &mut self.record {
            if let Some(frame) = frame {
                record.tape.labelled(frame, human)?;
            }
            record.tape.tick(tick)?;
        }
        if let Some(page) = &mut self.page {
            let begun = *self.begun.get_or_insert(tick.inputs.now);
            let shown = picture::for_page(frame);
            let pictures: Vec<(&str, &[u8])> =
                shown.iter().map(|(mime, bytes)| (*mime, bytes.as_ref())).collect();
            let seconds = tick.inputs.now.since(begun).as_millis_f64() / 1e3;
            #[expect(clippy::cast_possible_truncation, reason = "shown in a chart; the tape keeps all of it")]
            let human = human.map(|human| (human.steering as f32, human.throttle as f32));
            page.frame(&PageFrame { tick, pictures: &pictures, seconds, human })
                .context("cannot write the report")?;
        }
        Ok(())
    }

    /// Removes what a recording has come to where the replay failed: half of one would look like a short drive.
    pub(crate) fn abandon(self) -> anyhow::Result<()> {
        match self.record {
            Some(Recording { partial, .. }) => std::fs::remove_file(&partial)
                .with_context(|| format!("cannot remove the unfinished {}", partial.display())),
            None => Ok(()),
        }
    }

    /// Closes every file; the page gets its verdict.
    pub(crate) fn finish(self, foot: &PageFoot) -> anyhow::Result<()> {
        if let Some(record) = self.record {
            let Recording { mut tape, partial, file } = record;
            tape.sync().and_then(|()| tape.finish()).with_context(|| writing(&file))?;
            std::fs::rename(&partial, &file).with_context(|| writing(&file))?;
        }
        if let Some(mut lines) = self.lines {
            lines.flush().with_context(|| format!("cannot write one of {}", self.names.join(", ")))?;
        }
        if let Some(page) = self.page {
            page.finish(foot).context("cannot write the report")?;
        }
        Ok(())
    }
}

fn writing(file: &Path) -> String {
    format!("cannot write {}", file.display())
}

fn create(file: &Path) -> anyhow::Result<BufWriter<File>> {
    File::create(file).map(BufWriter::new).with_context(|| format!("cannot create {}", file.display()))
}

/// Refuses outputs that would destroy something: what is read, each other, or a file that is no page of ours.
fn allowed(wanted: &Wanted<'_>) -> anyhow::Result<()> {
    let outputs: Vec<&Path> = [wanted.record, wanted.report, wanted.lines].into_iter().flatten().collect();
    let model = std::fs::canonicalize(wanted.model).unwrap_or_else(|_| wanted.model.to_owned());
    for (at, file) in outputs.iter().enumerate() {
        files::not_one_of(file, wanted.read)?;
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        if std::fs::canonicalize(folder).is_ok_and(|folder| folder.starts_with(&model)) {
            bail!(
                "{} lies in the model's folder, which holds the model alone; name another place",
                file.display()
            );
        }
        if outputs.iter().skip(at + 1).any(|other| files::same(file, other)) {
            bail!("{} is named for two outputs; give each its own file", file.display());
        }
    }
    let taken = |file: &Path| file.is_file() && !wanted.force;
    if let Some(report) = wanted.report.filter(|file| taken(file) && !is_page(file)) {
        bail!(
            "{} exists and is no report of hairpin's; name another file, or replace it with --force",
            report.display()
        );
    }
    if let Some(lines) = wanted.lines.filter(|file| taken(file)) {
        bail!("{} exists; name another file, or replace it with --force", lines.display());
    }
    Ok(())
}

/// Whether a file is a page that an earlier replay wrote, which a new one may replace.
fn is_page(file: &Path) -> bool {
    let mut head = Vec::new();
    let read = File::open(file).and_then(|file| file.take(4096).read_to_end(&mut head));
    read.is_ok() && String::from_utf8_lossy(&head).contains(GENERATOR)
}

/// What every tape of ours says; `build` names the program.
pub(crate) fn header(build: String, loaded: &Loaded, setup: &Setup, config: &Config) -> Header {
    let header = Header::default()
        .with(key::BUILD, build)
        .with(key::MODEL, &loaded.card.name)
        .with(key::MODEL_DIGEST, loaded.digest().to_string())
        .with(key::CONFIG_DIGEST, setup::digest(setup, config).to_string())
        .with(key::CALIBRATION, setup::calibration_text(&setup.calibration));
    loaded.arithmetic.on_tape(header)
}

/// What every page says, under a title of its own.
pub(crate) fn head(title: String, build: String, loaded: &Loaded, setup: &Setup) -> PageHead {
    let space = &loaded.card.action_space;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    PageHead {
        title,
        facts: vec![
            fact("model", format!("{} ({})", loaded.label(), loaded.card.network_digest.short())),
            fact("network", loaded.card.network_name.clone().unwrap_or_else(|| "not named".to_owned())),
            fact("kernels", loaded.arithmetic.text()),
            fact("preparation", format!("{:?}", setup.recipe.preparation)),
            fact("calibration", setup::calibration_text(&setup.calibration)),
            fact("build", build),
        ],
        action_labels: match space {
            ActionSpace::Discrete(actions) => {
                actions.iter().map(|action| format!("{} {}", action.steering, action.speed)).collect()
            }
            ActionSpace::Continuous(_) => Vec::new(),
        },
        steering_scale_deg: space.steering_scale(),
        speed_scale: space.speed_scale(),
        budgets_ms: BUDGETS_MS.map(Some),
    }
}
