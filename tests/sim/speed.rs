//! How fast the world is. Measured on request and judged by nobody: a busy machine is no defect.

use std::time::Instant;

use hairpin::domain::Size;
use hairpin::sim::lens::Lens;
use hairpin::sim::look::Look;
use hairpin::sim::render::{Renderer, View};
use hairpin::track::Track;
use hairpin::units::Span;

use super::drive::{Driver, drive, small};

/// `cargo test --release --test sim speed -- --ignored --nocapture`
#[test]
#[ignore = "prints figures; see CONTRIBUTING.md"]
fn of_pictures_and_of_the_closed_loop() {
    let track = Track::built_in("hairpin").unwrap();
    for (name, look, lens) in [
        ("drawn", Look::drawn(), Lens::training()),
        ("training", Look::training(), Lens::training()),
        ("hall", Look::event(), Lens::wide()),
    ] {
        let mut renderer = Renderer::new(&track, lens, look);
        let (mut out, mut frame) = (Vec::new(), 0_u32);
        let mut per_second = |size: Size, work: &mut dyn FnMut(&mut Renderer, View, &mut Vec<u8>)| {
            let (begun, first) = (Instant::now(), frame);
            while begun.elapsed().as_millis() < 1_000 {
                let pose = track.at(f64::from(frame) * 0.01);
                let view = View { frame: frame.into(), speed: 1.5, ..View::new(pose, size) };
                work(&mut renderer, view, &mut out);
                frame += 1;
            }
            f64::from(frame - first) / begun.elapsed().as_secs_f64()
        };
        let small = Size { width: 160, height: 120 };
        let gray = per_second(small, &mut |renderer, view, out| renderer.gray(view, out));
        let jpeg = per_second(small, &mut |renderer, view, out| renderer.jpeg(view, out).unwrap());
        let large = per_second(Size { width: 640, height: 480 }, &mut |renderer, view, out| {
            renderer.jpeg(view, out).unwrap();
        });
        println!(
            "{name:<9} grey 160x120 {gray:>7.0}/s   JPEG 160x120 {jpeg:>6.0}/s   JPEG 640x480 {large:>5.0}/s"
        );
    }
    for (name, driver, percent) in
        [("scripted", Driver::Scripted, 50), ("line-follower", Driver::LineFollower, 20)]
    {
        for size in [
            Size { width: 32, height: 32 },
            Size { width: 160, height: 120 },
            Size { width: 640, height: 480 },
        ] {
            let mut staging = small();
            staging.camera.size = size;
            staging.camera.speed_percent = percent;
            staging.until.laps = 100;
            staging.until.time = Span::from_millis(30_000);
            let begun = Instant::now();
            let driven = drive(driver, &track, &staging, false);
            let seconds = begun.elapsed().as_secs_f64();
            let ticks = f64::from(u32::try_from(driven.ticks).unwrap());
            println!(
                "{name:<13} {:>3}x{:<3} {:>6.0} closed-loop steps/s, {:>5.0} simulated seconds a second",
                size.width,
                size.height,
                ticks / seconds,
                30.0 / seconds
            );
        }
    }
}
