//! The camera's size straight to the network's, against the long way round: the same JPEG with a segment in its header
//! that makes it none of the plain ones, so that the library decodes all of it. Both must agree to the bit, and on
//! what is damaged.

use std::cell::Cell;

use hairpin::domain::{Observation, Preparation, Sensor};
use hairpin::vision::{Camera, Damage, VisionError, Workspace, decode};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::{Strategy, any, prop_assert_eq};
use proptest::test_runner::{Config, TestRunner};

use crate::pictures::{bytes, frame, observed, recipe};

/// A private segment (APP15) of two bytes.
const FOREIGN: [u8; 6] = [0xff, 0xef, 0, 4, b'h', b'p'];

fn long_way(jpeg: &[u8]) -> Vec<u8> {
    [&jpeg[..2], &FOREIGN, &jpeg[2..]].concat()
}

/// What the long way says, its positions as they were before the segment.
fn moved_back(error: VisionError) -> VisionError {
    let shift = FOREIGN.len();
    let VisionError::Picture { camera, why } = error else { return error };
    let why = match why {
        Damage::Cut { at, inside } => Damage::Cut { at: at - shift, inside },
        Damage::Segment { marker, at, why } => Damage::Segment { marker, at: at - shift, why },
        Damage::Pixels { at, block, blocks, why } => Damage::Pixels { at: at - shift, block, blocks, why },
        other => other,
    };
    VisionError::Picture { camera, why }
}

fn both_ways(jpeg: &[u8], preparation: Preparation) -> [Result<Observation, VisionError>; 2] {
    let recipe = recipe(Sensor::FrontFacingCamera, preparation);
    let short = observed(&frame(jpeg, None), &recipe).map(|(_, observation)| observation);
    let long = observed(&frame(&long_way(jpeg), None), &recipe).map(|(_, observation)| observation);
    [short, long.map_err(moved_back)]
}

/// How one picture is drawn and coded.
#[derive(Clone, Debug)]
struct Drawn {
    seed: u32,
    /// Of flat 16x16 squares, this many out of 256 are noise instead.
    noise: u32,
    /// Whether levels are 0 and 255 alone.
    harsh: bool,
    gray: bool,
    sampling: usize,
    quality: u8,
    restart: u16,
}

fn drawn() -> impl Strategy<Value = Drawn> {
    let looks = (any::<u32>(), 0..257_u32, any::<bool>(), any::<bool>());
    let coding = (0..6_usize, 1..=100_u8, 0..90_u16);
    (looks, coding).prop_map(|((seed, noise, harsh, gray), (sampling, quality, restart))| Drawn {
        seed,
        noise,
        harsh,
        gray: gray && seed % 4 == 0,
        sampling,
        quality,
        restart: if restart > 45 { 0 } else { restart },
    })
}

impl Drawn {
    fn jpeg(&self) -> Vec<u8> {
        let mut state = self.seed | 1;
        let mut roll = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        let channels = if self.gray { 1 } else { 3 };
        let squares: Vec<u32> = (0..1200).map(|_| roll()).collect();
        let mut pixels = Vec::with_capacity(640 * 480 * channels);
        for y in 0..480 {
            for x in 0..640 {
                let square = squares[y / 16 * 40 + x / 16];
                let colours = if square >> 24 < self.noise { roll() } else { square };
                let levels = colours.to_le_bytes();
                let levels =
                    if self.harsh { levels.map(|level| if level < 128 { 0 } else { 255 }) } else { levels };
                pixels.extend(&levels[..channels]);
            }
        }
        let mut jpeg = vec![];
        let mut encoder = Encoder::new(&mut jpeg, self.quality);
        encoder.set_sampling_factor(match self.sampling {
            0 | 1 => SamplingFactor::F_2_1,
            2 | 3 => SamplingFactor::F_2_2,
            4 => SamplingFactor::F_1_1,
            _ => SamplingFactor::F_1_2,
        });
        if self.restart > 0 {
            encoder.set_restart_interval(self.restart);
        }
        let colours = if self.gray { ColorType::Luma } else { ColorType::Rgb };
        encoder.encode(&pixels, 640, 480, colours).unwrap();
        jpeg
    }
}

fn preparation(number: u8) -> Preparation {
    if number.is_multiple_of(3) { Preparation::Luma } else { Preparation::Stock }
}

#[test]
fn drawn_pictures_come_out_the_same_both_ways() {
    let cases = (drawn(), any::<u8>());
    let run = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(96) }).run(
        &cases,
        |(drawn, number)| {
            let [short, long] = both_ways(&drawn.jpeg(), preparation(number));
            prop_assert_eq!(short.as_ref().map(|_| ()), Ok(()));
            prop_assert_eq!(short, long);
            Ok(())
        },
    );
    run.unwrap();
}

#[test]
fn damage_is_found_the_same_both_ways() {
    let cases = (drawn(), any::<u8>(), proptest::collection::vec((any::<u32>(), any::<u8>()), 1..4), 0..3_u8);
    let outcomes = [Cell::new(0), Cell::new(0)];
    let run = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(160) }).run(
        &cases,
        |(drawn, number, changes, kind)| {
            let mut jpeg = drawn.jpeg();
            let scan = jpeg.windows(2).position(|pair| pair == [0xff, 0xda]).unwrap();
            for (place, value) in changes {
                let place = place as usize;
                match kind {
                    // Larger or smaller steps: coefficients up to what is possible, and beyond.
                    0 => {
                        let table = jpeg.windows(2).position(|pair| pair == [0xff, 0xdb]).unwrap() + 5;
                        jpeg[table + place % 64] = value.max(1);
                    }
                    1 => {
                        let at = scan + 14 + place % (jpeg.len() - scan - 16);
                        jpeg[at] ^= 1 << (value % 8);
                    }
                    _ => {
                        let at = 2 + place % (jpeg.len() - 2);
                        jpeg[at] = value;
                    }
                }
            }
            let [short, long] = both_ways(&jpeg, preparation(number));
            let count = &outcomes[usize::from(short.is_ok())];
            count.set(count.get() + 1);
            prop_assert_eq!(short, long);
            Ok(())
        },
    );
    run.unwrap();
    let [refused, accepted] = outcomes.map(Cell::into_inner);
    println!("{refused} refused, {accepted} accepted, both ways alike");
    assert!(refused > 10 && accepted > 10);
}

/// A JPEG by hand, whose blocks are 63 numbers of 10 bits behind an unchanged mean, the most that is let through: with a
/// step of 2 their transform wraps around 32 bits. `sampling` of the brightness, or none for grey.
fn extreme(sampling: Option<u8>, step: u8, seed: u64) -> Vec<u8> {
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    jpeg.extend([step; 64]);
    let (count, blocks) =
        sampling.map_or((1_u8, 4800), |of| (3, 4800 + 9600 / u32::from((of >> 4) * (of & 15))));
    jpeg.extend([0xff, 0xc0, 0, 8 + 3 * count, 8, 1, 224, 2, 128, count]);
    for id in 1..=count {
        jpeg.extend([id, if id == 1 { sampling.unwrap_or(0x11) } else { 0x11 }, 0]);
    }
    // One code each, of one bit: no difference, and no zeros before a number of 10 bits.
    for (target, value) in [(0x00, 0x00), (0x10, 0x0a)] {
        jpeg.extend([0xff, 0xc4, 0, 20, target, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, value]);
    }
    jpeg.extend([0xff, 0xda, 0, 6 + 2 * count, count]);
    for id in 1..=count {
        jpeg.extend([id, 0]);
    }
    jpeg.extend([0, 63, 0]);
    let (mut bits, mut held, mut state) = (0_u64, 0, seed);
    let mut put = |value: u64, length: u32, jpeg: &mut Vec<u8>| {
        (bits, held) = (bits << length | value, held + length);
        while held >= 8 {
            held -= 8;
            let byte = (bits >> held & 0xff) as u8;
            jpeg.push(byte);
            if byte == 0xff {
                jpeg.push(0);
            }
        }
    };
    for block in 0..blocks {
        put(0, 1, &mut jpeg);
        for _ in 0..63 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let number = state >> 54;
            // Every third block is of the two ends alone.
            put(
                if block % 3 > 0 {
                    number
                } else if number > 511 {
                    1023
                } else {
                    0
                },
                11,
                &mut jpeg,
            );
        }
    }
    put(0x7f, 7, &mut jpeg);
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

#[test]
fn the_largest_coefficients_that_are_let_through_come_out_the_same() {
    for (sampling, step) in
        [(None, 2), (None, 1), (Some(0x11), 2), (Some(0x21), 2), (Some(0x22), 2), (Some(0x22), 1)]
    {
        for preparation in [Preparation::Stock, Preparation::Luma] {
            let [short, long] = both_ways(&extreme(sampling, step, u64::from(step)), preparation);
            assert!(short.is_ok(), "{short:?}");
            assert_eq!(short, long, "{sampling:?} {step}");
        }
    }
}

#[test]
fn two_cameras_come_out_the_same_both_ways() {
    let (left, right) = (bytes("640x480.jpg"), bytes("320x240.jpg"));
    let stereo = recipe(Sensor::StereoCameras, Preparation::Stock);
    for [left, right] in [[&left, &right], [&right, &left], [&left, &left]] {
        let short = observed(&frame(left, Some(right)), &stereo).unwrap();
        let long = observed(&frame(&long_way(left), Some(&long_way(right))), &stereo).unwrap();
        assert_eq!(short, long);
    }
}

#[test]
fn training_s_recipe_still_leaves_all_colours() {
    let jpeg = bytes("640x480.jpg");
    let mut workspace = Workspace::new();
    let trained = recipe(Sensor::FrontFacingCamera, Preparation::AsTrained);
    decode(&frame(&jpeg, None), &trained, &mut workspace).unwrap();
    assert_eq!(workspace.colours(Camera::Left).pixels().len(), 640 * 480 * 3);
}
