//! A donkeycar tub v2: `manifest.json` (five lines of JSON), catalogs (a JSON record a line) and `images/`.
//! Deleted records are skipped. The human's steering and throttle come along, steering turned to our sign:
//! donkeycar's angle is positive to the right. Refuses a tub of which a part is missing.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::error::ImportError;
use super::picture::check;
use super::{Rate, Recording, Shot, say_converted};
use crate::domain::FrameSeq;
use crate::tape::schema::Human;
use crate::units::{Instant, Span};

/// The manifest's last line.
#[derive(Deserialize)]
struct Catalogs {
    paths: Vec<String>,
    deleted_indexes: HashSet<u64>,
}

/// A line of a catalog; other keys are left alone.
#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_index")]
    index: u64,
    #[serde(rename = "_timestamp_ms")]
    timestamp_ms: Option<u64>,
    #[serde(rename = "cam/image_array")]
    image: String,
    #[serde(rename = "user/angle")]
    angle: Option<f64>,
    #[serde(rename = "user/throttle")]
    throttle: Option<f64>,
}

/// Lists a tub's records.
pub(super) fn open(path: &Path, rate: Option<Rate>) -> Result<Recording, ImportError> {
    let catalogs = manifest(path)?;
    let all = lines(path, &catalogs.paths)?;
    let count = all.len();
    let kept: Vec<Line> =
        all.into_iter().filter(|line| !catalogs.deleted_indexes.contains(&line.index)).collect();
    let mut findings = Vec::new();
    if kept.len() < count {
        findings.push(format!("skipped {} records that the tub marks as deleted", count - kept.len()));
    }
    if kept.is_empty() {
        return Err(ImportError::NothingLeft { path: path.to_owned(), deleted: count, count });
    }
    all_there(path, &kept)?;
    let unlabelled = kept.iter().filter(|line| human(line).is_none()).count();
    if unlabelled > 0 {
        findings.push(format!("{unlabelled} records have no user/angle and user/throttle"));
    }
    let times = times(&kept, rate, &mut findings);
    let mut shots = Vec::with_capacity(kept.len());
    for (line, captured_at) in kept.iter().zip(times) {
        let left = path.join("images").join(&line.image);
        check(&left)?;
        let seq = FrameSeq(line.index);
        shots.push(Shot { seq, captured_at, left, right: None, human: human(line) });
    }
    say_converted(&shots, &mut findings);
    Ok(Recording { kind: "donkeycar tub v2", findings, shots })
}

fn text(path: &Path) -> Result<String, ImportError> {
    fs::read_to_string(path).map_err(|source| ImportError::Io {
        doing: "read",
        path: path.to_owned(),
        source,
    })
}

fn manifest(tub: &Path) -> Result<Catalogs, ImportError> {
    let path = tub.join("manifest.json");
    let text = text(&path)?;
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let refuse = |saw: String| ImportError::NotATub { path: path.clone(), saw };
    let Some(last) = lines.get(4) else { return Err(refuse(format!("it has {} lines", lines.len()))) };
    let catalogs: Catalogs =
        serde_json::from_str(last).map_err(|error| refuse(format!("line 5: {error}")))?;
    if catalogs.paths.is_empty() {
        return Err(refuse("line 5: paths is empty".to_owned()));
    }
    Ok(catalogs)
}

/// All records of all catalogs, in order.
fn lines(tub: &Path, catalogs: &[String]) -> Result<Vec<Line>, ImportError> {
    for name in catalogs {
        plain(&tub.join("manifest.json"), "a catalog", name)?;
    }
    let missing: Vec<&String> = catalogs.iter().filter(|name| !tub.join(name).is_file()).collect();
    if let Some(name) = missing.first() {
        let (path, name) = (tub.to_owned(), (*name).clone());
        return Err(ImportError::MissingCatalog {
            path,
            name,
            missing: missing.len(),
            count: catalogs.len(),
        });
    }
    let mut all = Vec::new();
    for name in catalogs {
        let path = tub.join(name);
        for (at, line) in text(&path)?.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let record: Line = serde_json::from_str(line).map_err(|error| ImportError::BadRecord {
                path: path.clone(),
                line: at + 1,
                saw: error.to_string(),
            })?;
            plain(&path, "a picture", &record.image)?;
            all.push(record);
        }
    }
    Ok(all)
}

/// Refuses a name that is a path.
fn plain(path: &Path, what: &'static str, name: &str) -> Result<(), ImportError> {
    if Path::new(name).file_name().is_some_and(|file| file == name) && !name.contains('\\') {
        return Ok(());
    }
    Err(ImportError::Escapes { path: path.to_owned(), what, name: name.to_owned() })
}

fn all_there(tub: &Path, kept: &[Line]) -> Result<(), ImportError> {
    let missing: Vec<&Line> =
        kept.iter().filter(|line| !tub.join("images").join(&line.image).is_file()).collect();
    let Some(first) = missing.first() else { return Ok(()) };
    Err(ImportError::MissingPicture {
        path: tub.to_owned(),
        name: first.image.clone(),
        index: first.index,
        missing: missing.len(),
        count: kept.len(),
    })
}

fn human(line: &Line) -> Option<Human> {
    // `0.0 -` instead of a sign, so that straight ahead does not become -0.0.
    Some(Human { steering: 0.0 - line.angle?, throttle: line.throttle? })
}

/// No camera of such a car sends faster than this; times that are closer were made by a conversion.
const FASTEST: Span = Span::from_millis(5);

/// Says that a whole drive's times cannot be driving times. They are kept, since they are what was recorded.
fn too_fast(times: &[Instant]) -> Option<String> {
    let (first, last) = (times.first()?, times.last()?);
    let mean = Span(last.since(*first).0 / (times.len() as u64).saturating_sub(1).max(1));
    (times.len() > 20 && mean < FASTEST).then(|| {
        format!("the recorded times are {mean} apart, which no camera is: set tape.rate_hz to the rate of the drive, usually 20")
    })
}

/// The recorded times where they are all there and rise; else, or where asked for, those of a rate.
fn times(kept: &[Line], rate: Option<Rate>, findings: &mut Vec<String>) -> Vec<Instant> {
    let by = |rate: Rate| (0..kept.len()).map(|position| rate.time(position)).collect();
    if let Some(rate) = rate {
        findings.push(format!("times are replaced by {rate}, as asked"));
        return by(rate);
    }
    let recorded: Option<Vec<Instant>> = kept
        .iter()
        .map(|line| line.timestamp_ms.and_then(|ms| ms.checked_mul(1_000_000)).map(Instant))
        .collect();
    let fallback = Rate::DONKEYCAR;
    match recorded {
        None => findings.push(format!("not every record has a time: all taken as {fallback}")),
        Some(times) => match times.windows(2).position(|pair| matches!(pair, [a, b] if b <= a)) {
            None => {
                findings.extend(too_fast(&times));
                return times;
            }
            Some(at) => {
                let index = kept.get(at + 1).map_or(0, |line| line.index);
                findings.push(format!("times do not rise at record {index}: all taken as {fallback}"));
            }
        },
    }
    by(fallback)
}
