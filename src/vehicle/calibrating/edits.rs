//! Keys that decide: accept, judge a sign, skip, widen, undo. A point that could not end in rising order is refused
//! at its own step.

use super::{Edit, End, Found, Remark, Session, Step, band, longer_is_plus};
use crate::units::Pulse;
use crate::vehicle::Channel;

/// What a middle leaves on both sides at least: ten steps of the chip, ns.
const ROOM: u32 = 50_000;

impl Session {
    /// Enter. A key that was asked for twice finds its question in `before`.
    pub(super) fn accept(&mut self, before: Option<Remark>) {
        let answer = match self.edit.step {
            Step::Middle(channel) => self.accept_middle(channel),
            Step::Plus(channel) => self.accept_plus(channel, before),
            Step::Minus(channel) => self.accept_minus(channel),
            Step::Sign(_) => Err(Remark::YesOrNo),
            Step::Review => match self.found_both().checked() {
                Ok(found) => {
                    self.end(End::Finished(found));
                    return;
                }
                Err(error) => Err(Remark::Refused(error)),
            },
        };
        match answer {
            Ok((channel, found)) => self.go_on(channel, found),
            Err(remark) => self.remark = Some(remark),
        }
    }

    fn accept_middle(&self, channel: Channel) -> Result<(Channel, Found), Remark> {
        let saw = self.aim(channel).ns();
        if saw < Pulse::MIN.ns() + ROOM || saw > Pulse::MAX.ns() - ROOM {
            return Err(Remark::NoRoom { saw });
        }
        Ok((channel, Found { middle: Some(saw), ..self.found(channel) }))
    }

    fn accept_plus(&self, channel: Channel, before: Option<Remark>) -> Result<(Channel, Found), Remark> {
        let (saw, middle) = self.end_and_middle(channel)?;
        let question = Remark::OtherSide { channel };
        let as_before = (saw > middle) == longer_is_plus(self.old(channel));
        if !as_before && before != Some(question) {
            return Err(question);
        }
        Ok((channel, Found { plus: Some(saw), ..self.found(channel) }))
    }

    fn accept_minus(&self, channel: Channel) -> Result<(Channel, Found), Remark> {
        let (saw, middle) = self.end_and_middle(channel)?;
        let found = self.found(channel);
        let first = found.plus.unwrap_or(middle);
        if (saw > middle) == (first > middle) {
            return Err(Remark::SameSide { channel, saw, middle, first });
        }
        Ok((channel, Found { minus: Some(saw), ..found }))
    }

    fn end_and_middle(&self, channel: Channel) -> Result<(u32, u32), Remark> {
        let middle = self.found(channel).rest(self.old(channel)).ns();
        let saw = self.aim(channel).ns();
        if saw == middle { Err(Remark::StillTheMiddle { middle }) } else { Ok((saw, middle)) }
    }

    /// `y` and `n`: whether +1 did what it says. `n` exchanges the ends, and asks again.
    pub(super) fn judge(&mut self, right: bool) {
        let Step::Sign(channel) = self.edit.step else { return };
        let found = self.found(channel);
        if self.edit.quarters == 0 {
            self.remark = Some(Remark::NotMovedYet);
        } else if right {
            self.go_on(channel, found);
        } else {
            self.settle(channel, Found { plus: found.minus, minus: found.plus, ..found }, self.edit.step);
            self.remark = Some(Remark::Turned);
        }
    }

    /// `s`: the channel keeps its old points.
    pub(super) fn skip(&mut self) {
        match self.edit.step.channel() {
            Some(Channel::Servo) => {
                self.settle(Channel::Servo, Found::default(), Step::Middle(Channel::Motor));
            }
            Some(Channel::Motor) => self.settle(Channel::Motor, Found::default(), Step::Review),
            None => {}
        }
    }

    /// `w`: the whole range of a pulse, upon the second press.
    pub(super) fn widen(&mut self, before: Option<Remark>) {
        let Some(channel) = self.edit.step.channel() else { return };
        let found = self.found(channel);
        let question = Remark::Widen { channel };
        if found.wide {
            let band = band(channel, self.old(channel), true);
            self.remark = Some(Remark::BandEnds { band, wide: true });
        } else if before == Some(question) {
            let mut edit = self.edit;
            *edit.found_mut(channel) = Found { wide: true, ..found };
            self.change(edit);
        } else {
            self.remark = Some(question);
        }
    }

    /// `u`: exactly what was before the last key that changed something; the motor rests until a key brings it back.
    pub(super) fn undo(&mut self) {
        self.running = false;
        match self.history.pop() {
            Some(edit) => self.edit = edit,
            None => self.remark = Some(Remark::NothingToUndo),
        }
    }

    fn go_on(&mut self, channel: Channel, found: Found) {
        self.settle(channel, found, self.edit.step.next());
    }

    /// Takes `found` over and stands at the beginning of `step`, where nothing is away from its middle.
    fn settle(&mut self, channel: Channel, found: Found, step: Step) {
        self.running = false;
        let mut edit = Edit { step, moved: 0, quarters: 0, ..self.edit };
        *edit.found_mut(channel) = found;
        self.change(edit);
    }
}
