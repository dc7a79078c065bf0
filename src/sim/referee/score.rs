//! What a drive was worth, in numbers and in one line.

use std::fmt;

use crate::units::Span;

/// The sum of a drive so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Complete laps.
    pub laps: usize,
    /// The shortest lap's time.
    pub best: Option<Span>,
    /// The longest lap's time.
    pub worst: Option<Span>,
    /// Of the running lap, 0 to 100.
    pub progress: f64,
    /// How often the last wheel left the track: AWS's off-track.
    pub off_tracks: u32,
    /// How often a first wheel left the track.
    pub wheel_offs: u32,
    /// How long all four were off.
    pub off_time: Span,
    /// How often it drove against the direction of travel for a second.
    pub reversals: u32,
    /// How often it stood for a second after it was under way.
    pub immobile: u32,
    /// From the first moment seen to the last.
    pub time: Span,
    /// Metres that the rear axle's middle covered, by chords.
    pub distance: f64,
    /// Distance by time, m/s.
    pub mean_speed: f64,
    /// The highest speed seen, m/s.
    pub top_speed: f64,
    /// Mean of the steering's rate, rad/s, either way: how nervous it is.
    pub steering_rate: f64,
    /// Mean change of acceleration, m/s³, either way: how jerky it is.
    pub jerk: f64,
}

impl Score {
    /// At least a lap, never off the track, never the wrong way, never stuck.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.laps > 0 && self.off_tracks == 0 && self.reversals == 0 && self.immobile == 0
    }
}

/// The verdict in one line.
impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.laps {
            0 => write!(f, "no lap, {:.1} % of the first", self.progress)?,
            1 => f.write_str("1 lap")?,
            laps => write!(f, "{laps} laps")?,
        }
        if let Some(best) = self.best {
            write!(f, ", best {}", Seconds(best))?;
        }
        if let Some(worst) = self.worst.filter(|_| self.laps > 1) {
            write!(f, ", worst {}", Seconds(worst))?;
        }
        for (count, one, many) in [
            (self.off_tracks, "off-track", "off-tracks"),
            (self.reversals, "reversal", "reversals"),
            (self.immobile, "standstill", "standstills"),
        ] {
            write!(f, ", {count} {}", if count == 1 { one } else { many })?;
        }
        write!(f, "; {:.1} m at {:.2} m/s, at most {:.2}", self.distance, self.mean_speed, self.top_speed)
    }
}

/// A span in seconds with its milliseconds, cut off, in integers.
struct Seconds(Span);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = self.0.0 / 1_000_000;
        write!(f, "{}.{:03} s", ms / 1_000, ms % 1_000)
    }
}
