//! `model.fixed`, cut short, damaged, of another network or layout: an error, or a network that the proof holds for. Never a
//! panic, never memory beyond the file's own order.

use std::sync::Arc;

use hairpin::domain::Sensor;
use hairpin::policy::fixed::buffers::Buffers;
use hairpin::policy::fixed::file::{self, Part};
use hairpin::policy::fixed::head::Head;
use hairpin::policy::fixed::network::{Body, Finish, FixedNetwork, Input, Layer};
use hairpin::policy::fixed::{TOP, proof};
use hairpin::policy::kernels::{ConvWeights, DenseWeights, Path, Rescale, Windows};
use hairpin::policy::{NetworkKind, Plan, PolicyError};
use proptest::prelude::{ProptestConfig, any, prop, proptest};

use crate::made::{DIGEST, blocks, make, typed};
use crate::onnx::Graph;

fn rescale(channels: usize) -> Rescale {
    let multiplier = vec![1 << 29; channels];
    Rescale { bias: vec![5; channels], multiplier, shift: 40, low: 0, high: TOP }
}

/// Pixels 8 x 8, ranges 6; windows of 4 x 8 over the pixels; a dense layer of 8 bits over windows' results and ranges; two
/// outputs.
fn network() -> FixedNetwork {
    let windows = Windows { rows: 5, cols: 1, row_step: 8, col_step: 8, taps: 4, run: 8, pitch: 8 };
    let plain: Vec<i16> = (0..4 * 32).map(|at| at * 7 - 400).collect();
    let eight: Vec<i8> = (0_u8..8 * 26).map(|at| (at % 255).cast_signed()).collect();
    let conv = Layer {
        name: "conv".to_owned(),
        reads: vec![0],
        body: Body::Conv(windows, ConvWeights::pack(&plain, 4, 4, 8).unwrap()),
        rescale: rescale(4),
        step: 0.25,
    };
    let dense = Layer {
        name: "dense".to_owned(),
        reads: vec![2, 1],
        body: Body::Dense(DenseWeights::pack(&eight, 8, 26).unwrap()),
        rescale: rescale(8),
        step: 0.5,
    };
    let head = Head {
        name: "head".to_owned(),
        reads: vec![3],
        weights: (0..16).map(|at| at * 11 - 80).collect(),
        bias: vec![9, -9],
        unit: vec![1e-4, 2e-4],
        softmax: true,
    };
    FixedNetwork {
        inputs: vec![
            Input { len: 64, step: None, places: (0..64).rev().collect() },
            Input { len: 6, step: Some(0.001), places: Vec::new() },
        ],
        layers: vec![conv, dense],
        finish: Finish::Head(head),
    }
}

fn bytes() -> Vec<u8> {
    file::write(DIGEST, &[Part { stands_for: String::new(), network: network() }])
}

fn scores(network: &FixedNetwork, path: Path) -> Vec<f32> {
    let inputs: Vec<Vec<f32>> = network.inputs.iter().map(|input| vec![200.0; input.len]).collect();
    let inputs: Vec<&[f32]> = inputs.iter().map(Vec::as_slice).collect();
    let mut scores = vec![0.0; network.outputs()];
    Buffers::new(network).run(network, path, &inputs, &mut scores).unwrap();
    scores
}

/// A damaged file is an error, or a network that runs, or one whose run is refused; as nothing else.
fn bears(bytes: &[u8]) -> bool {
    let Ok(parts) = file::read(bytes, DIGEST) else { return false };
    for part in &parts {
        proof::check(&part.network).unwrap();
        let network = &part.network;
        // What a plan would ask first: sizes of the sensors.
        let lengths: Vec<usize> = network.inputs.iter().map(|input| input.len).collect();
        if lengths != [64, 6] {
            continue;
        }
        let inputs: Vec<&[f32]> = [&[200.0_f32; 64][..], &[0.1; 6]].to_vec();
        let mut scores = vec![0.0; network.outputs()];
        drop(Buffers::new(network).run(network, Path::best(), &inputs, &mut scores));
    }
    true
}

#[test]
fn a_network_goes_through_a_file_unchanged() {
    let network = network();
    proof::check(&network).unwrap();
    let back = file::read(&bytes(), DIGEST).unwrap();
    assert_eq!(back, [Part { stands_for: String::new(), network: network.clone() }]);
    assert_eq!(scores(&back[0].network, Path::Portable), scores(&network, Path::best()));
}

#[test]
fn a_file_that_is_cut_short_is_refused_or_lacks_whole_parts() {
    let whole = bytes();
    for share in 0..64 {
        let cut = &whole[..whole.len() * share / 64];
        // Nothing at all, and a head without parts, are valid messages; neither is a network.
        assert!(!bears(cut) || file::read(cut, DIGEST).unwrap().is_empty(), "{share} of 64");
    }
    for cut in 0..whole.len() {
        bears(&whole[..cut]);
    }
}

#[test]
fn a_real_networks_file_cut_short_is_refused() {
    let mut graph = Graph::new(3);
    let last = graph.camera("FRONT_FACING_CAMERA", 1);
    let last = graph.conv(&last, (1, 8), (8, 8, 0));
    let last = graph.op("Relu", &last);
    let last = graph.flatten(&last);
    let last = graph.dense(&last, (2400, 300));
    let last = graph.op("Relu", &last);
    let last = graph.dense(&last, (300, 5));
    let file = graph.finish(&last, 5, true);
    let read = typed(NetworkKind::Onnx, &file, &[Sensor::FrontFacingCamera], 5);
    let frames = blocks(&read.1, 3);
    let whole = file::write(DIGEST, &make(read, &frames).parts);
    for share in 1..64 {
        let error = file::read(&whole[..whole.len() * share / 64], DIGEST).unwrap_err();
        assert!(matches!(error, PolicyError::NotAGraph { .. }), "{share} of 64: {error}");
    }
}

#[test]
fn another_network_another_layout_and_no_plan_at_all() {
    let error = file::read(&bytes(), [8; 32]).unwrap_err().to_string();
    assert!(error.contains("another network's") && error.contains("import the model again"), "{error}");
    // Field 1, the format, comes first: tag 8, value 1.
    let mut later = bytes();
    assert_eq!(later[..2], [8, 1]);
    later[1] = 2;
    let error = file::read(&later, DIGEST).unwrap_err().to_string();
    assert!(error.contains("format") && error.contains("saw 2, wanted 1"), "{error}");
    for rubbish in [&b""[..], b"\x7fELF\x02\x01\x01", b"{}", &[0xff; 4096]] {
        assert!(file::read(rubbish, DIGEST).is_err());
    }
}

/// Lengths that no memory holds, said in a few bytes.
#[test]
fn a_length_beyond_memory_is_an_error() {
    // Field 3 (parts), wire type 2, a length of 2^62; and the same for the digest.
    for tag in [0x1a, 0x12] {
        let mut bad = vec![8, 1, tag];
        bad.extend([0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40]);
        assert!(file::read(&bad, DIGEST).is_err());
    }
    let huge = 1_usize << 60;
    for edit in [
        |network: &mut FixedNetwork| network.inputs[0].len = 1 << 60,
        |network: &mut FixedNetwork| network.inputs[1].len = usize::MAX,
        |network: &mut FixedNetwork| network.inputs[1].len = 1 << 40,
    ] {
        refused("a huge input", edit);
    }
    let windows = |change: fn(&mut Windows, usize)| {
        move |network: &mut FixedNetwork| {
            let Body::Conv(windows, _) = &mut network.layers[0].body else { panic!() };
            change(windows, huge);
        }
    };
    refused("rows that stand still", windows(|w, huge| (w.rows, w.row_step) = (huge, 0)));
    refused("columns that stand still", windows(|w, huge| (w.cols, w.col_step) = (huge, 0)));
    refused("both", windows(|w, _| (w.rows, w.cols, w.row_step, w.col_step) = (1 << 32, 1 << 32, 0, 0)));
    refused("a few billion rows", windows(|w, _| (w.rows, w.row_step) = (1 << 33, 0)));
    let error = refused("one buffer a million times", |network| network.layers[0].reads = vec![0; 1 << 20]);
    assert!(error.contains("elements to read"), "{error}");
}

/// Refused by the proof, and the same by whoever reads it from a file.
fn refused(name: &str, edit: impl FnOnce(&mut FixedNetwork)) -> String {
    let mut network = network();
    edit(&mut network);
    let error = proof::check(&network).expect_err(name).to_string();
    let parts = [Part { stands_for: String::new(), network }];
    assert!(file::read(&file::write(DIGEST, &parts), DIGEST).is_err(), "{name}: the file is read");
    error
}

fn conv(network: &mut FixedNetwork) -> &mut Layer {
    &mut network.layers[0]
}

fn windows(network: &mut FixedNetwork) -> &mut Windows {
    match &mut network.layers[0].body {
        Body::Conv(windows, _) => windows,
        Body::Dense(_) => panic!("the first layer is a convolution"),
    }
}

fn head(network: &mut FixedNetwork) -> &mut Head {
    match &mut network.finish {
        Finish::Head(head) => head,
        Finish::Activations(_) => panic!("the network ends in a head"),
    }
}

#[test]
fn sums_beyond_32_bits() {
    // Channel 0 of the convolution: magnitudes times 255 and the bias, to the unit.
    let Body::Conv(_, weights) = &network().layers[0].body else { panic!() };
    let sum = i32::try_from(weights.magnitudes()[0]).unwrap() * 255;
    let with = |bias: i32| {
        let mut network = network();
        conv(&mut network).rescale.bias[0] = bias;
        proof::check(&network).map_err(|error| error.to_string())
    };
    with(i32::MAX - sum).unwrap();
    with(-(i32::MAX - sum)).unwrap();
    for bias in [i32::MAX - sum + 1, -(i32::MAX - sum) - 1, i32::MAX, i32::MIN] {
        let error = with(bias).unwrap_err();
        assert!(error.contains("conv") && error.contains("channel 0") && error.contains("2^31"), "{error}");
    }
    let error = refused("weights", |network| {
        let most = ConvWeights::pack(&[i16::MAX; 4 * 32], 4, 4, 8).unwrap();
        // 32 * 32767 * 255 fits; 32 * 32767 * 8191 does not.
        conv(network).body = Body::Conv(*windows(network), most);
        network.inputs[0].step = Some(1.0);
    });
    assert!(error.contains("2^31"), "{error}");
}

#[test]
fn windows_beyond_what_they_read() {
    let last = |change: fn(&mut Windows)| move |network: &mut FixedNetwork| change(windows(network));
    // 5 rows of windows of 4 rows end with the picture; padding of less than a vector may lie beyond.
    for edit in [
        last(|w| w.rows = 6),
        last(|w| w.cols = 2),
        last(|w| w.row_step = 11),
        last(|w| w.row_step = usize::MAX),
        last(|w| w.pitch = 12),
        last(|w| w.pitch = usize::MAX / 2),
        last(|w| w.taps = 5),
        last(|w| w.run = 16),
        last(|w| w.rows = 0),
        last(|w| w.cols = 0),
    ] {
        let error = refused("windows", edit);
        assert!(error.contains("conv") && error.contains("windows within"), "{error}");
    }
}

#[test]
fn buffers_that_come_later_or_never() {
    for reads in [vec![2], vec![3], vec![4], vec![usize::MAX], vec![], vec![0, 2], vec![0, 9]] {
        let error = refused("reads", |network| conv(network).reads = reads);
        assert!(error.contains("conv"), "{error}");
    }
    for reads in [vec![4], vec![usize::MAX], vec![], vec![3, 3], vec![1]] {
        refused("the head's reads", |network| head(network).reads = reads);
    }
}

#[test]
fn places_and_outputs() {
    for places in [vec![0; 64], (1..65).collect(), (0..63).collect(), (0..65).collect()] {
        refused("places of an input", |network| network.inputs[0].places = places);
    }
    for places in [vec![], vec![8], vec![0, u32::MAX]] {
        refused("places of the end", |network| network.finish = Finish::Activations(places));
    }
    let mut network = network();
    network.finish = Finish::Activations(vec![7, 0]);
    proof::check(&network).unwrap();
}

#[test]
fn numbers_that_mean_nothing() {
    for step in [0.0, -1.0, f64::NAN, f64::INFINITY, f64::from_bits(1)] {
        refused("an input's step", |network| network.inputs[1].step = Some(step));
        refused("a layer's step", |network| conv(network).step = step);
        refused("a head's unit", |network| head(network).unit[1] = step);
    }
    refused("a head's weight", |network| head(network).weights[3] = i16::MIN);
    refused("a head's bias", |network| head(network).bias[0] = 1 << 61);
    refused("a bias too many", |network| head(network).bias.push(0));
    refused("a unit too few", |network| head(network).unit.truncate(1));
    refused("a weight too few", |network| head(network).weights.truncate(15));
    refused("no outputs", |network| {
        let head = head(network);
        (head.bias, head.unit, head.weights) = (Vec::new(), Vec::new(), Vec::new());
    });
    refused("a clamp above", |network| conv(network).rescale.high = TOP + 1);
    refused("a clamp below", |network| conv(network).rescale.low = -TOP - 1);
}

/// What the kernels would refuse at every frame is refused once, when it is loaded.
#[test]
fn a_rescale_that_kernels_refuse() {
    refused("a shift of none", |network| conv(network).rescale.shift = 0);
    refused("a shift too far", |network| conv(network).rescale.shift = 63);
    refused("a multiplier below", |network| conv(network).rescale.multiplier[1] = -1);
    refused("a multiplier above", |network| conv(network).rescale.multiplier[1] = 1 << 30);
    refused("a multiplier too few", |network| conv(network).rescale.multiplier.truncate(3));
    refused("a bias too few", |network| conv(network).rescale.bias.truncate(3));
    refused("an empty clamp", |network| (conv(network).rescale.low, conv(network).rescale.high) = (5, 4));
}

/// Weights over what pads a buffer would read what an earlier run, or an earlier layer, left there.
#[test]
fn what_lies_beyond_a_buffer_is_never_another_layers() {
    let mut network = network();
    // A second dense layer of 16 bits over less than the first, with weights on its padding.
    let run = 16;
    let body = Body::Conv(
        Windows { rows: 1, cols: 1, row_step: run, col_step: run, taps: 1, run, pitch: run },
        ConvWeights::pack(&[300; 8 * 16], 8, 1, run).unwrap(),
    );
    let more = Layer { name: "more".to_owned(), reads: vec![1, 1], body, rescale: rescale(8), step: 0.5 };
    network.layers.push(more);
    head(&mut network).reads = vec![4];
    if proof::check(&network).is_err() {
        return;
    }
    // What it reads is 12 ranges and 4 elements that nobody wrote: whatever the first layer joined must not show.
    let mut buffers = Buffers::new(&network);
    let mut run = |grey: f32| {
        let mut scores = [0.0; 2];
        buffers.run(&network, Path::Portable, &[&[grey; 64], &[0.002; 6]], &mut scores).unwrap();
        scores
    };
    assert_eq!(run(0.0), run(255.0));
}

#[test]
fn a_plan_refuses_inputs_that_are_not_the_sensors() {
    let error = Plan::fixed(&[Sensor::Lidar], Arc::new(network()), Path::best()).unwrap_err().to_string();
    assert!(error.contains("the inputs") && error.contains("64, 6"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    /// One byte to eight of them, anywhere in the file.
    #[test]
    fn damaged_bytes_never_panic(
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut damaged = bytes();
        for (at, with) in flips {
            let at = at.index(damaged.len());
            damaged[at] = with;
        }
        bears(&damaged);
    }

    /// Where lengths, windows and places stand: beyond the weights.
    #[test]
    fn flipped_bits_of_what_is_no_weight_never_panic(
        at in any::<prop::sample::Index>(),
        bit in 0..8_u32,
        more in prop::collection::vec(any::<u8>(), 0..9),
    ) {
        let mut damaged = bytes();
        let at = at.index(damaged.len());
        damaged[at] ^= 1 << bit;
        // Continuation bytes make long numbers out of short ones.
        damaged.splice(at..at, more);
        bears(&damaged);
    }
}
