//! The words for choices that both model cards and settings name.

use crate::domain::{Preparation, Squash};
use crate::hal::BoardChoice;

/// The words for [`Preparation`] in cards and settings.
pub(super) const PREPARATIONS: [(&str, Preparation); 3] =
    [("stock", Preparation::Stock), ("luma", Preparation::Luma), ("as-trained", Preparation::AsTrained)];

/// The words for [`Squash`] in cards and settings.
pub(super) const SQUASHES: [(&str, Squash); 2] =
    [("stock", Squash::Stock), ("as-trained", Squash::AsTrained)];

/// The words for [`BoardChoice`].
pub(super) const BOARDS: [(&str, BoardChoice); 3] =
    [("auto", BoardChoice::Auto), ("deepracer", BoardChoice::DeepRacer), ("pca9685", BoardChoice::Pca9685)];

/// The word of a value in one of the tables above.
pub(super) fn word<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("stock", |(word, _)| word)
}
