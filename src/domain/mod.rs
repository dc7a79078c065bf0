//! Nouns (L1), in the order a frame meets them: frame, image, observation, scores, action, command, pulses;
//! then what a tick knew (inputs), concluded (decision) and took (measured). No behaviour beyond their invariants.

pub mod action;
pub mod card;
pub mod command;
pub mod decision;
pub mod digest;
pub mod frame;
pub mod image;
pub mod inputs;
pub mod notes;
pub mod observation;
pub mod quality;
pub mod recipe;
pub mod scores;
pub mod sensor;
pub mod tick;
pub mod verdict;

pub use action::{Action, ActionSpace, ContinuousSpace};
pub use card::{FixedPlan, FixedPoint, Layer, ModelCard, NetworkFacts, Witness};
pub use command::{Command, Order, Pulses};
pub use decision::Decision;
pub use digest::{Digest, FrameDigest};
pub use frame::{Frame, FrameSeq, Picture, PixelFormat, Size};
pub use image::{Gray, Rgb};
pub use inputs::{Applied, Ask, CameraHealth, FrameStamp, Health, Inputs, OperatorInput, Previous};
pub use notes::{Note, Notes};
pub use observation::Observation;
pub use quality::Quality;
pub use recipe::{Preparation, Recipe, Squash};
pub use scores::Scores;
pub use sensor::Sensor;
pub use tick::{Measured, Stage, Tick};
pub use verdict::{DriveState, StopReason, Verdict};
