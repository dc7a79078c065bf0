//! What the camera adds: noise, blur, exposure, vignette, JPEG.

use hairpin::domain::Size;
use hairpin::sim::lens::Lens;
use hairpin::sim::look::{Background, Look};
use hairpin::sim::render::{Eye, RenderError, Renderer, View};
use hairpin::track::Track;

use super::{SMALL, VGA, decoded, flat, gray, mean, plain, rgb, track};

/// Flat ground everywhere, so that what varies is noise.
#[test]
fn noise_has_the_deviation_that_is_asked_for() {
    let track = track("oval");
    for (level, noise, shot) in [(100_u8, 4.0, 0.0), (100, 0.0, 6.0), (200, 3.0, 4.0)] {
        let mut look = plain();
        (look.road, look.field, look.white) = (flat([level; 3]), flat([level; 3]), flat([level; 3]));
        look.background = Background::Sky([level; 3], [level; 3]);
        (look.camera.noise, look.camera.shot) = (noise, shot);
        let mut renderer = Renderer::new(&track, Lens::training(), look);
        let views = [0, 1].map(|frame| View { frame, ..View::new(track.at(1.0), VGA) });
        let right = View { eye: Eye::Right, ..views[0] };
        let [one, two, right] = [views[0], views[1], right].map(|view| {
            gray(&mut renderer, view)
                .into_iter()
                .map(|value| f64::from(value) - f64::from(level))
                .collect::<Vec<_>>()
        });
        // Rounding to whole numbers adds a twelfth.
        let wanted = (noise * noise + shot * shot * f64::from(level) / 255.0 + 1.0 / 12.0_f64).sqrt();
        let found = mean(one.iter().map(|value| value * value)).sqrt();
        assert!(
            mean(one.iter().copied()).abs() < 0.05 && (found / wanted - 1.0).abs() < 0.02,
            "{found}, wanted {wanted}"
        );
        let alike = |a: &[f64], b: &[f64]| mean(a.iter().zip(b).map(|(a, b)| a * b)) / (found * found);
        for share in
            [alike(&one, &two), alike(&one, &right), alike(&one, &one[1..]), alike(&one, &one[640..])]
        {
            assert!(share.abs() < 0.02, "correlation {share}");
        }
    }
}

/// A road that is all dash on one half of every period: the first edge ahead, across the car's way.
#[test]
fn motion_blurs_an_edge_by_the_way_driven() {
    let track = Track::built_in("oval").unwrap();
    let mut look = plain();
    (look.paint.dash, look.paint.dash_length, look.paint.gap) = (0.10, 0.25, 0.25);
    look.dashes = flat([200; 3]);
    look.camera.shutter = 0.010;
    let mut renderer = Renderer::new(&track, Lens::training(), look);
    // The straightest half metre of the lap.
    let turn = |arc: f64| {
        track.place(track.at(arc).at).curvature.abs() + track.place(track.at(arc + 0.6).at).curvature.abs()
    };
    let arcs = (0..200).map(|n| f64::from(n) * track.length() / 200.0);
    let pose = track.at(arcs.min_by(|a, b| turn(*a).total_cmp(&turn(*b))).unwrap());
    let length = |speed: f64, renderer: &mut Renderer| {
        let picture = gray(renderer, View { speed, ..View::new(pose, VGA) });
        let column: Vec<f64> = (0..480).map(|row| f64::from(picture[row * 640 + 320])).collect();
        // The lowest full edge: from 10 % to 90 % between road (100) and dash (200).
        let lowest =
            (255..470).rev().find(|row| (column[*row] - 150.0) * (column[row - 1] - 150.0) < 0.0).unwrap();
        let part = |share: f64| {
            let level = 100.0 + 100.0 * share;
            let rows = lowest.saturating_sub(60)..(lowest + 60).min(478);
            rows.clone()
                .find(|row| (column[*row] - level) * (column[row + 1] - level) <= 0.0)
                .map_or(0.0, |row| row as f64 + (level - column[row]) / (column[row + 1] - column[row]))
        };
        (lowest as f64, (part(0.9) - part(0.1)).abs())
    };
    let (_, still) = length(0.0, &mut renderer);
    let (row, moving) = length(2.0, &mut renderer);
    // 20 mm of ground at that row, by the pinhole: distance d = h (cos - y sin) / (sin + y cos).
    let far = |v: f64| {
        let y = (v - 240.0) / (320.0 / (1.13_f64 / 2.0).tan());
        let (s, c) = (15.0_f64.to_radians().sin(), 15.0_f64.to_radians().cos());
        0.13 * (c - y * s) / (s + y * c)
    };
    let per_pixel = (far(row - 10.0) - far(row + 10.0)) / 20.0;
    let wanted = 0.8 * 0.020 / per_pixel;
    println!("edge at row {row}: still {still:.1} px, at 2 m/s {moving:.1} px, wanted {wanted:.1} px");
    assert!(still < 2.0, "an edge {still} px wide in a still picture");
    assert!((moving / wanted - 1.0).abs() < 0.2, "{moving} px, wanted {wanted}");
}

#[test]
fn exposure_and_vignette_scale_the_light() {
    let track = track("oval");
    let take = |exposure: f64, vignette: f64| {
        let mut look = plain();
        (look.field, look.camera.exposure, look.camera.vignette) = (flat([60; 3]), exposure, vignette);
        look.background = Background::Sky([60; 3], [60; 3]);
        gray(&mut Renderer::new(&track, Lens::training(), look), View::new(track.at(1.0), SMALL))
    };
    let (one, half, twice, dim) = (take(1.0, 0.0), take(0.5, 0.0), take(2.0, 0.0), take(1.0, 0.5));
    for (one, (half, twice)) in one.iter().zip(half.iter().zip(&twice)) {
        assert!((f64::from(*half) - f64::from(*one) / 2.0).abs() <= 0.76, "{one} became {half}");
        assert!(
            (f64::from(*twice) - (2.0 * f64::from(*one)).min(255.0)).abs() <= 1.01,
            "{one} became {twice}"
        );
    }
    let share = |at: usize| f64::from(dim[at]) / f64::from(one[at]);
    assert!(
        (share(0) - 0.5).abs() < 0.02 && (share(60 * 160 + 80) - 1.0).abs() < 0.01,
        "{} {}",
        share(0),
        share(60 * 160 + 80)
    );
}

#[test]
fn the_jpeg_is_the_picture_and_sizes_that_it_cannot_hold_are_refused() {
    let track = track("bean");
    let mut renderer = Renderer::new(&track, Lens::wide(), Look::event());
    let view = View::new(track.at(1.0), VGA);
    let pixels = rgb(&mut renderer, view);
    let mut bytes = Vec::new();
    renderer.jpeg(view, &mut bytes).unwrap();
    let decoded = decoded(&bytes, 640 * 480);
    let off = mean(decoded.iter().zip(&pixels).map(|(a, b)| f64::from(a.abs_diff(*b))));
    println!("{} bytes, {off:.2} of 255 off in the mean", bytes.len());
    assert!(off < 4.0, "{off}");
    for (width, height) in [(0, 5), (5, 0), (70_000, 1)] {
        let refused = renderer.jpeg(View { size: Size { width, height }, ..view }, &mut bytes);
        assert!(matches!(refused, Err(RenderError::Size { .. })), "{width}x{height}");
    }
}
