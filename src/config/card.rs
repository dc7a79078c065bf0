//! The model card, read from `model.toml`. Every number comes back with the same bits. Refuses unknown
//! keys, other formats, files outside the model's folder, and whatever metadata would be refused for.

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::card_form::{
    CardForm, FORMAT, FixedForm, FormatForm, InputForm, NetworkForm, SpaceForm, WitnessForm,
};
pub use super::card_text::write;
use super::error::ConfigError;
use super::metadata::Algorithm;
use super::words::{PREPARATIONS, SQUASHES};
use super::{place, space};
use crate::domain::{
    Action, ActionSpace, ContinuousSpace, Digest, FixedPlan, FixedPoint, Layer, ModelCard, NetworkFacts,
    Recipe, Sensor, Witness,
};
use crate::units::{Degrees, MetresPerSecond};

/// Reads the text of a card; `file` is its name in messages.
///
/// # Errors
/// [`ConfigError`] naming file, line, key, what was seen and what is wanted.
pub fn read(file: &str, text: &str) -> Result<ModelCard, ConfigError> {
    let reading = Reading { file, text };
    // First of all the format: another one may have keys that are unknown here.
    let FormatForm { format } = reading.parse()?;
    if *format.get_ref() != FORMAT {
        let wanted = format!("{FORMAT}; import the model again with this hairpin");
        return Err(reading.refuse(&format, "format", format.get_ref().to_string(), wanted));
    }
    reading.card(reading.parse()?)
}

/// A form being checked: knows where its values stand.
struct Reading<'a> {
    file: &'a str,
    text: &'a str,
}

impl Reading<'_> {
    fn parse<T: DeserializeOwned>(&self) -> Result<T, ConfigError> {
        toml::from_str(self.text).map_err(|error| {
            let line = place::line(self.text, error.span().map_or(0, |span| span.start));
            let saw = error.message().trim().replace('\n', ", ");
            let missing = saw.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
            let key = missing.map_or_else(|| place::key(self.text, line), str::to_owned);
            ConfigError::NotToml { file: self.file.to_owned(), line, key, saw }
        })
    }

    fn refuse<T>(
        &self,
        at: &Spanned<T>,
        key: &str,
        saw: impl Into<String>,
        wanted: impl Into<String>,
    ) -> ConfigError {
        ConfigError::RefusedAt {
            file: self.file.to_owned(),
            line: place::line(self.text, at.span().start),
            key: key.to_owned(),
            saw: saw.into(),
            wanted: wanted.into(),
        }
    }

    fn card(&self, form: CardForm) -> Result<ModelCard, ConfigError> {
        if form.name.get_ref().is_empty() {
            return Err(self.refuse(&form.name, "name", "\"\"", "the model's name"));
        }
        let file = form.network_file.get_ref();
        if !["model.pb", "model.onnx"].contains(&file.as_str()) {
            let wanted = "\"model.pb\" or \"model.onnx\"";
            return Err(self.refuse(&form.network_file, "network_file", format!("{file:?}"), wanted));
        }
        let algorithm = form.algorithm.get_ref();
        if Algorithm::from_name(algorithm).is_none() {
            let wanted = "\"clipped_ppo\" or \"sac\"";
            return Err(self.refuse(&form.algorithm, "algorithm", format!("{algorithm:?}"), wanted));
        }
        let inputs = self.inputs(&form.input, &form.name)?;
        let action_space = self.space(&form.action_space)?;
        let recipe = Recipe {
            sensors: inputs.iter().map(|(sensor, _)| *sensor).collect(),
            preparation: self.known("preparation", &form.preparation, &PREPARATIONS)?,
            squash: self.known("squash", &form.squash, &SQUASHES)?,
        };
        let fixed = self.fixed(form.fixed_point.as_ref(), action_space.outputs())?;
        Ok(ModelCard {
            fixed,
            network_digest: self.digest("network_sha256", &form.network_sha256)?,
            metadata_digest: self.digest("metadata_sha256", &form.metadata_sha256)?,
            witnesses: self.some_witnesses(&form.witness, action_space.outputs(), &form.name)?,
            name: form.name.into_inner(),
            network_file: form.network_file.into_inner(),
            inputs,
            output: form.output,
            recipe,
            action_space,
            algorithm: form.algorithm.into_inner(),
            network_name: form.network_name,
            facts: facts(form.network),
        })
    }

    fn known<T: Copy>(
        &self,
        key: &str,
        at: &Spanned<String>,
        table: &[(&'static str, T)],
    ) -> Result<T, ConfigError> {
        let found = table.iter().find(|(word, _)| word == at.get_ref());
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<String> = table.iter().map(|(word, _)| format!("{word:?}")).collect();
            self.refuse(at, key, format!("{:?}", at.get_ref()), words.join(" or "))
        })
    }

    fn digest(&self, key: &str, at: &Spanned<String>) -> Result<Digest, ConfigError> {
        Digest::from_hex(at.get_ref())
            .ok_or_else(|| self.refuse(at, key, format!("{:?}", at.get_ref()), "64 hexadecimal digits"))
    }

    fn inputs(
        &self,
        forms: &[InputForm],
        top: &Spanned<String>,
    ) -> Result<Vec<(Sensor, String)>, ConfigError> {
        if forms.is_empty() {
            return Err(self.refuse(top, "input", "none", "one [[input]] for each sensor"));
        }
        let mut inputs: Vec<(Sensor, String)> = Vec::new();
        for form in forms {
            let name = form.sensor.get_ref();
            let sensor = Sensor::from_name(name).ok_or_else(|| {
                let names = Sensor::ALL.map(Sensor::name).join(", ");
                self.refuse(&form.sensor, "input.sensor", format!("{name:?}"), format!("one of {names}"))
            })?;
            if inputs.iter().any(|(other, _)| (other.channels() > 0) == (sensor.channels() > 0)) {
                let wanted = "at most one camera and one LiDAR";
                return Err(self.refuse(&form.sensor, "input.sensor", format!("{name:?} as well"), wanted));
            }
            inputs.push((sensor, form.tensor.clone()));
        }
        Ok(inputs)
    }

    fn space(&self, at: &Spanned<SpaceForm>) -> Result<ActionSpace, ConfigError> {
        let form = at.get_ref();
        let space = match (form.kind.as_str(), &form.actions, form.steering, form.speed) {
            ("discrete", Some(actions), None, None) => actions
                .iter()
                .map(|[steering, speed]| {
                    Some(Action { steering: Degrees::new(*steering)?, speed: MetresPerSecond::new(*speed)? })
                })
                .collect::<Option<Vec<Action>>>()
                .map(ActionSpace::Discrete),
            ("continuous", None, Some(steering), Some(speed)) => ranges(steering, speed),
            _ => {
                let wanted = "\"discrete\" with actions, or \"continuous\" with steering and speed";
                return Err(self.refuse(at, "action_space", format!("kind {:?}", form.kind), wanted));
            }
        };
        let space = space.ok_or_else(|| {
            self.refuse(at, "action_space", "a number that is not finite", "finite numbers")
        })?;
        space::check(&space).map_err(|unfit| {
            self.refuse(at, &format!("action_space{}", unfit.key), unfit.saw, unfit.wanted)
        })?;
        Ok(space)
    }

    fn fixed(&self, at: Option<&Spanned<FixedForm>>, outputs: usize) -> Result<FixedPoint, ConfigError> {
        let Some(at) = at else { return Ok(FixedPoint::Absent) };
        let form = at.get_ref();
        let sha256 = match (&form.refused, &form.sha256) {
            (Some(why), None) => return Ok(FixedPoint::Refused(why.clone())),
            (None, Some(sha256)) => sha256,
            _ => return Err(self.refuse(at, "fixed_point", "both or neither", "either sha256 or refused")),
        };
        #[expect(clippy::cast_possible_truncation, reason = "written from an f32, for people")]
        let max_difference = form.max_difference as f32;
        Ok(FixedPoint::Made(FixedPlan {
            digest: self.digest("fixed_point.sha256", sha256)?,
            frames: form.frames.clone(),
            compared: form.compared,
            max_difference,
            changed: form.changed,
            kept: form.kept_in_f32.clone(),
            witnesses: self.witnesses(&form.witness, outputs)?,
        }))
    }

    fn some_witnesses(
        &self,
        forms: &[WitnessForm],
        outputs: usize,
        top: &Spanned<String>,
    ) -> Result<Vec<Witness>, ConfigError> {
        if forms.is_empty() {
            return Err(self.refuse(
                top,
                "witness",
                "none",
                "one [[witness]] at least: import the model again",
            ));
        }
        self.witnesses(forms, outputs)
    }

    fn witnesses(&self, forms: &[WitnessForm], outputs: usize) -> Result<Vec<Witness>, ConfigError> {
        let mut witnesses = Vec::new();
        for form in forms {
            let at = &form.scores;
            // What was written as a single comes back as that single; anything else is rounded.
            #[expect(clippy::cast_possible_truncation, reason = "infinity is refused below")]
            let scores: Vec<f32> = at.get_ref().iter().map(|score| *score as f32).collect();
            if scores.len() != outputs {
                let (saw, wanted) =
                    (format!("{} scores", scores.len()), format!("{outputs}, one for each output"));
                return Err(self.refuse(at, "witness.scores", saw, wanted));
            }
            if let Some(score) = scores.iter().find(|score| !score.is_finite()) {
                return Err(self.refuse(at, "witness.scores", score.to_string(), "finite numbers"));
            }
            witnesses.push(Witness { seed: form.seed, scores });
        }
        Ok(witnesses)
    }
}

fn ranges([low, high]: [f64; 2], [slow, fast]: [f64; 2]) -> Option<ActionSpace> {
    Some(ActionSpace::Continuous(ContinuousSpace {
        steering_low: Degrees::new(low)?,
        steering_high: Degrees::new(high)?,
        speed_low: MetresPerSecond::new(slow)?,
        speed_high: MetresPerSecond::new(fast)?,
    }))
}

fn facts(form: NetworkForm) -> NetworkFacts {
    let layers = form.layer.into_iter().map(|layer| Layer {
        name: layer.name,
        kind: layer.kind,
        output: layer.output,
        parameters: layer.parameters,
        macs: layer.macs,
    });
    NetworkFacts { layers: layers.collect(), parameters: form.parameters, macs: form.macs }
}

#[cfg(test)]
mod tests {
    use super::{read, write};
    use crate::domain::{
        Action, ActionSpace, ContinuousSpace, Digest, FixedPlan, FixedPoint, Layer, ModelCard, NetworkFacts,
        Preparation, Recipe, Sensor, Squash, Witness,
    };
    use crate::units::{Degrees, MetresPerSecond};

    fn card(action_space: ActionSpace, scores: Vec<f32>) -> ModelCard {
        ModelCard {
            name: "a \"quoted\" name\\".to_owned(),
            network_file: "model.onnx".to_owned(),
            network_digest: Digest::of(b"network"),
            metadata_digest: Digest::of(b"metadata"),
            inputs: vec![(Sensor::SectorLidar, "l".to_owned()), (Sensor::StereoCameras, "c".to_owned())],
            output: "main_level/agent/main/online/network_1/ppo_head_0/policy".to_owned(),
            recipe: Recipe {
                sensors: vec![Sensor::SectorLidar, Sensor::StereoCameras],
                preparation: Preparation::AsTrained,
                squash: Squash::AsTrained,
            },
            action_space,
            algorithm: "sac".to_owned(),
            network_name: None,
            facts: NetworkFacts {
                layers: vec![Layer {
                    name: "conv/0".to_owned(),
                    kind: "conv".to_owned(),
                    output: vec![1, 29, 39, 32],
                    parameters: 2080,
                    macs: u64::from(u32::MAX) * 3,
                }],
                parameters: 5_842_085,
                macs: 22_200_000,
            },
            witnesses: vec![Witness { seed: u32::MAX, scores: scores.clone() }],
            fixed: FixedPoint::Made(FixedPlan {
                digest: Digest::of(b"plan"),
                frames: "96 simulated frames".to_owned(),
                compared: 96,
                max_difference: 0.1,
                changed: 1,
                kept: vec!["pool (MaxPool): no fixed-point form".to_owned()],
                witnesses: vec![Witness { seed: 3, scores }],
            }),
        }
    }

    #[test]
    fn scores_come_back_bit_for_bit() {
        // Every exponent and both signs, with mantissas from a multiplicative walk.
        let mut mantissa = 1_u32;
        let mut scores = vec![0.0, -0.0, f32::MIN_POSITIVE, f32::MAX, 0.1, 1.0 / 3.0];
        for exponent in 0..255_u32 {
            mantissa = mantissa.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            scores.push(f32::from_bits(((exponent & 1) << 31) | (exponent << 23) | (mantissa >> 9)));
        }
        for part in scores.chunks(87) {
            let actions = (0..part.len())
                .map(|index| {
                    let share = f64::from(u32::try_from(index).expect("small")) / 7.0;
                    Action {
                        steering: Degrees::new(share - 5.0).expect("finite"),
                        speed: MetresPerSecond::new(share).expect("finite"),
                    }
                })
                .collect();
            let before = card(ActionSpace::Discrete(actions), part.to_vec());
            let text = write(&before).expect("written");
            let after = read("model.toml", &text).unwrap_or_else(|error| panic!("{error}\n{text}"));
            assert_eq!(after, before);
            let bits = |card: &ModelCard| -> Vec<u32> {
                card.witnesses
                    .iter()
                    .flat_map(|witness| &witness.scores)
                    .map(|score| score.to_bits())
                    .collect()
            };
            assert_eq!(bits(&after), bits(&before));
        }
    }

    #[test]
    fn a_continuous_card_comes_back_and_writes_the_same_text() {
        let space = ActionSpace::Continuous(ContinuousSpace {
            steering_low: Degrees::new(-27.1).expect("finite"),
            steering_high: Degrees::new(25.3).expect("finite"),
            speed_low: MetresPerSecond::new(0.1).expect("finite"),
            speed_high: MetresPerSecond::new(3.3).expect("finite"),
        });
        let mut before = card(space, vec![-1.5, 2.5]);
        before.network_name = Some("DEEP_CONVOLUTIONAL_NETWORK".to_owned());
        let text = write(&before).expect("written");
        let after = read("model.toml", &text).expect("good");
        assert_eq!(after, before);
        assert_eq!(write(&after).expect("written"), text);
        assert!(text.contains(&format!("network_sha256 = \"{}\"", Digest::of(b"network"))));
    }
}
