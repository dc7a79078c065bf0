//! A picture of any size to the network's 160x120 grey, in the order that car and training share: first smaller,
//! then grey (car.md §3.1, §3.4).

use super::gray::{self, Weights};
use super::resize::Bilinear;
use super::trained::Antialiased;
use crate::domain::observation::{HEIGHT, WIDTH};
use crate::domain::{Gray, Preparation, Rgb};

/// The plans and buffers for it, kept from picture to picture.
#[derive(Debug, Default)]
pub struct Shrinker {
    bilinear: Bilinear,
    antialiased: Antialiased,
    small: Rgb,
}

impl Shrinker {
    /// Makes `into` the 160x120 grey of `from`, with the arithmetic of `preparation` ([`Preparation::Luma`] has no
    /// say on colours: it is as stock here). `stereo` matters to training only, whose grey differs then. A picture
    /// without pixels gives black.
    pub fn rgb(&mut self, from: &Rgb, preparation: Preparation, stereo: bool, into: &mut Gray) {
        into.reshape(WIDTH, HEIGHT);
        self.small.reshape(WIDTH, HEIGHT);
        let size = (from.width(), from.height());
        if from.pixels().is_empty() {
            into.pixels_mut().fill(0);
            return;
        }
        let weights = match (preparation, stereo) {
            (Preparation::Stock | Preparation::Luma, _) => Weights::Stock,
            (Preparation::AsTrained, false) => Weights::Trained,
            (Preparation::AsTrained, true) => Weights::TrainedStereo,
        };
        if weights == Weights::Stock {
            self.bilinear.resize::<3>(from.pixels(), size, self.small.pixels_mut());
        } else {
            self.antialiased.resize(from.pixels(), size, self.small.pixels_mut());
        }
        gray::convert(weights, self.small.pixels(), into.pixels_mut());
    }

    /// Makes `into` the 160x120 of a picture that is grey already, with the car's resize.
    pub fn gray(&mut self, from: &Gray, into: &mut Gray) {
        into.reshape(WIDTH, HEIGHT);
        if from.pixels().is_empty() {
            into.pixels_mut().fill(0);
        } else {
            self.bilinear.resize::<1>(from.pixels(), (from.width(), from.height()), into.pixels_mut());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Shrinker;
    use crate::domain::{Gray, Preparation, Rgb};

    #[test]
    fn a_picture_without_pixels_is_black() {
        let (mut shrinker, mut small) = (Shrinker::default(), Gray::default());
        for preparation in [Preparation::Stock, Preparation::Luma, Preparation::AsTrained] {
            small.reshape(3, 3);
            shrinker.rgb(&Rgb::default(), preparation, false, &mut small);
            assert_eq!(small.pixels(), vec![0; 160 * 120]);
        }
        small.reshape(3, 3);
        shrinker.gray(&Gray::default(), &mut small);
        assert_eq!(small.pixels(), vec![0; 160 * 120]);
    }
}
