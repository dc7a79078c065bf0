//! A road as text for a terminal: borders, dashed centre line, start line, an arrow in the direction of
//! travel, a scale. One column is two dots wide, one line four dots high.

use super::Track;
use super::point::{Point, Pose};
use super::polyline::edges;
use std::f64::consts::FRAC_PI_4;

/// What the dots are made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ink {
    /// Braille patterns: fine, wants Unicode.
    #[default]
    Dots,
    /// ASCII alone.
    Letters,
}

impl Ink {
    const fn car(self) -> char {
        match self {
            Self::Dots => '●',
            Self::Letters => 'O',
        }
    }
}

/// The narrowest and the widest drawing, columns.
const COLUMNS: (u16, u16) = (20, 400);
/// Metres of the arrow ahead of the start line.
const AHEAD: f64 = 0.6;
/// Metres from dash to dash of the centre line; half of it is drawn.
const DASH: f64 = 0.4;

/// A sheet of dots.
struct Sheet {
    wide: usize,
    high: usize,
    /// Dots of each cell as bits, in the order of braille patterns.
    cells: Vec<u8>,
    low: Point,
    dot: f64,
}

/// A drawing `columns` wide (20 to 400), each line ended; the last line is the scale and may be longer.
#[must_use]
pub fn text(track: &Track, columns: u16, ink: Ink) -> String {
    drawn(track, columns).print(track, ink, None)
}

/// The same with a car on it.
#[must_use]
pub fn with_car(track: &Track, columns: u16, ink: Ink, car: Pose) -> String {
    drawn(track, columns).print(track, ink, Some(car))
}

fn drawn(track: &Track, columns: u16) -> Sheet {
    let mut sheet = Sheet::new(track, columns.clamp(COLUMNS.0, COLUMNS.1));
    for border in [track.inner(), track.outer()] {
        edges(border).for_each(|[from, to]| sheet.line(from, to));
    }
    let mut arc = 0.0;
    while arc < track.length() {
        sheet.line(track.at(arc).at, track.at(arc + DASH / 2.0).at);
        arc += DASH;
    }
    if let (Some(inner), Some(outer)) = (track.inner().first(), track.outer().first()) {
        sheet.line(*inner, *outer);
    }
    sheet
}

impl Sheet {
    fn new(track: &Track, columns: u16) -> Self {
        let (low, high) = track.bounds();
        let dots = f64::from(2 * (columns - 1));
        let dot = ((high.x - low.x) / dots).max((high.y - low.y) / (2.0 * dots));
        let (wide, high) = (whole((high.x - low.x) / dot) / 2 + 1, whole((high.y - low.y) / dot) / 4 + 1);
        Self { wide, high, cells: vec![0; wide * high], low, dot }
    }

    /// Column and row of a point in dots, from the upper left.
    fn dot(&self, at: Point) -> (usize, usize) {
        let (x, y) = (whole((at.x - self.low.x) / self.dot), whole((at.y - self.low.y) / self.dot));
        (x, (4 * self.high - 1).saturating_sub(y))
    }

    fn line(&mut self, from: Point, to: Point) {
        let steps = whole(2.0 * from.distance(to) / self.dot) + 1;
        for step in 0..=steps {
            let share = ratio(step, steps);
            let at = Point::new(from.x + (to.x - from.x) * share, from.y + (to.y - from.y) * share);
            let (x, y) = self.dot(at);
            if let Some(cell) = self.cells.get_mut(y / 4 * self.wide + x / 2) {
                *cell |= match (x % 2, y % 4) {
                    (0, 3) => 0x40,
                    (_, 3) => 0x80,
                    (0, row) => 1 << row,
                    (_, row) => 8 << row,
                };
            }
        }
    }

    fn print(&self, track: &Track, ink: Ink, car: Option<Pose>) -> String {
        let pose = track.at(AHEAD);
        let (x, y) = self.dot(pose.at);
        let arrow = (x / 2, y / 4, arrow(pose.heading, ink));
        let car = car.map(|car| self.dot(car.at)).map(|(x, y)| (x / 2, y / 4));
        let rows = self.cells.chunks(self.wide).enumerate().map(|(row, cells)| {
            let glyphs = cells.iter().enumerate().map(|(column, cell)| {
                if car == Some((column, row)) {
                    ink.car()
                } else if (column, row) == (arrow.0, arrow.1) {
                    arrow.2
                } else {
                    glyph(*cell, ink)
                }
            });
            glyphs.collect::<String>().trim_end().to_owned()
        });
        let metre = whole(1.0 / (2.0 * self.dot)).max(2);
        let sense = if track.is_counter_clockwise() { "counter-clockwise" } else { "clockwise" };
        let scale = format!("|{}| 1 m, {sense}", "-".repeat(metre - 2));
        let mut drawing = rows.chain([scale]).collect::<Vec<String>>().join("\n");
        drawing.push('\n');
        drawing
    }
}

fn glyph(dots: u8, ink: Ink) -> char {
    match (ink, dots.count_ones()) {
        (_, 0) => ' ',
        (Ink::Dots, _) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
        (Ink::Letters, 1) => '.',
        (Ink::Letters, 2) => ':',
        (Ink::Letters, _) => '#',
    }
}

fn arrow(heading: f64, ink: Ink) -> char {
    let arrows = match ink {
        Ink::Dots => ['→', '↗', '↑', '↖', '←', '↙', '↓', '↘'],
        Ink::Letters => ['>', '/', '^', '\\', '<', '/', 'v', '\\'],
    };
    let eighth = whole((heading / FRAC_PI_4).round().rem_euclid(8.0));
    arrows.get(eighth).copied().unwrap_or('*')
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "dots of a drawing, never negative"
)]
fn whole(number: f64) -> usize {
    number.max(0.0) as usize
}

#[expect(clippy::cast_precision_loss, reason = "steps of one line of a drawing")]
fn ratio(step: usize, steps: usize) -> f64 {
    step as f64 / steps as f64
}
