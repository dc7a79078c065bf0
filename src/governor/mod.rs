//! Intention to permission (L2). Pure and allocation-free: every answer follows from the inputs, the state
//! and the limits. Its worst answer is neutral. Refuses to drive without fresh evidence.

pub mod limits;
mod slew;
mod state;
mod watch;

pub use limits::{Limits, LimitsError};

use crate::domain::{Command, DriveState, FrameStamp, Inputs, Notes, Quality, Verdict};
use crate::units::Instant;
use watch::Watch;

/// What the policy made of this tick's frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wish {
    /// There was nothing to decide upon: no frame, or one that does not decode.
    Nothing,
    /// A command, already within -1..=1.
    Drive(Command),
    /// The policy failed, or its output was not finite.
    Failed,
}

/// The state machine between wishes and pins. The drawing stands over its transitions in `state.rs`.
#[derive(Clone, Debug)]
pub struct Governor {
    limits: Limits,
    state: DriveState,
    watch: Watch,
    last: Command,
    last_now: Option<Instant>,
}

impl Governor {
    /// A governor that starts disarmed and neutral.
    #[must_use]
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: DriveState::Disarmed,
            watch: Watch::new(),
            last: Command::NEUTRAL,
            last_now: None,
        }
    }

    /// One tick: what may be done with `wish`, given everything that is known.
    pub fn admit(&mut self, wish: Wish, quality: Quality, inputs: &Inputs) -> Verdict {
        let mut notes = Notes::NONE;
        let evidence = self.watch.judge(&self.limits, wish, quality, inputs, &mut notes);
        self.state = state::next(self.state, &self.limits, &self.watch, evidence, inputs, &mut notes);
        let wanted = match (self.state, evidence) {
            (DriveState::Driving, watch::Evidence::Fresh(command)) => {
                self.limited(command, inputs, &mut notes)
            }
            // Ridden through: one bad picture holds the last command while the last good one is young, under the caps
            // of today: a battery that falls and a speed that is turned down count at once.
            (DriveState::Driving, watch::Evidence::Held) => {
                let speed = f32::from(inputs.operator.speed_percent.min(100)) / 100.0;
                slew::cap(
                    self.last,
                    self.limits.throttle_cap_at(inputs.health.battery).min(speed),
                    &mut notes,
                )
            }
            _ => Command::NEUTRAL,
        };
        self.last = wanted;
        self.last_now = Some(inputs.now);
        Verdict { command: wanted, state: self.state, notes }
    }

    /// Number and time of the last frame that spoke for driving, armed or not.
    #[must_use]
    pub const fn evidence(&self) -> Option<FrameStamp> {
        self.watch.last_good()
    }

    fn limited(&self, wish: Command, inputs: &Inputs, notes: &mut Notes) -> Command {
        let capped = slew::cap(wish, self.limits.throttle_cap_at(inputs.health.battery), notes);
        let elapsed = self.last_now.map_or_else(Default::default, |last| inputs.now.since(last));
        slew::slew(self.last, capped, &self.limits, elapsed, notes)
    }
}
