//! The eye: where the camera sits on the car and which way each of its pixels looks. A ray per pixel, and the way back
//! from a place on the ground to a pixel. Knows no picture and no track.
//!
//! Lengths are metres; the car's frame has its origin on the ground below the middle of the rear axle (`track::Pose`),
//! x ahead, y left, z up. Pixels are continuous: (0, 0) is the upper left corner of the picture, (0.5, 0.5) the middle
//! of its first pixel. The field of view belongs to the lens, so 160x120 and 640x480 show the same.

use crate::domain::Size;

/// From the chassis centre, which training measures from, back to the rear axle: half the wheelbase of 0.164 m.
const CENTRE_TO_AXLE: f64 = 0.082;

/// A camera on the car.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lens {
    /// Metres ahead of the rear axle.
    pub ahead: f64,
    /// Metres above the ground; positive.
    pub height: f64,
    /// Radians that it looks down.
    pub pitch: f64,
    /// Focal length in half-widths of the picture: 1 / tan(half of the horizontal angle), without distortion.
    pub focal: f64,
    /// Barrel distortion: a pixel at radius `r`, in half-widths, looks where an undistorted one at
    /// `r * (1 + curl * r * r)` would. 0 is a pinhole; negative values are not meant.
    pub curl: f64,
}

/// A direction in the car's frame; not of unit length.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ray {
    /// Along the car.
    pub ahead: f64,
    /// To its left.
    pub left: f64,
    /// Away from the ground.
    pub up: f64,
}

impl Lens {
    /// Training's camera (training.md §1.3): 0.130 m up, 0.145 m ahead of the chassis centre, so 0.227 m ahead of the
    /// rear axle; 15 degrees down; a pinhole with a horizontal field of 1.13 rad.
    #[must_use]
    pub fn training() -> Self {
        Self {
            ahead: CENTRE_TO_AXLE + 0.145,
            height: 0.130,
            pitch: 0.2618,
            focal: 1.0 / libm::tan(1.13 / 2.0),
            curl: 0.0,
        }
    }

    /// Training's camera as AWS's own pictures show it. The stereo observations in
    /// `recordings/aws-model-validation-observations` have disparities of 12, 23 and 30 px in rows 60, 90 and 110 of 120;
    /// with training's field, pitch and [`super::render::BASELINE`] all three say that the ground lies 0.162 m below,
    /// where the model's own numbers give 0.130 m. Which of the two a policy was trained with shows in the pictures.
    #[must_use]
    pub fn observed() -> Self {
        Self { height: 0.162, ..Self::training() }
    }

    /// The lens of a real car. Fitted to frames of one (the lane's borders, which are straight, over 14 frames of the
    /// recording in `recordings/real-car-deepracer-160x120-larsll`): `curl` 0.25 leaves 0.15 px of 160 where a pinhole
    /// leaves 0.24, and the horizon lies 0.348 half-widths above the middle. Position and pitch are assumed to be
    /// training's; the focal length follows from horizon and pitch (88 degrees across). Nobody has calibrated one.
    #[must_use]
    pub fn wide() -> Self {
        Self { focal: 1.30, curl: 0.25, ..Self::training() }
    }

    /// Where the point (`u`, `v`) of a picture of `size` looks.
    #[must_use]
    pub fn ray(&self, u: f64, v: f64, size: Size) -> Ray {
        let half = f64::from(size.width) / 2.0;
        let (right, down) = ((u - half) / half, (v - f64::from(size.height) / 2.0) / half);
        let stretch = (1.0 + self.curl * (right * right + down * down)) / self.focal;
        let (right, down) = (right * stretch, down * stretch);
        let (sin, cos) = (libm::sin(self.pitch), libm::cos(self.pitch));
        Ray { ahead: cos - down * sin, left: -right, up: -(sin + down * cos) }
    }

    /// The pixel that shows the point of the ground `ahead` of the rear axle and to its `left`, in a picture of `size`,
    /// inside or outside of the frame; `None` behind the lens.
    #[must_use]
    pub fn pixel(&self, ahead: f64, left: f64, size: Size) -> Option<(f64, f64)> {
        self.pixel_above(ahead, left, 0.0, size)
    }

    /// As [`Lens::pixel`], for a point `up` metres above the ground.
    #[must_use]
    pub fn pixel_above(&self, ahead: f64, left: f64, up: f64, size: Size) -> Option<(f64, f64)> {
        let (ahead, fall) = (ahead - self.ahead, self.height - up);
        let (sin, cos) = (libm::sin(self.pitch), libm::cos(self.pitch));
        let depth = ahead * cos + fall * sin;
        if depth <= 1e-6 {
            return None;
        }
        let right = -left / depth * self.focal;
        let down = (fall * cos - ahead * sin) / depth * self.focal;
        let shrink = self.bent((right * right + down * down).sqrt());
        let half = f64::from(size.width) / 2.0;
        Some((half + right * shrink * half, f64::from(size.height) / 2.0 + down * shrink * half))
    }

    /// By how much the radius `straight` of a pinhole shrinks: solves `r * (1 + curl * r * r) = straight`, which has one
    /// answer for `curl >= 0`, by Newton's method from above.
    fn bent(&self, straight: f64) -> f64 {
        if self.curl <= 0.0 || straight < 1e-9 {
            return 1.0;
        }
        let mut r = straight;
        for _ in 0..32 {
            let square = self.curl * r * r;
            r -= (r * (1.0 + square) - straight) / (1.0 + 3.0 * square);
        }
        r / straight
    }
}

#[cfg(test)]
mod tests {
    use super::Lens;
    use crate::domain::Size;

    const SIZES: [Size; 2] = [Size { width: 640, height: 480 }, Size { width: 160, height: 120 }];

    #[test]
    fn a_pixel_of_the_ground_and_back() {
        for (lens, size) in [Lens::training(), Lens::wide()].into_iter().zip(SIZES) {
            for (ahead, left) in [(0.5, 0.0), (0.8, 0.3), (2.0, -1.0), (7.0, 3.0)] {
                let (u, v) = lens.pixel(ahead, left, size).unwrap();
                let ray = lens.ray(u, v, size);
                let far = lens.height / -ray.up;
                let (x, y) = (lens.ahead + far * ray.ahead, far * ray.left);
                assert!((x - ahead).abs() < 1e-9 && (y - left).abs() < 1e-9, "{ahead} {left} became {x} {y}");
            }
            assert_eq!(lens.pixel(-1.0, 0.0, size), None);
        }
    }

    /// Focal length in pixels by hand: 320 / tan(0.565) = 504.8; the horizon lies f * tan(15 degrees) above the middle.
    #[test]
    fn trainings_numbers() {
        let lens = Lens::training();
        let [size, _] = SIZES;
        assert!((lens.focal * 320.0 - 504.8).abs() < 0.1, "{}", lens.focal * 320.0);
        assert!(lens.ray(320.0, 240.0 - 504.8 * 0.267_95, size).up.abs() < 2e-4);
        assert!((lens.ahead - 0.227).abs() < 1e-12);
    }

    #[test]
    fn the_wide_lens_sees_88_degrees_across() {
        let lens = Lens::wide();
        let [size, _] = SIZES;
        let edge = lens.ray(640.0, 240.0, size);
        let forward = edge.ahead * libm::cos(lens.pitch) - edge.up * libm::sin(lens.pitch);
        let degrees = 2.0 * libm::atan2(-edge.left, forward).to_degrees();
        assert!((degrees - 87.8).abs() < 0.1, "{degrees}");
    }
}
