//! A picture to measure with where no tape is given: a drawn frame of the stock camera's size.

/// 640x480, 4:2:2, drawn by `tests/support/scene.rs`.
const PICTURE: &[u8] = include_bytes!("bench.jpg");

/// The same picture under the `n`-th number: a comment segment after the start mark, so that no two frames have the
/// same bytes, as no two of a camera's have.
pub(crate) fn jpeg(n: u32) -> Vec<u8> {
    let (start, rest) = PICTURE.split_at(2);
    let comment = [0xff, 0xfe, 0x00, 0x06];
    [start, &comment, &n.to_be_bytes(), rest].concat()
}
