//! The integer kernels against their definitions, on every path that this CPU has: every shape and tail, the ends of
//! every range, layers that are shared out, and everything that is refused.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test may stop at the first surprise"
)]

#[path = "kernels/naive.rs"]
mod naive;

use hairpin::policy::kernels::{ConvWeights, DenseWeights, KernelError, Path, Rescale, Windows, conv, dense};
use naive::Numbers;
use proptest::prelude::ProptestConfig;
use proptest::test_runner::TestRunner;

/// Runs a case for many seeds, or for as many as `PROPTEST_CASES` says; the seed that fails is shrunk and printed.
fn for_seeds(cases: u32, case: impl Fn(&mut Numbers)) {
    let mut config = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = cases;
    }
    TestRunner::new(config)
        .run(&(1_u64..), |seed| {
            case(&mut Numbers(seed));
            Ok(())
        })
        .unwrap();
}

fn paths() -> impl Iterator<Item = Path> {
    Path::ALL.into_iter().filter(|path| path.is_here())
}

fn identity(channels: usize) -> Rescale {
    let bias = vec![0; channels];
    Rescale { bias, multiplier: vec![1 << 20; channels], shift: 20, low: i16::MIN, high: i16::MAX }
}

struct Layer {
    input: Vec<i16>,
    plain: Vec<i16>,
    weights: ConvWeights,
    rescale: Rescale,
    windows: Windows,
}

/// A convolution of any shape whose definition takes at most some 150,000 multiplications.
fn any_layer(numbers: &mut Numbers) -> Layer {
    let (taps, run) = (1 + numbers.below(8), 8 + 8 * numbers.below(25));
    let channels = 1 + numbers.below(70);
    let budget = (150_000 / (taps * run * channels)).max(1);
    let cols = 1 + numbers.below(9.min(budget));
    let rows = 1 + numbers.below(4.min((budget / cols).max(1)));
    let pitch = [run, 0, 1, run + 8, 1 + numbers.below(400)][numbers.below(5)];
    let col_step = [8, 0, 1, 2 * run, 1 + numbers.below(100)][numbers.below(5)];
    let row_step = [cols * col_step, 0, 2 * pitch, 1 + numbers.below(400)][numbers.below(4)];
    let windows = Windows { rows, cols, row_step, col_step, taps, run, pitch };
    let length = (rows - 1) * row_step + (cols - 1) * col_step + (taps - 1) * pitch + run;
    let plain = numbers.words(channels * taps * run);
    let weights = ConvWeights::pack(&plain, channels, taps, run).unwrap();
    let rescale = numbers.rescale(weights.channels());
    Layer { input: numbers.words(length), plain, weights, rescale, windows }
}

impl Layer {
    fn size(&self) -> usize {
        self.windows.rows * self.windows.cols * self.weights.channels()
    }

    fn run(&self, path: Path, rows: std::ops::Range<usize>, output: &mut [i16]) -> Result<(), KernelError> {
        conv(path, &self.input, &self.weights, &self.rescale, &self.windows, rows, output)
    }

    fn whole(&self, path: Path) -> Vec<i16> {
        let mut output = vec![-77; self.size()];
        self.run(path, 0..self.windows.rows, &mut output).unwrap();
        output
    }
}

#[test]
fn a_convolution_is_its_definition() {
    for_seeds(3000, |numbers| {
        let layer = any_layer(numbers);
        let wanted = naive::conv(&layer.input, &layer.plain, &layer.rescale, &layer.windows, true);
        for path in paths() {
            assert_eq!(layer.whole(path), wanted, "{path:?} {:?} {:?}", layer.weights, layer.windows);
        }
    });
}

#[test]
fn a_convolution_may_be_shared_out_by_rows() {
    for_seeds(2000, |numbers| {
        let layer = any_layer(numbers);
        let cut = numbers.below(layer.windows.rows + 1);
        for path in paths() {
            let mut output = vec![-77; layer.size()];
            let (top, bottom) = output.split_at_mut(cut * layer.windows.cols * layer.weights.channels());
            layer.run(path, cut..layer.windows.rows, bottom).unwrap();
            layer.run(path, 0..cut, top).unwrap();
            assert_eq!(output, layer.whole(path), "{path:?} cut at {cut}");
        }
    });
}

/// As many of the largest products as the bound allows, of both signs: the true sum, without wrapping.
#[test]
fn a_convolution_is_exact_up_to_its_bound() {
    let (taps, run, channels) = (8, 72, 20);
    let depth = i64::try_from(taps * run).unwrap();
    for x in [8191_i16, -8191] {
        let most = ((1_i64 << 31) - 1) / (8191 * depth);
        for weight in [most, -most] {
            let room = (1 << 31) - 1 - depth * most * 8191;
            let bias = i32::try_from(if (weight < 0) == (x < 0) { room } else { -room }).unwrap();
            let plain = vec![i16::try_from(weight).unwrap(); channels * taps * run];
            let weights = ConvWeights::pack(&plain, channels, taps, run).unwrap();
            let windows = Windows { rows: 1, cols: 3, row_step: 0, col_step: 8, taps, run, pitch: run };
            let rescale = Rescale {
                bias: vec![bias; channels],
                multiplier: vec![(1 << 30) - 1; channels],
                shift: 47,
                low: i16::MIN,
                high: i16::MAX,
            };
            let layer = Layer { input: vec![x; taps * run + 16], plain, weights, rescale, windows };
            let wanted = naive::conv(&layer.input, &layer.plain, &layer.rescale, &layer.windows, false);
            assert!(wanted.iter().all(|y| y.abs() == 16384), "{wanted:?}");
            for path in paths() {
                assert_eq!(layer.whole(path), wanted, "{path:?} {x} by {weight}");
            }
        }
    }
}

#[test]
fn a_dense_layer_is_its_definition() {
    for_seeds(3000, |numbers| {
        let most = [40, 300, 5000][numbers.below(3)];
        let (outputs, inputs) = (1 + numbers.below(20), 1 + numbers.below(most));
        let plain: Vec<i8> =
            numbers.words(outputs * inputs).iter().map(|w| w.to_le_bytes()[0].cast_signed()).collect();
        let weights = DenseWeights::pack(&plain, outputs, inputs).unwrap();
        let input = numbers.words(weights.inputs());
        let mut wanted = naive::dense(&input, &plain, inputs, true);
        wanted.resize(weights.outputs(), 0);
        let cut = numbers.below(weights.blocks() + 1);
        for path in paths() {
            let mut sums = vec![-77; weights.outputs()];
            let (top, bottom) = sums.split_at_mut(8 * cut);
            dense(path, &input, &weights, cut..weights.blocks(), bottom).unwrap();
            dense(path, &input, &weights, 0..cut, top).unwrap();
            assert_eq!(sums, wanted, "{path:?} {weights:?} cut at {cut}");
        }
    });
}

/// 2,048 of the largest products fit 32 bits in one chunk, and chunks add up in 64.
#[test]
fn a_dense_layer_is_exact_up_to_its_bound() {
    for (x, weight) in [(8191, 127), (8191, -128), (-8191, 127), (-8191, -128)] {
        let inputs = 5 * 2048 + 32;
        let plain = vec![weight; 9 * inputs];
        let weights = DenseWeights::pack(&plain, 9, inputs).unwrap();
        let wanted = naive::dense(&vec![x; inputs], &plain, inputs, false);
        assert_eq!(wanted[0], 10272 * i64::from(x) * i64::from(weight));
        for path in paths() {
            let mut sums = vec![0; 16];
            dense(path, &vec![x; inputs], &weights, 0..2, &mut sums).unwrap();
            assert_eq!(sums[..9], wanted, "{path:?} {x} by {weight}");
        }
    }
}

#[test]
fn sums_of_64_bits_are_rescaled_exactly() {
    for_seeds(2000, |numbers| {
        let channels = 1 + numbers.below(40);
        let rescale = numbers.rescale(channels);
        let scale = numbers.below(64);
        let sums: Vec<i64> = rescale.bias.iter().map(|_| numbers.next().cast_signed() >> scale).collect();
        let mut output = vec![0; sums.len()];
        rescale.sums(&sums, &mut output).unwrap();
        for (channel, (y, sum)) in output.iter().zip(&sums).enumerate() {
            let acc = i128::from(*sum) + i128::from(rescale.bias[channel]);
            assert_eq!(*y, naive::rescaled(acc, channel, &rescale), "{sum} {rescale:?}");
        }
    });
}

#[test]
fn halves_are_rounded_up() {
    let rescale = Rescale { bias: vec![0; 4], multiplier: vec![1; 4], shift: 1, low: -9, high: 9 };
    let mut output = [0; 4];
    rescale.sums(&[-3, -1, 1, 3], &mut output).unwrap();
    assert_eq!(output, [-1, 0, 1, 2]);
    Rescale { low: 5, high: 5, ..rescale }.sums(&[-3, -1, 1, 3], &mut output).unwrap();
    assert_eq!(output, [5; 4]);
}

#[test]
fn packed_weights_come_back_without_packing() {
    for_seeds(300, |numbers| {
        let (channels, taps, run) = (1 + numbers.below(40), 1 + numbers.below(4), 8 + 8 * numbers.below(4));
        let packed = ConvWeights::pack(&numbers.words(channels * taps * run), channels, taps, run).unwrap();
        let stored: Vec<i16> = packed.packed().flatten().copied().collect();
        assert_eq!(ConvWeights::from_packed(&stored, channels, taps, run).unwrap(), packed);
        assert_eq!(packed.channels(), channels.next_multiple_of(4));

        let (outputs, inputs) = (1 + numbers.below(20), 1 + numbers.below(100));
        let plain = vec![5; outputs * inputs];
        let packed = DenseWeights::pack(&plain, outputs, inputs).unwrap();
        assert_eq!(packed.bytes().iter().map(|byte| usize::from(*byte)).sum::<usize>(), 5 * plain.len());
        let bytes = packed.bytes().to_vec();
        let place = bytes.as_ptr();
        let again = DenseWeights::from_packed(bytes, outputs, inputs).unwrap();
        assert_eq!((again.bytes().as_ptr(), &again), (place, &packed));
    });
}

/// What a stored file relies on: channels four by four inside sixteen, pairs of elements, and eights of inputs.
#[test]
fn the_packed_order_is_fixed() {
    let plain: Vec<i16> = (0..20 * 8).collect();
    let packed = ConvWeights::pack(&plain, 20, 1, 8).unwrap();
    let lanes: Vec<[i16; 8]> = packed.packed().copied().collect();
    assert_eq!(lanes[0], [0, 1, 8, 9, 16, 17, 24, 25]);
    assert_eq!(lanes[1], [32, 33, 40, 41, 48, 49, 56, 57]);
    assert_eq!(lanes[4], [2, 3, 10, 11, 18, 19, 26, 27]);
    assert_eq!(lanes[16], [128, 129, 136, 137, 144, 145, 152, 153]);
    assert_eq!(lanes[17], [130, 131, 138, 139, 146, 147, 154, 155]);

    let plain: Vec<i8> = (0..16).chain(100..116).collect();
    let bytes = DenseWeights::pack(&plain, 2, 16).unwrap().bytes().to_vec();
    assert_eq!(bytes.len(), 8 * 32);
    assert_eq!(bytes[..16], [0, 1, 2, 3, 4, 5, 6, 7, 100, 101, 102, 103, 104, 105, 106, 107]);
    assert_eq!(bytes[64..80], [8, 9, 10, 11, 12, 13, 14, 15, 108, 109, 110, 111, 112, 113, 114, 115]);
    assert!(bytes[16..64].iter().chain(&bytes[80..]).all(|byte| *byte == 0));
}

#[test]
fn paths_have_names_and_the_best_is_here() {
    assert_eq!(Path::ALL.map(Path::name), ["portable", "sse4.1", "avx2"]);
    assert!(Path::Portable.is_here());
    assert_eq!(Some(Path::best()), paths().last());
    for path in Path::ALL.into_iter().filter(|path| !path.is_here()) {
        let weights = DenseWeights::pack(&[1], 1, 1).unwrap();
        assert_eq!(dense(path, &[0; 32], &weights, 0..1, &mut [0; 8]), Err(KernelError::NotHere(path)));
    }
}

#[path = "kernels/refused.rs"]
mod refused;
