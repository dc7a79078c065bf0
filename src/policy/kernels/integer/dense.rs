//! Dense layer: weights of 8 bits in the order in which they are read, the checks, and the choice of instructions.
//! Refuses lengths that do not fit.

use std::fmt;
use std::ops::Range;

use super::error::KernelError;
use super::path::Path;
use super::portable;

/// Rows of one block.
pub(super) const ROWS: usize = 8;
/// Inputs are padded to a multiple of this: what one pass of the vector loops takes.
const STRIDE: usize = 32;
/// Inputs whose products are added in 32 bits before the sum moves to 64. No overflow for |x| <= 8191 and any weight:
/// 2048 * 8191 * 128 = 2 147 221 504 < 2^31, whatever the order of the additions.
pub(super) const CHUNK: usize = 2048;

/// Weights of a dense layer, packed in blocks of 8 outputs: 8 inputs of output 0, the same 8 of output 1, .. of
/// output 7, then the next 8 inputs. A block is read strictly forwards. Outputs and inputs are padded with zeros, to
/// multiples of 8 and of 32. Kept as bytes (two's complement), as they are stored.
#[derive(Clone, PartialEq, Eq)]
pub struct DenseWeights {
    bytes: Vec<u8>,
    outputs: usize,
    inputs: usize,
}

impl DenseWeights {
    /// Packs weights that lie as `[outputs][inputs]`.
    ///
    /// # Errors
    /// [`KernelError`] where a size is 0 or the length differs.
    pub fn pack(plain: &[i8], outputs: usize, inputs: usize) -> Result<Self, KernelError> {
        let (rows, columns) = sizes(outputs, inputs)?;
        let wanted = outputs.checked_mul(inputs).ok_or(KernelError::TooLarge("outputs by inputs"))?;
        if plain.len() != wanted {
            return Err(KernelError::Length { what: "weights", saw: plain.len(), wanted });
        }
        let mut bytes = vec![0; product(rows, columns)?];
        let blocks = bytes.chunks_exact_mut(ROWS * columns).zip(plain.chunks(ROWS * inputs));
        for (block, lines) in blocks {
            for (row, line) in lines.chunks_exact(inputs).enumerate() {
                let places = block.chunks_exact_mut(8).skip(row).step_by(ROWS);
                for (place, eight) in places.zip(line.chunks(8)) {
                    place.iter_mut().zip(eight).for_each(|(byte, weight)| *byte = weight.cast_unsigned());
                }
            }
        }
        Ok(Self { bytes, outputs: rows, inputs: columns })
    }

    /// Takes what [`Self::bytes`] gave back, without packing or copying. Sizes may be padded or not.
    ///
    /// # Errors
    /// As [`Self::pack`].
    pub fn from_packed(bytes: Vec<u8>, outputs: usize, inputs: usize) -> Result<Self, KernelError> {
        let (outputs, inputs) = sizes(outputs, inputs)?;
        let wanted = product(outputs, inputs)?;
        if bytes.len() != wanted {
            return Err(KernelError::Length { what: "packed weights", saw: bytes.len(), wanted });
        }
        Ok(Self { bytes, outputs, inputs })
    }

    /// The packed weights, to be stored: `outputs() * inputs()` bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Outputs, padded to a multiple of 8.
    #[must_use]
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// Inputs, padded to a multiple of 32: the length of the activations that [`dense`] takes.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Blocks of 8 outputs.
    #[must_use]
    pub fn blocks(&self) -> usize {
        self.outputs / ROWS
    }
}

impl fmt::Debug for DenseWeights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DenseWeights({} outputs, {} inputs)", self.outputs, self.inputs)
    }
}

/// Outputs and inputs, padded.
fn sizes(outputs: usize, inputs: usize) -> Result<(usize, usize), KernelError> {
    let pad = |what, saw: usize, multiple| {
        if saw == 0 {
            return Err(KernelError::Size { what, saw, wanted: "at least 1" });
        }
        saw.checked_next_multiple_of(multiple).ok_or(KernelError::TooLarge(what))
    };
    Ok((pad("outputs", outputs, ROWS)?, pad("inputs", inputs, STRIDE)?))
}

/// How many weights there are.
fn product(outputs: usize, inputs: usize) -> Result<usize, KernelError> {
    outputs
        .checked_mul(inputs)
        .filter(|total| isize::try_from(*total).is_ok())
        .ok_or(KernelError::TooLarge("outputs by inputs"))
}

/// A dense layer whose arguments fit each other. Made by [`dense`] alone; the vector kernels rest their pointers on it.
pub(super) struct Checked<'a> {
    /// A positive multiple of 32 activations.
    pub(super) input: &'a [i16],
    /// Blocks of `8 * input.len()` weights, as many as `sums` has.
    pub(super) bytes: &'a [u8],
    /// One array for each block.
    pub(super) sums: &'a mut [[i64; ROWS]],
}

/// Sums of the outputs of `blocks` (8 outputs each), without bias: `sums[o - 8 * blocks.start]` is the sum over i of
/// `weight[o][i] * input[i]`. Bias and rescale: [`super::Rescale::sums`].
///
/// Products are added in wrapping 32 bits over at most 2,048 inputs and then in 64: any input gives the same bits on every
/// path, and the true sum wherever |input| <= 8191, since 2048 * 8191 * 128 < 2^31.
///
/// # Errors
/// [`KernelError`] where the CPU lacks the path's instructions, `input` is not `weights.inputs()` long, `sums` not
/// 8 for each block, or there are no such blocks. Nothing is written then.
pub fn dense(
    path: Path,
    input: &[i16],
    weights: &DenseWeights,
    blocks: Range<usize>,
    sums: &mut [i64],
) -> Result<(), KernelError> {
    if !path.is_here() {
        return Err(KernelError::NotHere(path));
    }
    if input.len() != weights.inputs {
        return Err(KernelError::Length { what: "input", saw: input.len(), wanted: weights.inputs });
    }
    let size = ROWS * weights.inputs;
    let bytes = (blocks.start <= blocks.end && blocks.end <= weights.blocks())
        .then(|| weights.bytes.get(blocks.start * size..blocks.end * size))
        .flatten()
        .ok_or(KernelError::Range {
            what: "blocks",
            start: blocks.start,
            end: blocks.end,
            limit: weights.blocks(),
        })?;
    if sums.len() != blocks.len() * ROWS {
        return Err(KernelError::Length { what: "sums", saw: sums.len(), wanted: blocks.len() * ROWS });
    }
    run(path, Checked { input, bytes, sums: sums.as_chunks_mut::<ROWS>().0 });
    Ok(())
}

#[cfg(not(target_arch = "x86_64"))]
fn run(_path: Path, job: Checked<'_>) {
    portable::dense(job);
}

#[cfg(target_arch = "x86_64")]
#[expect(unsafe_code, reason = "code for instructions that not every CPU has")]
fn run(path: Path, job: Checked<'_>) {
    match path {
        Path::Portable => portable::dense(job),
        // SAFETY: `dense` has made sure that this CPU has SSE4.1.
        Path::Sse41 => unsafe { super::sse41::dense(job) },
        // SAFETY: `dense` has made sure that this CPU has AVX2.
        Path::Avx2 => unsafe { super::avx2::dense(job) },
    }
}
