//! A simulated drive in AWS's words, a row for each decided tick: episodes end with a lap, and where the car leaves the
//! track.

use crate::domain::{Action, ActionSpace, DriveState, Tick};
use crate::policy::choose::first_maximum;
use crate::sim::Params;
use crate::sim::params::Circumstances;
use crate::sim::scene::Scene;
use crate::sim::simtrace::{Chosen, Row, Status};

/// Where the log stands.
pub(super) struct Trace {
    space: ActionSpace,
    line: String,
    /// What was chosen last.
    last: Option<(Action, Chosen)>,
    episode: u64,
    steps: u64,
    laps: usize,
    off_tracks: u32,
}

impl Trace {
    pub(super) const fn new(space: ActionSpace) -> Self {
        Self { space, line: String::new(), last: None, episode: 0, steps: 0, laps: 0, off_tracks: 0 }
    }

    /// The row of a tick that drove, without its end.
    pub(super) fn line(&mut self, tick: &Tick, scene: &Scene) -> Option<&str> {
        let action = tick.decision.action.filter(|_| tick.decision.state == DriveState::Driving)?;
        let chosen = match (&self.space, tick.decision.scores.values()) {
            (ActionSpace::Discrete(_), scores) => Chosen::Index(first_maximum(scores)?),
            (ActionSpace::Continuous(_), [steering, speed]) => {
                Chosen::Pair(f64::from(*steering), f64::from(*speed))
            }
            (ActionSpace::Continuous(_), _) => return None,
        };
        self.last = Some((action, chosen));
        let status = self.status(scene);
        self.row(scene, status)
    }

    /// The row in which a drive ends: by its last lap, or because its time is up. A log without rows has no end.
    pub(super) fn end(&mut self, scene: &Scene) -> Option<&str> {
        let is_lap = scene.referee().laps().len() > self.laps;
        self.row(scene, if is_lap { Status::LapComplete } else { Status::TimeUp })
    }

    fn row(&mut self, scene: &Scene, status: Status) -> Option<&str> {
        let (action, chosen) = self.last?;
        let (steering, speed) = (action.steering.get(), action.speed.get());
        let around = Circumstances { steering, speed, ..Circumstances::default() };
        let params = Params::new(scene.track(), &scene.seen(), &scene.standing(), &around);
        self.steps += 1;
        let status = if self.steps == 1 && !status.is_end() { Status::Prepare } else { status };
        let row = Row { steps: self.steps, ..Row::new(self.episode, &params, chosen, 0.0, status) };
        self.line.clear();
        row.write_log(&mut self.line).ok()?;
        if status.is_end() {
            (self.episode, self.steps) = (self.episode + 1, 0);
        }
        Some(&self.line)
    }

    fn status(&mut self, scene: &Scene) -> Status {
        let (laps, score) = (scene.referee().laps().len(), scene.referee().score());
        let (lap, off) = (laps > self.laps, score.off_tracks > self.off_tracks);
        (self.laps, self.off_tracks) = (laps, score.off_tracks);
        match () {
            () if lap => Status::LapComplete,
            () if off => Status::OffTrack,
            () => Status::InProgress,
        }
    }
}
