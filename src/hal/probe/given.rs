//! What the command read itself, judged: the calibration (its file is parsed a layer above) and a model.

use super::finding::Finding;
use crate::domain::Pulses;
use crate::vehicle::Calibration;

const CHECK: &str = "calibration";

/// Which calibration the settings lead to.
#[derive(Clone, Debug, PartialEq)]
pub enum CalibrationFact {
    /// The factory's numbers: somebody said that they fit.
    Factory,
    /// Points that may move a car.
    Read {
        /// The file, or the settings.
        from: String,
        /// Checked.
        calibration: Calibration,
    },
    /// Nobody said which, and the car has none.
    Missing {
        /// The stock car's file, which is not there.
        file: String,
    },
    /// A file that cannot be read, is inverted or out of range.
    Refused {
        /// Why: file, what was seen and what is wanted.
        why: String,
    },
}

impl CalibrationFact {
    /// The pulses that stop this car; the factory's where nothing better is known.
    pub(super) fn neutral(&self) -> Pulses {
        match self {
            Self::Read { calibration, .. } => calibration.neutral(),
            Self::Factory | Self::Missing { .. } | Self::Refused { .. } => Calibration::factory().neutral(),
        }
    }
}

/// A model that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelFact {
    /// Its folder, as typed.
    pub folder: String,
    /// What it is in a few words, or why it does not load.
    pub loaded: Result<String, String>,
}

/// Whether this very car was measured.
pub(super) fn calibration(fact: &CalibrationFact) -> Finding {
    let wanted = "this car's own points: the factory's are every car's";
    let measure = "run `hairpin calibrate`, wheels up";
    match fact {
        CalibrationFact::Read { from, calibration } if *calibration == Calibration::factory() => {
            Finding::note(CHECK, format!("{from}: the factory's numbers"), wanted, measure)
        }
        CalibrationFact::Read { from, calibration } => {
            let (steering, throttle) = (calibration.servo.mid, calibration.motor.mid);
            Finding::good(CHECK, format!("{from}: neutral at steering {steering} ns, throttle {throttle} ns"))
        }
        CalibrationFact::Factory => {
            Finding::note(CHECK, "the factory's numbers, as vehicle.calibration says", wanted, measure)
        }
        CalibrationFact::Missing { file } => Finding::wrong(
            CHECK,
            format!("none: there is no {file}"),
            wanted,
            format!(
                "{measure}; or set vehicle.calibration = \"factory\", where those numbers are known to fit"
            ),
        ),
        CalibrationFact::Refused { why } => Finding::wrong(
            CHECK,
            why.clone(),
            "points in order, 1.0 to 2.0 ms, polarity 1 or -1, for Servo and Motor",
            format!("{measure}; it keeps the old file"),
        ),
    }
}

/// Whether the model can drive.
pub(super) fn model(fact: &ModelFact) -> Finding {
    match &fact.loaded {
        Ok(what) => Finding::good("model", what.clone()),
        Err(why) => Finding::wrong(
            "model",
            why.clone(),
            format!("a model folder that loads and answers as it did when it was imported: {}", fact.folder),
            "import it again with `hairpin import`",
        ),
    }
}
