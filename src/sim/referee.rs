//! The judge beside the track: laps and their times, wheels off, driving the wrong way, standing still, and how
//! smoothly it went. Pure: it is told where the car is and when, and keeps no more than sums. Refuses to count a lap
//! that did not pass the track's quarters in order.

mod score;

pub use score::Score;

use crate::sim::body::NOSE;
use crate::sim::plant::Plant;
use crate::track::{Place, Point, Pose, Track};
use crate::units::{Instant, Span};

/// A car that makes no way forward is judged after so long: fifteen of AWS's steps of 1/15 s (training.md §1.3).
const PATIENCE: Span = Span::from_millis(1_000);

/// Below this speed in m/s the car does not move: 0.3 mm in one of AWS's steps (training.md §1.3).
const STANDING: f64 = 0.0045;

/// Metres that the nose moves before the first lap's clock starts.
const UNDER_WAY: f64 = 0.001;

/// A lap's marks: the track is passed in so many equal parts.
const MARKS: i32 = 4;

/// What the referee sees at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seen {
    /// The middle of the rear axle.
    pub pose: Pose,
    /// Where the four wheels stand.
    pub wheels: [Point; 4],
    /// m/s, backward negative.
    pub speed: f64,
    /// Radians, left positive.
    pub steering: f64,
    /// On the simulation's axis.
    pub now: Instant,
}

impl Seen {
    /// A simulated car at a moment.
    #[must_use]
    pub fn of(plant: &Plant, now: Instant) -> Self {
        let (pose, wheels) = (plant.pose(), plant.wheels());
        Self { pose, wheels, speed: plant.speed(), steering: plant.steering(), now }
    }

    /// The car's front, by which AWS measures position and progress.
    #[must_use]
    pub fn nose(&self) -> Point {
        self.pose.point(NOSE, 0.0)
    }
}

/// What is true at the last moment seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Standing {
    /// Where the nose is along the track.
    pub place: Place,
    /// Of the running lap, 0 to 100, and 100 in the step that completes it; what was cut off does not count.
    pub progress: f64,
    /// How many wheels are off the track, 0 to 4.
    pub wheels_off: u32,
    /// It has been moving against the direction of travel for a second.
    pub is_reversed: bool,
    /// It was under way and has been standing for a second.
    pub is_immobile: bool,
    /// This step completed a lap.
    pub lap_complete: bool,
    /// Steps seen, this one included.
    pub steps: u64,
}

/// The judge of one drive.
#[derive(Clone, Debug, Default)]
pub struct Referee {
    last: Option<(Seen, Standing)>,
    /// Where the nose started along the track, metres: the lap's line.
    line: f64,
    /// Marks passed since the start, those passed backward subtracted.
    marks: i32,
    /// When the running lap began.
    since: Instant,
    laps: Vec<Span>,
    /// Since when progress falls, or the car stands.
    falling: Option<Instant>,
    still: Option<Instant>,
    sums: Sums,
}

#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    off_tracks: u32,
    wheel_offs: u32,
    reversals: u32,
    immobile: u32,
    off_time: Span,
    time: Span,
    distance: f64,
    fastest: f64,
    /// Radians of steering, left and right.
    turned: f64,
    /// Change of acceleration, m/s².
    jerked: f64,
    acceleration: Option<f64>,
}

impl Referee {
    /// A referee who has not seen the car. The lap's line is where its nose is then.
    #[must_use]
    pub fn new() -> Self {
        Self { laps: Vec::with_capacity(64), ..Self::default() }
    }

    /// Looks once. A moment before the last one is taken for the same moment.
    pub fn step(&mut self, track: &Track, seen: &Seen) -> Standing {
        let nose = seen.nose();
        let hint = self.last.map(|(_, standing)| standing.place.segment);
        let place = hint.map_or_else(|| track.place(nose), |segment| track.place_near(nose, segment));
        let wheels_off = seen.wheels.iter().fold(0, |off, wheel| off + u32::from(!track.is_on(*wheel)));
        let before = self.last;
        if before.is_none() {
            (self.line, self.since) = (place.arc, seen.now);
        }
        let mut standing = Standing { place, wheels_off, ..Standing::default() };
        standing.steps = before.map_or(1, |(_, last)| last.steps + 1);
        if let Some((earlier, last)) = before {
            let span = seen.now.since(earlier.now);
            standing.lap_complete = self.pass_marks(track.length(), &earlier, seen, [last.place, place]);
            self.count_wheels(last.wheels_off, wheels_off, span);
            self.add_up(&earlier, seen, span);
            let along = wrapped(place.arc - last.place.arc, track.length());
            standing.is_reversed = self.wrong_way(along, seen.now, last.is_reversed);
            standing.is_immobile = self.standing_still(seen, last.is_immobile);
            standing.progress = match self.progress(track.length(), place.arc) {
                _ if standing.lap_complete => 100.0,
                Some(progress) => progress,
                None if last.lap_complete => 0.0,
                None => last.progress,
            };
        }
        self.last = Some((*seen, standing));
        standing
    }

    /// What was true at the last moment seen.
    #[must_use]
    pub fn standing(&self) -> Option<&Standing> {
        self.last.as_ref().map(|(_, standing)| standing)
    }

    /// The times of the complete laps, in order.
    #[must_use]
    pub fn laps(&self) -> &[Span] {
        &self.laps
    }

    /// The sum of it all.
    #[must_use]
    pub fn score(&self) -> Score {
        let sums = &self.sums;
        let seconds = seconds(sums.time);
        let per_second = |sum: f64| if seconds > 0.0 { sum / seconds } else { 0.0 };
        Score {
            laps: self.laps.len(),
            best: self.laps.iter().min().copied(),
            worst: self.laps.iter().max().copied(),
            progress: self.last.map_or(0.0, |(_, standing)| standing.progress),
            off_tracks: sums.off_tracks,
            wheel_offs: sums.wheel_offs,
            off_time: sums.off_time,
            reversals: sums.reversals,
            immobile: sums.immobile,
            time: sums.time,
            distance: sums.distance,
            mean_speed: per_second(sums.distance),
            top_speed: sums.fastest,
            steering_rate: per_second(sums.turned),
            jerk: per_second(sums.jerked),
        }
    }

    /// Metres beyond the line, 0 up to a lap.
    fn beyond(&self, length: f64, arc: f64) -> f64 {
        let beyond = arc - self.line;
        if beyond < 0.0 { beyond + length } else { beyond }
    }

    /// Counts marks in order, and a lap when the nose comes over the line with all of them. Its time ends where the
    /// line lies between the two moments.
    fn pass_marks(&mut self, length: f64, earlier: &Seen, seen: &Seen, [from, to]: [Place; 2]) -> bool {
        let (before, after) = (self.beyond(length, from.arc), self.beyond(length, to.arc));
        let along = wrapped(to.arc - from.arc, length);
        let lap = i32::try_from(self.laps.len()).unwrap_or(0);
        if lap == 0 && self.marks == 0 && before < UNDER_WAY {
            self.since = earlier.now;
        }
        let (old, new) = (part(before, length), part(after, length));
        let expected = self.marks.rem_euclid(MARKS);
        if old == expected && new == (expected + 1) % MARKS {
            self.marks += 1;
        } else if old == expected && new == (expected + MARKS - 1) % MARKS {
            self.marks -= 1;
        }
        if self.marks < MARKS * (lap + 1) {
            return false;
        }
        let at = between(earlier.now, seen.now, (length - before) / along);
        self.laps.push(at.since(self.since));
        self.since = at;
        true
    }

    /// Of the running lap in percent, or `None` where the car came by a cut and its marks do not fit.
    fn progress(&self, length: f64, arc: f64) -> Option<f64> {
        let beyond = self.beyond(length, arc);
        let lap = i32::try_from(self.laps.len()).unwrap_or(0);
        let fits = part(beyond, length) == self.marks.rem_euclid(MARKS);
        let running = self.marks >= MARKS * lap;
        fits.then(|| if running { (100.0 * beyond / length).min(100.0) } else { 0.0 })
    }

    fn count_wheels(&mut self, before: u32, after: u32, span: Span) {
        let sums = &mut self.sums;
        sums.off_tracks += u32::from(after == 4 && before < 4);
        sums.wheel_offs += u32::from(after > 0 && before == 0);
        if before == 4 {
            sums.off_time.0 = sums.off_time.0.saturating_add(span.0);
        }
    }

    fn add_up(&mut self, earlier: &Seen, seen: &Seen, span: Span) {
        let sums = &mut self.sums;
        sums.time.0 = sums.time.0.saturating_add(span.0);
        sums.distance += earlier.pose.at.distance(seen.pose.at);
        sums.fastest = sums.fastest.max(seen.speed.abs());
        sums.turned += (seen.steering - earlier.steering).abs();
        if span.0 > 0 {
            let acceleration = (seen.speed - earlier.speed) / seconds(span);
            sums.jerked += sums.acceleration.map_or(0.0, |last| (acceleration - last).abs());
            sums.acceleration = Some(acceleration);
        }
    }

    fn wrong_way(&mut self, along: f64, now: Instant, was: bool) -> bool {
        self.falling = if along < 0.0 { self.falling.or(Some(now)) } else { None };
        let is = self.falling.is_some_and(|since| now.since(since) >= PATIENCE);
        self.sums.reversals += u32::from(is && !was);
        is
    }

    fn standing_still(&mut self, seen: &Seen, was: bool) -> bool {
        let stands = seen.speed.abs() < STANDING && self.sums.fastest >= STANDING;
        self.still = if stands { self.still.or(Some(seen.now)) } else { None };
        let is = self.still.is_some_and(|since| seen.now.since(since) >= PATIENCE);
        self.sums.immobile += u32::from(is && !was);
        is
    }
}

/// A difference of places along a closed line, by the shorter way.
fn wrapped(difference: f64, length: f64) -> f64 {
    if difference > 0.5 * length {
        difference - length
    } else if difference < -0.5 * length {
        difference + length
    } else {
        difference
    }
}

/// In which part of the lap something is, 0 to 3.
#[expect(clippy::cast_possible_truncation, reason = "four times a share of 0 to 1")]
fn part(beyond: f64, length: f64) -> i32 {
    ((f64::from(MARKS) * beyond / length) as i32).clamp(0, MARKS - 1)
}

/// Seconds of a span.
#[expect(clippy::cast_precision_loss, reason = "a drive's nanoseconds are exact below 2^53, 104 days")]
pub(crate) fn seconds(span: Span) -> f64 {
    span.0 as f64 / 1e9
}

/// The moment at a share of the way from one to another, to the nanosecond.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 0 to 1 of one step"
)]
fn between(from: Instant, to: Instant, share: f64) -> Instant {
    from + Span((to.since(from).0 as f64 * share.clamp(0.0, 1.0)).round() as u64)
}
