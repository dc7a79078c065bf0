//! A model's card for people: sensors, network, action space, and its hyperparameters explained.

use serde_json::{Value, json};

use super::Report;
use super::table::{Align, grouped, table};
use crate::config::explain::{Explained, Explanation};
use crate::domain::{FixedPoint, ModelCard, NetworkFacts};

/// Everything that is known about a model.
#[derive(Clone, Debug)]
pub struct ModelReport<'a> {
    /// The card.
    pub card: &'a ModelCard,
    /// What was tolerated in its metadata.
    pub notes: &'a [String],
    /// Its training, where hyperparameters came along; or why they cannot be read.
    pub training: Option<Result<Explanation, String>>,
}

impl Report for ModelReport<'_> {
    fn text(&self) -> String {
        let card = self.card;
        let mut parts =
            vec![format!("{}\n{}", card.name, "=".repeat(card.name.chars().count())), self.facts()];
        parts.push(format!("Network\n{}", network(card)));
        parts.push(format!("Fixed-point plan\n{}", fixed(&card.fixed)));
        parts.push(format!(
            "Action space ({} outputs)\n{}",
            card.action_space.outputs(),
            card.action_space.text()
        ));
        if !self.notes.is_empty() {
            parts.push(format!("Tolerated in the metadata\n{}", bullets(self.notes)));
        }
        parts.push(match &self.training {
            Some(Ok(explanation)) => format!("Hyperparameters\n{}", training(explanation)),
            Some(Err(why)) => format!("Hyperparameters\n  not readable: {why}"),
            None => "Hyperparameters\n  none came along: the car's archive does not hold them; they are in \
                     ip/hyperparameters.json of the training folder"
                .to_owned(),
        });
        parts.join("\n\n")
    }

    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    fn json(&self) -> Value {
        let card = self.card;
        json!({
            "name": card.name,
            "network_file": card.network_file,
            "network_sha256": card.network_digest.to_string(),
            "metadata_sha256": card.metadata_digest.to_string(),
            "sensors": card.inputs.iter().map(|(sensor, tensor)| json!({
                "sensor": sensor.name(), "shape": sensor.shape(), "tensor": tensor,
            })).collect::<Vec<_>>(),
            "output": card.output,
            "algorithm": card.algorithm,
            "neural_network": card.network_name,
            "parameters": card.facts.parameters,
            "macs": card.facts.macs,
            "estimated_ms_on_the_car": card.facts.macs as f64 / 1e6 * ms_per_million(card),
            "fixed_point": fixed_json(&card.fixed),
            "layers": card.facts.layers.iter().map(|layer| json!({
                "name": layer.name, "kind": layer.kind, "output": layer.output,
                "parameters": layer.parameters, "macs": layer.macs,
            })).collect::<Vec<_>>(),
            "action_space": card.action_space.json(),
            "notes": self.notes,
            "hyperparameters": match &self.training {
                Some(Ok(explanation)) => training_json(explanation),
                Some(Err(why)) => json!({"error": why}),
                None => Value::Null,
            },
        })
    }
}

impl ModelReport<'_> {
    fn facts(&self) -> String {
        let card = self.card;
        let mut rows = vec![
            ("algorithm".to_owned(), card.algorithm.clone()),
            ("network".to_owned(), card.network_name.clone().unwrap_or_else(|| "not named".to_owned())),
            ("file".to_owned(), format!("{} sha256 {}", card.network_file, card.network_digest.short())),
        ];
        for (sensor, tensor) in &card.inputs {
            rows.push((format!("input {sensor}"), format!("{:?} from {tensor}", sensor.shape())));
        }
        rows.push(("output".to_owned(), card.output.clone()));
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let lines: Vec<String> =
            rows.iter().map(|(name, value)| format!("  {name:<width$}  {value}")).collect();
        lines.join("\n")
    }
}

fn fixed(state: &FixedPoint) -> String {
    let plan = match state {
        FixedPoint::Absent => return "  none: it drives in f32; import it again to make one".to_owned(),
        FixedPoint::Refused(why) => return format!("  refused: {why}; it drives in f32"),
        FixedPoint::Made(plan) => plan,
    };
    let compared = format!(
        "  against f32 on {}: scores within {:.2e}, {} of {} actions changed",
        plan.frames, plan.max_difference, plan.changed, plan.compared
    );
    let head = format!("  sha256 {}, the same bits on every CPU", plan.digest.short());
    if plan.kept.is_empty() {
        return format!("{head}\n{compared}");
    }
    let head = format!("  sha256 {}, for some layers; what stays in f32:", plan.digest.short());
    format!("{head}\n{}\n{compared}", bullets(&plan.kept))
}

fn fixed_json(state: &FixedPoint) -> Value {
    match state {
        FixedPoint::Absent => Value::Null,
        FixedPoint::Refused(why) => json!({"refused": why}),
        FixedPoint::Made(plan) => json!({
            "sha256": plan.digest.to_string(), "frames": plan.frames, "compared": plan.compared,
            "max_difference": plan.max_difference, "changed": plan.changed, "kept_in_f32": plan.kept,
        }),
    }
}

fn network(card: &ModelCard) -> String {
    let facts: &NetworkFacts = &card.facts;
    let head = [
        ("layer", Align::Left),
        ("kind", Align::Left),
        ("output", Align::Left),
        ("parameters", Align::Right),
        ("multiply-adds", Align::Right),
    ];
    let mut rows: Vec<Vec<String>> = facts
        .layers
        .iter()
        .map(|layer| {
            vec![
                tail(&layer.name),
                layer.kind.clone(),
                layer.output.iter().map(ToString::to_string).collect::<Vec<_>>().join("x"),
                grouped(layer.parameters),
                grouped(layer.macs),
            ]
        })
        .collect();
    let blank = String::new;
    rows.push(vec!["all".to_owned(), blank(), blank(), grouped(facts.parameters), grouped(facts.macs)]);
    format!("{}\n  {}", table(&head, &rows), on_the_car(card))
}

/// What a forward pass takes on the car, in milliseconds per million multiply-adds: 7 to 10 ms in `f32`, 2.4 to 3.4 in
/// fixed point for the 22.2 million of the SHALLOW network (tract.md's model of the E3930, +-40 %).
fn ms_per_million(card: &ModelCard) -> f64 {
    match &card.fixed {
        FixedPoint::Made(plan) if plan.kept.is_empty() => 0.13,
        _ => 0.38,
    }
}

/// The period of 15 decisions a second, which training simulates.
const PERIOD_MS: f64 = 66.0;

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn on_the_car(card: &ModelCard) -> String {
    let ms = card.facts.macs as f64 / 1e6 * ms_per_million(card);
    let verdict = if ms <= PERIOD_MS / 2.0 {
        "fits"
    } else if ms <= PERIOD_MS {
        "tight"
    } else {
        "too slow"
    };
    format!(
        "about {ms:.1} ms a frame on the car's Atom, of {PERIOD_MS:.0} ms at 15 frames a second (an estimate, +-40 %): {verdict}"
    )
}

/// The last two parts of a graph name tell layers apart; the rest is the same for all.
fn tail(name: &str) -> String {
    let parts: Vec<&str> = name.rsplit('/').take(3).collect();
    match parts.as_slice() {
        [_, layer, room] => format!("{room}/{layer}"),
        _ => name.to_owned(),
    }
}

fn bullets(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  - {line}")).collect::<Vec<_>>().join("\n")
}

fn training(explanation: &Explanation) -> String {
    let mut lines = Vec::new();
    for row in &explanation.rows {
        lines.push(format!("  {} ({}): {}", row.label, row.key, shortened(&row.value)));
        lines.push(format!("      {}", row.what));
        if !row.range.is_empty() || !row.default.is_empty() {
            lines.push(format!("      range {}; default {}", or_none(row.range), or_none(row.default)));
        }
        lines.extend(
            row.warnings.iter().map(|warning| format!("      ! {}: {}", warning.level.word(), warning.text)),
        );
    }
    if !explanation.derived.is_empty() {
        lines.push("  What follows from them".to_owned());
        lines.extend(
            explanation.derived.iter().map(|derived| format!("    {}: {}", derived.label, derived.text)),
        );
    }
    lines.join("\n")
}

/// A value that fits a line.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 100 {
        text.to_owned()
    } else {
        format!("{}…", text.chars().take(100).collect::<String>())
    }
}

const fn or_none(text: &str) -> &str {
    if text.is_empty() { "none published" } else { text }
}

fn training_json(explanation: &Explanation) -> Value {
    let row = |row: &Explained| {
        json!({
            "key": row.key, "label": row.label, "value": row.value, "range": row.range, "default": row.default,
            "what": row.what,
            "warnings": row.warnings.iter().map(|warning| json!({
                "level": warning.level.word(), "text": warning.text,
            })).collect::<Vec<_>>(),
        })
    };
    json!({
        "rows": explanation.rows.iter().map(row).collect::<Vec<_>>(),
        "derived": explanation.derived.iter().map(|derived| json!({
            "label": derived.label, "text": derived.text,
        })).collect::<Vec<_>>(),
    })
}
