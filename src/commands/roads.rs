//! Tracks by the name that a user types: built in, or a file of either form. Refuses an unknown name with the nearest
//! one.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::files::bounded;
use crate::config::nearest;
use crate::track::{BUILT_IN, Track};

/// A track has some hundred way-points.
const LONGEST: u64 = 16 << 20;

/// How an array of numpy's begins.
const ARRAY: &[u8] = b"\x93NUMPY";

/// The track of a name, or in a file.
pub(crate) fn load(name: &str) -> anyhow::Result<Track> {
    if let Some(track) = Track::built_in(name) {
        return Ok(track);
    }
    let path = Path::new(name);
    if !path.exists() {
        bail!("{}", unknown(name));
    }
    let bytes = bounded(path, LONGEST)?;
    let short = path.file_stem().map_or_else(|| name.to_owned(), |stem| stem.to_string_lossy().into_owned());
    let is_array =
        bytes.starts_with(ARRAY) || path.extension().is_some_and(|end| end.eq_ignore_ascii_case("npy"));
    let read = if is_array {
        Track::from_npy(&short, &bytes)
    } else {
        let text = String::from_utf8(bytes)
            .with_context(|| format!("{name} is neither text nor an array of numpy's (.npy)"))?;
        Track::from_text(&short, &text)
    };
    read.with_context(|| format!("cannot drive on {name}"))
}

fn unknown(name: &str) -> String {
    let known = BUILT_IN.join(", ");
    let meant = nearest(name, BUILT_IN).map_or_else(String::new, |nearest| format!("; was {nearest} meant?"));
    format!("there is no track and no file {name:?}, wanted one of {known}, or a file of way-points{meant}")
}
