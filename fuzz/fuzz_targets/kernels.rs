//! Arbitrary shapes, lengths and bytes for the integer kernels: every path gives what the portable one gives, result and
//! output, and what AddressSanitizer thinks of it decides the rest. Slices have their own allocations of exact length.

#![no_main]

#[allow(dead_code, unreachable_pub, reason = "a part of the library, included alone")]
#[path = "../../src/policy/kernels/integer/mod.rs"]
mod integer;

use integer::{ConvWeights, DenseWeights, Path, Rescale, Windows, conv, dense};
use libfuzzer_sys::fuzz_target;

/// Reads the input from its beginning, and begins again at its end.
struct Bytes<'a>(std::iter::Cycle<std::slice::Iter<'a, u8>>);

impl Bytes<'_> {
    fn byte(&mut self) -> u8 {
        self.0.next().copied().unwrap_or(0)
    }

    fn word(&mut self) -> i16 {
        i16::from_le_bytes([self.byte(), self.byte()])
    }

    fn long(&mut self) -> i32 {
        i32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// 1 to `most`, and once in 32 something else: 0, a little more, or close to the end of the address space.
    fn size(&mut self, most: usize) -> usize {
        let value = usize::from(self.byte());
        match self.byte() {
            0..248 => 1 + value % most,
            248..252 => value,
            252..254 => 0,
            _ => usize::MAX >> (value % 64),
        }
    }

    fn words(&mut self, count: usize) -> Box<[i16]> {
        (0..count).map(|_| self.word()).collect()
    }
}

fn rescale(bytes: &mut Bytes<'_>, channels: usize) -> Rescale {
    let mask = if bytes.byte() < 250 { (1 << 30) - 1 } else { -1 };
    Rescale {
        bias: (0..channels).map(|_| bytes.long()).collect(),
        multiplier: (0..channels).map(|_| bytes.long() & mask).collect(),
        shift: 1 + bytes.byte() % 63,
        low: bytes.word().min(0),
        high: bytes.word().max(-1),
    }
}

fn convolution(bytes: &mut Bytes<'_>) {
    let (channels, taps, run) = (bytes.size(40), bytes.size(5), bytes.size(5).saturating_mul(8));
    let count = channels.saturating_mul(taps).saturating_mul(run);
    if count > 40_000 {
        assert!(ConvWeights::pack(&[0; 64], channels, taps, run).is_err());
        assert!(ConvWeights::from_packed(&[0; 64], channels, taps, run).is_err());
        return;
    }
    let Ok(weights) = ConvWeights::pack(&bytes.words(count), channels, taps, run) else { return };
    let stored: Vec<i16> = weights.packed().flatten().copied().collect();
    assert_eq!(ConvWeights::from_packed(&stored, channels, taps, run).as_ref(), Ok(&weights));

    let windows = Windows {
        rows: bytes.size(4),
        cols: bytes.size(9),
        row_step: bytes.size(100),
        col_step: bytes.size(40),
        taps: if bytes.byte() < 250 { taps } else { bytes.size(5) },
        run: if bytes.byte() < 250 { run } else { bytes.size(64) },
        pitch: bytes.size(100),
    };
    let reach = (windows.rows.wrapping_sub(1).wrapping_mul(windows.row_step))
        .wrapping_add(windows.cols.wrapping_sub(1).wrapping_mul(windows.col_step))
        .wrapping_add(windows.taps.wrapping_sub(1).wrapping_mul(windows.pitch))
        .wrapping_add(windows.run);
    let length = if reach > 4000 || bytes.byte() > 250 {
        4000
    } else {
        reach.saturating_sub(usize::from(bytes.byte() > 250))
    };
    let input = bytes.words(length);
    let rescale = rescale(bytes, weights.channels());
    let rows = if bytes.byte() < 128 {
        0..windows.rows
    } else {
        bytes.size(4).saturating_sub(1)..bytes.size(5).wrapping_sub(1)
    };
    let exact = rows.len().saturating_mul(windows.cols).saturating_mul(weights.channels());
    let size =
        if exact > 20_000 { 20_000 } else { exact.wrapping_sub(usize::from(bytes.byte() > 250)).min(20_000) };
    let run = |path| {
        let mut output = vec![-77; size].into_boxed_slice();
        let done = conv(path, &input, &weights, &rescale, &windows, rows.clone(), &mut output);
        assert!(done.is_ok() || output.iter().all(|y| *y == -77));
        (done, output)
    };
    let wanted = run(Path::Portable);
    for path in Path::ALL.into_iter().filter(|path| path.is_here()) {
        assert_eq!(run(path), wanted, "{path:?} {weights:?} {windows:?} {rescale:?}");
    }
}

fn layer(bytes: &mut Bytes<'_>) {
    let inputs = if bytes.byte() < 240 { bytes.size(100) } else { 2000 + usize::from(bytes.byte()) };
    let outputs = bytes.size(20);
    let count = outputs.saturating_mul(inputs);
    if count > 50_000 {
        assert!(DenseWeights::pack(&[0; 8], outputs, inputs).is_err());
        assert!(DenseWeights::from_packed(vec![0; 8], outputs, inputs).is_err());
        return;
    }
    let plain: Vec<i8> = (0..count).map(|_| bytes.byte().cast_signed()).collect();
    let Ok(weights) = DenseWeights::pack(&plain, outputs, inputs) else { return };
    let again = DenseWeights::from_packed(weights.bytes().to_vec(), outputs, inputs);
    assert_eq!(again.as_ref(), Ok(&weights));

    let short = usize::from(bytes.byte() > 250);
    let input = bytes.words(weights.inputs() - short);
    let blocks = if bytes.byte() < 128 {
        0..weights.blocks()
    } else {
        bytes.size(3).saturating_sub(1)..bytes.size(4).wrapping_sub(1)
    };
    let size = blocks.len().saturating_mul(8).wrapping_sub(usize::from(bytes.byte() > 250)).min(1000);
    let rescale = rescale(bytes, size);
    let run = |path| {
        let mut sums = vec![-77; size].into_boxed_slice();
        let mut output = vec![-77; size].into_boxed_slice();
        let done = dense(path, &input, &weights, blocks.clone(), &mut sums);
        assert!(done.is_ok() || sums.iter().all(|sum| *sum == -77));
        (done, rescale.sums(&sums, &mut output), sums, output)
    };
    let wanted = run(Path::Portable);
    for path in Path::ALL.into_iter().filter(|path| path.is_here()) {
        assert_eq!(run(path), wanted, "{path:?} {weights:?}");
    }
}

fuzz_target!(|data: &[u8]| {
    let mut bytes = Bytes(data.iter().cycle());
    if bytes.byte() < 128 { convolution(&mut bytes) } else { layer(&mut bytes) }
});
