//! The stock car's `calibration.json` (car.md §1.5). Unknown keys are left alone, as there; everything else is
//! refused by name, where the stock car ignores the whole file and drives on with the factory's numbers.

use super::error::ConfigError;
use super::json::{self, At};
use crate::vehicle::{Calibration, Points};

/// Reads both channels; whole nanoseconds, 1.0 to 2.0 ms, in order, polarity 1 or -1.
///
/// # Errors
/// [`ConfigError`] naming file, key path, what was seen and what is wanted.
pub fn read(file: &str, bytes: &[u8]) -> Result<Calibration, ConfigError> {
    let tree = json::parse(file, bytes, &mut Vec::new())?;
    let root = At::root(file, &tree);
    let header = root.need("Calibration", "an object with Servo and Motor")?;
    let calibration = Calibration {
        servo: points(&header.need("Servo", KEYS)?)?,
        motor: points(&header.need("Motor", KEYS)?)?,
    };
    calibration.checked().map_err(|source| ConfigError::Calibration { file: file.to_owned(), source })
}

const KEYS: &str = "an object with min, mid, max and polarity";

fn points(at: &At<'_>) -> Result<Points, ConfigError> {
    let whole = |key: &str, wanted: &str| {
        let place = at.need(key, wanted)?;
        place.whole(&mut Vec::new()).map(|value| (place.clone(), value)).map_err(|_| place.refuse(wanted))
    };
    let nanoseconds = |key: &str| {
        let wanted = "whole nanoseconds, 1000000 to 2000000";
        let (place, value) = whole(key, wanted)?;
        u32::try_from(value).map_err(|_| place.refuse(wanted))
    };
    let (place, sign) = whole("polarity", "1 or -1")?;
    let polarity = i8::try_from(sign).map_err(|_| place.refuse("1 or -1"))?;
    Ok(Points { min: nanoseconds("min")?, mid: nanoseconds("mid")?, max: nanoseconds("max")?, polarity })
}

#[cfg(test)]
mod tests {
    use super::read;
    use crate::vehicle::Calibration;

    #[test]
    fn the_factory_file_is_the_factory_calibration_whatever_else_it_holds() {
        let text = r#"{"Calibration": {"Servo": {"min": 1200000, "mid": 1450000, "max": 1700000, "polarity": 1},
            "Motor": {"min": 1311000, "mid": 1446000.0, "max": 1603500, "polarity": -1, "note": "x"},
            "version": 1}, "owner": "me"}"#;
        assert_eq!(read("calibration.json", text.as_bytes()), Ok(Calibration::factory()));
    }

    #[test]
    fn the_falling_points_of_the_oldest_cars_are_taken() {
        // The 16.04 image's numbers (car.md §1.2), without a version.
        let text = r#"{"Calibration": {"Servo": {"min": 1750000, "mid": 1530000, "max": 1230000, "polarity": 1},
            "Motor": {"min": 1700000, "mid": 1450000, "max": 1200000, "polarity": 1}}}"#;
        let calibration = read("calibration.json", text.as_bytes()).expect("good");
        assert_eq!((calibration.servo.min, calibration.motor.max), (1_750_000, 1_200_000));
    }
}
