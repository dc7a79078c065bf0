//! A road as SVG: asphalt, borders, dashed centre line, start line, an arrow in the direction of travel, a
//! scale bar. Inside its group lengths are metres with y up, so that what is driven can be drawn over it.

use super::Track;
use super::point::Point;

/// Metres left free around the road.
const MARGIN: f64 = 0.4;
/// Metres under the drawing for the scale.
const FOOT: f64 = 0.5;

/// The drawing, with `over` (elements in metres, y up; may be empty) on top of the road.
#[must_use]
pub fn svg(track: &Track, over: &str) -> String {
    let (low, high) = track.bounds();
    let (left, top) = (low.x - MARGIN, -high.y - MARGIN);
    let (wide, tall) = (high.x - low.x + 2.0 * MARGIN, high.y - low.y + 2.0 * MARGIN + FOOT);
    let (name, road, scale) = (escaped(track.name()), road(track), scale(low.x, top + tall - 0.3));
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="{left:.3} {top:.3} {wide:.3} {tall:.3}" role="img">
<title>{name}</title>
<g transform="scale(1 -1)" stroke-linejoin="round">
{road}{over}
</g>
{scale}</svg>
"#
    )
}

/// The road, the line from border to border at the first way-point, and the arrow ahead of it.
fn road(track: &Track) -> String {
    let (centre, inner, outer) = (ring(track.centre()), ring(track.inner()), ring(track.outer()));
    let [from, to] = [track.inner(), track.outer()].map(|border| border.first().copied().unwrap_or_default());
    let pose = track.at(0.0);
    let arrow = ring(&[pose.point(0.5, 0.0), pose.point(0.2, 0.12), pose.point(0.2, -0.12)]);
    format!(
        r##"<path d="{outer} {inner}" fill="#555" fill-rule="evenodd" stroke="#eee" stroke-width="0.04"/>
<path d="{centre}" fill="none" stroke="#e8b100" stroke-width="0.025" stroke-dasharray="0.15 0.15"/>
<path d="M{:.3} {:.3}L{:.3} {:.3}" stroke="#fff" stroke-width="0.06"/>
<path d="{arrow}" fill="#fff"/>
"##,
        from.x, from.y, to.x, to.y
    )
}

/// A bar of one metre from `x` on at height `y`, y down.
fn scale(x: f64, y: f64) -> String {
    let (end, up, down) = (x + 1.0, y - 0.06, y + 0.06);
    let (beside, base) = (end + 0.1, y + 0.08);
    format!(
        r##"<path d="M{x:.3} {up:.3}V{down:.3}M{x:.3} {y:.3}H{end:.3}M{end:.3} {up:.3}V{down:.3}" fill="none" stroke="#888" stroke-width="0.03"/>
<text x="{beside:.3}" y="{base:.3}" font-size="0.24" font-family="sans-serif" fill="#888">1 m</text>
"##
    )
}

/// A closed path.
fn ring(points: &[Point]) -> String {
    let corners: Vec<String> = points.iter().map(|point| format!("{:.3} {:.3}", point.x, point.y)).collect();
    format!("M{}Z", corners.join("L"))
}

fn escaped(name: &str) -> String {
    let plain: String = name.chars().filter(|letter| !letter.is_control()).collect();
    plain.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
