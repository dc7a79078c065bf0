//! Calibration by hand, wheels up: keys and time in, pulses and a view out. Pure. Refuses to pulse before the wheels
//! are said to be up; moves the motor only upon a key; lets nothing out that [`Calibration::checked`] would refuse.
//!
//! ```text
//! Unconfirmed --"wheels up"--> Working --10 s without a key--> Paused --any key--> Working
//!      |                          |                               |
//!      +-------- q, Esc, ---------+---- Enter in the review, -----+---> Ended
//!                10 minutes without a key
//! ```

mod edits;
mod found;
mod remark;
mod step;
mod view;

pub use found::{Found, band, longer_is_plus, longer_on_the_right};
pub use remark::{Micros, Remark, ends};
pub use step::Step;
pub use view::View;

use crate::domain::Pulses;
use crate::units::{Instant, Pulse, Signed, Span};
use crate::vehicle::{Calibration, CalibrationError, Channel, Points};

/// The words that say so.
pub const WORDS: &str = "wheels up";
/// The throttle returns to neutral this long after the last key.
pub const REST: Span = Span::from_millis(2_000);
/// Both channels return to their middle this long after the last key (safety.md §6.2 item 20).
pub const PAUSE: Span = Span::from_millis(10_000);
/// A session without a key for this long is over.
pub const GIVE_UP: Span = Span::from_millis(600_000);
/// An ESC is given this much neutral before the motor may be moved (safety.md §3).
pub const ARMING: Span = Span::from_millis(500);
/// Steps of the chip that a coarse key moves.
const COARSE: i32 = 10;

/// A key, as far as a session cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// One step to the left of the bar.
    Left,
    /// One step to the right of the bar.
    Right,
    /// Ten steps to the left of the bar.
    Down,
    /// Ten steps to the right of the bar.
    Up,
    /// Accepts.
    Enter,
    /// Takes back a typed letter.
    Rubout,
    /// Esc, or whatever else the terminal calls an end.
    Quit,
    /// A letter; those without a meaning only show that somebody is there.
    Char(char),
}

/// Where the session is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Nothing is powered; the words were not typed.
    Unconfirmed,
    /// Keys move things.
    Working,
    /// Both channels at their middle; a key goes on.
    Paused,
    /// Over.
    Ended(End),
}

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// All steps done or skipped; a calibration that was checked.
    Finished(Calibration),
    /// By key.
    Quit,
    /// Nobody there.
    Idle,
}

/// What a key can change, and undo can bring back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Edit {
    step: Step,
    servo: Found,
    motor: Found,
    /// Steps of the chip away from where this step began.
    moved: i32,
    /// Quarters of the way to +1, in a sign step.
    quarters: u8,
}

impl Edit {
    const fn found_mut(&mut self, channel: Channel) -> &mut Found {
        match channel {
            Channel::Servo => &mut self.servo,
            Channel::Motor => &mut self.motor,
        }
    }
}

/// A calibration under way.
#[derive(Clone, Debug)]
pub struct Session {
    old: Calibration,
    phase: Phase,
    typed: String,
    edit: Edit,
    history: Vec<Edit>,
    /// Whether the throttle is put out, or rests at neutral.
    running: bool,
    remark: Option<Remark>,
    now: Instant,
    last_key: Instant,
    powered_at: Instant,
}

impl Session {
    /// A session over the calibration in use.
    ///
    /// # Errors
    /// [`CalibrationError`] where that is none that may move a car; begin with [`Calibration::factory`] then.
    pub fn new(old: Calibration, now: Instant) -> Result<Self, CalibrationError> {
        let edit = Edit {
            step: Step::Middle(Channel::Servo),
            servo: Found::default(),
            motor: Found::default(),
            moved: 0,
            quarters: 0,
        };
        Ok(Self {
            old: old.checked()?,
            phase: Phase::Unconfirmed,
            typed: String::new(),
            edit,
            history: Vec::new(),
            running: false,
            remark: None,
            now,
            last_key: now,
            powered_at: now,
        })
    }

    /// The pulses wanted now; always within 1.0 to 2.0 ms and the channel's [`band`].
    #[must_use]
    pub fn pulses(&self) -> Pulses {
        match self.phase {
            Phase::Unconfirmed | Phase::Ended(End::Quit | End::Idle) => self.old.neutral(),
            Phase::Ended(End::Finished(found)) => found.neutral(),
            Phase::Paused => self.resting(),
            Phase::Working => match self.edit.step.channel() {
                Some(Channel::Servo) => Pulses { steering: self.aim(Channel::Servo), ..self.resting() },
                Some(Channel::Motor) if self.running => {
                    Pulses { throttle: self.aim(Channel::Motor), ..self.resting() }
                }
                _ => self.resting(),
            },
        }
    }

    /// Whether the power gate may be open.
    #[must_use]
    pub const fn powered(&self) -> bool {
        matches!(self.phase, Phase::Working | Phase::Paused)
    }

    /// When [`Session::pass`] is due if no key comes; `None` when it is over.
    #[must_use]
    pub fn wake(&self) -> Option<Instant> {
        let wait = match self.phase {
            Phase::Ended(_) => return None,
            Phase::Working if self.running => REST,
            Phase::Working => PAUSE,
            Phase::Unconfirmed | Phase::Paused => GIVE_UP,
        };
        Some(self.last_key + wait)
    }

    /// What to show.
    #[must_use]
    pub fn view(&self) -> View {
        let channel = self.edit.step.channel();
        View {
            phase: self.phase,
            typed: self.typed.clone(),
            step: self.edit.step,
            pulses: self.pulses(),
            aim: channel.map(|channel| self.aim(channel).ns()),
            resting: channel == Some(Channel::Motor) && !self.running && self.away(),
            quarters: self.edit.quarters,
            old: self.old,
            servo: self.edit.servo,
            motor: self.edit.motor,
            remark: self.remark,
            undoable: self.history.len(),
        }
    }

    /// Time goes by. A `now` before the last one counts as that.
    pub fn pass(&mut self, now: Instant) {
        self.now = self.now.max(now);
        let idle = self.now.since(self.last_key);
        if matches!(self.phase, Phase::Ended(_)) || idle < REST {
            return;
        }
        self.running = false;
        if idle >= GIVE_UP {
            self.phase = Phase::Ended(End::Idle);
        } else if idle >= PAUSE && self.phase == Phase::Working {
            self.phase = Phase::Paused;
        }
    }

    /// A key. The one that ends a pause does nothing else.
    pub fn press(&mut self, key: Key, now: Instant) {
        self.pass(now);
        let before = self.remark.take();
        self.last_key = self.now;
        let key = if let Key::Char(letter) = key { Key::Char(letter.to_ascii_lowercase()) } else { key };
        match (self.phase, key) {
            (Phase::Ended(_), _) => {}
            (_, Key::Quit | Key::Char('q')) => self.end(End::Quit),
            (Phase::Unconfirmed, key) => self.confirm(key),
            (Phase::Paused, _) => self.phase = Phase::Working,
            (Phase::Working, key) => self.work(key, before),
        }
    }

    fn end(&mut self, end: End) {
        self.running = false;
        self.phase = Phase::Ended(end);
    }

    fn confirm(&mut self, key: Key) {
        match key {
            Key::Char(letter) if !letter.is_control() && self.typed.len() < 2 * WORDS.len() => {
                self.typed.push(letter);
            }
            Key::Rubout => {
                self.typed.pop();
            }
            Key::Enter if self.typed.trim() == WORDS => {
                self.phase = Phase::Working;
                self.powered_at = self.now;
            }
            Key::Enter => {
                self.typed.clear();
                self.remark = Some(Remark::NotTheWords);
            }
            _ => {}
        }
    }

    fn work(&mut self, key: Key, before: Option<Remark>) {
        match key {
            Key::Left | Key::Char(',') => self.nudge(-1),
            Key::Right | Key::Char('.') => self.nudge(1),
            Key::Down | Key::Char('<') => self.nudge(-COARSE),
            Key::Up | Key::Char('>') => self.nudge(COARSE),
            Key::Char(' ') => self.show(),
            Key::Char('u') => self.undo(),
            Key::Char('s') => self.skip(),
            Key::Char('w') => self.widen(before),
            Key::Char('y') => self.judge(true),
            Key::Char('n') => self.judge(false),
            Key::Enter => self.accept(before),
            Key::Rubout | Key::Quit | Key::Char(_) => {}
        }
    }

    fn resting(&self) -> Pulses {
        Pulses {
            steering: self.edit.servo.rest(self.old.servo),
            throttle: self.edit.motor.rest(self.old.motor),
        }
    }

    const fn found(&self, channel: Channel) -> Found {
        match channel {
            Channel::Servo => self.edit.servo,
            Channel::Motor => self.edit.motor,
        }
    }

    const fn old(&self, channel: Channel) -> Points {
        match channel {
            Channel::Servo => self.old.servo,
            Channel::Motor => self.old.motor,
        }
    }

    const fn found_both(&self) -> Calibration {
        Calibration {
            servo: self.edit.servo.points(self.old.servo),
            motor: self.edit.motor.points(self.old.motor),
        }
    }

    /// The width that this step has come to.
    fn aim(&self, channel: Channel) -> Pulse {
        let rest = self.found(channel).rest(self.old(channel));
        if let Step::Sign(_) = self.edit.step {
            let share = Signed::clamped(f32::from(self.edit.quarters) / 4.0).unwrap_or(Signed::ZERO);
            return self.found(channel).points(self.old(channel)).pulse(share);
        }
        found::width(rest.ns(), self.edit.moved)
    }

    /// Whether the aim is another pulse than the one at rest.
    const fn away(&self) -> bool {
        self.edit.moved != 0 || self.edit.quarters != 0
    }

    fn change(&mut self, edit: Edit) {
        self.history.push(self.edit);
        self.edit = edit;
    }

    /// Brings a resting motor back to its aim. True where the key has done its work with that.
    fn brought_back(&mut self, channel: Channel) -> bool {
        if channel == Channel::Servo {
            return false;
        }
        if self.now.since(self.powered_at) < ARMING {
            self.remark = Some(Remark::TooSoon);
            return true;
        }
        let rested = !self.running && self.away();
        self.running = true;
        rested
    }

    fn nudge(&mut self, to_the_right: i32) {
        let (Step::Middle(channel) | Step::Plus(channel) | Step::Minus(channel)) = self.edit.step else {
            return;
        };
        if self.brought_back(channel) {
            return;
        }
        let (old, found) = (self.old(channel), self.found(channel));
        let band = band(channel, old, found.wide);
        let (least, most) = found::reach(found.rest(old).ns(), band);
        let by = if longer_on_the_right(channel, old) { to_the_right } else { -to_the_right };
        let moved = self.edit.moved.saturating_add(by).clamp(least, most);
        if moved == self.edit.moved {
            self.remark = Some(Remark::BandEnds { band, wide: found.wide });
        } else {
            self.change(Edit { moved, ..self.edit });
        }
    }

    /// Space: a quarter more in a sign step; elsewhere it brings a resting motor back, or keeps it from resting.
    fn show(&mut self) {
        match self.edit.step {
            Step::Sign(channel) => {
                if !self.brought_back(channel) && self.edit.quarters < 4 {
                    self.change(Edit { quarters: self.edit.quarters + 1, ..self.edit });
                }
            }
            Step::Middle(channel) | Step::Plus(channel) | Step::Minus(channel) => {
                if self.away() {
                    self.brought_back(channel);
                }
            }
            Step::Review => {}
        }
    }
}
