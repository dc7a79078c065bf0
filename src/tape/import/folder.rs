//! A folder of pictures, in natural order; or two folders `left/` and `right/` for a stereo car, paired by name.
//! Refuses an empty folder, an empty picture and a picture without its other eye. Everything else in the folder
//! is left alone, and named.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::error::ImportError;
use super::picture::{Source, check};
use super::{Listing, Rate, Recording, Shot, say_converted};
use crate::domain::FrameSeq;

/// The most names in a finding.
const NAMED: usize = 5;

/// Lists a folder's pictures.
pub(super) fn open(path: &Path, listing: &Listing, rate: Option<Rate>) -> Result<Recording, ImportError> {
    let mut findings = Vec::new();
    let stereo = ["left", "right"].iter().all(|side| listing.folders.iter().any(|name| name == side));
    let pairs =
        if stereo { stereo_pairs(path, &mut findings)? } else { pictures(path, listing, &mut findings) };
    if stereo {
        say_ignored(listing.files.iter().map(String::as_str), &mut findings);
    }
    if pairs.is_empty() {
        return Err(ImportError::NoPictures { path: path.to_owned(), hint: hint(path, listing) });
    }
    if rate.is_none() {
        findings.push(format!("a folder of pictures has no times: taken as {}", Rate::CAMERA));
    }
    let rate = rate.unwrap_or(Rate::CAMERA);
    let mut shots = Vec::with_capacity(pairs.len());
    for (position, (left, right)) in pairs.into_iter().enumerate() {
        check(&left)?;
        right.as_deref().map_or(Ok(()), check)?;
        let seq = FrameSeq(position as u64);
        shots.push(Shot { seq, captured_at: rate.time(position), left, right, human: None });
    }
    say_converted(&shots, &mut findings);
    let kind = if stereo { "folders of pictures, left and right" } else { "folder of pictures" };
    Ok(Recording { kind, findings, shots })
}

type Pair = (PathBuf, Option<PathBuf>);

fn pictures(path: &Path, listing: &Listing, findings: &mut Vec<String>) -> Vec<Pair> {
    let (pictures, others) = split(listing);
    say_ignored(others.into_iter(), findings);
    pictures.into_iter().map(|name| (path.join(name), None)).collect()
}

fn stereo_pairs(path: &Path, findings: &mut Vec<String>) -> Result<Vec<Pair>, ImportError> {
    let (left, right) = (path.join("left"), path.join("right"));
    let listings = (Listing::of(&left)?, Listing::of(&right)?);
    let (lefts, left_others) = split(&listings.0);
    let (rights, right_others) = split(&listings.1);
    let stems = |names: &[&str]| names.iter().map(|name| stem(name)).collect::<BTreeSet<String>>();
    let (of_left, of_right) = (stems(&lefts), stems(&rights));
    let alone = of_left.difference(&of_right).next().map(|name| (name, "left"));
    let alone = alone.or_else(|| of_right.difference(&of_left).next().map(|name| (name, "right")));
    if alone.is_some() || lefts.len() != rights.len() {
        let (name, side) = alone.map_or((String::new(), "left"), |(name, side)| (name.clone(), side));
        let (left, right) = (lefts.len(), rights.len());
        return Err(ImportError::Unpaired { path: path.to_owned(), left, right, name, side });
    }
    say_ignored(left_others.into_iter().chain(right_others), findings);
    // Both are in natural order and hold the same stems.
    Ok(lefts.iter().zip(&rights).map(|(l, r)| (left.join(l), Some(right.join(r)))).collect())
}

/// Pictures and the rest, each in the listing's order.
fn split(listing: &Listing) -> (Vec<&str>, Vec<&str>) {
    let names = listing.files.iter().map(String::as_str);
    names.partition(|name| Source::of(Path::new(name)).is_some())
}

fn stem(name: &str) -> String {
    Path::new(name).file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

fn say_ignored<'a>(names: impl Iterator<Item = &'a str>, findings: &mut Vec<String>) {
    let names: Vec<&str> = names.collect();
    if !names.is_empty() {
        let first = names.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if names.len() > NAMED { ", …" } else { "" };
        findings.push(format!("ignored {} files that are no pictures: {first}{more}", names.len()));
    }
}

/// Names the first folder within that has pictures.
fn hint(path: &Path, listing: &Listing) -> String {
    let has_some =
        |name: &&String| Listing::of(&path.join(name)).is_ok_and(|inner| !split(&inner).0.is_empty());
    listing
        .folders
        .iter()
        .find(has_some)
        .map_or_else(String::new, |name| format!("; its folder {name}/ has some"))
}
