//! What a drive does with every tick: hand it to the tape, count it, and say when the state changes.

use super::super::voice::Voice;
use crate::domain::{DriveState, Frame, Note, Tick};
use crate::drive::Sink;
use crate::report::latency::Latency;
use crate::report::tape::count;
use crate::tape::recorder::Recorder;

/// The sink of a drive. Allocates only where something is said or seen for the first time.
pub(super) struct DriveSink {
    pub(super) recorder: Option<Recorder>,
    pub(super) latency: Latency,
    pub(super) states: Vec<(&'static str, u64)>,
    pub(super) notes: Vec<(Note, u64)>,
    pub(super) ticks: u64,
    pub(super) voice: Voice,
    last: Option<DriveState>,
    tape_failed: bool,
}

impl DriveSink {
    pub(super) fn new(recorder: Option<Recorder>, latency: Latency, voice: Voice) -> Self {
        Self {
            recorder,
            latency,
            states: Vec::new(),
            notes: Vec::new(),
            ticks: 0,
            voice,
            last: None,
            tape_failed: false,
        }
    }

    /// Says what the guardian cannot know: why the governor holds or stops.
    fn tell(&mut self, tick: &Tick) {
        let (state, notes) = (tick.decision.state, tick.decision.notes);
        if notes.has(Note::ArmRefused) {
            self.voice.say(format!("hairpin: the governor does not arm on this picture ({notes})"));
        }
        let changed = self.last.is_none_or(|last| last.word() != state.word());
        if changed && let DriveState::Coasting { .. } | DriveState::Stopped { .. } = state {
            self.voice.say(format!("hairpin: {} at tick {} ({notes})", state.word(), tick.inputs.seq));
        }
        self.last = Some(state);
    }
}

impl Sink for DriveSink {
    fn emit(&mut self, tick: &Tick, frame: Option<&Frame<'_>>) -> bool {
        self.ticks += 1;
        self.latency.count(&tick.measured);
        count(&mut self.states, tick.decision.state.word());
        tick.decision.notes.iter().for_each(|note| count(&mut self.notes, note));
        self.tell(tick);
        let Some(recorder) = &mut self.recorder else { return true };
        let kept = recorder.emit(tick, frame);
        if let Some(why) = recorder.failed()
            && !self.tape_failed
        {
            self.voice.say(format!("hairpin: the recording ends here, the drive goes on: {why}"));
            self.tape_failed = true;
        }
        kept
    }
}
