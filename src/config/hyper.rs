//! `hyperparameters.json` to typed values, as `SageMaker`, the console and `DRfC` write it: numbers may be texts,
//! the loss comes in any case, foreign keys are mixed in and kept. Refuses only what cannot be read;
//! whether a value is wise is said by `explain.rs`.

use super::error::ConfigError;
use super::json::{self, At, Json};

/// What the value network's error is measured with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossType {
    /// Quadratic near zero, linear beyond 1.
    Huber,
    /// Quadratic throughout.
    MeanSquaredError,
}

impl LossType {
    /// The word in the file, in small letters.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Huber => "huber",
            Self::MeanSquaredError => "mean squared error",
        }
    }
}

/// How training tried things out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exploration {
    /// Sampled from the policy's own probabilities.
    Categorical,
    /// At random with a falling probability.
    EGreedy,
}

impl Exploration {
    /// The word in the file.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Categorical => "categorical",
            Self::EGreedy => "e-greedy",
        }
    }
}

/// Every key of training.md §2, as given; the default value has none of them. Numbers are finite, and not
/// yet judged: a batch size may be -3 here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hyperparameters {
    /// `batch_size`.
    pub batch_size: Option<i64>,
    /// `num_epochs`.
    pub num_epochs: Option<i64>,
    /// `lr`.
    pub lr: Option<f64>,
    /// `beta_entropy`.
    pub beta_entropy: Option<f64>,
    /// `discount_factor`.
    pub discount_factor: Option<f64>,
    /// `loss_type`.
    pub loss_type: Option<LossType>,
    /// `num_episodes_between_training`.
    pub num_episodes_between_training: Option<i64>,
    /// `stack_size`.
    pub stack_size: Option<i64>,
    /// `exploration_type`.
    pub exploration_type: Option<Exploration>,
    /// `e_greedy_value`.
    pub e_greedy_value: Option<f64>,
    /// `epsilon_steps`.
    pub epsilon_steps: Option<i64>,
    /// `sac_alpha`.
    pub sac_alpha: Option<f64>,
    /// `term_cond_max_episodes`.
    pub term_cond_max_episodes: Option<i64>,
    /// `term_cond_avg_score`.
    pub term_cond_avg_score: Option<f64>,
    /// Keys that training does not know, and their JSON.
    pub other: Vec<(String, String)>,
    /// What was tolerated, one sentence each.
    pub notes: Vec<String>,
}

/// Reads the bytes of a `hyperparameters.json`; `file` is its name in messages.
///
/// # Errors
/// [`ConfigError`] naming file, key, what was seen and what is wanted. The file says nothing about how the
/// car drives, so a caller may report the error and go on without it.
pub fn read(file: &str, bytes: &[u8]) -> Result<Hyperparameters, ConfigError> {
    let (given, refused) = read_each(file, bytes)?;
    refused.into_iter().next().map_or(Ok(given), |(_, error)| Err(error))
}

/// The same, key by key: what can be read, and the keys that cannot with the reason of each.
///
/// # Errors
/// [`ConfigError`] where the file as a whole is no JSON object.
pub fn read_each(
    file: &str,
    bytes: &[u8],
) -> Result<(Hyperparameters, Vec<(String, ConfigError)>), ConfigError> {
    let mut refused = Vec::new();
    let mut notes = Vec::new();
    let tree = json::parse(file, bytes, &mut notes)?;
    let mut given = Hyperparameters::default();
    for (key, at) in At::root(file, &tree).members()? {
        if matches!(at.value, Json::Null) {
            notes.push(format!("{key} is null: read as not given"));
            continue;
        }
        if let Err(error) = take(&mut given, key, &at, &mut notes) {
            refused.push((key.to_owned(), error));
        }
    }
    given.notes = notes;
    Ok((given, refused))
}

fn take(
    given: &mut Hyperparameters,
    key: &str,
    at: &At<'_>,
    notes: &mut Vec<String>,
) -> Result<(), ConfigError> {
    match key {
        "batch_size" => given.batch_size = Some(at.whole(notes)?),
        "num_epochs" => given.num_epochs = Some(at.whole(notes)?),
        "lr" => given.lr = Some(at.number(notes)?),
        "beta_entropy" => given.beta_entropy = Some(at.number(notes)?),
        "discount_factor" => given.discount_factor = Some(at.number(notes)?),
        "loss_type" => given.loss_type = Some(loss(at)?),
        "num_episodes_between_training" => given.num_episodes_between_training = Some(at.whole(notes)?),
        "stack_size" => given.stack_size = Some(at.whole(notes)?),
        "exploration_type" => given.exploration_type = Some(exploration(at)?),
        "e_greedy_value" => given.e_greedy_value = Some(at.number(notes)?),
        "epsilon_steps" => given.epsilon_steps = Some(at.whole(notes)?),
        "sac_alpha" => given.sac_alpha = Some(at.number(notes)?),
        "term_cond_max_episodes" => given.term_cond_max_episodes = Some(at.whole(notes)?),
        "term_cond_avg_score" => given.term_cond_avg_score = Some(at.number(notes)?),
        _ => given.other.push((key.to_owned(), json::compact(at.value))),
    }
    Ok(())
}

fn loss(at: &At<'_>) -> Result<LossType, ConfigError> {
    let wanted = "\"huber\" or \"mean squared error\"";
    match plain(at.text(wanted)?).as_str() {
        "huber" => Ok(LossType::Huber),
        "mean squared error" | "mse" => Ok(LossType::MeanSquaredError),
        _ => Err(at.refuse(wanted)),
    }
}

fn exploration(at: &At<'_>) -> Result<Exploration, ConfigError> {
    let wanted = "\"categorical\" or \"e-greedy\"";
    match plain(at.text(wanted)?).as_str() {
        "categorical" => Ok(Exploration::Categorical),
        "e greedy" => Ok(Exploration::EGreedy),
        _ => Err(at.refuse(wanted)),
    }
}

/// Small letters, single spaces for `_` and `-`, and without the second pair of quotes that `SageMaker` adds.
fn plain(text: &str) -> String {
    let words = text.trim_matches('"').to_lowercase().replace(['_', '-'], " ");
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::{Exploration, Hyperparameters, LossType, read};

    #[test]
    fn the_real_files_are_read() {
        for folder in ["graph-console-tf1-ppo-discrete10-front", "real-console2023-ppo-discrete10-checkpoint"]
        {
            let path =
                format!("{}/../shared/data/models/{folder}/hyperparameters.json", env!("CARGO_MANIFEST_DIR"));
            let Ok(bytes) = std::fs::read(&path) else {
                let why = format!("skipped: {path} is absent\n");
                std::io::stderr().write_all(why.as_bytes()).expect("stderr is open");
                return;
            };
            let wanted = Hyperparameters {
                batch_size: Some(64),
                num_epochs: Some(10),
                lr: Some(0.0003),
                beta_entropy: Some(0.01),
                discount_factor: Some(0.95),
                loss_type: Some(LossType::Huber),
                num_episodes_between_training: Some(20),
                stack_size: Some(1),
                exploration_type: Some(Exploration::Categorical),
                e_greedy_value: Some(1.0),
                epsilon_steps: Some(10_000),
                sac_alpha: None,
                term_cond_max_episodes: Some(100_000),
                term_cond_avg_score: Some(100_000.0),
                other: Vec::new(),
                notes: Vec::new(),
            };
            assert_eq!(read("hyperparameters.json", &bytes), Ok(wanted));
        }
    }

    #[test]
    fn sagemakers_texts_are_read() {
        let text = br#"{"batch_size": "128", "lr": "1e-4", "loss_type": "\"Mean Squared Error\"",
            "exploration_type": "E_Greedy", "s3_bucket": "b", "discount_factor": null}"#;
        let given = read("f", text).expect("good");
        assert_eq!((given.batch_size, given.lr, given.discount_factor), (Some(128), Some(1e-4), None));
        assert_eq!(given.loss_type, Some(LossType::MeanSquaredError));
        assert_eq!(given.exploration_type, Some(Exploration::EGreedy));
        assert_eq!(given.other, [("s3_bucket".to_owned(), "\"b\"".to_owned())]);
        let notes =
            ["numbers written as texts were read as numbers", "discount_factor is null: read as not given"];
        assert_eq!(given.notes, notes);
    }
}
