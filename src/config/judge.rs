//! What is known against a hyperparameter's value, and what follows from several of them. Texts for people:
//! nothing here changes how a model drives. Sources: training.md §1.2, §2, §4.3b, §7.

use super::explain::{Derived, Level, Warning};
use super::hyper::{Exploration, Hyperparameters, LossType};
use super::metadata::Algorithm;
use crate::domain::ActionSpace;

/// The batch sizes that AWS accepts.
const BATCHES: [i64; 5] = [32, 64, 128, 256, 512];
/// Steps per second in the simulator.
const STEPS_PER_S: f64 = 15.0;

/// A number in its shortest form; small ones with an exponent.
pub(super) fn figure(value: f64) -> String {
    if value.abs() > 0.0 && value.abs() < 0.001 { format!("{value:e}") } else { value.to_string() }
}

fn one(level: Level, text: impl Into<String>) -> Vec<Warning> {
    vec![Warning { level, text: text.into() }]
}

/// The warnings of one key; none where it is not given.
pub(super) fn warnings(
    key: &str,
    given: &Hyperparameters,
    algorithm: Algorithm,
    space: &ActionSpace,
) -> Vec<Warning> {
    match key {
        "batch_size" => given.batch_size.map(batch),
        "num_epochs" => given.num_epochs.map(epochs),
        "lr" => given.lr.map(rate),
        "beta_entropy" => given.beta_entropy.map(|beta| entropy(beta, space)),
        "discount_factor" => given.discount_factor.map(|gamma| discount(gamma, given.loss_type)),
        "num_episodes_between_training" => {
            given.num_episodes_between_training.map(|episodes| updates(episodes, algorithm))
        }
        "stack_size" => given.stack_size.filter(|size| *size != 1).map(|size| {
            one(Level::Note, format!("{size} is not what was trained with: the stack is always 1"))
        }),
        "e_greedy_value" | "epsilon_steps" if given.exploration_type != Some(Exploration::EGreedy) => {
            Some(one(Level::Note, "has no effect: exploration is categorical"))
        }
        "e_greedy_value" => given.e_greedy_value.map(share),
        "epsilon_steps" => given.epsilon_steps.map(positive),
        "sac_alpha" if algorithm != Algorithm::Sac => {
            Some(one(Level::Note, "has no effect: the model was trained with clipped_ppo"))
        }
        "sac_alpha" => given.sac_alpha.map(share),
        "term_cond_max_episodes" => given.term_cond_max_episodes.map(positive),
        _ => None,
    }
    .unwrap_or_default()
}

fn batch(size: i64) -> Vec<Warning> {
    if size <= 0 {
        return one(Level::Error, format!("{size} is not above 0"));
    }
    if BATCHES.contains(&size) {
        return Vec::new();
    }
    let near = BATCHES.into_iter().min_by_key(|known| (known - size).abs()).unwrap_or(64);
    let slip = if size == 34 { "; 34 is a typing error that is passed around, 32 is meant" } else { "" };
    one(Level::OutsideRange, format!("{size} is none of 32, 64, 128, 256, 512; the nearest is {near}{slip}"))
}

fn share(value: f64) -> Vec<Warning> {
    if (0.0..=1.0).contains(&value) {
        return Vec::new();
    }
    one(Level::OutsideRange, format!("{} is outside 0 to 1", figure(value)))
}

fn positive(count: i64) -> Vec<Warning> {
    if count > 0 { Vec::new() } else { one(Level::Error, format!("{count} is not above 0")) }
}

fn epochs(count: i64) -> Vec<Warning> {
    match count {
        ..=0 => one(Level::Error, format!("{count} is not above 0")),
        3..=10 => Vec::new(),
        _ => one(Level::OutsideRange, format!("{count} is outside 3 to 10")),
    }
}

fn rate(lr: f64) -> Vec<Warning> {
    let shown = figure(lr);
    if lr <= 0.0 {
        one(Level::Error, format!("{shown} is not above 0: nothing is learnt"))
    } else if !(1e-9..=1e-3).contains(&lr) {
        one(Level::OutsideRange, format!("{shown} is outside 1e-9 to 1e-3"))
    } else if lr < 1e-8 {
        one(Level::Note, format!("{shown} is below 1e-8, where AWS's own form stops"))
    } else if lr < 1e-6 {
        one(Level::Note, format!("{shown} is so small that training hardly moves"))
    } else if lr >= 1e-3 {
        one(
            Level::KnownToHurt,
            format!("{shown} overshoots: policies were seen to fall back after their first clean laps"),
        )
    } else {
        Vec::new()
    }
}

fn entropy(beta: f64, space: &ActionSpace) -> Vec<Warning> {
    if beta < 0.0 {
        one(Level::Error, format!("{beta} is below 0: it would punish exploring"))
    } else if beta > 1.0 {
        one(Level::OutsideRange, format!("{beta} is outside 0 to 1"))
    } else if beta <= 0.0 {
        one(Level::Note, "0 gives no reason to explore: the policy may settle on its first habit")
    } else if beta >= 0.5 && matches!(space, ActionSpace::Discrete(_)) {
        one(Level::Note, format!("{beta} can outweigh the reward: the policy may stay undecided"))
    } else {
        Vec::new()
    }
}

fn discount(gamma: f64, loss: Option<LossType>) -> Vec<Warning> {
    if !(0.0..=1.0).contains(&gamma) {
        return one(
            Level::Error,
            format!("{gamma} is outside 0 to 1: the value grows without bound or alternates"),
        );
    }
    if gamma <= 0.0 {
        return one(Level::KnownToHurt, "0 sees only the very next reward");
    }
    if gamma >= 1.0 {
        return one(Level::KnownToHurt, "1 looks ahead without end: the value has no horizon to settle on");
    }
    let steps = 1.0 / (1.0 - gamma);
    if gamma <= 0.9 {
        let text = format!(
            "{gamma} looks about {steps:.0} steps ({:.1} s) ahead, short for a turn that must be prepared; racers who go for speed stay between this and 0.97",
            steps / STEPS_PER_S
        );
        return one(Level::KnownToHurt, text);
    }
    let mut found = Vec::new();
    if gamma >= 0.999 {
        let text = format!(
            "{gamma} looks about {steps:.0} steps ({:.0} s) ahead, longer than most laps: 0.99 learns faster",
            steps / STEPS_PER_S
        );
        found.push(Warning { level: Level::Note, text });
        if loss != Some(LossType::MeanSquaredError) {
            let text =
                "with huber and rewards far above 1 the value network lags: it learns at most 1 per step";
            found.push(Warning { level: Level::Note, text: text.to_owned() });
        }
    }
    found
}

fn updates(episodes: i64, algorithm: Algorithm) -> Vec<Warning> {
    match episodes {
        ..=0 => one(Level::Error, format!("{episodes} is not above 0")),
        1 if algorithm == Algorithm::Sac => one(Level::Note, "1 is fixed for SAC"),
        _ if algorithm == Algorithm::Sac => {
            one(Level::Note, format!("{episodes} has no effect: SAC always takes 1"))
        }
        1..=4 => {
            one(Level::OutsideRange, format!("{episodes} is outside 5 to 100, though AWS's API takes it"))
        }
        5..=100 => Vec::new(),
        _ => one(Level::OutsideRange, format!("{episodes} is outside 5 to 100")),
    }
}

/// Horizon, gradient steps and entropy bonus; absent values count as their defaults.
pub(super) fn derived(given: &Hyperparameters, algorithm: Algorithm, space: &ActionSpace) -> Vec<Derived> {
    let mut found = Vec::new();
    let gamma = given.discount_factor.unwrap_or(0.999);
    if (0.0..1.0).contains(&gamma) {
        let steps = 1.0 / (1.0 - gamma);
        let text = format!("1 / (1 - {gamma}) = {steps:.0} steps, {:.1} s at 15 Hz", steps / STEPS_PER_S);
        found.push(Derived { label: "horizon", text });
    }
    let batch = given.batch_size.unwrap_or(64);
    let epochs = given.num_epochs.unwrap_or(3);
    // SAC learns after every episode, whatever is given.
    let given_episodes = given.num_episodes_between_training.unwrap_or(20);
    let episodes = if algorithm == Algorithm::Sac { 1 } else { given_episodes };
    if batch > 0 && epochs > 0 && episodes > 0 {
        let steps = episodes.saturating_mul(100);
        let updates = (steps / batch).saturating_mul(epochs);
        let short = if steps < batch { "; less than one batch, so training takes a smaller one" } else { "" };
        let text = format!(
            "floor(steps / {batch}) x {epochs}: {updates} for {episodes} episodes of 100 steps ({steps} steps){short}"
        );
        found.push(Derived { label: "gradient steps per iteration", text });
    }
    if let ActionSpace::Discrete(actions) = space {
        let beta = given.beta_entropy.unwrap_or(0.01).max(0.0);
        // Shown to three digits; decided upon nowhere.
        #[expect(clippy::cast_precision_loss, reason = "at most 128")]
        let most = (actions.len() as f64).ln();
        let text = format!(
            "{} x ln({}) = {:.3} for a policy that cannot decide (ln = {most:.3})",
            figure(beta),
            actions.len(),
            beta * most
        );
        found.push(Derived { label: "largest entropy bonus", text });
    }
    found
}
