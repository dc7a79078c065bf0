//! Words out (L5): one value, as text for people and as JSON for programs. Pure; prints nothing.

pub mod action_space;
pub mod bench;
pub mod decisions;
#[cfg(feature = "car")]
pub mod diagnosis;
pub mod drive;
pub mod latency;
pub mod model;
pub mod neutral;
pub mod operate;
pub mod page;
pub mod recording;
pub mod replay;
pub mod settings;
pub mod simulated;
pub mod table;
pub mod tape;
pub mod track_map;
pub mod tracks;

/// One result in both forms.
pub trait Report {
    /// For people: complete lines, no trailing newline.
    fn text(&self) -> String;
    /// For programs: one JSON value with stable keys.
    fn json(&self) -> serde_json::Value;
}
