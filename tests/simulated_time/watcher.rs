//! Watches one governor from its inputs and its answer: the same promises as at the pins, one room earlier.

use hairpin::domain::{Applied, Ask, CameraHealth, Command, Inputs, Quality};
use hairpin::governor::{Limits, Wish};
use hairpin::units::{Instant, Span};

/// What a governor was told so far, and what follows from it.
pub(crate) struct Watcher {
    limits: Limits,
    picture: u64,
    /// Capture time of the last frame that was good to drive by.
    good: Instant,
    failures: u32,
    frozen_since: Option<Instant>,
    armed_at: Option<Instant>,
    unused_arm: bool,
    moved_at: Instant,
}

impl Watcher {
    pub(crate) const fn new(limits: Limits) -> Self {
        let start = Instant(0);
        Self {
            limits,
            picture: 0,
            good: start,
            failures: 0,
            frozen_since: None,
            armed_at: None,
            unused_arm: false,
            moved_at: start,
        }
    }

    /// One tick: what is wrong with the governor's answer, if something is. `picture` is what the frame truly shows.
    pub(crate) fn tick(
        &mut self,
        wish: Wish,
        quality: Quality,
        inputs: &Inputs,
        picture: u64,
        answer: Command,
    ) -> Option<&'static str> {
        let now = inputs.now;
        let lost = Span(self.limits.stale_frame.0 + self.limits.latch.0);
        if now.since(self.good) > lost {
            self.armed_at = None;
        }
        let good = self.is_good(wish, quality, inputs, picture);
        if self.faulty(wish, quality, inputs) {
            self.armed_at = None;
        } else if inputs.operator.ask == Ask::Arm && good {
            self.unused_arm |= self.armed_at.is_none();
            // To arm again what is armed changes nothing; after the latch time it may have been disarmed.
            let spent = self.moved_at + self.limits.latch;
            if self.armed_at.is_none_or(|at| !self.unused_arm && at < spent) {
                self.armed_at = Some(now);
            }
        }
        let throttle = answer.throttle.get();
        let half = inputs.health.battery.is_some_and(|level| level <= self.limits.battery_low);
        let cap = if half { self.limits.throttle_cap.min(0.5) } else { self.limits.throttle_cap };
        if throttle.abs() > cap {
            return Some("more throttle than its cap");
        }
        if throttle.abs() == 0.0 {
            return None;
        }
        let stood = now.since(self.moved_at);
        self.moved_at = now;
        let Some(armed_at) = self.armed_at else { return Some("motion without an arm after a fault") };
        if self.unused_arm || stood > lost {
            self.unused_arm = false;
            if now.since(armed_at) < self.limits.arming {
                return Some("motion before the arming time was over");
            }
        }
        if wish == Wish::Failed {
            return Some("motion upon a failed policy");
        }
        if inputs.health.camera == CameraHealth::Lost {
            return Some("motion without a camera");
        }
        (now.since(self.good) > self.limits.stale_frame).then_some("motion without a good frame lately")
    }

    /// Whether this tick's frame is one to drive by.
    fn is_good(&mut self, wish: Wish, quality: Quality, inputs: &Inputs, picture: u64) -> bool {
        let Some(frame) = inputs.frame else { return false };
        let new = picture > self.picture;
        self.picture = self.picture.max(picture);
        let flat = matches!(quality, Quality::Dark | Quality::Bright) && !self.limits.check_picture;
        let age = inputs.now.since(frame.captured_at);
        let young = frame.captured_at <= inputs.now && age <= self.limits.stale_frame;
        let there = inputs.health.camera == CameraHealth::Streaming;
        let good =
            there && new && young && (flat || quality == Quality::Usable) && matches!(wish, Wish::Drive(_));
        if good {
            self.good = self.good.max(frame.captured_at);
        }
        good
    }

    /// Whether this tick holds a reason to stop for good.
    fn faulty(&mut self, wish: Wish, quality: Quality, inputs: &Inputs) -> bool {
        match wish {
            Wish::Failed => self.failures += 1,
            Wish::Drive(_) => self.failures = 0,
            Wish::Nothing => {}
        }
        if quality == Quality::Frozen {
            self.frozen_since.get_or_insert(inputs.now);
        } else {
            self.frozen_since = None;
        }
        let frozen = self.frozen_since.is_some_and(|since| inputs.now.since(since) > self.limits.latch);
        matches!(inputs.operator.ask, Ask::Stop | Ask::Disarm)
            || inputs.previous.applied == Applied::Failed
            || inputs.health.battery.is_some_and(|level| level <= self.limits.battery_empty)
            || self.failures >= self.limits.bad_policy_ticks
            || frozen
    }
}
