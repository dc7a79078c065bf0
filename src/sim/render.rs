//! The picture: a ray per pixel to the ground, the walls or what is behind them; then boxes, light, noise; then bytes.
//! The same track, lens, look and view give the same bytes on every machine: + - * / and roots in a fixed order, the
//! rest through `libm` and only when a table is made. Nothing is allocated per frame once a size has been seen.

pub(super) mod backdrop;
pub(super) mod boxes;
pub(super) mod finish;
pub(super) mod grain;
pub(super) mod shade;
pub(super) mod stand;
pub(super) mod table;

use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use thiserror::Error;

use super::lens::Lens;
use super::look::Look;
use super::obstacle::Obstacle;
use super::surface::Surface;
use crate::domain::Size;
use crate::track::{Pose, Track};
use finish::Finish;
use grain::Grain;
use shade::Scene;
use stand::Stands;
use table::Table;

/// Metres between the two cameras of a stereo car (training.md §1.3).
pub const BASELINE: f64 = 0.06;

/// Which camera looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Eye {
    /// The only one, in the middle.
    #[default]
    Only,
    /// Half a [`BASELINE`] to the left.
    Left,
    /// Half a [`BASELINE`] to the right.
    Right,
}

/// One picture to take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    /// Where the car is in the middle of the exposure.
    pub pose: Pose,
    /// The picture's size.
    pub size: Size,
    /// The number of the frame: its noise.
    pub frame: u64,
    /// Metres per second along the heading, for motion blur.
    pub speed: f64,
    /// Radians per second to the left, for motion blur.
    pub turning: f64,
    /// Which camera.
    pub eye: Eye,
}

impl View {
    /// Frame 0 of the only camera of a car that stands.
    #[must_use]
    pub const fn new(pose: Pose, size: Size) -> Self {
        Self { pose, size, frame: 0, speed: 0.0, turning: 0.0, eye: Eye::Only }
    }

    /// The number of its noise: the two cameras of one frame do not share it.
    const fn noise(&self) -> u64 {
        self.frame.wrapping_mul(3).wrapping_add(self.eye as u64)
    }
}

/// Why there is no JPEG.
#[derive(Debug, Error)]
pub enum RenderError {
    /// JPEG counts its lines in 16 bits.
    #[error("a picture of {width}x{height} does not fit a JPEG, wanted 1 to 65535 pixels each way")]
    Size {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The encoder refused.
    #[error("the JPEG encoder refused a picture of {width}x{height}: {source}")]
    Encoder {
        /// Pixels in a row.
        width: u32,
        /// Rows.
        height: u32,
        /// What it said.
        source: jpeg_encoder::EncodingError,
    },
}

/// Takes pictures of a track.
#[derive(Debug)]
pub struct Renderer {
    lens: Lens,
    look: Look,
    surface: Surface,
    grain: Grain,
    gray: Scene<1>,
    colour: Scene<3>,
    finish: Finish,
    table: Option<Table>,
    obstacles: Vec<Obstacle>,
    /// The light's share, and noise beside the look's.
    trouble: (f64, f64),
    /// The picture before the camera's own traces.
    light: Vec<f32>,
    /// The picture before JPEG.
    pixels: Vec<u8>,
}

impl Renderer {
    /// A world to look at. Measures the ground once; takes some milliseconds.
    #[must_use]
    pub fn new(track: &Track, lens: Lens, look: Look) -> Self {
        let grain = Grain::new(look.seed);
        let surface = Surface::new(track, &look, &grain);
        let per_metre = surface.per_metre();
        Self {
            surface,
            gray: Scene::new(&look, per_metre, |[r, g, b]| [0.299 * r + 0.587 * g + 0.114 * b]),
            colour: Scene::new(&look, per_metre, |rgb| rgb),
            finish: Finish::new(look.camera),
            grain,
            lens,
            look,
            table: None,
            obstacles: Vec::new(),
            trouble: (1.0, 0.0),
            light: Vec::new(),
            pixels: Vec::new(),
        }
    }

    /// The boxes on the track from now on.
    pub fn set_obstacles(&mut self, obstacles: &[Obstacle]) {
        self.obstacles.clear();
        self.obstacles.extend_from_slice(obstacles);
    }

    /// The boxes on the track.
    #[must_use]
    pub fn obstacles(&self) -> &[Obstacle] {
        &self.obstacles
    }

    /// What is wrong from now on: the light as a share of what it should be, and noise of that deviation, of 255, on
    /// top of the look's own. 1 and 0 are no trouble.
    pub fn set_trouble(&mut self, light: f64, noise: f64) {
        if self.trouble != (light, noise) {
            self.trouble = (light, noise);
            self.finish.set(self.look.camera, light, noise);
        }
    }

    /// The lens that it looks through.
    #[must_use]
    pub const fn lens(&self) -> &Lens {
        &self.lens
    }

    /// The picture in grey, one byte a pixel, into `out` (cleared first).
    pub fn gray(&mut self, view: View, out: &mut Vec<u8>) {
        self.look_around(&view);
        let Some(table) = &self.table else { return };
        let stands = Stands::new(&view, &self.lens, &self.look, &self.surface);
        self.gray.paint(&self.surface, &self.grain, table, &stands, &mut self.light);
        boxes::paint(&self.gray, &mut self.obstacles, &self.lens, table, &stands, &mut self.light);
        self.finish.develop::<1>(&self.grain, view.noise(), view.size, &self.light, out);
    }

    /// The picture in R, G, B, three bytes a pixel, into `out` (cleared first).
    pub fn rgb(&mut self, view: View, out: &mut Vec<u8>) {
        self.look_around(&view);
        let Some(table) = &self.table else { return };
        let stands = Stands::new(&view, &self.lens, &self.look, &self.surface);
        self.colour.paint(&self.surface, &self.grain, table, &stands, &mut self.light);
        boxes::paint(&self.colour, &mut self.obstacles, &self.lens, table, &stands, &mut self.light);
        self.finish.develop::<3>(&self.grain, view.noise(), view.size, &self.light, out);
    }

    /// The picture as a camera sends it: baseline JPEG, 4:2:2 as USB cameras do, into `out` (cleared first). The bytes
    /// are the same everywhere: the encoder counts in integers. It allocates a few buffers of its own.
    ///
    /// # Errors
    /// [`RenderError`] for a size that JPEG cannot hold.
    pub fn jpeg(&mut self, view: View, out: &mut Vec<u8>) -> Result<(), RenderError> {
        let Size { width, height } = view.size;
        let (Ok(columns @ 1..), Ok(rows @ 1..)) = (u16::try_from(width), u16::try_from(height)) else {
            return Err(RenderError::Size { width, height });
        };
        let mut pixels = std::mem::take(&mut self.pixels);
        self.rgb(view, &mut pixels);
        out.clear();
        let mut encoder = Encoder::new(&mut *out, self.look.camera.quality.clamp(1, 100));
        encoder.set_sampling_factor(SamplingFactor::R_4_2_2);
        let done = encoder.encode(&pixels, columns, rows, ColorType::Rgb);
        self.pixels = pixels;
        done.map_err(|source| RenderError::Encoder { width, height, source })
    }

    /// Makes the table of rays where the size has changed.
    fn look_around(&mut self, view: &View) {
        if self.table.as_ref().is_none_or(|table| table.size() != view.size) {
            self.table =
                Some(Table::new(&self.lens, view.size, self.look.camera.softness, self.surface.per_metre()));
        }
    }
}
