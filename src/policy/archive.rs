//! What users have, as parts in memory: the console's and DRfC's `.tar.gz`, a plain `.tar`, or members that
//! somebody else listed. Nothing is ever unpacked to disk; every limit is named in its error.

use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};
use thiserror::Error;

/// The kind of file that holds the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NetworkKind {
    /// A frozen TensorFlow `GraphDef` (`.pb`).
    FrozenTensorflow,
    /// ONNX (`.onnx`).
    Onnx,
}

impl NetworkKind {
    /// The kind that a file name says, if it says one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let extension = name.rsplit_once('.')?.1;
        if extension.eq_ignore_ascii_case("pb") {
            Some(Self::FrozenTensorflow)
        } else if extension.eq_ignore_ascii_case("onnx") {
            Some(Self::Onnx)
        } else {
            None
        }
    }

    /// The file's name in a model folder.
    #[must_use]
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::FrozenTensorflow => "model.pb",
            Self::Onnx => "model.onnx",
        }
    }
}

/// One file with its path inside the archive or folder.
#[derive(Clone, Debug)]
pub struct Member {
    /// Relative, with `/`.
    pub path: String,
    /// The whole content.
    pub bytes: Vec<u8>,
}

/// What an import needs.
#[derive(Clone, Debug)]
pub struct Parts {
    /// The weights.
    pub network: Member,
    /// Their kind.
    pub kind: NetworkKind,
    /// `model_metadata.json`.
    pub metadata: Member,
    /// `hyperparameters.json`, where it came along.
    pub hyperparameters: Option<Member>,
}

/// Bounds on an untrusted archive.
#[derive(Clone, Copy, Debug)]
pub struct ArchiveLimits {
    /// Bytes of everything, unpacked.
    pub unpacked: u64,
    /// Members.
    pub entries: usize,
    /// Bytes of one JSON file.
    pub json: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self { unpacked: 512 << 20, entries: 256, json: 1 << 20 }
    }
}

/// An archive that is refused.
#[derive(Debug, Error, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant's message is its documentation")]
pub enum ArchiveError {
    #[error(
        "not a model archive: begins with {saw}, wanted a .tar.gz as the AWS console or DRfC writes it{hint}"
    )]
    NotAnArchive { saw: String, hint: &'static str },
    #[error("archive is damaged after {entries} members: {saw}; download it again")]
    Damaged { entries: usize, saw: String },
    #[error("archive member {path:?} is cut: {saw} of {wanted} bytes; download it again")]
    Cut { path: String, saw: u64, wanted: u64 },
    #[error("archive has more than {max} members; a model archive has about 5")]
    TooManyEntries { max: usize },
    #[error(
        "archive unpacks to more than {max_mib} MiB (reached at {path:?}); no DeepRacer model is that large"
    )]
    TooLarge { path: String, max_mib: u64 },
    #[error("{path:?} has {saw} bytes, wanted at most {max}")]
    JsonTooLarge { path: String, saw: u64, max: u64 },
    #[error(
        "archive member {path:?} has an absolute name; nothing is unpacked, and this archive is not trusted"
    )]
    Absolute { path: String },
    #[error("archive member {path:?} climbs out of the archive with \"..\"; this archive is not trusted")]
    Climbs { path: String },
    #[error("archive member {path:?} has a name that is not text")]
    NotText { path: String },
    #[error("archive member {path:?} is a {kind}, wanted files and folders only")]
    NotAFile { path: String, kind: &'static str },
    #[error("archive holds {path:?} twice")]
    Duplicate { path: String },
    #[error("found no network: wanted one .pb or .onnx file, saw {saw}")]
    NoNetwork { saw: String },
    #[error("found {count} networks ({saw}), wanted one; import the one file that you mean")]
    ManyNetworks { count: usize, saw: String },
    #[error("found no model_metadata.json beside {network:?}, saw {saw}; it lists the actions and is needed")]
    NoMetadata { network: String, saw: String },
    #[error("found {count} files named model_metadata.json ({saw}), wanted one at the root")]
    ManyMetadata { count: usize, saw: String },
}

/// Reads a `.tar.gz` or `.tar`.
///
/// # Errors
/// [`ArchiveError`] naming the member and the limit.
pub fn from_archive(bytes: &[u8], limits: &ArchiveLimits) -> Result<Parts, ArchiveError> {
    let members = match bytes {
        [0x1f, 0x8b, ..] => members(GzDecoder::new(bytes), limits)?,
        _ if bytes.get(257..262) == Some(b"ustar") => members(bytes, limits)?,
        _ => return Err(not_an_archive(bytes)),
    };
    select(members, limits)
}

fn not_an_archive(bytes: &[u8]) -> ArchiveError {
    let hint = match bytes {
        [b'P', b'K', ..] => "; this is a zip file: unpack it and import the folder",
        [0x89, b'M', b'C', b'A', ..] => "; this is a tape: replay or inspect it",
        [0xff, 0xd8, ..] | [0x89, b'P', b'N', b'G', ..] => "; this is a picture: import its folder",
        [b'<', ..] => "; this is a web page: the download link had expired",
        [] => "; the file is empty",
        _ => "",
    };
    let head: Vec<String> = bytes.iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    let saw = if head.is_empty() { "nothing".to_owned() } else { format!("bytes {}", head.join(" ")) };
    ArchiveError::NotAnArchive { saw, hint }
}

fn members(reader: impl Read, limits: &ArchiveLimits) -> Result<Vec<Member>, ArchiveError> {
    // One byte more than is allowed, so that reaching the limit can be told from ending at it.
    let mut archive =
        Archive::new(reader.take(limits.unpacked.saturating_add(limits.entries as u64 * 1024 + 1)));
    let mut found: Vec<Member> = Vec::new();
    let mut count = 0;
    let mut total = 0_u64;
    let damaged = |entries, error: std::io::Error| ArchiveError::Damaged { entries, saw: error.to_string() };
    for entry in archive.entries().map_err(|error| damaged(0, error))? {
        let mut entry = entry.map_err(|error| damaged(count, error))?;
        count += 1;
        if count > limits.entries {
            return Err(ArchiveError::TooManyEntries { max: limits.entries });
        }
        let path = checked_path(&entry.path_bytes())?;
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {}
            EntryType::Directory | EntryType::XGlobalHeader => continue,
            other => return Err(ArchiveError::NotAFile { path, kind: kind_word(other) }),
        }
        if found.iter().any(|member| member.path == path) {
            return Err(ArchiveError::Duplicate { path });
        }
        let wanted = entry.size();
        total = total.saturating_add(wanted);
        if total > limits.unpacked {
            return Err(ArchiveError::TooLarge { path, max_mib: limits.unpacked >> 20 });
        }
        // Members that are of no interest are skipped by the iterator without being kept.
        if is_of_interest(&path) {
            let mut bytes = Vec::new();
            let cut = |saw| ArchiveError::Cut { path: path.clone(), saw, wanted };
            if entry.read_to_end(&mut bytes).is_err() || bytes.len() as u64 != wanted {
                return Err(cut(bytes.len() as u64));
            }
            found.push(Member { path, bytes });
        } else {
            found.push(Member { path, bytes: Vec::new() });
        }
    }
    if count == 0 {
        return Err(ArchiveError::Damaged { entries: 0, saw: "it holds no members".to_owned() });
    }
    // To the end of the stream, where gzip keeps the sum over everything: a cut download fails there.
    let mut rest = archive.into_inner();
    std::io::copy(&mut rest, &mut std::io::sink()).map_err(|error| damaged(count, error))?;
    Ok(found)
}

/// The path with its `./` removed, if it is one that may be looked at.
fn checked_path(raw: &[u8]) -> Result<String, ArchiveError> {
    let Ok(text) = std::str::from_utf8(raw) else {
        return Err(ArchiveError::NotText { path: String::from_utf8_lossy(raw).into_owned() });
    };
    if text.starts_with('/') || text.starts_with('\\') || text.get(1..2) == Some(":") {
        return Err(ArchiveError::Absolute { path: text.to_owned() });
    }
    if text.split(['/', '\\']).any(|part| part == "..") {
        return Err(ArchiveError::Climbs { path: text.to_owned() });
    }
    let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    Ok(parts.join("/"))
}

const fn kind_word(kind: EntryType) -> &'static str {
    match kind {
        EntryType::Link => "hard link",
        EntryType::Symlink => "symbolic link",
        EntryType::Char => "character device",
        EntryType::Block => "block device",
        EntryType::Fifo => "named pipe",
        EntryType::GNUSparse => "sparse file",
        _ => "special entry",
    }
}

fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Whether a member can be a part of a model. Files that Finder leaves behind look like the real ones and are not.
#[must_use]
pub fn is_of_interest(path: &str) -> bool {
    let name = base(path);
    !name.starts_with("._")
        && (NetworkKind::from_name(name).is_some()
            || name == "model_metadata.json"
            || name == "hyperparameters.json")
}

/// Chooses network, metadata and hyperparameters among members; the rule is the same for archives and folders.
///
/// # Errors
/// [`ArchiveError`]: none or several candidates, by name.
pub fn select(members: Vec<Member>, limits: &ArchiveLimits) -> Result<Parts, ArchiveError> {
    let listing = listing(members.iter().map(|member| member.path.as_str()));
    let members: Vec<Member> = members.into_iter().filter(|member| is_of_interest(&member.path)).collect();
    let (networks, papers): (Vec<Member>, Vec<Member>) =
        members.into_iter().partition(|member| NetworkKind::from_name(&member.path).is_some());
    if networks.len() > 1 {
        let saw = self::listing(networks.iter().map(|member| member.path.as_str()));
        return Err(ArchiveError::ManyNetworks { count: networks.len(), saw });
    }
    let Some((network, kind)) = networks
        .into_iter()
        .next()
        .and_then(|network| NetworkKind::from_name(&network.path).map(|kind| (network, kind)))
    else {
        return Err(ArchiveError::NoNetwork { saw: listing });
    };
    for paper in &papers {
        let saw = paper.bytes.len() as u64;
        if saw > limits.json {
            return Err(ArchiveError::JsonTooLarge { path: paper.path.clone(), saw, max: limits.json });
        }
    }
    let (metadata, hyper): (Vec<Member>, Vec<Member>) =
        papers.into_iter().partition(|member| base(&member.path) == "model_metadata.json");
    let metadata = only_metadata(metadata, &network.path, &listing)?;
    Ok(Parts { network, kind, metadata, hyperparameters: nearest(hyper) })
}

fn only_metadata(mut found: Vec<Member>, network: &str, listing: &str) -> Result<Member, ArchiveError> {
    found.sort_by_key(|member| depth(&member.path));
    let shallowest = found.first().map(|member| depth(&member.path));
    let saw = self::listing(found.iter().map(|member| member.path.as_str()));
    let count = found.iter().filter(|member| Some(depth(&member.path)) == shallowest).count();
    match found.into_iter().next() {
        Some(member) if count == 1 => Ok(member),
        Some(_) => Err(ArchiveError::ManyMetadata { count, saw }),
        None => Err(ArchiveError::NoMetadata { network: network.to_owned(), saw: listing.to_owned() }),
    }
}

/// `ip/hyperparameters.json` before others, then the shallowest.
fn nearest(mut found: Vec<Member>) -> Option<Member> {
    found.sort_by_key(|member| (!member.path.ends_with("ip/hyperparameters.json"), depth(&member.path)));
    found.into_iter().next()
}

fn depth(path: &str) -> usize {
    path.matches('/').count()
}

fn listing<'a>(paths: impl Iterator<Item = &'a str>) -> String {
    let all: Vec<&str> = paths.collect();
    match all.as_slice() {
        [] => "no files".to_owned(),
        few if few.len() <= 6 => few.join(", "),
        many => format!("{} and {} more", many.get(..6).unwrap_or(&[]).join(", "), many.len() - 6),
    }
}
