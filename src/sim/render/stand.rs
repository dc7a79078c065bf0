//! Where the camera stands while the shutter is open: one place, or several along the motion.

use super::{BASELINE, Eye, View};
use crate::sim::lens::Lens;
use crate::sim::look::Look;
use crate::sim::surface::{Surface, steps};
use crate::track::Point;

/// The most places of one exposure.
const MOST: usize = 8;
/// Metres of travel per place in a picture one pixel wide: 1.6 mm at 640.
const STRIDE: f64 = 1.0;
/// One, as a cosine.
const UNIT: f64 = 1_073_741_824.0;

/// The camera at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Stand {
    /// Its place on the ground.
    pub(super) x: i64,
    /// Its place on the ground.
    pub(super) y: i64,
    /// Of the heading.
    pub(super) cos: f32,
    /// Of the heading.
    pub(super) sin: f32,
    /// Cosine and sine of the heading, in 2^30ths.
    turn: (i64, i64),
    /// The heading in 65536ths of a turn.
    pub(super) bearing: u16,
    /// Its place in the world.
    pub(super) at: Point,
    /// The heading in radians.
    pub(super) heading: f64,
    /// Metres above the ground.
    pub(super) height: f64,
}

impl Stand {
    /// A way in the car's frame, turned into the world's.
    #[inline]
    pub(super) fn turned(&self, ahead: i32, left: i32) -> (i64, i64) {
        let (ahead, left) = (i64::from(ahead), i64::from(left));
        let (cos, sin) = self.turn;
        ((ahead * cos - left * sin) >> 30, (ahead * sin + left * cos) >> 30)
    }
}

/// All moments of one exposure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stands {
    all: [Stand; MOST],
    count: usize,
}

impl Stands {
    /// The moments of a view.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "1 to 8"
    )]
    pub(super) fn new(view: &View, lens: &Lens, look: &Look, surface: &Surface) -> Self {
        let open = look.camera.shutter;
        let pixels = (view.turning * open).abs() * f64::from(view.size.width) * lens.focal / 2.0;
        let strides = (view.speed * open).abs() * f64::from(view.size.width) / STRIDE;
        let moved = strides.max(pixels);
        let count = moved.ceil().clamp(1.0, MOST as f64) as usize;
        let mut all = [Stand::default(); MOST];
        for (n, stand) in all.iter_mut().take(count).enumerate() {
            let when = ((n as f64 + 0.5) / count as f64 - 0.5) * open;
            *stand = moment(view, when, lens, surface);
        }
        Self { all, count }
    }

    /// The moments.
    pub(super) fn all(&self) -> &[Stand] {
        self.all.get(..self.count).unwrap_or(&[])
    }
}

/// The camera `when` seconds after the middle of the exposure.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a picture's precision; turns wrap"
)]
fn moment(view: &View, when: f64, lens: &Lens, surface: &Surface) -> Stand {
    let heading = view.pose.heading + view.turning * when;
    let half = view.pose.heading + view.turning * when / 2.0;
    let way = view.speed * when;
    let (sin, cos) = (libm::sin(heading), libm::cos(heading));
    let aside = match view.eye {
        Eye::Only => 0.0,
        Eye::Left => BASELINE / 2.0,
        Eye::Right => -BASELINE / 2.0,
    };
    let at = Point {
        x: view.pose.at.x + way * libm::cos(half) + lens.ahead * cos - aside * sin,
        y: view.pose.at.y + way * libm::sin(half) + lens.ahead * sin + aside * cos,
    };
    let (x, y) = surface.cell_of(at);
    let turns = heading / (2.0 * std::f64::consts::PI);
    Stand {
        x: steps(x),
        y: steps(y),
        cos: cos as f32,
        sin: sin as f32,
        turn: ((cos * UNIT).round() as i64, (sin * UNIT).round() as i64),
        bearing: ((turns - turns.floor()) * 65_536.0) as i64 as u16,
        at,
        heading,
        height: lens.height,
    }
}
