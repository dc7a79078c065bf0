//! A camera at 30 Hz, and everything that it can do wrong. Keeps the newest frame only, as the capture thread does.

use hairpin::domain::{CameraHealth, FrameSeq, Quality};
use hairpin::units::{Instant, Span};

use super::faults::Fault;
use super::scene::Scene;

/// One frame, with what only the simulation knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shot {
    pub(crate) seq: FrameSeq,
    /// When it was taken, as the camera says.
    pub(crate) captured_at: Instant,
    /// Which picture it really shows; equal numbers are equal bytes.
    pub(crate) picture: u64,
    /// What the judgement on the picture is, but for repeats.
    pub(crate) quality: Quality,
}

/// How far ahead of its time a frame may claim to be. No other frame is newer until then, so that a longer lie would keep
/// the car from being good again within the two seconds of I5.
const LONGEST_AHEAD_US: u64 = 2_000_000;

/// Frames whose pictures are remembered.
const MEMORY: usize = 256;

pub(crate) struct Camera {
    pub(crate) next: Instant,
    pub(crate) pending: Option<Shot>,
    last: Shot,
    pictures: u64,
    memory: [(u64, u64); MEMORY],
}

impl Camera {
    pub(crate) const fn new() -> Self {
        let last = Shot { seq: FrameSeq(0), captured_at: Instant(0), picture: 0, quality: Quality::Usable };
        Self { next: Instant(0), pending: None, last, pictures: 0, memory: [(0, 0); MEMORY] }
    }

    /// The picture of a frame; 0 where it is forgotten.
    pub(crate) fn picture(&self, frame: FrameSeq) -> u64 {
        let (seq, picture) = self.memory[frame.0 as usize % MEMORY];
        if seq == frame.0 { picture } else { 0 }
    }

    pub(crate) fn health(scene: &Scene) -> CameraHealth {
        let flapping = scene.script.active(Fault::CameraFlaps, scene.now);
        let gone = flapping && (scene.now.0 / 300_000_000).is_multiple_of(2);
        if gone || scene.script.active(Fault::CameraUnplugged, scene.now) {
            CameraHealth::Lost
        } else {
            CameraHealth::Streaming
        }
    }

    /// A frame is due.
    pub(crate) fn shoot(&mut self, scene: &mut Scene) {
        let now = scene.now;
        let slow = if scene.script.active(Fault::RateFalls, now) { 2 + scene.dice.below(6) } else { 1 };
        self.next = now + Span(scene.dice.micros(31_300, 35_300).0 * slow);
        if Self::health(scene) == CameraHealth::Lost {
            self.pending = None;
        } else if !scene.script.active(Fault::CameraStalls, now) {
            self.last = self.shot(scene);
            self.memory[self.last.seq.0 as usize % MEMORY] = (self.last.seq.0, self.last.picture);
            self.pending = Some(self.last);
        }
    }

    fn shot(&mut self, scene: &mut Scene) -> Shot {
        let now = scene.now;
        let is = |fault| scene.script.active(fault, now);
        if is(Fault::FrameAgain) && scene.dice.chance(60) {
            return self.last;
        }
        let frozen = is(Fault::FrameFrozen);
        self.pictures += u64::from(!frozen);
        let mut captured_at = now - scene.dice.micros(4_000, 9_000);
        if is(Fault::FrameOld) {
            captured_at = now - scene.dice.millis(20, 2000);
        } else if is(Fault::FrameBackwards) {
            captured_at = self.last.captured_at - scene.dice.millis(0, 200);
        } else if is(Fault::FrameAhead) {
            captured_at = now + scene.dice.micros(1, LONGEST_AHEAD_US);
        }
        let quality = if is(Fault::PictureTorn) && scene.dice.chance(80) {
            Quality::Torn
        } else if is(Fault::PictureDark) {
            Quality::Dark
        } else if is(Fault::PictureBright) {
            Quality::Bright
        } else {
            Quality::Usable
        };
        let quality = if frozen { self.last.quality } else { quality };
        Shot { seq: FrameSeq(self.last.seq.0 + 1), captured_at, picture: self.pictures, quality }
    }
}
