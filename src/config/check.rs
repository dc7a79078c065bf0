//! From settings as typed to settings as meant. Goes through everything before it answers, so that all faults
//! come at once, each with a remedy.

use super::Config;
use super::error::{ConfigError, Fault};
use super::file::{self, MAX_BYTES};
use super::keys::{self, SECTIONS};
use super::kind::Given;
use super::nearest::nearest;
use super::origin::Origin;
use crate::vehicle::{Calibration, CalibrationError, Channel};

/// A settings file, read by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// Its name in messages and origins.
    pub file: &'a str,
    /// Its whole text.
    pub text: &'a str,
}

/// A setting that was given on the command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// As typed, such as `--speed`.
    pub name: String,
    /// The key that it sets, such as `drive.speed_percent`.
    pub key: String,
    /// As typed; texts need no quotes.
    pub value: String,
}

/// A value, its key and where it was said.
struct Claim {
    path: String,
    given: Given,
    origin: Origin,
}

impl Config {
    /// Flags over file over defaults.
    ///
    /// # Errors
    /// [`ConfigError::Faults`] with every fault of the file and the flags, or [`ConfigError::TooLarge`].
    pub fn load(source: Option<Source<'_>>, flags: &[Flag]) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let mut claims = Vec::new();
        if let Some(Source { file, text }) = source {
            if text.len() > MAX_BYTES {
                return Err(ConfigError::TooLarge { file: file.to_owned(), saw: text.len(), max: MAX_BYTES });
            }
            let (entries, torn) = file::read(file, text, is_section);
            faults.extend(torn);
            claims.extend(entries.into_iter().map(|entry| Claim {
                path: entry.path,
                given: entry.given,
                origin: Origin::File { file: file.to_owned(), line: entry.line },
            }));
        }
        claims.extend(flags.iter().map(|flag| Claim {
            path: flag.key.clone(),
            given: Given::Flag(flag.value.clone()),
            origin: Origin::Flag(flag.name.clone()),
        }));
        let mut config = Self { origins: vec![Origin::Default; keys::all().count()], ..Self::default() };
        for claim in claims {
            config.take(claim, &mut faults);
        }
        config.check_points(&mut faults);
        config.check_limits(&mut faults);
        // Faults of one file stand in the order of its lines; those of flags keep theirs, at the end.
        faults.sort_by_key(|fault| match &fault.origin {
            Origin::File { line, .. } => *line,
            Origin::Default | Origin::Flag(_) => usize::MAX,
        });
        if faults.is_empty() { Ok(config) } else { Err(ConfigError::Faults { faults }) }
    }

    fn take(&mut self, claim: Claim, faults: &mut Vec<Fault>) {
        let Some((index, key)) = keys::find(&claim.path) else {
            faults.push(unknown(claim));
            return;
        };
        if key.kind.put(self, &claim.given) {
            if let Some(origin) = self.origins.get_mut(index) {
                *origin = claim.origin;
            }
        } else {
            faults.push(Fault {
                origin: claim.origin,
                key: claim.path,
                saw: claim.given.saw(),
                wanted: key.kind.wanted(),
                remedy: format!("the default is {}", key.kind.shown(&Self::default())),
            });
        }
    }

    /// Points must make a calibration, and must not be given in vain.
    fn check_points(&self, faults: &mut Vec<Fault>) {
        let channels = [
            ("vehicle.servo", self.points.servo == Calibration::factory().servo),
            ("vehicle.motor", self.points.motor == Calibration::factory().motor),
        ];
        for (section, _) in channels.iter().filter(|(_, factory)| !factory && self.calibration != "points") {
            let (key, origin) = self.first_set(section);
            faults.push(Fault {
                origin,
                key,
                saw: format!("points, with vehicle.calibration = {:?}", self.calibration),
                wanted: "vehicle.calibration = \"points\" with them".to_owned(),
                remedy: "set it, or delete the points".to_owned(),
            });
        }
        if self.calibration == "points"
            && let Err(error) = self.points.checked()
        {
            let (section, key, saw, wanted) = match error {
                CalibrationError::NotMonotone { channel, min, mid, max } => {
                    let saw = format!("min {min}, mid {mid}, max {max}");
                    (section(channel), "mid_ns", saw, "min < mid < max, or all falling")
                }
                CalibrationError::Polarity { channel, saw } => {
                    (section(channel), "polarity", saw.to_string(), "1 or -1")
                }
                CalibrationError::OutOfRange { channel, key, saw } => {
                    (section(channel), key, saw.to_string(), "1000000 to 2000000")
                }
            };
            let (_, origin) = self.first_set(section);
            faults.push(Fault {
                origin,
                key: format!("{section}.{key}"),
                saw,
                wanted: wanted.to_owned(),
                remedy: "measure again, or use vehicle.calibration = \"factory\"".to_owned(),
            });
        }
    }

    /// The first key of a section that somebody set, and where.
    fn first_set(&self, section: &str) -> (String, Origin) {
        keys::all()
            .zip(&self.origins)
            .find(|(key, origin)| key.path.starts_with(section) && **origin != Origin::Default)
            .map_or((section.to_owned(), Origin::Default), |(key, origin)| {
                (key.path.to_owned(), origin.clone())
            })
    }

    /// The table's ranges are the governor's; should they ever differ, the governor's count.
    fn check_limits(&self, faults: &mut Vec<Fault>) {
        if let Err(error) = self.governor.checked() {
            let path = format!("governor.{}", error.0.what);
            let origin = keys::find(&path).and_then(|(index, _)| self.origins.get(index)).cloned();
            faults.push(Fault {
                origin: origin.unwrap_or_default(),
                key: path,
                saw: error.0.saw.to_string(),
                wanted: format!("{} to {}", error.0.min, error.0.max),
                remedy: "delete the line for the default".to_owned(),
            });
        }
    }
}

const fn section(channel: Channel) -> &'static str {
    match channel {
        Channel::Servo => "vehicle.servo",
        Channel::Motor => "vehicle.motor",
    }
}

fn is_section(path: &str) -> bool {
    SECTIONS.iter().any(|(section, _)| *section == path)
}

/// An unknown key: named with the nearest one of its section, or of all.
fn unknown(claim: Claim) -> Fault {
    let (section, name) = claim.path.rsplit_once('.').unwrap_or(("", &claim.path));
    let names = || keys::all().filter_map(|key| Some((key.path, key.path.rsplit_once('.')?)));
    // The same name in another section says most; then the nearest name of this section, then of any.
    let elsewhere = names().find(|(_, (_, other))| *other == name).map(|(path, _)| path);
    let near = |place: &dyn Fn(&str) -> bool| {
        let near =
            nearest(name, names().filter(|(_, (other, _))| place(other)).map(|(_, (_, other))| other))?;
        names().find(|(_, (other, candidate))| place(other) && *candidate == near).map(|(path, _)| path)
    };
    let near = elsewhere.or_else(|| near(&|other| other == section)).or_else(|| near(&|_| true));
    let (saw, wanted, remedy) = if is_section(&claim.path) {
        (claim.given.saw(), format!("a section [{}]", claim.path), "write it as a section".to_owned())
    } else if matches!(claim.given, Given::Other("a section")) {
        let names = SECTIONS.map(|(section, _)| section);
        let near = nearest(&claim.path, names).map(|near| format!(" (nearest: {near})"));
        let wanted = format!("one of {}{}", names.join(", "), near.unwrap_or_default());
        ("an unknown section".to_owned(), wanted, "rename or delete it".to_owned())
    } else {
        let wanted = near.map_or("a key of the default file".to_owned(), |near| format!("{near} (nearest)"));
        ("an unknown key".to_owned(), wanted, "rename or delete it".to_owned())
    };
    Fault { origin: claim.origin, key: claim.path, saw, wanted, remedy }
}
