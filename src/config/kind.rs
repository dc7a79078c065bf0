//! What a key's value may be, how it is read and how it is shown. A kind knows its place in [`Config`], so a
//! value that is accepted cannot land in the wrong one.

use super::Config;

/// A value as given, before anybody knows what it is for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Truth(bool),
    Whole(i64),
    Real(f64),
    Text(String),
    /// From a flag: a text that may stand for any of the above.
    Flag(String),
    /// A list, a table or a date, in words.
    Other(&'static str),
}

impl Given {
    /// In words, for messages.
    pub(super) fn saw(&self) -> String {
        match self {
            Self::Truth(value) => value.to_string(),
            Self::Whole(value) => value.to_string(),
            Self::Real(value) => format!("{value:?}"),
            Self::Text(text) | Self::Flag(text) => format!("{text:?}"),
            Self::Other(word) => (*word).to_owned(),
        }
    }

    fn whole(&self) -> Option<i64> {
        match self {
            Self::Whole(value) => Some(*value),
            Self::Flag(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn truth(&self) -> Option<bool> {
        match self {
            Self::Truth(value) => Some(*value),
            Self::Flag(text) => text.parse().ok(),
            _ => None,
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "settings are singles; the range is checked after the rounding"
    )]
    fn real(&self) -> Option<f32> {
        match self {
            Self::Whole(value) => Some(*value as f32),
            Self::Real(value) => Some(*value as f32),
            Self::Flag(text) => text.parse().ok(),
            _ => None,
        }
    }

    fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) | Self::Flag(text) => Some(text),
            _ => None,
        }
    }
}

/// The kinds, each with its range and its place.
pub(super) enum Kind {
    Truth { get: fn(&Config) -> bool, set: fn(&mut Config, bool) },
    Whole { min: i64, max: i64, get: fn(&Config) -> i64, set: fn(&mut Config, i64) },
    Real { min: f32, max: f32, get: fn(&Config) -> f32, set: fn(&mut Config, f32) },
    Word { words: fn() -> Vec<&'static str>, get: fn(&Config) -> &'static str, set: fn(&mut Config, &str) },
    Text { wanted: &'static str, get: fn(&Config) -> &str, set: fn(&mut Config, &str) },
}

impl Kind {
    /// Puts the value into its place; `false` where it is not of this kind or out of range.
    pub(super) fn put(&self, config: &mut Config, given: &Given) -> bool {
        match self {
            Self::Truth { set, .. } => given.truth().map(|value| set(config, value)),
            Self::Whole { min, max, set, .. } => {
                given.whole().filter(|value| (min..=max).contains(&value)).map(|value| set(config, value))
            }
            Self::Real { min, max, set, .. } => {
                given.real().filter(|value| (min..=max).contains(&value)).map(|value| set(config, value))
            }
            Self::Word { words, set, .. } => {
                given.text().filter(|text| words().contains(text)).map(|text| set(config, text))
            }
            Self::Text { set, .. } => {
                given.text().filter(|text| !text.is_empty()).map(|text| set(config, text))
            }
        }
        .is_some()
    }

    /// The value in a configuration, as TOML.
    pub(super) fn shown(&self, config: &Config) -> String {
        match self {
            Self::Truth { get, .. } => get(config).to_string(),
            Self::Whole { get, .. } => get(config).to_string(),
            // `{:?}` keeps the point, without which TOML would read an integer.
            Self::Real { get, .. } => format!("{:?}", get(config)),
            Self::Word { get, .. } => format!("{:?}", get(config)),
            Self::Text { get, .. } => toml::Value::String(get(config).to_owned()).to_string(),
        }
    }

    /// What may stand there.
    pub(super) fn wanted(&self) -> String {
        match self {
            Self::Truth { .. } => "true or false".to_owned(),
            Self::Whole { min, max, .. } => format!("a whole number from {min} to {max}"),
            Self::Real { min, max, .. } => format!("a number from {min} to {max}"),
            Self::Word { words, .. } => {
                words().iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(" or ")
            }
            Self::Text { wanted, .. } => (*wanted).to_owned(),
        }
    }
}
