//! The stock car's `calibration.json` (car.md §1.5), read and written. Unknown keys are left alone, as there; everything
//! else is refused by name, where the stock car ignores the whole file and drives on with the factory's numbers.

use std::fmt;
use std::ops::Range;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::error::ConfigError;
use super::json::{self, At};
use crate::vehicle::{Calibration, Points};

/// Reads both channels; whole nanoseconds, 1.0 to 2.0 ms, in order, polarity 1 or -1.
///
/// # Errors
/// [`ConfigError`] naming file, key path, what was seen and what is wanted.
pub fn read(file: &str, bytes: &[u8]) -> Result<Calibration, ConfigError> {
    let tree = json::parse(file, bytes, &mut Vec::new())?;
    let root = At::root(file, &tree);
    let header = root.need("Calibration", "an object with Servo and Motor")?;
    let calibration = Calibration {
        servo: points(&header.need("Servo", KEYS)?)?,
        motor: points(&header.need("Motor", KEYS)?)?,
    };
    calibration.checked().map_err(|source| ConfigError::Calibration { file: file.to_owned(), source })
}

const KEYS: &str = "an object with min, mid, max and polarity";

fn points(at: &At<'_>) -> Result<Points, ConfigError> {
    let whole = |key: &str, wanted: &str| {
        let place = at.need(key, wanted)?;
        place.whole(&mut Vec::new()).map(|value| (place.clone(), value)).map_err(|_| place.refuse(wanted))
    };
    let nanoseconds = |key: &str| {
        let wanted = "whole nanoseconds, 1000000 to 2000000";
        let (place, value) = whole(key, wanted)?;
        u32::try_from(value).map_err(|_| place.refuse(wanted))
    };
    let (place, sign) = whole("polarity", "1 or -1")?;
    let polarity = i8::try_from(sign).map_err(|_| place.refuse("1 or -1"))?;
    Ok(Points { min: nanoseconds("min")?, mid: nanoseconds("mid")?, max: nanoseconds("max")?, polarity })
}

/// The text of a calibration file with these numbers: `old` with nothing else changed, or a new one. A `version` is
/// added where there is none, since the stock car would otherwise put the factory's numbers in (car.md §1.5).
///
/// # Errors
/// [`ConfigError`]: `old` is not JSON or holds something else where an object is wanted, or the calibration is one that
/// may not move a car.
pub fn rewrite(file: &str, old: Option<&[u8]>, calibration: &Calibration) -> Result<Vec<u8>, ConfigError> {
    let mut text = match old {
        Some(bytes) => {
            json::parse(file, bytes, &mut Vec::new())?;
            String::from_utf8_lossy(bytes).trim_start_matches('\u{feff}').to_owned()
        }
        None => {
            "{\n  \"Calibration\": {\n    \"Servo\": {},\n    \"Motor\": {},\n    \"version\": 1\n  }\n}\n"
                .to_owned()
        }
    };
    for (channel, points) in [("Servo", calibration.servo), ("Motor", calibration.motor)] {
        let Points { min, mid, max, polarity } = points;
        // Backwards: a key that is missing is put first in its object.
        for (key, value) in
            [("polarity", i64::from(polarity)), ("max", max.into()), ("mid", mid.into()), ("min", min.into())]
        {
            put(file, &mut text, &["Calibration", channel, key], &value.to_string())?;
        }
    }
    if find(file, &text, &["Calibration", "version"])?.is_err() {
        put(file, &mut text, &["Calibration", "version"], "1")?;
    }
    let reads = read(file, text.as_bytes())?;
    if reads != *calibration {
        let saw = "the new text does not say what was asked for".to_owned();
        return Err(ConfigError::Unwritable { file: file.to_owned(), saw });
    }
    Ok(text.into_bytes())
}

/// The members of an object, each with the text of its value as it stands.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Members<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(MembersVisitor).map(Self)
    }
}

struct MembersVisitor;

impl<'de> Visitor<'de> for MembersVisitor {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// Where the path ends: the place of its value, or the object that lacks the first missing key and the key's position in
/// the path.
type Found = Result<Range<usize>, (Range<usize>, usize)>;

fn find(file: &str, text: &str, path: &[&str]) -> Result<Found, ConfigError> {
    let mut place = 0..text.len();
    for (depth, key) in path.iter().enumerate() {
        let object = text.get(place.clone()).unwrap_or_default();
        let Ok(Members(members)) = serde_json::from_str(object) else {
            return Err(ConfigError::Refused {
                file: file.to_owned(),
                key: path.get(..depth).unwrap_or_default().join("."),
                saw: object.chars().take(40).collect(),
                wanted: "an object {...}".to_owned(),
            });
        };
        let Some((_, value)) = members.iter().find(|(name, _)| name == key) else {
            return Ok(Err((place, depth)));
        };
        // The value is a part of `text`, so that its place there is a matter of addresses.
        let start = value.get().as_ptr().addr() - text.as_ptr().addr();
        place = start..start + value.get().len();
    }
    Ok(Ok(place))
}

/// Replaces the value at a path, and adds what is missing on the way.
fn put(file: &str, text: &mut String, path: &[&str], value: &str) -> Result<(), ConfigError> {
    match find(file, text, path)? {
        Ok(place) => text.replace_range(place, value),
        Err((object, depth)) => {
            let missing = path.get(depth..).unwrap_or_default();
            let mut added = missing.iter().map(|key| format!("\"{key}\": ")).collect::<Vec<_>>().join("{");
            added.push_str(value);
            added.push_str(&"}".repeat(missing.len().saturating_sub(1)));
            let body = text.get(object.clone()).unwrap_or_default();
            let inside = object.start + body.find('{').map_or(0, |brace| brace + 1);
            let empty = text.get(inside..).unwrap_or_default().trim_start().starts_with('}');
            let comma = if empty { "" } else { ", " };
            text.insert_str(inside, &format!("{added}{comma}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{read, rewrite};
    use crate::config::ConfigError;
    use crate::vehicle::{Calibration, Points};

    fn other() -> Calibration {
        Calibration {
            servo: Points { min: 1_100_000, mid: 1_444_444, max: 1_900_001, polarity: -1 },
            motor: Points { min: 1_700_000, mid: 1_450_000, max: 1_200_000, polarity: 1 },
        }
    }

    #[test]
    fn the_factory_file_is_the_factory_calibration_whatever_else_it_holds() {
        let text = r#"{"Calibration": {"Servo": {"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 1},
            "Motor": {"min": 1311000, "mid": 1446000.0, "max": 1603500, "polarity": -1, "note": "x"},
            "version": 1}, "owner": "me"}"#;
        assert_eq!(read("calibration.json", text.as_bytes()), Ok(Calibration::factory()));
    }

    #[test]
    fn the_falling_points_of_the_oldest_cars_are_taken() {
        // The 16.04 image's numbers (car.md §1.2), without a version.
        let text = r#"{"Calibration": {"Servo": {"min": 1750000, "mid": 1530000, "max": 1230000, "polarity": 1},
            "Motor": {"min": 1700000, "mid": 1450000, "max": 1200000, "polarity": 1}}}"#;
        let calibration = read("calibration.json", text.as_bytes()).expect("good");
        assert_eq!((calibration.servo.min, calibration.motor.max), (1_750_000, 1_200_000));
    }

    #[test]
    fn nothing_but_the_numbers_changes() {
        // Tabs, an escaped key, a number beyond 2^53, a float as it was written, a nested stranger.
        let old = "{\n\t\"zeta\": 18446744073709551615,\n\t\"Calibration\" : {\n\t\t\"Servo\":{\"polarity\":1,\"max\":1700000,\"mid\" : 1450000.0 ,\"min\":1200000},\n\t\t\"Motor\": {\"min\": 1311000, \"mid\": 1446000, \"\\u006dax\": 1603500, \"polarity\": -1, \"note\": [1.50, {\"max\": 1e3}]},\n\t\t\"version\": 7\n\t},\n\t\"alpha\": \"ümlaut\"\n}\n";
        let new = rewrite("c", Some(old.as_bytes()), &other()).expect("written");
        let wanted = "{\n\t\"zeta\": 18446744073709551615,\n\t\"Calibration\" : {\n\t\t\"Servo\":{\"polarity\":-1,\"max\":1900001,\"mid\" : 1444444 ,\"min\":1100000},\n\t\t\"Motor\": {\"min\": 1700000, \"mid\": 1450000, \"\\u006dax\": 1200000, \"polarity\": 1, \"note\": [1.50, {\"max\": 1e3}]},\n\t\t\"version\": 7\n\t},\n\t\"alpha\": \"ümlaut\"\n}\n";
        assert_eq!(String::from_utf8(new).expect("text"), wanted);
    }

    #[test]
    fn a_new_file_is_the_stock_shape_and_what_is_missing_is_added() {
        let new = rewrite("c", None, &other()).expect("written");
        assert_eq!(read("c", &new), Ok(other()));
        let text = String::from_utf8(new).expect("text");
        assert!(
            text.contains(
                "\"Servo\": {\"min\": 1100000, \"mid\": 1444444, \"max\": 1900001, \"polarity\": -1}"
            ),
            "{text}"
        );
        assert!(text.contains("\"version\": 1"), "{text}");
        let all = [
            ("{}", 1),
            (r#"{"Calibration": {}}"#, 1),
            (r#"{"Calibration": {"Servo": {"min": 5}}, "x": 1}"#, 1),
            ("\u{feff} { \"Calibration\" : { \"version\": 2 } }", 2),
        ];
        for (old, version) in all {
            let new = rewrite("c", Some(old.as_bytes()), &other()).expect(old);
            assert_eq!(read("c", &new), Ok(other()), "{old}");
            let text = String::from_utf8(new).expect("text");
            assert!(
                text.contains(&format!("\"version\": {version}")) && text.matches("version").count() == 1,
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_rewritten_is_refused_by_name() {
        let saw = |old: &str| rewrite("c.json", Some(old.as_bytes()), &other()).expect_err(old).to_string();
        assert!(saw("{").contains("c.json: not JSON at line 1"), "{}", saw("{"));
        let list = saw(r#"{"Calibration": [1]}"#);
        assert_eq!(list, "c.json: Calibration: saw [1], wanted an object {...}");
        let twice = saw(r#"{"Calibration": {"Servo": {}, "Servo": {}}}"#);
        assert!(twice.contains("Calibration.Servo: saw the key twice"), "{twice}");
        let mut wild = other();
        wild.servo.min = 999_999;
        assert!(matches!(rewrite("c", None, &wild), Err(ConfigError::Calibration { .. })));
    }
}
