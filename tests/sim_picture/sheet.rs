//! For people: frames per second, and a sheet of simulated pictures beside filmed ones.

use hairpin::sim::lens::Lens;
use hairpin::sim::look::Look;
use hairpin::sim::render::{Renderer, View};

use super::{SMALL, VGA, decoded, gray, rgb, scene, track};

/// Seconds that this thread has computed.
fn computed() -> f64 {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// Frames per second of one core's time.
#[test]
#[ignore = "a benchmark: cargo test --release --test sim_picture -- --ignored --nocapture speed"]
fn speed() {
    let track = track("hairpin");
    for (name, lens, look) in [
        ("training", Lens::training(), Look::training()),
        ("event", Lens::wide(), Look::event()),
        ("drawn", Lens::training(), Look::drawn()),
    ] {
        let began = computed();
        let mut renderer = Renderer::new(&track, lens, look);
        println!("{name}: made in {:.0} ms", (computed() - began) * 1e3);
        let mut out = Vec::new();
        for (what, size, count) in [("gray", SMALL, 4000), ("rgb", VGA, 100), ("jpeg", VGA, 100)] {
            let mut take = |n: u32| {
                let arc = track.length() * f64::from(n) / f64::from(count);
                let view = View { frame: u64::from(n), ..View::new(track.at(arc), size) };
                match what {
                    "gray" => renderer.gray(view, &mut out),
                    "rgb" => renderer.rgb(view, &mut out),
                    _ => renderer.jpeg(view, &mut out).unwrap(),
                }
            };
            take(0);
            let began = computed();
            (0..count).for_each(&mut take);
            let each = (computed() - began) / f64::from(count);
            println!(
                "  {what} {}x{}: {:.0}/s, {:.0} µs each",
                size.width,
                size.height,
                1.0 / each,
                each * 1e6
            );
        }
    }
}

/// Cells of the contact sheet: 160x120, drawn twice as large.
const CELLS: usize = 4;

/// Pastes one 160x120 colour picture into row `line`, column `at` of the sheet.
fn paste(sheet: &mut image::RgbImage, line: usize, at: usize, pixels: &[u8]) {
    for (n, pixel) in pixels.chunks_exact(3).take(160 * 120).enumerate() {
        let (x, y) = ((at * 328 + n % 160 * 2) as u32, (line * 248 + n / 160 * 2) as u32);
        for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            sheet.put_pixel(x + dx, y + dy, image::Rgb([pixel[0], pixel[1], pixel[2]]));
        }
    }
}

/// A grey picture in colour.
fn tripled(pixels: &[u8]) -> Vec<u8> {
    pixels.iter().flat_map(|value| [*value; 3]).collect()
}

/// 640x480 to 160x120 by the mean of 4x4.
fn quarter(pixels: &[u8]) -> Vec<u8> {
    let part = |at: usize| {
        let (column, row, channel) = (at / 3 % 160, at / 480, at % 3);
        let sum: u32 = (0..16)
            .map(|n| u32::from(pixels[((row * 4 + n / 4) * 640 + column * 4 + n % 4) * 3 + channel]))
            .sum();
        (sum / 16) as u8
    };
    (0..160 * 120 * 3).map(part).collect()
}

/// Rows of two: what was filmed, drawn by AWS or drawn for the bundled tape, and below it what the simulated camera
/// sees. Real pictures are left out where `../shared/data` is absent.
#[test]
#[ignore = "writes target/sim-sheet.png (or HAIRPIN_SHEET), to be looked at"]
fn contact_sheet() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let recordings = root.join("../shared/data/recordings");
    let mut sheet = image::RgbImage::from_pixel(328 * CELLS as u32 - 8, 248 * 6 - 8, image::Rgb([255; 3]));
    for (at, frame) in [0, 40, 60, 90].into_iter().enumerate() {
        let path = recordings.join(format!("real-car-deepracer-160x120-larsll/frames/{frame:06}.jpg"));
        match std::fs::read(&path) {
            Ok(bytes) => paste(&mut sheet, 0, at, &decoded(&bytes, 160 * 120)),
            Err(_) => println!("no {}: its cell stays white", path.display()),
        }
    }
    let names = [
        "front_facing_camera.state",
        "front_facing_camera_lidar.next_state",
        "front_facing_camera.next_state",
    ];
    for (at, name) in names.into_iter().enumerate() {
        let path =
            recordings.join(format!("aws-model-validation-observations/{name}.FRONT_FACING_CAMERA.npy"));
        match std::fs::read(&path) {
            Ok(bytes) => paste(&mut sheet, 2, at, &tripled(&bytes[bytes.len() - 160 * 120..])),
            Err(_) => println!("no {}: its cell stays white", path.display()),
        }
    }
    let (hairpin, bean) = (track("hairpin"), track("bean"));
    for (line, lens, look, grey) in [
        (1, Lens::wide(), Look::event(), false),
        (3, Lens::training(), Look::training(), true),
        (5, Lens::training(), Look::drawn(), false),
    ] {
        for (at, (track, arc, aside)) in
            [(&hairpin, 0.0, 0.0), (&hairpin, 6.6, -0.1), (&bean, 2.0, 0.15), (&bean, 7.0, 0.0)]
                .into_iter()
                .enumerate()
        {
            let mut renderer = Renderer::new(track, lens, look);
            let mut pose = track.at(arc);
            pose.at.x -= aside * libm::sin(pose.heading);
            pose.at.y += aside * libm::cos(pose.heading);
            let view = View { speed: 1.0, frame: at as u64, ..View::new(pose, VGA) };
            let pixels = if grey {
                tripled(&gray(&mut renderer, View { size: SMALL, ..view }))
            } else {
                quarter(&rgb(&mut renderer, view))
            };
            paste(&mut sheet, line, at, &pixels);
        }
    }
    for at in 0..CELLS as u32 {
        paste(&mut sheet, 4, at as usize, &quarter(&scene::picture(f64::from(at) * 0.6, at)));
    }
    let path = std::env::var_os("HAIRPIN_SHEET").map_or(root.join("target/sim-sheet.png"), Into::into);
    sheet.save(&path).unwrap();
    println!("{}", path.display());
}
