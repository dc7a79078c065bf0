//! What a guardian is made of, given to it once.

use std::os::unix::net::UnixStream;

use super::driver::Start;
use super::operators::Operators;
use super::{Held, Told};
use crate::hal::clock::Clock;
use crate::hal::notify::Notifier;
use crate::lease::Terms;
use crate::units::Instant;

/// The parts.
pub struct Parts<'a> {
    /// What the lease holds to.
    pub terms: Terms,
    /// When the program began.
    pub begun: Instant,
    /// The one clock.
    pub clock: Clock,
    /// Pins and gate, neutral and shut.
    pub held: Held,
    /// Whose words count.
    pub operators: Operators,
    /// Who started this process, where that wants to know how it is.
    pub manager: Notifier,
    /// Readable when the system asks to end; reading it does not block.
    pub signals: UnixStream,
    /// How to start a driver.
    pub start: Start,
    /// Deaths of the driver within half a minute after which it is not started again.
    pub deaths: usize,
    /// Arm once by itself, as soon as there is evidence.
    pub arm: bool,
    /// Takes what there is to say.
    pub told: &'a mut dyn FnMut(Told),
}
