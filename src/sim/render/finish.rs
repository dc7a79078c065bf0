//! What the camera does to the light: vignette, gain, noise, and eight bits.

use super::grain::Grain;
use crate::domain::Size;
use crate::sim::look::Camera;

/// One through the square of a corner's distance from the middle, in half-widths of a 4:3 picture.
const CORNER: f32 = 1.0 / 1.5625;

/// The camera, with its noise looked up.
#[derive(Clone, Debug)]
pub(super) struct Finish {
    gain: f32,
    vignette: f32,
    /// Deviation of the noise at each level.
    deviations: Vec<f32>,
    noisy: bool,
}

impl Finish {
    /// A camera in good light.
    pub(super) fn new(camera: Camera) -> Self {
        let mut finish = Self { gain: 1.0, vignette: 0.0, deviations: vec![0.0; 256], noisy: false };
        finish.set(camera, 1.0, 0.0);
        finish
    }

    /// A camera with `light` of the light that it should have, and noise of the deviation `noise` beside its own.
    #[expect(clippy::cast_possible_truncation, reason = "a picture's precision")]
    pub(super) fn set(&mut self, camera: Camera, light: f64, noise: f64) {
        let own = camera.noise * camera.noise + noise * noise;
        for (level, deviation) in (0_u32..).zip(&mut self.deviations) {
            *deviation = (own + camera.shot * camera.shot * f64::from(level) / 255.0).sqrt() as f32;
        }
        self.gain = (camera.exposure * light) as f32;
        self.vignette = camera.vignette as f32;
        self.noisy = own > 0.0 || camera.shot > 0.0;
    }

    /// Light to bytes, `C` a pixel.
    #[expect(clippy::cast_precision_loss, reason = "pixels of a row")]
    pub(super) fn develop<const C: usize>(
        &self,
        grain: &Grain,
        frame: u64,
        size: Size,
        light: &[f32],
        out: &mut Vec<u8>,
    ) {
        out.clear();
        out.resize(light.len(), 0);
        let stride = (size.width as usize * C).max(1);
        let lines = light.chunks_exact(stride).zip(out.chunks_exact_mut(stride));
        let (half, middle) = (size.width as f32 / 2.0, size.height as f32 / 2.0);
        for (row, (line, out)) in lines.enumerate() {
            if !self.noisy && self.vignette <= 0.0 {
                for (value, byte) in line.iter().zip(out) {
                    *byte = eight(value * self.gain);
                }
                continue;
            }
            let down = (row as f32 + 0.5 - middle) / half;
            let mut noise = grain.noise(frame, row as u64);
            let pixels = line.as_chunks::<C>().0.iter().zip(out.as_chunks_mut::<C>().0).enumerate();
            for (column, (pixel, out)) in pixels {
                let right = (column as f32 + 0.5 - half) * (1.0 / half);
                let gain = self.gain * (1.0 - self.vignette * (right * right + down * down) * CORNER);
                for (value, byte) in pixel.iter().zip(out) {
                    *byte = self.noisy(value * gain, noise.next());
                }
            }
        }
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates, which is what is wanted"
    )]
    fn noisy(&self, value: f32, noise: f32) -> u8 {
        let deviation = self.deviations.get(usize::from(value as u8)).copied().unwrap_or(0.0);
        eight(value + noise * deviation)
    }
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, which is what is wanted"
)]
fn eight(value: f32) -> u8 {
    (value + 0.5) as u8
}
