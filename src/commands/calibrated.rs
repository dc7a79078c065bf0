//! Which calibration moves a real car. Refuses to let the policy drive one that nobody calibrated, unless it is told that
//! the factory's numbers fit.

use anyhow::bail;

use super::files::bounded;
use super::{Context, setup, was_set};
use crate::config::stock;
use crate::vehicle::Calibration;

/// Where the stock car keeps its calibration (car.md §1.5).
pub(crate) const STOCK_FILE: &str = "/opt/aws/deepracer/calibration.json";

/// What `vehicle.calibration` says; where nobody set it, the stock car's own file.
///
/// # Errors
/// A file that cannot be read or holds no calibration, or a car without any.
pub(crate) fn calibrated(context: &Context) -> anyhow::Result<Calibration> {
    if was_set(context, "vehicle.calibration") {
        return setup::calibration(&context.config);
    }
    let file = context.config.car().at(STOCK_FILE);
    if !file.exists() {
        bail!(
            "this car is not calibrated: there is no {}; run `hairpin calibrate`, or, where the factory's numbers are known to \
             fit, say so with --set vehicle.calibration=factory",
            file.display()
        );
    }
    Ok(stock::read(&file.display().to_string(), &bounded(&file, 1 << 20)?)?)
}

/// As [`calibrated`], and the factory's middle where there is none: for what only ever goes neutral.
pub(crate) fn calibrated_or_factory(context: &Context) -> Calibration {
    calibrated(context).unwrap_or_else(|_| Calibration::factory())
}
