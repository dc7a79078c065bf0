//! The driver's life in the guardian's loop: started, listened for, ended, and started again. Refuses to go on with one
//! that keeps dying.

use std::process::ExitStatus;

use super::super::driver::{Driver, words};
use super::super::{GuardianError, Told};
use super::Guardian;
use crate::domain::Ask;
use crate::lease::Event;
use crate::units::Span;

/// A driver that has spoken and is silent for longer than this hangs, and is ended.
const SILENCE: Span = Span::from_millis(1000);

/// A driver that has not spoken after this long will not.
const LONGEST_START: Span = Span::from_millis(60_000);

impl Guardian<'_> {
    pub(super) fn start_driver(&mut self) -> Result<(), GuardianError> {
        // What was done since the loop came round last was done on purpose.
        self.present = self.clock.now();
        self.sessions += 1;
        // The process id makes numbers of two guardians differ.
        let session = std::process::id().wrapping_shl(8).wrapping_add(self.sessions);
        self.driver = Some(Driver::start(&self.start, session, self.sessions, self.clock.now())?);
        self.last_seq = 0;
        // What was asked before was asked of another driver.
        self.asked.1 = Ask::Nothing;
        self.step(Event::DriverStarted { session });
        Ok(())
    }

    /// Neutral first, all else after.
    pub(super) fn lost_driver(&mut self) -> Result<(), GuardianError> {
        self.step(Event::DriverGone);
        self.arm_at_first_evidence = false;
        let Some(mut driver) = self.driver.take() else { return Ok(()) };
        driver.kill();
        let status = self.reaped(&mut driver);
        self.last = driver.ended().and_then(|status| status.code());
        if self.ending {
            return Ok(());
        }
        // One that was killed is started again like any other; one that left by itself has said why.
        if self.sessions == 1 && driver.heard.is_none() && driver.left_by_itself() {
            return Err(GuardianError::DriverRefused { status });
        }
        let kept = self.deaths.note(self.clock.now(), &status);
        self.tell(Told::DriverEnded { status, again: kept.is_ok() });
        kept?;
        self.start_driver()
    }

    /// Waits for the end of a driver whose socket is closed, while the pins are looked after.
    fn reaped(&mut self, driver: &mut Driver) -> String {
        let begun = self.clock.now();
        let mut ended: Option<ExitStatus> = driver.ended();
        while ended.is_none() && self.clock.now().since(begun) < super::LONGEST_END {
            let wake = self.step(Event::Tick).wake;
            self.beat();
            let Ok(ready) = self.wait(wake) else { continue };
            self.obey(ready.operators);
            self.ending |= ready.signal && self.is_asked_to_end();
            ended = driver.ended();
        }
        ended.map_or_else(|| "no end yet".to_owned(), words)
    }

    /// Ends a driver that hangs. The lease ran out long before; this only makes room for the next.
    pub(super) fn look_after_driver(&mut self) -> Result<(), GuardianError> {
        let now = self.clock.now();
        let Some(driver) = &mut self.driver else { return Ok(()) };
        let silent = match driver.heard {
            Some(heard) => now.since(heard) > SILENCE,
            None => now.since(driver.since) > LONGEST_START,
        };
        if silent || driver.ended().is_some() { self.lost_driver() } else { Ok(()) }
    }
}
