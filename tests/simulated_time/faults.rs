//! The script of a drive: which fault begins when and lasts how long. Rows of the project's fault table that reach the
//! governor or the lease, drawn at random, several at once.

use hairpin::units::{Instant, Span};

use super::dice::Dice;

/// What can go wrong. Those that are over as soon as they have happened last no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    CameraStalls,
    CameraUnplugged,
    CameraFlaps,
    FrameFrozen,
    FrameOld,
    FrameBackwards,
    FrameAhead,
    FrameAgain,
    PictureTorn,
    PictureDark,
    PictureBright,
    RateFalls,
    PolicyFails,
    CyclesSlow,
    DriverKilled,
    DriverStopped,
    DriverHangs,
    DriverClockBack,
    GuardianLate,
    GuardianClockBack,
    GuardianEnds,
    RecordsLost,
    RecordsDelayed,
    RecordsHeld,
    RecordsTwice,
    RecordsReordered,
    RecordsDamaged,
    /// A driver built wrong asks for all of the throttle, and for seconds.
    RecordsGreedy,
    SessionReplayed,
    AnswersLost,
    PinsFail,
    PinsHang,
    PinsMoved,
    GateShut,
    BatteryLow,
    BatteryEmpty,
    BatteryUnknown,
    OperatorStops,
    OperatorDisarms,
    OperatorArms,
}

/// How many there are.
pub(crate) const KINDS: usize = 40;

impl Fault {
    pub(crate) const ALL: [Self; KINDS] = [
        Self::CameraStalls,
        Self::CameraUnplugged,
        Self::CameraFlaps,
        Self::FrameFrozen,
        Self::FrameOld,
        Self::FrameBackwards,
        Self::FrameAhead,
        Self::FrameAgain,
        Self::PictureTorn,
        Self::PictureDark,
        Self::PictureBright,
        Self::RateFalls,
        Self::PolicyFails,
        Self::CyclesSlow,
        Self::DriverKilled,
        Self::DriverStopped,
        Self::DriverHangs,
        Self::DriverClockBack,
        Self::GuardianLate,
        Self::GuardianClockBack,
        Self::GuardianEnds,
        Self::RecordsLost,
        Self::RecordsDelayed,
        Self::RecordsHeld,
        Self::RecordsTwice,
        Self::RecordsReordered,
        Self::RecordsDamaged,
        Self::RecordsGreedy,
        Self::SessionReplayed,
        Self::AnswersLost,
        Self::PinsFail,
        Self::PinsHang,
        Self::PinsMoved,
        Self::GateShut,
        Self::BatteryLow,
        Self::BatteryEmpty,
        Self::BatteryUnknown,
        Self::OperatorStops,
        Self::OperatorDisarms,
        Self::OperatorArms,
    ];

    fn lasts(self, dice: &mut Dice) -> Span {
        match self {
            Self::DriverKilled
            | Self::GuardianEnds
            | Self::GateShut
            | Self::OperatorStops
            | Self::OperatorDisarms
            | Self::OperatorArms => Span(0),
            // Longer ones end with the driver being killed for its silence.
            Self::DriverStopped | Self::DriverHangs => dice.millis(50, 1500),
            Self::PinsHang => dice.millis(21, 1000),
            // Short ones are ridden through, long ones latch.
            _ if dice.chance(50) => dice.millis(10, 300),
            _ => dice.millis(300, 3000),
        }
    }
}

/// One that began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Began {
    pub(crate) at: Instant,
    pub(crate) fault: Fault,
    pub(crate) lasts: Span,
}

/// The script, written as time goes by.
pub(crate) struct Script {
    dice: Dice,
    until: [Instant; KINDS],
    /// When the next one begins.
    pub(crate) next: Instant,
    pub(crate) counts: [u64; KINDS],
    /// The last few, for the report of a violation.
    pub(crate) last: Vec<Began>,
    quiet_from: Instant,
}

/// The car shall be good again after so long without a fault (I5).
const QUIET: Span = Span::from_millis(2000);

impl Script {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            until: [Instant(0); KINDS],
            next: Instant(5_000_000_000),
            counts: [0; KINDS],
            last: Vec::new(),
            quiet_from: Instant(0),
        }
    }

    /// The next one begins.
    pub(crate) fn begin(&mut self) -> Began {
        let at = self.next;
        let index = self.dice.below(KINDS as u64) as usize;
        let fault = Fault::ALL[index];
        let lasts = fault.lasts(&mut self.dice);
        self.counts[index] += 1;
        self.until[index] = self.until[index].max(at + lasts);
        self.disturb(at + lasts);
        let wait =
            if self.dice.chance(30) { self.dice.millis(0, 400) } else { self.dice.millis(400, 24_000) };
        self.next = at + wait;
        if self.last.len() == 12 {
            self.last.remove(0);
        }
        let began = Began { at, fault, lasts };
        self.last.push(began);
        began
    }

    pub(crate) fn until(&self, fault: Fault) -> Instant {
        self.until[fault as usize]
    }

    pub(crate) fn active(&self, fault: Fault, now: Instant) -> bool {
        now < self.until(fault)
    }

    /// What follows from a fault lasts until then.
    pub(crate) fn disturb(&mut self, until: Instant) {
        self.quiet_from = self.quiet_from.max(until);
    }

    pub(crate) fn is_quiet(&self, now: Instant) -> bool {
        now >= self.quiet_from + QUIET
    }
}
