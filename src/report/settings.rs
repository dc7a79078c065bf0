//! Every setting with its value and where it comes from.

use serde_json::{Value, json};

use super::Report;
use super::table::{Align, table};
use crate::config::Setting;

/// The list that `hairpin config` shows.
#[derive(Clone, Debug)]
pub struct Settings(pub Vec<Setting>);

impl Report for Settings {
    fn text(&self) -> String {
        let row = |setting: &Setting| {
            vec![setting.key.to_owned(), setting.value.clone(), setting.origin.to_string()]
        };
        let head = [("key", Align::Left), ("value", Align::Left), ("from", Align::Left)];
        table(&head, &self.0.iter().map(row).collect::<Vec<_>>())
    }

    fn json(&self) -> Value {
        self.0
            .iter()
            .map(|setting| {
                json!({"key": setting.key, "value": setting.value, "from": setting.origin.to_string()})
            })
            .collect()
    }
}
