//! The program out of a release archive, in memory: one member called `hairpin`. Nothing else of the archive is kept, and
//! an archive with a member that could land elsewhere is refused whole. A door to tar and flate2.

use std::io::{self, Read};

use flate2::read::GzDecoder;
use tar::{Archive, EntryType};

use super::LARGEST;
use super::error::UpdateError;

/// The member's name, in whatever folder.
const MEMBER: &str = "hairpin";

/// Bytes of everything in a release archive, unpacked; and its members.
const UNPACKED: u64 = 2 * LARGEST;
const MEMBERS: usize = 10_000;

/// Whether bytes begin like a `.tar.gz`.
pub(super) fn is_packed(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1f, 0x8b])
}

/// The program's bytes.
///
/// # Errors
/// An archive that is damaged, holds no program or two, or is not to be trusted.
pub(super) fn program(file: &str, bytes: &[u8]) -> Result<Vec<u8>, UpdateError> {
    let damaged =
        |error: io::Error| UpdateError::ArchiveDamaged { file: file.to_owned(), saw: error.to_string() };
    let mut archive = Archive::new(GzDecoder::new(bytes).take(UNPACKED));
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    let mut names = Vec::new();
    for entry in archive.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let kind = entry.header().entry_type();
        trusted(file, &path, kind)?;
        let plain = matches!(kind, EntryType::Regular | EntryType::Continuous);
        if plain && path.rsplit('/').next() == Some(MEMBER) {
            if entry.size() > LARGEST {
                return Err(UpdateError::Size { file: path, saw: entry.size() });
            }
            let mut content = Vec::new();
            entry.read_to_end(&mut content).map_err(damaged)?;
            found.push((path.clone(), content));
        }
        names.push(path);
        if names.len() > MEMBERS {
            return Err(damaged(io::Error::other(format!("more than {MEMBERS} members"))));
        }
    }
    // To the stream's end, where gzip keeps the sum over everything.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink()).map_err(damaged)?;
    if rest.limit() == 0 {
        return Err(damaged(io::Error::other(format!("it unpacks to {} MiB or more", UNPACKED >> 20))));
    }
    match found.len() {
        1 => Ok(found.pop().map(|(_, content)| content).unwrap_or_default()),
        0 => Err(UpdateError::NoMember { file: file.to_owned(), saw: listing(&names) }),
        _ => {
            let programs: Vec<String> = found.into_iter().map(|(path, _)| path).collect();
            Err(UpdateError::ManyMembers { file: file.to_owned(), saw: listing(&programs) })
        }
    }
}

/// Files and folders below the archive's own root, and nothing else.
fn trusted(file: &str, path: &str, kind: EntryType) -> Result<(), UpdateError> {
    let refused = |saw| Err(UpdateError::NotTrusted { file: file.to_owned(), path: path.to_owned(), saw });
    if path.starts_with('/') {
        return refused("has an absolute name");
    }
    if path.split('/').any(|part| part == "..") {
        return refused("climbs out of the archive with \"..\"");
    }
    match kind {
        EntryType::Regular | EntryType::Continuous | EntryType::Directory | EntryType::XGlobalHeader => {
            Ok(())
        }
        EntryType::Symlink | EntryType::Link => refused("is a link"),
        _ => refused("is neither file nor folder"),
    }
}

fn listing(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        few if few.len() <= 6 => few.join(", "),
        many => format!("{} and {} more", many.get(..6).unwrap_or_default().join(", "), many.len() - 6),
    }
}
