//! The integer kernels on the layers of AWS's networks (training.md §1.1), on the instructions that the car has. Weights and
//! activations are noise: the kernels have no shortcuts.

use std::hint::black_box;

use hairpin::policy::kernels::integer::{ConvWeights, DenseWeights, Path, Rescale, Windows, conv, dense};

use super::cases::{Call, Case, Kind};
use crate::aws;

/// What one `pmaddwd` does on 16 bytes.
pub(crate) const PER_INTEGER_INSTRUCTION: f64 = 8.0;

/// The path of the car's CPU.
const PATH: Path = Path::Sse41;

/// One layer with weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    /// A square kernel over rows, columns and channels, VALID; per-location dense layers have a kernel of 1.
    Conv { rows: usize, cols: usize, channels: usize, kernel: usize, stride: usize, filters: usize },
    /// Every input to every output.
    Dense { inputs: usize, outputs: usize },
}

impl Layer {
    pub(crate) const fn is_dense(self) -> bool {
        matches!(self, Self::Dense { .. })
    }

    /// Multiply-accumulates, without any that pad.
    pub(crate) const fn macs(self) -> usize {
        match self {
            Self::Conv { channels, kernel, filters, .. } => {
                let (rows, cols) = self.output();
                rows * cols * filters * kernel * kernel * channels
            }
            Self::Dense { inputs, outputs } => inputs * outputs,
        }
    }

    const fn output(self) -> (usize, usize) {
        match self {
            Self::Conv { rows, cols, kernel, stride, .. } => {
                ((rows - kernel) / stride + 1, (cols - kernel) / stride + 1)
            }
            Self::Dense { .. } => (1, 1),
        }
    }

    fn name(self) -> String {
        match self {
            Self::Conv { rows, cols, channels, kernel, stride, filters } => {
                format!("conv {kernel}x{kernel}/{stride} {rows}x{cols}x{channels} to {filters}")
            }
            Self::Dense { inputs, outputs } => format!("dense {inputs} to {outputs}"),
        }
    }
}

/// The layers of a network, in order.
pub(crate) fn chain(shape: &aws::Shape<'_>) -> Vec<Layer> {
    let (mut rows, mut cols, mut channels) = (120, 160, shape.input.1);
    let mut layers = vec![];
    let convolutions = shape
        .convolutions
        .iter()
        .map(|(filters, kernel, stride)| (*filters, *kernel, usize::try_from(*stride).unwrap()));
    let per_location = shape.embedder.iter().map(|units| (*units, 1, 1));
    for (filters, kernel, stride) in convolutions.chain(per_location) {
        let layer = Layer::Conv { rows, cols, channels, kernel, stride, filters };
        layers.push(layer);
        ((rows, cols), channels) = (layer.output(), filters);
    }
    assert_eq!(rows * cols * channels, shape.flat, "the layers fit each other");
    let mut inputs = shape.flat;
    for outputs in shape.middleware.iter().copied().chain([shape.outputs]) {
        layers.push(Layer::Dense { inputs, outputs });
        inputs = outputs;
    }
    layers
}

/// Every layer of the networks, each shape once, the heads of a few outputs left out.
fn all() -> Vec<(&'static str, Layer)> {
    let stereo = aws::Shape { input: ("", 2), ..aws::SHALLOW };
    let networks = [
        ("SHALLOW", &aws::SHALLOW),
        ("DEEP_CONVOLUTIONAL_NETWORK", &aws::DEEP),
        ("..._DEEP", &aws::DEEP_DEEP),
        ("stereo SHALLOW", &stereo),
    ];
    let mut layers: Vec<(&str, Layer)> = vec![];
    for (network, shape) in networks {
        for layer in chain(shape) {
            let head = matches!(layer, Layer::Dense { outputs, .. } if outputs < 8);
            if !head && !layers.iter().any(|(_, known)| *known == layer) {
                layers.push((network, layer));
            }
        }
    }
    layers
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |(network, layer): (&str, Layer)| Case {
        macs: Some((layer.macs() as u64, PER_INTEGER_INSTRUCTION)),
        streamed: if layer.is_dense() { layer.macs() as u64 } else { 0 },
        ..Case::new(format!("{}, {network}", layer.name()), Kind::Kernels, 2)
    };
    if PATH.is_here() { all().into_iter().map(case).collect() } else { vec![] }
}

/// Makes the call of a case of this file.
pub(crate) fn make(name: &str) -> Option<Call> {
    let named = |(network, layer): &(&str, Layer)| format!("{}, {network}", layer.name()) == name;
    let (_, layer) = all().into_iter().find(named)?;
    Some(match layer {
        Layer::Conv { rows, cols, channels, kernel, stride, filters } => {
            let (out_rows, out_cols) = layer.output();
            let run = (kernel * channels).next_multiple_of(8);
            let windows = Windows {
                rows: out_rows,
                cols: out_cols,
                row_step: stride * cols * channels,
                col_step: stride * channels,
                taps: kernel,
                run,
                pitch: cols * channels,
            };
            let mut noise = Noise(7);
            // A last run that is padded reads beyond the picture.
            let input: Vec<i16> = (0..rows * cols * channels + run).map(|_| noise.next(2000)).collect();
            let mut plain = vec![];
            for at in 0..filters * kernel * run {
                plain.push(if at % run < kernel * channels { noise.next(500) } else { 0 });
            }
            let weights = ConvWeights::pack(&plain, filters, kernel, run).unwrap();
            let rescale = rescale(weights.channels());
            let mut output = vec![0; out_rows * out_cols * weights.channels()];
            Box::new(move || {
                conv(PATH, &input, &weights, &rescale, &windows, 0..out_rows, &mut output).unwrap();
                black_box(&output);
            })
        }
        Layer::Dense { inputs, outputs } => {
            let mut noise = Noise(11);
            let plain: Vec<i8> =
                (0..inputs * outputs).map(|_| i8::try_from(noise.next(127)).unwrap()).collect();
            let weights = DenseWeights::pack(&plain, outputs, inputs).unwrap();
            let input: Vec<i16> = (0..weights.inputs()).map(|_| noise.next(2000)).collect();
            let mut sums = vec![0; 8 * weights.blocks()];
            let (rescale, mut output) = (rescale(sums.len()), vec![0; sums.len()]);
            Box::new(move || {
                dense(PATH, &input, &weights, 0..weights.blocks(), &mut sums).unwrap();
                rescale.sums(&sums, &mut output).unwrap();
                black_box(&output);
            })
        }
    })
}

fn rescale(channels: usize) -> Rescale {
    Rescale { bias: vec![100; channels], multiplier: vec![1 << 29; channels], shift: 44, low: 0, high: 8191 }
}

/// A small generator, the same everywhere.
struct Noise(u32);

impl Noise {
    /// -`reach` to `reach`.
    fn next(&mut self, reach: i16) -> i16 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wide = (i64::from(self.0 >> 8) * (2 * i64::from(reach) + 1)) >> 24;
        i16::try_from(wide).unwrap() - reach
    }
}
