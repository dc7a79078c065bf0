//! The driven line on a map of the road: coloured by speed, with a ring where the car left the road.

use crate::sim::scene::{Came, Dot};
use crate::track::{Track, svg};

/// Slow to fast, told apart by lightness alone as well (viridis, sampled).
const COLOURS: [&str; 8] =
    ["#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725"];

/// The drawing, and what it shows in words.
#[must_use]
pub fn map(track: &Track, line: &[Dot]) -> (String, String) {
    let fastest = line.iter().map(|dot| dot.speed.abs()).fold(0.0, f64::max);
    let driven = line.iter().zip(line.iter().skip(1)).filter(|(_, to)| to.came != Came::Back);
    let mut over: String = driven.map(|(from, to)| stroke(from, to, fastest)).collect();
    let left: Vec<&Dot> = line.iter().filter(|dot| dot.came == Came::Off).collect();
    over.extend(left.iter().map(|dot| ring(dot)));
    let rings = match left.len() {
        0 => String::new(),
        1 => "; the ring is where it left the road".to_owned(),
        many => format!("; the {many} rings are where it left the road"),
    };
    let words = format!(
        "{}: the driven line from dark (0 m/s) to bright ({fastest:.2} m/s), a point every 50 ms{rings}",
        track.name()
    );
    (svg::svg(track, &over), words)
}

fn stroke(from: &Dot, to: &Dot, fastest: f64) -> String {
    let share = if fastest > 0.0 { to.speed.abs() / fastest } else { 0.0 };
    let colour = COLOURS.get(step(share)).copied().unwrap_or("#fde725");
    format!(
        r#"<path d="M{:.3} {:.3}L{:.3} {:.3}" stroke="{colour}" stroke-width="0.05" stroke-linecap="round"/>"#,
        from.at.x, from.at.y, to.at.x, to.at.y
    )
}

fn ring(dot: &Dot) -> String {
    format!(
        r##"<circle cx="{:.3}" cy="{:.3}" r="0.12" fill="none" stroke="#ff5a36" stroke-width="0.05"/>"##,
        dot.at.x, dot.at.y
    )
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of 0 to 1 of eight colours"
)]
fn step(share: f64) -> usize {
    ((share * 8.0) as usize).min(COLOURS.len() - 1)
}
