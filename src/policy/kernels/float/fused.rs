//! What tract asks of a kernel, one tile at a time: a list of steps over `R` x `C` accumulators. Every step is the
//! arithmetic of tract's portable kernels, operand by operand, so that the bits agree. Refused, with a code that tract
//! turns into an error: packings and item sizes that the kernels do not declare.

#![expect(unsafe_code, reason = "tract hands over operands as bare pointers")]

use tract_onnx::tract_core::tract_linalg::ScaleShiftAndRound as _;
use tract_onnx::tract_core::tract_linalg::Scaler;
use tract_onnx::tract_core::tract_linalg::mmm::{FusedKerSpec, OutputStoreKer};

/// Accumulators, column by column.
pub(super) type Tile<const R: usize, const C: usize> = [[f32; R]; C];

/// Adds the product of two packed panels: `k` records of `R` floats at `a`, `k` records of `C` floats at `b`.
pub(super) type Multiply<const R: usize, const C: usize> =
    unsafe fn(k: usize, a: *const u8, b: *const u8, tile: &mut Tile<R, C>);

/// What tract reads as success, and as a failure.
const DONE: isize = 0;
const UNSUPPORTED: isize = 1;

/// Takes the steps of `specs` until the first `Done`. Returns 0, or 1 at a step that the kernels do not declare.
///
/// # Safety
/// Every pointer in `specs` must be good for what its step reads or writes: `R` floats per row operand, `C` per column
/// operand, `R` x `C` at the strides of a store, and whole panels (see [`Multiply`]).
pub(super) unsafe fn run<const R: usize, const C: usize>(
    specs: &[FusedKerSpec<f32>],
    multiply: Multiply<R, C>,
) -> isize {
    use FusedKerSpec as Step;
    let mut tile = [[0.0; R]; C];
    for spec in specs {
        // SAFETY: each pointer is good for its step; that is this function's own condition.
        unsafe {
            match *spec {
                Step::Done => break,
                Step::Clear => tile = [[0.0; R]; C],
                Step::LoadTile(columns, _) => tile = columns.cast::<Tile<R, C>>().read_unaligned(),
                Step::ScalarMin(m) => each(&mut tile, |x| lesser(m, x)),
                Step::ScalarMax(m) => each(&mut tile, |x| greater(m, x)),
                Step::ScalarAdd(m) => each(&mut tile, |x| m + x),
                Step::ScalarMul(m) => each(&mut tile, |x| m * x),
                Step::ScalarSub(m) => each(&mut tile, |x| m - x),
                Step::ScalarSubF(m) => each(&mut tile, |x| x - m),
                Step::LeakyRelu(slope) => each(&mut tile, |x| if x > 0.0 { x } else { slope * x }),
                Step::PerRowMin(m) => rows(&mut tile, m, lesser),
                Step::PerRowMax(m) => rows(&mut tile, m, greater),
                Step::PerRowAdd(m) => rows(&mut tile, m, |m, x| m + x),
                Step::PerRowMul(m) => rows(&mut tile, m, |m, x| m * x),
                Step::PerRowSub(m) => rows(&mut tile, m, |m, x| m - x),
                Step::PerRowSubF(m) => rows(&mut tile, m, |m, x| x - m),
                Step::PerColMin(m) => columns(&mut tile, m, lesser),
                Step::PerColMax(m) => columns(&mut tile, m, greater),
                Step::PerColAdd(m) => columns(&mut tile, m, |m, x| m + x),
                Step::PerColMul(m) => columns(&mut tile, m, |m, x| m * x),
                Step::PerColSub(m) => columns(&mut tile, m, |m, x| m - x),
                Step::PerColSubF(m) => columns(&mut tile, m, |m, x| x - m),
                Step::QScale(shift, rounding, factor) => {
                    let scaler = Scaler::from_fuse_params(shift, rounding, factor);
                    each(&mut tile, |x| x.q_scale(scaler));
                }
                Step::RoundingShiftRight(shift, rounding) => each(&mut tile, |x| x.q_shr(shift, rounding)),
                Step::ShiftLeft(shift) => each(&mut tile, |x| x.q_shl(shift)),
                Step::AddRowColProducts(left, right) => add_outer(&mut tile, left, right),
                Step::AddUnicast(other) if other.item_size == size_of::<f32>() => add(&mut tile, &other),
                Step::Store(to) if to.item_size == size_of::<f32>() => store(&tile, &to),
                Step::AddMatMul { k, pa, pb, packing: 0 } => multiply(k, pa, pb, &mut tile),
                Step::AddUnicast(_) | Step::Store(_) | Step::AddMatMul { .. } => return UNSUPPORTED,
            }
        }
    }
    DONE
}

/// [`Multiply`] in plain Rust: the reference of the other ones, and their stand-in where instructions are missing.
///
/// # Safety
/// As [`Multiply`]: both panels are whole.
pub(super) unsafe fn multiply<const R: usize, const C: usize>(
    k: usize,
    a: *const u8,
    b: *const u8,
    tile: &mut Tile<R, C>,
) {
    for step in 0..k {
        // SAFETY: `step` is below `k`, so record `step` lies within each panel.
        let (left, right) = unsafe {
            (a.cast::<[f32; R]>().add(step).read_unaligned(), b.cast::<[f32; C]>().add(step).read_unaligned())
        };
        for (column, right) in tile.iter_mut().zip(right) {
            for (x, left) in column.iter_mut().zip(left) {
                *x += left * right;
            }
        }
    }
}

/// The first where it is less, else the second, NaN and zeros included: what `minps` does.
fn lesser(m: f32, x: f32) -> f32 {
    if m < x { m } else { x }
}

/// The first where it is greater, else the second.
fn greater(m: f32, x: f32) -> f32 {
    if m > x { m } else { x }
}

fn each<const R: usize, const C: usize>(tile: &mut Tile<R, C>, f: impl Fn(f32) -> f32) {
    for x in tile.as_flattened_mut() {
        *x = f(*x);
    }
}

/// # Safety
/// `operand` must be good for reading `R` floats.
unsafe fn rows<const R: usize, const C: usize>(
    tile: &mut Tile<R, C>,
    operand: *const f32,
    f: impl Fn(f32, f32) -> f32,
) {
    // SAFETY: the caller's promise; an array of floats has no other demands when read unaligned.
    let operand = unsafe { operand.cast::<[f32; R]>().read_unaligned() };
    for column in tile {
        for (x, m) in column.iter_mut().zip(operand) {
            *x = f(m, *x);
        }
    }
}

/// # Safety
/// `operand` must be good for reading `C` floats.
unsafe fn columns<const R: usize, const C: usize>(
    tile: &mut Tile<R, C>,
    operand: *const f32,
    f: impl Fn(f32, f32) -> f32,
) {
    // SAFETY: as in `rows`, for `C` floats.
    let operand = unsafe { operand.cast::<[f32; C]>().read_unaligned() };
    for (column, m) in tile.iter_mut().zip(operand) {
        for x in column {
            *x = f(m, *x);
        }
    }
}

/// # Safety
/// `left` must be good for reading `R` floats, `right` for `C`.
unsafe fn add_outer<const R: usize, const C: usize>(
    tile: &mut Tile<R, C>,
    left: *const f32,
    right: *const f32,
) {
    // SAFETY: a row of products is a panel product of one record, and the caller promises one record each.
    unsafe { multiply(1, left.cast(), right.cast(), tile) }
}

/// Where element (row, column) of a strided operand is.
///
/// # Safety
/// The element must lie within the operand.
unsafe fn at(of: &OutputStoreKer, row: usize, column: usize) -> *mut u8 {
    let [row, column] = [row, column].map(usize::cast_signed);
    // SAFETY: the caller's promise.
    unsafe { of.ptr.offset(of.row_byte_stride * row + of.col_byte_stride * column) }
}

/// # Safety
/// `other` must be good for reading `R` x `C` floats at its strides.
unsafe fn add<const R: usize, const C: usize>(tile: &mut Tile<R, C>, other: &OutputStoreKer) {
    for (column, values) in tile.iter_mut().enumerate() {
        for (row, x) in values.iter_mut().enumerate() {
            // SAFETY: (row, column) lies within the tile, for which the caller promises.
            *x += unsafe { at(other, row, column).cast::<f32>().read_unaligned() };
        }
    }
}

/// # Safety
/// `to` must be good for writing `R` x `C` floats at its strides.
unsafe fn store<const R: usize, const C: usize>(tile: &Tile<R, C>, to: &OutputStoreKer) {
    let contiguous = to.row_byte_stride == size_of::<f32>().cast_signed();
    for (column, values) in tile.iter().enumerate() {
        if contiguous {
            // SAFETY: the column's rows lie one after the other, all within the tile.
            unsafe { at(to, 0, column).cast::<[f32; R]>().write_unaligned(*values) };
            continue;
        }
        for (row, x) in values.iter().enumerate() {
            // SAFETY: (row, column) lies within the tile, for which the caller promises.
            unsafe { at(to, row, column).cast::<f32>().write_unaligned(*x) };
        }
    }
}

#[cfg(test)]
mod tests {
    use tract_onnx::tract_core::tract_linalg::mmm::{FusedKerSpec, OutputStoreKer};

    use super::{DONE, UNSUPPORTED, multiply, run};

    /// A store of 2x3 in column-major order (`transposed`: row-major) of items of this size.
    fn place(to: &mut [f32; 6], transposed: bool, item_size: usize) -> OutputStoreKer {
        let (row_byte_stride, col_byte_stride) = if transposed { (12, 4) } else { (4, 8) };
        OutputStoreKer { ptr: to.as_mut_ptr().cast(), row_byte_stride, col_byte_stride, item_size }
    }

    fn runs(steps: &[FusedKerSpec<f32>]) -> isize {
        // SAFETY: the tests below give 2 floats per row operand, 3 per column operand, 6 to load and to store.
        unsafe { run::<2, 3>(steps, multiply) }
    }

    #[test]
    fn a_tile_is_loaded_by_columns_and_stored_by_strides() {
        let from = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0];
        let (mut columns, mut rows) = ([0.0_f32; 6], [0.0_f32; 6]);
        let steps = [
            FusedKerSpec::LoadTile(from.as_ptr(), std::ptr::null()),
            FusedKerSpec::Store(place(&mut columns, false, 4)),
            FusedKerSpec::Store(place(&mut rows, true, 4)),
            FusedKerSpec::Done,
            FusedKerSpec::Store(place(&mut [0.0; 6], false, 8)),
        ];
        assert_eq!(runs(&steps), DONE);
        assert_eq!(columns.map(f32::to_bits), from.map(f32::to_bits));
        assert_eq!(rows.map(f32::to_bits), [1.0_f32, 3.0, 5.0, 2.0, 4.0, 6.0].map(f32::to_bits));
    }

    #[test]
    fn what_is_not_declared_is_refused_without_touching_memory() {
        let mut memory = [7.0_f32; 6];
        for size in [1, 2, 8] {
            assert_eq!(runs(&[FusedKerSpec::Store(place(&mut memory, false, size))]), UNSUPPORTED);
            assert_eq!(runs(&[FusedKerSpec::AddUnicast(place(&mut memory, false, size))]), UNSUPPORTED);
        }
        let nowhere = std::ptr::null();
        let packed = FusedKerSpec::AddMatMul { k: 1, pa: nowhere, pb: nowhere, packing: 1 };
        assert_eq!(runs(&[packed]), UNSUPPORTED);
        assert_eq!(memory.map(f32::to_bits), [7.0_f32; 6].map(f32::to_bits));
    }

    /// A NaN among the accumulators survives `min` and `max`, one in the operand does not, and of two zeros the
    /// accumulator's stays.
    #[test]
    fn extremes_are_those_of_minps() {
        let from = [f32::NAN, -0.0, 0.0, 1.0, -1.0, 2.0];
        for (step, wanted) in [
            (FusedKerSpec::ScalarMax(0.0), [f32::NAN, -0.0, 0.0, 1.0, 0.0, 2.0]),
            (FusedKerSpec::ScalarMin(-0.0), [f32::NAN, -0.0, 0.0, -0.0, -1.0, -0.0]),
            (FusedKerSpec::ScalarMax(f32::NAN), from),
        ] {
            let mut to = [0.0_f32; 6];
            let steps = [
                FusedKerSpec::LoadTile(from.as_ptr(), std::ptr::null()),
                step,
                FusedKerSpec::Store(place(&mut to, false, 4)),
            ];
            assert_eq!(runs(&steps), DONE);
            assert_eq!(to.map(f32::to_bits), wanted.map(f32::to_bits), "{step:?}");
        }
    }
}
