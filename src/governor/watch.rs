//! What speaks for driving in this tick, and for how long it has not.

use super::Wish;
use super::limits::Limits;
use crate::domain::{Applied, CameraHealth, Command, FrameStamp, Inputs, Note, Notes, Quality};
use crate::units::{Instant, Span};

/// The worth of one tick.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Evidence {
    /// A new, usable frame and a wish from it.
    Fresh(Command),
    /// Nothing new, but the last good frame is young enough to hold its command.
    Held,
    /// No reason to move.
    None,
}

/// Counters that outlive a tick.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    last_captured: Option<Instant>,
    last_good: Option<FrameStamp>,
    frozen_run: u32,
    frozen_since: Option<Instant>,
    flat_run: u32,
    bad_policy_run: u32,
    late_run: u32,
    gap: Span,
}

impl Watch {
    pub(super) const fn new() -> Self {
        Self {
            last_captured: None,
            last_good: None,
            frozen_run: 0,
            frozen_since: None,
            flat_run: 0,
            bad_policy_run: 0,
            late_run: 0,
            gap: Span(0),
        }
    }

    /// The last good frame.
    pub(super) const fn last_good(&self) -> Option<FrameStamp> {
        self.last_good
    }

    /// How long before this tick the last good frame was taken; 0 before the first. Counts also where no tick fell into
    /// the time between.
    pub(super) const fn gap(&self) -> Span {
        self.gap
    }

    /// Whether the policy failed too often in a row.
    pub(super) const fn policy_failed(&self, limits: &Limits) -> bool {
        self.bad_policy_run >= limits.bad_policy_ticks
    }

    /// How long the camera has been repeating one picture.
    pub(super) fn frozen_for(&self, now: Instant) -> Span {
        self.frozen_since.map_or(Span(0), |since| now.since(since))
    }

    /// Judges the tick, notes what is wrong with it, and counts.
    pub(super) fn judge(
        &mut self,
        limits: &Limits,
        wish: Wish,
        quality: Quality,
        inputs: &Inputs,
        notes: &mut Notes,
    ) -> Evidence {
        self.gap = self.last_good.map_or(Span(0), |good| inputs.now.since(good.captured_at));
        self.count(limits, wish, quality, inputs, notes);
        let fresh = self.is_fresh(limits, inputs, notes);
        let late = self.late_run >= limits.late_cycles;
        let lost = inputs.health.camera == CameraHealth::Lost;
        let fit = match quality {
            Quality::Usable => true,
            Quality::Dark | Quality::Bright => !limits.check_picture,
            Quality::Frozen | Quality::Torn | Quality::Missing => false,
        };
        match wish {
            Wish::Failed => Evidence::None,
            Wish::Drive(command) if fresh && fit && !late && !lost => {
                self.last_good = inputs.frame;
                Evidence::Fresh(command)
            }
            // A camera that is known to be gone is not waited for.
            _ if late || self.is_worn(limits) || lost => Evidence::None,
            _ => match self.last_good {
                Some(good) if inputs.now.since(good.captured_at) <= limits.stale_frame => Evidence::Held,
                _ => Evidence::None,
            },
        }
    }

    /// Whether a run of repeated or flat pictures is too long to be ridden through.
    const fn is_worn(&self, limits: &Limits) -> bool {
        self.frozen_run >= limits.frozen_frames || self.flat_run >= limits.dark_frames
    }

    fn count(&mut self, limits: &Limits, wish: Wish, quality: Quality, inputs: &Inputs, notes: &mut Notes) {
        let note = match quality {
            Quality::Usable => None,
            Quality::Dark => Some(Note::PictureDark),
            Quality::Bright => Some(Note::PictureBright),
            Quality::Frozen => Some(Note::FrameFrozen),
            Quality::Torn => Some(Note::PictureTorn),
            Quality::Missing => Some(Note::FrameMissing),
        };
        if let Some(note) = note {
            notes.add(note);
        }
        self.frozen_run = run(self.frozen_run, quality == Quality::Frozen);
        if quality == Quality::Frozen {
            self.frozen_since.get_or_insert(inputs.now);
        } else {
            self.frozen_since = None;
        }
        let flat = limits.check_picture && matches!(quality, Quality::Dark | Quality::Bright);
        self.flat_run = run(self.flat_run, flat);
        self.bad_policy_run = match wish {
            Wish::Failed => self.bad_policy_run.saturating_add(1),
            Wish::Drive(_) => 0,
            Wish::Nothing => self.bad_policy_run,
        };
        let late = inputs.previous.elapsed > limits.late_cycle;
        if late {
            notes.add(Note::CycleLate);
        }
        self.late_run = run(self.late_run, late);
        match inputs.previous.applied {
            Applied::Failed => notes.add(Note::ActuatorsFailed),
            Applied::Withheld => notes.add(Note::Withheld),
            Applied::Nothing | Applied::Written => {}
        }
        if inputs.health.camera == CameraHealth::Lost {
            notes.add(Note::CameraLost);
        }
    }

    /// Whether the frame's time advanced and is young enough.
    fn is_fresh(&mut self, limits: &Limits, inputs: &Inputs, notes: &mut Notes) -> bool {
        let Some(frame) = inputs.frame else { return false };
        let advanced = self.last_captured.is_none_or(|last| frame.captured_at > last);
        if !advanced {
            notes.add(Note::FrameReversed);
            return false;
        }
        let stale = inputs.now.since(frame.captured_at) > limits.stale_frame;
        // A capture time in the future is a broken clock, not a fresh frame; nor is it one that later frames are held
        // against.
        let ahead = frame.captured_at > inputs.now;
        if !ahead {
            self.last_captured = Some(frame.captured_at);
        }
        if stale || ahead {
            notes.add(Note::FrameStale);
        }
        !stale && !ahead
    }
}

const fn run(count: u32, again: bool) -> u32 {
    if again { count.saturating_add(1) } else { 0 }
}
