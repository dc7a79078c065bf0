//! From whatever a user points at to a checked model in memory: archive, folder, or a bare network beside its
//! metadata. Nothing is written here.

use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::files::bounded;
use super::setup::policy_limits;
use crate::config::explain::{Derived, Explanation, Level, Warning, explain};
use crate::config::{Config, Metadata, hyper, metadata};
use crate::domain::{Digest, FixedPoint, ModelCard, Preparation, Recipe, Squash};
use crate::policy::{
    self, ArchiveLimits, Expectation, Member, Network, NetworkKind, Parts, Typed, archive, witness,
};

/// A model, read, built and asked its witness questions.
#[derive(Debug)]
pub(crate) struct Intake {
    pub(crate) parts: Parts,
    pub(crate) card: ModelCard,
    pub(crate) metadata: Metadata,
    /// The network, to make plans of.
    pub(crate) typed: Typed,
    /// The fixed-point plan, where one was made.
    pub(crate) fixed: Option<Vec<u8>>,
}

/// Folders below the one that is named that are looked through for parts.
pub(crate) const DEPTH: usize = 4;

/// Reads and checks a model.
///
/// # Errors
/// What is wrong, in which file, and what to do.
pub(crate) fn read(path: &Path, name: &str, output: Option<&str>, config: &Config) -> anyhow::Result<Intake> {
    let parts = parts(path, config).with_context(|| format!("cannot read the model {}", path.display()))?;
    let metadata = metadata::read(&parts.metadata.path, &parts.metadata.bytes)
        .with_context(|| format!("cannot read the model {}", path.display()))?;
    let want = Expectation {
        sensors: &metadata.sensors,
        outputs: metadata.space.outputs(),
        output,
        limits: policy_limits(config),
    };
    let unusable = || format!("cannot use the network {} of {}", parts.network.path, path.display());
    let network = policy::read(parts.kind, &parts.network.bytes, &want).with_context(unusable)?;
    let Network { typed, inputs, output, facts } = network;
    let sensors = inputs.iter().map(|(sensor, _)| *sensor).collect();
    let recipe = Recipe { sensors, preparation: Preparation::Stock, squash: Squash::Stock };
    let mut plan = typed.clone().plan().with_context(unusable)?;
    let witnesses = witness::ask(&mut plan, &recipe).with_context(unusable)?;
    let card = ModelCard {
        name: name.to_owned(),
        network_file: parts.kind.file_name().to_owned(),
        network_digest: Digest::of(&parts.network.bytes),
        metadata_digest: Digest::of(&parts.metadata.bytes),
        inputs,
        output,
        recipe,
        action_space: metadata.space.clone(),
        algorithm: metadata.algorithm.name().to_owned(),
        network_name: metadata.network_name.clone(),
        facts,
        witnesses,
        fixed: FixedPoint::Absent,
    };
    Ok(Intake { parts, card, metadata, typed, fixed: None })
}

/// Hyperparameters in words, or why they cannot be read; a model drives without them.
pub(crate) fn training(member: Option<&Member>, metadata: &Metadata) -> Option<Result<Explanation, String>> {
    let member = member?;
    Some(match hyper::read_each(&member.path, &member.bytes) {
        Ok((given, refused)) => {
            let mut explanation = explain(&given, metadata.algorithm, &metadata.space);
            for (key, error) in refused {
                refuse(&mut explanation, &key, error.to_string());
            }
            let tolerated = given.notes.into_iter().map(|text| Derived { label: "tolerated", text });
            explanation.derived.extend(tolerated);
            Ok(explanation)
        }
        Err(error) => Err(error.to_string()),
    })
}

/// Puts the reason at the row of a key that cannot be read.
fn refuse(explanation: &mut Explanation, key: &str, text: String) {
    let warning = Warning { level: Level::Error, text };
    match explanation.rows.iter_mut().find(|row| row.key == key) {
        Some(row) => {
            "not readable".clone_into(&mut row.value);
            row.warnings = vec![warning];
        }
        None => explanation.derived.push(Derived { label: "not readable", text: warning.text }),
    }
}

/// The name that a model gets from its file: up to the archive's endings; for a bare network its folder's.
pub(crate) fn default_name(path: &Path) -> String {
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    // Every export is called model.pb, most of them in agent/; the folder has the name.
    if matches!(file.as_str(), "model.pb" | "model.onnx" | "agent")
        && let Some(folder) = path.parent().filter(|folder| folder.file_name().is_some())
    {
        return default_name(folder);
    }
    let lower = file.to_ascii_lowercase();
    let ending =
        [".tar.gz", ".tgz", ".tar", ".pb", ".onnx", ".mcap"].into_iter().find(|end| lower.ends_with(end));
    let stem = ending.and_then(|end| file.get(..file.len() - end.len())).unwrap_or(&file);
    let clean = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '_' };
    stem.chars().map(clean).collect::<String>().trim_matches('.').to_owned()
}

fn parts(path: &Path, config: &Config) -> anyhow::Result<Parts> {
    let limits = ArchiveLimits {
        unpacked: u64::from(config.import.max_network_mib) << 20,
        entries: config.import.max_entries as usize,
        ..ArchiveLimits::default()
    };
    if path.is_dir() {
        return Ok(archive::select(folder(path, &limits)?, &limits)?);
    }
    if NetworkKind::from_name(&path.to_string_lossy()).is_some() {
        return Ok(archive::select(beside(path, &limits)?, &limits)?);
    }
    let bytes = bounded(path, u64::from(config.import.max_archive_mib) << 20)?;
    Ok(archive::from_archive(&bytes, &limits)?)
}

/// The network, and its metadata and hyperparameters from the same folder, the one above (`agent/model.pb`), or
/// the training folder's `model/` and `ip/`.
fn beside(network: &Path, limits: &ArchiveLimits) -> anyhow::Result<Vec<Member>> {
    let own = network.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let above = own.join("..");
    let places = [
        (own.join("model_metadata.json"), "model_metadata.json"),
        (above.join("model_metadata.json"), "model_metadata.json"),
        (above.join("model").join("model_metadata.json"), "model_metadata.json"),
        (own.join("hyperparameters.json"), "hyperparameters.json"),
        (own.join("ip/hyperparameters.json"), "hyperparameters.json"),
        (above.join("ip/hyperparameters.json"), "hyperparameters.json"),
    ];
    let file = network.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut members = vec![Member { path: file, bytes: bounded(network, limits.unpacked)? }];
    for (place, name) in places {
        if place.is_file() && !members.iter().any(|member| member.path == name) {
            members.push(Member { path: name.to_owned(), bytes: bounded(&place, limits.json)? });
        }
    }
    Ok(members)
}

fn folder(root: &Path, limits: &ArchiveLimits) -> anyhow::Result<Vec<Member>> {
    let mut members = Vec::new();
    let mut open = vec![(root.to_path_buf(), 0)];
    while let Some((place, depth)) = open.pop() {
        let listing =
            std::fs::read_dir(&place).with_context(|| format!("cannot list {}", place.display()))?;
        for entry in listing {
            let entry = entry.with_context(|| format!("cannot list {}", place.display()))?;
            let kind =
                entry.file_type().with_context(|| format!("cannot look at {}", entry.path().display()))?;
            if kind.is_dir() && depth < DEPTH {
                open.push((entry.path(), depth + 1));
            } else if kind.is_file() {
                let path = entry.path();
                let inside = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let bytes = if archive::is_of_interest(&inside) {
                    bounded(&path, limits.unpacked)?
                } else {
                    Vec::new()
                };
                members.push(Member { path: inside, bytes });
            }
        }
    }
    members.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(members)
}
