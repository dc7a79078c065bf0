//! Where something is along a track.

/// A point of the plane as the track sees it, by the nearest point of the centre line.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Metres along the centre line from the first way-point, 0 up to but without the track's length.
    pub arc: f64,
    /// Metres from the centre line; positive to the left of the direction of travel.
    pub offset: f64,
    /// Direction of the centre line's segment in radians, -π..=π.
    pub heading: f64,
    /// 1/m, positive where the track turns left; of the circles through neighbouring way-points, linear
    /// between them.
    pub curvature: f64,
    /// From border to border in metres; linear between way-points.
    pub width: f64,
    /// The way-point behind, from 0.
    pub segment: usize,
    /// The way-point ahead.
    pub next: usize,
}
