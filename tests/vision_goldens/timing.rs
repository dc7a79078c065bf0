//! Times of the two stages, printed and not judged: machines differ.

use std::time::Instant;

use hairpin::domain::{Observation, Preparation, Sensor};
use hairpin::vision::{Workspace, decode, observe};

use crate::pictures::{bytes, frame, recipe};

#[test]
fn a_hundred_frames_are_timed() {
    let (mut workspace, mut observation) = (Workspace::new(), Observation::default());
    for name in ["640x480", "small-422"] {
        let jpeg = bytes(&format!("{name}.jpg"));
        for preparation in [Preparation::Stock, Preparation::Luma, Preparation::AsTrained] {
            let recipe = recipe(Sensor::FrontFacingCamera, preparation);
            let frame = frame(&jpeg, None);
            let mut times: Vec<[u128; 2]> = vec![];
            for _ in 0..100 {
                let start = Instant::now();
                decode(&frame, &recipe, &mut workspace).unwrap();
                let middle = Instant::now();
                observe(&frame, &recipe, &mut workspace, &mut observation).unwrap();
                times.push([(middle - start).as_micros(), middle.elapsed().as_micros()]);
            }
            let median = |stage: usize| {
                times.sort_unstable_by_key(|time| time[stage]);
                times[times.len() / 2][stage]
            };
            let [decoding, preparing] = [0, 1].map(median);
            println!("{name} {preparation:?}: decode {decoding} µs, prepare {preparing} µs (median of 100)");
        }
    }
}
