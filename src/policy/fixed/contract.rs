//! The two operators that multiply, laid out for the integer kernels: weights in the order of the buffer that they read. A
//! door to tract. Refuses padding, dilation, groups, and contractions over what does not lie together.

use tract_onnx::prelude::TVec;
use tract_onnx::tract_core::ops::cnn::{Conv, KernelFormat, PaddingSpec};
use tract_onnx::tract_core::ops::einsum::EinSum;

use super::super::kernels::Windows;
use super::outline::{FloatLayer, Kind, padded};
use super::strides::{offsets, strides};
use super::value::{Constant, Value, Why};

/// A convolution: the layer, and where its tensor's elements lie in what it writes.
pub(super) fn convolution(
    op: &Conv,
    name: &str,
    value: &Value,
    shape: &[usize],
    kernel: &Constant,
    bias: &Constant,
) -> Result<(FloatLayer, Vec<u32>), Why> {
    let pool = &op.pool_spec;
    let valid = match &pool.padding {
        PaddingSpec::Valid => true,
        PaddingSpec::Explicit(before, after) => before.iter().chain(after).all(|pad| *pad == 0),
        _ => false,
    };
    let undilated = pool.dilations.as_ref().is_none_or(|all| all.iter().all(|dilation| *dilation == 1));
    let (&[height, width], true) = (pool.kernel_shape.as_slice(), valid && undilated) else {
        return Err("padding, dilation, or not two dimensions".to_owned());
    };
    if op.group != 1 || op.q_params.is_some() {
        return Err("groups or quantised".to_owned());
    }
    let (from, to) = (picture(op, &value.shape)?, picture(op, shape)?);
    let (down, right) = match pool.strides.as_deref() {
        None => (1, 1),
        Some(&[down, right]) => (down, right),
        Some(_) => return Err("strides that are not two".to_owned()),
    };
    let fits = |size: usize, kernel: usize, stride: usize, out: usize| {
        size.checked_sub(kernel)
            .zip(size.checked_div(stride))
            .is_some_and(|(room, _)| room / stride + 1 == out)
    };
    if !fits(from.rows, height, down, to.rows) || !fits(from.cols, width, right, to.cols) {
        return Err("a size that does not follow from kernel and stride".to_owned());
    }
    let pixel = lies_by_pixel(value, &from)?;
    let (inputs, outputs) = (from.channels, to.channels);
    if kernel.values.len() != inputs * outputs * height * width {
        return Err("a kernel of another size".to_owned());
    }
    let run = (width * pixel).next_multiple_of(8);
    let mut weights = vec![0.0; outputs * height * run];
    let [o, y, x, i] = match op.kernel_fmt {
        KernelFormat::OIHW => [inputs * height * width, width, 1, height * width],
        KernelFormat::HWIO => [1, width * inputs * outputs, inputs * outputs, outputs],
        KernelFormat::OHWI => [height * width * inputs, width * inputs, inputs, 1],
    };
    let plain = offsets(&[outputs, height, width, inputs], &[o, y, x, i]);
    let packed = offsets(&[outputs, height, width, inputs], &[height * run, run, pixel, 1]);
    for (to, from) in packed.iter().zip(plain) {
        if let (Some(to), Some(from)) = (weights.get_mut(*to), kernel.values.get(from)) {
            *to = scaled(*from, value.factor);
        }
    }
    let bias = match bias.values.as_slice() {
        [one] => vec![*one; outputs],
        many if many.len() == outputs => many.to_vec(),
        many => return Err(format!("{} biases for {outputs} channels", many.len())),
    };
    let windows = Windows {
        rows: to.rows,
        cols: to.cols,
        row_step: down * from.cols * pixel,
        col_step: right * pixel,
        taps: height,
        run,
        pitch: from.cols * pixel,
    };
    let layer = FloatLayer {
        name: name.to_owned(),
        reads: vec![value.buffer],
        kind: Kind::Conv(windows),
        channels: outputs,
        weights,
        bias,
        relu: false,
    };
    Ok((layer, to.map(padded(outputs))))
}

/// A tensor as rows of pixels.
struct Picture {
    rows: usize,
    cols: usize,
    channels: usize,
    /// Strides of row, column and channel in the tensor's own order.
    strides: [usize; 3],
}

impl Picture {
    /// The element of a channels-last buffer, `pixel` elements apart, for each of the tensor's.
    fn map(&self, pixel: usize) -> Vec<u32> {
        let own = offsets(&[self.rows, self.cols, self.channels], &self.strides);
        let last = offsets(&[self.rows, self.cols, self.channels], &[self.cols * pixel, pixel, 1]);
        let mut map = vec![0; own.len()];
        for (own, last) in own.iter().zip(last) {
            if let Some(place) = map.get_mut(*own) {
                *place = u32::try_from(last).unwrap_or(u32::MAX);
            }
        }
        map
    }
}

fn picture(op: &Conv, shape: &[usize]) -> Result<Picture, Why> {
    let format = op.pool_spec.data_format;
    let ((true, [1, dims @ ..]) | (false, dims)) = (format.has_n(), shape) else {
        return Err("more than one picture".to_owned());
    };
    let &[a, b, c] = dims else { return Err(format!("a picture of shape {shape:?}")) };
    Ok(if format.c_is_last() {
        Picture { rows: a, cols: b, channels: c, strides: [b * c, c, 1] }
    } else {
        Picture { rows: b, cols: c, channels: a, strides: [c, 1, b * c] }
    })
}

/// Elements from pixel to pixel of the buffer behind a value, where it lies channels last.
fn lies_by_pixel(value: &Value, picture: &Picture) -> Result<usize, Why> {
    for pixel in [picture.channels, padded(picture.channels)] {
        if value.map == picture.map(pixel) {
            return Ok(pixel);
        }
    }
    Err("its input does not lie pixel by pixel".to_owned())
}

#[expect(clippy::cast_possible_truncation, reason = "weights are f32; the factor is a constant of the graph")]
fn scaled(weight: f32, factor: f64) -> f32 {
    (f64::from(weight) * factor) as f32
}

/// Sizes and strides of the axes that play one part in a contraction.
#[derive(Default)]
struct Axes {
    sizes: Vec<usize>,
    value: Vec<usize>,
    weights: Vec<usize>,
    out: Vec<usize>,
}

impl Axes {
    fn push(&mut self, size: usize, value: usize, weights: usize, out: usize) {
        self.sizes.push(size);
        self.value.push(value);
        self.weights.push(weights);
        self.out.push(out);
    }
}

/// A product with constant weights: a dense layer, or one at every position (a convolution of 1x1).
pub(super) fn einsum(
    op: &EinSum,
    name: &str,
    slot: usize,
    value: &Value,
    volume: usize,
    weights: &Constant,
    shape: &[usize],
) -> Result<(FloatLayer, Vec<u32>), Why> {
    if op.q_params.is_some() || op.axes.input_count() != 2 {
        return Err("quantised, or more than two inputs".to_owned());
    }
    let (inner, positions, channels) = roles(op, slot, &value.shape, &weights.shape, shape)?;
    let at = |axes: &Axes, strides: &[usize]| offsets(&axes.sizes, strides);
    let (inner_value, inner_weights) = (at(&inner, &inner.value), at(&inner, &inner.weights));
    let (channel_weights, position_value) =
        (at(&channels, &channels.weights), at(&positions, &positions.value));
    let (outputs, count) = (channel_weights.len(), position_value.len());
    let weight = |channel: usize, inner: usize| {
        weights.values.get(channel + inner).map_or(0.0, |weight| scaled(*weight, value.factor))
    };
    let place = |at: usize| value.map.get(at).map_or(usize::MAX, |place| *place as usize);
    let (kind, laid) = if count == 1 {
        let mut laid = vec![0.0; outputs * volume];
        for (row, channel) in laid.chunks_exact_mut(volume.max(1)).zip(&channel_weights) {
            for (from, at) in inner_weights.iter().zip(&inner_value) {
                if let Some(to) = row.get_mut(place(*at)) {
                    *to = weight(*channel, *from);
                }
            }
        }
        (Kind::Dense, laid)
    } else {
        let pixel = position_value.get(1).map_or(0, |second| place(*second));
        let lies = position_value.iter().enumerate().all(|(position, base)| {
            inner_value.iter().enumerate().all(|(index, at)| place(base + at) == position * pixel + index)
        });
        if !lies || pixel == 0 {
            return Err("its input does not lie pixel by pixel".to_owned());
        }
        let run = inner_value.len().next_multiple_of(8);
        let mut laid = vec![0.0; outputs * run];
        for (row, channel) in laid.chunks_exact_mut(run).zip(&channel_weights) {
            row.iter_mut().zip(&inner_weights).for_each(|(to, from)| *to = weight(*channel, *from));
        }
        let row_step = count * pixel;
        let windows = Windows { rows: 1, cols: count, row_step, col_step: pixel, taps: 1, run, pitch: run };
        (Kind::Conv(windows), laid)
    };
    let step = if count == 1 { outputs } else { padded(outputs) };
    let mut map = vec![0; outputs * count];
    for (position, base) in at(&positions, &positions.out).iter().enumerate() {
        for (channel, own) in at(&channels, &channels.out).iter().enumerate() {
            let place = map.get_mut(base + own).ok_or("an output of another shape")?;
            *place = u32::try_from(position * step + channel).unwrap_or(u32::MAX);
        }
    }
    let layer = FloatLayer {
        name: name.to_owned(),
        reads: vec![value.buffer],
        kind,
        channels: outputs,
        weights: laid,
        bias: vec![0.0; outputs],
        relu: false,
    };
    Ok((layer, map))
}

/// The axes that are summed over, those that only the value has, and those that only the weights have.
fn roles(
    op: &EinSum,
    slot: usize,
    value: &[usize],
    weights: &[usize],
    out: &[usize],
) -> Result<(Axes, Axes, Axes), Why> {
    let (value_strides, weight_strides, out_strides) = (strides(value), strides(weights), strides(out));
    let [mut inner, mut positions, mut channels] = [Axes::default(), Axes::default(), Axes::default()];
    for axis in op.axes.iter_all_axes() {
        let one = |places: Option<&TVec<usize>>| match places.map_or(&[][..], |places| places) {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            _ => Err("a diagonal".to_owned()),
        };
        let (v, w) = (one(axis.inputs.get(slot))?, one(axis.inputs.get(1 - slot))?);
        let o = one(axis.outputs.first())?;
        let dim = |shape: &[usize], at: Option<usize>| at.and_then(|at| shape.get(at).copied());
        let size = dim(value, v).or(dim(weights, w)).or(dim(out, o)).unwrap_or(1);
        let stride = |strides: &[usize], at: Option<usize>| dim(strides, at).unwrap_or(0);
        let (vs, ws, os) = (stride(&value_strides, v), stride(&weight_strides, w), stride(&out_strides, o));
        match (v, w, o) {
            _ if size == 1 => {}
            (Some(_), Some(_), None) => inner.push(size, vs, ws, os),
            (Some(_), None, Some(_)) => positions.push(size, vs, ws, os),
            (None, Some(_), Some(_)) => channels.push(size, vs, ws, os),
            _ => {
                return Err(
                    "a sum over what has no weights, or weights of their own at every place".to_owned()
                );
            }
        }
    }
    Ok((inner, positions, channels))
}
