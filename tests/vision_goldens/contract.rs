//! What the room promises about cameras, LiDAR values and its two stages.

use hairpin::domain::{Observation, Preparation, Sensor};
use hairpin::vision::{Look, VisionError, Workspace, decode, digest, observe, prepare};

use crate::pictures::{JPEGS, bytes, frame, observed, recipe, stock};

#[test]
fn stereo_is_left_then_right_in_every_pixel() {
    let (left, right) = (bytes("small-422.jpg"), bytes("320x240.jpg"));
    let pair = frame(&left, Some(&right));
    let stereo = recipe(Sensor::StereoCameras, Preparation::Stock);
    let (look, both) = observed(&pair, &stereo).unwrap();
    assert_eq!((both.channels, both.camera.len()), (2, 2 * 19_200));
    let (one, other) = (stock(&left).unwrap(), stock(&right).unwrap());
    for (pixel, (a, b)) in both.camera.chunks(2).zip(one.camera.iter().zip(&other.camera)) {
        assert_eq!(pixel, [*a, *b]);
    }
    // The look is the left picture's, and a single-camera recipe takes the left of two.
    let single = recipe(Sensor::LeftCamera, Preparation::Stock);
    let (left_look, observation) = observed(&pair, &single).unwrap();
    assert_eq!(look, left_look);
    assert_eq!(observation, one);
    assert_eq!(observed(&frame(&left, None), &stereo).unwrap_err(), VisionError::NoRightCamera);
    let broken = observed(&frame(&left, Some(&[1, 2])), &stereo).unwrap_err();
    assert_eq!(
        broken.to_string(),
        "right camera: the picture begins with [01, 02], wanted [ff, d8], the start of a JPEG"
    );
}

#[test]
fn ranges_are_copied_or_refused_by_number() {
    let mut lidar = frame(&[], None);
    let ranges: Vec<f32> = (0..64_u8).map(f32::from).collect();
    lidar.ranges = &ranges;
    let policy = recipe(Sensor::Lidar, Preparation::Stock);
    let (look, observation) = observed(&lidar, &policy).unwrap();
    assert_eq!(look, Look::NOTHING);
    assert_eq!((observation.ranges, observation.channels, observation.camera), (ranges.clone(), 0, vec![]));
    lidar.ranges = &ranges[..63];
    let error = observed(&lidar, &policy).unwrap_err();
    assert_eq!(error.to_string(), "the frame has 63 LiDAR values, the policy wants 64");
    let mut endless = ranges.clone();
    endless[7] = f32::INFINITY;
    lidar.ranges = &endless;
    let error = observed(&lidar, &policy).unwrap_err();
    assert_eq!(error.to_string(), "LiDAR value 7 is inf, wanted a finite number");
}

#[test]
fn the_stages_must_follow_each_other() {
    let jpeg = bytes("small-422.jpg");
    let frame = frame(&jpeg, None);
    let (mut workspace, mut observation) = (Workspace::new(), Observation::default());
    let stock = recipe(Sensor::Observation, Preparation::Stock);
    let luma = recipe(Sensor::Observation, Preparation::Luma);
    assert_eq!(observe(&frame, &stock, &mut workspace, &mut observation), Err(VisionError::NotDecoded));
    decode(&frame, &luma, &mut workspace).unwrap();
    assert_eq!(observe(&frame, &stock, &mut workspace, &mut observation), Err(VisionError::NotDecoded));
    decode(&frame, &stock, &mut workspace).unwrap();
    observe(&frame, &stock, &mut workspace, &mut observation).unwrap();
    assert_eq!(observe(&frame, &stock, &mut workspace, &mut observation), Err(VisionError::NotDecoded));
}

#[test]
fn a_kept_workspace_gives_what_a_new_one_gives() {
    let (mut workspace, mut observation) = (Workspace::new(), Observation::default());
    for name in JPEGS.iter().chain(&["640x480", "320x240"]).chain(&JPEGS) {
        let jpeg = bytes(&format!("{name}.jpg"));
        for preparation in [Preparation::AsTrained, Preparation::Luma, Preparation::Stock] {
            let recipe = recipe(Sensor::FrontFacingCamera, preparation);
            let look = prepare(&frame(&jpeg, None), &recipe, &mut workspace, &mut observation).unwrap();
            let fresh = observed(&frame(&jpeg, None), &recipe).unwrap();
            assert_eq!((look, &observation), (fresh.0, &fresh.1), "{name} {preparation:?}");
            assert_eq!(digest(&observation), digest(&fresh.1));
        }
    }
}
