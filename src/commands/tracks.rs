//! `hairpin tracks`: the roads that are built in, or one from a file, in figures and as a drawing.

use std::path::Path;

use anyhow::{Context as _, bail};

use super::{Context, roads};
use crate::cli::Tracks;
use crate::exit::Outcome;
use crate::report::tracks::{TrackReport, TracksReport};
use crate::track::draw::Ink;
use crate::track::{BUILT_IN, Track, svg};

/// Shows tracks, and writes one down where that is asked.
pub(crate) fn run(args: &Tracks, context: &Context) -> anyhow::Result<Outcome> {
    let ink = Ink::Dots;
    let Some(name) = &args.track else {
        let tracks = BUILT_IN.iter().filter_map(|name| Track::built_in(name)).collect();
        context.print(&TracksReport { tracks, ink })?;
        return Ok(Outcome::Done);
    };
    let track = roads::load(name)?;
    let mut written = Vec::new();
    for (file, content) in [
        (args.svg.as_deref(), svg::svg as fn(&Track, &str) -> String),
        (args.text.as_deref(), |track: &Track, _: &str| track.to_text()),
    ] {
        let Some(file) = file else { continue };
        write(file, &content(&track, ""), args.force)?;
        written.push(file.display().to_string());
    }
    context.print(&TrackReport { track, ink, written })?;
    Ok(Outcome::Done)
}

fn write(file: &Path, content: &str, force: bool) -> anyhow::Result<()> {
    if file.exists() && !force {
        bail!("{} exists; name another file, or replace it with --force", file.display());
    }
    std::fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
