//! Equality with the libraries whose arithmetic is promised.

use hairpin::domain::{Gray, Observation, PixelFormat, Preparation, Rgb, Sensor, Size};
use hairpin::vision::{Camera, Shrinker, Workspace, decode, digest, prepare};

use crate::pictures::{JPEGS, bytes, frame, gray, observed, recipe, rgb, stock};

const SIZES: [&str; 7] = ["640x480", "320x240", "160x120", "213x97", "35x151", "1x5", "37x29"];

fn differing(a: &[u8], b: &[u8]) -> usize {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

/// The largest difference, and the share of pixels within one level.
fn closeness(a: &[u8], b: &[u8]) -> (u8, f64) {
    assert_eq!(a.len(), b.len());
    let apart = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
    let near = u32::try_from(apart().filter(|apart| *apart <= 1).count()).unwrap();
    (apart().max().unwrap(), f64::from(near) / f64::from(u32::try_from(a.len()).unwrap()))
}

/// OpenCV's grey, written out once more.
fn q15(rgb: &Rgb) -> Vec<u8> {
    rgb.pixels()
        .chunks(3)
        .map(|p| {
            u8::try_from(
                (9798 * u32::from(p[0]) + 19235 * u32::from(p[1]) + 3735 * u32::from(p[2]) + 16384) >> 15,
            )
            .unwrap()
        })
        .collect()
}

#[test]
fn stock_resize_and_gray_equal_opencv() {
    let (mut shrinker, mut small) = (Shrinker::default(), Gray::default());
    // Twice, and back and forth between sizes, as the plan is kept.
    for name in SIZES.iter().chain(SIZES.iter().rev()) {
        shrinker.rgb(&rgb(&format!("{name}.source.png")), Preparation::Stock, false, &mut small);
        let wrong = differing(small.pixels(), &gray(&format!("{name}.stock.png")));
        println!("stock {name}: {wrong} of 19200 bytes differ from OpenCV");
        assert_eq!(wrong, 0, "{name}");
    }
}

#[test]
fn single_channel_resize_equals_opencv() {
    for name in ["640x480", "213x97"] {
        let source = rgb(&format!("{name}.source.png"));
        let red = source.pixels().iter().step_by(3).copied().collect();
        let size = Size {
            width: u32::try_from(source.width()).unwrap(),
            height: u32::try_from(source.height()).unwrap(),
        };
        let mut small = Gray::default();
        Shrinker::default().gray(&Gray::new(size, red).unwrap(), &mut small);
        assert_eq!(differing(small.pixels(), &gray(&format!("{name}.luma.png"))), 0, "{name}");
    }
}

#[test]
fn as_trained_equals_pillow() {
    let (mut shrinker, mut small) = (Shrinker::default(), Gray::default());
    for name in SIZES {
        let source = rgb(&format!("{name}.source.png"));
        shrinker.rgb(&source, Preparation::AsTrained, false, &mut small);
        assert_eq!(differing(small.pixels(), &gray(&format!("{name}.trained.png"))), 0, "{name}");
    }
    for name in ["320x240", "213x97"] {
        let source = rgb(&format!("{name}.source.png"));
        shrinker.rgb(&source, Preparation::AsTrained, true, &mut small);
        assert_eq!(differing(small.pixels(), &gray(&format!("{name}.trained-stereo.png"))), 0, "{name}");
    }
}

#[test]
fn jpeg_decoding_is_within_one_level_of_libjpeg_turbo() {
    let stock = recipe(Sensor::Observation, Preparation::Stock);
    let luma = recipe(Sensor::Observation, Preparation::Luma);
    let mut workspace = Workspace::new();
    let check = |name: &str, ours: Vec<u8>, theirs: Vec<u8>| {
        let (most, near) = closeness(&ours, &theirs);
        println!("{name}: at most {most} apart, {:.3} % within 1 of libjpeg-turbo", near * 100.0);
        assert!(near >= 0.99, "{name}");
    };
    for name in JPEGS {
        let jpeg = bytes(&format!("{name}.jpg"));
        decode(&frame(&jpeg, None), &stock, &mut workspace).unwrap();
        check(name, q15(workspace.colours(Camera::Left)), gray(&format!("{name}.gray.png")));
        let plane = match name {
            "small-gray" => continue,
            "odd-420" => "odd-420.luma.png",
            _ => "small-422.luma.png",
        };
        decode(&frame(&jpeg, None), &luma, &mut workspace).unwrap();
        check(&format!("{name} luma"), workspace.brightness(Camera::Left).pixels().to_vec(), gray(plane));
    }
    // At the camera's size only training's recipe makes every pixel.
    let trained = recipe(Sensor::Observation, Preparation::AsTrained);
    for name in ["640x480", "320x240"] {
        let jpeg = bytes(&format!("{name}.jpg"));
        decode(&frame(&jpeg, None), &trained, &mut workspace).unwrap();
        let theirs = q15(&rgb(&format!("{name}.source.png")));
        check(name, q15(workspace.colours(Camera::Left)), theirs);
    }
}

#[test]
fn luma_is_near_stock() {
    for name in ["640x480", "320x240"] {
        let jpeg = bytes(&format!("{name}.jpg"));
        let fast = observed(&frame(&jpeg, None), &recipe(Sensor::Observation, Preparation::Luma)).unwrap().1;
        let whole = stock(&jpeg).unwrap();
        let apart: Vec<f32> = fast.camera.iter().zip(&whole.camera).map(|(a, b)| (a - b).abs()).collect();
        let most = apart.iter().copied().fold(0.0, f32::max);
        let far = apart.iter().filter(|apart| **apart > 2.0).count();
        println!("luma {name}: at most {most} from stock, {far} of 19200 more than 2");
        // Beyond 2 only where a saturated colour is clipped on its way through RGB.
        assert!(most <= 5.0 && far < 20, "{name}: {most}, {far}");
    }
}

#[test]
fn yuyv_equals_opencv() {
    let packed = bytes("80x60.yuyv");
    let mut frame = frame(&packed, None);
    frame.left.format = PixelFormat::Yuyv(Size { width: 80, height: 60 });
    let (mut workspace, mut observation) = (Workspace::new(), Observation::default());
    let stock = recipe(Sensor::FrontFacingCamera, Preparation::Stock);
    prepare(&frame, &stock, &mut workspace, &mut observation).unwrap();
    let theirs = rgb("80x60.yuyv.rgb.png");
    assert_eq!(differing(workspace.colours(Camera::Left).pixels(), theirs.pixels()), 0);
    let theirs: Vec<f32> = gray("80x60.yuyv.stock.png").into_iter().map(f32::from).collect();
    assert_eq!(observation.camera, theirs);
    for (size, wanted) in [
        (Size { width: 80, height: 61 }, "left camera: the YUYV picture has 9600 bytes, 80x61 wants 9760"),
        (
            Size { width: 81, height: 60 },
            "left camera: the YUYV picture is 81 pixels wide, wanted an even number",
        ),
        (
            Size { width: 5000, height: 0 },
            "left camera: the picture is 5000x0, wanted 1x1 to 4096x4096: choose another camera format",
        ),
    ] {
        frame.left.format = PixelFormat::Yuyv(size);
        let error = prepare(&frame, &stock, &mut workspace, &mut observation).unwrap_err();
        assert_eq!(error.to_string(), wanted);
    }
}

#[test]
fn the_pictures_decode_to_the_same_bits_everywhere() {
    // Digests of the build that made this test; another value on another machine is a broken promise.
    for (name, wanted) in [
        ("640x480", 0xba54_a218_094c_0c8c_u64),
        ("small-420", 0x2273_34e5_c6c6_8351),
        ("small-gray", 0x47cd_fa9f_9ab7_209a),
    ] {
        let got = digest(&stock(&bytes(&format!("{name}.jpg"))).unwrap());
        assert_eq!(got, wanted, "{name}: {got:#018x}");
    }
}
