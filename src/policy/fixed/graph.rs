//! From tract's typed, decluttered model to an outline: convolutions, dense layers, biases, ReLU, softmax, and whatever only
//! moves axes. A door to tract. Refuses every other operator, by name.

use tract_onnx::prelude::{OutletId, Tensor, TypedModel, TypedNode};
use tract_onnx::tract_core::ops::binary::TypedBinOp;
use tract_onnx::tract_core::ops::change_axes::AxisOp;
use tract_onnx::tract_core::ops::cnn::Conv;
use tract_onnx::tract_core::ops::einsum::EinSum;
use tract_onnx::tract_core::ops::nn::{Softmax, SoftmaxKind};

use super::contract;
use super::outline::{End, FloatLayer, Kind, Outline, Source, padded};
use super::strides::{broadcast, offsets, strides};
use super::value::{Constant, Value, Why};

/// A model in outline, and where its parts are in the graph.
#[derive(Debug)]
pub struct Traced {
    /// The outline.
    pub outline: Outline,
    /// The outlets whose values calibration looks at: sources, then layers.
    pub taps: Vec<OutletId>,
}

/// An operator that has no fixed-point form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsupported {
    /// Its node.
    pub node: String,
    /// The operator.
    pub op: String,
    /// What about it.
    pub why: String,
}

/// Follows a model.
///
/// # Errors
/// [`Unsupported`], the first operator that has no fixed-point form.
pub fn trace(model: &TypedModel, pixels: &[bool]) -> Result<Traced, Unsupported> {
    let mut tracer = Tracer {
        model,
        pixels,
        values: vec![None; model.nodes().len()],
        sources: Vec::new(),
        layers: Vec::new(),
        taps: Vec::new(),
        softmax: false,
    };
    let order = model.eval_order().map_err(|error| whole(format!("{error:#}")))?;
    for at in order {
        let Some(vertex) = model.nodes().get(at) else { continue };
        if vertex.outputs.first().is_some_and(|output| output.fact.konst.is_some()) {
            continue;
        }
        let value = tracer.follow(vertex).map_err(|why| Unsupported {
            node: vertex.name.clone(),
            op: vertex.op.name().to_string(),
            why,
        })?;
        if let Some(place) = tracer.values.get_mut(at) {
            *place = Some(value);
        }
    }
    tracer.finish()
}

fn whole(why: String) -> Unsupported {
    Unsupported { node: "the network".to_owned(), op: "graph".to_owned(), why }
}

struct Tracer<'a> {
    model: &'a TypedModel,
    pixels: &'a [bool],
    values: Vec<Option<Value>>,
    sources: Vec<Source>,
    /// Buffers after the sources'; one that was merged into another is none.
    layers: Vec<Option<FloatLayer>>,
    /// Of sources and layers.
    taps: Vec<OutletId>,
    softmax: bool,
}

impl Tracer<'_> {
    fn follow(&mut self, vertex: &TypedNode) -> Result<Value, Why> {
        if self.softmax {
            return Err("it follows a softmax".to_owned());
        }
        if let Some(at) = self.model.inputs.iter().position(|outlet| outlet.node == vertex.id) {
            return self.source(vertex, at);
        }
        if let Some(op) = vertex.op_as::<Conv>() {
            let value = self.input(vertex, 0)?;
            let shape = self.shape(vertex)?;
            let (kernel, bias) = (self.constant(vertex, 1)?, self.constant(vertex, 2)?);
            let (layer, map) = contract::convolution(op, &vertex.name, &value, &shape, &kernel, &bias)?;
            return Ok(self.push(vertex, layer, shape, map));
        }
        if let Some(op) = vertex.op_as::<EinSum>() {
            let slot = usize::from(self.konst(vertex, 0).is_some());
            let value = self.input(vertex, slot)?;
            let weights = self.constant(vertex, 1 - slot)?;
            let shape = self.shape(vertex)?;
            let volume = self.volume(value.buffer);
            let (layer, map) = contract::einsum(op, &vertex.name, slot, &value, volume, &weights, &shape)?;
            return Ok(self.push(vertex, layer, shape, map));
        }
        if let Some(op) = vertex.op_as::<AxisOp>() {
            return self.axes(vertex, op);
        }
        if let Some(op) = vertex.op_as::<Softmax>() {
            return self.softmax(vertex, op);
        }
        match vertex.op_as::<TypedBinOp>().map(|op| op.0.name()) {
            Some("Mul") => self.scale(vertex),
            Some("Max") => self.relu(vertex),
            Some("Add") => self.add(vertex),
            _ => Err("no fixed-point form".to_owned()),
        }
    }

    fn source(&mut self, vertex: &TypedNode, at: usize) -> Result<Value, Why> {
        let shape = self.shape(vertex)?;
        let len: usize = shape.iter().product();
        let mut map: Vec<u32> = (0_u32..).take(len).collect();
        // A camera's channels come first in some exports; kernels want them last.
        let mut places = Vec::new();
        if let &[1, channels @ 2..=4, rows, cols] = shape.as_slice() {
            let last = offsets(&[rows, cols, channels], &[cols, 1, rows * cols]);
            places = vec![0; len];
            for (place, from) in (0_u32..).zip(last) {
                if let Some(slot) = places.get_mut(from) {
                    *slot = place;
                }
            }
            map.clone_from(&places);
        }
        let pixels = self.pixels.get(at).copied().unwrap_or(false);
        // Sources are met in the order of the graph, their buffers are in that of its inputs.
        if self.sources.len() <= at {
            let empty = Source { len: 0, pixels: false, places: Vec::new() };
            self.sources.resize(self.model.inputs.len(), empty);
            self.taps = self.model.inputs.clone();
        }
        if let Some(source) = self.sources.get_mut(at) {
            *source = Source { len, pixels, places };
        }
        Ok(Value { buffer: at, factor: 1.0, shape, map })
    }

    fn volume(&self, buffer: usize) -> usize {
        match buffer.checked_sub(self.model.inputs.len()) {
            None => self.sources.get(buffer).map_or(0, |source| source.len),
            Some(at) => self.layers.get(at).and_then(Option::as_ref).map_or(0, FloatLayer::volume),
        }
    }

    fn shape(&self, vertex: &TypedNode) -> Result<Vec<usize>, Why> {
        let fact = self.model.outlet_fact(vertex.id.into()).map_err(|error| error.to_string())?;
        if fact.datum_type != tract_onnx::prelude::DatumType::F32 {
            return Err(format!("its numbers are {:?}, wanted F32", fact.datum_type));
        }
        fact.shape.as_concrete().map(<[usize]>::to_vec).ok_or_else(|| "its shape is not known".to_owned())
    }

    fn konst(&self, vertex: &TypedNode, slot: usize) -> Option<&Tensor> {
        let fact = self.model.outlet_fact(*vertex.inputs.get(slot)?).ok()?;
        fact.konst.as_deref()
    }

    fn constant(&self, vertex: &TypedNode, slot: usize) -> Result<Constant, Why> {
        let tensor = self.konst(vertex, slot).ok_or("its weights are not constant")?;
        let values = tensor.try_as_plain_ram().map_err(|error| error.to_string())?;
        let values = values.as_slice::<f32>().map_err(|error| error.to_string())?;
        Ok(Constant { shape: tensor.shape().to_vec(), values: values.to_vec() })
    }

    fn input(&self, vertex: &TypedNode, slot: usize) -> Result<Value, Why> {
        let from = vertex.inputs.get(slot).ok_or("it has too few inputs")?;
        self.values
            .get(from.node)
            .cloned()
            .flatten()
            .ok_or_else(|| "two inputs that are not constant".to_owned())
    }

    /// The two inputs of an operator of which one is constant.
    fn with_constant(&self, vertex: &TypedNode) -> Result<(Value, Constant, usize), Why> {
        let slot = usize::from(self.konst(vertex, 0).is_some());
        Ok((self.input(vertex, slot)?, self.constant(vertex, 1 - slot)?, slot))
    }

    fn push(&mut self, vertex: &TypedNode, layer: FloatLayer, shape: Vec<usize>, map: Vec<u32>) -> Value {
        let buffer = self.model.inputs.len() + self.layers.len();
        self.layers.push(Some(layer));
        self.taps.push(vertex.id.into());
        Value { buffer, factor: 1.0, shape, map }
    }

    /// The layer that made an input and whose results nobody else has seen.
    fn open(&mut self, vertex: &TypedNode, slot: usize, value: &Value) -> Result<&mut FloatLayer, Why> {
        let from = vertex.inputs.get(slot).ok_or("it has too few inputs")?;
        let readers = self.model.nodes().get(from.node).and_then(|node| node.outputs.get(from.slot));
        if readers.is_none_or(|outlet| outlet.successors.len() != 1) {
            return Err("its input is used elsewhere too".to_owned());
        }
        #[expect(clippy::float_cmp, reason = "exactly the factor that nobody changed")]
        let plain = value.factor == 1.0;
        let layer = value.buffer.checked_sub(self.model.inputs.len());
        let layer = layer.and_then(|at| self.layers.get_mut(at)).and_then(Option::as_mut);
        layer
            .filter(|layer| plain && !layer.relu)
            .ok_or_else(|| "it follows no layer with weights".to_owned())
    }

    fn tap(&mut self, vertex: &TypedNode, buffer: usize) {
        if let Some(tap) = self.taps.get_mut(buffer) {
            *tap = vertex.id.into();
        }
    }

    fn scale(&mut self, vertex: &TypedNode) -> Result<Value, Why> {
        let (value, constant, _) = self.with_constant(vertex)?;
        let factor = constant.uniform().ok_or("a factor for each element")?;
        let shape = self.shape(vertex)?;
        if shape.iter().product::<usize>() != value.map.len() {
            return Err("it broadcasts its input".to_owned());
        }
        Ok(Value { factor: value.factor * f64::from(factor), shape, ..value })
    }

    fn relu(&mut self, vertex: &TypedNode) -> Result<Value, Why> {
        let (value, constant, slot) = self.with_constant(vertex)?;
        let zero = constant.uniform() == Some(0.0);
        if !zero {
            return Err("a maximum with something else than 0".to_owned());
        }
        self.open(vertex, slot, &value)?.relu = true;
        self.tap(vertex, value.buffer);
        Ok(value)
    }

    fn add(&mut self, vertex: &TypedNode) -> Result<Value, Why> {
        let value = if self.konst(vertex, 0).is_none() && self.konst(vertex, 1).is_none() {
            self.merge(vertex)?
        } else {
            let (value, constant, slot) = self.with_constant(vertex)?;
            let shape = self.shape(vertex)?;
            if shape.iter().product::<usize>() != value.map.len() {
                return Err("it broadcasts its input".to_owned());
            }
            let from = broadcast(&shape, &constant.shape).ok_or("a bias of another shape")?;
            let layer = self.open(vertex, slot, &value)?;
            let channels = match layer.kind {
                Kind::Conv(_) => padded(layer.channels),
                Kind::Dense => usize::MAX,
            };
            let mut bias = vec![None; layer.channels];
            for (place, from) in value.map.iter().zip(from) {
                let new = constant.values.get(from).copied();
                match bias.get_mut(*place as usize % channels) {
                    Some(old) if old.is_none() || *old == new => *old = new,
                    _ => return Err("a bias that differs from place to place".to_owned()),
                }
            }
            layer.bias.iter_mut().zip(bias).for_each(|(own, new)| *own += new.unwrap_or(0.0));
            Value { shape, ..value }
        };
        self.tap(vertex, value.buffer);
        Ok(value)
    }

    /// The sum of two dense layers is one that reads both their inputs.
    fn merge(&mut self, vertex: &TypedNode) -> Result<Value, Why> {
        let (one, other) = (self.input(vertex, 0)?, self.input(vertex, 1)?);
        if one.map != other.map || one.shape != other.shape {
            return Err("it adds tensors of different shapes".to_owned());
        }
        let first = self.open(vertex, 0, &one)?.clone();
        let second = self.open(vertex, 1, &other)?.clone();
        if one.buffer == other.buffer || first.kind != Kind::Dense || second.kind != Kind::Dense {
            return Err("it adds tensors that are no dense layers' sums".to_owned());
        }
        let rows =
            first.weights.chunks_exact(first.fan_in()).zip(second.weights.chunks_exact(second.fan_in()));
        let layer = FloatLayer {
            name: vertex.name.clone(),
            reads: [first.reads.as_slice(), &second.reads].concat(),
            kind: Kind::Dense,
            channels: first.channels,
            weights: rows.flat_map(|(a, b)| a.iter().chain(b).copied()).collect(),
            bias: first.bias.iter().zip(&second.bias).map(|(a, b)| a + b).collect(),
            relu: false,
        };
        for buffer in [one.buffer, other.buffer] {
            if let Some(merged) = self.layers.get_mut(buffer - self.model.inputs.len()) {
                *merged = None;
            }
        }
        Ok(self.push(vertex, layer, one.shape, one.map))
    }

    fn axes(&mut self, vertex: &TypedNode, op: &AxisOp) -> Result<Value, Why> {
        let value = self.input(vertex, 0)?;
        let shape = self.shape(vertex)?;
        let map = if let AxisOp::Move(from, to) = op {
            let mut moved = strides(&value.shape);
            if *from >= moved.len() || *to >= moved.len() {
                return Err("it moves an axis that is not there".to_owned());
            }
            let stride = moved.remove(*from);
            moved.insert(*to, stride);
            let order = offsets(&shape, &moved);
            order
                .iter()
                .map(|at| value.map.get(*at).copied())
                .collect::<Option<_>>()
                .ok_or("a strange move")?
        } else {
            value.map
        };
        if shape.iter().product::<usize>() != map.len() {
            return Err("it changes the number of elements".to_owned());
        }
        Ok(Value { buffer: value.buffer, factor: value.factor, shape, map })
    }

    fn softmax(&mut self, vertex: &TypedNode, op: &Softmax) -> Result<Value, Why> {
        let value = self.input(vertex, 0)?;
        let volume: usize = op.axes.iter().filter_map(|axis| value.shape.get(*axis)).product();
        if op.kind != SoftmaxKind::Softmax || op.quant_output_dt.is_some() || volume != value.map.len() {
            return Err("a softmax that is not over all outputs".to_owned());
        }
        if self.open(vertex, 0, &value)?.kind != Kind::Dense {
            return Err("it follows no dense layer".to_owned());
        }
        self.softmax = true;
        Ok(value)
    }

    fn finish(self) -> Result<Traced, Unsupported> {
        let outlet = self.model.outputs.first().ok_or_else(|| whole("no output".to_owned()))?;
        let value = self.values.get(outlet.node).cloned().flatten();
        let inputs = self.model.inputs.len();
        let (Some(value), true) = (value, self.sources.len() == inputs) else {
            return Err(whole("an input that nothing reads, or an output that reads none".to_owned()));
        };
        // Merged layers leave gaps.
        let kept: Vec<usize> =
            (0..self.layers.len()).filter(|at| matches!(self.layers.get(*at), Some(Some(_)))).collect();
        let place = |buffer: usize| match buffer.checked_sub(inputs) {
            None => Some(buffer),
            Some(at) => kept.iter().position(|kept| *kept == at).map(|at| at + inputs),
        };
        #[expect(clippy::float_cmp, reason = "exactly the factor that nobody changed")]
        let plain = value.factor == 1.0;
        if place(value.buffer) != Some(inputs + kept.len().wrapping_sub(1)) || !plain {
            return Err(whole("its output is no layer's, or other layers follow".to_owned()));
        }
        let mut taps: Vec<OutletId> = self.taps.iter().take(inputs).copied().collect();
        taps.extend(kept.iter().filter_map(|at| self.taps.get(inputs + at).copied()));
        let mut layers = Vec::new();
        for mut layer in self.layers.into_iter().flatten() {
            let reads: Option<Vec<usize>> = layer.reads.iter().map(|buffer| place(*buffer)).collect();
            layer.reads = reads.ok_or_else(|| whole("a layer that reads one that is gone".to_owned()))?;
            layers.push(layer);
        }
        let linear = layers.last().is_some_and(|layer| layer.kind == Kind::Dense && !layer.relu);
        let in_order = value.map.iter().copied().eq((0_u32..).take(value.map.len()));
        let end = match (self.softmax, linear && in_order) {
            (true, true) => End::Softmax,
            (false, true) => End::Sums,
            (true, false) => return Err(whole("a softmax over permuted outputs".to_owned())),
            (false, false) => End::Activations(value.map),
        };
        Ok(Traced { outline: Outline { sources: self.sources, layers, end }, taps })
    }
}
