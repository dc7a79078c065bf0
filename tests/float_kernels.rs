//! The SSE kernels against tract's portable ones, bit for bit: every step that tract can ask for, whole tiles and
//! tails. And who gets them: machines without AVX, and no other.

#![cfg(target_arch = "x86_64")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    unsafe_code,
    missing_docs,
    reason = "a test may stop at the first surprise; to run a kernel is unsafe by tract's interface"
)]

use std::process::Command;

use hairpin::policy::kernels::float::{MATRIX, VECTOR};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_oneof, proptest};
use tract_onnx::prelude::{DatumType, Tensor, tensor0, tensor1};
use tract_onnx::tract_core::tract_linalg::isa::{Arch, Isa, IsaSet};
use tract_onnx::tract_core::tract_linalg::mmm::{AsInputValue, FusedSpec, MatMatMul, Query, RoundingPolicy};
use tract_onnx::tract_core::tract_linalg::{BinOp, MmmDispatch, mmm_routines, mmm_tiers};

/// A step of a product, with its operands.
#[derive(Clone, Debug)]
enum Step {
    Scalar(BinOp, f32),
    PerRow(BinOp, Vec<f32>),
    PerColumn(BinOp, Vec<f32>),
    Outer(Vec<f32>, Vec<f32>),
    Unicast(Vec<f32>),
    Leaky(f32),
    Scale(isize, RoundingPolicy, i32),
    ShiftRight(usize, RoundingPolicy),
    ShiftLeft(usize),
    /// The product itself, with this many records.
    Product(usize, Vec<f32>, Vec<f32>),
}

/// A whole product: its shape, its steps, and whether rows are contiguous in the output.
#[derive(Clone, Debug)]
struct Case {
    m: usize,
    n: usize,
    steps: Vec<Step>,
    rows_contiguous: bool,
}

fn floats(length: usize) -> impl Strategy<Value = Vec<f32>> {
    let float = prop_oneof![
        20 => -4.0_f32..4.0,
        2 => Just(0.0_f32),
        1 => Just(-0.0_f32),
        1 => Just(f32::MIN_POSITIVE / 4.0),
        1 => any::<f32>(),
    ];
    prop::collection::vec(float, length)
}

fn operator() -> impl Strategy<Value = BinOp> {
    prop::sample::select(vec![BinOp::Min, BinOp::Max, BinOp::Add, BinOp::Mul, BinOp::Sub, BinOp::SubF])
}

fn rounding() -> impl Strategy<Value = RoundingPolicy> {
    prop::sample::select(vec![RoundingPolicy::Zero, RoundingPolicy::Even, RoundingPolicy::Away])
}

fn step(m: usize, n: usize) -> impl Strategy<Value = Step> {
    prop_oneof![
        (operator(), -4.0_f32..4.0).prop_map(|(op, x)| Step::Scalar(op, x)),
        (operator(), floats(m)).prop_map(|(op, x)| Step::PerRow(op, x)),
        (operator(), floats(n)).prop_map(|(op, x)| Step::PerColumn(op, x)),
        (floats(m), floats(n)).prop_map(|(left, right)| Step::Outer(left, right)),
        floats(m * n).prop_map(Step::Unicast),
        (-1.0_f32..1.0).prop_map(Step::Leaky),
        (-4_isize..8, rounding(), 1_i32 << 30..i32::MAX).prop_map(|(s, r, f)| Step::Scale(s, r, f)),
        (0_usize..8, rounding()).prop_map(|(s, r)| Step::ShiftRight(s, r)),
        (0_usize..8).prop_map(Step::ShiftLeft),
        product(m, n),
    ]
}

fn product(m: usize, n: usize) -> impl Strategy<Value = Step> {
    (0_usize..48).prop_flat_map(move |k| {
        (Just(k), floats(m * k), floats(k * n)).prop_map(|(k, a, b)| Step::Product(k, a, b))
    })
}

fn case(columns: impl Strategy<Value = usize>) -> impl Strategy<Value = Case> {
    (1_usize..70, columns).prop_flat_map(|(m, n)| {
        (product(m, n), prop::collection::vec(step(m, n), 0..5), any::<bool>()).prop_map(
            move |(first, rest, rows_contiguous)| {
                let steps = std::iter::once(first).chain(rest).collect();
                Case { m, n, steps, rows_contiguous }
            },
        )
    })
}

fn named(name: &str) -> Box<dyn MatMatMul> {
    let mut all = mmm_routines::declared().map(|routine| (routine.make)());
    all.find(|kernel| kernel.name() == name).expect("the kernel is registered")
}

/// Runs a case; the output in the order in which it lies in memory.
fn run(kernel: &dyn MatMatMul, case: &Case) -> Vec<f32> {
    let (m, n) = (case.m, case.n);
    let shape = if case.rows_contiguous { [n, m] } else { [m, n] };
    let (row, column) = if case.rows_contiguous { (1, 0) } else { (0, 1) };
    // SAFETY: a view's strides and length are those of the tensor that it is given below, of this very shape.
    let view = unsafe { kernel.c_view(Some(row), Some(column)) };
    // Operands first: steps borrow them.
    let operands: Vec<[Tensor; 2]> = case
        .steps
        .iter()
        .map(|step| match step {
            Step::Scalar(_, x) | Step::Leaky(x) => [tensor0(*x), tensor0(0_f32)],
            Step::PerRow(_, x) | Step::PerColumn(_, x) => [tensor1(x), tensor0(0_f32)],
            Step::Outer(left, right) => [tensor1(left), tensor1(right)],
            Step::Unicast(x) => [tensor1(x).into_shape(&shape).unwrap(), tensor0(0_f32)],
            Step::Product(k, left, right) => {
                [tensor1(left).into_shape(&[m, *k]).unwrap(), tensor1(right).into_shape(&[*k, n]).unwrap()]
            }
            _ => [tensor0(0_f32), tensor0(0_f32)],
        })
        .collect();
    let output = Tensor::zero::<f32>(&shape).unwrap();
    let mut steps: Vec<FusedSpec<'_>> = case
        .steps
        .iter()
        .zip(&operands)
        .map(|(step, [left, right])| match step {
            Step::Scalar(op, _) => FusedSpec::BinScalar(left, *op),
            Step::PerRow(op, _) => FusedSpec::BinPerRow(left.view(), *op),
            Step::PerColumn(op, _) => FusedSpec::BinPerCol(left.view(), *op),
            Step::Outer(..) => FusedSpec::AddRowColProducts(left, right),
            // SAFETY: the tensor has the view's shape.
            Step::Unicast(_) => FusedSpec::AddUnicast(unsafe { view.wrap(&left.view()) }),
            Step::Leaky(_) => FusedSpec::LeakyRelu(left),
            Step::Scale(shift, rounding, factor) => FusedSpec::QScale(*shift, *rounding, *factor),
            Step::ShiftRight(shift, rounding) => FusedSpec::RoundingShiftRight(*shift, *rounding),
            Step::ShiftLeft(shift) => FusedSpec::ShiftLeft(*shift),
            Step::Product(..) => {
                let (of_left, of_right) = &kernel.packings()[0];
                FusedSpec::AddMatMul {
                    a: AsInputValue::Owned(of_left.prepare_one(left, 1, 0).unwrap()),
                    b: AsInputValue::Owned(of_right.prepare_one(right, 0, 1).unwrap()),
                    packing: 0,
                }
            }
        })
        .collect();
    // SAFETY: as for `Unicast`.
    steps.push(FusedSpec::Store(unsafe { view.wrap(&output.view()) }));
    assert!(steps.iter().all(|step| kernel.can_fuse(step)));
    // SAFETY: operands are m, n or m x n long as their step wants, packed for this kernel, and outlive the run.
    unsafe { kernel.run(m, n, &steps).unwrap() };
    output.try_as_plain_ram().unwrap().as_slice::<f32>().unwrap().to_vec()
}

/// The bits, where one NaN is as good as another: which operand's NaN survives is the compiler's choice in tract.
fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| if x.is_nan() { f32::NAN.to_bits() } else { x.to_bits() }).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(600) })]

    #[test]
    fn the_matrix_kernel_has_the_bits_of_the_portable_one(case in case(1_usize..20)) {
        let (ours, portable) = (named(MATRIX), named("generic_f32_4x4"));
        prop_assert_eq!(bits(&run(&*ours, &case)), bits(&run(&*portable, &case)));
    }

    #[test]
    fn the_vector_kernel_has_the_bits_of_the_portable_one(case in case(Just(1_usize))) {
        let (ours, portable) = (named(VECTOR), named("generic_f32_4x1"));
        prop_assert_eq!(bits(&run(&*ours, &case)), bits(&run(&*portable, &case)));
    }

    /// tract runs a matrix through a vector kernel column by column where it has to.
    #[test]
    fn the_vector_kernel_can_run_a_matrix(case in case(2_usize..6)) {
        let (ours, portable) = (named(VECTOR), named("generic_f32_4x4"));
        prop_assert_eq!(bits(&run(&*ours, &case)), bits(&run(&*portable, &case)));
    }
}

#[test]
fn other_packings_and_items_are_refused_beforehand() {
    for name in [MATRIX, VECTOR] {
        let kernel = named(name);
        assert_eq!(kernel.packings().len(), 1);
        assert_eq!(&*kernel.stores(), &[DatumType::F32]);
        let double = Tensor::zero::<f64>(&[4, 4]).unwrap();
        // SAFETY: wrapped in the tensor's own shape, and never run.
        let store = unsafe { kernel.c_view(Some(0), Some(1)).wrap(&double.view()) };
        assert!(!kernel.can_fuse(&FusedSpec::Store(store)));
        assert!(!kernel.can_fuse(&FusedSpec::AddUnicast(store)));
    }
}

#[test]
fn the_tier_has_a_precedence_of_its_own() {
    let ours: Vec<_> = mmm_tiers::declared().filter(|tier| tier.name == "hairpin-sse").collect();
    assert_eq!(ours.len(), 1);
    assert_eq!(mmm_tiers::declared().filter(|tier| tier.precedence == ours[0].precedence).count(), 1);
}

/// The kernel that tract runs for m = 64, k = 100 and this n on a machine.
fn chosen(dispatch: &MmmDispatch, kind: DatumType, n: Option<usize>) -> String {
    dispatch.pick(&Query::plain(kind, Some(64), Some(100), n)).unwrap().0.name().to_owned()
}

#[test]
fn with_avx_nothing_changes() {
    let plain = IsaSet::of_arch(Arch::X86_64).with(Isa::X86_64Avx);
    let machines = (1..=5).map(|level| IsaSet::ladder(Arch::X86_64, level)).chain([plain]);
    for machine in machines {
        let dispatch = MmmDispatch::for_isa(machine);
        for n in [None, Some(1), Some(2), Some(100)] {
            let name = chosen(&dispatch, DatumType::F32, n);
            assert!(![MATRIX, VECTOR].contains(&name.as_str()), "{name} at n = {n:?} on {machine:?}");
        }
    }
}

/// tract reads the instruction set once per process, so this is a process of its own.
#[test]
fn without_avx_they_run() {
    let hidden = "-avx,-avx2,-fma,-f16c,-avx512f,-avx512vnni,-avx512fp16,-avxvnni,-amx-int8,-amx-bf16";
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "on_a_machine_without_avx", "--ignored", "--nocapture"])
        .env("TRACT_CPU_ISA", hidden)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
#[ignore = "started by `without_avx_they_run`, in a process that has no AVX"]
fn on_a_machine_without_avx() {
    let dispatch = MmmDispatch::native();
    assert_eq!(chosen(dispatch, DatumType::F32, Some(1)), VECTOR);
    assert_eq!(chosen(dispatch, DatumType::F32, Some(2)), MATRIX);
    assert_eq!(chosen(dispatch, DatumType::F32, Some(1131)), MATRIX);
    assert_eq!(chosen(dispatch, DatumType::F32, None), MATRIX);
    for kind in [DatumType::F64, DatumType::F16, DatumType::I32] {
        for n in [Some(1), Some(100)] {
            assert!(chosen(dispatch, kind, n).starts_with("generic"));
        }
    }
}
