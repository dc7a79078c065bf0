//! Fixed point beside `f32` on the bundled model and on the graphs of `../shared/data`: calibrated on simulated frames alone, as
//! an import does, compared on every frame that is there and on simulated ones. Says what was seen; skips where the folder is
//! absent.

use std::io::Write;
use std::path::{Path, PathBuf};

use hairpin::config::metadata;
use hairpin::domain::{
    Frame, FrameSeq, Observation, Picture, PixelFormat, Preparation, Recipe, Sensor, Size,
};
use hairpin::policy::kernels::Path as Instructions;
use hairpin::policy::{NetworkKind, Policy};
use hairpin::sim::lens::Lens;
use hairpin::sim::lidar::Lidar;
use hairpin::sim::look::Look;
use hairpin::sim::render::{Eye, Renderer, View};
use hairpin::track::{BUILT_IN, Point, Pose, Track};
use hairpin::units::Instant;
use hairpin::vision::{self, Workspace};

use crate::made::{first_largest, make, typed};

/// The largest difference of a score that an import accepts.
const BOUND: f32 = 0.02;
/// Of so many frames, fewer than one may change its action.
const FRAMES_PER_CHANGE: usize = 1000;
/// No action may change where the float network's best two scores are further apart than this: a quarter of the bound. (Twice
/// the bound would follow from the bound itself and show nothing.)
const SURE: f32 = BOUND / 4.0;
/// A continuous action is another one where it differs by this share of full lock or speed, as at import.
const OTHER: f32 = 0.01;

fn data() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if path.is_dir() {
        return Some(path);
    }
    // Straight to the stream: the harness swallows what the macros print.
    let why = format!("skipped: {} is absent\n", path.display());
    std::io::stderr().write_all(why.as_bytes()).unwrap();
    None
}

/// The payload of a version 1 `.npy`, whose numbers are as wide as its name says nothing of: 1, 4 or 8 bytes.
fn npy(path: &Path) -> Vec<f32> {
    let bytes = std::fs::read(path).unwrap();
    assert_eq!(&bytes[..6], b"\x93NUMPY");
    let header = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let (words, payload) = bytes[10..].split_at(header);
    let words = std::str::from_utf8(words).unwrap();
    if words.contains("|u1") {
        payload.iter().map(|grey| f32::from(*grey)).collect()
    } else if words.contains("<f4") {
        payload.chunks_exact(4).map(|four| f32::from_le_bytes(four.try_into().unwrap())).collect()
    } else {
        assert!(words.contains("<f8"), "{words}");
        let wide = payload.chunks_exact(8).map(|eight| f64::from_le_bytes(eight.try_into().unwrap()));
        #[expect(clippy::cast_possible_truncation, reason = "sensors are f32")]
        wide.map(|x| x as f32).collect()
    }
}

/// Along the built-in tracks, off the line and turned, in three looks.
fn simulated(recipe: &Recipe, each: u32) -> Vec<Observation> {
    let looks = [
        (Look::training(), Lens::training()),
        (Look::drawn(), Lens::training()),
        (Look::event(), Lens::wide()),
    ];
    let mut observations = Vec::new();
    let mut state = 0x1234_5677_u32;
    let mut swing = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    let size = Size { width: 160, height: 120 };
    for track in BUILT_IN.iter().filter_map(|name| Track::built_in(name)) {
        for (seed, (look, lens)) in (50_u64..).zip(looks) {
            let mut renderer = Renderer::new(&track, lens, look.varied(seed));
            for number in 0..each {
                let on = track.at(f64::midpoint(swing(), 1.0) * track.length());
                let offset = 0.3 * track.mean_width() * swing();
                let (sin, cos) = on.heading.sin_cos();
                let at = Point::new(on.at.x - sin * offset, on.at.y + cos * offset);
                let pose = Pose { at, heading: on.heading + 0.4 * swing() };
                let eyes: &[Eye] =
                    if recipe.channels() == 2 { &[Eye::Left, Eye::Right] } else { &[Eye::Only] };
                let mut camera = vec![0.0; 19_200 * eyes.len()];
                let mut pixels = Vec::new();
                for (channel, eye) in eyes.iter().enumerate() {
                    let view = View { frame: number.into(), eye: *eye, ..View::new(pose, size) };
                    renderer.gray(view, &mut pixels);
                    let places = camera.iter_mut().skip(channel).step_by(eyes.len());
                    places.zip(&pixels).for_each(|(place, grey)| *place = f32::from(*grey));
                }
                let ranges = if recipe.ranges() == 64 {
                    Lidar::car(seed).scan(pose, renderer.obstacles(), number.into()).to_vec()
                } else {
                    Vec::new()
                };
                observations.push(Observation { camera, channels: eyes.len(), ranges });
            }
        }
    }
    observations
}

/// Pictures of a folder as the car would feed them, in both ways that pictures are prepared.
fn pictures(folder: &Path, recipe: &Recipe) -> Vec<Observation> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "jpg"))
        .collect();
    files.sort();
    let mut workspace = Workspace::new();
    let mut observations = Vec::new();
    for (number, file) in files.iter().enumerate() {
        let bytes = std::fs::read(file).unwrap();
        let picture = Picture { format: PixelFormat::Mjpeg, bytes: &bytes };
        let right = (recipe.channels() == 2).then_some(picture);
        let ranges = vec![0.5; recipe.ranges()];
        let seq = FrameSeq(u64::try_from(number).unwrap());
        let frame = Frame { seq, captured_at: Instant(0), left: picture, right, ranges: &ranges };
        let preparation = if number % 2 == 0 { Preparation::Stock } else { Preparation::AsTrained };
        let recipe = Recipe { preparation, ..recipe.clone() };
        let mut observation = Observation::default();
        if vision::prepare(&frame, &recipe, &mut workspace, &mut observation).is_ok() {
            observations.push(observation);
        }
    }
    observations
}

/// Every frame of the folder that the recipe's sensors can be fed with, by where it is from.
fn recorded(data: &Path, recipe: &Recipe) -> Vec<(&'static str, Vec<Observation>)> {
    let golden = data.join("golden");
    let is_stereo = recipe.channels() == 2;
    let (camera, channels) =
        if is_stereo { ("inputs_stereo_u8.npy", 2) } else { ("inputs_real_larsll_gray_u8.npy", 1) };
    let lidar = npy(&golden.join("inputs_lidar64_f32.npy"));
    let feed = |camera: &[f32], ranges: &[f32]| Observation {
        camera: camera.to_vec(),
        channels,
        ranges: ranges[..recipe.ranges()].to_vec(),
    };
    let greys = npy(&golden.join(camera));
    let first = greys.chunks_exact(19_200 * channels).zip(lidar.chunks_exact(64).cycle());
    let first = first.map(|(camera, ranges)| feed(camera, ranges)).collect();
    let aws = data.join("recordings/aws-model-validation-observations");
    let names: &[&str] = if is_stereo {
        &["stereo_cameras", "stereo_cameras_lidar"]
    } else {
        &["front_facing_camera", "front_facing_camera_lidar"]
    };
    let mut trained = Vec::new();
    for name in names {
        for state in ["state", "next_state"] {
            let sensor = if is_stereo { "STEREO_CAMERAS" } else { "FRONT_FACING_CAMERA" };
            let camera = npy(&aws.join(format!("{name}.{state}.{sensor}.npy")));
            let ranges = aws.join(format!("{name}.{state}.LIDAR.npy"));
            let ranges = if recipe.ranges() > 0 { npy(&ranges) } else { Vec::new() };
            trained.push(feed(&camera, &ranges));
        }
    }
    let recordings = data.join("recordings");
    vec![
        ("golden", first),
        ("AWS", trained),
        ("real car", pictures(&recordings.join("real-car-deepracer-160x120-larsll/frames"), recipe)),
        ("tub", pictures(&recordings.join("donkeycar-tub-v2-160x120/tub/images"), recipe)),
    ]
}

/// Frames, changed actions, and the largest difference.
#[derive(Default)]
struct Seen {
    frames: usize,
    changed: usize,
    worst: f32,
    /// The largest lead of an action that lost it.
    lead: f32,
}

fn lead(scores: &[f32]) -> f32 {
    let best = first_largest(scores);
    let rest = scores.iter().enumerate().filter(|(at, _)| *at != best).map(|(_, score)| *score);
    scores[best] - rest.fold(f32::MIN, f32::max)
}

fn compare(name: &str, folder: &Path, data: Option<&Path>) -> Seen {
    let network = std::fs::read(folder.join("model.pb")).unwrap();
    let words = std::fs::read(folder.join("model_metadata.json")).unwrap();
    let metadata = metadata::read("model_metadata.json", &words).unwrap();
    let is_discrete = !words.windows(10).any(|word| word == b"continuous");
    let sensors: &[Sensor] = &metadata.sensors;
    let read = typed(NetworkKind::FrozenTensorflow, &network, sensors, metadata.space.outputs());
    let recipe = read.1.clone();
    let made = make(read, &simulated(&recipe, 4));
    assert!(made.is_whole(), "{name}: {:?} stay in f32", made.kept);
    let mut float = made.typed.clone().plan().unwrap();
    let mut fixed = made.plan(Instructions::best());
    let mut frames = data.map(|data| recorded(data, &recipe)).unwrap_or_default();
    frames.push(("simulated", simulated(&recipe, 24)));
    let mut seen = Seen::default();
    for (from, observations) in &frames {
        let (mut changed, mut worst) = (0, 0.0_f32);
        for observation in observations {
            let (one, other) = (fixed.infer(observation).unwrap(), float.infer(observation).unwrap());
            let differences = one.values().iter().zip(other.values()).map(|(a, b)| (a - b).abs());
            worst = differences.fold(worst, f32::max);
            let is_other = if is_discrete {
                first_largest(one.values()) != first_largest(other.values())
            } else {
                let clamped = |x: &f32| x.clamp(-1.0, 1.0);
                one.values().iter().zip(other.values()).any(|(a, b)| (clamped(a) - clamped(b)).abs() > OTHER)
            };
            if is_other {
                changed += 1;
                seen.lead = seen.lead.max(if is_discrete { lead(other.values()) } else { 0.0 });
            }
        }
        println!(
            "{name}, {from}: {} frames, scores within {worst:.6}, {changed} actions changed",
            observations.len()
        );
        seen.frames += observations.len();
        seen.changed += changed;
        seen.worst = seen.worst.max(worst);
    }
    println!(
        "{name}: {} frames, scores within {:.6}, {} actions changed, the surest by a lead of {:.6}",
        seen.frames, seen.worst, seen.changed, seen.lead
    );
    assert!(seen.worst <= BOUND, "{name}: scores differ by {}", seen.worst);
    assert!(seen.lead <= SURE, "{name}: an action with a lead of {} changed", seen.lead);
    seen
}

#[test]
fn the_bundled_model() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/line-follower");
    let data = data();
    let seen = compare("line-follower", &folder, data.as_deref());
    assert!(seen.changed * FRAMES_PER_CHANGE < seen.frames, "{} of {}", seen.changed, seen.frames);
}

#[test]
fn the_graphs_of_the_shared_folder() {
    let Some(data) = data() else { return };
    let mut all = Seen::default();
    for name in [
        "graph-console-tf1-ppo-discrete10-front",
        "graph-tf2-ppo-discrete5-stereo-lidar",
        "graph-tf2-sac-continuous-front",
    ] {
        let seen = compare(name, &data.join("models").join(name), Some(&data));
        (all.frames, all.changed) = (all.frames + seen.frames, all.changed + seen.changed);
    }
    println!("all: {} frames, {} actions changed", all.frames, all.changed);
    assert!(all.frames > 4000, "only {} frames", all.frames);
    assert!(all.changed * FRAMES_PER_CHANGE < all.frames, "{} of {}", all.changed, all.frames);
}
