//! A drawn drive, for the bundled tape: a lane with white borders and a dashed yellow line on dark tarmac, seen
//! by a pinhole camera at the DeepRacer's place (training.md §1.3). Drawn, not filmed; it proves the chain from
//! JPEG to pulse, and nothing about driving. The same bytes on every machine: libm and integers only.

use libm::{atan, cos, floor, sin, tan};

pub(crate) const WIDTH: u32 = 640;
pub(crate) const HEIGHT: u32 = 480;
/// Camera height in metres, pitch down and half of the horizontal angle of view in radians.
const CAMERA: (f64, f64, f64) = (0.13, 0.2618, 0.565);
/// Half of the lane, in metres.
const LANE: f64 = 0.38;

/// The centre line: how far left it lies at `x` metres along.
fn centre(x: f64) -> f64 {
    0.55 * sin(0.9 * x) + 0.12 * sin(2.3 * x)
}

fn heading(x: f64) -> f64 {
    atan(0.55 * 0.9 * cos(0.9 * x) + 0.12 * 2.3 * cos(2.3 * x))
}

/// A small generator for grain, the same everywhere.
struct Grain(u32);

impl Grain {
    fn next(&mut self) -> i32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        i32::try_from(self.0 >> 29).unwrap() - 4
    }
}

/// What lies on the ground at a place: R, G, B.
fn ground(x: f64, y: f64) -> [i32; 3] {
    let off = (y - centre(x)).abs();
    let dashed = floor(x / 0.25) - 2.0 * floor(x / 0.5) < 1.0;
    if off < 0.02 && dashed {
        [225, 190, 40]
    } else if (LANE - 0.03..LANE).contains(&off) {
        [235, 235, 230]
    } else if off < LANE {
        [62, 62, 66]
    } else {
        // Carpet in squares of half a metre.
        let square = floor(x * 2.0) + floor(y * 2.0);
        if square - 2.0 * floor(square / 2.0) < 1.0 { [44, 92, 60] } else { [40, 84, 55] }
    }
}

/// The picture after `x` metres, the car a little beside the line: RGB rows.
pub(crate) fn picture(x: f64, frame: u32) -> Vec<u8> {
    let (height, pitch, half_view) = CAMERA;
    let focal = f64::from(WIDTH) / 2.0 / tan(half_view);
    let (yaw, aside) = (heading(x), centre(x) + 0.05 * sin(5.0 * x));
    let mut grain = Grain(0x9E37_79B9 ^ (frame + 1));
    let mut pixels = Vec::with_capacity((WIDTH * HEIGHT * 3) as usize);
    for v in 0..HEIGHT {
        for u in 0..WIDTH {
            let right = (f64::from(u) + 0.5 - f64::from(WIDTH) / 2.0) / focal;
            let down = (f64::from(v) + 0.5 - f64::from(HEIGHT) / 2.0) / focal;
            // The ray, turned down by the pitch: forward and down in the car's frame.
            let forward = cos(pitch) - down * sin(pitch);
            let fall = sin(pitch) + down * cos(pitch);
            let rgb = if fall < 0.02 {
                let sky = 150 + i32::try_from(v / 8).unwrap();
                [sky, sky + 6, sky + 14]
            } else {
                let (ahead, left) = (height * forward / fall, -height * right / fall);
                ground(
                    x + 0.145 + ahead * cos(yaw) - left * sin(yaw),
                    aside + ahead * sin(yaw) + left * cos(yaw),
                )
            };
            let noise = grain.next();
            pixels.extend(rgb.map(|value| u8::try_from((value + noise).clamp(0, 255)).unwrap()));
        }
    }
    pixels
}

/// A lens cap: black with a little grain.
pub(crate) fn covered(frame: u32) -> Vec<u8> {
    let mut grain = Grain(frame + 77);
    (0..WIDTH * HEIGHT * 3).map(|_| u8::from(grain.next() > 2)).collect()
}

/// The camera's bytes for a picture.
pub(crate) fn jpeg(pixels: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let (width, height) = (u16::try_from(WIDTH).unwrap(), u16::try_from(HEIGHT).unwrap());
    let mut encoder = jpeg_encoder::Encoder::new(&mut bytes, 70);
    // What USB cameras send.
    encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_2);
    encoder.encode(pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
    bytes
}
