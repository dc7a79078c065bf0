//! The door to the JSON library: bytes to a tree that keeps duplicate keys so that they can be refused, and
//! a place in that tree that knows its own path. Refuses what is not one JSON object in UTF-8.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::error::ConfigError;

/// The most bytes of a JSON file; real ones have about 2 thousand.
pub(super) const MAX_BYTES: usize = 1 << 20;

/// A value as written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Text(text) if text.chars().count() > 40 => {
                write!(f, "{:?}...", text.chars().take(40).collect::<String>())
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::List(items) if items.is_empty() => f.write_str("an empty list"),
            Self::List(items) => write!(f, "a list of {}", items.len()),
            Self::Object(_) => f.write_str("an object"),
        }
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number that is accepted is above 2^53")]
    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    #[expect(clippy::cast_precision_loss, reason = "no number that is accepted is below -2^53")]
    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        Ok(Json::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = access.next_element()? {
            items.push(item);
        }
        Ok(Json::List(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = access.next_entry()? {
            members.push(member);
        }
        Ok(Json::Object(members))
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor)
    }
}

/// Reads one JSON object; a UTF-8 byte order mark is noted and skipped.
pub(super) fn parse(file: &str, bytes: &[u8], notes: &mut Vec<String>) -> Result<Json, ConfigError> {
    if bytes.len() > MAX_BYTES {
        return Err(ConfigError::TooLarge { file: file.to_owned(), saw: bytes.len(), max: MAX_BYTES });
    }
    let whole = |saw: &str| not_json(file, 1, 1, saw.to_owned());
    let body = match bytes {
        [] => return Err(whole("the file is empty")),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Err(whole("the text is UTF-16, save it as UTF-8")),
        [b'<', ..] => return Err(whole("this is a web page, the download link had expired")),
        [0xef, 0xbb, 0xbf, body @ ..] => {
            notes.push("begins with a byte order mark, which was skipped".to_owned());
            body
        }
        body => body,
    };
    let tree: Json = serde_json::from_slice(body).map_err(|error| {
        let words = error.to_string();
        let words = words.split(" at line ").next().unwrap_or_default();
        let near = around(body, error.line(), error.column());
        not_json(file, error.line(), error.column(), format!("{words}, near {near:?}"))
    })?;
    if !matches!(tree, Json::Object(_)) {
        return Err(At { file, path: String::new(), value: &tree }.refuse("one object {...}"));
    }
    match duplicate(&tree, "") {
        Some(key) => Err(ConfigError::Refused {
            file: file.to_owned(),
            key,
            saw: "the key twice".to_owned(),
            wanted: "it once".to_owned(),
        }),
        None => Ok(tree),
    }
}

fn not_json(file: &str, line: usize, column: usize, saw: String) -> ConfigError {
    ConfigError::NotJson { file: file.to_owned(), line, column, saw }
}

/// The text around a place, which counts from 1 and in bytes.
fn around(bytes: &[u8], line: usize, column: usize) -> String {
    let row = bytes.split(|byte| *byte == b'\n').nth(line.saturating_sub(1)).unwrap_or_default();
    let from = column.saturating_sub(20).min(row.len());
    let to = column.saturating_add(10).min(row.len());
    String::from_utf8_lossy(row.get(from..to).unwrap_or_default()).trim().to_owned()
}

/// The path of the first key that stands twice in one object. The parser bounds the depth to 128.
fn duplicate(tree: &Json, path: &str) -> Option<String> {
    match tree {
        Json::Object(members) => {
            let mut seen = std::collections::BTreeSet::new();
            members.iter().find_map(|(key, value)| {
                let here = join(path, key);
                if seen.insert(key) { duplicate(value, &here) } else { Some(here) }
            })
        }
        Json::List(items) => {
            items.iter().enumerate().find_map(|(index, value)| duplicate(value, &format!("{path}[{index}]")))
        }
        _ => None,
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// A value, the file that it is from and its path there.
#[derive(Clone, Debug)]
pub(super) struct At<'a> {
    pub(super) file: &'a str,
    pub(super) path: String,
    pub(super) value: &'a Json,
}

impl<'a> At<'a> {
    pub(super) fn root(file: &'a str, value: &'a Json) -> Self {
        Self { file, path: String::new(), value }
    }

    /// The refusal of this value.
    pub(super) fn refuse(&self, wanted: impl Into<String>) -> ConfigError {
        let key = if self.path.is_empty() { "top level" } else { &self.path };
        ConfigError::Refused {
            file: self.file.to_owned(),
            key: key.to_owned(),
            saw: self.value.to_string(),
            wanted: wanted.into(),
        }
    }

    /// The members of an object.
    pub(super) fn members(&self) -> Result<Vec<(&'a str, Self)>, ConfigError> {
        let Json::Object(members) = self.value else { return Err(self.refuse("an object {...}")) };
        let place = |(key, value): &'a (String, Json)| {
            (key.as_str(), Self { file: self.file, path: join(&self.path, key), value })
        };
        Ok(members.iter().map(place).collect())
    }

    /// A member; `None` where this is no object or has no such key.
    pub(super) fn get(&self, key: &str) -> Option<Self> {
        let Json::Object(members) = self.value else { return None };
        let (_, value) = members.iter().find(|(name, _)| name == key)?;
        Some(Self { file: self.file, path: join(&self.path, key), value })
    }

    /// A member that must be there.
    pub(super) fn need(&self, key: &str, wanted: &str) -> Result<Self, ConfigError> {
        self.members()?;
        self.get(key).ok_or_else(|| ConfigError::Refused {
            file: self.file.to_owned(),
            key: join(&self.path, key),
            saw: "no such key".to_owned(),
            wanted: wanted.to_owned(),
        })
    }

    /// The items of a list.
    pub(super) fn items(&self, wanted: &str) -> Result<Vec<Self>, ConfigError> {
        let Json::List(items) = self.value else { return Err(self.refuse(wanted)) };
        let place = |(index, value)| Self { file: self.file, path: format!("{}[{index}]", self.path), value };
        Ok(items.iter().enumerate().map(place).collect())
    }

    /// A text.
    pub(super) fn text(&self, wanted: &str) -> Result<&'a str, ConfigError> {
        match self.value {
            Json::Text(text) => Ok(text),
            _ => Err(self.refuse(wanted)),
        }
    }

    /// A finite number; one that is written as a text is taken, and noted once per file.
    pub(super) fn number(&self, notes: &mut Vec<String>) -> Result<f64, ConfigError> {
        let value = match self.value {
            Json::Number(value) => Some(*value),
            Json::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        let value = value.filter(|value: &f64| value.is_finite());
        let value = value.ok_or_else(|| self.refuse("a finite number"))?;
        let as_text = "numbers written as texts were read as numbers";
        if matches!(self.value, Json::Text(_)) && !notes.iter().any(|note| note == as_text) {
            notes.push(as_text.to_owned());
        }
        Ok(value)
    }

    /// A whole number; `64.0` is one.
    pub(super) fn whole(&self, notes: &mut Vec<String>) -> Result<i64, ConfigError> {
        let value = self.number(notes).map_err(|_| self.refuse("a whole number"))?;
        if value.fract().abs() > 0.0 || value.abs() > 9e15 {
            return Err(self.refuse("a whole number"));
        }
        #[expect(clippy::cast_possible_truncation, reason = "whole, and within 2^53")]
        Ok(value as i64)
    }
}

/// The compact text of a value that is kept without being understood.
pub(super) fn compact(value: &Json) -> String {
    match value {
        Json::List(items) => {
            format!("[{}]", items.iter().map(compact).collect::<Vec<_>>().join(", "))
        }
        Json::Object(members) => {
            let members = members.iter().map(|(key, value)| format!("{key:?}: {}", compact(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        Json::Text(text) => format!("{text:?}"),
        other => other.to_string(),
    }
}
