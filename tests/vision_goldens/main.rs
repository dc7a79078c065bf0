//! The vision room against OpenCV, libjpeg-turbo and Pillow, on the pictures in `goldens/vision` (its README says
//! who made them), and against damage of every kind. Figures are printed: run with `--nocapture`.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic, in its functions too")]

mod centres;
mod contract;
mod damage;
mod equality;
mod pictures;
mod timing;
