//! One element too few on the heap, for kernels whose check of the input has been broken on purpose: what the sanitizers
//! must see before their silence means anything. Run by `sanitize.sh` alone.

use hairpin::policy::kernels::{ConvWeights, Path, Rescale, Windows, conv};

#[test]
fn reads_beyond_the_input() {
    let name = std::env::var("CONTROL_PATH").unwrap_or_default();
    let Some(path) = Path::ALL.into_iter().find(|path| path.name() == name) else { return };
    let input = vec![1; 31];
    let weights = ConvWeights::pack(&[1; 16 * 32], 16, 1, 32).unwrap();
    let rescale = Rescale { bias: vec![0; 16], multiplier: vec![1; 16], shift: 40, low: 0, high: 9 };
    let windows = Windows { rows: 1, cols: 1, row_step: 0, col_step: 0, taps: 1, run: 32, pitch: 0 };
    conv(path, &input, &weights, &rescale, &windows, 0..1, &mut [0; 16]).unwrap();
}
