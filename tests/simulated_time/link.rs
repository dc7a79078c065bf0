//! The way from the driver to the guardian: records that are late, lost, doubled, out of order, damaged, or of yesterday.

use hairpin::lease::Record;
use hairpin::units::{Instant, Span};

use super::faults::Fault;
use super::scene::Scene;

/// A record on its way, with what only the simulation knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Packet {
    pub(crate) record: Record,
    /// The picture that the command truly rests on.
    pub(crate) picture: u64,
    /// A record that does not decode.
    pub(crate) damaged: bool,
}

/// Records that are remembered to be sent again.
const OLD: usize = 64;

#[derive(Default)]
pub(crate) struct Link {
    /// The earliest first.
    queue: Vec<(Instant, Packet)>,
    old: Vec<Packet>,
    sent: usize,
}

impl Link {
    /// When the next record is there; never, without one.
    pub(crate) fn next(&self) -> Instant {
        self.queue.first().map_or(Instant(u64::MAX), |(at, _)| *at)
    }

    /// The next record that is there.
    pub(crate) fn take(&mut self, now: Instant) -> Option<Packet> {
        (self.next() <= now).then(|| self.queue.remove(0).1)
    }

    pub(crate) fn send(&mut self, mut packet: Packet, scene: &mut Scene) {
        if self.old.len() < OLD {
            self.old.push(packet);
        } else {
            // Every seventh place, so that records of several drivers are there.
            self.sent += 7;
            self.old[self.sent % OLD] = packet;
        }
        if scene.is(Fault::RecordsLost) && scene.dice.chance(70) {
            return;
        }
        packet.damaged = scene.is(Fault::RecordsDamaged) && scene.dice.chance(70);
        let at = Self::arrival(scene);
        self.post(at, packet);
        if scene.is(Fault::RecordsTwice) {
            let again = at + scene.dice.millis(0, 60);
            self.post(again, packet);
        }
        if scene.is(Fault::SessionReplayed) {
            let old = self.old[scene.dice.below(self.old.len() as u64) as usize];
            self.post(at, old);
        }
    }

    fn arrival(scene: &mut Scene) -> Instant {
        let mut at = scene.now + scene.dice.micros(20, 200);
        if scene.is(Fault::RecordsDelayed) {
            at = at + scene.dice.millis(5, 150);
        }
        if scene.is(Fault::RecordsReordered) {
            at = at + scene.dice.millis(0, 70);
        }
        if scene.is(Fault::RecordsHeld) {
            at = at.max(scene.script.until(Fault::RecordsHeld));
        }
        at
    }

    fn post(&mut self, at: Instant, packet: Packet) {
        let place = self.queue.partition_point(|(other, _)| *other <= at);
        self.queue.insert(place, (at, packet));
    }
}

/// What a driver hears from its guardian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Answer {
    pub(crate) session: u32,
    pub(crate) seq: u64,
    pub(crate) phase: hairpin::lease::Phase,
    pub(crate) answered: hairpin::lease::Answered,
    pub(crate) ask: hairpin::domain::Ask,
    pub(crate) operator_seq: u64,
}

/// A guardian that does not answer for longer is gone for its driver.
pub(crate) const LONGEST_SILENCE: Span = Span::from_millis(80);
