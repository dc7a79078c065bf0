//! A chip that lost its power with the drive battery (car.md §9.6) comes back asleep, at 200 Hz, with all outputs off,
//! while the kernel remembers what it wrote before and drops every write of the same. Here both are brought together
//! again. To be done with the power gate shut: the chip may stop for half a millisecond in the middle of a pulse.

use std::fs;
use std::path::Path;

use super::channel::PulseOut as _;
use super::pause::Patience;
use super::pwm::{SysfsPwm, export};
use super::{HalError, sysfs};
use crate::units::Pulse;

/// A period that makes the same prescaler and is not [`super::pwm::PERIOD_NS`]: drivers up to 5.12 program the
/// prescaler, and wake the chip, only where the number of nanoseconds changes.
const TWIN_PERIOD_NS: u32 = 20_000_500;

/// Makes the kernel program the chip anew when its channels are opened next. `channels` are given with the neutral
/// that each has to have before anything else.
///
/// # Errors
/// [`HalError::Open`] or [`HalError::Write`] with the file; [`HalError::PeriodHeld`] where even switching every channel
/// off does not free the period.
pub(super) fn wake(chip: &Path, channels: [(u32, Pulse); 2]) -> Result<(), HalError> {
    for (channel, neutral) in channels {
        let mut patience = Patience::for_udev();
        let mut pwm = SysfsPwm::open_exported(export(chip, channel)?, &mut patience)?;
        // A period is applied with the duty that the kernel remembers; a refusal shows again below.
        pwm.reassert(neutral).unwrap_or_default();
        match patience.until(|| pwm.set_period(TWIN_PERIOD_NS)) {
            // Drivers since 5.13 set the prescaler of the chip only while no other channel is on.
            Err(HalError::PeriodHeld { .. }) => {
                all_off(chip);
                pwm.set_period(TWIN_PERIOD_NS)?;
            }
            written => written?,
        }
    }
    Ok(())
}

/// Switches every exported channel off. What cannot be switched off shows when the period is set.
fn all_off(chip: &Path) {
    for entry in fs::read_dir(chip).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with("pwm") {
            sysfs::write(&entry.path().join("enable"), "0").unwrap_or_default();
        }
    }
}
