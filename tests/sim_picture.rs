//! The simulated camera: borders where an independent pinhole says, the same bytes in every build, no allocation per
//! frame, noise, blur, exposure, stereo and boxes by their numbers. `cargo test --release --test sim_picture --
//! --ignored --nocapture` prints frames per second and writes the contact sheet.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    missing_docs,
    unsafe_code,
    reason = "a test may stop at the first surprise; a counting allocator is unsafe by its trait"
)]

#[path = "sim_picture/camera.rs"]
mod camera;
#[path = "sim_picture/geometry.rs"]
mod geometry;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "support/scene.rs"]
mod scene;
#[path = "sim_picture/sheet.rs"]
mod sheet;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use hairpin::domain::{Digest, Size};
use hairpin::sim::lens::Lens;
use hairpin::sim::look::{Background, Camera, Ink, Look};
use hairpin::sim::obstacle::Obstacle;
use hairpin::sim::render::{Eye, Renderer, View};
use hairpin::sim::seed::Seed;
use hairpin::track::{BUILT_IN, Point, Pose, Track};

const VGA: Size = Size { width: 640, height: 480 };
const SMALL: Size = Size { width: 160, height: 120 };

thread_local! {
    static COUNT: Cell<u64> = const { Cell::new(0) };
}

struct Counting;

// SAFETY: every call is the system allocator's own; counting touches a thread-local cell that needs no allocation.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.with(|count| count.set(count.get() + 1));
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocations(mut work: impl FnMut()) -> u64 {
    let before = COUNT.with(Cell::get);
    work();
    COUNT.with(Cell::get) - before
}

fn track(name: &str) -> Track {
    Track::built_in(name).unwrap()
}

const fn flat(colour: [u8; 3]) -> Ink {
    Ink { colour, grain: 0.0 }
}

/// A camera that adds nothing.
const fn perfect() -> Camera {
    Look::training().camera
}

/// Black field, white borders, grey road, nothing else.
fn plain() -> Look {
    let mut look = Look::drawn();
    (look.road, look.field, look.white) = (flat([100; 3]), flat([0; 3]), flat([200; 3]));
    (look.camera, look.squares, look.paint.dash_length, look.paint.border) = (perfect(), 0.0, 0.0, 0.06);
    look.background = Background::Sky([0; 3], [0; 3]);
    look
}

/// A pose on the road, a little beside the line and a little turned.
fn pose(track: &Track, dice: &mut Seed) -> Pose {
    let mut pose = track.at(track.length() * dice.unit());
    let (aside, turned) = (0.4 * dice.unit() - 0.2, 0.6 * dice.unit() - 0.3);
    pose.at.x -= aside * libm::sin(pose.heading);
    pose.at.y += aside * libm::cos(pose.heading);
    pose.heading += turned;
    pose
}

fn gray(renderer: &mut Renderer, view: View) -> Vec<u8> {
    let mut out = Vec::new();
    renderer.gray(view, &mut out);
    assert_eq!(out.len(), (view.size.width * view.size.height) as usize);
    out
}

fn rgb(renderer: &mut Renderer, view: View) -> Vec<u8> {
    let mut out = Vec::new();
    renderer.rgb(view, &mut out);
    assert_eq!(out.len(), (view.size.width * view.size.height * 3) as usize);
    out
}

/// Pinned: debug and release builds and every machine make these bytes.
#[test]
fn fifty_frames_have_one_digest() {
    let mut dice = Seed::new(7);
    let mut all = Vec::new();
    let mut out = Vec::new();
    for (n, name) in BUILT_IN.iter().enumerate() {
        let track = track(name);
        let lens = [Lens::training(), Lens::wide(), Lens::observed(), Lens::wide()][n];
        let look = [Look::training(), Look::event(), Look::drawn(), Look::event().varied(5)][n];
        let mut renderer = Renderer::new(&track, lens, look);
        renderer.set_obstacles(&[Obstacle::cardboard(track.at(1.0))]);
        for frame in 0..12 {
            let (speed, turning) = (3.0 * dice.unit(), 4.0 * dice.unit() - 2.0);
            let eye = [Eye::Only, Eye::Left, Eye::Right][frame as usize % 3];
            let view = View { pose: pose(&track, &mut dice), size: SMALL, frame, speed, turning, eye };
            renderer.gray(view, &mut out);
            all.extend_from_slice(&out);
        }
        let view = View { speed: 1.0, ..View::new(pose(&track, &mut dice), VGA) };
        if n < 2 {
            renderer.jpeg(view, &mut out).unwrap();
            all.extend_from_slice(&out);
        }
    }
    let digest = Digest::of(&all).to_string();
    assert_eq!(
        digest, DIGEST,
        "the bytes of the simulated camera have changed: a format break for every simulated tape"
    );
}

const DIGEST: &str = "5784144dc2f048b1854fb1c1e779ee6897b17866e12b57297f981e0c268df563";

#[test]
fn the_same_view_gives_the_same_bytes_and_another_frame_another_noise() {
    let track = track("bean");
    let mut renderer = Renderer::new(&track, Lens::wide(), Look::event());
    let view = View { speed: 1.2, turning: 0.4, ..View::new(track.at(2.0), SMALL) };
    let first = gray(&mut renderer, view);
    let other_size = rgb(&mut renderer, View { size: VGA, ..view });
    assert_eq!(first, gray(&mut renderer, view), "what was drawn in between shows");
    assert_eq!(first, gray(&mut Renderer::new(&track, Lens::wide(), Look::event()), view));
    assert_ne!(first, gray(&mut renderer, View { frame: 1, ..view }));
    assert_ne!(
        other_size,
        rgb(&mut Renderer::new(&track, Lens::wide(), Look::event().seeded(2)), View { size: VGA, ..view })
    );
}

#[test]
fn a_frame_allocates_nothing_once_its_size_is_known() {
    let track = track("hairpin");
    let mut renderer = Renderer::new(&track, Lens::wide(), Look::event());
    renderer.set_obstacles(&[Obstacle::cardboard(track.at(3.0)), Obstacle::cardboard(track.at(5.0))]);
    let mut out = Vec::new();
    for (what, size) in [("gray", SMALL), ("rgb", VGA), ("jpeg", VGA)] {
        let mut take = |n: u32| {
            let view =
                View { speed: 1.0, frame: u64::from(n), ..View::new(track.at(f64::from(n) * 0.5), size) };
            match what {
                "gray" => renderer.gray(view, &mut out),
                "rgb" => renderer.rgb(view, &mut out),
                _ => renderer.jpeg(view, &mut out).unwrap(),
            }
        };
        take(0);
        take(1);
        let counted = allocations(|| (2..8).for_each(&mut take));
        println!("{what}: {counted} allocations in 6 frames");
        // The JPEG encoder's own buffers and tables.
        assert!(
            counted == 0 || (what == "jpeg" && counted <= 6 * 16),
            "{what}: {counted} allocations in 6 frames"
        );
    }
}

#[test]
fn grey_is_the_luma_of_colour() {
    let track = track("chicane");
    let mut look = Look::event();
    (look.camera.noise, look.camera.shot, look.camera.exposure) = (0.0, 0.0, 0.8);
    let mut renderer = Renderer::new(&track, Lens::wide(), look);
    renderer.set_obstacles(&[Obstacle::cardboard(track.at(2.5))]);
    let view = View { speed: 1.0, ..View::new(track.at(1.6), SMALL) };
    let (grey, colour) = (gray(&mut renderer, view), rgb(&mut renderer, view));
    for (grey, colour) in grey.iter().zip(colour.chunks_exact(3)) {
        if colour.iter().all(|part| *part < 255 && *part > 0) {
            let luma =
                0.299 * f64::from(colour[0]) + 0.587 * f64::from(colour[1]) + 0.114 * f64::from(colour[2]);
            assert!((f64::from(*grey) - luma).abs() <= 1.01, "{grey} of {colour:?}");
        }
    }
}

/// Wherever the car ends up, there is a picture.
#[test]
fn no_place_and_no_size_stops_the_camera() {
    let track = track("oval");
    for look in [Look::training(), Look::event(), Look::drawn()] {
        let mut renderer = Renderer::new(&track, Lens::wide(), look);
        for (x, y, heading) in [
            (0.0, 0.0, 1e9),
            (100.0, -1e7, 2.0),
            (f64::NAN, 0.0, 0.0),
            (f64::INFINITY, 1.0, f64::NAN),
            (-3.0, 2.0, -50.0),
        ] {
            for (width, height) in [(160, 120), (1, 1), (7, 3), (0, 9), (9, 0)] {
                let size = Size { width, height };
                let view = View {
                    speed: 1e3,
                    turning: -1e3,
                    ..View::new(Pose { at: Point::new(x, y), heading }, size)
                };
                gray(&mut renderer, view);
                rgb(&mut renderer, view);
            }
        }
    }
}

/// Roads of a size that 2 cm would fill the memory with are measured more coarsely, and are roads still.
#[test]
fn a_huge_track_is_seen() {
    let ring = |radius: f64| -> Vec<Point> {
        (0..720)
            .map(|n| libm::sincos(f64::from(n).to_radians() / 2.0))
            .map(|(s, c)| Point::new(radius * c, radius * s))
            .collect()
    };
    let track = Track::new("huge", ring(150.0), ring(149.5), ring(150.5)).unwrap();
    let mut renderer = Renderer::new(&track, Lens::training(), plain());
    let picture = gray(&mut renderer, View::new(track.at(40.0), SMALL));
    let row = &picture[45 * 160..46 * 160];
    assert_eq!(row[80], 100, "the middle is road");
    assert!(
        row[..60].iter().any(|value| *value > 150) && row[100..].iter().any(|value| *value > 150),
        "{row:?}"
    );
}

#[test]
fn a_varied_look_differs_by_its_seed_alone() {
    let look = Look::training();
    assert_eq!(look.varied(3), look.varied(3));
    assert_ne!(look.varied(3), look.varied(4));
    let luma = |look: Look| f64::from(look.road.colour[1]);
    let spread = mean((0..200).map(|seed| (luma(look.varied(seed)) - luma(look)).abs()));
    assert!((8.0..25.0).contains(&spread), "roads stray by {spread} in the mean");
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (count, sum) = values.fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    sum / count
}

fn decoded(bytes: &[u8], pixels: usize) -> Vec<u8> {
    let mut decoder = zune_jpeg::JpegDecoder::new(zune_core::bytestream::ZCursor::new(bytes));
    let decoded = decoder.decode().unwrap();
    assert_eq!(decoded.len(), pixels * 3);
    decoded
}
