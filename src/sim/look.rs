//! What the world looks like: paint and its widths, ground, walls, light, and what the camera adds. A look is a value;
//! with a seed it fixes every pixel. Colours are R, G, B as the camera writes them (no gamma is modelled).

use super::seed::Seed;

/// A colour.
pub type Colour = [u8; 3];

/// A surface: its colour, and how far its grain strays from it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ink {
    /// In the middle.
    pub colour: Colour,
    /// Of 255; about two deviations of the grain. 0 is flat.
    pub grain: f64,
}

/// The lines on the road, in metres.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paint {
    /// Width of a border line; it lies inside the border.
    pub border: f64,
    /// Width of the dashed line along the centre.
    pub dash: f64,
    /// Length of a dash; 0 for none. Dash and gap are scaled together by what makes a whole number of them fit.
    pub dash_length: f64,
    /// Length of a gap.
    pub gap: f64,
    /// Depth of the start line across the road; 0 for none.
    pub start: f64,
}

/// Walls around the road, a box.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Walls {
    /// Metres from the outermost border.
    pub margin: f64,
    /// Metres up; what is above is background.
    pub height: f64,
    /// Their colour.
    pub ink: Ink,
    /// Metres from seam to seam; 0 for none.
    pub panel: f64,
}

/// What is behind everything, at any height.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Background {
    /// One colour at the horizon, another straight up.
    Sky(Colour, Colour),
    /// A hall: dark, with lamps and pillars that the seed places. The colour is that of its walls.
    Hall(Colour),
}

/// What the camera adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Camera {
    /// Gain of the picture; 1 leaves the inks as they are.
    pub exposure: f64,
    /// Seconds that the shutter is open; 0 for no motion blur.
    pub shutter: f64,
    /// Share of the light that is lost in the corners, 0 to 1.
    pub vignette: f64,
    /// Deviation of the noise that does not depend on the light, of 255.
    pub noise: f64,
    /// Shot noise: deviation at full white, of 255; it grows with the root of the light.
    pub shot: f64,
    /// Width of an edge in pixels; 1 is a pixel's own area, more is a soft lens.
    pub softness: f64,
    /// JPEG quality, 1 to 100.
    pub quality: u8,
}

/// A look.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Look {
    /// Places grain, lamps, pillars, light and noise.
    pub seed: u64,
    /// The road.
    pub road: Ink,
    /// Around the road.
    pub field: Ink,
    /// Side of the squares that the field is laid in, alternately a little darker, in metres; 0 for none.
    pub squares: f64,
    /// Border lines and start line.
    pub white: Ink,
    /// The dashes.
    pub dashes: Ink,
    /// Their widths.
    pub paint: Paint,
    /// Walls, if there are any. Without them the field has no end.
    pub walls: Option<Walls>,
    /// Above the walls.
    pub background: Background,
    /// How much the light on the ground varies from place to place, 0 to 1.
    pub light: f64,
    /// The camera's share.
    pub camera: Camera,
}

impl Look {
    /// AWS's simulator, by its own observations (training.md §1.3; greys measured there: road 84, field 166, dashes
    /// 190, walls 84): dark road, white borders, pale dashes, mottled field, flat walls, and hardly any camera.
    /// Dash, gap and borders have the size that those pictures show for a camera 0.130 m up.
    #[must_use]
    pub const fn training() -> Self {
        Self {
            seed: 1,
            road: Ink { colour: [82, 85, 88], grain: 9.0 },
            field: Ink { colour: [138, 186, 150], grain: 34.0 },
            squares: 0.0,
            white: Ink { colour: [255, 255, 255], grain: 0.0 },
            dashes: Ink { colour: [236, 186, 88], grain: 0.0 },
            paint: Paint { border: 0.06, dash: 0.022, dash_length: 0.043, gap: 0.038, start: 0.0 },
            walls: Some(Walls {
                margin: 2.5,
                height: 1e6,
                ink: Ink { colour: [84, 84, 84], grain: 0.0 },
                panel: 0.0,
            }),
            background: Background::Sky([84, 84, 84], [84, 84, 84]),
            light: 0.0,
            camera: Camera {
                exposure: 1.0,
                shutter: 0.0,
                vignette: 0.0,
                noise: 0.0,
                shot: 0.0,
                softness: 1.0,
                quality: 90,
            },
        }
    }

    /// A track at an event, by the frames of a real car in `recordings/real-car-deepracer-160x120-larsll`: worn dark
    /// vinyl, mint green around it, teal panels close by, a dim hall, a small noisy camera.
    #[must_use]
    pub const fn event() -> Self {
        Self {
            seed: 1,
            road: Ink { colour: [105, 104, 104], grain: 7.0 },
            field: Ink { colour: [160, 232, 182], grain: 8.0 },
            squares: 0.0,
            white: Ink { colour: [255, 255, 255], grain: 6.0 },
            dashes: Ink { colour: [255, 220, 150], grain: 8.0 },
            paint: Paint { border: 0.06, dash: 0.032, dash_length: 0.052, gap: 0.052, start: 0.06 },
            walls: Some(Walls {
                margin: 0.45,
                height: 0.42,
                ink: Ink { colour: [124, 164, 164], grain: 10.0 },
                panel: 1.0,
            }),
            background: Background::Hall([128, 104, 82]),
            light: 0.30,
            camera: Camera {
                exposure: 1.0,
                shutter: 0.008,
                vignette: 0.15,
                noise: 1.2,
                shot: 1.6,
                softness: 1.5,
                quality: 75,
            },
        }
    }

    /// The drawn lane that the bundled line follower was made for (models/README.md): dark tarmac, thin white borders,
    /// long yellow dashes, dark carpet in squares, no walls, a bright sky, a little grain.
    #[must_use]
    pub const fn drawn() -> Self {
        Self {
            seed: 1,
            road: Ink { colour: [62, 62, 66], grain: 0.0 },
            field: Ink { colour: [42, 88, 57], grain: 0.0 },
            squares: 0.5,
            white: Ink { colour: [235, 235, 230], grain: 0.0 },
            dashes: Ink { colour: [225, 190, 40], grain: 0.0 },
            paint: Paint { border: 0.03, dash: 0.04, dash_length: 0.25, gap: 0.25, start: 0.0 },
            walls: None,
            background: Background::Sky([166, 172, 180], [150, 156, 164]),
            light: 0.0,
            camera: Camera {
                exposure: 1.0,
                shutter: 0.0,
                vignette: 0.0,
                noise: 2.3,
                shot: 0.0,
                softness: 1.0,
                quality: 70,
            },
        }
    }

    /// The same scene with another seed.
    #[must_use]
    pub const fn seeded(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// A look beside this one: colours, light and camera strayed from it as `seed` says, for a policy that is not to
    /// learn one look by heart. The paint's widths stay within a fifth; its seed becomes `seed`.
    #[must_use]
    pub fn varied(self, seed: u64) -> Self {
        let mut dice = Seed::new(seed).fork(0x10_0c);
        let mut around = |share: f64| 1.0 + share * (2.0 * dice.unit() - 1.0);
        let mut ink = |ink: Ink, share: f64| {
            let all = around(share);
            Ink {
                colour: ink.colour.map(|part| scaled(part, all * around(0.08))),
                grain: ink.grain * around(0.7),
            }
        };
        let (road, field, white, dashes) =
            (ink(self.road, 0.35), ink(self.field, 0.35), ink(self.white, 0.12), ink(self.dashes, 0.15));
        let walls = self.walls.map(|walls| Walls { ink: ink(walls.ink, 0.5), ..walls });
        let paint = Paint {
            border: self.paint.border * around(0.2),
            dash: self.paint.dash * around(0.2),
            ..self.paint
        };
        let camera = Camera {
            exposure: self.camera.exposure * around(0.25),
            vignette: (self.camera.vignette + 0.1 * around(1.0)).min(1.0),
            noise: self.camera.noise + 1.5 * around(1.0),
            softness: self.camera.softness * around(0.2),
            ..self.camera
        };
        let light = (self.light + 0.15 * around(1.0)).min(0.9);
        Self { seed, road, field, white, dashes, paint, walls, light, camera, ..self }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0..=255 before")]
fn scaled(part: u8, by: f64) -> u8 {
    (f64::from(part) * by).clamp(0.0, 255.0) as u8
}
