//! Our own text form of a road, made to be edited by hand:
//!
//! ```text
//! hairpin-track 1
//! # `#` starts a remark; empty lines count for nothing; metres; a comma may stand for a space
//! width 0.76
//! 0.0  0.0                # x y                 borders half the width to either side
//! 0.5  0.0  0.38  0.40    # x y left right      their distances from the centre line
//! 1.0  0.0  1.0  0.38  1.0  -0.38    # x y, inner x y, outer x y: as AWS's arrays have it
//! ```
//!
//! The way-points stand in the direction of travel; the last leads back to the first. Lines of either kind may
//! be mixed; `width` counts for those below it.

use super::Track;
use super::check::{Lines, MOST_POINTS};
use super::error::TrackError;
use super::point::Point;
use super::polyline::{corners, direction, double_area};

/// The first word of the first line, and the version that follows it.
const HEADER: &str = "hairpin-track 1";

/// One line's borders.
#[derive(Clone, Copy)]
enum Borders {
    /// Metres to the left and to the right.
    Sides(f64, f64),
    /// Inner and outer point.
    Points(Point, Point),
}

/// One line.
struct Row {
    line: usize,
    at: Point,
    borders: Borders,
}

/// The lines of a road from its text.
///
/// # Errors
/// [`TrackError::Text`] with the line.
pub(super) fn lines(text: &str) -> Result<Lines, TrackError> {
    let rows = rows(text)?;
    let mut centre: Vec<Point> = rows.iter().map(|row| row.at).collect();
    // The first point at the end closes the line and must not bend it.
    let closing = centre.len() > 1 && centre.first() == centre.last();
    if closing {
        centre.pop();
    }
    let inner_is_left = double_area(&centre) > 0.0;
    let bisectors: Vec<Point> = corners(&centre).map(left_at).collect();
    let at_corners = rows.iter().zip(bisectors.iter().cycle());
    let (inner, outer) = at_corners.map(|(row, left)| borders(row, *left, inner_is_left)).unzip();
    let numbers = rows.iter().map(|row| row.line).collect();
    Ok(Lines::new(rows.iter().map(|row| row.at).collect(), inner, outer, numbers))
}

/// Inner and outer border of a row; `left` points to the left of the road.
fn borders(row: &Row, left: Point, inner_is_left: bool) -> (Point, Point) {
    match row.borders {
        Borders::Points(inner, outer) => (inner, outer),
        Borders::Sides(to_left, to_right) => {
            let beside = |far: f64| Point::new(row.at.x + left.x * far, row.at.y + left.y * far);
            let (left, right) = (beside(to_left), beside(-to_right));
            if inner_is_left { (left, right) } else { (right, left) }
        }
    }
}

/// The way to the left at a corner, so long that the border of a straight stays parallel up to the corner.
fn left_at([before, here, after]: [Point; 3]) -> Point {
    let ((into, _), (out, _)) = (direction(before, here), direction(here, after));
    let sum = Point::new(into.x + out.x, into.y + out.y);
    let square = sum.x * sum.x + sum.y * sum.y;
    // |sum| is twice the cosine of half the turn; a fold has none and is refused later by name.
    Point::new(-sum.y * 2.0 / square, sum.x * 2.0 / square)
}

fn refuse<T>(line: usize, why: impl Into<String>) -> Result<T, TrackError> {
    Err(TrackError::Text { line, why: why.into() })
}

fn rows(text: &str) -> Result<Vec<Row>, TrackError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let meant = |line: &'_ str| line.split('#').next().unwrap_or("").replace(',', " ").trim().to_owned();
    let mut left = text.lines().map(meant).zip(1..).filter(|(words, _)| !words.is_empty());
    let first = left.next();
    header(first.as_ref().map(|(words, line)| (words.as_str(), *line)))?;
    let (mut rows, mut width) = (Vec::new(), None);
    for (words, line) in left {
        if let Some(number) = words.strip_prefix("width") {
            width = Some(number_of(number.trim(), line)?);
        } else if rows.len() > MOST_POINTS {
            return Err(TrackError::TooMany { saw: rows.len(), wanted: MOST_POINTS });
        } else {
            rows.push(row(&words, line, width)?);
        }
    }
    Ok(rows)
}

fn header(first: Option<(&str, usize)>) -> Result<(), TrackError> {
    let Some((words, line)) = first else {
        return refuse(1, format!("the text is empty, wanted `{HEADER}`, then a way-point on each line"));
    };
    if words.split_whitespace().eq(HEADER.split_whitespace()) {
        return Ok(());
    }
    let seen: String = words.chars().take(40).collect();
    refuse(
        line,
        format!("starts with {seen:?}, wanted `{HEADER}` as the first line, then a way-point on each"),
    )
}

fn row(words: &str, line: usize, width: Option<f64>) -> Result<Row, TrackError> {
    let numbers: Vec<f64> =
        words.split_whitespace().map(|word| number_of(word, line)).collect::<Result<_, _>>()?;
    let (at, borders) = match *numbers.as_slice() {
        [x, y] => {
            let Some(width) = width else {
                return refuse(
                    line,
                    "has x and y alone, wanted a line `width 0.76` above it, or `x y left right`",
                );
            };
            (Point::new(x, y), Borders::Sides(width / 2.0, width / 2.0))
        }
        [x, y, left, right] => (Point::new(x, y), Borders::Sides(left, right)),
        [x, y, inner_x, inner_y, outer_x, outer_y] => {
            let (inner, outer) = (Point::new(inner_x, inner_y), Point::new(outer_x, outer_y));
            (Point::new(x, y), Borders::Points(inner, outer))
        }
        _ => {
            let saw = numbers.len();
            return refuse(
                line,
                format!("{saw} numbers, wanted 2 (x y), 4 (x y left right) or 6 (centre, inner, outer)"),
            );
        }
    };
    if let Borders::Sides(left, right) = borders
        && (left <= 0.0 || right <= 0.0)
    {
        return refuse(line, format!("left {left} and right {right} are distances, wanted more than 0"));
    }
    Ok(Row { line, at, borders })
}

fn number_of(word: &str, line: usize) -> Result<f64, TrackError> {
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number),
        _ => {
            let seen: String = word.chars().take(24).collect();
            refuse(line, format!("{seen:?}, wanted a number with a point, such as 0.38"))
        }
    }
}

/// A road in this form, with all six columns: each number in its shortest form that reads back to the same
/// bits.
pub(super) fn written(track: &Track) -> String {
    let name: String = track.name().chars().filter(|letter| !letter.is_control()).collect();
    let about = format!("# {name}: {:.2} m once around", track.length());
    let head = [HEADER.to_owned(), about, "# x y  inner x y  outer x y".to_owned()];
    let lines = track.centre().iter().zip(track.inner()).zip(track.outer());
    let rows = lines.map(|((centre, inner), outer)| {
        format!("{} {}  {} {}  {} {}", centre.x, centre.y, inner.x, inner.y, outer.x, outer.y)
    });
    let mut text = head.into_iter().chain(rows).collect::<Vec<String>>().join("\n");
    text.push('\n');
    text
}
