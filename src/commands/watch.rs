//! What a replay does with every tick: hold it against the recording, count it, and write what was asked for. The
//! first difference, and the first file that cannot be written, end the loop.

use std::cell::Cell;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context as _, bail};
use indicatif::ProgressBar;

use super::model::Loaded;
use super::picture;
use super::{Context, build_id, setup};
use crate::cli::Replay;
use crate::domain::{ActionSpace, Frame, Tick};
use crate::drive::{Setup, Sink};
use crate::policy::plan;
use crate::report::decisions;
use crate::report::latency::{BUDGETS_MS, Latency};
use crate::report::page::{FirstDivergence, LatencyRow, PageFoot, PageFrame, PageHead, PageWriter};
use crate::report::replay::{Compared, Difference, ReplayReport};
use crate::report::tape::count;
use crate::tape::header::{Header, key};
use crate::tape::{Human, ScoreRule, Tape, TapeWriter, compare};
use crate::units::Instant;

/// Files that a replay writes.
pub(crate) struct Outputs {
    record: Option<TapeWriter<BufWriter<File>>>,
    page: Option<PageWriter<BufWriter<File>>>,
    decisions: Option<BufWriter<File>>,
    names: Vec<String>,
    begun: Option<Instant>,
}

impl Outputs {
    pub(crate) fn open(
        args: &Replay,
        context: &Context,
        loaded: &Loaded,
        setup: &Setup,
    ) -> anyhow::Result<Self> {
        let files = [&args.record, &args.report, &args.decisions];
        for file in files.into_iter().flatten() {
            if file.exists() && same(file, &args.tape) {
                bail!("{} is the tape itself; name another file", file.display());
            }
        }
        let header = header(args, loaded, setup);
        let record = match &args.record {
            Some(file) => Some(TapeWriter::create(file, &header, args.force)?),
            None => None,
        };
        let page = match &args.report {
            Some(file) => {
                let head = head(args, context, loaded, setup);
                Some(PageWriter::begin(create(file)?, &head).with_context(|| writing(file))?)
            }
            None => None,
        };
        let decisions = args.decisions.as_deref().map(create).transpose()?;
        let names = files.into_iter().flatten().map(|file| file.display().to_string()).collect();
        Ok(Self { record, page, decisions, names, begun: None })
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    fn take(&mut self, tick: &Tick, frame: Option<&Frame<'_>>, human: Option<Human>) -> anyhow::Result<()> {
        if let Some(record) = &mut self.record {
            if let Some(frame) = frame {
                record.labelled(frame, human)?;
            }
            record.tick(tick)?;
        }
        if let Some(lines) = &mut self.decisions {
            writeln!(lines, "{}", decisions::line(tick)).context("cannot write the decisions")?;
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

    /// Closes every file; the page gets its verdict.
    pub(crate) fn finish(self, report: &ReplayReport) -> anyhow::Result<()> {
        if let Some(record) = self.record {
            record.finish().context("cannot finish the new tape")?;
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

fn same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

fn header(args: &Replay, loaded: &Loaded, setup: &Setup) -> Header {
    Header::default()
        .with(key::BUILD, build_id())
        .with(key::MODEL, &loaded.card.name)
        .with(key::MODEL_DIGEST, loaded.digest().to_string())
        .with(key::CONFIG_DIGEST, setup::digest(setup).to_string())
        .with(key::KERNELS, plan::kernels())
        .with(key::CALIBRATION, format!("{:?}", setup.calibration))
        .with(key::RIG, "tape")
        .with(key::CREATED_BY, format!("hairpin replay of {}", picture::file_name(&args.tape)))
}

fn head(args: &Replay, context: &Context, loaded: &Loaded, setup: &Setup) -> PageHead {
    let space = &loaded.card.action_space;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    PageHead {
        title: format!("{} through {}", picture::file_name(&args.tape), loaded.card.name),
        facts: vec![
            fact("model", format!("{} ({})", loaded.card.name, loaded.card.network_digest.short())),
            fact("network", loaded.card.network_name.clone().unwrap_or_else(|| "not named".to_owned())),
            fact("kernels", plan::kernels().to_owned()),
            fact("preparation", format!("{:?}", setup.recipe.preparation)),
            fact("speed", format!("{} %", context.config.speed_percent)),
            fact("calibration", format!("{:?}", setup.calibration)),
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

/// How far a replay goes, and who is told.
#[derive(Clone, Copy)]
pub(crate) struct Ends<'a> {
    /// Ticks at the most.
    pub(crate) most: Option<u64>,
    /// Shows how far it is.
    pub(crate) bar: &'a ProgressBar,
    /// Set when the loop shall end.
    pub(crate) done: &'a Cell<bool>,
}

/// The sink of a replay.
pub(crate) struct Watcher<'a> {
    source: &'a Tape,
    reference: Option<&'a Tape>,
    rule: ScoreRule,
    most: u64,
    seen: Seen,
    failed: Option<anyhow::Error>,
    bar: &'a ProgressBar,
    done: &'a Cell<bool>,
}

/// What a replay came to.
pub(crate) struct Seen {
    pub(crate) ticks: u64,
    pub(crate) compared: u64,
    pub(crate) difference: Option<Difference>,
    pub(crate) states: Vec<(&'static str, u64)>,
    pub(crate) latency: Latency,
    pub(crate) outputs: Outputs,
}

impl<'a> Watcher<'a> {
    pub(crate) fn new(
        source: &'a Tape,
        reference: Option<&'a Tape>,
        rule: ScoreRule,
        ends: Ends<'a>,
        outputs: Outputs,
        latency: Latency,
    ) -> Self {
        let Ends { most, bar, done } = ends;
        let seen = Seen { ticks: 0, compared: 0, difference: None, states: Vec::new(), latency, outputs };
        let most = most.unwrap_or(u64::MAX);
        done.set(most == 0);
        Self { source, reference, rule, most, seen, failed: None, bar, done }
    }

    /// What was seen, or the first file that could not be written. A recording with further ticks is a difference.
    pub(crate) fn finish(mut self) -> anyhow::Result<Seen> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let recorded = self.reference.map_or(0, |tape| tape.ticks() as u64);
        let whole = self.most == u64::MAX && self.seen.difference.is_none();
        if whole && recorded > self.seen.compared {
            self.seen.difference = Some(Difference {
                tick: self.seen.compared,
                frame: None,
                stage: "inputs".to_owned(),
                field: "tick".to_owned(),
                recorded: format!("{} more decisions", recorded - self.seen.compared),
                computed: "nothing: the tape ends before them".to_owned(),
            });
        }
        Ok(self.seen)
    }

    /// The position on the source tape of the tick that was emitted last.
    fn place(&self) -> usize {
        usize::try_from(self.seen.ticks).map_or(0, |ticks| ticks.saturating_sub(1))
    }

    fn held_against(&self, tick: &Tick) -> Option<Difference> {
        let tape = self.reference?;
        let seq = tick.inputs.seq;
        let beside =
            tape.record(self.place()).and_then(|record| record.tick).filter(|tick| tick.inputs.seq == seq);
        let recorded = beside.or_else(|| tape.record(tape.position_of_tick(seq)?)?.tick);
        let Some(recorded) = recorded else {
            return Some(Difference {
                tick: tick.inputs.seq,
                frame: tick.inputs.frame.map(|frame| frame.seq.0),
                stage: "inputs".to_owned(),
                field: "tick".to_owned(),
                recorded: "nothing: the recording ends before it".to_owned(),
                computed: "a decision".to_owned(),
            });
        };
        compare::ticks(&recorded, tick, self.rule).map(|at| Difference {
            tick: at.tick,
            frame: at.frame.map(|frame| frame.0),
            stage: at.stage.to_owned(),
            field: at.field,
            recorded: at.recorded,
            computed: at.computed,
        })
    }
}

impl Sink for Watcher<'_> {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        self.seen.ticks += 1;
        self.seen.latency.count(&tick.measured);
        count(&mut self.seen.states, tick.decision.state.word());
        self.bar.inc(1);
        if let Some(difference) = self.held_against(tick) {
            self.seen.difference = Some(difference);
            self.done.set(true);
        } else if self.reference.is_some() {
            self.seen.compared += 1;
        }
        let human = self.source.record(self.place()).and_then(|record| record.human);
        if let Err(error) = self.seen.outputs.take(tick, frame, human) {
            self.failed = Some(error);
            self.done.set(true);
        }
        if self.seen.ticks >= self.most {
            self.done.set(true);
        }
        true
    }
}
