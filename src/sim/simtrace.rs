//! A drive as AWS's simulator logs it: a `SIM_TRACE_LOG:` line a step for its log, a row a step for its CSV, with the
//! 19 fields of today (training.md §1.4), so that the community's analysis tools read it. Text only; opens no file.

use std::fmt;

use crate::sim::params::Params;
use crate::sim::referee::Standing;
use crate::track::Point;

/// The first line of the CSV.
pub const HEADER: &str = "episode,steps,X,Y,yaw,steer,throttle,action,reward,done,all_wheels_on_track,progress,\
                          closest_waypoint,track_len,tstamp,episode_status,pause_duration,obstacle_crash_counter,wall_clock";

/// How an episode stands, by AWS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// The first step.
    Prepare,
    /// Driving.
    InProgress,
    /// A lap is done.
    LapComplete,
    /// Ran into an object.
    Crashed,
    /// All wheels left the track.
    OffTrack,
    /// Stood too long.
    Immobilized,
    /// Drove the wrong way too long.
    Reversed,
    /// The time is over.
    TimeUp,
}

impl Status {
    /// How an episode stands after a step that the referee judged; a crash comes first, as in AWS's rules.
    #[must_use]
    pub const fn of(standing: &Standing, is_crashed: bool) -> Self {
        match standing {
            _ if is_crashed => Self::Crashed,
            Standing { lap_complete: true, .. } => Self::LapComplete,
            Standing { wheels_off: 4, .. } => Self::OffTrack,
            Standing { is_immobile: true, .. } => Self::Immobilized,
            Standing { is_reversed: true, .. } => Self::Reversed,
            Standing { steps: 1, .. } => Self::Prepare,
            _ => Self::InProgress,
        }
    }

    /// AWS's word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Prepare => "prepare",
            Self::InProgress => "in_progress",
            Self::LapComplete => "lap_complete",
            Self::Crashed => "crashed",
            Self::OffTrack => "off_track",
            Self::Immobilized => "immobilized",
            Self::Reversed => "reversed",
            Self::TimeUp => "time_up",
        }
    }

    /// Whether the episode ends with it.
    #[must_use]
    pub const fn is_end(self) -> bool {
        !matches!(self, Self::Prepare | Self::InProgress)
    }
}

/// What was chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Chosen {
    /// The place in a discrete action space.
    Index(usize),
    /// Steering and speed of a continuous one, as the network gave them.
    Pair(f64, f64),
}

impl fmt::Display for Chosen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(index) => write!(f, "{index}"),
            Self::Pair(steering, speed) => write!(f, "[{steering:?} {speed:?}]"),
        }
    }
}

/// One step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Row {
    /// From 0.
    pub episode: u64,
    /// From 1.
    pub steps: u64,
    /// Nose, metres.
    pub x: f64,
    /// Nose, metres.
    pub y: f64,
    /// Degrees, -180 to 180.
    pub yaw: f64,
    /// Commanded, degrees.
    pub steer: f64,
    /// Commanded, m/s.
    pub throttle: f64,
    /// What was chosen.
    pub action: Chosen,
    /// The step's reward; 0 where none is given.
    pub reward: f64,
    /// All four wheels are on the track.
    pub all_wheels_on_track: bool,
    /// 0 to 100.
    pub progress: f64,
    /// The nearer of the way-points behind and ahead.
    pub closest_waypoint: usize,
    /// Metres.
    pub track_len: f64,
    /// Seconds of simulated time.
    pub tstamp: f64,
    /// How the episode stands.
    pub status: Status,
    /// Seconds of real time, for those who compare: simulated time again where the caller knows no other.
    pub wall_clock: f64,
}

impl Row {
    /// The row of a step's parameters.
    #[must_use]
    pub fn new(episode: u64, params: &Params<'_>, action: Chosen, reward: f64, status: Status) -> Self {
        Self {
            episode,
            steps: params.steps,
            x: params.x,
            y: params.y,
            yaw: params.heading,
            steer: params.steering_angle,
            throttle: params.speed,
            action,
            reward,
            all_wheels_on_track: params.all_wheels_on_track,
            progress: params.progress,
            closest_waypoint: nearer(params),
            track_len: params.track_length,
            tstamp: params.sim_time,
            status,
            wall_clock: params.sim_time,
        }
    }

    /// The log's line, without its end.
    ///
    /// # Errors
    /// Those of `out`; a text has none.
    pub fn write_log(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let Self { episode, steps, x, y, yaw, steer, throttle, action, reward, progress, .. } = self;
        write!(
            out,
            "SIM_TRACE_LOG:{episode},{steps},{x:.4},{y:.4},{yaw:.4},{steer:.2},{throttle:.2},{action},"
        )?;
        write!(out, "{reward:.4},{},{},{progress:.4},", self.done(), truth(self.all_wheels_on_track))?;
        write!(out, "{},{:.2},{:?},", self.closest_waypoint, self.track_len, self.tstamp)?;
        write!(out, "{},0.00,0,{:.2}", self.status.word(), self.wall_clock)
    }

    /// The CSV's row under [`HEADER`], without its end. Numbers read back to the same bits.
    ///
    /// # Errors
    /// Those of `out`; a text has none.
    pub fn write_csv(&self, out: &mut impl fmt::Write) -> fmt::Result {
        let Self { episode, steps, x, y, yaw, steer, throttle, action, reward, progress, .. } = self;
        write!(out, "{episode},{steps}.0,{x:?},{y:?},{yaw:?},{steer:?},{throttle:?},{action},")?;
        write!(out, "{reward:?},{},{},{progress:?},", self.done(), truth(self.all_wheels_on_track))?;
        write!(out, "{},{:?},{:?},", self.closest_waypoint, self.track_len, self.tstamp)?;
        write!(out, "{},0.0,0,{:?}", self.status.word(), self.wall_clock)
    }

    const fn done(&self) -> &'static str {
        truth(self.status.is_end())
    }
}

/// A truth as the simulator's language writes it.
const fn truth(value: bool) -> &'static str {
    if value { "True" } else { "False" }
}

fn nearer(params: &Params<'_>) -> usize {
    let [behind, ahead] = params.closest_waypoints;
    let nose = Point::new(params.x, params.y);
    let waypoint = |index: usize| params.waypoints.get(index).or_else(|| params.waypoints.first());
    let distance = |index: usize| waypoint(index).map_or(f64::INFINITY, |point| point.distance(nose));
    if distance(ahead) < distance(behind) { ahead } else { behind }
}
