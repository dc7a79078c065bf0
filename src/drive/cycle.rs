//! The loop: sense, step, apply, emit, until the world ends or somebody asks to stop.

use super::neutral::Neutral;
use super::pilot::Pilot;
use super::ports::{Senses, Sink, Stopwatch, World};
use crate::domain::{Order, Previous, Stage, Tick};
use crate::policy::Policy;

/// Why the loop ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The world had no further tick.
    World,
    /// Somebody asked.
    Asked,
}

/// Drives `world` with `pilot`. `stop` is asked before every tick. The pins are neutral afterwards, however it
/// ends.
///
/// # Errors
/// What the world's senses say when no further tick can be formed.
pub fn cycle<W: World, P: Policy>(
    world: &mut W,
    pilot: &mut Pilot<P>,
    watch: &impl Stopwatch,
    sink: &mut impl Sink,
    mut stop: impl FnMut() -> bool,
) -> Result<Ended, <W::Senses as Senses>::Error> {
    let (senses, outputs) = world.parts();
    let mut pins = Neutral::guard(outputs, pilot.neutral());
    let mut previous = Previous::default();
    while !stop() {
        let Some(sensed) = senses.next(previous)? else { return Ok(Ended::World) };
        let begun = watch.now();
        // Pure from here …
        let (decision, mut measured) = match &sensed.recalled {
            Some(recorded) => pilot.recall(&sensed.inputs, recorded, watch),
            None => pilot.step(&sensed.inputs, sensed.frame, watch),
        };
        // … to here.
        let (command, pulses, state) = (decision.command, decision.pulses, decision.state);
        let applied = pins.apply(Order { command, pulses, evidence: pilot.evidence(), state });
        let elapsed = watch.now().since(begun);
        measured.set(Stage::Whole, elapsed);
        let tick = Tick { inputs: sensed.inputs, decision, measured };
        let kept = sink.emit(&tick, sensed.frame.as_ref());
        let dropped = previous.dropped.saturating_add(u32::from(!kept));
        previous = Previous { elapsed, applied, dropped };
    }
    Ok(Ended::Asked)
}
