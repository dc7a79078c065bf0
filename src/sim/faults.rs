//! What goes wrong in a simulated world, by number of the frame and by time: middleware between camera and loop, and
//! between loop and servo. Each kind in three severities. Seeded, and without memory: what becomes of frame 100 does not
//! depend on who asked about frame 99. Refuses a kind or severity that does not exist.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::seed::Seed;
use crate::units::{Instant, Span};

/// What can go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Frames are lost: one in ten, three in ten, six in ten.
    Drop,
    /// Every frame comes later: by 30, 60, 120 ms.
    Delay,
    /// Frames come again in the place of the next: one in ten, three in ten, six in ten.
    Repeat,
    /// The light goes: to 60 %, 25 %, 3 %.
    Darken,
    /// JPEG data is cut off: of one frame in twenty, one in five, one in two.
    Tear,
    /// The sensor is noisy: 8, 20, 40 of 255.
    Noise,
    /// Every second or so a frame is late, and all behind it: by 80, 200, 1200 ms.
    Spikes,
    /// Every three seconds the servo stands still: for 0.1, 0.3, 1 s.
    DeadServo,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Drop,
        Self::Delay,
        Self::Repeat,
        Self::Darken,
        Self::Tear,
        Self::Noise,
        Self::Spikes,
        Self::DeadServo,
    ];

    /// As it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Drop => "drop",
            Self::Delay => "delay",
            Self::Repeat => "repeat",
            Self::Darken => "darken",
            Self::Tear => "tear",
            Self::Noise => "noise",
            Self::Spikes => "spikes",
            Self::DeadServo => "dead-servo",
        }
    }
}

/// One kind in one severity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    kind: Kind,
    /// 0 to 2.
    grade: usize,
}

/// What is wrong with the words for a fault.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("saw the fault {saw:?}, wanted KIND:SEVERITY with a severity of 1 to 3 and one of {kinds}")]
pub struct FaultError {
    saw: String,
    kinds: String,
}

impl Fault {
    /// A fault of severity 1 to 3; others are taken to the nearest.
    #[must_use]
    pub fn new(kind: Kind, severity: u8) -> Self {
        Self { kind, grade: usize::from(severity.clamp(1, 3) - 1) }
    }

    /// What goes wrong.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    fn of<T: Copy>(&self, grades: [T; 3]) -> T {
        let [mild, middle, severe] = grades;
        match self.grade {
            0 => mild,
            1 => middle,
            _ => severe,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.grade + 1)
    }
}

impl FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        let wrong = || FaultError { saw: text.to_owned(), kinds: Kind::ALL.map(Kind::name).join(", ") };
        let (name, severity) = text.split_once(':').unwrap_or((text, "2"));
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(wrong)?;
        match severity.parse() {
            Ok(severity @ 1..=3) => Ok(Self::new(kind, severity)),
            _ => Err(wrong()),
        }
    }
}

/// What becomes of one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mishap {
    /// It never comes.
    pub is_lost: bool,
    /// It comes so much later than it should.
    pub late: Span,
    /// The bytes of the one before come in its place.
    pub repeats: bool,
    /// The light, of what it should be.
    pub light: f64,
    /// Deviation of noise on top of the sensor's own, of 255.
    pub noise: f64,
    /// Only this share of its bytes is there.
    pub kept: f64,
}

impl Mishap {
    /// All is well.
    pub const NONE: Self =
        Self { is_lost: false, late: Span(0), repeats: false, light: 1.0, noise: 0.0, kept: 1.0 };

    fn delay(&mut self, ms: u64) {
        self.late.0 = self.late.0.saturating_add(Span::from_millis(ms).0);
    }
}

/// Everything that goes wrong in one drive.
#[derive(Clone, Debug)]
pub struct Faults {
    list: Vec<Fault>,
    seed: Seed,
}

/// From one standstill of the servo to the next.
const SERVO_PERIOD: u64 = 3_000_000_000;

impl Faults {
    /// These, with chance from `seed`.
    #[must_use]
    pub fn new(list: &[Fault], seed: Seed) -> Self {
        Self { list: list.to_vec(), seed }
    }

    /// What becomes of frame `frame`.
    #[must_use]
    pub fn of(&self, frame: u64) -> Mishap {
        let mut mishap = Mishap::NONE;
        for (index, fault) in (0_u64..).zip(&self.list) {
            let mut chance = self.seed.fork(index).fork(frame);
            let mut happens = |share: f64| chance.unit() < share;
            match fault.kind {
                Kind::Drop => mishap.is_lost |= happens(fault.of([0.1, 0.3, 0.6])),
                Kind::Delay => mishap.delay(fault.of([30, 60, 120])),
                Kind::Repeat => mishap.repeats |= happens(fault.of([0.1, 0.3, 0.6])),
                Kind::Darken => mishap.light *= fault.of([0.6, 0.25, 0.03]),
                Kind::Tear if happens(fault.of([0.05, 0.2, 0.5])) => mishap.kept = 0.2 + 0.6 * chance.unit(),
                Kind::Noise => mishap.noise += fault.of([8.0, 20.0, 40.0]),
                Kind::Spikes if happens(1.0 / 30.0) => mishap.delay(fault.of([80, 200, 1200])),
                Kind::Tear | Kind::Spikes | Kind::DeadServo => {}
            }
        }
        mishap
    }

    /// Whether the servo stands still at `now`.
    #[must_use]
    pub fn servo_is_dead(&self, now: Instant) -> bool {
        self.list.iter().filter(|fault| fault.kind == Kind::DeadServo).any(|fault| {
            // Not at the start: the first standstill comes when the car drives.
            now.0 >= SERVO_PERIOD && now.0 % SERVO_PERIOD < Span::from_millis(fault.of([100, 300, 1000])).0
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults, Kind, Mishap};
    use crate::sim::seed::Seed;
    use crate::units::Instant;

    #[test]
    fn words_and_back() {
        for kind in Kind::ALL {
            for severity in 1..=3 {
                let fault = Fault::new(kind, severity);
                assert_eq!(fault.to_string().parse(), Ok(fault));
            }
        }
        assert_eq!("tear".parse(), Ok(Fault::new(Kind::Tear, 2)));
        for wrong in ["tears:1", "tear:0", "tear:4", "tear:", ":1", ""] {
            let text = wrong.parse::<Fault>().expect_err(wrong).to_string();
            assert!(text.contains(&format!("{wrong:?}")) && text.contains("dead-servo"), "{text}");
        }
    }

    #[test]
    fn chances_are_met_and_do_not_depend_on_who_asked_before() {
        let faults = Faults::new(&[Fault::new(Kind::Drop, 2), Fault::new(Kind::Tear, 2)], Seed::new(5));
        let of: Vec<Mishap> = (0..10_000).map(|frame| faults.of(frame)).collect();
        let lost = of.iter().filter(|it| it.is_lost).count();
        let torn = of.iter().filter(|it| it.kept < 1.0).count();
        let both = of.iter().filter(|it| it.is_lost && it.kept < 1.0).count();
        assert!((2_850..3_150).contains(&lost) && (1_850..2_150).contains(&torn), "{lost} {torn}");
        assert!((480..720).contains(&both), "one does not bring the other: {both}");
        assert_eq!(faults.of(77), of[77]);
        assert_eq!(Faults::new(&[], Seed::new(5)).of(3), Mishap::NONE);
    }

    #[test]
    fn the_servo_stands_still_every_three_seconds() {
        let faults = Faults::new(&[Fault::new(Kind::DeadServo, 2)], Seed::new(0));
        let dead = |ms: u64| faults.servo_is_dead(Instant(ms * 1_000_000));
        assert_eq!(
            [0, 100, 2999, 3000, 3299, 3300, 6100].map(dead),
            [false, false, false, true, true, false, true]
        );
    }
}
