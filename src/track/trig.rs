//! Angles of the plane, through one pure-Rust library: the same bits on every machine. The room's only
//! file that names it.

use std::f64::consts::{PI, TAU};

/// Sine and cosine of an angle in radians.
#[must_use]
pub fn sin_cos(angle: f64) -> (f64, f64) {
    (libm::sin(angle), libm::cos(angle))
}

/// The heading of a direction: radians from +x, counter-clockwise, in -π..=π; 0 for no direction at all.
#[must_use]
pub fn heading(x: f64, y: f64) -> f64 {
    libm::atan2(y, x)
}

/// The same direction in -π..=π; NaN for what is not finite.
#[must_use]
pub fn wrapped(angle: f64) -> f64 {
    let around = angle.rem_euclid(TAU);
    if around > PI { around - TAU } else { around }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::{FRAC_PI_2, PI, TAU};

    use super::{heading, sin_cos, wrapped};

    #[test]
    fn quarters_come_out_where_they_belong() {
        assert!((heading(0.0, 2.0) - FRAC_PI_2).abs() < 1e-15);
        assert!((heading(-1.0, 0.0) - PI).abs() < 1e-15);
        let (sine, cosine) = sin_cos(FRAC_PI_2);
        assert!((sine - 1.0).abs() < 1e-15 && cosine.abs() < 1e-15);
    }

    #[test]
    fn a_turn_more_or_less_is_the_same_direction() {
        for angle in [-3.0, -0.5, 0.0, 1.5, 3.1] {
            for turns in [-3.0, -1.0, 0.0, 2.0] {
                assert!((wrapped(angle + turns * TAU) - angle).abs() < 1e-14);
            }
        }
    }
}
