//! The messages of a tape. Numbers are never reused; a new field goes to the end and is optional.

use super::layout::{Choice, Field, Kind, Layout};

const OURS: &str = "hairpin";
const FOXGLOVE: &str = "foxglove";

/// In the order of `Quality::ALL`.
pub(crate) const QUALITY: Choice =
    Choice { name: "Quality", words: &["USABLE", "DARK", "BRIGHT", "FROZEN", "TORN", "MISSING"] };
/// `DriveState` without what its variants hold.
pub(crate) const PHASE: Choice =
    Choice { name: "Phase", words: &["DISARMED", "ARMING", "DRIVING", "COASTING", "STOPPED"] };
/// In the order of `StopReason::ALL`.
pub(crate) const WHY: Choice = Choice {
    name: "StopReason",
    words: &["OPERATOR", "FRAME_LOST", "FRAME_FROZEN", "POLICY_FAILED", "ACTUATORS_FAILED", "BATTERY_EMPTY"],
};
/// What the operator asks.
pub(crate) const ASK: Choice = Choice { name: "Ask", words: &["NOTHING", "ARM", "DISARM", "STOP"] };
/// What became of the pulses of the tick before.
pub(crate) const APPLIED: Choice =
    Choice { name: "Applied", words: &["NO_TICK_BEFORE", "WRITTEN", "WRITE_FAILED", "WITHHELD"] };
/// In the order of `CameraHealth`'s codes.
pub(crate) const CAMERA: Choice = Choice { name: "CameraHealth", words: &["STREAMING", "LOST"] };

/// Number and time of the tick's frame.
pub(crate) const STAMP: Layout = Layout {
    package: OURS,
    name: "FrameStamp",
    fields: &[Field::new(1, "seq", Kind::Fixed64), Field::new(2, "captured_at_ns", Kind::Fixed64)],
};
/// The operator's part of the inputs.
pub(crate) const OPERATOR: Layout = Layout {
    package: OURS,
    name: "OperatorInput",
    fields: &[
        Field::new(1, "seq", Kind::Fixed64),
        Field::new(2, "ask", Kind::Choice(&ASK)),
        Field::new(3, "speed_percent", Kind::Fixed32),
    ],
};
/// The board's readings.
pub(crate) const HEALTH: Layout = Layout {
    package: OURS,
    name: "Health",
    fields: &[Field::maybe(1, "battery", Kind::Fixed32), Field::maybe(2, "camera", Kind::Choice(&CAMERA))],
};
/// How the tick before went.
pub(crate) const PREVIOUS: Layout = Layout {
    package: OURS,
    name: "Previous",
    fields: &[
        Field::new(1, "elapsed_ns", Kind::Fixed64),
        Field::new(2, "applied", Kind::Choice(&APPLIED)),
        Field::new(3, "dropped", Kind::Fixed32),
    ],
};
/// All that a tick may know.
pub(crate) const INPUTS: Layout = Layout {
    package: OURS,
    name: "Inputs",
    fields: &[
        Field::new(1, "seq", Kind::Fixed64),
        Field::new(2, "now_ns", Kind::Fixed64),
        Field::maybe(3, "frame", Kind::Part(&STAMP)),
        Field::new(4, "operator", Kind::Part(&OPERATOR)),
        Field::new(5, "health", Kind::Part(&HEALTH)),
        Field::new(6, "previous", Kind::Part(&PREVIOUS)),
    ],
};

/// The policy's wish in the action space's units.
pub(crate) const ACTION: Layout = Layout {
    package: OURS,
    name: "Action",
    fields: &[Field::new(1, "steering_deg", Kind::Double), Field::new(2, "speed_mps", Kind::Double)],
};
/// Shares of lock and throttle.
pub(crate) const COMMAND: Layout = Layout {
    package: OURS,
    name: "Command",
    fields: &[Field::new(1, "steering", Kind::Float), Field::new(2, "throttle", Kind::Float)],
};
/// The governor's state.
pub(crate) const STATE: Layout = Layout {
    package: OURS,
    name: "DriveState",
    fields: &[
        Field::new(1, "phase", Kind::Choice(&PHASE)),
        Field::maybe(2, "since_ns", Kind::Fixed64),
        Field::maybe(3, "why", Kind::Choice(&WHY)),
    ],
};
/// What the pins are told.
pub(crate) const PULSES: Layout = Layout {
    package: OURS,
    name: "Pulses",
    fields: &[Field::new(1, "steering_ns", Kind::Fixed32), Field::new(2, "throttle_ns", Kind::Fixed32)],
};
/// All that a tick concluded.
pub(crate) const DECISION: Layout = Layout {
    package: OURS,
    name: "Decision",
    fields: &[
        Field::new(1, "frame_digest", Kind::Fixed64),
        Field::new(2, "observation_digest", Kind::Fixed64),
        Field::new(3, "quality", Kind::Choice(&QUALITY)),
        Field::new(4, "scores", Kind::Floats),
        Field::maybe(5, "action", Kind::Part(&ACTION)),
        Field::maybe(6, "wish", Kind::Part(&COMMAND)),
        Field::new(7, "command", Kind::Part(&COMMAND)),
        Field::new(8, "state", Kind::Part(&STATE)),
        Field::new(9, "notes", Kind::Fixed32),
        Field::new(10, "pulses", Kind::Part(&PULSES)),
    ],
};
/// What a tick took, in the order of `Stage::ALL`.
pub(crate) const MEASURED: Layout = Layout {
    package: OURS,
    name: "Measured",
    fields: &[
        Field::new(1, "decode_ns", Kind::Fixed64),
        Field::new(2, "prepare_ns", Kind::Fixed64),
        Field::new(3, "infer_ns", Kind::Fixed64),
        Field::new(4, "decide_ns", Kind::Fixed64),
        Field::new(5, "whole_ns", Kind::Fixed64),
    ],
};
/// LiDAR values of a frame.
pub(crate) const RANGES: Layout =
    Layout { package: OURS, name: "Ranges", fields: &[Field::new(1, "values", Kind::Floats)] };
/// What a human did at a frame.
pub(crate) const HUMAN: Layout = Layout {
    package: OURS,
    name: "Human",
    fields: &[Field::new(1, "steering", Kind::Double), Field::new(2, "throttle", Kind::Double)],
};

/// `google.protobuf.Timestamp`.
pub(crate) const TIMESTAMP: Layout = Layout {
    package: "google.protobuf",
    name: "Timestamp",
    fields: &[Field::new(1, "seconds", Kind::Int64), Field::new(2, "nanos", Kind::Int32)],
};
/// `foxglove.CompressedImage`: numbers as in the Foxglove SDK's `CompressedImage.proto`.
pub(crate) const COMPRESSED_IMAGE: Layout = Layout {
    package: FOXGLOVE,
    name: "CompressedImage",
    fields: &[
        Field::new(1, "timestamp", Kind::Part(&TIMESTAMP)),
        Field::new(4, "frame_id", Kind::Text),
        Field::new(2, "data", Kind::Bytes),
        Field::new(3, "format", Kind::Text),
    ],
};
/// `foxglove.RawImage`: numbers as in the Foxglove SDK's `RawImage.proto`.
pub(crate) const RAW_IMAGE: Layout = Layout {
    package: FOXGLOVE,
    name: "RawImage",
    fields: &[
        Field::new(1, "timestamp", Kind::Part(&TIMESTAMP)),
        Field::new(7, "frame_id", Kind::Text),
        Field::new(2, "width", Kind::Fixed32),
        Field::new(3, "height", Kind::Fixed32),
        Field::new(4, "encoding", Kind::Text),
        Field::new(5, "step", Kind::Fixed32),
        Field::new(6, "data", Kind::Bytes),
    ],
};

#[cfg(test)]
mod tests {
    use super::{
        APPLIED, ASK, CAMERA, COMPRESSED_IMAGE, DECISION, HUMAN, INPUTS, MEASURED, PHASE, QUALITY, RANGES,
        RAW_IMAGE, WHY,
    };
    use crate::domain::{Quality, Stage, StopReason};
    use crate::tape::schema::layout::{Kind, Layout};

    const TOP: [&Layout; 7] = [&INPUTS, &DECISION, &MEASURED, &RANGES, &HUMAN, &COMPRESSED_IMAGE, &RAW_IMAGE];

    /// The most bytes that a field takes inside a part; nothing of open length is allowed there.
    fn most(kind: Kind) -> usize {
        match kind {
            Kind::Float | Kind::Fixed32 => 5,
            Kind::Double | Kind::Fixed64 => 9,
            Kind::Int32 | Kind::Int64 | Kind::Choice(_) => 11,
            Kind::Part(part) => 2 + part.fields.iter().map(|field| most(field.kind)).sum::<usize>(),
            Kind::Text | Kind::Bytes | Kind::Floats => usize::MAX / 64,
        }
    }

    #[test]
    fn every_part_fits_a_length_of_one_byte() {
        for field in TOP.iter().flat_map(|layout| layout.fields) {
            if matches!(field.kind, Kind::Part(_)) {
                assert!(most(field.kind) - 2 < 0x80, "{}", field.name);
            }
        }
    }

    #[test]
    fn numbers_fit_a_tag_of_one_byte_and_are_unique() {
        let parts = TOP.iter().flat_map(|layout| layout.fields).filter_map(|field| match field.kind {
            Kind::Part(part) => Some(part),
            _ => None,
        });
        for layout in TOP.into_iter().chain(parts) {
            let mut numbers: Vec<u8> = layout.fields.iter().map(|field| field.number).collect();
            numbers.sort_unstable();
            assert!(numbers.iter().all(|number| (1..16).contains(number)), "{}", layout.name);
            assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]), "{}", layout.name);
        }
    }

    #[test]
    fn words_stand_in_the_order_of_their_codes() {
        let loud = |word: &str| word.to_uppercase();
        assert_eq!(Quality::ALL.map(|quality| loud(quality.word())).to_vec(), QUALITY.words);
        // `FrameLost` is FRAME_LOST.
        let reasons = StopReason::ALL.map(|why| {
            let name = format!("{why:?}");
            let split =
                name.char_indices().skip(1).find(|(_, letter)| letter.is_uppercase()).map(|(at, _)| at);
            split.map_or_else(|| loud(&name), |at| loud(&format!("{}_{}", &name[..at], &name[at..])))
        });
        assert_eq!(reasons.to_vec(), WHY.words);
        assert_eq!(MEASURED.fields.len(), Stage::ALL.len());
        for (stage, field) in Stage::ALL.into_iter().zip(MEASURED.fields) {
            assert_eq!(field.name, format!("{}_ns", stage.word()));
        }
        // Protobuf wants the words of one file to be unique.
        for file in [vec![QUALITY, PHASE, WHY], vec![ASK, APPLIED, CAMERA]] {
            let mut words: Vec<&str> = file.iter().flat_map(|choice| choice.words).copied().collect();
            let count = words.len();
            words.sort_unstable();
            words.dedup();
            assert_eq!(words.len(), count);
        }
    }
}
