//! The hyperparameters in words: each with its value, the published range and default, what it does, and
//! what is known against it (training.md §1.2, §2, §4.3b, §7). The seven of the console are always listed.

use super::hyper::{Exploration, Hyperparameters};
use super::judge;
use super::metadata::Algorithm;
use crate::domain::ActionSpace;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Permitted, and known to make training worse.
    KnownToHurt,
    /// Outside what AWS publishes.
    OutsideRange,
    /// Cannot work.
    Error,
}

impl Level {
    /// The word for reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::KnownToHurt => "known to hurt",
            Self::OutsideRange => "outside the range",
            Self::Error => "error",
        }
    }
}

/// One remark on one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// How bad it is.
    pub level: Level,
    /// One sentence.
    pub text: String,
}

/// One hyperparameter, explained.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The key in the file.
    pub key: String,
    /// The name in the console.
    pub label: &'static str,
    /// The value, or that it is not given.
    pub value: String,
    /// The published range; empty where there is none.
    pub range: &'static str,
    /// The published default, and other generations of it.
    pub default: &'static str,
    /// What it does, in one line.
    pub what: &'static str,
    /// What is known against the value.
    pub warnings: Vec<Warning>,
}

/// Something that follows from several values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Derived {
    /// Its name.
    pub label: &'static str,
    /// The figure and how it comes about.
    pub text: String,
}

/// All that there is to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The seven first, then the other keys that were given.
    pub rows: Vec<Explained>,
    /// What follows from them.
    pub derived: Vec<Derived>,
}

/// A key's fixed texts.
struct Entry {
    key: &'static str,
    label: &'static str,
    range: &'static str,
    /// The default that applies, alone.
    short: &'static str,
    default: &'static str,
    what: &'static str,
}

const SEVEN: [Entry; 7] = [
    Entry {
        key: "batch_size",
        label: "batch size",
        range: "32, 64, 128, 256, 512",
        short: "64",
        default: "64 (2018 preview: 32)",
        what: "steps of experience per gradient step: larger is smoother and slower",
    },
    Entry {
        key: "num_epochs",
        label: "epochs",
        range: "3 to 10",
        short: "3",
        default: "3 (training code and DeepRacer on AWS: 10; DRfC: 5)",
        what: "passes over each iteration's experience: more passes change the policy more per iteration, \
               held by the clip of 0.2; AWS's texts contradict each other on which end is the stable one",
    },
    Entry {
        key: "lr",
        label: "learning rate",
        range: "1e-9 to 1e-3 (AWS's own form stops at 1e-8)",
        short: "3e-4",
        default: "3e-4 (2018 preview: 1e-3)",
        what: "size of one gradient step: large overshoots, small takes long",
    },
    Entry {
        key: "beta_entropy",
        label: "entropy",
        range: "0 to 1",
        short: "0.01",
        default: "0.01",
        what: "bonus for undecided policies: more keeps exploring longer, less settles sooner",
    },
    Entry {
        key: "discount_factor",
        label: "discount factor",
        range: "0 to 1",
        short: "0.999",
        default: "0.999 (DeepRacer on AWS and DRfC: 0.99; DRfC in 2022: 0.995)",
        what: "how much a later reward counts: 0.9 looks about 10 steps ahead, 0.999 about 1000",
    },
    Entry {
        key: "loss_type",
        label: "loss type",
        range: "huber, mean squared error",
        short: "huber",
        default: "huber (training code: mean squared error; SAC: mean squared error)",
        what: "error measure of the value network only: huber bounds what one step can pull",
    },
    Entry {
        key: "num_episodes_between_training",
        label: "episodes per update",
        range: "5 to 100 (AWS's API takes 1 to 100)",
        short: "20",
        default: "20 (SAC: always 1)",
        what: "episodes driven before each update: more gives steadier gradients and fewer updates",
    },
];

const REST: [Entry; 7] = [
    Entry {
        key: "stack_size",
        label: "stack size",
        range: "",
        short: "1",
        default: "1",
        what: "ignored: training reads it and always stacks one frame",
    },
    Entry {
        key: "exploration_type",
        label: "exploration type",
        range: "categorical, e-greedy",
        short: "categorical",
        default: "categorical",
        what: "categorical samples from the policy's own probabilities; e-greedy acts at random with a falling chance",
    },
    Entry {
        key: "e_greedy_value",
        label: "e-greedy value",
        range: "0 to 1",
        short: "0.05",
        default: "0.05 (console files carry 1.0)",
        what: "chance of a random action, with e-greedy only",
    },
    Entry {
        key: "epsilon_steps",
        label: "epsilon steps",
        range: "",
        short: "10000",
        default: "10000",
        what: "steps until that chance has fallen, with e-greedy only",
    },
    Entry {
        key: "sac_alpha",
        label: "SAC alpha",
        range: "0 to 1",
        short: "0.2",
        default: "0.2",
        what: "weight of the entropy in SAC's objective, with sac only",
    },
    Entry {
        key: "term_cond_max_episodes",
        label: "most episodes",
        range: "",
        short: "100000",
        default: "100000 (DRfC: 1000)",
        what: "training ends after so many episodes",
    },
    Entry {
        key: "term_cond_avg_score",
        label: "average score to end at",
        range: "",
        short: "100000",
        default: "100000 (DRfC: 350)",
        what: "ignored: training reads it and PPO never looks at it",
    },
];

/// Explains a file, or the absence of one (`Hyperparameters::default()`), for a model's algorithm and space.
#[must_use]
pub fn explain(given: &Hyperparameters, algorithm: Algorithm, space: &ActionSpace) -> Explanation {
    let mut rows: Vec<Explained> = SEVEN.iter().map(|entry| row(entry, given, algorithm, space)).collect();
    let others = REST.iter().filter(|entry| value(given, entry.key).is_some());
    rows.extend(others.map(|entry| row(entry, given, algorithm, space)));
    rows.extend(given.other.iter().map(|(key, value)| Explained {
        key: key.clone(),
        label: "unknown key",
        value: value.clone(),
        range: "",
        default: "",
        what: "not a hyperparameter of DeepRacer's training; kept as it is",
        warnings: Vec::new(),
    }));
    Explanation { rows, derived: judge::derived(given, algorithm, space) }
}

fn row(entry: &Entry, given: &Hyperparameters, algorithm: Algorithm, space: &ActionSpace) -> Explained {
    let shown =
        value(given, entry.key).unwrap_or_else(|| format!("not given: the default {} applies", entry.short));
    Explained {
        key: entry.key.to_owned(),
        label: entry.label,
        value: shown,
        range: entry.range,
        default: entry.default,
        what: entry.what,
        warnings: judge::warnings(entry.key, given, algorithm, space),
    }
}

/// A given value in words.
fn value(given: &Hyperparameters, key: &str) -> Option<String> {
    let whole = |value: Option<i64>| value.map(|value| value.to_string());
    match key {
        "batch_size" => whole(given.batch_size),
        "num_epochs" => whole(given.num_epochs),
        "lr" => given.lr.map(judge::figure),
        "beta_entropy" => given.beta_entropy.map(judge::figure),
        "discount_factor" => given.discount_factor.map(judge::figure),
        "loss_type" => given.loss_type.map(|loss| loss.word().to_owned()),
        "num_episodes_between_training" => whole(given.num_episodes_between_training),
        "stack_size" => whole(given.stack_size),
        "exploration_type" => given.exploration_type.map(Exploration::word).map(str::to_owned),
        "e_greedy_value" => given.e_greedy_value.map(judge::figure),
        "epsilon_steps" => whole(given.epsilon_steps),
        "sac_alpha" => given.sac_alpha.map(judge::figure),
        "term_cond_max_episodes" => whole(given.term_cond_max_episodes),
        "term_cond_avg_score" => given.term_cond_avg_score.map(judge::figure),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Explanation, Level, explain};
    use crate::config::hyper::{self, Hyperparameters};
    use crate::config::metadata::Algorithm;
    use crate::domain::{Action, ActionSpace};
    use crate::units::{Degrees, MetresPerSecond};

    fn told(text: &str, algorithm: Algorithm) -> Explanation {
        let given = hyper::read("f", text.as_bytes()).expect("readable");
        let action = Action { steering: Degrees::ZERO, speed: MetresPerSecond::ZERO };
        explain(&given, algorithm, &ActionSpace::Discrete(vec![action; 10]))
    }

    #[test]
    fn the_seven_are_always_told_with_their_ranges_and_defaults() {
        let action = Action { steering: Degrees::ZERO, speed: MetresPerSecond::ZERO };
        let space = ActionSpace::Discrete(vec![action; 10]);
        let told = explain(&Hyperparameters::default(), Algorithm::ClippedPpo, &space);
        let table: Vec<(&str, &str, &str)> =
            told.rows.iter().map(|row| (row.label, row.range, row.value.as_str())).collect();
        let absent = [
            ("batch size", "32, 64, 128, 256, 512", "not given: the default 64 applies"),
            ("epochs", "3 to 10", "not given: the default 3 applies"),
            (
                "learning rate",
                "1e-9 to 1e-3 (AWS's own form stops at 1e-8)",
                "not given: the default 3e-4 applies",
            ),
            ("entropy", "0 to 1", "not given: the default 0.01 applies"),
            ("discount factor", "0 to 1", "not given: the default 0.999 applies"),
            ("loss type", "huber, mean squared error", "not given: the default huber applies"),
            (
                "episodes per update",
                "5 to 100 (AWS's API takes 1 to 100)",
                "not given: the default 20 applies",
            ),
        ];
        assert_eq!(table, absent);
        assert!(told.rows.iter().all(|row| row.warnings.is_empty()));
    }

    #[test]
    fn what_follows_is_computed() {
        let told = told(r#"{"discount_factor": 0.95, "num_epochs": 10}"#, Algorithm::ClippedPpo);
        let texts: Vec<&str> = told.derived.iter().map(|derived| derived.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "1 / (1 - 0.95) = 20 steps, 1.3 s at 15 Hz",
                "floor(steps / 64) x 10: 310 for 20 episodes of 100 steps (2000 steps)",
                "0.01 x ln(10) = 0.023 for a policy that cannot decide (ln = 2.303)",
            ]
        );
    }

    /// The level and a part of the text, or nothing, for one value.
    #[test]
    fn each_value_is_judged() {
        let table: [(&str, Option<(Level, &str)>); 33] = [
            (r#""batch_size": 64"#, None),
            (r#""batch_size": 34"#, Some((Level::OutsideRange, "32 is meant"))),
            (r#""batch_size": 1000"#, Some((Level::OutsideRange, "nearest is 512"))),
            (r#""batch_size": 0"#, Some((Level::Error, "not above 0"))),
            (r#""num_epochs": 3"#, None),
            (r#""num_epochs": 2"#, Some((Level::OutsideRange, "3 to 10"))),
            (r#""num_epochs": 11"#, Some((Level::OutsideRange, "3 to 10"))),
            (r#""num_epochs": -1"#, Some((Level::Error, "not above 0"))),
            (r#""lr": 0.0003"#, None),
            (r#""lr": 1e-9"#, Some((Level::Note, "1e-8"))),
            (r#""lr": 1e-8"#, Some((Level::Note, "hardly moves"))),
            (r#""lr": 1e-3"#, Some((Level::KnownToHurt, "overshoots"))),
            (r#""lr": 9e-10"#, Some((Level::OutsideRange, "1e-9 to 1e-3"))),
            (r#""lr": 0.002"#, Some((Level::OutsideRange, "1e-9 to 1e-3"))),
            (r#""lr": 0"#, Some((Level::Error, "not above 0"))),
            (r#""beta_entropy": 0.01"#, None),
            (r#""beta_entropy": 0"#, Some((Level::Note, "no reason to explore"))),
            (r#""beta_entropy": 1.5"#, Some((Level::OutsideRange, "0 to 1"))),
            (r#""beta_entropy": -0.1"#, Some((Level::Error, "below 0"))),
            (r#""discount_factor": 0.95"#, None),
            (r#""discount_factor": 0.9"#, Some((Level::KnownToHurt, "about 10 steps (0.7 s)"))),
            (r#""discount_factor": 0.999"#, Some((Level::Note, "about 1000 steps (67 s)"))),
            (r#""discount_factor": 1"#, Some((Level::KnownToHurt, "without end"))),
            (r#""discount_factor": 1.01"#, Some((Level::Error, "outside 0 to 1"))),
            (r#""loss_type": "HUBER""#, None),
            (r#""num_episodes_between_training": 100"#, None),
            (r#""num_episodes_between_training": 4"#, Some((Level::OutsideRange, "AWS's API takes it"))),
            (r#""num_episodes_between_training": 101"#, Some((Level::OutsideRange, "5 to 100"))),
            (r#""num_episodes_between_training": 0"#, Some((Level::Error, "not above 0"))),
            (r#""stack_size": 4"#, Some((Level::Note, "always 1"))),
            (r#""e_greedy_value": 1.0"#, Some((Level::Note, "categorical"))),
            (r#""sac_alpha": 0.2"#, Some((Level::Note, "clipped_ppo"))),
            (r#""s3_bucket": "b""#, None),
        ];
        for (member, wanted) in table {
            let told = told(&format!("{{{member}}}"), Algorithm::ClippedPpo);
            let found = told.rows.iter().flat_map(|row| &row.warnings).next();
            match (found, wanted) {
                (None, None) => {}
                (Some(warning), Some((level, part))) => {
                    assert_eq!(warning.level, level, "{member}");
                    assert!(warning.text.contains(part), "{member}: {}", warning.text);
                }
                (found, wanted) => panic!("{member}: {found:?}, wanted {wanted:?}"),
            }
        }
    }

    #[test]
    fn other_keys_follow_the_seven_and_unknown_ones_come_last() {
        let told =
            told(r#"{"x": [1], "e_greedy_value": 0.5, "exploration_type": "e-greedy"}"#, Algorithm::Sac);
        let keys: Vec<&str> = told.rows.iter().skip(7).map(|row| row.key.as_str()).collect();
        assert_eq!(keys, ["exploration_type", "e_greedy_value", "x"]);
        assert!(told.rows.iter().all(|row| row.warnings.is_empty()));
    }
}
