//! The files that a replay writes: a tape, a page, decisions as lines. Refuses those that would destroy something.

use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::model::Loaded;
use super::{build_id, files, picture, setup};
use crate::cli::Replay;
use crate::config::Config;
use crate::domain::{ActionSpace, Frame, Tick};
use crate::drive::Setup;
use crate::policy::plan;
use crate::report::decisions;
use crate::report::latency::BUDGETS_MS;
use crate::report::page::{
    FirstDivergence, GENERATOR, LatencyRow, PageFoot, PageFrame, PageHead, PageWriter,
};
use crate::report::replay::{Compared, ReplayReport};
use crate::tape::header::{Header, key};
use crate::tape::{Human, TapeWriter};
use crate::units::Instant;

/// Header entry of a tape whose frames were filled up.
const FILLED: &str = "filled_sensors";

/// A tape that gets its name when it is whole; until then an older one of that name lives.
struct Recording {
    tape: TapeWriter<BufWriter<File>>,
    partial: PathBuf,
    file: PathBuf,
}

/// Files that a replay writes.
pub(crate) struct Outputs {
    record: Option<Recording>,
    page: Option<PageWriter<BufWriter<File>>>,
    decisions: Option<BufWriter<File>>,
    names: Vec<String>,
    begun: Option<Instant>,
}

impl Outputs {
    pub(crate) fn open(
        args: &Replay,
        config: &Config,
        loaded: &Loaded,
        setup: &Setup,
    ) -> anyhow::Result<Self> {
        let files = [&args.record, &args.report, &args.decisions];
        allowed(args)?;
        let header = header(args, config, loaded, setup);
        let page = match &args.report {
            Some(file) => {
                let head = head(args, loaded, setup);
                Some(PageWriter::begin(create(file)?, &head).with_context(|| writing(file))?)
            }
            None => None,
        };
        let decisions = args.decisions.as_deref().map(create).transpose()?;
        // Last, so that nothing of it is left behind where another file cannot be made.
        let record = match &args.record {
            Some(file) => {
                let partial = files::partial(file, args.force)?;
                let tape = TapeWriter::create(&partial, &header, true)?;
                Some(Recording { tape, partial, file: file.clone() })
            }
            None => None,
        };
        let names = files.into_iter().flatten().map(|file| file.display().to_string()).collect();
        Ok(Self { record, page, decisions, names, begun: None })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Writes one tick to every file that was asked for.
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
        if let Some(lines) = &mut self.decisions {
            writeln!(lines, "{}", decisions::line(tick))
                .with_context(|| format!("cannot write one of {}", self.names.join(", ")))?;
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
    pub(crate) fn finish(self, report: &ReplayReport) -> anyhow::Result<()> {
        if let Some(record) = self.record {
            let Recording { mut tape, partial, file } = record;
            tape.sync().and_then(|()| tape.finish()).with_context(|| writing(&file))?;
            std::fs::rename(&partial, &file).with_context(|| writing(&file))?;
        }
        if let Some(mut lines) = self.decisions {
            lines.flush().context("cannot write the decisions")?;
        }
        if let Some(page) = self.page {
            let rows = report.latency.iter().map(|row| LatencyRow {
                stage: row.stage,
                p50_ms: row.p50,
                p95_ms: row.p95,
                p99_ms: row.p99,
                max_ms: row.max,
            });
            let divergence = match &report.compared {
                Compared::Diverged(at) => Some(FirstDivergence { tick: at.tick, text: at.to_string() }),
                _ => None,
            };
            let foot = PageFoot {
                verdict: report.verdict(),
                ok: divergence.is_none(),
                latency: rows.collect(),
                divergence,
            };
            page.finish(&foot).context("cannot write the report")?;
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
fn allowed(args: &Replay) -> anyhow::Result<()> {
    let outputs: Vec<&Path> =
        [&args.record, &args.report, &args.decisions].into_iter().flatten().map(PathBuf::as_path).collect();
    let golden = args.expect.as_ref().and_then(Option::as_deref);
    let model = std::fs::canonicalize(&args.model).unwrap_or_else(|_| args.model.clone());
    for (at, file) in outputs.iter().enumerate() {
        files::not_one_of(file, &[args.tape.as_path(), golden.unwrap_or(&args.tape)])?;
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
    let taken = |file: &Path| file.is_file() && !args.force;
    if let Some(report) = args.report.as_deref().filter(|file| taken(file) && !is_page(file)) {
        bail!(
            "{} exists and is no report of hairpin's; name another file, or replace it with --force",
            report.display()
        );
    }
    if let Some(lines) = args.decisions.as_deref().filter(|file| taken(file)) {
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

fn header(args: &Replay, config: &Config, loaded: &Loaded, setup: &Setup) -> Header {
    let plain = Header::default();
    // The frames on the new tape hold what was fed in, so the tape has to say that nobody recorded it.
    let begun = if args.fill_sensors {
        plain.with(FILLED, "what the source lacked: see --fill-sensors")
    } else {
        plain
    };
    begun
        .with(key::BUILD, build_id())
        .with(key::MODEL, &loaded.card.name)
        .with(key::MODEL_DIGEST, loaded.digest().to_string())
        .with(key::CONFIG_DIGEST, setup::digest(setup, config).to_string())
        .with(key::KERNELS, plan::kernels())
        .with(key::CALIBRATION, setup::calibration_text(&setup.calibration))
        .with(key::RIG, "tape")
        .with(key::CREATED_BY, format!("hairpin replay of {}", picture::file_name(&args.tape)))
}

fn head(args: &Replay, loaded: &Loaded, setup: &Setup) -> PageHead {
    let space = &loaded.card.action_space;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    PageHead {
        title: format!("{} through {}", picture::file_name(&args.tape), loaded.card.name),
        facts: vec![
            fact("model", format!("{} ({})", loaded.card.name, loaded.card.network_digest.short())),
            fact("network", loaded.card.network_name.clone().unwrap_or_else(|| "not named".to_owned())),
            fact("kernels", plan::kernels().to_owned()),
            fact("preparation", format!("{:?}", setup.recipe.preparation)),
            fact("calibration", setup::calibration_text(&setup.calibration)),
            fact("build", build_id()),
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
