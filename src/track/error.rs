//! The room's refusals: what is wrong with a track, where, and what to do about it.

use std::fmt;

use thiserror::Error;

use super::point::Point;

/// One of a track's three lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line {
    /// The middle of the road.
    Centre,
    /// The border on the inside of the lap.
    Inner,
    /// The border on the outside of the lap.
    Outer,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Centre => "centre line",
            Self::Inner => "inner border",
            Self::Outer => "outer border",
        })
    }
}

/// Where in the input something is wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spot {
    /// The way-point as it was given, from 0.
    pub row: usize,
    /// The line of the text, from 1, where the track came from a text.
    pub line: Option<usize>,
    /// Its point.
    pub at: Point,
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}, ")?;
        }
        write!(f, "way-point {} at x {:.3}, y {:.3}", self.row, self.at.x, self.at.y)
    }
}

/// Why something is not a track.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum TrackError {
    /// The three lines do not have a point for each other.
    #[error(
        "the centre line has {centre} way-points, the inner border {inner}, the outer border {outer}, \
         wanted as many of each"
    )]
    Unpaired {
        /// Points of the centre line.
        centre: usize,
        /// Points of the inner border.
        inner: usize,
        /// Points of the outer border.
        outer: usize,
    },
    /// Hardly a polygon.
    #[error("the track has {saw} way-points, wanted at least {wanted}: add more along the curves")]
    TooFew {
        /// Way-points without repeated ones.
        saw: usize,
        /// The least.
        wanted: usize,
    },
    /// More than any track needs.
    #[error("the track has {saw} way-points, wanted at most {wanted}: keep every second or third one")]
    TooMany {
        /// Way-points.
        saw: usize,
        /// The most.
        wanted: usize,
    },
    /// NaN or infinite.
    #[error("way-point {row} of the {which} is x {}, y {}, wanted finite numbers: correct or remove it", at.x, at.y)]
    NotFinite {
        /// The line.
        which: Line,
        /// The way-point, from 0.
        row: usize,
        /// What it is.
        at: Point,
    },
    /// Beyond any hall.
    #[error("{which}, {spot}: farther than {most} m from the origin: are these metres?")]
    TooFar {
        /// The line.
        which: Line,
        /// The point.
        spot: Spot,
        /// The farthest coordinate.
        most: f64,
    },
    /// Two way-points at one place with different borders.
    #[error("{spot}: the same place as the way-point before, but other borders: remove one of the two")]
    Repeated {
        /// The second of the two.
        spot: Spot,
    },
    /// The ends do not meet.
    #[error(
        "the track is open: {gap:.2} m from the last way-point ({last}) to the first, where the \
         longest step elsewhere is {step:.2} m: a lap needs a closed line, add the way back or repeat \
         the first way-point at the end"
    )]
    Open {
        /// The last way-point.
        last: Spot,
        /// Metres between the ends.
        gap: f64,
        /// Metres of the longest other step.
        step: f64,
    },
    /// A step that no track has.
    #[error(
        "the centre line jumps {step:.2} m after {spot}, the usual step is {usual:.2} m: correct the \
         way-point, or put more between"
    )]
    Jump {
        /// Where it starts.
        spot: Spot,
        /// Its length in metres.
        step: f64,
        /// The median step in metres.
        usual: f64,
    },
    /// A corner that is none.
    #[error(
        "the centre line turns {degrees:.0}° at once at {spot}, wanted at most {most:.0}°: way-points \
         out of order, or too few in a curve"
    )]
    Fold {
        /// The corner.
        spot: Spot,
        /// Degrees, without sign.
        degrees: f64,
        /// The most.
        most: f64,
    },
    /// Not of a track's size.
    #[error("the track is {saw:.3} m long, wanted {min} to {max} m: are these metres?")]
    Length {
        /// Metres once around.
        saw: f64,
        /// The shortest.
        min: f64,
        /// The longest.
        max: f64,
    },
    /// A line crosses or touches another line, or itself.
    #[error(
        "the {one} crosses the {other} at x {:.3}, y {:.3}: after {first} and after {second}; roads \
         may not cross or touch",
        at.x, at.y
    )]
    Crossing {
        /// The line.
        one: Line,
        /// The other line, or the same one.
        other: Line,
        /// The start of the first segment.
        first: Spot,
        /// The start of the second segment.
        second: Spot,
        /// Where they meet.
        at: Point,
    },
    /// Every border is where the other one should be.
    #[error(
        "the inner border lies outside the lap and the outer border inside: swap the two (the lap \
         runs {})",
        if *counter_clockwise { "counter-clockwise, so the inner border is on the left" }
        else { "clockwise, so the inner border is on the right" }
    )]
    Swapped {
        /// The sense of the lap.
        counter_clockwise: bool,
    },
    /// A border is on the centre line or beyond it.
    #[error("the {which} is on the wrong side of the centre line at {spot}: it belongs on the {wanted}")]
    WrongSide {
        /// The border.
        which: Line,
        /// The way-point.
        spot: Spot,
        /// `left` or `right`.
        wanted: &'static str,
    },
    /// No car fits.
    #[error("the road is {saw:.3} m wide at {spot}, wanted at least {wanted:.3} m: the car is {car} m wide")]
    TooNarrow {
        /// The way-point.
        spot: Spot,
        /// From border to border, across the road, metres.
        saw: f64,
        /// The least.
        wanted: f64,
        /// The car's track in metres.
        car: f64,
    },
    /// A square, not a road.
    #[error("the road is {saw:.2} m wide at {spot}, wanted at most {wanted} m: correct its borders")]
    TooWide {
        /// The way-point.
        spot: Spot,
        /// Metres.
        saw: f64,
        /// The most.
        wanted: f64,
    },
    /// Not an array of `NumPy`, or one that holds something else.
    #[error(
        "not a track array: {why}; wanted a NumPy .npy file of float64 or float32, N rows of 6 \
         columns (centre x, y, inner x, y, outer x, y)"
    )]
    Array {
        /// What was seen.
        why: String,
    },
    /// A line of the text form that cannot be read.
    #[error("line {line}: {why}")]
    Text {
        /// From 1.
        line: usize,
        /// What was seen, and what was wanted.
        why: String,
    },
}
