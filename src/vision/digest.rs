//! A fingerprint of an observation, for comparing two builds or two machines tick by tick without storing 19 200
//! numbers a tick. Not cryptographic: it finds accidents, not forgeries.

use crate::domain::Observation;

/// 2^64 divided by the golden ratio, made odd: the usual multiplier for mixing words.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// 64 bits over every bit of every value, the number of channels and both lengths; allocates nothing. Words of
/// eight bytes (two values) are mixed in by rotate, exclusive or, and an odd multiplication, each of which can be
/// undone: two observations that differ in a single word never share a digest. The order of values counts, and
/// 0.0 and -0.0 differ.
#[must_use]
pub fn digest(observation: &Observation) -> u64 {
    let mut state = mix(0, observation.channels as u64);
    for values in [&observation.camera, &observation.ranges] {
        state = mix(state, values.len() as u64);
        let (pairs, rest) = values.as_chunks::<2>();
        for [low, high] in pairs {
            state = mix(state, u64::from(low.to_bits()) | u64::from(high.to_bits()) << 32);
        }
        for value in rest {
            state = mix(state, u64::from(value.to_bits()));
        }
    }
    // The upper bits are mixed best; fold them down.
    state ^ (state >> 32)
}

const fn mix(state: u64, word: u64) -> u64 {
    (state.rotate_left(23) ^ word).wrapping_mul(MULTIPLIER)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::digest;
    use crate::domain::Observation;

    #[test]
    fn every_single_change_and_every_swap_is_seen() {
        let camera: Vec<f32> = (0..240_u8).map(f32::from).collect();
        let base = Observation { camera, channels: 2, ranges: vec![0.5, 1.0, 2.0] };
        let mut seen = HashSet::from([digest(&base)]);
        for at in 0..base.camera.len() {
            for value in [-1.0, 240.0, 255.0, f32::NAN] {
                let mut other = base.clone();
                other.camera[at] = value;
                assert!(seen.insert(digest(&other)), "value {value} at {at}");
            }
        }
        for at in 1..base.camera.len() {
            let mut other = base.clone();
            other.camera.swap(at - 1, at);
            assert!(seen.insert(digest(&other)), "swap at {at}");
        }
        for at in 0..3 {
            let mut other = base.clone();
            other.ranges[at] = 9.0;
            assert!(seen.insert(digest(&other)), "range {at}");
        }
        let moved = Observation { camera: vec![0.0; 2], channels: 1, ranges: vec![0.0; 3] };
        let other = Observation { camera: vec![0.0; 3], channels: 1, ranges: vec![0.0; 2] };
        assert_ne!(digest(&moved), digest(&other));
        assert_ne!(digest(&base), digest(&Observation { channels: 1, ..base.clone() }));
    }
}
