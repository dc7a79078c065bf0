//! Every argument that does not fit is an error on every path, and nothing is written then.

use hairpin::policy::kernels::{ConvWeights, DenseWeights, KernelError, Rescale, Windows, conv, dense};

use super::{identity, paths};

const FITS: Windows = Windows { rows: 2, cols: 3, row_step: 40, col_step: 8, taps: 2, run: 16, pitch: 40 };
const HUGE: usize = usize::MAX / 2;

/// One change to arguments that fit, and whether the error is the one that it should be.
struct Case {
    name: &'static str,
    change: fn(&mut Windows, &mut Rescale, &mut std::ops::Range<usize>, &mut usize),
    wanted: fn(&KernelError) -> bool,
}

const CASES: [Case; 20] = [
    Case { name: "taps", change: |w, _, _, _| w.taps = 1, wanted: |e| is_length(e, "taps") },
    Case {
        name: "no taps",
        change: |w, _, _, _| w.taps = 0,
        wanted: |e| matches!(e, KernelError::Size { .. }),
    },
    Case { name: "run", change: |w, _, _, _| w.run = 8, wanted: |e| is_length(e, "run of the windows") },
    Case {
        name: "run of 12",
        change: |w, _, _, _| w.run = 12,
        wanted: |e| matches!(e, KernelError::Size { .. }),
    },
    Case {
        name: "no run",
        change: |w, _, _, _| w.run = 0,
        wanted: |e| matches!(e, KernelError::Size { .. }),
    },
    Case { name: "pitch", change: |w, _, _, _| w.pitch += 1, wanted: is_reach },
    Case { name: "column step", change: |w, _, _, _| w.col_step += 1, wanted: is_reach },
    Case { name: "row step", change: |w, _, _, _| w.row_step += 1, wanted: is_reach },
    Case { name: "huge pitch", change: |w, _, _, _| w.pitch = usize::MAX, wanted: is_reach_or_large },
    Case { name: "huge column step", change: |w, _, _, _| w.col_step = HUGE + 1, wanted: is_reach_or_large },
    Case { name: "huge row step", change: |w, _, _, _| w.row_step = HUGE, wanted: is_reach_or_large },
    Case { name: "huge taps", change: |w, _, _, _| w.taps = HUGE, wanted: is_reach_or_large },
    Case {
        name: "huge columns",
        change: |w, _, _, _| (w.cols, w.col_step) = (HUGE, 0),
        wanted: |e| matches!(e, KernelError::TooLarge(_) | KernelError::Length { .. }),
    },
    Case {
        name: "rows beyond",
        change: |_, _, r, _| r.end = 3,
        wanted: |e| matches!(e, KernelError::Range { .. }),
    },
    Case {
        name: "rows backwards",
        change: |_, _, r, _| *r = std::ops::Range { start: 2, end: 1 },
        wanted: |e| matches!(e, KernelError::Range { what: "rows", start: 2, end: 1, limit: 2 }),
    },
    Case { name: "bias", change: |_, s, _, _| s.bias.truncate(3), wanted: |e| is_length(e, "bias") },
    Case {
        name: "multipliers",
        change: |_, s, _, _| s.multiplier.push(0),
        wanted: |e| is_length(e, "multiplier"),
    },
    Case {
        name: "multiplier",
        change: |_, s, _, _| s.multiplier[2] = 1 << 30,
        wanted: |e| *e == KernelError::Multiplier { channel: 2, saw: 1 << 30 },
    },
    Case {
        name: "input",
        change: |_, _, _, length| *length -= 1,
        wanted: |e| *e == KernelError::Reach { reach: 112, length: 111 },
    },
    Case {
        name: "clamp",
        change: |_, s, _, _| (s.low, s.high) = (1, 0),
        wanted: |e| *e == KernelError::Clamp { low: 1, high: 0 },
    },
];

fn is_length(error: &KernelError, wanted: &str) -> bool {
    matches!(error, KernelError::Length { what, .. } if *what == wanted)
}

fn is_reach(error: &KernelError) -> bool {
    matches!(error, KernelError::Reach { .. })
}

fn is_reach_or_large(error: &KernelError) -> bool {
    matches!(error, KernelError::Reach { .. } | KernelError::TooLarge(_))
}

#[test]
fn convolutions_that_do_not_fit() {
    let weights = ConvWeights::pack(&[1; 20 * 32], 20, 2, 16).unwrap();
    let input = [1; 112];
    for path in paths() {
        for case in &CASES {
            let (mut windows, mut rescale, mut rows, mut length) = (FITS, identity(20), 0..2, input.len());
            (case.change)(&mut windows, &mut rescale, &mut rows, &mut length);
            let mut output = [-77; 120];
            let done = conv(path, &input[..length], &weights, &rescale, &windows, rows, &mut output);
            let error = done.expect_err(case.name);
            assert!((case.wanted)(&error), "{path:?}, {}: {error}", case.name);
            assert!(output.iter().all(|y| *y == -77), "{path:?}, {}: something was written", case.name);
        }
        for shift in [0, 63, 64, 255] {
            let rescale = Rescale { shift, ..identity(20) };
            let done = conv(path, &input, &weights, &rescale, &FITS, 0..2, &mut [0; 120]);
            assert_eq!(done, Err(KernelError::Shift(shift)));
        }
        for length in [0, 119, 121] {
            let done = conv(path, &input, &weights, &identity(20), &FITS, 0..2, &mut vec![0; length]);
            assert!(done.is_err_and(|error| is_length(&error, "output")));
        }
        let mut output = [0; 120];
        assert_eq!(conv(path, &input, &weights, &identity(20), &FITS, 0..2, &mut output), Ok(()));
        assert_eq!(output, [32; 120]);
    }
}

#[test]
fn nothing_is_asked_of_no_rows() {
    let weights = ConvWeights::pack(&[1; 20 * 32], 20, 2, 16).unwrap();
    for path in paths() {
        for (rows, windows) in [(1..1, FITS), (2..2, FITS), (0..2, Windows { cols: 0, ..FITS })] {
            assert_eq!(conv(path, &[], &weights, &identity(20), &windows, rows, &mut []), Ok(()));
        }
    }
}

#[test]
fn dense_layers_that_do_not_fit() {
    let weights = DenseWeights::pack(&[1; 20 * 40], 20, 40).unwrap();
    assert_eq!((weights.outputs(), weights.inputs(), weights.blocks()), (24, 64, 3));
    for path in paths() {
        let run = |input, blocks, sums| dense(path, &vec![1; input], &weights, blocks, &mut vec![0; sums]);
        assert_eq!(run(64, 0..3, 24), Ok(()));
        assert_eq!(run(64, 2..2, 0), Ok(()));
        for length in [0, 40, 63, 65] {
            assert_eq!(
                run(length, 0..3, 24),
                Err(KernelError::Length { what: "input", saw: length, wanted: 64 })
            );
        }
        for length in [0, 23, 25] {
            assert_eq!(
                run(64, 0..3, length),
                Err(KernelError::Length { what: "sums", saw: length, wanted: 24 })
            );
        }
        for (start, end) in [(0, 4), (3, 2), (HUGE, HUGE), (usize::MAX, 0), (0, usize::MAX)] {
            let wanted = KernelError::Range { what: "blocks", start, end, limit: 3 };
            assert_eq!(run(64, start..end, 24), Err(wanted));
        }
    }
}

#[test]
fn weights_that_do_not_fit() {
    for (channels, taps, run) in
        [(0, 1, 8), (1, 0, 8), (1, 1, 0), (1, 1, 4), (HUGE, 2, 8), (4, HUGE, 8), (usize::MAX, 1, 8)]
    {
        assert!(ConvWeights::pack(&[0; 8], channels, taps, run).is_err(), "{channels} {taps} {run}");
        assert!(ConvWeights::from_packed(&[0; 8], channels, taps, run).is_err(), "{channels} {taps} {run}");
    }
    assert_eq!(
        ConvWeights::pack(&[0; 15], 2, 1, 8),
        Err(KernelError::Length { what: "weights", saw: 15, wanted: 16 })
    );
    assert_eq!(
        ConvWeights::from_packed(&[0; 16], 2, 1, 8),
        Err(KernelError::Length { what: "packed weights", saw: 16, wanted: 32 })
    );
    for (outputs, inputs) in [(0, 1), (1, 0), (HUGE, 3), (usize::MAX, 1), (8, HUGE / 8)] {
        assert!(DenseWeights::pack(&[0; 8], outputs, inputs).is_err(), "{outputs} {inputs}");
        assert!(DenseWeights::from_packed(vec![0; 8], outputs, inputs).is_err(), "{outputs} {inputs}");
    }
}
