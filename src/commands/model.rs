//! A model folder: written by `import`, and loaded by everything that runs one. Loading trusts nothing: digests
//! first, then the network is built, then it must answer its witness questions as it did. The one model without a
//! folder is the scripted driver.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::files::bounded;
use super::fixed;
use super::intake::Intake;
use super::scripted;
use super::setup::policy_limits;
use crate::config::{Config, Metadata, Precision, card, metadata};
use crate::domain::{Digest, FixedPlan, FixedPoint, ModelCard, Recipe};
use crate::policy::fixed::crew::Threads;
use crate::policy::guided::Guided;
use crate::policy::kernels::Path as Instructions;
use crate::policy::{self, Expectation, Member, NetworkKind, Plan, Policy, Typed, plan, witness};
use crate::tape::header::{Header, key};

/// The card's file in a model folder.
pub(crate) const CARD: &str = "model.toml";
/// The fixed-point plan's file.
const FIXED: &str = "model.fixed";
const METADATA: &str = "model_metadata.json";
const HYPER: &str = "hyperparameters.json";

/// A model that is ready to drive.
pub(crate) struct Loaded {
    pub(crate) card: ModelCard,
    pub(crate) policy: Box<dyn Policy + Send>,
    /// What makes its scores.
    pub(crate) arithmetic: Arithmetic,
}

/// What decides, for tapes and reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Arithmetic {
    /// Scores are comparable bit for bit where this is equal: the kernels of an `f32` plan, or the fixed-point plan.
    pub(crate) kernels: String,
    /// The instructions that ran it; of no consequence for a fixed-point plan.
    pub(crate) instructions: &'static str,
    /// What there is to say about its threads; none where there is one, as asked.
    threads: Option<&'static str>,
}

impl Arithmetic {
    /// The network as it came.
    pub(crate) fn float() -> Self {
        Self { kernels: plan::kernels().to_owned(), instructions: plan::kernels(), threads: None }
    }

    /// The same, where the settings ask for so many threads.
    fn float_in(threads: Threads) -> Self {
        let vain = (threads == Threads::Two).then_some("one thread (policy.threads is for fixed point)");
        Self { threads: vain, ..Self::float() }
    }

    /// Both, for people.
    pub(crate) fn text(&self) -> String {
        let mut text = self.kernels.clone();
        if self.kernels != self.instructions {
            text = format!("{text} on {}", self.instructions);
        }
        self.threads.map_or(text.clone(), |threads| format!("{text}, {threads}"))
    }

    /// What a tape says.
    pub(crate) fn on_tape(&self, header: Header) -> Header {
        let header = header.with(key::KERNELS, &self.kernels);
        if self.kernels == self.instructions {
            header
        } else {
            header.with(key::INSTRUCTIONS, self.instructions)
        }
    }

    fn fixed(plan: &FixedPlan, path: Instructions, threads: Threads) -> Self {
        let digest = plan.digest.short();
        let kernels = if plan.kept.is_empty() {
            format!("{FIXED_KERNELS}{digest}")
        } else {
            format!("{FIXED_KERNELS}{digest} and {}", plan::kernels())
        };
        let threads = match threads {
            Threads::One => None,
            Threads::Two if plan.kept.is_empty() => Some("two threads"),
            Threads::Two => Some("one thread (policy.threads is for networks that are whole in fixed point)"),
        };
        Self { kernels, instructions: path.name(), threads }
    }

    /// Nothing that depends on a machine.
    fn none() -> Self {
        Self { kernels: scripted::KERNELS.to_owned(), instructions: scripted::KERNELS, threads: None }
    }
}

/// What the kernels of a fixed-point plan are called on tape, before its digest.
pub(crate) const FIXED_KERNELS: &str = "fixed point ";

impl Loaded {
    /// What a tape calls this model: network and metadata together.
    pub(crate) fn digest(&self) -> Digest {
        digest(&self.card)
    }

    /// Its name for people; a driver who cheats is called one.
    pub(crate) fn label(&self) -> String {
        scripted::label(&self.card.name, &self.arithmetic.kernels)
    }
}

/// A model folder, whole.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) card: ModelCard,
    pub(crate) plan: Plan,
    pub(crate) arithmetic: Arithmetic,
    pub(crate) metadata: Metadata,
    pub(crate) hyperparameters: Option<Member>,
}

/// What a tape calls a model: network and metadata together.
pub(crate) fn digest(card: &ModelCard) -> Digest {
    let both = [card.network_digest.0, card.metadata_digest.0].concat();
    Digest::of(&both)
}

/// Loads a model folder, or the scripted driver by its name.
///
/// # Errors
/// As [`load_folder`].
pub(crate) fn load(model: &Path, config: &Config) -> anyhow::Result<Loaded> {
    if scripted::is_meant(model) {
        let card = scripted::card();
        return Ok(Loaded { card, policy: Box::new(Guided), arithmetic: Arithmetic::none() });
    }
    let Folder { card, plan, arithmetic, .. } = load_folder(model, config)?;
    Ok(Loaded { card, policy: Box::new(plan), arithmetic })
}

/// Loads a model folder.
///
/// # Errors
/// A folder that is none, a file that changed since import, or a network that answers differently.
pub(crate) fn load_folder(folder: &Path, config: &Config) -> anyhow::Result<Folder> {
    let file = folder.join(CARD);
    if !file.is_file() {
        bail!(
            "{} is no model folder: it has no {CARD}; `hairpin import PATH` makes one from an archive, a .pb or an .onnx",
            folder.display()
        );
    }
    load_checked(folder, &file, config).with_context(|| format!("cannot load the model {}", folder.display()))
}

fn load_checked(folder: &Path, file: &Path, config: &Config) -> anyhow::Result<Folder> {
    let text = String::from_utf8(bounded(file, 1 << 20)?).with_context(|| format!("{CARD} is not text"))?;
    let card = card::read(CARD, &text)?;
    let Some(kind) = NetworkKind::from_name(&card.network_file) else {
        bail!("{CARD}, key network_file: saw {:?}, wanted model.pb or model.onnx", card.network_file);
    };
    let words = bounded(&folder.join(METADATA), 1 << 20)?;
    unchanged(METADATA, &words, card.metadata_digest)?;
    let metadata = metadata::read(METADATA, &words)?;
    agrees(&card, &metadata)?;
    let (plan, arithmetic) =
        if let (FixedPoint::Made(fixed), Precision::Fixed) = (&card.fixed, config.precision) {
            fixed_plan(folder, (&card, fixed), kind, config)?
        } else {
            let mut plan = typed(folder, &card, kind, config)?.plan()?;
            witness::check(&mut plan, &card.recipe, &card.witnesses)?;
            (plan, Arithmetic::float_in(fixed::threads(config)))
        };
    let hyper = folder.join(HYPER);
    let hyperparameters = if hyper.is_file() {
        Some(Member { path: HYPER.to_owned(), bytes: bounded(&hyper, 1 << 20)? })
    } else {
        None
    };
    Ok(Folder { card, plan, arithmetic, metadata, hyperparameters })
}

/// The network itself, unchanged since it was imported.
fn typed(folder: &Path, card: &ModelCard, kind: NetworkKind, config: &Config) -> anyhow::Result<Typed> {
    let network = bounded(&folder.join(kind.file_name()), u64::from(config.import.max_network_mib) << 20)?;
    unchanged(kind.file_name(), &network, card.network_digest)?;
    let want = Expectation {
        sensors: &card.recipe.sensors,
        outputs: card.action_space.outputs(),
        output: Some(&card.output),
        limits: policy_limits(config),
    };
    Ok(policy::read(kind, &network, &want)?.typed)
}

/// The fixed-point plan. It stands for the whole network, which is then not even read; or for some of its layers.
fn fixed_plan(
    folder: &Path,
    (card, fixed): (&ModelCard, &FixedPlan),
    kind: NetworkKind,
    config: &Config,
) -> anyhow::Result<(Plan, Arithmetic)> {
    let bytes = bounded(&folder.join(FIXED), u64::from(config.import.max_network_mib) << 20)
        .context("--precision f32 goes without it; importing the model again makes it anew")?;
    unchanged(FIXED, &bytes, fixed.digest)?;
    let typed = if fixed.kept.is_empty() { None } else { Some(typed(folder, card, kind, config)?) };
    let (path, threads) = (fixed::path(config), fixed::threads(config));
    let means = (path, threads);
    let plan = fixed::load(&bytes, fixed, card.network_digest, (typed.as_ref(), &card.recipe), means)?;
    Ok((plan, Arithmetic::fixed(fixed, path, threads)))
}

/// The card repeats what the metadata says; where it says otherwise, somebody edited it.
fn agrees(card: &ModelCard, metadata: &Metadata) -> anyhow::Result<()> {
    let stock = Recipe { sensors: card.recipe.sensors.clone(), ..Recipe::default() };
    let checks = [
        ("action_space", card.action_space == metadata.space),
        ("algorithm", card.algorithm == metadata.algorithm.name()),
        ("neural_network", card.network_name == metadata.network_name),
        ("preparation or squash", card.recipe == stock),
    ];
    match checks.iter().find(|(_, same)| !same) {
        Some((key, _)) => bail!(
            "{CARD}, key {key}: does not say what {METADATA} and the import say; import the model again, and choose \
             vision.preparation and policy.squash in hairpin.toml"
        ),
        None => Ok(()),
    }
}

fn unchanged(file: &str, bytes: &[u8], wanted: Digest) -> anyhow::Result<()> {
    let saw = Digest::of(bytes);
    if saw != wanted {
        bail!(
            "{file} was changed since it was imported: its sha256 begins with {}, {CARD} says {}; import the model again",
            saw.short(),
            wanted.short()
        );
    }
    Ok(())
}

/// Writes a model folder: beside its place first, then renamed, so that a folder of that name is always whole.
///
/// # Errors
/// Where a folder of that name holds another model and `force` is not given, or the disk refuses.
pub(crate) fn write(intake: &Intake, models: &Path, force: bool) -> anyhow::Result<bool> {
    let folder = models.join(&intake.card.name);
    if folder.exists() && !force {
        let old =
            std::fs::read_to_string(folder.join(CARD)).ok().and_then(|text| card::read(CARD, &text).ok());
        let fixed = old.as_ref().is_some_and(|old| old.fixed == intake.card.fixed);
        let same = old.is_some_and(|old| digest(&old) == digest(&intake.card));
        // The files too: importing again is what is advised where one of them was damaged or is gone.
        let holds = |name: &str, bytes: &[u8]| std::fs::read(folder.join(name)).is_ok_and(|own| own == bytes);
        let whole = holds(intake.parts.kind.file_name(), &intake.parts.network.bytes)
            && holds(METADATA, &intake.parts.metadata.bytes)
            && intake.fixed.iter().all(|plan| holds(FIXED, plan))
            && intake.parts.hyperparameters.iter().all(|member| holds(HYPER, &member.bytes));
        if same && fixed && whole {
            return Ok(false);
        }
        // The same model with other hyperparameters or another plan is written again.
        ensure!(
            same,
            "{} exists and is another model; choose a --name, or replace it with --force",
            folder.display()
        );
    }
    // Of this very process, so that two imports at once do not write into each other.
    let partial = models.join(format!(".{}.{}.partial", intake.card.name, std::process::id()));
    if partial.exists() {
        std::fs::remove_dir_all(&partial).with_context(|| format!("cannot clear {}", partial.display()))?;
    }
    std::fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
    let mut files = vec![
        (CARD, card::write(&intake.card)?.into_bytes()),
        (intake.parts.kind.file_name(), intake.parts.network.bytes.clone()),
        (METADATA, intake.parts.metadata.bytes.clone()),
    ];
    files.extend(intake.fixed.iter().map(|plan| (FIXED, plan.clone())));
    files.extend(intake.parts.hyperparameters.iter().map(|member| (HYPER, member.bytes.clone())));
    for (name, bytes) in files {
        let path = partial.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        let written = std::fs::File::open(&path).and_then(|file| file.sync_all());
        written.with_context(|| format!("cannot bring {} to disk", path.display()))?;
    }
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot replace {}", folder.display()))?;
    }
    std::fs::rename(&partial, &folder).with_context(|| format!("cannot name {}", folder.display()))?;
    Ok(true)
}
