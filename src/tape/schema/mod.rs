//! Topics and messages of a tape, and their bytes. No I/O. Refuses every message that has no meaning, saying
//! which field of which message.

pub(crate) mod frame;
pub(crate) mod tick;
pub(crate) mod wire;

mod descriptor;
mod layout;
mod table;

pub use frame::Human;
pub use wire::Fault;

use layout::Layout;
use table::{COMPRESSED_IMAGE, DECISION, HUMAN, INPUTS, MEASURED, RANGES, RAW_IMAGE};

/// The encoding of every message and schema.
pub(crate) const ENCODING: &str = "protobuf";

/// One topic with one kind of message. A frame is closed by its left picture and a tick by its decision:
/// what a cut leaves open was not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// The left camera's JPEG.
    LeftJpeg,
    /// The left camera's YUYV.
    LeftYuyv,
    /// The right camera's JPEG.
    RightJpeg,
    /// The right camera's YUYV.
    RightYuyv,
    /// LiDAR values.
    Ranges,
    /// What a human did.
    Human,
    /// What a tick knew.
    Inputs,
    /// What a tick took.
    Measured,
    /// What a tick concluded.
    Decision,
}

impl Channel {
    /// All of them.
    pub(crate) const ALL: [Self; 9] = [
        Self::LeftJpeg,
        Self::LeftYuyv,
        Self::RightJpeg,
        Self::RightYuyv,
        Self::Ranges,
        Self::Human,
        Self::Inputs,
        Self::Measured,
        Self::Decision,
    ];

    /// The topic.
    pub(crate) const fn topic(self) -> &'static str {
        match self {
            Self::LeftJpeg | Self::LeftYuyv => "/camera/left",
            Self::RightJpeg | Self::RightYuyv => "/camera/right",
            Self::Ranges => "/ranges",
            Self::Human => "/human",
            Self::Inputs => "/inputs",
            Self::Measured => "/measured",
            Self::Decision => "/decision",
        }
    }

    const fn layout(self) -> &'static Layout {
        match self {
            Self::LeftJpeg | Self::RightJpeg => &COMPRESSED_IMAGE,
            Self::LeftYuyv | Self::RightYuyv => &RAW_IMAGE,
            Self::Ranges => &RANGES,
            Self::Human => &HUMAN,
            Self::Inputs => &INPUTS,
            Self::Measured => &MEASURED,
            Self::Decision => &DECISION,
        }
    }

    /// The schema's full name.
    pub(crate) fn schema(self) -> String {
        let layout = self.layout();
        format!("{}.{}", layout.package, layout.name)
    }

    /// The schema itself: a `FileDescriptorSet`.
    pub(crate) fn descriptor(self) -> Vec<u8> {
        descriptor::set(self.layout())
    }

    /// The channel of that topic and schema; `Err` holds the schemas that the topic may have.
    pub(crate) fn find(topic: &str, schema: &str) -> Option<Result<Self, String>> {
        let mut wanted = Vec::new();
        for channel in Self::ALL.into_iter().filter(|channel| channel.topic() == topic) {
            if channel.schema() == schema {
                return Some(Ok(channel));
            }
            wanted.push(channel.schema());
        }
        (!wanted.is_empty()).then(|| Err(wanted.join(" or ")))
    }
}
