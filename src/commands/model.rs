//! A model folder: written by `import`, and loaded by everything that runs one. Loading trusts nothing: digests
//! first, then the network is built, then it must answer its witness questions as it did. The one model without a
//! folder is the scripted driver.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::files::bounded;
use super::intake::Intake;
use super::scripted;
use super::setup::policy_limits;
use crate::config::{Config, Metadata, card, metadata};
use crate::domain::{Digest, ModelCard, Recipe};
use crate::policy::guided::Guided;
use crate::policy::{Expectation, Member, NetworkKind, Plan, Policy, build, plan, witness};

/// The card's file in a model folder.
pub(crate) const CARD: &str = "model.toml";
const METADATA: &str = "model_metadata.json";
const HYPER: &str = "hyperparameters.json";

/// A model that is ready to drive.
pub(crate) struct Loaded {
    pub(crate) card: ModelCard,
    pub(crate) policy: Box<dyn Policy + Send>,
    /// What makes its scores.
    pub(crate) kernels: &'static str,
}

impl Loaded {
    /// What a tape calls this model: network and metadata together.
    pub(crate) fn digest(&self) -> Digest {
        digest(&self.card)
    }

    /// Its name for people; a driver who cheats is called one.
    pub(crate) fn label(&self) -> String {
        scripted::label(&self.card.name, self.kernels)
    }
}

/// A model folder, whole.
#[derive(Debug)]
pub(crate) struct Folder {
    pub(crate) card: ModelCard,
    pub(crate) plan: Plan,
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
        return Ok(Loaded { card, policy: Box::new(Guided), kernels: scripted::KERNELS });
    }
    let Folder { card, plan, .. } = load_folder(model, config)?;
    Ok(Loaded { card, policy: Box::new(plan), kernels: plan::kernels() })
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
    let network = bounded(&folder.join(kind.file_name()), u64::from(config.import.max_network_mib) << 20)?;
    unchanged(kind.file_name(), &network, card.network_digest)?;
    let words = bounded(&folder.join(METADATA), 1 << 20)?;
    unchanged(METADATA, &words, card.metadata_digest)?;
    let metadata = metadata::read(METADATA, &words)?;
    agrees(&card, &metadata)?;
    let want = Expectation {
        sensors: &card.recipe.sensors,
        outputs: card.action_space.outputs(),
        output: Some(&card.output),
        limits: policy_limits(config),
    };
    let mut built = build(kind, &network, &want)?;
    witness::check(&mut built.plan, &card.recipe, &card.witnesses)?;
    let hyper = folder.join(HYPER);
    let hyperparameters = if hyper.is_file() {
        Some(Member { path: HYPER.to_owned(), bytes: bounded(&hyper, 1 << 20)? })
    } else {
        None
    };
    Ok(Folder { card, plan: built.plan, metadata, hyperparameters })
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
        let same = old.is_some_and(|old| digest(&old) == digest(&intake.card));
        let kept = std::fs::read(folder.join(HYPER)).ok();
        if same && intake.parts.hyperparameters.as_ref().is_none_or(|new| Some(&new.bytes) == kept.as_ref()) {
            return Ok(false);
        }
        // The same model with other hyperparameters is written again; they say nothing about how it drives.
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
