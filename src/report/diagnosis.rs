//! What `hairpin doctor` found: the verdict in one line, every check in a table, then what to do.

use serde_json::{Value, json};

use super::Report;
use super::table::{Align, table};
use crate::hal::probe::{Finding, Verdict};

/// All findings, in the order of the checks.
#[derive(Clone, Debug)]
pub struct Diagnosis(pub Vec<Finding>);

impl Diagnosis {
    /// Findings that stand in the way of driving.
    #[must_use]
    pub fn wrong(&self) -> usize {
        self.of(Verdict::Wrong).count()
    }

    fn of(&self, verdict: Verdict) -> impl Iterator<Item = &Finding> {
        self.0.iter().filter(move |finding| finding.verdict == verdict)
    }

    /// `doctor: 2 things stand in the way of driving, 1 note`.
    fn verdict(&self) -> String {
        let way = match self.wrong() {
            0 => "nothing stands in the way of driving".to_owned(),
            1 => "1 thing stands in the way of driving".to_owned(),
            count => format!("{count} things stand in the way of driving"),
        };
        match self.of(Verdict::Note).count() {
            0 => format!("doctor: {way}"),
            1 => format!("doctor: {way}, 1 note"),
            count => format!("doctor: {way}, {count} notes"),
        }
    }

    /// Those of one kind, numbered, under a title; nothing where there are none.
    fn remedies(&self, title: &str, verdict: Verdict) -> String {
        let one = |(at, finding): (usize, &Finding)| {
            let Finding { check, wanted, remedy, .. } = finding;
            format!("\n  {}. {check}: wanted {wanted}\n     {remedy}", at + 1)
        };
        let all: String = self.of(verdict).enumerate().map(one).collect();
        if all.is_empty() { all } else { format!("\n\n{title}{all}") }
    }
}

impl Report for Diagnosis {
    fn text(&self) -> String {
        let head = [("check", Align::Left), ("verdict", Align::Left), ("saw", Align::Left)];
        let row = |finding: &Finding| {
            vec![finding.check.to_owned(), finding.verdict.word().to_owned(), finding.saw.clone()]
        };
        let rows: Vec<Vec<String>> = self.0.iter().map(row).collect();
        format!(
            "{}\n\n{}{}{}",
            self.verdict(),
            table(&head, &rows),
            self.remedies("In the way:", Verdict::Wrong),
            self.remedies("Notes:", Verdict::Note)
        )
    }

    fn json(&self) -> Value {
        let one = |finding: &Finding| {
            let Finding { check, verdict, saw, wanted, remedy } = finding;
            json!({"check": check, "verdict": verdict.word(), "saw": saw, "wanted": wanted, "remedy": remedy})
        };
        json!({
            "wrong": self.wrong(), "notes": self.of(Verdict::Note).count(),
            "findings": self.0.iter().map(one).collect::<Vec<_>>(),
        })
    }
}
