//! Matrix products in f32 for CPUs without AVX, where tract has only its portable 4x4 code: an 8x4 kernel for
//! matrices and a 32x1 kernel for matrix times vector, in SSE. They enter tract through its public registries, which
//! read them at the first product of the process; nothing here is called by name. The bits are those of tract's
//! portable kernels: `k` ascends, each product is rounded before it is added, no FMA. Refused: every packing but plain
//! f32, and stores of anything but f32; tract's own kernels keep those.

#![cfg(target_arch = "x86_64")]
#![expect(unsafe_code, reason = "a kernel is an unsafe function by tract's interface")]

mod fused;
mod sse;

use tract_onnx::prelude::DatumType;
use tract_onnx::tract_core::internal::inventory;
use tract_onnx::tract_core::tract_linalg::isa::{Arch, Isa, IsaSet};
use tract_onnx::tract_core::tract_linalg::mmm::{
    DynKernel, FusedKerSpec, FusedSpec, MatMatMul, Query, Suitable,
};
use tract_onnx::tract_core::tract_linalg::mmm_routines::MmmRoutine;
use tract_onnx::tract_core::tract_linalg::mmm_tiers::MmmTier;
use tract_onnx::tract_core::tract_linalg::pack::PackedFormat;

/// The name of the kernel for matrices, as tract's registry has it.
pub const MATRIX: &str = "hairpin_sse_f32_8x4";
/// The name of the kernel for matrix times vector.
pub const VECTOR: &str = "hairpin_sse_f32_32x1";

/// Bytes that panels are aligned to; the loops read unaligned ones as well.
const ALIGNMENT: usize = 16;

/// Above every tier of tract's own, which end at 8. It never meets one: theirs want AVX.
const PRECEDENCE: u8 = 64;

inventory::submit! { MmmRoutine { make: || kernel::<8, 4>(MATRIX, matrix) } }
inventory::submit! { MmmRoutine { make: || kernel::<32, 1>(VECTOR, vector) } }
inventory::submit! {
    MmmTier { arch: Some(Arch::X86_64), precedence: PRECEDENCE, name: "hairpin-sse", applies, preferred }
}

/// Whether the kernels are the better ones on a machine: it has no AVX, as tract sees it.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is tract's")]
fn applies(isa: &IsaSet) -> bool {
    isa.arch() == Some(Arch::X86_64) && !isa.has(Isa::X86_64Avx)
}

/// Which kernel a product gets. Those that are not plain f32 find neither among `suitable`, and go to the next tier.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is tract's")]
fn preferred(
    _isa: &IsaSet,
    accumulator: DatumType,
    query: &Query,
    _suitable: &[Suitable],
) -> Option<&'static str> {
    let name = if query.n == Some(1) { VECTOR } else { MATRIX };
    (accumulator == DatumType::F32).then_some(name)
}

/// A kernel of `R` rows and `C` columns as tract wants it.
fn kernel<const R: usize, const C: usize>(
    name: &str,
    run: unsafe fn(&[FusedKerSpec<f32>]) -> isize,
) -> Box<dyn MatMatMul> {
    let [a, b] = [R, C].map(|width| PackedFormat::new(DatumType::F32, width, ALIGNMENT));
    let mut kernel = DynKernel::<R, C, f32>::new(name, run, a, b).with_can_fuse(can_fuse);
    // Above the portable ones, of no architecture; below those of the same architecture that want more of it.
    kernel.arch = Some(Arch::X86_64);
    kernel.mmm()
}

/// What can follow in the same pass: everything, as long as memory holds f32.
fn can_fuse(spec: &FusedSpec<'_>) -> bool {
    match spec {
        FusedSpec::AddUnicast(other) => other.item_size() == size_of::<f32>(),
        FusedSpec::Store(to) => to.item_size() == size_of::<f32>(),
        FusedSpec::AddMatMul { packing, .. } => *packing == 0,
        _ => true,
    }
}

/// One tile of 8x4.
///
/// # Safety
/// As [`fused::run`].
unsafe fn matrix(specs: &[FusedKerSpec<f32>]) -> isize {
    // SAFETY: the caller's promise is the one asked for, and `sse::matrix` asks no more of its panels.
    unsafe { fused::run(specs, sse::matrix) }
}

/// One tile of 32x1.
///
/// # Safety
/// As [`fused::run`].
unsafe fn vector(specs: &[FusedKerSpec<f32>]) -> isize {
    // SAFETY: as above, for `sse::vector`.
    unsafe { fused::run(specs, sse::vector) }
}
